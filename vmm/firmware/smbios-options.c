/* What users may say about SMBIOS structures: which fields they have, and what is a structure at all.
 *
 * Specification: DMTF DSP0134, sections 6.1 and 7.
 */
#include <string.h>

#include "base/error.h"
#include "vmm/firmware/smbios.h"
#include "vmm/options/values.h"

enum {
	TYPE_END = 127,
	HEADER = 4,      /* type, length, handle */
	TEXT_MAX = 1024, /* bytes of a value */
};

enum field_kind {
	FIELD_TEXT,
	FIELD_SWITCH,
	FIELD_NUMBER,  /* of 16 bits */
	FIELD_RELEASE, /* MAJOR.MINOR, of 8 bits each */
	FIELD_UUID,
};

static const struct {
	uint8_t type;
	const char *key;
	enum field_kind kind;
} fields[] = {
	{ 0, "vendor" },
	{ 0, "version" },
	{ 0, "date" },
	{ 0, "release", FIELD_RELEASE },
	{ 0, "uefi", FIELD_SWITCH },
	{ 1, "manufacturer" },
	{ 1, "product" },
	{ 1, "version" },
	{ 1, "serial" },
	{ 1, "uuid", FIELD_UUID },
	{ 1, "sku" },
	{ 1, "family" },
	{ 2, "manufacturer" },
	{ 2, "product" },
	{ 2, "version" },
	{ 2, "serial" },
	{ 2, "asset" },
	{ 2, "location" },
	{ 3, "manufacturer" },
	{ 3, "version" },
	{ 3, "serial" },
	{ 3, "asset" },
	{ 3, "sku" },
	{ 4, "sock_pfx" },
	{ 4, "manufacturer" },
	{ 4, "version" },
	{ 4, "serial" },
	{ 4, "asset" },
	{ 4, "part" },
	{ 4, "max-speed", FIELD_NUMBER },
	{ 4, "current-speed", FIELD_NUMBER },
	{ 11, "value" },
	{ 17, "loc_pfx" },
	{ 17, "bank" },
	{ 17, "manufacturer" },
	{ 17, "serial" },
	{ 17, "asset" },
	{ 17, "part" },
	{ 17, "speed", FIELD_NUMBER },
};

static bool unknown(const struct smbios_option *option, GError **error)
{
	g_autoptr(GString) keys = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		if (fields[i].type == option->type)
			g_string_append_printf(
				keys, "%s%s", keys->len > 0 ? ", " : "", fields[i].key);
	if (keys->len == 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"type=%u is not accepted; accepted: 0, 1, 2, 3, 4, 11 or 17", option->type);
	return fail(error, VITRINE_ERROR_INPUT, "type=%u has no %s; accepted: %s", option->type,
		option->key, keys->str);
}

static bool is_release(const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, ".", 3);
	uint64_t major, minor;

	return g_strv_length(parts) == 2 && value_parse_number(parts[0], &major) &&
	       value_parse_number(parts[1], &minor) && major <= UINT8_MAX && minor <= UINT8_MAX;
}

/* Texts end with a zero, and an empty one would end the structure. */
static bool is_text(const char *text)
{
	return text[0] != '\0' && strlen(text) <= TEXT_MAX;
}

static const char *right_value(enum field_kind kind, const char *value)
{
	uint64_t number;
	bool on;

	switch (kind) {
	case FIELD_SWITCH:
		return value_parse_bool(value, &on) ? NULL : VALUE_BOOL_WORDS;
	case FIELD_NUMBER:
		return value_parse_number(value, &number) && number <= UINT16_MAX
			       ? NULL
			       : "a number up to 65535";
	case FIELD_RELEASE:
		return is_release(value) ? NULL : "two numbers up to 255, such as 1.0";
	case FIELD_UUID:
		return g_uuid_string_is_valid(value) ? NULL : "a UUID";
	default:
		return is_text(value) ? NULL : "a text of 1 to 1024 bytes";
	}
}

bool smbios_option_check(const struct smbios_option *option, GError **error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		const char *right;

		if (fields[i].type != option->type || strcmp(fields[i].key, option->key) != 0)
			continue;
		right = right_value(fields[i].kind, option->value);
		return !right || fail(error, VITRINE_ERROR_INPUT,
					 "type=%u,%s=%s is not accepted; accepted: %s",
					 option->type, option->key, option->value, right);
	}
	return unknown(option, error);
}

bool smbios_structure_check(const uint8_t *bytes, size_t length, uint8_t *type, GError **error)
{
	if (length < HEADER + 2 || length > UINT16_MAX)
		return fail(error, VITRINE_ERROR_INPUT,
			"it has %zu bytes; an SMBIOS structure has %d to %d", length, HEADER + 2,
			UINT16_MAX);
	if (bytes[1] < HEADER || bytes[1] > length - 2)
		return fail(error, VITRINE_ERROR_INPUT,
			"it says that its fields have %u bytes, of %zu", bytes[1], length);
	if (bytes[length - 1] != 0 || bytes[length - 2] != 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"its texts do not end with two zeroes, as an SMBIOS structure's do");
	for (size_t i = bytes[1]; i + 2 < length; i++)
		if (bytes[i] == 0 && bytes[i + 1] == 0)
			return fail(error, VITRINE_ERROR_INPUT,
				"it ends at byte %zu of %zu: one structure is accepted", i + 2,
				length);
	if (bytes[0] == TYPE_END)
		return fail(error, VITRINE_ERROR_INPUT, "it is the end of all tables, type %u",
			bytes[0]);
	*type = bytes[0];
	return true;
}
