/* CPUID as one virtual processor answers it.
 *
 * For the host's own processor these are the leaves that KVM gives, with the guest's features and topology put in; for a
 * model they are made from its description, and only the sizes of the extended state come from the host.
 */
#include "vmm/cpu/cpuid.h"

#include <string.h>

#include "vmm/cpu/cpuid-caches.h"

enum {
	LEAVES_MAX = 128,
	CLFLUSH_UNITS = 8, /* of 8 bytes: a cache line */
	HYPERVISOR_LEAF = 0x40000000,
	HYPERVISOR_LAST = 0x40000001,
	EXTENDED_LEAF = 0x80000000,
	VIRTUAL_BITS = 48,
	VIRTUAL_BITS_LA57 = 57,
	FEATURE_EDX_HTT = 1u << 28,
	FEATURE_ECX_CMP_LEGACY = 1u << 1,
	TOPOLOGY_LEVEL_SMT = 1 << 8,
	TOPOLOGY_LEVEL_CORE = 2 << 8,
	SVM_REVISION = 1,
	SVM_ASIDS = 16,
	STATE_COMPONENTS = 32,
};

/* Bits of the first feature register that AMD's extended one repeats. */
static const uint32_t amd_repeated = 0x0183f3ff;

static const char hypervisor_signature[12] = "KVMKVMKVM";

/* Which components of the extended state (XCR0) a feature needs. */
static const struct {
	const char *feature;
	uint32_t components;
} state_components[] = {
	{ "xsave", 0x3 },
	{ "avx", 0x4 },
	{ "mpx", 0x18 },
	{ "avx512f", 0xe0 },
	{ "pku", 0x200 },
	{ "amx-tile", 0x60000 },
};

struct builder {
	struct kvm_cpuid2 *host, *out;
	const struct cpu_definition *definition;
	const struct cpu_topology *topology;
	unsigned number;
	uint32_t apic_id;
};

static struct kvm_cpuid_entry2 *add(struct kvm_cpuid2 *out, uint32_t leaf, uint32_t index)
{
	struct kvm_cpuid_entry2 *entry = &out->entries[out->nent];

	g_assert(out->nent < LEAVES_MAX);
	out->nent++;
	*entry = (struct kvm_cpuid_entry2) { .function = leaf, .index = index };
	return entry;
}

static struct kvm_cpuid_entry2 *add_indexed(struct kvm_cpuid2 *out, uint32_t leaf, uint32_t index)
{
	struct kvm_cpuid_entry2 *entry = add(out, leaf, index);

	entry->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	return entry;
}

static bool is_amd(const struct builder *b)
{
	return strcmp(b->definition->vendor, "AuthenticAMD") == 0;
}

static void set_vendor(struct kvm_cpuid_entry2 *entry, const char *vendor)
{
	memcpy(&entry->ebx, vendor, 4);
	memcpy(&entry->edx, vendor + 4, 4);
	memcpy(&entry->ecx, vendor + 8, 4);
}

static uint32_t signature(const struct cpu_model *model)
{
	unsigned family = MIN(model->family, 15);

	return (model->family - family) << 20 | (model->model >> 4) << 16 | family << 8 |
	       (model->model & 0xf) << 4 | model->stepping;
}

static unsigned in_socket(const struct builder *b)
{
	return b->topology->cores * b->topology->threads;
}

/* What leaf 1 says of this processor whatever its model. */
static void place_leaf_1(const struct builder *b, struct kvm_cpuid_entry2 *entry)
{
	unsigned slots = 1u << cpu_topology_socket_bits(b->topology);

	entry->ebx = (entry->ebx & 0xffff) | slots << 16 | b->apic_id << 24;
	if (in_socket(b) > 1)
		entry->edx |= FEATURE_EDX_HTT;
	else
		entry->edx &= ~FEATURE_EDX_HTT;
}

static void place_topology(const struct builder *b, struct kvm_cpuid_entry2 *entry)
{
	entry->eax = entry->ebx = 0;
	entry->ecx = entry->index;
	entry->edx = b->apic_id;
	if (entry->index == 0) {
		entry->eax = cpu_topology_thread_bits(b->topology);
		entry->ebx = b->topology->threads;
		entry->ecx |= TOPOLOGY_LEVEL_SMT;
	} else if (entry->index == 1) {
		entry->eax = cpu_topology_socket_bits(b->topology);
		entry->ebx = in_socket(b);
		entry->ecx |= TOPOLOGY_LEVEL_CORE;
	}
}

