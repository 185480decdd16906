/* The interrupt controllers that KVM keeps, as text for people. */
#pragma once

#include <glib.h>

struct kvm;

/* The two 8259s and the I/O APIC, pin by pin. */
void kvm_describe_chips(const struct kvm *kvm, GString *to);
/* Lines that are asserted, served or let through, of all three. */
void kvm_describe_lines(const struct kvm *kvm, GString *to);
/* A processor's own APIC, of a processor that is parked. */
void kvm_describe_lapic(int vcpu_fd, GString *to);
