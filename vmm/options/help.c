/* --help, --version and the listings of "-machine help", "-device help", "-device NAME,help" and their like. */
#include "vmm/options/help.h"

#include <string.h>

#include "base/error.h"
#include "version.h"
#include "vmm/cpu/model.h"
#include "vmm/objects.h"
#include "vmm/options/values.h"

enum {
	NAME_COLUMN = 20,
	FEATURE_COLUMNS = 70, /* characters of names in a line */
	TEXT_COLUMN = 16
};

static const char *const bus_names[] = {
	[BUS_SYSTEM] = "system",
	[BUS_ISA] = "ISA",
	[BUS_PCI] = "PCI",
	[BUS_USB] = "usb-bus",
	[BUS_SCSI] = "SCSI",
	[BUS_IDE] = "IDE",
	[BUS_HDA] = "HDA",
	[BUS_VIRTIO_SERIAL] = "virtio-serial-bus",
};

static void print_option(GString *out, const struct option_spec *spec)
{
	g_auto(GStrv) lines = g_strsplit(spec->description, "\n", -1);

	g_string_append_printf(out, "  -%s", spec->name);
	if (spec->alias)
		g_string_append_printf(out, ", -%s", spec->alias);
	if (spec->argument)
		g_string_append_printf(out, " %s", spec->argument);
	for (guint i = 0; lines[i]; i++)
		g_string_append_printf(out, "\n%*s%s", TEXT_COLUMN, "", lines[i]);
	g_string_append_c(out, '\n');
}

static char *print_help(void)
{
	GString *out = g_string_new(
		"Usage: vitrine [OPTION...]\n\n"
		"Runs a guest under KVM. Options start with one dash or two and have QEMU's\n"
		"syntax: KEY=VALUE pairs separated by commas, \",,\" for a comma in a value.\n"
		"Where an option takes such pairs, \"-OPTION help\" lists what there is.\n");
	const struct option_spec *spec;

	for (guint i = 0; (spec = option_spec_at(i)); i++) {
		if (spec->section)
			g_string_append_printf(out, "\n%s:\n", spec->section);
		print_option(out, spec);
	}
	g_string_append(out, "\nA guest from a disk image, shown to VNC clients on port 5901:\n"
			     "  vitrine -name web -m 1G -drive file=web.img,format=raw -vnc :1\n"
			     "See vitrine(1).\n");
	return g_string_free(out, FALSE);
}

static const char *const bool_choices[] = { "on", "off", NULL };

/* "  KEY=<ACCEPTED>  - DESCRIPTION", words to choose from as "a|b". */
static void print_key(GString *out, const char *name, const char *const *choices,
	const char *accepted, const char *description)
{
	g_autofree char *words = choices ? g_strjoinv("|", (char **)choices) : NULL;
	g_autofree char *start = g_strdup_printf("  %s=<%s>", name, words ? words : accepted);

	g_string_append_printf(
		out, "%-*s - %s", 2 * NAME_COLUMN, start, description ? description : "");
}

/* In QEMU's layout, which scripts read. */
static char *print_machines(const struct machine_types *types)
{
	GString *out = g_string_new("Supported machines are:\n");

	for (guint i = 0; i < machine_types_count(types); i++) {
		const struct machine_type *type = machine_types_get(types, i);

		if (type->is_newest)
			g_string_append_printf(out, "%-*s %s (alias of %s)\n", NAME_COLUMN,
				type->family, type->description, type->name);
		g_string_append_printf(out, "%-*s %s%s\n", NAME_COLUMN, type->name,
			type->description, type->is_newest && type->is_default ? " (default)" : "");
	}
	return g_string_free(out, FALSE);
}

static char *print_devices(void)
{
	GString *out = g_string_new("Devices for -device:\n");

	for (const struct device_class *const *class = device_classes(); *class; class ++) {
		if ((*class)->user_creatable)
			g_string_append_printf(out, "name \"%s\", bus %s, desc \"%s\"\n",
				(*class)->name, bus_names[(*class)->bus], (*class)->description);
	}
	return g_string_free(out, FALSE);
}

static void print_properties(GString *out, const struct property *property)
{
	for (; property && property->type != PROPERTY_END; property++) {
		g_autofree char *accepted = property_accepts(property);

		print_key(out, property->name,
			property->type == PROPERTY_BOOL ? bool_choices : property->choices,
			accepted, property->description);
		if (property->default_value)
			g_string_append_printf(out, " (default: %s)", property->default_value);
		g_string_append_c(out, '\n');
	}
}

static char *print_device(const char *name, GError **error)
{
	const struct device_class *class = name ? device_class_find(name) : NULL;
	GString *out;

	if (!class || !class->user_creatable) {
		fail(error, VITRINE_ERROR_NOT_FOUND,
			"-device: there is no device '%s'; \"-device help\" lists all",
			name ? name : "");
		return NULL;
	}
	out = g_string_new(NULL);
	g_string_append_printf(out, "%s: %s\n", class->name, class->description);
	print_properties(out, class->properties);
	print_properties(out, device_bus_properties(class->bus));
	return g_string_free(out, FALSE);
}

