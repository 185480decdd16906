/* Whether a machine runs: for the machine itself and for its processors. */
#pragma once

#include "vmm/machine/machine.h"

struct machine_requests *machine_requests_new(void);
void machine_requests_free(struct machine_requests *requests);
GArray *machine_watchers_new(void);

/* A processor has parked itself because KVM could not go on. Any thread. */
void machine_vcpu_failed(struct machine *machine);

/* Calls @func on the main loop soon, with the lock held. Any thread, lock held or not. */
void machine_run_soon(
	struct machine *machine, void (*func)(struct machine *machine, void *device), void *device);

/* Calls that are due for this device are not made any more. With the lock, on the main loop. */
void machine_forget_calls(struct machine *machine, const void *device);

/* For a look at the processors: parks them, and lets them go on when the machine runs. On the main loop, without the lock. */
void machine_park_cpus(struct machine *machine);
void machine_unpark_cpus(struct machine *machine);

/* Everything as at power-on; processors parked, without the lock. */
void machine_reset_parts(struct machine *machine);
