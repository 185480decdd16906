/* The table of options: what the command line and configuration files may say, and what --help tells about it.
 *
 * Names, groups and keys are QEMU's where QEMU has the option. A row is all that an option needs to be read, written,
 * checked and listed; the rows of a topic stand in option-rows-TOPIC.c.
 */
#include "vmm/options/option-rows.h"

#include <string.h>

static const struct option_spec *const topics[] = {
	option_rows_machine,
	option_rows_storage,
	option_rows_devices,
	option_rows_network,
	option_rows_firmware,
	option_rows_display,
	option_rows_lines,
	option_rows_control,
};

const struct option_spec *option_spec_at(guint index)
{
	for (size_t i = 0; i < G_N_ELEMENTS(topics); i++) {
		for (const struct option_spec *spec = topics[i]; spec->name; spec++) {
			if (index-- == 0)
				return spec;
		}
	}
	return NULL;
}

const struct option_spec *option_spec_find(const char *name)
{
	const struct option_spec *spec;

	for (guint i = 0; (spec = option_spec_at(i)); i++) {
		if (strcmp(spec->name, name) == 0 ||
			(spec->alias && strcmp(spec->alias, name) == 0))
			break;
	}
	return spec;
}

const struct option_spec *option_spec_find_group(const char *group)
{
	const struct option_spec *spec;

	for (guint i = 0; (spec = option_spec_at(i)); i++) {
		if (spec->group && spec->kind != OPTION_SHORT && strcmp(spec->group, group) == 0)
			break;
	}
	return spec;
}

const struct option_key *option_spec_key(const struct option_spec *spec, const char *name)
{
	for (const struct option_key *key = spec->keys; key && key->name; key++) {
		if (strcmp(key->name, name) == 0)
			return key;
	}
	return NULL;
}
