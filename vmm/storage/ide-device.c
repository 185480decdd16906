/* ide-hd and ide-cd: drives on the cable of an IDE controller or at the port of an AHCI one. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/storage/ata-private.h"

enum {
	SERIAL_BYTES = 20,
	MODEL_BYTES = 40,
	REVISION_BYTES = 8,
	HEADS = 16,
	SECTORS = 63,
	CYLINDERS_MAX = 16383,
};

/* Bus */

static bool is_full(struct bus *opaque)
{
	const struct ide_bus *bus = (const struct ide_bus *)opaque;

	for (unsigned i = 0; i < bus->units; i++)
		if (!bus->drives[i])
			return false;
	return true;
}

static bool find_unit(const struct ide_bus *bus, struct ata_drive *drive, GError **error)
{
	guint64 unit;

	if (!drive->unit_option) {
		drive->unit = bus->drives[0] ? 1 : 0;
		return drive->unit < bus->units ||
		       fail(error, VITRINE_ERROR_INPUT, "bus %s has no free unit left",
			       bus->bus.name);
	}
	if (!g_ascii_string_to_unsigned(drive->unit_option, 10, 0, bus->units - 1, &unit, NULL))
		return fail(error, VITRINE_ERROR_INPUT, "unit=%s is none of bus %s; %s",
			drive->unit_option, bus->bus.name,
			bus->units == 1 ? "0 is the only one" : "0 and 1 are");
	drive->unit = unit;
	return true;
}

static bool attach(struct bus *opaque, struct device *device, GError **error)
{
	struct ide_bus *bus = (struct ide_bus *)opaque;
	struct ata_drive *drive = (struct ata_drive *)device;

	if (!find_unit(bus, drive, error))
		return false;
	if (bus->drives[drive->unit])
		return fail(error, VITRINE_ERROR_INPUT,
			"unit %u of bus %s is taken; choose another", drive->unit, bus->bus.name);
	drive->bus = bus;
	bus->drives[drive->unit] = drive;
	return true;
}

static void detach(struct bus *opaque, struct device *device)
{
	struct ide_bus *bus = (struct ide_bus *)opaque;

	bus->drives[((struct ata_drive *)device)->unit] = NULL;
}

static void plugged(struct bus *opaque, struct device *device)
{
	struct ide_bus *bus = (struct ide_bus *)opaque;

	if (bus->ops->plugged)
		bus->ops->plugged(bus, (struct ata_drive *)device);
}

static char *place(struct bus *bus, const struct device *device)
{
	return g_strdup_printf("unit %u", ((const struct ata_drive *)device)->unit);
}

static char *firmware_path(struct bus *opaque, const struct device *device)
{
	return g_strdup_printf("drive@%x/disk@%x", ((const struct ide_bus *)opaque)->number,
		((const struct ata_drive *)device)->unit);
}

/* The drives of parallel ATA cannot come and go. */
static const struct bus_ops fixed_ops = {
	.attach = attach,
	.detach = detach,
	.is_full = is_full,
	.place = place,
	.firmware_path = firmware_path,
};

static const struct bus_ops serial_ops = {
	.attach = attach,
	.detach = detach,
	.is_full = is_full,
	.plugged = plugged,
	.place = place,
	.firmware_path = firmware_path,
};

/* Drives are numbered through all cables of the machine, two of them each: their serial numbers follow from that. */
static unsigned next_serial(const struct machine *machine)
{
	unsigned serial = 1;

	for (guint i = 0; i < machine->buses->len; i++)
		if (((const struct bus *)machine->buses->pdata[i])->kind == BUS_IDE)
			serial += 2;
	return serial;
}

void ide_bus_init(struct ide_bus *bus, unsigned number, struct device *controller, unsigned units,
	bool serial_ata, const struct ide_bus_ops *ops)
{
	g_autofree char *name = bus_make_name(controller, "ide", number);

	bus->number = number;
	bus->first_serial = next_serial(controller->machine);
	bus_init(&bus->bus, BUS_IDE, name, controller->machine, controller,
		serial_ata ? &serial_ops : &fixed_ops);
	bus->units = units;
	bus->serial_ata = serial_ata;
	bus->ops = ops;
	bus->controller = controller;
	memset(bus->drives, 0, sizeof(bus->drives));
}

void ide_bus_finish(struct ide_bus *bus)
{
	bus_finish(&bus->bus);
}

/* Devices */

static const struct property drive_properties[] = {
	{ "drive", PROPERTY_STRING, offsetof(struct ata_drive, drive_id), NULL,
		"id of the -drive or -blockdev that holds the contents" },
	{ "unit", PROPERTY_STRING, offsetof(struct ata_drive, unit_option), NULL,
		"which of the drives on the bus; the first that is free if not given" },
	{ "serial", PROPERTY_STRING, offsetof(struct ata_drive, serial), NULL,
		"serial number the guest sees, at most 20 bytes; a number like QM00001 if not "
		"given",
		.maximum = SERIAL_BYTES },
	{ "model", PROPERTY_STRING, offsetof(struct ata_drive, model), NULL,
		"model the guest sees, at most 40 bytes", .maximum = MODEL_BYTES },
	{ "ver", PROPERTY_STRING, offsetof(struct ata_drive, revision), NULL,
		"revision the guest sees, at most 8 bytes", .maximum = REVISION_BYTES },
	{ "wwn", PROPERTY_UINT64, offsetof(struct ata_drive, wwn), "0x0",
		"world wide name, 0: none" },
	{ "rotation_rate", PROPERTY_UINT16, offsetof(struct ata_drive, rotation_rate), "0",
		"revolutions per minute, 1: it does not turn, 0: not told" },
	{ .type = PROPERTY_END },
};

