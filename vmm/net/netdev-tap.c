/* A tap device of the host: the guest is one more machine on a bridge or a routed link.
 *
 * Specification: Linux Documentation/networking/tuntap.rst; frames carry a virtio-net header both ways (IFF_VNET_HDR).
 */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "vmm/net/netdev-private.h"
#include "vmm/options/options.h"

enum {
	FRAMES_AT_ONCE = 64, /* read in a row, before the guest's are looked at again */
};

struct netdev_tap {
	struct netdev netdev;
	char name[IFNAMSIZ];
	char *down_script;
	int fd;
	bool has_offloads, vhost, vhost_forced;
	bool kernel_reads; /* vhost-net does, not this thread */
	GSource *readable; /* NULL while the front end cannot take more, or the kernel reads */
};

static const char *const keys[] = {
	"ifname",
	"fd",
	"script",
	"downscript",
	"vhost",
	"vhostforce",
	"sndbuf",
	NULL,
};

static void watch(struct netdev_tap *tap);

static gboolean read_frames(gint fd, GIOCondition condition, gpointer opaque)
{
	struct netdev_tap *tap = opaque;
	uint8_t frame[NETDEV_FRAME_MAX];

	for (unsigned i = 0; i < FRAMES_AT_ONCE; i++) {
		ssize_t length;

		if (netdev_is_congested(&tap->netdev)) {
			g_clear_pointer(&tap->readable, g_source_unref);
			return G_SOURCE_REMOVE;
		}
		length = read(fd, frame, sizeof(frame));
		if (length <= NETDEV_HEADER)
			break;
		netdev_deliver(&tap->netdev, frame, length);
	}
	return G_SOURCE_CONTINUE;
}

static void watch(struct netdev_tap *tap)
{
	tap->readable = g_unix_fd_source_new(tap->fd, G_IO_IN);
	g_source_set_callback(tap->readable, (GSourceFunc)(void (*)(void))read_frames, tap, NULL);
	g_source_attach(tap->readable, tap->netdev.context);
}

static void tap_resume(struct netdev *netdev)
{
	struct netdev_tap *tap = (struct netdev_tap *)netdev;

	if (!tap->readable && !tap->kernel_reads && tap->fd >= 0)
		watch(tap);
}

static void unwatch(struct netdev_tap *tap)
{
	if (!tap->readable)
		return;
	g_source_destroy(tap->readable);
	g_clear_pointer(&tap->readable, g_source_unref);
}

static void tap_set_kernel_reads(struct netdev *netdev, bool on)
{
	struct netdev_tap *tap = (struct netdev_tap *)netdev;

	tap->kernel_reads = on;
	if (on)
		unwatch(tap);
	else
		tap_resume(netdev);
}

/* A script gets the name of the interface. */
static bool run_script(const char *script, const char *interface, GError **error)
{
	const char *arguments[] = { script, interface, NULL };
	int status;

	if (!g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL,
		    &status, error))
		return false;
	return g_spawn_check_wait_status(status, error);
}

static const char *script_of(const struct option_set *set, const char *key)
{
	const char *script = option_set_get(set, key);

	return script && strcmp(script, "no") != 0 ? script : NULL;
}

static bool tap_check(const struct option_set *set, GError **error)
{
	const char *name = option_set_get(set, "ifname");

	if (name && strlen(name) >= IFNAMSIZ)
		return fail(error, VITRINE_ERROR_INPUT,
			"ifname=%s is too long; accepted: up to %d characters", name, IFNAMSIZ - 1);
	if (option_set_get(set, "fd") &&
		(name || script_of(set, "script") || script_of(set, "downscript")))
		return fail(error, VITRINE_ERROR_INPUT,
			"fd= is a device that is open: ifname=, script= and downscript= do not go "
			"with it");
	return true;
}

static bool open_device(struct netdev_tap *tap, const char *name, GError **error)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->fd < 0)
		return fail_errno(error, VITRINE_ERROR_HOST,
			"/dev/net/tun cannot be opened; \"-netdev user\" needs no rights");
	g_strlcpy(request.ifr_name, name ? name : "tap%d", sizeof(request.ifr_name));
	if (ioctl(tap->fd, TUNSETIFF, &request) < 0)
		return fail_errno(error, VITRINE_ERROR_HOST,
			"the tap device %s cannot be had; it takes CAP_NET_ADMIN, or a device made "
			"for this user (\"ip tuntap add %s mode tap user NAME\")",
			name ? name : "tap", name ? name : "NAME");
	g_strlcpy(tap->name, request.ifr_name, sizeof(tap->name));
	return true;
}

