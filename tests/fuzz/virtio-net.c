/* What a guest may do to a network card, while frames come in. */
#include "tests/fuzz/virtio-fuzz.h"
#include "tests/unit/virtio/fake-network.h"
#include "vmm/virtio/virtio-net.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void host(struct virtio_fuzz *fuzz, struct reader *in)
{
	struct netdev *netdev = fuzz->vm->machine.netdevs->pdata[0];
	uint8_t what = reader_u8(in), frame[FAKE_FRAME_MAX] = { 0 };

	if (what == 0xff) {
		g_mutex_lock(&fuzz->vm->machine.lock);
		netdev_set_link(netdev, !netdev_link_is_up(netdev));
		g_mutex_unlock(&fuzz->vm->machine.lock);
		return;
	}
	reader_copy(in, frame, MIN(reader_left(in), 16));
	fake_network_receive((struct fake_network *)netdev, frame, 14 + what * 8);
	fake_network_settle((struct fake_network *)netdev);
}

static void *add_network(struct virtio_machine *vm)
{
	return fake_network_new(vm);
}

static void remove_network(void *network)
{
	fake_network_free(network);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const char *const properties[] = { "packed", "on", "netdev", "lan", NULL };
	struct virtio_fuzz fuzz = { .add_around = add_network, .remove_around = remove_network };

	virtio_fuzz_run(&fuzz, &virtio_net_class, properties, NULL, host, bytes, length);
	return 0;
}
