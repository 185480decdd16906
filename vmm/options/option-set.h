/* Building option sets: what the readers of command lines and of configuration files share. */
#pragma once

#include "vmm/options/options.h"

/* Whether a key's name may have this character. */
bool option_key_character(char c);

/* A new set at the end of the list, owned by it; or the one there is, when it was made by shorthands only. Fails when a
 * single option is given twice or there are too many. @origin is copied. */
struct option_set *options_begin(struct options *options, const struct option_spec *spec,
	const char *origin, GError **error);

/* The set that a shorthand adds a key to. */
struct option_set *options_begin_short(
	struct options *options, const struct option_spec *spec, GError **error);

/* Checks what can be checked when all keys are there: required ones, the id. */
bool options_finish(struct options *options, struct option_set *set, GError **error);

/* Checks a value and adds it (id= too). */
bool option_set_take(struct option_set *set, const char *key, const char *text, GError **error);

/* The same for a shorthand, whose name stands in the error. */
bool option_set_take_as(struct option_set *set, const char *origin, const char *key,
	const char *text, GError **error);

/* The error for a key that is not in the table, with the nearest one and all that are. Returns false. */
bool option_set_unknown_key(
	const struct option_set *set, const char *origin, const char *key, GError **error);
