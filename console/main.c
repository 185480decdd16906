/* vitrine-console: the serial lines of running guests, from a terminal or a script. */
#include <glib/gi18n.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "console/commands.h"
#include "version.h"

static const struct {
	const char *name;
	int (*run)(const char *base, char ***arguments);
	const char *about;
} commands[] = {
	{ "list", command_list, N_("list the guests") },
	{ "attach", command_attach, N_("attach to a guest's serial line") },
};

static int run_command(const char *base, char ***arguments)
{
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(commands[i].name, (*arguments)[0]) == 0)
			return commands[i].run(base, arguments);
	}
	log_info("\"%s\" is no command; these are: list, attach", (*arguments)[0]);
	return EXIT_FAILURE;
}

static char *summary(void)
{
	g_autoptr(GString) text = g_string_new(_("Commands:"));

	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		g_string_append_printf(text, "\n  %-8s %s", commands[i].name, _(commands[i].about));
	return g_string_free(g_steal_pointer(&text), FALSE);
}

int main(int argc, char **argv)
{
	g_autofree char *base = NULL, *about = summary();
	gboolean version = FALSE;
	const GOptionEntry entries[] = {
		{ "runtime-dir", 0, 0, G_OPTION_ARG_FILENAME, &base,
			N_("Where the guests are registered (default: $XDG_RUNTIME_DIR/vitrine)"),
			N_("DIR") },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &version, N_("Show the version"), NULL },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(_("COMMAND [ARGUMENT…]"));
	g_auto(GStrv) arguments = NULL, own = NULL;
	g_autoptr(GError) error = NULL;
	int status;

	setlocale(LC_ALL, "");
	g_set_prgname("vitrine-console");
	arguments = g_strdupv(argv);
	g_option_context_set_summary(context, about);
	g_option_context_set_strict_posix(context, TRUE);
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse_strv(context, &arguments, &error)) {
		log_info("%s; see vitrine-console --help", error->message);
		return EXIT_FAILURE;
	}
	if (version) {
		printf("vitrine-console (Vitrine) %s\n", VITRINE_VERSION);
		return EXIT_SUCCESS;
	}
	if (!arguments[1]) {
		log_info("which command? list, or attach NAME; see vitrine-console --help");
		return EXIT_FAILURE;
	}
	own = g_strdupv(arguments + 1);

	status = run_command(base, &own);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		log_info("cannot write to standard output");
		return EXIT_FAILURE;
	}
	return status;
}
