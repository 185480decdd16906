/* ACPI tables of both boards. Pointers hold offsets in the file until firmware has placed it.
 *
 * Specification: ACPI 6.4, section 5.2; PCI Firmware 3.3, section 4.1.2 (MCFG); Windows ACPI Emulated Devices Table (WAET).
 */
#include "vmm/firmware/acpi.h"

#include <string.h>

#include "base/checked.h"
#include "base/writer.h"
#include "vmm/chipset/acpi-pm-ich9.h"
#include "vmm/chipset/acpi-pm.h"
#include "vmm/chipset/piix4-pm.h"
#include "vmm/chipset/rtc-time.h"
#include "vmm/firmware/numa.h"
#include "vmm/firmware/table-loader.h"

enum {
	HEADER_LENGTH_AT = 4,
	HEADER_CHECKSUM_AT = 9,
	HEADER_SIZE = 36,
	TABLE_ALIGN = 64, /* the FACS needs it */
	FACS_SIZE = 64,
	RSDP_SIZE = 36,
	RSDP_ONE_SIZE = 20, /* of revision 1, which has a checksum of its own */
	MAX_TABLES = 8,
	XAPIC_IDS = 255, /* ids from here on are for the x2APIC only */
};

enum fadt_flag {
	FADT_WBINVD = 1 << 0,
	FADT_C1 = 1 << 2,
	FADT_NO_RTC_WAKE = 1 << 6,
	FADT_RESET_REGISTER = 1 << 10,
};

enum fadt_boot_flag {
	BOOT_LEGACY_DEVICES = 1 << 0,
	BOOT_8042 = 1 << 1,
};

enum {
	NO_C2 = 0x0fff, /* latencies, microseconds: beyond what is used */
	NO_C3 = 0x0fff,
	RESET_VALUE = 0x0f,
	PORT_RESET = 0xcf9,
	SPACE_MEMORY = 0,
	SPACE_IO = 1,
};

enum madt_type {
	MADT_LOCAL_APIC = 0,
	MADT_IO_APIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LOCAL_NMI = 4,
	MADT_X2APIC = 9,
	MADT_X2APIC_NMI = 10,
};

enum {
	MADT_HAS_PIC = 1 << 0,
	CPU_ENABLED = 1 << 0,
	ALL_CPUS = 0xff,
	NMI_INPUT = 1,
	BUS_ISA_NUMBER = 0,
	TIMER_IRQ = 0,
	TIMER_GSI = 2,
	CONFORMS_TO_BUS = 0,
	LEVEL_ACTIVE_HIGH = 0x0d,
	WAET_PM_TIMER_GOOD = 1 << 1,
};

static void write_padded(GByteArray *out, const char *text, size_t size)
{
	size_t length = MIN(strlen(text), size);

	write_bytes(out, text, length);
	for (; length < size; length++)
		write_u8(out, ' ');
}

guint acpi_table_begin(const struct acpi_config *config, GByteArray *tables, const char *signature,
	uint8_t revision)
{
	guint start;

	write_zeroes(tables, -tables->len & (TABLE_ALIGN - 1));
	start = tables->len;
	write_bytes(tables, signature, 4);
	write_le32(tables, 0); /* length */
	write_u8(tables, revision);
	write_u8(tables, 0); /* checksum */
	write_padded(tables, config->oem_id, 6);
	write_padded(tables, config->table_id, 8);
	write_le32(tables, 1);
	write_padded(tables, config->creator_id, 4);
	write_le32(tables, 1);
	return start;
}

void acpi_table_end(GByteArray *tables, guint start, GByteArray *script)
{
	uint32_t length = tables->len - start;
	uint32_t little = GUINT32_TO_LE(length);

	memcpy(tables->data + start + HEADER_LENGTH_AT, &little, sizeof(little));
	table_loader_add_checksum(
		script, ACPI_TABLES_FILE, start + HEADER_CHECKSUM_AT, start, length);
}

/* A pointer to the table at @target of the tables file. */
static void write_pointer(
	GByteArray *out, const char *file, uint8_t size, guint target, GByteArray *script)
{
	table_loader_add_pointer(script, file, out->len, size, ACPI_TABLES_FILE);
	write_le32(out, target);
	write_zeroes(out, size - sizeof(uint32_t));
}

