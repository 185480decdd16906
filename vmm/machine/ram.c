/* RAM and firmware of a machine: what backs them and where they appear. */
#include "vmm/machine/ram.h"

#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "base/error.h"
#include "vmm/firmware/files.h"
#include "vmm/firmware/firmware-config.h"
#include "vmm/machine/legacy-area.h"
#include "vmm/machine/machine-types.h"
#include "vmm/objects.h"
#include "vmm/objects/memory-backend.h"

enum {
	VGA_WINDOW = 0xa0000, /* no RAM here, up to: */
	FIRMWARE_MAX = 16 * MiB,
	HUGEST_PAGE = 1 * GiB,
	MEMORY_MIN = 8 * MiB, /* SeaBIOS, and room for a boot loader */
};

struct memory_block {
	void *bytes;
	uint64_t size;
	struct memory_slot *slots[2];
	bool is_borrowed; /* of the memory back end */
};

static struct memory_block *add_block(struct machine *machine, uint64_t size, GError **error)
{
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct memory_block *block;

	/* The kernel refuses what it can never give. */
	if (bytes == MAP_FAILED) {
		fail_errno(error, VITRINE_ERROR_HOST,
			"the host has no %" G_GUINT64_FORMAT
			" MiB of memory for the guest; give less with -m",
			size / MiB);
		return NULL;
	}
	block = g_new0(struct memory_block, 1);
	block->bytes = bytes;
	block->size = size;
	g_ptr_array_add(machine->memory_blocks, block);
	return block;
}

/* A piece of the machine's RAM: of the memory back ends when there are any, which know whether core files have it. */
static struct memory_block *add_ram_block(
	struct machine *machine, uint64_t offset, uint64_t size, GError **error)
{
	struct memory_block *block;

	if (!machine->backend_memory) {
		block = add_block(machine, size, error);
		/* The guest's crash dumps and our core files are better off without all of RAM. */
		if (block)
			(void)!madvise(block->bytes, size, MADV_DONTDUMP);
		return block;
	}
	block = g_new0(struct memory_block, 1);
	block->bytes = machine->backend_memory + offset;
	block->size = size;
	block->is_borrowed = true;
	g_ptr_array_add(machine->memory_blocks, block);
	return block;
}

static struct object *take_backend(struct machine *machine, const char *id, GError **error)
{
	struct object *object = objects_take(machine->objects, id, OBJECT_MEMORY, error);

	if (!object)
		return NULL;
	if (!machine->memory_backends)
		machine->memory_backends =
			g_ptr_array_new_with_free_func((GDestroyNotify)object_release);
	g_ptr_array_add(machine->memory_backends, object);
	return object;
}

static bool take_whole(struct machine *machine, const char *id, GError **error)
{
	struct object *object = take_backend(machine, id, error);

	if (!object)
		return false;
	machine->backend_memory = memory_backend_bytes(object);
	return memory_backend_size(object) == machine->config->memory_size ||
	       fail(error, VITRINE_ERROR_INPUT, "-m: the size has to be that of memory-backend=%s",
		       id);
}

/* Room for all nodes in one piece, so that a device may reach across the end of one; the objects take all of it. */
static uint8_t *reserve(uint64_t size, GError **error)
{
	uint64_t whole = size + HUGEST_PAGE;
	uint8_t *bytes =
		mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t before;

	if (bytes == MAP_FAILED) {
		fail_errno(error, VITRINE_ERROR_HOST,
			"the host has no addresses for %" G_GUINT64_FORMAT " MiB of memory",
			size / MiB);
		return NULL;
	}
	before = -(uintptr_t)bytes & (HUGEST_PAGE - 1);
	if (before > 0)
		munmap(bytes, before);
	munmap(bytes + before + size, HUGEST_PAGE - before);
	return bytes + before;
}

static bool take_nodes(struct machine *machine, const struct numa_config *numa, GError **error)
{
	uint8_t *room = reserve(machine->config->memory_size, error);
	uint64_t at = 0;

	if (!room)
		return false;
	for (unsigned i = 0; i < numa->count; i++) {
		struct object *object = take_backend(machine, numa->nodes[i].memdev, error);

		/* What was reserved for those that are left is given back here. */
		if (!object ||
			!checked_range(
				at, memory_backend_size(object), machine->config->memory_size) ||
			!memory_backend_move(object, room + at, error)) {
			munmap(room + at, machine->config->memory_size - at);
			return false;
		}
		at += memory_backend_size(object);
	}
	machine->backend_memory = room;
	return true;
}

