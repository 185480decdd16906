/* The inside of the VGA core: its registers, the mode they make, and what its parts offer each other.
 *
 * Video memory holds the four planes interleaved: byte N of plane P lies at N * 4 + P. So the "address" that the CRT
 * controller counts is a multiple of four bytes whatever the mode; chain-4 and VBE make all of it linear.
 */
#pragma once

#include "display/devices/dispi.h"
#include "display/devices/vga.h"

enum {
	VGA_SEQUENCER_REGISTERS = 8,
	VGA_CRTC_REGISTERS = 0x19,
	VGA_GRAPHICS_REGISTERS = 9,
	VGA_ATTRIBUTE_REGISTERS = 0x15,
	VGA_COLOURS = 256,
	VGA_PLANE_SIZE = 64 * 1024, /* bytes that the legacy part can address in one plane */
	VGA_LEGACY_SIZE = 4 * VGA_PLANE_SIZE,
	VGA_TEXT_WINDOW_SIZE = 32 * 1024, /* 0xb8000..0xbffff */
	VGA_SHADOW_SIZE =
		64 * 1024 * 1024, /* bytes; larger pictures with a palette are not shown */
	VGA_MOST_COLUMNS = 257,   /* one more than is shown, for panning */
	VGA_MOST_TEXT_ROWS = 1024,
	VGA_FONT_SIZE = 256 * 32,                   /* bytes */
	VGA_MOST_INDEXES = DISPI_MAX_WIDTH + 2 * 8, /* of a line in sixteen colours */
};

enum vga_sequencer {
	SR_RESET = 0,
	SR_CLOCKING = 1, /* 0: 8 dots, 3: half the dot clock, 5: screen off */
	SR_PLANE_MASK = 2,
	SR_FONTS = 3,
	SR_MEMORY_MODE = 4, /* 2: no odd/even, 3: chain-4 */
};

enum vga_graphics {
	GR_SET_RESET = 0,
	GR_ENABLE_SET_RESET = 1,
	GR_COLOUR_COMPARE = 2,
	GR_ROTATE = 3, /* 0-2: count, 3-4: function */
	GR_READ_PLANE = 4,
	GR_MODE = 5, /* 0-1: write mode, 3: read mode, 4: odd/even, 5-6: shift */
	GR_MISC = 6, /* 0: graphics, 2-3: window */
	GR_COLOUR_CARE = 7,
	GR_BIT_MASK = 8,
};

enum vga_attribute {
	/* 2: line graphics, 3: blink, 5: panning stops at the split, 6: 8-bit colours, 7: P5, P4 select */
	AR_MODE = 0x10,
	AR_OVERSCAN = 0x11,
	AR_PLANE_ENABLE = 0x12,
	AR_PANNING = 0x13,
	AR_COLOUR_SELECT = 0x14,
	AR_INDEX_SCREEN_ON = 0x20, /* in the index */
};

enum vga_crtc {
	CR_DISPLAY_END = 0x01,
	CR_OVERFLOW = 0x07,
	CR_PRESET_ROW = 0x08, /* 0-4: scan line on top, 5-6: characters or bytes left out */
	CR_ROW_HEIGHT = 0x09, /* 0-4: scan lines less one, 6: split, 7: double scan */
	CR_CURSOR_START = 0x0a,
	CR_CURSOR_END = 0x0b, /* 0-4: scan line, 5-6: characters to the right */
	CR_START_HIGH = 0x0c,
	CR_START_LOW = 0x0d,
	CR_CURSOR_HIGH = 0x0e,
	CR_CURSOR_LOW = 0x0f,
	CR_SYNC_END = 0x11, /* 7: registers 0 to 7 are locked */
	CR_HEIGHT = 0x12,
	CR_OFFSET = 0x13,
	CR_UNDERLINE = 0x14,
	CR_MODE = 0x17,
	CR_SPLIT = 0x18,
};

struct vga_registers {
	uint8_t misc, feature;
	uint8_t sequencer_index, sequencer[VGA_SEQUENCER_REGISTERS];
	uint8_t crtc_index, crtc[VGA_CRTC_REGISTERS];
	uint8_t graphics_index, graphics[VGA_GRAPHICS_REGISTERS];
	uint8_t attribute_index, attribute[VGA_ATTRIBUTE_REGISTERS];
	bool attribute_data; /* the next write to 0x3c0 is data */
	uint8_t latch[4];
	uint8_t dac_mask, dac_read_index, dac_write_index, dac_component;
	bool dac_reading;
	uint8_t dac[VGA_COLOURS * 3];
	uint8_t dac_pending[3];
	uint8_t status_phase;
	uint16_t dispi_index;
};

enum vga_mode_kind {
	VGA_MODE_NONE,  /* the registers make no picture: what was shown stays */
	VGA_MODE_BLANK, /* black, of the size last shown */
	VGA_MODE_TEXT,
	VGA_MODE_PLANAR,  /* four planes, sixteen colours */
	VGA_MODE_CGA,     /* two bits a pixel from two planes */
	VGA_MODE_PALETTE, /* a byte a pixel */
	VGA_MODE_DIRECT,  /* two or three bytes a pixel, in an order that consumers cannot read */
	VGA_MODE_LINEAR,  /* read by consumers from the video memory */
};

