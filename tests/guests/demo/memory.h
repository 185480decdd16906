/* The functions on memory and text that the compiler and the program expect of a C library. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memset(void *target, int value, size_t bytes);
void *memcpy(void *restrict target, const void *restrict source, size_t bytes);
void *memmove(void *target, const void *source, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);

bool text_equal(const char *a, const char *b);

/* Takes a number of base 10 or 16 off the front of @text; false, with nothing changed, when none
 * is there. */
bool text_number(const char **text, unsigned base, uint32_t *value);
