/* Processors: APIC ids, what -cpu says, model files, and the CPUID that follows. */
#include <string.h>

#include "vmm/cpu/cpuid.h"

static void test_topology(void)
{
	static const struct {
		struct cpu_topology topology;
		unsigned number;
		uint32_t apic_id;
	} cases[] = {
		{ { 1, 1, 1 }, 0, 0 },
		{ { 1, 8, 1 }, 7, 7 },
		{ { 2, 3, 1 }, 3, 4 }, /* three cores take two bits */
		{ { 2, 3, 1 }, 5, 6 },
		{ { 2, 2, 2 }, 7, 7 },
		{ { 1, 3, 2 }, 5, 5 },
		{ { 2, 1, 3 }, 3, 4 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_assert_cmpuint(cpu_topology_apic_id(&cases[i].topology, cases[i].number), ==,
			cases[i].apic_id);
		g_assert_cmpuint(cpu_topology_count(&cases[i].topology), >, cases[i].number);
	}
}

static void test_requests(void)
{
	static const struct {
		const char *text;
		const char *error; /* NULL: accepted */
	} cases[] = {
		{ "host" },
		{ "host,+avx2,-sse4_1,sse4.2=off,check=off,enforce" },
		{ "max,migratable=no,host-phys-bits=on,phys-bits=46,vendor=AuthenticAMD,kvm=off" },
		{ "", "a model has to come first" },
		{ "host,avx3", "there is no feature or key 'avx3'" },
		{ "host,+", "there is no feature or key ''" },
		{ "host,avx2=maybe", "avx2=maybe: on or off is needed" },
		{ "host,vendor=me", "vendor=me: twelve characters" },
		{ "host,phys-bits=99", "phys-bits=99: a number from 32 to 52" },
		{ "host,phys-bits=-1", "phys-bits=-1: a number" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		struct cpu_request *request = cpu_request_parse(cases[i].text, &error);

		if (!cases[i].error) {
			g_assert_no_error(error);
		} else {
			g_assert_null(request);
			g_assert_nonnull(strstr(error->message, cases[i].error));
		}
		cpu_request_free(request);
	}
}

#define HEAD \
	"[cpu]\nname=N\nversion=1\nvendor=GenuineIntel\nfamily=6\nmodel=94\nstepping=3\nlevel=" \
	"13\n"
#define TAIL \
	"extended-level=0x80000008\nphys-bits=40\ndescription=D\ncaches=legacy\nfeatures=fpu " \
	"vme;avx2\n"

static void test_models(void)
{
	static const struct {
		const char *name, *text, *error;
	} cases[] = {
		{ "N-v1", HEAD TAIL },
		{ "N-v2", HEAD TAIL, "belong into a file called N-v1" },
		{ "N-v1", HEAD, "no extended-level=" },
		{ "N-v1", HEAD TAIL "features=fpu turbo\n", "there is no CPU feature 'turbo'" },
		{ "N-v1", HEAD TAIL "caches=none\n", "caches=none: legacy or zen" },
		{ "N-v1", HEAD TAIL "stepping=16\n", "stepping=16: a number up to 15" },
		{ "N-v1", HEAD TAIL "family=-1\n", "family=-1: a number" },
		{ "N-v1", HEAD TAIL "vendor=Cyrix\n", "vendor=Cyrix: twelve characters" },
		{ "N-v1", "name=N\n", "CPU model N-v1: " },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		struct cpu_model *model = cpu_model_parse(
			cases[i].name, cases[i].text, strlen(cases[i].text), &error);

		if (!cases[i].error) {
			g_assert_no_error(error);
			g_assert_true(cpu_features_have(&model->features, "avx2"));
		} else {
			g_assert_null(model);
			g_assert_nonnull(strstr(error->message, cases[i].error));
		}
		cpu_model_free(model);
	}
}

/* A host with everything, or with nothing but what KVM always gives. */
static struct kvm_cpuid2 *make_host(bool all)
{
	struct kvm_cpuid2 *host = g_malloc0(sizeof(*host) + 32 * sizeof(host->entries[0]));

	for (unsigned i = 0; i < CPU_WORDS; i++) {
		const struct cpu_word_place *place = &cpu_word_places[i];
		struct kvm_cpuid_entry2 *entry = cpuid_find(host, place->leaf, place->index);

		if (!entry) {
			entry = &host->entries[host->nent++];
			entry->function = place->leaf;
			entry->index = place->index;
			entry->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		}
		*cpu_entry_register(entry, place->reg) = all ? UINT32_MAX : 0;
	}
	host->entries[host->nent++] = (struct kvm_cpuid_entry2) {
		.function = 0, .eax = 13, .ebx = 0x756e6547, .edx = 0x49656e69, .ecx = 0x6c65746e
	};
	host->entries[host->nent++] = (struct kvm_cpuid_entry2) {
		.function = 0xd, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .eax = 0x7
	};
	host->entries[host->nent++] = (struct kvm_cpuid_entry2) { .function = 0xd,
		.index = 2,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.eax = 256,
		.ebx = 576 };
	return host;
}

static struct kvm_cpuid2 *build(struct kvm_cpuid2 *host, const char *cpu,
	const struct cpu_topology *topology, unsigned number)
{
	g_autoptr(GError) error = NULL;
	struct cpu_request *request = cpu_request_parse(cpu, &error);
	struct cpu_definition *definition;
	struct kvm_cpuid2 *cpuid;

	g_assert_no_error(error);
	definition = cpu_definition_new(request, host, &error);
	g_assert_no_error(error);
	cpuid = cpuid_build(host, definition, topology, number);
	cpu_definition_free(definition);
	cpu_request_free(request);
	return cpuid;
}

static void test_skylake(void)
{
	static const struct cpu_topology topology = { 2, 2, 2 };
	g_autofree struct kvm_cpuid2 *host = make_host(true);
	g_autofree struct kvm_cpuid2 *cpuid =
		build(host, "Skylake-Client,-hle,+avx512f", &topology, 5);
	const struct kvm_cpuid_entry2 *leaf = cpuid_find(cpuid, 1, 0);

	g_assert_cmphex(leaf->eax, ==, 0x506e3);
	g_assert_cmphex(leaf->ebx, ==, 5u << 24 | 4 << 16 | 8 << 8);
	g_assert_cmphex(leaf->edx, ==, 0x1f8bfbff & ~0x08400000u & ~2u & ~0x8000000u);
	leaf = cpuid_find(cpuid, 7, 0);
	g_assert_cmphex(leaf->ebx & 1 << 4, ==, 0);
	g_assert_cmphex(leaf->ebx & 1 << 16, ==, 1 << 16);
	leaf = cpuid_find(cpuid, 0xb, 1);
	g_assert_cmphex(leaf->eax, ==, 2);
	g_assert_cmphex(leaf->ebx, ==, 4);
	g_assert_cmphex(leaf->edx, ==, 5);
	leaf = cpuid_find(cpuid, 0xd, 0);
	g_assert_cmphex(leaf->eax, ==, 7);
	g_assert_cmpuint(leaf->ecx, ==, 832);
	leaf = cpuid_find(cpuid, 0x80000008, 0);
	g_assert_cmphex(leaf->eax, ==, 0x3028);
	leaf = cpuid_find(cpuid, 4, 3);
	g_assert_cmphex(leaf->eax, ==, 3 | 3 << 5 | 1 << 8 | 3 << 14 | 1 << 26);
	g_assert_null(cpuid_find(cpuid, 0x8000001e, 0));
	leaf = cpuid_find(cpuid, 0x40000000, 0);
	g_assert_cmpmem(&leaf->ebx, 4, "KVMK", 4);
}

static void test_epyc(void)
{
	static const struct cpu_topology topology = { 1, 2, 2 };
	g_autofree struct kvm_cpuid2 *host = make_host(true);
	g_autofree struct kvm_cpuid2 *cpuid = build(host, "EPYC,kvm=off", &topology, 3);
	const struct kvm_cpuid_entry2 *leaf = cpuid_find(cpuid, 0, 0);

	g_assert_cmpmem(&leaf->ebx, 4, "Auth", 4);
	leaf = cpuid_find(cpuid, 0x80000001, 0);
	g_assert_cmphex(leaf->eax, ==, 0x800f12);
	g_assert_cmphex(leaf->ecx & 2, ==, 2);
	leaf = cpuid_find(cpuid, 0x8000001e, 0);
	g_assert_cmphex(leaf->eax, ==, 3);
	g_assert_cmphex(leaf->ebx, ==, 1 << 8 | 1);
	g_assert_null(cpuid_find(cpuid, 4, 0));
	g_assert_null(cpuid_find(cpuid, 0x40000000, 0));
}

static void test_missing(void)
{
	g_autofree struct kvm_cpuid2 *poor = make_host(false);
	g_autoptr(GError) error = NULL;
	struct cpu_request *request = cpu_request_parse("qemu64,enforce", NULL);

	g_assert_null(cpu_definition_new(request, poor, &error));
	g_assert_nonnull(strstr(error->message, "the host lacks fpu de"));
	cpu_request_free(request);
	g_clear_error(&error);
	request = cpu_request_parse("pentium", NULL);
	g_assert_null(cpu_definition_new(request, poor, &error));
	g_assert_nonnull(strstr(error->message, "there is no model 'pentium'; there is host, max"));
	cpu_request_free(request);
}

static void test_host(void)
{
	static const struct cpu_topology topology = { 1, 2, 1 };
	g_autofree struct kvm_cpuid2 *host = make_host(true);
	g_autofree struct kvm_cpuid2 *cpuid = build(host, "host,-avx2", &topology, 1);

	g_assert_cmphex(cpuid_find(cpuid, 7, 0)->ebx, ==, ~(1u << 5));
	g_assert_cmphex(cpuid_find(cpuid, 0x80000007, 0)->edx, ==, ~(1u << 8));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cpu/topology", test_topology);
	g_test_add_func("/cpu/requests", test_requests);
	g_test_add_func("/cpu/models", test_models);
	g_test_add_func("/cpu/skylake", test_skylake);
	g_test_add_func("/cpu/epyc", test_epyc);
	g_test_add_func("/cpu/missing", test_missing);
	g_test_add_func("/cpu/host", test_host);
	return g_test_run();
}
