/* Bochs VBE display interface: the registers, and the one place that turns them into a picture. */
#include "display/devices/dispi.h"

#include <glib.h>

#include "base/checked.h"

enum {
	DISPI_ID_FIRST = 0xb0c0,
	DISPI_ID_LAST = 0xb0c5,
	WIDTH_STEP =
		8, /* pixels: widths of the full variant are multiples, so that every row starts at a whole word */
	LINEAR_ONLY_SMALLEST = 64, /* pixels */
};

struct depth {
	uint16_t bits;                    /* as the guest writes it */
	bool linear_only;                 /* whether the linear-only variant has it */
	uint32_t eighths;                 /* of a byte for one pixel */
	pixman_format_code_t little, big; /* 0: consumers cannot read it */
};

static const struct depth depths[] = {
	{ 4, false, 4, 0, 0 },
	{ 8, false, 8, 0, 0 },
	{ 15, false, 16, PIXMAN_x1r5g5b5, 0 },
	{ 16, true, 16, PIXMAN_r5g6b5, 0 },
	{ 24, false, 24, PIXMAN_r8g8b8, 0 },
	{ 32, true, 32, PIXMAN_x8r8g8b8, PIXMAN_b8g8r8x8 },
};

const struct state_field dispi_state_fields[] = { STATE_ARRAY_OF(STATE_TYPE_UINT16, struct dispi,
							  registers, DISPI_REGISTERS),
	STATE_BOOL(struct dispi, big_endian), STATE_END };

static const struct depth *depth_find(const struct dispi *dispi)
{
	uint16_t bits = dispi->registers[DISPI_BPP];

	if (bits == 0)
		bits = 8;
	for (size_t i = 0; i < G_N_ELEMENTS(depths); i++)
		if (depths[i].bits == bits &&
			(dispi->variant == DISPI_FULL || depths[i].linear_only))
			return &depths[i];
	return NULL;
}

/* Bytes of @pixels pixels in the memory; no overflow, as widths have sixteen bits. */
static uint32_t row_bytes(const struct depth *depth, uint32_t pixels)
{
	return (uint64_t)pixels * depth->eighths / 8;
}

void dispi_init(struct dispi *dispi, enum dispi_variant variant, uint64_t memory_size)
{
	*dispi = (struct dispi) { .variant = variant, .memory_size = memory_size };
	dispi_reset(dispi);
}

void dispi_reset(struct dispi *dispi)
{
	for (unsigned i = 0; i < DISPI_REGISTERS; i++)
		dispi->registers[i] = 0;
	dispi->registers[DISPI_ID] = DISPI_ID_LAST;
	dispi->big_endian = false;
}

/* What a guest reads with DISPI_GET_CAPABILITIES set: the largest value of a register instead of its value. */
static uint16_t capability(uint16_t index)
{
	static const uint16_t capabilities[] = {
		[DISPI_XRES] = DISPI_MAX_WIDTH,
		[DISPI_YRES] = DISPI_MAX_HEIGHT,
		[DISPI_BPP] = 32,
	};

	return capabilities[index];
}

uint16_t dispi_read(const struct dispi *dispi, uint16_t index)
{
	if (index == DISPI_VIDEO_MEMORY_64K)
		return MIN(dispi->memory_size / (64 * KiB), UINT16_MAX);
	if (index >= DISPI_REGISTERS)
		return 0;
	if (dispi->registers[DISPI_ENABLE] & DISPI_GET_CAPABILITIES && index >= DISPI_XRES &&
		index <= DISPI_BPP)
		return capability(index);
	return dispi->registers[index];
}

static uint16_t width_in_range(uint16_t width)
{
	return CLAMP(width & ~(WIDTH_STEP - 1), WIDTH_STEP, DISPI_MAX_WIDTH);
}

/* Brings the registers of an enabled interface to the nearest picture that fits the memory; what the guest reads back is
 * what it sees. The order matters: sizes first, then what they leave room for. */
static void settle(struct dispi *dispi)
{
	uint16_t *r = dispi->registers;
	const struct depth *depth;
	uint64_t stride, rows, first;

	if (!dispi_enabled(dispi) || dispi->variant != DISPI_FULL)
		return;
	depth = depth_find(dispi);
	if (!depth) {
		r[DISPI_BPP] = 8;
		depth = depth_find(dispi);
	}
	r[DISPI_XRES] = width_in_range(r[DISPI_XRES]);
	r[DISPI_YRES] = CLAMP(r[DISPI_YRES], 1, DISPI_MAX_HEIGHT);
	r[DISPI_VIRTUAL_WIDTH] = MAX(width_in_range(r[DISPI_VIRTUAL_WIDTH]), r[DISPI_XRES]);

	stride = row_bytes(depth, r[DISPI_VIRTUAL_WIDTH]);
	rows = dispi->memory_size / stride;
	r[DISPI_YRES] = MIN(r[DISPI_YRES], rows);
	r[DISPI_VIRTUAL_HEIGHT] = MIN(rows, UINT16_MAX);
	r[DISPI_Y_OFFSET] = MIN(r[DISPI_Y_OFFSET], rows - r[DISPI_YRES]);

	first = r[DISPI_Y_OFFSET] * stride + row_bytes(depth, r[DISPI_X_OFFSET]);
	if (first + r[DISPI_YRES] * stride > dispi->memory_size)
		r[DISPI_X_OFFSET] = 0;
}

