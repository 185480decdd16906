/* The guest's clock. */
#include "vmm/machine/guest-clock.h"

#include <glib.h>
#include <time.h>

enum {
	NANOSECONDS = 1000000000,
	MICROSECOND = 1000, /* nanoseconds */
};

/* The clock that g_get_monotonic_time() shows, in finer steps. */
static int64_t host_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec;
}

int64_t guest_clock_now(const struct guest_clock *clock)
{
	return clock->stopped ? clock->stopped_at : host_clock() - clock->behind;
}

void guest_clock_set_running(struct guest_clock *clock, bool running)
{
	if (clock->stopped == !running)
		return;
	if (running)
		clock->behind = host_clock() - clock->stopped_at;
	else
		clock->stopped_at = guest_clock_now(clock);
	clock->stopped = !running;
}

int64_t guest_clock_ready_time(const struct guest_clock *clock, int64_t time)
{
	if (clock->stopped)
		return -1;
	/* The source is looked at in microseconds: not before the time has come. */
	return MAX(0, (time + clock->behind + MICROSECOND - 1) / MICROSECOND);
}
