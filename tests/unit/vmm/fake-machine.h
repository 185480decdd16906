/* A machine that only remembers what it was asked, and tells its watcher what a real one would. */
#pragma once

#include "vmm/kvm/vcpu.h"
#include "vmm/machine/machine.h"

/* What was asked for so far: "stop cont reset ...". */
extern GString *fake_machine_log;
extern struct vcpu_failure *fake_failure;

struct machine *fake_machine_new(const struct machine_config *config);
void fake_machine_free(struct machine *machine);
void fake_machine_tell(enum machine_event event, enum machine_cause cause, const char *text);
