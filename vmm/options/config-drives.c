/* Disks: -drive, -hda and the like, -cdrom, -blockdev, and the devices that they stand for. */
#include "vmm/options/config-private.h"

#include <string.h>

#include "base/error.h"
#include "vmm/options/blockdev.h"

enum {
	PLACES_MAX = 256, /* buses or units that can be named */
};

/* How disks are put on an interface. */
struct interface {
	const char *name;
	const char *disk, *cdrom; /* classes; NULL: there is no such device */
	bool has_bus;             /* bus= and unit= of the device say where it is */
	bool after_devices; /* its controller is a -device, or it takes the places those leave, as in QEMU */
};

static const struct interface interfaces[] = {
	{ "virtio", "virtio-blk-pci", NULL, false, true },
	{ "ide", "ide-hd", "ide-cd", true, false },
	{ "scsi", "scsi-hd", "scsi-cd", false, true },
	{ "none", NULL, NULL, false, false },
};

static const struct {
	const char *name;
	bool no_cache, write_through, no_flush;
} caches[] = {
	{ "writeback", false, false, false },
	{ "none", true, false, false },
	{ "writethrough", false, true, false },
	{ "directsync", true, true, false },
	{ "unsafe", false, false, true },
};

static const struct {
	const char *name;
	enum drive_error_policy policy;
} policies[] = {
	{ "report", DRIVE_ERROR_REPORT },
	{ "ignore", DRIVE_ERROR_IGNORE },
	{ "stop", DRIVE_ERROR_STOP },
	{ "enospc", DRIVE_ERROR_ENOSPC },
};

/* -hda FILE is -drive file=FILE,index=0,media=disk. */
static const struct {
	const char *group, *index, *media;
} shorthands[] = {
	{ "hda", "0", "disk" },
	{ "hdb", "1", "disk" },
	{ "hdc", "2", "disk" },
	{ "hdd", "3", "disk" },
	{ "cdrom", "2", "cdrom" },
};

static struct drive_config *find_drive(const struct config_builder *builder, const char *id)
{
	for (guint i = 0; i < builder->config->drives->len; i++) {
		struct drive_config *drive =
			&g_array_index(builder->config->drives, struct drive_config, i);

		if (strcmp(drive->id, id) == 0)
			return drive;
	}
	return NULL;
}

static const struct interface *find_interface(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(interfaces); i++)
		if (strcmp(interfaces[i].name, name) == 0)
			return &interfaces[i];
	return NULL;
}

static enum drive_error_policy policy_by_name(const char *name, enum drive_error_policy otherwise)
{
	for (size_t i = 0; name && i < G_N_ELEMENTS(policies); i++)
		if (strcmp(policies[i].name, name) == 0)
			return policies[i].policy;
	return otherwise;
}

/* The machine type's, or virtio where this program has no such disk. */
static const struct interface *default_interface(const struct config_builder *builder)
{
	const char *name = builder->config->machine.type->drive_interface;
	const struct interface *interface = find_interface(name ? name : "virtio");

	return interface && interface->disk && device_class_find(interface->disk) ? interface : find_interface("virtio");
}

static guint units_per_bus(const struct config_builder *builder, const struct interface *interface)
{
	guint units = builder->config->machine.type->ide_units;

	return interface->has_bus ? MAX(units, 1) : PLACES_MAX;
}

static struct drive_config *find_place(const struct config_builder *builder,
	const struct interface *interface, guint bus, guint unit)
{
	for (guint i = 0; i < builder->config->drives->len; i++) {
		struct drive_config *drive =
			&g_array_index(builder->config->drives, struct drive_config, i);

		if (!drive->is_node && strcmp(drive->interface, interface->name) == 0 &&
			drive->bus == bus && drive->unit == unit)
			return drive;
	}
	return NULL;
}

