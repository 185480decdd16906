/* The DSDT's hot-plug of the pc: slots of the root bus and of the buses behind bridges that take devices while the guest runs.
 *
 * General purpose event 1 says that something happened; registers say in which slots devices came, and which are asked for
 * back. The operating system gives one back by writing its slot's bit to the eject register.
 *
 * Specification: ACPI 6.4, section 6.3 (_EJ0), 6.1.11 (_SUN); QEMU's docs/specs/acpi_pci_hotplug.rst (registers).
 */
#include "vmm/chipset/acpi-pci-hotplug.h"
#include "vmm/firmware/dsdt.h"

enum {
	ROOT_BUS = 0,
	PATH_LENGTH = 1 + 4 + 1 + 4, /* "^S28.PCNT" */
	NOTIFY_CHECK = 1,
	NOTIFY_EJECT = 3,
};

static void slot_name(char name[5], unsigned slot, unsigned function)
{
	g_snprintf(name, 5, "S%02X", slot << 3 | function);
}

static void write_registers(struct aml *aml)
{
	aml_operation_region(aml, "PCST", AML_SYSTEM_IO, ACPI_PCI_HOTPLUG_PORTS, 8);
	aml_open_long_field(aml, "PCST");
	aml_field_unit(aml, "PCIU", 32);
	aml_field_unit(aml, "PCID", 32);
	aml_close(aml);
	aml_operation_region(
		aml, "SEJ", AML_SYSTEM_IO, ACPI_PCI_HOTPLUG_PORTS + ACPI_PCI_HOTPLUG_EJECT, 4);
	aml_open_long_field(aml, "SEJ");
	aml_field_unit(aml, "B0EJ", 32);
	aml_close(aml);
	aml_operation_region(
		aml, "BNMR", AML_SYSTEM_IO, ACPI_PCI_HOTPLUG_PORTS + ACPI_PCI_HOTPLUG_SELECT, 4);
	aml_open_long_field(aml, "BNMR");
	aml_field_unit(aml, "BNUM", 32);
	aml_close(aml);
	aml_mutex(aml, "BLCK");
}

/* PCEJ (bus, slot): gives the device back. */
static void write_eject(struct aml *aml)
{
	aml_open_method(aml, "PCEJ", 2, false);
	aml_acquire(aml, "BLCK");
	aml_operator(aml, AML_STORE);
	aml_operator(aml, AML_ARG0);
	aml_name(aml, "BNUM");
	aml_operator(aml, AML_SHIFT_LEFT);
	aml_integer(aml, 1);
	aml_operator(aml, AML_ARG0 + 1);
	aml_name(aml, "B0EJ");
	aml_release(aml, "BLCK");
	aml_close(aml);
}

/* DVNT (slots, event): tells of each slot. */
static void write_notify(struct aml *aml, uint32_t slots)
{
	aml_open_method(aml, "DVNT", 2, false);
	for (unsigned slot = 0; slot < ACPI_SLOTS; slot++) {
		char name[5];

		if (!(slots >> slot & 1))
			continue;
		slot_name(name, slot, 0);
		aml_open_if(aml);
		aml_operator(aml, AML_AND);
		aml_operator(aml, AML_ARG0);
		aml_integer(aml, UINT32_C(1) << slot);
		aml_operator(aml, AML_NO_TARGET);
		aml_operator(aml, AML_NOTIFY);
		aml_name(aml, name);
		aml_operator(aml, AML_ARG0 + 1);
		aml_close(aml);
	}
	aml_close(aml);
}

/* PCNT: what happened since the last time on this bus, then on those behind its bridges. */
static void write_look(struct aml *aml, const struct acpi_config *config, unsigned number)
{
	aml_open_method(aml, "PCNT", 0, false);
	aml_operator(aml, AML_STORE);
	aml_integer(aml, number);
	aml_name(aml, "BNUM");
	aml_name(aml, "DVNT");
	aml_name(aml, "PCIU");
	aml_integer(aml, NOTIFY_CHECK);
	aml_name(aml, "DVNT");
	aml_name(aml, "PCID");
	aml_integer(aml, NOTIFY_EJECT);
	for (unsigned i = number + 1; i < config->hotplug_count; i++) {
		char name[5], path[PATH_LENGTH];

		if (config->hotplug[i].parent != number)
			continue;
		slot_name(name, config->hotplug[i].slot, config->hotplug[i].function);
		g_snprintf(path, sizeof(path), "^%s.PCNT", name);
		aml_name(aml, path);
	}
	aml_close(aml);
}

static void write_slot(struct aml *aml, unsigned slot)
{
	char name[5];

	slot_name(name, slot, 0);
	aml_open_device(aml, name);
	dsdt_name_integer(aml, "_ADR", slot << 16);
	dsdt_name_integer(aml, "_SUN", slot);
	aml_open_method(aml, "_EJ0", 1, false);
	aml_name(aml, "PCEJ");
	aml_name(aml, "BSEL");
	aml_name(aml, "_SUN");
	aml_close(aml);
	aml_close(aml);
}

/* BSEL is the bus's number; a slot finds that of its own bus first. */
static void write_bus(struct aml *aml, const struct acpi_config *config, unsigned number)
{
	const struct acpi_hotplug_bus *bus = &config->hotplug[number];

	dsdt_name_integer(aml, "BSEL", number);
	for (unsigned slot = 0; slot < ACPI_SLOTS; slot++)
		if (bus->slots >> slot & 1)
			write_slot(aml, slot);
	for (unsigned i = number + 1; i < config->hotplug_count; i++) {
		const struct acpi_hotplug_bus *behind = &config->hotplug[i];
		char name[5];

		if (behind->parent != number)
			continue;
		slot_name(name, behind->slot, behind->function);
		aml_open_device(aml, name);
		dsdt_name_integer(aml, "_ADR", behind->slot << 16 | behind->function);
		write_bus(aml, config, i);
		aml_close(aml);
	}
	write_notify(aml, bus->slots);
	write_look(aml, config, number);
}

static void write_ports(struct aml *aml)
{
	GByteArray *out = g_byte_array_new();

	aml_open_device(aml, "PHPR");
	dsdt_name_id(aml, "_HID", "PNP0A06");
	aml_define(aml, "_UID");
	aml_string(aml, "PCI Hotplug resources");
	dsdt_name_integer(aml, "_STA", DSDT_STATUS_ON);
	resource_io(out, ACPI_PCI_HOTPLUG_PORTS, 1, ACPI_PCI_HOTPLUG_SIZE);
	dsdt_name_resources(aml, "_CRS", out);
	aml_close(aml);
}

void dsdt_write_hotplug(struct aml *aml, const struct acpi_config *config)
{
	if (config->hotplug_count == 0)
		return;
	write_registers(aml);
	write_eject(aml);
	write_bus(aml, config, ROOT_BUS);
	write_ports(aml);
}

void dsdt_write_hotplug_event(struct aml *aml, const struct acpi_config *config)
{
	if (config->hotplug_count == 0)
		return;
	aml_open_scope(aml, "\\_GPE");
	aml_open_method(aml, "_E01", 0, false);
	aml_acquire(aml, "\\_SB.PCI0.BLCK");
	aml_name(aml, "\\_SB.PCI0.PCNT");
	aml_release(aml, "\\_SB.PCI0.BLCK");
	aml_close(aml);
	aml_close(aml);
}
