/* Bytes written the way a specification writes them. */
#pragma once

#include <glib.h>

/* The bytes that a string of hexadecimal digits and spaces stands for. */
GBytes *bytes_from_hex(const char *text);
