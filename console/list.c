/* vitrine-console list: the guests there are, as a table for people or as JSON for programs. */
#include "console/commands.h"

#include <glib/gi18n.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/runtime-dir.h"

enum {
	COLUMNS = 5
};

struct row {
	char *cells[COLUMNS];
};

static void clear_row(gpointer data)
{
	struct row *row = data;

	for (guint i = 0; i < COLUMNS; i++)
		g_free(row->cells[i]);
}

static char *ports_text(const struct runtime_record *record)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < record->serial_count; i++) {
		if (record->serial[i].socket)
			g_string_append_printf(
				text, "%s%s", text->len ? " " : "", record->serial[i].name);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static struct row row_of(const struct runtime_guest *guest)
{
	bool alive = guest->state != RUNTIME_STALE;
	const struct runtime_record *record = alive ? guest->record : NULL;

	return (struct row) { {
		g_strdup(guest->name),
		g_strdup(runtime_state_name(guest->state)),
		g_strdup(record ? record->machine : "-"),
		record ? g_strdup_printf("%d", record->pid) : g_strdup("-"),
		record && record->serial_count ? ports_text(record) : g_strdup("-"),
	} };
}

static void print_table(const GPtrArray *guests)
{
	const struct row heading = { { _("NAME"), _("STATE"), _("MACHINE"), _("PID"),
		_("PORTS") } };
	g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct row));
	glong widths[COLUMNS] = { 0 };

	g_array_set_clear_func(rows, clear_row);
	for (guint i = 0; i < guests->len; i++) {
		struct row row = row_of(guests->pdata[i]);

		g_array_append_val(rows, row);
	}
	for (guint column = 0; column < COLUMNS; column++) {
		widths[column] = g_utf8_strlen(heading.cells[column], -1);
		for (guint i = 0; i < rows->len; i++)
			widths[column] = MAX(widths[column],
				g_utf8_strlen(
					g_array_index(rows, struct row, i).cells[column], -1));
	}
	for (guint i = 0; i <= rows->len; i++) {
		const struct row *row = i ? &g_array_index(rows, struct row, i - 1) : &heading;

		for (guint column = 0; column < COLUMNS - 1; column++) {
			glong width = g_utf8_strlen(row->cells[column], -1);

			printf("%s%*s  ", row->cells[column], (int)(widths[column] - width), "");
		}
		printf("%s\n", row->cells[COLUMNS - 1]);
	}
}

/* For completion: nothing but names, one a line. */
static void print_names(const GPtrArray *guests)
{
	for (guint i = 0; i < guests->len; i++) {
		const struct runtime_guest *guest = guests->pdata[i];

		if (guest->state == RUNTIME_RUNNING)
			printf("%s\n", guest->name);
	}
}

static void print_ports(const GPtrArray *guests, const char *name)
{
	for (guint i = 0; i < guests->len; i++) {
		const struct runtime_guest *guest = guests->pdata[i];

		if (guest->state != RUNTIME_RUNNING || !guest->record || strcmp(guest->name, name))
			continue;
		for (guint port = 0; port < guest->record->serial_count; port++) {
			if (guest->record->serial[port].socket)
				printf("%s\n", guest->record->serial[port].name);
		}
	}
}

/* A record that cannot be read is no reason to hide the guest, nor to be silent about it. */
static void warn_of_problems(const GPtrArray *guests)
{
	for (guint i = 0; i < guests->len; i++) {
		const struct runtime_guest *guest = guests->pdata[i];

		if (guest->problem && guest->state == RUNTIME_RUNNING)
			log_warning("%s", guest->problem);
	}
}

int command_list(const char *base, char ***arguments)
{
	gboolean json = FALSE, names = FALSE;
	g_autofree char *ports_of = NULL;
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, N_("As JSON, with all that is known"),
			NULL },
		{ "names", 0, 0, G_OPTION_ARG_NONE, &names,
			N_("Only the names of running guests, one a line"), NULL },
		{ "ports", 0, 0, G_OPTION_ARG_STRING, &ports_of,
			N_("Only the names of a guest's serial ports, one a line"), N_("NAME") },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GPtrArray) guests = NULL;
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	g_option_context_set_summary(context, _("Lists the guests."));
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse_strv(context, arguments, &error)) {
		log_info("list: %s; see vitrine-console list --help", error->message);
		return EXIT_FAILURE;
	}
	if ((*arguments)[1]) {
		log_info("list: \"%s\" is one argument too many; it takes options only",
			(*arguments)[1]);
		return EXIT_FAILURE;
	}
	/* The default folder comes into being with the first guest; one that was named is expected to be there. */
	if (base && !g_file_test(base, G_FILE_TEST_IS_DIR))
		fail(&error, VITRINE_ERROR_NOT_FOUND,
			"--runtime-dir: there is no folder %s; give the one that guests were "
			"started with",
			base);
	else
		guests = runtime_dir_list(base, &error);
	if (!guests) {
		log_info("%s", error->message);
		return EXIT_FAILURE;
	}
	if (names) {
		print_names(guests);
	} else if (ports_of) {
		print_ports(guests, ports_of);
	} else if (json) {
		text = runtime_guests_format(guests);
		printf("%s\n", text);
	} else {
		warn_of_problems(guests);
		print_table(guests);
	}
	return EXIT_SUCCESS;
}
