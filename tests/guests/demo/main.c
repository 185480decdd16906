/* The demo guest: starts the devices, then lives from interrupt to interrupt.
 *
 * At each tick the picture moves on; keys, mouse, serial line and power button are looked after
 * whenever any interrupt comes.
 */
#include <stddef.h>

#include "calls.h"
#include "draw.h"
#include "font.h"
#include "guest.h"
#include "memory.h"
#include "pointer.h"
#include "screen.h"
#include "serial.h"
#include "shell.h"

enum {
	DEFAULT_WIDTH = 1024,
	DEFAULT_HEIGHT = 768,
	FIRST_PRINTABLE = ' ',
};

void main(const uint8_t *boot_params);
void main_faulted(uint64_t vector, uint64_t error, uint64_t where);

static void keep_pointer_inside(struct world *world)
{
	int width = screen.width ? (int)screen.width : 640,
	    height = screen.width ? (int)screen.height : 400;

	world->x = world->x < 0 ? 0 : world->x >= width ? width - 1 : world->x;
	world->y = world->y < 0 ? 0 : world->y >= height ? height - 1 : world->y;
}

static void place_pointer(const struct guest *guest)
{
	if (guest->picture && guest->picture->pointer)
		pointer_place(guest->world.x, guest->world.y, guest->world.buttons != 0);
	else
		pointer_hide();
}

static void start_picture(struct guest *guest)
{
	keep_pointer_inside(&guest->world);
	place_pointer(guest);
	guest->picture->start(&guest->world);
}

bool guest_set_mode(
	struct guest *guest, uint32_t width, uint32_t height, char *why, uint32_t why_size)
{
	if (!screen_set(width, height, why, why_size))
		return false;
	if (!guest->picture || guest->picture->text)
		guest->picture = &picture_scene;
	start_picture(guest);
	return true;
}

void guest_show(struct guest *guest, const struct picture *picture)
{
	static uint32_t width = DEFAULT_WIDTH, height = DEFAULT_HEIGHT;
	char why[80];

	if (screen.width) {
		width = screen.width;
		height = screen.height;
	}
	if (picture->text && screen.width)
		screen_off();
	if (!picture->text && !screen.width && !screen_set(width, height, why, sizeof(why))) {
		say("mode %ux%u: %s\n", width, height, why);
		return;
	}
	guest->picture = picture;
	start_picture(guest);
}

void guest_off(struct guest *guest)
{
	say("powering off\n");
	acpi_off(&guest->acpi);
	say("off: the ACPI tables give no way to power off\n");
}

/* Puts a line of its own before the prompt and what is being typed there. */
static void tell_event(const struct ps2_event *event)
{
	if (event->kind == PS2_KEY)
		say("\rkey 0x%02x %s\n", event->code, event->down ? "down" : "up");
	else
		say("\rmouse %s%d %s%d buttons %u wheel %d\n", event->x < 0 ? "" : "+", event->x,
			event->y < 0 ? "" : "+", event->y, event->buttons, event->wheel);
	shell_prompt();
}

static void take_key(struct world *world, const struct ps2_event *event)
{
	size_t length = strlen(world->typed);

	if (!event->down)
		return;
	world->keys++;
	world->code = event->code;
	if (event->character == '\n' || event->character == '\033') {
		memset(world->typed, 0, sizeof(world->typed));
	} else if (event->character == '\b') {
		if (length > 0)
			world->typed[length - 1] = 0;
	} else if (event->character >= FIRST_PRINTABLE) {
		/* A full line makes room at its front. */
		if (length + 1 == sizeof(world->typed))
			memmove(world->typed, world->typed + 1, length--);
		world->typed[length] = event->character;
		world->typed[length + 1] = 0;
	}
}

static void take_mouse(struct world *world, const struct ps2_event *event)
{
	world->x += event->x;
	world->y += event->y;
	world->wheel += event->wheel;
	world->buttons = event->buttons;
	keep_pointer_inside(world);
}

static void take_input(struct guest *guest)
{
	struct world before = guest->world;
	struct ps2_event event;

	while ((event = ps2_read()).kind != PS2_NONE) {
		if (event.kind == PS2_KEY)
			take_key(&guest->world, &event);
		else
			take_mouse(&guest->world, &event);
		if (guest->watch)
			tell_event(&event);
	}
	if (!guest->picture || !guest->picture->pointer ||
		(before.x == guest->world.x && before.y == guest->world.y &&
			before.buttons == guest->world.buttons))
		return;
	/* Where it is before where it was: it may be seen twice for a moment, but never not at all. */
	place_pointer(guest);
	screen_show(guest->world.x, guest->world.y, POINTER_WIDTH, POINTER_HEIGHT);
	screen_show(before.x, before.y, POINTER_WIDTH, POINTER_HEIGHT);
}

static void tick(struct guest *guest)
{
	static unsigned ticks;

	if (ticks++ % TICKS_PER_SECOND == 0)
		guest->world.now = clock_now();
	if (acpi_button_pressed(&guest->acpi)) {
		say("\rpower button\n");
		guest_off(guest);
	}
	if (!guest->picture || !guest->picture->step)
		return;
	guest->world.frames++;
	guest->picture->step(&guest->world);
}

static void greet(const struct guest *guest)
{
	const struct boot *boot = &guest->boot;
	const uint8_t *initrd = (const uint8_t *)(uintptr_t)boot->initrd;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < boot->initrd_bytes; i++)
		sum += initrd[i];
	say("\nVitrine demo guest\n");
	say("command line: %s\n", boot->command_line);
	say("initrd: %u bytes, sum %u\n", boot->initrd_bytes, sum);
	say("memory: %u KiB, processors: %u\n", boot->memory_kib, guest->acpi.processors);
	say("display: %s, %u KiB\n", screen.name, screen.memory_bytes / 1024);
	say("keyboard: %s, mouse: %s, wheel: %s\n", guest->ps2.keyboard ? "yes" : "no",
		guest->ps2.mouse ? "yes" : "no", guest->ps2.wheel ? "yes" : "no");
}

static void set_first_mode(struct guest *guest)
{
	uint32_t width, height;
	char why[80];

	if (screen.memory_bytes == 0)
		return;
	if (boot_mode(&guest->boot, &width, &height)) {
		if (guest_set_mode(guest, width, height, why, sizeof(why)))
			return;
		say("mode %ux%u: %s\n", width, height, why);
	}
	guest_show(guest, &picture_scene);
}

void main_faulted(uint64_t vector, uint64_t error, uint64_t where)
{
	say("\nexception %u, error code 0x%x, at 0x%x: halted\n", (unsigned)vector, (unsigned)error,
		(unsigned)where);
	for (;;)
		call(CALL_HALT, 0, 0);
}

void main(const uint8_t *boot_params)
{
	static struct guest guest;
	int character;

	serial_start();
	guest.boot = boot_read(boot_params);
	draw_font = guest.boot.font ? guest.boot.font : font_make();
	screen_find(&guest.boot);
	clock_start();
	guest.acpi = acpi_start(&guest.boot);
	guest.ps2 = ps2_start();
	guest.world.now = clock_now();
	guest.world.x = DEFAULT_WIDTH / 2;
	guest.world.y = DEFAULT_HEIGHT / 2;
	greet(&guest);
	set_first_mode(&guest);
	say("mode %ux%u\n", screen.width, screen.height);
	shell_prompt();

	for (;;) {
		uint32_t vector = wait();

		take_input(&guest);
		while ((character = serial_read()) >= 0)
			shell_take(&guest, (char)character);
		if (vector == VECTOR_TIMER)
			tick(&guest);
	}
}
