/* The monitor's view of networks. */
#include "vmm/control/hmp.h"
#include "vmm/machine/machine.h"
#include "vmm/net/netdev.h"
#include "vmm/virtio/virtio-net.h"

static const struct device *card_of(const struct machine *machine, const struct netdev *netdev)
{
	for (guint i = 0; i < machine->devices->len; i++) {
		const struct device *device = machine->devices->pdata[i];

		if (device->class == &virtio_net_class && virtio_net_netdev(device) == netdev)
			return device;
	}
	return NULL;
}

/* A card and the network behind it, or a network alone. */
static void info_network(struct hmp_call *call)
{
	struct machine *machine = call->context->machine;

	g_mutex_lock(&machine->lock);
	for (guint i = 0; machine->netdevs && i < machine->netdevs->len; i++) {
		const struct netdev *netdev = machine->netdevs->pdata[i];
		const struct device *card = card_of(machine, netdev);
		g_autofree char *text = netdev_describe(netdev);

		if (card) {
			g_autofree char *mac = virtio_net_mac(card);

			g_string_append_printf(call->out,
				"%s: index=0,type=nic,model=%s,macaddr=%s,link=%s\n \\ ",
				card->id ? card->id : card->class->name, card->class->name, mac,
				netdev_link_is_up(netdev) ? "up" : "down");
		}
		g_string_append_printf(call->out, "%s: index=0,%s\n", netdev_id(netdev), text);
	}
	g_mutex_unlock(&machine->lock);
}

const struct hmp_command hmp_info_network[] = {
	{ "network", .help = "show the network state", .run = info_network },
	{},
};