/* The one validated value that all drawing goes by. Whatever its members are, (offset + anything) % limit * 1 is inside the
 * video memory, as limit is at most its size. */
struct vga_mode {
	enum vga_mode_kind kind;
	uint32_t width, height; /* pixels of the picture */
	struct scanout scanout; /* for VGA_MODE_LINEAR */

	uint32_t limit; /* bytes of video memory, where addresses wrap around: a multiple of 4 */
	uint32_t start; /* bytes: first row */
	uint32_t pitch; /* bytes from row to row */
	uint32_t split; /* scan line behind which @split_start is shown, at least height: none */
	uint32_t split_start; /* bytes */
	uint32_t row_scans;   /* scan lines in a row, 1..32 */
	uint32_t scan_shift;  /* 1: each scan line twice */
	uint32_t first_scan;  /* scan line of the first row that is on top: smooth scrolling */
	uint32_t bank_bits
		[2]; /* address bytes that bits 0 and 1 of the scan line replace; 0: no such bit */
	uint32_t dot_width;     /* pixels of the picture for one dot: 1 or 2 */
	uint32_t panning;       /* dots that are left out on the left ... */
	uint32_t split_panning; /* ... and behind the split */
	uint32_t row_bytes;     /* of video memory behind one row, for graphics */

	uint32_t columns, cell_width; /* text: cell_width in dots, 8 or 9 */
	uint32_t underline;           /* scan line of a cell */
	uint32_t font_offset[2];      /* bytes of video memory: for attribute bit 3 clear and set */

	uint32_t pixel_bytes; /* for VGA_MODE_DIRECT: 2 or 3 */
	bool five_green_bits; /* of two bytes: x1r5g5b5, else r5g6b5 */
};

/* What was drawn last, so that only what differs is drawn again. */
struct vga_drawn {
	bool valid;
	struct vga_mode mode;
	uint32_t palette[VGA_COLOURS]; /* x8r8g8b8 */
	uint32_t attributes[16];       /* dac indices of the sixteen colours */
	uint8_t attribute_mode, plane_enable;
	uint8_t fonts[2][VGA_FONT_SIZE];
	uint32_t cells[VGA_MOST_TEXT_ROWS * VGA_MOST_COLUMNS];
	uint8_t *rows; /* bytes behind each scan line, for graphics */
	size_t rows_size;
	uint8_t indexes[VGA_MOST_INDEXES]; /* of the colours of one line, while it is drawn */
};

struct vga {
	struct video_memory *memory;
	uint8_t *bytes; /* of it */
	uint32_t size;  /* bytes of it */
	struct video_memory *shadow;
	struct video_memory *text_window;
	bool text_window_out;          /* the text window holds what planes 0 and 1 should */
	struct vga_plain_window plain; /* the last answer of vga_window_plain() */
	unsigned window_serial;
	struct head *head;
	bool head_is_borrowed, hidden;
	struct edid_info edid_info;
	uint8_t edid[EDID_SIZE];
	int64_t (*now)(void *clock);
	void *clock;

	struct vga_registers registers;
	struct dispi dispi;
	struct vga_mode mode;
	struct vga_drawn *drawn;
};

/* vga-mode.c: the mode of all registers. @shown_width, @shown_height: the size of a blank picture. */
struct vga_mode vga_mode_compute(const struct vga_registers *registers, const struct dispi *dispi,
	uint32_t shown_width, uint32_t shown_height);
/* The registers are written as a mode of the VBE interface wants them. */
void vga_mode_follow_dispi(struct vga_registers *registers, const struct dispi *dispi);

/* vga.c: a register that matters to the picture or to the window was written. */
void vga_registers_changed(struct vga *vga);
/* A write to a VBE register did this (enum dispi_effect). */
void vga_dispi_changed(struct vga *vga, unsigned effect);

/* vga-registers.c: ports 0x3b0..0x3df, single bytes. */
void vga_registers_reset(struct vga_registers *registers);
uint8_t vga_register_read(struct vga *vga, uint16_t port);
void vga_register_write(struct vga *vga, uint16_t port, uint8_t value);

/* vga-memory.c: what the guest wrote into the text window goes into the planes. */
void vga_window_settle(struct vga *vga);
/* The registers changed: settle, and decide whether the text window is out. */
void vga_window_changed(struct vga *vga);

/* Damages the rows that have a part in bytes of the video memory, when consumers read the picture from there. */
void vga_damage_bytes(struct vga *vga, uint64_t first, uint64_t length);

/* vga-palette.c: the colours as they are shown; whether they differ from those drawn last. */
bool vga_palette_update(struct vga *vga);

/* vga-text.c, vga-graphics.c: draw what changed into the shadow and damage it. @all: everything. */
void vga_draw_text(struct vga *vga, bool all);
void vga_draw_graphics(struct vga *vga, bool all);

static inline uint32_t *vga_shadow_row(struct vga *vga, uint32_t y)
{
	return (uint32_t *)(video_memory_bytes(vga->shadow) +
			    (size_t)y * vga->mode.width * sizeof(uint32_t));
}
