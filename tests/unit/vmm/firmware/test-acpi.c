/* ACPI tables as an operating system finds them after the firmware placed them, and what Intel's compiler says to them. */
#include "vmm/firmware/acpi.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/reader.h"
#include "tests/unit/vmm/firmware/loader.h"

enum {
	TABLES_ADDRESS = 0x7fe0000,
	RSDP_ADDRESS = 0xf5a10,
	FILES = 2,
	HEADER = 36,
};

static const struct acpi_config configs[] = {
	{ .cpus = 1 },
	{ .cpus = 2, .serial = { { 0x3f8, 4 } }, .serial_ports = 1 },
	{ .cpus = 8,
		.high_memory = (uint64_t)5 << 30,
		.serial = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } },
		.serial_ports = 4 },
};

struct placed {
	struct loaded_file files[FILES];
};

static void place(const struct acpi_config *config, struct placed *placed)
{
	g_autoptr(GByteArray) script = g_byte_array_new();

	placed->files[0] =
		(struct loaded_file) { ACPI_TABLES_FILE, g_byte_array_new(), TABLES_ADDRESS };
	placed->files[1] =
		(struct loaded_file) { ACPI_RSDP_FILE, g_byte_array_new(), RSDP_ADDRESS };
	acpi_build(config, placed->files[0].bytes, placed->files[1].bytes, script);
	loader_run(script, placed->files, FILES);
}

static void clear(struct placed *placed)
{
	for (unsigned i = 0; i < FILES; i++)
		g_byte_array_unref(placed->files[i].bytes);
}

static uint8_t sum(const uint8_t *bytes, size_t length)
{
	uint8_t result = 0;

	for (size_t i = 0; i < length; i++)
		result += bytes[i];
	return result;
}

static uint32_t long_at(const uint8_t *bytes, size_t offset)
{
	struct reader in = reader_from(bytes + offset, 4);

	return reader_le32(&in);
}

/* A table with a sound header; its length goes to @length. */
static const uint8_t *table_at(const struct placed *placed, uint64_t address, uint32_t *length)
{
	const uint8_t *table = loader_at(placed->files, FILES, address, HEADER);

	*length = long_at(table, 4);
	loader_at(placed->files, FILES, address, *length);
	g_assert_cmpuint(sum(table, *length), ==, 0);
	return table;
}

/* By way of RSDP and RSDT or XSDT. */
static const uint8_t *find_table(
	const struct placed *placed, bool extended, const char *signature, uint32_t *length)
{
	const uint8_t *rsdp = loader_at(placed->files, FILES, RSDP_ADDRESS, HEADER);
	const uint8_t *root = table_at(placed, long_at(rsdp, extended ? 24 : 16), length);
	unsigned size = extended ? 8 : 4;
	uint32_t root_length = *length;

	g_assert_cmpmem(root, 4, extended ? "XSDT" : "RSDT", 4);
	for (uint32_t at = HEADER; at < root_length; at += size) {
		const uint8_t *table = table_at(placed, long_at(root, at), length);

		if (memcmp(table, signature, 4) == 0)
			return table;
	}
	return NULL;
}

static void test_found(void)
{
	static const char *const signatures[] = { "FACP", "APIC", "MCFG", "WAET" };
	struct placed placed;
	const uint8_t *rsdp;
	uint32_t length;

	place(&configs[2], &placed);
	rsdp = loader_at(placed.files, FILES, RSDP_ADDRESS, HEADER);
	g_assert_cmpmem(rsdp, 8, "RSD PTR ", 8);
	g_assert_cmpuint(sum(rsdp, 20), ==, 0);
	g_assert_cmpuint(sum(rsdp, 36), ==, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(signatures); i++) {
		g_assert_nonnull(find_table(&placed, false, signatures[i], &length));
		g_assert_nonnull(find_table(&placed, true, signatures[i], &length));
	}
	clear(&placed);
}

