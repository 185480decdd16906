/* A head's picture as a file. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/scanout.h"

enum screendump_format {
	SCREENDUMP_PPM,
	SCREENDUMP_PNG,
};

/**
 * screendump_write - writes a picture into a file
 * @bytes: the video memory that @scanout lies in
 * @path: appears whole or not at all
 *
 * False with @error when @path is there and no regular file (VITRINE_ERROR_INPUT), or cannot be written. Never waits for
 * a reader.
 */
bool screendump_write(const uint8_t *bytes, const struct scanout *scanout,
	enum screendump_format format, const char *path, GError **error);
