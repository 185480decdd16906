/* Options for displays. */
#include "vmm/options/option-rows.h"

static const char *const display_types[] = { "none", "dbus", "gtk", "viewer", NULL };

static const struct option_key vnc_keys[] = {
	{ "vnc", OPTION_STRING, "[HOST]:N is port 5900 + N; unix:PATH; none", .required = true },
	{},
};

static const struct option_key display_keys[] = {
	{ "type", OPTION_CHOICE,
		"none: no window; dbus: the same, the display bus is always there; gtk, viewer: a "
		"window",
		.required = true, .choices = display_types },
	{},
};

const struct option_spec option_rows_display[] = {
	{ "display", .group = "display", .implied = "type", .keys = display_keys,
		.argument = "none|dbus|gtk|viewer",
		.description = "gtk, viewer: open a window with vitrine-viewer (default: none)",
		.section = "Display" },
	{ "vnc", .group = "vnc", .implied = "vnc", .many = true, .keys = vnc_keys,
		.only = "an address only: :N, HOST:N, unix:PATH or none",
		.argument = "[HOST]:N|unix:PATH|none",
		.description =
			"serve the display to VNC clients on port 5900 + N or on a UNIX socket" },
	{ "nographic", .group = "nographic", .kind = OPTION_FLAG,
		.description =
			"no window, and the first serial port and the monitor on the terminal\n"
			"(-serial mon:stdio; Ctrl-A h tells the keys)" },
	{},
};
