/* IDENTIFY DEVICE and IDENTIFY PACKET DEVICE: 256 words about the drive. Specification: ATA8-ACS sections 7.12 and 7.13. */
#include <string.h>

#include "base/checked.h"
#include "vmm/pci/config.h"
#include "vmm/storage/ata-private.h"

enum {
	WORD_SERIAL = 10,
	WORD_REVISION = 23,
	WORD_MODEL = 27,
	SERIAL_BYTES = 20,
	REVISION_BYTES = 8,
	MODEL_BYTES = 40,

	PIO_CYCLE = 120,        /* nanoseconds */
	VERSIONS = 0xf0,        /* ATA-4 to ATA-7 */
	VERSION_MINOR = 0x16,   /* ATA/ATAPI-6 T13 1410D revision 0 */
	VALID = 1 << 14,        /* of the words that say what is supported */
	SATA_GENERATIONS = 0x6, /* 1.5 and 3 Gb/s */
	SATA_QUEUED = 1 << 8,

	HAS_SMART = 1 << 0,
	HAS_PACKET = 1 << 4,
	HAS_WRITE_CACHE = 1 << 5,
	HAS_LOOK_AHEAD = 1 << 6,
	HAS_DEVICE_RESET = 1 << 9,
	HAS_NOP = 1 << 14,
	HAS_48BIT = 1 << 10,
	HAS_FLUSH = 1 << 12,
	HAS_FLUSH_EXT = 1 << 13,
	HAS_WWN = 1 << 8,
	HAS_WRITE_FUA = 1 << 6,
};

static void put(uint8_t *to, unsigned word, uint16_t value)
{
	config_set16(to + 2 * word, value);
}

/* Two characters in a word, the first one in its high byte, filled up with spaces. */
static void put_text(uint8_t *to, unsigned word, size_t size, const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < size; i++)
		to[2 * word + (i ^ 1)] = i < length ? text[i] : ' ';
}

/* The mode in use is told in the high byte of the word of its kind. */
static uint16_t with_mode(const struct ata_drive *drive, uint8_t kind, uint16_t supported)
{
	if ((drive->dma_mode & 0xf8) == kind)
		supported |= 1 << (8 + (drive->dma_mode & 7));
	return supported;
}

static void put_names(const struct ata_drive *drive, uint8_t *to)
{
	const char *model = drive->is_cdrom ? "QEMU DVD-ROM" : "QEMU HARDDISK";

	put_text(to, WORD_SERIAL, SERIAL_BYTES, ata_serial(drive));
	put_text(to, WORD_REVISION, REVISION_BYTES, drive->revision ? drive->revision : "2.5+");
	put_text(to, WORD_MODEL, MODEL_BYTES, drive->model ? drive->model : model);
}

static void put_transfer(const struct ata_drive *drive, uint8_t *to)
{
	put(to, 53, 1 << 2 | 1 << 1 | (drive->is_cdrom ? 0 : 1));
	put(to, 63, with_mode(drive, ATA_TRANSFER_MULTIWORD, 0x07));
	put(to, 64, 0x03);
	for (unsigned word = 65; word <= 68; word++)
		put(to, word, PIO_CYCLE);
	put(to, 88, with_mode(drive, ATA_TRANSFER_ULTRA, 0x3f));
	if (drive->bus->serial_ata) {
		put(to, 76, SATA_GENERATIONS | (drive->is_cdrom ? 0 : SATA_QUEUED));
		put(to, 75, drive->is_cdrom ? 0 : ATA_QUEUE_DEPTH - 1);
	} else {
		put(to, 93, VALID | 1 << 13 | 1 << 0); /* an 80-conductor cable */
	}
}

