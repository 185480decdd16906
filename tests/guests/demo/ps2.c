/* PS/2 keyboard and mouse behind the i8042 controller.
 *
 * The program reads scancode set 1: the controller translates to it, or, where it does not, the
 * keyboard is told to send it.
 *
 * Specification: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device
 * Controller", "Keyboard", "Mouse"; Microsoft IntelliMouse for the wheel.
 */
#include "ps2.h"

#include "calls.h"

enum {
	DATA = 0x60,
	STATUS = 0x64,
	COMMAND = 0x64,
	STATUS_OUTPUT_FULL = 0x01,
	STATUS_INPUT_FULL = 0x02,
	STATUS_FROM_MOUSE = 0x20,

	CONTROLLER_READ_CONFIGURATION = 0x20,
	CONTROLLER_WRITE_CONFIGURATION = 0x60,
	CONTROLLER_DISABLE_MOUSE = 0xa7,
	CONTROLLER_ENABLE_MOUSE = 0xa8,
	CONTROLLER_DISABLE_KEYBOARD = 0xad,
	CONTROLLER_ENABLE_KEYBOARD = 0xae,
	CONTROLLER_TO_MOUSE = 0xd4,
	CONTROLLER_RESET_PROCESSOR = 0xfe,
	CONFIGURATION_KEYBOARD_INTERRUPT = 0x01,
	CONFIGURATION_MOUSE_INTERRUPT = 0x02,
	CONFIGURATION_KEYBOARD_OFF = 0x10,
	CONFIGURATION_MOUSE_OFF = 0x20,
	CONFIGURATION_TRANSLATE = 0x40,

	KEYBOARD_SCANCODE_SET = 0xf0,
	DEVICE_ENABLE = 0xf4,
	DEVICE_DEFAULTS = 0xf6,
	MOUSE_IDENTIFY = 0xf2,
	MOUSE_SAMPLE_RATE = 0xf3,
	DEVICE_ACKNOWLEDGE = 0xfa,
	MOUSE_WITH_WHEEL = 3,

	PACKET_ALWAYS_SET = 0x08,
	PACKET_X_NEGATIVE = 0x10,
	PACKET_Y_NEGATIVE = 0x20,

	PREFIX_E0 = 0xe0,
	PREFIX_E1 = 0xe1,
	CODE_LEFT_SHIFT = 0x2a,
	CODE_RIGHT_SHIFT = 0x36,
	CODE_CAPS_LOCK = 0x3a,
	CODE_RELEASED = 0x80,

	/* How often the status is asked before an answer is given up. */
	PATIENCE = 2000,
};

/* What the keys of a US keyboard mean, by scancode. */
static const char plain[] =
	"\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
	"\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static struct {
	bool shift, caps_lock;
	uint8_t prefix;
	uint8_t skip;
} keyboard;

static struct {
	uint8_t packet[4];
	unsigned length, received;
} mouse = { .length = 3 };

static void send(uint16_t port, uint8_t value)
{
	for (unsigned i = 0; i < PATIENCE && in8(STATUS) & STATUS_INPUT_FULL; i++)
		;
	out8(port, value);
}

/* The next byte of any kind, or -1 when none comes. */
static int receive(void)
{
	for (unsigned i = 0; i < PATIENCE; i++)
		if (in8(STATUS) & STATUS_OUTPUT_FULL)
			return in8(DATA);
	return -1;
}

static bool tell_keyboard(uint8_t value)
{
	send(DATA, value);
	return receive() == DEVICE_ACKNOWLEDGE;
}

static bool tell_mouse(uint8_t value)
{
	send(COMMAND, CONTROLLER_TO_MOUSE);
	send(DATA, value);
	return receive() == DEVICE_ACKNOWLEDGE;
}

/* The sequence of sample rates by which a mouse learns that its wheel is wanted. */
static bool ask_for_wheel(void)
{
	static const uint8_t rates[] = { 200, 100, 80 };

	for (unsigned i = 0; i < sizeof(rates); i++)
		if (!tell_mouse(MOUSE_SAMPLE_RATE) || !tell_mouse(rates[i]))
			return false;
	return tell_mouse(MOUSE_IDENTIFY) && receive() == MOUSE_WITH_WHEEL;
}

struct ps2_found ps2_start(void)
{
	struct ps2_found found = { false };
	int configuration;

	if (in8(STATUS) == 0xff)
		return found;
	send(COMMAND, CONTROLLER_DISABLE_KEYBOARD);
	send(COMMAND, CONTROLLER_DISABLE_MOUSE);
	for (unsigned i = 0; i < 32 && in8(STATUS) & STATUS_OUTPUT_FULL; i++)
		in8(DATA);

