/* A network for tests of cards. */
#include "tests/unit/virtio/fake-network.h"

#include <string.h>

#include "vmm/options/options.h"

static const char *const no_keys[] = { NULL };

static bool check(const struct option_set *set, GError **error)
{
	return true;
}

static bool open_network(struct netdev *netdev, const struct option_set *set, GError **error)
{
	((struct fake_network *)netdev)->sent = g_byte_array_new();
	return true;
}

static void close_network(struct netdev *netdev)
{
	g_byte_array_unref(((struct fake_network *)netdev)->sent);
}

static void send_frame(struct netdev *netdev, const struct iovec *pieces, unsigned count)
{
	struct fake_network *network = (struct fake_network *)netdev;

	for (unsigned i = 0; i < count && network->sent->len < FAKE_SENT_MAX; i++)
		g_byte_array_append(network->sent, pieces[i].iov_base, pieces[i].iov_len);
	network->frames++;
}

static void resume(struct netdev *netdev)
{
	((struct fake_network *)netdev)->resumed++;
}

static struct netdev_offloads offloads(const struct netdev *netdev)
{
	return (struct netdev_offloads) { true, true, true, true };
}

static void set_offloads(struct netdev *netdev, const struct netdev_offloads *value)
{
	((struct fake_network *)netdev)->offloads = *value;
}

const struct netdev_kind netdev_user = {
	.name = "user",
	.size = sizeof(struct fake_network),
	.keys = no_keys,
	.check = check,
	.open = open_network,
	.close = close_network,
	.send = send_frame,
	.resume = resume,
	.offloads = offloads,
	.set_offloads = set_offloads,
};

const struct netdev_kind netdev_tap = {
	.name = "tap",
	.keys = no_keys,
};

const char *option_set_get(const struct option_set *set, const char *key)
{
	return strcmp(key, "type") == 0 ? "user" : NULL;
}

struct fake_network *fake_network_new(struct virtio_machine *vm)
{
	struct option_set set = { .id = (char *)"lan", .origin = (char *)"-netdev" };
	struct netdev *netdev = netdev_new(&set, NULL);

	vm->machine.netdevs = g_ptr_array_new();
	g_ptr_array_add(vm->machine.netdevs, netdev);
	return (struct fake_network *)netdev;
}

void fake_network_free(struct fake_network *network)
{
	netdev_free(&network->netdev);
}

/* On the network's thread. */
struct delivery {
	struct netdev *netdev;
	uint8_t bytes[NETDEV_HEADER + FAKE_FRAME_MAX];
	size_t length;
	bool taken;
};

static void deliver(void *opaque)
{
	struct delivery *delivery = opaque;

	delivery->taken = netdev_deliver(delivery->netdev, delivery->bytes, delivery->length);
}

bool fake_network_receive(struct fake_network *network, const uint8_t *bytes, size_t length)
{
	struct delivery delivery = { .netdev = &network->netdev, .length = NETDEV_HEADER + length };

	g_assert_cmpuint(length, <=, FAKE_FRAME_MAX);
	memcpy(delivery.bytes + NETDEV_HEADER, bytes, length);
	netdev_call(&network->netdev, deliver, &delivery);
	return delivery.taken;
}

/* The thread has nothing that is more urgent to do, as it last looked. */
struct lull {
	GMutex lock;
	GCond came;
	bool has_come;
};

static gboolean tell_lull(gpointer opaque)
{
	struct lull *lull = opaque;

	g_mutex_lock(&lull->lock);
	lull->has_come = true;
	g_cond_signal(&lull->came);
	g_mutex_unlock(&lull->lock);
	return G_SOURCE_REMOVE;
}

static void wait_for_lull(GMainContext *context)
{
	struct lull lull = { 0 };
	GSource *source = g_idle_source_new();

	g_mutex_init(&lull.lock);
	g_cond_init(&lull.came);
	g_source_set_priority(source, G_PRIORITY_LOW);
	g_source_set_callback(source, tell_lull, &lull, NULL);
	g_source_attach(source, context);
	g_source_unref(source);
	g_mutex_lock(&lull.lock);
	while (!lull.has_come)
		g_cond_wait(&lull.came, &lull.lock);
	g_mutex_unlock(&lull.lock);
	g_mutex_clear(&lull.lock);
	g_cond_clear(&lull.came);
}

void fake_network_settle(struct fake_network *network)
{
	/* The first may come in a turn that looked at the queues before the kick; the second cannot. */
	for (unsigned i = 0; i < 2; i++)
		wait_for_lull(network->netdev.context);
}
