/* Where interrupts go: lines to the chips' pins, and messages that the kernel sends by itself when a descriptor is written.
 *
 * Specification: KVM_SET_GSI_ROUTING and KVM_IRQFD.
 */
#pragma once

#include "vmm/kvm/kvm.h"

enum {
	KVM_NO_MESSAGE = -1,
};

/* How the lines of a PC reach its interrupt controllers. Once, after these were made. */
bool kvm_route_lines(struct kvm *kvm);

/* From now on a write of @fd, an eventfd, sends this message, and nobody else reads @fd. Returns the message's number, or
 * KVM_NO_MESSAGE: the kernel has no room for another; @fd is as it was. What is in @fd already is sent at once. Any thread. */
int kvm_link_message(struct kvm *kvm, int fd, uint64_t address, uint32_t data);
/* Nothing more is sent by the kernel once this returns. Any thread. */
void kvm_unlink_message(struct kvm *kvm, int message, int fd);
