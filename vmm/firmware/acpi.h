/* ACPI tables of both boards, and the script that has firmware place them. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct numa_config;

#define ACPI_TABLES_FILE "etc/acpi/tables"
#define ACPI_RSDP_FILE   "etc/acpi/rsdp"
#define ACPI_LOADER_FILE "etc/table-loader"

enum {
	ACPI_SERIAL_PORTS = 4,
	ACPI_SLOTS = 32, /* of a PCI bus */
};

enum acpi_board {
	ACPI_Q35,
	ACPI_PC, /* i440FX, PIIX3, PIIX4 */
};

struct acpi_range {
	uint64_t first, last; /* the last one belongs to it */
};

/* A PCI root bus: what it passes on to its devices. */
struct acpi_root {
	uint8_t first_bus, last_bus;
	bool express;
	int numa_node; /* -1: none */
	GArray *ports, *memory,
		*prefetchable; /* of struct acpi_range: below 4 GiB, below 4 GiB, above */
};

/* A conventional bus with hot-plug. */
struct acpi_hotplug_bus {
	unsigned parent;        /* number of the bus that its bridge is on, below its own */
	uint8_t slot, function; /* of the bridge */
	uint32_t slots;         /* a bit for each that takes devices */
};

/* Everything that the tables depend on. */
struct acpi_config {
	enum acpi_board board;
	const char *oem_id, *table_id, *creator_id; /* of all tables: up to 6, 8 and 4 characters */
	unsigned cpus;
	const uint32_t *apic_ids;         /* of each processor; NULL: 0 .. cpus - 1 */
	uint64_t low_memory, high_memory; /* RAM from 0 and from 4 GiB on, bytes */
	uint16_t pm_base;                 /* ports of the power management registers */
	uint64_t ecam, ecam_size;         /* configuration space in memory; size 0: there is none */
	const struct acpi_root *roots;    /* the first one is the board's */
	unsigned root_count;
	uint32_t hpet_id; /* as its capabilities have it */
	bool has_s3;
	uint8_t s4_type;             /* sleep type of S4; 0: there is none */
	bool has_hpet, has_keyboard; /* the latter with the mouse: the 8042 */
	/* pc: buses whose slots take devices while the guest runs, by their number in the registers; the first is the root */
	const struct acpi_hotplug_bus *hotplug;
	unsigned hotplug_count;
	const struct numa_config *numa; /* NULL: none */
	struct {
		uint16_t port;
		uint8_t irq;
	} serial[ACPI_SERIAL_PORTS];
	unsigned serial_ports;
};

/* Addresses of the boards, which the tables state. */
enum acpi_address {
	ACPI_LOCAL_APIC = 0xfee00000,
	ACPI_IO_APIC = 0xfec00000,
	ACPI_HPET = 0xfed00000,
	ACPI_HPET_SIZE = 0x400,
	ACPI_CHIPSET = 0xfed1c000, /* q35: RCBA */
	ACPI_CHIPSET_SIZE = 0x4000,
	ACPI_SCI = 9,
};

/* Appends a description table with its header; @write appends what comes behind the header. The checksum is left to the
 * script. Returns the table's offset. */
guint acpi_table_begin(const struct acpi_config *config, GByteArray *tables, const char *signature,
	uint8_t revision);
void acpi_table_end(GByteArray *tables, guint start, GByteArray *script);

uint32_t acpi_apic_id(const struct acpi_config *config, unsigned cpu);

/* The differentiated system description table's AML. */
GBytes *acpi_dsdt_aml(const struct acpi_config *config);

/* Affinity of processors and memory (SRAT), distances (SLIT); each returns the table's offset. For a configuration with
 * nodes. */
guint acpi_srat(const struct acpi_config *config, GByteArray *tables, GByteArray *script);
guint acpi_slit(const struct acpi_config *config, GByteArray *tables, GByteArray *script);

/**
 * acpi_build - all tables
 * @tables, @rsdp, @script: appended to: the contents of ACPI_TABLES_FILE, of ACPI_RSDP_FILE and of ACPI_LOADER_FILE
 */
void acpi_build(
	const struct acpi_config *config, GByteArray *tables, GByteArray *rsdp, GByteArray *script);
