/* The monitor for people, HMP: rows of tables, each with its arguments and the function that writes its text.
 *
 * A command is a line: a name (or "info" and a name), then arguments separated by blanks; quotation marks hold blanks
 * together. The arguments of a row become a JSON object, so that a row with @qmp is that command with these arguments
 * under the same names, and needs no function. Names, arguments and texts are QEMU's, which scripts read.
 */
#pragma once

#include "vmm/control/qmp-commands.h"

enum hmp_argument_type {
	HMP_WORD,      /* a string */
	HMP_NUMBER,    /* decimal or 0x; a sum such as 0x1000+4 */
	HMP_MEGABYTES, /* a size as a number of bytes; without a letter it counts MiB */
	HMP_SWITCH,    /* on or off: a boolean */
	HMP_FLAG,      /* -X: a boolean, before the others */
	HMP_TEXT,      /* the rest of the line */
	HMP_FORMAT,    /* /4xw: "count", "format" (a letter) and "size" (bytes); has defaults */
};

struct hmp_argument {
	const char *name;
	enum hmp_argument_type type;
	bool optional;
	char flag;        /* of HMP_FLAG */
	const char *what; /* for errors: "block device name" */
};

struct hmp_call {
	const struct command_context *context;
	JsonObject *arguments;
	GString *out;                                /* whole lines */
	unsigned *cpu;                               /* whose state is shown; "cpu N" changes it */
	void (*afterwards)(struct machine *machine); /* see struct command_call */
};

struct hmp_command {
	const char *name;                     /* "stop|s": a name and its short forms */
	const struct hmp_argument *arguments; /* up to a row without a name; NULL: none */
	const char *usage;                    /* of the arguments, for help; NULL: none */
	const char *help;
	void (*run)(struct hmp_call *call);
	const char *qmp; /* without a function: the QMP command of this name */
};

/* The tables, each up to a row without a name: commands, and what "info" shows. A part of the machine has its own file,
 * which is listed in hmp-tables.c. */
extern const struct hmp_command hmp_machine_commands[], hmp_memory_commands[],
	hmp_object_commands[], hmp_display_commands[], hmp_host_commands[];
extern const struct hmp_command hmp_info_machine[], hmp_info_devices[], hmp_info_network[],
	hmp_info_memory[], hmp_info_board[], hmp_info_display[], hmp_info_host[];

/* By its name or a short form; NULL: none. */
const struct hmp_command *hmp_find(const char *name);
const struct hmp_command *hmp_find_info(const char *name);
/* All names that start with @start, in order and without short forms; for completion. NULL-terminated, to be freed. */
char **hmp_complete(const char *start, bool info);

/**
 * hmp_run - runs one line
 * @cpu: the processor that is shown, which the line may change
 * @afterwards: set to what is to be done when the text is on its way, or to NULL
 *
 * Returns the text, whole lines or empty; to be freed.
 */
char *hmp_run(const struct command_context *context, const char *line, unsigned *cpu,
	void (**afterwards)(struct machine *machine));

/* For rows' functions: runs a QMP command with @arguments (borrowed, NULL: none). Its error is written as "Error: ...";
 * NULL then. */
JsonNode *hmp_query(struct hmp_call *call, const char *command, JsonObject *arguments);

/* The same for one whose answer says nothing more. */
void hmp_do(struct hmp_call *call, const char *command, JsonObject *arguments);

/* Writes "Error: ..." and takes the error. */
void hmp_fail(struct hmp_call *call, GError *error);

/* The arguments of a line for a row: NULL, with the message in @error, when they are wrong. Pure. */
JsonObject *hmp_parse(const struct hmp_command *command, const char *text, GError **error);
