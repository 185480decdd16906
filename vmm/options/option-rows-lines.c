/* Options for serial lines and character devices. */
#include "vmm/options/option-rows.h"

#include "base/checked.h"

enum {
	MINIMUM_RING = 16, /* bytes */
	MAXIMUM_RING = 16 * MiB,
};

static const char *const chardev_backends[] = {
	"stdio",
	"file",
	"socket",
	"pty",
	"null",
	"ringbuf",
	NULL,
};

static const struct option_key chardev_keys[] = {
	{ "backend", OPTION_CHOICE, "the kind of back end", .required = true,
		.choices = chardev_backends },
	{ "path", OPTION_STRING, "file: written to; socket: listens there" },
	{ "server", OPTION_BOOL, "socket: has to be on, listens for clients" },
	{ "wait", OPTION_BOOL, "socket: has to be off, the guest starts without a client" },
	{ "append", OPTION_BOOL, "file: keeps what is in the file" },
	{ "size", OPTION_SIZE, "ringbuf: how much it keeps, a power of two",
		.minimum = MINIMUM_RING, .maximum = MAXIMUM_RING },
	{ "mux", OPTION_BOOL,
		"several may use it; Ctrl-A c goes from one to the next, Ctrl-A h tells more" },
	{ "signal", OPTION_BOOL, "stdio: Ctrl-C and Ctrl-Z act on vitrine, not on the guest" },
	{},
};

/* -serial, -debugcon and -qmp: a back end in one word, as config.c takes it apart. */
const struct option_key option_line_keys[] = {
	{ "dev", OPTION_STRING, "stdio, pty, null, none, file:PATH, unix:PATH or chardev:ID",
		.required = true },
	{ "server", OPTION_BOOL, "unix: has to be on, listens for clients" },
	{ "wait", OPTION_BOOL, "unix: has to be off, the guest starts without a client" },
	{ "append", OPTION_BOOL, "file: keeps what is in the file" },
	{},
};

const struct option_spec option_rows_lines[] = {
	{ "serial", .group = "serial", .implied = "dev", .many = true, .keys = option_line_keys,
		.argument = "[mon:]stdio|pty|null|none|file:PATH|unix:PATH,server=on|chardev:ID",
		.description = "where a serial port ends; the first is for ttyS0, up to four\n"
			       "(default: one port on a socket that vitrine-console attaches to)",
		.section = "Serial lines" },
	{ "chardev", .group = "chardev", .implied = "backend", .many = true, .has_id = true,
		.requires_id = true, .keys = chardev_keys,
		.argument = "BACKEND,id=ID[,KEY=VALUE...]",
		.description =
			"back end for a serial port, a device or QMP, to be named by its id" },
	{ "debugcon", .group = "debugcon", .implied = "dev", .keys = option_line_keys,
		.argument = "stdio|pty|null|file:PATH|unix:PATH,server=on|chardev:ID",
		.description = "where what the firmware writes to port 0xe9 goes" },
	{},
};
