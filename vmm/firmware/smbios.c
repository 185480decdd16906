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
#include "vmm/options/values.h"

enum smbios_type {
	TYPE_FIRMWARE = 0,
	TYPE_SYSTEM = 1,
	TYPE_BOARD = 2,
	TYPE_CHASSIS = 3,
	TYPE_PROCESSOR = 4,
	TYPE_OEM_STRINGS = 11,
	TYPE_MEMORY_ARRAY = 16,
	TYPE_MEMORY_DEVICE = 17,
	TYPE_MEMORY_RANGE = 19,
	TYPE_BOOT = 32,
	TYPE_END = 127,
};

enum {
	HANDLE_MEMORY_ARRAY = 0x1000,
	HANDLE_NONE = 0xfffe, /* "not provided" */
	HEADER_SIZE = 4,
	MAX_STRINGS = 255,
	HANDLE_CHASSIS = 0x300,
	ANCHOR_SIZE = 31,
	ANCHOR_64_SIZE = 24,
	OEM_STRINGS_MAX = 255,
	DEVICES_MAX = 255,
	EXTENDED_SIZE = 0x7fff,      /* a module's size is in the extended field, in MiB */
	ARRAY_EXTENDED = 0x80000000, /* an array's capacity is in its extended field */
	RANGE_EXTENDED = 0xffffffff,
	UNKNOWN = 2,
	OTHER = 1,
};

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
	const struct smbios_config *config;
};

static const char *find_value(const GArray *options, uint8_t type, const char *key)
{
	for (guint i = options ? options->len : 0; i > 0; i--) {
		const struct smbios_option *option =
			&g_array_index(options, struct smbios_option, i - 1);

		if (option->type == type && strcmp(option->key, key) == 0)
			return option->value;
	}
	return NULL;
}

/* What the user, or else the machine type, says of a field; NULL: nothing. */
static const char *value_of(const struct totals *totals, uint8_t type, const char *key)
{
	const char *value = find_value(totals->config->options, type, key);

	return value ? value : find_value(totals->config->defaults, type, key);
}

static uint16_t number_of(const struct totals *totals, uint8_t type, const char *key)
{
	const char *text = value_of(totals, type, key);
	uint64_t number;

	return text && value_parse_number(text, &number) ? number : 0;
}

/* The name of a socket or a memory module: a prefix and its number. */
static char *numbered(const struct totals *totals, uint8_t type, const char *key, unsigned number)
{
	const char *prefix = value_of(totals, type, key);

	return prefix ? g_strdup_printf("%s %u", prefix, number) : g_strdup_printf("%u", number);
}

static bool is_said(const struct totals *totals, uint8_t type)
{
	const GArray *options = totals->config->options;

	for (guint i = 0; options && i < options->len; i++)
		if (g_array_index(options, struct smbios_option, i).type == type)
			return true;
	return false;
}

/* Whether a file of the user's stands for structures of this type. */
static bool is_replaced(const struct totals *totals, uint8_t type)
{
	const GPtrArray *files = totals->config->files;

	for (guint i = 0; files && i < files->len; i++)
		if (*(const uint8_t *)g_bytes_get_data(files->pdata[i], NULL) == type)
			return true;
	return false;
}

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
	if (!string) {
		write_u8(structure->out, 0);
		return;
	}
	structure->strings[structure->count++] = string;
	write_u8(structure->out, structure->count);
}

