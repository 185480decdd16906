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

/* The eight bits of a byte as eight bytes of 0 or 1, the highest bit first. */
static uint64_t spread_bits(uint8_t bits)
{
	const uint64_t each = 0x0101010101010101;
	uint64_t masked = bits * each & 0x0102040810204080;

	return (masked + 0x7f * each) >> 7 & each;
}

/* Eight pixels from each four bytes of planes. */
static void planar_indexes(uint8_t *to, const uint8_t *row, uint32_t row_bytes)
{
	for (uint32_t i = 0; i + 4 <= row_bytes; i += 4, to += 8) {
		uint64_t eight = spread_bits(row[i]) | spread_bits(row[i + 1]) << 1 |
				 spread_bits(row[i + 2]) << 2 | spread_bits(row[i + 3]) << 3;

		eight = GUINT64_TO_LE(eight);
		memcpy(to, &eight, sizeof(eight));
	}
}

/* Eight pixels of two bits from the even and the odd byte of planes 0 and 1, and two more bits from planes 2 and 3. */
static void cga_indexes(uint8_t *to, const uint8_t *row, uint32_t row_bytes)
{
	for (uint32_t i = 0; i + 4 <= row_bytes; i += 4)
		for (unsigned odd = 0; odd < 2; odd++)
			for (int shift = 6; shift >= 0; shift -= 2)
				*to++ = (row[i + odd] >> shift & 3) |
					(row[i + odd + 2] >> shift & 3) << 2;
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

/* The sixteen colours as they are shown: by the planes that are on, and by the attribute controller. */
static void sixteen_colours(const struct vga *vga, uint32_t colours[16])
{
	for (unsigned i = 0; i < 16; i++)
		colours[i] =
			vga->drawn->palette[vga->drawn->attributes
						    [i & vga->registers.attribute[AR_PLANE_ENABLE] &
							    15]];
}

static void put_colours(uint32_t *to, const uint8_t *indexes, uint32_t count,
	const uint32_t *colours, uint32_t dot_width)
{
	if (dot_width == 1) {
		for (uint32_t i = 0; i < count; i++)
			to[i] = colours[indexes[i]];
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t n = 0; n < dot_width; n++)
			*to++ = colours[indexes[i]];
}

static void draw_line(struct vga *vga, uint32_t y, const uint8_t *row)
{
	const struct vga_mode *mode = &vga->mode;
	uint8_t *indexes = vga->drawn->indexes;
	uint32_t *to = vga_shadow_row(vga, y);
	uint32_t dots = mode->width / mode->dot_width;
	uint32_t panning = y > mode->split ? mode->split_panning : mode->panning;
	uint32_t colours[16];

	switch (mode->kind) {
	case VGA_MODE_DIRECT:
		for (uint32_t dot = 0; dot < dots; dot++)
			to[dot] = direct_pixel(vga, row, dot);
		return;
	case VGA_MODE_PALETTE:
		put_colours(to, row + panning, dots, vga->drawn->palette, mode->dot_width);
		return;
	case VGA_MODE_CGA:
		cga_indexes(indexes, row, mode->row_bytes);
		break;
	default:
		planar_indexes(indexes, row, mode->row_bytes);
		break;
	}
	sixteen_colours(vga, colours);
	put_colours(to, indexes + panning, dots, colours, mode->dot_width);
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
