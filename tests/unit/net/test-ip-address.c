/* What -netdev user takes for networks and port forwardings. */
#include "vmm/net/ip-address.h"

#include <arpa/inet.h>
#include <string.h>

static const struct {
	const char *text;
	uint32_t address, mask; /* mask 0: refused */
} networks[] = {
	{ "10.0.2.0/24", 0x0a000200, 0xffffff00 },
	{ "192.168.76.9/255.255.255.0", 0xc0a84c09, 0xffffff00 },
	{ "10.1.1.1", 0x0a010101, 0xff000000 },
	{ "172.16.0.0", 0xac100000, 0xffff0000 },
	{ "192.168.1.0", 0xc0a80100, 0xffffff00 },
	{ "1.2.3.4/30", 0x01020304, 0xfffffffc },
	{ "" },
	{ "10.0.2" },
	{ "10.0.2.0/" },
	{ "10.0.2.0/0" },
	{ "10.0.2.0/31" },
	{ "10.0.2.0/-1" },
	{ "10.0.2.0/255.0.255.0" },
	{ "10.0.2.0/24 " },
	{ "256.0.0.1/8" },
};

static void test_networks(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(networks); i++) {
		struct ipv4_network network;
		bool good = ipv4_network_parse(networks[i].text, &network);

		g_test_message("%s", networks[i].text);
		g_assert_cmpint(good, ==, networks[i].mask != 0);
		if (!good)
			continue;
		g_assert_cmphex(ntohl(network.address.s_addr), ==, networks[i].address);
		g_assert_cmphex(ntohl(network.mask.s_addr), ==, networks[i].mask);
	}
}

static void test_inside(void)
{
	static const struct {
		const char *address;
		bool inside;
	} cases[] = {
		{ "10.0.2.1", true },
		{ "10.0.2.254", true },
		{ "10.0.2.0", false },
		{ "10.0.2.255", false },
		{ "10.0.3.1", false },
	};
	struct ipv4_network network;
	struct in_addr address;

	g_assert_true(ipv4_network_parse("10.0.2.0/24", &network));
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		inet_pton(AF_INET, cases[i].address, &address);
		g_assert_cmpint(ipv4_network_has(&network, address), ==, cases[i].inside);
	}
	g_assert_cmphex(ntohl(ipv4_network_address(&network, 15).s_addr), ==, 0x0a00020f);
}

static const struct {
	const char *text;
	bool good, udp;
	uint32_t host, guest;
	uint16_t host_port, guest_port;
} forwards[] = {
	{ "tcp::2222-:22", true, false, 0, 0, 2222, 22 },
	{ ":127.0.0.1:80-10.0.2.15:8080", true, false, 0x7f000001, 0x0a00020f, 80, 8080 },
	{ "udp:0.0.0.0:53-:5353", true, true, 0, 0, 53, 5353 },
	{ "tcp:22" },
	{ "tcp::22-22" },
	{ "sctp::22-:22" },
	{ "tcp::0-:22" },
	{ "tcp::65536-:22" },
	{ "tcp:localhost:22-:22" },
	{ "tcp::22-:22 " },
	{ "" },
	{ "-" },
	{ "::-:" },
};

static void test_forwards(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(forwards); i++) {
		struct host_forward forward;
		g_autoptr(GError) error = NULL;
		bool good = host_forward_parse(forwards[i].text, &forward, &error);

		g_test_message("%s", forwards[i].text);
		g_assert_cmpint(good, ==, forwards[i].good);
		if (!good) {
			g_assert_nonnull(strstr(error->message, "tcp:127.0.0.1:2222-:22"));
			continue;
		}
		g_assert_cmpint(forward.udp, ==, forwards[i].udp);
		g_assert_cmphex(ntohl(forward.host.s_addr), ==, forwards[i].host);
		g_assert_cmphex(ntohl(forward.guest.s_addr), ==, forwards[i].guest);
		g_assert_cmpuint(forward.host_port, ==, forwards[i].host_port);
		g_assert_cmpuint(forward.guest_port, ==, forwards[i].guest_port);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ip-address/networks", test_networks);
	g_test_add_func("/ip-address/inside", test_inside);
	g_test_add_func("/ip-address/forwards", test_forwards);
	return g_test_run();
}
