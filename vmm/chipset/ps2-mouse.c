/* PS/2 mouse: the standard one, and after the knock of sample rates that drivers know, one with a wheel (IntelliMouse)
 * or with a wheel and five buttons (IntelliMouse Explorer).
 *
 * Motion adds up until the guest takes it; only a change of the buttons starts a new step, so that a click is never lost
 * between two reports. When more than PS2_MOUSE_STEPS changes wait, the newest take each other's place.
 *
 * Specification: IBM PS/2 Technical Reference, "Mouse"; Microsoft's "Enhanced Mouse" (IntelliMouse) packets.
 */
#include "vmm/chipset/ps2.h"

#include <glib.h>
#include <string.h>

#include "display/display.h"

enum mouse_command {
	COMMAND_SCALING_1_1 = 0xe6,
	COMMAND_SCALING_2_1 = 0xe7,
	COMMAND_RESOLUTION = 0xe8,
	COMMAND_STATUS = 0xe9,
	COMMAND_STREAM = 0xea,
	COMMAND_READ_DATA = 0xeb,
	COMMAND_RESET_WRAP = 0xec,
	COMMAND_WRAP = 0xee,
	COMMAND_REMOTE = 0xf0,
	COMMAND_IDENTIFY = 0xf2,
	COMMAND_SAMPLE_RATE = 0xf3,
	COMMAND_ENABLE = 0xf4,
	COMMAND_DISABLE = 0xf5,
	COMMAND_DEFAULTS = 0xf6,
	COMMAND_RESEND = 0xfe,
	COMMAND_RESET = 0xff,
};

enum {
	ID_STANDARD = 0,
	ID_WHEEL = 3,
	ID_FIVE_BUTTONS = 4,
	DEFAULT_RATE = 100,     /* reports a second */
	DEFAULT_RESOLUTION = 2, /* 4 counts a millimetre */
	RESOLUTIONS = 4,
	MOTION_LIMIT = 255,   /* of one packet: nine bits and a sign */
	WHEEL_LIMIT = 7,      /* of one packet: four bits and a sign in the five-button format */
	STEP_LIMIT = 1 << 20, /* of motion that waits */
};

/* First byte of a packet, and of the status. */
enum {
	PACKET_LEFT = 1 << 0,
	PACKET_RIGHT = 1 << 1,
	PACKET_MIDDLE = 1 << 2,
	PACKET_ALWAYS = 1 << 3,
	PACKET_X_SIGN = 1 << 4,
	PACKET_Y_SIGN = 1 << 5,
	PACKET_SIDE = 1 << 4, /* fourth byte, five buttons */
	PACKET_EXTRA = 1 << 5,
	STATUS_RIGHT = 1 << 0,
	STATUS_MIDDLE = 1 << 1,
	STATUS_LEFT = 1 << 2,
	STATUS_SCALING = 1 << 4,
	STATUS_REPORTING = 1 << 5,
	STATUS_REMOTE = 1 << 6,
};

const struct state_field ps2_mouse_state_fields[] = {
	STATE_UINT8_ARRAY(struct ps2_mouse, replies.bytes, PS2_REPLIES),
	STATE_UINT8(struct ps2_mouse, replies.count),
	STATE_UINT8(struct ps2_mouse, replies.next),
	STATE_UINT8(struct ps2_mouse, replies.last),
	STATE_UINT32_ARRAY(struct ps2_mouse, steps, PS2_MOUSE_STEPS * 4),
	STATE_UINT8(struct ps2_mouse, first),
	STATE_UINT8(struct ps2_mouse, used),
	STATE_UINT32(struct ps2_mouse, buttons),
	STATE_UINT32(struct ps2_mouse, reported_buttons),
	STATE_UINT8_ARRAY(struct ps2_mouse, packet, 4),
	STATE_UINT8(struct ps2_mouse, packet_size),
	STATE_UINT8(struct ps2_mouse, packet_next),
	STATE_UINT8(struct ps2_mouse, id),
	STATE_UINT8_ARRAY(struct ps2_mouse, rates, 3),
	STATE_UINT8(struct ps2_mouse, resolution),
	STATE_UINT8(struct ps2_mouse, argument_of),
	STATE_BOOL(struct ps2_mouse, scaling),
	STATE_BOOL(struct ps2_mouse, remote),
	STATE_BOOL(struct ps2_mouse, wrap),
	STATE_BOOL(struct ps2_mouse, reporting),
	STATE_END,
};

