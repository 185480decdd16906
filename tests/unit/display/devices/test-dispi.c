/* Bochs VBE registers: tables of writes, what they read back as, and the picture that they make. */
#include "display/devices/dispi.h"

#include <glib.h>

enum {
	MIBIBYTE = 1024 * 1024,
	MEMORY = 16 * MIBIBYTE,
	ON = DISPI_ENABLED | DISPI_LINEAR,
};

struct register_write {
	uint16_t index, value;
};

/* Writes to a fresh interface, and what one register reads then. */
static const struct {
	const char *name;
	enum dispi_variant variant;
	struct register_write writes[8]; /* ended by ID = 0 */
	uint16_t index, reads;
} reads[] = {
	{ "/dispi/read/identifier", DISPI_FULL, {}, DISPI_ID, 0xb0c5 },
	{ "/dispi/read/older-identifier", DISPI_FULL, { { DISPI_ID, 0xb0c0 } }, DISPI_ID, 0xb0c0 },
	{ "/dispi/read/no-identifier", DISPI_FULL, { { DISPI_ID, 0xb0c6 } }, DISPI_ID, 0xb0c5 },
	{ "/dispi/read/fixed-identifier", DISPI_LINEAR_ONLY, { { DISPI_ID, 0xb0c0 } }, DISPI_ID,
		0xb0c5 },
	{ "/dispi/read/memory", DISPI_FULL, {}, DISPI_VIDEO_MEMORY_64K, 256 },
	{ "/dispi/read/no-register", DISPI_FULL, { { 0x20, 5 } }, 0x20, 0 },
	{ "/dispi/read/capability-width", DISPI_FULL, { { DISPI_ENABLE, DISPI_GET_CAPABILITIES } },
		DISPI_XRES, 16000 },
	{ "/dispi/read/capability-height", DISPI_FULL, { { DISPI_ENABLE, DISPI_GET_CAPABILITIES } },
		DISPI_YRES, 12000 },
	{ "/dispi/read/capability-depth", DISPI_LINEAR_ONLY,
		{ { DISPI_ENABLE, DISPI_GET_CAPABILITIES } }, DISPI_BPP, 32 },
	{ "/dispi/read/stored-while-off", DISPI_FULL, { { DISPI_XRES, 1021 } }, DISPI_XRES, 1021 },
	{ "/dispi/read/width-in-steps", DISPI_FULL,
		{ { DISPI_XRES, 1366 }, { DISPI_YRES, 768 }, { DISPI_BPP, 32 },
			{ DISPI_ENABLE, ON } },
		DISPI_XRES, 1360 },
	{ "/dispi/read/virtual-width", DISPI_FULL,
		{ { DISPI_XRES, 1024 }, { DISPI_YRES, 768 }, { DISPI_BPP, 32 },
			{ DISPI_VIRTUAL_WIDTH, 2048 }, { DISPI_ENABLE, ON } },
		DISPI_VIRTUAL_WIDTH, 1024 },
	{ "/dispi/read/virtual-height", DISPI_FULL,
		{ { DISPI_XRES, 1024 }, { DISPI_YRES, 768 }, { DISPI_BPP, 32 },
			{ DISPI_ENABLE, ON } },
		DISPI_VIRTUAL_HEIGHT, 4096 },
	{ "/dispi/read/height-fits", DISPI_FULL,
		{ { DISPI_XRES, 4096 }, { DISPI_YRES, 12000 }, { DISPI_BPP, 32 },
			{ DISPI_ENABLE, ON } },
		DISPI_YRES, 1024 },
	{ "/dispi/read/offset-fits", DISPI_FULL,
		{ { DISPI_XRES, 1024 }, { DISPI_YRES, 768 }, { DISPI_BPP, 32 },
			{ DISPI_ENABLE, ON }, { DISPI_Y_OFFSET, 65535 } },
		DISPI_Y_OFFSET, 4096 - 768 },
	{ "/dispi/read/odd-depth", DISPI_FULL,
		{ { DISPI_XRES, 640 }, { DISPI_YRES, 480 }, { DISPI_BPP, 17 },
			{ DISPI_ENABLE, ON } },
		DISPI_BPP, 8 },
	{ "/dispi/read/depth-while-off", DISPI_FULL, { { DISPI_BPP, 4 } }, DISPI_BPP, 4 },
	{ "/dispi/read/bank-ends-with-the-mode", DISPI_FULL,
		{ { DISPI_XRES, 640 }, { DISPI_YRES, 480 }, { DISPI_BPP, 8 },
			{ DISPI_ENABLE, DISPI_ENABLED }, { DISPI_BANK, 3 }, { DISPI_ENABLE, 0 } },
		DISPI_BANK, 0 },
};

static void write_all(struct dispi *dispi, const struct register_write *writes, unsigned most)
{
	for (unsigned i = 0; i < most && writes[i].index + writes[i].value != 0; i++)
		dispi_write(dispi, writes[i].index, writes[i].value);
}

