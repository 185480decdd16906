/* VGA text: characters from planes 0 and 1, drawn with the fonts of plane 2, cell by cell where one changed.
 *
 * Specification: IBM VGA, "PS/2 Video Subsystem Technical Reference", section 2 (alphanumeric modes).
 */
#include "display/devices/vga-private.h"

#include <string.h>

enum {
	ATTRIBUTE_BLINK = 1 << 7,
	ATTRIBUTE_FONT = 1 << 3,
	ATTRIBUTE_UNDERLINE_MASK = 7,
	ATTRIBUTE_UNDERLINE = 1,
	MODE_LINE_GRAPHICS = 1 << 2,
	MODE_BLINK = 1 << 3,
	LINE_GRAPHICS_FIRST = 0xc0, /* characters whose eighth dot goes on into the ninth */
	LINE_GRAPHICS_LAST = 0xdf,
	CURSOR_OFF = 1 << 5,
	CURSOR_SKEW_SHIFT = 5,
	CURSOR_SKEW_MASK = 3,
	FRAME_TIME = 14268, /* microseconds: 70 Hz */
	CURSOR_FRAMES = 8,  /* on, and as many off */
	BLINK_FRAMES = 16,
	CELL_CURSOR = 1 << 16, /* bits of a remembered cell, above character and attribute */
	CELL_HIDDEN = 1 << 17,
	CELL_CURSOR_START_SHIFT = 20,
	CELL_CURSOR_END_SHIFT = 25,
	GLYPH_BYTES = 32,
};

struct text_frame {
	uint32_t cursor_address; /* bytes of video memory; UINT32_MAX: not now */
	uint32_t cursor_bits;    /* of the cell it is in */
	bool blink_off;          /* blinking characters are hidden now */
};

static struct text_frame frame_now(const struct vga *vga)
{
	const uint8_t *crtc = vga->registers.crtc;
	int64_t frames = vga->now(vga->clock) / FRAME_TIME;
	uint32_t first = crtc[CR_CURSOR_START] & 0x1f;
	uint32_t last = crtc[CR_CURSOR_END] & 0x1f;
	uint32_t skew = crtc[CR_CURSOR_END] >> CURSOR_SKEW_SHIFT & CURSOR_SKEW_MASK;
	struct text_frame frame = {
		.cursor_address = UINT32_MAX,
		.cursor_bits = CELL_CURSOR | first << CELL_CURSOR_START_SHIFT |
			       last << CELL_CURSOR_END_SHIFT,
		.blink_off = vga->registers.attribute[AR_MODE] & MODE_BLINK &&
			     frames / BLINK_FRAMES % 2 != 0,
	};

	if (!(crtc[CR_CURSOR_START] & CURSOR_OFF) && first <= last &&
		frames / CURSOR_FRAMES % 2 == 0)
		frame.cursor_address = ((crtc[CR_CURSOR_HIGH] << 8 | crtc[CR_CURSOR_LOW]) + skew) %
				       VGA_PLANE_SIZE * 4;
	return frame;
}

/* Copies the two fonts out of plane 2; whether they differ from those drawn with. */
static bool fonts_update(struct vga *vga)
{
	bool differs = false;

	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *from = vga->bytes + vga->mode.font_offset[i];
		uint8_t *font = vga->drawn->fonts[i];

		for (unsigned n = 0; n < VGA_FONT_SIZE; n++) {
			differs |= font[n] != from[n * 4];
			font[n] = from[n * 4];
		}
	}
	return differs;
}

static uint32_t cell_read(const struct vga *vga, uint32_t address, const struct text_frame *frame)
{
	uint32_t at = address % vga->mode.limit;
	uint32_t cell = vga->bytes[at] | vga->bytes[at + 1] << 8;

	if (at == frame->cursor_address)
		cell |= frame->cursor_bits;
	if (frame->blink_off && cell & ATTRIBUTE_BLINK << 8)
		cell |= CELL_HIDDEN;
	return cell;
}

static const uint8_t *glyph(const struct vga *vga, uint32_t cell)
{
	unsigned font = cell >> 8 & ATTRIBUTE_FONT ? 1 : 0;

	return vga->drawn->fonts[font] + (cell & 0xff) * GLYPH_BYTES;
}

/* The dots of one scan line of a cell, the leftmost in bit 8. */
static uint32_t cell_dots(const struct vga *vga, uint32_t cell, uint32_t scan)
{
	uint32_t dots = (uint32_t)glyph(vga, cell)[scan] << 1;
	uint8_t character = cell;

	if (vga->registers.attribute[AR_MODE] & MODE_LINE_GRAPHICS &&
		character >= LINE_GRAPHICS_FIRST && character <= LINE_GRAPHICS_LAST)
		dots |= dots >> 1 & 1;
	if ((cell >> 8 & ATTRIBUTE_UNDERLINE_MASK) == ATTRIBUTE_UNDERLINE &&
		scan == vga->mode.underline)
		dots = 0x1ff;
	if (cell & CELL_HIDDEN)
		dots = 0;
	if (cell & CELL_CURSOR && scan >= (cell >> CELL_CURSOR_START_SHIFT & 0x1f) &&
		scan <= (cell >> CELL_CURSOR_END_SHIFT & 0x1f))
		dots = 0x1ff;
	return dots;
}

