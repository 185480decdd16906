/* Machine types: reading and checking the descriptions under data/machine-types/. */
#include "vmm/machine/machine-types.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "version.h"
#include "vmm/options/values.h"

enum {
	MAXIMUM_FILE = 256 * KiB,
	MAXIMUM_DEVICES = 256,
	MAXIMUM_PROPERTIES = 64, /* of one device */
	MAXIMUM_CPUS = 8,
	MAXIMUM_VERSION = 9999,
	LOW_ADDRESSES = 512 * MiB,
};

struct machine_types {
	GPtrArray *types; /* sorted by family, newest first */
};

struct type_reader {
	GKeyFile *file;
	struct machine_type *type;
	GError **error;
};

static void device_clear(struct machine_type_device *device)
{
	for (guint i = 0; i < device->property_count; i++) {
		g_free(device->properties[i].name);
		g_free(device->properties[i].value);
	}
	g_free(device->properties);
	g_free(device->name);
	g_free(device->class);
}

void machine_type_free(struct machine_type *type)
{
	if (!type)
		return;
	for (guint i = 0; i < type->device_count; i++)
		device_clear(&type->devices[i]);
	for (guint i = 0; i < type->default_count; i++)
		device_clear(&type->defaults[i]);
	for (guint i = 0; i < type->smbios_count; i++)
		device_clear(&type->smbios[i]);
	g_free(type->smbios);
	g_free(type->acpi_oem);
	g_free(type->acpi_table);
	g_free(type->acpi_creator);
	g_free(type->devices);
	g_free(type->defaults);
	g_free(type->name);
	g_free(type->family);
	g_free(type->description);
	g_free(type->board);
	g_free(type->cpu);
	g_free(type->firmware);
	g_free(type->default_display);
	g_free(type->usb_controller);
	g_free(type->usb_address);
	g_free(type->drive_interface);
	g_free(type);
}

static bool wrong(struct type_reader *in, const char *group, const char *key, const char *value,
	const char *right)
{
	if (!value)
		return fail(in->error, VITRINE_ERROR_INPUT, "[%s] %s= is missing: it is %s", group,
			key, right);
	return fail(in->error, VITRINE_ERROR_INPUT, "[%s] %s=%s is not accepted: it is %s", group,
		key, value, right);
}

/* Lower-case letters, digits and '-', so that names can stand on a command line and in a file's name. */
static bool is_family(const char *text)
{
	size_t length = strspn(text, G_CSET_a_2_z G_CSET_DIGITS "-");

	return g_ascii_islower(text[0]) && text[length] == '\0' && length <= 32;
}

/* Names of classes, firmware files and boards: no '/', nothing that a shell or a terminal minds. */
static bool is_word(const char *text)
{
	size_t length = strspn(text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-._");

	return g_ascii_isalnum(text[0]) && text[length] == '\0' && length <= 64;
}

static bool is_text(const char *text)
{
	return text[0] != '\0' && g_utf8_validate(text, -1, NULL);
}

static bool set_version(struct machine_type *type, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, ".", 3);
	g_autofree char *plain = NULL;
	uint64_t major, minor;

	if (g_strv_length(parts) != 2 || !value_parse_number(parts[0], &major) ||
		!value_parse_number(parts[1], &minor) || major > MAXIMUM_VERSION ||
		minor > MAXIMUM_VERSION)
		return false;
	plain = g_strdup_printf("%u.%u", (guint)major, (guint)minor);
	type->major = (guint)major;
	type->minor = (guint)minor;
	return strcmp(plain, text) == 0;
}

static bool read_size(const char *text, uint64_t *size)
{
	return value_parse_size(text, 1, size) && *size >= MiB && *size % MiB == 0 &&
	       *size <= UINT64_C(1024) * GiB;
}

#define SIZE_SETTER(member) \
	static bool set_##member(struct machine_type *type, const char *text) \
	{ \
		return read_size(text, &type->member); \
	}

SIZE_SETTER(memory)
SIZE_SETTER(pci_window)
SIZE_SETTER(memory_module)

