/* What the guest starts from: flash chips. */
#include "vmm/options/config-private.h"

#include <string.h>

#include "base/error.h"

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

static bool build_flash(struct config_builder *builder, GError **error)
{
	const struct machine_config *machine = &builder->config->machine;

	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);

		if (strcmp(set->spec->group, "drive") == 0 &&
			g_strcmp0(option_set_get(set, "if"), "pflash") == 0 &&
			!add_flash(builder, set, error))
			return false;
	}
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

bool config_build_firmware(struct config_builder *builder, GError **error)
{
	return build_flash(builder, error);
}