static guint build_dsdt(const struct acpi_config *config, GByteArray *tables, GByteArray *script)
{
	g_autoptr(GBytes) aml = acpi_dsdt_aml(config);
	guint start = acpi_table_begin(config, tables, "DSDT", 2);
	gsize length;
	const void *bytes = g_bytes_get_data(aml, &length);

	write_bytes(tables, bytes, length);
	acpi_table_end(tables, start, script);
	return start;
}

/* Firmware control structure: has no header of the usual kind, and no checksum. */
static guint build_facs(GByteArray *tables)
{
	guint start;

	write_zeroes(tables, -tables->len & (TABLE_ALIGN - 1));
	start = tables->len;
	write_bytes(tables, "FACS", 4);
	write_le32(tables, FACS_SIZE);
	write_zeroes(tables, FACS_SIZE - 8);
	return start;
}

static void write_ports(GByteArray *out, uint16_t address, uint8_t bits)
{
	write_u8(out, SPACE_IO);
	write_u8(out, bits);
	write_u8(out, 0); /* bit offset */
	write_u8(out, 0); /* any width of access */
	write_le64(out, address);
}

static void write_no_ports(GByteArray *out)
{
	write_zeroes(out, 12);
}

/* What the boards' FADTs differ in. Revision 1, as QEMU's pc has it, ends behind the flags. */
static const struct fadt_board {
	uint8_t revision;
	uint32_t flags;
	uint16_t
		gpe; /* the ports of the general purpose events, an offset from the PM base where that is q35's */
	uint8_t gpe_size;
} fadt_boards[] = {
	[ACPI_Q35] = { 3, FADT_RESET_REGISTER, ICH9_GPE0_STATUS, ICH9_GPE0_SIZE },
	[ACPI_PC] = { 1, 0, PIIX4_GPE0_BASE, PIIX4_GPE0_SIZE },
};

static uint32_t gpe_ports(const struct acpi_config *config)
{
	return fadt_boards[config->board].gpe + (config->board == ACPI_Q35 ? config->pm_base : 0);
}

/* The fields since ACPI 2.0. */
static void write_fadt_2(
	const struct acpi_config *config, guint dsdt, GByteArray *tables, GByteArray *script)
{
	write_ports(tables, PORT_RESET, 8);
	write_u8(tables, RESET_VALUE);
	write_zeroes(tables, 3);
	write_le64(tables, 0); /* the FACS is said above */
	write_pointer(tables, ACPI_TABLES_FILE, 8, dsdt, script);
	write_ports(tables, config->pm_base + ACPI_PM1_STATUS, 32);
	write_no_ports(tables);
	write_ports(tables, config->pm_base + ACPI_PM1_CONTROL, 16);
	write_no_ports(tables);
	write_no_ports(tables);
	write_ports(tables, config->pm_base + ACPI_PM1_TIMER, 32);
	write_ports(tables, gpe_ports(config), 8 * fadt_boards[config->board].gpe_size);
	write_no_ports(tables);
}

/* Power and sleep button are among the fixed registers. */
static guint build_fadt(const struct acpi_config *config, guint facs, guint dsdt,
	GByteArray *tables, GByteArray *script)
{
	const struct fadt_board *board = &fadt_boards[config->board];
	guint start = acpi_table_begin(config, tables, "FACP", board->revision);

	write_pointer(tables, ACPI_TABLES_FILE, 4, facs, script);
	write_pointer(tables, ACPI_TABLES_FILE, 4, dsdt, script);
	write_u8(tables, board->revision == 1); /* revision 1: interrupts of several APICs */
	write_u8(tables, 0);                    /* preferred profile: none */
	write_le16(tables, ACPI_SCI);
	write_le32(tables, ACPI_APM_COMMAND);
	write_u8(tables, ACPI_APM_ENABLE);
	write_u8(tables, ACPI_APM_DISABLE);
	write_u8(tables, 0); /* no S4 by firmware */
	write_u8(tables, 0); /* no P-states by firmware */
	write_le32(tables, config->pm_base + ACPI_PM1_STATUS);
	write_le32(tables, 0);
	write_le32(tables, config->pm_base + ACPI_PM1_CONTROL);
	write_le32(tables, 0);
	write_le32(tables, 0);
	write_le32(tables, config->pm_base + ACPI_PM1_TIMER);
	write_le32(tables, gpe_ports(config));
	write_le32(tables, 0);
	write_u8(tables, 4); /* PM1 event block, bytes */
	write_u8(tables, 2);
	write_u8(tables, 0);
	write_u8(tables, 4);
	write_u8(tables, board->gpe_size);
	write_u8(tables, 0);
	write_u8(tables, 0);
	write_u8(tables, 0); /* no C-state notification */
	write_le16(tables, NO_C2);
	write_le16(tables, NO_C3);
	write_le16(tables, 0);
	write_le16(tables, 0);
	write_u8(tables, 0);
	write_u8(tables, 0);
	write_u8(tables, 0); /* day alarm */
	write_u8(tables, 0); /* month alarm */
	write_u8(tables, RTC_CENTURY);
	write_le16(tables, board->revision == 1
				   ? 0
				   : BOOT_LEGACY_DEVICES | (config->has_keyboard ? BOOT_8042 : 0));
	write_u8(tables, 0);
	write_le32(tables,
		FADT_WBINVD | FADT_C1 | (config->has_s3 ? 0 : FADT_NO_RTC_WAKE) | board->flags);
	if (board->revision > 1)
		write_fadt_2(config, dsdt, tables, script);
	acpi_table_end(tables, start, script);
	return start;
}

