/* The control queue of a network card: what it receives, its address, VLANs and offloads.
 *
 * Specification: virtio 1.2 section 5.1.6.5. A command is a class, a number and data; the answer is one byte.
 */
#include <json-glib/json-glib.h>
#include <string.h>

#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/virtio/iovec.h"
#include "vmm/virtio/virtio-net-private.h"

enum {
	ANSWER_OK = 0,
	ANSWER_ERROR = 1,
	HEADER = 2,
	DATA_MAX = 8 + 2 * 1024 * MAC_LENGTH, /* two lists of addresses; longer ones overflow */

	CLASS_RX = 0,
	CLASS_MAC = 1,
	CLASS_VLAN = 2,
	CLASS_GUEST_OFFLOADS = 5,
};

struct command_data {
	const uint8_t *bytes;
	size_t length;
};

typedef bool (*command_func)(struct virtio_net *net, const struct command_data *data);

static bool set_flag(bool *flag, const struct command_data *data)
{
	if (data->length != 1 || data->bytes[0] > 1)
		return false;
	*flag = data->bytes[0];
	return true;
}

static bool rx_promiscuous(struct virtio_net *net, const struct command_data *data)
{
	return set_flag(&net->filter.promiscuous, data);
}

static bool rx_all_groups(struct virtio_net *net, const struct command_data *data)
{
	return set_flag(&net->filter.all_groups, data);
}

static bool rx_all_units(struct virtio_net *net, const struct command_data *data)
{
	return set_flag(&net->filter.all_units, data);
}

static bool rx_no_groups(struct virtio_net *net, const struct command_data *data)
{
	return set_flag(&net->filter.no_groups, data);
}

static bool rx_no_units(struct virtio_net *net, const struct command_data *data)
{
	return set_flag(&net->filter.no_units, data);
}

static bool rx_no_broadcast(struct virtio_net *net, const struct command_data *data)
{
	return set_flag(&net->filter.no_broadcast, data);
}

/* A count and that many addresses; too many are noted as an overflow. False when the data ends before. */
static bool read_list(
	struct command_data *data, uint8_t list[][MAC_LENGTH], unsigned *count, bool *overflow)
{
	uint32_t entries;

	if (data->length < 4)
		return false;
	entries = config_get32(data->bytes);
	data->bytes += 4;
	data->length -= 4;
	if (entries > data->length / MAC_LENGTH)
		return false;
	*overflow = entries > RECEIVE_FILTER_MAX;
	*count = *overflow ? 0 : entries;
	memcpy(list, data->bytes, *count * MAC_LENGTH);
	data->bytes += entries * MAC_LENGTH;
	data->length -= entries * MAC_LENGTH;
	return true;
}

static bool mac_table(struct virtio_net *net, const struct command_data *data)
{
	struct command_data rest = *data;
	struct receive_filter filter = net->filter;

	if (!read_list(&rest, filter.units, &filter.unit_count, &filter.unit_overflow) ||
		!read_list(&rest, filter.groups, &filter.group_count, &filter.group_overflow) ||
		rest.length != 0)
		return false;
	net->filter = filter;
	return true;
}

static bool mac_address(struct virtio_net *net, const struct command_data *data)
{
	if (data->length != MAC_LENGTH)
		return false;
	memcpy(net->filter.mac, data->bytes, MAC_LENGTH);
	return true;
}

static bool set_vlan(struct virtio_net *net, const struct command_data *data, bool on)
{
	unsigned vlan;

	if (data->length != 2)
		return false;
	vlan = data->bytes[0] | data->bytes[1] << 8;
	if (vlan >= RECEIVE_FILTER_VLANS)
		return false;
	receive_filter_set_vlan(&net->filter, vlan, on);
	return true;
}

static bool vlan_add(struct virtio_net *net, const struct command_data *data)
{
	return set_vlan(net, data, true);
}

static bool vlan_remove(struct virtio_net *net, const struct command_data *data)
{
	return set_vlan(net, data, false);
}

