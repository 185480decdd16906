/* The handshake, version by version: what the client sends, and all that the server has answered by then. */
#include "vnc-server/handshake.h"

#include "tests/unit/bytes.h"

#define SERVER_VERSION "524642203030332e3030380a "

static const struct {
	const char *name;
	const char *offered; /* security types */
	const char *in;
	const char *out; /* behind the server's version */
	enum parse result;
	enum handshake_state state;
	const char *error;
} cases[] = {
	/* RFB 3.8: list, choice, result, ClientInit */
	{ "/3.8/start", "01", "", "", PARSE_MORE, HANDSHAKE_VERSION },
	{ "/3.8/part-of-version", "01", "52464220 3030", "", PARSE_MORE, HANDSHAKE_VERSION },
	{ "/3.8/version", "01", "524642203030332e3030380a", "01 01", PARSE_MORE,
		HANDSHAKE_SECURITY },
	{ "/3.8/two-types", "13 01", "524642203030332e3030380a", "02 13 01", PARSE_MORE,
		HANDSHAKE_SECURITY },
	{ "/3.8/chosen", "01", "524642203030332e3030380a 01", "01 01 00000000", PARSE_MORE,
		HANDSHAKE_CLIENT_INIT },
	{ "/3.8/whole", "01", "524642203030332e3030380a 01 00", "01 01 00000000", PARSE_DONE,
		HANDSHAKE_DONE },
	{ "/3.8/not-offered", "01", "524642203030332e3030380a 02",
		"01 01 00000001 0000001f"
		"736563757269747920747970652032207761 73206e6f74206f666665726564",
		PARSE_ERROR, HANDSHAKE_SECURITY, "security type 2 was not offered" },
	/* None is known, but this listener does not offer it. */
	{ "/3.8/known-but-not-offered", "13", "524642203030332e3030380a 01",
		"01 13 00000001 0000001f"
		"736563757269747920747970652031207761 73206e6f74206f666665726564",
		PARSE_ERROR, HANDSHAKE_SECURITY, "security type 1 was not offered" },
	{ "/3.8/invalid-type", "01", "524642203030332e3030380a 00",
		"01 01 00000001 0000001f"
		"736563757269747920747970652030207761 73206e6f74206f666665726564",
		PARSE_ERROR, HANDSHAKE_SECURITY, "security type 0 was not offered" },
	/* RFB 3.7: no result when there was nothing to prove, no reason when it failed */
	{ "/3.7/whole", "01", "524642203030332e3030370a 01 01", "01 01", PARSE_DONE,
		HANDSHAKE_DONE },
	{ "/3.7/not-offered", "01", "524642203030332e3030370a 02", "01 01 00000001", PARSE_ERROR,
		HANDSHAKE_SECURITY, "security type 2 was not offered" },
	/* RFB 3.3: the server decides */
	{ "/3.3/version", "01", "524642203030332e3030330a", "00000001", PARSE_MORE,
		HANDSHAKE_CLIENT_INIT },
	{ "/3.3/whole", "01", "524642203030332e3030330a 01", "00000001", PARSE_DONE,
		HANDSHAKE_DONE },
	{ "/3.3/second-offered", "13 01", "524642203030332e3030330a", "00000001", PARSE_MORE,
		HANDSHAKE_CLIENT_INIT },
	{ "/3.3/none-known", "13", "524642203030332e3030330a",
		"00000000 00000031 52464220332e3320686173206e6f207365637572697479207479"
		"706520746861742069 73206f6666657265642068657265",
		PARSE_ERROR, HANDSHAKE_VERSION,
		"RFB 3.3 has no security type that is offered here" },
	/* Versions that were never specified */
	{ "/version/3.5", "01", "524642203030332e3030350a", "00000001", PARSE_MORE,
		HANDSHAKE_CLIENT_INIT },
	{ "/version/apple", "01", "524642203030332e3838390a", "01 01", PARSE_MORE,
		HANDSHAKE_SECURITY },
	{ "/version/realvnc-5", "01", "524642203030352e3030300a", "01 01", PARSE_MORE,
		HANDSHAKE_SECURITY },
	{ "/version/2.2", "01", "524642203030322e3030320a",
		"00000000 0000001a 6e6f205246422076657273696f6e2066726f6d20332e33206f6e",
		PARSE_ERROR, HANDSHAKE_VERSION, "no RFB version from 3.3 on" },
	{ "/version/no-digits", "01", "524642203030332e3078380a",
		"00000000 0000001a 6e6f205246422076657273696f6e2066726f6d20332e33206f6e",
		PARSE_ERROR, HANDSHAKE_VERSION, "no RFB version from 3.3 on" },
	{ "/version/no-newline", "01", "524642203030332e30303820",
		"00000000 0000001a 6e6f205246422076657273696f6e2066726f6d20332e33206f6e",
		PARSE_ERROR, HANDSHAKE_VERSION, "no RFB version from 3.3 on" },
};

