/* Bits in arrays of unsigned long, as the dirty log hands them out: bit N is bit N % BITMAP_BITS of word N / BITMAP_BITS. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BITMAP_BITS = 8 * sizeof(unsigned long)
};

static inline size_t bitmap_words(uint64_t bits)
{
	return bits / BITMAP_BITS + (bits % BITMAP_BITS != 0);
}

/* The bits of word @word that lie in [@first, @end). */
static inline unsigned long bitmap_mask(uint64_t word, uint64_t first, uint64_t end)
{
	unsigned long mask = ~0ul;

	if (first > word * BITMAP_BITS)
		mask &= ~0ul << (first % BITMAP_BITS);
	if (end < (word + 1) * BITMAP_BITS)
		mask &= ~(~0ul << (end % BITMAP_BITS));
	return mask;
}

static inline bool bitmap_get(const unsigned long *bitmap, uint64_t bit)
{
	return bitmap[bit / BITMAP_BITS] >> (bit % BITMAP_BITS) & 1;
}

/* The first bit in [@from, @end) that is @value, or @end. */
static inline uint64_t bitmap_find(
	const unsigned long *bitmap, uint64_t from, uint64_t end, bool value)
{
	while (from < end) {
		uint64_t word = from / BITMAP_BITS;
		unsigned long bits =
			(value ? bitmap[word] : ~bitmap[word]) & bitmap_mask(word, from, end);

		if (bits != 0)
			return word * BITMAP_BITS + (unsigned)__builtin_ctzl(bits);
		from = (word + 1) * BITMAP_BITS;
	}
	return end;
}
