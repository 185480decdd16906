/* Machine type files: what a good one says, what each bad one is refused with, and which type a name stands for. */
#include "vmm/machine/machine-types.h"

#include <glib/gstdio.h>
#include <string.h>

#define HEAD \
	"[acpi]\noem-id=O\ntable-id=T\ncreator-id=C\n" \
	"[machine]\nfamily=q35\nversion=1.0\ndescription=D\nboard=q35\ncpu=host\nmemory=128M\n" \
	"max-cpus=8\nfirmware=f.bin\nlow-memory-max=3G\nlow-memory=2G\npci-window=2G\n" \
	"memory-module=16G\n"

static const struct {
	const char *name;
	const char *text;
	const char *error; /* NULL: accepted */
} cases[] = {
	{ "q35-1.0", HEAD },
	{ "q35-1.0", HEAD "default=true\n[device mch]\ntype=mch\naddr=00.0\n[default-devices]\n"
			  "display=VGA\n[defaults VGA]\nvgamem_mb=16\n" },
	{ "q35-1.0", "", "machine type q35-1.0: the file is empty" },
	{ "q35-1.0", "\xff\xfe", "is no UTF-8 text" },
	{ "q35-1.0", "family=q35\n", "machine type q35-1.0: " },
	{ "q35-1.0", "[device a]\ntype=b\n", "the group [machine] is missing" },
	{ "q35-1.1", HEAD, "family and version make the name q35-1.0" },
	{ "q35-1.0", HEAD "colour=red\n", "[machine] has an unknown key 'colour'" },
	{ "q35-1.0", HEAD "version=1\n", "[machine] version=1 is not accepted: it is two numbers" },
	{ "q35-1.0", HEAD "version=01.0\n", "version=01.0 is not accepted" },
	{ "q35-1.0", HEAD "version=1.-1\n", "version=1.-1 is not accepted" },
	{ "q35-1.0", HEAD "family=../etc\n", "family=../etc is not accepted" },
	{ "q35-1.0", HEAD "firmware=../../etc/passwd\n",
		"is not accepted: it is the name of a file" },
	{ "q35-1.0", HEAD "memory=128\n", "memory=128 is not accepted: it is a size" },
	{ "q35-1.0", HEAD "memory=-1\n", "memory=-1 is not accepted" },
	{ "q35-1.0", HEAD "memory=99999999999999999999\n", "is not accepted" },
	{ "q35-1.0", HEAD "max-cpus=0\n",
		"max-cpus=0 is not accepted: it is a number from 1 to 8" },
	{ "q35-1.0", HEAD "max-cpus=9\n", "max-cpus=9 is not accepted" },
	{ "q35-1.0", HEAD "low-memory-max=4G\n",
		"low-memory-max=4G is not accepted: it is a size in whole megabytes, up to 3584M" },
	{ "q35-1.0", HEAD "low-memory=3073M\n", "up to low-memory-max" },
	{ "q35-1.0", HEAD "memory-module=0\n", "memory-module=0 is not accepted" },
	{ "q35-1.0", HEAD "[acpi]\noem-id=SEVENTH\n", "[acpi] oem-id=SEVENTH is not accepted" },
	{ "q35-1.0", HEAD "[smbios 1]\nserial=S\n" },
	{ "q35-1.0", HEAD "[smbios]\nserial=S\n", "unknown group [smbios]" },
	{ "q35-1.0", HEAD "default=perhaps\n", "default=perhaps is not accepted" },
	{ "q35-1.0", HEAD "description=\n", "description= is not accepted" },
	{ "q35-1.0", "[machine]\nfamily=q35\nversion=1.0\n", "[machine] description= is missing" },
	{ "q35-1.0", HEAD "[nonsense]\na=b\n", "unknown group [nonsense]: there are [machine]" },
	{ "q35-1.0", HEAD "[device mch]\naddr=0\n", "[device mch] type= is missing" },
	{ "q35-1.0", HEAD "[device a/b]\ntype=c\n", "a device's name is letters" },
	{ "q35-1.0", HEAD "[defaults a b]\n", "the heading is [defaults CLASS]" },
	{ "q35-1.0", HEAD "[default-devices]\nsound=x\n", "has an unknown key 'sound'" },
};

static void test_parse(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		struct machine_type *type = machine_type_parse(
			cases[i].name, cases[i].text, strlen(cases[i].text), &error);

		if (!cases[i].error)
			g_assert_no_error(error);
		else if (type || !strstr(error->message, cases[i].error))
			g_error("\"%s\" is not in \"%s\"", cases[i].error,
				type ? "(no error)" : error->message);
		machine_type_free(type);
	}
}

