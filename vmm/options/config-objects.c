/* Objects: -object, checked against the tables of their classes. */
#include <string.h>

#include "base/error.h"
#include "vmm/objects.h"
#include "vmm/options/config-private.h"

static bool check_property(const struct object_config *object, const struct object_class *class,
	const struct option_value *value, GError **error)
{
	const struct property *property = object_class_property(class, value->key);

	if (!property)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: %s has no property '%s'; \"-object %s,help\" lists all",
			object->origin, class->name, value->key, class->name);
	if (property_check(property, value->text, error))
		return true;
	g_prefix_error(error, "%s: %s: ", object->origin, class->name);
	return false;
}

static bool add_object(struct config_builder *builder, const struct option_set *set, GError **error)
{
	const char *type = option_set_get(set, "qom-type");
	const struct object_class *class = object_class_find(type);
	g_autofree char *origin = g_strdup_printf("%s %s,id=%s", set->origin, type, set->id);
	g_autofree struct machine_property *properties =
		g_new0(struct machine_property, set->count);
	struct object_config object = {
		.class = class ? class->name : NULL,
		.id = config_keep(builder, set->id),
		.origin = config_keep(builder, origin),
	};

	if (!class)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: there is no type '%s'; \"-object help\" lists all", set->origin, type);
	for (guint i = 0; i < set->count; i++) {
		if (strcmp(set->values[i].key, "qom-type") == 0)
			continue;
		if (!check_property(&object, class, &set->values[i], error))
			return false;
		properties[object.property_count++] = (struct machine_property) {
			.name = (char *)config_keep(builder, set->values[i].key),
			.value = (char *)config_keep(builder, set->values[i].text),
		};
	}
	object.properties = g_steal_pointer(&properties);
	g_array_append_val(builder->config->objects, object);
	return true;
}

bool config_build_objects(struct config_builder *builder, GError **error)
{
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);

		if (strcmp(set->spec->group, "object") == 0 && !add_object(builder, set, error))
			return false;
	}
	return true;
}
