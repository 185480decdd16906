/* The legacy window of a VGA: 0xa0000..0xbffff as the graphics controller and the sequencer lead it to the planes.
 *
 * Every address is computed from the registers at the time of the access and checked against the video memory then; the
 * bank is one of these registers, never an offset that was worked out earlier (CVE-2016-3710).
 *
 * Specification: IBM VGA, "PS/2 Video Subsystem Technical Reference", section 2 (graphics controller: write and read
 * modes; sequencer: map mask, memory mode).
 */
#include "display/devices/vga-private.h"

#include <string.h>

#include "base/checked.h"

enum {
	MEMORY_NO_ODD_EVEN = 1 << 2,
	MEMORY_CHAIN_4 = 1 << 3,
	MODE_WRITE = 3,
	MODE_READ_COMPARE = 1 << 3,
	MODE_ODD_EVEN = 1 << 4,
	ALL_PLANES = 0x0f,
	EVEN_PLANES = 0x05,
	ODD_PLANES = 0x0a,
};

/* Bits 2-3 of GR_MISC: what part of the window answers. */
static const struct {
	uint32_t offset, length; /* bytes from VGA_WINDOW_BASE */
} windows[] = {
	{ 0, 0x20000 },
	{ 0, 0x10000 },
	{ 0x10000, 0x8000 },
	{ 0x18000, 0x8000 },
};

/* How an access goes to the planes. */
enum access_kind {
	ACCESS_LINEAR, /* the address is that of the video memory, and nothing is done to the bytes */
	ACCESS_CHAIN_4,  /* bits 0 and 1 of the address choose a plane */
	ACCESS_ODD_EVEN, /* bit 0 of the address chooses between two planes */
	ACCESS_PLANAR,
};

static unsigned window_number(const struct vga *vga)
{
	return vga->registers.graphics[GR_MISC] >> 2 & 3;
}

/* A VBE picture of whole bytes is linear whatever the sequencer is set to, which stays as it was for the text mode that
 * comes after it. */
static bool vbe_is_linear(const struct vga *vga)
{
	return dispi_enabled(&vga->dispi) && vga->dispi.registers[DISPI_BPP] != 4;
}

static enum access_kind access_kind(const struct vga *vga)
{
	if (vbe_is_linear(vga))
		return ACCESS_LINEAR;
	if (vga->registers.sequencer[SR_MEMORY_MODE] & MEMORY_CHAIN_4)
		return ACCESS_CHAIN_4;
	if (vga->registers.graphics[GR_MODE] & MODE_ODD_EVEN)
		return ACCESS_ODD_EVEN;
	return ACCESS_PLANAR;
}

/* Whether the graphics controller gives and takes bytes as they are, so that the window can be plain memory. */
static bool bytes_pass(const struct vga *vga)
{
	const uint8_t *graphics = vga->registers.graphics;

	return !(graphics[GR_MODE] & (MODE_WRITE | MODE_READ_COMPARE)) &&
	       graphics[GR_ROTATE] == 0 && graphics[GR_ENABLE_SET_RESET] == 0 &&
	       graphics[GR_BIT_MASK] == 0xff;
}

/* The start of the bank in bytes of the window's addresses: for 0xa0000 with VBE on only. */
static uint32_t bank_offset(const struct vga *vga)
{
	if (!dispi_enabled(&vga->dispi) || window_number(vga) > 1)
		return 0;
	return (uint32_t)vga->dispi.registers[DISPI_BANK] * DISPI_BANK_SIZE;
}

/* The window's address as one of the video memory; false when nothing answers there. */
static bool window_address(const struct vga *vga, uint32_t offset, uint32_t *address)
{
	unsigned number = window_number(vga);
	uint64_t banked;

	if (offset < windows[number].offset ||
		offset - windows[number].offset >= windows[number].length)
		return false;
	banked = (uint64_t)bank_offset(vga) + offset - windows[number].offset;
	*address = banked;
	return banked <= UINT32_MAX;
}

/* Where address @address of all four planes lies. Without VBE the planes are 64 KiB and wrap around. */
static uint8_t *plane_bytes(struct vga *vga, uint32_t address)
{
	if (!dispi_enabled(&vga->dispi))
		address %= VGA_PLANE_SIZE;
	if (!checked_range((uint64_t)address * 4, 4, vga->size))
		return NULL;
	return vga->bytes + (size_t)address * 4;
}

/* Four bits, one for each plane, as four bytes of all ones or zeroes. */
static uint32_t spread(unsigned planes)
{
	return (planes & 1 ? 0x000000ffu : 0) | (planes & 2 ? 0x0000ff00u : 0) |
	       (planes & 4 ? 0x00ff0000u : 0) | (planes & 8 ? 0xff000000u : 0);
}

