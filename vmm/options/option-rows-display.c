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

static const char *const vga_types[] = { "std", "qxl", "virtio", "none", NULL };

static const struct option_key vga_keys[] = {
	{ "type", OPTION_CHOICE, "which display", .required = true, .choices = vga_types },
	{},
};

static const struct option_key keyboard_keys[] = {
	{ "layout", OPTION_STRING, "such as de or fr", .required = true },
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
	{ "k", .group = "k", .kind = OPTION_VALUE, .implied = "layout", .keys = keyboard_keys,
		.argument = "LAYOUT",
		.description =
			"keyboard layout of VNC clients that send symbols only (default: us)" },
	{ "vga", .group = "vga", .kind = OPTION_VALUE, .implied = "type", .keys = vga_keys,
		.argument = "std|qxl|virtio|none",
		.description = "the display that a guest has by default (std: -device VGA,\n"
			       "qxl: -device qxl-vga, virtio: -device virtio-vga), or none" },
	{ "nographic", .group = "nographic", .kind = OPTION_FLAG,
		.description =
			"no window, and the first serial port and the monitor on the terminal\n"
			"(-serial mon:stdio; Ctrl-A h tells the keys)" },
	{},
};
