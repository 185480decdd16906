/* Single values as they are written on the command line and in configuration files: switches, numbers, sizes, ids.
 *
 * Pure functions. They accept a whole text or nothing: no blanks, no sign, nothing behind the value.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What value_parse_bool() accepts, for people. */
#define VALUE_BOOL_WORDS "on, off, yes, no, true or false"

/* on, yes, true; off, no, false. */
bool value_parse_bool(const char *text, bool *value);

/* Digits, or 0x and hexadecimal digits. False also when it does not fit 64 bits. */
bool value_parse_number(const char *text, uint64_t *value);

/**
 * value_parse_size - a number of bytes
 * @text: digits, perhaps with a fraction, and perhaps one of B, K, M, G, T, P, in upper or lower case, or 0x and
 * hexadecimal digits
 * @unit: what a number without a letter counts, in bytes: 1, KiB, MiB
 * @value: set to the bytes
 *
 * A fraction is accepted when it makes whole bytes: 1.5G is, 0.3K is not.
 */
bool value_parse_size(const char *text, uint64_t unit, uint64_t *value);

/* Bytes as a size that value_parse_size() with @unit 1 reads back: "128M", "1536". To be freed. */
char *value_print_size(uint64_t bytes);

/* Letters, digits, '-', '.', '_', starting with a letter; at most 64. */
bool value_is_id(const char *text);

/* How many characters have to be changed, left out, put in or swapped with the next to make one word of the other; at
 * most 64 characters of each are looked at. */
unsigned value_distance(const char *a, const char *b);
