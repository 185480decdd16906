/* SMBIOS tables: what the machine says about itself to people and inventories. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A value that the user gives a structure's field: "-smbios type=1,serial=4711". */
struct smbios_option {
	uint8_t type;
	const char *key, *value;
};

struct smbios_config {
	const GArray *options;  /* of struct smbios_option, checked; NULL: none */
	const GArray *defaults; /* the same of the machine type, for what the user does not say */
	const GPtrArray *files; /* of GBytes, checked: one structure each; NULL: none */
	bool entry_64;          /* entry point of version 3.0, with an address of 64 bits */
	const char *uuid;       /* canonical text; NULL: zeros */
	unsigned cpus;
	uint64_t low_memory, high_memory; /* bytes of RAM below and above 4 GiB */
	uint64_t module_size;             /* bytes of the largest memory module */
};

/* Whether a structure of this type has a field by that name, and whether the field takes the value. Pure; false with @error,
 * which says what is accepted. */
bool smbios_option_check(const struct smbios_option *option, GError **error);

/* Whether @bytes are one whole structure with its texts; its type goes to @type. */
bool smbios_structure_check(const uint8_t *bytes, size_t length, uint8_t *type, GError **error);

/* Appends the tables to @tables, and the entry point (version 2.8 or 3.0, whose address and checksums are the firmware's) to
 * @anchor. */
void smbios_build(const struct smbios_config *config, GByteArray *tables, GByteArray *anchor);

/* The 16 bytes of a UUID in text, in the order of the text; zeros when it is NULL or no UUID. */
void uuid_bytes(const char *text, uint8_t bytes[16]);
