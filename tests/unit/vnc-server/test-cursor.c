/* A guest's cursor in the two forms that clients know, byte by byte. */
#include "vnc-server/cursor.h"

#include "tests/unit/bytes.h"

static struct cursor *make(uint32_t width, uint32_t height, const uint32_t *pixels)
{
	struct cursor *cursor = cursor_new(width, height, 1, 0);

	memcpy(cursor->pixels, pixels, (size_t)width * height * sizeof(*pixels));
	return cursor;
}

static void expect(const GByteArray *out, const char *hex)
{
	g_autoptr(GBytes) expected = bytes_from_hex(hex);

	g_assert_cmpmem(
		out->data, out->len, g_bytes_get_data(expected, NULL), g_bytes_get_size(expected));
}

/* Opaque, half transparent (premultiplied), nearly transparent, transparent. */
static const uint32_t pixels[] = { 0xff112233, 0x80402000, 0x7f7f0000, 0x00000000 };

static void test_alpha(void)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	struct cursor *cursor = make(2, 2, pixels);

	cursor_write_alpha(out, cursor);
	expect(out, "0001 0000 0002 0002 fffffec6 00000000 112233ff 40200080 7f00007f 00000000");
	g_byte_array_set_size(out, 0);
	/* No cursor still says how its pixels would be encoded. */
	cursor_write_alpha(out, NULL);
	expect(out, "0000 0000 0000 0000 fffffec6 00000000");
	cursor_unref(cursor);
}

static void test_mask(void)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	struct cursor *cursor = make(2, 2, pixels);
	struct pixel_converter converter;

	/* Colours as they were before they were multiplied; a bit for each pixel that is more opaque than not. */
	pixel_converter_init(&converter, &pixel_format_native);
	cursor_write(out, &converter, cursor);
	expect(out, "0001 0000 0002 0002 ffffff11 33221100 00408000 0000ff00 00000000 c0 00");
	g_byte_array_set_size(out, 0);
	pixel_converter_init(&converter, &pixel_format_mapped);
	cursor_write(out, &converter, NULL);
	expect(out, "0000 0000 0000 0000 ffffff11");
	cursor_unref(cursor);
}

static void test_mask_rows(void)
{
	uint32_t row[18];
	g_autoptr(GByteArray) out = g_byte_array_new();
	struct cursor *cursor;
	struct pixel_converter converter;

	for (int i = 0; i < 18; i++)
		row[i] = i % 9 == 8 || i == 0 ? 0xffffffff : 0;
	cursor = make(9, 2, row);
	pixel_converter_init(&converter, &pixel_format_mapped);
	cursor_write(out, &converter, cursor);
	g_assert_cmpuint(out->len, ==, 12 + 18 + 4);
	g_assert_cmphex(out->data[30], ==, 0x80);
	g_assert_cmphex(out->data[31], ==, 0x80);
	g_assert_cmphex(out->data[32], ==, 0x00);
	g_assert_cmphex(out->data[33], ==, 0x80);
	cursor_unref(cursor);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cursor/alpha", test_alpha);
	g_test_add_func("/cursor/mask", test_mask);
	g_test_add_func("/cursor/mask-rows", test_mask_rows);
	return g_test_run();
}
