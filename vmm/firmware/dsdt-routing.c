/* The DSDT's interrupt routing: which line a PCI slot's pins take, and which input of the PIC a line takes.
 *
 * q35: slots 0 to 24 take PIRQE to PIRQH, turned by one per slot, slots 25 to 31 take PIRQA to PIRQD. With the I/O APIC these are its
 * inputs 16 to 23; with the PIC each is a link device that the operating system routes.
 * pc: slots take PIRQA to PIRQD, slot 1 begins with PIRQA. They always go by the link devices, which the I/O APIC follows. The
 * power management's pin, slot 1's first, is the SCI.
 *
 * Specification: ACPI 6.4, section 6.2.13 (_PRT); Intel ICH9 (316972) section 13.1.16, PIIX3 (290550) section 2.2.5.
 */
#include "vmm/firmware/dsdt.h"

enum {
	Q35_FIRST_FIXED_SLOT = 25,
	Q35_FIRST_GSI = 16,
	PC_POWER_SLOT = 1,
	PIRQ_LINE = 0x0f,
	PIRQ_OFF = 0x80,
	STATUS_OFF = 0x09,       /* present but disabled */
	INTERRUPT_NUMBER_AT = 5, /* in an interrupt descriptor */
};

static unsigned q35_line(unsigned slot, unsigned pin)
{
	return slot < Q35_FIRST_FIXED_SLOT ? DSDT_PINS + (slot + pin) % DSDT_PINS : pin;
}

static unsigned pc_line(unsigned slot, unsigned pin)
{
	return (slot + pin + DSDT_PINS - 1) % DSDT_PINS;
}

static const struct dsdt_wiring wirings[] = {
	[ACPI_Q35] = { 0x001f0000, 8, Q35_FIRST_GSI, q35_line },
	[ACPI_PC] = { 0x00010000, 4, 0, pc_line },
};

const struct dsdt_wiring *dsdt_wiring(const struct acpi_config *config)
{
	return &wirings[config->board];
}

static void write_routes(struct aml *aml, const struct acpi_config *config, const char *name,
	bool apic, bool is_first)
{
	const struct dsdt_wiring *wiring = dsdt_wiring(config);

	aml_define(aml, name);
	aml_open_package(aml, ACPI_SLOTS * DSDT_PINS);
	for (unsigned slot = 0; slot < ACPI_SLOTS; slot++) {
		for (unsigned pin = 0; pin < DSDT_PINS; pin++) {
			/* Behind an expander every slot is an ordinary one. */
			unsigned line = wiring->line(is_first ? slot : slot % DSDT_PINS, pin);
			char link[] = { 'L', 'N', 'K', 'A' + line, '\0' };

			if (is_first && config->board == ACPI_PC && slot == PC_POWER_SLOT &&
				pin == 0)
				link[3] = 'S';
			aml_open_package(aml, 4);
			aml_integer(aml, slot << 16 | 0xffff);
			aml_integer(aml, pin);
			if (apic)
				aml_integer(aml, 0);
			else
				aml_name(aml, link);
			aml_integer(aml, apic ? wiring->first_gsi + line : 0);
			aml_close(aml);
		}
	}
	aml_close(aml);
}

void dsdt_write_routing(struct aml *aml, const struct acpi_config *config, bool is_first)
{
	if (dsdt_wiring(config)->first_gsi == 0) {
		write_routes(aml, config, "_PRT", false, is_first);
		return;
	}
	write_routes(aml, config, "PRTP", false, is_first);
	write_routes(aml, config, "PRTA", true, is_first);
	aml_open_method(aml, "_PRT", 0, false);
	aml_open_if(aml);
	aml_name(aml, "\\PICF");
	dsdt_return_name(aml, "PRTA");
	aml_close(aml);
	dsdt_return_name(aml, "PRTP");
	aml_close(aml);
}