const char *ata_serial(const struct ata_drive *drive)
{
	return drive->serial ? drive->serial : drive->default_serial;
}

static const struct drive_ops hd_ops = { .is_cdrom = false };

static bool drive_realize_as(struct ata_drive *drive, bool is_cdrom, GError **error)
{
	if (!drive->drive_id && !is_cdrom)
		return fail(error, VITRINE_ERROR_INPUT,
			"drive=ID is missing: it names a -drive ...,if=none,id=ID or a -blockdev");
	drive->is_cdrom = is_cdrom;
	g_snprintf(drive->default_serial, sizeof(drive->default_serial), "QM%05u",
		drive->bus->first_serial + drive->unit);
	g_queue_init(&drive->commands);
	if (!disk_init(&drive->disk, drive->drive_id, &drive->device,
		    is_cdrom ? &scsi_cd_drive_ops : &hd_ops, &drive->lun, error))
		return false;
	drive->write_cache = true;
	drive->look_ahead = true;
	drive->smart = true;
	drive->smart_autosave = true;
	drive->dma_mode = ATA_TRANSFER_ULTRA + 5;
	drive->failed_tag = ATA_NO_TAG;
	return true;
}

static bool hd_realize(struct device *device, GError **error)
{
	struct ata_drive *drive = (struct ata_drive *)device;
	uint64_t cylinders;

	if (!drive_realize_as(drive, false, error))
		return false;
	if (!disk_has_medium(&drive->disk))
		return fail(error, VITRINE_ERROR_INPUT,
			"drive=%s has no medium, and a disk needs one; file= names it",
			drive->drive_id);
	if (disk_is_read_only(&drive->disk))
		return fail(error, VITRINE_ERROR_INPUT,
			"drive=%s is read-only, which an ATA disk cannot be; virtio-blk-pci and "
			"scsi-hd can",
			drive->drive_id);
	cylinders = ata_sectors(drive) / (HEADS * SECTORS);
	drive->cylinders = CLAMP(cylinders, 2, CYLINDERS_MAX);
	drive->heads = HEADS;
	drive->sectors = SECTORS;
	drive->realized = true;
	ata_reset(drive);
	return true;
}

static bool cd_realize(struct device *device, GError **error)
{
	struct ata_drive *drive = (struct ata_drive *)device;
	struct scsi_config config = {
		.kind = SCSI_CDROM,
		.atapi = true,
		.keeps_sense = true,
		.serial = drive->serial,
		.wwn = drive->wwn,
	};

	if (!drive_realize_as(drive, true, error))
		return false;
	scsi_lun_init(&drive->lun, &config, &drive->disk);
	drive->realized = true;
	ata_reset(drive);
	return true;
}

static void drive_reset(struct device *device)
{
	struct ata_drive *drive = (struct ata_drive *)device;

	ata_reset(drive);
	drive->write_cache = true;
	drive->look_ahead = true;
	drive->smart = true;
	drive->smart_autosave = true;
	drive->dma_mode = ATA_TRANSFER_ULTRA + 5;
	if (drive->is_cdrom)
		scsi_lun_reset(&drive->lun);
}

static void drive_unrealize(struct device *device)
{
	struct ata_drive *drive = (struct ata_drive *)device;

	if (drive->realized) {
		if (drive->bus->ops->unplugged)
			drive->bus->ops->unplugged(drive->bus, drive);
		ata_cancel_all(drive);
		if (drive->is_cdrom)
			scsi_lun_finish(&drive->lun);
		drive->realized = false;
	}
	disk_finish(&drive->disk);
}

static void drive_set_running(struct device *device, bool running)
{
	disk_set_running(&((struct ata_drive *)device)->disk, running);
}

static const struct state_field drive_state[] = {
	STATE_UINT8(struct ata_drive, current_heads),
	STATE_UINT8(struct ata_drive, current_sectors),
	STATE_UINT8(struct ata_drive, multiple),
	STATE_UINT8(struct ata_drive, dma_mode),
	STATE_BOOL(struct ata_drive, write_cache),
	STATE_BOOL(struct ata_drive, look_ahead),
	STATE_BOOL(struct ata_drive, smart),
	STATE_BOOL(struct ata_drive, smart_autosave),
	STATE_UINT8(struct ata_drive, power),
	STATE_UINT8(struct ata_drive, failed_tag),
	STATE_UINT8(struct ata_drive, lun.attention.key),
	STATE_UINT8(struct ata_drive, lun.attention.code),
	STATE_UINT8(struct ata_drive, lun.attention.qualifier),
	STATE_UINT8(struct ata_drive, lun.kept.key),
	STATE_UINT8(struct ata_drive, lun.kept.code),
	STATE_UINT8(struct ata_drive, lun.kept.qualifier),
	STATE_BOOL(struct ata_drive, lun.tray_open),
	STATE_BOOL(struct ata_drive, lun.locked),
	STATE_BOOL(struct ata_drive, lun.started),
	STATE_BOOL(struct ata_drive, lun.new_medium),
	STATE_BOOL(struct ata_drive, lun.eject_wanted),
	STATE_END,
};

#define DRIVE_CLASS(class_name, words, realize_function) \
	{ \
		.name = class_name, .description = words, .bus = BUS_IDE, .user_creatable = true, \
		.size = sizeof(struct ata_drive), .properties = drive_properties, \
		.state = drive_state, .realize = realize_function, .reset = drive_reset, \
		.unrealize = drive_unrealize, .set_running = drive_set_running, \
	}

const struct device_class ide_hd_class = DRIVE_CLASS("ide-hd", "ATA disk", hd_realize);
const struct device_class ide_cd_class = DRIVE_CLASS("ide-cd", "ATAPI CD-ROM", cd_realize);
