/* What broke VGAs elsewhere, done to this one the way the exploits did it.
 *
 * The video memory is the smallest there is and has pages without access before and behind it: whatever leads out of it ends
 * the test. Each case names the hole that it is about.
 */
#include <string.h>
#include <sys/mman.h>

#include "display/devices/dispi.h"
#include "display/devices/vga.h"
#include "tests/unit/display/devices/vga-fixture.h"

enum {
	GUARD = 64 * 1024,
	MMIO_DISPI = 0x500,
};

struct attack {
	GMutex lock;
	struct display *display;
	struct video_memory *memory;
	struct vga *vga;
	void *before, *behind;
};

static void *guard(uint8_t *address)
{
	return mmap(address, GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		-1, 0);
}

static void unguard(void *mapping)
{
	if (mapping != MAP_FAILED)
		munmap(mapping, GUARD);
}

static void setup(struct attack *a, gconstpointer data)
{
	struct vga_config config = { .label = "VGA" };

	g_mutex_init(&a->lock);
	a->memory = video_memory_new("VGA", VGA_MEMORY_LEAST, NULL);
	a->before = guard(video_memory_bytes(a->memory) - GUARD);
	a->behind = guard(video_memory_bytes(a->memory) + VGA_MEMORY_LEAST);
	a->display = display_new(&a->lock);
	g_mutex_lock(&a->lock);
	a->vga = vga_new(a->display, a->memory, &config, NULL);
	g_assert_nonnull(a->vga);
}

static void teardown(struct attack *a, gconstpointer data)
{
	vga_free(a->vga);
	g_mutex_unlock(&a->lock);
	display_free(a->display);
	unguard(a->before);
	unguard(a->behind);
	video_memory_unref(a->memory);
	g_mutex_clear(&a->lock);
}

static void set(struct attack *a, uint16_t port, uint8_t index, uint8_t value)
{
	vga_port_write(a->vga, port, 2, index | value << 8);
}

static void dispi(struct attack *a, uint16_t index, uint16_t value)
{
	vga_port_write(a->vga, 0x1ce, 2, index);
	vga_port_write(a->vga, 0x1cf, 2, value);
}

static uint16_t dispi_value(struct attack *a, uint16_t index)
{
	vga_port_write(a->vga, 0x1ce, 2, index);
	return vga_port_read(a->vga, 0x1cf, 2);
}

static void set_mode(struct attack *a, const struct mode_registers *mode)
{
	vga_port_write(a->vga, 0x3c2, 1, mode->misc | 1);
	for (unsigned i = 0; i < G_N_ELEMENTS(mode->sequencer); i++)
		set(a, 0x3c4, i, mode->sequencer[i]);
	set(a, 0x3d4, 0x11, 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(mode->crtc); i++)
		set(a, 0x3d4, i, mode->crtc[i]);
	for (unsigned i = 0; i < G_N_ELEMENTS(mode->graphics); i++)
		set(a, 0x3ce, i, mode->graphics[i]);
	vga_port_read(a->vga, 0x3da, 1);
	for (unsigned i = 0; i < G_N_ELEMENTS(mode->attribute); i++) {
		vga_port_write(a->vga, 0x3c0, 1, i);
		vga_port_write(a->vga, 0x3c0, 1, mode->attribute[i]);
	}
	vga_port_write(a->vga, 0x3c0, 1, 0x20);
}

/* Draws, and reads every pixel that a consumer would. */
static void look(struct attack *a)
{
	struct video_memory *memory;
	struct scanout scanout;

	g_mutex_unlock(&a->lock);
	if (head_picture(vga_head(a->vga), &memory, &scanout)) {
		uint32_t row_bytes = scanout.width * scanout_pixel_bytes(scanout.format);
		g_autofree uint8_t *row = g_malloc(row_bytes);

		g_assert_true(scanout_fits(&scanout, video_memory_size(memory)));
		for (uint32_t y = 0; y < scanout.height; y++)
			memcpy(row,
				video_memory_bytes(memory) + scanout.offset +
					(uint64_t)y * scanout.stride,
				row_bytes);
		video_memory_unref(memory);
	}
	g_mutex_lock(&a->lock);
}

