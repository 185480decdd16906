/* Properties of running devices. */
#include "vmm/control/qom-live.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/virtio/virtio-balloon.h"

/* With the machine's lock. */
struct live_property {
	const struct device_class *class;
	const char *name;
	const char *type; /* NULL: the device's table has it as well */
	JsonObject *(*get)(const struct device *device);    /* NULL: as the table says */
	void (*set)(struct device *device, uint32_t value); /* NULL: it is only told */
	uint32_t maximum;
};

static const struct live_property live_properties[] = {
	{ &virtio_balloon_class, "guest-stats", "guest statistics",
		.get = virtio_balloon_statistics },
	{ &virtio_balloon_class, "guest-stats-polling-interval", .set = virtio_balloon_set_interval,
		.maximum = VIRTIO_BALLOON_INTERVAL_MAX },
};

static const struct live_property *find(const struct device *device, const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(live_properties); i++) {
		const struct live_property *live = &live_properties[i];

		if (live->class == device->class && strcmp(live->name, name) == 0)
			return live;
	}
	return NULL;
}

JsonNode *qom_live_get(struct device *device, const char *name)
{
	const struct live_property *live = find(device, name);
	JsonNode *node;

	if (!live || !live->get)
		return NULL;
	node = json_node_alloc();
	json_node_init(node, JSON_NODE_OBJECT);
	g_mutex_lock(&device->machine->lock);
	json_node_take_object(node, live->get(device));
	g_mutex_unlock(&device->machine->lock);
	return node;
}

void qom_live_list(const struct device *device,
	void (*take)(const char *name, const char *type, void *data), void *data)
{
	for (size_t i = 0; i < G_N_ELEMENTS(live_properties); i++) {
		const struct live_property *live = &live_properties[i];

		if (live->class == device->class && live->type)
			take(live->name, live->type, data);
	}
}

bool qom_live_set(struct device *device, const char *name, JsonNode *value, GError **error)
{
	const struct live_property *live = find(device, name);
	int64_t number;

	if (!live || !live->set)
		return fail(error, VITRINE_ERROR_STATE, "Property '%s.%s' cannot be set any more",
			device->class->name, name);
	if (!JSON_NODE_HOLDS_VALUE(value) || json_node_get_value_type(value) != G_TYPE_INT64)
		return fail(error, VITRINE_ERROR_INPUT,
			"Invalid parameter type for '%s', expected: integer", name);
	number = json_node_get_int(value);
	if (number < 0 || number > live->maximum)
		return fail(error, VITRINE_ERROR_INPUT,
			"Property '%s.%s' does not take %" PRId64 "; accepted: 0 to %u",
			device->class->name, name, number, live->maximum);
	g_mutex_lock(&device->machine->lock);
	live->set(device, number);
	g_mutex_unlock(&device->machine->lock);
	return true;
}