static bool take_backends(struct machine *machine, GError **error)
{
	const struct firmware_config *firmware = machine->config->firmware_config;

	if (machine->config->memory_backend)
		return take_whole(machine, machine->config->memory_backend, error);
	return !firmware || !firmware->numa.nodes[0].memdev ||
	       take_nodes(machine, &firmware->numa, error);
}

static bool map_slot(struct machine *machine, struct memory_block *block, unsigned index,
	const char *name, uint64_t offset, uint64_t size, uint64_t address, unsigned flags,
	GError **error)
{
	block->slots[index] = memory_slot_new(
		machine->memory, name, (uint8_t *)block->bytes + offset, size, flags);
	return memory_slot_map(block->slots[index], address, error);
}

static bool add_low_ram(struct machine *machine, uint64_t size, GError **error)
{
	struct memory_block *block = add_ram_block(machine, 0, size, error);
	uint8_t *ram;

	if (!block ||
		!map_slot(machine, block, 0, "RAM below 640 KiB", 0, VGA_WINDOW, 0, MEMORY_SLOT_RAM,
			error) ||
		!map_slot(machine, block, 1, "RAM", LEGACY_END, size - LEGACY_END, LEGACY_END, 0,
			error))
		return false;
	/* One range for DMA, which may cross 1 MiB. */
	ram = (uint8_t *)block->bytes + LEGACY_START;
	guest_memory_add_ram(machine->memory, LEGACY_START, ram, size - LEGACY_START);
	machine->legacy_area = legacy_area_new(machine, ram);
	return true;
}

bool machine_add_ram(struct machine *machine, GError **error)
{
	const struct machine_type *type = machine->config->type;
	uint64_t size = machine->config->memory_size;
	struct memory_block *high;

	if (size < MEMORY_MIN)
		return fail(error, VITRINE_ERROR_INPUT,
			"-m: %" G_GUINT64_FORMAT
			" KiB are too little memory; a guest needs at least %d MiB",
			size / KiB, MEMORY_MIN / MiB);
	if (size % (4 * KiB) != 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"-m: %" G_GUINT64_FORMAT " bytes are no whole number of 4 KiB pages", size);
	machine->low_memory = size < type->low_memory_max ? size : type->low_memory;
	machine->high_memory = size - machine->low_memory;
	if (!take_backends(machine, error) || !add_low_ram(machine, machine->low_memory, error))
		return false;
	if (machine->high_memory == 0)
		return true;
	high = add_ram_block(machine, machine->low_memory, machine->high_memory, error);
	return high && map_slot(machine, high, 0, "RAM above 4 GiB", 0, high->size,
			       UINT64_C(1) << 32, MEMORY_SLOT_RAM, error);
}

bool machine_add_firmware(struct machine *machine, GError **error)
{
	const char *name = machine->config->firmware ? machine->config->firmware
						     : machine->config->type->firmware;
	g_autoptr(GBytes) file = NULL;
	struct memory_block *block;
	gsize size;

	if (machine->config->flash[0].file)
		return true;
	file = firmware_file_load(name, error);
	if (!file)
		return false;
	size = g_bytes_get_size(file);
	if (size == 0 || size > FIRMWARE_MAX || size % (64 * KiB) != 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s is no firmware image: its size is %zu bytes, and has to be a multiple "
			"of 64 KiB, at "
			"most %d MiB",
			name, size, FIRMWARE_MAX / MiB);
	block = add_block(machine, size, error);
	if (!block)
		return false;
	memcpy(block->bytes, g_bytes_get_data(file, NULL), size);
	return legacy_area_set_rom(machine->legacy_area, block->bytes, size, error) &&
	       map_slot(machine, block, 0, "firmware", 0, size, (UINT64_C(1) << 32) - size,
		       MEMORY_SLOT_READ_ONLY, error);
}

void machine_free_ram(struct machine *machine)
{
	g_clear_pointer(&machine->legacy_area, legacy_area_free);
	for (guint i = 0; i < machine->memory_blocks->len; i++) {
		struct memory_block *block = machine->memory_blocks->pdata[i];

		for (size_t j = 0; j < G_N_ELEMENTS(block->slots); j++)
			memory_slot_free(block->slots[j]);
		if (!block->is_borrowed)
			munmap(block->bytes, block->size);
		g_free(block);
	}
	g_ptr_array_set_size(machine->memory_blocks, 0);
	g_clear_pointer(&machine->memory_backends, g_ptr_array_unref);
}
