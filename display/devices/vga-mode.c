/* VGA modes: the one place that turns all registers into one validated mode.
 *
 * No other code computes an address from a register. A mode is made afresh after every write, so that a picture can
 * never have been checked against other values than it is drawn with (CVE-2016-3710, CVE-2016-3712); and addresses wrap
 * at a limit that is inside the video memory, so that no start, pitch or split can lead out of it (CVE-2017-13672,
 * CVE-2018-5683, CVE-2018-7858).
 */
#include "display/devices/vga-private.h"

#include "base/checked.h"

enum {
	MODE_CGA_BANK = 1 << 0, /* CR_MODE, clear: scan line bit 0 is an address bit */
	MODE_HERCULES_BANK = 1 << 1,
	MODE_BYTES = 1 << 6,
	CLOCKING_8_DOTS = 1 << 0,
	CLOCKING_HALF = 1 << 3,
	CLOCKING_SCREEN_OFF = 1 << 5,
	ROW_DOUBLE_SCAN = 1 << 7,
	SPLIT_NEVER = 0x3ff,
	PANNING_STOPS = 1 << 5, /* AR_MODE */
	BLANK_WIDTH = 640,      /* pixels: when the size that was shown is too large to be drawn */
	BLANK_HEIGHT = 480,
	ADDRESS_BYTES = 4, /* one count of the CRT controller, in interleaved planes */
	OFFSET_BYTES = 8,  /* one count of CR_OFFSET */
	FONT_STEP = 8192,  /* bytes of plane 2 */
	FONT_PLANE = 2,
};

static uint32_t vertical_size(const uint8_t *crtc)
{
	uint32_t overflow = crtc[CR_OVERFLOW];

	return (crtc[CR_HEIGHT] | (overflow & 0x02) << 7 | (overflow & 0x40) << 3) + 1;
}

static uint32_t split_line(const uint8_t *crtc)
{
	return crtc[CR_SPLIT] | (crtc[CR_OVERFLOW] & 0x10) << 4 | (crtc[CR_ROW_HEIGHT] & 0x40) << 3;
}

/* How far bytes of every plane are left out on the left: smooth scrolling to the side, with the dots of AR_PANNING. */
static uint32_t byte_panning(const uint8_t *crtc)
{
	return (crtc[CR_PRESET_ROW] >> 5 & 3) * ADDRESS_BYTES;
}

static bool panning_stops(const struct vga_registers *registers)
{
	return registers->attribute[AR_MODE] & PANNING_STOPS;
}

static void set_panning(
	struct vga_mode *mode, const struct vga_registers *registers, uint32_t panning)
{
	mode->panning = panning;
	mode->split_panning = panning_stops(registers) ? 0 : panning;
}

/* What text and graphics have in common. */
static struct vga_mode legacy_mode(const struct vga_registers *registers)
{
	const uint8_t *crtc = registers->crtc;

	return (struct vga_mode) {
		.height = vertical_size(crtc),
		.limit = VGA_LEGACY_SIZE,
		.start = (crtc[CR_START_HIGH] << 8 | crtc[CR_START_LOW]) * ADDRESS_BYTES +
			 byte_panning(crtc),
		.pitch = crtc[CR_OFFSET] * OFFSET_BYTES,
		.split = split_line(crtc) == SPLIT_NEVER ? UINT32_MAX : split_line(crtc),
		.split_start = panning_stops(registers) ? 0 : byte_panning(crtc),
		.row_scans = (crtc[CR_ROW_HEIGHT] & 0x1f) + 1,
		.scan_shift = crtc[CR_ROW_HEIGHT] & ROW_DOUBLE_SCAN ? 1 : 0,
		.first_scan = MIN(crtc[CR_PRESET_ROW] & 0x1f, crtc[CR_ROW_HEIGHT] & 0x1f),
		.dot_width = registers->sequencer[SR_CLOCKING] & CLOCKING_HALF ? 2 : 1,
		.columns = crtc[CR_DISPLAY_END] + 1,
	};
}