static void place_amd_sizes(const struct builder *b, struct kvm_cpuid_entry2 *entry)
{
	entry->ecx = in_socket(b) > 1
			     ? cpu_topology_socket_bits(b->topology) << 12 | (in_socket(b) - 1)
			     : 0;
}

static void place_amd_topology(const struct builder *b, struct kvm_cpuid_entry2 *entry)
{
	struct cpu_place place = cpu_topology_place(b->topology, b->number);

	entry->eax = b->apic_id;
	entry->ebx = (b->topology->threads - 1) << 8 | place.core;
	entry->ecx = place.socket;
	entry->edx = 0;
}

/* Features of the definition, in whichever leaves hold them. */
static void set_words(const struct builder *b, struct kvm_cpuid_entry2 *entry)
{
	for (unsigned i = 0; i < CPU_WORDS; i++) {
		const struct cpu_word_place *place = &cpu_word_places[i];

		if (place->leaf == entry->function && place->index == entry->index)
			*cpu_entry_register(entry, place->reg) = b->definition->features.words[i];
	}
}

/* The host's leaves */

static void change_host_leaf(const struct builder *b, struct kvm_cpuid_entry2 *entry)
{
	set_words(b, entry);
	switch (entry->function) {
	case 0x0:
		set_vendor(entry, b->definition->vendor);
		break;
	case 0x1:
		place_leaf_1(b, entry);
		break;
	case 0x4:
		cpuid_share_caches(entry, b->topology);
		break;
	case 0xb:
	case 0x1f:
		place_topology(b, entry);
		break;
	case 0x80000000:
		if (entry->ebx != 0)
			set_vendor(entry, b->definition->vendor);
		break;
	case 0x80000008:
		entry->eax = (entry->eax & ~0xffu) | b->definition->phys_bits;
		place_amd_sizes(b, entry);
		break;
	case 0x8000001d:
		cpuid_share_caches(entry, b->topology);
		break;
	case 0x8000001e:
		place_amd_topology(b, entry);
		break;
	}
}

static void copy_host(const struct builder *b)
{
	for (uint32_t i = 0; i < b->host->nent && b->out->nent < LEAVES_MAX; i++) {
		const struct kvm_cpuid_entry2 *from = &b->host->entries[i];
		struct kvm_cpuid_entry2 *entry;

		if (from->function >> 16 == HYPERVISOR_LEAF >> 16 && !b->definition->kvm)
			continue;
		entry = add(b->out, from->function, from->index);
		*entry = *from;
		change_host_leaf(b, entry);
	}
}

/* A model's leaves */

static void add_features_1(const struct builder *b)
{
	struct kvm_cpuid_entry2 *entry = add(b->out, 0x1, 0);

	set_words(b, entry);
	entry->eax = signature(b->definition->model);
	entry->ebx = CLFLUSH_UNITS << 8;
	place_leaf_1(b, entry);
}

static void add_features_7(const struct builder *b)
{
	struct kvm_cpuid_entry2 *entry = add_indexed(b->out, 0x7, 0);

	set_words(b, entry);
	if (b->definition->features.words[CPU_7_1_EAX] == 0)
		return;
	entry->eax = 1;
	set_words(b, add_indexed(b->out, 0x7, 1));
}

static void add_topology(const struct builder *b)
{
	for (unsigned i = 0; i < 3; i++)
		place_topology(b, add_indexed(b->out, 0xb, i));
}

static uint32_t wanted_components(const struct builder *b)
{
	uint32_t components = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(state_components); i++)
		if (cpu_features_have(&b->definition->features, state_components[i].feature))
			components |= state_components[i].components;
	return cpu_features_have(&b->definition->features, "xsave") ? components : 0;
}

/* Where each component lies is the processor's own affair, so it comes from the host. The kernel keeps the sizes in use
 * (EBX) up to date while the guest runs. */
static void add_extended_state(const struct builder *b)
{
	struct kvm_cpuid_entry2 *host = cpuid_find(b->host, 0xd, 0);
	uint32_t components = host ? wanted_components(b) & host->eax : 0;
	struct kvm_cpuid_entry2 *first = add_indexed(b->out, 0xd, 0);
	uint32_t end = components ? 576 : 0; /* the legacy area and the header */

	set_words(b, add_indexed(b->out, 0xd, 1));
	for (unsigned i = 2; i < STATE_COMPONENTS; i++) {
		struct kvm_cpuid_entry2 *from = cpuid_find(b->host, 0xd, i);
		struct kvm_cpuid_entry2 *entry;

		if (!(components & UINT32_C(1) << i) || !from)
			continue;
		entry = add_indexed(b->out, 0xd, i);
		entry->eax = from->eax;
		entry->ebx = from->ebx;
		entry->ecx = from->ecx;
		end = MAX(end, from->eax + from->ebx);
	}
	first->eax = components;
	first->ebx = first->ecx = end;
}

