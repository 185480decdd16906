/* CPUID as one virtual processor answers it. */
#include "vmm/kvm/cpuid.h"

#include <string.h>

enum {
	LEAF_FEATURES = 0x1,
	LEAF_CACHES = 0x4,
	LEAF_TOPOLOGY = 0xb,
	LEAF_TOPOLOGY_V2 = 0x1f,
	LEAF_AMD_SIZES = 0x80000008,
	LEAF_AMD_TOPOLOGY = 0x8000001e,

	FEATURE_ECX_HYPERVISOR = 1u << 31,
	FEATURE_ECX_TSC_DEADLINE = 1u << 24,
	FEATURE_EDX_HTT = 1u << 28,

	TOPOLOGY_LEVEL_SMT = 1 << 8,
	TOPOLOGY_LEVEL_CORE = 2 << 8,
};

/* Bits of an APIC id that number the cores of a socket. */
static unsigned core_bits(unsigned count)
{
	return count > 1 ? g_bit_storage(count - 1) : 0;
}

static void set_features(struct kvm_cpuid_entry2 *entry, unsigned number, unsigned count)
{
	entry->ebx = (entry->ebx & 0xffff) | number << 24 | (1u << core_bits(count)) << 16;
	entry->ecx |= FEATURE_ECX_HYPERVISOR | FEATURE_ECX_TSC_DEADLINE;
	if (count > 1)
		entry->edx |= FEATURE_EDX_HTT;
	else
		entry->edx &= ~FEATURE_EDX_HTT;
}

static void set_caches(struct kvm_cpuid_entry2 *entry, unsigned count)
{
	if ((entry->eax & 0x1f) == 0)
		return;
	/* Cores in the package; caches below the third level belong to one core. */
	entry->eax = (entry->eax & 0x3fff) | ((1u << core_bits(count)) - 1) << 26;
	if ((entry->eax >> 5 & 7) >= 3)
		entry->eax |= ((1u << core_bits(count)) - 1) << 14;
}

static void set_topology(struct kvm_cpuid_entry2 *entry, unsigned number, unsigned count)
{
	entry->eax = entry->ebx = 0;
	entry->ecx = entry->index;
	entry->edx = number;
	if (entry->index == 0) {
		entry->ebx = 1;
		entry->ecx |= TOPOLOGY_LEVEL_SMT;
	} else if (entry->index == 1) {
		entry->eax = core_bits(count);
		entry->ebx = count;
		entry->ecx |= TOPOLOGY_LEVEL_CORE;
	}
}

static void set_leaf(struct kvm_cpuid_entry2 *entry, unsigned number, unsigned count)
{
	switch (entry->function) {
	case LEAF_FEATURES:
		set_features(entry, number, count);
		break;
	case LEAF_CACHES:
		set_caches(entry, count);
		break;
	case LEAF_TOPOLOGY:
	case LEAF_TOPOLOGY_V2:
		set_topology(entry, number, count);
		break;
	case LEAF_AMD_SIZES:
		entry->ecx = core_bits(count) << 12 | (count - 1);
		break;
	case LEAF_AMD_TOPOLOGY:
		entry->eax = number;
		entry->ebx = number;
		entry->ecx = 0;
		break;
	}
}

struct kvm_cpuid2 *cpuid_for_vcpu(const struct kvm_cpuid2 *host, unsigned number, unsigned count)
{
	size_t size = sizeof(*host) + host->nent * sizeof(host->entries[0]);
	struct kvm_cpuid2 *cpuid = g_memdup2(host, size);

	for (unsigned i = 0; i < cpuid->nent; i++)
		set_leaf(&cpuid->entries[i], number, count);
	return cpuid;
}
