/* VGA text modes, set as a BIOS and as Linux's console do. */
#include "tests/unit/display/devices/vga-fixture.h"

#include <string.h>

enum {
	BLACK = 0x000000,
	BLUE = 0x0000aa,
	GREY = 0xaaaaaa,
	WHITE = 0xffffff,
	RED = 0xaa0000,
	YELLOW = 0xffff55,
};

static const uint8_t full[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t corner[16] = { 0x80 };
static const uint8_t right_edge[16] = { 0x01, 0x01 };

static struct fixture *text_fixture(void)
{
	struct fixture *fixture = fixture_new();

	fixture_mode(fixture, &mode_text);
	fixture_colours(fixture);
	fixture_set(fixture, 0x3d4, 0x0a, 0x20);
	fixture_font(fixture, 0, 'F', full);
	fixture_font(fixture, 0, 'C', corner);
	fixture_font(fixture, 0, 'R', right_edge);
	fixture_font(fixture, 0, 0xc4, right_edge);
	return fixture;
}

static void test_size(void)
{
	g_autoptr(vga_fixture) f = text_fixture();
	uint32_t width, height;

	fixture_size(f, &width, &height);
	g_assert_cmpuint(width, ==, 720);
	g_assert_cmpuint(height, ==, 400);
}

static void test_colours(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_text(f, 0, 'F', 0x07);
	fixture_text(f, 81, 'C', 0x1e);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 7, 15), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 8, 0), ==, BLACK); /* the ninth dot is background */
	g_assert_cmphex(fixture_pixel(f, 0, 16), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 9, 16), ==, YELLOW);
	g_assert_cmphex(fixture_pixel(f, 10, 16), ==, BLUE);
	g_assert_cmphex(fixture_pixel(f, 9, 17), ==, BLUE);
}

static void test_ninth_dot(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_text(f, 0, 0xc4, 0x07);
	fixture_text(f, 1, 'R', 0x07);
	g_assert_cmphex(fixture_pixel(f, 7, 0), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 8, 0), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 9 + 7, 0), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 9 + 8, 0), ==, BLACK);
	fixture_attribute(f, 0x10, 0x08);
	g_assert_cmphex(fixture_pixel(f, 8, 0), ==, BLACK);
}

static void test_eight_dots(void)
{
	g_autoptr(vga_fixture) f = text_fixture();
	uint32_t width, height;

	fixture_set(f, 0x3c4, 1, 1);
	fixture_text(f, 1, 'F', 0x07);
	fixture_size(f, &width, &height);
	g_assert_cmpuint(width, ==, 640);
	g_assert_cmphex(fixture_pixel(f, 7, 0), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 8, 0), ==, GREY);
}

static void test_scrolling(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_text(f, 80, 'F', 0x07);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, BLACK);
	fixture_set(f, 0x3d4, 0x0d, 80);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 0, 16), ==, BLACK);
}

static void test_cursor(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_text(f, 2, ' ', 0x04);
	fixture_set(f, 0x3d4, 0x0a, 0x0d);
	fixture_set(f, 0x3d4, 0x0b, 0x0e);
	fixture_set(f, 0x3d4, 0x0f, 2);
	g_assert_cmphex(fixture_pixel(f, 18, 12), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 18, 13), ==, RED);
	g_assert_cmphex(fixture_pixel(f, 26, 14), ==, RED);
	g_assert_cmphex(fixture_pixel(f, 18, 15), ==, BLACK);
	f->time = 8 * 14268 + 1;
	g_assert_cmphex(fixture_pixel(f, 18, 13), ==, BLACK);
	f->time = 16 * 14268 + 1;
	g_assert_cmphex(fixture_pixel(f, 18, 13), ==, RED);
	fixture_set(f, 0x3d4, 0x0a, 0x20);
	g_assert_cmphex(fixture_pixel(f, 18, 13), ==, BLACK);
}

static void test_blinking(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_text(f, 0, 'F', 0x87);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, GREY);
	f->time = 16 * 14268 + 1;
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, BLACK);
	fixture_attribute(f, 0x10, 0x04); /* the bit is the background's intensity now */
	fixture_text(f, 0, ' ', 0xf7);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, WHITE);
}

static void test_two_fonts(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_font(f, 2, 'C', full); /* font number 2 lies third in plane 2 */
	fixture_text(f, 0, 'C', 0x0f);
	fixture_text(f, 1, 'C', 0x07);
	g_assert_cmphex(fixture_pixel(f, 1, 0), ==, BLACK);
	fixture_set(f, 0x3c4, 3, 0x04);
	g_assert_cmphex(fixture_pixel(f, 1, 0), ==, WHITE);
	g_assert_cmphex(fixture_pixel(f, 9 + 1, 0), ==, BLACK);
}

static void test_font_upload_redraws(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_text(f, 0, 'C', 0x07);
	g_assert_cmphex(fixture_pixel(f, 1, 1), ==, BLACK);
	fixture_font(f, 0, 'C', full);
	g_assert_cmphex(fixture_pixel(f, 1, 1), ==, GREY);
}

