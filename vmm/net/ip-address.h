/* Addresses, networks and port forwardings as -netdev user has them. Pure functions. */
#pragma once

#include <glib.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct ipv4_network {
	struct in_addr address; /* as it was written */
	struct in_addr mask;
};

/* "10.0.2.0/24", "10.0.2.0/255.255.255.0" or "10.0.2.0" (then the mask is that of its class). */
bool ipv4_network_parse(const char *text, struct ipv4_network *network);

/* An address inside a network, neither its first nor its last. */
bool ipv4_network_has(const struct ipv4_network *network, struct in_addr address);
/* The address with this number in the network: 10.0.2.0/24 and 15 make 10.0.2.15. */
struct in_addr ipv4_network_address(const struct ipv4_network *network, uint32_t number);

/* A port of the host that leads to one of the guest. */
struct host_forward {
	bool udp;
	struct in_addr host; /* zero: any */
	uint16_t host_port;
	struct in_addr guest; /* zero: the first that DHCP gives */
	uint16_t guest_port;
};

/**
 * host_forward_parse - "[tcp|udp]:[HOST]:PORT-[GUEST]:PORT"
 *
 * Addresses are numbers; ports 1 to 65535. The error repeats the text and says what is accepted.
 */
bool host_forward_parse(const char *text, struct host_forward *forward, GError **error);
