/* The registry of running guests: a directory for each, with a record of what it is and where its sockets are.
 *
 *   BASE/NAME/            mode 0700; BASE is $XDG_RUNTIME_DIR/vitrine, or /run/vitrine for root without one
 *   BASE/NAME/lock        locked (OFD write lock) for as long as the guest's process lives; holds its process number
 *   BASE/NAME/guest.json  the record, see base/runtime-record.h
 *   BASE/NAME/...         the guest's sockets
 *
 * A directory whose lock is free belongs to a guest that died: it is stale, and the next guest of that name takes it
 * over. Whoever reads tells the two apart by the lock alone, without touching it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/runtime-record.h"

enum {
	RUNTIME_NAME_MAX = 64
}; /* bytes */

/* Whether a guest may have that name: 1 to 64 bytes of A-Z a-z 0-9 . _ -, not starting with . or -. */
bool runtime_name_check(const char *name, GError **error);

/* Where guests are registered: a copy of @base, or the default when it is NULL; NULL with @error when there is none. */
char *runtime_base(const char *base, GError **error);

/* --- the guest's own side --- */

struct runtime_dir;

/**
 * runtime_dir_create - register a guest of that name
 * @base: the folder that holds the guests' directories; NULL: the default. Created when missing.
 * @name: the guest's name
 *
 * Takes the lock for the life of the process. Sockets and the record of a dead guest of that name are removed first.
 * Errors: VITRINE_ERROR_INPUT for the name, VITRINE_ERROR_BUSY when such a guest is running, VITRINE_ERROR_HOST.
 */
struct runtime_dir *runtime_dir_create(const char *base, const char *name, GError **error);

const char *runtime_dir_name(const struct runtime_dir *dir);
const char *runtime_dir_path(const struct runtime_dir *dir);

/* The path of a file in the directory, to be freed. The file is removed with the directory: ask before it is created. */
char *runtime_dir_file(struct runtime_dir *dir, const char *file);

/* Writes guest.json, in one step for whoever reads it meanwhile; a later call replaces it. */
bool runtime_dir_publish(
	struct runtime_dir *dir, const struct runtime_record *record, GError **error);

/* Removes the record, the files asked for with runtime_dir_file(), the lock and the directory, and frees @dir. Files that
 * others have put there stay, and the directory with them. A guest that was never published takes an empty @base along
 * that it made. */
void runtime_dir_remove(struct runtime_dir *dir);

/* --- the readers' side --- */

enum runtime_state {
	RUNTIME_STARTING, /* alive, but its record is not there yet */
	RUNTIME_RUNNING,
	RUNTIME_STALE, /* its process is gone; the next guest of that name takes the directory over */
};

struct runtime_guest {
	char *name;
	char *path; /* of its directory */
	enum runtime_state state;
	struct runtime_record *record; /* NULL while starting, or when it cannot be read */
	char *problem;                 /* why a running guest has no record, else NULL */
};

void runtime_guest_free(struct runtime_guest *guest);
typedef struct runtime_guest runtime_guest; /* for g_autoptr() */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(runtime_guest, runtime_guest_free)

/* "starting", "alive" or "stale". It is the state of the guest's process: a guest that is paused is alive. */
const char *runtime_state_name(enum runtime_state state);

/* The guests in @base (NULL: the default) by name, as an array of struct runtime_guest that owns them; empty when the
 * folder does not exist; NULL with @error when it cannot be read. */
GPtrArray *runtime_dir_list(const char *base, GError **error);

/* The list as JSON, to be freed: an array of objects with the members of guest.json and "state", "directory" and, for a
 * record that cannot be read, "problem". */
char *runtime_guests_format(const GPtrArray *guests);

/* The running guest of that name. VITRINE_ERROR_NOT_FOUND names the guests that do run; VITRINE_ERROR_STATE: it is still
 * starting. */
struct runtime_guest *runtime_dir_find(const char *base, const char *name, GError **error);

/* The path of a file that a guest's record names, to be freed: beside the record unless it is absolute. */
char *runtime_guest_path(const struct runtime_guest *guest, const char *file);
