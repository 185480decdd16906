/* Objects: what users make for devices and other parts to use by its id: secrets, memory, random numbers, threads, TLS
 * credentials. They come from -object and from QMP's object-add, and go with object-del or at the end.
 *
 * A class names its properties in a table, as devices do. An object is complete when it has been made: all that the host
 * may refuse has been asked for then. Whoever uses one takes it and releases it; one that is taken cannot be removed.
 * All of it on the main loop.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "vmm/device.h"

struct machine_property;
struct objects;

/* What an object can be used as. */
enum object_kind {
	OBJECT_SECRET,
	OBJECT_RANDOM,
	OBJECT_MEMORY,
	OBJECT_THREAD,
	OBJECT_TLS,
	OBJECT_KINDS,
};

struct object {
	const struct object_class *class;
	struct objects *objects;
	char *id;
	unsigned users;
};

struct object_class {
	const char *name;
	const char *description;
	enum object_kind kind;
	size_t size; /* of the object's struct, which starts with struct object */
	const struct property *properties; /* up to PROPERTY_END */
	/* All properties are set: gets what it needs from the host. The error need not name the object. */
	bool (*complete)(struct object *object, GError **error);
	void (*finish)(struct object *object); /* also when complete() failed; may be NULL */
};

/* The classes, NULL-terminated, and one by its name; NULL: there is none. */
const struct object_class *const *object_classes(void);
const struct object_class *object_class_find(const char *name);
/* What objects of a kind are for, as errors have it: "random numbers". */
const char *object_kind_name(enum object_kind kind);

struct objects *objects_new(void);
void objects_free(struct objects *objects); /* when nobody uses any of them */

/**
 * objects_add - a new object
 * @class: its name
 * @properties: NAME.N adds to a list, as JSON's arrays do
 *
 * Returns NULL with @error, in QMP's words where QMP has some, which names the property and what is accepted.
 */
struct object *objects_add(struct objects *objects, const char *class, const char *id,
	const struct machine_property *properties, unsigned count, GError **error);

/* Fails when there is none by that id, and while it is used. */
bool objects_remove(struct objects *objects, const char *id, GError **error);

guint objects_count(const struct objects *objects);
struct object *objects_at(const struct objects *objects, guint index); /* in the order of making */
struct object *objects_find(const struct objects *objects, const char *id);

/* For a user: the object, which has to be of this kind; NULL with @error, which says what to make. Given back with
 * object_release(). */
struct object *objects_take(
	struct objects *objects, const char *id, enum object_kind kind, GError **error);
void object_release(struct object *object);

/* The property of a class that a key is meant for, "host-nodes" for "host-nodes.0"; NULL: none. */
const struct property *object_class_property(const struct object_class *class, const char *key);
