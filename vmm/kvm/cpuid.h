/* CPUID as one virtual processor answers it.
 *
 * Specification: Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E.
 */
#pragma once

#include "vmm/kvm/kvm.h"

/* The host's leaves with this processor's APIC id and the guest's topology (one socket of @count cores). To be freed with
 * g_free(). */
struct kvm_cpuid2 *cpuid_for_vcpu(const struct kvm_cpuid2 *host, unsigned number, unsigned count);
