/* What a guest may do to an xHCI controller with a keyboard, a tablet and a disk: any registers, any rings and contexts, while
 * somebody types. */
#include <string.h>

#include "base/reader.h"
#include "tests/unit/vmm/usb/xhci-driver.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/usb/usb-input.h"
#include "vmm/usb/usb-storage.h"

enum step {
	STEP_REGISTER,
	STEP_READ,
	STEP_MEMORY,
	STEP_COMMAND,
	STEP_TRANSFER,
	STEP_DOORBELL,
	STEP_INPUT,
	STEP_PAUSE,
	STEP_RESET,
	STEP_WAIT,
	STEPS,
};

/* Writes land where rings and contexts are. */
static const uint32_t places[] = { DRIVER_CONTEXTS, DRIVER_COMMANDS, DRIVER_TABLE, DRIVER_INPUT,
	DRIVER_OUTPUT + 0x400, DRIVER_RINGS + 0x400, DRIVER_RINGS + 0xc00, DRIVER_BUFFER };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void write_memory(struct xhci_driver *driver, struct reader *in)
{
	uint32_t at = places[reader_u8(in) % G_N_ELEMENTS(places)] + reader_u8(in) * 4;

	config_set32(driver->fake->ram + at, reader_u32(in));
}

static void put_command(struct xhci_driver *driver, struct reader *in)
{
	uint8_t *at = driver->fake->ram + DRIVER_COMMANDS + driver->next_command * TRB_BYTES;

	if (driver->next_command < 200)
		driver->next_command++;
	config_set32(at, reader_u32(in));
	config_set32(at + 4, 0);
	config_set32(at + 8, reader_u32(in));
	config_set32(at + 12, reader_u32(in) | TRB_CYCLE);
	xhci_driver_write(driver, XHCI_DOORBELLS, 0);
}

static void put_transfer(struct xhci_driver *driver, struct reader *in)
{
	unsigned slot = 1 + reader_u8(in) % 3, endpoint = 1 + reader_u8(in) % 5;
	uint32_t parameter = reader_u32(in), status = reader_u32(in), control = reader_u32(in);

	xhci_driver_put(driver, slot, endpoint, parameter, status, control & ~TRB_CYCLE);
	xhci_driver_ring(driver, slot, endpoint);
}

static void give_input(struct xhci_driver *driver, struct reader *in)
{
	struct fake_machine *fake = driver->fake;
	uint8_t value = reader_u8(in), more = reader_u8(in);

	if (fake->keyboard)
		fake->keyboard->key(fake->keyboard_device, value, more & 1);
	if (fake->pointer)
		fake->pointer->button(fake->pointer_device, value % INPUT_BUTTONS, more & 1);
	if (fake->pointer && fake->pointer->position)
		fake->pointer->position(fake->pointer_device, value, more, 256, 256);
}

static void run(struct xhci_driver *driver, struct reader *in)
{
	struct device *controller = driver->controller;
	unsigned offset, value;

	switch (reader_u8(in) % STEPS) {
	case STEP_REGISTER:
		offset = reader_u16(in) % XHCI_REGISTER_BYTES & ~3u;
		value = reader_u32(in);
		xhci_driver_write(driver, offset, value);
		break;
	case STEP_READ:
		xhci_driver_read(driver, reader_u16(in) % XHCI_REGISTER_BYTES & ~3u);
		break;
	case STEP_MEMORY:
		write_memory(driver, in);
		break;
	case STEP_COMMAND:
		put_command(driver, in);
		break;
	case STEP_TRANSFER:
		put_transfer(driver, in);
		break;
	case STEP_DOORBELL:
		offset = reader_u8(in) % 65;
		xhci_driver_write(driver, XHCI_DOORBELLS + 4 * offset, reader_u8(in));
		break;
	case STEP_INPUT:
		give_input(driver, in);
		break;
	case STEP_PAUSE:
		controller->class->set_running(controller, reader_u8(in) & 1);
		break;
	case STEP_RESET:
		for (guint i = 0; i < driver->fake->machine.devices->len; i++)
			device_reset(driver->fake->machine.devices->pdata[i]);
		xhci_driver_start(driver);
		break;
	case STEP_WAIT:
		g_main_context_iteration(NULL, FALSE);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct usb_setup configure = { 0, 9, 1, 0, 0 };
	struct reader in = reader_from(bytes, length);
	struct xhci_driver *driver = xhci_driver_new();
	unsigned slot;

	xhci_driver_add(driver, &usb_storage_class);
	xhci_driver_add(driver, &usb_keyboard_class);
	xhci_driver_add(driver, &usb_tablet_class);
	xhci_driver_start(driver);
	for (unsigned i = 0; i < 3; i++) {
		slot = xhci_driver_open(driver, i == 0 ? 1 : 5 + i);
		xhci_driver_control(driver, slot, &configure, NULL);
		xhci_driver_configure(
			driver, slot, 3, i == 0 ? ENDPOINT_BULK_IN : ENDPOINT_INTERRUPT_IN);
	}
	xhci_driver_configure(driver, 1, 4, ENDPOINT_BULK_OUT);
	while (reader_left(&in) > 0 && !in.ran_out)
		run(driver, &in);
	xhci_driver_free(driver);
	return 0;
}
