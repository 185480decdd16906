/* Copying out of and into the pieces of a request. */
#include "vmm/virtio/iovec.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

size_t iovec_length(const struct iovec *pieces, unsigned count)
{
	size_t length = 0;

	for (unsigned i = 0; i < count; i++)
		length += pieces[i].iov_len;
	return length;
}

static size_t copy(const struct iovec *pieces, unsigned count, size_t offset, void *to,
	const void *from, size_t length)
{
	size_t done = 0;

	for (unsigned i = 0; i < count && done < length; i++) {
		uint8_t *at = (uint8_t *)pieces[i].iov_base + offset;
		size_t now;

		if (offset >= pieces[i].iov_len) {
			offset -= pieces[i].iov_len;
			continue;
		}
		now = MIN(pieces[i].iov_len - offset, length - done);
		if (to)
			memcpy((uint8_t *)to + done, at, now);
		else
			memcpy(at, (const uint8_t *)from + done, now);
		done += now;
		offset = 0;
	}
	return done;
}

size_t iovec_read(
	const struct iovec *pieces, unsigned count, size_t offset, void *to, size_t length)
{
	return copy(pieces, count, offset, to, NULL, length);
}

size_t iovec_write(
	const struct iovec *pieces, unsigned count, size_t offset, const void *from, size_t length)
{
	return copy(pieces, count, offset, NULL, from, length);
}

unsigned iovec_skip(struct iovec *pieces, unsigned count, size_t length)
{
	unsigned gone = 0;

	while (gone < count && length >= pieces[gone].iov_len)
		length -= pieces[gone++].iov_len;
	memmove(pieces, pieces + gone, (count - gone) * sizeof(*pieces));
	count -= gone;
	if (count > 0) {
		pieces[0].iov_base = (uint8_t *)pieces[0].iov_base + length;
		pieces[0].iov_len -= length;
	}
	return count;
}
