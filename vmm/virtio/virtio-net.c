/* virtio-net-pci: the card itself; its data queues are in virtio-net-data.c. Specification: virtio 1.2 section 5.1. */
#include "vmm/virtio/virtio-net.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/virtio/virtio-net-private.h"
#include "vmm/virtio/virtio-net-vhost.h"

enum {
	CONFIG_MAC = 0x00,
	CONFIG_STATUS = 0x06,
	CONFIG_QUEUE_PAIRS = 0x08,
	CONFIG_MTU = 0x0a,
	CONFIG_SPEED = 0x0c,
	CONFIG_DUPLEX = 0x10,
	CONFIG_SIZE = 0x11,

	STATUS_LINK_UP = 1 << 0,
	MTU_MIN = 68,
	QUEUE_SIZE_MIN = 256,
	CONTROL_QUEUE_SIZE = 64,
	GROUP_BIT = 0x01, /* of an address */
};

/* The first card of a machine, and then upwards. */
static const uint8_t first_mac[MAC_LENGTH] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

static const char *const duplexes[] = { "half", "full", "unknown", NULL };
static const uint8_t duplex_codes[] = { 0, 1, 0xff };

#define NET_SWITCH(name, member, description) \
	{ \
		name, PROPERTY_BOOL, offsetof(struct virtio_net, member), "on", description \
	}

static const struct property net_properties[] = {
	{ "netdev", PROPERTY_STRING, offsetof(struct virtio_net, netdev_id), NULL,
		"id of the -netdev that the card is on" },
	{ "mac", PROPERTY_STRING, offsetof(struct virtio_net, mac_text), NULL,
		"address; from 52:54:00:12:34:56 upwards when none is given" },
	NET_SWITCH("mrg_rxbuf", mrg_rxbuf, "a frame may be spread over several buffers"),
	NET_SWITCH("csum", checksum, "the host may compute checksums for the guest"),
	NET_SWITCH("guest_csum", guest_checksum, "the guest takes frames without checksums"),
	NET_SWITCH("gso", segmentation, "the host may cut the guest's large segments"),
	NET_SWITCH("guest_gso", guest_segmentation, "the guest takes large segments"),
	NET_SWITCH("status", status_on, "the guest sees whether the cable is in"),
	NET_SWITCH("ctrl_vq", control, "there is a control queue"),
	NET_SWITCH("ctrl_rx", control_rx, "the guest says what it receives"),
	NET_SWITCH("ctrl_vlan", control_vlan, "the guest says which VLANs it receives"),
	NET_SWITCH("ctrl_mac_addr", control_mac, "the guest may change the address"),
	{ "host_mtu", PROPERTY_UINT16, offsetof(struct virtio_net, mtu), "0",
		"MTU that the guest is told, 68 to 65535; 0: none" },
	{ "speed", PROPERTY_UINT32, offsetof(struct virtio_net, speed), "4294967295",
		"Mbit/s that the guest is told; 4294967295: unknown" },
	{ .name = "duplex",
		.type = PROPERTY_CHOICE,
		.offset = offsetof(struct virtio_net, duplex),
		.default_value = "unknown",
		.description = "what the guest is told of it",
		.choices = duplexes },
	{ "rx_queue_size", PROPERTY_UINT32, offsetof(struct virtio_net, queue_size_rx), "256",
		"descriptors for receiving, a power of two", .minimum = QUEUE_SIZE_MIN,
		.maximum = VIRTQUEUE_MAX_SIZE },
	{ "tx_queue_size", PROPERTY_UINT32, offsetof(struct virtio_net, queue_size_tx), "256",
		"descriptors for sending, a power of two", .minimum = QUEUE_SIZE_MIN,
		.maximum = VIRTQUEUE_MAX_SIZE },
	VIRTIO_VECTORS_PROPERTY(VIRTIO_VECTORS_DEFAULT),
	VIRTIO_PCI_PROPERTIES,
	{ .type = PROPERTY_END },
};

