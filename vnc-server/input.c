/* What the user of a client does, made into what a guest's devices see.
 *
 * Specification: RFC 6143 sections 7.5.4 and 7.5.5; the community specification for the QEMU extensions.
 */
#include "vnc-server/input.h"

#include "vnc-server/protocol.h"

enum {
	QNUM_LEFT_SHIFT = 0x2a,
	QNUM_RIGHT_SHIFT = 0x36,
	QNUM_LEFT_CONTROL = 0x1d,
	QNUM_RIGHT_CONTROL = 0x9d,
	QNUM_NUM_LOCK = 0x45,
	QNUM_ALT_GR = 0xb8,
	QNUM_PRINT = 0x54,
	QNUM_PRINT_PREFIXED = 0xb7, /* the same key, as some clients count */
	BUTTON_BITS = 8,
};

/* Buttons in the order of the bits of a pointer event; the sideways wheel has no counterpart. */
static const struct {
	bool known;
	enum input_button button;
} buttons[BUTTON_BITS] = {
	{ true, INPUT_BUTTON_LEFT },
	{ true, INPUT_BUTTON_MIDDLE },
	{ true, INPUT_BUTTON_RIGHT },
	{ true, INPUT_BUTTON_WHEEL_UP },
	{ true, INPUT_BUTTON_WHEEL_DOWN },
	{ false },
	{ false },
	{ true, INPUT_BUTTON_SIDE },
};

void input_init(struct input *input, struct source *source, const struct keymap *keymap)
{
	*input = (struct input) { .source = source, .keymap = keymap };
}

static bool is_down(const struct input *input, uint8_t qnum)
{
	return input->down[qnum / 8] & 1 << qnum % 8;
}

/* To the guest, without a note of it. */
static void send_key(struct input *input, uint8_t qnum, bool down)
{
	input->source->class->key(input->source, qnum, down);
}

/* A press of a key that is down already is its repetition; a release of one that is up is nothing. */
static void set_key(struct input *input, uint8_t qnum, bool down)
{
	if (!down && !is_down(input, qnum))
		return;
	if (down)
		input->down[qnum / 8] |= 1 << qnum % 8;
	else
		input->down[qnum / 8] &= ~(1 << qnum % 8);
	send_key(input, qnum, down);
}

void input_keycode(struct input *input, uint32_t keycode, bool down)
{
	if (keycode == QNUM_PRINT_PREFIXED)
		keycode = QNUM_PRINT;
	if (keycode > 0 && keycode <= 0xff)
		set_key(input, keycode, down);
}

/* A client's Num Lock can differ from the guest's: a digit of the keypad then needs the guest's switched. */
static void adjust_num_lock(
	struct input *input, const struct input_state *state, const struct key *key)
{
	bool on = state->lights & INPUT_LIGHT_NUM;

	if (!key->keypad || key->num_lock == on)
		return;
	send_key(input, QNUM_NUM_LOCK, true);
	send_key(input, QNUM_NUM_LOCK, false);
}

/* Lets the modifiers be as @key needs them, or as the client's user holds them. */
static void adjust_modifier(struct input *input, uint8_t qnum, bool wanted, bool back)
{
	if (wanted != is_down(input, qnum))
		send_key(input, qnum, back ? !wanted : wanted);
}

/* Presses a key that makes a character with the modifiers that this takes in the guest's layout, whatever the client's
 * user had to hold for it in theirs. */
static void press_character(
	struct input *input, const struct input_state *state, const struct key *key)
{
	bool control = is_down(input, QNUM_LEFT_CONTROL) || is_down(input, QNUM_RIGHT_CONTROL);
	bool shift_held = is_down(input, QNUM_LEFT_SHIFT) || is_down(input, QNUM_RIGHT_SHIFT);
	bool shift = key->shift;
	bool alt_gr = input->keymap->has_alt_gr ? key->alt_gr : is_down(input, QNUM_ALT_GR);

	if (key->letter && state->lights & INPUT_LIGHT_CAPS)
		shift = !shift;
	/* Control and a letter is the same with either case. */
	if (key->letter && control)
		shift = shift_held;
	if (shift && !shift_held)
		send_key(input, QNUM_LEFT_SHIFT, true);
	if (!shift) {
		adjust_modifier(input, QNUM_LEFT_SHIFT, false, false);
		adjust_modifier(input, QNUM_RIGHT_SHIFT, false, false);
	}
	adjust_modifier(input, QNUM_ALT_GR, alt_gr, false);

	set_key(input, key->qnum, true);

	adjust_modifier(input, QNUM_ALT_GR, alt_gr, true);
	if (!shift) {
		adjust_modifier(input, QNUM_RIGHT_SHIFT, false, true);
		adjust_modifier(input, QNUM_LEFT_SHIFT, false, true);
	}
	if (shift && !shift_held)
		send_key(input, QNUM_LEFT_SHIFT, false);
}

void input_keysym(struct input *input, const struct input_state *state, uint32_t keysym, bool down)
{
	const struct key *key = keymap_find(input->keymap, keysym);

	if (!key)
		return;
	if (!down) {
		set_key(input, key->qnum, false);
		return;
	}
	adjust_num_lock(input, state, key);
	if (key->character)
		press_character(input, state, key);
	else
		set_key(input, key->qnum, true);
}

static void send_buttons(struct input *input, uint8_t now)
{
	for (unsigned i = 0; i < BUTTON_BITS; i++) {
		if (buttons[i].known && (now ^ input->buttons) & 1 << i)
			input->source->class->button(
				input->source, buttons[i].button, now & 1 << i);
	}
	input->buttons = now;
}

static void send_motion(struct input *input, int32_t dx, int32_t dy)
{
	if (dx != 0 || dy != 0)
		input->source->class->motion(input->source, dx, dy);
}

void input_pointer(struct input *input, const struct input_state *state, bool motion, uint8_t now,
	uint16_t x, uint16_t y)
{
	if (state->absolute) {
		if (!input->position_known || x != input->x || y != input->y)
			input->source->class->position(
				input->source, MIN(x, state->width - 1), MIN(y, state->height - 1));
	} else if (motion) {
		send_motion(input, x - POINTER_MOTION_ORIGIN, y - POINTER_MOTION_ORIGIN);
	} else if (input->position_known) {
		send_motion(input, x - input->x, y - input->y);
	}
	input->x = x;
	input->y = y;
	input->position_known = state->absolute || !motion;
	send_buttons(input, now);
}

void input_release(struct input *input)
{
	for (unsigned qnum = 1; qnum <= 0xff; qnum++)
		set_key(input, qnum, false);
	send_buttons(input, 0);
}
