/* What a person may type to be shown something, and what each wrong variant is answered with. */
#include "viewer/target.h"

#include "base/error.h"

static const struct {
	const char *text;
	enum target_kind kind;
	const char *means; /* name, host or path; or the error */
	uint16_t port;
} cases[] = {
	{ "demo", TARGET_NAME, "demo" },
	{ "a.b-1_2", TARGET_NAME, "a.b-1_2" },
	{ "vnc://host", TARGET_VNC_HOST, "host", 5900 },
	{ "vnc://host/", TARGET_VNC_HOST, "host", 5900 },
	{ "vnc://host:0", TARGET_VNC_HOST, "host", 5900 },
	{ "vnc://host:99", TARGET_VNC_HOST, "host", 5999 },
	{ "vnc://host:100", TARGET_VNC_HOST, "host", 100 },
	{ "vnc://127.0.0.1:5901/", TARGET_VNC_HOST, "127.0.0.1", 5901 },
	{ "vnc://[::1]", TARGET_VNC_HOST, "::1", 5900 },
	{ "vnc://[::1]:65535", TARGET_VNC_HOST, "::1", 65535 },
	{ "vnc+unix:///run/a b", TARGET_VNC_UNIX, "/run/a b" },
	{ "", TARGET_NONE, "\"\" is no name for a guest*" },
	{ "../demo", TARGET_NONE, "\"../demo\" is no name for a guest*" },
	{ "vnc://", TARGET_NONE, "vnc:// names no host*" },
	{ "vnc://:1", TARGET_NONE, "vnc://:1 names no host*" },
	{ "vnc://user@host", TARGET_NONE, "*names no host*" },
	{ "vnc://[]:1", TARGET_NONE, "*names no host*" },
	{ "vnc://[::1", TARGET_NONE, "*names no host*" },
	{ "vnc://[::1]x", TARGET_NONE, "*names no host*" },
	{ "vnc://host:", TARGET_NONE, "\"\" is no port*" },
	{ "vnc://host:65536", TARGET_NONE, "\"65536\" is no port*" },
	{ "vnc://host:-1", TARGET_NONE, "\"-1\" is no port*" },
	{ "vnc://host:59o0", TARGET_NONE, "\"59o0\" is no port*" },
	{ "vnc+unix://run/a", TARGET_NONE, "*takes an absolute path" },
	{ "http://host", TARGET_NONE, "http://host is no address that can be shown*" },
};

static void check_case(gconstpointer data)
{
	const typeof(cases[0]) *c = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(target) target = target_parse(c->text, &error);

	if (c->kind == TARGET_NONE) {
		g_assert_null(target);
		g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_INPUT);
		if (!g_pattern_match_simple(c->means, error->message))
			g_error("\"%s\", expected \"%s\"", error->message, c->means);
		return;
	}
	g_assert_no_error(error);
	g_assert_cmpint(target->kind, ==, c->kind);
	g_assert_cmpstr(target->text, ==, c->means);
	g_assert_cmpuint(target->port, ==, c->port);
	g_assert_nonnull(target->title);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *name = g_strdup_printf("/target/%zu", i);

		g_test_add_data_func(name, &cases[i], check_case);
	}
	return g_test_run();
}
