/* Arithmetic on sizes that come from outside. The only place where such sizes are multiplied.
 *
 * All values are bytes unless a name says otherwise. Every function returns false when the result does not fit, and
 * leaves the result unset then.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KiB = 1 << 10,
	MiB = 1 << 20,
	GiB = 1 << 30,
};

static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

static inline bool checked_multiply(uint64_t a, uint64_t b, uint64_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

/**
 * checked_range - whether [@offset, @offset + @length) lies inside [0, @size)
 *
 * An empty range at the very end lies inside.
 */
static inline bool checked_range(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

/**
 * picture_end - where the last byte of a picture in memory ends
 * @first: offset of its first pixel
 * @height: rows, at least 1
 * @stride: bytes from one row to the next
 * @row_bytes: bytes of one row that hold pixels; the last row needs only these, not a whole stride
 * @end: set to the offset behind the last pixel
 */
static inline bool picture_end(
	uint64_t first, uint32_t height, uint64_t stride, uint64_t row_bytes, uint64_t *end)
{
	uint64_t above;

	return height > 0 && checked_multiply(height - 1, stride, &above) &&
	       checked_add(first, above, &above) && checked_add(above, row_bytes, end);
}
