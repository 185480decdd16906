/* The first serial port, and formatted text on it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Sets the port to 115200 8N1 with FIFOs and its interrupt; does nothing from then on where
 * there is no port. */
void serial_start(void);

/* The next character that was received, or -1. */
int serial_read(void);

void serial_write(char character);

/* Knows %s %c %u %d %x and a zero-filled width as in %02x; a newline becomes CR LF. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* The same into a buffer of @size bytes, ended by a 0, cut where it does not fit. */
__attribute__((format(printf, 3, 4))) void format_text(
	char *buffer, uint32_t size, const char *format, ...);
