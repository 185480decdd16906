/* What the two engines of raw images share. */
#pragma once

#include <fcntl.h>
#include <linux/falloc.h>

#include "vmm/storage/block-worker.h"

enum {
	FILE_PIECES_MAX = 256, /* in one system call */
	FILE_PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
};

/* How fallocate() makes zeroes of a part of a file. */
static inline int file_zero_mode(const struct block_request *request)
{
	return request->unmap ? FILE_PUNCH : FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
}

/* All of a WRITE_ZEROES, waiting: with fallocate(), or by writing where the file system has no such thing. Returns 0 or a
 * negative errno. */
int file_write_zeroes(int fd, const struct block_request *request);
