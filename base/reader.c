/* A bounded reader over bytes from outside. */
#include "base/reader.h"

#include <stdarg.h>
#include <string.h>

struct reader reader_from(const void *bytes, size_t length)
{
	return (struct reader) { .next = bytes, .left = length };
}

struct reader reader_from_bytes(GBytes *bytes)
{
	gsize length;
	const void *data = g_bytes_get_data(bytes, &length);

	return reader_from(data, length);
}

const uint8_t *reader_bytes(struct reader *in, size_t length)
{
	const uint8_t *bytes = in->next;

	if (in->ran_out || length > in->left) {
		in->ran_out = true;
		return NULL;
	}
	if (length > 0)
		in->next += length;
	in->left -= length;
	return bytes;
}

void reader_skip(struct reader *in, size_t length)
{
	reader_bytes(in, length);
}

void reader_copy(struct reader *in, void *to, size_t length)
{
	const uint8_t *from = reader_bytes(in, length);

	if (length == 0)
		return;
	if (from)
		memcpy(to, from, length);
	else
		memset(to, 0, length);
}

uint8_t reader_u8(struct reader *in)
{
	uint8_t value;

	reader_copy(in, &value, sizeof(value));
	return value;
}

uint16_t reader_u16(struct reader *in)
{
	uint16_t value;

	reader_copy(in, &value, sizeof(value));
	return GUINT16_FROM_BE(value);
}

uint32_t reader_u32(struct reader *in)
{
	uint32_t value;

	reader_copy(in, &value, sizeof(value));
	return GUINT32_FROM_BE(value);
}

uint64_t reader_u64(struct reader *in)
{
	uint64_t value;

	reader_copy(in, &value, sizeof(value));
	return GUINT64_FROM_BE(value);
}

int32_t reader_i32(struct reader *in)
{
	return (int32_t)reader_u32(in);
}

uint16_t reader_le16(struct reader *in)
{
	uint16_t value;

	reader_copy(in, &value, sizeof(value));
	return GUINT16_FROM_LE(value);
}

uint32_t reader_le32(struct reader *in)
{
	uint32_t value;

	reader_copy(in, &value, sizeof(value));
	return GUINT32_FROM_LE(value);
}

uint64_t reader_le64(struct reader *in)
{
	uint64_t value;

	reader_copy(in, &value, sizeof(value));
	return GUINT64_FROM_LE(value);
}

enum parse reader_result(const struct reader *in)
{
	if (in->error[0] != '\0')
		return PARSE_ERROR;
	return in->ran_out ? PARSE_MORE : PARSE_DONE;
}

enum parse parse_error(struct reader *in, const char *format, ...)
{
	va_list arguments;

	if (in->error[0] == '\0') {
		va_start(arguments, format);
		g_vsnprintf(in->error, sizeof(in->error), format, arguments);
		va_end(arguments);
	}
	return PARSE_ERROR;
}