static void check_case(gconstpointer data)
{
	const typeof(cases[0]) *c = data;
	g_autoptr(GBytes) offered = bytes_from_hex(c->offered);
	g_autoptr(GBytes) bytes = bytes_from_hex(c->in);
	g_autofree char *expected_text = g_strconcat(SERVER_VERSION, c->out, NULL);
	g_autoptr(GBytes) expected = bytes_from_hex(expected_text);
	g_autoptr(GByteArray) out = g_byte_array_new();
	struct reader in = reader_from_bytes(bytes);
	struct handshake handshake;

	handshake_init(&handshake, offered, out);
	g_assert_cmpint(handshake_step(&handshake, &in, out), ==, c->result);
	g_assert_cmpint(handshake.state, ==, c->state);
	g_assert_cmpstr(in.error, ==, c->error ? c->error : "");
	g_assert_cmpmem(
		out->data, out->len, g_bytes_get_data(expected, NULL), g_bytes_get_size(expected));
	handshake_clear(&handshake);
}

/* Byte by byte it comes to the same. */
static void test_slowly(void)
{
	g_autoptr(GBytes) offered = bytes_from_hex("01");
	g_autoptr(GBytes) bytes = bytes_from_hex("524642203030332e3030380a 01 01");
	g_autoptr(GByteArray) out = g_byte_array_new();
	const uint8_t *data = g_bytes_get_data(bytes, NULL);
	struct handshake handshake;
	size_t used = 0;

	handshake_init(&handshake, offered, out);
	for (size_t length = 1; length <= g_bytes_get_size(bytes); length++) {
		struct reader in = reader_from(data + used, length - used);
		enum parse result = handshake_step(&handshake, &in, out);

		g_assert_cmpint(
			result, ==, length == g_bytes_get_size(bytes) ? PARSE_DONE : PARSE_MORE);
		used = length - reader_left(&in);
	}
	g_assert_true(handshake.shared);
	g_assert_cmpuint(out->len, ==, 12 + 2 + 4);
	handshake_clear(&handshake);
}

/* A browser or a TLS client is told at once; waiting for twelve bytes could be forever. */
static void test_something_else(void)
{
	static const char *const greetings[] = { "GET / HTTP/1.1\r\n", "\x16\x03\x01", "RFX",
		"\n" };

	for (size_t i = 0; i < G_N_ELEMENTS(greetings); i++) {
		g_autoptr(GBytes) offered = bytes_from_hex("01");
		g_autoptr(GByteArray) out = g_byte_array_new();
		struct reader in = reader_from(greetings[i], strlen(greetings[i]));
		struct handshake handshake;

		handshake_init(&handshake, offered, out);
		g_assert_cmpint(handshake_step(&handshake, &in, out), ==, PARSE_ERROR);
		g_assert_cmpstr(in.error, ==, "not a VNC client: it does not begin with \"RFB \"");
		handshake_clear(&handshake);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/handshake", cases[i].name, NULL);

		g_test_add_data_func(path, &cases[i], check_case);
	}
	g_test_add_func("/handshake/slowly", test_slowly);
	g_test_add_func("/handshake/something-else", test_something_else);
	return g_test_run();
}