static char *print_objects(void)
{
	GString *out = g_string_new("List of user creatable objects:\n");

	for (const struct object_class *const *class = object_classes(); *class; class ++)
		g_string_append_printf(out, "  %s\n", (*class)->name);
	return g_string_free(out, FALSE);
}

static char *print_object(const char *name, GError **error)
{
	const struct object_class *class = name ? object_class_find(name) : NULL;
	GString *out;

	if (!class) {
		fail(error, VITRINE_ERROR_NOT_FOUND,
			"-object: there is no type '%s'; \"-object help\" lists all",
			name ? name : "");
		return NULL;
	}
	out = g_string_new(NULL);
	g_string_append_printf(out, "%s: %s\n", class->name, class->description);
	print_properties(out, class->properties);
	return g_string_free(out, FALSE);
}

/* The words of the option's first key, one a line, as QEMU lists CPUs and back ends. */
static char *print_choices(const char *heading, const struct option_key *key)
{
	GString *out = g_string_new(heading);

	for (guint i = 0; key->choices[i]; i++)
		g_string_append_printf(out, "  %s\n", key->choices[i]);
	return g_string_free(out, FALSE);
}

static char *print_keys(const struct option_spec *spec)
{
	GString *out = g_string_new(NULL);

	g_string_append_printf(out, "-%s %s\n", spec->name, spec->argument);
	for (const struct option_key *key = spec->keys; key && key->name; key++) {
		g_autofree char *accepted = option_key_accepts(key);

		print_key(out, key->name, key->type == OPTION_BOOL ? bool_choices : key->choices,
			accepted, key->description);
		g_string_append_c(out, '\n');
	}
	if (spec->has_id)
		g_string_append_printf(out, "%-*s - a name for other options to refer to\n",
			2 * NAME_COLUMN, "  id=<id>");
	return g_string_free(out, FALSE);
}

/* Options whose "help" lists what there is rather than their keys. */
static const struct {
	const char *group;
	const char *heading;
} choice_lists[] = {
	{ "chardev", "Available chardev backend types:\n" },
	{ "display", "Available display backend types:\n" },
	{ "accel", "Accelerators supported:\n" },
};

/* An option that takes one value and no keys. */
static char *print_usage(const struct option_spec *spec)
{
	GString *out = g_string_new(NULL);

	print_option(out, spec);
	return g_string_free(out, FALSE);
}

static char *print_cpus(void)
{
	g_auto(GStrv) names = cpu_model_names(NULL);
	g_autofree char *features = cpu_features_names();
	GString *out = g_string_new("Available CPUs:\n  host\n  max\n");
	unsigned column = 0;

	for (unsigned i = 0; names && names[i]; i++)
		g_string_append_printf(out, "  %s\n", names[i]);
	g_string_append(out, "\nRecognized CPUID flags:\n");
	for (const char *name = features; *name; column++) {
		size_t length = strcspn(name, " ");

		if (column + length > FEATURE_COLUMNS) {
			g_string_append_c(out, '\n');
			column = 0;
		}
		g_string_append_printf(out, "%s%.*s", column > 0 ? " " : "  ", (int)length, name);
		column += length;
		name += length + (name[length] != '\0');
	}
	g_string_append_c(out, '\n');
	return g_string_free(out, FALSE);
}

static char *print_list(const struct option_spec *spec, const struct machine_types *types)
{
	if (g_strcmp0(spec->group, "cpu") == 0)
		return print_cpus();
	if (spec->kind != OPTION_GROUP || spec->only)
		return print_usage(spec);
	if (strcmp(spec->group, "machine") == 0)
		return print_machines(types);
	if (strcmp(spec->group, "device") == 0)
		return print_devices();
	if (strcmp(spec->group, "object") == 0)
		return print_objects();
	for (size_t i = 0; i < G_N_ELEMENTS(choice_lists); i++) {
		if (strcmp(choice_lists[i].group, spec->group) == 0)
			return print_choices(
				choice_lists[i].heading, option_spec_key(spec, spec->implied));
	}
	return print_keys(spec);
}

bool help_needs_types(const struct options *options)
{
	return options->request == OPTIONS_LIST &&
	       g_strcmp0(options->request_spec->group, "machine") == 0;
}

char *help_text(const struct options *options, const struct machine_types *types, GError **error)
{
	switch (options->request) {
	case OPTIONS_HELP:
		return print_help();
	case OPTIONS_VERSION:
		return g_strdup("vitrine (Vitrine) " VITRINE_VERSION "\n");
	case OPTIONS_LIST:
		return print_list(options->request_spec, types);
	default:
		return strcmp(options->request_spec->group, "object") == 0
			       ? print_object(options->request_name, error)
			       : print_device(options->request_name, error);
	}
}
