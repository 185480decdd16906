/* SMART, as much of it as says that a drive is well, and the logs of general purpose logging. Specification: ATA8-ACS 7.53
 * (SMART), 7.32 (READ LOG EXT), A.13 (queued error log); the attributes are those that every tool knows.
 */
#include <string.h>

#include "vmm/pci/config.h"
#include "vmm/storage/ata-private.h"

enum {
	KEY = 0xc24f, /* in the middle and high byte of the address */

	READ_DATA = 0xd0,
	READ_THRESHOLDS = 0xd1,
	AUTOSAVE = 0xd2,
	SAVE = 0xd3,
	EXECUTE_OFFLINE = 0xd4,
	READ_LOG = 0xd5,
	ENABLE = 0xd8,
	DISABLE = 0xd9,
	RETURN_STATUS = 0xda,

	ATTRIBUTES = 2,
	ATTRIBUTE_BYTES = 12,
	ATTRIBUTE_FLAGS = 0x0003, /* of life, updated online */

	LOG_DIRECTORY = 0x00,
	LOG_ERROR = 0x01,
	LOG_SELF_TEST = 0x06,
	LOG_QUEUED_ERROR = 0x10,
};

static const struct {
	uint8_t id;
	uint16_t flags;
	uint8_t value, worst;
	uint32_t raw;
	uint8_t threshold;
} attributes[] = {
	{ 0x01, 0x0003, 0x64, 0x64, 0, 0x06 },   /* read error rate */
	{ 0x03, 0x0003, 0x64, 0x64, 16, 0x00 },  /* spin up */
	{ 0x04, 0x0002, 0x64, 0x64, 100, 0x14 }, /* starts and stops */
	{ 0x05, 0x0003, 0x64, 0x64, 0, 0x24 },   /* reallocated sectors */
	{ 0x09, 0x0003, 0x64, 0x64, 1, 0x00 },   /* hours of power-on */
	{ 0x0c, 0x0003, 0x64, 0x64, 0, 0x00 },   /* power cycles */
	{ 0xbe, 0x0003, 0x45, 0x45, 31, 0x32 },  /* temperature */
};

/* All bytes of these sectors add up to zero. */
static void add_checksum(uint8_t *data)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < ATA_SECTOR - 1; i++)
		sum += data[i];
	data[ATA_SECTOR - 1] = -sum;
}

static void read_data(struct ata_command *command)
{
	uint8_t data[ATA_SECTOR] = { 1 };

	for (size_t i = 0; i < G_N_ELEMENTS(attributes); i++) {
		uint8_t *at = data + ATTRIBUTES + ATTRIBUTE_BYTES * i;

		at[0] = attributes[i].id;
		config_set16(at + 1, attributes[i].flags);
		at[3] = attributes[i].value;
		at[4] = attributes[i].worst;
		config_set32(at + 5, attributes[i].raw);
	}
	data[362] = 0x02 | (command->drive->smart_autosave ? 0x80 : 0);
	config_set16(data + 364, 0x120); /* seconds that a collection would take */
	data[367] = 1 << 4 | 1 << 3 | 1; /* offline collection, self-tests */
	data[368] = 0x03;
	data[370] = 1; /* error log */
	data[372] = 2; /* minutes of a short test, of a long one */
	data[373] = 54;
	add_checksum(data);
	ata_reply(command, data, 1);
}

static void read_thresholds(struct ata_command *command)
{
	uint8_t data[ATA_SECTOR] = { 1 };

	for (size_t i = 0; i < G_N_ELEMENTS(attributes); i++) {
		data[ATTRIBUTES + ATTRIBUTE_BYTES * i] = attributes[i].id;
		data[ATTRIBUTES + ATTRIBUTE_BYTES * i + 1] = attributes[i].threshold;
	}
	add_checksum(data);
	ata_reply(command, data, 1);
}

static void read_smart_log(struct ata_command *command)
{
	uint8_t data[ATA_SECTOR] = { 1 };

	switch (command->taskfile.lba & 0xff) {
	case LOG_DIRECTORY:
		data[2 * LOG_ERROR] = 1;
		data[2 * LOG_SELF_TEST] = 1;
		break;
	case LOG_ERROR:
	case LOG_SELF_TEST:
		add_checksum(data);
		break;
	default:
		ata_fail(command, ATA_ABORTED);
		return;
	}
	ata_reply(command, data, 1);
}

void ata_smart(struct ata_command *command)
{
	struct ata_drive *drive = command->drive;
	uint8_t feature = command->taskfile.features;

	if ((command->taskfile.lba >> 8 & 0xffff) != KEY || (!drive->smart && feature != ENABLE)) {
		ata_fail(command, ATA_ABORTED);
		return;
	}
	switch (feature) {
	case READ_DATA:
		read_data(command);
		return;
	case READ_THRESHOLDS:
		read_thresholds(command);
		return;
	case READ_LOG:
		read_smart_log(command);
		return;
	case AUTOSAVE:
		drive->smart_autosave = command->taskfile.count & 0xff;
		break;
	case ENABLE:
	case DISABLE:
		drive->smart = feature == ENABLE;
		break;
	case SAVE:
	case EXECUTE_OFFLINE: /* passed at once */
	case RETURN_STATUS:   /* the key stays as it is: no threshold was exceeded */
		break;
	default:
		ata_fail(command, ATA_ABORTED);
		return;
	}
	ata_succeed(command);
}

/* Which queued command failed; reading it makes the drive take others again. */
static void read_queued_error(struct ata_command *command)
{
	struct ata_drive *drive = command->drive;
	const struct ata_taskfile *failed = &drive->failed;
	uint8_t data[ATA_SECTOR] = { 0 };

	data[0] = drive->failed_tag;
	if (drive->failed_tag != ATA_NO_TAG) {
		data[2] = ATA_READY | ATA_SEEK_COMPLETE | ATA_ERROR;
		data[3] = failed->error;
		for (unsigned i = 0; i < 3; i++) {
			data[4 + i] = failed->lba >> 8 * i;
			data[8 + i] = failed->lba >> (24 + 8 * i);
		}
		data[7] = failed->device;
		config_set16(data + 12, failed->count);
	}
	add_checksum(data);
	drive->failed_tag = ATA_NO_TAG;
	ata_reply(command, data, 1);
}

void ata_read_log(struct ata_command *command)
{
	uint8_t log = command->taskfile.lba;
	uint8_t data[ATA_SECTOR] = { 1 };

	if (!command->drive->bus->serial_ata || command->taskfile.count != 1) {
		ata_fail(command, ATA_ABORTED);
	} else if (log == LOG_DIRECTORY) {
		data[2 * LOG_QUEUED_ERROR] = 1;
		ata_reply(command, data, 1);
	} else if (log == LOG_QUEUED_ERROR) {
		read_queued_error(command);
	} else {
		ata_fail(command, ATA_ABORTED);
	}
}
