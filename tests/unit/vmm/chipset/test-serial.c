/* The 16550A as drivers probe and use it. */
#include "tests/unit/vmm/chipset/fake-machine.h"

#include <string.h>

#include "vmm/chipset/serial.h"

enum {
	COM1 = 0x3f8,
	FIFO_CONTROL = 2,
	MODEM_CONTROL = 4,
};

/* "wRVV" writes VV to register R, "rRVV" expects it to read as VV, "iL" expects the interrupt line at L, "<VV" receives a
 * byte from the host. */
static const struct {
	const char *name;
	const char *script;
	const char *output;
} cases[] = {
	{ "/serial/after-reset", "r201 r560 r6b0 r700 i0" },
	{ "/serial/scratch", "w7a5 r7a5" },
	{ "/serial/interrupt-enable-has-four-bits", "w1ff r10f" },
	{ "/serial/divisor", "w380 w034 w112 r034 r112 w303 r100" },
	{ "/serial/modem-loop", "w41a r692 w415 r66b w400 r6bd" },
	{ "/serial/data-loop", "w410 w05a r561 r05a r560", "" },
	{ "/serial/fifo-is-there", "w201 r2c1 w200 r201" },
	{ "/serial/no-64-byte-fifo", "w380 w227 r2c1 w300" },
	{ "/serial/send", "w048 w069", "Hi" },
	{ "/serial/transmitter-interrupt", "w102 i1 r202 i0 r201 w041 i1 r202 i0", "A" },
	{ "/serial/transmitter-interrupt-again", "w102 r202 w100 w102 i1" },
	{ "/serial/receive", "w101 <41 i1 r204 r561 r041 i0 r560" },
	{ "/serial/receive-below-trigger-times-out", "w281 w101 <41 i1 r2cc r041 i0 r2c1" },
	{ "/serial/receive-at-trigger",
		"w241 w101 <41 <42 <43 <44 r2c4 r041 r2cc r042 r043 r044 i0" },
	{ "/serial/clear-fifo", "w201 <41 <42 w203 r560" },
	{ "/serial/overrun", "w410 w104 w001 w002 i1 r206 r563 i0 r561 r001" },
	{ "/serial/modem-interrupt", "w108 w410 i1 r200 r60b i0 r201" },
};

static struct fake_machine *machine_with_serial(void)
{
	struct fake_machine *fake = fake_machine_new();

	fake->machine.serial[0] = fake_chardev();
	g_assert_nonnull(fake_machine_add(fake, &isa_serial_class, NULL, NULL));
	return fake;
}

static void run_step(struct fake_machine *fake, const char *step)
{
	unsigned value = g_ascii_strtoull(step + 1, NULL, 16);
	uint16_t port = COM1 + (value >> 8);
	uint8_t byte = value;

	switch (step[0]) {
	case 'w':
		fake_out(fake, port, byte);
		break;
	case 'r':
		g_assert_cmphex(fake_in(fake, port), ==, byte);
		break;
	case 'i':
		g_assert_cmpuint(fake->levels[4], ==, value);
		break;
	case '<':
		g_assert_cmpuint(fake->front_end_ops->can_receive(fake->front_end), >, 0);
		fake->front_end_ops->receive(fake->front_end, &byte, 1);
		break;
	default:
		g_assert_not_reached();
	}
}

static void check_case(gconstpointer data)
{
	const typeof(cases[0]) *c = data;
	struct fake_machine *fake = machine_with_serial();
	g_auto(GStrv) steps = g_strsplit(c->script, " ", -1);

	for (size_t i = 0; steps[i]; i++)
		run_step(fake, steps[i]);
	if (c->output)
		g_assert_cmpstr(fake->output->str, ==, c->output);
	fake_machine_free(fake);
}

static void test_flow(void)
{
	struct fake_machine *fake = machine_with_serial();
	const uint8_t bytes[16] = { 0 };
	unsigned accepts;

	g_assert_cmpuint(fake->front_end_ops->can_receive(fake->front_end), ==, 1);
	fake_out(fake, COM1 + FIFO_CONTROL, 1);
	g_assert_cmpuint(fake->front_end_ops->can_receive(fake->front_end), ==, 16);
	fake->front_end_ops->receive(fake->front_end, bytes, 16);
	g_assert_cmpuint(fake->front_end_ops->can_receive(fake->front_end), ==, 0);
	accepts = fake->accepts;
	for (unsigned i = 0; i < 16; i++)
		fake_in(fake, COM1);
	g_assert_cmpuint(fake->accepts, ==, accepts + 1);
	fake_out(fake, COM1 + MODEM_CONTROL, 0x10);
	g_assert_cmpuint(fake->front_end_ops->can_receive(fake->front_end), ==, 0);
	fake_machine_free(fake);
}

static const struct {
	const char *name;
	const char *properties[5];
	const char *error;
} refusals[] = {
	{ "/serial/refused/no-chardev", { NULL }, "chardev=ID is missing" },
	{ "/serial/refused/unknown-chardev", { "chardev", "nowhere" },
		"there is no chardev 'nowhere'" },
	{ "/serial/refused/wrong-index", { "chardev", "line", "index", "4" }, "index" },
};

static void check_refusal(gconstpointer data)
{
	const typeof(refusals[0]) *c = data;
	struct fake_machine *fake = fake_machine_new();
	g_autoptr(GError) error = NULL;

	g_assert_null(fake_machine_add(fake, &isa_serial_class, c->properties, &error));
	g_assert_nonnull(strstr(error->message, c->error));
	fake_machine_free(fake);
}

static void test_places(void)
{
	const char *const properties[] = { "chardev", "line", "index", "1", NULL };
	struct fake_machine *fake = fake_machine_new();
	const struct device *device = fake_machine_add(fake, &isa_serial_class, properties, NULL);
	uint16_t port;
	uint8_t irq;

	g_assert_nonnull(device);
	isa_serial_place(device, &port, &irq);
	g_assert_cmphex(port, ==, 0x2f8);
	g_assert_cmpuint(irq, ==, 3);
	fake_machine_free(fake);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, &cases[i], check_case);
	for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++)
		g_test_add_data_func(refusals[i].name, &refusals[i], check_refusal);
	g_test_add_func("/serial/flow", test_flow);
	g_test_add_func("/serial/places", test_places);
	return g_test_run();
}