static uint32_t font_offset(unsigned number)
{
	return number * FONT_STEP * ADDRESS_BYTES + FONT_PLANE;
}

/* With nine dots a cell, eight stand for none and the others for one more. */
static uint32_t text_panning(const struct vga_registers *registers, uint32_t cell_width)
{
	uint32_t panning = registers->attribute[AR_PANNING] & 0x0f;

	if (panning > 7)
		return 0;
	return cell_width == 9 ? panning + 1 : panning;
}

static struct vga_mode text_mode(const struct vga_registers *registers)
{
	struct vga_mode mode = legacy_mode(registers);
	uint8_t fonts = registers->sequencer[SR_FONTS];

	mode.kind = VGA_MODE_TEXT;
	mode.cell_width = registers->sequencer[SR_CLOCKING] & CLOCKING_8_DOTS ? 8 : 9;
	mode.font_offset[0] = font_offset((fonts & 3) << 1 | (fonts >> 4 & 1));
	mode.font_offset[1] = font_offset((fonts >> 2 & 3) << 1 | (fonts >> 5 & 1));
	mode.width = mode.columns * mode.cell_width * mode.dot_width;
	set_panning(&mode, registers, text_panning(registers, mode.cell_width));
	mode.underline = registers->crtc[CR_UNDERLINE] & 0x1f;
	return mode;
}

/* The address bit that a bit of the scan line replaces: bit 13 or 14 of the processor's address. */
static uint32_t bank_bit(const struct vga_registers *registers, unsigned address_bit)
{
	unsigned word = registers->crtc[CR_MODE] & MODE_BYTES ? 0 : 1;

	return ADDRESS_BYTES << (address_bit - word);
}

static struct vga_mode graphics_mode(const struct vga_registers *registers)
{
	static const enum vga_mode_kind kinds[] = { VGA_MODE_PLANAR, VGA_MODE_CGA, VGA_MODE_PALETTE,
		VGA_MODE_PALETTE };
	struct vga_mode mode = legacy_mode(registers);
	uint32_t panning = registers->attribute[AR_PANNING] & 0x0f;

	mode.kind = kinds[registers->graphics[GR_MODE] >> 5 & 3];
	mode.width = mode.columns * 8 * mode.dot_width;
	if (!(registers->crtc[CR_MODE] & MODE_CGA_BANK))
		mode.bank_bits[0] = bank_bit(registers, 13);
	if (!(registers->crtc[CR_MODE] & MODE_HERCULES_BANK))
		mode.bank_bits[1] = bank_bit(registers, 14);
	if (mode.kind == VGA_MODE_PALETTE) {
		/* A pixel takes two clocks: eight clocks of a column are the four bytes of one address. */
		mode.dot_width *= 2;
		panning /= 2;
	}
	set_panning(&mode, registers, panning < 8 ? panning : 0);
	mode.row_bytes = (mode.columns + (mode.panning ? 2 : 0)) * ADDRESS_BYTES;
	return mode;
}

static bool fits_shadow(uint32_t width, uint32_t height)
{
	uint64_t pixels;

	return checked_multiply(width, height, &pixels) &&
	       pixels <= VGA_SHADOW_SIZE / sizeof(uint32_t);
}

static struct vga_mode vbe_mode(const struct dispi *dispi)
{
	struct vga_mode mode = {
		.row_scans = 1,
		.dot_width = 1,
		.split = UINT32_MAX,
		.limit = MIN(dispi->memory_size, UINT32_MAX) & ~(ADDRESS_BYTES - 1),
	};
	struct dispi_picture picture;

