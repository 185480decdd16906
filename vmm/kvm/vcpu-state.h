/* Everything that KVM keeps for one virtual processor, taken out and put back as a whole. */
#pragma once

#include "vmm/kvm/kvm.h"

struct vcpu_state;

/* Of a processor that does not run. Parts that the host's KVM does not have are left out. */
struct vcpu_state *vcpu_state_get(const struct kvm *kvm, int vcpu_fd);
void vcpu_state_set(int vcpu_fd, const struct vcpu_state *state);
void vcpu_state_free(struct vcpu_state *state);