G_STATIC_ASSERT(sizeof(struct ps2_mouse_step) == 4 * sizeof(uint32_t));

/* Motion that waits */

static int32_t add_limited(int32_t a, int32_t b)
{
	int64_t sum = (int64_t)a + b;

	return CLAMP(sum, -STEP_LIMIT, STEP_LIMIT);
}

/* The step that new motion belongs to. */
static struct ps2_mouse_step *current_step(struct ps2_mouse *mouse)
{
	struct ps2_mouse_step *last =
		&mouse->steps[(mouse->first + mouse->used + PS2_MOUSE_STEPS - 1) % PS2_MOUSE_STEPS];

	if (mouse->used > 0 &&
		(last->buttons == mouse->buttons || mouse->used == PS2_MOUSE_STEPS)) {
		last->buttons = mouse->buttons;
		return last;
	}
	last = &mouse->steps[(mouse->first + mouse->used) % PS2_MOUSE_STEPS];
	mouse->used++;
	*last = (struct ps2_mouse_step) { .buttons = mouse->buttons };
	return last;
}

static void add_motion(struct ps2_mouse *mouse, int32_t dx, int32_t dy, int32_t dz)
{
	struct ps2_mouse_step *step;

	if (!mouse->reporting && !mouse->remote)
		return;
	step = current_step(mouse);
	step->dx = add_limited(step->dx, dx);
	step->dy = add_limited(step->dy, dy);
	step->dz = add_limited(step->dz, dz);
	if (!mouse->remote)
		mouse->port.ready(mouse->port.controller);
}

static void mouse_motion(void *device, int32_t dx, int32_t dy)
{
	/* The user's y grows downwards, the mouse's upwards. */
	add_motion(device, dx, dy == INT32_MIN ? INT32_MAX : -dy, 0);
}

static void mouse_button(void *device, enum input_button button, bool down)
{
	struct ps2_mouse *mouse = device;

	if (button == INPUT_BUTTON_WHEEL_UP || button == INPUT_BUTTON_WHEEL_DOWN) {
		if (down && mouse->id != ID_STANDARD)
			add_motion(mouse, 0, 0, button == INPUT_BUTTON_WHEEL_UP ? -1 : 1);
		return;
	}
	if (down)
		mouse->buttons |= 1u << button;
	else
		mouse->buttons &= ~(1u << button);
	add_motion(mouse, 0, 0, 0);
}

static const struct pointer_ops pointer_ops = {
	.motion = mouse_motion,
	.button = mouse_button,
};

/* Packets */

static const struct {
	enum input_button button;
	uint8_t packet, status, fourth;
} buttons[] = {
	{ INPUT_BUTTON_LEFT, PACKET_LEFT, STATUS_LEFT, 0 },
	{ INPUT_BUTTON_MIDDLE, PACKET_MIDDLE, STATUS_MIDDLE, 0 },
	{ INPUT_BUTTON_RIGHT, PACKET_RIGHT, STATUS_RIGHT, 0 },
	{ INPUT_BUTTON_SIDE, 0, 0, PACKET_SIDE },
	{ INPUT_BUTTON_EXTRA, 0, 0, PACKET_EXTRA },
};

static int32_t take(int32_t *from, int32_t limit)
{
	int32_t amount = CLAMP(*from, -limit, limit);

	*from -= amount;
	return amount;
}

/* Fills the packet with as much of @step as fits. */
static void make_packet(struct ps2_mouse *mouse, struct ps2_mouse_step *step)
{
	int32_t dx = take(&step->dx, MOTION_LIMIT);
	int32_t dy = take(&step->dy, MOTION_LIMIT);
	int32_t dz = take(&step->dz, WHEEL_LIMIT);
	uint8_t first = PACKET_ALWAYS | (dx < 0 ? PACKET_X_SIGN : 0) | (dy < 0 ? PACKET_Y_SIGN : 0);
	uint8_t fourth = mouse->id == ID_FIVE_BUTTONS ? dz & 0x0f : dz;

	for (size_t i = 0; i < G_N_ELEMENTS(buttons); i++) {
		if (!(step->buttons & 1u << buttons[i].button))
			continue;
		first |= buttons[i].packet;
		if (mouse->id == ID_FIVE_BUTTONS)
			fourth |= buttons[i].fourth;
	}
	mouse->packet[0] = first;
	mouse->packet[1] = dx;
	mouse->packet[2] = dy;
	mouse->packet[3] = fourth;
	mouse->packet_size = mouse->id == ID_STANDARD ? 3 : 4;
	mouse->packet_next = 0;
	mouse->reported_buttons = step->buttons;
}

