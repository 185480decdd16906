/* Options that take objects, as KEY=VALUE pairs or as JSON: refused with a reason, or the same when they are written and read
 * back; then their keys and values are checked as they are before anything is made of them. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vmm/chardev/chardev.h"
#include "vmm/objects.h"
#include "vmm/options/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char *const names[] = { "-object", "-device", "-blockdev", "-audiodev", "-netdev",
	"-chardev", "-drive", "-global" };

static void check_round_trip(const struct options *options)
{
	g_autofree char *text = options_write(options);
	g_autofree char *again = NULL;
	struct options *read = options_new();
	g_autoptr(GError) error = NULL;

	if (!options_read(read, text, strlen(text), "f", &error))
		g_error("not read back: %s\n%s", error->message, text);
	again = options_write(read);
	g_assert_cmpstr(again, ==, text);
	options_free(read);
}

static void check_object(const struct option_set *set)
{
	const struct object_class *class = object_class_find(option_set_get(set, "qom-type"));

	for (guint i = 0; class && i < set->count; i++) {
		const struct property *property = object_class_property(class, set->values[i].key);
		g_autoptr(GError) error = NULL;

		if (property && !property_check(property, set->values[i].text, &error))
			g_assert_nonnull(error);
	}
}

static void check_set(const struct option_set *set)
{
	g_autoptr(GError) error = NULL;

	if (strcmp(set->spec->group, "object") == 0)
		check_object(set);
	if (strcmp(set->spec->group, "chardev") == 0 && !chardev_check(set, &error))
		g_assert_nonnull(error);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct options *options = options_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	char *words[2];

	if (length == 0) {
		options_free(options);
		return 0;
	}
	text = g_strndup((const char *)bytes + 1, length - 1);
	words[0] = (char *)names[bytes[0] % G_N_ELEMENTS(names)];
	words[1] = text;
	if (!options_parse(options, G_N_ELEMENTS(words), words, &error)) {
		g_assert_nonnull(error);
	} else if (options->request == OPTIONS_RUN) {
		check_round_trip(options);
		for (guint i = 0; i < options->sets->len; i++)
			check_set(g_ptr_array_index(options->sets, i));
	}
	options_free(options);
	return 0;
}
