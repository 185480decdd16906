/* Appending numbers to a GByteArray: network byte order, and little endian for the le family. */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <string.h>

static inline void write_bytes(GByteArray *out, const void *bytes, size_t length)
{
	if (length > 0)
		g_byte_array_append(out, bytes, length);
}

/* @length zero bytes; returns the offset of the first, for filling in later. */
static inline size_t write_zeroes(GByteArray *out, size_t length)
{
	size_t at = out->len;

	g_byte_array_set_size(out, at + length);
	if (length > 0)
		memset(out->data + at, 0, length);
	return at;
}

static inline void write_u8(GByteArray *out, uint8_t value)
{
	g_byte_array_append(out, &value, sizeof(value));
}

static inline void write_u16(GByteArray *out, uint16_t value)
{
	value = GUINT16_TO_BE(value);
	g_byte_array_append(out, (const guint8 *)&value, sizeof(value));
}

static inline void write_u32(GByteArray *out, uint32_t value)
{
	value = GUINT32_TO_BE(value);
	g_byte_array_append(out, (const guint8 *)&value, sizeof(value));
}

static inline void write_i32(GByteArray *out, int32_t value)
{
	write_u32(out, (uint32_t)value);
}

static inline void write_u64(GByteArray *out, uint64_t value)
{
	value = GUINT64_TO_BE(value);
	g_byte_array_append(out, (const guint8 *)&value, sizeof(value));
}

static inline void write_le16(GByteArray *out, uint16_t value)
{
	value = GUINT16_TO_LE(value);
	g_byte_array_append(out, (const guint8 *)&value, sizeof(value));
}

static inline void write_le32(GByteArray *out, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	g_byte_array_append(out, (const guint8 *)&value, sizeof(value));
}

static inline void write_le64(GByteArray *out, uint64_t value)
{
	value = GUINT64_TO_LE(value);
	g_byte_array_append(out, (const guint8 *)&value, sizeof(value));
}
