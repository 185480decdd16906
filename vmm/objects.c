/* Objects: the table of their classes, and the list of those that there are. */
#include "vmm/objects.h"

#include <string.h>

#include "base/error.h"
#include "vmm/machine/machine-types.h"
#include "vmm/objects/classes.h"
#include "vmm/options/values.h"

enum {
	MAXIMUM_OBJECTS = 256
};

/* In the order of -object help. */
static const struct object_class *const classes[] = {
	&object_iothread,
	&object_memory_file,
	&object_memory_memfd,
	&object_memory_ram,
	&object_rng_builtin,
	&object_rng_random,
	&object_secret,
	&object_tls_anon,
	&object_tls_psk,
	&object_tls_x509,
	NULL,
};

static const struct {
	const char *name;
	const char *example; /* of an option that makes one, up to the id */
} kinds[OBJECT_KINDS] = {
	[OBJECT_SECRET] = { "a secret", "secret,file=FILE" },
	[OBJECT_RANDOM] = { "random numbers", "rng-random,filename=/dev/urandom" },
	[OBJECT_MEMORY] = { "memory", "memory-backend-ram,size=SIZE" },
	[OBJECT_THREAD] = { "a thread", "iothread" },
	[OBJECT_TLS] = { "TLS credentials", "tls-creds-x509,dir=DIR,endpoint=server" },
};

struct objects {
	GPtrArray *list; /* of struct object, in the order of making */
};

const struct object_class *const *object_classes(void)
{
	return classes;
}

const struct object_class *object_class_find(const char *name)
{
	for (size_t i = 0; classes[i]; i++) {
		if (strcmp(classes[i]->name, name) == 0)
			return classes[i];
	}
	return NULL;
}

const char *object_kind_name(enum object_kind kind)
{
	return kinds[kind].name;
}

struct objects *objects_new(void)
{
	struct objects *objects = g_new0(struct objects, 1);

	objects->list = g_ptr_array_new();
	return objects;
}

static void object_free(struct object *object)
{
	if (object->class->finish)
		object->class->finish(object);
	properties_free_strings(object, object->class->properties);
	g_free(object->id);
	g_free(object);
}

void objects_free(struct objects *objects)
{
	if (!objects)
		return;
	/* One may use another that was there before it. */
	for (guint i = objects->list->len; i > 0; i--)
		object_free(objects->list->pdata[i - 1]);
	g_ptr_array_unref(objects->list);
	g_free(objects);
}

guint objects_count(const struct objects *objects)
{
	return objects ? objects->list->len : 0;
}

struct object *objects_at(const struct objects *objects, guint index)
{
	return objects->list->pdata[index];
}

struct object *objects_find(const struct objects *objects, const char *id)
{
	for (guint i = 0; objects && i < objects->list->len; i++) {
		struct object *object = objects->list->pdata[i];

		if (strcmp(object->id, id) == 0)
			return object;
	}
	return NULL;
}

/* Where the number of "NAME.N" starts with its dot, or NULL. */
static const char *list_suffix(const char *key)
{
	const char *dot = strrchr(key, '.');
	uint64_t index;

	return dot && value_parse_number(dot + 1, &index) ? dot : NULL;
}

const struct property *object_class_property(const struct object_class *class, const char *key)
{
	const char *suffix = list_suffix(key);
	g_autofree char *name = suffix ? g_strndup(key, (gsize)(suffix - key)) : NULL;
	const struct property *property = property_find(class->properties, name ? name : key);

	return property && (!suffix || property->type == PROPERTY_STRING) ? property : NULL;
}

/* One more entry of a list, which the property keeps as a text with commas. */
static void add_to_list(struct object *object, const struct property *property, const char *value)
{
	char **text = (char **)((char *)object + property->offset);
	char *longer = *text ? g_strconcat(*text, ",", value, NULL) : g_strdup(value);

	g_free(*text);
	*text = longer;
}

static bool set_property(struct object *object, const char *name, const char *value, GError **error)
{
	const struct property *property = object_class_property(object->class, name);

	if (!property)
		return fail(error, VITRINE_ERROR_INPUT, "Parameter '%s' is unexpected", name);
	if (list_suffix(name)) {
		add_to_list(object, property, value);
		return true;
	}
	return property_set(object, property, value, error);
}

static void set_defaults(struct object *object)
{
	for (const struct property *p = object->class->properties; p->type != PROPERTY_END; p++) {
		g_autoptr(GError) error = NULL;

		if (p->default_value && !property_set(object, p, p->default_value, &error))
			g_error("default of %s.%s: %s", object->class->name, p->name,
				error->message);
	}
}

static bool check_new(struct objects *objects, const struct object_class *class, const char *name,
	const char *id, GError **error)
{
	if (!class)
		return fail(error, VITRINE_ERROR_INPUT,
			"Parameter 'qom-type' does not accept value '%s'", name);
	if (!value_is_id(id))
		return fail(error, VITRINE_ERROR_INPUT, "Parameter 'id' expects an identifier");
	if (objects_find(objects, id))
		return fail(error, VITRINE_ERROR_INPUT,
			"attempt to add duplicate property '%s' to object (type 'container')", id);
	if (objects->list->len >= MAXIMUM_OBJECTS)
		return fail(error, VITRINE_ERROR_INPUT,
			"there are %d objects, the most there can be", MAXIMUM_OBJECTS);
	return true;
}

struct object *objects_add(struct objects *objects, const char *name, const char *id,
	const struct machine_property *properties, unsigned count, GError **error)
{
	const struct object_class *class = object_class_find(name);
	struct object *object;
	bool good = true;

	if (!check_new(objects, class, name, id, error))
		return NULL;
	object = g_malloc0(class->size);
	object->class = class;
	object->objects = objects;
	object->id = g_strdup(id);
	set_defaults(object);
	for (unsigned i = 0; good && i < count; i++)
		good = set_property(object, properties[i].name, properties[i].value, error);
	if (!good || !class->complete(object, error)) {
		object_free(object);
		return NULL;
	}
	g_ptr_array_add(objects->list, object);
	return object;
}

bool objects_remove(struct objects *objects, const char *id, GError **error)
{
	struct object *object = objects_find(objects, id);

	if (!object)
		return fail(error, VITRINE_ERROR_INPUT, "object '%s' not found", id);
	if (object->users > 0)
		return fail(
			error, VITRINE_ERROR_BUSY, "object '%s' is in use, can not be deleted", id);
	g_ptr_array_remove(objects->list, object);
	object_free(object);
	return true;
}

struct object *objects_take(
	struct objects *objects, const char *id, enum object_kind kind, GError **error)
{
	struct object *object = objects_find(objects, id);

	if (!object) {
		fail(error, VITRINE_ERROR_INPUT,
			"there is no object '%s'; make one with -object %s,id=%s", id,
			kinds[kind].example, id);
		return NULL;
	}
	if (object->class->kind != kind) {
		fail(error, VITRINE_ERROR_INPUT, "object '%s' is a %s, which is not %s; use a %s",
			id, object->class->name, kinds[kind].name, kinds[kind].example);
		return NULL;
	}
	object->users++;
	return object;
}

void object_release(struct object *object)
{
	if (!object)
		return;
	g_assert(object->users > 0);
	object->users--;
}
