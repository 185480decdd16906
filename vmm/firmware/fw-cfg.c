/* fw_cfg: how the firmware (and direct boot) learns about the machine.
 *
 * A selector chooses an item, a read position moves through it: byte by byte through a port, or in one piece by DMA.
 * DMA reaches guest memory only, never registers, and what one request can cost is bounded by the item's size.
 *
 * Specification: QEMU's docs/specs/fw_cfg.rst.
 */
#include "vmm/firmware/fw-cfg.h"

#include <string.h>

#include "base/checked.h"
#include "base/writer.h"
#include "vmm/firmware/fw-cfg-request.h"
#include "vmm/machine/machine.h"

enum fw_cfg_port {
	PORT_SELECTOR = 0x510,
	PORT_DATA = 0x511,
	PORT_DMA = 0x514,
};

enum {
	DATA_OFFSET = PORT_DATA - PORT_SELECTOR,
	FILE_FIRST = 0x20,               /* selector of the first file */
	FILE_LIMIT = 0x1000,             /* files; the specification's selectors allow 0x3fe0 */
	NAME_SIZE = FW_CFG_NAME_MAX + 1, /* bytes in the directory, with the zero */
	ID_TRADITIONAL = 1 << 0,
	ID_DMA = 1 << 1,
	DMA_ERROR = 1 << 0, /* in the control word that the guest gets back */
	OVERREAD_LIMIT =
		64 * KiB, /* zeroes that one request may ask for behind the end of an item */
};

static const uint64_t dma_signature = 0x51454d5520434647; /* "QEMU CFG" */

struct item {
	char *name; /* of a file */
	GBytes *data;
	bool built;     /* anew after each reset, by the builder */
	uint8_t *bytes; /* what the guest may overwrite, as many as @data has; NULL: read-only */
	void (*written)(void *owner, const uint8_t *bytes, size_t length);
	void *owner;
};

struct fw_cfg {
	struct machine *machine;
	GHashTable *items; /* of struct item by selector */
	GPtrArray *files;  /* of struct item, by name; the first one's selector is FILE_FIRST */
	struct item *directory;
	void (*build)(void *owner); /* of what is built; NULL: nothing is */
	void *builder;
	bool has_built; /* since the reset */
	struct io_region ports, dma;

	uint16_t selector;
	uint64_t position; /* in the selected item, bytes; may lie behind its end */
	uint64_t dma_address;
};

const struct state_field fw_cfg_state_fields[] = {
	STATE_UINT16(struct fw_cfg, selector),
	STATE_UINT64(struct fw_cfg, position),
	STATE_UINT64(struct fw_cfg, dma_address),
	STATE_END,
};

static struct item *item_new(const char *name, GBytes *data)
{
	struct item *item = g_new0(struct item, 1);

	item->name = g_strdup(name);
	item->data = g_bytes_ref(data);
	return item;
}

static void item_free(void *data)
{
	struct item *item = data;

	if (!item)
		return;
	g_bytes_unref(item->data);
	g_free(item->bytes);
	g_free(item->name);
	g_free(item);
}

static const uint8_t *item_bytes(const struct item *item, size_t *size)
{
	gsize length = 0;
	const uint8_t *bytes = item ? g_bytes_get_data(item->data, &length) : NULL;

	*size = length;
	return item && item->bytes ? item->bytes : bytes;
}

/* Number of files, then size, selector and name of each: all big endian. */
static GBytes *directory_bytes(const struct fw_cfg *cfg)
{
	GByteArray *out = g_byte_array_new();

	write_u32(out, cfg->files->len);
	for (guint i = 0; i < cfg->files->len; i++) {
		const struct item *file = cfg->files->pdata[i];
		char name[NAME_SIZE] = { 0 };

		g_strlcpy(name, file->name, sizeof(name));
		write_u32(out, g_bytes_get_size(file->data));
		write_u16(out, FILE_FIRST + i);
		write_u16(out, 0);
		write_bytes(out, name, sizeof(name));
	}
	return g_byte_array_free_to_bytes(out);
}

static struct item *selected_item(struct fw_cfg *cfg)
{
	if (cfg->selector == FW_CFG_FILE_DIR)
		return cfg->directory;
	if (cfg->selector >= FILE_FIRST && cfg->selector < FILE_FIRST + cfg->files->len)
		return cfg->files->pdata[cfg->selector - FILE_FIRST];
	return g_hash_table_lookup(cfg->items, GUINT_TO_POINTER(cfg->selector));
}

static void select_item(struct fw_cfg *cfg, uint16_t selector)
{
	const struct item *item;

	cfg->selector = selector;
	cfg->position = 0;
	item = selected_item(cfg);
	if (!item || !item->built || cfg->has_built)
		return;
	cfg->has_built = true;
	cfg->build(cfg->builder);
}

/* DMA */

