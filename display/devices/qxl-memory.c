/* QXL memory: from an address of the guest's to bytes that are inside. */
#include "display/devices/qxl-memory.h"

#include <string.h>

#include <spice/qxl_dev.h>

#include "base/checked.h"
#include "base/error.h"

enum {
	SLOT_SHIFT = 56,
	GENERATION_SHIFT = 48,
};

#define OFFSET_MASK ((UINT64_C(1) << GENERATION_SHIFT) - 1)

bool qxl_memory_add_slot(struct qxl_memory *memory, unsigned slot, enum qxl_area area,
	uint64_t offset, uint64_t size)
{
	if (slot >= QXL_SLOTS || area >= QXL_AREAS ||
		!checked_range(offset, size, memory->areas[area].size))
		return false;
	memory->slots.area[slot] = area;
	memory->slots.offset[slot] = offset;
	memory->slots.size[slot] = size;
	return true;
}

void qxl_memory_remove_slot(struct qxl_memory *memory, unsigned slot)
{
	if (slot < QXL_SLOTS)
		memory->slots.size[slot] = 0;
}

void qxl_memory_reset(struct qxl_memory *memory)
{
	memset(&memory->slots, 0, sizeof(memory->slots));
}

bool qxl_memory_has_slot(const struct qxl_memory *memory, unsigned slot)
{
	return slot < QXL_SLOTS && memory->slots.size[slot] > 0;
}

bool qxl_memory_slots_fit(const struct qxl_memory *memory)
{
	const struct qxl_slots *slots = &memory->slots;

	for (unsigned i = 0; i < QXL_SLOTS; i++)
		if (slots->area[i] >= QXL_AREAS || !checked_range(slots->offset[i], slots->size[i],
							   memory->areas[slots->area[i]].size))
			return false;
	return true;
}

bool qxl_memory_find(const struct qxl_memory *memory, uint64_t address, uint64_t length,
	struct qxl_place *place, GError **error)
{
	unsigned slot = address >> SLOT_SHIFT;
	uint64_t offset = address & OFFSET_MASK;

	if (!qxl_memory_has_slot(memory, slot))
		return fail(error, VITRINE_ERROR_INPUT,
			"address 0x%016" G_GINT64_MODIFIER "x is in no memory slot", address);
	if ((address >> GENERATION_SHIFT & 0xff) != 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"address 0x%016" G_GINT64_MODIFIER "x is of another generation than 0",
			address);
	if (!checked_range(offset, length, memory->slots.size[slot]))
		return fail(error, VITRINE_ERROR_INPUT,
			"%" G_GUINT64_FORMAT " bytes at 0x%016" G_GINT64_MODIFIER
			"x do not end inside their memory slot",
			length, address);
	place->area = memory->slots.area[slot];
	place->offset = memory->slots.offset[slot] + offset;
	return true;
}

uint8_t *qxl_memory_at(const struct qxl_memory *memory, const struct qxl_place *place)
{
	return memory->areas[place->area].bytes + place->offset;
}

bool qxl_memory_read(
	const struct qxl_memory *memory, uint64_t address, void *to, size_t length, GError **error)
{
	struct qxl_place place;

	if (!qxl_memory_find(memory, address, length, &place, error))
		return false;
	memcpy(to, qxl_memory_at(memory, &place), length);
	return true;
}

/* One chunk: its header, copied, and where its data is; no more of them than @wanted. */
static bool read_chunk(const struct qxl_memory *memory, uint64_t address, size_t wanted,
	QXLDataChunk *header, struct qxl_bytes *data, GError **error)
{
	struct qxl_place place;

	if (!qxl_memory_read(memory, address, header, sizeof(*header), error))
		return false;
	data->length = MIN(header->data_size, wanted);
	data->copy = NULL;
	if (!qxl_memory_find(memory, address, sizeof(*header) + data->length, &place, error))
		return false;
	data->bytes = qxl_memory_at(memory, &place) + sizeof(*header);
	return true;
}

static bool too_much(size_t wanted, GError **error)
{
	return fail(error, VITRINE_ERROR_INPUT, "%zu bytes of data, at most %d are taken", wanted,
		QXL_GATHER_MOST);
}

bool qxl_memory_gather(const struct qxl_memory *memory, uint64_t address, size_t wanted,
	struct qxl_bytes *bytes, GError **error)
{
	g_autofree uint8_t *copy = NULL;
	size_t length = 0;

	if (wanted > QXL_GATHER_MOST)
		return too_much(wanted, error);
	/* Not before something is there to be copied: a guest shall not make us allocate for nothing. */
	for (unsigned i = 0; i < QXL_CHUNKS_MOST && (i == 0 || length < wanted); i++) {
		struct qxl_bytes data;
		QXLDataChunk header;

		if (!read_chunk(memory, address, wanted - length, &header, &data, error))
			return false;
		if (!copy && !(copy = g_try_malloc0(MAX(wanted, 1))))
			return fail(error, VITRINE_ERROR_HOST, "no memory for %zu bytes of data",
				wanted);
		memcpy(copy + length, data.bytes, data.length);
		length += data.length;
		address = header.next_chunk;
		if (address == 0)
			break;
	}
	if (length < wanted)
		return fail(error, VITRINE_ERROR_INPUT,
			"a chain of chunks has %zu bytes, %zu were promised", length, wanted);
	bytes->bytes = copy;
	bytes->length = length;
	bytes->copy = g_steal_pointer(&copy);
	return true;
}

bool qxl_memory_view(const struct qxl_memory *memory, uint64_t address, size_t wanted,
	struct qxl_bytes *bytes, GError **error)
{
	QXLDataChunk header;

	if (wanted > QXL_GATHER_MOST)
		return too_much(wanted, error);
	if (!read_chunk(memory, address, wanted, &header, bytes, error))
		return false;
	if (bytes->length == wanted)
		return true;
	return qxl_memory_gather(memory, address, wanted, bytes, error);
}

bool qxl_memory_view_direct(const struct qxl_memory *memory, uint64_t address, size_t wanted,
	struct qxl_bytes *bytes, GError **error)
{
	struct qxl_place place;

	if (wanted > QXL_GATHER_MOST)
		return too_much(wanted, error);
	if (!qxl_memory_find(memory, address, wanted, &place, error))
		return false;
	*bytes = (struct qxl_bytes) { qxl_memory_at(memory, &place), wanted, NULL };
	return true;
}

void qxl_bytes_clear(struct qxl_bytes *bytes)
{
	g_clear_pointer(&bytes->copy, g_free);
	bytes->bytes = NULL;
	bytes->length = 0;
}
