/* Interrupts, the tick that paces the pictures, and the time of day. */
#pragma once

#include <stdint.h>

enum {
	TICKS_PER_SECOND = 30,
};

struct time_of_day {
	uint8_t hours, minutes, seconds;
};

/* Moves the interrupts to vectors 0x20 and up, lets through those that calls.h names and starts
 * the tick. */
void clock_start(void);

struct time_of_day clock_now(void);
