/* SMBIOS tables: what the machine says about itself to people and inventories. */
#pragma once

#include <glib.h>
#include <stdint.h>

struct smbios_config {
	const char *product; /* "Q35 + ICH9" and the like */
	const char *version; /* the machine type, "q35-1.0" */
	const char *uuid;    /* canonical text; NULL: zeros */
	unsigned cpus;
	uint64_t low_memory, high_memory; /* bytes of RAM below and above 4 GiB */
};

/* Appends the tables to @tables, and the entry point (version 2.8, whose address and checksums are the firmware's) to
 * @anchor. */
void smbios_build(const struct smbios_config *config, GByteArray *tables, GByteArray *anchor);

/* The 16 bytes of a UUID in text, in the order of the text; zeros when it is NULL or no UUID. */
void uuid_bytes(const char *text, uint8_t bytes[16]);
