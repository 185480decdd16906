/* A virtual processor: its thread, its run loop, and its state at power-on.
 *
 * A vCPU is parked (its thread waits) or runs. Parking, resetting and continuing are the main loop's, never with the
 * machine's lock held: a vCPU may be waiting for that lock inside an exit, which it finishes before it parks.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "vmm/kvm/kvm.h"

struct machine;
struct vcpu;

/* Why a vCPU cannot go on: for the person who looks, and for the control protocol. */
struct vcpu_failure {
	char *reason;    /* one line */
	char *registers; /* several lines */
	char *code;      /* bytes at and before the instruction pointer, in hexadecimal */
};

/* Created parked; @number 0 is the one that boots. NULL with @error. */
struct vcpu *vcpu_new(struct machine *machine, unsigned number, GError **error);
void vcpu_free(struct vcpu *vcpu); /* parks it and ends its thread */

/* Of its thread, as the host knows it. */
pid_t vcpu_thread_id(const struct vcpu *vcpu);

/* Asks it to park, from any thread, without waiting. */
void vcpu_kick(struct vcpu *vcpu);
/* Waits until it is parked, after vcpu_kick(). */
void vcpu_wait_parked(struct vcpu *vcpu);
void vcpu_continue(struct vcpu *vcpu);

/* Everything below while it is parked. */
void vcpu_reset(struct vcpu *vcpu);
bool vcpu_inject_nmi(struct vcpu *vcpu);
char *vcpu_registers(struct vcpu *vcpu);
/* The state of its local APIC, as lines of text. */
void vcpu_describe_lapic(struct vcpu *vcpu, GString *to);
/* The physical address of a linear one, by its page tables; false when there is none. */
bool vcpu_translate(struct vcpu *vcpu, uint64_t linear, uint64_t *physical);

/* What made it park by itself, NULL when nothing did. */
const struct vcpu_failure *vcpu_failure(const struct vcpu *vcpu);