static void test_forty_columns(void)
{
	g_autoptr(vga_fixture) f = text_fixture();
	uint32_t width, height;

	fixture_set(f, 0x3d4, 0x11, 0);
	fixture_set(f, 0x3d4, 1, 39);
	fixture_set(f, 0x3d4, 0x13, 20);
	fixture_set(f, 0x3c4, 1, 0x08);
	fixture_text(f, 41, 'C', 0x07);
	fixture_size(f, &width, &height);
	g_assert_cmpuint(width, ==, 720);
	g_assert_cmphex(fixture_pixel(f, 17, 16), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 18, 16), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 19, 16), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 20, 16), ==, BLACK);
}

static void test_split(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_text(f, 0, 'F', 0x07);
	fixture_set(f, 0x3d4, 0x0d, 80); /* the first row is above the picture ... */
	fixture_set(f, 0x3d4, 0x07, 0x0f);
	fixture_set(f, 0x3d4, 0x09, 0x0f);
	fixture_set(f, 0x3d4, 0x18, 199); /* ... and shown again from line 200 on */
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 0, 199), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 0, 200), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 0, 215), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 0, 216), ==, BLACK);
}

static void test_panning(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_text(f, 0, 'F', 0x07);
	fixture_text(f, 80, 'F', 0x07); /* as is the column behind the last of row 0 */
	fixture_attribute(f, 0x13, 2);  /* three dots, as nine make a cell */
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 4, 0), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 5, 0), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 716, 0), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 717, 0), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 719, 0), ==, GREY);
	fixture_attribute(f, 0x13, 8); /* none */
	g_assert_cmphex(fixture_pixel(f, 7, 0), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 717, 0), ==, BLACK);
	fixture_set(f, 0x3c4, 1, 1); /* eight dots a cell */
	fixture_attribute(f, 0x13, 2);
	g_assert_cmphex(fixture_pixel(f, 5, 0), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 6, 0), ==, BLACK);
}

static void test_character_panning(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_text(f, 2, 'F', 0x07);
	fixture_set(f, 0x3d4, 0x08, 0x40);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, GREY);
	fixture_set(f, 0x3d4, 0x08, 0x00);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, BLACK);
}

static void test_smooth_scrolling(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_text(f, 80, 'C', 0x07);
	fixture_set(f, 0x3d4, 0x08, 5);
	g_assert_cmphex(fixture_pixel(f, 0, 11), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 0, 16), ==, BLACK);
}

/* A status line below a text that scrolls: it stands still only when panning stops at the split. */
static void test_split_panning(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_text(f, 0, 'F', 0x07);
	fixture_set(f, 0x3d4, 0x07, 0x0f);
	fixture_set(f, 0x3d4, 0x09, 0x0f);
	fixture_set(f, 0x3d4, 0x18, 199);
	fixture_attribute(f, 0x13, 2);
	g_assert_cmphex(fixture_pixel(f, 5, 0), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 5, 200), ==, BLACK);
	fixture_attribute(f, 0x10, 0x2c);
	g_assert_cmphex(fixture_pixel(f, 5, 0), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 5, 200), ==, GREY);
	fixture_set(f, 0x3d4, 0x08, 0x20);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 0, 200), ==, GREY);
	fixture_attribute(f, 0x10, 0x0c);
	g_assert_cmphex(fixture_pixel(f, 0, 200), ==, BLACK);
}

static void test_cursor_skew(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_text(f, 3, ' ', 0x04);
	fixture_set(f, 0x3d4, 0x0a, 0x0d);
	fixture_set(f, 0x3d4, 0x0b, 0x2e);
	fixture_set(f, 0x3d4, 0x0f, 2);
	g_assert_cmphex(fixture_pixel(f, 18, 13), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 27, 13), ==, RED);
}

static void test_many_columns(void)
{
	g_autoptr(vga_fixture) f = text_fixture();
	uint32_t width, height;

	fixture_set(f, 0x3d4, 0x11, 0);
	fixture_set(f, 0x3d4, 1, 131);
	fixture_set(f, 0x3d4, 0x13, 66);
	fixture_set(f, 0x3c4, 1, 0x01);
	fixture_text(f, 132 + 131, 'F', 0x07);
	fixture_size(f, &width, &height);
	g_assert_cmpuint(width, ==, 1056);
	g_assert_cmphex(fixture_pixel(f, 1047, 16), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 1048, 16), ==, GREY);
	g_assert_cmphex(fixture_pixel(f, 1055, 31), ==, GREY);
}

static void test_plane_enable(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_text(f, 0, 'F', 0x0f);
	fixture_attribute(f, 0x12, 0x04);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, RED);
}