static bool take_device(struct netdev_tap *tap, int fd, GError **error)
{
	struct ifreq request = { 0 };

	if (ioctl(fd, TUNGETIFF, &request) < 0)
		return fail_errno(error, VITRINE_ERROR_INPUT, "fd=%d is no tap device", fd);
	if (!(request.ifr_flags & IFF_VNET_HDR) || !(request.ifr_flags & IFF_NO_PI))
		return fail(error, VITRINE_ERROR_INPUT,
			"fd=%d (%s) was opened without IFF_VNET_HDR and IFF_NO_PI, which are "
			"needed",
			fd, request.ifr_name);
	g_strlcpy(tap->name, request.ifr_name, sizeof(tap->name));
	tap->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return tap->fd >= 0 && fcntl(tap->fd, F_SETFL, O_NONBLOCK) == 0;
}

static bool set_up(struct netdev_tap *tap, const struct option_set *set, GError **error)
{
	int header = NETDEV_HEADER, send_buffer = option_set_number(set, "sndbuf", 0);
	const char *script = script_of(set, "script");

	if (ioctl(tap->fd, TUNSETVNETHDRSZ, &header) < 0)
		return fail_errno(error, VITRINE_ERROR_HOST,
			"%s: the kernel does not know the header of virtio 1", tap->name);
	tap->has_offloads = ioctl(tap->fd, TUNSETOFFLOAD, 0) == 0;
	if (send_buffer > 0)
		ioctl(tap->fd, TUNSETSNDBUF, &send_buffer);
	if (script && !run_script(script, tap->name, error)) {
		g_prefix_error(error, "script=%s: ", script);
		return false;
	}
	tap->down_script = g_strdup(script_of(set, "downscript"));
	return true;
}

static bool tap_open(struct netdev *netdev, const struct option_set *set, GError **error)
{
	struct netdev_tap *tap = (struct netdev_tap *)netdev;
	const char *fd = option_set_get(set, "fd");

	tap->fd = -1;
	tap->vhost_forced = option_set_bool(set, "vhostforce", false);
	tap->vhost = option_set_bool(set, "vhost", tap->vhost_forced);
	if (fd ? !take_device(tap, option_set_number(set, "fd", 0), error)
	       : !open_device(tap, option_set_get(set, "ifname"), error))
		return false;
	if (!set_up(tap, set, error))
		return false;
	watch(tap);
	return true;
}

static void tap_close(struct netdev *netdev)
{
	struct netdev_tap *tap = (struct netdev_tap *)netdev;
	g_autoptr(GError) error = NULL;

	unwatch(tap);
	if (tap->down_script && !run_script(tap->down_script, tap->name, &error))
		log_warning("-netdev tap,id=%s: downscript=%s: %s", netdev->id, tap->down_script,
			error->message);
	g_free(tap->down_script);
	if (tap->fd >= 0)
		close(tap->fd);
}

/* A full device drops the frame, as a full cable does. */
static void tap_send(struct netdev *netdev, const struct iovec *pieces, unsigned count)
{
	struct netdev_tap *tap = (struct netdev_tap *)netdev;

	while (writev(tap->fd, pieces, count) < 0 && errno == EINTR)
		;
}

static char *tap_describe(const struct netdev *netdev)
{
	const struct netdev_tap *tap = (const struct netdev_tap *)netdev;

	return g_strdup_printf("type=tap,ifname=%s,vhost=%s", tap->name, tap->vhost ? "on" : "off");
}

static struct netdev_offloads tap_offloads(const struct netdev *netdev)
{
	bool on = ((const struct netdev_tap *)netdev)->has_offloads;

	return (struct netdev_offloads) { on, on, on, on };
}

static void tap_set_offloads(struct netdev *netdev, const struct netdev_offloads *offloads)
{
	struct netdev_tap *tap = (struct netdev_tap *)netdev;
	unsigned long flags = 0;

	if (offloads->checksum)
		flags |= TUN_F_CSUM | (offloads->tso4 ? TUN_F_TSO4 : 0) |
			 (offloads->tso6 ? TUN_F_TSO6 : 0) | (offloads->ecn ? TUN_F_TSO_ECN : 0);
	if (tap->has_offloads)
		ioctl(tap->fd, TUNSETOFFLOAD, flags);
}

static int tap_vhost(const struct netdev *netdev, bool *forced)
{
	const struct netdev_tap *tap = (const struct netdev_tap *)netdev;

	*forced = tap->vhost_forced;
	return tap->vhost ? tap->fd : -1;
}

const struct netdev_kind netdev_tap = {
	.name = "tap",
	.size = sizeof(struct netdev_tap),
	.keys = keys,
	.check = tap_check,
	.open = tap_open,
	.close = tap_close,
	.send = tap_send,
	.resume = tap_resume,
	.describe = tap_describe,
	.offloads = tap_offloads,
	.set_offloads = tap_set_offloads,
	.set_kernel_reads = tap_set_kernel_reads,
	.vhost_tap = tap_vhost,
};
