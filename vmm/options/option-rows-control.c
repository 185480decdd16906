/* Options for control, configuration files, and the program itself. */
#include "vmm/machine/watchdog.h"
#include "vmm/options/option-rows.h"

static const struct option_key runtime_dir_keys[] = {
	{ "path", OPTION_STRING, "where the guests' folders for sockets are", .required = true },
	{},
};

static const struct option_key pidfile_keys[] = {
	{ "path", OPTION_STRING, "the file", .required = true },
	{},
};

static const struct option_key msg_keys[] = {
	{ "timestamp", OPTION_BOOL, "the time" },
	{ "guest-name", OPTION_BOOL, "the guest's name" },
	{},
};

static const char *const only_off[] = { "off", "no", "false", NULL };

static const struct option_key overcommit_keys[] = {
	{ "mem-lock", OPTION_CHOICE, "use ulimits", .choices = only_off },
	{ "cpu-pm", OPTION_CHOICE, "processors halt by leaving the guest", .choices = only_off },
	{},
};

static const char *const mon_modes[] = { "readline", "control", NULL };

static const struct option_key mon_keys[] = {
	{ "chardev", OPTION_STRING, "the chardev that it is on", .required = true },
	{ "mode", OPTION_CHOICE, "for people, or QMP", .choices = mon_modes },
	{ "pretty", OPTION_BOOL, "control: answers in lines that people can read" },
	{},
};

static const char *const reboot_actions[] = { "reset", "shutdown", NULL };
static const char *const shutdown_actions[] = { "poweroff", "pause", NULL };
static const char *const panic_actions[] = { "shutdown", "exit-failure", "pause", "none", NULL };

static const struct option_key action_keys[] = {
	{ "reboot", OPTION_CHOICE, "when the guest resets itself", .choices = reboot_actions },
	{ "shutdown", OPTION_CHOICE, "when the guest switches itself off",
		.choices = shutdown_actions },
	{ "watchdog", OPTION_CHOICE, "when the guest's watchdog ran out",
		.choices = watchdog_action_names },
	{ "panic", OPTION_CHOICE, "accepted: there is no device by which a guest tells of it",
		.choices = panic_actions },
	{},
};

static const struct option_key watchdog_action_keys[] = {
	{ "action", OPTION_CHOICE, "when the guest's watchdog ran out", .required = true,
		.choices = watchdog_action_names },
	{},
};

const struct option_spec option_rows_control[] = {
	{ "qmp", .group = "qmp", .implied = "dev", .many = true, .keys = option_line_keys,
		.argument = "unix:PATH,server=on,wait=off|stdio|chardev:ID",
		.description = "one more place for QMP besides the socket in the guest's folder",
		.section = "Control" },
	{ "qmp-pretty", .group = "qmp-pretty", .implied = "dev", .many = true,
		.keys = option_line_keys,
		.argument = "unix:PATH,server=on,wait=off|stdio|chardev:ID",
		.description = "the same, with answers in lines that people can read" },
	{ "monitor", .group = "monitor", .implied = "dev", .many = true, .keys = option_line_keys,
		.argument = "stdio|pty|none|unix:PATH,server=on|chardev:ID",
		.description = "the monitor for people: lines such as \"info status\"" },
	{ "mon", .group = "mon", .implied = "chardev", .many = true, .has_id = true,
		.keys = mon_keys, .argument = "[chardev=]ID[,mode=readline|control][,pretty=on]",
		.description = "the monitor (readline) or QMP (control) on a -chardev" },
	{ "S", .group = "S", .kind = OPTION_FLAG,
		.description = "do not start the processors before QMP's cont" },
	{ "no-reboot", .group = "no-reboot", .kind = OPTION_FLAG,
		.description = "exit when the guest resets itself" },
	{ "no-shutdown", .group = "no-shutdown", .kind = OPTION_FLAG,
		.description = "stay when the guest switches itself off" },
	{ "action", .group = "action", .many = true, .keys = action_keys,
		.argument = "EVENT=ACTION[,EVENT=ACTION...]",
		.description = "what happens at an event of the guest: reboot=reset|shutdown,\n"
			       "shutdown=poweroff|pause, watchdog=reset|shutdown|poweroff|\n"
			       "pause|debug|none|inject-nmi" },
	{ "watchdog-action", .group = "watchdog-action", .kind = OPTION_VALUE, .implied = "action",
		.keys = watchdog_action_keys, .argument = "ACTION",
		.description = "the same as -action watchdog=ACTION" },
	{ "daemonize", .group = "daemonize", .kind = OPTION_FLAG,
		.description = "go to the background when the guest is ready" },
	{ "pidfile", .group = "pidfile", .kind = OPTION_VALUE, .implied = "path",
		.keys = pidfile_keys, .argument = "FILE",
		.description = "write the process's number to a file, which stays locked" },
	{ "msg", .group = "msg", .keys = msg_keys,
		.argument = "[timestamp=on|off][,guest-name=on|off]",
		.description = "what stands in front of messages" },
	{ "D", .group = "D", .kind = OPTION_VALUE, .implied = "path", .keys = pidfile_keys,
		.argument = "FILE",
		.description = "write messages to a file instead of standard error" },
	{ "no-user-config", .group = "no-user-config", .kind = OPTION_FLAG,
		.description = "accepted: no configuration is read but that of -readconfig" },
	{ "no-fd-bootchk", .group = "no-fd-bootchk", .kind = OPTION_FLAG,
		.description = "accepted: there is no floppy drive" },
	{ "overcommit", .group = "overcommit", .keys = overcommit_keys,
		.argument = "[mem-lock=off][,cpu-pm=off]",
		.description = "memory is not locked, and idle processors are given back" },
	{ "runtime-dir", .group = "runtime-dir", .kind = OPTION_VALUE, .implied = "path",
		.keys = runtime_dir_keys, .argument = "DIR",
		.description = "where the guest's folder for sockets, DIR/NAME, is made\n"
			       "(default: $XDG_RUNTIME_DIR/vitrine, or /run/vitrine)" },
	{ "readconfig", .kind = OPTION_FILE, .argument = "FILE",
		.description = "read options from a file", .section = "Configuration files" },
	{ "writeconfig", .kind = OPTION_FILE, .argument = "FILE",
		.description = "write all options to a file (\"-\": standard output)" },
	{ "help", "h", .kind = OPTION_INFO, .description = "show this text",
		.section = "About vitrine" },
	{ "version", .kind = OPTION_INFO, .description = "show the version" },
	{},
};
