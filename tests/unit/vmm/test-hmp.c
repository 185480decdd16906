/* The monitor for people: what lines are answered, in QEMU 7.2's words where it has them. */
#include <string.h>

#include "tests/unit/vmm/fake-machine.h"
#include "vmm/control/hmp.h"
#include "vmm/control/key-sender.h"

static const struct {
	const char *line, *answer;
} cases[] = {
	{ "", "" },
	{ "   ", "" },
	{ "foo", "unknown command: 'foo'\n" },
	{ "info foo", "unknown command: 'info foo'\n" },
	{ "stop foo", "stop|s: extraneous characters at the end of line\n"
		      "Try \"help stop|s\" for more information\n" },
	{ "eject", "eject: block device name expected\n"
		   "Try \"help eject\" for more information\n" },
	{ "cpu \"0", "unterminated string literal\nTry \"help cpu\" for more information\n" },
	{ "cpu x", "invalid value 'x' for 'index'\nTry \"help cpu\" for more information\n" },
	{ "cpu 7", "invalid CPU index\n" },
	{ "cpu 0", "" },
	{ "eject -x cd", "unsupported option -x\nTry \"help eject\" for more information\n" },
	{ "help x", "x /fmt addr -- virtual memory dump starting at 'addr'\n" },
	{ "help foo", "unknown command: 'foo'\n" },
	{ "info status", "VM status: running\n" },
	{ "info name", "web\n" },
	{ "info uuid", "00000000-0000-0000-0000-000000000000\n" },
	{ "info kvm", "kvm support: enabled\n" },
	{ "info cpus", "* CPU #0: thread_id=1234\n" },
	{ "info registers", "\nCPU#0\nrax=1\n" },
	{ "info registers 5", "CPU not available\n" },
	{ "info vnc", "None\n" },
	{ "info memory_size_summary", "base memory: 134217728\nplugged memory: 0\n" },
	{ "sendkey foo", "invalid parameter: foo\n" },
	{ "sendkey ctrl-bar", "invalid parameter: bar\n" },
	{ "qom-get /machine/foo type", "Error: Device '/machine/foo' not found\n" },
	{ "qom-get /machine/peripheral type", "\"container\"\n" },
	{ "qom-set /machine/foo type x", "Error: Device '/machine/foo' not found\n" },
	{ "qom-set /machine", "qom-set: property expected\nTry \"help qom-set\" for more "
			      "information\n" },
	{ "qom-list /objects", "type (string)\n" },
	{ "object_add rng-builtin,id=r0", "" },
	{ "qom-list /objects", "type (string)\nr0 (child<rng-builtin>)\n" },
	{ "object_add rng-builtin,id=r0",
		"Error: attempt to add duplicate property 'r0' to object (type 'container')\n" },
	{ "object_del r0", "" },
	{ "object_del r0", "Error: object 'r0' not found\n" },
	{ "object_add", "object_add: type expected\n"
			"Try \"help object_add\" for more information\n" },
	{ "device_del nobody", "Error: Device 'nobody' not found\n" },
	{ "x /4xb 0x10", "0000000000000010: 0x10 0x11 0x12 0x13\n" },
	{ "x/2xh 0x10+4", "0000000000000014: 0x1514 0x1716\n" },
	{ "xp /1xw 0", "0000000000000000: 0x03020100\n" },
	{ "xp /1xg 0", "0000000000000000: 0x0706050403020100\n" },
	{ "xp /5dw 0", "0000000000000000: 50462976 117835012 185207048 252579084\n"
		       "0000000000000010: 319951120\n" },
	{ "xp /2db 0xfe", "00000000000000fe: -2 -1\n" },
	{ "xp /3cb 0x40", "0000000000000040: '@' 'A' 'B'\n" },
	{ "xp /2cb 9", "0000000000000009: '\\x09' '\\n'\n" },
	{ "xp /2xb 0xffff", "000000000000ffff: 0xff Cannot access memory\n" },
	{ "x /1xb 0x100000", "0000000000100000: Cannot access memory\n" },
	{ "x /4q 0", "invalid char in format: 'q'\nTry \"help x\" for more information\n" },
	{ "x /4i 0", "there is no disassembler; use another format, such as /16xb\n" },
	{ "x /0xb 0", "" },
	{ "gva2gpa 0x1234", "gpa: 0x1234\n" },
	{ "gva2gpa 0x123456", "Unmapped\n" },
	{ "print 1+2", "0x3\n" },
	{ "p /d 1-2", "-1\n" },
	{ "print 1+", "invalid value '1+' for 'val'\nTry \"help print|p\" for more information\n" },
	{ "stop", "" },
	{ "c", "" },
};

struct fixture {
	struct machine_config config;
	struct command_context context;
};

static void setup(struct fixture *f, gconstpointer data)
{
	f->config.name = "web";
	f->config.memory_size = 128 << 20;
	f->config.topology = (struct cpu_topology) { 1, 1, 1 };
	f->context.machine = fake_machine_new(&f->config);
	f->context.chardevs = g_ptr_array_new();
	f->context.keys = key_sender_new(f->context.machine->display);
}

static void teardown(struct fixture *f, gconstpointer data)
{
	key_sender_free(f->context.keys);
	g_ptr_array_unref(f->context.chardevs);
	fake_machine_free(f->context.machine);
}

static char *run(struct fixture *f, const char *line)
{
	void (*afterwards)(struct machine *) = NULL;
	unsigned cpu = 0;
	char *answer = hmp_run(&f->context, line, &cpu, &afterwards);

	if (afterwards)
		afterwards(f->context.machine);
	return answer;
}

static void test_lines(struct fixture *f, gconstpointer data)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *answer = run(f, cases[i].line);

		g_test_message("%s", cases[i].line);
		g_assert_cmpstr(answer, ==, cases[i].answer);
	}
	g_assert_cmpstr(fake_machine_log->str, ==, "stop cont");
}

/* Every row can be asked about, and no "info" fails in a machine that has nothing. */
static void test_all_info(struct fixture *f, gconstpointer data)
{
	g_auto(GStrv) names = hmp_complete("", true);
	g_autofree char *list = run(f, "info");

	for (guint i = 0; names[i]; i++) {
		g_autofree char *line = g_strdup_printf("info %s", names[i]);
		g_autofree char *help = g_strdup_printf("help info %s", names[i]);
		g_autofree char *answer = run(f, line);
		g_autofree char *about = run(f, help);

		g_test_message("%s", line);
		g_assert_true(answer[0] == '\0' || g_str_has_suffix(answer, "\n"));
		g_assert_nonnull(strstr(list, about));
	}
}

static void test_completion(struct fixture *f, gconstpointer data)
{
	g_auto(GStrv) names = hmp_complete("system_", false);
	g_autofree char *joined = g_strjoinv(" ", names);

	g_auto(GStrv) own = hmp_complete("inf", false);

	g_assert_cmpstr(joined, ==, "system_powerdown system_reset system_wakeup");
	g_assert_cmpstr(own[0], ==, "info");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/hmp/lines", struct fixture, NULL, setup, test_lines, teardown);
	g_test_add("/hmp/info", struct fixture, NULL, setup, test_all_info, teardown);
	g_test_add("/hmp/completion", struct fixture, NULL, setup, test_completion, teardown);
	return g_test_run();
}
