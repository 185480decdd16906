/* The differentiated system description table: what there is on the board that nobody could discover.
 *
 * Specification: ACPI 6.4, chapters 5.6 to 6.
 */
#include "vmm/firmware/dsdt.h"

#include "vmm/chipset/acpi-pm-ich9.h"
#include "vmm/chipset/acpi-pm.h"
#include "vmm/chipset/piix4-pm.h"
#include "vmm/firmware/numa.h"

enum {
	PORTS_FW_CFG = 0x510,
	PORTS_FW_CFG_LENGTH = 12,
	PROCESSOR_IDS = 255, /* numbers from here on are too large for Processor () */
};

void dsdt_name_integer(struct aml *aml, const char *name, uint64_t value)
{
	aml_define(aml, name);
	aml_integer(aml, value);
}

void dsdt_name_id(struct aml *aml, const char *name, const char *id)
{
	aml_define(aml, name);
	aml_eisa_id(aml, id);
}

void dsdt_name_resources(struct aml *aml, const char *name, GByteArray *resources)
{
	resource_end(resources);
	aml_define(aml, name);
	aml_buffer(aml, resources);
	g_byte_array_unref(resources);
}

void dsdt_return_name(struct aml *aml, const char *name)
{
	aml_operator(aml, AML_RETURN);
	aml_name(aml, name);
}

/* Interrupt mode: the operating system says whether it uses the PIC (0) or the APIC (1). */
static void write_interrupt_mode(struct aml *aml)
{
	dsdt_name_integer(aml, "\\PICF", 0);
	aml_open_method(aml, "\\_PIC", 1, false);
	aml_operator(aml, AML_STORE);
	aml_operator(aml, AML_ARG0);
	aml_name(aml, "\\PICF");
	aml_close(aml);
}

/* Addresses that belong to the board and to no device. */
static void write_board(struct aml *aml, const struct acpi_config *config)
{
	GByteArray *out = g_byte_array_new();
	bool q35 = config->board == ACPI_Q35;

	aml_open_device(aml, "BRD0");
	dsdt_name_id(aml, "_HID", "PNP0C02");
	dsdt_name_integer(aml, "_UID", 1);
	if (config->ecam_size > 0)
		resource_memory_fixed(out, config->ecam, config->ecam_size, true);
	if (q35)
		resource_memory_fixed(out, ACPI_CHIPSET, ACPI_CHIPSET_SIZE, true);
	else
		resource_io(out, PIIX4_GPE0_BASE, 1, PIIX4_GPE0_SIZE);
	resource_io(out, ACPI_APM_COMMAND, 1, 2);
	resource_io(out, config->pm_base, 1, q35 ? ICH9_PM_SIZE : PIIX4_PM_SIZE);
	dsdt_name_resources(aml, "_CRS", out);
	aml_close(aml);
}

static void write_fw_cfg(struct aml *aml)
{
	GByteArray *out = g_byte_array_new();

	aml_open_device(aml, "FWCF");
	aml_define(aml, "_HID");
	aml_string(aml, "QEMU0002");
	dsdt_name_integer(aml, "_STA", DSDT_STATUS_ON);
	resource_io(out, PORTS_FW_CFG, 1, PORTS_FW_CFG_LENGTH);
	dsdt_name_resources(aml, "_CRS", out);
	aml_close(aml);
}

static void write_hpet(struct aml *aml)
{
	GByteArray *out = g_byte_array_new();

	aml_open_device(aml, "HPET");
	dsdt_name_id(aml, "_HID", "PNP0103");
	dsdt_name_integer(aml, "_UID", 0);
	resource_memory_fixed(out, ACPI_HPET, ACPI_HPET_SIZE, false);
	dsdt_name_resources(aml, "_CRS", out);
	aml_close(aml);
}

static void write_processor(struct aml *aml, const struct acpi_config *config, unsigned cpu)
{
	g_autofree char *name = g_strdup_printf("C%03X", cpu);

	if (cpu < PROCESSOR_IDS && acpi_apic_id(config, cpu) < PROCESSOR_IDS) {
		aml_open_processor(aml, name, cpu);
	} else {
		aml_open_device(aml, name);
		aml_define(aml, "_HID");
		aml_string(aml, "ACPI0007");
		dsdt_name_integer(aml, "_UID", cpu);
	}
	if (config->numa && config->numa->count > 0)
		dsdt_name_integer(aml, "_PXM", config->numa->cpu_nodes[cpu]);
	aml_close(aml);
}

/* A sleep state: the type that goes to PM1a's control register. */
static void write_sleep(struct aml *aml, const char *name, unsigned type)
{
	aml_define(aml, name);
	aml_open_package(aml, 4);
	aml_integer(aml, type);
	aml_integer(aml, type);
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
	for (unsigned cpu = 0; cpu < config->cpus; cpu++)
		write_processor(&aml, config, cpu);
	dsdt_write_roots(&aml, config);
	dsdt_write_links(&aml, config);
	write_board(&aml, config);
	write_fw_cfg(&aml);
	if (config->has_hpet)
		write_hpet(&aml);
	aml_close(&aml);
	dsdt_write_hotplug_event(&aml, config);
	if (config->has_s3)
		write_sleep(&aml, "\\_S3", ACPI_SLEEP_TYPE_S3);
	if (config->s4_type)
		write_sleep(&aml, "\\_S4", config->s4_type);
	write_sleep(&aml, "\\_S5", ACPI_SLEEP_TYPE_S5);
	return aml_end(&aml);
}