/* index=, or bus= and unit=, or the first place that is free. */
static bool choose_place(const struct config_builder *builder, const struct option_set *set,
	const struct interface *interface, struct drive_config *drive, GError **error)
{
	guint units = units_per_bus(builder, interface);
	bool has_index = option_set_get(set, "index");
	bool has_unit = option_set_get(set, "unit");
	const struct drive_config *other;

	if (has_index && (has_unit || option_set_get(set, "bus")))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: index= says all that bus= and unit= say; give one or the other",
			set->origin);
	drive->bus = option_set_number(set, "bus", 0);
	drive->unit = option_set_number(set, "unit", 0);
	if (has_index) {
		drive->bus = option_set_number(set, "index", 0) / units;
		drive->unit = option_set_number(set, "index", 0) % units;
	}
	if (drive->unit >= units)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: unit=%u is not accepted; accepted: up to %u, there are %u on a bus",
			set->origin, drive->unit, units - 1, units);
	while (!has_index && !has_unit && drive->bus < PLACES_MAX &&
		find_place(builder, interface, drive->bus, drive->unit)) {
		drive->unit = (drive->unit + 1) % units;
		drive->bus += drive->unit == 0;
	}
	other = find_place(builder, interface, drive->bus, drive->unit);
	return !other || fail(error, VITRINE_ERROR_INPUT,
				 "%s: drive %s is at this place already (bus %u, unit %u)",
				 set->origin, other->id, drive->bus, drive->unit);
}

/* The names that QEMU makes up: ide0-hd0, ide1-cd0, virtio0, none0. */
static char *make_id(const struct interface *interface, const struct drive_config *drive)
{
	const char *kind = drive->is_cdrom ? "-cd" : interface->has_bus ? "-hd" : "";

	if (interface->has_bus)
		return g_strdup_printf("%s%u%s%u", interface->name, drive->bus, kind, drive->unit);
	return g_strdup_printf("%s%s%u", interface->name, kind, drive->unit);
}

static void set_cache(struct drive_config *drive, const char *name)
{
	for (size_t i = 0; name && i < G_N_ELEMENTS(caches); i++) {
		if (strcmp(caches[i].name, name) == 0) {
			drive->no_cache = caches[i].no_cache;
			drive->write_through = caches[i].write_through;
			drive->no_flush = caches[i].no_flush;
		}
	}
}

static bool check_drive(const struct option_set *set, const struct interface *interface,
	const struct drive_config *drive, GError **error)
{
	if (!drive->file && !drive->is_cdrom)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: file=... is missing; only a CD-ROM drive (media=cdrom) may be empty",
			set->origin);
	if (drive->is_cdrom && interface->disk && !interface->cdrom)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: there is no CD-ROM drive with if=%s; if=ide or if=scsi has one",
			set->origin, interface->name);
	if (drive->is_cdrom && option_set_get(set, "readonly") && !drive->read_only)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: readonly=off is not possible with media=cdrom", set->origin);
	return true;
}

static bool add_drive(struct config_builder *builder, const struct option_set *set,
	const struct interface *interface, GError **error)
{
	const char *discard = option_set_get(set, "discard");
	const char *zeroes = option_set_get(set, "detect-zeroes");
	struct drive_config drive = {
		.file = config_keep(builder, option_set_get(set, "file")),
		.format = config_keep(builder, option_set_get(set, "format")),
		.interface = interface->name,
		.is_cdrom = g_strcmp0(option_set_get(set, "media"), "cdrom") == 0,
		.snapshot = option_set_bool(
			set, "snapshot", options_find(builder->options, "snapshot")),
		.discard = discard && (strcmp(discard, "unmap") == 0 || strcmp(discard, "on") == 0),
		.detect_zeroes =
			zeroes && strcmp(zeroes, "off") != 0 ? config_keep(builder, zeroes) : NULL,
		.on_read_error = policy_by_name(option_set_get(set, "rerror"), DRIVE_ERROR_REPORT),
		.on_write_error = policy_by_name(option_set_get(set, "werror"), DRIVE_ERROR_ENOSPC),
	};
	g_autofree char *made_up = NULL;

	drive.read_only = option_set_bool(set, "readonly", drive.is_cdrom);
	drive.snapshot = drive.snapshot && !drive.read_only;
	set_cache(&drive, option_set_get(set, "cache"));
	if (!check_drive(set, interface, &drive, error) ||
		!choose_place(builder, set, interface, &drive, error))
		return false;
	made_up = make_id(interface, &drive);
	drive.id = config_keep(builder, set->id ? set->id : made_up);
	if (find_drive(builder, drive.id))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: the name %s is taken by another drive; give it an id=", set->origin,
			drive.id);
	g_array_append_val(builder->config->drives, drive);
	return true;
}

