/* A network for tests of cards: what is sent is kept, what comes in is the test's. It is the machine's only one, "lan". */
#pragma once

#include "tests/unit/virtio/virtio-machine.h"
#include "vmm/net/netdev-private.h"

enum {
	FAKE_FRAME_MAX = 4096,   /* bytes, without the header */
	FAKE_SENT_MAX = 1 << 20, /* bytes that are kept */
};

struct fake_network {
	struct netdev netdev;
	GByteArray *sent; /* frames with their headers, one after the other */
	unsigned frames, resumed;
	struct netdev_offloads offloads;
};

/* Made before the card, freed after the machine. */
struct fake_network *fake_network_new(struct virtio_machine *vm);
void fake_network_free(struct fake_network *network);

/* A frame of @length bytes, FAKE_FRAME_MAX at most, comes in. False when too many wait. */
bool fake_network_receive(struct fake_network *network, const uint8_t *bytes, size_t length);

/* Returns once the network's thread has done all that was there to do. Without the lock. */
void fake_network_settle(struct fake_network *network);
