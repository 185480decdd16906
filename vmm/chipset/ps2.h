/* The two devices behind a PS/2 keyboard controller, and how the controller sees them: something that takes command bytes
 * and has bytes to give, one after the other.
 *
 * Everything here is called with the machine's lock held.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/state.h"

struct display;

enum {
	PS2_ACKNOWLEDGE = 0xfa,
	PS2_RESEND = 0xfe,
	PS2_SELF_TEST_PASSED = 0xaa,
	PS2_REPLIES = 8, /* the longest reply to one command, bytes */
};

/* Replies to the last command. A new command takes the place of an old one's replies. */
struct ps2_replies {
	uint8_t bytes[PS2_REPLIES];
	uint8_t count, next;
	uint8_t last; /* sent last, for the command that asks for it again */
};

void ps2_reply(struct ps2_replies *replies, uint8_t byte);
void ps2_replies_clear(struct ps2_replies *replies);

/* Who wants to know that a device has bytes to give. */
struct ps2_port {
	void (*ready)(void *controller);
	void *controller;
};

enum {
	PS2_KEYBOARD_QUEUE = 256
};

struct ps2_keyboard {
	struct ps2_port port;
	struct display *display;
	struct ps2_replies replies;
	uint8_t queue[PS2_KEYBOARD_QUEUE]; /* whole key sequences, a ring */
	uint16_t first, used;
	uint8_t down[32];    /* keys the guest was told are down, one bit by qnum */
	uint8_t set;         /* scan code set, 1..3 */
	uint8_t argument_of; /* the command whose argument comes next, 0: none */
	bool scanning;
};

extern const struct state_field ps2_keyboard_state_fields[];

/* Takes the keys of the machine's display, from here on and until _finish(). */
void ps2_keyboard_init(
	struct ps2_keyboard *keyboard, struct display *display, const struct ps2_port *port);
void ps2_keyboard_finish(struct ps2_keyboard *keyboard);
void ps2_keyboard_reset(struct ps2_keyboard *keyboard);
void ps2_keyboard_write(struct ps2_keyboard *keyboard, uint8_t byte);
bool ps2_keyboard_read(struct ps2_keyboard *keyboard, uint8_t *byte); /* false: nothing to give */

enum {
	PS2_MOUSE_STEPS = 16
};

/* Motion that was made with the same buttons down. */
struct ps2_mouse_step {
	int32_t dx, dy, dz; /* right, up and towards the user are positive */
	uint32_t buttons;   /* one bit by enum input_button, no wheel */
};

struct ps2_mouse {
	struct ps2_port port;
	struct display *display;
	struct ps2_replies replies;
	struct ps2_mouse_step steps[PS2_MOUSE_STEPS]; /* not yet reported, a ring */
	uint8_t first, used;
	uint32_t buttons; /* as the user holds them */
	uint32_t reported_buttons;
	uint8_t packet[4]; /* being sent */
	uint8_t packet_size, packet_next;
	uint8_t id;       /* 0 PS/2 mouse, 3 with a wheel, 4 with five buttons */
	uint8_t rates[3]; /* the last three sample rates, which choose the id */
	uint8_t resolution;
	uint8_t argument_of;
	bool scaling, remote, wrap, reporting;
};

extern const struct state_field ps2_mouse_state_fields[];

void ps2_mouse_init(struct ps2_mouse *mouse, struct display *display, const struct ps2_port *port);
void ps2_mouse_finish(struct ps2_mouse *mouse);
void ps2_mouse_reset(struct ps2_mouse *mouse);
void ps2_mouse_write(struct ps2_mouse *mouse, uint8_t byte);
bool ps2_mouse_read(struct ps2_mouse *mouse, uint8_t *byte);
