/* ACPI tables as an operating system finds them after the firmware placed them, and what Intel's compiler says to them. */
#include "vmm/chipset/acpi-pci-hotplug.h"
#include "vmm/firmware/acpi.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/reader.h"
#include "tests/unit/vmm/firmware/loader.h"
#include "vmm/firmware/numa.h"

enum {
	TABLES_ADDRESS = 0x7fe0000,
	RSDP_ADDRESS = 0xf5a10,
	FILES = 2,
	HEADER = 36,
};

/* What a root bus passes on, here in place of what a machine's registers say. */
static struct acpi_root make_root(uint8_t first_bus, uint8_t last_bus, bool express, int numa_node)
{
	static const struct acpi_range ports = { 0xd00, 0xffff };
	static const struct acpi_range memory = { 0xc0000000, 0xfebfffff };
	static const struct acpi_range high = { UINT64_C(0x800000000), UINT64_C(0xfffffffff) };
	struct acpi_root root = {
		.first_bus = first_bus,
		.last_bus = last_bus,
		.express = express,
		.numa_node = numa_node,
		.ports = g_array_new(FALSE, FALSE, sizeof(struct acpi_range)),
		.memory = g_array_new(FALSE, FALSE, sizeof(struct acpi_range)),
		.prefetchable = g_array_new(FALSE, FALSE, sizeof(struct acpi_range)),
	};

	g_array_append_val(root.ports, ports);
	g_array_append_val(root.memory, memory);
	if (first_bus == 0)
		g_array_append_val(root.prefetchable, high);
	return root;
}

static const unsigned nodes_of_cpus[] = { 0, 0, 1, 1, 0, 1, 0, 1 };

static const struct numa_config two_nodes = {
	.count = 2,
	.nodes = { { (uint64_t)1 << 30 }, { (uint64_t)6 << 30 } },
	.cpu_nodes = nodes_of_cpus,
	.has_distances = true,
	.distances = { { 10, 25 }, { 25, 10 } },
};

static const uint32_t large_ids[] = { 0, 1, 2, 253, 254, 255, 256, 1000 };

/* A bridge on the root bus, one behind it, and one more on the root bus. */
static const struct acpi_hotplug_bus hotplug_buses[] = {
	{ .slots = 0xffffffc8 },
	{ .parent = 0, .slot = 4, .slots = 0xfffffffd },
	{ .parent = 1, .slot = 1, .slots = 0xffffffff },
	{ .parent = 0, .slot = 5, .function = 1, .slots = 0xffffffff },
};

/* As many as take part, each in the one before: made by make_deep_buses(). */
static struct acpi_hotplug_bus deep_buses[ACPI_PCI_HOTPLUG_BUSES];

static void make_deep_buses(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(deep_buses); i++)
		deep_buses[i] = (struct acpi_hotplug_bus) {
			.parent = i ? i - 1 : 0,
			.slot = i ? 4 : 0,
			.slots = 0xffffff80,
		};
}

#define IDS .oem_id = "OEM", .table_id = "TABLE", .creator_id = "CRTR"
#define Q35 \
	.board = ACPI_Q35, IDS, .pm_base = 0x600, .low_memory = (uint64_t)2 << 30, \
	.ecam = 0xb0000000, .ecam_size = 0x10000000, .has_keyboard = true
#define PC \
	.board = ACPI_PC, IDS, .pm_base = 0xb000, .low_memory = (uint64_t)2 << 30, \
	.has_keyboard = true, .hotplug = hotplug_buses, \
	.hotplug_count = G_N_ELEMENTS(hotplug_buses)

