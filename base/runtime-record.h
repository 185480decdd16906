/* What a running guest says of itself: guest.json in its runtime directory (see base/runtime-dir.h).
 *
 *   { "format": 1, "name": "demo", "uuid": "…", "machine": "q35-1.0", "machine-asked": "q35", "pid": 4711,
 *     "display": "display.sock", "qmp": "qmp.sock",
 *     "serial": [ { "name": "serial0", "socket": "serial0.sock" } ],
 *     "vnc": [ "127.0.0.1:5900", "unix:/path" ] }
 *
 * Files are names in the guest's directory or absolute paths. Unknown members are left alone, so that members can be
 * added without a new format.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/checked.h"

enum {
	RUNTIME_RECORD_MAX = 64 * KiB, /* bytes of guest.json */
	RUNTIME_PORTS_MAX = 16,
	RUNTIME_VNC_MAX = 16,
};

struct runtime_port {
	char *name; /* "serial0" */
	char *socket; /* a UNIX socket that takes one client at a time and passes plain bytes; NULL: not reachable */
};

struct runtime_record {
	char *name;
	char *uuid;          /* NULL: none */
	char *machine;       /* versioned type, "q35-1.0" */
	char *machine_asked; /* as the user gave it, "q35"; NULL: not asked for */
	int32_t pid;
	char *display; /* socket of the display bus; NULL: none */
	char *qmp;     /* NULL: none */
	struct runtime_port *serial;
	guint serial_count;
	char **vnc; /* "HOST:PORT" or "unix:PATH", NULL at the end; may be NULL */
};

/**
 * runtime_record_parse - what the bytes of a guest.json say
 *
 * Pure, and safe for any bytes. Returns NULL with VITRINE_ERROR_INPUT naming the member that is wrong.
 */
struct runtime_record *runtime_record_parse(const void *bytes, size_t length, GError **error);

/* The text of a guest.json, to be freed; NULL with @error when it would not be read back (a name, a path or a list beyond
 * what runtime_record_parse() takes). */
char *runtime_record_format(const struct runtime_record *record, GError **error);

/* Frees a record made by runtime_record_parse(). */
void runtime_record_free(struct runtime_record *record);
typedef struct runtime_record runtime_record; /* for g_autoptr() */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(runtime_record, runtime_record_free)
