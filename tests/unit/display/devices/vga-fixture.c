/* A VGA with a display around it, and a guest's way of setting modes. */
#include "tests/unit/display/devices/vga-fixture.h"

#include <string.h>

#include "display/devices/dispi.h"

const struct mode_registers mode_text = {
	.misc = 0x67,
	.sequencer = { 0x03, 0x00, 0x03, 0x00, 0x02 },
	.crtc = { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0, 0, 0,
		0, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
	.graphics = { 0, 0, 0, 0, 0, 0x10, 0x0e, 0x00, 0xff },
	.attribute = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c,
		0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00 },
};

const struct mode_registers mode_text_mono = {
	.misc = 0x66,
	.sequencer = { 0x03, 0x00, 0x03, 0x00, 0x02 },
	.crtc = { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0, 0, 0,
		0, 0x9c, 0x8e, 0x8f, 0x28, 0x0f, 0x96, 0xb9, 0xa3, 0xff },
	.graphics = { 0, 0, 0, 0, 0, 0x10, 0x0a, 0x00, 0xff },
	.attribute = { 0x00, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x10, 0x18, 0x18, 0x18, 0x18,
		0x18, 0x18, 0x18, 0x0e, 0x00, 0x0f, 0x08, 0x00 },
};

const struct mode_registers mode_cga = {
	.misc = 0x63,
	.sequencer = { 0x03, 0x09, 0x03, 0x00, 0x02 },
	.crtc = { 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0, 0, 0, 0, 0, 0,
		0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xa2, 0xff },
	.graphics = { 0, 0, 0, 0, 0, 0x30, 0x0f, 0x0f, 0xff },
	.attribute = { 0x00, 0x01, 0x02, 0x04, 0x02, 0x04, 0x06, 0x07, 0x10, 0x11, 0x12, 0x13, 0x14,
		0x15, 0x16, 0x17, 0x01, 0x00, 0x03, 0x00, 0x00 },
};

const struct mode_registers mode_cga_mono = {
	.misc = 0x63,
	.sequencer = { 0x03, 0x01, 0x01, 0x00, 0x06 },
	.crtc = { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0, 0, 0, 0, 0, 0,
		0x9c, 0x8e, 0x8f, 0x28, 0x00, 0x96, 0xb9, 0xc2, 0xff },
	.graphics = { 0, 0, 0, 0, 0, 0x00, 0x0d, 0x0f, 0xff },
	.attribute = { 0x00, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
		0x3f, 0x3f, 0x3f, 0x01, 0x00, 0x01, 0x00, 0x00 },
};

const struct mode_registers mode_planar = {
	.misc = 0xe3,
	.sequencer = { 0x03, 0x01, 0x0f, 0x00, 0x06 },
	.crtc = { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0x00, 0x40, 0, 0, 0, 0, 0, 0,
		0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff },
	.graphics = { 0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff },
	.attribute = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c,
		0x3d, 0x3e, 0x3f, 0x01, 0x00, 0x0f, 0x00, 0x00 },
};

const struct mode_registers mode_planar_320 = {
	.misc = 0x63,
	.sequencer = { 0x03, 0x09, 0x0f, 0x00, 0x06 },
	.crtc = { 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc0, 0, 0, 0, 0, 0, 0,
		0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xe3, 0xff },
	.graphics = { 0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff },
	.attribute = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c,
		0x3d, 0x3e, 0x3f, 0x01, 0x00, 0x0f, 0x00, 0x00 },
};

const struct mode_registers mode_palette = {
	.misc = 0x63,
	.sequencer = { 0x03, 0x01, 0x0f, 0x00, 0x0e },
	.crtc = { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0, 0, 0, 0, 0, 0,
		0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff },
	.graphics = { 0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff },
	.attribute = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c,
		0x0d, 0x0e, 0x0f, 0x41, 0x00, 0x0f, 0x00, 0x00 },
};

static int64_t fixture_now(void *clock)
{
	return ((struct fixture *)clock)->time;
}

struct fixture *fixture_new(void)
{
	struct fixture *fixture = g_new0(struct fixture, 1);
	struct vga_config config = {
		.label = "VGA",
		.device_address = "pci/0000/01.0",
		.now = fixture_now,
		.clock = fixture,
	};

