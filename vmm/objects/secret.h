/* Secrets: passwords and keys that never stand on a command line, from a file or in an encrypted form. */
#pragma once

#include "vmm/objects.h"

/* What the secret is; borrowed, lives as long as the object. */
const uint8_t *secret_bytes(const struct object *object, size_t *length);

/* A copy as text, by the object's id, to be freed with secret_clear(). NULL with @error when there is no such secret or it is no text
 * (no UTF-8, or with a NUL). */
char *secret_text(const struct objects *objects, const char *id, GError **error);
/* Overwrites it before it is freed. */
void secret_clear(char *text);