/* Makes the next packet when there is something to report. */
static bool next_packet(struct ps2_mouse *mouse)
{
	while (mouse->used > 0) {
		struct ps2_mouse_step *step = &mouse->steps[mouse->first];
		bool something = step->dx != 0 || step->dy != 0 || step->dz != 0 ||
				 step->buttons != mouse->reported_buttons;

		if (something)
			make_packet(mouse, step);
		if (step->dx == 0 && step->dy == 0 && step->dz == 0) {
			mouse->first = (mouse->first + 1) % PS2_MOUSE_STEPS;
			mouse->used--;
		}
		if (something)
			return true;
	}
	return false;
}

static void forget_motion(struct ps2_mouse *mouse)
{
	mouse->first = 0;
	mouse->used = 0;
	mouse->packet_size = 0;
	mouse->packet_next = 0;
}

/* Commands */

static void set_defaults(struct ps2_mouse *mouse)
{
	forget_motion(mouse);
	mouse->resolution = DEFAULT_RESOLUTION;
	mouse->scaling = false;
	mouse->remote = false;
	mouse->reporting = false;
	mouse->wrap = false;
	memset(mouse->rates, DEFAULT_RATE, sizeof(mouse->rates));
}

static void command_scaling_1_1(struct ps2_mouse *mouse)
{
	mouse->scaling = false;
}

static void command_scaling_2_1(struct ps2_mouse *mouse)
{
	mouse->scaling = true;
}

static void command_status(struct ps2_mouse *mouse)
{
	uint8_t status = (mouse->scaling ? STATUS_SCALING : 0) |
			 (mouse->reporting ? STATUS_REPORTING : 0) |
			 (mouse->remote ? STATUS_REMOTE : 0);

	for (size_t i = 0; i < G_N_ELEMENTS(buttons); i++)
		if (mouse->buttons & 1u << buttons[i].button)
			status |= buttons[i].status;
	ps2_reply(&mouse->replies, status);
	ps2_reply(&mouse->replies, mouse->resolution);
	ps2_reply(&mouse->replies, mouse->rates[2]);
}

static void command_stream(struct ps2_mouse *mouse)
{
	forget_motion(mouse);
	mouse->remote = false;
}

static void command_remote(struct ps2_mouse *mouse)
{
	forget_motion(mouse);
	mouse->remote = true;
}

static void command_read_data(struct ps2_mouse *mouse)
{
	struct ps2_mouse_step nothing = { .buttons = mouse->buttons };

	if (!next_packet(mouse))
		make_packet(mouse, &nothing);
	for (unsigned i = 0; i < mouse->packet_size; i++)
		ps2_reply(&mouse->replies, mouse->packet[i]);
	mouse->packet_size = 0;
}

static void command_wrap(struct ps2_mouse *mouse)
{
	forget_motion(mouse);
	mouse->wrap = true;
}

static void command_reset_wrap(struct ps2_mouse *mouse)
{
	mouse->wrap = false;
}

static void command_identify(struct ps2_mouse *mouse)
{
	ps2_reply(&mouse->replies, mouse->id);
}

static void command_enable(struct ps2_mouse *mouse)
{
	mouse->reporting = true;
}

static void command_disable(struct ps2_mouse *mouse)
{
	mouse->reporting = false;
	forget_motion(mouse);
}

static void command_resend(struct ps2_mouse *mouse)
{
	ps2_replies_clear(&mouse->replies);
	ps2_reply(&mouse->replies, mouse->replies.last);
}

static void command_reset(struct ps2_mouse *mouse)
{
	set_defaults(mouse);
	mouse->id = ID_STANDARD;
	ps2_reply(&mouse->replies, PS2_SELF_TEST_PASSED);
	ps2_reply(&mouse->replies, mouse->id);
}

static void argument_resolution(struct ps2_mouse *mouse, uint8_t argument)
{
	if (argument < RESOLUTIONS)
		mouse->resolution = argument;
}

