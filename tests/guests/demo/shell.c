/* The command line on the serial port: one row of a table for each command. */
#include "shell.h"

#include "calls.h"
#include "exits.h"
#include "gpu.h"
#include "qxl.h"
#include "guest.h"
#include "memory.h"
#include "screen.h"
#include "serial.h"

enum {
	LINE_BYTES = 80,
	RESET_CONTROL = 0xcf9,
	RESET_SYSTEM = 0x02,
	RESET_CPU = 0x04,
	BACKSPACE = 0x08,
	DELETE = 0x7f,
	CONTROL_C = 0x03,
	CONTROL_U = 0x15,
};

static struct {
	char line[LINE_BYTES];
	unsigned length;
	char before;
} shell;

struct command {
	const char *name, *argument, *help;
	/* False when the argument is not what the table's @argument says. */
	bool (*run)(struct guest *guest, const char *argument);
};

static bool run_help(struct guest *guest, const char *argument);

static bool run_mode(struct guest *guest, const char *argument)
{
	uint32_t width, height;
	char why[LINE_BYTES];

	if (!boot_parse_size(&argument, &width, &height) || *argument)
		return false;
	if (guest_set_mode(guest, width, height, why, sizeof(why)))
		say("mode %ux%u\n", width, height);
	else
		say("mode %ux%u: %s\n", width, height, why);
	return true;
}

static bool show(struct guest *guest, const char *argument, const struct picture *picture)
{
	if (*argument)
		return false;
	if (picture->text ? !screen.has_text : screen.memory_bytes == 0)
		say("%s: there is no %s to show it on\n", picture->name,
			picture->text ? "VGA" : "display");
	else
		guest_show(guest, picture);
	return true;
}

static bool run_scene(struct guest *guest, const char *argument)
{
	return show(guest, argument, &picture_scene);
}

static bool run_still(struct guest *guest, const char *argument)
{
	return show(guest, argument, &picture_still);
}

static bool run_fill(struct guest *guest, const char *argument)
{
	const char *at = argument;
	uint32_t colour;

	if (!*argument)
		return show(guest, argument, &picture_fill);
	if (strlen(argument) != 6 || !text_number(&at, 16, &colour) || *at)
		return false;
	picture_colour_value = colour;
	return show(guest, "", &picture_colour);
}

static bool run_scroll(struct guest *guest, const char *argument)
{
	return show(guest, argument, &picture_scroll);
}

static bool run_pattern(struct guest *guest, const char *argument)
{
	return show(guest, argument, &picture_pattern);
}

static bool run_text(struct guest *guest, const char *argument)
{
	return show(guest, argument, &picture_text);
}

static bool run_watch(struct guest *guest, const char *argument)
{
	if (!text_equal(argument, "on") && !text_equal(argument, "off"))
		return false;
	guest->watch = text_equal(argument, "on");
	return true;
}

static bool run_info(struct guest *guest, const char *argument)
{
	const struct world *world = &guest->world;

	if (*argument)
		return false;
	say("memory %u KiB\n", guest->boot.memory_kib);
	say("processors %u\n", guest->acpi.processors);
	say("display %s, %u KiB at 0x%08x\n", screen.name, screen.memory_bytes / 1024,
		screen.memory);
	if (guest->picture)
		say("picture %s, ", guest->picture->name);
	if (guest->picture && guest->picture->text)
		say("text mode 80x25\n");
	else
		say("mode %ux%u\n", screen.width, screen.height);
	say("frames %u\n", world->frames);
	say("time %02u:%02u:%02u\n", world->now.hours, world->now.minutes, world->now.seconds);
	say("keys %u\n", world->keys);
	say("typed \"%s\"\n", world->typed);
	say("mouse %d,%d buttons %u wheel %d\n", world->x, world->y, world->buttons, world->wheel);
	say("nmi %u\n", nmi_count);
	return true;
}

static bool run_echo(struct guest *guest, const char *argument)
{
	(void)guest;
	say("%s\n", argument);
	return true;
}

static bool run_reboot(struct guest *guest, const char *argument)
{
	(void)guest;
	if (*argument)
		return false;
	say("rebooting\n");
	out8(RESET_CONTROL, RESET_SYSTEM);
	out8(RESET_CONTROL, RESET_SYSTEM | RESET_CPU);
	ps2_reset_processor();
	say("reboot: neither port 0xcf9 nor the keyboard controller resets this machine\n");
	return true;
}

static bool run_off(struct guest *guest, const char *argument)
{
	if (*argument)
		return false;
	guest_off(guest);
	return true;
}

struct kind {
	const char *name;
	bool (*run)(uint32_t count);
};

/* The name of a kind, up to one without a name, and how often. */
static bool run_kind(const char *what, const struct kind *kinds, const char *argument)
{
	for (; kinds->name; kinds++) {
		unsigned length = (unsigned)strlen(kinds->name);
		const char *rest = argument + length + 1;
		uint32_t count;

		if (strlen(argument) <= length || memcmp(argument, kinds->name, length) != 0 ||
			argument[length] != ' ')
			continue;
		if (!text_number(&rest, 10, &count) || *rest)
			return false;
		say("%s %s\n", what, kinds->run(count) ? "done" : "are not to be had");
		return true;
	}
	return false;
}