/* The device that a drive with an interface stands for. */
static bool add_disk(struct config_builder *builder, const struct interface *interface,
	const struct drive_config *drive, GError **error)
{
	const char *class = drive->is_cdrom ? interface->cdrom : interface->disk;
	g_autofree char *origin = g_strdup_printf("-drive %s", drive->id);
	struct option_set *set;
	bool good;

	if (!device_class_find(class))
		return fail(error, VITRINE_ERROR_INPUT, "%s: if=%s is not possible: there is no %s",
			origin, interface->name, class);
	set = option_set_new(option_spec_find("device"), NULL, origin);
	option_set_add(set, "driver", class);
	option_set_add(set, "drive", drive->id);
	if (interface->has_bus) {
		g_autofree char *bus = g_strdup_printf("%s.%u", interface->name, drive->bus);
		g_autofree char *unit = g_strdup_printf("%u", drive->unit);

		option_set_add(set, "bus", bus);
		option_set_add(set, "unit", unit);
	}
	good = config_add_device(builder, set, error);
	option_set_free(set);
	return good;
}

static bool build_drive(
	struct config_builder *builder, const struct option_set *set, GError **error)
{
	const char *name = option_set_get(set, "if");
	const struct interface *interface =
		name ? find_interface(name) : default_interface(builder);

	/* Flash chips are not among the drives: config-firmware.c. */
	if (!interface)
		return true;
	return add_drive(builder, set, interface, error);
}

static bool build_shorthand(
	struct config_builder *builder, const struct option_set *given, GError **error)
{
	struct option_set *set = NULL;
	bool good = true;

	for (size_t i = 0; i < G_N_ELEMENTS(shorthands); i++) {
		if (strcmp(given->spec->group, shorthands[i].group) != 0)
			continue;
		set = option_set_new(option_spec_find("drive"), NULL, given->origin);
		option_set_add(set, "file", option_set_get(given, "file"));
		option_set_add(set, "index", shorthands[i].index);
		option_set_add(set, "media", shorthands[i].media);
		good = build_drive(builder, set, error);
		option_set_free(set);
	}
	return good;
}

bool config_add_blockdev(
	struct config_builder *builder, const struct option_set *set, GError **error)
{
	struct blockdev *blockdev = blockdev_new(set, error);
	struct drive_config *child;
	struct drive_config drive;
	bool good;