static bool dma_read(struct fw_cfg *cfg, const struct fw_cfg_request *request)
{
	static const uint8_t zeroes[4 * KiB];
	size_t size, left, there;
	const uint8_t *bytes = item_bytes(selected_item(cfg), &size);

	left = cfg->position < size ? size - cfg->position : 0;
	there = MIN(left, request->length);
	if (request->length - there > OVERREAD_LIMIT)
		return false;
	if (there > 0 && !guest_memory_write(cfg->machine->memory, request->address,
				 bytes + cfg->position, there))
		return false;
	for (size_t done = there; done < request->length; done += sizeof(zeroes)) {
		size_t length = MIN(sizeof(zeroes), request->length - done);

		if (!guest_memory_write(
			    cfg->machine->memory, request->address + done, zeroes, length))
			return false;
	}
	cfg->position += request->length;
	return true;
}

static bool dma_write(struct fw_cfg *cfg, const struct fw_cfg_request *request)
{
	struct item *item = selected_item(cfg);
	g_autofree uint8_t *copy = NULL;
	size_t size;

	item_bytes(item, &size);
	if (!item || !item->bytes || !checked_range(cfg->position, request->length, size))
		return false;
	if (request->length == 0)
		return true;
	copy = g_malloc(request->length);
	if (!guest_memory_read(cfg->machine->memory, request->address, copy, request->length))
		return false;
	memcpy(item->bytes + cfg->position, copy, request->length);
	cfg->position += request->length;
	if (item->written)
		item->written(item->owner, item->bytes, size);
	return true;
}

static bool dma_skip(struct fw_cfg *cfg, const struct fw_cfg_request *request)
{
	cfg->position += request->length;
	return true;
}

static bool dma_nothing(struct fw_cfg *cfg, const struct fw_cfg_request *request)
{
	return true;
}

static bool (*const dma_actions[])(struct fw_cfg *cfg, const struct fw_cfg_request *request) = {
	[FW_CFG_NOTHING] = dma_nothing,
	[FW_CFG_READ] = dma_read,
	[FW_CFG_WRITE] = dma_write,
	[FW_CFG_SKIP] = dma_skip,
};

/* Carries out the request at dma_address; the guest finds 0 in its control word afterwards, or the error bit. */
static void dma_run(struct fw_cfg *cfg)
{
	uint64_t address = cfg->dma_address;
	uint8_t bytes[FW_CFG_REQUEST_SIZE];
	struct fw_cfg_request request;
	bool done = false;
	uint32_t control;

	cfg->dma_address = 0;
	if (!guest_memory_read(cfg->machine->memory, address, bytes, sizeof(bytes)))
		return;
	if (fw_cfg_request_parse(bytes, &request)) {
		if (request.select)
			select_item(cfg, request.selector);
		done = dma_actions[request.action](cfg, &request);
	}
	control = GUINT32_TO_BE(done ? 0 : DMA_ERROR);
	guest_memory_write(cfg->machine->memory, address, &control, sizeof(control));
}

/* Ports */

static uint64_t ports_read(void *device, uint64_t offset, unsigned size)
{
	struct fw_cfg *cfg = device;
	const uint8_t *bytes;
	size_t length;

	if (offset != DATA_OFFSET)
		return 0;
	bytes = item_bytes(selected_item(cfg), &length);
	return cfg->position < length ? bytes[cfg->position++] : 0;
}

static void ports_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	if (offset == 0 && size == 2)
		select_item(device, value);
}

static const struct io_ops ports_ops = { ports_read, ports_write, .max_access = 2 };

/* The DMA register is big endian, the ports are not: the first port is the highest byte. */
static uint64_t dma_register_read(void *device, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (dma_signature >> 8 * (7 - offset - i) & 0xff) << 8 * i;
	return value;
}

/* The high half waits for the low one, which starts the transfer. */
static void dma_register_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct fw_cfg *cfg = device;

	if (size == 8) {
		cfg->dma_address = GUINT64_SWAP_LE_BE(value);
		dma_run(cfg);
	} else if (size == 4 && offset == 0) {
		cfg->dma_address = (uint64_t)GUINT32_SWAP_LE_BE((uint32_t)value) << 32;
	} else if (size == 4 && offset == 4) {
		cfg->dma_address |= GUINT32_SWAP_LE_BE((uint32_t)value);
		dma_run(cfg);
	}
}

static const struct io_ops dma_ops = { dma_register_read, dma_register_write };

struct fw_cfg *fw_cfg_new(struct machine *machine)
{
	struct fw_cfg *cfg = g_new0(struct fw_cfg, 1);
	g_autoptr(GBytes) signature = g_bytes_new_static("QEMU", 4);
	g_autoptr(GBytes) directory = NULL;

	cfg->machine = machine;
	cfg->items = g_hash_table_new_full(NULL, NULL, NULL, item_free);
	cfg->files = g_ptr_array_new_with_free_func(item_free);
	directory = directory_bytes(cfg);
	cfg->directory = item_new(NULL, directory);
	cfg->ports = (struct io_region) {
		.name = "fw_cfg", .ops = &ports_ops, .device = cfg, .size = 2
	};
	cfg->dma = (struct io_region) {
		.name = "fw_cfg DMA", .ops = &dma_ops, .device = cfg, .size = 8
	};
	io_space_map(&machine->ports, &cfg->ports, PORT_SELECTOR);
	io_space_map(&machine->ports, &cfg->dma, PORT_DMA);
	fw_cfg_add(cfg, FW_CFG_SIGNATURE, signature);
	fw_cfg_add_u32(cfg, FW_CFG_ID, ID_TRADITIONAL | ID_DMA);
	return cfg;
}

