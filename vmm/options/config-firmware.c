/* What the guest starts from, and what it is told: flash chips, boot order, files, SMBIOS. */
#include "vmm/options/config-private.h"

#include <string.h>

#include "base/error.h"
#include "vmm/firmware/fw-cfg.h"

/* Where no unit is given, it is the first one that is free. */
static unsigned free_flash(const struct machine_config *machine)
{
	unsigned unit = 0;

	while (unit < MACHINE_FLASH_CHIPS && machine->flash[unit].file)
		unit++;
	return unit;
}

static bool add_flash(struct config_builder *builder, const struct option_set *set, GError **error)
{
	struct machine_config *machine = &builder->config->machine;
	uint64_t unit = option_set_number(set, "unit", free_flash(machine));

	if (!option_set_get(set, "file"))
		return fail(error, VITRINE_ERROR_INPUT, "%s: file=... is missing", set->origin);
	if (unit >= MACHINE_FLASH_CHIPS)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: there are %d flash chips: unit=0 has the firmware, unit=1 its "
			"variables",
			set->origin, MACHINE_FLASH_CHIPS);
	if (machine->flash[unit].file)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: file=%s: the flash chip unit=%u is taken by %s", set->origin,
			option_set_get(set, "file"), (unsigned)unit, machine->flash[unit].file);
	machine->flash[unit] = (struct machine_flash) {
		.file = config_keep(builder, option_set_get(set, "file")),
		.read_only = option_set_bool(set, "readonly", false),
	};
	return true;
}

/* pflash0=NODE and pflash1=NODE of -machine. */
static bool add_flash_nodes(struct config_builder *builder, GError **error)
{
	static const char *const keys[MACHINE_FLASH_CHIPS] = { "pflash0", "pflash1" };
	const struct option_set *set = options_find(builder->options, "machine");

	for (unsigned unit = 0; unit < MACHINE_FLASH_CHIPS; unit++) {
		struct machine_flash *flash = &builder->config->machine.flash[unit];
		const char *node = option_set_get(set, keys[unit]);
		g_autofree char *user = NULL;

		if (!node)
			continue;
		user = g_strdup_printf("-machine %s=%s", keys[unit], node);
		if (flash->file)
			return fail(error, VITRINE_ERROR_INPUT,
				"%s: this flash chip is taken by %s", user, flash->file);
		if (!config_use_flash(builder, node, user, flash, error))
			return false;
	}
	return true;
}

bool config_build_flash(struct config_builder *builder, GError **error)
{
	const struct machine_config *machine = &builder->config->machine;

	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);

		if (strcmp(set->spec->group, "drive") == 0 &&
			g_strcmp0(option_set_get(set, "if"), "pflash") == 0 &&
			!add_flash(builder, set, error))
			return false;
	}
	if (!add_flash_nodes(builder, error))
		return false;
	if (machine->flash[1].file && !machine->flash[0].file)
		return fail(error, VITRINE_ERROR_INPUT,
			"-drive if=pflash,unit=1: it holds variables of the firmware in unit=0, "
			"which is missing");
	if (machine->flash[0].file && machine->firmware)
		return fail(error, VITRINE_ERROR_INPUT,
			"-bios %s: the firmware is in the flash chip %s already; leave one of the "
			"two out",
			machine->firmware, machine->flash[0].file);
	return true;
}

/* Boot */

static bool check_letters(const char *origin, const char *key, const char *text, GError **error)
{
	static const char known[] = "acdn";
	bool good = text[0] != '\0' && strspn(text, known) == strlen(text) &&
		    strlen(text) <= BOOT_LETTERS_MAX;

	for (const char *c = text; *c != '\0'; c++)
		good = good && !strchr(c + 1, *c);
	return good ||
	       fail(error, VITRINE_ERROR_INPUT,
		       "%s: %s=%s is not accepted; accepted: up to %d of a (floppy), c (disk), "
		       "d (CD-ROM), n (network), each once",
		       origin, key, text, BOOT_LETTERS_MAX);
}