static void check_read(gconstpointer data)
{
	const typeof(reads[0]) *c = data;
	struct dispi dispi;

	dispi_init(&dispi, c->variant, MEMORY);
	write_all(&dispi, c->writes, G_N_ELEMENTS(c->writes));
	g_assert_cmphex(dispi_read(&dispi, c->index), ==, c->reads);
}

/* Writes, and the picture: width 0 is none. */
static const struct {
	const char *name;
	enum dispi_variant variant;
	struct register_write writes[10];
	struct scanout scanout;
} pictures[] = {
	{ "/dispi/picture/off", DISPI_FULL,
		{ { DISPI_XRES, 640 }, { DISPI_YRES, 480 }, { DISPI_BPP, 32 } }, {} },
	{ "/dispi/picture/32", DISPI_FULL,
		{ { DISPI_XRES, 1024 }, { DISPI_YRES, 768 }, { DISPI_BPP, 32 },
			{ DISPI_ENABLE, ON } },
		{ 1024, 768, 4096, 0, PIXMAN_x8r8g8b8 } },
	{ "/dispi/picture/24", DISPI_FULL,
		{ { DISPI_XRES, 800 }, { DISPI_YRES, 600 }, { DISPI_BPP, 24 },
			{ DISPI_ENABLE, ON } },
		{ 800, 600, 2400, 0, PIXMAN_r8g8b8 } },
	{ "/dispi/picture/16", DISPI_FULL,
		{ { DISPI_XRES, 800 }, { DISPI_YRES, 600 }, { DISPI_BPP, 16 },
			{ DISPI_ENABLE, ON } },
		{ 800, 600, 1600, 0, PIXMAN_r5g6b5 } },
	{ "/dispi/picture/15", DISPI_FULL,
		{ { DISPI_XRES, 800 }, { DISPI_YRES, 600 }, { DISPI_BPP, 15 },
			{ DISPI_ENABLE, ON } },
		{ 800, 600, 1600, 0, PIXMAN_x1r5g5b5 } },
	{ "/dispi/picture/8-is-not-for-consumers", DISPI_FULL,
		{ { DISPI_XRES, 800 }, { DISPI_YRES, 600 }, { DISPI_BPP, 8 },
			{ DISPI_ENABLE, ON } },
		{} },
	{ "/dispi/picture/flipped", DISPI_FULL,
		{ { DISPI_XRES, 1024 }, { DISPI_YRES, 768 }, { DISPI_BPP, 32 },
			{ DISPI_ENABLE, ON }, { DISPI_VIRTUAL_WIDTH, 1280 }, { DISPI_X_OFFSET, 8 },
			{ DISPI_Y_OFFSET, 768 } },
		{ 1024, 768, 5120, 768 * 5120 + 32, PIXMAN_x8r8g8b8 } },
	{ "/dispi/picture/last-row-may-end-the-memory", DISPI_LINEAR_ONLY,
		{ { DISPI_XRES, 1024 }, { DISPI_YRES, 1024 }, { DISPI_BPP, 32 },
			{ DISPI_ENABLE, ON }, { DISPI_Y_OFFSET, 3072 } },
		{ 1024, 1024, 4096, 3072 * 4096, PIXMAN_x8r8g8b8 } },
	{ "/dispi/picture/one-row-too-far", DISPI_LINEAR_ONLY,
		{ { DISPI_XRES, 1024 }, { DISPI_YRES, 1024 }, { DISPI_BPP, 32 },
			{ DISPI_ENABLE, ON }, { DISPI_Y_OFFSET, 3073 } },
		{} },
	{ "/dispi/picture/too-narrow", DISPI_LINEAR_ONLY,
		{ { DISPI_XRES, 63 }, { DISPI_YRES, 64 }, { DISPI_BPP, 32 }, { DISPI_ENABLE, ON } },
		{} },
	{ "/dispi/picture/least", DISPI_LINEAR_ONLY,
		{ { DISPI_XRES, 64 }, { DISPI_YRES, 64 }, { DISPI_BPP, 16 }, { DISPI_ENABLE, ON } },
		{ 64, 64, 128, 0, PIXMAN_r5g6b5 } },
	{ "/dispi/picture/linear-only-has-no-24", DISPI_LINEAR_ONLY,
		{ { DISPI_XRES, 640 }, { DISPI_YRES, 480 }, { DISPI_BPP, 24 },
			{ DISPI_ENABLE, ON } },
		{} },
	/* CVE-2016-3712: every register again after the interface is on. */
	{ "/dispi/picture/depth-changes-while-on", DISPI_FULL,
		{ { DISPI_XRES, 4096 }, { DISPI_YRES, 4096 }, { DISPI_BPP, 8 },
			{ DISPI_ENABLE, ON }, { DISPI_BPP, 32 } },
		{ 4096, 1024, 16384, 0, PIXMAN_x8r8g8b8 } },
	{ "/dispi/picture/virtual-width-changes-while-on", DISPI_FULL,
		{ { DISPI_XRES, 1024 }, { DISPI_YRES, 4096 }, { DISPI_BPP, 32 },
			{ DISPI_ENABLE, ON }, { DISPI_VIRTUAL_WIDTH, 16000 } },
		{ 1024, 262, 64000, 0, PIXMAN_x8r8g8b8 } },
	{ "/dispi/picture/x-offset-leads-out", DISPI_FULL,
		{ { DISPI_XRES, 1024 }, { DISPI_YRES, 4096 }, { DISPI_BPP, 32 },
			{ DISPI_ENABLE, ON }, { DISPI_X_OFFSET, 65535 } },
		{ 1024, 4096, 4096, 0, PIXMAN_x8r8g8b8 } },
	{ "/dispi/picture/wide-while-on", DISPI_FULL,
		{ { DISPI_XRES, 640 }, { DISPI_YRES, 480 }, { DISPI_BPP, 32 }, { DISPI_ENABLE, ON },
			{ DISPI_XRES, 65535 } },
		{ 16000, 262, 64000, 0, PIXMAN_x8r8g8b8 } },
};

