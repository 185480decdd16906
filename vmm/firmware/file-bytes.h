/* The contents of a file that the user named. */
#pragma once

#include <glib.h>

/* The bytes of a regular file that is not empty, mapped rather than read. NULL with @error, which says what is wrong but
 * not with which file: the caller knows what it is for. */
GBytes *file_bytes(const char *path, GError **error);