/* The dots of a cell that are on the screen: panning cuts the first column on the left, the one behind the last on the
 * right. */
struct cell_part {
	uint32_t first, end; /* dots of the cell */
	uint32_t x;          /* pixels of the picture */
};

static struct cell_part cell_part(const struct vga_mode *mode, uint32_t panning, uint32_t column)
{
	struct cell_part part = {
		.first = column == 0 ? panning : 0,
		.end = column == mode->columns ? panning : mode->cell_width,
	};

	part.x = (column * mode->cell_width + part.first - panning) * mode->dot_width;
	return part;
}

static void draw_dots(const struct vga_mode *mode, uint32_t *to, const struct cell_part *part,
	uint32_t dots, const uint32_t colours[2])
{
	for (uint32_t dot = part->first; dot < part->end; dot++) {
		uint32_t pixel = colours[dots >> (8 - dot) & 1];

		for (uint32_t i = 0; i < mode->dot_width; i++)
			*to++ = pixel;
	}
}

/* One row of characters, of which scan lines [first_scan, first_scan + scans) are on the screen from @y on. */
struct text_row {
	uint32_t address;
	uint32_t y, first_scan, scans;
	uint32_t panning; /* dots */
	uint32_t *cells;  /* as drawn last */
};

static void draw_cell(struct vga *vga, const struct text_row *row, uint32_t column, uint32_t cell)
{
	const struct vga_mode *mode = &vga->mode;
	const struct vga_drawn *drawn = vga->drawn;
	bool blinks = vga->registers.attribute[AR_MODE] & MODE_BLINK;
	uint8_t planes = vga->registers.attribute[AR_PLANE_ENABLE];
	uint32_t colours[2] = {
		drawn->palette[drawn->attributes[cell >> 12 & (blinks ? 7 : 15) & planes]],
		drawn->palette[drawn->attributes[cell >> 8 & 0x0f & planes]],
	};
	struct cell_part part = cell_part(mode, row->panning, column);

	for (uint32_t i = 0; i < row->scans; i++)
		draw_dots(mode, vga_shadow_row(vga, row->y + i) + part.x, &part,
			cell_dots(vga, cell, (row->first_scan + i) >> mode->scan_shift), colours);
}

/* Draws the cells that changed and damages from the first to the last of them. */
static void draw_row(struct vga *vga, const struct text_row *row, const struct text_frame *frame)
{
	const struct vga_mode *mode = &vga->mode;
	uint32_t columns = mode->columns + (row->panning > 0 ? 1 : 0);
	uint32_t left = mode->width, right = 0; /* pixels that differ */

	for (uint32_t column = 0; column < columns; column++) {
		struct cell_part part = cell_part(mode, row->panning, column);
		uint32_t cell = cell_read(vga, row->address + column * 4, frame);

		if (row->cells[column] == cell)
			continue;
		row->cells[column] = cell;
		draw_cell(vga, row, column, cell);
		left = MIN(left, part.x);
		right = part.x + (part.end - part.first) * mode->dot_width;
	}
	if (left < right)
		head_damage(
			vga->head, &(struct rectangle) { left, row->y, right - left, row->scans });
}

/* Rows go from the start address down, and from the split's below the split. */
void vga_draw_text(struct vga *vga, bool all)
{
	const struct vga_mode *mode = &vga->mode;
	struct text_frame frame = frame_now(vga);
	uint32_t row_scans = mode->row_scans << mode->scan_shift;
	struct text_row row = {
		.address = mode->start,
		.first_scan = mode->first_scan << mode->scan_shift,
		.panning = mode->panning,
		.cells = vga->drawn->cells,
	};
	uint32_t split = MIN(mode->split, mode->height);

	if (fonts_update(vga) || all)
		memset(vga->drawn->cells, 0xff, sizeof(vga->drawn->cells));
	while (row.y < mode->height) {
		uint32_t end = row.y <= split && split < mode->height ? split + 1 : mode->height;

		row.scans = MIN(row_scans - row.first_scan, end - row.y);
		draw_row(vga, &row, &frame);
		row.y += row.scans;
		row.first_scan = 0;
		row.address += mode->pitch;
		row.cells += VGA_MOST_COLUMNS;
		if (row.y == end && end < mode->height) {
			row.address = mode->split_start;
			row.panning = mode->split_panning;
		}
	}
}
