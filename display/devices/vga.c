/* VGA: what the parts of the core have in common. Which picture the head shows, when it is drawn, and BAR 2. */
#include "display/devices/vga.h"

#include <string.h>

#include "display/devices/bochs-mmio.h"
#include "display/devices/vga-private.h"

enum {
	BLANK_WIDTH = 640, /* pixels: what is shown before the first mode */
	BLANK_HEIGHT = 480,
	PORT_DISPI_INDEX = 0x1ce,
	PORT_DISPI_DATA = 0x1cf,
	PORT_DISPI_DATA_ALIGNED = 0x1d0,
	MMIO_PORTS = 0x400, /* the registers of ports 0x3c0..0x3df */
	MMIO_PORTS_END = 0x420,
	MMIO_PORTS_FIRST = 0x3c0,
};

static const struct state_field register_fields[] = { STATE_UINT8(struct vga_registers, misc),
	STATE_UINT8(struct vga_registers, feature),
	STATE_UINT8(struct vga_registers, sequencer_index),
	STATE_UINT8_ARRAY(struct vga_registers, sequencer, VGA_SEQUENCER_REGISTERS),
	STATE_UINT8(struct vga_registers, crtc_index),
	STATE_UINT8_ARRAY(struct vga_registers, crtc, VGA_CRTC_REGISTERS),
	STATE_UINT8(struct vga_registers, graphics_index),
	STATE_UINT8_ARRAY(struct vga_registers, graphics, VGA_GRAPHICS_REGISTERS),
	STATE_UINT8(struct vga_registers, attribute_index),
	STATE_UINT8_ARRAY(struct vga_registers, attribute, VGA_ATTRIBUTE_REGISTERS),
	STATE_BOOL(struct vga_registers, attribute_data),
	STATE_UINT8_ARRAY(struct vga_registers, latch, 4),
	STATE_UINT8(struct vga_registers, dac_mask),
	STATE_UINT8(struct vga_registers, dac_read_index),
	STATE_UINT8(struct vga_registers, dac_write_index),
	STATE_UINT8(struct vga_registers, dac_component),
	STATE_BOOL(struct vga_registers, dac_reading),
	STATE_UINT8_ARRAY(struct vga_registers, dac, VGA_COLOURS * 3),
	STATE_UINT8_ARRAY(struct vga_registers, dac_pending, 3),
	STATE_UINT8(struct vga_registers, status_phase),
	STATE_UINT16(struct vga_registers, dispi_index), STATE_END };

/* Shows the shadow in the mode's size. */
static void show_shadow(struct vga *vga)
{
	struct scanout scanout = {
		.width = vga->mode.width,
		.height = vga->mode.height,
		.stride = vga->mode.width * sizeof(uint32_t),
		.format = PIXMAN_x8r8g8b8,
	};

	if (scanout_fits(&scanout, VGA_SHADOW_SIZE))
		head_set_scanout(vga->head, vga->shadow, &scanout);
}

static void show(struct vga *vga)
{
	if (vga->hidden)
		return;
	if (vga->mode.kind == VGA_MODE_LINEAR)
		head_set_scanout(vga->head, vga->memory, &vga->mode.scanout);
	else
		show_shadow(vga);
}

static void update_mode(struct vga *vga)
{
	struct vga_mode mode =
		vga_mode_compute(&vga->registers, &vga->dispi, vga->mode.width, vga->mode.height);

	if (mode.kind == VGA_MODE_NONE)
		return;
	vga->mode = mode;
	show(vga);
}

void vga_set_shown(struct vga *vga, bool shown)
{
	vga->hidden = !shown;
	vga->drawn->valid = false;
	show(vga);
}

static bool same_plain(const struct vga_plain_window *a, const struct vga_plain_window *b)
{
	return a->memory == b->memory && a->window_offset == b->window_offset &&
	       a->memory_offset == b->memory_offset && a->length == b->length;
}

/* What a guest writes through the plain window leaves no trace in the log of the video memory. */
static void damage_plain(struct vga *vga)
{
	if (vga->plain.memory == vga->memory)
		vga_damage_bytes(vga, vga->plain.memory_offset, vga->plain.length);
}

static void update_window(struct vga *vga)
{
	struct vga_plain_window plain = { 0 };

	vga_window_changed(vga);
	vga_window_plain(vga, &plain);
	if (same_plain(&plain, &vga->plain))
		return;
	damage_plain(vga);
	vga->plain = plain;
	vga->window_serial++;
}

void vga_registers_changed(struct vga *vga)
{
	update_mode(vga);
	update_window(vga);
}

