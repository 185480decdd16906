/* The display of one guest: its heads, and where input for it goes.
 *
 * Device models publish into it (see head.h); consumers (the bus, screendump) read from it. Device state is protected by
 * the lock given here; functions marked "device side" are called with it held, from any thread. Everything else runs on
 * the main loop without it; the display takes it itself where it calls into a device.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct display;
struct head;

enum input_button {
	INPUT_BUTTON_LEFT,
	INPUT_BUTTON_MIDDLE,
	INPUT_BUTTON_RIGHT,
	INPUT_BUTTON_WHEEL_UP,
	INPUT_BUTTON_WHEEL_DOWN,
	INPUT_BUTTON_SIDE,
	INPUT_BUTTON_EXTRA,
	INPUT_BUTTONS,
};

/* Keyboard lights, as in org.qemu.Display1.Keyboard's Modifiers. */
enum input_light {
	INPUT_LIGHT_SCROLL = 1 << 0,
	INPUT_LIGHT_NUM = 1 << 1,
	INPUT_LIGHT_CAPS = 1 << 2,
};

/* A device that takes keys: called on the main loop with the display's lock held. */
struct keyboard_ops {
	/* @qnum: XT scancode set 1 code, bit 7 set for codes after an 0xe0 prefix (the numbers of QEMU's QKeyCode "qnum"). */
	void (*key)(void *device, uint8_t qnum, bool down);
};

struct pointer_ops {
	bool absolute; /* takes positions rather than motions */
	void (*motion)(void *device, int32_t dx, int32_t dy);
	/* 0 <= x < width, 0 <= y < height, in pixels of the head's picture */
	void (*position)(void *device, uint32_t x, uint32_t y, uint32_t width, uint32_t height);
	void (*button)(void *device, enum input_button button, bool down);
};

/* What a finger does, as in org.qemu.Display1.MultiTouch. */
enum input_touch {
	INPUT_TOUCH_BEGIN,
	INPUT_TOUCH_UPDATE,
	INPUT_TOUCH_END,
	INPUT_TOUCH_CANCEL, /* it is gone, and what it did is not meant */
};

/* A touch screen: called on the main loop with the display's lock held. */
struct touch_ops {
	unsigned slots; /* fingers at a time, at most INPUT_TOUCH_SLOTS_MOST */
	/* @slot < @slots; 0 <= x < width, 0 <= y < height, in pixels of the head's picture */
	void (*touch)(void *device, enum input_touch kind, unsigned slot, uint32_t x, uint32_t y,
		uint32_t width, uint32_t height);
};

enum {
	INPUT_TOUCH_SLOTS_MOST = 16
};

/* @lock protects the devices' state and outlives the display. The main loop is the thread-default main context. */
struct display *display_new(GMutex *lock);
/* After the bus and the heads are gone. */
void display_free(struct display *display);

guint display_head_count(const struct display *display);
struct head *display_head(const struct display *display, guint index);

/* Device side: a device that the guest's driver takes input from. The newest keyboard and the newest touch screen get the
 * input; so does the newest pointer among those that take positions, and only when there is none the newest of the others: a
 * tablet is there to be used, whenever a mouse was found. NULL ops take a device away; then the one before it is back. */
void display_set_keyboard(struct display *display, const struct keyboard_ops *ops, void *device);
void display_set_pointer(struct display *display, const struct pointer_ops *ops, void *device);
void display_set_touch(struct display *display, const struct touch_ops *ops, void *device);
void display_set_lights(struct display *display, uint32_t lights);

/* Consumer side: input that a user made. Wakes the harvest of all heads. */
void display_key(struct display *display, uint8_t qnum, bool down);
void display_pointer_motion(struct display *display, int32_t dx, int32_t dy);
void display_pointer_position(struct display *display, struct head *head, uint32_t x, uint32_t y);
void display_pointer_button(struct display *display, enum input_button button, bool down);
/* A finger on a head's picture. False when there is no touch screen, or it has no such slot. */
bool display_touch(struct display *display, struct head *head, enum input_touch kind, unsigned slot,
	uint32_t x, uint32_t y);
/* Fingers that the touch screen tells apart; 0: there is none. */
unsigned display_touch_slots(const struct display *display);
bool display_pointer_is_absolute(const struct display *display);
uint32_t display_lights(const struct display *display);

/* Called on the main loop after the kind of pointer, the lights, the list of heads or the size of a picture changed. */
typedef void (*display_changed_func)(struct display *display, void *watcher);
void display_watch(struct display *display, display_changed_func changed, void *watcher);
void display_unwatch(struct display *display, void *watcher);
