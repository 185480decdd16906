/* The control protocol described in its own terms: query-qmp-schema, made from the tables of commands and events.
 *
 * Tables say what values are in a short notation:
 *
 *   str int bool number any null     the types that JSON has
 *   on|off|auto                      one of these words ("none|" when there is only one)
 *   [str]                            an array
 *   {name: str, size?: int}          an object; size may be missing
 *   {type: a|b; type; a = {x: int}}  members more by the value of type; words not named have none more
 *   (str / {x: int})                 one type or another
 *   RunState                         a type by its name, with a capital: a row of schema-types.c
 *
 * Specification: QEMU's docs/devel/qapi-code-gen, "Client JSON Protocol introspection"; types of the answer have numbers
 * for names there.
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

struct schema_type {
	const char *name;
	const char *text;       /* in the notation; NULL: an enumeration of values */
	char **(*values)(void); /* NULL-terminated, to be freed */
};

/* The named types, up to a row without a name. */
extern const struct schema_type schema_types[];

/* The whole schema as query-qmp-schema answers it. */
JsonArray *schema_describe(void);

/* The arguments of a command in the notation; to be freed. */
struct command;
char *schema_arguments(const struct command *command);
