/* Key combinations to be sent from a menu. */
#include "viewer/send-keys.h"

#include <gdk/gdkkeysyms.h>
#include <glib.h>
#include <string.h>

#define CONTROL \
	{ \
		GDK_KEY_Control_L, 0x1d \
	}
#define ALT \
	{ \
		GDK_KEY_Alt_L, 0x38 \
	}
#define FUNCTION(n) \
	{ \
		GDK_KEY_F##n, 0x3a + n \
	} /* up to F10 */

const struct send_keys send_keys_table[] = {
	{ "ctrl-alt-delete", "Ctrl+Alt+Delete", { CONTROL, ALT, { GDK_KEY_Delete, 0xd3 } } },
	{ "ctrl-alt-backspace", "Ctrl+Alt+Backspace",
		{ CONTROL, ALT, { GDK_KEY_BackSpace, 0x0e } } },
	{ "ctrl-alt-f1", "Ctrl+Alt+F1", { CONTROL, ALT, FUNCTION(1) } },
	{ "ctrl-alt-f2", "Ctrl+Alt+F2", { CONTROL, ALT, FUNCTION(2) } },
	{ "ctrl-alt-f3", "Ctrl+Alt+F3", { CONTROL, ALT, FUNCTION(3) } },
	{ "ctrl-alt-f4", "Ctrl+Alt+F4", { CONTROL, ALT, FUNCTION(4) } },
	{ "ctrl-alt-f5", "Ctrl+Alt+F5", { CONTROL, ALT, FUNCTION(5) } },
	{ "ctrl-alt-f6", "Ctrl+Alt+F6", { CONTROL, ALT, FUNCTION(6) } },
	{ "ctrl-alt-f7", "Ctrl+Alt+F7", { CONTROL, ALT, FUNCTION(7) } },
	{ "alt-tab", "Alt+Tab", { ALT, { GDK_KEY_Tab, 0x0f } } },
	{ "super", "Super", { { GDK_KEY_Super_L, 0xdb } } },
	{ "print", "Print", { { GDK_KEY_Print, 0x54 } } },
	{ "f11", "F11", { { GDK_KEY_F11, 0x57 } } },
};

const size_t send_keys_count = G_N_ELEMENTS(send_keys_table);

const struct send_keys *send_keys_find(const char *id)
{
	for (size_t i = 0; i < send_keys_count; i++) {
		if (strcmp(send_keys_table[i].id, id) == 0)
			return &send_keys_table[i];
	}
	return NULL;
}
