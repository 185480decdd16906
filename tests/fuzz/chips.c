/* What a guest may do to the small chips of the board: any accesses to their ports, while keys, motion and serial input
 * arrive. */
#include "base/reader.h"
#include "tests/unit/vmm/chipset/fake-machine.h"
#include "vmm/chipset/i8042.h"
#include "vmm/chipset/mc146818.h"
#include "vmm/chipset/port92.h"
#include "vmm/chipset/serial.h"

enum step {
	STEP_WRITE,
	STEP_READ,
	STEP_KEY,
	STEP_MOTION,
	STEP_BUTTON,
	STEP_SERIAL,
	STEP_RESET,
	STEPS,
};

static const uint16_t ports[] = { 0x60, 0x64, 0x70, 0x71, 0x92, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc,
	0x3fd, 0x3fe, 0x3ff };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void receive(struct fake_machine *fake, uint8_t byte)
{
	if (fake->front_end_ops->can_receive(fake->front_end) > 0)
		fake->front_end_ops->receive(fake->front_end, &byte, 1);
}

static void reset(struct fake_machine *fake)
{
	for (guint i = 0; i < fake->machine.devices->len; i++)
		device_reset(fake->machine.devices->pdata[i]);
}

static void run(struct fake_machine *fake, struct reader *in)
{
	uint8_t step = reader_u8(in) % STEPS, first = reader_u8(in), second = reader_u8(in);

	switch (step) {
	case STEP_WRITE:
		fake_out(fake, ports[first % G_N_ELEMENTS(ports)], second);
		break;
	case STEP_READ:
		fake_in(fake, ports[first % G_N_ELEMENTS(ports)]);
		break;
	case STEP_KEY:
		fake->keyboard->key(fake->keyboard_device, first, second & 1);
		break;
	case STEP_MOTION:
		fake->pointer->motion(fake->pointer_device, reader_i32(in), reader_i32(in));
		break;
	case STEP_BUTTON:
		fake->pointer->button(fake->pointer_device, first % INPUT_BUTTONS, second & 1);
		break;
	case STEP_SERIAL:
		receive(fake, first);
		break;
	case STEP_RESET:
		reset(fake);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct device_class *const classes[] = { &i8042_class, &port92_class,
		&mc146818_class, &isa_serial_class };
	struct reader in = reader_from(bytes, length);
	struct fake_machine *fake = fake_machine_new();

	fake->machine.serial[0] = fake_chardev();
	for (size_t i = 0; i < G_N_ELEMENTS(classes); i++)
		g_assert_nonnull(fake_machine_add(fake, classes[i], NULL, NULL));
	while (reader_left(&in) > 0 && !in.ran_out)
		run(fake, &in);
	fake_machine_free(fake);
	return 0;
}
