/* ACPI tables of the Q35 board, and the script that has firmware place them. */
#pragma once

#include <glib.h>
#include <stdint.h>

#define ACPI_TABLES_FILE "etc/acpi/tables"
#define ACPI_RSDP_FILE   "etc/acpi/rsdp"

enum {
	ACPI_SERIAL_PORTS = 4
};

/* Everything that the tables depend on. */
struct acpi_config {
	unsigned cpus;        /* APIC ids are 0 .. cpus - 1 */
	uint64_t high_memory; /* RAM from 4 GiB on, bytes */
	struct {
		uint16_t port;
		uint8_t irq;
	} serial[ACPI_SERIAL_PORTS];
	unsigned serial_ports;
};

/* Addresses of the board, which the tables state. */
enum acpi_board {
	ACPI_LOCAL_APIC = 0xfee00000,
	ACPI_IO_APIC = 0xfec00000,
	ACPI_ECAM = 0xb0000000,
	ACPI_ECAM_SIZE = 0x10000000,
	ACPI_CHIPSET = 0xfed1c000, /* RCBA */
	ACPI_CHIPSET_SIZE = 0x4000,
	ACPI_PCI_HOLE = 0xc0000000,
	ACPI_PCI_HOLE_LAST = 0xfebfffff,
	ACPI_SCI = 9,
};

/* Appends a description table with its header; @write appends what comes behind the header. The checksum is left to the
 * script. Returns the table's offset. */
guint acpi_table_begin(GByteArray *tables, const char *signature, uint8_t revision);
void acpi_table_end(GByteArray *tables, guint start, GByteArray *script);

/* The differentiated system description table's AML. */
GBytes *acpi_dsdt_aml(const struct acpi_config *config);

/**
 * acpi_build - all tables
 * @tables, @rsdp, @script: appended to: the contents of ACPI_TABLES_FILE, of ACPI_RSDP_FILE and of the table loader's file
 */
void acpi_build(
	const struct acpi_config *config, GByteArray *tables, GByteArray *rsdp, GByteArray *script);
