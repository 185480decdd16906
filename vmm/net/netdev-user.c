/* A network of the guest's own behind the user's sockets: libslirp.
 *
 * The guest finds a gateway, a DHCP server and a name server there, as under QEMU: 10.0.2.2, 10.0.2.3 and itself at
 * 10.0.2.15. Everything of libslirp happens on the network's thread.
 */
#include <arpa/inet.h>
#include <libslirp.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/log.h"
#include "vmm/net/ip-address.h"
#include "vmm/net/netdev-private.h"
#include "vmm/options/options.h"

enum {
	HOST_NUMBER = 2,
	NAME_SERVER_NUMBER = 3,
	FIRST_GUEST_NUMBER = 15,
	PREFIX_LENGTH = 64,
	COMPLAINTS_MAX = 8,
	SLIRP_CONFIG = 4,
};

#define STANDARD_NETWORK "10.0.2.0/24"
#define STANDARD_PREFIX  "fec0::"

struct netdev_user {
	struct netdev netdev;
	struct ipv4_network network;
	bool restricted;
	Slirp *slirp;
	GSource *sockets;
	unsigned complaints;
};

/* One source for all sockets of libslirp, whose number changes from turn to turn. */
struct socket_source {
	GSource source;
	struct netdev_user *user;
	GArray *polls; /* of GPollFD */
};

struct timer {
	struct netdev_user *user;
	GSource *source;
	SlirpTimerId id;
	void *data;
};

static const char *const keys[] = {
	"net",
	"host",
	"dhcpstart",
	"dns",
	"hostname",
	"domainname",
	"restrict",
	"ipv4",
	"ipv6",
	"ipv6-prefix",
	"ipv6-host",
	"ipv6-dns",
	"tftp",
	"bootfile",
	"hostfwd",
	NULL,
};

/* What libslirp calls */

static ssize_t deliver(const void *bytes, size_t length, void *opaque)
{
	struct netdev_user *user = opaque;
	uint8_t frame[NETDEV_HEADER + 65536] = { 0 };

	if (length > sizeof(frame) - NETDEV_HEADER)
		return length;
	/* num_buffers is the card's business. */
	memcpy(frame + NETDEV_HEADER, bytes, length);
	netdev_deliver(&user->netdev, frame, NETDEV_HEADER + length);
	return length;
}

static void complain(const char *message, void *opaque)
{
	struct netdev_user *user = opaque;

	log_limited(&user->complaints, COMPLAINTS_MAX, "-netdev user,id=%s: %s", user->netdev.id,
		message);
}

static int64_t now(void *opaque)
{
	return g_get_monotonic_time() * 1000;
}

static gboolean timer_ends(gpointer opaque)
{
	struct timer *timer = opaque;

	g_source_set_ready_time(timer->source, -1);
	slirp_handle_timer(timer->user->slirp, timer->id, timer->data);
	return G_SOURCE_CONTINUE;
}

