/* The command line and configuration files: from text to an ordered list of options with their keys and values.
 *
 * One table (option-table.c) says what options there are, in QEMU's syntax: a first key whose name may be left out,
 * KEY=VALUE pairs separated by commas, ",," for a comma in a value, on and off (yes, no, true, false). A value is checked
 * against its row when it is read, and kept as it was written; so what options_write() writes, options_read() reads back
 * to an equal list. What the values mean together is the business of config.h.
 *
 * Configuration files are QEMU's: [GROUP "ID"] headings with KEY = "VALUE" lines. In a value, \" is a quotation mark, \\
 * a backslash, \n a line feed and \xNN a byte; a line that starts with '#' is a comment.
 *
 * Limits: a configuration file of 1 MiB, 1024 options, 256 values each, values of 64 KiB, 8 files that include no others.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum option_type {
	OPTION_END,
	OPTION_STRING,
	OPTION_BOOL,
	OPTION_NUMBER, /* minimum..maximum */
	OPTION_SIZE,   /* bytes, minimum..maximum */
	OPTION_CHOICE, /* one of choices */
	OPTION_UUID,
};

struct option_key {
	const char *name;
	enum option_type type;
	const char *description;
	bool required;
	bool may_be_empty;
	bool repeats; /* may be given more than once; option_set_get() tells the first */
	uint64_t minimum, maximum;  /* numbers and sizes; maximum 0: any */
	uint64_t unit;              /* sizes: bytes that a number without a letter counts; 0: one */
	const char *const *choices; /* NULL-terminated */
};

enum option_kind {
	OPTION_GROUP, /* keys and values */
	OPTION_VALUE, /* the whole word is the value of the implied key, commas and all */
	OPTION_FLAG,  /* takes no value */
	OPTION_SHORT, /* -kernel X is -machine kernel=X: one key of another group */
	OPTION_FILE,  /* -readconfig, -writeconfig */
	OPTION_INFO,  /* --help, --version */
};

struct option_spec {
	const char *name;  /* on the command line, without dashes */
	const char *alias; /* a second name, or NULL */
	const char *
		group; /* in configuration files; for OPTION_SHORT, the group that the key belongs to */
	enum option_kind kind;
	const char *
		implied; /* the first key, which may stand without its name; for OPTION_SHORT, the key */
	bool many;       /* may be given more than once */
	bool merges; /* may be given more than once, with other keys of the same thing */
	bool has_id; /* takes id= */
	bool requires_id;
	bool json; /* may be a JSON object instead */
	bool open; /* takes keys that the table does not know (-device); config.c checks them */
	const char *
		only; /* what it takes, in words, when people give it one value and no keys; or NULL */
	const struct option_key *keys; /* up to OPTION_END; NULL: none */
	const char *argument;          /* for --help */
	const char *description;       /* for --help; lines separated by \n */
	const char *section; /* for --help: heading of the rows from this one on, or NULL */
};

struct option_value {
	char *key;
	char *text;
};

/* One option as it was given. */
struct option_set {
	const struct option_spec *spec;
	char *id;                    /* NULL: none */
	char *origin;                /* for errors: "-drive" or "vm.cfg:12: [drive]" */
	struct option_value *values; /* in the order of the text */
	guint count;
	bool given; /* under its own name, not only through an OPTION_SHORT */
};

enum options_request {
	OPTIONS_RUN,
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_LIST,     /* "-machine help": what there is, or the keys of other options */
	OPTIONS_DESCRIBE, /* "-device NAME,help" */
};

struct options {
	GPtrArray *sets;    /* of struct option_set, in the order given */
	char *write_config; /* the file of -writeconfig, "-" for standard output, or NULL */
	enum options_request request;
	const struct option_spec *request_spec; /* LIST and DESCRIBE: which option */
	char *request_name;                     /* DESCRIBE: of what */
};

/* The rows of the table by number, from 0; NULL behind the last. */
const struct option_spec *option_spec_at(guint index);
const struct option_spec *option_spec_find(const char *name); /* by name or alias; NULL: none */

const struct option_spec *option_spec_find_group(
	const char *group); /* of a configuration file; NULL: none */

/* NULL when the group has no such key. */
const struct option_key *option_spec_key(const struct option_spec *spec, const char *name);

/* What a key takes, for people: "on, off, yes, no, true or false", "a size from 2M to 1T", "one of a, b". To be freed. */
char *option_key_accepts(const struct option_key *key);

struct options *options_new(void);
void options_free(struct options *options);

/**
 * options_parse - reads a command line
 * @arguments: words after the program's name
 *
 * Files named by -readconfig are read where they stand. A request for help or a listing ends the parsing. The error names
 * the option, the value and what is accepted.
 */
bool options_parse(struct options *options, int count, char **arguments, GError **error);

/**
 * options_read - reads a configuration file's text
 * @text: UTF-8 is not required; a NUL byte is refused
 * @name: for errors, which name NAME:LINE
 */
bool options_read(
	struct options *options, const char *text, gsize length, const char *name, GError **error);
bool options_read_file(struct options *options, const char *path, GError **error);

/* Puts a key of a group that may be given once to @text, which is not checked; what was not given is added. Fails when
 * there are too many options. */
bool options_set(struct options *options, const char *group, const char *key, const char *text,
	GError **error);

/* All options as a configuration file. To be freed. */
char *options_write(const struct options *options);

/* The first set of a group or NULL. */
const struct option_set *options_find(const struct options *options, const char *group);

/* The text of a key, or NULL when it was not given. */
const char *option_set_get(const struct option_set *set, const char *key);
/* Typed values; @otherwise when the key was not given (or @set is NULL). The text was checked when it was read. */
bool option_set_bool(const struct option_set *set, const char *key, bool otherwise);
uint64_t option_set_number(
	const struct option_set *set, const char *key, uint64_t otherwise); /* also sizes */

/* A set of its own, for what one option stands for in terms of another: the caller frees it. Values are not checked. */
struct option_set *option_set_new(
	const struct option_spec *spec, const char *id, const char *origin);
void option_set_add(struct option_set *set, const char *key, const char *text);
void option_set_free(struct option_set *set);
