/* The back end of an ISA device that prints or talks: found by its chardev property, or the one the board has for it. */
#pragma once

#include <glib.h>

struct chardev;
struct device;

/**
 * isa_chardev_find - the character device that a device shall use
 * @id: of the chardev property; NULL: take @fallback
 * @fallback: the board's; NULL: an id is needed
 *
 * Returns NULL with @error when there is none by that id, or when another device has it already.
 */
struct chardev *isa_chardev_find(
	const struct device *device, const char *id, struct chardev *fallback, GError **error);
