/* Scanouts: which pixel layouts cross the display bus, and whether a picture lies inside its memory. */
#include "display/scanout.h"

#include <stddef.h>

#include "base/checked.h"

static const pixman_format_code_t known_formats[] = {
	PIXMAN_x8r8g8b8,
	PIXMAN_a8r8g8b8,
	PIXMAN_x8b8g8r8,
	PIXMAN_a8b8g8r8,
	PIXMAN_b8g8r8x8,
	PIXMAN_b8g8r8a8,
	PIXMAN_r8g8b8x8,
	PIXMAN_r8g8b8a8,
	PIXMAN_r8g8b8,
	PIXMAN_r5g6b5,
	PIXMAN_x1r5g5b5,
};

bool scanout_format_known(pixman_format_code_t format)
{
	for (size_t i = 0; i < sizeof(known_formats) / sizeof(known_formats[0]); i++)
		if (known_formats[i] == format)
			return true;
	return false;
}

uint32_t scanout_pixel_bytes(pixman_format_code_t format)
{
	return PIXMAN_FORMAT_BPP(format) / 8;
}

bool scanout_fits(const struct scanout *scanout, uint64_t memory_size)
{
	uint64_t row_bytes, end;

	if (scanout->width < 1 || scanout->width > SCANOUT_MAX_WIDTH || scanout->height < 1 ||
		scanout->height > SCANOUT_MAX_HEIGHT || !scanout_format_known(scanout->format))
		return false;
	if (!checked_multiply(scanout->width, scanout_pixel_bytes(scanout->format), &row_bytes) ||
		scanout->stride < row_bytes || scanout->stride > SCANOUT_MAX_STRIDE ||
		scanout->stride % 4 != 0)
		return false;
	return picture_end(scanout->offset, scanout->height, scanout->stride, row_bytes, &end) &&
	       end <= memory_size;
}

bool scanout_equal(const struct scanout *a, const struct scanout *b)
{
	return a->width == b->width && a->height == b->height && a->stride == b->stride &&
	       a->offset == b->offset && a->format == b->format;
}
