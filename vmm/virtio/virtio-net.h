/* virtio-net-pci: a network card. Specification: virtio 1.2 section 5.1. */
#pragma once

#include "vmm/device.h"
#include "vmm/net/receive-filter.h"

extern const struct device_class virtio_net_class;

struct netdev;

/* The network that a card is on, and what it takes from it (main loop, machine's lock). */
struct netdev *virtio_net_netdev(const struct device *device);
const struct receive_filter *virtio_net_filter(const struct device *device);
/* "52:54:00:12:34:56", to be freed. */
char *virtio_net_mac(const struct device *device);
