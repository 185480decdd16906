/* What a client may send, and what each wrong variant is answered with. */
#include "vnc-server/client-message.h"

#include "tests/unit/bytes.h"
#include "vnc-server/limits.h"

static const struct {
	const char *name;
	const char *bytes;
	enum parse result;
	const char *error;
} cases[] = {
	{ "/nothing", "", PARSE_MORE },
	{ "/format/native", "00 000000 20 18 00 01 00ff 00ff 00ff 10 08 00 000000", PARSE_DONE },
	{ "/format/565", "00 000000 10 10 01 01 001f 003f 001f 0b 05 00 000000", PARSE_DONE },
	{ "/format/332", "00 000000 08 08 00 01 0007 0007 0003 05 02 00 000000", PARSE_DONE },
	{ "/format/colour-map", "00 000000 08 08 00 00 0000 0000 0000 00 00 00 000000",
		PARSE_DONE },
	{ "/format/incomplete", "00 000000 20 18 00 01 00ff 00ff 00ff 10 08 00 0000", PARSE_MORE },
	{ "/format/24-bits", "00 000000 18 18 00 01 00ff 00ff 00ff 10 08 00 000000", PARSE_ERROR,
		"pixel format with 24 bits, not 8, 16 or 32" },
	{ "/format/no-bits", "00 000000 00 00 00 01 00ff 00ff 00ff 10 08 00 000000", PARSE_ERROR,
		"pixel format with 0 bits, not 8, 16 or 32" },
	{ "/format/too-deep", "00 000000 10 18 00 01 001f 003f 001f 0b 05 00 000000", PARSE_ERROR,
		"pixel format with depth 24 in 16 bits" },
	{ "/format/no-depth", "00 000000 10 00 00 01 001f 003f 001f 0b 05 00 000000", PARSE_ERROR,
		"pixel format with depth 0 in 16 bits" },
	{ "/format/no-red", "00 000000 20 18 00 01 0000 00ff 00ff 10 08 00 000000", PARSE_ERROR,
		"pixel format with a red maximum of 0, not 2^n - 1" },
	{ "/format/odd-green", "00 000000 20 18 00 01 00ff 00fe 00ff 10 08 00 000000", PARSE_ERROR,
		"pixel format with a green maximum of 254, not 2^n - 1" },
	{ "/format/wide-blue", "00 000000 20 18 00 01 00ff 00ff ffff 10 08 11 000000", PARSE_ERROR,
		"pixel format with blue in bits 17 to 32 of 32" },
	{ "/format/far-red", "00 000000 08 08 00 01 0007 0007 0003 ff 02 00 000000", PARSE_ERROR,
		"pixel format with red in bits 255 to 257 of 8" },
	{ "/format/mapped-32", "00 000000 20 18 00 00 0000 0000 0000 00 00 00 000000", PARSE_ERROR,
		"colour map with pixels of 32 bits, not 8" },
	{ "/encodings/none", "02 00 0000", PARSE_DONE },
	{ "/encodings/two", "02 00 0002 00000010 ffffff21", PARSE_DONE },
	{ "/encodings/incomplete", "02 00 0002 00000010 ffffff", PARSE_MORE },
	{ "/encodings/most", "02 00 0100", PARSE_MORE },
	{ "/encodings/too-many", "02 00 0101", PARSE_ERROR,
		"257 encodings offered, at most 256 are taken" },
	{ "/request", "03 01 0001 0002 0003 0004", PARSE_DONE },
	{ "/request/incomplete", "03 01 0001 0002 0003 00", PARSE_MORE },
	{ "/key/press", "04 01 0000 0000ff0d", PARSE_DONE },
	{ "/key/incomplete", "04 01 0000 0000ff", PARSE_MORE },
	{ "/pointer", "05 01 0010 0020", PARSE_DONE },
	{ "/pointer/incomplete", "05 01 0010 00", PARSE_MORE },
	{ "/cut-text/latin1", "06 000000 00000002 4869", PARSE_DONE },
	{ "/cut-text/empty", "06 000000 00000000", PARSE_DONE },
	{ "/cut-text/incomplete", "06 000000 00000002 48", PARSE_MORE },
	{ "/cut-text/most", "06 000000 00100000", PARSE_MORE },
	{ "/cut-text/too-long", "06 000000 00100001", PARSE_ERROR,
		"1048577 bytes of clipboard, at most 1048576 are taken" },
	{ "/cut-text/extended-not-offered", "06 000000 fffffffc 01000001", PARSE_ERROR,
		"extended clipboard without having been offered it" },
	{ "/cut-text/most-negative-length", "06 000000 80000000", PARSE_ERROR,
		"extended clipboard without having been offered it" },
	{ "/size/one-screen", "fb 00 0320 0258 01 00 00000000 0000 0000 0320 0258 00000000",
		PARSE_DONE },
	{ "/size/no-screen", "fb 00 0320 0258 00 00", PARSE_DONE },
	{ "/size/incomplete", "fb 00 0320 0258 01 00 00000000", PARSE_MORE },
	{ "/size/too-many-screens", "fb 00 0320 0258 11 00", PARSE_ERROR,
		"17 screens asked for, at most 16 are taken" },
	{ "/qemu/key", "ff 00 0001 00000061 0000001e", PARSE_DONE },
	{ "/qemu/incomplete", "ff 00 0001 00000061 000000", PARSE_MORE },
	{ "/qemu/type-missing", "ff", PARSE_MORE },
	{ "/qemu/audio", "ff 01 0000", PARSE_ERROR, "unknown QEMU message 1" },
	{ "/unknown", "63", PARSE_ERROR, "unknown message 99" },
	{ "/unknown/colour-map", "01 00", PARSE_ERROR, "unknown message 1" },
};

