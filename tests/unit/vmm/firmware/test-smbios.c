/* SMBIOS structures walked as an operating system does, and the memory map. */
#include "vmm/firmware/smbios.h"

#include <string.h>

#include "base/reader.h"
#include "vmm/firmware/e820.h"

static const uint64_t gib = (uint64_t)1 << 30;

static const struct {
	const char *name;
	unsigned cpus;
	uint64_t low, high;
	unsigned modules, ranges;
} machines[] = {
	{ "/smbios/small", 1, 128 << 20, 0, 1, 1 },
	{ "/smbios/two-ranges", 2, 2ull << 30, 2ull << 30, 1, 2 },
	{ "/smbios/many-modules", 8, 2ull << 30, 62ull << 30, 4, 2 },
	{ "/smbios/huge", 8, 2ull << 30, 5ull << 40, 255, 2 },
};

struct counts {
	unsigned of_type[256], structures, largest;
};

/* The structure behind this one; each has texts behind it that end with an empty one. */
static const uint8_t *next(const uint8_t *structure, const uint8_t *end)
{
	const uint8_t *at = structure + structure[1];

	while (at + 1 < end && (at[0] != 0 || at[1] != 0))
		at++;
	g_assert_true(at + 2 <= end);
	return at + 2;
}

/* The text with this number, counted from 1. */
static const char *text(const uint8_t *structure, uint8_t number)
{
	const char *at = (const char *)structure + structure[1];

	g_assert_cmpuint(number, >, 0);
	while (--number > 0)
		at += strlen(at) + 1;
	return at;
}

static void check_system(const uint8_t *structure)
{
	static const uint8_t uuid[] = { 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99,
		0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

	g_assert_cmpstr(text(structure, structure[5]), ==, "a board");
	g_assert_cmpstr(text(structure, structure[6]), ==, "q35-1.0");
	g_assert_cmpmem(structure + 8, 16, uuid, sizeof(uuid));
}

static void walk(const GByteArray *tables, struct counts *counts)
{
	const uint8_t *end = tables->data + tables->len, *following;

	for (const uint8_t *at = tables->data; at < end; at = following) {
		following = next(at, end);
		counts->of_type[at[0]]++;
		counts->structures++;
		counts->largest = MAX(counts->largest, following - at);
		if (at[0] == 1)
			check_system(at);
		g_assert_true((at[0] == 127) == (following == end));
	}
}

static void check_machine(gconstpointer data)
{
	const typeof(machines[0]) *c = data;
	static const struct smbios_option said = { 1, "version", "q35-1.0" };
	static const struct smbios_option defaults_of_type[] = {
		{ 1, "product", "a board" },
		{ 1, "version", "hidden by what the user says" },
		{ 4, "sock_pfx", "CPU" },
	};
	g_autoptr(GArray) options = g_array_new(FALSE, FALSE, sizeof(struct smbios_option));
	g_autoptr(GArray) defaults = g_array_new(FALSE, FALSE, sizeof(struct smbios_option));
	const struct smbios_config config = {
		.options = options,
		.defaults = defaults,
		.module_size = 16 * gib,
		.uuid = "00112233-4455-6677-8899-aabbccddeeff",
		.cpus = c->cpus,
		.low_memory = c->low,
		.high_memory = c->high,
	};
	g_autoptr(GByteArray) tables = g_byte_array_new(), anchor = g_byte_array_new();
	struct counts counts = { 0 };
	struct reader in;

	g_array_append_val(options, said);
	g_array_append_vals(defaults, defaults_of_type, G_N_ELEMENTS(defaults_of_type));
	smbios_build(&config, tables, anchor);
	walk(tables, &counts);
	g_assert_cmpuint(counts.of_type[0], ==, 1);
	g_assert_cmpuint(counts.of_type[4], ==, c->cpus);
	g_assert_cmpuint(counts.of_type[17], ==, c->modules);
	g_assert_cmpuint(counts.of_type[19], ==, c->ranges);
	g_assert_cmpuint(anchor->len, ==, 31);
	g_assert_cmpmem(anchor->data, 4, "_SM_", 4);
	g_assert_cmpmem(anchor->data + 16, 5, "_DMI_", 5);
	in = reader_from(anchor->data + 8, 2);
	g_assert_cmpuint(reader_le16(&in), ==, counts.largest);
	in = reader_from(anchor->data + 22, 2);
	g_assert_cmpuint(reader_le16(&in), ==, tables->len);
	in = reader_from(anchor->data + 28, 2);
	g_assert_cmpuint(reader_le16(&in), ==, counts.structures);
}

static void test_uuid(void)
{
	static const uint8_t zeroes[16];
	uint8_t bytes[16];

	uuid_bytes("00112233-4455-6677-8899-aabbccddeeff", bytes);
	g_assert_cmphex(bytes[0], ==, 0x00);
	g_assert_cmphex(bytes[15], ==, 0xff);
	uuid_bytes(NULL, bytes);
	g_assert_cmpmem(bytes, 16, zeroes, 16);
	uuid_bytes("no UUID", bytes);
	g_assert_cmpmem(bytes, 16, zeroes, 16);
}

static void test_e820(void)
{
	g_autoptr(GByteArray) map = g_byte_array_new();
	struct reader in;

	e820_build(2 * gib, 3 * gib, map);
	g_assert_cmpuint(map->len, ==, 3 * 20);
	in = reader_from(map->data, map->len);
	reader_skip(&in, 20);
	g_assert_cmphex(reader_le64(&in), ==, 0);
	g_assert_cmphex(reader_le64(&in), ==, 2 * gib);
	g_assert_cmpuint(reader_le32(&in), ==, 1);
	g_assert_cmphex(reader_le64(&in), ==, 4 * gib);
	g_assert_cmphex(reader_le64(&in), ==, 3 * gib);
	g_byte_array_set_size(map, 0);
	e820_build(2 * gib, 0, map);
	g_assert_cmpuint(map->len, ==, 2 * 20);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(machines); i++)
		g_test_add_data_func(machines[i].name, &machines[i], check_machine);
	g_test_add_func("/smbios/uuid", test_uuid);
	g_test_add_func("/e820", test_e820);
	return g_test_run();
}
