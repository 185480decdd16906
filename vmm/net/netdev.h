/* Network back ends: where the frames of a guest's network card go.
 *
 * Each has a thread with a main context of its own. On it the back end reads and writes, and a card (the front end) serves
 * its queues; neither ever takes the machine's lock there. What the front end cannot take yet waits here, within limits; what
 * is beyond them is dropped, as on any Ethernet.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct netdev;
struct option_set;

enum {
	NETDEV_FRAME_MAX =
		65536 + 64,       /* bytes, with the largest segment that is left to the host */
	NETDEV_WAITING_MAX = 256, /* frames that wait for the front end */
	NETDEV_HEADER = 12,       /* bytes of struct virtio_net_hdr_v1 before each frame */
};

/* What the guest's driver leaves to others: features of virtio-net (virtio 1.2 section 5.1.3). */
struct netdev_offloads {
	bool checksum, tso4, tso6, ecn;
};

/* The front end; all but link_changed() on the network's thread. */
struct netdev_front_ops {
	/* A header (NETDEV_HEADER bytes) and a frame for the guest. False: no room now; the same frame comes again after
	 * netdev_resume(). */
	bool (*receive)(void *front, const uint8_t *bytes, size_t length);
	/* On the main loop, with the machine's lock. */
	void (*link_changed)(void *front);
};

/* Opens what the -netdev names. NULL with @error: the option, the value and what is wrong with it. */
struct netdev *netdev_new(const struct option_set *set, GError **error);
void netdev_free(struct netdev *netdev); /* no front end is attached any more */

const char *netdev_id(const struct netdev *netdev);
/* In a list of struct netdev (which may be NULL); NULL: there is none. */
struct netdev *netdev_find(const GPtrArray *netdevs, const char *id);
/* One line for people: "user: net=10.0.2.0/24, restrict=off". To be freed. */
char *netdev_describe(const struct netdev *netdev);

/* Main loop. False when it has a front end already. */
bool netdev_attach(struct netdev *netdev, const struct netdev_front_ops *ops, void *front);
void netdev_detach(struct netdev *netdev); /* the front end is not called again */
bool netdev_is_taken(const struct netdev *netdev);

/* The thread's context, for sources of the front end. */
GMainContext *netdev_context(const struct netdev *netdev);
/* Runs a function on the thread and waits for its end. Main loop, machine's lock held or not. */
void netdev_call(struct netdev *netdev, void (*func)(void *data), void *data);

/* On the thread: a header and a frame from the guest. */
void netdev_send(struct netdev *netdev, const struct iovec *pieces, unsigned count);
/* On the thread: there is room for frames again. */
void netdev_resume(struct netdev *netdev);
/* On the thread: drops what waits; the front end was reset. */
void netdev_flush(struct netdev *netdev);

/* What the back end can take without its checksum or in large segments; all false: nothing. */
struct netdev_offloads netdev_offloads(const struct netdev *netdev);
/* On the thread: what the guest's driver takes of that kind. */
void netdev_set_offloads(struct netdev *netdev, const struct netdev_offloads *offloads);

/* For the kernel's own virtio-net: the descriptor of the tap device when vhost=on was given, else -1. */
int netdev_vhost_tap(const struct netdev *netdev);
bool netdev_vhost_is_forced(const struct netdev *netdev);
/* On the thread: whether the kernel takes the frames from the host by itself, so that the back end reads none. What waits is
 * dropped when it begins. */
void netdev_set_kernel_reads(struct netdev *netdev, bool on);

/* The cable: any thread reads, the main loop (with the machine's lock) sets and tells the front end. */
bool netdev_link_is_up(const struct netdev *netdev);
void netdev_set_link(struct netdev *netdev, bool up);