/* Reads and writes at the ends and in the middle of all windows. */
static void touch_window(struct attack *a)
{
	static const uint32_t offsets[] = { 0, 0x7ff8, 0x8000, 0xfff8, 0x10000, 0x17ff8, 0x18000,
		0x1fff8 };
	struct vga_plain_window plain;

	for (size_t i = 0; i < G_N_ELEMENTS(offsets); i++)
		for (unsigned size = 1; size <= 8; size *= 2) {
			vga_window_write(a->vga, offsets[i] + 8 - size, size, 0x5555555555555555);
			vga_window_read(a->vga, offsets[i] + 8 - size, size);
		}
	if (!vga_window_plain(a->vga, &plain))
		return;
	g_assert_cmpuint(plain.memory_offset + plain.length, <=, video_memory_size(plain.memory));
	memset(video_memory_bytes(plain.memory) + plain.memory_offset, 0x55, plain.length);
}

/* CVE-2016-3710: a bank that was checked in one mode, used in another. */
static void test_dark_portal(struct attack *a, gconstpointer data)
{
	static const uint16_t banks[] = { 0, 1, 3, 4, 15, 16, 0xff, 0xffff };
	static const uint16_t depths[] = { 4, 8, 32 };

	for (size_t bank = 0; bank < G_N_ELEMENTS(banks); bank++)
		for (size_t depth = 0; depth < G_N_ELEMENTS(depths); depth++)
			for (unsigned window = 0; window < 4; window++) {
				dispi(a, DISPI_ENABLE, 0);
				dispi(a, DISPI_XRES, 256);
				dispi(a, DISPI_YRES, 200);
				dispi(a, DISPI_BPP, depths[depth]);
				dispi(a, DISPI_ENABLE, DISPI_ENABLED);
				dispi(a, DISPI_BANK, banks[bank]);
				set(a, 0x3ce, 6, window << 2 | 1);
				touch_window(a);
				set(a, 0x3c4, 4, 0x0e); /* chained under the bank */
				touch_window(a);
				set(a, 0x3c4, 4, 0x06);
				dispi(a, DISPI_BPP, 4);
				touch_window(a);
				set(a, 0x3ce, 5, 0x10);
				touch_window(a);
				dispi(a, DISPI_ENABLE, 0);
				touch_window(a);
				set(a, 0x3ce, 5, 0x00);
			}
}

/* CVE-2016-3712: one register after the other goes up while the interface is on. */
static void test_registers_while_on(struct attack *a, gconstpointer data)
{
	static const uint16_t values[] = { 0, 1, 7, 8, 255, 640, 16000, 16001, 0x7fff, 0x8000,
		0xffff };

	for (uint16_t depth = 0; depth <= 40; depth += 4)
		for (uint16_t first = DISPI_XRES; first < DISPI_REGISTERS; first++)
			for (uint16_t second = DISPI_XRES; second < DISPI_REGISTERS; second++) {
				uint16_t value = values[(depth + first) % G_N_ELEMENTS(values)];

				dispi(a, DISPI_ENABLE, 0);
				dispi(a, DISPI_XRES, 160);
				dispi(a, DISPI_YRES, 100);
				dispi(a, DISPI_BPP, depth);
				dispi(a, DISPI_ENABLE, DISPI_ENABLED | DISPI_NO_CLEAR);
				dispi(a, first, value);
				dispi(a, second, values[second % G_N_ELEMENTS(values)]);
				g_assert_cmpuint(dispi_value(a, DISPI_XRES), <=, DISPI_MAX_WIDTH);
				g_assert_cmpuint(dispi_value(a, DISPI_YRES), <=, DISPI_MAX_HEIGHT);
				look(a);
			}
}

static const struct mode_registers *const modes[] = { &mode_text, &mode_text_mono, &mode_cga,
	&mode_cga_mono, &mode_planar, &mode_planar_320, &mode_palette };

/* CVE-2017-13672, CVE-2018-5683, CVE-2018-7858: lines and rows of text that begin at the end of the memory. */
static void test_last_addresses(struct attack *a, gconstpointer data)
{
	static const uint8_t pitches[] = { 0, 1, 40, 80, 0xff };
	static const uint8_t widths[] = { 0, 79, 0xff };

	for (size_t mode = 0; mode < G_N_ELEMENTS(modes); mode++)
		for (size_t pitch = 0; pitch < G_N_ELEMENTS(pitches); pitch++)
			for (size_t width = 0; width < G_N_ELEMENTS(widths); width++) {
				set_mode(a, modes[mode]);
				set(a, 0x3d4, 0x11, 0);
				set(a, 0x3d4, 0x01, widths[width]);
				set(a, 0x3d4, 0x13, pitches[pitch]);
				set(a, 0x3d4, 0x0c, 0xff);
				set(a, 0x3d4, 0x0d, 0xff);
				set(a, 0x3d4, 0x0e, 0xff);
				set(a, 0x3d4, 0x0f, 0xff);
				set(a, 0x3d4, 0x0b, 0x7f);
				set(a, 0x3d4, 0x08, 0x7f);
				set(a, 0x3c4, 0x03, 0x3f);
				look(a);
			}
}