static void check_picture(gconstpointer data)
{
	const typeof(pictures[0]) *c = data;
	struct scanout scanout = { 0 };
	struct dispi dispi;

	dispi_init(&dispi, c->variant, MEMORY);
	write_all(&dispi, c->writes, G_N_ELEMENTS(c->writes));
	g_assert_true(dispi_scanout(&dispi, &scanout) == (c->scanout.width != 0));
	g_assert_cmpuint(scanout.width, ==, c->scanout.width);
	g_assert_cmpuint(scanout.height, ==, c->scanout.height);
	g_assert_cmpuint(scanout.stride, ==, c->scanout.stride);
	g_assert_cmpuint(scanout.offset, ==, c->scanout.offset);
	g_assert_cmphex(scanout.format, ==, c->scanout.format);
}

/* Whatever is written in whatever order, a picture is inside the memory. */
static void test_any_order(void)
{
	struct dispi dispi;
	struct scanout scanout;

	for (unsigned size = 256 * 1024; size <= MEMORY; size *= 4) {
		dispi_init(&dispi, size & 0x400000 ? DISPI_LINEAR_ONLY : DISPI_FULL, size);
		for (unsigned i = 0; i < 200000; i++) {
			uint16_t index = g_test_rand_int_range(1, DISPI_REGISTERS);
			uint16_t value = g_test_rand_int();

			if (index == DISPI_BPP)
				value = (value % 5) * 8;
			if (index == DISPI_ENABLE)
				value |= DISPI_ENABLED;
			dispi_write(&dispi, index, value);
			g_assert_cmpuint(dispi_clear_length(&dispi), <=, size);
			if (dispi_scanout(&dispi, &scanout))
				g_assert_true(scanout_fits(&scanout, size));
		}
	}
}

static void test_effects(void)
{
	struct dispi dispi;

	dispi_init(&dispi, DISPI_FULL, MEMORY);
	dispi_write(&dispi, DISPI_XRES, 640);
	dispi_write(&dispi, DISPI_YRES, 480);
	dispi_write(&dispi, DISPI_BPP, 32);
	g_assert_cmphex(dispi_write(&dispi, DISPI_ENABLE, ON), ==,
		DISPI_CHANGED | DISPI_SWITCHED_ON | DISPI_CLEAR);
	g_assert_cmpuint(dispi_clear_length(&dispi), ==, 640 * 480 * 4);
	g_assert_cmphex(dispi_write(&dispi, DISPI_ENABLE, ON), ==, DISPI_CHANGED);
	g_assert_cmphex(dispi_write(&dispi, DISPI_ENABLE, 0), ==, DISPI_CHANGED);
	g_assert_cmphex(dispi_write(&dispi, DISPI_ENABLE, ON | DISPI_NO_CLEAR), ==,
		DISPI_CHANGED | DISPI_SWITCHED_ON);
	g_assert_cmphex(dispi_write(&dispi, DISPI_ID, 0xb0c4), ==, DISPI_NOTHING);
}

static void test_mmio_sizes(void)
{
	struct dispi dispi;

	dispi_init(&dispi, DISPI_FULL, MEMORY);
	dispi_mmio_write(&dispi, DISPI_XRES * 2, 4, 0x01e00280);
	g_assert_cmpuint(dispi_read(&dispi, DISPI_XRES), ==, 640);
	g_assert_cmpuint(dispi_read(&dispi, DISPI_YRES), ==, 480);
	g_assert_cmphex(dispi_mmio_read(&dispi, DISPI_XRES * 2, 4), ==, 0x01e00280);
	g_assert_cmphex(dispi_mmio_read(&dispi, DISPI_XRES * 2, 1), ==, 0x80);
	g_assert_cmphex(dispi_mmio_read(&dispi, DISPI_XRES * 2 + 1, 1), ==, 0x02);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(reads); i++)
		g_test_add_data_func(reads[i].name, &reads[i], check_read);
	for (size_t i = 0; i < G_N_ELEMENTS(pictures); i++)
		g_test_add_data_func(pictures[i].name, &pictures[i], check_picture);
	g_test_add_func("/dispi/any-order", test_any_order);
	g_test_add_func("/dispi/effects", test_effects);
	g_test_add_func("/dispi/mmio-sizes", test_mmio_sizes);
	return g_test_run();
}
