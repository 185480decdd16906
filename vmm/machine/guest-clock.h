/* The guest's clock: nanoseconds that go by while the machine runs, and stand still while it is paused.
 *
 * Everything with the machine's lock held.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* All zeros: it runs, and shows the host's monotonic clock. */
struct guest_clock {
	int64_t behind;     /* nanoseconds that it is behind the host's */
	int64_t stopped_at; /* what it shows while it stands still */
	bool stopped;
};

int64_t guest_clock_now(const struct guest_clock *clock);
void guest_clock_set_running(struct guest_clock *clock, bool running);

/* When g_source_set_ready_time() has to fire for the clock to show @time; -1 (never) while it stands still. */
int64_t guest_clock_ready_time(const struct guest_clock *clock, int64_t time);
