/* PS/2 keyboard with scan code sets 1, 2 and 3. Repeated keys come from whoever types, not from here.
 *
 * A key's sequence enters the queue whole or not at all, and room is kept for the release of every key that is down: a
 * guest that does not read loses keys, but never sees half of one nor a key that stays down.
 *
 * Specification: IBM PS/2 Technical Reference, "Keyboards (101- and 102-key)".
 */
#include "vmm/chipset/ps2.h"

#include <glib.h>
#include <string.h>

#include "display/display.h"
#include "vmm/chipset/scancodes.h"

enum keyboard_command {
	COMMAND_SET_LIGHTS = 0xed,
	COMMAND_ECHO = 0xee,
	COMMAND_SCAN_CODE_SET = 0xf0,
	COMMAND_IDENTIFY = 0xf2,
	COMMAND_TYPEMATIC = 0xf3,
	COMMAND_ENABLE = 0xf4,
	COMMAND_DEFAULTS_AND_DISABLE = 0xf5,
	COMMAND_DEFAULTS = 0xf6,
	COMMAND_ALL_REPEAT = 0xf7,
	COMMAND_ALL_MAKE_BREAK = 0xf8,
	COMMAND_ALL_MAKE = 0xf9,
	COMMAND_ALL_EVERYTHING = 0xfa,
	COMMAND_KEY_REPEAT = 0xfb,
	COMMAND_KEY_MAKE_BREAK = 0xfc,
	COMMAND_KEY_MAKE = 0xfd,
	COMMAND_RESEND = 0xfe,
	COMMAND_RESET = 0xff,
};

enum {
	ID_FIRST = 0xab,
	ID_SECOND = 0x83,
	DEFAULT_SET = 2,
	SETS = 3,
	RELEASE_ROOM = 6, /* bytes: the longest release, Print Screen's in set 2 */
};

const struct state_field ps2_keyboard_state_fields[] = {
	STATE_UINT8_ARRAY(struct ps2_keyboard, replies.bytes, PS2_REPLIES),
	STATE_UINT8(struct ps2_keyboard, replies.count),
	STATE_UINT8(struct ps2_keyboard, replies.next),
	STATE_UINT8(struct ps2_keyboard, replies.last),
	STATE_UINT8_ARRAY(struct ps2_keyboard, queue, PS2_KEYBOARD_QUEUE),
	STATE_UINT16(struct ps2_keyboard, first),
	STATE_UINT16(struct ps2_keyboard, used),
	STATE_UINT8_ARRAY(struct ps2_keyboard, down, 32),
	STATE_UINT8(struct ps2_keyboard, set),
	STATE_UINT8(struct ps2_keyboard, argument_of),
	STATE_BOOL(struct ps2_keyboard, scanning),
	STATE_END,
};

/* Keys */

static bool key_is_down(const struct ps2_keyboard *keyboard, uint8_t qnum)
{
	return keyboard->down[qnum / 8] & 1 << qnum % 8;
}

static unsigned keys_down(const struct ps2_keyboard *keyboard)
{
	unsigned count = 0;

	for (size_t i = 0; i < sizeof(keyboard->down); i++)
		count += __builtin_popcount(keyboard->down[i]);
	return count;
}

static void queue_clear(struct ps2_keyboard *keyboard)
{
	keyboard->first = 0;
	keyboard->used = 0;
	memset(keyboard->down, 0, sizeof(keyboard->down));
}

static void queue_add(struct ps2_keyboard *keyboard, const uint8_t *bytes, unsigned length)
{
	for (unsigned i = 0; i < length; i++) {
		keyboard->queue[(keyboard->first + keyboard->used) % PS2_KEYBOARD_QUEUE] = bytes[i];
		keyboard->used++;
	}
}

static void keyboard_key(void *device, uint8_t qnum, bool down)
{
	struct ps2_keyboard *keyboard = device;
	uint8_t bytes[SCANCODE_MAX];
	unsigned length = scancode_sequence(keyboard->set, qnum, down, bytes);
	unsigned releases = keys_down(keyboard) + (down ? 1 : 0);
	size_t room = PS2_KEYBOARD_QUEUE - keyboard->used;

	if (!keyboard->scanning)
		return;
	if (down && length + RELEASE_ROOM * releases > room)
		return;
	if (!down && (!key_is_down(keyboard, qnum) || length > room))
		return;
	if (down)
		keyboard->down[qnum / 8] |= 1 << qnum % 8;
	else
		keyboard->down[qnum / 8] &= ~(1 << qnum % 8);
	if (length == 0)
		return;
	queue_add(keyboard, bytes, length);
	keyboard->port.ready(keyboard->port.controller);
}

static const struct keyboard_ops keyboard_ops = { .key = keyboard_key };

/* Commands */

static void set_defaults(struct ps2_keyboard *keyboard)
{
	queue_clear(keyboard);
	keyboard->set = DEFAULT_SET;
}

static void command_echo(struct ps2_keyboard *keyboard)
{
	ps2_replies_clear(&keyboard->replies);
	ps2_reply(&keyboard->replies, COMMAND_ECHO);
}

static void command_identify(struct ps2_keyboard *keyboard)
{
	ps2_reply(&keyboard->replies, ID_FIRST);
	ps2_reply(&keyboard->replies, ID_SECOND);
}

static void command_enable(struct ps2_keyboard *keyboard)
{
	keyboard->scanning = true;
}

