/* A bounded reader over bytes from outside, for parsers that are pure functions.
 *
 * Reading past the end gives zeroes and is remembered, so that a parser reads straight through and asks once, with
 * reader_result(), how it went. Nothing is allocated; pointers handed out point into the caller's bytes. Numbers are
 * in network byte order, those of the le family in little endian.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum parse {
	PARSE_DONE,  /* a whole value was read */
	PARSE_MORE,  /* the bytes end before the value does */
	PARSE_ERROR, /* no further bytes can make this a value; the reader's error says why */
};

struct reader {
	const uint8_t *next;
	size_t left;
	bool ran_out;
	char error[160]; /* empty while there is none; UTF-8 */
};

struct reader reader_from(const void *bytes, size_t length);
struct reader reader_from_bytes(GBytes *bytes);

/* Bytes not yet read. */
static inline size_t reader_left(const struct reader *in)
{
	return in->left;
}

uint8_t reader_u8(struct reader *in);
uint16_t reader_u16(struct reader *in);
uint32_t reader_u32(struct reader *in);
uint64_t reader_u64(struct reader *in);
int32_t reader_i32(struct reader *in);
uint16_t reader_le16(struct reader *in);
uint32_t reader_le32(struct reader *in);
uint64_t reader_le64(struct reader *in);

void reader_skip(struct reader *in, size_t length);

/* The next @length bytes where they lie, or NULL when there are not as many. */
const uint8_t *reader_bytes(struct reader *in, size_t length);

/* Copies the next @length bytes to @to, or clears @to when there are not as many. */
void reader_copy(struct reader *in, void *to, size_t length);

/* PARSE_ERROR after parse_error(), else PARSE_MORE after reading past the end, else PARSE_DONE. */
enum parse reader_result(const struct reader *in);

/* Records why the bytes are no value (the first reason stays) and returns PARSE_ERROR. */
enum parse parse_error(struct reader *in, const char *format, ...) G_GNUC_PRINTF(2, 3);
