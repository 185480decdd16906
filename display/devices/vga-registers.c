/* VGA registers: ports 0x3b0..0x3df, a byte each. What bits a register keeps stands in the mask tables; what they mean is
 * for vga-mode.c and vga-memory.c.
 *
 * Specification: IBM VGA, "PS/2 Video Subsystem Technical Reference", section 2 (registers).
 */
#include "display/devices/vga-private.h"

#include <string.h>

enum {
	PORT_FIRST = 0x3b0,
	PORT_LAST = 0x3df,
	MISC_COLOUR_PORTS = 1 << 0,
	CRTC_LOCK = 1 << 7, /* in CR_SYNC_END */
	CRTC_LOCKED = 8,    /* registers below, save for the split bit of CR_OVERFLOW */
	OVERFLOW_SPLIT = 0x10,
	STATUS_BLANK = 1 << 0,
	STATUS_RETRACE = 1 << 3,
	DAC_STATE_READING = 3,
	CRTC_LATCH = 0x22, /* read only, as is the next */
	CRTC_ATTRIBUTE_STATE = 0x24,
	ATTRIBUTE_STATE_DATA = 1 << 7,
};

static const uint8_t sequencer_masks[VGA_SEQUENCER_REGISTERS] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0,
	0, 0xff };

static const uint8_t graphics_masks[VGA_GRAPHICS_REGISTERS] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b,
	0x0f, 0x0f, 0xff };

static const uint8_t attribute_masks[VGA_ATTRIBUTE_REGISTERS] = { 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f,
	0x0f };

/* Input status 1, one after the other: every look at it is later, so that a guest that waits for the end or the start of a
 * retrace gets there however fast it looks, and the same guest sees the same on every host. */
static const uint8_t status_phases[] = { 0, STATUS_BLANK, 0, STATUS_BLANK | STATUS_RETRACE };

void vga_registers_reset(struct vga_registers *registers)
{
	memset(registers, 0, sizeof(*registers));
	registers->dac_mask = 0xff;
}

static uint8_t read_none(struct vga *vga)
{
	return 0xff;
}

static void write_none(struct vga *vga, uint8_t value)
{
}

/* Attribute controller: one port for index and data, in turns. */
static uint8_t read_attribute_index(struct vga *vga)
{
	return vga->registers.attribute_data ? 0 : vga->registers.attribute_index;
}

static uint8_t read_attribute(struct vga *vga)
{
	uint8_t index = vga->registers.attribute_index & 0x1f;

	return index < VGA_ATTRIBUTE_REGISTERS ? vga->registers.attribute[index] : 0;
}

static void write_attribute(struct vga *vga, uint8_t value)
{
	struct vga_registers *r = &vga->registers;
	uint8_t index = r->attribute_index & 0x1f;

	if (!r->attribute_data)
		r->attribute_index = value & 0x3f;
	else if (index < VGA_ATTRIBUTE_REGISTERS)
		r->attribute[index] = value & attribute_masks[index];
	r->attribute_data = !r->attribute_data;
	vga_registers_changed(vga);
}

static uint8_t read_status_0(struct vga *vga)
{
	return 0;
}

static uint8_t read_status_1(struct vga *vga)
{
	struct vga_registers *r = &vga->registers;

	r->attribute_data = false;
	r->status_phase = (r->status_phase + 1) % sizeof(status_phases);
	return status_phases[r->status_phase];
}

static uint8_t read_misc(struct vga *vga)
{
	return vga->registers.misc;
}

static void write_misc(struct vga *vga, uint8_t value)
{
	vga->registers.misc = value & ~0x10;
}

static uint8_t read_feature(struct vga *vga)
{
	return vga->registers.feature;
}

static void write_feature(struct vga *vga, uint8_t value)
{
	vga->registers.feature = value & 0x10;
}

static uint8_t read_sequencer_index(struct vga *vga)
{
	return vga->registers.sequencer_index;
}

static void write_sequencer_index(struct vga *vga, uint8_t value)
{
	vga->registers.sequencer_index = value & 7;
}

static uint8_t read_sequencer(struct vga *vga)
{
	return vga->registers.sequencer[vga->registers.sequencer_index & 7];
}

static void write_sequencer(struct vga *vga, uint8_t value)
{
	uint8_t index = vga->registers.sequencer_index & 7;

	vga->registers.sequencer[index] = value & sequencer_masks[index];
	vga_registers_changed(vga);
}

static uint8_t read_graphics_index(struct vga *vga)
{
	return vga->registers.graphics_index;
}

static void write_graphics_index(struct vga *vga, uint8_t value)
{
	vga->registers.graphics_index = value & 0x0f;
}

static uint8_t read_graphics(struct vga *vga)
{
	uint8_t index = vga->registers.graphics_index;

	return index < VGA_GRAPHICS_REGISTERS ? vga->registers.graphics[index] : 0;
}

static void write_graphics(struct vga *vga, uint8_t value)
{
	uint8_t index = vga->registers.graphics_index;

	if (index >= VGA_GRAPHICS_REGISTERS)
		return;
	vga->registers.graphics[index] = value & graphics_masks[index];
	vga_registers_changed(vga);
}

static uint8_t read_crtc_index(struct vga *vga)
{
	return vga->registers.crtc_index;
}

static void write_crtc_index(struct vga *vga, uint8_t value)
{
	vga->registers.crtc_index = value;
}