static uint32_t four_times(uint8_t value)
{
	return value * 0x01010101u;
}

static uint32_t planes_load(const uint8_t *bytes)
{
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void planes_store(uint8_t *bytes, uint32_t value)
{
	for (unsigned plane = 0; plane < 4; plane++)
		bytes[plane] = value >> 8 * plane;
}

/* Reads the four @bytes of an address through the graphics controller; NULL: there are none. */
static uint8_t controller_read(struct vga *vga, const uint8_t *bytes, unsigned plane)
{
	struct vga_registers *r = &vga->registers;
	uint32_t differing;

	if (!bytes)
		return 0xff;
	memcpy(r->latch, bytes, 4);
	if (!(r->graphics[GR_MODE] & MODE_READ_COMPARE))
		return r->latch[plane];
	differing = (planes_load(r->latch) ^ spread(r->graphics[GR_COLOUR_COMPARE])) &
		    spread(r->graphics[GR_COLOUR_CARE]);
	differing |= differing >> 16;
	differing |= differing >> 8;
	return ~differing;
}

/* The function of GR_ROTATE between what is written and the latch. */
static uint32_t combine(unsigned function, uint32_t value, uint32_t latch)
{
	switch (function) {
	case 1:
		return value & latch;
	case 2:
		return value | latch;
	case 3:
		return value ^ latch;
	default:
		return value;
	}
}

static uint8_t rotate(uint8_t value, unsigned count)
{
	return value >> count | value << (8 - count);
}

/* Writes to those of the four @bytes of an address that are in @mask. */
static void controller_write(struct vga *vga, uint8_t *bytes, unsigned mask, uint8_t value)
{
	const struct vga_registers *r = &vga->registers;
	unsigned function = r->graphics[GR_ROTATE] >> 3 & 3;
	uint8_t rotated = rotate(value, r->graphics[GR_ROTATE] & 7);
	uint32_t latch = planes_load(r->latch);
	uint32_t set_reset = spread(r->graphics[GR_SET_RESET]);
	uint32_t enabled = spread(r->graphics[GR_ENABLE_SET_RESET]);
	uint32_t bits = four_times(r->graphics[GR_BIT_MASK]);
	uint32_t planes = spread(r->sequencer[SR_PLANE_MASK] & mask);
	uint32_t result;

	if (!bytes)
		return;
	switch (r->graphics[GR_MODE] & MODE_WRITE) {
	case 0:
		result = (four_times(rotated) & ~enabled) | (set_reset & enabled);
		result = combine(function, result, latch);
		break;
	case 1:
		result = latch;
		bits = ~0u;
		break;
	case 2:
		result = combine(function, spread(value & ALL_PLANES), latch);
		break;
	default:
		bits &= four_times(rotated);
		result = combine(function, set_reset, latch);
		break;
	}
	result = (result & bits) | (latch & ~bits);
	planes_store(bytes, (planes_load(bytes) & ~planes) | (result & planes));
}

static uint8_t read_byte(struct vga *vga, uint32_t offset)
{
	unsigned plane = vga->registers.graphics[GR_READ_PLANE] & 3;
	uint32_t address;

	if (!window_address(vga, offset, &address))
		return 0xff;
	switch (access_kind(vga)) {
	case ACCESS_LINEAR:
		return address < vga->size ? vga->bytes[address] : 0xff;
	case ACCESS_CHAIN_4:
		return controller_read(vga, plane_bytes(vga, address >> 2), address & 3);
	case ACCESS_ODD_EVEN:
		return controller_read(
			vga, plane_bytes(vga, address >> 1), (plane & 2) | (address & 1));
	default:
		return controller_read(vga, plane_bytes(vga, address), plane);
	}
}

/* A picture that consumers read from the video memory has a log of the guest's own writes there only. */
void vga_damage_bytes(struct vga *vga, uint64_t first, uint64_t length)
{
	const struct scanout *scanout = &vga->mode.scanout;
	uint64_t row, end;

	if (vga->mode.kind != VGA_MODE_LINEAR || vga->hidden || length == 0 ||
		first + length <= scanout->offset)
		return;
	row = first < scanout->offset ? 0 : (first - scanout->offset) / scanout->stride;
	end = (first + length - 1 - scanout->offset) / scanout->stride + 1;
	end = MIN(end, scanout->height);
	if (row < end)
		head_damage(vga->head, &(struct rectangle) { 0, row, scanout->width, end - row });
}

static void write_byte(struct vga *vga, uint32_t offset, uint8_t value)
{
	uint32_t address;

	if (!window_address(vga, offset, &address))
		return;
	switch (access_kind(vga)) {
	case ACCESS_LINEAR:
		if (address < vga->size) {
			vga->bytes[address] = value;
			vga_damage_bytes(vga, address, 1);
		}
		return;
	case ACCESS_CHAIN_4:
		controller_write(vga, plane_bytes(vga, address >> 2), 1u << (address & 3), value);
		return;
	case ACCESS_ODD_EVEN:
		controller_write(vga, plane_bytes(vga, address >> 1),
			address & 1 ? ODD_PLANES : EVEN_PLANES, value);
		return;
	default:
		controller_write(vga, plane_bytes(vga, address), ALL_PLANES, value);
	}
}

/* The window of text and CGA modes: odd/even addresses onto planes 0 and 1, both read and written as they are. */
static bool text_window_wanted(const struct vga *vga)
{
	const struct vga_registers *r = &vga->registers;

	return !dispi_enabled(&vga->dispi) && window_number(vga) >= 2 &&
	       access_kind(vga) == ACCESS_ODD_EVEN && r->sequencer[SR_PLANE_MASK] == 3 &&
	       !(r->graphics[GR_READ_PLANE] & 2) && bytes_pass(vga);
}

/* The window is held in @vga->text_window while it is out, else in the planes. */
static void text_window_fill(struct vga *vga)
{
	uint8_t *window = video_memory_bytes(vga->text_window);

	for (uint32_t i = 0; i < VGA_TEXT_WINDOW_SIZE / 2; i++)
		memcpy(window + i * 2, vga->bytes + i * 4, 2);
}

void vga_window_settle(struct vga *vga)
{
	const uint8_t *window = video_memory_bytes(vga->text_window);

	if (!vga->text_window_out)
		return;
	for (uint32_t i = 0; i < VGA_TEXT_WINDOW_SIZE / 2; i++)
		memcpy(vga->bytes + i * 4, window + i * 2, 2);
}

void vga_window_changed(struct vga *vga)
{
	bool wanted = text_window_wanted(vga);

	if (wanted == vga->text_window_out)
		return;
	vga_window_settle(vga);
	if (wanted)
		text_window_fill(vga);
	vga->text_window_out = wanted;
}

/* The byte in the text window that is out, or NULL. */
static uint8_t *text_window_byte(struct vga *vga, uint32_t offset)
{
	uint32_t first = windows[window_number(vga)].offset;

	if (!vga->text_window_out || offset < first || offset - first >= VGA_TEXT_WINDOW_SIZE)
		return NULL;
	return video_memory_bytes(vga->text_window) + (offset - first);
}

uint64_t vga_window_read(struct vga *vga, uint32_t offset, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++) {
		uint32_t at = (offset + i) % VGA_WINDOW_SIZE;
		const uint8_t *plain = text_window_byte(vga, at);

		value |= (uint64_t)(plain ? *plain : read_byte(vga, at)) << 8 * i;
	}
	return value;
}

