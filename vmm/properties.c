/* Properties: text to the members of a device struct and back, checked against the class's table. */
#include "vmm/device.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "vmm/options/values.h"

/* How each type of number lies in the struct. */
static const struct number_type {
	size_t bytes;
	uint64_t maximum;
} number_types[] = {
	[PROPERTY_UINT8] = { 1, UINT8_MAX },
	[PROPERTY_UINT16] = { 2, UINT16_MAX },
	[PROPERTY_UINT32] = { 4, UINT32_MAX },
	[PROPERTY_UINT64] = { 8, UINT64_MAX },
	[PROPERTY_SIZE] = { 8, UINT64_MAX },
	[PROPERTY_CHOICE] = { 4, UINT32_MAX },
	[PROPERTY_INDEX] = { 4, INT32_MAX },
};

static uint64_t property_maximum(const struct property *property)
{
	return property->maximum ? property->maximum : number_types[property->type].maximum;
}

/* Ports and bytes, whose default is written so. */
static bool is_hexadecimal(const struct property *property)
{
	return property->default_value && g_str_has_prefix(property->default_value, "0x");
}

static char *number_range(const struct property *property)
{
	uint64_t minimum = property->minimum, maximum = property_maximum(property);

	if (is_hexadecimal(property))
		return g_strdup_printf("0x%" PRIx64 " to 0x%" PRIx64, minimum, maximum);
	return g_strdup_printf("%" PRIu64 " to %" PRIu64, minimum, maximum);
}

char *property_accepts(const struct property *property)
{
	switch (property->type) {
	case PROPERTY_BOOL:
		return g_strdup(VALUE_BOOL_WORDS);
	case PROPERTY_UINT8:
	case PROPERTY_UINT16:
	case PROPERTY_UINT32:
	case PROPERTY_UINT64:
		return number_range(property);
	case PROPERTY_SIZE: {
		g_autofree char *minimum = value_print_size(property->minimum);
		g_autofree char *maximum = value_print_size(property->maximum);

		return property->maximum ? g_strdup_printf("a size from %s to %s", minimum, maximum)
					 : g_strdup("a size such as 16M");
	}
	case PROPERTY_INDEX:
		return g_strdup_printf("0 to %d, or -1 for none", INT32_MAX);
	case PROPERTY_CHOICE: {
		g_autofree char *words = g_strjoinv(", ", (char **)property->choices);

		return g_strdup_printf("one of %s", words);
	}
	default:
		return property->maximum ? g_strdup_printf("text of at most %" PRIu64 " bytes",
						   property->maximum)
					 : g_strdup("text");
	}
}

static bool parse_choice(const struct property *property, const char *text, uint64_t *number)
{
	for (uint64_t i = 0; property->choices[i]; i++) {
		if (strcmp(property->choices[i], text) == 0) {
			*number = i;
			return true;
		}
	}
	return false;
}

/* Everything but strings, as a number. */
static bool parse_number(const struct property *property, const char *text, uint64_t *number)
{
	bool on;

	switch (property->type) {
	case PROPERTY_BOOL:
		if (!value_parse_bool(text, &on))
			return false;
		*number = on;
		return true;
	case PROPERTY_CHOICE:
		return parse_choice(property, text, number);
	case PROPERTY_INDEX:
		if (strcmp(text, "-1") == 0) {
			*number = UINT32_MAX;
			return true;
		}
		return value_parse_number(text, number) && *number <= INT32_MAX;
	case PROPERTY_SIZE:
		if (!value_parse_size(text, 1, number))
			return false;
		break;
	default:
		if (!value_parse_number(text, number))
			return false;
		break;
	}
	return *number >= property->minimum && *number <= property_maximum(property);
}

