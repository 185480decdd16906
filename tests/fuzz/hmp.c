/* Lines of the monitor for people: each is answered with whole lines of UTF-8, and nothing but the fake machine is touched. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/vmm/fake-machine.h"
#include "vmm/control/hmp.h"
#include "vmm/control/key-sender.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Those that write files, or start threads, are not part of what is tested. */
static bool is_harmless(const char *line)
{
	static const char *const others[] = { "memsave", "screendump", "object_add", "chardev" };

	for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
		if (strstr(line, others[i]))
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	g_autofree char *text = g_strndup((const char *)bytes, length);
	g_auto(GStrv) lines = g_strsplit(text, "\n", 64);
	struct machine_config config = { .name = "fuzz", .topology = { 1, 1, 1 } };
	struct machine *machine = fake_machine_new(&config);
	struct command_context context = {
		.machine = machine,
		.chardevs = g_ptr_array_new(),
		.keys = key_sender_new(machine->display),
	};
	unsigned cpu = 0;

	for (guint i = 0; lines[i]; i++) {
		void (*afterwards)(struct machine *) = NULL;
		g_autofree char *answer = NULL;

		if (!is_harmless(lines[i]))
			continue;
		answer = hmp_run(&context, lines[i], &cpu, &afterwards);
		g_assert(g_utf8_validate(answer, -1, NULL));
		g_assert(answer[0] == '\0' || g_str_has_suffix(answer, "\n"));
		g_assert(cpu < machine->cpu_count);
	}
	key_sender_free(context.keys);
	g_ptr_array_unref(context.chardevs);
	fake_machine_free(machine);
	return 0;
}