static void field(struct structure *structure, const struct totals *totals, const char *key)
{
	text(structure, value_of(totals, structure->out->data[structure->start], key));
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

/* Major and minor release, 0 where none was said. */
static void write_release(GByteArray *out, const char *release)
{
	g_auto(GStrv) parts = g_strsplit(release ? release : "0.0", ".", 2);

	write_u8(out, g_ascii_strtoull(parts[0], NULL, 10));
	write_u8(out, g_ascii_strtoull(parts[1], NULL, 10));
}

static void write_firmware(struct totals *totals)
{
	struct structure s = begin(totals->out, TYPE_FIRMWARE, 0);
	bool uefi = false;

	if (value_of(totals, TYPE_FIRMWARE, "uefi"))
		value_parse_bool(value_of(totals, TYPE_FIRMWARE, "uefi"), &uefi);
	field(&s, totals, "vendor");
	field(&s, totals, "version");
	write_le16(s.out, 0xe800); /* segment of its code */
	field(&s, totals, "date");
	write_u8(s.out, 0);        /* ROM of 64 KiB */
	write_le64(s.out, 1 << 3); /* characteristics are not said */
	write_u8(s.out, 1 << 0);   /* ACPI */
	/* A virtual machine; targeted content distribution; UEFI. */
	write_u8(s.out, 1 << 4 | 1 << 2 | (uefi ? 1 << 3 : 0));
	write_release(s.out, value_of(totals, TYPE_FIRMWARE, "release"));
	write_u8(s.out, 0xff); /* no controller firmware */
	write_u8(s.out, 0xff);
	end(&s, totals);
}

static void write_system(struct totals *totals)
{
	struct structure s = begin(totals->out, TYPE_SYSTEM, 0x100);
	const char *uuid;

	field(&s, totals, "manufacturer");
	field(&s, totals, "product");
	field(&s, totals, "version");
	field(&s, totals, "serial");
	uuid = value_of(totals, TYPE_SYSTEM, "uuid");
	write_uuid(s.out, uuid ? uuid : totals->config->uuid);
	write_u8(s.out, 6); /* woken by the power switch */
	field(&s, totals, "sku");
	field(&s, totals, "family");
	end(&s, totals);
}

/* The base board, when something is said of it. */
static void write_board(struct totals *totals)
{
	struct structure s;

	if (!is_said(totals, TYPE_BOARD))
		return;
	s = begin(totals->out, TYPE_BOARD, 0x200);
	field(&s, totals, "manufacturer");
	field(&s, totals, "product");
	field(&s, totals, "version");
	field(&s, totals, "serial");
	field(&s, totals, "asset");
	write_u8(s.out, 1); /* hosts the others */
	field(&s, totals, "location");
	write_le16(s.out, HANDLE_CHASSIS);
	write_u8(s.out, 10); /* mother board */
	write_u8(s.out, 0);
	end(&s, totals);
}

static void write_chassis(struct totals *totals)
{
	struct structure s = begin(totals->out, TYPE_CHASSIS, HANDLE_CHASSIS);

	field(&s, totals, "manufacturer");
	write_u8(s.out, OTHER);
	field(&s, totals, "version");
	field(&s, totals, "serial");
	field(&s, totals, "asset");
	write_u8(s.out, 3); /* booted, power and heat: safe */
	write_u8(s.out, 3);
	write_u8(s.out, 3);
	write_u8(s.out, UNKNOWN);
	write_le32(s.out, 0);
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	write_u8(s.out, 0);
	field(&s, totals, "sku");
	end(&s, totals);
}

/* Texts for programs in the guest, one for each -smbios type=11. */
static void write_oem_strings(struct totals *totals)
{
	const GArray *options = totals->config->options;
	struct structure s;

	if (!is_said(totals, TYPE_OEM_STRINGS))
		return;
	s = begin(totals->out, TYPE_OEM_STRINGS, 0xe00);
	write_u8(s.out, 0);
	for (guint i = 0; i < options->len && s.count < OEM_STRINGS_MAX; i++) {
		const struct smbios_option *option =
			&g_array_index(options, struct smbios_option, i);

		if (option->type == TYPE_OEM_STRINGS)
			s.strings[s.count++] = option->value;
	}
	s.out->data[s.start + HEADER_SIZE] = s.count;
	end(&s, totals);
}

static void write_processor(unsigned number, struct totals *totals)
{
	struct structure s = begin(totals->out, TYPE_PROCESSOR, 0x400 + number);
	g_autofree char *socket = numbered(totals, TYPE_PROCESSOR, "sock_pfx", number);

	text(&s, socket);
	write_u8(s.out, 3); /* central processor */
	write_u8(s.out, OTHER);
	field(&s, totals, "manufacturer");
	write_le64(s.out, 0); /* what CPUID says is for CPUID to say */
	field(&s, totals, "version");
	write_u8(s.out, 0);
	write_le16(s.out, 0);
	write_le16(s.out, number_of(totals, TYPE_PROCESSOR, "max-speed")); /* MHz */
	write_le16(s.out, number_of(totals, TYPE_PROCESSOR, "current-speed"));
	write_u8(s.out, 0x41); /* socket populated, enabled */
	write_u8(s.out, OTHER);
	write_le16(s.out, 0xffff);
	write_le16(s.out, 0xffff);
	write_le16(s.out, 0xffff);
	field(&s, totals, "serial");
	field(&s, totals, "asset");
	field(&s, totals, "part");
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
	g_autofree char *locator = numbered(totals, TYPE_MEMORY_DEVICE, "loc_pfx", number);
	uint64_t mebibytes = size / MiB;

	write_le16(s.out, HANDLE_MEMORY_ARRAY);
	write_le16(s.out, HANDLE_NONE);
	write_le16(s.out, 0xffff); /* widths */
	write_le16(s.out, 0xffff);
	write_le16(s.out, MIN(mebibytes, EXTENDED_SIZE));
	write_u8(s.out, 9); /* DIMM */
	write_u8(s.out, 0);
	text(&s, locator);
	field(&s, totals, "bank");
	write_u8(s.out, 7); /* RAM */
	write_le16(s.out, 1 << 1);
	write_le16(s.out, number_of(totals, TYPE_MEMORY_DEVICE, "speed"));
	field(&s, totals, "manufacturer");
	field(&s, totals, "serial");
	field(&s, totals, "asset");
	field(&s, totals, "part");
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
	uint64_t module_size = config->module_size;
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

static void write_anchor_64(const struct totals *totals, GByteArray *out)
{
	write_bytes(out, "_SM3_", 5);
	write_u8(out, 0); /* checksum */
	write_u8(out, ANCHOR_64_SIZE);
	write_u8(out, 3); /* version 3.0 */
	write_u8(out, 0);
	write_u8(out, 0);
	write_u8(out, 1); /* of the entry point */
	write_u8(out, 0);
	write_le32(out, totals->out->len);
	write_le64(out, 0); /* address */
}

/* The structures that the user has in files; what they are of is not written otherwise. */
static void write_files(struct totals *totals)
{
	const GPtrArray *files = totals->config->files;

	for (guint i = 0; files && i < files->len; i++) {
		gsize length;
		const void *bytes = g_bytes_get_data(files->pdata[i], &length);

		write_bytes(totals->out, bytes, length);
		totals->structures++;
		totals->largest = MAX(totals->largest, length);
	}
}

void smbios_build(const struct smbios_config *config, GByteArray *tables, GByteArray *anchor)
{
	static void (*const singles[])(struct totals * totals) = {
		[TYPE_FIRMWARE] = write_firmware,
		[TYPE_SYSTEM] = write_system,
		[TYPE_BOARD] = write_board,
		[TYPE_CHASSIS] = write_chassis,
	};
	struct totals totals = { .out = tables, .config = config };

	write_files(&totals);
	for (unsigned type = 0; type < G_N_ELEMENTS(singles); type++)
		if (!is_replaced(&totals, type))
			singles[type](&totals);
	for (unsigned i = 0; i < config->cpus && !is_replaced(&totals, TYPE_PROCESSOR); i++)
		write_processor(i, &totals);
	if (!is_replaced(&totals, TYPE_OEM_STRINGS))
		write_oem_strings(&totals);
	write_memory(config, &totals);
	write_boot(&totals);
	write_end(&totals);
	if (config->entry_64)
		write_anchor_64(&totals, anchor);
	else
		write_anchor(&totals, anchor);
}
