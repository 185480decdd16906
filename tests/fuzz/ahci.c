/* The AHCI controller: registers and command lists as a hostile driver writes them, with a disk and a CD-ROM. */
#include "vmm/storage/ahci.h"

#include <string.h>

#include "base/reader.h"
#include "tests/unit/vmm/storage/fake-controller.h"
#include "vmm/pci/config.h"

enum step {
	STEP_REGISTER,
	STEP_MEMORY,
	STEP_COMMAND,
	STEP_DISK,
	STEP_ERROR,
	STEP_MEDIUM,
	STEPS,
};

enum {
	BASE = 0xfe000000,
	LIST = 0x10000,
	RECEIVED = 0x11000,
	TABLE = 0x12000,
	BUFFER = 0x20000,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void set(struct fake_machine *fake, uint32_t offset, uint32_t value)
{
	io_space_write(&fake->machine.mmio, BASE + offset, 4, value);
	io_space_read(&fake->machine.mmio, BASE + offset, 4);
}

static void set_up_ports(struct fake_machine *fake)
{
	set(fake, 4, 2);
	for (unsigned port = 0x100; port < 0x200; port += 0x80) {
		set(fake, port, LIST);
		set(fake, port + 8, RECEIVED);
		set(fake, port + 0x14, UINT32_MAX);
		set(fake, port + 0x18, 0x11);
	}
}

/* A sound header and a table of one region, around registers and a packet from the input. */
static void issue(struct fake_machine *fake, struct reader *in)
{
	unsigned slot = reader_u8(in) % 4, port = reader_u8(in) % 2 ? 0x180 : 0x100;
	uint8_t *header = fake->ram + LIST + 32 * slot, *table = fake->ram + TABLE + 256 * slot;

	memset(header, 0, 32);
	header[0] = 5;
	config_set16(header + 2, reader_u8(in) % 4);
	config_set32(header + 8, TABLE + 256 * slot);
	reader_copy(in, table, 20);
	table[0] = 0x27;
	reader_copy(in, table + 0x40, 12);
	for (unsigned i = 0; i < 3; i++) {
		config_set32(table + 0x80 + 16 * i, BUFFER + 0x4000 * i);
		config_set32(table + 0x8c + 16 * i, reader_le16(in));
	}
	if (reader_u8(in) & 1)
		set(fake, port + 0x34, 1u << slot);
	set(fake, port + 0x38, 1u << slot);
}

static void run(struct fake_machine *fake, struct fake_drive *drive, struct reader *in)
{
	uint32_t offset;

	switch (reader_u8(in) % STEPS) {
	case STEP_REGISTER:
		offset = reader_le16(in) & 0x1fc;
		set(fake, offset, reader_le32(in));
		break;
	case STEP_MEMORY:
		offset = LIST + reader_le16(in) % 0x3000;
		reader_copy(in, fake->ram + offset, reader_u8(in) % 64);
		break;
	case STEP_COMMAND:
		issue(fake, in);
		break;
	case STEP_DISK:
		fake_drive_run(drive, reader_u8(in));
		break;
	case STEP_ERROR:
		drive->error = -(reader_u8(in) % 40);
		break;
	case STEP_MEDIUM:
		drive->drive.image = drive->drive.image ? NULL : &drive->image;
		for (guint i = 0; i < fake->machine.devices->len; i++) {
			struct device *device = fake->machine.devices->pdata[i];

			if (device->class == &ide_cd_class)
				scsi_lun_medium_changed(&((struct ata_drive *)device)->lun);
		}
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader in = reader_from(bytes, length);
	struct fake_controller controller;

	fake_controller_set_up(&controller, &ich9_ahci_class, 0x24, BASE, 0x406);
	fake_controller_add(&controller, &ide_hd_class);
	fake_controller_add(&controller, &ide_cd_class);
	set(controller.machine, 4, 1);
	set_up_ports(controller.machine);
	while (reader_left(&in) > 0 && !in.ran_out)
		run(controller.machine, controller.drive, &in);
	fake_controller_tear_down(&controller);
	return 0;
}