/* CVE-2017-13673: a split anywhere, the picture's start behind it or before it. */
static void test_splits(struct attack *a, gconstpointer data)
{
	for (size_t mode = 0; mode < G_N_ELEMENTS(modes); mode++)
		for (unsigned split = 0; split < 1024; split += 93) {
			set_mode(a, modes[mode]);
			set(a, 0x3d4, 0x11, 0);
			set(a, 0x3d4, 0x07, 0x0f | (split >> 4 & 0x10));
			set(a, 0x3d4, 0x09, (split >> 3 & 0x40) | (split & 0x9f));
			set(a, 0x3d4, 0x18, split & 0xff);
			set(a, 0x3d4, 0x0c, split);
			set(a, 0x3d4, 0x13, split);
			look(a);
		}
}

/* The tallest and the widest that the registers can say. */
static void test_largest(struct attack *a, gconstpointer data)
{
	for (size_t mode = 0; mode < G_N_ELEMENTS(modes); mode++) {
		set_mode(a, modes[mode]);
		set(a, 0x3d4, 0x11, 0);
		for (unsigned i = 0; i < 0x19; i++)
			set(a, 0x3d4, i, i == 0x11 ? 0 : 0xff);
		set(a, 0x3c4, 1, 0x08);
		look(a);
		set(a, 0x3d4, 0x09, 0x00); /* a row of text in each line */
		look(a);
	}
}

/* BAR 2: every offset and size, as the end of one block is the start of the next. */
static void test_registers_block(struct attack *a, gconstpointer data)
{
	for (unsigned size = 1; size <= 4; size *= 2)
		for (uint32_t offset = 0; offset + size <= VGA_MMIO_SIZE; offset++) {
			vga_mmio_read(a->vga, offset, size);
			vga_mmio_write(a->vga, offset, size, 0xffffffff);
		}
	for (uint16_t index = 0; index < 0x20; index++)
		vga_mmio_write(a->vga, MMIO_DISPI + 2 * index, 4, 0x41ffffff);
	look(a);
	for (uint16_t index = 0; index < 0x100; index++)
		dispi_value(a, index * 0x101);
}

/* What a saved state may hold that no guest can write. */
static void test_states(struct attack *a, gconstpointer data)
{
	struct vga_state states[VGA_STATES];

	set_mode(a, &mode_text);
	vga_states(a->vga, states);
	for (const struct state_field *field = states[1].fields; field->name; field++)
		if (field->type == STATE_TYPE_UINT16)
			memset((uint8_t *)states[1].base + field->offset, 0xff, 2 * field->count);
	g_assert_true(vga_state_loaded(a->vga));
	look(a);
	touch_window(a);
	for (const struct state_field *field = states[0].fields; field->name; field++)
		if (field->type == STATE_TYPE_UINT8)
			memset((uint8_t *)states[0].base + field->offset, 0xff, field->count);
	g_assert_false(vga_state_loaded(a->vga));
}

/* Files stand for what the host gave: each piece of video memory is two. */
static unsigned open_files(void)
{
	g_autoptr(GDir) folder = g_dir_open("/proc/self/fd", 0, NULL);
	unsigned count = 0;

	while (g_dir_read_name(folder))
		count++;
	return count;
}

/* CVE-2016-9846 and others of its kind: what a reset leaves behind adds up. */
static void test_resets(struct attack *a, gconstpointer data)
{
	unsigned files = 0;

	for (unsigned i = 0; i < 1000; i++) {
		set_mode(a, modes[i % G_N_ELEMENTS(modes)]);
		if (i % 50 == 0)
			look(a);
		vga_reset(a->vga);
		if (i == 50)
			files = open_files();
	}
	look(a);
	g_assert_cmpuint(open_files(), ==, files);
}

static void add(const char *name, void (*test)(struct attack *a, gconstpointer data))
{
	g_test_add(name, struct attack, NULL, setup, test, teardown);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/vga/attacks/dark-portal", test_dark_portal);
	add("/vga/attacks/registers-while-on", test_registers_while_on);
	add("/vga/attacks/last-addresses", test_last_addresses);
	add("/vga/attacks/splits", test_splits);
	add("/vga/attacks/largest", test_largest);
	add("/vga/attacks/registers-block", test_registers_block);
	add("/vga/attacks/states", test_states);
	add("/vga/attacks/resets", test_resets);
	return g_test_run();
}
