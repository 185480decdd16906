/* VGA registers by port and through BAR 2: what they keep, and what reading them does. */
#include "tests/unit/display/devices/vga-fixture.h"

#include <string.h>

#include "display/devices/dispi.h"

/* A value written to an indexed register, and what it keeps of it. */
static const struct {
	const char *name;
	uint16_t port;
	uint8_t index, written, kept;
} masks[] = {
	{ "/vga/registers/sequencer-clocking", 0x3c4, 1, 0xff, 0x3d },
	{ "/vga/registers/sequencer-plane-mask", 0x3c4, 2, 0xff, 0x0f },
	{ "/vga/registers/sequencer-fonts", 0x3c4, 3, 0xff, 0x3f },
	{ "/vga/registers/sequencer-memory", 0x3c4, 4, 0xff, 0x0e },
	{ "/vga/registers/graphics-mode", 0x3ce, 5, 0xff, 0x7b },
	{ "/vga/registers/graphics-rotate", 0x3ce, 3, 0xff, 0x1f },
	{ "/vga/registers/graphics-bit-mask", 0x3ce, 8, 0xff, 0xff },
	{ "/vga/registers/graphics-none", 0x3ce, 9, 0xff, 0x00 },
	{ "/vga/registers/crtc-height", 0x3d4, 0x12, 0xa5, 0xa5 },
	{ "/vga/registers/crtc-none", 0x3d4, 0x40, 0xa5, 0x00 },
};

static void check_mask(gconstpointer data)
{
	const typeof(masks[0]) *c = data;
	g_autoptr(vga_fixture) f = fixture_new();

	fixture_out(f, 0x3c2, 0x67);
	fixture_set(f, c->port, c->index, c->written);
	fixture_out(f, c->port, c->index);
	g_assert_cmphex(fixture_in(f, c->port + 1), ==, c->kept);
}

static void test_crtc_lock(void)
{
	g_autoptr(vga_fixture) f = fixture_new();

	fixture_mode(f, &mode_text); /* leaves CR11 locked */
	fixture_set(f, 0x3d4, 0x01, 0x11);
	fixture_out(f, 0x3d4, 0x01);
	g_assert_cmphex(fixture_in(f, 0x3d5), ==, 0x4f);
	fixture_set(f, 0x3d4, 0x07, 0x00); /* the split's bit alone can be written */
	g_assert_cmphex(fixture_in(f, 0x3d5), ==, 0x0f);
}

static void test_attribute_turns(void)
{
	g_autoptr(vga_fixture) f = fixture_new();

	fixture_out(f, 0x3c2, 0x67);
	fixture_in(f, 0x3da);
	fixture_out(f, 0x3c0, 0x14);
	fixture_out(f, 0x3c0, 0xff);
	g_assert_cmphex(fixture_in(f, 0x3c0), ==, 0x14);
	g_assert_cmphex(fixture_in(f, 0x3c1), ==, 0x0f);
	fixture_out(f, 0x3c0, 0x02); /* an index again */
	fixture_in(f, 0x3da);        /* forgets that data is next */
	fixture_out(f, 0x3c0, 0x03);
	fixture_out(f, 0x3c0, 0x2a);
	g_assert_cmphex(fixture_in(f, 0x3c1), ==, 0x2a);
}

static void test_dac_turns(void)
{
	g_autoptr(vga_fixture) f = fixture_new();

	fixture_out(f, 0x3c8, 0xff);
	for (unsigned i = 1; i <= 6; i++)
		fixture_out(f, 0x3c9, i);
	g_assert_cmphex(fixture_in(f, 0x3c8), ==, 0x01); /* went on at 0 */
	g_assert_cmphex(fixture_in(f, 0x3c7), ==, 0);
	fixture_out(f, 0x3c7, 0xff);
	g_assert_cmphex(fixture_in(f, 0x3c7), ==, 3);
	for (unsigned i = 1; i <= 6; i++)
		g_assert_cmphex(fixture_in(f, 0x3c9), ==, i);
}

/* Guests wait for the retrace to end and to begin; both come within a few looks. */
static void test_retrace_comes(void)
{
	g_autoptr(vga_fixture) f = fixture_new();
	unsigned looks = 0;

	fixture_out(f, 0x3c2, 0x67);
	for (unsigned i = 0; i < 10; i++) {
		while (fixture_in(f, 0x3da) & 8)
			g_assert_cmpuint(looks++, <, 100);
		while (!(fixture_in(f, 0x3da) & 8))
			g_assert_cmpuint(looks++, <, 100);
		while (fixture_in(f, 0x3da) & 1)
			g_assert_cmpuint(looks++, <, 100);
		while (!(fixture_in(f, 0x3da) & 1))
			g_assert_cmpuint(looks++, <, 100);
	}
}

static void test_monochrome_ports(void)
{
	g_autoptr(vga_fixture) f = fixture_new();

	fixture_out(f, 0x3c2, 0x66);
	fixture_set(f, 0x3b4, 0x0f, 0x12);
	g_assert_cmphex(fixture_in(f, 0x3b5), ==, 0x12);
	g_assert_cmphex(fixture_in(f, 0x3d5), ==, 0xff);
	fixture_out(f, 0x3c2, 0x67);
	g_assert_cmphex(fixture_in(f, 0x3d5), ==, 0x12);
	g_assert_cmphex(fixture_in(f, 0x3b5), ==, 0xff);
	g_assert_cmphex(fixture_in(f, 0x3b0), ==, 0xff);
}

