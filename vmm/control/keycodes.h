/* Key names of the control protocol. */
#pragma once

#include <glib.h>
#include <stdint.h>

/* The qnum of a QKeyCode, 0 when there is no key by that name. */
uint8_t keycode_find(const char *name);

/* All names; NULL-terminated, to be freed. */
char **keycode_names(void);
