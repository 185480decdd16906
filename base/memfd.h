/* Shared memory without a name: a memfd whose size is sealed, so that no holder can shrink it under another. */
#pragma once

#include <glib.h>
#include <stddef.h>

/**
 * memfd_create_sealed - shared memory of a fixed size, filled with zeroes
 * @name: shown in /proc, for people
 * @size: bytes
 *
 * Returns the file descriptor, close-on-exec and owned by the caller, or -1 with @error.
 */
int memfd_create_sealed(const char *name, size_t size, GError **error);

/* A second descriptor of the same memory that can be read and mapped but not written, for giving away; -1 with
 * @error. */
int memfd_open_read_only(int memfd, GError **error);
