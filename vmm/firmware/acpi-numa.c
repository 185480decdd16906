/* ACPI tables of NUMA: which node processors and memory belong to (SRAT), and how far nodes are apart (SLIT).
 *
 * Specification: ACPI 6.4, sections 5.2.16 and 5.2.17.
 */
#include "base/checked.h"
#include "base/writer.h"
#include "vmm/firmware/acpi.h"
#include "vmm/firmware/numa.h"

enum srat_type {
	SRAT_PROCESSOR = 0,
	SRAT_MEMORY = 1,
	SRAT_X2APIC = 2,
};

enum {
	ENABLED = 1 << 0,
	XAPIC_IDS = 255,
	VGA_WINDOW = 640 * KiB, /* no memory from here */
	VGA_WINDOW_END = 1 * MiB,
};

static void write_processor(GByteArray *out, uint32_t apic_id, unsigned node)
{
	bool x2apic = apic_id >= XAPIC_IDS;

	write_u8(out, x2apic ? SRAT_X2APIC : SRAT_PROCESSOR);
	write_u8(out, x2apic ? 24 : 16);
	if (x2apic) {
		write_le16(out, 0);
		write_le32(out, node);
		write_le32(out, apic_id);
	} else {
		write_u8(out, node);
		write_u8(out, apic_id);
	}
	write_le32(out, ENABLED);
	write_le32(out,
		0); /* of the smaller one: SAPIC and the node's higher bytes; of the other: clock */
	write_le32(out, 0);
}

static void write_memory(GByteArray *out, uint64_t first, uint64_t end, unsigned node)
{
	if (first >= end)
		return;
	write_u8(out, SRAT_MEMORY);
	write_u8(out, 40);
	write_le32(out, node);
	write_le16(out, 0);
	write_le64(out, first);
	write_le64(out, end - first);
	write_le32(out, 0);
	write_le32(out, ENABLED);
	write_le64(out, 0);
}

/* RAM counted without the hole below 4 GiB: where it really is. */
static void write_node(const struct acpi_config *config, GByteArray *out, uint64_t first,
	uint64_t end, unsigned node)
{
	uint64_t low = config->low_memory, above = (uint64_t)4 * GiB - low;

	write_memory(out, first, MIN(end, VGA_WINDOW), node);
	write_memory(out, MAX(first, VGA_WINDOW_END), MIN(end, low), node);
	if (end > low)
		write_memory(out, MAX(first, low) + above, end + above, node);
}

guint acpi_srat(const struct acpi_config *config, GByteArray *tables, GByteArray *script)
{
	const struct numa_config *numa = config->numa;
	guint start = acpi_table_begin(config, tables, "SRAT", 1);
	uint64_t first = 0;

	write_le32(tables, 1);
	write_le64(tables, 0);
	for (unsigned cpu = 0; cpu < config->cpus; cpu++)
		write_processor(tables, acpi_apic_id(config, cpu), numa->cpu_nodes[cpu]);
	for (unsigned node = 0; node < numa->count; node++) {
		write_node(config, tables, first, first + numa->nodes[node].memory, node);
		first += numa->nodes[node].memory;
	}
	acpi_table_end(tables, start, script);
	return start;
}

guint acpi_slit(const struct acpi_config *config, GByteArray *tables, GByteArray *script)
{
	const struct numa_config *numa = config->numa;
	guint start = acpi_table_begin(config, tables, "SLIT", 1);

	write_le64(tables, numa->count);
	for (unsigned from = 0; from < numa->count; from++)
		write_bytes(tables, numa->distances[from], numa->count);
	acpi_table_end(tables, start, script);
	return start;
}
