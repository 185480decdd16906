/* The kernel serves a card's data queues (vhost-net): frames go between guest memory and a tap device without us.
 *
 * Specification: Linux include/uapi/linux/vhost.h. Split rings only, as the kernel has no others.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct vhost_net;
struct virtio_device;

/* Opens /dev/vhost-net. NULL with @error where there is none. */
struct vhost_net *vhost_net_new(struct virtio_device *virtio, GError **error);
void vhost_net_free(struct vhost_net *vhost);

/* Of the features of rings and cards, those that the kernel can do. */
uint64_t vhost_net_features(const struct vhost_net *vhost);

/* Hands the two data queues, which are started, to the kernel. @context: where their interrupts are passed on. False with
 * @error: vhost_net_stop() then. With the lock. */
bool vhost_net_start(struct vhost_net *vhost, int tap, GMainContext *context, GError **error);
/* Takes them back, with nothing in flight; also after a start that failed. With the lock, on the context's thread. */
void vhost_net_stop(struct vhost_net *vhost);
/* The driver chose another vector for a queue that was handed over. With the lock. */
void vhost_net_vector_changed(struct vhost_net *vhost, unsigned queue);
