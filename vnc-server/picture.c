/* The picture that clients are shown, as it lies in memory. */
#include "vnc-server/picture.h"

#include <string.h>

#include <glib.h>

/* What turns a pixel of 32 bits in host order into 0x00rrggbb. */
static inline uint32_t from_x8r8g8b8(uint32_t pixel)
{
	return pixel & 0xffffff;
}

static inline uint32_t from_x8b8g8r8(uint32_t pixel)
{
	return (pixel & 0xff) << 16 | (pixel & 0xff00) | (pixel >> 16 & 0xff);
}

static inline uint32_t from_b8g8r8x8(uint32_t pixel)
{
	return (pixel & 0xff00) << 8 | (pixel >> 8 & 0xff00) | pixel >> 24;
}

static inline uint32_t from_r8g8b8x8(uint32_t pixel)
{
	return pixel >> 8;
}

static inline uint32_t load32(const uint8_t *from)
{
	uint32_t pixel;

	memcpy(&pixel, from, sizeof(pixel));
	return pixel;
}

static inline uint32_t load16(const uint8_t *from)
{
	uint16_t pixel;

	memcpy(&pixel, from, sizeof(pixel));
	return pixel;
}

/* Spreads @bits of intensity over eight. */
static inline uint32_t widen(uint32_t value, unsigned bits)
{
	return value << (8 - bits) | value >> (2 * bits - 8);
}

static void read_x8r8g8b8(const uint8_t *from, uint32_t *to, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		to[i] = from_x8r8g8b8(load32(from + 4 * i));
}

static void read_x8b8g8r8(const uint8_t *from, uint32_t *to, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		to[i] = from_x8b8g8r8(load32(from + 4 * i));
}

static void read_b8g8r8x8(const uint8_t *from, uint32_t *to, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		to[i] = from_b8g8r8x8(load32(from + 4 * i));
}

static void read_r8g8b8x8(const uint8_t *from, uint32_t *to, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		to[i] = from_r8g8b8x8(load32(from + 4 * i));
}

/* Three bytes a pixel; pixman counts them as one number in host order. */
static void read_r8g8b8(const uint8_t *from, uint32_t *to, uint32_t count)
{
	const unsigned red = G_BYTE_ORDER == G_LITTLE_ENDIAN ? 2 : 0;

	for (uint32_t i = 0; i < count; i++, from += 3)
		to[i] = (uint32_t)from[red] << 16 | (uint32_t)from[1] << 8 | from[2 - red];
}

static void read_r5g6b5(const uint8_t *from, uint32_t *to, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t pixel = load16(from + 2 * i);

		to[i] = widen(pixel >> 11, 5) << 16 | widen(pixel >> 5 & 0x3f, 6) << 8 |
			widen(pixel & 0x1f, 5);
	}
}

static void read_x1r5g5b5(const uint8_t *from, uint32_t *to, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t pixel = load16(from + 2 * i);

		to[i] = widen(pixel >> 10 & 0x1f, 5) << 16 | widen(pixel >> 5 & 0x1f, 5) << 8 |
			widen(pixel & 0x1f, 5);
	}
}

static const struct {
	pixman_format_code_t format;
	void (*read)(const uint8_t *from, uint32_t *to, uint32_t count);
} readers[] = {
	{ PIXMAN_x8r8g8b8, read_x8r8g8b8 },
	{ PIXMAN_a8r8g8b8, read_x8r8g8b8 },
	{ PIXMAN_x8b8g8r8, read_x8b8g8r8 },
	{ PIXMAN_a8b8g8r8, read_x8b8g8r8 },
	{ PIXMAN_b8g8r8x8, read_b8g8r8x8 },
	{ PIXMAN_b8g8r8a8, read_b8g8r8x8 },
	{ PIXMAN_r8g8b8x8, read_r8g8b8x8 },
	{ PIXMAN_r8g8b8a8, read_r8g8b8x8 },
	{ PIXMAN_r8g8b8, read_r8g8b8 },
	{ PIXMAN_r5g6b5, read_r5g6b5 },
	{ PIXMAN_x1r5g5b5, read_x1r5g5b5 },
};

void picture_read(const struct picture *picture, const struct rectangle *area, uint32_t *pixels)
{
	size_t total = (size_t)area->width * area->height;
	int64_t right = MIN((int64_t)area->x + area->width, picture->width);
	int64_t bottom = MIN((int64_t)area->y + area->height, picture->height);
	size_t step = PIXMAN_FORMAT_BPP(picture->format) / 8;

	if (right < (int64_t)area->x + area->width || bottom < (int64_t)area->y + area->height)
		memset(pixels, 0, total * sizeof(*pixels));
	if (right <= area->x)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(readers); i++) {
		if (readers[i].format != picture->format)
			continue;
		for (int64_t y = area->y; y < bottom; y++, pixels += area->width)
			readers[i].read(
				picture->pixels + (size_t)y * picture->stride + area->x * step,
				pixels, right - area->x);
		return;
	}
	memset(pixels, 0, total * sizeof(*pixels));
}
