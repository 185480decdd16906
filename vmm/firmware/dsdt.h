/* Inside dsdt*.c: the parts of the DSDT, and what they write again and again. */
#pragma once

#include "vmm/firmware/acpi.h"
#include "vmm/firmware/aml.h"

enum {
	DSDT_PINS = 4,
	DSDT_STATUS_ON = 0x0b, /* present, working, not shown to people */
};

/* How a board wires PCI interrupts: slots and pins to lines, and lines to the PIC by registers of a bridge. */
struct dsdt_wiring {
	uint32_t bridge; /* _ADR of the ISA bridge */
	unsigned lines;  /* PIRQA and so on */
	uint8_t first_gsi; /* of the I/O APIC, for the lines; 0: they reach it as inputs of the PIC do */
	unsigned (*line)(unsigned slot, unsigned pin);
};

const struct dsdt_wiring *dsdt_wiring(const struct acpi_config *config);

void dsdt_name_integer(struct aml *aml, const char *name, uint64_t value);
void dsdt_name_id(struct aml *aml, const char *name, const char *id);               /* "PNP0A03" */
void dsdt_name_resources(struct aml *aml, const char *name, GByteArray *resources); /* takes them */
void dsdt_return_name(struct aml *aml, const char *name);

/* In \_SB: the link devices of the lines. */
void dsdt_write_links(struct aml *aml, const struct acpi_config *config);
/* In a root bus's device: which line each slot's pins take. */
void dsdt_write_routing(struct aml *aml, const struct acpi_config *config, bool is_first);
/* In \_SB: the PCI root buses with all that is in them. */
void dsdt_write_roots(struct aml *aml, const struct acpi_config *config);
/* In the board's root bus: the ISA bridge and what is behind it. */
void dsdt_write_isa(struct aml *aml, const struct acpi_config *config);
/* In the board's root bus, and in \_GPE: hot-plug of the pc. */
void dsdt_write_hotplug(struct aml *aml, const struct acpi_config *config);
void dsdt_write_hotplug_event(struct aml *aml, const struct acpi_config *config);
