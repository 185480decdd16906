/* -global: defaults of properties for all devices of a class. */
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "vmm/options/config-private.h"

/* "ICH9-LPC.disable_s3=1", or driver=, property= and value=. */
static bool take_apart(const struct option_set *set, char **driver, char **property, char **value)
{
	const char *name = set->count == 1 ? set->values[0].key : NULL;
	const char *dot = name ? strrchr(name, '.') : NULL;

	if (dot) {
		*driver = g_strndup(name, (gsize)(dot - name));
		*property = g_strdup(dot + 1);
		*value = g_strdup(set->values[0].text);
		return true;
	}
	*driver = g_strdup(option_set_get(set, "driver"));
	*property = g_strdup(option_set_get(set, "property"));
	*value = g_strdup(option_set_get(set, "value"));
	return set->count == 3 && *driver && *property && *value;
}

static bool add_global(struct config_builder *builder, const struct option_set *set, GError **error)
{
	g_autofree char *driver = NULL;
	g_autofree char *name = NULL;
	g_autofree char *value = NULL;
	const struct device_class *class;
	const struct property *property;
	struct machine_global global;

	if (!take_apart(set, &driver, &name, &value))
		return fail(error, VITRINE_ERROR_INPUT,
			"-global: accepted: DRIVER.PROPERTY=VALUE, or driver=DRIVER, "
			"property=PROPERTY and value=VALUE");
	class = device_class_find(driver);
	if (!class) {
		/* Managers name devices that not every machine has. */
		log_warning("-global %s.%s: there is no device '%s'; it changes nothing", driver,
			name, driver);
		return true;
	}
	property = device_class_property(class, name);
	if (!property)
		return fail(error, VITRINE_ERROR_INPUT,
			"-global: %s has no property '%s'; \"-device %s,help\" lists all", driver,
			name, driver);
	if (!property_check(property, value, error)) {
		g_prefix_error(error, "-global: %s: ", driver);
		return false;
	}
	global = (struct machine_global) {
		.class = class,
		.property = property->name,
		.value = config_keep(builder, value),
	};
	g_array_append_val(builder->config->globals, global);
	return true;
}

bool config_build_globals(struct config_builder *builder, GError **error)
{
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);

		if (strcmp(set->spec->group, "global") == 0 && !add_global(builder, set, error))
			return false;
	}
	builder->config->machine.globals =
		(const struct machine_global *)(void *)builder->config->globals->data;
	builder->config->machine.global_count = builder->config->globals->len;
	return true;
}
