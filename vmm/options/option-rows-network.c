/* Options for networks. */
#include "vmm/options/option-rows.h"

static const char *const netdev_types[] = { "user", "tap", NULL };
static const char *const nic_types[] = { "user", "tap", "none", NULL };

/* What both -netdev and -nic take. */
#define NETDEV_KEYS \
	{ "net", OPTION_STRING, "user: the guest's network (default: 10.0.2.0/24)" }, \
		{ "host", OPTION_STRING, \
			"user: address of the gateway, the second of the network" }, \
		{ "dhcpstart", OPTION_STRING, "user: first address that DHCP gives, the 15th" }, \
		{ "dns", OPTION_STRING, "user: address of the name server, the third" }, \
		{ "hostname", OPTION_STRING, "user: the guest's name in DHCP" }, \
		{ "domainname", OPTION_STRING, "user: its domain" }, \
		{ "restrict", OPTION_BOOL, \
			"user: the guest reaches nothing outside; hostfwd still works" }, \
		{ "ipv4", OPTION_BOOL, "user: IPv4 is there (default: on)" }, \
		{ "ipv6", OPTION_BOOL, "user: IPv6 is there (default: on)" }, \
		{ "ipv6-prefix", OPTION_STRING, "user: network of 64 bits (default: fec0::)" }, \
		{ "ipv6-host", OPTION_STRING, "user: address of the gateway" }, \
		{ "ipv6-dns", OPTION_STRING, "user: address of the name server" }, \
		{ "tftp", OPTION_STRING, "user: folder that a TFTP server shows" }, \
		{ "bootfile", OPTION_STRING, "user: file that DHCP names for booting" }, \
		{ "hostfwd", OPTION_STRING, \
			"user: [tcp|udp]:[ADDRESS]:PORT-[ADDRESS]:PORT, a port of the " \
			"host that leads to the guest; may be repeated", \
			.repeats = true }, \
		{ "ifname", OPTION_STRING, \
			"tap: name of the device (default: the next that is free)" }, \
		{ "fd", OPTION_NUMBER, "tap: number of an open descriptor", \
			.maximum = INT32_MAX }, \
		{ "script", OPTION_STRING, \
			"tap: program that is run with the device's name when it is " \
			"there; no: none (default)" }, \
		{ "downscript", OPTION_STRING, "tap: the same before it goes away" }, \
		{ "vhost", OPTION_BOOL, "tap: let the kernel move the frames (vhost-net)" }, \
		{ "vhostforce", OPTION_BOOL, "tap: refuse to start without vhost-net" }, \
	{ \
		"sndbuf", OPTION_SIZE, "tap: bytes that may wait for the host", \
			.maximum = INT32_MAX \
	}

static const struct option_key netdev_keys[] = {
	{ "type", OPTION_CHOICE, "user: behind this user's sockets; tap: a tap device",
		.required = true, .choices = netdev_types },
	NETDEV_KEYS,
	{},
};

static const struct option_key nic_keys[] = {
	{ "type", OPTION_CHOICE, "as of -netdev; none: no card", .required = true,
		.choices = nic_types },
	{ "model", OPTION_STRING, "the card: virtio-net-pci" },
	{ "mac", OPTION_STRING, "address of the card" },
	{ "addr", OPTION_STRING, "place of the card on its bus" },
	{ "bus", OPTION_STRING, "bus of the card" },
	{ "romfile", OPTION_STRING, "option ROM of the card", .may_be_empty = true },
	{ "bootindex", OPTION_NUMBER, "place of the card in the boot order", .maximum = INT32_MAX },
	NETDEV_KEYS,
	{},
};

const struct option_spec option_rows_network[] = {
	{ "netdev", .group = "netdev", .implied = "type", .many = true, .has_id = true,
		.requires_id = true, .json = true, .keys = netdev_keys,
		.argument = "user|tap,id=ID[,KEY=VALUE]...",
		.description = "network for a card to be connected to (-device "
			       "virtio-net-pci,netdev=ID)",
		.section = "Networks" },
	{ "nic", .group = "nic", .implied = "type", .many = true, .has_id = true, .keys = nic_keys,
		.argument = "user|tap|none[,model=virtio-net-pci][,mac=ADDRESS][,KEY=VALUE]...",
		.description = "a network and a card on it in one" },
	{},
};
