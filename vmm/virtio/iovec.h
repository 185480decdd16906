/* Requests lie in several pieces of guest memory: copying out of them and into them. */
#pragma once

#include <stddef.h>
#include <sys/uio.h>

size_t iovec_length(const struct iovec *pieces, unsigned count);
/* Copies out of (into) the pieces from @offset; returns how many bytes there were. */
size_t iovec_read(
	const struct iovec *pieces, unsigned count, size_t offset, void *to, size_t length);
size_t iovec_write(
	const struct iovec *pieces, unsigned count, size_t offset, const void *from, size_t length);
/* Takes @length bytes off the front; returns the count of pieces left (moved to the start of the array). */
unsigned iovec_skip(struct iovec *pieces, unsigned count, size_t length);
