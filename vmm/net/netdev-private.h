/* Inside netdev*.c: what kinds of back ends there are, and what each does. */
#pragma once

#include "vmm/net/netdev.h"

struct netdev_kind {
	const char *name; /* as type= has it */
	size_t size;
	const char *const *keys; /* of -netdev, those it takes; NULL-terminated */
	bool (*check)(const struct option_set *set, GError **error);
	/* On the main loop; the thread runs nothing yet. */
	bool (*open)(struct netdev *netdev, const struct option_set *set, GError **error);
	void (*close)(struct netdev *netdev); /* the thread has ended */
	void (*send)(struct netdev *netdev, const struct iovec *pieces, unsigned count);
	void (*resume)(struct netdev *netdev); /* frames are welcome again; NULL: it never stops */
	char *(*describe)(const struct netdev *netdev);
	struct netdev_offloads (*offloads)(const struct netdev *netdev); /* NULL: none */
	void (*set_offloads)(struct netdev *netdev, const struct netdev_offloads *offloads);
	void (*set_kernel_reads)(struct netdev *netdev, bool on);    /* where vhost_tap is */
	int (*vhost_tap)(const struct netdev *netdev, bool *forced); /* NULL: never */
};

/* Each kind's struct starts with this one. */
struct netdev {
	const struct netdev_kind *kind;
	char *id;
	GMainContext *context;
	GMainLoop *loop;
	GThread *thread;
	const struct netdev_front_ops *ops;
	void *front;
	int link_down;  /* atomic */
	GQueue waiting; /* of GBytes: frames for the front end */
};

/* On the thread: a frame for the guest. False when too many wait: it was dropped, resume() tells when to go on. */
bool netdev_deliver(struct netdev *netdev, const uint8_t *bytes, size_t length);
bool netdev_is_congested(const struct netdev *netdev);

extern const struct netdev_kind netdev_user, netdev_tap;