static void add_hypervisor(const struct builder *b)
{
	struct kvm_cpuid_entry2 *entry;

	if (!b->definition->kvm)
		return;
	entry = add(b->out, HYPERVISOR_LEAF, 0);
	entry->eax = HYPERVISOR_LAST;
	memcpy(&entry->ebx, hypervisor_signature, 4);
	memcpy(&entry->ecx, hypervisor_signature + 4, 4);
	memcpy(&entry->edx, hypervisor_signature + 8, 4);
	set_words(b, add(b->out, HYPERVISOR_LAST, 0));
}

static void add_description(const struct builder *b)
{
	const char *text = b->definition->model->description;

	for (unsigned i = 0; i < 3; i++, text += 16) {
		struct kvm_cpuid_entry2 *entry = add(b->out, 0x80000002 + i, 0);

		memcpy(&entry->eax, text, 4);
		memcpy(&entry->ebx, text + 4, 4);
		memcpy(&entry->ecx, text + 8, 4);
		memcpy(&entry->edx, text + 12, 4);
	}
}

static void add_features_extended(const struct builder *b)
{
	struct kvm_cpuid_entry2 *entry = add(b->out, 0x80000001, 0);

	set_words(b, entry);
	entry->eax = signature(b->definition->model);
	if (is_amd(b))
		entry->edx |= b->definition->features.words[CPU_1_EDX] & amd_repeated;
	if (is_amd(b) && in_socket(b) > 1)
		entry->ecx |= FEATURE_ECX_CMP_LEGACY;
}

static void add_sizes(const struct builder *b)
{
	struct kvm_cpuid_entry2 *entry = add(b->out, 0x80000008, 0);
	bool la57 = cpu_features_have(&b->definition->features, "la57");

	set_words(b, entry);
	entry->eax = b->definition->phys_bits | (la57 ? VIRTUAL_BITS_LA57 : VIRTUAL_BITS) << 8;
	place_amd_sizes(b, entry);
}

static void add_svm(const struct builder *b)
{
	struct kvm_cpuid_entry2 *entry;

	if (!cpu_features_have(&b->definition->features, "svm"))
		return;
	entry = add(b->out, 0x8000000a, 0);
	entry->eax = SVM_REVISION;
	entry->ebx = SVM_ASIDS;
	set_words(b, entry);
}

static void add_basic_leaves(const struct builder *b)
{
	struct kvm_cpuid_entry2 *entry = add(b->out, 0, 0);

	entry->eax = b->definition->model->level;
	set_vendor(entry, b->definition->vendor);
	add_features_1(b);
	if (!is_amd(b))
		cpuid_add_intel_caches(b->out, b->topology);
	set_words(b, add(b->out, 0x6, 0));
	add_features_7(b);
	add_topology(b);
	add_extended_state(b);
}

static void add_extended_leaves(const struct builder *b)
{
	const struct cpu_model *model = b->definition->model;
	struct kvm_cpuid_entry2 *entry = add(b->out, EXTENDED_LEAF, 0);

	entry->eax = model->extended_level;
	set_vendor(entry, b->definition->vendor);
	add_features_extended(b);
	add_description(b);
	cpuid_add_amd_caches(b->out, model->caches);
	set_words(b, add(b->out, 0x80000007, 0));
	add_sizes(b);
	add_svm(b);
	if (cpu_features_have(&b->definition->features, "topoext")) {
		cpuid_add_amd_topology_caches(b->out, b->topology);
		place_amd_topology(b, add(b->out, 0x8000001e, 0));
	}
}

struct kvm_cpuid2 *cpuid_build(struct kvm_cpuid2 *host, const struct cpu_definition *definition,
	const struct cpu_topology *topology, unsigned number)
{
	struct kvm_cpuid2 *out = g_malloc0(sizeof(*out) + LEAVES_MAX * sizeof(out->entries[0]));
	struct builder builder = {
		.host = host,
		.out = out,
		.definition = definition,
		.topology = topology,
		.number = number,
		.apic_id = cpu_topology_apic_id(topology, number),
	};

	if (!definition->model) {
		copy_host(&builder);
		return out;
	}
	add_basic_leaves(&builder);
	add_hypervisor(&builder);
	add_extended_leaves(&builder);
	return out;
}