/* Roots are added: one, or three where there is hot-plug or NUMA. */
static const struct acpi_config configs[] = {
	{ Q35, .cpus = 1 },
	{ Q35, .cpus = 2, .serial = { { 0x3f8, 4 } }, .serial_ports = 1, .has_hpet = true },
	{ Q35, .cpus = 8, .high_memory = (uint64_t)5 << 30,
		.serial = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } },
		.serial_ports = 4 },
	{ Q35, .cpus = 8, .high_memory = (uint64_t)5 << 30, .numa = &two_nodes, .has_hpet = true },
	{ Q35, .cpus = 8, .apic_ids = large_ids, .numa = &two_nodes },
	{ PC, .cpus = 1 },
	{ PC, .cpus = 3, .serial = { { 0x3f8, 4 } }, .serial_ports = 1, .has_hpet = true },
	{ PC, .cpus = 8, .high_memory = (uint64_t)5 << 30, .numa = &two_nodes, .has_hpet = true },
	{ .board = ACPI_PC, IDS, .pm_base = 0x600, .cpus = 4, .low_memory = 1 << 27 },
	{ .board = ACPI_PC,
		IDS,
		.pm_base = 0xb000,
		.cpus = 1,
		.low_memory = 1 << 27,
		.hotplug = deep_buses,
		.hotplug_count = G_N_ELEMENTS(deep_buses) },
	{ Q35, .cpus = 2, .has_s3 = true, .s4_type = 2 },
};

struct placed {
	struct loaded_file files[FILES];
};

/* One root bus, or with NUMA nodes three, the others on a node each. */
static void build(const struct acpi_config *config, struct placed *placed, GByteArray *script)
{
	bool express = config->board == ACPI_Q35;
	struct acpi_root roots[] = {
		make_root(0, config->numa ? 0x0f : 0xff, express, -1),
		make_root(0x10, 0x12, express, 0),
		make_root(0xc0, 0xc0, express, 1),
	};
	struct acpi_config whole = *config;

	whole.roots = roots;
	whole.root_count = config->numa ? 3 : 1;
	acpi_build(&whole, placed->files[0].bytes, placed->files[1].bytes, script);
	for (size_t i = 0; i < G_N_ELEMENTS(roots); i++) {
		g_array_unref(roots[i].ports);
		g_array_unref(roots[i].memory);
		g_array_unref(roots[i].prefetchable);
	}
}

static void place(const struct acpi_config *config, struct placed *placed)
{
	g_autoptr(GByteArray) script = g_byte_array_new();

	placed->files[0] =
		(struct loaded_file) { ACPI_TABLES_FILE, g_byte_array_new(), TABLES_ADDRESS };
	placed->files[1] =
		(struct loaded_file) { ACPI_RSDP_FILE, g_byte_array_new(), RSDP_ADDRESS };
	build(config, placed, script);
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
	g_assert_cmphex(fadt[128], ==, 0x0f);
	clear(&placed);
}

static void test_fadt_of_the_pc(void)
{
	struct placed placed;
	const uint8_t *fadt;
	uint32_t length;

	place(&configs[5], &placed);
	fadt = find_table(&placed, false, "FACP", &length);
	g_assert_cmpuint(length, ==, 116);
	g_assert_cmpuint(fadt[8], ==, 1);
	g_assert_cmphex(long_at(fadt, 56), ==, 0xb000);
	g_assert_cmphex(long_at(fadt, 80), ==, 0xafe0); /* general purpose events */
	g_assert_cmpuint(fadt[92], ==, 4);
	g_assert_null(find_table(&placed, false, "MCFG", &length));
	clear(&placed);
}

/* Memory of two nodes, 1 GiB and 6 GiB, with 2 GiB below the hole: 640 KiB, the rest of the first node, and the second node
 * in two pieces. */
