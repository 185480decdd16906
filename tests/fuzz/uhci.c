/* What a guest may do to a UHCI controller with a keyboard and a disk: any registers, any schedule, while somebody types and
 * time goes by. */
#include <string.h>

#include "base/reader.h"
#include "tests/unit/vmm/usb/fake-scsi.h"
#include "tests/unit/vmm/usb/uhci-driver.h"
#include "vmm/pci/config.h"
#include "vmm/usb/usb-input.h"
#include "vmm/usb/usb-storage.h"

enum step {
	STEP_REGISTER,
	STEP_READ,
	STEP_MEMORY,
	STEP_DESCRIPTOR,
	STEP_GO,
	STEP_COMMAND,
	STEP_FRAMES,
	STEP_INPUT,
	STEP_DISK,
	STEP_PAUSE,
	STEP_RESET,
	STEPS,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void write_register(struct uhci_driver *driver, struct reader *in)
{
	uint8_t offset = reader_u8(in) % UHCI_REGISTER_BYTES;
	unsigned size = 1u << offset % 3;

	io_space_write(
		&driver->fake->machine.ports, DRIVER_REGISTERS + offset, size, reader_u32(in));
}

static void write_memory(struct uhci_driver *driver, struct reader *in)
{
	static const uint32_t places[] = { DRIVER_FRAMES, DRIVER_QUEUE, DRIVER_DESCRIPTORS,
		DRIVER_SETUP, DRIVER_BUFFER };
	uint32_t at = places[reader_u8(in) % G_N_ELEMENTS(places)] + reader_u8(in) * 4;

	config_set32(driver->fake->ram + at, reader_u32(in));
}

static void put_descriptor(struct uhci_driver *driver, struct reader *in)
{
	static const uint8_t pids[] = { PID_IN, PID_OUT, PID_SETUP, 0 };
	uint8_t kind = reader_u8(in), place = reader_u8(in);
	uint16_t size = reader_u16(in);

	if (driver->count == DRIVER_DESCRIPTORS_MAX)
		uhci_driver_clear(driver);
	uhci_driver_put(driver, pids[kind % 4], place & 0x80 ? place & 0x7f : driver->address,
		kind >> 2 & 3, size, DRIVER_SETUP, reader_u32(in) & ~(uint32_t)TD_ACTIVE);
}

/* A command block wrapper of storage, where descriptors have their data. */
static void put_command(struct uhci_driver *driver, struct reader *in)
{
	uint8_t *at = driver->fake->ram + DRIVER_SETUP;

	memset(at, 0, 31);
	config_set32(at, 0x43425355);
	config_set16(at + 8, reader_u16(in));
	at[12] = reader_u8(in);
	at[14] = 6;
	fake_scsi.direction = at[12] & 3;
	fake_scsi.length = at[12] & 4 ? 8192 : 512;
	fake_scsi.block = at[12] & 8 ? 512 : 0;
	fake_scsi.later = at[12] & 16;
}

static void run_frames(struct uhci_driver *driver, unsigned count)
{
	struct uhci *uhci = (struct uhci *)driver->controller;

	uhci->next_frame = g_get_monotonic_time() - (int64_t)count * UHCI_FRAME_TIME;
	uhci_run_frames(uhci);
}

static void give_input(struct uhci_driver *driver, struct reader *in)
{
	struct fake_machine *fake = driver->fake;
	uint8_t value = reader_u8(in);

	if (fake->keyboard)
		fake->keyboard->key(fake->keyboard_device, value & 0x7f, value & 0x80);
}

static void run(struct uhci_driver *driver, struct reader *in)
{
	struct device *controller = driver->controller;

	switch (reader_u8(in) % STEPS) {
	case STEP_REGISTER:
		write_register(driver, in);
		break;
	case STEP_READ:
		uhci_driver_read(driver, reader_u8(in) % UHCI_REGISTER_BYTES);
		break;
	case STEP_MEMORY:
		write_memory(driver, in);
		break;
	case STEP_DESCRIPTOR:
		put_descriptor(driver, in);
		break;
	case STEP_GO:
		uhci_driver_go(driver);
		run_frames(driver, 2);
		break;
	case STEP_COMMAND:
		put_command(driver, in);
		break;
	case STEP_FRAMES:
		run_frames(driver, reader_u8(in) % UHCI_AT_ONCE);
		break;
	case STEP_INPUT:
		give_input(driver, in);
		break;
	case STEP_DISK:
		fake_scsi_finish();
		break;
	case STEP_PAUSE:
		controller->class->set_running(controller, reader_u8(in) & 1);
		break;
	case STEP_RESET:
		for (guint i = 0; i < driver->fake->machine.devices->len; i++)
			device_reset(driver->fake->machine.devices->pdata[i]);
		uhci_driver_start(driver);
		break;
	}
}

/* Both devices are enabled and configured, the disk with address 1, the keyboard with 2. */
static void open_devices(struct uhci_driver *driver)
{
	static const struct usb_setup configure = { 0, 9, 1, 0, 0 };
	struct uhci *uhci = (struct uhci *)driver->controller;

	uhci_driver_start(driver);
	for (unsigned i = 0; i < UHCI_PORTS; i++) {
		struct usb_packet packet = { .setup = configure };

		uhci_driver_write(driver, UHCI_PORT_1 + 2 * i, UHCI_PORT_ENABLED);
		uhci->bus.devices[i + 1]->address = i + 1;
		usb_submit(uhci->bus.devices[i + 1], &packet);
	}
	driver->address = 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader in = reader_from(bytes, length);
	struct uhci_driver *driver = uhci_driver_new();

	uhci_driver_add(driver, &usb_storage_class);
	uhci_driver_add(driver, &usb_keyboard_class);
	open_devices(driver);
	while (reader_left(&in) > 0 && !in.ran_out)
		run(driver, &in);
	uhci_driver_free(driver);
	return 0;
}
