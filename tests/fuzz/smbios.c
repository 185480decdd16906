/* Any texts for SMBIOS fields and any bytes as a structure: what is accepted makes tables that can be walked to their end. */
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "vmm/firmware/smbios.h"

enum {
	OPTIONS_MAX = 64,
	TYPE_END = 127,
};

static const char *const keys[] = { "vendor", "version", "date", "release", "uefi", "manufacturer",
	"product", "serial", "uuid", "sku", "family", "asset", "location", "sock_pfx", "part",
	"max-speed", "current-speed", "value", "loc_pfx", "bank", "speed" };
static const uint8_t types[] = { 0, 1, 2, 3, 4, 11, 17, 5 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void walk(const uint8_t *bytes, size_t length)
{
	size_t at = 0, end;

	for (;;) {
		if (length - at < 6 || bytes[at + 1] < 4 || bytes[at + 1] > length - at - 2)
			abort();
		end = at + bytes[at + 1];
		while (bytes[end] != 0 || bytes[end + 1] != 0)
			if (++end + 1 >= length)
				abort();
		if (bytes[at] == TYPE_END)
			break;
		at = end + 2;
	}
	if (end + 2 != length)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	g_autoptr(GArray) options = g_array_new(FALSE, TRUE, sizeof(struct smbios_option));
	g_autoptr(GStringChunk) texts = g_string_chunk_new(1024);
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	g_autoptr(GByteArray) tables = g_byte_array_new(), anchor = g_byte_array_new();
	struct reader in = reader_from(bytes, length);
	struct smbios_config config = {
		.options = options,
		.files = files,
		.cpus = 2,
		.low_memory = 1 << 30,
		.module_size = 1 << 30,
	};
	uint8_t type;

	config.entry_64 = reader_u8(&in) & 1;
	while (reader_left(&in) > 3 && options->len < OPTIONS_MAX) {
		struct smbios_option option = { .type = types[reader_u8(&in) % G_N_ELEMENTS(types)],
			.key = keys[reader_u8(&in) % G_N_ELEMENTS(keys)] };
		uint8_t wanted = reader_u8(&in);
		size_t size = MIN(wanted, reader_left(&in));
		const uint8_t *text = reader_bytes(&in, size);

		option.value = g_string_chunk_insert_len(texts, (const char *)text, size);
		if (smbios_option_check(&option, NULL))
			g_array_append_val(options, option);
	}
	if (smbios_structure_check(bytes, length, &type, NULL))
		g_ptr_array_add(files, g_bytes_new(bytes, length));
	smbios_build(&config, tables, anchor);
	walk(tables->data, tables->len);
	return 0;
}