void vga_window_write(struct vga *vga, uint32_t offset, unsigned size, uint64_t value)
{
	for (unsigned i = 0; i < size; i++) {
		uint32_t at = (offset + i) % VGA_WINDOW_SIZE;
		uint8_t *plain = text_window_byte(vga, at);

		if (plain)
			*plain = value >> 8 * i;
		else
			write_byte(vga, at, value >> 8 * i);
	}
}

/* Guests that asked for a linear picture draw into BAR 0; then the window is not worth looking through at every refresh. */
static bool draws_elsewhere(const struct vga *vga)
{
	return vga->mode.kind == VGA_MODE_LINEAR &&
	       vga->dispi.registers[DISPI_ENABLE] & DISPI_LINEAR;
}

static bool linear_now(const struct vga *vga)
{
	enum access_kind kind = access_kind(vga);

	return kind == ACCESS_LINEAR ||
	       (kind == ACCESS_CHAIN_4 && bytes_pass(vga) &&
		       vga->registers.sequencer[SR_PLANE_MASK] == ALL_PLANES);
}

bool vga_window_plain(const struct vga *vga, struct vga_plain_window *plain)
{
	unsigned number = window_number(vga);

	if (vga->text_window_out) {
		*plain = (struct vga_plain_window) {
			.memory = vga->text_window,
			.window_offset = windows[number].offset,
			.length = VGA_TEXT_WINDOW_SIZE,
		};
		return true;
	}
	if (!linear_now(vga) || draws_elsewhere(vga) ||
		!checked_range(bank_offset(vga), windows[number].length, vga->size))
		return false;
	*plain = (struct vga_plain_window) {
		.memory = vga->memory,
		.window_offset = windows[number].offset,
		.memory_offset = bank_offset(vga),
		.length = windows[number].length,
	};
	return true;
}