static void put_geometry(const struct ata_drive *drive, uint8_t *to)
{
	uint64_t sectors = ata_sectors(drive);
	uint32_t sectors28 = MIN(sectors, 0x0fffffff);
	uint32_t per_cylinder = drive->current_heads * drive->current_sectors;
	uint32_t cylinders = MIN(sectors / per_cylinder, 65535);

	put(to, 1, drive->cylinders);
	put(to, 3, drive->heads);
	put(to, 4, ATA_SECTOR * drive->sectors);
	put(to, 5, ATA_SECTOR);
	put(to, 6, drive->sectors);
	put(to, 54, MIN(cylinders, 16383));
	put(to, 55, drive->current_heads);
	put(to, 56, drive->current_sectors);
	config_set32(to + 2 * 57, MIN(cylinders, 16383) * per_cylinder);
	config_set32(to + 2 * 60, sectors28);
	config_set32(to + 2 * 100, sectors);
	config_set32(to + 2 * 102, sectors >> 32);
}

static void put_world_wide_name(const struct ata_drive *drive, uint8_t *to)
{
	if (!drive->wwn)
		return;
	for (unsigned i = 0; i < 4; i++)
		put(to, 108 + i, drive->wwn >> (48 - 16 * i));
}

static void identify_disk(const struct ata_drive *drive, uint8_t *to)
{
	uint16_t named = drive->wwn ? HAS_WWN : 0;

	put(to, 0, 0x0040);
	put(to, 20, 3);
	put(to, 21, 512);
	put(to, 22, 4);
	put(to, 47, 0x8000 | ATA_MULTIPLE_MAX);
	put(to, 48, 1);
	put(to, 49, 1 << 11 | 1 << 9 | 1 << 8); /* IORDY, LBA, DMA */
	put(to, 50, VALID);
	put(to, 51, 0x200);
	put(to, 52, 0x200);
	put_geometry(drive, to);
	put(to, 59, drive->multiple ? 0x100 | drive->multiple : 0);
	put(to, 80, VERSIONS);
	put(to, 81, VERSION_MINOR);
	put(to, 82, HAS_NOP | HAS_LOOK_AHEAD | HAS_WRITE_CACHE | HAS_SMART);
	put(to, 83, VALID | HAS_FLUSH_EXT | HAS_FLUSH | HAS_48BIT);
	put(to, 84, VALID | HAS_WRITE_FUA | named);
	put(to, 85,
		HAS_NOP | (drive->look_ahead ? HAS_LOOK_AHEAD : 0) |
			(drive->write_cache ? HAS_WRITE_CACHE : 0) |
			(drive->smart ? HAS_SMART : 0));
	put(to, 86, HAS_FLUSH_EXT | HAS_FLUSH | HAS_48BIT);
	put(to, 87, VALID | HAS_WRITE_FUA | named);
	put(to, 106, VALID | 1 << 13 | 3); /* eight sectors make one of the medium's */
	put_world_wide_name(drive, to);
	put(to, 169, 1); /* TRIM */
	put(to, 217, drive->rotation_rate);
}

static void identify_cdrom(const struct ata_drive *drive, uint8_t *to)
{
	put(to, 0, 0x85c0); /* ATAPI CD-ROM, removable, 12-byte packets, DRQ in 50 us */
	put(to, 20, 3);
	put(to, 21, 512);
	put(to, 22, 4);
	put(to, 48, 1);
	put(to, 49, 1 << 11 | 1 << 9 | 1 << 8);
	put(to, 71, 30);
	put(to, 72, 30);
	put(to, 80, 0x1e);
	put(to, 82, HAS_NOP | HAS_DEVICE_RESET | HAS_PACKET);
	put(to, 83, VALID);
	put(to, 84, VALID | (drive->wwn ? HAS_WWN : 0));
	put(to, 85, HAS_NOP | HAS_DEVICE_RESET | HAS_PACKET);
	put(to, 87, VALID | (drive->wwn ? HAS_WWN : 0));
	put_world_wide_name(drive, to);
}

void ata_identify(const struct ata_drive *drive, uint8_t *to)
{
	memset(to, 0, ATA_SECTOR);
	put_names(drive, to);
	put_transfer(drive, to);
	if (drive->is_cdrom)
		identify_cdrom(drive, to);
	else
		identify_disk(drive, to);
}
