/* Nothing: what is written is gone, and nothing comes. */
#include "vmm/chardev/chardev-private.h"

static bool null_open(struct chardev *chardev, const struct option_set *set, GError **error)
{
	chardev_set_open(chardev, true);
	return true;
}

const struct chardev_backend chardev_null = { .name = "null", .open = null_open };
