/* SMBIOS tables.
 *
 * Each structure is a type, its length, a handle and fields; texts follow it, and fields count them from 1.
 *
 * Specification: DMTF DSP0134, SMBIOS 2.8.
 */
#include "vmm/firmware/smbios.h"

#include <string.h>

#include "base/checked.h"
#include "base/writer.h"

enum smbios_type {
	TYPE_FIRMWARE = 0,
	TYPE_SYSTEM = 1,
	TYPE_CHASSIS = 3,
	TYPE_PROCESSOR = 4,
	TYPE_MEMORY_ARRAY = 16,
	TYPE_MEMORY_DEVICE = 17,
	TYPE_MEMORY_RANGE = 19,
	TYPE_BOOT = 32,
	TYPE_END = 127,
};

enum {
	HANDLE_MEMORY_ARRAY = 0x1000,
	HANDLE_NONE = 0xfffe, /* "not provided" */
	MAX_STRINGS = 8,
	ANCHOR_SIZE = 31,
	DEVICES_MAX = 255,
	EXTENDED_SIZE = 0x7fff,      /* a module's size is in the extended field, in MiB */
	ARRAY_EXTENDED = 0x80000000, /* an array's capacity is in its extended field */
	RANGE_EXTENDED = 0xffffffff,
	UNKNOWN = 2,
	OTHER = 1,
};

static const uint64_t module_size = (uint64_t)16 * GiB;

/* One structure being written. */
struct structure {
	GByteArray *out;
	guint start;
	const char *strings[MAX_STRINGS];
	unsigned count;
};

/* What the entry point has to say of all of them. */
struct totals {
	GByteArray *out;
	uint16_t structures, largest;
};

static struct structure begin(GByteArray *out, enum smbios_type type, uint16_t handle)
{
	struct structure structure = { .out = out, .start = out->len };

	write_u8(out, type);
	write_u8(out, 0); /* length */
	write_le16(out, handle);
	return structure;
}

static void text(struct structure *structure, const char *string)
{
	structure->strings[structure->count++] = string;
	write_u8(structure->out, structure->count);
}

static void end(struct structure *structure, struct totals *totals)
{
	GByteArray *out = structure->out;

	out->data[structure->start + 1] = out->len - structure->start;
	for (unsigned i = 0; i < structure->count; i++)
		write_bytes(out, structure->strings[i], strlen(structure->strings[i]) + 1);
	write_zeroes(out, structure->count > 0 ? 1 : 2);
	totals->structures++;
	totals->largest = MAX(totals->largest, out->len - structure->start);
}

void uuid_bytes(const char *text, uint8_t bytes[16])
{
	unsigned count = 0;

	memset(bytes, 0, 16);
	if (!text || !g_uuid_string_is_valid(text))
		return;
	for (const char *c = text; *c != '\0' && count < 16; c++) {
		if (*c == '-')
			continue;
		bytes[count++] = g_ascii_xdigit_value(c[0]) << 4 | g_ascii_xdigit_value(c[1]);
		c++;
	}
}

/* The first three fields are little endian since SMBIOS 2.6. */
static void write_uuid(GByteArray *out, const char *uuid)
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	uint8_t bytes[16];

	uuid_bytes(uuid, bytes);
	for (unsigned i = 0; i < sizeof(order); i++)
		write_u8(out, bytes[order[i]]);
}

static void write_firmware(struct totals *totals)
{
	struct structure s = begin(totals->out, TYPE_FIRMWARE, 0);

	text(&s, "Vitrine");
	text(&s, "1.0");
	write_le16(s.out, 0xe800); /* segment of its code */
	text(&s, "01/01/2026");
	write_u8(s.out, 0);               /* ROM of 64 KiB */
	write_le64(s.out, 1 << 3);        /* characteristics are not said */
	write_u8(s.out, 1 << 0);          /* ACPI */
	write_u8(s.out, 1 << 4 | 1 << 2); /* a virtual machine; targeted content distribution */
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	write_u8(s.out, 0xff); /* no controller firmware */
	write_u8(s.out, 0xff);
	end(&s, totals);
}

static void write_system(const struct smbios_config *config, struct totals *totals)
{
	struct structure s = begin(totals->out, TYPE_SYSTEM, 0x100);

	text(&s, "Vitrine");
	text(&s, config->product);
	text(&s, config->version);
	write_u8(s.out, 0); /* no serial number */
	write_uuid(s.out, config->uuid);
	write_u8(s.out, 6); /* woken by the power switch */
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	end(&s, totals);
}

static void write_chassis(const struct smbios_config *config, struct totals *totals)
{
	struct structure s = begin(totals->out, TYPE_CHASSIS, 0x300);

	text(&s, "Vitrine");
	write_u8(s.out, OTHER);
	text(&s, config->version);
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	write_u8(s.out, 3); /* booted, power and heat: safe */
	write_u8(s.out, 3);
	write_u8(s.out, 3);
	write_u8(s.out, UNKNOWN);
	write_le32(s.out, 0);
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	end(&s, totals);
}

