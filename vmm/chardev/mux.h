/* One character device for several front ends: Ctrl-A and a letter says which of them gets what is typed.
 *
 * -serial mon:stdio and mux=on make one. A front end takes a channel, which is a chardev of its own to it; what all of them
 * write goes out. Ctrl-A c goes to the next one, b sends a break, h tells what there is, x ends the program, and Ctrl-A
 * Ctrl-A is the key itself: QEMU's keys.
 */
#pragma once

#include "vmm/chardev/chardev.h"

enum {
	CHARDEV_CHANNELS = 4 /* front ends of one */
};

/* For a front end: the chardev itself, or a channel of it that nobody has. NULL with @error when it is taken. */
struct chardev *chardev_channel(struct chardev *chardev, GError **error);
bool chardev_is_channel(const struct chardev *chardev);

/* What Ctrl-A x does; on the main loop. */
void chardev_on_quit(struct chardev *chardev, void (*quit)(void *data), void *data);
