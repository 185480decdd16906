/* -usb, -machine usb=on and -usbdevice: a controller, and what hangs on it. */
#include "vmm/options/config-private.h"

#include <string.h>

#include "base/error.h"

#define CONTROLLER "qemu-xhci"

/* All that make -usbdevice content. */
static const char *const controllers[] = { CONTROLLER, "nec-usb-xhci", NULL };

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

bool config_build_usb_controller(struct config_builder *builder, GError **error)
{
	const struct options *options = builder->options;

	if (options_find(options, "usb"))
		return add(builder, CONTROLLER, "-usb", error);
	if (option_set_bool(options_find(options, "machine"), "usb", false))
		return add(builder, CONTROLLER, "-machine usb=on", error);
	if (options_find(options, "usbdevice") && !has_controller(options))
		return add(builder, CONTROLLER, "-usbdevice", error);
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