/* Room for the chipset stays below 4 GiB. */
static bool set_low_memory_max(struct machine_type *type, const char *text)
{
	return read_size(text, &type->low_memory_max) &&
	       type->low_memory_max <= UINT64_C(4) * GiB - LOW_ADDRESSES;
}

static bool set_low_memory(struct machine_type *type, const char *text)
{
	return read_size(text, &type->low_memory) && type->low_memory <= type->low_memory_max;
}

static bool set_max_cpus(struct machine_type *type, const char *text)
{
	uint64_t number;

	if (!value_parse_number(text, &number) || number < 1 || number > MAXIMUM_CPUS)
		return false;
	type->max_cpus = (guint)number;
	return true;
}

static bool set_default(struct machine_type *type, const char *text)
{
	return value_parse_bool(text, &type->is_default);
}

#define TEXT_SETTER(member, accepts) \
	static bool set_##member(struct machine_type *type, const char *text) \
	{ \
		type->member = g_strdup(text); \
		return accepts(text); \
	}

TEXT_SETTER(family, is_family)
TEXT_SETTER(description, is_text)
TEXT_SETTER(board, is_word)
TEXT_SETTER(cpu, is_word)
TEXT_SETTER(firmware, is_word)
TEXT_SETTER(default_display, is_word)
TEXT_SETTER(drive_interface, is_word)
TEXT_SETTER(usb_controller, is_word)
TEXT_SETTER(usb_address, is_word)

/* Of so many characters that are letters or digits. */
#define ACPI_SETTER(member, length) \
	static bool set_##member(struct machine_type *type, const char *text) \
	{ \
		type->member = g_strdup(text); \
		return is_word(text) && strlen(text) <= (length); \
	}

ACPI_SETTER(acpi_oem, 6)
ACPI_SETTER(acpi_table, 8)
ACPI_SETTER(acpi_creator, 4)

static bool set_ide_units(struct machine_type *type, const char *text)
{
	type->ide_units = strcmp(text, "1") == 0 ? 1 : strcmp(text, "2") == 0 ? 2 : 0;
	return type->ide_units > 0;
}

struct type_key {
	const char *name;
	bool optional;
	bool (*set)(struct machine_type *type, const char *text);
	const char *right;
};

static const struct type_key machine_keys[] = {
	{ "family", false, set_family, "lower-case letters, digits and '-'" },
	{ "version", false, set_version, "two numbers, such as 1.0" },
	{ "description", false, set_description, "a line of text" },
	{ "board", false, set_board, "the name of a board" },
	{ "default", true, set_default, "true or false" },
	{ "cpu", false, set_cpu, "the name of a processor model" },
	{ "memory", false, set_memory, "a size in whole megabytes, such as 128M" },
	{ "max-cpus", false, set_max_cpus, "a number from 1 to 8" },
	{ "firmware", false, set_firmware, "the name of a file in the firmware folders" },
	{ "low-memory-max", false, set_low_memory_max,
		"a size in whole megabytes, up to 3584M, such as 2816M" },
	{ "low-memory", false, set_low_memory, "a size in whole megabytes, up to low-memory-max" },
	{ "pci-window", false, set_pci_window, "a size in whole megabytes, such as 32G" },
	{ "memory-module", false, set_memory_module, "a size in whole megabytes, such as 16G" },
	{},
};

static const struct type_key acpi_keys[] = {
	{ "oem-id", false, set_acpi_oem, "up to 6 characters" },
	{ "table-id", false, set_acpi_table, "up to 8 characters" },
	{ "creator-id", false, set_acpi_creator, "up to 4 characters" },
	{},
};

static const struct type_key default_device_keys[] = {
	{ "display", true, set_default_display, "the class of a device" },
	{ "drive-interface", true, set_drive_interface, "virtio, ide or scsi" },
	{ "ide-units", true, set_ide_units, "1 or 2" },
	{ "usb", true, set_usb_controller, "the class of a device" },
	{ "usb-address", true, set_usb_address, "SLOT.FUNCTION" },
	{},
};

