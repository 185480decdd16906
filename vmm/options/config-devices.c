/* Disks and devices: -drive, -device, and what a machine has by default. */
#include "vmm/options/config-private.h"

#include <string.h>

#include "base/error.h"
#include "vmm/options/values.h"

enum {
	PCI_BASE_CLASS_DISPLAY = 0x03
};

#define DISK_CLASS "virtio-blk-pci"

static const char *const cache_names[] = {
	[DRIVE_CACHE_WRITEBACK] = "writeback",
	[DRIVE_CACHE_NONE] = "none",
	[DRIVE_CACHE_UNSAFE] = "unsafe",
};

static const struct drive_config *find_drive(const struct config_builder *builder, const char *id)
{
	for (guint i = 0; i < builder->config->drives->len; i++) {
		const struct drive_config *drive =
			&g_array_index(builder->config->drives, struct drive_config, i);

		if (strcmp(drive->id, id) == 0)
			return drive;
	}
	return NULL;
}

static enum drive_cache drive_cache_by_name(const char *name)
{
	for (size_t i = 0; name && i < G_N_ELEMENTS(cache_names); i++) {
		if (strcmp(cache_names[i], name) == 0)
			return (enum drive_cache)i;
	}
	return DRIVE_CACHE_WRITEBACK;
}

/* A drive that was given no id is called driveN, N being its number among the drives. */
static bool add_drive(struct config_builder *builder, const struct option_set *set, GError **error)
{
	const char *discard = option_set_get(set, "discard");
	g_autofree char *made_up = g_strdup_printf("drive%u", builder->config->drives->len);
	struct drive_config drive = {
		.id = config_keep(builder, set->id ? set->id : made_up),
		.file = config_keep(builder, option_set_get(set, "file")),
		.read_only = option_set_bool(set, "readonly", false),
		.discard = discard && (strcmp(discard, "unmap") == 0 || strcmp(discard, "on") == 0),
		.cache = drive_cache_by_name(option_set_get(set, "cache")),
	};

	if (find_drive(builder, drive.id))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: file=%s: the name %s is taken by another drive; give it an id=",
			set->origin, drive.file, drive.id);
	g_array_append_val(builder->config->drives, drive);
	return true;
}

static bool use_drive(
	struct config_builder *builder, const char *id, const char *user, GError **error)
{
	const char *other = g_hash_table_lookup(builder->drive_users, id);

	if (!find_drive(builder, id))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: there is no drive '%s'; make one with -drive file=FILE,if=none,id=%s",
			user, id, id);
	if (other)
		return fail(error, VITRINE_ERROR_INPUT, "%s: drive '%s' is taken by %s%s", user, id,
			other,
			g_str_has_prefix(other, "-drive") ? " (with if=none it would be free)"
							  : "");
	g_hash_table_insert(builder->drive_users, (char *)config_keep(builder, id),
		(char *)config_keep(builder, user));
	return true;
}

static bool no_such_device(const struct option_set *set, const char *driver, GError **error)
{
	const char *nearest = NULL;
	unsigned least = (unsigned)strlen(driver) / 3 + 2;

	for (const struct device_class *const *class = device_classes(); *class; class ++) {
		unsigned distance = value_distance(driver, (*class)->name);

		if ((*class)->user_creatable && distance < least) {
			least = distance;
			nearest = (*class)->name;
		}
	}
	if (nearest)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: there is no device '%s'; did you mean %s? \"-device help\" lists all",
			set->origin, driver, nearest);
	return fail(error, VITRINE_ERROR_INPUT,
		"%s: there is no device '%s'; \"-device help\" lists all", set->origin, driver);
}