static void test_srat(void)
{
	static const struct {
		uint64_t base, length;
		uint32_t node;
	} expected[] = {
		{ 0, 640 << 10, 0 },
		{ 1 << 20, (1 << 30) - (1 << 20), 0 },
		{ 1 << 30, 1 << 30, 1 },
		{ UINT64_C(4) << 30, UINT64_C(5) << 30, 1 },
	};
	unsigned memories = 0, cpus = 0;
	struct placed placed;
	const uint8_t *srat, *slit;
	uint32_t length;

	place(&configs[3], &placed);
	srat = find_table(&placed, true, "SRAT", &length);
	for (uint32_t at = HEADER + 12; at < length; at += srat[at + 1]) {
		g_assert_cmpuint(srat[at + 1], ==, srat[at] == 0 ? 16 : 40);
		if (srat[at] == 0) {
			g_assert_cmpuint(srat[at + 2], ==, nodes_of_cpus[cpus]);
			g_assert_cmpuint(srat[at + 3], ==, cpus++);
			continue;
		}
		g_assert_cmpuint(memories, <, G_N_ELEMENTS(expected));
		g_assert_cmpuint(long_at(srat, at + 2), ==, expected[memories].node);
		g_assert_cmphex(long_at(srat, at + 8) | (uint64_t)long_at(srat, at + 12) << 32, ==,
			expected[memories].base);
		g_assert_cmphex(long_at(srat, at + 16) | (uint64_t)long_at(srat, at + 20) << 32, ==,
			expected[memories].length);
		memories++;
	}
	g_assert_cmpuint(cpus, ==, 8);
	g_assert_cmpuint(memories, ==, G_N_ELEMENTS(expected));
	slit = find_table(&placed, true, "SLIT", &length);
	g_assert_cmpuint(length, ==, HEADER + 8 + 4);
	g_assert_cmpmem(slit + HEADER + 8, 4, "\x0a\x19\x19\x0a", 4);
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
			cpus += madt[at] == 0 || madt[at] == 9;
			entries++;
		}
		g_assert_cmpuint(cpus, ==, configs[i].cpus);
		g_assert_cmpuint(entries, ==, configs[i].cpus + 7);
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

static const char *const take_apart[] = { "iasl", "-d", "table.aml", NULL };
static const char *const compile[] = { "iasl", "-vw", WARNING_PROCESSOR, "-oa", "table.dsl", NULL };

/* A table is taken apart without complaint, and compiles again to the same bytes behind the header, in which the
 * compiler names itself. */
static void check_table(const char *folder, const uint8_t *bytes, uint32_t length)
{
	g_autofree char *table = g_build_filename(folder, "table.aml", NULL);
	g_autofree char *source = g_build_filename(folder, "table.dsl", NULL);
	g_autofree char *again = NULL, *taken_apart = NULL, *compiled = NULL;
	gsize again_length;

	g_assert_true(g_file_set_contents(table, (const char *)bytes, length, NULL));
	g_assert_true(run_iasl(folder, take_apart, &taken_apart));
	g_assert_true(g_remove(table) == 0);
	g_assert_true(run_iasl(folder, compile, &compiled));
	g_test_message("%s", compiled);
	g_assert_nonnull(strstr(compiled, " 0 Errors"));
	g_assert_nonnull(strstr(compiled, " 0 Warnings"));
	g_assert_true(g_file_get_contents(table, &again, &again_length, NULL));
	g_assert_cmpmem(again + HEADER, again_length - HEADER, bytes + HEADER, length - HEADER);
	g_remove(table);
	g_remove(source);
}

static void check_with_iasl(const struct acpi_config *config)
{
	static const char *const signatures[] = { "FACP", "APIC", "HPET", "SRAT", "SLIT", "MCFG",
		"WAET" };
	g_autofree char *folder = g_dir_make_tmp("vitrine-acpi-XXXXXX", NULL);
	struct placed placed;
	const uint8_t *table;
	uint32_t length;

	place(config, &placed);
	for (size_t i = 0; i < G_N_ELEMENTS(signatures); i++) {
		table = find_table(&placed, false, signatures[i], &length);
		if (table)
			check_table(folder, table, length);
	}
	table = find_table(&placed, false, "FACP", &length);
	table = table_at(&placed, long_at(table, 40), &length);
	check_table(folder, table, length);
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
	make_deep_buses();
	g_test_add_func("/acpi/found", test_found);
	g_test_add_func("/acpi/fadt", test_fadt);
	g_test_add_func("/acpi/fadt-of-the-pc", test_fadt_of_the_pc);
	g_test_add_func("/acpi/srat", test_srat);
	g_test_add_func("/acpi/madt", test_madt);
	g_test_add_func("/acpi/iasl", test_iasl);
	return g_test_run();
}
