/* What the firmware is told about starting.
 *
 * Specification: SeaBIOS, docs/Runtime_config.md; QEMU's docs/specs/fw_cfg.rst. The boot order by letters stands in CMOS memory, that by
 * devices in a file of fw_cfg, which comes first.
 */
#include "vmm/firmware/boot-policy.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/writer.h"
#include "vmm/chipset/mc146818.h"
#include "vmm/firmware-path.h"
#include "vmm/firmware/file-bytes.h"
#include "vmm/firmware/firmware-config.h"
#include "vmm/firmware/fw-cfg.h"
#include "vmm/firmware/linuxboot.h"
#include "vmm/machine/machine.h"

#define FW_CFG_USER_FOLDER "opt/"

enum {
	ROM_LIMIT = 16 << 20, /* bytes of a file that the user adds */
};

static const struct firmware_config nothing_said = { .splash_time = -1, .reboot_timeout = -1 };

static const struct firmware_config *said(const struct machine *machine)
{
	return machine->config->firmware_config ? machine->config->firmware_config : &nothing_said;
}

/* Takes @bytes. */
static void add_file(struct fw_cfg *cfg, const char *name, GByteArray *bytes)
{
	g_autoptr(GBytes) data = g_byte_array_free_to_bytes(bytes);

	fw_cfg_add_file(cfg, name, data);
}

/* One path a line; the kernel that is started directly comes before all devices. "HALT" keeps firmware from trying what is
 * not in the list. */
static void add_boot_order(struct machine *machine)
{
	g_auto(GStrv) devices = machine_boot_order(machine);
	GString *text = g_string_new(NULL);
	GByteArray *out;

	if (machine->config->kernel)
		g_string_append(text, "/rom@" LINUXBOOT_FILE);
	for (guint i = 0; devices && devices[i]; i++)
		g_string_append_printf(text, "%s%s", text->len > 0 ? "\n" : "", devices[i]);
	if (said(machine)->boot_strict)
		g_string_append_printf(text, "%sHALT", text->len > 0 ? "\n" : "");
	if (text->len > 0) {
		out = g_byte_array_new();
		write_bytes(out, text->str, text->len + 1);
		add_file(machine->fw_cfg, "bootorder", out);
	}
	g_string_free(text, TRUE);
}

/* When nothing boots, SeaBIOS stays with its message unless it is to try again. */
static void add_waits(struct machine *machine)
{
	const struct firmware_config *config = said(machine);
	GByteArray *retry = g_byte_array_new(), *menu;

	fw_cfg_add_u16(machine->fw_cfg, FW_CFG_BOOT_MENU, config->boot_menu);
	write_le32(
		retry, config->reboot_timeout < 0 ? UINT32_MAX : (uint32_t)config->reboot_timeout);
	add_file(machine->fw_cfg, "etc/boot-fail-wait", retry);
	if (config->splash_time < 0)
		return;
	menu = g_byte_array_new();
	write_le16(menu, config->splash_time);
	add_file(machine->fw_cfg, "etc/boot-menu-wait", menu);
}

static GBytes *load(const char *option, const char *path, GError **error)
{
	g_autoptr(GBytes) bytes = file_bytes(path, error);

	if (!bytes) {
		g_prefix_error(error, "%s %s: ", option, path);
		return NULL;
	}
	if (g_bytes_get_size(bytes) > ROM_LIMIT) {
		fail(error, VITRINE_ERROR_INPUT, "%s %s: it has %zu bytes, at most %d are accepted",
			option, path, (size_t)g_bytes_get_size(bytes), ROM_LIMIT);
		return NULL;
	}
	return g_steal_pointer(&bytes);
}

/* By what its file begins with, as SeaBIOS has a name for each kind. */
static bool add_splash(struct machine *machine, GError **error)
{
	static const struct {
		const char *start, *name;
	} kinds[] = { { "BM", "bootsplash.bmp" }, { "\xff\xd8\xff", "bootsplash.jpg" } };
	const char *path = said(machine)->splash;
	g_autoptr(GBytes) bytes = path ? load("-boot splash", path, error) : NULL;
	const char *content;
	gsize length;

	if (!path)
		return true;
	if (!bytes)
		return false;
	content = g_bytes_get_data(bytes, &length);
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		size_t start = strlen(kinds[i].start);

		if (length < start || memcmp(content, kinds[i].start, start) != 0)
			continue;
		fw_cfg_add_file(machine->fw_cfg, kinds[i].name, bytes);
		return true;
	}
	return fail(error, VITRINE_ERROR_INPUT,
		"-boot splash=%s: it is neither a BMP nor a JPEG picture", path);
}

static bool add_new_file(struct machine *machine, const char *option, const char *name,
	GBytes *bytes, GError **error)
{
	if (fw_cfg_has_file(machine->fw_cfg, name))
		return fail(
			error, VITRINE_ERROR_INPUT, "%s: there is a file %s already", option, name);
	if (!fw_cfg_takes_files(machine->fw_cfg))
		return fail(error, VITRINE_ERROR_INPUT, "%s: there are too many files", option);
	fw_cfg_add_file(machine->fw_cfg, name, bytes);
	return true;
}

static bool add_roms(struct machine *machine, GError **error)
{
	const GPtrArray *roms = said(machine)->option_roms;

	for (guint i = 0; roms && i < roms->len; i++) {
		const char *path = roms->pdata[i];
		g_autofree char *base = g_path_get_basename(path);
		g_autofree char *name = g_strdup_printf("genroms/%s", base);
		g_autoptr(GBytes) bytes = load("-option-rom", path, error);

		if (!bytes)
			return false;
		if (strlen(name) > FW_CFG_NAME_MAX)
			return fail(error, VITRINE_ERROR_INPUT,
				"-option-rom %s: the file's name is too long; accepted: up to %zu "
				"bytes",
				path, FW_CFG_NAME_MAX - strlen("genroms/"));
		if (!add_new_file(machine, "-option-rom", name, bytes, error))
			return false;
	}
	return true;
}

static bool add_user_files(struct machine *machine, GError **error)
{
	const GArray *files = said(machine)->fw_cfg;

	for (guint i = 0; files && i < files->len; i++) {
		const struct fw_cfg_option *file = &g_array_index(files, struct fw_cfg_option, i);
		g_autoptr(GBytes) bytes = NULL;

		bytes = file->text ? g_bytes_new(file->text, strlen(file->text))
				   : load("-fw_cfg", file->file, error);
		if (!bytes)
			return false;
		if (!g_str_has_prefix(file->name, FW_CFG_USER_FOLDER))
			log_warning("-fw_cfg name=%s: names outside %s belong to the firmware",
				file->name, FW_CFG_USER_FOLDER);
		if (!add_new_file(machine, "-fw_cfg", file->name, bytes, error))
			return false;
	}
	return true;
}

bool boot_policy_add(struct machine *machine, GError **error)
{
	add_boot_order(machine);
	add_waits(machine);
	return add_splash(machine, error) && add_roms(machine, error) &&
	       add_user_files(machine, error);
}

void boot_policy_start(struct machine *machine)
{
	const struct firmware_config *config = said(machine);
	struct device *rtc = machine_device_of_class(machine, &mc146818_class);
	bool first = machine->starts++ == 0;
	const char *order = first && config->boot_once ? config->boot_once : config->boot_order;

	if (rtc)
		rtc_set_boot_order(rtc, order ? order : "");
}