static const struct type_key *find_key(const struct type_key *keys, const char *name)
{
	for (; keys->name; keys++) {
		if (strcmp(keys->name, name) == 0)
			return keys;
	}
	return NULL;
}

static bool read_keys(struct type_reader *in, const char *group, const struct type_key *keys)
{
	g_auto(GStrv) names = g_key_file_get_keys(in->file, group, NULL, NULL);

	for (guint i = 0; names && names[i]; i++) {
		if (!find_key(keys, names[i]))
			return fail(in->error, VITRINE_ERROR_INPUT, "[%s] has an unknown key '%s'",
				group, names[i]);
	}
	for (; keys->name; keys++) {
		g_autofree char *text = g_key_file_get_string(in->file, group, keys->name, NULL);

		if (!text && keys->optional)
			continue;
		if (!text || !keys->set(in->type, text))
			return wrong(in, group, keys->name, text, keys->right);
	}
	return true;
}

static bool read_properties(
	struct type_reader *in, const char *group, struct machine_type_device *device)
{
	g_auto(GStrv) names = g_key_file_get_keys(in->file, group, NULL, NULL);
	guint count = names ? g_strv_length(names) : 0;

	if (count > MAXIMUM_PROPERTIES)
		return fail(in->error, VITRINE_ERROR_INPUT, "[%s] has more than %d keys", group,
			MAXIMUM_PROPERTIES);
	device->properties = g_new0(struct machine_property, count);
	for (guint i = 0; i < count; i++) {
		char *value;

		if (strcmp(names[i], "type") == 0 && device->name)
			continue;
		value = g_key_file_get_string(in->file, group, names[i], NULL);
		if (!value)
			return fail(in->error, VITRINE_ERROR_INPUT, "[%s] %s= is no valid text",
				group, names[i]);
		device->properties[device->property_count++] = (struct machine_property) {
			.name = g_strdup(names[i]),
			.value = value,
		};
	}
	return true;
}

static bool read_device(struct type_reader *in, const char *group, const char *name)
{
	struct machine_type *type = in->type;
	struct machine_type_device *device;
	g_autofree char *class = g_key_file_get_string(in->file, group, "type", NULL);

	if (!is_word(name))
		return fail(in->error, VITRINE_ERROR_INPUT,
			"[%s]: a device's name is letters, digits, '-', '.' and '_'", group);
	if (!class || !is_word(class))
		return wrong(in, group, "type", class, "the class of a device");
	if (type->device_count >= MAXIMUM_DEVICES)
		return fail(
			in->error, VITRINE_ERROR_INPUT, "more than %d devices", MAXIMUM_DEVICES);
	type->devices = g_renew(struct machine_type_device, type->devices, type->device_count + 1);
	device = &type->devices[type->device_count++];
	*device = (struct machine_type_device) {
		.name = g_strdup(name),
		.class = g_steal_pointer(&class),
	};
	return read_properties(in, group, device);
}

/* [defaults CLASS] and [smbios TYPE]. */
static bool read_defaults(struct type_reader *in, const char *group, const char *name,
	struct machine_type_device **list, guint *count)
{
	struct machine_type_device *defaults;

	if (!is_word(name))
		return fail(in->error, VITRINE_ERROR_INPUT,
			"[%s]: the heading is [defaults CLASS] or [smbios TYPE]", group);
	if (*count >= MAXIMUM_DEVICES)
		return fail(in->error, VITRINE_ERROR_INPUT, "more than %d groups of defaults",
			MAXIMUM_DEVICES);
	*list = g_renew(struct machine_type_device, *list, *count + 1);
	defaults = &(*list)[(*count)++];
	*defaults = (struct machine_type_device) { .class = g_strdup(name) };
	return read_properties(in, group, defaults);
}