	send(COMMAND, CONTROLLER_READ_CONFIGURATION);
	configuration = receive();
	if (configuration < 0)
		return found;
	configuration |= CONFIGURATION_TRANSLATE;
	configuration &= ~(CONFIGURATION_KEYBOARD_INTERRUPT | CONFIGURATION_MOUSE_INTERRUPT |
			   CONFIGURATION_KEYBOARD_OFF | CONFIGURATION_MOUSE_OFF);
	send(COMMAND, CONTROLLER_WRITE_CONFIGURATION);
	send(DATA, (uint8_t)configuration);

	send(COMMAND, CONTROLLER_ENABLE_MOUSE);
	found.mouse = tell_mouse(DEVICE_DEFAULTS);
	found.wheel = found.mouse && ask_for_wheel();
	if (found.wheel)
		mouse.length = 4;
	if (found.mouse)
		tell_mouse(DEVICE_ENABLE);

	send(COMMAND, CONTROLLER_ENABLE_KEYBOARD);
	found.keyboard = tell_keyboard(DEVICE_DEFAULTS) && tell_keyboard(DEVICE_ENABLE);
	send(COMMAND, CONTROLLER_READ_CONFIGURATION);
	if (found.keyboard && !(receive() & CONFIGURATION_TRANSLATE)) {
		tell_keyboard(KEYBOARD_SCANCODE_SET);
		tell_keyboard(1);
	}

	configuration |= CONFIGURATION_KEYBOARD_INTERRUPT | CONFIGURATION_MOUSE_INTERRUPT;
	send(COMMAND, CONTROLLER_WRITE_CONFIGURATION);
	send(DATA, (uint8_t)configuration);
	return found;
}

static char meaning(uint8_t code)
{
	bool upper = keyboard.shift;
	char character;

	if (code >= sizeof(plain) - 1)
		return 0;
	character = plain[code];
	if (character >= 'a' && character <= 'z' && keyboard.caps_lock)
		upper = !upper;
	return upper ? shifted[code] : character;
}

static struct ps2_event take_key(uint8_t byte)
{
	struct ps2_event event = { PS2_NONE };
	uint8_t code = byte & (uint8_t)~CODE_RELEASED;

	if (keyboard.skip > 0) {
		keyboard.skip--;
		return event;
	}
	if (byte == PREFIX_E0 || byte == PREFIX_E1) {
		keyboard.prefix = byte;
		return event;
	}
	/* Only the pause key has this prefix; one byte more follows. */
	if (keyboard.prefix == PREFIX_E1)
		keyboard.skip = 1;
	event.kind = PS2_KEY;
	event.down = !(byte & CODE_RELEASED);
	event.code = (uint16_t)(keyboard.prefix << 8 | code);
	if (keyboard.prefix == 0) {
		if (code == CODE_LEFT_SHIFT || code == CODE_RIGHT_SHIFT)
			keyboard.shift = event.down;
		if (code == CODE_CAPS_LOCK && event.down)
			keyboard.caps_lock = !keyboard.caps_lock;
		event.character = event.down ? meaning(code) : 0;
	}
	keyboard.prefix = 0;
	return event;
}

static struct ps2_event take_mouse(uint8_t byte)
{
	struct ps2_event event = { PS2_NONE };
	uint8_t *packet = mouse.packet;

	/* Out of step: the first byte of a packet always has this bit. */
	if (mouse.received == 0 && !(byte & PACKET_ALWAYS_SET))
		return event;
	packet[mouse.received++] = byte;
	if (mouse.received < mouse.length)
		return event;
	mouse.received = 0;
	event.kind = PS2_MOUSE;
	event.buttons = packet[0] & 7;
	event.x = packet[1] - (packet[0] & PACKET_X_NEGATIVE ? 256 : 0);
	event.y = -(packet[2] - (packet[0] & PACKET_Y_NEGATIVE ? 256 : 0));
	if (mouse.length == 4)
		event.wheel = (int8_t)packet[3];
	return event;
}

struct ps2_event ps2_read(void)
{
	struct ps2_event event = { PS2_NONE };
	uint8_t status;

	while (event.kind == PS2_NONE) {
		status = in8(STATUS);
		if (status == 0xff || !(status & STATUS_OUTPUT_FULL))
			break;
		event = status & STATUS_FROM_MOUSE ? take_mouse(in8(DATA)) : take_key(in8(DATA));
	}
	return event;
}

void ps2_reset_processor(void)
{
	send(COMMAND, CONTROLLER_RESET_PROCESSOR);
}