static void check_case(gconstpointer data)
{
	const typeof(cases[0]) *c = data;
	g_autoptr(GBytes) bytes = bytes_from_hex(c->bytes);
	struct reader in = reader_from_bytes(bytes);
	struct client_message message;

	g_assert_cmpint(client_message_parse(&in, &message), ==, c->result);
	if (c->result == PARSE_DONE)
		g_assert_cmpuint(reader_left(&in), ==, 0);
	if (c->result == PARSE_MORE)
		g_assert_cmpuint(reader_left(&in), ==, g_bytes_get_size(bytes));
	g_assert_cmpstr(in.error, ==, c->error ? c->error : "");
}

/* What is behind a message belongs to the next one. */
static void test_sequence(void)
{
	g_autoptr(GBytes) bytes =
		bytes_from_hex("04 01 0000 00000061  05 02 0007 0008  03 00 0000 0000 0001 0001");
	struct reader in = reader_from_bytes(bytes);
	struct client_message message;

	g_assert_cmpint(client_message_parse(&in, &message), ==, PARSE_DONE);
	g_assert_cmpint(message.type, ==, CLIENT_KEY_EVENT);
	g_assert_true(message.key.down);
	g_assert_cmphex(message.key.keysym, ==, 0x61);
	g_assert_cmpint(client_message_parse(&in, &message), ==, PARSE_DONE);
	g_assert_cmpint(message.type, ==, CLIENT_POINTER_EVENT);
	g_assert_cmphex(message.pointer.buttons, ==, 2);
	g_assert_cmpint(message.pointer.x, ==, 7);
	g_assert_cmpint(message.pointer.y, ==, 8);
	g_assert_cmpint(client_message_parse(&in, &message), ==, PARSE_DONE);
	g_assert_cmpint(message.type, ==, CLIENT_UPDATE_REQUEST);
	g_assert_false(message.request.incremental);
	g_assert_cmpint(client_message_parse(&in, &message), ==, PARSE_MORE);
}

static void test_values(void)
{
	g_autoptr(GBytes) bytes =
		bytes_from_hex("02 00 0002 00000010 ffffff21  ff 00 0001 00000061 000000b8");
	struct reader in = reader_from_bytes(bytes);
	struct client_message message;

	g_assert_cmpint(client_message_parse(&in, &message), ==, PARSE_DONE);
	g_assert_cmpint(message.encodings.count, ==, 2);
	g_assert_cmpint(client_message_encoding(&message, 0), ==, ENCODING_ZRLE);
	g_assert_cmpint(client_message_encoding(&message, 1), ==, ENCODING_DESKTOP_SIZE);
	g_assert_cmpint(client_message_parse(&in, &message), ==, PARSE_DONE);
	g_assert_cmphex(message.key.keycode, ==, 0xb8);
}

/* A client without true colour is served by the one colour map that we have. */
static void test_colour_map(void)
{
	g_autoptr(GBytes) bytes =
		bytes_from_hex("00 000000 08 08 00 00 1234 5678 9abc ff ff ff 000000");
	struct reader in = reader_from_bytes(bytes);
	struct client_message message;

	g_assert_cmpint(client_message_parse(&in, &message), ==, PARSE_DONE);
	g_assert_true(pixel_format_equal(&message.pixel_format, &pixel_format_mapped));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/client-message", cases[i].name, NULL);

		g_test_add_data_func(path, &cases[i], check_case);
	}
	g_test_add_func("/client-message/sequence", test_sequence);
	g_test_add_func("/client-message/values", test_values);
	g_test_add_func("/client-message/colour-map", test_colour_map);
	return g_test_run();
}
