/* IDE channels: registers, data and bus master as a hostile driver uses them, with a disk and a CD-ROM on one cable. */
#include "vmm/storage/ide.h"

#include <string.h>

#include "base/reader.h"
#include "tests/unit/vmm/storage/fake-controller.h"
#include "vmm/pci/config.h"

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
	struct reader in = reader_from(bytes, length);
	struct fake_controller controller;

	fake_controller_set_up(&controller, &piix3_ide_class, 0x20, MASTER | 1, 0x5);
	fake_controller_add(&controller, &ide_hd_class);
	fake_controller_add(&controller, &ide_cd_class);
	device_reset(&controller.pci->device);
	while (reader_left(&in) > 0 && !in.ran_out)
		run(controller.machine, controller.drive, &in);
	fake_controller_tear_down(&controller);
	return 0;
}
