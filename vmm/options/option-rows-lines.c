/* Options for serial lines and character devices. */
#include "vmm/options/option-rows.h"

#include <limits.h>

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
	"pipe",
	"null",
	"ringbuf",
	NULL,
};

static const struct option_key chardev_keys[] = {
	{ "backend", OPTION_CHOICE, "the kind of back end", .required = true,
		.choices = chardev_backends },
	{ "path", OPTION_STRING,
		"file: written to; socket: a UNIX socket; pipe: PATH.in and PATH.out, or PATH" },
	{ "host", OPTION_STRING, "socket: name or address, empty for all", .may_be_empty = true },
	{ "port", OPTION_NUMBER, "socket: TCP port; 0 with server=on: a free one",
		.maximum = UINT16_MAX },
	{ "fd", OPTION_NUMBER, "socket: an open descriptor, listening with server=on", .minimum = 3,
		.maximum = INT_MAX },
	{ "server", OPTION_BOOL, "socket: listens for clients instead of connecting" },
	{ "wait", OPTION_BOOL,
		"socket, server=on: the guest does not start before a client is there" },
	{ "reconnect", OPTION_NUMBER,
		"socket, server=off: seconds after which it connects again, 0: never",
		.maximum = 86400 },
	{ "nodelay", OPTION_BOOL, "socket: accepted; bytes are never held back" },
	{ "append", OPTION_BOOL, "file: keeps what is in the file" },
	{ "size", OPTION_SIZE, "ringbuf: how much it keeps, a power of two",
		.minimum = MINIMUM_RING, .maximum = MAXIMUM_RING },
	{ "mux", OPTION_BOOL,
		"several may use it; Ctrl-A c goes from one to the next, Ctrl-A h tells more" },
	{ "logfile", OPTION_STRING, "a file that everything written is copied to" },
	{ "logappend", OPTION_BOOL, "keeps what is in the log file" },
	{ "signal", OPTION_BOOL, "stdio: Ctrl-C and Ctrl-Z act on vitrine, not on the guest" },
	{},
};

/* -serial, -debugcon and -qmp: a back end in one word, as config.c takes it apart. */
const struct option_key option_line_keys[] = {
	{ "dev", OPTION_STRING,
		"stdio, pty, null, none, file:PATH, pipe:PATH, unix:PATH, tcp:HOST:PORT or "
		"chardev:ID",
		.required = true },
	{ "server", OPTION_BOOL,
		"unix, tcp: listens for clients (unix: unless off) or connects (tcp: unless on)" },
	{ "wait", OPTION_BOOL, "unix, tcp: the guest does not start before a client is there" },
	{ "reconnect", OPTION_NUMBER, "unix, tcp: seconds after which it connects again",
		.maximum = 86400 },
	{ "nodelay", OPTION_BOOL, "tcp: accepted; bytes are never held back" },
	{ "append", OPTION_BOOL, "file: keeps what is in the file" },
	{},
};

const struct option_spec option_rows_lines[] = {
	{ "serial", .group = "serial", .implied = "dev", .many = true, .keys = option_line_keys,
		.argument = "[mon:]stdio|pty|null|none|file:PATH|pipe:PATH|unix:PATH|tcp:HOST:PORT|"
			    "chardev:ID",
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
