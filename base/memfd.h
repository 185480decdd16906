/* Shared memory without a name: a memfd whose size is sealed, so that no holder can shrink it under another. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * memfd_create_sealed - shared memory of a fixed size, filled with zeroes
 * @name: shown in /proc, for people
 * @size: bytes
 *
 * Returns the file descriptor, close-on-exec and owned by the caller, or -1 with @error.
 */
int memfd_create_sealed(const char *name, size_t size, GError **error);

/* From here on only the mappings that exist can write: neither this descriptor nor another one, opened anew through /proc,
 * can. No further seal can be added. False with @error. */
bool memfd_keep_writing(int memfd, GError **error);

/* A second descriptor of the same memory that can be read and mapped but not written, for giving away; -1 with
 * @error. */
int memfd_open_read_only(int memfd, GError **error);