static void mmio_write(struct fixture *f, uint32_t offset, unsigned size, uint32_t value)
{
	g_mutex_lock(&f->lock);
	vga_mmio_write(f->vga, offset, size, value);
	g_mutex_unlock(&f->lock);
}

static uint32_t mmio_read(struct fixture *f, uint32_t offset, unsigned size)
{
	uint32_t value;

	g_mutex_lock(&f->lock);
	value = vga_mmio_read(f->vga, offset, size);
	g_mutex_unlock(&f->lock);
	return value;
}

/* As Linux's bochs driver does with a device that has BAR 2. */
static void test_mmio(void)
{
	g_autoptr(vga_fixture) f = fixture_new();
	struct head_ui_info wish = { .width = 1600, .height = 900 };
	uint32_t width, height;

	g_assert_cmphex(mmio_read(f, 0x600, 4), ==, 8);
	mmio_write(f, 0x604, 4, 0x1e1e1e1e);
	g_assert_cmphex(mmio_read(f, 0x500, 2) & 0xfff0, ==, 0xb0c0);
	g_assert_cmphex(mmio_read(f, 0x514, 2), ==, FIXTURE_MEMORY / 65536);
	g_assert_cmphex(mmio_read(f, 0, 4), ==, 0xffffff00);
	g_assert_cmphex(mmio_read(f, 0x516, 2), ==, 0);
	g_assert_cmphex(mmio_read(f, 0x300, 4), ==, 0);

	mmio_write(f, 0x402, 1, 0x01);
	mmio_read(f, 0x41a, 1);
	mmio_write(f, 0x400, 1, 0x20);
	mmio_write(f, 0x508, 2, 0);
	mmio_write(f, 0x506, 2, 32);
	mmio_write(f, 0x502, 2, 1280);
	mmio_write(f, 0x504, 2, 800);
	mmio_write(f, 0x50a, 2, 0);
	mmio_write(f, 0x50c, 2, 1280);
	mmio_write(f, 0x50e, 2, 800);
	mmio_write(f, 0x510, 2, 0);
	mmio_write(f, 0x512, 2, 0);
	mmio_write(f, 0x508, 2, DISPI_ENABLED | DISPI_LINEAR);
	fixture_size(f, &width, &height);
	g_assert_cmpuint(width, ==, 1280);
	g_assert_cmpuint(height, ==, 800);

	mmio_write(f, 0x404, 2, 0x0502); /* a word is index and data */
	g_assert_cmphex(mmio_read(f, 0x404, 2), ==, 0x0502);

	head_set_ui_info(vga_head(f->vga), &wish);
	g_assert_cmphex(mmio_read(f, 54 + 2, 1), ==, 1600 & 0xff);
	g_assert_cmphex(mmio_read(f, 54 + 4, 1) >> 4, ==, 1600 >> 8);
}

static void test_reset(void)
{
	g_autoptr(vga_fixture) f = fixture_new();
	uint32_t width, height;

	for (unsigned i = 0; i < 3; i++) {
		fixture_vbe(f, 1024, 768, 32, DISPI_ENABLED);
		g_mutex_lock(&f->lock);
		vga_reset(f->vga);
		g_mutex_unlock(&f->lock);
		g_assert_cmphex(fixture_dispi_read(f, DISPI_ENABLE), ==, 0);
		g_assert_cmphex(fixture_dispi_read(f, DISPI_ID), ==, 0xb0c5);
		fixture_size(f, &width, &height);
		g_assert_cmpuint(width, ==, 640);
		g_assert_cmpuint(height, ==, 480);
		g_assert_cmphex(fixture_pixel(f, 0, 0), ==, 0);
	}
}

static void test_state(void)
{
	g_autoptr(vga_fixture) f = fixture_new();
	struct vga_state states[VGA_STATES];

	fixture_vbe(f, 1024, 768, 32, DISPI_ENABLED);
	g_mutex_lock(&f->lock);
	vga_states(f->vga, states);
	for (unsigned i = 0; i < VGA_STATES; i++)
		for (const struct state_field *field = states[i].fields; field->name; field++)
			g_assert_cmpuint(field->count, >, 0);
	g_assert_true(vga_state_loaded(f->vga));
	g_mutex_unlock(&f->lock);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(masks); i++)
		g_test_add_data_func(masks[i].name, &masks[i], check_mask);
	g_test_add_func("/vga/registers/crtc-lock", test_crtc_lock);
	g_test_add_func("/vga/registers/attribute-turns", test_attribute_turns);
	g_test_add_func("/vga/registers/dac-turns", test_dac_turns);
	g_test_add_func("/vga/registers/retrace-comes", test_retrace_comes);
	g_test_add_func("/vga/registers/monochrome-ports", test_monochrome_ports);
	g_test_add_func("/vga/registers/mmio", test_mmio);
	g_test_add_func("/vga/registers/reset", test_reset);
	g_test_add_func("/vga/registers/state", test_state);
	return g_test_run();
}