static bool check_property(struct config_builder *builder, const struct device_config *device,
	const struct option_value *value, GError **error)
{
	const struct property *property = device_class_property(device->class, value->key);

	if (!property)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: %s has no property '%s'; \"-device %s,help\" lists all",
			device->origin, device->class->name, value->key, device->class->name);
	if (!property_check(property, value->text, error)) {
		g_prefix_error(error, "%s: %s: ", device->origin, device->class->name);
		return false;
	}
	if (property->type == PROPERTY_STRING && strcmp(value->key, "drive") == 0)
		return use_drive(builder, value->text, device->origin, error);
	if (property->type == PROPERTY_STRING && strcmp(value->key, "chardev") == 0)
		return config_use_chardev(builder, value->text, device->origin, error);
	if (property->type == PROPERTY_STRING && strcmp(value->key, "netdev") == 0)
		return config_use_netdev(builder, value->text, device->origin, error);
	return true;
}

/* The properties are every key but driver=. */
bool config_add_device(struct config_builder *builder, const struct option_set *set, GError **error)
{
	const char *driver = option_set_get(set, "driver");
	struct machine_property *properties = g_new0(struct machine_property, set->count);
	struct device_config device = {
		.class = device_class_find(driver),
		.id = config_keep(builder, set->id),
		.properties = properties,
		.origin = config_keep(builder, set->origin),
	};

	if (!device.class || !device.class->user_creatable) {
		g_free(properties);
		return device.class ? fail(error, VITRINE_ERROR_INPUT,
					      "%s: %s is part of the machine and cannot be added",
					      set->origin, driver)
				    : no_such_device(set, driver, error);
	}
	for (guint i = 0; i < set->count; i++) {
		if (strcmp(set->values[i].key, "driver") == 0)
			continue;
		if (!check_property(builder, &device, &set->values[i], error)) {
			g_free(properties);
			return false;
		}
		properties[device.property_count++] = (struct machine_property) {
			.name = (char *)config_keep(builder, set->values[i].key),
			.value = (char *)config_keep(builder, set->values[i].text),
		};
	}
	g_array_append_val(builder->config->devices, device);
	return true;
}

/* -drive if=virtio, which is what a -drive that does not say otherwise means. */
static bool add_disk(struct config_builder *builder, const char *drive, GError **error)
{
	g_autofree char *origin = g_strdup_printf("-drive %s", drive);
	struct option_set *set = option_set_new(option_spec_find("device"), NULL, origin);
	bool good;

	option_set_add(set, "driver", DISK_CLASS);
	option_set_add(set, "drive", drive);
	good = config_add_device(builder, set, error);
	option_set_free(set);
	return good;
}

static bool is_display(const struct device_class *class)
{
	return class->pci && class->pci->class_code >> 16 == PCI_BASE_CLASS_DISPLAY;
}

/* The machine type's display, when no display was asked for. */
static bool add_default_display(struct config_builder *builder, GError **error)
{
	const struct machine_type *type = builder->config->machine.type;
	struct device_config device = { .origin = "default display" };

	if (!type->default_display || options_find(builder->options, "nodefaults"))
		return true;
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);
		const struct device_class *class =
			strcmp(set->spec->group, "device") == 0
				? device_class_find(option_set_get(set, "driver"))
				: NULL;

		if (class && is_display(class))
			return true;
	}
	device.class = device_class_find(type->default_display);
	if (!device.class)
		return fail(error, VITRINE_ERROR_INPUT,
			"machine type %s: there is no device '%s' to be its display", type->name,
			type->default_display);
	g_array_append_val(builder->config->devices, device);
	return true;
}

static bool build_drives(struct config_builder *builder, GError **error)
{
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);
		const struct drive_config *drive;

		if (strcmp(set->spec->group, "drive") != 0 ||
			g_strcmp0(option_set_get(set, "if"), "pflash") == 0)
			continue;
		if (!add_drive(builder, set, error))
			return false;
		drive = &g_array_index(builder->config->drives, struct drive_config,
			builder->config->drives->len - 1);
		if (g_strcmp0(option_set_get(set, "if"), "none") != 0 &&
			!add_disk(builder, drive->id, error))
			return false;
	}
	return true;
}

bool config_build_devices(struct config_builder *builder, GError **error)
{
	if (!add_default_display(builder, error) || !build_drives(builder, error))
		return false;
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);

		if (strcmp(set->spec->group, "device") == 0 &&
			!config_add_device(builder, set, error))
			return false;
	}
	return true;
}
