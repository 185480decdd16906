/* Writing AML: terms and named objects.
 *
 * Specification: ACPI 6.4, chapter 20.
 */
#include "vmm/firmware/aml.h"

#include <string.h>

#include "base/writer.h"

enum aml_byte {
	ZERO = 0x00,
	ONE = 0x01,
	NAME = 0x08,
	BYTE = 0x0a,
	WORD = 0x0b,
	DWORD = 0x0c,
	STRING = 0x0d,
	QWORD = 0x0e,
	SCOPE = 0x10,
	BUFFER = 0x11,
	PACKAGE = 0x12,
	METHOD = 0x14,
	DUAL_NAME = 0x2e,
	MULTI_NAME = 0x2f,
	EXTENDED = 0x5b,
	EXTENDED_MUTEX = 0x01,
	EXTENDED_ACQUIRE = 0x23,
	EXTENDED_RELEASE = 0x27,
	EXTENDED_REGION = 0x80,
	EXTENDED_FIELD = 0x81,
	EXTENDED_DEVICE = 0x82,
	EXTENDED_PROCESSOR = 0x83,
	IF = 0xa0,
	ELSE = 0xa1,
};

enum {
	SEGMENT = 4, /* characters of a name */
	METHOD_SERIALIZED = 1 << 3,
	FIELD_BYTE_ACCESS = 1,
	FIELD_LONG_ACCESS = 3,
	FIELD_WRITE_ZEROES = 2 << 5,
	FIELD_RESERVED = 0x00,
};

void aml_init(struct aml *aml)
{
	*aml = (struct aml) { .bytes = g_byte_array_new() };
}

GBytes *aml_end(struct aml *aml)
{
	g_assert(aml->depth == 0);
	return g_byte_array_free_to_bytes(g_steal_pointer(&aml->bytes));
}

/* Package lengths: six bits, or four and up to three bytes more; the length counts its own bytes. */

static unsigned encode_length(size_t length, bool counts_itself, uint8_t bytes[4])
{
	unsigned more = 0;
	size_t value;

	for (;; more++) {
		value = length + (counts_itself ? more + 1 : 0);
		if (value < (more == 0 ? 0x40u : 0x10u << 8 * more))
			break;
	}
	g_assert(more <= 3);
	if (more == 0) {
		bytes[0] = value;
		return 1;
	}
	bytes[0] = more << 6 | (value & 0x0f);
	for (unsigned i = 0; i < more; i++)
		bytes[1 + i] = value >> (4 + 8 * i);
	return 1 + more;
}

static void open_package_length(struct aml *aml)
{
	g_assert(aml->depth < AML_MAX_DEPTH);
	aml->open[aml->depth++] = aml->bytes->len;
}

void aml_close(struct aml *aml)
{
	guint at = aml->open[--aml->depth];
	guint content = aml->bytes->len - at;
	uint8_t length[4];
	unsigned size = encode_length(content, true, length);

	g_byte_array_set_size(aml->bytes, aml->bytes->len + size);
	memmove(aml->bytes->data + at + size, aml->bytes->data + at, content);
	memcpy(aml->bytes->data + at, length, size);
}

/* Names */

static void write_segment(struct aml *aml, const char *segment, size_t length)
{
	char padded[SEGMENT] = { '_', '_', '_', '_' };

	g_assert(length > 0 && length <= SEGMENT);
	memcpy(padded, segment, length);
	write_bytes(aml->bytes, padded, SEGMENT);
}

void aml_name(struct aml *aml, const char *name)
{
	unsigned segments = 1;

	if (*name == '\\')
		write_u8(aml->bytes, *name++);
	while (*name == '^')
		write_u8(aml->bytes, *name++);
	for (const char *c = name; *c != '\0'; c++)
		segments += *c == '.';
	if (*name == '\0') {
		write_u8(aml->bytes, ZERO);
		return;
	}
	if (segments == 2) {
		write_u8(aml->bytes, DUAL_NAME);
	} else if (segments > 2) {
		write_u8(aml->bytes, MULTI_NAME);
		write_u8(aml->bytes, segments);
	}
	while (*name != '\0') {
		size_t length = strcspn(name, ".");

		write_segment(aml, name, length);
		name += length + (name[length] == '.');
	}
}

void aml_define(struct aml *aml, const char *name)
{
	write_u8(aml->bytes, NAME);
	aml_name(aml, name);
}

/* Values */

void aml_integer(struct aml *aml, uint64_t value)
{
	if (value <= 1) {
		write_u8(aml->bytes, value == 0 ? ZERO : ONE);
	} else if (value <= UINT8_MAX) {
		write_u8(aml->bytes, BYTE);
		write_u8(aml->bytes, value);
	} else if (value <= UINT16_MAX) {
		write_u8(aml->bytes, WORD);
		write_le16(aml->bytes, value);
	} else if (value <= UINT32_MAX) {
		write_u8(aml->bytes, DWORD);
		write_le32(aml->bytes, value);
	} else {
		write_u8(aml->bytes, QWORD);
		write_le64(aml->bytes, value);
	}
}

void aml_string(struct aml *aml, const char *text)
{
	write_u8(aml->bytes, STRING);
	write_bytes(aml->bytes, text, strlen(text) + 1);
}