static void write_override(GByteArray *out, uint8_t irq, uint32_t gsi, uint16_t flags)
{
	write_u8(out, MADT_OVERRIDE);
	write_u8(out, 10);
	write_u8(out, BUS_ISA_NUMBER);
	write_u8(out, irq);
	write_le32(out, gsi);
	write_le16(out, flags);
}

uint32_t acpi_apic_id(const struct acpi_config *config, unsigned cpu)
{
	return config->apic_ids ? config->apic_ids[cpu] : cpu;
}

static void write_processor(GByteArray *out, unsigned cpu, uint32_t apic_id)
{
	if (apic_id < XAPIC_IDS && cpu < XAPIC_IDS) {
		write_u8(out, MADT_LOCAL_APIC);
		write_u8(out, 8);
		write_u8(out, cpu);
		write_u8(out, apic_id);
		write_le32(out, CPU_ENABLED);
		return;
	}
	write_u8(out, MADT_X2APIC);
	write_u8(out, 16);
	write_le16(out, 0);
	write_le32(out, apic_id);
	write_le32(out, CPU_ENABLED);
	write_le32(out, cpu);
}

static void write_nmi(GByteArray *out, bool x2apic)
{
	if (x2apic) {
		write_u8(out, MADT_X2APIC_NMI);
		write_u8(out, 12);
		write_le16(out, CONFORMS_TO_BUS);
		write_le32(out, UINT32_MAX);
		write_u8(out, NMI_INPUT);
		write_zeroes(out, 3);
		return;
	}
	write_u8(out, MADT_LOCAL_NMI);
	write_u8(out, 6);
	write_u8(out, ALL_CPUS);
	write_le16(out, CONFORMS_TO_BUS);
	write_u8(out, NMI_INPUT);
}

/* Lines that PCI interrupts and the SCI may be routed to are level triggered and active high, unlike those of ISA. */
static guint build_madt(const struct acpi_config *config, GByteArray *tables, GByteArray *script)
{
	static const uint8_t pci_lines[] = { 5, ACPI_SCI, 10, 11 };
	guint start = acpi_table_begin(config, tables, "APIC", 1);
	bool x2apic = false;

	write_le32(tables, ACPI_LOCAL_APIC);
	write_le32(tables, MADT_HAS_PIC);
	for (unsigned cpu = 0; cpu < config->cpus; cpu++) {
		write_processor(tables, cpu, acpi_apic_id(config, cpu));
		x2apic |= acpi_apic_id(config, cpu) >= XAPIC_IDS;
	}
	write_u8(tables, MADT_IO_APIC);
	write_u8(tables, 12);
	write_u8(tables, 0); /* its id */
	write_u8(tables, 0);
	write_le32(tables, ACPI_IO_APIC);
	write_le32(tables, 0); /* first GSI */
	write_override(tables, TIMER_IRQ, TIMER_GSI, CONFORMS_TO_BUS);
	for (size_t i = 0; i < G_N_ELEMENTS(pci_lines); i++)
		write_override(tables, pci_lines[i], pci_lines[i], LEVEL_ACTIVE_HIGH);
	write_nmi(tables, x2apic);
	acpi_table_end(tables, start, script);
	return start;
}