void fw_cfg_free(struct fw_cfg *cfg)
{
	if (!cfg)
		return;
	io_region_unmap(&cfg->ports);
	io_region_unmap(&cfg->dma);
	g_hash_table_unref(cfg->items);
	g_ptr_array_unref(cfg->files);
	item_free(cfg->directory);
	g_free(cfg);
}

/* Files that the guest wrote start over with what they held at first. */
void fw_cfg_reset(struct fw_cfg *cfg)
{
	select_item(cfg, 0);
	cfg->has_built = false;
	cfg->dma_address = 0;
	for (guint i = 0; i < cfg->files->len; i++) {
		struct item *file = cfg->files->pdata[i];
		gsize size;
		const void *data = g_bytes_get_data(file->data, &size);

		if (file->bytes && size > 0)
			memcpy(file->bytes, data, size);
	}
}

void fw_cfg_add(struct fw_cfg *cfg, uint16_t selector, GBytes *data)
{
	g_hash_table_insert(cfg->items, GUINT_TO_POINTER(selector), item_new(NULL, data));
}

void fw_cfg_add_u16(struct fw_cfg *cfg, uint16_t selector, uint16_t value)
{
	uint16_t little = GUINT16_TO_LE(value);
	g_autoptr(GBytes) data = g_bytes_new(&little, sizeof(little));

	fw_cfg_add(cfg, selector, data);
}

void fw_cfg_add_u32(struct fw_cfg *cfg, uint16_t selector, uint32_t value)
{
	uint32_t little = GUINT32_TO_LE(value);
	g_autoptr(GBytes) data = g_bytes_new(&little, sizeof(little));

	fw_cfg_add(cfg, selector, data);
}

static gint compare_files(gconstpointer a, gconstpointer b)
{
	const struct item *const *first = a, *const *second = b;

	return strcmp((*first)->name, (*second)->name);
}

static struct item *add_file(struct fw_cfg *cfg, const char *name, GBytes *data)
{
	struct item *file = item_new(name, data);
	g_autoptr(GBytes) directory = NULL;

	g_assert(strlen(name) < NAME_SIZE && cfg->files->len < FILE_LIMIT);
	g_ptr_array_add(cfg->files, file);
	g_ptr_array_sort(cfg->files, compare_files);
	item_free(cfg->directory);
	directory = directory_bytes(cfg);
	cfg->directory = item_new(NULL, directory);
	return file;
}

void fw_cfg_add_file(struct fw_cfg *cfg, const char *name, GBytes *data)
{
	add_file(cfg, name, data);
}

void fw_cfg_set_builder(struct fw_cfg *cfg, void (*build)(void *owner), void *owner)
{
	cfg->build = build;
	cfg->builder = owner;
	build(owner);
}

static struct item *find_file(const struct fw_cfg *cfg, const char *name)
{
	for (guint i = 0; i < cfg->files->len; i++) {
		struct item *file = cfg->files->pdata[i];

		if (strcmp(file->name, name) == 0)
			return file;
	}
	return NULL;
}

void fw_cfg_list(const struct fw_cfg *cfg, GString *to)
{
	for (guint i = 0; i < cfg->files->len; i++) {
		const struct item *file = cfg->files->pdata[i];

		g_string_append_printf(to, "fw=%s size=0x%06zx\n", file->name,
			file->data ? g_bytes_get_size(file->data) : 0);
	}
}

bool fw_cfg_has_file(const struct fw_cfg *cfg, const char *name)
{
	return find_file(cfg, name) != NULL;
}

bool fw_cfg_takes_files(const struct fw_cfg *cfg)
{
	return cfg->files->len < FILE_LIMIT;
}

bool fw_cfg_build_file(struct fw_cfg *cfg, const char *name, GByteArray *bytes, guint unit)
{
	struct item *file = find_file(cfg, name);
	gsize size = file ? g_bytes_get_size(file->data) : (bytes->len + unit - 1) / unit * unit;
	g_autoptr(GBytes) data = NULL;

	if (bytes->len > size) {
		g_byte_array_unref(bytes);
		return false;
	}
	write_zeroes(bytes, size - bytes->len);
	data = g_byte_array_free_to_bytes(bytes);
	if (!file)
		file = add_file(cfg, name, data);
	file->built = true;
	g_bytes_unref(file->data);
	file->data = g_bytes_ref(data);
	return true;
}

void fw_cfg_add_writable_file(struct fw_cfg *cfg, const char *name, GBytes *data,
	void (*written)(void *owner, const uint8_t *bytes, size_t length), void *owner)
{
	struct item *file = add_file(cfg, name, data);
	gsize size;
	const void *bytes = g_bytes_get_data(data, &size);

	file->bytes = g_memdup2(bytes, size);
	file->written = written;
	file->owner = owner;
}
