/* From what -cpu asks for to what the guest gets. */
#include "vmm/cpu/definition.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "vmm/options/values.h"

enum {
	LEAST_PHYS_BITS = 32,
	MOST_PHYS_BITS = 52,
};

/* What KVM adds to every model where the host has it. */
static const char *const kvm_features[] = {
	"kvmclock",
	"kvmclock2",
	"kvm-nopiodelay",
	"kvm-asyncpf",
	"kvm-steal-time",
	"kvm-pv-eoi",
	"kvmclock-stable-bit",
	"x2apic",
};

static bool read_bool(const char *name, const char *value, bool *on, GError **error)
{
	return value_parse_bool(value, on) ||
	       fail(error, VITRINE_ERROR_INPUT, "-cpu: %s=%s: on or off is needed", name, value);
}

static bool read_vendor(struct cpu_request *request, const char *value, GError **error)
{
	if (strlen(value) != CPU_VENDOR_LENGTH)
		return fail(error, VITRINE_ERROR_INPUT,
			"-cpu: vendor=%s: twelve characters are needed, such as GenuineIntel",
			value);
	memcpy(request->vendor, value, CPU_VENDOR_LENGTH);
	return true;
}

static bool read_phys_bits(struct cpu_request *request, const char *value, GError **error)
{
	uint64_t bits;

	if (!value_parse_number(value, &bits) || bits < LEAST_PHYS_BITS || bits > MOST_PHYS_BITS)
		return fail(error, VITRINE_ERROR_INPUT,
			"-cpu: phys-bits=%s: a number from %d to %d is needed", value,
			LEAST_PHYS_BITS, MOST_PHYS_BITS);
	request->phys_bits = bits;
	return true;
}

static bool set_feature(struct cpu_request *request, const char *name, bool on, GError **error)
{
	enum cpu_word word;
	uint32_t bit;

	if (!cpu_feature_find(name, &word, &bit))
		return fail(error, VITRINE_ERROR_INPUT,
			"-cpu: there is no feature or key '%s'; \"-cpu help\" lists them", name);
	/* What is written last counts. */
	(on ? &request->plus : &request->minus)->words[word] |= bit;
	(on ? &request->minus : &request->plus)->words[word] &= ~bit;
	return true;
}

static bool read_pair(
	struct cpu_request *request, const char *name, const char *value, GError **error)
{
	const struct {
		const char *name;
		bool *value;
	} flags[] = {
		{ "check", &request->check },
		{ "enforce", &request->enforce },
		{ "migratable", &request->migratable },
		{ "host-phys-bits", &request->host_phys_bits },
	};
	bool on;

	if (strcmp(name, "vendor") == 0)
		return read_vendor(request, value, error);
	if (strcmp(name, "phys-bits") == 0)
		return read_phys_bits(request, value, error);
	if (!read_bool(name, value, &on, error))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
		if (strcmp(flags[i].name, name) == 0) {
			*flags[i].value = on;
			return true;
		}
	}
	if (strcmp(name, "kvm") == 0) {
		request->hide_kvm = !on;
		return true;
	}
	return set_feature(request, name, on, error);
}

static bool read_word(struct cpu_request *request, char *word, GError **error)
{
	char *equals = strchr(word, '=');

	if (word[0] == '+' || word[0] == '-')
		return set_feature(request, word + 1, word[0] == '+', error);
	if (equals)
		*equals = '\0';
	return read_pair(request, word, equals ? equals + 1 : "on", error);
}

struct cpu_request *cpu_request_parse(const char *text, GError **error)
{
	g_auto(GStrv) words = g_strsplit(text, ",", -1);
	struct cpu_request *request = g_new0(struct cpu_request, 1);
	bool good = words[0] && words[0][0] != '\0';

	request->check = true;
	request->migratable = true;
	if (!good)
		fail(error, VITRINE_ERROR_INPUT,
			"-cpu: a model has to come first; \"-cpu help\" lists them");
	else
		request->model = g_strdup(words[0]);
	for (unsigned i = 1; good && words[i]; i++)
		good = read_word(request, words[i], error);
	if (good)
		return request;
	cpu_request_free(request);
	return NULL;
}

void cpu_request_free(struct cpu_request *request)
{
	if (!request)
		return;
	g_free(request->model);
	g_free(request);
}

static bool is_host(const struct cpu_request *request)
{
	return strcmp(request->model, "host") == 0 || strcmp(request->model, "max") == 0;
}

/* What KVM can give, with what it emulates whatever the processor has. */
static struct cpu_features host_features(struct kvm_cpuid2 *host)
{
	struct cpu_features features = { 0 };