bool property_check(const struct property *property, const char *value, GError **error)
{
	g_autofree char *accepted = NULL;
	uint64_t number;

	if (property->type == PROPERTY_STRING
			? property->maximum == 0 || strlen(value) <= property->maximum
			: parse_number(property, value, &number))
		return true;
	accepted = property_accepts(property);
	return fail(error, VITRINE_ERROR_INPUT, "%s=%s is not accepted; accepted: %s",
		property->name, value, accepted);
}

const struct property *property_find(const struct property *properties, const char *name)
{
	for (; properties && properties->type != PROPERTY_END; properties++) {
		if (strcmp(properties->name, name) == 0)
			return properties;
	}
	return NULL;
}

const struct property *device_class_property(const struct device_class *class, const char *name)
{
	const struct property *property = property_find(class->properties, name);

	return property ? property : property_find(device_bus_properties(class->bus), name);
}

static void store_number(void *member, const struct property *property, uint64_t number)
{
	if (property->type == PROPERTY_BOOL) {
		*(bool *)member = number != 0;
		return;
	}
	switch (number_types[property->type].bytes) {
	case 1:
		*(uint8_t *)member = (uint8_t)number;
		break;
	case 2:
		*(uint16_t *)member = (uint16_t)number;
		break;
	case 4:
		*(uint32_t *)member = (uint32_t)number;
		break;
	case 8:
		*(uint64_t *)member = number;
		break;
	}
}

static uint64_t load_number(const void *member, const struct property *property)
{
	if (property->type == PROPERTY_BOOL)
		return *(const bool *)member;
	switch (number_types[property->type].bytes) {
	case 1:
		return *(const uint8_t *)member;
	case 2:
		return *(const uint16_t *)member;
	case 4:
		return *(const uint32_t *)member;
	default:
		return *(const uint64_t *)member;
	}
}

/* "virtio-rng-pci 'rng0'", or the class alone. */
static char *device_title(const struct device *device)
{
	if (!device->id)
		return g_strdup(device->class->name);
	return g_strdup_printf("%s '%s'", device->class->name, device->id);
}

bool property_set(void *owner, const struct property *property, const char *value, GError **error)
{
	char *member = (char *)owner + property->offset;
	uint64_t number;

	if (!property_check(property, value, error))
		return false;
	if (property->type == PROPERTY_STRING) {
		char **string = (char **)member;

		g_free(*string);
		*string = g_strdup(value);
	} else if (parse_number(property, value, &number)) {
		store_number(member, property, number);
	}
	return true;
}

char *property_get(const void *owner, const struct property *property)
{
	const char *member = (const char *)owner + property->offset;
	uint64_t number;

	if (property->type == PROPERTY_STRING)
		return g_strdup(*(char *const *)member);
	number = load_number(member, property);
	if (property->type == PROPERTY_BOOL)
		return g_strdup(number ? "on" : "off");
	if (property->type == PROPERTY_CHOICE)
		return g_strdup(property->choices[number]);
	if (property->type == PROPERTY_SIZE)
		return value_print_size(number);
	if (property->type == PROPERTY_INDEX)
		return g_strdup_printf("%" PRId32, (int32_t)number);
	return g_strdup_printf("%" G_GUINT64_FORMAT, number);
}

void properties_free_strings(void *owner, const struct property *properties)
{
	for (const struct property *p = properties; p && p->type != PROPERTY_END; p++) {
		if (p->type == PROPERTY_STRING)
			g_clear_pointer((char **)((char *)owner + p->offset), g_free);
	}
}

bool device_set_property(struct device *device, const char *name, const char *value, GError **error)
{
	const struct property *property = device_class_property(device->class, name);
	g_autofree char *title = device_title(device);

	if (!property)
		return fail(
			error, VITRINE_ERROR_NOT_FOUND, "%s: has no property '%s'", title, name);
	if (property_set(device, property, value, error))
		return true;
	g_prefix_error(error, "%s: ", title);
	return false;
}

char *device_get_property(const struct device *device, const struct property *property)
{
	return property_get(device, property);
}
