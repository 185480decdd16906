/* The bounded reader: what it gives inside its bytes, and that it gives nothing outside. */
#include "base/reader.h"

#include "tests/unit/bytes.h"

static void test_numbers(void)
{
	g_autoptr(GBytes) bytes = bytes_from_hex("01 0203 04050607 fffffffe 0100 02000000");
	struct reader in = reader_from_bytes(bytes);

	g_assert_cmphex(reader_u8(&in), ==, 0x01);
	g_assert_cmphex(reader_u16(&in), ==, 0x0203);
	g_assert_cmphex(reader_u32(&in), ==, 0x04050607);
	g_assert_cmpint(reader_i32(&in), ==, -2);
	g_assert_cmpuint(reader_le16(&in), ==, 1);
	g_assert_cmpuint(reader_le32(&in), ==, 2);
	g_assert_cmpuint(reader_left(&in), ==, 0);
	g_assert_cmpint(reader_result(&in), ==, PARSE_DONE);
}

static void test_past_the_end(void)
{
	g_autoptr(GBytes) bytes = bytes_from_hex("01 02 03");
	struct reader in = reader_from_bytes(bytes);

	g_assert_cmphex(reader_u32(&in), ==, 0);
	g_assert_cmpint(reader_result(&in), ==, PARSE_MORE);
	/* Having run out once, it does not come back to life with a smaller read. */
	g_assert_cmphex(reader_u8(&in), ==, 0);
	g_assert_null(reader_bytes(&in, SIZE_MAX));
}

static void test_first_error_stays(void)
{
	struct reader in = reader_from("", 0);

	g_assert_cmpint(parse_error(&in, "number %d", 1), ==, PARSE_ERROR);
	parse_error(&in, "number %d", 2);
	g_assert_cmpint(reader_result(&in), ==, PARSE_ERROR);
	g_assert_cmpstr(in.error, ==, "number 1");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/reader/numbers", test_numbers);
	g_test_add_func("/reader/past-the-end", test_past_the_end);
	g_test_add_func("/reader/first-error-stays", test_first_error_stays);
	return g_test_run();
}
