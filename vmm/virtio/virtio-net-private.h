/* Inside virtio-net*.c: the card, its queues and the kernel's help with them. */
#pragma once

#include "vmm/net/netdev.h"
#include "vmm/net/receive-filter.h"
#include "vmm/virtio/virtio-pci.h"

enum {
	NET_RECEIVE = 0, /* numbers of the queues, section 5.1.2 */
	NET_TRANSMIT = 1,
	NET_CONTROL = 2,
	NET_DATA_QUEUES = 2,
	NET_MERGED_MAX = 64, /* buffers that one frame is spread over */
};

#define NET_FEATURE_CSUM                (UINT64_C(1) << 0)
#define NET_FEATURE_GUEST_CSUM          (UINT64_C(1) << 1)
#define NET_FEATURE_CTRL_GUEST_OFFLOADS (UINT64_C(1) << 2)
#define NET_FEATURE_MTU                 (UINT64_C(1) << 3)
#define NET_FEATURE_MAC                 (UINT64_C(1) << 5)
#define NET_FEATURE_GUEST_TSO4          (UINT64_C(1) << 7)
#define NET_FEATURE_GUEST_TSO6          (UINT64_C(1) << 8)
#define NET_FEATURE_GUEST_ECN           (UINT64_C(1) << 9)
#define NET_FEATURE_HOST_TSO4           (UINT64_C(1) << 11)
#define NET_FEATURE_HOST_TSO6           (UINT64_C(1) << 12)
#define NET_FEATURE_HOST_ECN            (UINT64_C(1) << 13)
#define NET_FEATURE_MRG_RXBUF           (UINT64_C(1) << 15)
#define NET_FEATURE_STATUS              (UINT64_C(1) << 16)
#define NET_FEATURE_CTRL_VQ             (UINT64_C(1) << 17)
#define NET_FEATURE_CTRL_RX             (UINT64_C(1) << 18)
#define NET_FEATURE_CTRL_VLAN           (UINT64_C(1) << 19)
#define NET_FEATURE_CTRL_RX_EXTRA       (UINT64_C(1) << 20)
#define NET_FEATURE_CTRL_MAC_ADDR       (UINT64_C(1) << 23)
#define NET_FEATURE_SPEED_DUPLEX        (UINT64_C(1) << 63)

struct virtio_net {
	struct virtio_device virtio;
	char *netdev_id, *mac_text;
	bool mrg_rxbuf, checksum, guest_checksum, segmentation, guest_segmentation, status_on;
	bool control, control_rx, control_vlan, control_mac;
	uint16_t mtu;
	uint32_t speed; /* Mbit/s; UINT32_MAX: unknown */
	uint32_t duplex;
	uint32_t queue_size_rx, queue_size_tx;

	struct netdev *netdev;
	struct vhost_net *vhost; /* NULL: the network's thread serves the queues */
	bool vhost_serves;
	bool attached;
	bool was_started; /* since the last reset */
	bool told_change; /* that the filter changed, and nobody asked since */
	uint8_t mac[MAC_LENGTH];
	struct receive_filter filter; /* as the driver set it; the main loop's */
	struct netdev_offloads guest_offloads;

	/* the network's thread, and only while it serves the queues */
	struct {
		bool serving;
		bool mergeable;
		struct receive_filter filter;
		GSource *receive_kick, *transmit_kick;
		struct virtqueue_element out;
		struct virtqueue_element in[NET_MERGED_MAX];
		unsigned complaints;
	} data;
};

/* A frame of the network: see struct netdev_front_ops. */
bool virtio_net_receive(void *front, const uint8_t *bytes, size_t length);

/* Queues: serving them on the network's thread, and no longer. With the lock. */
void virtio_net_start_data(struct virtio_net *net);
void virtio_net_stop_data(struct virtio_net *net);
/* The filter or the offloads are others: the thread uses them from now on. With the lock. */
void virtio_net_update_data(struct virtio_net *net);
void virtio_net_clear_data(struct virtio_net *net);

/* The control queue's kicked function. */
void virtio_net_serve_control(struct virtio_device *virtio, unsigned queue);