/* Behind the registers are two that only tell what is in other parts. */
static uint8_t read_crtc(struct vga *vga)
{
	const struct vga_registers *r = &vga->registers;

	if (r->crtc_index == CRTC_LATCH)
		return r->latch[r->graphics[GR_READ_PLANE] & 3];
	if (r->crtc_index == CRTC_ATTRIBUTE_STATE)
		return r->attribute_data ? ATTRIBUTE_STATE_DATA : 0;
	return r->crtc_index < VGA_CRTC_REGISTERS ? r->crtc[r->crtc_index] : 0;
}

static void write_crtc(struct vga *vga, uint8_t value)
{
	uint8_t *crtc = vga->registers.crtc;
	uint8_t index = vga->registers.crtc_index;

	if (index >= VGA_CRTC_REGISTERS)
		return;
	if (index < CRTC_LOCKED && crtc[CR_SYNC_END] & CRTC_LOCK) {
		if (index != CR_OVERFLOW)
			return;
		value = (crtc[index] & ~OVERFLOW_SPLIT) | (value & OVERFLOW_SPLIT);
	}
	crtc[index] = value;
	vga_registers_changed(vga);
}

/* Digital-to-analogue converter: 256 colours of three components, which come in one after the other. */
static uint8_t read_dac_mask(struct vga *vga)
{
	return vga->registers.dac_mask;
}

static void write_dac_mask(struct vga *vga, uint8_t value)
{
	vga->registers.dac_mask = value;
}

static uint8_t read_dac_state(struct vga *vga)
{
	return vga->registers.dac_reading ? DAC_STATE_READING : 0;
}

static void write_dac_read_index(struct vga *vga, uint8_t value)
{
	vga->registers.dac_read_index = value;
	vga->registers.dac_component = 0;
	vga->registers.dac_reading = true;
}

static uint8_t read_dac_write_index(struct vga *vga)
{
	return vga->registers.dac_write_index;
}

static void write_dac_write_index(struct vga *vga, uint8_t value)
{
	vga->registers.dac_write_index = value;
	vga->registers.dac_component = 0;
	vga->registers.dac_reading = false;
}

static uint8_t read_dac(struct vga *vga)
{
	struct vga_registers *r = &vga->registers;
	uint8_t value = r->dac[r->dac_read_index * 3 + r->dac_component % 3];

	if (++r->dac_component >= 3) {
		r->dac_component = 0;
		r->dac_read_index++;
	}
	return value;
}

static void write_dac(struct vga *vga, uint8_t value)
{
	struct vga_registers *r = &vga->registers;

	r->dac_pending[r->dac_component % 3] = value;
	if (++r->dac_component >= 3) {
		memcpy(&r->dac[r->dac_write_index * 3], r->dac_pending, 3);
		r->dac_component = 0;
		r->dac_write_index++;
	}
}

struct vga_port {
	uint8_t (*read)(struct vga *vga);
	void (*write)(struct vga *vga, uint8_t value);
};

#define CRTC_INDEX read_crtc_index, write_crtc_index
#define CRTC_DATA  read_crtc, write_crtc
#define STATUS_1   read_status_1, write_feature

static const struct vga_port ports[PORT_LAST - PORT_FIRST + 1] = {
	[0x3b4 - PORT_FIRST] = { CRTC_INDEX },
	[0x3b5 - PORT_FIRST] = { CRTC_DATA },
	[0x3ba - PORT_FIRST] = { STATUS_1 },
	[0x3c0 - PORT_FIRST] = { read_attribute_index, write_attribute },
	[0x3c1 - PORT_FIRST] = { read_attribute, write_none },
	[0x3c2 - PORT_FIRST] = { read_status_0, write_misc },
	[0x3c4 - PORT_FIRST] = { read_sequencer_index, write_sequencer_index },
	[0x3c5 - PORT_FIRST] = { read_sequencer, write_sequencer },
	[0x3c6 - PORT_FIRST] = { read_dac_mask, write_dac_mask },
	[0x3c7 - PORT_FIRST] = { read_dac_state, write_dac_read_index },
	[0x3c8 - PORT_FIRST] = { read_dac_write_index, write_dac_write_index },
	[0x3c9 - PORT_FIRST] = { read_dac, write_dac },
	[0x3ca - PORT_FIRST] = { read_feature, write_none },
	[0x3cc - PORT_FIRST] = { read_misc, write_none },
	[0x3ce - PORT_FIRST] = { read_graphics_index, write_graphics_index },
	[0x3cf - PORT_FIRST] = { read_graphics, write_graphics },
	[0x3d4 - PORT_FIRST] = { CRTC_INDEX },
	[0x3d5 - PORT_FIRST] = { CRTC_DATA },
	[0x3da - PORT_FIRST] = { STATUS_1 },
};

static const struct vga_port no_port = { read_none, write_none };

/* The CRT controller and input status 1 answer at 0x3bX or at 0x3dX, as the miscellaneous register says. */
static const struct vga_port *port_find(const struct vga *vga, uint16_t port)
{
	bool colour = vga->registers.misc & MISC_COLOUR_PORTS;

	if (port < PORT_FIRST || port > PORT_LAST || !ports[port - PORT_FIRST].read)
		return &no_port;
	if ((port < 0x3c0 && colour) || (port >= 0x3d0 && !colour))
		return &no_port;
	return &ports[port - PORT_FIRST];
}

uint8_t vga_register_read(struct vga *vga, uint16_t port)
{
	return port_find(vga, port)->read(vga);
}

void vga_register_write(struct vga *vga, uint16_t port, uint8_t value)
{
	port_find(vga, port)->write(vga, value);
}