static bool build_boot(struct config_builder *builder, GError **error)
{
	struct firmware_config *firmware = &builder->config->firmware;
	const struct option_set *set = options_find(builder->options, "boot-opts");
	const char *order = option_set_get(set, "order"), *once = option_set_get(set, "once");

	if ((order && !check_letters(set->origin, "order", order, error)) ||
		(once && !check_letters(set->origin, "once", once, error)))
		return false;
	firmware->boot_order = config_keep(builder, order);
	firmware->boot_once = config_keep(builder, once);
	firmware->boot_menu = option_set_bool(set, "menu", false);
	firmware->boot_strict = option_set_bool(set, "strict", false);
	firmware->splash = config_keep(builder, option_set_get(set, "splash"));
	firmware->splash_time = option_set_get(set, "splash-time")
					? (int)option_set_number(set, "splash-time", 0)
					: -1;
	firmware->reboot_timeout = option_set_get(set, "reboot-timeout")
					   ? (int)option_set_number(set, "reboot-timeout", 0)
					   : -1;
	return true;
}

/* fw_cfg and ROMs */

static bool add_fw_cfg(struct config_builder *builder, const struct option_set *set, GError **error)
{
	struct fw_cfg_option file = {
		.name = config_keep(builder, option_set_get(set, "name")),
		.file = config_keep(builder, option_set_get(set, "file")),
		.text = config_keep(builder, option_set_get(set, "string")),
	};

	if (!file.file == !file.text)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: name=%s takes either file= or string=", set->origin, file.name);
	if (strlen(file.name) > FW_CFG_NAME_MAX)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: name=%s is too long; accepted: up to %d bytes", set->origin, file.name,
			FW_CFG_NAME_MAX);
	g_array_append_val(builder->config->firmware.fw_cfg, file);
	return true;
}

static bool add_rom(struct config_builder *builder, const struct option_set *set, GError **error)
{
	g_ptr_array_add(builder->config->firmware.option_roms,
		(char *)config_keep(builder, option_set_get(set, "romfile")));
	return true;
}

/* SMBIOS */

static bool add_smbios(struct config_builder *builder, const struct option_set *set, GError **error)
{
	const char *file = option_set_get(set, "file");

	if (!file == !option_set_get(set, "type"))
		return fail(error, VITRINE_ERROR_INPUT, "%s: takes either type=N or file=FILE",
			set->origin);
	if (file && set->count > 1)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: file=%s is the whole structure; there can be no other keys",
			set->origin, file);
	if (file) {
		g_ptr_array_add(
			builder->config->firmware.smbios_files, (char *)config_keep(builder, file));
		return true;
	}
	for (guint i = 0; i < set->count; i++) {
		struct smbios_option option = {
			.type = option_set_number(set, "type", 0),
			.key = config_keep(builder, set->values[i].key),
			.value = config_keep(builder, set->values[i].text),
		};

		if (strcmp(option.key, "type") == 0)
			continue;
		if (!smbios_option_check(&option, error)) {
			g_prefix_error(error, "%s: ", set->origin);
			return false;
		}
		g_array_append_val(builder->config->firmware.smbios, option);
	}
	return true;
}

static bool for_each(struct config_builder *builder, const char *group,
	bool (*add)(struct config_builder *builder, const struct option_set *set, GError **error),
	GError **error)
{
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);

		if (strcmp(set->spec->group, group) == 0 && !add(builder, set, error))
			return false;
	}
	return true;
}

bool config_build_firmware(struct config_builder *builder, GError **error)
{
	struct firmware_config *firmware = &builder->config->firmware;
	const struct option_set *machine = options_find(builder->options, "machine");

	firmware->fw_cfg = g_array_new(FALSE, TRUE, sizeof(struct fw_cfg_option));
	firmware->option_roms = g_ptr_array_new();
	firmware->smbios = g_array_new(FALSE, TRUE, sizeof(struct smbios_option));
	firmware->smbios_files = g_ptr_array_new();
	firmware->smbios_64 =
		g_strcmp0(option_set_get(machine, "smbios-entry-point-type"), "64") == 0;
	return build_boot(builder, error) && for_each(builder, "fw_cfg", add_fw_cfg, error) &&
	       for_each(builder, "option-rom", add_rom, error) &&
	       for_each(builder, "smbios", add_smbios, error) && config_build_numa(builder, error);
}

void config_free_firmware(struct firmware_config *firmware)
{
	g_clear_pointer(&firmware->fw_cfg, g_array_unref);
	g_clear_pointer(&firmware->option_roms, g_ptr_array_unref);
	g_clear_pointer(&firmware->smbios, g_array_unref);
	g_clear_pointer(&firmware->smbios_files, g_ptr_array_unref);
	g_clear_pointer(&firmware->cpu_nodes, g_free);
}