	g_mutex_init(&fixture->lock);
	pixman_region32_init(&fixture->damage);
	fixture->display = display_new(&fixture->lock);
	fixture->memory = video_memory_new("VGA", FIXTURE_MEMORY, NULL);
	g_mutex_lock(&fixture->lock);
	fixture->vga = vga_new(fixture->display, fixture->memory, &config, NULL);
	g_mutex_unlock(&fixture->lock);
	g_assert_nonnull(fixture->vga);
	return fixture;
}

void fixture_free(struct fixture *fixture)
{
	if (fixture->listener)
		head_remove_listener(fixture->listener);
	g_mutex_lock(&fixture->lock);
	vga_free(fixture->vga);
	g_mutex_unlock(&fixture->lock);
	display_free(fixture->display);
	video_memory_unref(fixture->memory);
	pixman_region32_fini(&fixture->damage);
	g_mutex_clear(&fixture->lock);
	g_free(fixture);
}

void fixture_out(struct fixture *fixture, uint16_t port, uint8_t value)
{
	g_mutex_lock(&fixture->lock);
	vga_port_write(fixture->vga, port, 1, value);
	g_mutex_unlock(&fixture->lock);
}

uint8_t fixture_in(struct fixture *fixture, uint16_t port)
{
	uint8_t value;

	g_mutex_lock(&fixture->lock);
	value = vga_port_read(fixture->vga, port, 1);
	g_mutex_unlock(&fixture->lock);
	return value;
}

void fixture_set(struct fixture *fixture, uint16_t port, uint8_t index, uint8_t value)
{
	g_mutex_lock(&fixture->lock);
	vga_port_write(fixture->vga, port, 2, index | value << 8);
	g_mutex_unlock(&fixture->lock);
}

void fixture_attribute(struct fixture *fixture, uint8_t index, uint8_t value)
{
	fixture_in(fixture, 0x3da);
	fixture_in(fixture, 0x3ba);
	fixture_out(fixture, 0x3c0, index);
	fixture_out(fixture, 0x3c0, value);
	fixture_out(fixture, 0x3c0, 0x20);
}

void fixture_dispi(struct fixture *fixture, uint16_t index, uint16_t value)
{
	g_mutex_lock(&fixture->lock);
	vga_port_write(fixture->vga, 0x1ce, 2, index);
	vga_port_write(fixture->vga, 0x1cf, 2, value);
	g_mutex_unlock(&fixture->lock);
}

uint16_t fixture_dispi_read(struct fixture *fixture, uint16_t index)
{
	uint16_t value;

	g_mutex_lock(&fixture->lock);
	vga_port_write(fixture->vga, 0x1ce, 2, index);
	value = vga_port_read(fixture->vga, 0x1cf, 2);
	g_mutex_unlock(&fixture->lock);
	return value;
}

void fixture_mode(struct fixture *fixture, const struct mode_registers *mode)
{
	uint16_t crtc = mode->misc & 1 ? 0x3d4 : 0x3b4;

	fixture_dispi(fixture, DISPI_ENABLE, 0);
	fixture_out(fixture, 0x3c2, mode->misc);
	for (unsigned i = 0; i < G_N_ELEMENTS(mode->sequencer); i++)
		fixture_set(fixture, 0x3c4, i, mode->sequencer[i]);
	fixture_set(fixture, crtc, 0x11, 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(mode->crtc); i++)
		fixture_set(fixture, crtc, i, mode->crtc[i]);
	for (unsigned i = 0; i < G_N_ELEMENTS(mode->graphics); i++)
		fixture_set(fixture, 0x3ce, i, mode->graphics[i]);
	for (unsigned i = 0; i < G_N_ELEMENTS(mode->attribute); i++)
		fixture_attribute(fixture, i, mode->attribute[i]);
}

void fixture_colours(struct fixture *fixture)
{
	fixture_out(fixture, 0x3c8, 0);
	for (unsigned i = 0; i < 256; i++) {
		bool colour = i < 64;

		fixture_out(fixture, 0x3c9, colour ? (i >> 2 & 1) * 42 + (i >> 5 & 1) * 21 : i / 4);
		fixture_out(fixture, 0x3c9, colour ? (i >> 1 & 1) * 42 + (i >> 4 & 1) * 21 : i / 4);
		fixture_out(fixture, 0x3c9, colour ? (i >> 0 & 1) * 42 + (i >> 3 & 1) * 21 : i / 4);
	}
}