static bool offloads_set(struct virtio_net *net, const struct command_data *data)
{
	uint64_t wanted;

	if (data->length != 8)
		return false;
	wanted = config_get64(data->bytes);
	if (wanted & ~net->virtio.driver_features)
		return false;
	net->guest_offloads = (struct netdev_offloads) {
		.checksum = wanted & NET_FEATURE_GUEST_CSUM,
		.tso4 = wanted & NET_FEATURE_GUEST_TSO4,
		.tso6 = wanted & NET_FEATURE_GUEST_TSO6,
		.ecn = wanted & NET_FEATURE_GUEST_ECN,
	};
	return true;
}

static const struct {
	uint8_t class, number;
	uint64_t feature;
	command_func run;
} commands[] = {
	{ CLASS_RX, 0, NET_FEATURE_CTRL_RX, rx_promiscuous },
	{ CLASS_RX, 1, NET_FEATURE_CTRL_RX, rx_all_groups },
	{ CLASS_RX, 2, NET_FEATURE_CTRL_RX_EXTRA, rx_all_units },
	{ CLASS_RX, 3, NET_FEATURE_CTRL_RX_EXTRA, rx_no_groups },
	{ CLASS_RX, 4, NET_FEATURE_CTRL_RX_EXTRA, rx_no_units },
	{ CLASS_RX, 5, NET_FEATURE_CTRL_RX_EXTRA, rx_no_broadcast },
	{ CLASS_MAC, 0, NET_FEATURE_CTRL_RX, mac_table },
	{ CLASS_MAC, 1, NET_FEATURE_CTRL_MAC_ADDR, mac_address },
	{ CLASS_VLAN, 0, NET_FEATURE_CTRL_VLAN, vlan_add },
	{ CLASS_VLAN, 1, NET_FEATURE_CTRL_VLAN, vlan_remove },
	{ CLASS_GUEST_OFFLOADS, 0, NET_FEATURE_CTRL_GUEST_OFFLOADS, offloads_set },
};

static bool run_command(struct virtio_net *net, const uint8_t *bytes, size_t length)
{
	struct command_data data = { bytes + HEADER, length - HEADER };

	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (commands[i].class != bytes[0] || commands[i].number != bytes[1])
			continue;
		return virtio_has_feature(&net->virtio, commands[i].feature) &&
		       commands[i].run(net, &data);
	}
	return false;
}

/* Told once for each change until it is asked for (query-rx-filter). */
static void tell_change(struct virtio_net *net)
{
	struct device *device = &net->virtio.pci.device;
	g_autofree char *front = device_path(device);
	/* Of the part behind the PCI front, as the event's readers know it. */
	g_autofree char *path = g_strconcat(front, "/virtio-backend", NULL);
	JsonObject *data = json_object_new();

	if (device->id)
		json_object_set_string_member(data, "name", device->id);
	json_object_set_string_member(data, "path", path);
	machine_emit(device->machine, "NIC_RX_FILTER_CHANGED", data);
}

static int64_t control(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	struct virtio_net *net = (struct virtio_net *)virtio;
	uint8_t bytes[HEADER + DATA_MAX];
	size_t length = iovec_length(element->readable, element->readable_count);
	uint8_t answer = ANSWER_ERROR;

	if (length < HEADER || iovec_length(element->writable, element->writable_count) < 1) {
		virtio_break(virtio, "a control command without header or room for the answer");
		return VIRTIO_STOP;
	}
	if (length <= sizeof(bytes)) {
		iovec_read(element->readable, element->readable_count, 0, bytes, length);
		if (run_command(net, bytes, length)) {
			answer = ANSWER_OK;
			virtio_net_update_data(net);
			if (!net->told_change)
				tell_change(net);
			net->told_change = true;
		}
	}
	iovec_write(element->writable, element->writable_count, 0, &answer, 1);
	return 1;
}

void virtio_net_serve_control(struct virtio_device *virtio, unsigned queue)
{
	virtio_serve(virtio, queue, control);
}
