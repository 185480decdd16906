/* Firmware files, as distributions install them. */
#include "vmm/firmware/files.h"

#include <string.h>

#include "base/error.h"
#include "version.h"
#include "vmm/firmware/file-bytes.h"

static const char *const folders[] = {
	VITRINE_DATA_DIR "/firmware",
	"/usr/share/vitrine/firmware",
	"/usr/share/seabios",
	"/usr/share/qemu",
};

/* Debian's package by the beginning of the name. */
static const struct {
	const char *prefix, *package;
} packages[] = {
	{ "bios", "seabios" },
	{ "vgabios", "seabios" },
	{ "OVMF", "ovmf" },
	{ "efi-", "ipxe-qemu" },
	{ "pxe-", "ipxe-qemu" },
};

static const char *package_of(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(packages); i++)
		if (g_str_has_prefix(name, packages[i].prefix))
			return packages[i].package;
	return NULL;
}

static char *find_in_folders(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *path = g_build_filename(folders[i], name, NULL);

		if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
			return g_steal_pointer(&path);
	}
	return NULL;
}

static void fail_not_found(const char *name, GError **error)
{
	const char *package = package_of(name);
	g_autoptr(GString) text = g_string_new(NULL);

	g_string_append_printf(text, "firmware '%s' is in none of", name);
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
		g_string_append_printf(text, "%s %s", i > 0 ? "," : "", folders[i]);
	if (package)
		g_string_append_printf(text, "; Debian's package '%s' has it", package);
	fail(error, VITRINE_ERROR_HOST, "%s", text->str);
}

GBytes *firmware_file_load(const char *name, GError **error)
{
	g_autofree char *path = strchr(name, '/') ? g_strdup(name) : find_in_folders(name);
	g_autoptr(GBytes) bytes = NULL;

	if (!path) {
		fail_not_found(name, error);
		return NULL;
	}
	bytes = file_bytes(path, error);
	if (!bytes) {
		g_prefix_error(error, "firmware '%s': ", path);
		return NULL;
	}
	if (g_bytes_get_size(bytes) > FIRMWARE_FILE_LIMIT) {
		fail(error, VITRINE_ERROR_INPUT,
			"firmware '%s' has %zu bytes, at most %u are accepted", path,
			(size_t)g_bytes_get_size(bytes), FIRMWARE_FILE_LIMIT);
		return NULL;
	}
	return g_steal_pointer(&bytes);
}
