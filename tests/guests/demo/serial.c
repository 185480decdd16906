/* The first serial port, a 16550, and formatted text on it.
 *
 * Specification: National Semiconductor PC16550D data sheet.
 */
#include "serial.h"

#include <stdarg.h>
#include <stddef.h>

#include "calls.h"

enum {
	PORT = 0x3f8,
	DATA = PORT,
	INTERRUPT_ENABLE = PORT + 1,
	FIFO_CONTROL = PORT + 2,
	LINE_CONTROL = PORT + 3,
	MODEM_CONTROL = PORT + 4,
	LINE_STATUS = PORT + 5,
	SCRATCH = PORT + 7,
	LINE_8N1 = 0x03,
	LINE_DIVISOR = 0x80,
	FIFO_ON_AND_CLEAR = 0x07,
	MODEM_DTR_RTS_OUT2 = 0x0b,
	RECEIVED = 0x01,
	FIFO_EMPTY = 0x20,
	FIFO_BYTES = 16,
	/* How often the status is asked before a character is dropped. */
	PATIENCE = 20000,
};

static bool present;
static unsigned room;

void serial_start(void)
{
	out8(SCRATCH, 0x5a);
	present = in8(SCRATCH) == 0x5a;
	if (!present)
		return;
	out8(LINE_CONTROL, LINE_DIVISOR);
	out8(DATA, 1);
	out8(INTERRUPT_ENABLE, 0);
	out8(LINE_CONTROL, LINE_8N1);
	out8(FIFO_CONTROL, FIFO_ON_AND_CLEAR);
	out8(MODEM_CONTROL, MODEM_DTR_RTS_OUT2);
	out8(INTERRUPT_ENABLE, RECEIVED);
}

int serial_read(void)
{
	if (!present || !(in8(LINE_STATUS) & RECEIVED))
		return -1;
	return in8(DATA);
}

void serial_write(char character)
{
	if (!present)
		return;
	for (unsigned i = 0; room == 0 && i < PATIENCE; i++)
		if (in8(LINE_STATUS) & FIFO_EMPTY)
			room = FIFO_BYTES;
	if (room == 0)
		return;
	room--;
	out8(DATA, (uint8_t)character);
}

struct output {
	char *buffer;
	uint32_t size, used;
};

static void put(struct output *output, char character)
{
	if (output->buffer) {
		if (output->used + 1 < output->size)
			output->buffer[output->used++] = character;
		return;
	}
	if (character == '\n')
		serial_write('\r');
	serial_write(character);
}

static void put_number(struct output *output, uint64_t value, unsigned base, unsigned width)
{
	char digits[20];
	unsigned count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	for (; width > count; width--)
		put(output, '0');
	while (count > 0)
		put(output, digits[--count]);
}

static void put_formatted(struct output *output, const char *format, va_list arguments)
{
	for (; *format; format++) {
		unsigned width = 0;
		const char *text;
		int number;

		if (*format != '%') {
			put(output, *format);
			continue;
		}
		format++;
		for (; *format >= '0' && *format <= '9'; format++)
			width = width * 10 + (unsigned)(*format - '0');
		switch (*format) {
		case 's':
			for (text = va_arg(arguments, const char *); *text; text++)
				put(output, *text);
			break;
		case 'c':
			put(output, (char)va_arg(arguments, int));
			break;
		case 'd':
			number = va_arg(arguments, int);
			if (number < 0)
				put(output, '-');
			put_number(output, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, 10,
				width);
			break;
		case 'u':
			put_number(output, va_arg(arguments, unsigned), 10, width);
			break;
		case 'x':
			put_number(output, va_arg(arguments, unsigned), 16, width);
			break;
		default:
			put(output, *format);
		}
	}
}

void say(const char *format, ...)
{
	struct output output = { NULL };
	va_list arguments;

	va_start(arguments, format);
	put_formatted(&output, format, arguments);
	va_end(arguments);
}

void format_text(char *buffer, uint32_t size, const char *format, ...)
{
	struct output output = { .buffer = buffer, .size = size };
	va_list arguments;

	va_start(arguments, format);
	put_formatted(&output, format, arguments);
	va_end(arguments);
	buffer[output.used] = 0;
}