void vga_dispi_changed(struct vga *vga, unsigned effect)
{
	if (!(effect & DISPI_CHANGED))
		return;
	if (effect & DISPI_SWITCHED_ON)
		vga_mode_follow_dispi(&vga->registers, &vga->dispi);
	vga_registers_changed(vga);
	if (!(effect & DISPI_CLEAR))
		return;
	memset(vga->bytes, 0, dispi_clear_length(&vga->dispi));
	if (!vga->hidden)
		head_damage(
			vga->head, &(struct rectangle) { 0, 0, vga->mode.width, vga->mode.height });
}

/* Whether two modes look alike on the screen when the memory does: then only what differs needs drawing. */
static bool same_look(const struct vga_mode *a, const struct vga_mode *b)
{
	return a->kind == b->kind && a->width == b->width && a->height == b->height &&
	       a->split == b->split && a->row_scans == b->row_scans &&
	       a->scan_shift == b->scan_shift && a->first_scan == b->first_scan &&
	       a->dot_width == b->dot_width && a->panning == b->panning &&
	       a->split_panning == b->split_panning && a->pixel_bytes == b->pixel_bytes &&
	       a->five_green_bits == b->five_green_bits && a->row_bytes == b->row_bytes &&
	       a->columns == b->columns && a->cell_width == b->cell_width &&
	       a->underline == b->underline;
}

static bool same_attributes(const struct vga_registers *r, const struct vga_drawn *drawn)
{
	return r->attribute[AR_MODE] == drawn->attribute_mode &&
	       r->attribute[AR_PLANE_ENABLE] == drawn->plane_enable;
}

static void draw_blank(struct vga *vga, bool all)
{
	if (!all)
		return;
	memset(video_memory_bytes(vga->shadow), 0,
		(size_t)vga->mode.width * vga->mode.height * sizeof(uint32_t));
	head_damage(vga->head, &(struct rectangle) { 0, 0, vga->mode.width, vga->mode.height });
}

void vga_refresh(struct vga *vga)
{
	static void (*const draw[])(struct vga * vga, bool all) = {
		[VGA_MODE_BLANK] = draw_blank,
		[VGA_MODE_TEXT] = vga_draw_text,
		[VGA_MODE_PLANAR] = vga_draw_graphics,
		[VGA_MODE_CGA] = vga_draw_graphics,
		[VGA_MODE_PALETTE] = vga_draw_graphics,
		[VGA_MODE_DIRECT] = vga_draw_graphics,
	};
	struct vga_drawn *drawn = vga->drawn;
	bool all = !drawn->valid || !same_look(&drawn->mode, &vga->mode) ||
		   !same_attributes(&vga->registers, drawn);

	if (vga->mode.kind == VGA_MODE_LINEAR) {
		drawn->valid = false;
		damage_plain(vga);
		return;
	}
	all |= vga_palette_update(vga) && vga->mode.kind != VGA_MODE_BLANK;
	vga_window_settle(vga);
	draw[vga->mode.kind](vga, all);
	drawn->mode = vga->mode;
	drawn->attribute_mode = vga->registers.attribute[AR_MODE];
	drawn->plane_enable = vga->registers.attribute[AR_PLANE_ENABLE];
	drawn->valid = true;
}

void vga_set_ui_info(struct vga *vga, const struct head_ui_info *info)
{
	if (info->width == 0 || info->height == 0)
		return;
	vga->edid_info.preferred_width = info->width;
	vga->edid_info.preferred_height = info->height;
	vga->edid_info.width_mm = info->width_mm;
	vga->edid_info.height_mm = info->height_mm;
	edid_generate(&vga->edid_info, vga->edid);
}

static void refresh(void *device)
{
	vga_refresh(device);
}

static void set_ui_info(void *device, const struct head_ui_info *info)
{
	vga_set_ui_info(device, info);
}

static const struct head_ops vga_head_ops = {
	.refresh = refresh,
	.set_ui_info = set_ui_info,
};

static int64_t monotonic_time(void *clock)
{
	return g_get_monotonic_time();
}

static bool allocate(struct vga *vga, GError **error)
{
	vga->shadow = video_memory_new("vga-picture", VGA_SHADOW_SIZE, error);
	if (!vga->shadow)
		return false;
	vga->text_window = video_memory_new("vga-text", VGA_TEXT_WINDOW_SIZE, error);
	return vga->text_window != NULL;
}

