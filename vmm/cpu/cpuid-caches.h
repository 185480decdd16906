/* What CPUID tells about caches: made up for models, and who shares them.
 *
 * Specification: Intel SDM volume 2A, CPUID leaves 2 and 4; AMD APM volume 3, leaves 0x80000005, 6 and 0x8000001d.
 */
#pragma once

#include "vmm/cpu/model.h"
#include "vmm/cpu/topology.h"

/* Leaves 2 and 4. @out has room. */
void cpuid_add_intel_caches(struct kvm_cpuid2 *out, const struct cpu_topology *topology);
/* Leaves 0x80000005 and 0x80000006. */
void cpuid_add_amd_caches(struct kvm_cpuid2 *out, enum cpu_caches caches);
/* Leaf 0x8000001d. */
void cpuid_add_amd_topology_caches(struct kvm_cpuid2 *out, const struct cpu_topology *topology);

/* A subleaf of 4 or 0x8000001d of the host: shared as the guest's topology says. */
void cpuid_share_caches(struct kvm_cpuid_entry2 *entry, const struct cpu_topology *topology);