static void command_defaults_and_disable(struct ps2_keyboard *keyboard)
{
	set_defaults(keyboard);
	keyboard->scanning = false;
}

static void command_defaults(struct ps2_keyboard *keyboard)
{
	set_defaults(keyboard);
	keyboard->scanning = true;
}

static void command_resend(struct ps2_keyboard *keyboard)
{
	ps2_replies_clear(&keyboard->replies);
	ps2_reply(&keyboard->replies, keyboard->replies.last);
}

static void command_reset(struct ps2_keyboard *keyboard)
{
	command_defaults(keyboard);
	display_set_lights(keyboard->display, 0);
	ps2_reply(&keyboard->replies, PS2_SELF_TEST_PASSED);
}

static void argument_lights(struct ps2_keyboard *keyboard, uint8_t argument)
{
	/* The bits of the command are those of enum input_light. */
	display_set_lights(keyboard->display,
		argument & (INPUT_LIGHT_SCROLL | INPUT_LIGHT_NUM | INPUT_LIGHT_CAPS));
}

static void argument_scan_code_set(struct ps2_keyboard *keyboard, uint8_t argument)
{
	if (argument == 0) {
		ps2_reply(&keyboard->replies, keyboard->set);
	} else if (argument <= SETS) {
		queue_clear(keyboard);
		keyboard->set = argument;
	} else {
		ps2_replies_clear(&keyboard->replies);
		ps2_reply(&keyboard->replies, PS2_RESEND);
	}
}

static void ignore(struct ps2_keyboard *keyboard)
{
}

static void argument_ignore(struct ps2_keyboard *keyboard, uint8_t argument)
{
}

/* Every command is acknowledged, and its argument as well. How often keys repeat, and which send what in set 3, is taken
 * note of by no guest in use. */
static const struct {
	uint8_t command;
	void (*run)(struct ps2_keyboard *keyboard);
	void (*argument)(struct ps2_keyboard *keyboard, uint8_t argument);
} commands[] = {
	{ COMMAND_SET_LIGHTS, ignore, argument_lights },
	{ COMMAND_ECHO, command_echo },
	{ COMMAND_SCAN_CODE_SET, ignore, argument_scan_code_set },
	{ COMMAND_IDENTIFY, command_identify },
	{ COMMAND_TYPEMATIC, ignore, argument_ignore },
	{ COMMAND_ENABLE, command_enable },
	{ COMMAND_DEFAULTS_AND_DISABLE, command_defaults_and_disable },
	{ COMMAND_DEFAULTS, command_defaults },
	{ COMMAND_ALL_REPEAT, ignore },
	{ COMMAND_ALL_MAKE_BREAK, ignore },
	{ COMMAND_ALL_MAKE, ignore },
	{ COMMAND_ALL_EVERYTHING, ignore },
	{ COMMAND_KEY_REPEAT, ignore, argument_ignore },
	{ COMMAND_KEY_MAKE_BREAK, ignore, argument_ignore },
	{ COMMAND_KEY_MAKE, ignore, argument_ignore },
	{ COMMAND_RESEND, command_resend },
	{ COMMAND_RESET, command_reset },
};

static ssize_t find_command(uint8_t byte)
{
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		if (commands[i].command == byte)
			return i;
	return -1;
}

void ps2_keyboard_write(struct ps2_keyboard *keyboard, uint8_t byte)
{
	uint8_t argument_of = keyboard->argument_of;
	ssize_t command = find_command(byte);

	ps2_replies_clear(&keyboard->replies);
	keyboard->argument_of = 0;
	/* A command where an argument should be starts over. */
	if (argument_of != 0 && command < 0) {
		ps2_reply(&keyboard->replies, PS2_ACKNOWLEDGE);
		commands[find_command(argument_of)].argument(keyboard, byte);
	} else if (command < 0) {
		ps2_reply(&keyboard->replies, PS2_RESEND);
	} else {
		ps2_reply(&keyboard->replies, PS2_ACKNOWLEDGE);
		commands[command].run(keyboard);
		if (commands[command].argument)
			keyboard->argument_of = byte;
	}
	keyboard->port.ready(keyboard->port.controller);
}

bool ps2_keyboard_read(struct ps2_keyboard *keyboard, uint8_t *byte)
{
	struct ps2_replies *replies = &keyboard->replies;

	if (replies->next < replies->count) {
		*byte = replies->bytes[replies->next++];
	} else if (keyboard->used > 0) {
		*byte = keyboard->queue[keyboard->first];
		keyboard->first = (keyboard->first + 1) % PS2_KEYBOARD_QUEUE;
		keyboard->used--;
	} else {
		return false;
	}
	replies->last = *byte;
	return true;
}

/* Life */

void ps2_keyboard_init(
	struct ps2_keyboard *keyboard, struct display *display, const struct ps2_port *port)
{
	keyboard->port = *port;
	keyboard->display = display;
	display_set_keyboard(display, &keyboard_ops, keyboard);
}

void ps2_keyboard_finish(struct ps2_keyboard *keyboard)
{
	if (keyboard->display)
		display_set_keyboard(keyboard->display, NULL, keyboard);
	keyboard->display = NULL;
}

void ps2_keyboard_reset(struct ps2_keyboard *keyboard)
{
	ps2_replies_clear(&keyboard->replies);
	keyboard->argument_of = 0;
	command_defaults(keyboard);
	display_set_lights(keyboard->display, 0);
}