/* A link device: the line of the PIC that a PIRQ takes, kept in the bridge's configuration space. */
static void write_link(struct aml *aml, unsigned pirq)
{
	static const uint32_t possible[] = { 5, 10, 11 }, none[] = { 0 };
	char name[] = { 'L', 'N', 'K', 'A' + pirq, '\0' };
	char route[] = "\\_SB.PCI0.ISA.PRQA";
	GByteArray *choices = g_byte_array_new(), *current = g_byte_array_new();

	route[sizeof(route) - 2] = 'A' + pirq;
	aml_open_device(aml, name);
	dsdt_name_id(aml, "_HID", "PNP0C0F");
	dsdt_name_integer(aml, "_UID", pirq);
	resource_interrupt(choices, possible, G_N_ELEMENTS(possible));
	dsdt_name_resources(aml, "_PRS", choices);
	resource_interrupt(current, none, G_N_ELEMENTS(none));
	dsdt_name_resources(aml, "BUF0", current);

	aml_open_method(aml, "_STA", 0, false);
	aml_open_if(aml);
	aml_operator(aml, AML_AND);
	aml_name(aml, route);
	aml_integer(aml, PIRQ_OFF);
	aml_operator(aml, AML_NO_TARGET);
	aml_operator(aml, AML_RETURN);
	aml_integer(aml, STATUS_OFF);
	aml_close(aml);
	aml_operator(aml, AML_RETURN);
	aml_integer(aml, DSDT_STATUS_ON);
	aml_close(aml);

	aml_open_method(aml, "_DIS", 0, false);
	aml_operator(aml, AML_OR);
	aml_name(aml, route);
	aml_integer(aml, PIRQ_OFF);
	aml_name(aml, route);
	aml_close(aml);

	aml_open_method(aml, "_CRS", 0, true);
	aml_operator(aml, AML_CREATE_DWORD_FIELD);
	aml_name(aml, "BUF0");
	aml_integer(aml, INTERRUPT_NUMBER_AT);
	aml_name(aml, "NUM0");
	aml_operator(aml, AML_AND);
	aml_name(aml, route);
	aml_integer(aml, PIRQ_LINE);
	aml_name(aml, "NUM0");
	dsdt_return_name(aml, "BUF0");
	aml_close(aml);

	aml_open_method(aml, "_SRS", 1, true);
	aml_operator(aml, AML_CREATE_DWORD_FIELD);
	aml_operator(aml, AML_ARG0);
	aml_integer(aml, INTERRUPT_NUMBER_AT);
	aml_name(aml, "NEW0");
	aml_operator(aml, AML_STORE);
	aml_name(aml, "NEW0");
	aml_name(aml, route);
	aml_close(aml);
	aml_close(aml);
}

/* The SCI's, which nobody moves. */
static void write_fixed_link(struct aml *aml, unsigned uid)
{
	static const uint32_t sci = ACPI_SCI;
	GByteArray *possible = g_byte_array_new(), *current = g_byte_array_new();

	aml_open_device(aml, "LNKS");
	dsdt_name_id(aml, "_HID", "PNP0C0F");
	dsdt_name_integer(aml, "_UID", uid);
	dsdt_name_integer(aml, "_STA", DSDT_STATUS_ON);
	resource_interrupt(possible, &sci, 1);
	dsdt_name_resources(aml, "_PRS", possible);
	resource_interrupt(current, &sci, 1);
	dsdt_name_resources(aml, "_CRS", current);
	aml_open_method(aml, "_DIS", 0, false);
	aml_close(aml);
	aml_open_method(aml, "_SRS", 1, false);
	aml_close(aml);
	aml_close(aml);
}

void dsdt_write_links(struct aml *aml, const struct acpi_config *config)
{
	unsigned lines = dsdt_wiring(config)->lines;

	for (unsigned pirq = 0; pirq < lines; pirq++)
		write_link(aml, pirq);
	if (config->board == ACPI_PC)
		write_fixed_link(aml, lines);
}