static guint build_hpet(const struct acpi_config *config, GByteArray *tables, GByteArray *script)
{
	guint start = acpi_table_begin(config, tables, "HPET", 1);

	write_le32(tables, config->hpet_id);
	write_u8(tables, SPACE_MEMORY);
	write_zeroes(tables, 3);
	write_le64(tables, ACPI_HPET);
	write_u8(tables, 0);   /* number */
	write_le16(tables, 0); /* fewest ticks */
	write_u8(tables, 0);   /* no protection of the page */
	acpi_table_end(tables, start, script);
	return start;
}

static guint build_mcfg(const struct acpi_config *config, GByteArray *tables, GByteArray *script)
{
	guint start = acpi_table_begin(config, tables, "MCFG", 1);

	write_zeroes(tables, 8);
	write_le64(tables, config->ecam);
	write_le16(tables, 0); /* segment */
	write_u8(tables, 0);   /* first bus */
	write_u8(tables, config->ecam_size / MiB - 1);
	write_zeroes(tables, 4);
	acpi_table_end(tables, start, script);
	return start;
}

static guint build_waet(const struct acpi_config *config, GByteArray *tables, GByteArray *script)
{
	guint start = acpi_table_begin(config, tables, "WAET", 1);

	write_le32(tables, WAET_PM_TIMER_GOOD);
	acpi_table_end(tables, start, script);
	return start;
}

/* RSDT (pointers of four bytes) and XSDT (of eight). */
static guint build_root(const struct acpi_config *config, const char *signature,
	uint8_t pointer_size, const guint *targets, unsigned count, GByteArray *tables,
	GByteArray *script)
{
	guint start = acpi_table_begin(config, tables, signature, 1);

	for (unsigned i = 0; i < count; i++)
		write_pointer(tables, ACPI_TABLES_FILE, pointer_size, targets[i], script);
	acpi_table_end(tables, start, script);
	return start;
}

static void build_rsdp(const struct acpi_config *config, guint rsdt, guint xsdt, GByteArray *rsdp,
	GByteArray *script)
{
	guint start = rsdp->len, checksum, extended;

	write_bytes(rsdp, "RSD PTR ", 8);
	checksum = write_zeroes(rsdp, 1);
	write_padded(rsdp, config->oem_id, 6);
	write_u8(rsdp, 2); /* revision */
	write_pointer(rsdp, ACPI_RSDP_FILE, 4, rsdt, script);
	write_le32(rsdp, RSDP_SIZE);
	write_pointer(rsdp, ACPI_RSDP_FILE, 8, xsdt, script);
	extended = write_zeroes(rsdp, 1);
	write_zeroes(rsdp, 3);
	table_loader_add_checksum(script, ACPI_RSDP_FILE, checksum, start, RSDP_ONE_SIZE);
	table_loader_add_checksum(script, ACPI_RSDP_FILE, extended, start, RSDP_SIZE);
}

void acpi_build(
	const struct acpi_config *config, GByteArray *tables, GByteArray *rsdp, GByteArray *script)
{
	guint targets[MAX_TABLES], count = 0, facs, dsdt, rsdt, xsdt;

	table_loader_allocate(script, ACPI_TABLES_FILE, TABLE_ALIGN, TABLE_ZONE_HIGH);
	table_loader_allocate(script, ACPI_RSDP_FILE, 16, TABLE_ZONE_FSEG);
	facs = build_facs(tables);
	dsdt = build_dsdt(config, tables, script);
	targets[count++] = build_fadt(config, facs, dsdt, tables, script);
	targets[count++] = build_madt(config, tables, script);
	if (config->has_hpet)
		targets[count++] = build_hpet(config, tables, script);
	if (config->numa && config->numa->count > 0)
		targets[count++] = acpi_srat(config, tables, script);
	if (config->numa && config->numa->has_distances)
		targets[count++] = acpi_slit(config, tables, script);
	if (config->ecam_size > 0)
		targets[count++] = build_mcfg(config, tables, script);
	targets[count++] = build_waet(config, tables, script);
	rsdt = build_root(config, "RSDT", 4, targets, count, tables, script);
	xsdt = build_root(config, "XSDT", 8, targets, count, tables, script);
	build_rsdp(config, rsdt, xsdt, rsdp, script);
}