/* The type that is shipped, as this version of the board expects it. */
static void test_q35(void)
{
	g_autofree char *folder = g_test_build_filename(G_TEST_DIST, "data/machine-types", NULL);
	g_autoptr(GError) error = NULL;
	struct machine_types *types = machine_types_load(folder, &error);
	const struct machine_type *type;

	g_assert_no_error(error);
	type = machine_types_find(types, NULL, NULL);
	g_assert_cmpstr(type->name, ==, "q35-1.0");
	g_assert_cmpstr(type->board, ==, "q35");
	g_assert_cmpstr(type->cpu, ==, "host");
	g_assert_cmpstr(type->firmware, ==, "bios-256k.bin");
	g_assert_cmpuint(type->memory, ==, 128 << 20);
	g_assert_cmpuint(type->max_cpus, ==, 8);
	g_assert_cmpstr(type->default_display, ==, "VGA");
	g_assert_cmpuint(type->device_count, >=, 2);
	g_assert_cmpstr(type->devices[0].class, ==, "mch");
	g_assert_cmpstr(type->devices[1].class, ==, "ICH9-LPC");
	g_assert_cmpuint(type->devices[1].property_count, ==, 5);
	g_assert_cmpstr(type->devices[1].properties[0].name, ==, "addr");
	g_assert_cmpstr(type->devices[1].properties[0].value, ==, "1f.0");
	machine_types_free(types);
}

/* Where QEMU's pc and q35 have what these types have. */
static const struct {
	const char *type, *class, *address;
} places[] = {
	{ "pc", "i440FX", "00.0" },
	{ "pc", "PIIX3", "01.0" },
	{ "pc", "PIIX4_PM", "01.3" },
	{ "q35", "mch", "00.0" },
	{ "q35", "ICH9-LPC", "1f.0" },
	{ "q35", "ich9-ahci", "1f.2" },
	{ "q35", "ICH9-SMB", "1f.3" },
};

static const char *address_of(const struct machine_type *type, const char *class)
{
	for (guint i = 0; i < type->device_count; i++) {
		const struct machine_type_device *device = &type->devices[i];

		for (guint j = 0; j < device->property_count; j++)
			if (strcmp(device->class, class) == 0 &&
				strcmp(device->properties[j].name, "addr") == 0)
				return device->properties[j].value;
	}
	return NULL;
}

static void test_places(void)
{
	g_autofree char *folder = g_test_build_filename(G_TEST_DIST, "data/machine-types", NULL);
	struct machine_types *types = machine_types_load(folder, NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		const struct machine_type *type = machine_types_find(types, places[i].type, NULL);

		g_assert_cmpstr(address_of(type, places[i].class), ==, places[i].address);
	}
	machine_types_free(types);
}

/* What the shipped types say that a guest can see, for people to think about before they change it. */
static const struct {
	const char *type, *group, *key, *value;
} contents[] = {
	{ "pc", "machine", "low-memory-max", "3584M" },
	{ "pc", "machine", "low-memory", "3G" },
	{ "pc", "machine", "pci-window", "2G" },
	{ "q35", "machine", "low-memory-max", "2816M" },
	{ "q35", "machine", "low-memory", "2G" },
	{ "q35", "machine", "pci-window", "32G" },
	{ "both", "machine", "memory", "128M" },
	{ "both", "machine", "memory-module", "16G" },
	{ "both", "acpi", "oem-id", "VITRIN" },
	{ "both", "acpi", "table-id", "VITRINE" },
	{ "both", "acpi", "creator-id", "VTRN" },
	{ "both", "smbios 0", "vendor", "Vitrine" },
	{ "both", "smbios 0", "version", "1.0" },
	{ "both", "smbios 0", "date", "01/01/2026" },
	{ "both", "smbios 1", "manufacturer", "Vitrine" },
	{ "pc", "smbios 1", "version", "pc-1.0" },
	{ "q35", "smbios 1", "version", "q35-1.0" },
	{ "both", "smbios 3", "manufacturer", "Vitrine" },
	{ "both", "smbios 4", "sock_pfx", "CPU" },
	{ "both", "smbios 4", "version", "virtual" },
	{ "both", "smbios 4", "max-speed", "2000" },
	{ "both", "smbios 17", "loc_pfx", "DIMM" },
	{ "pc", "device power-management", "smb_io_base", "0xb100" },
	{ "pc", "device power-management", "disable_s3", "0" },
	{ "pc", "device power-management", "disable_s4", "0" },
	{ "pc", "device power-management", "s4_val", "2" },
	{ "q35", "device lpc", "disable_s3", "0" },
	{ "q35", "device lpc", "disable_s4", "0" },
	{ "q35", "device lpc", "s4_val", "2" },
	{ "q35", "device lpc", "noreboot", "on" },
	{ "pc", "device hpet", "hpet-intcap", "4" },
	{ "q35", "device hpet", "hpet-intcap", "0xff0104" },
	{ "both", "device hpet", "timers", "3" },
	{ "both", "device spd0", "address", "0x50" },
	{ "both", "device spd7", "address", "0x57" },
	{ "pc", "default-devices", "ide-units", "2" },
	{ "q35", "default-devices", "ide-units", "1" },
};