static gboolean dispatch_timer(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs timer_funcs = { .dispatch = dispatch_timer };

static void *timer_new(SlirpTimerId id, void *data, void *opaque)
{
	struct netdev_user *user = opaque;
	struct timer *timer = g_new0(struct timer, 1);

	timer->user = user;
	timer->id = id;
	timer->data = data;
	timer->source = g_source_new(&timer_funcs, sizeof(GSource));
	g_source_set_callback(timer->source, timer_ends, timer, NULL);
	g_source_attach(timer->source, user->netdev.context);
	return timer;
}

static void timer_free(void *opaque, void *user)
{
	struct timer *timer = opaque;

	g_source_destroy(timer->source);
	g_source_unref(timer->source);
	g_free(timer);
}

/* @expires: milliseconds of the clock of now(). */
static void timer_set(void *opaque, int64_t expires, void *user)
{
	struct timer *timer = opaque;

	g_source_set_ready_time(timer->source, expires * 1000);
}

static void watch_socket(int fd, void *opaque)
{
}

static void notify(void *opaque)
{
	struct netdev_user *user = opaque;

	g_main_context_wakeup(user->netdev.context);
}

static const SlirpCb callbacks = {
	.send_packet = deliver,
	.guest_error = complain,
	.clock_get_ns = now,
	.timer_free = timer_free,
	.timer_mod = timer_set,
	.register_poll_fd = watch_socket,
	.unregister_poll_fd = watch_socket,
	.notify = notify,
	.timer_new_opaque = timer_new,
};

/* Sockets */

static const struct {
	int slirp;
	gushort poll;
} poll_bits[] = {
	{ SLIRP_POLL_IN, G_IO_IN },
	{ SLIRP_POLL_OUT, G_IO_OUT },
	{ SLIRP_POLL_PRI, G_IO_PRI },
	{ SLIRP_POLL_ERR, G_IO_ERR },
	{ SLIRP_POLL_HUP, G_IO_HUP },
};

static int add_poll(int fd, int events, void *opaque)
{
	struct socket_source *source = opaque;
	GPollFD poll = { .fd = fd };

	for (size_t i = 0; i < G_N_ELEMENTS(poll_bits); i++)
		if (events & poll_bits[i].slirp)
			poll.events |= poll_bits[i].poll;
	g_array_append_val(source->polls, poll);
	return source->polls->len - 1;
}

static int poll_result(int index, void *opaque)
{
	const struct socket_source *source = opaque;
	int events = 0;

	if (index < 0 || (guint)index >= source->polls->len)
		return 0;
	for (size_t i = 0; i < G_N_ELEMENTS(poll_bits); i++)
		if (g_array_index(source->polls, GPollFD, index).revents & poll_bits[i].poll)
			events |= poll_bits[i].slirp;
	return events;
}

static void forget_polls(struct socket_source *source)
{
	for (guint i = 0; i < source->polls->len; i++)
		g_source_remove_poll(&source->source, &g_array_index(source->polls, GPollFD, i));
	g_array_set_size(source->polls, 0);
}

static gboolean prepare_sockets(GSource *base, gint *timeout)
{
	struct socket_source *source = (struct socket_source *)base;
	uint32_t wait = UINT32_MAX;

	forget_polls(source);
	slirp_pollfds_fill(source->user->slirp, &wait, add_poll, source);
	/* Only now: the array moves while it grows. */
	for (guint i = 0; i < source->polls->len; i++)
		g_source_add_poll(base, &g_array_index(source->polls, GPollFD, i));
	*timeout = wait == UINT32_MAX ? -1 : (gint)MIN(wait, (uint32_t)G_MAXINT);
	return FALSE;
}

/* Always: libslirp's TCP timers count turns of its own as well. */
static gboolean check_sockets(GSource *base)
{
	return TRUE;
}

static gboolean serve_sockets(GSource *base, GSourceFunc callback, gpointer data)
{
	struct socket_source *source = (struct socket_source *)base;

	slirp_pollfds_poll(source->user->slirp, 0, poll_result, source);
	return G_SOURCE_CONTINUE;
}

static void finish_sockets(GSource *base)
{
	g_array_unref(((struct socket_source *)base)->polls);
}

static GSourceFuncs socket_funcs = {
	.prepare = prepare_sockets,
	.check = check_sockets,
	.dispatch = serve_sockets,
	.finalize = finish_sockets,
};

/* Options */

static bool parse_address(const struct option_set *set, const char *key,
	const struct ipv4_network *network, struct in_addr *address, GError **error)
{
	const char *text = option_set_get(set, key);
	char first[INET_ADDRSTRLEN], last[INET_ADDRSTRLEN];
	struct in_addr low = ipv4_network_address(network, 1);
	struct in_addr high = ipv4_network_address(network, UINT32_MAX - 1);

	if (!text ||
		(inet_pton(AF_INET, text, address) == 1 && ipv4_network_has(network, *address)))
		return true;
	inet_ntop(AF_INET, &low, first, sizeof(first));
	inet_ntop(AF_INET, &high, last, sizeof(last));
	return fail(error, VITRINE_ERROR_INPUT,
		"%s=%s is not accepted; accepted: an address of the network, from %s to %s", key,
		text, first, last);
}

static bool parse_address6(
	const struct option_set *set, const char *key, struct in6_addr *address, GError **error)
{
	const char *text = option_set_get(set, key);
	const char *slash = text ? strchr(text, '/') : NULL;
	g_autofree char *host = slash ? g_strndup(text, slash - text) : g_strdup(text);

	if (!text || inet_pton(AF_INET6, host, address) == 1)
		return true;
	return fail(error, VITRINE_ERROR_INPUT, "%s=%s is not accepted; accepted: an IPv6 address",
		key, text);
}

static bool fill_ipv6(const struct option_set *set, SlirpConfig *config, GError **error)
{
	config->in6_enabled = option_set_bool(set, "ipv6", true);
	inet_pton(AF_INET6, STANDARD_PREFIX, &config->vprefix_addr6);
	if (!parse_address6(set, "ipv6-prefix", &config->vprefix_addr6, error))
		return false;
	config->vprefix_len = PREFIX_LENGTH;
	config->vhost6 = config->vprefix_addr6;
	config->vhost6.s6_addr[15] |= HOST_NUMBER;
	config->vnameserver6 = config->vprefix_addr6;
	config->vnameserver6.s6_addr[15] |= NAME_SERVER_NUMBER;
	return parse_address6(set, "ipv6-host", &config->vhost6, error) &&
	       parse_address6(set, "ipv6-dns", &config->vnameserver6, error);
}

static bool fill_config(const struct option_set *set, struct ipv4_network *network,
	SlirpConfig *config, GError **error)
{
	const char *net = option_set_get(set, "net");

	if (!ipv4_network_parse(net ? net : STANDARD_NETWORK, network))
		return fail(error, VITRINE_ERROR_INPUT,
			"net=%s is not accepted; accepted: ADDRESS/BITS, as in " STANDARD_NETWORK,
			net);
	*config = (SlirpConfig) {
		.version = SLIRP_CONFIG,
		.restricted = option_set_bool(set, "restrict", false),
		.in_enabled = option_set_bool(set, "ipv4", true),
		.vnetwork = ipv4_network_address(network, 0),
		.vnetmask = network->mask,
		.vhost = ipv4_network_address(network, HOST_NUMBER),
		.vnameserver = ipv4_network_address(network, NAME_SERVER_NUMBER),
		.vdhcp_start = ipv4_network_address(network, FIRST_GUEST_NUMBER),
		.vhostname = option_set_get(set, "hostname"),
		.vdomainname = option_set_get(set, "domainname"),
		.tftp_path = option_set_get(set, "tftp"),
		.bootfile = option_set_get(set, "bootfile"),
	};
	return parse_address(set, "host", network, &config->vhost, error) &&
	       parse_address(set, "dns", network, &config->vnameserver, error) &&
	       parse_address(set, "dhcpstart", network, &config->vdhcp_start, error) &&
	       fill_ipv6(set, config, error);
}

static bool user_check(const struct option_set *set, GError **error)
{
	struct ipv4_network network;
	struct host_forward forward;
	SlirpConfig config;

	for (guint i = 0; i < set->count; i++)
		if (strcmp(set->values[i].key, "hostfwd") == 0 &&
			!host_forward_parse(set->values[i].text, &forward, error))
			return false;
	return fill_config(set, &network, &config, error);
}

static bool add_forward(struct netdev_user *user, const char *text, GError **error)
{
	struct host_forward forward;

	if (!host_forward_parse(text, &forward, error))
		return false;
	if (slirp_add_hostfwd(user->slirp, forward.udp, forward.host, forward.host_port,
		    forward.guest, forward.guest_port) == 0)
		return true;
	return fail_errno(error, VITRINE_ERROR_HOST, "hostfwd=%s: cannot listen there", text);
}

static bool user_open(struct netdev *netdev, const struct option_set *set, GError **error)
{
	struct netdev_user *user = (struct netdev_user *)netdev;
	struct socket_source *source;
	SlirpConfig config;

	if (!fill_config(set, &user->network, &config, error))
		return false;
	user->restricted = config.restricted;
	user->slirp = slirp_new(&config, &callbacks, user);
	if (!user->slirp)
		return fail(error, VITRINE_ERROR_HOST, "libslirp %s takes no such network",
			slirp_version_string());
	for (guint i = 0; i < set->count; i++)
		if (strcmp(set->values[i].key, "hostfwd") == 0 &&
			!add_forward(user, set->values[i].text, error))
			return false;
	user->sockets = g_source_new(&socket_funcs, sizeof(struct socket_source));
	source = (struct socket_source *)user->sockets;
	source->user = user;
	source->polls = g_array_new(FALSE, TRUE, sizeof(GPollFD));
	g_source_attach(user->sockets, netdev->context);
	return true;
}

static void user_close(struct netdev *netdev)
{
	struct netdev_user *user = (struct netdev_user *)netdev;

	if (user->sockets) {
		forget_polls((struct socket_source *)user->sockets);
		g_source_destroy(user->sockets);
		g_source_unref(user->sockets);
	}
	if (user->slirp)
		slirp_cleanup(user->slirp);
}

static void user_send(struct netdev *netdev, const struct iovec *pieces, unsigned count)
{
	struct netdev_user *user = (struct netdev_user *)netdev;
	uint8_t frame[NETDEV_FRAME_MAX];
	size_t length = 0, skip = NETDEV_HEADER;

	for (unsigned i = 0; i < count; i++) {
		size_t skipped = MIN(skip, pieces[i].iov_len);
		size_t piece = pieces[i].iov_len - skipped;

		skip -= skipped;
		if (piece > sizeof(frame) - length)
			return;
		memcpy(frame + length, (const uint8_t *)pieces[i].iov_base + skipped, piece);
		length += piece;
	}
	slirp_input(user->slirp, frame, length);
}

static char *user_describe(const struct netdev *netdev)
{
	const struct netdev_user *user = (const struct netdev_user *)netdev;
	char address[INET_ADDRSTRLEN], mask[INET_ADDRSTRLEN];
	struct in_addr first = ipv4_network_address(&user->network, 0);

	inet_ntop(AF_INET, &first, address, sizeof(address));
	inet_ntop(AF_INET, &user->network.mask, mask, sizeof(mask));
	return g_strdup_printf(
		"type=user,net=%s/%s,restrict=%s", address, mask, user->restricted ? "on" : "off");
}

const struct netdev_kind netdev_user = {
	.name = "user",
	.size = sizeof(struct netdev_user),
	.keys = keys,
	.check = user_check,
	.open = user_open,
	.close = user_close,
	.send = user_send,
	.describe = user_describe,
};
