/* Addresses, networks and port forwardings of user networks. */
#include "vmm/net/ip-address.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/error.h"
#include "vmm/options/values.h"

/* Masks without one: those of the classes A to C. */
static uint32_t class_mask(uint32_t address)
{
	if (!(address >> 31))
		return 0xff000000;
	return address >> 30 == 2 ? 0xffff0000 : 0xffffff00;
}

static bool parse_mask(const char *text, uint32_t *mask)
{
	struct in_addr address;
	uint64_t bits;

	if (value_parse_number(text, &bits)) {
		if (bits == 0 || bits > 30)
			return false;
		*mask = ~UINT32_C(0) << (32 - bits);
		return true;
	}
	if (inet_pton(AF_INET, text, &address) != 1)
		return false;
	*mask = ntohl(address.s_addr);
	/* Ones, then zeros. */
	return *mask != 0 && (~*mask & (~*mask + 1)) == 0;
}

bool ipv4_network_parse(const char *text, struct ipv4_network *network)
{
	const char *slash = strchr(text, '/');
	g_autofree char *address = g_strndup(text, slash ? slash - text : (gssize)strlen(text));
	uint32_t mask;

	if (inet_pton(AF_INET, address, &network->address) != 1)
		return false;
	mask = class_mask(ntohl(network->address.s_addr));
	if (slash && !parse_mask(slash + 1, &mask))
		return false;
	network->mask.s_addr = htonl(mask);
	return true;
}

bool ipv4_network_has(const struct ipv4_network *network, struct in_addr address)
{
	uint32_t mask = ntohl(network->mask.s_addr);
	uint32_t inside = ntohl(address.s_addr) & ~mask;

	return (address.s_addr & network->mask.s_addr) ==
		       (network->address.s_addr & network->mask.s_addr) &&
	       inside != 0 && inside != ~mask;
}

struct in_addr ipv4_network_address(const struct ipv4_network *network, uint32_t number)
{
	uint32_t mask = ntohl(network->mask.s_addr);
	uint32_t base = ntohl(network->address.s_addr) & mask;

	return (struct in_addr) { .s_addr = htonl(base | (number & ~mask)) };
}

/* "[ADDRESS]:PORT" */
static bool parse_end(const char *text, struct in_addr *address, uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	g_autofree char *host = colon ? g_strndup(text, colon - text) : NULL;
	uint64_t number;

	if (!colon || !value_parse_number(colon + 1, &number) || number == 0 || number > UINT16_MAX)
		return false;
	*port = number;
	address->s_addr = 0;
	return host[0] == '\0' || inet_pton(AF_INET, host, address) == 1;
}

static bool parse_protocol(const char *text, size_t length, bool *udp)
{
	*udp = length == 3 && strncmp(text, "udp", 3) == 0;
	return *udp || length == 0 || (length == 3 && strncmp(text, "tcp", 3) == 0);
}

bool host_forward_parse(const char *text, struct host_forward *forward, GError **error)
{
	const char *colon = strchr(text, ':');
	const char *dash = colon ? strchr(colon, '-') : NULL;
	g_autofree char *host = dash ? g_strndup(colon + 1, dash - colon - 1) : NULL;

	if (dash && parse_protocol(text, colon - text, &forward->udp) &&
		parse_end(host, &forward->host, &forward->host_port) &&
		parse_end(dash + 1, &forward->guest, &forward->guest_port))
		return true;
	return fail(error, VITRINE_ERROR_INPUT,
		"hostfwd=%s is not accepted; accepted: "
		"[tcp|udp]:[HOST-ADDRESS]:PORT-[GUEST-ADDRESS]"
		":PORT, as in tcp:127.0.0.1:2222-:22",
		text);
}
