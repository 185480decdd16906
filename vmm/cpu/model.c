/* CPU models: reading their files. */
#include "vmm/cpu/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vmm/machine/machine-types.h"

#define GROUP  "cpu"
#define FOLDER "cpu-models"

enum {
	FILE_MAX = 64 * 1024
};

static const char *const cache_names[] = {
	[CPU_CACHES_LEGACY] = "legacy",
	[CPU_CACHES_ZEN] = "zen",
};

static bool read_text(GKeyFile *file, const char *key, char **text, GError **error)
{
	*text = g_key_file_get_string(file, GROUP, key, NULL);
	return *text || fail(error, VITRINE_ERROR_INPUT, "[cpu] has no %s=", key);
}

static bool read_number(
	GKeyFile *file, const char *key, uint32_t maximum, uint32_t *number, GError **error)
{
	g_autofree char *text = NULL;
	guint64 value;
	char *end;

	if (!read_text(file, key, &text, error))
		return false;
	value = g_ascii_strtoull(text, &end, 0);
	if (!g_ascii_isdigit(text[0]) || *end != '\0' || value > maximum)
		return fail(error, VITRINE_ERROR_INPUT, "%s=%s: a number up to %u is needed", key,
			text, maximum);
	*number = value;
	return true;
}

static bool read_vendor(GKeyFile *file, struct cpu_model *model, GError **error)
{
	g_autofree char *text = NULL;

	if (!read_text(file, "vendor", &text, error))
		return false;
	if (strcmp(text, "host") == 0)
		return true;
	if (strlen(text) != CPU_VENDOR_LENGTH)
		return fail(error, VITRINE_ERROR_INPUT,
			"vendor=%s: twelve characters are needed, or host", text);
	memcpy(model->vendor, text, CPU_VENDOR_LENGTH);
	return true;
}

static bool read_description(GKeyFile *file, struct cpu_model *model, GError **error)
{
	g_autofree char *text = NULL;

	if (!read_text(file, "description", &text, error))
		return false;
	if (g_strlcpy(model->description, text, sizeof(model->description)) >=
		sizeof(model->description))
		return fail(error, VITRINE_ERROR_INPUT,
			"description=%s: at most %d characters are possible", text,
			CPU_DESCRIPTION_LENGTH - 1);
	return true;
}

static bool read_caches(GKeyFile *file, struct cpu_model *model, GError **error)
{
	g_autofree char *text = NULL;

	if (!read_text(file, "caches", &text, error))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(cache_names); i++) {
		if (strcmp(cache_names[i], text) == 0) {
			model->caches = i;
			return true;
		}
	}
	return fail(error, VITRINE_ERROR_INPUT, "caches=%s: legacy or zen is needed", text);
}

static bool read_features(GKeyFile *file, struct cpu_model *model, GError **error)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) names = NULL;

	if (!read_text(file, "features", &text, error))
		return false;
	names = g_strsplit_set(text, " ;", -1);
	for (unsigned i = 0; names[i]; i++) {
		enum cpu_word word;
		uint32_t bit;

		if (names[i][0] == '\0')
			continue;
		if (!cpu_feature_find(names[i], &word, &bit))
			return fail(error, VITRINE_ERROR_INPUT,
				"features=: there is no CPU feature '%s'", names[i]);
		model->features.words[word] |= bit;
	}
	return true;
}

static bool read_name(GKeyFile *file, const char *name, struct cpu_model *model, GError **error)
{
	if (!read_text(file, "name", &model->base, error) ||
		!read_number(file, "version", 999, &model->version, error))
		return false;
	model->name = g_strdup_printf("%s-v%u", model->base, model->version);
	return strcmp(model->name, name) == 0 ||
	       fail(error, VITRINE_ERROR_INPUT,
		       "name=%s and version=%u belong into a file called %s", model->base,
		       model->version, model->name);
}

static bool read_model(GKeyFile *file, const char *name, struct cpu_model *model, GError **error)
{
	return read_name(file, name, model, error) && read_vendor(file, model, error) &&
	       read_number(file, "family", 270, &model->family, error) &&
	       read_number(file, "model", 255, &model->model, error) &&
	       read_number(file, "stepping", 15, &model->stepping, error) &&
	       read_number(file, "level", 0x20, &model->level, error) &&
	       read_number(file, "extended-level", 0x80000020, &model->extended_level, error) &&
	       read_number(file, "phys-bits", 52, &model->phys_bits, error) &&
	       read_description(file, model, error) && read_caches(file, model, error) &&
	       read_features(file, model, error);
}

struct cpu_model *cpu_model_parse(const char *name, const char *text, gsize length, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	struct cpu_model *model;

	if (length > FILE_MAX) {
		fail(error, VITRINE_ERROR_INPUT, "CPU model %s: longer than %d bytes", name,
			FILE_MAX);
		return NULL;
	}
	if (!g_key_file_load_from_data(file, text, length, G_KEY_FILE_NONE, error)) {
		g_prefix_error(error, "CPU model %s: ", name);
		return NULL;
	}
	model = g_new0(struct cpu_model, 1);
	if (read_model(file, name, model, error))
		return model;
	g_prefix_error(error, "CPU model %s: ", name);
	cpu_model_free(model);
	return NULL;
}

void cpu_model_free(struct cpu_model *model)
{
	if (!model)
		return;
	g_free(model->name);
	g_free(model->base);
	g_free(model);
}

static int compare_names(gconstpointer one, gconstpointer other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

char **cpu_model_names(GError **error)
{
	g_autofree char *path = machine_data_folder(FOLDER);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	GDir *folder = g_dir_open(path, 0, error);
	const char *name;

	if (!folder)
		return NULL;
	while ((name = g_dir_read_name(folder)))
		if (name[0] != '.' && !g_str_has_suffix(name, "~"))
			g_ptr_array_add(names, g_strdup(name));
	g_dir_close(folder);
	g_ptr_array_sort(names, compare_names);
	g_ptr_array_add(names, NULL);
	g_ptr_array_set_free_func(names, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

/* The version at the end of "NAME-vN" when NAME is @base; 0: something else. */
static unsigned version_of(const char *file, const char *base)
{
	size_t length = strlen(base);

	if (strncmp(file, base, length) != 0 || strncmp(file + length, "-v", 2) != 0)
		return 0;
	return strtoul(file + length + 2, NULL, 10);
}

static const char *find_name(char **names, const char *name)
{
	const char *newest = NULL;
	unsigned newest_version = 0;

	for (unsigned i = 0; names[i]; i++) {
		unsigned version = version_of(names[i], name);

		if (strcmp(names[i], name) == 0)
			return names[i];
		if (version > newest_version) {
			newest = names[i];
			newest_version = version;
		}
	}
	return newest;
}

struct cpu_model *cpu_model_load(const char *name, GError **error)
{
	g_auto(GStrv) names = cpu_model_names(error);
	g_autofree char *folder = machine_data_folder(FOLDER);
	g_autofree char *path = NULL;
	g_autofree char *text = NULL;
	const char *file;
	gsize length;

	if (!names)
		return NULL;
	file = find_name(names, name);
	if (!file) {
		g_autofree char *list = g_strjoinv(", ", names);

		fail(error, VITRINE_ERROR_INPUT,
			"-cpu: there is no model '%s'; there is host, max, %s", name, list);
		return NULL;
	}
	path = g_build_filename(folder, file, NULL);
	if (!g_file_get_contents(path, &text, &length, error))
		return NULL;
	return cpu_model_parse(file, text, length, error);
}
