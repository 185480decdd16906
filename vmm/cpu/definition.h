/* The processor of a guest: what -cpu asks for, and what the guest gets.
 *
 * -cpu MODEL[,+FEATURE][,-FEATURE][,FEATURE=on|off][,KEY=VALUE]...
 *
 * What the guest gets is the model and what was added to it; what the host lacks is left out and warned about (check, the
 * default), or the start is refused (enforce).
 */
#pragma once

#include "vmm/cpu/model.h"

/* What was asked for. */
struct cpu_request {
	char *model; /* "host", "max" or a name of cpu_model_load() */
	struct cpu_features plus, minus;
	bool check, enforce;
	bool migratable;     /* host, max: leave out what ties the guest to this host (invtsc) */
	bool hide_kvm;       /* kvm=off */
	bool host_phys_bits; /* as many address bits as the host has */
	unsigned phys_bits;  /* 0: the model's, and the host's for host and max */
	char vendor[CPU_VENDOR_LENGTH + 1]; /* empty: the model's */
};

/* Parses the text of -cpu. Pure; NULL with @error: the feature or key, and what is accepted. */
struct cpu_request *cpu_request_parse(const char *text, GError **error);
void cpu_request_free(struct cpu_request *request);

/* What the guest gets. */
struct cpu_definition {
	struct cpu_model *model; /* NULL: the host's own */
	char vendor[CPU_VENDOR_LENGTH + 1];
	struct cpu_features features;
	unsigned phys_bits;
	bool kvm;
	char *missing; /* features that were asked for and the host lacks, or NULL */
};

/* @host: what KVM can give. Warns about what is missing, or refuses. */
struct cpu_definition *cpu_definition_new(
	const struct cpu_request *request, struct kvm_cpuid2 *host, GError **error);
void cpu_definition_free(struct cpu_definition *definition);
