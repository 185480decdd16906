/* Devices: -device, and what a machine has by default. */
#include "vmm/options/config-private.h"

#include <string.h>

#include "base/error.h"
#include "vmm/options/values.h"

enum {
	PCI_BASE_CLASS_DISPLAY = 0x03
};

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
		return config_use_drive(builder, value->text, device->origin, error);
	if (property->type == PROPERTY_STRING && strcmp(value->key, "chardev") == 0)
		return config_use_chardev(builder, value->text, device->origin, error);
	if (property->type == PROPERTY_STRING && strcmp(value->key, "netdev") == 0)
		return config_use_netdev(builder, value->text, device->origin, error);
	if (property->type == PROPERTY_STRING && strcmp(value->key, "audiodev") == 0)
		return config_use_audiodev(builder, value->text, device->origin, error);
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

static bool is_display(const struct device_class *class)
{
	return class->pci && class->pci->class_code >> 16 == PCI_BASE_CLASS_DISPLAY;
}

/* What -vga calls a device; others are the machine type's own display. */
static const char *display_named(const struct machine_type *type, const char *vga)
{
	static const struct {
		const char *vga, *device;
	} names[] = {
		{ "qxl", "qxl-vga" },
		{ "virtio", "virtio-vga" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_strcmp0(vga, names[i].vga) == 0)
			return names[i].device;
	return type->default_display;
}

/* The machine type's display, when no display was asked for. */
static bool add_default_display(struct config_builder *builder, GError **error)
{
	const struct machine_type *type = builder->config->machine.type;
	struct device_config device = { .origin = "default display" };

	const char *vga = option_set_get(options_find(builder->options, "vga"), "type");

	if (!type->default_display || g_strcmp0(vga, "none") == 0 ||
		(!vga && options_find(builder->options, "nodefaults")))
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
	device.class = device_class_find(display_named(type, vga));
	if (!device.class)
		return fail(error, VITRINE_ERROR_INPUT,
			"machine type %s: there is no device '%s' to be its display", type->name,
			type->default_display);
	g_array_append_val(builder->config->devices, device);
	return true;
}

bool config_build_devices(struct config_builder *builder, GError **error)
{
	if (!add_default_display(builder, error) || !config_build_cards(builder, error) ||
		!config_build_drives(builder, error) || !config_build_flash(builder, error) ||
		!config_build_disks(builder, false, error))
		return false;
	if (!config_build_usb_controller(builder, error))
		return false;
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);

		if (strcmp(set->spec->group, "device") == 0 &&
			!config_add_device(builder, set, error))
			return false;
	}
	return config_build_usb_devices(builder, error) && config_build_disks(builder, true, error);
}