	for (unsigned i = 0; i < CPU_WORDS; i++) {
		const struct cpu_word_place *place = &cpu_word_places[i];
		struct kvm_cpuid_entry2 *entry = cpuid_find(host, place->leaf, place->index);

		if (entry)
			features.words[i] = *cpu_entry_register(entry, place->reg);
	}
	cpu_features_set(&features, "hypervisor", true);
	cpu_features_set(&features, "tsc-deadline", true);
	cpu_features_set(&features, "arat", true);
	return features;
}

static void host_vendor(struct kvm_cpuid2 *host, char vendor[CPU_VENDOR_LENGTH + 1])
{
	struct kvm_cpuid_entry2 *entry = cpuid_find(host, 0, 0);

	if (!entry)
		return;
	memcpy(vendor, &entry->ebx, 4);
	memcpy(vendor + 4, &entry->edx, 4);
	memcpy(vendor + 8, &entry->ecx, 4);
	vendor[CPU_VENDOR_LENGTH] = '\0';
}

static unsigned host_phys_bits(struct kvm_cpuid2 *host)
{
	struct kvm_cpuid_entry2 *entry = cpuid_find(host, 0x80000008, 0);

	return entry && (entry->eax & 0xff) ? entry->eax & 0xff : 36;
}

static void add(struct cpu_features *to, const struct cpu_features *what)
{
	for (unsigned i = 0; i < CPU_WORDS; i++)
		to->words[i] |= what->words[i];
}

static void take(struct cpu_features *from, const struct cpu_features *what)
{
	for (unsigned i = 0; i < CPU_WORDS; i++)
		from->words[i] &= ~what->words[i];
}

static void keep(struct cpu_features *of, const struct cpu_features *what)
{
	for (unsigned i = 0; i < CPU_WORDS; i++)
		of->words[i] &= what->words[i];
}

static void set_features(struct cpu_definition *definition, const struct cpu_request *request,
	const struct cpu_features *had)
{
	struct cpu_features wanted = { 0 }, extra = { 0 };

	if (definition->model) {
		wanted = definition->model->features;
		for (size_t i = 0; i < G_N_ELEMENTS(kvm_features); i++)
			cpu_features_set(&extra, kvm_features[i], true);
		keep(&extra, had);
	} else {
		wanted = *had;
		if (request->migratable)
			cpu_features_set(&wanted, "invtsc", false);
	}
	add(&wanted, &request->plus);
	take(&wanted, &request->minus);
	take(&extra, &request->minus);
	cpu_features_set(&extra, "hypervisor", !(request->minus.words[CPU_1_ECX] & 1u << 31));
	definition->missing = cpu_features_missing(&wanted, had);
	add(&wanted, &extra);
	keep(&wanted, had);
	if (!definition->kvm)
		wanted.words[CPU_KVM_EAX] = 0;
	definition->features = wanted;
}

static bool report_missing(
	const struct cpu_definition *definition, const struct cpu_request *request, GError **error)
{
	if (!definition->missing)
		return true;
	if (request->enforce)
		return fail(error, VITRINE_ERROR_HOST,
			"-cpu %s: the host lacks %s; leave out enforce, or these features (-NAME)",
			request->model, definition->missing);
	if (request->check)
		log_warning("-cpu %s: the host lacks %s; the guest goes without", request->model,
			definition->missing);
	return true;
}

struct cpu_definition *cpu_definition_new(
	const struct cpu_request *request, struct kvm_cpuid2 *host, GError **error)
{
	struct cpu_definition *definition = g_new0(struct cpu_definition, 1);
	struct cpu_features had = host_features(host);

	if (!is_host(request)) {
		definition->model = cpu_model_load(request->model, error);
		if (!definition->model) {
			cpu_definition_free(definition);
			return NULL;
		}
	}
	host_vendor(host, definition->vendor);
	if (definition->model && definition->model->vendor[0])
		memcpy(definition->vendor, definition->model->vendor, CPU_VENDOR_LENGTH);
	if (request->vendor[0])
		memcpy(definition->vendor, request->vendor, CPU_VENDOR_LENGTH);
	definition->kvm = !request->hide_kvm;
	definition->phys_bits = !definition->model || request->host_phys_bits
					? host_phys_bits(host)
					: definition->model->phys_bits;
	if (request->phys_bits > 0)
		definition->phys_bits = request->phys_bits;
	set_features(definition, request, &had);
	if (report_missing(definition, request, error))
		return definition;
	cpu_definition_free(definition);
	return NULL;
}

void cpu_definition_free(struct cpu_definition *definition)
{
	if (!definition)
		return;
	cpu_model_free(definition->model);
	g_free(definition->missing);
	g_free(definition);
}
