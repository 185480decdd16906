/* Commands of the control protocol: rows of tables, each with its typed arguments.
 *
 * A command's function gets arguments that were checked against its row: those without @optional are there, all have their
 * type, and there are no others. Errors become QMP errors: VITRINE_ERROR_NOT_FOUND is class DeviceNotFound, all others
 * are GenericError.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

#include "vmm/machine/machine.h"

struct head;
struct key_sender;
struct monitor_fds;

enum argument_type {
	ARGUMENT_STRING,
	ARGUMENT_INT,
	ARGUMENT_BOOL,
	ARGUMENT_ARRAY,
	ARGUMENT_OBJECT,
	ARGUMENT_ANY,
};

struct argument {
	const char *name;
	enum argument_type type;
	bool optional;
	const char *const *choices; /* of a string, NULL-terminated; NULL: any */
	const char
		*of; /* of an array or object: its type in the notation of vmm/control/schema.h */
};

/* Where a server of the display listens, in QMP's words. */
struct command_server {
	char *host, *service;
	const char *family; /* "ipv4", "ipv6", "unix" */
};

/* What commands work on. */
struct command_context {
	struct machine *machine;
	GPtrArray *chardevs;
	struct key_sender *keys;
	const struct command_server *vnc; /* NULL: there is none */
	const char *display;              /* of -display; NULL: none */
	bool pretty;                      /* JSON in lines that people can read */
};

struct command_call {
	const struct command_context *context;
	JsonObject *arguments;   /* never NULL */
	struct monitor_fds *fds; /* that the client sent; NULL: it cannot send any */
	/* To be done when the answer is on its way: what may end the program. */
	void (*afterwards)(struct machine *machine);
};

struct command {
	const char *name;
	/* The value of the answer, or NULL with @error. */
	JsonNode *(*run)(struct command_call *call, GError **error);
	const struct argument *arguments; /* up to a row without a name; NULL: none */
	/* What the answer is, in the notation of vmm/control/schema.h; NULL: nothing. */
	const char *returns;
	/* The arguments in that notation, where the table cannot say it all; to be freed. NULL: the table does. */
	char *(*describe)(void);
	const char *features; /* of QEMU's schema, separated by blanks; NULL: none */
	bool open; /* takes arguments that are not in the table, and checks them itself */
};

/* The tables, each up to a row without a name; one a line, as every part of the machine adds its own. */
extern const struct command block_commands[];
extern const struct command balloon_commands[];
extern const struct command chardev_commands[];
extern const struct command device_commands[];
extern const struct command display_commands[];
extern const struct command input_commands[];
extern const struct command introspection_commands[];
extern const struct command machine_commands[];
extern const struct command monitor_commands[];
extern const struct command network_commands[];
extern const struct command object_commands[];
extern const struct command pci_commands[];
extern const struct command probe_commands[];
extern const struct command qom_commands[];

/* The rows of all tables by number, from 0; NULL behind the last. */
const struct command *command_at(guint index);
const struct command *command_find(const char *name);

/* Checks the arguments and runs the command. @arguments may be NULL. */
JsonNode *command_run(const struct command *command, struct command_call *call,
	JsonObject *arguments, GError **error);

/* Checks an object that is part of an argument in the same way; @path goes before the names in errors: "keys[0].". */
bool command_check_arguments(
	const struct argument *arguments, JsonObject *object, const char *path, GError **error);

/* The picture of a display device, or the first one when @device is NULL. NULL with @error. */
struct head *command_find_head(
	const struct command_context *context, const char *device, gint64 number, GError **error);

/* {} */
JsonNode *command_nothing(void);
/* An object as a node, which takes it over. */
JsonNode *command_object(JsonObject *object);
JsonNode *command_array(JsonArray *array);

/* {"qemu": {"major": ...}, "package": ...}: of the greeting and of query-version. */
JsonObject *command_version(void);