static void net_get_config(struct virtio_device *virtio, uint8_t *config)
{
	const struct virtio_net *net = (const struct virtio_net *)virtio;

	/* What the driver has set in its place, section 5.1.6.5.2.1. */
	memcpy(config + CONFIG_MAC, net->filter.mac, MAC_LENGTH);
	config_set16(config + CONFIG_STATUS, netdev_link_is_up(net->netdev) ? STATUS_LINK_UP : 0);
	config_set16(config + CONFIG_QUEUE_PAIRS, 1);
	config_set16(config + CONFIG_MTU, net->mtu);
	config_set32(config + CONFIG_SPEED, net->speed);
	config[CONFIG_DUPLEX] = duplex_codes[net->duplex];
}

static void offloads_as_negotiated(struct virtio_net *net)
{
	const struct virtio_device *virtio = &net->virtio;

	net->guest_offloads = (struct netdev_offloads) {
		.checksum = virtio_has_feature(virtio, NET_FEATURE_GUEST_CSUM),
		.tso4 = virtio_has_feature(virtio, NET_FEATURE_GUEST_TSO4),
		.tso6 = virtio_has_feature(virtio, NET_FEATURE_GUEST_TSO6),
		.ecn = virtio_has_feature(virtio, NET_FEATURE_GUEST_ECN),
	};
}

static void give_to_kernel(void *opaque)
{
	struct virtio_net *net = opaque;

	netdev_set_kernel_reads(net->netdev, true);
}

/* Also ends what a start that failed has begun. On the network's thread, so that no interrupt is being passed on meanwhile. */
static void take_from_kernel(void *opaque)
{
	struct virtio_net *net = opaque;

	vhost_net_stop(net->vhost);
	netdev_set_kernel_reads(net->netdev, false);
}

/* The kernel does the work; where it does not, we do. */
static bool start_vhost(struct virtio_net *net)
{
	g_autoptr(GError) error = NULL;

	virtio_net_update_data(net);
	netdev_call(net->netdev, give_to_kernel, net);
	net->vhost_serves = vhost_net_start(
		net->vhost, netdev_vhost_tap(net->netdev), netdev_context(net->netdev), &error);
	if (net->vhost_serves)
		return true;
	netdev_call(net->netdev, take_from_kernel, net);
	log_warning("%s: %s; vitrine does", virtio_device_name(&net->virtio), error->message);
	return false;
}

/* While the cable is out there is nothing for the kernel, which knows nothing of cables. */
static void serve(struct virtio_net *net)
{
	bool wanted = net->vhost && netdev_link_is_up(net->netdev);

	if (wanted && start_vhost(net)) {
		/* What was queued before was announced then. */
		virtio_look_again(&net->virtio, NET_TRANSMIT);
		return;
	}
	if (wanted)
		g_clear_pointer(&net->vhost, vhost_net_free);
	virtio_net_start_data(net);
}

static void net_start(struct virtio_device *virtio)
{
	struct virtio_net *net = (struct virtio_net *)virtio;

	if (!net->was_started) {
		offloads_as_negotiated(net);
		net->filter.filters_vlans = virtio_has_feature(virtio, NET_FEATURE_CTRL_VLAN);
		net->was_started = true;
	}
	serve(net);
}

static void net_stop(struct virtio_device *virtio)
{
	struct virtio_net *net = (struct virtio_net *)virtio;

	if (net->vhost_serves)
		netdev_call(net->netdev, take_from_kernel, net);
	else
		virtio_net_stop_data(net);
	net->vhost_serves = false;
}

/* The cable is the driver's to see in the configuration. */
static void link_changed(void *front)
{
	struct virtio_net *net = front;

	if (net->vhost && net->virtio.running) {
		net_stop(&net->virtio);
		serve(net);
	}
	virtio_config_changed(&net->virtio);
}

static void net_vector_changed(struct virtio_device *virtio, unsigned queue)
{
	struct virtio_net *net = (struct virtio_net *)virtio;

	if (net->vhost_serves && queue < NET_DATA_QUEUES)
		vhost_net_vector_changed(net->vhost, queue);
}

static const struct netdev_front_ops net_front = {
	.receive = virtio_net_receive,
	.link_changed = link_changed,
};

static void flush(void *opaque)
{
	struct virtio_net *net = opaque;

	netdev_flush(net->netdev);
}

static void net_reset(struct virtio_device *virtio)
{
	struct virtio_net *net = (struct virtio_net *)virtio;

	if (!net->netdev)
		return;
	net->was_started = net->told_change = false;
	receive_filter_reset(&net->filter, net->mac);
	net->guest_offloads = (struct netdev_offloads) { 0 };
	netdev_call(net->netdev, flush, net);
	virtio_net_update_data(net);
}

