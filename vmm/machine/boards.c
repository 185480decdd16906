/* The table of boards. */
#include "vmm/machine/boards.h"

#include <string.h>

#include "base/error.h"

static const struct board *const boards[] = {
	&board_pc,
	&board_q35,
};

const struct board *board_find(const char *name, GError **error)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(boards); i++) {
		if (strcmp(boards[i]->name, name) == 0)
			return boards[i];
		g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", boards[i]->name);
	}
	fail(error, VITRINE_ERROR_INPUT, "board=%s: there is no such board; there is %s", name,
		names->str);
	return NULL;
}
