/* Caches in CPUID. */
#include "vmm/cpu/cpuid-caches.h"

#include "base/checked.h"

enum {
	LINE = 64, /* bytes */
	CACHE_DATA = 1,
	CACHE_INSTRUCTION = 2,
	CACHE_UNIFIED = 3,
	SELF_INITIALIZING = 1 << 8,
	SHARED_SHIFT = 14,
	CORES_SHIFT = 26,

	NO_WRITE_BACK_OF_OTHERS = 1 << 0,
	INCLUSIVE = 1 << 1,
	COMPLEX_INDEX = 1 << 2,

	/* Leaf 2: read once; descriptors of the caches below */
	DESCRIPTORS_ONCE = 1,
	DESCRIPTOR_LEVEL_3 = 0x4d,
	DESCRIPTORS_1_AND_2 = 0x2c307d,
};

struct cache {
	unsigned type, level, size, ways, flags;
	bool of_socket; /* shared by its cores */
};

static const struct cache intel_caches[] = {
	{ CACHE_DATA, 1, 32 * KiB, 8, NO_WRITE_BACK_OF_OTHERS, false },
	{ CACHE_INSTRUCTION, 1, 32 * KiB, 8, NO_WRITE_BACK_OF_OTHERS, false },
	{ CACHE_UNIFIED, 2, 4 * MiB, 16, NO_WRITE_BACK_OF_OTHERS, false },
	{ CACHE_UNIFIED, 3, 16 * MiB, 16, INCLUSIVE | COMPLEX_INDEX, true },
};

static const struct cache zen_caches[] = {
	{ CACHE_DATA, 1, 32 * KiB, 8, NO_WRITE_BACK_OF_OTHERS, false },
	{ CACHE_INSTRUCTION, 1, 64 * KiB, 4, NO_WRITE_BACK_OF_OTHERS, false },
	{ CACHE_UNIFIED, 2, 512 * KiB, 8, 0, false },
	{ CACHE_UNIFIED, 3, 8 * MiB, 16, INCLUSIVE | COMPLEX_INDEX, true },
};

/* Leaves 0x80000005 (TLBs in EAX and EBX, first level in ECX and EDX) and 0x80000006. */
static const struct {
	uint32_t first[4], second[4];
} amd_caches[] = {
	[CPU_CACHES_LEGACY] = {
		{ 0x01ff01ff, 0x01ff01ff, 0x40020140, 0x40020140 },
		{ 0x00000000, 0x42004200, 0x02008140, 0x00808140 },
	},
	[CPU_CACHES_ZEN] = {
		{ 0x01ff01ff, 0x01ff01ff, 0x20080140, 0x40040140 },
		{ 0x00000000, 0x42004200, 0x02006140, 0x00408140 },
	},
};

static struct kvm_cpuid_entry2 *add(struct kvm_cpuid2 *out, uint32_t leaf)
{
	struct kvm_cpuid_entry2 *entry = &out->entries[out->nent++];

	*entry = (struct kvm_cpuid_entry2) { .function = leaf };
	return entry;
}

static unsigned socket_slots(const struct cpu_topology *topology)
{
	return 1u << cpu_topology_socket_bits(topology);
}

static unsigned core_slots(const struct cpu_topology *topology)
{
	return 1u << cpu_topology_thread_bits(topology);
}

static void add_cache(struct kvm_cpuid2 *out, uint32_t leaf, uint32_t index,
	const struct cache *cache, unsigned sharing)
{
	struct kvm_cpuid_entry2 *entry = add(out, leaf);

	entry->index = index;
	entry->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	entry->eax =
		cache->type | cache->level << 5 | SELF_INITIALIZING | (sharing - 1) << SHARED_SHIFT;
	entry->ebx = (LINE - 1) | (cache->ways - 1) << 22;
	entry->ecx = cache->size / LINE / cache->ways - 1;
	entry->edx = cache->flags;
}

static void add_caches(struct kvm_cpuid2 *out, uint32_t leaf, const struct cache *caches,
	unsigned count, const struct cpu_topology *topology)
{
	for (unsigned i = 0; i < count; i++)
		add_cache(out, leaf, i, &caches[i],
			caches[i].of_socket ? socket_slots(topology) : core_slots(topology));
	add(out, leaf)->index = count;
	out->entries[out->nent - 1].flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
}

void cpuid_add_intel_caches(struct kvm_cpuid2 *out, const struct cpu_topology *topology)
{
	struct kvm_cpuid_entry2 *descriptors = add(out, 0x2);
	unsigned first = out->nent;

	descriptors->eax = DESCRIPTORS_ONCE;
	descriptors->ecx = DESCRIPTOR_LEVEL_3;
	descriptors->edx = DESCRIPTORS_1_AND_2;
	add_caches(out, 0x4, intel_caches, G_N_ELEMENTS(intel_caches), topology);
	for (unsigned i = 0; i < G_N_ELEMENTS(intel_caches); i++)
		out->entries[first + i].eax |=
			((socket_slots(topology) >> cpu_topology_thread_bits(topology)) - 1)
			<< CORES_SHIFT;
}

void cpuid_add_amd_caches(struct kvm_cpuid2 *out, enum cpu_caches caches)
{
	const uint32_t *first = amd_caches[caches].first, *second = amd_caches[caches].second;
	struct kvm_cpuid_entry2 *entry = add(out, 0x80000005);

	entry->eax = first[0];
	entry->ebx = first[1];
	entry->ecx = first[2];
	entry->edx = first[3];
	entry = add(out, 0x80000006);
	entry->eax = second[0];
	entry->ebx = second[1];
	entry->ecx = second[2];
	entry->edx = second[3];
}

void cpuid_add_amd_topology_caches(struct kvm_cpuid2 *out, const struct cpu_topology *topology)
{
	add_caches(out, 0x8000001d, zen_caches, G_N_ELEMENTS(zen_caches), topology);
}

void cpuid_share_caches(struct kvm_cpuid_entry2 *entry, const struct cpu_topology *topology)
{
	unsigned level = entry->eax >> 5 & 7;
	unsigned sharing = level >= 3 ? socket_slots(topology) : core_slots(topology);
	unsigned cores = socket_slots(topology) >> cpu_topology_thread_bits(topology);

	if ((entry->eax & 0x1f) == 0)
		return;
	entry->eax = (entry->eax & 0x3fff) | (sharing - 1) << SHARED_SHIFT;
	if (entry->function == 0x4)
		entry->eax |= (cores - 1) << CORES_SHIFT;
}