static const struct virtio_ops net_ops = {
	.queues = NET_DATA_QUEUES,
	.config_size = CONFIG_SIZE,
	.get_config = net_get_config,
	.start = net_start,
	.stop = net_stop,
	.vector_changed = net_vector_changed,
	.reset = net_reset,
};

static bool read_mac(struct virtio_net *net, GError **error)
{
	unsigned bytes[MAC_LENGTH];
	int end = 0;

	if (sscanf(net->mac_text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &bytes[0], &bytes[1], &bytes[2],
		    &bytes[3], &bytes[4], &bytes[5], &end) != MAC_LENGTH ||
		net->mac_text[end] != '\0' || bytes[0] & GROUP_BIT)
		return fail(error, VITRINE_ERROR_INPUT,
			"mac=%s is not accepted; accepted: six hexadecimal bytes of one station's "
			"address, as in 52:54:00:12:34:56",
			net->mac_text);
	for (unsigned i = 0; i < MAC_LENGTH; i++)
		net->mac[i] = bytes[i];
	return true;
}

static bool mac_is_taken(const struct machine *machine, const uint8_t mac[MAC_LENGTH])
{
	for (guint i = 0; i < machine->devices->len; i++) {
		const struct device *device = machine->devices->pdata[i];

		if (device->class == &virtio_net_class &&
			memcmp(((const struct virtio_net *)device)->mac, mac, MAC_LENGTH) == 0)
			return true;
	}
	return false;
}

static bool choose_mac(struct virtio_net *net, GError **error)
{
	if (net->mac_text)
		return read_mac(net, error);
	memcpy(net->mac, first_mac, MAC_LENGTH);
	for (unsigned tried = 0; tried <= UINT8_MAX; tried++, net->mac[MAC_LENGTH - 1]++)
		if (!mac_is_taken(net->virtio.pci.device.machine, net->mac))
			return true;
	return fail(error, VITRINE_ERROR_INPUT,
		"mac= is missing, and all 256 addresses from 52:54:00:12:34:00 on are taken by "
		"other cards; give this one an address of its own");
}

static bool take_netdev(struct virtio_net *net, GError **error)
{
	struct netdev *netdev;

	if (!net->netdev_id)
		return fail(error, VITRINE_ERROR_INPUT,
			"netdev= is missing; make a network with -netdev user,id=ID and name it "
			"here");
	netdev = netdev_find(net->virtio.pci.device.machine->netdevs, net->netdev_id);
	if (!netdev)
		return fail(error, VITRINE_ERROR_NOT_FOUND, "netdev=%s: there is no such network",
			net->netdev_id);
	if (netdev_is_taken(netdev))
		return fail(error, VITRINE_ERROR_BUSY, "netdev=%s is used by another device",
			net->netdev_id);
	net->netdev = netdev;
	return true;
}

static bool check_numbers(const struct virtio_net *net, GError **error)
{
	if (net->mtu != 0 && net->mtu < MTU_MIN)
		return fail(error, VITRINE_ERROR_INPUT,
			"host_mtu=%u is not accepted; accepted: 0, or %d to 65535", net->mtu,
			MTU_MIN);
	if ((net->queue_size_rx & (net->queue_size_rx - 1)) != 0 ||
		(net->queue_size_tx & (net->queue_size_tx - 1)) != 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"rx_queue_size=%u,tx_queue_size=%u: powers of two are needed",
			net->queue_size_rx, net->queue_size_tx);
	return true;
}

static uint64_t offered_offloads(const struct virtio_net *net)
{
	struct netdev_offloads can = netdev_offloads(net->netdev);
	uint64_t features = 0;

	if (!can.checksum)
		return 0;
	if (net->checksum)
		features |= NET_FEATURE_CSUM;
	if (net->checksum && net->segmentation)
		features |= NET_FEATURE_HOST_TSO4 | NET_FEATURE_HOST_TSO6 | NET_FEATURE_HOST_ECN;
	if (net->guest_checksum)
		features |= NET_FEATURE_GUEST_CSUM;
	if (net->guest_checksum && net->guest_segmentation)
		features |= NET_FEATURE_GUEST_TSO4 | NET_FEATURE_GUEST_TSO6 | NET_FEATURE_GUEST_ECN;
	if (net->control && net->guest_checksum)
		features |= NET_FEATURE_CTRL_GUEST_OFFLOADS;
	return features;
}

