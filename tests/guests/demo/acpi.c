/* What the ACPI tables tell: how to power off, whether the power button was pressed, how many
 * processors.
 *
 * The DSDT is not run: its package \_S5_ is looked for by its name, which is how little systems do
 * it.
 *
 * Specification: ACPI 6.3, sections 4.8.3.1, 5.2.5 to 5.2.12 and 20.2.
 */
#include "acpi.h"

#include "boot-params.h"
#include "calls.h"
#include "memory.h"

enum {
	BIOS_START = 0xe0000,
	BIOS_END = 0x100000,
	ROOT_TABLE = 16,
	TABLE_LENGTH = 4,
	TABLE_HEADER = 36,
	TABLE_BYTES_MAX = 1 << 20,

	FADT_DSDT = 40,
	FADT_COMMAND_PORT = 48,
	FADT_ENABLE_VALUE = 52,
	FADT_EVENT_BLOCK = 56,
	FADT_CONTROL_BLOCK = 64,
	FADT_EVENT_BYTES = 88,
	FADT_BYTES_MIN = 90,

	MADT_ENTRIES = 44,
	MADT_LOCAL_APIC = 0,
	MADT_X2APIC = 9,
	MADT_ENABLED = 1,

	AML_PACKAGE = 0x12,
	AML_BYTE = 0x0a,
	AML_ONE = 0x01,

	POWER_BUTTON = 1 << 8,
	SCI_ENABLED = 1 << 0,
	SLEEP_TYPE_SHIFT = 10,
	SLEEP_ENABLE = 1 << 13,
	PATIENCE = 1000,
};

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static const uint8_t *find_root(const struct boot *boot)
{
	if (boot->acpi_root)
		return (const uint8_t *)(uintptr_t)boot->acpi_root;
	for (uintptr_t at = BIOS_START; at < BIOS_END; at += 16)
		if (memcmp((const uint8_t *)at, "RSD PTR ", 8) == 0)
			return (const uint8_t *)at;
	return NULL;
}

/* The table with this signature, or NULL. */
static const uint8_t *find_table(const uint8_t *root, const char *signature)
{
	const uint8_t *list = (const uint8_t *)(uintptr_t)get32(root + ROOT_TABLE);

	if (!list || get32(list + TABLE_LENGTH) > TABLE_BYTES_MAX)
		return NULL;
	for (uint32_t at = TABLE_HEADER; at + 4 <= get32(list + TABLE_LENGTH); at += 4) {
		const uint8_t *table = (const uint8_t *)(uintptr_t)get32(list + at);

		if (table && memcmp(table, signature, 4) == 0 &&
			get32(table + TABLE_LENGTH) <= TABLE_BYTES_MAX)
			return table;
	}
	return NULL;
}

/* The first element of the package \_S5_. */
static int find_off_type(const uint8_t *dsdt)
{
	uint32_t length = dsdt ? get32(dsdt + TABLE_LENGTH) : 0;

	if (length > TABLE_BYTES_MAX)
		return -1;
	for (uint32_t i = TABLE_HEADER; i + 11 <= length; i++) {
		const uint8_t *at = dsdt + i + 4;

		if (memcmp(dsdt + i, "_S5_", 4) != 0 || *at != AML_PACKAGE)
			continue;
		/* The package's length takes as many bytes more as its highest two bits say;
		 * then the count. */
		at += 2 + (at[1] >> 6) + 1;
		if (*at == AML_BYTE)
			return at[1] & 7;
		return *at <= AML_ONE ? *at : -1;
	}
	return -1;
}

static unsigned count_processors(const uint8_t *madt)
{
	unsigned count = 0;

	for (uint32_t at = MADT_ENTRIES; madt && at + 8 <= get32(madt + TABLE_LENGTH);
		at += madt[at + 1]) {
		if (madt[at] == MADT_LOCAL_APIC)
			count += get32(madt + at + 4) & MADT_ENABLED;
		if (madt[at] == MADT_X2APIC)
			count += get32(madt + at + 8) & MADT_ENABLED;
		if (madt[at + 1] < 2)
			break;
	}
	return count;
}

static uint16_t enable_port(const struct acpi *acpi)
{
	return (uint16_t)(acpi->event_port + acpi->event_bytes / 2);
}

struct acpi acpi_start(const struct boot *boot)
{
	const uint8_t *root = find_root(boot);
	const uint8_t *fadt = root ? find_table(root, "FACP") : NULL;
	struct acpi acpi = { .off_type = -1 };

	if (root)
		acpi.processors = count_processors(find_table(root, "APIC"));
	if (!fadt || get32(fadt + TABLE_LENGTH) < FADT_BYTES_MIN)
		return acpi;
	acpi.event_port = (uint16_t)get32(fadt + FADT_EVENT_BLOCK);
	acpi.control_port = (uint16_t)get32(fadt + FADT_CONTROL_BLOCK);
	acpi.event_bytes = fadt[FADT_EVENT_BYTES];
	acpi.off_type = find_off_type((const uint8_t *)(uintptr_t)get32(fadt + FADT_DSDT));

	if (!(in16(acpi.control_port) & SCI_ENABLED) && get32(fadt + FADT_COMMAND_PORT)) {
		out8((uint16_t)get32(fadt + FADT_COMMAND_PORT), fadt[FADT_ENABLE_VALUE]);
		for (unsigned i = 0; i < PATIENCE && !(in16(acpi.control_port) & SCI_ENABLED); i++)
			;
	}
	if (acpi.event_bytes >= 4) {
		out16(acpi.event_port, POWER_BUTTON);
		out16(enable_port(&acpi), POWER_BUTTON);
	}
	return acpi;
}

bool acpi_button_pressed(const struct acpi *acpi)
{
	if (acpi->event_bytes < 4 || !(in16(acpi->event_port) & POWER_BUTTON))
		return false;
	out16(acpi->event_port, POWER_BUTTON);
	return true;
}

void acpi_off(const struct acpi *acpi)
{
	if (acpi->control_port == 0 || acpi->off_type < 0)
		return;
	out16(acpi->control_port,
		(uint16_t)((in16(acpi->control_port) & SCI_ENABLED) |
			   (unsigned)acpi->off_type << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
}
