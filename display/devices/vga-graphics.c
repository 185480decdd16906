/* VGA graphics that consumers cannot read from the video memory: lines of it, drawn as pixels where they changed.
 *
 * Specification: IBM VGA, "PS/2 Video Subsystem Technical Reference", section 2 (graphics modes).
 */
#include "display/devices/vga-private.h"

#include <string.h>

/* The bytes of one scan line as they were drawn last. */
static uint8_t *drawn_row(struct vga *vga, uint32_t y)
{
	struct vga_drawn *drawn = vga->drawn;
	size_t size = (size_t)vga->mode.height * vga->mode.row_bytes;

	if (drawn->rows_size < size) {
		g_free(drawn->rows);
		drawn->rows = g_malloc0(size);
		drawn->rows_size = size;
	}
	return drawn->rows + (size_t)y * vga->mode.row_bytes;
}

/* Where in the video memory scan line @y begins. */
static uint32_t scan_address(const struct vga_mode *mode, uint32_t y)
{
	bool below = y > mode->split;
	uint32_t scan = ((below ? y - mode->split - 1 : y) >> mode->scan_shift) +
			(below ? 0 : mode->first_scan);
	uint64_t address = below ? mode->split_start : mode->start;
	uint32_t line = scan % mode->row_scans;

	address += (uint64_t)(scan / mode->row_scans) * mode->pitch;
	for (unsigned bit = 0; bit < 2; bit++) {
		uint32_t bank = mode->bank_bits[bit];

		if (bank != 0)
			address = (address & ~(uint64_t)bank) | (line >> bit & 1 ? bank : 0);
	}
	return address % mode->limit;
}

/* Updates the copy of a line that starts at @address; the memory wraps around at the mode's limit. */
static bool row_update(struct vga *vga, uint8_t *row, uint32_t address)
{
	const struct vga_mode *mode = &vga->mode;
	uint32_t first = MIN(mode->row_bytes, mode->limit - address);
	bool differs = memcmp(row, vga->bytes + address, first) != 0 ||
		       memcmp(row + first, vga->bytes, mode->row_bytes - first) != 0;

	if (differs) {
		memcpy(row, vga->bytes + address, first);
		memcpy(row + first, vga->bytes, mode->row_bytes - first);
	}
	return differs;
}

/* The pixel @index of a line, in colours of the palette. */
static uint32_t planar_pixel(const struct vga *vga, const uint8_t *row, uint32_t index)
{
	const uint8_t *bytes = row + index / 8 * 4;
	unsigned shift = 7 - index % 8;
	unsigned colour = (bytes[0] >> shift & 1) | (bytes[1] >> shift & 1) << 1 |
			  (bytes[2] >> shift & 1) << 2 | (bytes[3] >> shift & 1) << 3;

	colour &= vga->registers.attribute[AR_PLANE_ENABLE];
	return vga->drawn->palette[vga->drawn->attributes[colour & 15]];
}

static uint32_t cga_pixel(const struct vga *vga, const uint8_t *row, uint32_t index)
{
	const uint8_t *bytes = row + index / 8 * 4 + index / 4 % 2;
	unsigned shift = 6 - index % 4 * 2;
	unsigned colour = (bytes[0] >> shift & 3) | (bytes[2] >> shift & 3) << 2;

	colour &= vga->registers.attribute[AR_PLANE_ENABLE];
	return vga->drawn->palette[vga->drawn->attributes[colour & 15]];
}

static uint32_t palette_pixel(const struct vga *vga, const uint8_t *row, uint32_t index)
{
	return vga->drawn->palette[row[index]];
}

static uint32_t widen(uint32_t value, unsigned bits)
{
	return value << (8 - bits) | value >> (2 * bits - 8);
}

/* Big-endian pixels: their first byte is the one on top. */
static uint32_t direct_pixel(const struct vga *vga, const uint8_t *row, uint32_t index)
{
	const struct vga_mode *mode = &vga->mode;
	const uint8_t *bytes = row + index * mode->pixel_bytes;
	uint32_t pixel = bytes[0] << 8 | bytes[1];

	if (mode->pixel_bytes == 3)
		return pixel << 8 | bytes[2];
	if (mode->five_green_bits)
		return widen(pixel >> 10 & 0x1f, 5) << 16 | widen(pixel >> 5 & 0x1f, 5) << 8 |
		       widen(pixel & 0x1f, 5);
	return widen(pixel >> 11, 5) << 16 | widen(pixel >> 5 & 0x3f, 6) << 8 |
	       widen(pixel & 0x1f, 5);
}

typedef uint32_t (*pixel_function)(const struct vga *vga, const uint8_t *row, uint32_t index);

static const pixel_function pixel_functions[] = {
	[VGA_MODE_PLANAR] = planar_pixel,
	[VGA_MODE_CGA] = cga_pixel,
	[VGA_MODE_PALETTE] = palette_pixel,
	[VGA_MODE_DIRECT] = direct_pixel,
};

static void draw_line(struct vga *vga, uint32_t y, const uint8_t *row)
{
	const struct vga_mode *mode = &vga->mode;
	pixel_function pixel = pixel_functions[mode->kind];
	uint32_t *to = vga_shadow_row(vga, y);
	uint32_t dots = mode->width / mode->dot_width;
	uint32_t panning = y > mode->split ? mode->split_panning : mode->panning;

	for (uint32_t dot = 0; dot < dots; dot++) {
		uint32_t colour = pixel(vga, row, dot + panning);

		for (uint32_t i = 0; i < mode->dot_width; i++)
			*to++ = colour;
	}
}

static void damage_lines(struct vga *vga, uint32_t first, uint32_t end)
{
	if (first < end)
		head_damage(
			vga->head, &(struct rectangle) { 0, first, vga->mode.width, end - first });
}

void vga_draw_graphics(struct vga *vga, bool all)
{
	const struct vga_mode *mode = &vga->mode;
	uint32_t changed_from = 0; /* lines [changed_from, y) differ and were not damaged yet */

	for (uint32_t y = 0; y < mode->height; y++) {
		uint8_t *row = drawn_row(vga, y);
		bool differs = row_update(vga, row, scan_address(mode, y));

		if (differs || all) {
			draw_line(vga, y, row);
			continue;
		}
		damage_lines(vga, changed_from, y);
		changed_from = y + 1;
	}
	damage_lines(vga, changed_from, mode->height);
}