static bool read_group(struct type_reader *in, const char *group)
{
	struct machine_type *type = in->type;

	if (strcmp(group, "machine") == 0 || strcmp(group, "acpi") == 0)
		return true;
	if (strcmp(group, "default-devices") == 0)
		return read_keys(in, group, default_device_keys);
	if (g_str_has_prefix(group, "device "))
		return read_device(in, group, group + strlen("device "));
	if (g_str_has_prefix(group, "defaults "))
		return read_defaults(in, group, group + strlen("defaults "), &type->defaults,
			&type->default_count);
	if (g_str_has_prefix(group, "smbios "))
		return read_defaults(
			in, group, group + strlen("smbios "), &type->smbios, &type->smbios_count);
	return fail(in->error, VITRINE_ERROR_INPUT,
		"unknown group [%s]: there are [machine], [acpi], [smbios TYPE], [device NAME], "
		"[default-devices] and [defaults CLASS]",
		group);
}

static bool read_type(struct type_reader *in, const char *name)
{
	g_auto(GStrv) groups = g_key_file_get_groups(in->file, NULL);

	if (!g_key_file_has_group(in->file, "machine"))
		return fail(in->error, VITRINE_ERROR_INPUT, "the group [machine] is missing");
	if (!read_keys(in, "machine", machine_keys) || !read_keys(in, "acpi", acpi_keys))
		return false;
	in->type->name =
		g_strdup_printf("%s-%u.%u", in->type->family, in->type->major, in->type->minor);
	if (strcmp(in->type->name, name) != 0)
		return fail(in->error, VITRINE_ERROR_INPUT,
			"family and version make the name %s, and the file's name is another",
			in->type->name);
	for (guint i = 0; groups[i]; i++) {
		if (!read_group(in, groups[i]))
			return false;
	}
	return true;
}

struct machine_type *machine_type_parse(
	const char *name, const char *text, gsize length, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	struct type_reader in = { .file = file, .error = error };
	g_autoptr(GError) reason = NULL;

	if (length > MAXIMUM_FILE) {
		fail(error, VITRINE_ERROR_INPUT, "machine type %s: larger than %d bytes", name,
			MAXIMUM_FILE);
		return NULL;
	}
	/* The key file's own errors would otherwise carry its domain and no name. */
	if (length == 0 || !g_utf8_validate(text, (gssize)length, NULL) ||
		!g_key_file_load_from_data(file, text, length, G_KEY_FILE_NONE, &reason)) {
		fail(error, VITRINE_ERROR_INPUT, "machine type %s: %s", name,
			reason ? reason->message : "the file is empty or is no UTF-8 text");
		return NULL;
	}
	in.type = g_new0(struct machine_type, 1);
	if (read_type(&in, name))
		return in.type;
	g_prefix_error(error, "machine type %s: ", name);
	machine_type_free(in.type);
	return NULL;
}

/* By family, the newest first. */
static int compare_types(gconstpointer a, gconstpointer b)
{
	const struct machine_type *left = *(struct machine_type *const *)a;
	const struct machine_type *right = *(struct machine_type *const *)b;
	int order = strcmp(left->family, right->family);

	if (order != 0)
		return order;
	if (left->major != right->major)
		return left->major > right->major ? -1 : 1;
	return left->minor > right->minor ? -1 : left->minor < right->minor;
}

static bool load_file(
	struct machine_types *types, const char *folder, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *text = NULL;
	g_autoptr(GError) reason = NULL;
	struct machine_type *type;
	gsize length;

	if (!g_file_get_contents(path, &text, &length, &reason))
		return fail(
			error, VITRINE_ERROR_HOST, "machine type %s: %s", name, reason->message);
	type = machine_type_parse(name, text, length, error);
	if (!type) {
		g_prefix_error(error, "%s: ", folder);
		return false;
	}
	g_ptr_array_add(types->types, type);
	return true;
}