	if (!blockdev)
		return false;
	child = blockdev->child ? find_drive(builder, blockdev->child) : NULL;
	drive = (struct drive_config) {
		.id = config_keep(builder, blockdev->name),
		.file = config_keep(builder, blockdev->path),
		.format = config_keep(builder, blockdev->format),
		.child = config_keep(builder, blockdev->child),
		.detect_zeroes = config_keep(builder, blockdev->detect_zeroes),
		.interface = "none",
		.is_node = true,
		.read_only = blockdev->read_only,
		.discard = blockdev->discard,
		.no_cache = blockdev->no_cache,
		.no_flush = blockdev->no_flush,
		.on_read_error = DRIVE_ERROR_REPORT,
		.on_write_error = DRIVE_ERROR_ENOSPC,
	};
	good = find_drive(builder, drive.id)
		       ? fail(error, VITRINE_ERROR_INPUT,
				 "%s: node-name=%s: the name is taken by another drive",
				 set->origin, drive.id)
	       : drive.child && (!child || !child->is_node || child->format)
		       ? fail(error, VITRINE_ERROR_INPUT,
				 "%s: file=%s: there is no such -blockdev with driver=file, "
				 "host_device or nbd before it",
				 set->origin, drive.child)
	       : drive.child && child->is_used ? fail(error, VITRINE_ERROR_INPUT,
							 "%s: file=%s is used by another -blockdev",
							 set->origin, drive.child)
					       : true;
	blockdev_free(blockdev);
	if (child)
		child->is_used = true;
	if (good)
		g_array_append_val(builder->config->drives, drive);
	return good;
}

bool config_build_drives(struct config_builder *builder, GError **error)
{
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);

		if (strcmp(set->spec->group, "drive") == 0 && !build_drive(builder, set, error))
			return false;
		if (strcmp(set->spec->group, "blockdev") == 0 &&
			!config_add_blockdev(builder, set, error))
			return false;
		if (!build_shorthand(builder, set, error))
			return false;
	}
	return true;
}

bool config_build_disks(struct config_builder *builder, bool after_devices, GError **error)
{
	/* By index: adding a device looks at the drives. */
	for (guint i = 0; i < builder->config->drives->len; i++) {
		struct drive_config drive =
			g_array_index(builder->config->drives, struct drive_config, i);
		const struct interface *interface = find_interface(drive.interface);

		if (!drive.is_node && interface->disk &&
			interface->after_devices == after_devices &&
			!add_disk(builder, interface, &drive, error))
			return false;
	}
	return true;
}

bool config_use_drive(
	struct config_builder *builder, const char *id, const char *user, GError **error)
{
	const char *other = g_hash_table_lookup(builder->drive_users, id);
	const struct drive_config *drive = find_drive(builder, id);
	g_autofree char *owner = g_strdup_printf("-drive %s", id);

	/* A drive with an interface belongs to the device it stands for, whichever is made first. */
	if (drive && !other && !drive->is_node && find_interface(drive->interface)->disk &&
		strcmp(user, owner) != 0)
		other = owner;
	if (!drive)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: there is no drive '%s'; make one with -drive file=FILE,if=none,id=%s",
			user, id, id);
	if (other)
		return fail(error, VITRINE_ERROR_INPUT, "%s: drive '%s' is taken by %s%s%s", user,
			id, strcmp(other, user) == 0 ? "another " : "", other,
			g_str_has_prefix(other, "-drive") ? " (with if=none it would be free)"
							  : "");
	if (drive->is_used)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: drive '%s' is the file of another -blockdev", user, id);
	g_hash_table_insert(builder->drive_users, (char *)config_keep(builder, id),
		(char *)config_keep(builder, user));
	return true;
}

bool config_use_flash(struct config_builder *builder, const char *id, const char *user,
	struct machine_flash *flash, GError **error)
{
	struct drive_config *drive, *bytes;

	if (!config_use_drive(builder, id, user, error))
		return false;
	drive = find_drive(builder, id);
	/* What has a colon and is no path is another protocol's URI. */
	bytes = drive->child ? find_drive(builder, drive->child) : drive;
	if (!drive->is_node || !bytes || !bytes->file ||
		(strchr(bytes->file, ':') && !strchr("./", bytes->file[0])) ||
		(drive->format && strcmp(drive->format, "raw") != 0))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: a flash chip takes a -blockdev with driver=raw over driver=file, or "
			"the latter alone",
			user);
	drive->is_flash = bytes->is_flash = true;
	*flash = (struct machine_flash) { .file = bytes->file, .read_only = drive->read_only };
	return true;
}
