/* The differentiated system description table: what there is on the board that nobody could discover.
 *
 * PCI interrupts: slots 0 to 24 take PIRQE to PIRQH, turned by one per slot, slots 25 to 31 take PIRQA to PIRQD. With the
 * I/O APIC these are its inputs 16 to 23; with the PIC each is a link device that the operating system routes.
 *
 * Specification: ACPI 6.4, chapters 5.6 to 6; PCI Firmware 3.3, section 4.5 (_OSC).
 */
#include "vmm/firmware/acpi.h"

#include "base/checked.h"
#include "vmm/chipset/ich9-lpc.h"
#include "vmm/chipset/acpi-pm-ich9.h"
#include "vmm/firmware/aml.h"

enum {
	SLOTS = 32,
	PINS = 4,
	FIRST_FIXED_SLOT = 25,
	LPC_ADDRESS = 0x001f0000,
	LPC_PIRQ_OFFSET = 0x60,
	LPC_PIRQ_LENGTH = 0x0c,
	PIRQ_LINE = 0x0f,
	PIRQ_OFF = 0x80,
	STATUS_ON = 0x0b,        /* present, working, not shown to people */
	STATUS_OFF = 0x09,       /* present but disabled */
	INTERRUPT_NUMBER_AT = 5, /* in an interrupt descriptor */
	PORTS_FW_CFG = 0x510,
	PORTS_FW_CFG_LENGTH = 12,
	OSC_SUPPORTED = 0x1d, /* native hot-plug, PME, AER, express capabilities */
	OSC_UNKNOWN_UUID = 1 << 2,
	OSC_UNKNOWN_REVISION = 1 << 3,
	OSC_MASKED = 1 << 4,
	OSC_REVISION = 1,
};

static const uint64_t window_64_size = (uint64_t)32 * GiB;

/* PIRQ of a slot's pin: 0 to 7 for PIRQA to PIRQH. */
static unsigned slot_pirq(unsigned slot, unsigned pin)
{
	return slot < FIRST_FIXED_SLOT ? PINS + (slot + pin) % PINS : pin;
}

static void name_integer(struct aml *aml, const char *name, uint64_t value)
{
	aml_define(aml, name);
	aml_integer(aml, value);
}

static void name_id(struct aml *aml, const char *name, const char *id)
{
	aml_define(aml, name);
	aml_eisa_id(aml, id);
}

static void name_resources(struct aml *aml, const char *name, GByteArray *resources)
{
	resource_end(resources);
	aml_define(aml, name);
	aml_buffer(aml, resources);
	g_byte_array_unref(resources);
}

static void return_name(struct aml *aml, const char *name)
{
	aml_operator(aml, AML_RETURN);
	aml_name(aml, name);
}

/* Interrupt mode: the operating system says whether it uses the PIC (0) or the APIC (1). */
static void write_interrupt_mode(struct aml *aml)
{
	name_integer(aml, "\\PICF", 0);
	aml_open_method(aml, "\\_PIC", 1, false);
	aml_operator(aml, AML_STORE);
	aml_operator(aml, AML_ARG0);
	aml_name(aml, "\\PICF");
	aml_close(aml);
}

static void write_routes(struct aml *aml, const char *name, bool apic)
{
	aml_define(aml, name);
	aml_open_package(aml, SLOTS * PINS);
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		for (unsigned pin = 0; pin < PINS; pin++) {
			unsigned pirq = slot_pirq(slot, pin);
			char link[] = { 'L', 'N', 'K', 'A' + pirq, '\0' };

			aml_open_package(aml, 4);
			aml_integer(aml, slot << 16 | 0xffff);
			aml_integer(aml, pin);
			if (apic)
				aml_integer(aml, 0);
			else
				aml_name(aml, link);
			aml_integer(aml, apic ? ICH9_FIRST_PIRQ_GSI + pirq : 0);
			aml_close(aml);
		}
	}
	aml_close(aml);
}

static void write_routing_method(struct aml *aml)
{
	aml_open_method(aml, "_PRT", 0, false);
	aml_open_if(aml);
	aml_name(aml, "\\PICF");
	return_name(aml, "PRTA");
	aml_close(aml);
	return_name(aml, "PRTP");
	aml_close(aml);
}

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

/* What the root bus passes on: buses, ports, the VGA memory, the hole below 4 GiB, a window above RAM. */
static void write_windows(struct aml *aml, const struct acpi_config *config)
{
	GByteArray *out = g_byte_array_new();
	uint64_t above = (uint64_t)4 * GiB + config->high_memory;

	above = (above + GiB - 1) / GiB * GiB;
	resource_bus_numbers(out, 0, ACPI_ECAM_SIZE / MiB - 1);
	resource_io(out, 0x0cf8, 1, 8);
	resource_io_window(out, 0x0000, 0x0cf7);
	resource_io_window(out, 0x0d00, 0xffff);
	resource_memory_window(out, 0x000a0000, 0x000bffff, true);
	resource_memory_window(out, ACPI_PCI_HOLE, ACPI_PCI_HOLE_LAST, false);
	resource_memory_window_64(out, above, above + window_64_size - 1);
	name_resources(aml, "_CRS", out);
}

/* Devices behind the LPC bridge */

static void write_isa_device(
	struct aml *aml, const char *name, const char *id, unsigned number, GByteArray *resources)
{
	aml_open_device(aml, name);
	name_id(aml, "_HID", id);
	if (number > 0)
		name_integer(aml, "_UID", number);
	name_integer(aml, "_STA", 0x0f);
	name_resources(aml, "_CRS", resources);
	aml_close(aml);
}