/* Sorts, marks the newest of each family, and sees that one family at most is the default. */
static bool settle(struct machine_types *types, const char *folder, GError **error)
{
	const struct machine_type *last = NULL, *standard = NULL;

	g_ptr_array_sort(types->types, compare_types);
	for (guint i = 0; i < types->types->len; i++) {
		struct machine_type *type = g_ptr_array_index(types->types, i);

		type->is_newest = !last || strcmp(last->family, type->family) != 0;
		last = type;
		if (!type->is_default)
			continue;
		if (standard && strcmp(standard->family, type->family) != 0)
			return fail(error, VITRINE_ERROR_INPUT,
				"%s: both %s and %s are the default; one family can be", folder,
				standard->name, type->name);
		standard = type;
	}
	if (types->types->len == 0)
		return fail(error, VITRINE_ERROR_HOST,
			"%s: there are no machine types; is Vitrine installed completely?", folder);
	return true;
}

/* VITRINE_DATA_DIR from the environment; else what stands beside the program, be it installed or in the folder it was built
 * in; else where it was to be installed. */
char *machine_data_folder(const char *name)
{
	static const char *const beside[] = { "../share/vitrine", "../data" };
	const char *data = g_getenv("VITRINE_DATA_DIR");
	g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *bin = g_path_get_dirname(program ? program : "/");

	if (data && data[0])
		return g_build_filename(data, name, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(beside); i++) {
		g_autofree char *folder = g_build_filename(bin, beside[i], name, NULL);

		if (g_file_test(folder, G_FILE_TEST_IS_DIR))
			return g_steal_pointer(&folder);
	}
	return g_build_filename(VITRINE_DATA_DIR, name, NULL);
}

struct machine_types *machine_types_load(const char *folder, GError **error)
{
	g_autofree char *standard = folder ? NULL : machine_data_folder("machine-types");
	const char *path = folder ? folder : standard;
	g_autoptr(GError) reason = NULL;
	g_autoptr(GDir) dir = g_dir_open(path, 0, &reason);
	struct machine_types *types;
	const char *name;
	bool good = true;

	if (!dir) {
		fail(error, VITRINE_ERROR_HOST, "cannot read the machine types: %s",
			reason->message);
		return NULL;
	}
	types = g_new0(struct machine_types, 1);
	types->types = g_ptr_array_new_with_free_func((GDestroyNotify)machine_type_free);
	while (good && (name = g_dir_read_name(dir))) {
		/* Hidden files, the copies that editors keep and the build's file are no types. */
		if (name[0] != '.' && !g_str_has_suffix(name, "~") &&
			strcmp(name, "meson.build") != 0)
			good = load_file(types, path, name, error);
	}
	if (good && settle(types, path, error))
		return types;
	machine_types_free(types);
	return NULL;
}

void machine_types_free(struct machine_types *types)
{
	if (!types)
		return;
	g_ptr_array_unref(types->types);
	g_free(types);
}

guint machine_types_count(const struct machine_types *types)
{
	return types->types->len;
}

const struct machine_type *machine_types_get(const struct machine_types *types, guint index)
{
	return g_ptr_array_index(types->types, index);
}

static void refuse(const struct machine_types *types, const char *name, GError **error)
{
	g_autoptr(GString) known = g_string_new(NULL);

	for (guint i = 0; i < types->types->len; i++) {
		const struct machine_type *type = g_ptr_array_index(types->types, i);

		if (type->is_newest)
			g_string_append_printf(known, "%s%s", known->len ? ", " : "", type->family);
		g_string_append_printf(known, ", %s", type->name);
	}
	if (name)
		fail(error, VITRINE_ERROR_NOT_FOUND, "there is no machine type '%s'; accepted: %s",
			name, known->str);
	else
		fail(error, VITRINE_ERROR_NOT_FOUND,
			"no machine type is the default; name one of %s", known->str);
}

const struct machine_type *machine_types_find(
	const struct machine_types *types, const char *name, GError **error)
{
	for (guint i = 0; i < types->types->len; i++) {
		const struct machine_type *type = g_ptr_array_index(types->types, i);

		if (name ? strcmp(type->name, name) == 0 ||
					(type->is_newest && strcmp(type->family, name) == 0)
			 : type->is_newest && type->is_default)
			return type;
	}
	refuse(types, name, error);
	return NULL;
}