	if (!dispi_picture(dispi, &picture))
		return mode;
	mode.width = picture.width;
	mode.height = picture.height;
	mode.start = picture.offset;
	mode.pitch = picture.stride;
	if (dispi_scanout(dispi, &mode.scanout)) {
		mode.kind = VGA_MODE_LINEAR;
		return mode;
	}
	if (!fits_shadow(mode.width, mode.height))
		return mode;
	if (picture.bits_per_pixel > 8) {
		mode.kind = VGA_MODE_DIRECT;
		mode.pixel_bytes = (picture.bits_per_pixel + 7) / 8;
		mode.five_green_bits = picture.bits_per_pixel == 15;
		mode.row_bytes = mode.width * mode.pixel_bytes;
		return mode;
	}
	if (picture.bits_per_pixel == 4)
		mode.start &= ~(ADDRESS_BYTES - 1);
	mode.kind = picture.bits_per_pixel == 4 ? VGA_MODE_PLANAR : VGA_MODE_PALETTE;
	mode.row_bytes = picture.bits_per_pixel == 4 ? mode.width / 2 : mode.width;
	return mode;
}

static struct vga_mode blank_mode(uint32_t width, uint32_t height)
{
	bool fits = fits_shadow(width, height);

	return (struct vga_mode) {
		.kind = VGA_MODE_BLANK,
		.width = fits ? width : BLANK_WIDTH,
		.height = fits ? height : BLANK_HEIGHT,
	};
}

static bool screen_off(const struct vga_registers *registers, const struct dispi *dispi)
{
	if (!(registers->attribute_index & AR_INDEX_SCREEN_ON))
		return true;
	return !dispi_enabled(dispi) && registers->sequencer[SR_CLOCKING] & CLOCKING_SCREEN_OFF;
}

struct vga_mode vga_mode_compute(const struct vga_registers *registers, const struct dispi *dispi,
	uint32_t shown_width, uint32_t shown_height)
{
	struct vga_mode mode;

	if (dispi_enabled(dispi))
		mode = vbe_mode(dispi);
	else if (screen_off(registers, dispi))
		mode = (struct vga_mode) { .kind = VGA_MODE_NONE };
	else if (registers->graphics[GR_MISC] & 1)
		mode = graphics_mode(registers);
	else
		mode = text_mode(registers);

	if (!screen_off(registers, dispi))
		return mode;
	return mode.kind == VGA_MODE_NONE ? blank_mode(shown_width, shown_height)
					  : blank_mode(mode.width, mode.height);
}

/* So that the legacy registers agree with the picture: graphics, window at 0xa0000, sizes, 256 colours unless planar.
 * Firmware and drivers go on from there. The sequencer keeps what the guest wrote. */
void vga_mode_follow_dispi(struct vga_registers *registers, const struct dispi *dispi)
{
	uint8_t *crtc = registers->crtc;
	struct dispi_picture picture;
	uint32_t last;

	if (!dispi_picture(dispi, &picture))
		return;
	last = picture.height - 1;
	registers->graphics[GR_MISC] = (registers->graphics[GR_MISC] & ~0x0c) | 0x05;
	registers->graphics[GR_MODE] &= ~0x60;
	crtc[CR_DISPLAY_END] = MIN(picture.width / 8, 256) - 1;
	crtc[CR_OFFSET] = picture.stride / OFFSET_BYTES;
	crtc[CR_HEIGHT] = last;
	crtc[CR_OVERFLOW] =
		(crtc[CR_OVERFLOW] & ~0x42) | (last >> 7 & 0x02) | (last >> 3 & 0x40) | 0x10;
	crtc[CR_SPLIT] = 0xff;
	crtc[CR_ROW_HEIGHT] = (crtc[CR_ROW_HEIGHT] & ~0x9f) | 0x40;
	crtc[CR_MODE] |= MODE_CGA_BANK | MODE_HERCULES_BANK;
	crtc[CR_START_HIGH] = 0;
	crtc[CR_START_LOW] = 0;
	if (picture.bits_per_pixel != 4)
		registers->graphics[GR_MODE] |= 0x40;
}
