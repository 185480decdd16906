/* Commands about networks: making and removing them, the cable, and what cards receive. */
#include <string.h>

#include "base/error.h"
#include "vmm/control/qmp-commands.h"
#include "vmm/net/netdev.h"
#include "vmm/options/json-text.h"
#include "vmm/options/option-set.h"
#include "vmm/virtio/virtio-net.h"

static bool is_card(const struct device *device)
{
	return device->class == &virtio_net_class;
}

/* Lists have members "hostfwd.0.str"; on the command line it is "hostfwd" again and again. */
static bool take_value(const char *key, const char *text, void *data, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(key, ".", -1);
	bool is_list = parts[0] && parts[1] && parts[2] && strcmp(parts[2], "str") == 0;

	return option_set_take(data, is_list ? parts[0] : key, text, error);
}

static JsonNode *netdev_add(struct command_call *call, GError **error)
{
	struct machine *machine = call->context->machine;
	struct options *options = options_new();
	struct option_set *set =
		options_begin(options, option_spec_find("netdev"), "netdev_add", error);
	struct netdev *netdev = NULL;

	if (set && json_text_walk(call->arguments, take_value, set, error) &&
		options_finish(options, set, error)) {
		if (netdev_find(machine->netdevs, set->id))
			fail(error, VITRINE_ERROR_INPUT, "Duplicate ID '%s' for netdev", set->id);
		else
			netdev = netdev_new(set, error);
	}
	options_free(options);
	if (!netdev)
		return NULL;
	g_ptr_array_add(machine->netdevs, netdev);
	return command_nothing();
}

static JsonNode *netdev_del(struct command_call *call, GError **error)
{
	struct machine *machine = call->context->machine;
	const char *id = json_object_get_string_member(call->arguments, "id");
	struct netdev *netdev = netdev_find(machine->netdevs, id);

	if (!netdev) {
		fail(error, VITRINE_ERROR_NOT_FOUND, "Device '%s' not found", id);
		return NULL;
	}
	if (netdev_is_taken(netdev)) {
		fail(error, VITRINE_ERROR_BUSY,
			"network '%s' has a card on it; remove that first (device_del)", id);
		return NULL;
	}
	g_ptr_array_remove(machine->netdevs, netdev);
	return command_nothing();
}

/* By the network's name or the card's. */
static JsonNode *set_link(struct command_call *call, GError **error)
{
	struct machine *machine = call->context->machine;
	const char *name = json_object_get_string_member(call->arguments, "name");
	bool up = json_object_get_boolean_member(call->arguments, "up");
	struct netdev *netdev = netdev_find(machine->netdevs, name);
	struct device *device = machine_device(machine, name);

	if (!netdev && device && is_card(device))
		netdev = virtio_net_netdev(device);
	if (!netdev) {
		fail(error, VITRINE_ERROR_NOT_FOUND, "Device '%s' not found", name);
		return NULL;
	}
	g_mutex_lock(&machine->lock);
	netdev_set_link(netdev, up);
	g_mutex_unlock(&machine->lock);
	return command_nothing();
}

static JsonArray *mac_list(const uint8_t list[][MAC_LENGTH], unsigned count)
{
	JsonArray *array = json_array_new();

	for (unsigned i = 0; i < count; i++) {
		g_autofree char *text = mac_to_text(list[i]);

		json_array_add_string_element(array, text);
	}
	return array;
}

static JsonArray *vlan_list(const struct receive_filter *filter)
{
	JsonArray *array = json_array_new();

	for (unsigned i = 0; filter->filters_vlans && i < RECEIVE_FILTER_VLANS; i++)
		if (receive_filter_has_vlan(filter, i))
			json_array_add_int_element(array, i);
	return array;
}

static const char *state_of(bool none, bool all)
{
	return none ? "none" : all ? "all" : "normal";
}

static JsonObject *describe_filter(const struct device *device)
{
	const struct receive_filter *filter = virtio_net_filter(device);
	g_autofree char *mac = mac_to_text(filter->mac);
	JsonObject *object = json_object_new();

	json_object_set_string_member(
		object, "name", device->id ? device->id : netdev_id(virtio_net_netdev(device)));
	json_object_set_boolean_member(object, "promiscuous", filter->promiscuous);
	json_object_set_string_member(
		object, "multicast", state_of(filter->no_groups, filter->all_groups));
	json_object_set_string_member(
		object, "unicast", state_of(filter->no_units, filter->all_units));
	json_object_set_string_member(object, "vlan", filter->filters_vlans ? "normal" : "all");
	json_object_set_boolean_member(object, "broadcast-allowed", !filter->no_broadcast);
	json_object_set_boolean_member(object, "multicast-overflow", filter->group_overflow);
	json_object_set_boolean_member(object, "unicast-overflow", filter->unit_overflow);
	json_object_set_string_member(object, "main-mac", mac);
	json_object_set_array_member(object, "vlan-table", vlan_list(filter));
	json_object_set_array_member(
		object, "unicast-table", mac_list(filter->units, filter->unit_count));
	json_object_set_array_member(
		object, "multicast-table", mac_list(filter->groups, filter->group_count));
	return object;
}

static JsonNode *query_rx_filter(struct command_call *call, GError **error)
{
	struct machine *machine = call->context->machine;
	const char *name = json_object_has_member(call->arguments, "name")
				   ? json_object_get_string_member(call->arguments, "name")
				   : NULL;
	JsonArray *list = json_array_new();

	g_mutex_lock(&machine->lock);
	for (guint i = 0; i < machine->devices->len; i++) {
		const struct device *device = machine->devices->pdata[i];

		if (is_card(device) && (!name || g_strcmp0(device->id, name) == 0))
			json_array_add_object_element(list, describe_filter(device));
	}
	g_mutex_unlock(&machine->lock);
	if (!name || json_array_get_length(list) > 0)
		return command_array(list);
	json_array_unref(list);
	fail(error, VITRINE_ERROR_INPUT, "there is no network card called '%s'", name);
	return NULL;
}

static const char *const netdev_types[] = { "user", "tap", NULL };

static const struct argument netdev_add_arguments[] = {
	{ "type", ARGUMENT_STRING, .choices = netdev_types },
	{ "id", ARGUMENT_STRING },
	{},
};

static const struct argument id_arguments[] = { { "id", ARGUMENT_STRING }, {} };

static const struct argument link_arguments[] = {
	{ "name", ARGUMENT_STRING },
	{ "up", ARGUMENT_BOOL },
	{},
};

static const struct argument filter_arguments[] = {
	{ "name", ARGUMENT_STRING, .optional = true },
	{},
};

const struct command network_commands[] = {
	{ "netdev_add", netdev_add, netdev_add_arguments, .open = true },
	{ "netdev_del", netdev_del, id_arguments },
	{ "set_link", set_link, link_arguments },
	{ "query-rx-filter", query_rx_filter, filter_arguments,
		.returns = "[{name: str, promiscuous: bool, multicast: normal|none|all, unicast: "
			   "normal|none|all, vlan: normal|none|all, broadcast-allowed: bool, "
			   "multicast-overflow: bool, unicast-overflow: bool, main-mac: str, "
			   "vlan-table: [int], unicast-table: [str], multicast-table: [str]}]" },
	{},
};
