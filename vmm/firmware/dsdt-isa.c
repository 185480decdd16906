/* The DSDT's ISA bridge: the registers that route PCI interrupts to the PIC, and the devices that nobody could find.
 *
 * Specification: ACPI 6.4, section 6.2; Intel ICH9 (316972) section 13.1.16, PIIX3 (290550) section 2.2.5.
 */
#include "vmm/firmware/dsdt.h"

enum {
	PIRQ_OFFSET = 0x60, /* of both boards' bridges */
	LINES_TOGETHER = 4, /* four registers, then a gap of */
	LINES_GAP = 4,      /* bytes */
};

static void write_isa_device(
	struct aml *aml, const char *name, const char *id, unsigned number, GByteArray *resources)
{
	aml_open_device(aml, name);
	dsdt_name_id(aml, "_HID", id);
	if (number > 0)
		dsdt_name_integer(aml, "_UID", number);
	dsdt_name_integer(aml, "_STA", 0x0f);
	dsdt_name_resources(aml, "_CRS", resources);
	aml_close(aml);
}

static GByteArray *isa_resources(uint16_t port, uint8_t length, unsigned irq)
{
	GByteArray *out = g_byte_array_new();

	resource_io(out, port, 1, length);
	resource_irq(out, 1 << irq);
	return out;
}

/* The 8042: two devices of one chip. */
static void write_keyboard(struct aml *aml)
{
	GByteArray *keyboard = g_byte_array_new(), *mouse = g_byte_array_new();

	resource_io(keyboard, 0x60, 1, 1);
	resource_io(keyboard, 0x64, 1, 1);
	resource_irq(keyboard, 1 << 1);
	write_isa_device(aml, "KBD", "PNP0303", 0, keyboard);
	resource_irq(mouse, 1 << 12);
	write_isa_device(aml, "MOU", "PNP0F13", 0, mouse);
}

static void write_isa_devices(struct aml *aml, const struct acpi_config *config)
{
	write_isa_device(aml, "RTC", "PNP0B00", 0, isa_resources(0x70, 2, 8));
	if (config->has_keyboard)
		write_keyboard(aml);
	for (unsigned i = 0; i < config->serial_ports; i++) {
		char name[] = { 'C', 'O', 'M', '1' + i, '\0' };

		write_isa_device(aml, name, "PNP0501", i + 1,
			isa_resources(config->serial[i].port, 8, config->serial[i].irq));
	}
}

void dsdt_write_isa(struct aml *aml, const struct acpi_config *config)
{
	const struct dsdt_wiring *wiring = dsdt_wiring(config);

	aml_open_device(aml, "ISA");
	dsdt_name_integer(aml, "_ADR", wiring->bridge);
	aml_operation_region(aml, "PIRQ", AML_PCI_CONFIG, PIRQ_OFFSET,
		wiring->lines <= LINES_TOGETHER ? wiring->lines : wiring->lines + LINES_GAP);
	aml_open_field(aml, "PIRQ");
	for (unsigned pirq = 0; pirq < wiring->lines; pirq++) {
		char name[] = { 'P', 'R', 'Q', 'A' + pirq, '\0' };

		if (pirq == LINES_TOGETHER)
			aml_field_skip(aml, LINES_GAP * 8);
		aml_field_unit(aml, name, 8);
	}
	aml_close(aml);
	write_isa_devices(aml, config);
	aml_close(aml);
}
