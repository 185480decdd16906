/* A ring buffer: keeps the last bytes written, for QMP's ringbuf-read. */
#include "vmm/chardev/chardev-private.h"

static bool ring_open(struct chardev *chardev, const struct option_set *set, GError **error)
{
	byte_ring_init(&chardev->ring, option_set_number(set, "size", CHARDEV_RING_SIZE));
	chardev_set_open(chardev, true);
	return true;
}

const struct chardev_backend chardev_ring = { .name = "ringbuf", .open = ring_open };
