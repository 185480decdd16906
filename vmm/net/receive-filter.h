/* Which frames a network card takes: addresses, broadcasts, groups, VLANs.
 *
 * Specification: virtio 1.2 section 5.1.6.5.1 to 5.1.6.5.4; IEEE 802.1Q for the tag.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MAC_LENGTH = 6,
	RECEIVE_FILTER_MAX = 64, /* addresses of a kind; with more, all of that kind are taken */
	RECEIVE_FILTER_VLANS = 4096,
};

/* "52:54:00:12:34:56", to be freed. */
char *mac_to_text(const uint8_t mac[MAC_LENGTH]);

struct receive_filter {
	uint8_t mac[MAC_LENGTH];
	bool promiscuous, all_groups, all_units, no_groups, no_units, no_broadcast;
	unsigned unit_count, group_count;
	bool unit_overflow, group_overflow;
	uint8_t units[RECEIVE_FILTER_MAX][MAC_LENGTH], groups[RECEIVE_FILTER_MAX][MAC_LENGTH];
	bool filters_vlans;
	uint32_t vlans[RECEIVE_FILTER_VLANS / 32];
};

/* As at reset: its own address, broadcasts; everything until the driver says otherwise. */
void receive_filter_reset(struct receive_filter *filter, const uint8_t mac[MAC_LENGTH]);

/* Whether a frame (from its destination address on) is taken. Pure. */
bool receive_filter_takes(const struct receive_filter *filter, const uint8_t *frame, size_t length);

bool receive_filter_has_vlan(const struct receive_filter *filter, unsigned vlan);
void receive_filter_set_vlan(struct receive_filter *filter, unsigned vlan, bool on);
