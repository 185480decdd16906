/* Which frames a network card takes. */
#include "vmm/net/receive-filter.h"

#include <glib.h>
#include <string.h>

enum {
	ADDRESSES = 2 * MAC_LENGTH,
	TAG_END = ADDRESSES + 4,
	TAG_HIGH = 0x81, /* 0x8100, the type of a tagged frame */
	GROUP_BIT = 0x01,
};

char *mac_to_text(const uint8_t mac[MAC_LENGTH])
{
	return g_strdup_printf(
		"%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

void receive_filter_reset(struct receive_filter *filter, const uint8_t mac[MAC_LENGTH])
{
	*filter = (struct receive_filter) { .promiscuous = true };
	memcpy(filter->mac, mac, MAC_LENGTH);
}

bool receive_filter_has_vlan(const struct receive_filter *filter, unsigned vlan)
{
	return filter->vlans[vlan / 32] >> vlan % 32 & 1;
}

void receive_filter_set_vlan(struct receive_filter *filter, unsigned vlan, bool on)
{
	if (on)
		filter->vlans[vlan / 32] |= UINT32_C(1) << vlan % 32;
	else
		filter->vlans[vlan / 32] &= ~(UINT32_C(1) << vlan % 32);
}

static bool takes_vlan(const struct receive_filter *filter, const uint8_t *frame, size_t length)
{
	if (!filter->filters_vlans || length < TAG_END || frame[ADDRESSES] != TAG_HIGH ||
		frame[ADDRESSES + 1] != 0)
		return true;
	return receive_filter_has_vlan(
		filter, (frame[ADDRESSES + 2] << 8 | frame[ADDRESSES + 3]) & 0xfff);
}

static bool is_listed(
	const uint8_t list[][MAC_LENGTH], unsigned count, const uint8_t address[MAC_LENGTH])
{
	for (unsigned i = 0; i < count; i++)
		if (memcmp(list[i], address, MAC_LENGTH) == 0)
			return true;
	return false;
}

static bool takes_group(const struct receive_filter *filter, const uint8_t *address)
{
	static const uint8_t broadcast[MAC_LENGTH] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (memcmp(address, broadcast, MAC_LENGTH) == 0)
		return !filter->no_broadcast;
	if (filter->no_groups)
		return false;
	return filter->all_groups || filter->group_overflow ||
	       is_listed(filter->groups, filter->group_count, address);
}

static bool takes_unit(const struct receive_filter *filter, const uint8_t *address)
{
	if (filter->no_units)
		return false;
	return filter->all_units || filter->unit_overflow ||
	       memcmp(address, filter->mac, MAC_LENGTH) == 0 ||
	       is_listed(filter->units, filter->unit_count, address);
}

bool receive_filter_takes(const struct receive_filter *filter, const uint8_t *frame, size_t length)
{
	if (length < ADDRESSES)
		return false;
	if (filter->promiscuous)
		return true;
	if (!takes_vlan(filter, frame, length))
		return false;
	return frame[0] & GROUP_BIT ? takes_group(filter, frame) : takes_unit(filter, frame);
}
