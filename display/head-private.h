/* The inside of a head, shared by head.c (the device's side) and head-turn.c (the listeners' side). */
#pragma once

#include "display/damage.h"
#include "display/head.h"

/* What a head shows. A serial changes with what it belongs to; whoever has the same serial has seen it. */
struct head_state {
	struct video_memory *memory; /* NULL: no picture */
	struct scanout scanout;
	unsigned scanout_serial;
	struct cursor *cursor;
	unsigned cursor_serial;
	int32_t x, y;
	bool visible;
	unsigned mouse_serial;
};

struct head {
	unsigned references;     /* main loop */
	struct display *display; /* NULL after the device went */
	GMutex *lock;
	char *label, *device_address;
	uint32_t number;

	/* With the lock held. */
	const struct head_ops *ops; /* NULL after the device went */
	void *device;
	struct head_state pending;
	pixman_region32_t told; /* damage that the device told since the last turn */
	bool watched;
	int64_t earliest_turn; /* monotonic, microseconds */

	/* On the main loop. */
	GSource *turn;
	struct head_state shown;
	struct damage_tracker *tracker; /* of the shown picture, while somebody watches */
	GPtrArray *listeners;           /* struct head_listener */
	bool in_turn;
	int64_t last_look;  /* monotonic, microseconds */
	int64_t interval;   /* microseconds to the next harvest */
	int64_t lively_end; /* until then input is followed closely */
};

void head_state_copy(struct head_state *to, const struct head_state *from);

/* With the lock held, before the picture is looked at. */
void head_prepare(struct head *head);

void head_turn_init(struct head *head, GMainContext *context);
void head_turn_clear(struct head *head);

/* With the lock held, from any thread: something is pending. */
void head_turn_soon(struct head *head);