static void test_fadt(void)
{
	struct placed placed;
	const uint8_t *fadt, *facs, *dsdt;
	uint32_t length;

	place(&configs[0], &placed);
	fadt = find_table(&placed, true, "FACP", &length);
	g_assert_cmpuint(length, ==, 244);
	facs = loader_at(placed.files, FILES, long_at(fadt, 36), 64);
	g_assert_cmpmem(facs, 4, "FACS", 4);
	g_assert_cmpuint(long_at(fadt, 36) % 64, ==, 0);
	dsdt = table_at(&placed, long_at(fadt, 40), &length);
	g_assert_cmpmem(dsdt, 4, "DSDT", 4);
	g_assert_cmphex(long_at(fadt, 140), ==, long_at(fadt, 40));
	g_assert_cmphex(long_at(fadt, 56), ==, 0x600); /* PM1a event block */
	g_assert_cmphex(long_at(fadt, 64), ==, 0x604);
	g_assert_cmphex(long_at(fadt, 76), ==, 0x608); /* timer */
	g_assert_cmphex(fadt[108], ==, 0x32);          /* century */
	g_assert_cmphex(long_at(fadt, 120), ==, 0xcf9);
	g_assert_cmphex(fadt[128], ==, 0x06);
	clear(&placed);
}

static void test_madt(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(configs); i++) {
		unsigned cpus = 0, entries = 0;
		struct placed placed;
		const uint8_t *madt;
		uint32_t length;

		place(&configs[i], &placed);
		madt = find_table(&placed, true, "APIC", &length);
		for (uint32_t at = HEADER + 8; at < length; at += madt[at + 1]) {
			g_assert_cmpuint(madt[at + 1], >, 0);
			cpus += madt[at] == 0;
			entries++;
		}
		g_assert_cmpuint(cpus, ==, configs[i].cpus);
		g_assert_cmpuint(entries, ==, configs[i].cpus + 4);
		clear(&placed);
	}
}

/* Runs iasl; its output goes to @output. */
static bool run_iasl(const char *folder, const char *const *arguments, char **output)
{
	int status;

	g_assert_true(g_spawn_sync(folder, (char **)arguments, NULL,
		G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, output, NULL, &status,
		NULL));
	return g_spawn_check_wait_status(status, NULL);
}

/* The compiler warns of Processor (), which older systems need. */
#define WARNING_PROCESSOR "3168"

static const char *const take_apart[] = { "iasl", "-d", "dsdt.aml", NULL };
static const char *const compile[] = { "iasl", "-vw", WARNING_PROCESSOR, "-oa", "dsdt.dsl", NULL };

/* The DSDT is taken apart without complaint, and compiles again to the same bytes. */
static void check_with_iasl(const struct acpi_config *config)
{
	g_autofree char *folder = g_dir_make_tmp("vitrine-acpi-XXXXXX", NULL);
	g_autofree char *table = g_build_filename(folder, "dsdt.aml", NULL);
	g_autofree char *source = g_build_filename(folder, "dsdt.dsl", NULL);
	g_autofree char *again = NULL, *taken_apart = NULL, *compiled = NULL;
	struct placed placed;
	const uint8_t *fadt, *dsdt;
	uint32_t length;
	gsize again_length;

	place(config, &placed);
	fadt = find_table(&placed, true, "FACP", &length);
	dsdt = table_at(&placed, long_at(fadt, 40), &length);
	g_assert_true(g_file_set_contents(table, (const char *)dsdt, length, NULL));
	g_assert_true(run_iasl(folder, take_apart, &taken_apart));
	g_assert_true(g_remove(table) == 0);
	g_assert_true(run_iasl(folder, compile, &compiled));
	g_test_message("%s", compiled);
	g_assert_nonnull(strstr(compiled, " 0 Errors"));
	g_assert_nonnull(strstr(compiled, " 0 Warnings"));
	g_assert_true(g_file_get_contents(table, &again, &again_length, NULL));
	g_assert_cmpmem(again + HEADER, again_length - HEADER, dsdt + HEADER, length - HEADER);
	g_remove(table);
	g_remove(source);
	g_rmdir(folder);
	clear(&placed);
}

static void test_iasl(void)
{
	g_autofree char *iasl = g_find_program_in_path("iasl");

	if (!iasl) {
		g_test_skip("iasl is not installed (Debian's acpica-tools has it)");
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(configs); i++)
		check_with_iasl(&configs[i]);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/acpi/found", test_found);
	g_test_add_func("/acpi/fadt", test_fadt);
	g_test_add_func("/acpi/madt", test_madt);
	g_test_add_func("/acpi/iasl", test_iasl);
	return g_test_run();
}
