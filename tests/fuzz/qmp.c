/* What a QMP client may send: every answer is one line of JSON, and nothing but the fake machine is touched. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/vmm/fake-machine.h"
#include "vmm/chardev/chardev.h"
#include "vmm/control/key-sender.h"
#include "vmm/control/qmp-session.h"
#include "vmm/options/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_answer(void *owner, const char *text, size_t length)
{
	g_autoptr(JsonParser) parser = json_parser_new();

	g_assert(length > 2 && strcmp(text + length - 2, "\r\n") == 0);
	g_assert(!memchr(text, '\n', length - 1));
	g_assert(json_parser_load_from_data(parser, text, (gssize)length, NULL));
}

static GPtrArray *make_chardevs(void)
{
	GPtrArray *chardevs = g_ptr_array_new_with_free_func((GDestroyNotify)chardev_free);
	struct option_set *set = option_set_new(option_spec_find("chardev"), "ring", "-chardev");

	option_set_add(set, "backend", "ringbuf");
	option_set_add(set, "size", "64");
	g_ptr_array_add(chardevs, chardev_new(set, NULL));
	chardev_write(g_ptr_array_index(chardevs, 0), "\xff\0abc", 5);
	option_set_free(set);
	return chardevs;
}

/* The first byte says how many bytes arrive at a time. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct machine_config config = { .name = "fuzz" };
	struct machine *machine = fake_machine_new(&config);
	struct command_context context = {
		.machine = machine,
		.chardevs = make_chardevs(),
		.keys = key_sender_new(machine->display),
	};
	struct qmp_session *session = qmp_session_new(&context, check_answer, NULL);
	size_t chunk = length > 0 ? bytes[0] + 1 : 1;

	for (size_t at = 1; at < length; at += chunk)
		qmp_session_receive(session, bytes + at, MIN(chunk, length - at));
	qmp_session_free(session);
	key_sender_free(context.keys);
	g_ptr_array_unref(context.chardevs);
	fake_machine_free(machine);
	return 0;
}
