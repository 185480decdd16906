/* What a person needs to see when KVM cannot run a guest any further: the reason in one line, registers, code. */
#pragma once

#include "vmm/kvm/kvm.h"
#include "vmm/kvm/vcpu.h"

/* Of the exit that @run describes. On the processor's own thread. */
struct vcpu_failure *vcpu_failure_new(
	struct machine *machine, int vcpu_fd, unsigned number, const struct kvm_run *run);
void vcpu_failure_free(struct vcpu_failure *failure);
