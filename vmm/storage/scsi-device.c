/* scsi-hd and scsi-cd: logical units on a SCSI bus. Specification: SAM-5 section 4.7 (targets and logical units). */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/storage/scsi-bus.h"

enum {
	CHANNELS_MAX = 0,
	TARGETS_MAX = 256,
	LUNS_MAX = 16384,

	/* of what INQUIRY tells */
	VENDOR_BYTES = 8,
	PRODUCT_BYTES = 16,
	REVISION_BYTES = 4,
};

/* Bus */

struct scsi_device *scsi_bus_device(struct scsi_bus *bus, unsigned target, unsigned lun)
{
	for (guint i = 0; i < bus->bus.children->len; i++) {
		struct scsi_device *device = bus->bus.children->pdata[i];

		if (device->target == target && device->unit == lun && device->has_lun)
			return device;
	}
	return NULL;
}

static int compare_luns(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

unsigned scsi_bus_list(struct scsi_bus *bus, unsigned target, uint16_t *luns, unsigned max)
{
	bool has_zero = false;
	unsigned count = 0;

	for (guint i = 0; i < bus->bus.children->len && count < max; i++) {
		const struct scsi_device *device = bus->bus.children->pdata[i];

		if (device->target != target || !device->has_lun)
			continue;
		luns[count++] = device->unit;
		has_zero = has_zero || device->unit == 0;
	}
	if (count > 0 && count < max && !has_zero)
		luns[count++] = 0;
	qsort(luns, count, sizeof(luns[0]), compare_luns);
	return count;
}

static bool is_taken(const struct scsi_bus *bus, unsigned target, unsigned lun)
{
	for (guint i = 0; i < bus->bus.children->len; i++) {
		const struct scsi_device *device = bus->bus.children->pdata[i];

		if (device->target == target && device->unit == lun)
			return true;
	}
	return false;
}

static bool find_target(struct scsi_bus *bus, struct scsi_device *device, GError **error)
{
	guint64 target;

	if (!device->target_option) {
		for (unsigned i = 0; i < bus->limits.targets; i++) {
			if (is_taken(bus, i, device->lun_option))
				continue;
			device->target = i;
			return true;
		}
		return fail(error, VITRINE_ERROR_INPUT, "bus %s has no free scsi-id left",
			bus->bus.name);
	}
	if (!g_ascii_string_to_unsigned(
		    device->target_option, 10, 0, bus->limits.targets - 1, &target, NULL))
		return fail(error, VITRINE_ERROR_INPUT,
			"scsi-id=%s is no id on bus %s; 0 to %u are", device->target_option,
			bus->bus.name, bus->limits.targets - 1);
	device->target = target;
	return true;
}

static bool attach(struct bus *opaque, struct device *base, GError **error)
{
	struct scsi_bus *bus = (struct scsi_bus *)opaque;
	struct scsi_device *device = (struct scsi_device *)base;

	if (device->lun_option >= bus->limits.luns)
		return fail(error, VITRINE_ERROR_INPUT,
			"lun=%u is no logical unit on bus %s; 0 to %u are", device->lun_option,
			bus->bus.name, bus->limits.luns - 1);
	device->unit = device->lun_option;
	if (!find_target(bus, device, error))
		return false;
	if (is_taken(bus, device->target, device->unit))
		return fail(error, VITRINE_ERROR_INPUT,
			"scsi-id=%u,lun=%u on bus %s is taken; choose another", device->target,
			device->unit, bus->bus.name);
	device->bus = bus;
	return true;
}

static void detach(struct bus *bus, struct device *device)
{
}

static void plugged(struct bus *opaque, struct device *device)
{
	struct scsi_bus *bus = (struct scsi_bus *)opaque;

	if (bus->ops->plugged)
		bus->ops->plugged(bus, (struct scsi_device *)device);
}

static char *place(struct bus *bus, const struct device *base)
{
	const struct scsi_device *device = (const struct scsi_device *)base;

	return g_strdup_printf("scsi-id %u, lun %u", device->target, device->unit);
}

static char *firmware_path(struct bus *bus, const struct device *base)
{
	const struct scsi_device *device = (const struct scsi_device *)base;

	return g_strdup_printf("channel@0/disk@%x,%x", device->target, device->unit);
}

static const struct bus_ops bus_ops = {
	.firmware_path = firmware_path,
	.attach = attach,
	.detach = detach,
	.plugged = plugged,
	.place = place,
};

void scsi_bus_init(struct scsi_bus *bus, const char *name, struct device *adapter,
	const struct scsi_bus_limits *limits, const struct scsi_bus_ops *ops)
{
	bus_init(&bus->bus, BUS_SCSI, name, adapter->machine, adapter, &bus_ops);
	bus->limits = *limits;
	bus->ops = ops;
	bus->adapter = adapter;
}

void scsi_bus_finish(struct scsi_bus *bus)
{
	bus_finish(&bus->bus);
}

/* Devices */

#define COMMON_PROPERTIES \
	{ "drive", PROPERTY_STRING, offsetof(struct scsi_device, drive_id), NULL, \
		"id of the -drive or -blockdev that holds the contents" }, \
		{ "scsi-id", PROPERTY_STRING, offsetof(struct scsi_device, target_option), NULL, \
			"number of the target; the first that is free if not given" }, \
		{ "lun", PROPERTY_UINT32, offsetof(struct scsi_device, lun_option), "0", \
			"number of the logical unit", .maximum = LUNS_MAX - 1 }, \
		{ "channel", PROPERTY_UINT32, offsetof(struct scsi_device, channel), "0", \
			"number of the channel: there is one", .maximum = CHANNELS_MAX + 1 }, \
		{ "serial", PROPERTY_STRING, offsetof(struct scsi_device, serial), NULL, \
			"serial number the guest sees, at most 36 bytes", \
			.maximum = SCSI_SERIAL_BYTES }, \
		{ "device_id", PROPERTY_STRING, offsetof(struct scsi_device, device_id), NULL, \
			"identification the guest sees; the serial number or the drive's id if " \
			"not given" }, \
		{ "vendor", PROPERTY_STRING, offsetof(struct scsi_device, vendor), NULL, \
			"name of the vendor, at most 8 bytes", .maximum = VENDOR_BYTES }, \
		{ "product", PROPERTY_STRING, offsetof(struct scsi_device, product), NULL, \
			"name of the product, at most 16 bytes", .maximum = PRODUCT_BYTES }, \
		{ "ver", PROPERTY_STRING, offsetof(struct scsi_device, revision), NULL, \
			"revision of the product, at most 4 bytes", .maximum = REVISION_BYTES }, \
	{ \
		"wwn", PROPERTY_UINT64, offsetof(struct scsi_device, wwn), "0x0", \
			"world wide name, 0: none" \
	}

static const struct property hd_properties[] = {
	COMMON_PROPERTIES,
	{ "removable", PROPERTY_BOOL, offsetof(struct scsi_device, removable), "off",
		"the guest takes it for a medium that can be removed" },
	{ "rotation_rate", PROPERTY_UINT16, offsetof(struct scsi_device, rotation_rate), "0",
		"revolutions per minute, 1: it does not turn, 0: not told" },
	{ .type = PROPERTY_END },
};

static const struct property cd_properties[] = {
	COMMON_PROPERTIES,
	{ .type = PROPERTY_END },
};

static struct scsi_lun *lun_of(struct device *device)
{
	return &((struct scsi_device *)device)->lun;
}

static void attention(struct scsi_lun *lun, void *owner, struct scsi_sense sense)
{
	struct scsi_device *device = owner;

	if (device->bus->ops->attention)
		device->bus->ops->attention(device->bus, device, sense);
}

static unsigned list(void *owner, uint16_t *luns, unsigned max)
{
	struct scsi_device *device = owner;

	return scsi_bus_list(device->bus, device->target, luns, max);
}

static bool check_options(const struct scsi_device *device, enum scsi_kind kind, GError **error)
{
	if (!device->drive_id && kind != SCSI_CDROM)
		return fail(error, VITRINE_ERROR_INPUT,
			"drive=ID is missing: it names a -drive ...,if=none,id=ID or a -blockdev");
	if (device->channel > CHANNELS_MAX)
		return fail(error, VITRINE_ERROR_INPUT, "channel=%u: bus %s has the channel 0 only",
			device->channel, device->bus->bus.name);
	return true;
}

static bool device_realize_as(struct device *base, enum scsi_kind kind, GError **error)
{
	struct scsi_device *device = (struct scsi_device *)base;
	struct scsi_config config = {
		.kind = kind,
		.vendor = device->vendor,
		.product = device->product,
		.revision = device->revision,
		.serial = device->serial,
		.device_id = device->device_id,
		.wwn = device->wwn,
		.removable = device->removable,
		.rotation_rate = device->rotation_rate,
		.attention = attention,
		.list = list,
		.owner = device,
	};

	if (!check_options(device, kind, error) ||
		!disk_init(&device->disk, device->drive_id, base,
			kind == SCSI_CDROM ? &scsi_cd_drive_ops : &scsi_disk_drive_ops,
			&device->lun, error))
		return false;
	if (kind == SCSI_DISK && !disk_has_medium(&device->disk))
		return fail(error, VITRINE_ERROR_INPUT,
			"drive=%s has no medium, and a disk needs one; file= names it",
			device->drive_id);
	scsi_lun_init(&device->lun, &config, &device->disk);
	device->has_lun = true;
	return true;
}

static bool hd_realize(struct device *device, GError **error)
{
	return device_realize_as(device, SCSI_DISK, error);
}

static bool cd_realize(struct device *device, GError **error)
{
	return device_realize_as(device, SCSI_CDROM, error);
}

static bool refuse(struct device *device, GError **error)
{
	return fail(error, VITRINE_ERROR_INPUT,
		"a SCSI device of the host cannot be handed to the guest; scsi-hd and scsi-cd give "
		"it a drive");
}

static void scsi_device_reset(struct device *device)
{
	scsi_lun_reset(lun_of(device));
}

static void scsi_device_unrealize(struct device *base)
{
	struct scsi_device *device = (struct scsi_device *)base;

	if (device->has_lun) {
		if (device->bus->ops->unplugged)
			device->bus->ops->unplugged(device->bus, device);
		scsi_lun_finish(&device->lun);
		device->has_lun = false;
	}
	disk_finish(&device->disk);
}

static void scsi_device_set_running(struct device *device, bool running)
{
	disk_set_running(&((struct scsi_device *)device)->disk, running);
}

static const struct state_field scsi_device_state[] = {
	STATE_UINT8(struct scsi_device, lun.attention.key),
	STATE_UINT8(struct scsi_device, lun.attention.code),
	STATE_UINT8(struct scsi_device, lun.attention.qualifier),
	STATE_BOOL(struct scsi_device, lun.tray_open),
	STATE_BOOL(struct scsi_device, lun.locked),
	STATE_BOOL(struct scsi_device, lun.started),
	STATE_BOOL(struct scsi_device, lun.new_medium),
	STATE_BOOL(struct scsi_device, lun.eject_wanted),
	STATE_BOOL(struct scsi_device, lun.write_cache),
	STATE_BOOL(struct scsi_device, lun.descriptor_sense),
	STATE_END,
};

const struct device_class scsi_hd_class = {
	.name = "scsi-hd",
	.description = "SCSI disk",
	.bus = BUS_SCSI,
	.user_creatable = true,
	.size = sizeof(struct scsi_device),
	.properties = hd_properties,
	.state = scsi_device_state,
	.realize = hd_realize,
	.reset = scsi_device_reset,
	.unrealize = scsi_device_unrealize,
	.set_running = scsi_device_set_running,
};

const struct device_class scsi_cd_class = {
	.name = "scsi-cd",
	.description = "SCSI CD-ROM",
	.bus = BUS_SCSI,
	.user_creatable = true,
	.size = sizeof(struct scsi_device),
	.properties = cd_properties,
	.state = scsi_device_state,
	.realize = cd_realize,
	.reset = scsi_device_reset,
	.unrealize = scsi_device_unrealize,
	.set_running = scsi_device_set_running,
};

/* Known, so that they are refused with a word about what to use instead. */

const struct device_class scsi_block_class = {
	.name = "scsi-block",
	.description = "SCSI device of the host (not offered)",
	.bus = BUS_SCSI,
	.user_creatable = true,
	.size = sizeof(struct scsi_device),
	.properties = cd_properties,
	.realize = refuse,
};

const struct device_class scsi_generic_class = {
	.name = "scsi-generic",
	.description = "SCSI device of the host (not offered)",
	.bus = BUS_SCSI,
	.user_creatable = true,
	.size = sizeof(struct scsi_device),
	.properties = cd_properties,
	.realize = refuse,
};