static void check_contents(const char *family)
{
	g_autofree char *name = g_strdup_printf("%s-1.0", family);
	g_autofree char *path =
		g_test_build_filename(G_TEST_DIST, "data/machine-types", name, NULL);
	g_autoptr(GKeyFile) file = g_key_file_new();

	g_assert_true(g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL));
	for (size_t i = 0; i < G_N_ELEMENTS(contents); i++) {
		g_autofree char *value =
			g_key_file_get_string(file, contents[i].group, contents[i].key, NULL);

		if (strcmp(contents[i].type, "both") == 0 || strcmp(contents[i].type, family) == 0)
			g_assert_cmpstr(value, ==, contents[i].value);
	}
}

static void test_contents(void)
{
	check_contents("pc");
	check_contents("q35");
}

static void put_type(const char *folder, const char *family, const char *version, bool standard)
{
	g_autofree char *name = g_strdup_printf("%s-%s", family, version);
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *text = g_strdup_printf("%sfamily=%s\nversion=%s\ndefault=%s\n", HEAD,
		family, version, standard ? "true" : "false");

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void remove_folder(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);

		g_remove(path);
	}
	g_rmdir(folder);
}

/* Versions are numbers: 1.10 is newer than 1.9. */
static void test_names(void)
{
	static const struct {
		const char *asked, *found;
	} names[] = {
		{ "pc", "pc-1.0" },
		{ "pc-1.0", "pc-1.0" },
		{ "q35", "q35-1.10" },
		{ "q35-1.9", "q35-1.9" },
		{ NULL, "q35-1.10" },
		{ "q35-2.0", NULL },
		{ "", NULL },
	};
	g_autofree char *folder = g_dir_make_tmp("types-XXXXXX", NULL);
	struct machine_types *types;

	put_type(folder, "q35", "1.9", true);
	put_type(folder, "q35", "1.10", true);
	put_type(folder, "pc", "1.0", false);
	types = machine_types_load(folder, NULL);
	g_assert_cmpuint(machine_types_count(types), ==, 3);
	g_assert_cmpstr(machine_types_get(types, 1)->name, ==, "q35-1.10");
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) error = NULL;
		const struct machine_type *type = machine_types_find(types, names[i].asked, &error);

		g_assert_cmpstr(type ? type->name : NULL, ==, names[i].found);
		if (!type)
			g_assert_nonnull(strstr(
				error->message, "accepted: pc, pc-1.0, q35, q35-1.10, q35-1.9"));
	}
	machine_types_free(types);
	remove_folder(folder);
}

static void test_bad_folders(void)
{
	g_autofree char *folder = g_dir_make_tmp("types-XXXXXX", NULL);
	g_autofree char *file = g_build_filename(folder, "q35-1.0", NULL);
	g_autoptr(GError) missing = NULL;
	g_autoptr(GError) empty = NULL;
	g_autoptr(GError) wrong = NULL;
	g_autoptr(GError) two = NULL;

	g_assert_null(machine_types_load("/nonexistent", &missing));
	g_assert_nonnull(strstr(missing->message, "/nonexistent"));
	g_assert_null(machine_types_load(folder, &empty));
	g_assert_nonnull(strstr(empty->message, "there are no machine types"));
	g_assert_true(g_file_set_contents(file, "nonsense", -1, NULL));
	g_assert_null(machine_types_load(folder, &wrong));
	g_assert_nonnull(strstr(wrong->message, "machine type q35-1.0"));
	put_type(folder, "q35", "1.0", true);
	put_type(folder, "pc", "1.0", true);
	g_assert_null(machine_types_load(folder, &two));
	g_assert_nonnull(strstr(two->message, "one family can be"));
	remove_folder(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/machine-types/parse", test_parse);
	g_test_add_func("/machine-types/q35", test_q35);
	g_test_add_func("/machine-types/places", test_places);
	g_test_add_func("/machine-types/contents", test_contents);
	g_test_add_func("/machine-types/names", test_names);
	g_test_add_func("/machine-types/bad-folders", test_bad_folders);
	return g_test_run();
}
