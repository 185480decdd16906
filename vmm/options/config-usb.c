/* -usb, -machine usb=on and -usbdevice: a controller, and what hangs on it. */
#include "vmm/options/config-private.h"

#include <string.h>

#include "base/error.h"

/* All that make -usbdevice content. */
static const char *const controllers[] = { "qemu-xhci", "nec-usb-xhci", "piix3-usb-uhci",
	"piix4-usb-uhci", NULL };

static const struct {
	const char *word, *driver;
} kinds[] = {
	{ "tablet", "usb-tablet" },
	{ "mouse", "usb-mouse" },
	{ "keyboard", "usb-kbd" },
};

static bool add(
	struct config_builder *builder, const char *driver, const char *origin, GError **error)
{
	struct device_config device = {
		.class = device_class_find(driver),
		.origin = config_keep(builder, origin),
	};

	if (!device.class)
		return fail(
			error, VITRINE_ERROR_INPUT, "%s: there is no device '%s'", origin, driver);
	g_array_append_val(builder->config->devices, device);
	return true;
}

static bool has_controller(const struct options *options)
{
	for (guint i = 0; i < options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(options->sets, i);

		if (strcmp(set->spec->group, "device") == 0 &&
			g_strv_contains(controllers, option_set_get(set, "driver")))
			return true;
	}
	return false;
}

/* The one that the machine type has a place for. */
static bool add_own_controller(struct config_builder *builder, const char *origin, GError **error)
{
	const struct machine_type *type = builder->config->machine.type;
	struct machine_property *address;
	struct device_config *device;

	if (!type->usb_controller)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: %s has no USB controller of its own; -device qemu-xhci adds one",
			origin, type->name);
	if (!add(builder, type->usb_controller, origin, error))
		return false;
	if (!type->usb_address)
		return true;
	address = g_new0(struct machine_property, 1);
	*address = (struct machine_property) { .name = "addr", .value = type->usb_address };
	device = &g_array_index(
		builder->config->devices, struct device_config, builder->config->devices->len - 1);
	device->properties = address;
	device->property_count = 1;
	return true;
}

bool config_build_usb_controller(struct config_builder *builder, GError **error)
{
	const struct options *options = builder->options;

	if (options_find(options, "usb"))
		return add_own_controller(builder, "-usb", error);
	if (option_set_bool(options_find(options, "machine"), "usb", false))
		return add_own_controller(builder, "-machine usb=on", error);
	if (options_find(options, "usbdevice") && !has_controller(options))
		return add_own_controller(builder, "-usbdevice", error);
	return true;
}

bool config_build_usb_devices(struct config_builder *builder, GError **error)
{
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);

		for (size_t j = 0; j < G_N_ELEMENTS(kinds); j++) {
			if (strcmp(set->spec->group, "usbdevice") == 0 &&
				strcmp(option_set_get(set, "kind"), kinds[j].word) == 0 &&
				!add(builder, kinds[j].driver, set->origin, error))
				return false;
		}
	}
	return true;
}