void fixture_vbe(
	struct fixture *fixture, uint16_t width, uint16_t height, uint16_t bits, uint16_t flags)
{
	fixture_dispi(fixture, DISPI_ENABLE, 0);
	fixture_dispi(fixture, DISPI_XRES, width);
	fixture_dispi(fixture, DISPI_YRES, height);
	fixture_dispi(fixture, DISPI_BPP, bits);
	fixture_dispi(fixture, DISPI_ENABLE, flags);
	fixture_out(fixture, 0x3c2, 0x67);
	fixture_in(fixture, 0x3da);
	fixture_out(fixture, 0x3c0, 0x20);
}

static void window_write(struct fixture *fixture, uint32_t offset, unsigned size, uint64_t value)
{
	g_mutex_lock(&fixture->lock);
	vga_window_write(fixture->vga, offset, size, value);
	g_mutex_unlock(&fixture->lock);
}

void fixture_font(struct fixture *fixture, unsigned font, uint8_t character, const uint8_t rows[16])
{
	fixture_set(fixture, 0x3c4, 2, 4);
	fixture_set(fixture, 0x3c4, 4, 7);
	fixture_set(fixture, 0x3ce, 5, 0);
	fixture_set(fixture, 0x3ce, 6, 4);
	for (unsigned i = 0; i < 16; i++)
		window_write(fixture, font * 8192 + character * 32 + i, 1, rows[i]);
	fixture_set(fixture, 0x3c4, 2, 3);
	fixture_set(fixture, 0x3c4, 4, 2);
	fixture_set(fixture, 0x3ce, 5, 0x10);
	fixture_set(fixture, 0x3ce, 6, 0x0e);
}

void fixture_text(struct fixture *fixture, uint32_t cell, uint8_t character, uint8_t attribute)
{
	window_write(fixture, 0x18000 + cell * 2, 2, character | attribute << 8);
}

void fixture_size(struct fixture *fixture, uint32_t *width, uint32_t *height)
{
	head_size(vga_head(fixture->vga), width, height);
}

uint32_t fixture_pixel(struct fixture *fixture, uint32_t x, uint32_t y)
{
	struct video_memory *memory;
	struct scanout scanout;
	uint32_t pixel;

	g_assert_true(head_picture(vga_head(fixture->vga), &memory, &scanout));
	g_assert_cmpuint(x, <, scanout.width);
	g_assert_cmpuint(y, <, scanout.height);
	g_assert_cmphex(scanout.format, ==, PIXMAN_x8r8g8b8);
	memcpy(&pixel,
		video_memory_bytes(memory) + scanout.offset + (size_t)y * scanout.stride + x * 4,
		sizeof(pixel));
	video_memory_unref(memory);
	return pixel & 0xffffff;
}

static void on_scanout(void *owner, struct video_memory *memory, const struct scanout *scanout)
{
	struct fixture *fixture = owner;

	fixture->scanouts++;
	head_listener_done(fixture->listener);
}

static void on_disable(void *owner)
{
	head_listener_done(((struct fixture *)owner)->listener);
}

static void on_update(void *owner, const pixman_region32_t *damage)
{
	struct fixture *fixture = owner;

	pixman_region32_union(&fixture->damage, &fixture->damage, (pixman_region32_t *)damage);
	head_listener_done(fixture->listener);
}

static void on_cursor(void *owner, struct cursor *cursor)
{
	head_listener_done(((struct fixture *)owner)->listener);
}

static void on_mouse(void *owner, int32_t x, int32_t y, bool visible)
{
	head_listener_done(((struct fixture *)owner)->listener);
}

static const struct head_listener_ops listener_ops = {
	.scanout = on_scanout,
	.disable = on_disable,
	.update = on_update,
	.cursor = on_cursor,
	.mouse = on_mouse,
};

void fixture_watch(struct fixture *fixture)
{
	fixture->listener = head_add_listener(vga_head(fixture->vga), &listener_ops, fixture, 1);
	while (fixture->scanouts == 0)
		g_main_context_iteration(NULL, TRUE);
	fixture_settle(fixture);
	fixture_forget(fixture);
}

static gboolean set_flag(gpointer flag)
{
	*(bool *)flag = true;
	return G_SOURCE_REMOVE;
}

void fixture_settle(struct fixture *fixture)
{
	bool over = false;

	/* Longer than the longest time between two looks of the head, which is 200 ms. */
	head_wake(vga_head(fixture->vga));
	g_timeout_add(450, set_flag, &over);
	while (!over)
		g_main_context_iteration(NULL, TRUE);
}

void fixture_forget(struct fixture *fixture)
{
	pixman_region32_clear(&fixture->damage);
	fixture->scanouts = 0;
}
