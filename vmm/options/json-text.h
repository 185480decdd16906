/* Options in JSON, as managers write them: an object's members as keys and texts.
 *
 * A member of a member is called "file.driver", an entry of a list "host-nodes.0"; a switch is on or off: the same names
 * and values that KEY=VALUE pairs have. Pure; nesting and length are limited by json-splitter.h.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/* One member, for the caller to take; false with @error ends the walk. */
typedef bool (*json_text_func)(const char *key, const char *text, void *data, GError **error);

bool json_text_walk(JsonObject *object, json_text_func take, void *data, GError **error);

/* The same from text. The error says what is wrong with the JSON. */
bool json_text_parse(const char *text, json_text_func take, void *data, GError **error);