void dispi_state_loaded(struct dispi *dispi)
{
	settle(dispi);
}

static unsigned write_enable(struct dispi *dispi, uint16_t value)
{
	uint16_t *r = dispi->registers;
	bool was_on = dispi_enabled(dispi);
	unsigned effect = DISPI_CHANGED;

	r[DISPI_ENABLE] = value;
	if (!(value & DISPI_ENABLED)) {
		r[DISPI_BANK] = 0;
		return effect;
	}
	if (was_on)
		return effect;
	if (dispi->variant == DISPI_FULL) {
		r[DISPI_VIRTUAL_WIDTH] = 0;
		r[DISPI_X_OFFSET] = 0;
		r[DISPI_Y_OFFSET] = 0;
	}
	effect |= DISPI_SWITCHED_ON;
	if (!(value & DISPI_NO_CLEAR))
		effect |= DISPI_CLEAR;
	return effect;
}

unsigned dispi_write(struct dispi *dispi, uint16_t index, uint16_t value)
{
	unsigned effect = DISPI_CHANGED;

	if (index >= DISPI_REGISTERS)
		return DISPI_NOTHING;
	if (index == DISPI_ID) {
		if (dispi->variant == DISPI_FULL && value >= DISPI_ID_FIRST &&
			value <= DISPI_ID_LAST)
			dispi->registers[DISPI_ID] = value;
		return DISPI_NOTHING;
	}
	if (index == DISPI_ENABLE)
		effect = write_enable(dispi, value);
	else if (index != DISPI_VIRTUAL_HEIGHT || dispi->variant == DISPI_LINEAR_ONLY)
		dispi->registers[index] = value;
	settle(dispi);
	return effect;
}

static bool sizes_allowed(const struct dispi *dispi)
{
	const uint16_t *r = dispi->registers;
	uint16_t smallest = dispi->variant == DISPI_LINEAR_ONLY ? LINEAR_ONLY_SMALLEST : 1;

	return r[DISPI_XRES] >= smallest && r[DISPI_XRES] <= DISPI_MAX_WIDTH &&
	       r[DISPI_YRES] >= smallest && r[DISPI_YRES] <= DISPI_MAX_HEIGHT;
}

/* Reads every register afresh, so that no order of writes can leave a picture that was checked against other values than
 * it is shown with (CVE-2016-3712). */
bool dispi_picture(const struct dispi *dispi, struct dispi_picture *picture)
{
	const uint16_t *r = dispi->registers;
	const struct depth *depth = depth_find(dispi);
	struct dispi_picture candidate;
	uint64_t end;

	if (!dispi_enabled(dispi) || !depth || !sizes_allowed(dispi))
		return false;
	candidate = (struct dispi_picture) {
		.width = r[DISPI_XRES],
		.height = r[DISPI_YRES],
		.bits_per_pixel = depth->bits,
		.stride = row_bytes(depth, MAX(r[DISPI_VIRTUAL_WIDTH], r[DISPI_XRES])),
	};
	candidate.offset = (uint64_t)r[DISPI_Y_OFFSET] * candidate.stride +
			   row_bytes(depth, r[DISPI_X_OFFSET]);
	if (!picture_end(candidate.offset, candidate.height, candidate.stride,
		    row_bytes(depth, candidate.width), &end) ||
		end > dispi->memory_size)
		return false;
	*picture = candidate;
	return true;
}

bool dispi_scanout(const struct dispi *dispi, struct scanout *scanout)
{
	struct dispi_picture picture;
	struct scanout candidate;
	const struct depth *depth;

	if (!dispi_picture(dispi, &picture))
		return false;
	depth = depth_find(dispi);
	candidate = (struct scanout) {
		.width = picture.width,
		.height = picture.height,
		.stride = picture.stride,
		.offset = picture.offset,
		.format = dispi->big_endian ? depth->big : depth->little,
	};
	if (candidate.format == 0 || !scanout_fits(&candidate, dispi->memory_size))
		return false;
	*scanout = candidate;
	return true;
}

uint64_t dispi_clear_length(const struct dispi *dispi)
{
	struct dispi_picture picture;

	if (!dispi_picture(dispi, &picture))
		return 0;
	return MIN((uint64_t)picture.height * picture.stride, dispi->memory_size);
}

uint32_t dispi_mmio_read(const struct dispi *dispi, uint32_t offset, unsigned size)
{
	uint32_t low = dispi_read(dispi, offset >> 1);

	if (size == 1)
		return low >> 8 * (offset & 1) & 0xff;
	if (size == 4)
		return low | (uint32_t)dispi_read(dispi, (offset >> 1) + 1) << 16;
	return low;
}

/* A single byte would leave half a register: it is written with its other half as zero, as a word. */
unsigned dispi_mmio_write(struct dispi *dispi, uint32_t offset, unsigned size, uint32_t value)
{
	unsigned effect = dispi_write(dispi, offset >> 1, value & (size == 1 ? 0xff : 0xffff));

	if (size == 4)
		effect |= dispi_write(dispi, (offset >> 1) + 1, value >> 16);
	return effect;
}