static GByteArray *isa_resources(uint16_t port, uint8_t length, unsigned irq)
{
	GByteArray *out = g_byte_array_new();

	resource_io(out, port, 1, length);
	resource_irq(out, 1 << irq);
	return out;
}

static void write_isa_devices(struct aml *aml, const struct acpi_config *config)
{
	GByteArray *keyboard = g_byte_array_new(), *mouse = g_byte_array_new();

	write_isa_device(aml, "RTC", "PNP0B00", 0, isa_resources(0x70, 2, 8));
	resource_io(keyboard, 0x60, 1, 1);
	resource_io(keyboard, 0x64, 1, 1);
	resource_irq(keyboard, 1 << 1);
	write_isa_device(aml, "KBD", "PNP0303", 0, keyboard);
	resource_irq(mouse, 1 << 12);
	write_isa_device(aml, "MOU", "PNP0F13", 0, mouse);
	for (unsigned i = 0; i < config->serial_ports; i++) {
		char name[] = { 'C', 'O', 'M', '1' + i, '\0' };

		write_isa_device(aml, name, "PNP0501", i + 1,
			isa_resources(config->serial[i].port, 8, config->serial[i].irq));
	}
}

static void write_lpc(struct aml *aml, const struct acpi_config *config)
{
	aml_open_device(aml, "ISA");
	name_integer(aml, "_ADR", LPC_ADDRESS);
	aml_operation_region(aml, "PIRQ", AML_PCI_CONFIG, LPC_PIRQ_OFFSET, LPC_PIRQ_LENGTH);
	aml_open_field(aml, "PIRQ");
	for (unsigned pirq = 0; pirq < ICH9_PIRQS; pirq++) {
		char name[] = { 'P', 'R', 'Q', 'A' + pirq, '\0' };

		if (pirq == ICH9_PIRQS / 2)
			aml_field_skip(aml, 4 * 8);
		aml_field_unit(aml, name, 8);
	}
	aml_close(aml);
	write_isa_devices(aml, config);
	aml_close(aml);
}

static void write_root_bus(struct aml *aml, const struct acpi_config *config)
{
	aml_open_device(aml, "PCI0");
	name_id(aml, "_HID", "PNP0A08");
	name_id(aml, "_CID", "PNP0A03");
	name_integer(aml, "_UID", 0);
	name_integer(aml, "_BBN", 0);
	name_integer(aml, "_SEG", 0);
	write_windows(aml, config);
	write_osc(aml);
	write_routes(aml, "PRTP", false);
	write_routes(aml, "PRTA", true);
	write_routing_method(aml);
	write_lpc(aml, config);
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
	name_id(aml, "_HID", "PNP0C0F");
	name_integer(aml, "_UID", pirq);
	resource_interrupt(choices, possible, G_N_ELEMENTS(possible));
	name_resources(aml, "_PRS", choices);
	resource_interrupt(current, none, G_N_ELEMENTS(none));
	name_resources(aml, "BUF0", current);

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
	aml_integer(aml, STATUS_ON);
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
	return_name(aml, "BUF0");
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

/* Addresses that belong to the board and to no device. */
static void write_board(struct aml *aml)
{
	GByteArray *out = g_byte_array_new();

	aml_open_device(aml, "BRD0");
	name_id(aml, "_HID", "PNP0C02");
	name_integer(aml, "_UID", 1);
	resource_memory_fixed(out, ACPI_ECAM, ACPI_ECAM_SIZE, true);
	resource_memory_fixed(out, ACPI_CHIPSET, ACPI_CHIPSET_SIZE, true);
	resource_io(out, ICH9_APM_COMMAND, 1, 2);
	resource_io(out, ICH9_PM_BASE, 1, ICH9_PM_SIZE);
	name_resources(aml, "_CRS", out);
	aml_close(aml);
}

static void write_fw_cfg(struct aml *aml)
{
	GByteArray *out = g_byte_array_new();

	aml_open_device(aml, "FWCF");
	aml_define(aml, "_HID");
	aml_string(aml, "QEMU0002");
	name_integer(aml, "_STA", STATUS_ON);
	resource_io(out, PORTS_FW_CFG, 1, PORTS_FW_CFG_LENGTH);
	name_resources(aml, "_CRS", out);
	aml_close(aml);
}

static void write_processors(struct aml *aml, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		g_autofree char *name = g_strdup_printf("CP%02X", i);

		aml_processor(aml, name, i);
	}
}

/* Sleep type of power off: what goes to PM1a's control register. */
static void write_sleep(struct aml *aml)
{
	aml_define(aml, "\\_S5");
	aml_open_package(aml, 4);
	aml_integer(aml, ICH9_SLEEP_TYPE_S5);
	aml_integer(aml, ICH9_SLEEP_TYPE_S5);
	aml_integer(aml, 0);
	aml_integer(aml, 0);
	aml_close(aml);
}

GBytes *acpi_dsdt_aml(const struct acpi_config *config)
{
	struct aml aml;

	aml_init(&aml);
	write_interrupt_mode(&aml);
	aml_open_scope(&aml, "\\_SB");
	write_processors(&aml, config->cpus);
	write_root_bus(&aml, config);
	for (unsigned pirq = 0; pirq < ICH9_PIRQS; pirq++)
		write_link(&aml, pirq);
	write_board(&aml);
	write_fw_cfg(&aml);
	aml_close(&aml);
	write_sleep(&aml);
	return aml_end(&aml);
}