static void test_monochrome(void)
{
	g_autoptr(vga_fixture) f = fixture_new();
	uint8_t character;

	fixture_mode(f, &mode_text_mono);
	fixture_colours(f);
	g_mutex_lock(&f->lock);
	vga_window_write(f->vga, 0x10000, 2, 0x0141);
	character = vga_window_read(f->vga, 0x10000, 1);
	g_assert_cmphex(vga_window_read(f->vga, 0x18000, 1), ==, 0xff);
	g_mutex_unlock(&f->lock);
	g_assert_cmphex(character, ==, 'A');
	fixture_set(f, 0x3b4, 0x0a, 0x20);
	g_assert_cmphex(fixture_pixel(f, 0, 14), ==, BLACK);
	g_assert_cmphex(fixture_pixel(f, 0, 15), ==, 0x000055); /* underlined */
}

static void test_blank(void)
{
	g_autoptr(vga_fixture) f = text_fixture();
	uint32_t width, height;

	fixture_text(f, 0, 'F', 0x07);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, GREY);
	fixture_in(f, 0x3da);
	fixture_out(f, 0x3c0, 0x00);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, BLACK);
	fixture_size(f, &width, &height);
	g_assert_cmpuint(width, ==, 720);
	fixture_in(f, 0x3da);
	fixture_out(f, 0x3c0, 0x20);
	g_assert_cmphex(fixture_pixel(f, 0, 0), ==, GREY);
}

/* The guest writes into the plain window as into memory. */
static void test_plain_window(void)
{
	g_autoptr(vga_fixture) f = text_fixture();
	struct vga_plain_window plain;
	unsigned serial;
	uint8_t *window;

	fixture_text(f, 3, 'F', 0x07);
	g_mutex_lock(&f->lock);
	serial = vga_window_serial(f->vga);
	g_assert_true(vga_window_plain(f->vga, &plain));
	g_assert_cmphex(plain.window_offset, ==, 0x18000);
	g_assert_cmphex(plain.length, ==, 0x8000);
	window = video_memory_bytes(plain.memory) + plain.memory_offset;
	g_assert_cmphex(window[6], ==, 'F');
	window[8] = 'F';
	window[9] = 0x04;
	g_mutex_unlock(&f->lock);
	g_assert_cmphex(fixture_pixel(f, 4 * 9, 0), ==, RED);

	fixture_font(f, 0, 'X', full);
	g_assert_cmpuint(vga_window_serial(f->vga), !=, serial);
	g_mutex_lock(&f->lock);
	g_assert_true(vga_window_plain(f->vga, &plain));
	g_assert_cmphex(vga_window_read(f->vga, 0x18008, 2), ==, 0x0446);
	g_mutex_unlock(&f->lock);
	g_assert_cmphex(video_memory_bytes(f->memory)[4 * 4], ==, 'F');
	g_assert_cmphex(video_memory_bytes(f->memory)[4 * 4 + 1], ==, 0x04);
	g_assert_cmphex(fixture_pixel(f, 4 * 9, 0), ==, RED);
}

static void check_damage(struct fixture *f, int x, int y, int width, int height)
{
	pixman_box32_t box = *pixman_region32_extents(&f->damage);

	g_assert_cmpint(box.x1, ==, x);
	g_assert_cmpint(box.y1, ==, y);
	g_assert_cmpint(box.x2, ==, x + width);
	g_assert_cmpint(box.y2, ==, y + height);
}

static void test_damage(void)
{
	g_autoptr(vga_fixture) f = text_fixture();

	fixture_watch(f);
	fixture_settle(f);
	g_assert_false(pixman_region32_not_empty(&f->damage));
	fixture_text(f, 80 * 2 + 5, 'F', 0x07);
	fixture_settle(f);
	g_assert_cmpuint(f->scanouts, ==, 0);
	check_damage(f, 45, 32, 9, 16);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/vga/text/size", test_size);
	g_test_add_func("/vga/text/colours", test_colours);
	g_test_add_func("/vga/text/ninth-dot", test_ninth_dot);
	g_test_add_func("/vga/text/eight-dots", test_eight_dots);
	g_test_add_func("/vga/text/scrolling", test_scrolling);
	g_test_add_func("/vga/text/cursor", test_cursor);
	g_test_add_func("/vga/text/blinking", test_blinking);
	g_test_add_func("/vga/text/two-fonts", test_two_fonts);
	g_test_add_func("/vga/text/font-upload", test_font_upload_redraws);
	g_test_add_func("/vga/text/forty-columns", test_forty_columns);
	g_test_add_func("/vga/text/split", test_split);
	g_test_add_func("/vga/text/panning", test_panning);
	g_test_add_func("/vga/text/character-panning", test_character_panning);
	g_test_add_func("/vga/text/smooth-scrolling", test_smooth_scrolling);
	g_test_add_func("/vga/text/split-panning", test_split_panning);
	g_test_add_func("/vga/text/cursor-skew", test_cursor_skew);
	g_test_add_func("/vga/text/many-columns", test_many_columns);
	g_test_add_func("/vga/text/plane-enable", test_plane_enable);
	g_test_add_func("/vga/text/monochrome", test_monochrome);
	g_test_add_func("/vga/text/blank", test_blank);
	g_test_add_func("/vga/text/plain-window", test_plain_window);
	g_test_add_func("/vga/text/damage", test_damage);
	return g_test_run();
}