/* Three letters of five bits and four hexadecimal digits, high byte first; always a double word. */
void aml_eisa_id(struct aml *aml, const char *id)
{
	uint32_t value = (id[0] - '@') << 26 | (id[1] - '@') << 21 | (id[2] - '@') << 16;

	for (unsigned i = 0; i < 4; i++)
		value |= g_ascii_xdigit_value(id[3 + i]) << (12 - 4 * i);
	write_u8(aml->bytes, DWORD);
	write_u32(aml->bytes, value);
}

/* The first three groups of a UUID are little endian numbers in a buffer, the rest are bytes. */
void aml_uuid(struct aml *aml, const char *uuid)
{
	static const uint8_t places[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	unsigned count = 0;

	g_byte_array_set_size(bytes, sizeof(places));
	for (const char *c = uuid; *c != '\0' && count < sizeof(places); c++) {
		if (*c == '-')
			continue;
		bytes->data[places[count++]] =
			g_ascii_xdigit_value(c[0]) << 4 | g_ascii_xdigit_value(c[1]);
		c++;
	}
	aml_buffer(aml, bytes);
}

void aml_buffer(struct aml *aml, const GByteArray *bytes)
{
	write_u8(aml->bytes, BUFFER);
	open_package_length(aml);
	aml_integer(aml, bytes->len);
	write_bytes(aml->bytes, bytes->data, bytes->len);
	aml_close(aml);
}

void aml_operator(struct aml *aml, enum aml_operator operator)
{
	if (operator> UINT8_MAX)
		write_u8(aml->bytes, operator>> 8);
	write_u8(aml->bytes, operator& 0xff);
}

/* Named objects */

void aml_open_scope(struct aml *aml, const char *name)
{
	write_u8(aml->bytes, SCOPE);
	open_package_length(aml);
	aml_name(aml, name);
}

void aml_open_device(struct aml *aml, const char *name)
{
	write_u8(aml->bytes, EXTENDED);
	write_u8(aml->bytes, EXTENDED_DEVICE);
	open_package_length(aml);
	aml_name(aml, name);
}

void aml_open_method(struct aml *aml, const char *name, unsigned arguments, bool serialized)
{
	write_u8(aml->bytes, METHOD);
	open_package_length(aml);
	aml_name(aml, name);
	write_u8(aml->bytes, arguments | (serialized ? METHOD_SERIALIZED : 0));
}

void aml_open_package(struct aml *aml, uint8_t elements)
{
	write_u8(aml->bytes, PACKAGE);
	open_package_length(aml);
	write_u8(aml->bytes, elements);
}

void aml_open_if(struct aml *aml)
{
	write_u8(aml->bytes, IF);
	open_package_length(aml);
}

void aml_open_else(struct aml *aml)
{
	write_u8(aml->bytes, ELSE);
	open_package_length(aml);
}

void aml_open_processor(struct aml *aml, const char *name, uint8_t number)
{
	write_u8(aml->bytes, EXTENDED);
	write_u8(aml->bytes, EXTENDED_PROCESSOR);
	open_package_length(aml);
	aml_name(aml, name);
	write_u8(aml->bytes, number);
	write_le32(aml->bytes, 0); /* no processor register block */
	write_u8(aml->bytes, 0);
}

/* Regions and fields */

void aml_operation_region(struct aml *aml, const char *name, enum aml_region_space space,
	uint32_t offset, uint32_t length)
{
	write_u8(aml->bytes, EXTENDED);
	write_u8(aml->bytes, EXTENDED_REGION);
	aml_name(aml, name);
	write_u8(aml->bytes, space);
	aml_integer(aml, offset);
	aml_integer(aml, length);
}

static void open_field(struct aml *aml, const char *region, uint8_t flags)
{
	write_u8(aml->bytes, EXTENDED);
	write_u8(aml->bytes, EXTENDED_FIELD);
	open_package_length(aml);
	aml_name(aml, region);
	write_u8(aml->bytes, flags);
}

void aml_open_field(struct aml *aml, const char *region)
{
	open_field(aml, region, FIELD_BYTE_ACCESS);
}

void aml_open_long_field(struct aml *aml, const char *region)
{
	open_field(aml, region, FIELD_LONG_ACCESS | FIELD_WRITE_ZEROES);
}

void aml_field_unit(struct aml *aml, const char *name, unsigned bits)
{
	uint8_t length[4];

	aml_name(aml, name);
	write_bytes(aml->bytes, length, encode_length(bits, false, length));
}

void aml_field_skip(struct aml *aml, unsigned bits)
{
	uint8_t length[4];

	write_u8(aml->bytes, FIELD_RESERVED);
	write_bytes(aml->bytes, length, encode_length(bits, false, length));
}

/* Mutexes */

void aml_mutex(struct aml *aml, const char *name)
{
	write_u8(aml->bytes, EXTENDED);
	write_u8(aml->bytes, EXTENDED_MUTEX);
	aml_name(aml, name);
	write_u8(aml->bytes, 0); /* may be taken at any level */
}

void aml_acquire(struct aml *aml, const char *mutex)
{
	write_u8(aml->bytes, EXTENDED);
	write_u8(aml->bytes, EXTENDED_ACQUIRE);
	aml_name(aml, mutex);
	write_le16(aml->bytes, UINT16_MAX);
}

void aml_release(struct aml *aml, const char *mutex)
{
	write_u8(aml->bytes, EXTENDED);
	write_u8(aml->bytes, EXTENDED_RELEASE);
	aml_name(aml, mutex);
}
