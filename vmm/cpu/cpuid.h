/* CPUID as one virtual processor answers it.
 *
 * Specification: Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E.
 */
#pragma once

#include "vmm/cpu/definition.h"
#include "vmm/cpu/topology.h"

/* All leaves of processor @number. @host: what KVM can give. To be freed with g_free(). */
struct kvm_cpuid2 *cpuid_build(struct kvm_cpuid2 *host, const struct cpu_definition *definition,
	const struct cpu_topology *topology, unsigned number);
