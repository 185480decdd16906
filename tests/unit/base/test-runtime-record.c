/* guest.json: what is read from it, what each wrong variant is answered with, and that what is written is read back. */
#include "base/runtime-record.h"

#include <string.h>

#include "base/error.h"

#define GOOD "\"format\": 1, \"name\": \"demo\", \"machine\": \"q35-1.0\", \"pid\": 42"

static const struct {
	const char *name;
	const char *text;
	const char *error; /* NULL: it is read */
} cases[] = {
	{ "/record/smallest", "{ " GOOD " }" },
	{ "/record/unknown-members", "{ " GOOD ", \"later\": [ 1, { } ] }" },
	{ "/record/absolute-socket", "{ " GOOD ", \"qmp\": \"/tmp/qmp\" }" },
	{ "/record/empty", "", "the text is no JSON object" },
	{ "/record/list", "[ ]", "the text is no JSON object" },
	{ "/record/cut-off", "{ \"format\": 1, \"name\"", "the text is no JSON: *" },
	{ "/record/not-utf8", "{ \"name\": \"\xff\" }", "the text is not UTF-8" },
	{ "/record/format-missing", "{ \"name\": \"demo\" }", "\"format\" is missing" },
	{ "/record/format-later", "{ \"format\": 2 }", "format 2 is not known, only 1" },
	{ "/record/format-text", "{ \"format\": \"1\" }", "\"format\" is no whole number" },
	{ "/record/name-missing", "{ \"format\": 1 }", "\"name\" is missing" },
	{ "/record/name-list", "{ \"format\": 1, \"name\": [ ] }", "\"name\" is no string" },
	{ "/record/name-path", "{ \"format\": 1, \"name\": \"a/b\" }",
		"\"a/b\" is no name for a guest: *" },
	{ "/record/machine-control", "{ \"format\": 1, \"name\": \"a\", \"machine\": \"q\\n\" }",
		"\"machine\" is not 1 to 256 bytes without control characters" },
	{ "/record/pid-zero", "{ \"format\": 1, \"name\": \"a\", \"machine\": \"q\", \"pid\": 0 }",
		"\"pid\" is 0, not in 1..2147483647" },
	{ "/record/pid-large",
		"{ \"format\": 1, \"name\": \"a\", \"machine\": \"q\", \"pid\": 2147483648 }",
		"\"pid\" is 2147483648, not in 1..2147483647" },
	{ "/record/uuid", "{ " GOOD ", \"uuid\": \"none\" }", "\"uuid\" is no UUID" },
	{ "/record/socket-elsewhere", "{ " GOOD ", \"qmp\": \"../qmp\" }",
		"\"qmp\" is neither a file name nor an absolute path" },
	{ "/record/socket-parent", "{ " GOOD ", \"qmp\": \"..\" }",
		"\"qmp\" is neither a file name nor an absolute path" },
	{ "/record/serial-number", "{ " GOOD ", \"serial\": 1 }", "\"serial\" is no list" },
	{ "/record/serial-of-numbers", "{ " GOOD ", \"serial\": [ 1 ] }",
		"entry 0 of \"serial\" is no object" },
	{ "/record/serial-nameless", "{ " GOOD ", \"serial\": [ { \"socket\": \"a\" } ] }",
		"entry 0 of \"serial\": \"name\" is missing" },
	{ "/record/serial-many",
		"{ " GOOD ", \"serial\": [ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, "
		"16 ] }",
		"\"serial\" has 17 entries, at most 16 are taken" },
	{ "/record/vnc-number", "{ " GOOD ", \"vnc\": [ 5900 ] }",
		"entry 0 of \"vnc\" is no string" },
};

static void check_case(gconstpointer data)
{
	const typeof(cases[0]) *c = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(runtime_record) record = runtime_record_parse(c->text, strlen(c->text), &error);

	if (!c->error) {
		g_assert_no_error(error);
		g_assert_cmpstr(record->name, ==, "demo");
		g_assert_cmpstr(record->machine, ==, "q35-1.0");
		g_assert_cmpint(record->pid, ==, 42);
		return;
	}
	g_assert_null(record);
	g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_INPUT);
	if (!g_pattern_match_simple(c->error, error->message))
		g_error("\"%s\", expected \"%s\"", error->message, c->error);
}

static struct runtime_port ports[] = {
	{ "serial0", "serial0.sock" },
	{ "serial1", NULL },
};
static char *addresses[] = { "[::1]:5900", "unix:/tmp/a b", NULL };
static const struct runtime_record full = {
	.name = "a.b-c_d",
	.uuid = "3b58e4d7-25c8-4a4f-a9c1-94c2ee5e8e65",
	.machine = "q35-1.0",
	.machine_asked = "q35",
	.pid = 4711,
	.display = "display.sock",
	.qmp = "/tmp/\xc3\xa4\"\\",
	.serial = ports,
	.serial_count = G_N_ELEMENTS(ports),
	.vnc = addresses,
};

static void test_read_back(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = runtime_record_format(&full, &error);
	g_autofree char *again = NULL;
	g_autoptr(runtime_record) record = NULL;

	g_assert_no_error(error);
	record = runtime_record_parse(text, strlen(text), &error);
	g_assert_no_error(error);
	g_assert_cmpstr(record->name, ==, full.name);
	g_assert_cmpstr(record->uuid, ==, full.uuid);
	g_assert_cmpstr(record->machine_asked, ==, "q35");
	g_assert_cmpint(record->pid, ==, 4711);
	g_assert_cmpstr(record->display, ==, full.display);
	g_assert_cmpstr(record->qmp, ==, full.qmp);
	g_assert_cmpuint(record->serial_count, ==, 2);
	g_assert_cmpstr(record->serial[0].socket, ==, "serial0.sock");
	g_assert_null(record->serial[1].socket);
	g_assert_cmpstrv(record->vnc, addresses);
	again = runtime_record_format(record, &error);
	g_assert_cmpstr(again, ==, text);
}

static void test_unwritable(void)
{
	g_autoptr(GError) error = NULL;
	struct runtime_record record = full;

	record.qmp = "below/qmp.sock";
	g_assert_null(runtime_record_format(&record, &error));
	g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_INPUT);
}

/* As many brackets as a file can hold: refused before the parser would recurse into them. */
static void test_deep(void)
{
	g_autofree char *text = g_strnfill(RUNTIME_RECORD_MAX, '[');
	g_autoptr(GError) error = NULL;

	g_assert_null(runtime_record_parse(text, RUNTIME_RECORD_MAX, &error));
	g_assert_cmpstr(error->message, ==, "65536 brackets, at most 512 are taken");
}

static void test_long(void)
{
	g_autofree char *text = g_strnfill(RUNTIME_RECORD_MAX + 1, ' ');
	g_autoptr(GError) error = NULL;

	g_assert_null(runtime_record_parse(text, RUNTIME_RECORD_MAX + 1, &error));
	g_assert_cmpstr(error->message, ==, "65537 bytes, at most 65536 are taken");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, &cases[i], check_case);
	g_test_add_func("/record/read-back", test_read_back);
	g_test_add_func("/record/unwritable", test_unwritable);
	g_test_add_func("/record/deep", test_deep);
	g_test_add_func("/record/long", test_long);
	return g_test_run();
}
