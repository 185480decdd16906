/* CPU models: versioned descriptions under data/cpu-models/, read and checked.
 *
 * A file is a GLib key file, named NAME-vVERSION:
 *
 *   [cpu]
 *   name=Skylake-Client
 *   version=1
 *   vendor=GenuineIntel          twelve characters, or "host": the host's
 *   family=6, model=94, stepping=3
 *   level=13                     highest basic leaf
 *   extended-level=0x80000008    highest extended leaf
 *   phys-bits=40                 bits of a physical address, unless -cpu says otherwise
 *   description=...              what the guest shows to people, at most 47 characters
 *   caches=legacy                legacy or zen, see cpuid.c
 *   features=fpu vme;pni         names separated by blanks and semicolons
 *
 * The bare name stands for the newest version.
 */
#pragma once

#include "vmm/cpu/features.h"

enum {
	CPU_VENDOR_LENGTH = 12,
	CPU_DESCRIPTION_LENGTH = 48, /* of the leaves 0x80000002 to 4, with a NUL at the end */
};

enum cpu_caches {
	CPU_CACHES_LEGACY,
	CPU_CACHES_ZEN,
};

struct cpu_model {
	char *name; /* "Skylake-Client-v1" */
	char *base; /* "Skylake-Client" */
	unsigned version;
	char vendor[CPU_VENDOR_LENGTH + 1]; /* empty: the host's */
	unsigned family, model, stepping;
	uint32_t level, extended_level;
	unsigned phys_bits;
	char description[CPU_DESCRIPTION_LENGTH];
	enum cpu_caches caches;
	struct cpu_features features;
};

/* Parses one file: @name is what it must be called. Pure; @error says key, value and what is right. */
struct cpu_model *cpu_model_parse(const char *name, const char *text, gsize length, GError **error);
void cpu_model_free(struct cpu_model *model);

/* By versioned name or bare name; the error lists what there is ("host" and "max" are no files). */
struct cpu_model *cpu_model_load(const char *name, GError **error);

/* Names of all models, versioned, sorted; to be freed with g_strfreev(). NULL with @error. */
char **cpu_model_names(GError **error);