static bool run_exits(struct guest *guest, const char *argument)
{
	static const struct kind kinds[] = { { "port", exits_port }, { "memory", exits_memory },
		{ "notify", exits_notify }, {} };

	(void)guest;
	return run_kind("exits", kinds, argument);
}

static bool run_qxl(struct guest *guest, const char *argument)
{
	static const struct kind kinds[] = { { "fill", qxl_fill }, { "copy", qxl_copy },
		{ "scroll", qxl_scroll }, { "off", qxl_off }, {} };

	(void)guest;
	return run_kind("drawings", kinds, argument);
}

/* WIDTHxHEIGHT, how often, and whether with the clock. */
static bool run_gpu(struct guest *guest, const char *argument)
{
	uint32_t width, height, count;
	bool paced;

	if (!boot_parse_size(&argument, &width, &height) || *argument++ != ' ' ||
		!text_number(&argument, 10, &count))
		return false;
	paced = text_equal(argument, " paced");
	if (*argument && !paced)
		return false;
	say("gpu %s\n", gpu_update(&guest->boot, width, height, count, paced)
				? "done"
				: "is not to be had, or does not answer");
	return true;
}

static bool run_crash(struct guest *guest, const char *argument)
{
	(void)guest;
	if (*argument && !text_equal(argument, "emulation"))
		return false;
	say("crashing\n");
	call(*argument ? CALL_EMULATION_FAILURE : CALL_TRIPLE_FAULT, 0, 0);
	return true;
}

static bool run_halt(struct guest *guest, const char *argument)
{
	(void)guest;
	if (*argument)
		return false;
	say("halted\n");
	call(CALL_HALT, 0, 0);
	return true;
}

static const struct command commands[] = {
	{ "help", "", "this list", run_help },
	{ "info", "", "memory, display, picture, frames, keys, mouse", run_info },
	{ "mode", "WIDTHxHEIGHT", "set a mode of 32 bits a pixel", run_mode },
	{ "scene", "", "the animated scene", run_scene },
	{ "still", "", "the scene, always the same, without motion", run_still },
	{ "fill", "[RRGGBB]", "full motion, or the whole screen in one colour", run_fill },
	{ "scroll", "", "a console that scrolls", run_scroll },
	{ "pattern", "", "red x, green y, blue x xor y, each in its low 8 bits", run_pattern },
	{ "text", "", "text mode of 80x25 characters", run_text },
	{ "watch", "on|off", "tell each key and mouse event here", run_watch },
	{ "echo", "[TEXT]", "write TEXT", run_echo },
	{ "exits", "KIND COUNT", "leave the guest that often: port, memory, notify", run_exits },
	{ "gpu", "WIDTHxHEIGHT COUNT [paced]", "change so much of a virtio-gpu's picture so often",
		run_gpu },
	{ "qxl", "KIND COUNT", "draw that often with a QXL: fill, copy, scroll; off", run_qxl },
	{ "reboot", "", "reset the machine", run_reboot },
	{ "off", "", "power off", run_off },
	{ "halt", "", "stop the processor, interrupts shut", run_halt },
	{ "crash", "[emulation]", "triple fault, or code that KVM cannot emulate", run_crash },
};

enum {
	COMMANDS = sizeof(commands) / sizeof(commands[0]),
};

static bool run_help(struct guest *guest, const char *argument)
{
	(void)guest;
	if (*argument)
		return false;
	for (unsigned i = 0; i < COMMANDS; i++) {
		unsigned width =
			(unsigned)(strlen(commands[i].name) + strlen(commands[i].argument));

		say("  %s %s", commands[i].name, commands[i].argument);
		for (; width < 20; width++)
			say(" ");
		say("%s\n", commands[i].help);
	}
	return true;
}

static void run_line(struct guest *guest)
{
	char *argument = shell.line;

	while (*argument && *argument != ' ')
		argument++;
	while (*argument == ' ')
		*argument++ = 0;
	for (unsigned i = 0; i < COMMANDS; i++) {
		if (!text_equal(shell.line, commands[i].name))
			continue;
		if (!commands[i].run(guest, argument))
			say("%s: '%s' is not right, use: %s %s\n", commands[i].name, argument,
				commands[i].name, commands[i].argument);
		return;
	}
	say("%s: no such command, try help\n", shell.line);
}

void shell_prompt(void)
{
	say("\rvitrine> %s", shell.line);
}

static void erase(unsigned count)
{
	for (; count > 0 && shell.length > 0; count--) {
		shell.line[--shell.length] = 0;
		say("\b \b");
	}
}

void shell_take(struct guest *guest, char character)
{
	char before = shell.before;

	shell.before = character;
	if (character == '\n' && before == '\r')
		return;
	if (character == '\r' || character == '\n') {
		say("\n");
		while (shell.length > 0 && shell.line[shell.length - 1] == ' ')
			shell.line[--shell.length] = 0;
		if (shell.length > 0)
			run_line(guest);
		memset(shell.line, 0, sizeof(shell.line));
		shell.length = 0;
		shell_prompt();
	} else if (character == BACKSPACE || character == DELETE) {
		erase(1);
	} else if (character == CONTROL_U || character == CONTROL_C) {
		erase(LINE_BYTES);
	} else if (character >= ' ' && character < DELETE && shell.length + 1 < LINE_BYTES &&
		   (character != ' ' || shell.length > 0)) {
		shell.line[shell.length++] = character;
		serial_write(character);
	}
}
