/* IDE channels: registers, data and bus master as a hostile driver uses them, with a disk and a CD-ROM on one cable. */
#include "vmm/storage/ide.h"

#include <string.h>

#include "base/reader.h"
#include "tests/unit/vmm/chipset/fake-machine.h"
#include "tests/unit/vmm/storage/fake-drive.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci.h"

enum step {
	STEP_REGISTER,
	STEP_CONTROL,
	STEP_READ,
	STEP_WRITE,
	STEP_MASTER,
	STEP_TABLE,
	STEP_DISK,
	STEP_ERROR,
	STEPS,
};

enum {
	MASTER = 0xc000,
	TABLE = 0x10000,
	BUFFER = 0x20000,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void run(struct fake_machine *fake, struct fake_drive *drive, struct reader *in)
{
	struct io_space *ports = &fake->machine.ports;
	uint8_t step = reader_u8(in) % STEPS, first = reader_u8(in);

	switch (step) {
	case STEP_REGISTER:
		fake_out(fake, 0x1f1 + first % 7, reader_u8(in));
		fake_in(fake, 0x1f1 + first % 7);
		break;
	case STEP_CONTROL:
		fake_out(fake, 0x3f6, first);
		break;
	case STEP_READ:
		for (unsigned i = 0; i < first * 8u; i++)
			io_space_read(ports, 0x1f0, 4);
		break;
	case STEP_WRITE:
		for (unsigned i = 0; i < first % 16; i++)
			io_space_write(ports, 0x1f0, 1 << i % 3, reader_le32(in));
		break;
	case STEP_MASTER:
		fake_out(fake, MASTER + first % 8, reader_u8(in));
		break;
	case STEP_TABLE:
		for (unsigned i = 0; i < 4; i++) {
			config_set32(fake->ram + TABLE + 8 * i,
				i == 3 && first & 1 ? 0xfff00000 : BUFFER + 0x10000 * i);
			config_set32(fake->ram + TABLE + 8 * i + 4, reader_le16(in));
		}
		fake->ram[TABLE + 31] = 0x80;
		io_space_write(ports, MASTER + 4, 4, TABLE);
		break;
	case STEP_DISK:
		fake_drive_run(drive, first);
		break;
	case STEP_ERROR:
		drive->error = -(first % 40);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct pci_interrupts interrupts;
	const char *const properties[] = { "drive", "drive", NULL };
	struct reader in = reader_from(bytes, length);
	struct fake_machine *fake = fake_machine_new();
	struct fake_drive *drive = fake_drive_new();
	struct device *ide;

	fake->machine.pci = pci_bus_new(&fake->machine, "pci.0", &interrupts);
	ide = device_new(&fake->machine, &piix3_ide_class, NULL);
	g_assert_true(device_realize(ide, NULL));
	device_reset(ide);
	pci_bus_config_write(
		fake->machine.pci, ((struct pci_device *)ide)->slot, 0, 0x20, 4, MASTER | 1);
	pci_bus_config_write(fake->machine.pci, ((struct pci_device *)ide)->slot, 0, 4, 2, 0x5);
	g_assert_nonnull(fake_machine_add(fake, &ide_hd_class, properties, NULL));
	g_assert_nonnull(fake_machine_add(fake, &ide_cd_class, properties, NULL));
	device_reset(ide);
	while (reader_left(&in) > 0 && !in.ran_out)
		run(fake, drive, &in);
	g_assert_cmpuint(drive->failed_bounds, ==, 0);
	for (guint i = fake->machine.devices->len; i > 0; i--)
		device_free(fake->machine.devices->pdata[i - 1]);
	g_ptr_array_set_size(fake->machine.devices, 0);
	fake_drive_free(drive);
	fake_machine_free(fake);
	return 0;
}