static void write_processor(unsigned number, struct totals *totals)
{
	struct structure s = begin(totals->out, TYPE_PROCESSOR, 0x400 + number);
	g_autofree char *socket = g_strdup_printf("CPU %u", number);

	text(&s, socket);
	write_u8(s.out, 3); /* central processor */
	write_u8(s.out, OTHER);
	text(&s, "Vitrine");
	write_le64(s.out, 0); /* what CPUID says is for CPUID to say */
	text(&s, "virtual");
	write_u8(s.out, 0);
	write_le16(s.out, 0);
	write_le16(s.out, 2000); /* MHz */
	write_le16(s.out, 2000);
	write_u8(s.out, 0x41); /* socket populated, enabled */
	write_u8(s.out, OTHER);
	write_le16(s.out, 0xffff);
	write_le16(s.out, 0xffff);
	write_le16(s.out, 0xffff);
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	write_u8(s.out, 1); /* cores, enabled, threads */
	write_u8(s.out, 1);
	write_u8(s.out, 1);
	write_le16(s.out, UNKNOWN);
	write_le16(s.out, OTHER);
	end(&s, totals);
}

static void write_memory_array(uint64_t size, unsigned modules, struct totals *totals)
{
	struct structure s = begin(totals->out, TYPE_MEMORY_ARRAY, HANDLE_MEMORY_ARRAY);
	bool extended = size / KiB >= ARRAY_EXTENDED;

	write_u8(s.out, OTHER);
	write_u8(s.out, 3); /* system memory */
	write_u8(s.out, 6); /* corrects errors of several bits */
	write_le32(s.out, extended ? ARRAY_EXTENDED : size / KiB);
	write_le16(s.out, HANDLE_NONE);
	write_le16(s.out, modules);
	write_le64(s.out, extended ? size : 0);
	end(&s, totals);
}

static void write_memory_device(unsigned number, uint64_t size, struct totals *totals)
{
	struct structure s = begin(totals->out, TYPE_MEMORY_DEVICE, 0x1100 + number);
	g_autofree char *locator = g_strdup_printf("DIMM %u", number);
	uint64_t mebibytes = size / MiB;

	write_le16(s.out, HANDLE_MEMORY_ARRAY);
	write_le16(s.out, HANDLE_NONE);
	write_le16(s.out, 0xffff); /* widths */
	write_le16(s.out, 0xffff);
	write_le16(s.out, MIN(mebibytes, EXTENDED_SIZE));
	write_u8(s.out, 9); /* DIMM */
	write_u8(s.out, 0);
	text(&s, locator);
	write_u8(s.out, 0);
	write_u8(s.out, 7); /* RAM */
	write_le16(s.out, 1 << 1);
	write_le16(s.out, 0);
	text(&s, "Vitrine");
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	write_le32(s.out, mebibytes >= EXTENDED_SIZE ? mebibytes : 0);
	write_le16(s.out, 0);
	write_le16(s.out, 0);
	write_le16(s.out, 0);
	write_le16(s.out, 0);
	end(&s, totals);
}

static void write_memory_range(
	unsigned number, uint64_t first, uint64_t size, unsigned modules, struct totals *totals)
{
	struct structure s = begin(totals->out, TYPE_MEMORY_RANGE, 0x1300 + number);
	uint64_t last = first + size - 1;
	bool extended = last / KiB >= RANGE_EXTENDED;

	write_le32(s.out, extended ? RANGE_EXTENDED : first / KiB);
	write_le32(s.out, extended ? RANGE_EXTENDED : last / KiB);
	write_le16(s.out, HANDLE_MEMORY_ARRAY);
	write_u8(s.out, modules);
	write_le64(s.out, extended ? first : 0);
	write_le64(s.out, extended ? last : 0);
	end(&s, totals);
}

static void write_boot(struct totals *totals)
{
	struct structure s = begin(totals->out, TYPE_BOOT, 0x2000);

	write_zeroes(s.out, 6);
	write_u8(s.out, 0); /* no errors detected */
	end(&s, totals);
}

static void write_end(struct totals *totals)
{
	struct structure s = begin(totals->out, TYPE_END, 0x7f00);

	end(&s, totals);
}

static void write_memory(const struct smbios_config *config, struct totals *totals)
{
	uint64_t size = config->low_memory + config->high_memory;
	uint64_t modules = MIN((size + module_size - 1) / module_size, DEVICES_MAX);

	write_memory_array(size, modules, totals);
	for (uint64_t i = 0; i < modules; i++)
		write_memory_device(i, MIN(module_size, size - i * module_size), totals);
	write_memory_range(0, 0, config->low_memory, modules, totals);
	if (config->high_memory > 0)
		write_memory_range(1, (uint64_t)4 * GiB, config->high_memory, modules, totals);
}

static void write_anchor(const struct totals *totals, GByteArray *out)
{
	write_bytes(out, "_SM_", 4);
	write_u8(out, 0); /* checksum */
	write_u8(out, ANCHOR_SIZE);
	write_u8(out, 2); /* version 2.8 */
	write_u8(out, 8);
	write_le16(out, totals->largest);
	write_u8(out, 0);
	write_zeroes(out, 5);
	write_bytes(out, "_DMI_", 5);
	write_u8(out, 0); /* checksum */
	write_le16(out, totals->out->len);
	write_le32(out, 0); /* address */
	write_le16(out, totals->structures);
	write_u8(out, 0x28);
}

void smbios_build(const struct smbios_config *config, GByteArray *tables, GByteArray *anchor)
{
	struct totals totals = { .out = tables };

	write_firmware(&totals);
	write_system(config, &totals);
	write_chassis(config, &totals);
	for (unsigned i = 0; i < config->cpus; i++)
		write_processor(i, &totals);
	write_memory(config, &totals);
	write_boot(&totals);
	write_end(&totals);
	write_anchor(&totals, anchor);
}