struct vga *vga_new(struct display *display, struct video_memory *memory,
	const struct vga_config *config, GError **error)
{
	struct vga *vga;

	g_assert(video_memory_size(memory) >= VGA_MEMORY_LEAST &&
		 config->memory_size <= video_memory_size(memory));
	vga = g_new0(struct vga, 1);
	vga->memory = video_memory_ref(memory);
	vga->bytes = video_memory_bytes(memory);
	vga->size = MIN(
		config->memory_size ? config->memory_size : video_memory_size(memory), UINT32_MAX);
	vga->edid_info = config->edid;
	edid_generate(&vga->edid_info, vga->edid);
	vga->now = config->now ? config->now : monotonic_time;
	vga->clock = config->clock;
	vga->drawn = g_new0(struct vga_drawn, 1);
	if (!allocate(vga, error)) {
		vga_free(vga);
		return NULL;
	}
	vga->head_is_borrowed = config->head != NULL;
	vga->head = config->head
			    ? config->head
			    : head_new(display, &(struct head_config) {
							.label = config->label,
							.device_address = config->device_address,
							.number = config->head_number,
							.ops = &vga_head_ops,
							.device = vga,
						});
	dispi_init(&vga->dispi, DISPI_FULL, vga->size);
	vga_reset(vga);
	return vga;
}

void vga_free(struct vga *vga)
{
	if (!vga)
		return;
	if (vga->head && !vga->head_is_borrowed)
		head_free(vga->head);
	video_memory_unref(vga->text_window);
	video_memory_unref(vga->shadow);
	video_memory_unref(vga->memory);
	g_free(vga->drawn->rows);
	g_free(vga->drawn);
	g_free(vga);
}

void vga_reset(struct vga *vga)
{
	vga_registers_reset(&vga->registers);
	dispi_reset(&vga->dispi);
	vga->mode.width = BLANK_WIDTH;
	vga->mode.height = BLANK_HEIGHT;
	vga_registers_changed(vga);
}

struct head *vga_head(const struct vga *vga)
{
	return vga->head;
}

const uint8_t *vga_edid(const struct vga *vga)
{
	return vga->edid;
}

unsigned vga_window_serial(const struct vga *vga)
{
	return vga->window_serial;
}

static uint32_t bytes_read(struct vga *vga, uint16_t port, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)vga_register_read(vga, port + i) << 8 * i;
	return value;
}

/* A word to an index port is the index and its data. */
static void bytes_write(struct vga *vga, uint16_t port, unsigned size, uint32_t value)
{
	for (unsigned i = 0; i < size; i++)
		vga_register_write(vga, port + i, value >> 8 * i);
}

static bool is_dispi_data(uint16_t port)
{
	return port == PORT_DISPI_DATA || port == PORT_DISPI_DATA_ALIGNED;
}

uint32_t vga_port_read(struct vga *vga, uint16_t port, unsigned size)
{
	uint32_t mask = size >= 4 ? UINT32_MAX : (1u << 8 * size) - 1;

	if (port == PORT_DISPI_INDEX)
		return vga->registers.dispi_index & mask;
	if (is_dispi_data(port))
		return dispi_read(&vga->dispi, vga->registers.dispi_index) & mask;
	return bytes_read(vga, port, size);
}

void vga_port_write(struct vga *vga, uint16_t port, unsigned size, uint32_t value)
{
	if (port == PORT_DISPI_INDEX)
		vga->registers.dispi_index = size == 1 ? value & 0xff : value;
	else if (is_dispi_data(port))
		vga_dispi_changed(vga, dispi_write(&vga->dispi, vga->registers.dispi_index,
					       size == 1 ? value & 0xff : value));
	else
		bytes_write(vga, port, size, value);
}

static bool is_ports(uint32_t offset, unsigned size)
{
	return offset >= MMIO_PORTS && offset + size <= MMIO_PORTS_END;
}

uint32_t vga_mmio_read(struct vga *vga, uint32_t offset, unsigned size)
{
	if (is_ports(offset, size))
		return bytes_read(vga, offset - MMIO_PORTS + MMIO_PORTS_FIRST, size);
	return bochs_mmio_read(&vga->dispi, vga->edid, offset, size);
}

void vga_mmio_write(struct vga *vga, uint32_t offset, unsigned size, uint32_t value)
{
	if (is_ports(offset, size))
		bytes_write(vga, offset - MMIO_PORTS + MMIO_PORTS_FIRST, size, value);
	else
		vga_dispi_changed(vga, bochs_mmio_write(&vga->dispi, offset, size, value));
}

void vga_states(struct vga *vga, struct vga_state states[VGA_STATES])
{
	vga_window_settle(vga);
	states[0] = (struct vga_state) { "registers", register_fields, &vga->registers };
	states[1] = (struct vga_state) { "dispi", dispi_state_fields, &vga->dispi };
}

bool vga_state_loaded(struct vga *vga)
{
	if (vga->registers.sequencer_index >= VGA_SEQUENCER_REGISTERS ||
		vga->registers.dac_component > 2)
		return false;
	dispi_state_loaded(&vga->dispi);
	vga->text_window_out = false;
	vga->drawn->valid = false;
	vga_registers_changed(vga);
	return true;
}