/* Rates 200, 100, 80 in a row turn the wheel on; 200, 200, 80 then the other two buttons. */
static void argument_sample_rate(struct ps2_mouse *mouse, uint8_t argument)
{
	static const uint8_t wheel[] = { 200, 100, 80 }, five_buttons[] = { 200, 200, 80 };

	mouse->rates[0] = mouse->rates[1];
	mouse->rates[1] = mouse->rates[2];
	mouse->rates[2] = argument;
	if (memcmp(mouse->rates, wheel, sizeof(wheel)) == 0)
		mouse->id = ID_WHEEL;
	else if (mouse->id == ID_WHEEL &&
		 memcmp(mouse->rates, five_buttons, sizeof(five_buttons)) == 0)
		mouse->id = ID_FIVE_BUTTONS;
}

/* Every command is acknowledged, and its argument as well. */
static const struct {
	uint8_t command;
	void (*run)(struct ps2_mouse *mouse);
	void (*argument)(struct ps2_mouse *mouse, uint8_t argument);
} commands[] = {
	{ COMMAND_SCALING_1_1, command_scaling_1_1 },
	{ COMMAND_SCALING_2_1, command_scaling_2_1 },
	{ COMMAND_RESOLUTION, NULL, argument_resolution },
	{ COMMAND_STATUS, command_status },
	{ COMMAND_STREAM, command_stream },
	{ COMMAND_READ_DATA, command_read_data },
	{ COMMAND_RESET_WRAP, command_reset_wrap },
	{ COMMAND_WRAP, command_wrap },
	{ COMMAND_REMOTE, command_remote },
	{ COMMAND_IDENTIFY, command_identify },
	{ COMMAND_SAMPLE_RATE, NULL, argument_sample_rate },
	{ COMMAND_ENABLE, command_enable },
	{ COMMAND_DISABLE, command_disable },
	{ COMMAND_DEFAULTS, set_defaults },
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

static void run_command(struct ps2_mouse *mouse, uint8_t byte)
{
	ssize_t command = find_command(byte);

	if (command < 0) {
		ps2_reply(&mouse->replies, PS2_RESEND);
		return;
	}
	ps2_reply(&mouse->replies, PS2_ACKNOWLEDGE);
	if (commands[command].run)
		commands[command].run(mouse);
	if (commands[command].argument)
		mouse->argument_of = byte;
}

void ps2_mouse_write(struct ps2_mouse *mouse, uint8_t byte)
{
	uint8_t argument_of = mouse->argument_of;

	ps2_replies_clear(&mouse->replies);
	mouse->argument_of = 0;
	/* A packet that was cut off by a command is not sent to its end. */
	if (mouse->packet_next > 0)
		mouse->packet_size = 0;
	if (argument_of != 0) {
		ps2_reply(&mouse->replies, PS2_ACKNOWLEDGE);
		commands[find_command(argument_of)].argument(mouse, byte);
	} else if (mouse->wrap && byte != COMMAND_RESET && byte != COMMAND_RESET_WRAP) {
		ps2_reply(&mouse->replies, byte);
	} else {
		run_command(mouse, byte);
	}
	mouse->port.ready(mouse->port.controller);
}

bool ps2_mouse_read(struct ps2_mouse *mouse, uint8_t *byte)
{
	struct ps2_replies *replies = &mouse->replies;
	bool streaming = mouse->reporting && !mouse->remote && !mouse->wrap;

	if (replies->next < replies->count) {
		*byte = replies->bytes[replies->next++];
	} else if (mouse->packet_next < mouse->packet_size || (streaming && next_packet(mouse))) {
		*byte = mouse->packet[mouse->packet_next++];
	} else {
		return false;
	}
	replies->last = *byte;
	return true;
}

/* Life */

void ps2_mouse_init(struct ps2_mouse *mouse, struct display *display, const struct ps2_port *port)
{
	mouse->port = *port;
	mouse->display = display;
	display_set_pointer(display, &pointer_ops, mouse);
}

void ps2_mouse_finish(struct ps2_mouse *mouse)
{
	if (mouse->display)
		display_set_pointer(mouse->display, NULL, mouse);
	mouse->display = NULL;
}

void ps2_mouse_reset(struct ps2_mouse *mouse)
{
	ps2_replies_clear(&mouse->replies);
	mouse->argument_of = 0;
	set_defaults(mouse);
	mouse->id = ID_STANDARD;
	mouse->buttons = 0;
	mouse->reported_buttons = 0;
}
