/* CPU features by name: which bit of which CPUID leaf each one is.
 *
 * Names are those that users of KVM know from QEMU and libvirt ("sse4.2", "avx2", "kvmclock"); '_' and '-' are the same.
 * Specification: Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E; Linux Documentation/virt/kvm/x86/cpuid.rst.
 */
#pragma once

#include <glib.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

enum cpu_register {
	CPU_EAX,
	CPU_EBX,
	CPU_ECX,
	CPU_EDX,
};

/* The registers that hold features. */
enum cpu_word {
	CPU_1_EDX,
	CPU_1_ECX,
	CPU_6_EAX,
	CPU_7_EBX,
	CPU_7_ECX,
	CPU_7_EDX,
	CPU_7_1_EAX,
	CPU_D_1_EAX,
	CPU_80000001_EDX,
	CPU_80000001_ECX,
	CPU_80000007_EDX,
	CPU_80000008_EBX,
	CPU_8000000A_EDX,
	CPU_KVM_EAX,
	CPU_WORDS,
};

struct cpu_word_place {
	uint32_t leaf, index;
	enum cpu_register reg;
};

extern const struct cpu_word_place cpu_word_places[CPU_WORDS];

struct cpu_features {
	uint32_t words[CPU_WORDS];
};

/* False when there is no feature by that name. */
bool cpu_feature_find(const char *name, enum cpu_word *word, uint32_t *bit);

/* The name of one bit, or NULL. */
const char *cpu_feature_name(enum cpu_word word, uint32_t bit);

bool cpu_features_have(const struct cpu_features *features, const char *name);
void cpu_features_set(struct cpu_features *features, const char *name, bool on);

/* Names of what is in @wanted and not in @had, separated by blanks; NULL when there is nothing. To be freed. */
char *cpu_features_missing(const struct cpu_features *wanted, const struct cpu_features *had);

/* All names in the order of the leaves, separated by blanks. To be freed. */
char *cpu_features_names(void);

/* The register of a leaf that a word is. */
uint32_t *cpu_entry_register(struct kvm_cpuid_entry2 *entry, enum cpu_register reg);

/* The leaf in a table, NULL when it is not there. */
struct kvm_cpuid_entry2 *cpuid_find(struct kvm_cpuid2 *table, uint32_t leaf, uint32_t index);