static uint64_t offered(const struct virtio_net *net)
{
	uint64_t features = NET_FEATURE_MAC | NET_FEATURE_SPEED_DUPLEX | offered_offloads(net);

	if (net->mtu > 0)
		features |= NET_FEATURE_MTU;
	if (net->mrg_rxbuf)
		features |= NET_FEATURE_MRG_RXBUF;
	if (net->status_on)
		features |= NET_FEATURE_STATUS;
	if (!net->control)
		return features;
	features |= NET_FEATURE_CTRL_VQ;
	if (net->control_rx)
		features |= NET_FEATURE_CTRL_RX | NET_FEATURE_CTRL_RX_EXTRA;
	if (net->control_vlan)
		features |= NET_FEATURE_CTRL_VLAN;
	if (net->control_mac)
		features |= NET_FEATURE_CTRL_MAC_ADDR;
	return features;
}

static bool open_vhost(struct virtio_net *net, GError **error)
{
	g_autoptr(GError) why = NULL;

	if (netdev_vhost_tap(net->netdev) < 0)
		return true;
	net->vhost = vhost_net_new(&net->virtio, &why);
	if (!net->vhost && netdev_vhost_is_forced(net->netdev)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return false;
	}
	if (!net->vhost) {
		log_warning(
			"netdev=%s: %s; vitrine moves the frames", net->netdev_id, why->message);
		return true;
	}
	if (!(vhost_net_features(net->vhost) & VIRTIO_FEATURE_PACKED) && net->virtio.options.packed)
		return fail(error, VITRINE_ERROR_INPUT,
			"packed=on: the kernel's vhost-net has split rings only; leave out one of "
			"the two");
	return true;
}

static bool net_realize(struct device *device, GError **error)
{
	struct virtio_net *net = (struct virtio_net *)device;

	if (!take_netdev(net, error) || !choose_mac(net, error) || !check_numbers(net, error))
		return false;
	if (!open_vhost(net, error))
		return false;
	net->virtio.ops = &net_ops;
	net->virtio.features = offered(net);
	net->virtio.queue_count = net->control ? NET_DATA_QUEUES + 1 : NET_DATA_QUEUES;
	if (!virtio_pci_realize(&net->virtio, error))
		return false;
	virtio_set_queue_size(&net->virtio, NET_RECEIVE, net->queue_size_rx);
	virtio_set_queue_size(&net->virtio, NET_TRANSMIT, net->queue_size_tx);
	if (net->control) {
		virtio_set_queue_size(&net->virtio, NET_CONTROL, CONTROL_QUEUE_SIZE);
		virtio_add_main_queue(&net->virtio, NET_CONTROL, virtio_net_serve_control);
	}
	receive_filter_reset(&net->filter, net->mac);
	net->attached = netdev_attach(net->netdev, &net_front, net);
	return true;
}

static void net_unrealize(struct device *device)
{
	struct virtio_net *net = (struct virtio_net *)device;

	virtio_pci_unrealize(&net->virtio);
	if (net->attached)
		netdev_detach(net->netdev);
	g_clear_pointer(&net->vhost, vhost_net_free);
	virtio_net_clear_data(net);
}

struct netdev *virtio_net_netdev(const struct device *device)
{
	return ((const struct virtio_net *)device)->netdev;
}

const struct receive_filter *virtio_net_filter(const struct device *device)
{
	struct virtio_net *net = (struct virtio_net *)device;

	/* Who asks knows; the next change is news again. */
	net->told_change = false;
	return &net->filter;
}

char *virtio_net_mac(const struct device *device)
{
	return mac_to_text(((const struct virtio_net *)device)->filter.mac);
}

static const struct pci_identity net_identity = {
	.vendor = 0x1af4,
	.device = 0x1041,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x020000,
	.revision = 1,
	.interrupt_pin = 1,
};

const struct device_class virtio_net_class = {
	.name = "virtio-net-pci",
	.description = "network card",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct virtio_net),
	.pci = &net_identity,
	.properties = net_properties,
	.realize = net_realize,
	.reset = virtio_device_reset,
	.unrealize = net_unrealize,
	.set_running = virtio_device_set_running,
};
