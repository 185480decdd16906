/* The DSDT's PCI root buses: what they pass on, and who drives their express features.
 *
 * Specification: ACPI 6.4, section 6.2; PCI Firmware 3.3, section 4.5 (_OSC).
 */
#include "vmm/firmware/dsdt.h"

enum {
	/* What an operating system may drive itself: native hot-plug, PME, AER, the express capabilities. No SHPC: there is none. */
	OSC_SUPPORTED = 0x1d,
	OSC_UNKNOWN_UUID = 1 << 2,
	OSC_UNKNOWN_REVISION = 1 << 3,
	OSC_MASKED = 1 << 4,
	OSC_REVISION = 1,
	PORT_CONFIG = 0xcf8,
	PORT_CONFIG_SIZE = 8,
	VGA_MEMORY = 0xa0000,
	VGA_MEMORY_LAST = 0xbffff,
};

static void flag_in_first(struct aml *aml, unsigned flag)
{
	aml_operator(aml, AML_OR);
	aml_name(aml, "CDW1");
	aml_integer(aml, flag);
	aml_name(aml, "CDW1");
}

/* Which PCI Express features the operating system may drive itself. */
static void write_osc(struct aml *aml)
{
	aml_open_method(aml, "_OSC", 4, true);
	aml_operator(aml, AML_CREATE_DWORD_FIELD);
	aml_operator(aml, AML_ARG0 + 3);
	aml_integer(aml, 0);
	aml_name(aml, "CDW1");
	aml_open_if(aml);
	aml_operator(aml, AML_EQUAL);
	aml_operator(aml, AML_ARG0);
	aml_uuid(aml, "33db4d5b-1ff7-401c-9657-7441c03dd766");
	aml_operator(aml, AML_CREATE_DWORD_FIELD);
	aml_operator(aml, AML_ARG0 + 3);
	aml_integer(aml, 8);
	aml_name(aml, "CDW3");
	aml_operator(aml, AML_AND);
	aml_name(aml, "CDW3");
	aml_integer(aml, OSC_SUPPORTED);
	aml_operator(aml, AML_LOCAL0);
	aml_open_if(aml);
	aml_operator(aml, AML_NOT_EQUAL);
	aml_operator(aml, AML_ARG0 + 1);
	aml_integer(aml, OSC_REVISION);
	flag_in_first(aml, OSC_UNKNOWN_REVISION);
	aml_close(aml);
	aml_open_if(aml);
	aml_operator(aml, AML_NOT_EQUAL);
	aml_name(aml, "CDW3");
	aml_operator(aml, AML_LOCAL0);
	flag_in_first(aml, OSC_MASKED);
	aml_close(aml);
	aml_operator(aml, AML_STORE);
	aml_operator(aml, AML_LOCAL0);
	aml_name(aml, "CDW3");
	aml_close(aml);
	aml_open_else(aml);
	flag_in_first(aml, OSC_UNKNOWN_UUID);
	aml_close(aml);
	aml_operator(aml, AML_RETURN);
	aml_operator(aml, AML_ARG0 + 3);
	aml_close(aml);
}

static void write_windows(struct aml *aml, const struct acpi_root *root, bool is_first)
{
	GByteArray *out = g_byte_array_new();

	resource_bus_numbers(out, root->first_bus, root->last_bus);
	if (is_first) {
		resource_io(out, PORT_CONFIG, 1, PORT_CONFIG_SIZE);
		resource_memory_window(out, VGA_MEMORY, VGA_MEMORY_LAST, true);
	}
	for (guint i = 0; i < root->ports->len; i++) {
		const struct acpi_range *range = &g_array_index(root->ports, struct acpi_range, i);

		resource_io_window(out, range->first, range->last);
	}
	for (guint i = 0; i < root->memory->len; i++) {
		const struct acpi_range *range = &g_array_index(root->memory, struct acpi_range, i);

		resource_memory_window(out, range->first, range->last, false);
	}
	for (guint i = 0; i < root->prefetchable->len; i++) {
		const struct acpi_range *range =
			&g_array_index(root->prefetchable, struct acpi_range, i);

		resource_memory_window_64(out, range->first, range->last);
	}
	dsdt_name_resources(aml, "_CRS", out);
}

/* The name of a bus's device is made of its number. */
static void write_root(struct aml *aml, const struct acpi_config *config, unsigned index)
{
	const struct acpi_root *root = &config->roots[index];
	g_autofree char *name =
		index == 0 ? g_strdup("PCI0") : g_strdup_printf("PC%02X", root->first_bus);

	aml_open_device(aml, name);
	dsdt_name_id(aml, "_HID", root->express ? "PNP0A08" : "PNP0A03");
	if (root->express)
		dsdt_name_id(aml, "_CID", "PNP0A03");
	dsdt_name_integer(aml, "_UID", root->first_bus);
	dsdt_name_integer(aml, "_BBN", root->first_bus);
	dsdt_name_integer(aml, "_SEG", 0);
	if (root->numa_node >= 0)
		dsdt_name_integer(aml, "_PXM", root->numa_node);
	write_windows(aml, root, index == 0);
	if (root->express)
		write_osc(aml);
	dsdt_write_routing(aml, config, index == 0);
	if (index == 0) {
		dsdt_write_isa(aml, config);
		dsdt_write_hotplug(aml, config);
	}
	aml_close(aml);
}

void dsdt_write_roots(struct aml *aml, const struct acpi_config *config)
{
	for (unsigned i = 0; i < config->root_count; i++)
		write_root(aml, config, i);
}
