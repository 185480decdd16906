/* The memory that QXL commands point into: slots, addresses, and chains of chunks.
 *
 * The guest owns this memory and may write it at any time. So nothing in it is looked at twice: what has a meaning is copied
 * out first and checked then. Only pixels are read in place, through a view that has been checked to lie inside, and whatever
 * they turn out to be is a colour.
 *
 * Specification: QXLPHYSICAL, QXLMemSlot and QXLDataChunk of spice/qxl_dev.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	QXL_SLOTS = 8,
	QXL_CHUNKS_MOST = 65536,             /* in one chain */
	QXL_GATHER_MOST = 256 * 1024 * 1024, /* bytes of one chain */
};

/* A piece of the device's memory. */
enum qxl_area {
	QXL_AREA_RAM,  /* BAR 0 */
	QXL_AREA_VRAM, /* BAR 1, and BAR 4 */
	QXL_AREAS,
};

/* The slots, as they are saved. A slot of no bytes is not there. */
struct qxl_slots {
	uint8_t area[QXL_SLOTS];    /* enum qxl_area */
	uint64_t offset[QXL_SLOTS]; /* bytes from the start of the area */
	uint64_t size[QXL_SLOTS];   /* bytes */
};

struct qxl_memory {
	struct {
		uint8_t *bytes;
		uint64_t size;
	} areas[QXL_AREAS];
	struct qxl_slots slots;
};

/* Where something lies, once its address was checked: it stays there whatever becomes of the slot. */
struct qxl_place {
	enum qxl_area area;
	uint64_t offset; /* bytes from the start of the area */
};

/* Bytes taken from the guest: a copy, or pixels in place. */
struct qxl_bytes {
	const uint8_t *bytes;
	size_t length;
	uint8_t *copy; /* NULL: @bytes are in the guest's memory */
};

/* [@offset, @offset + @size) of the area becomes slot @slot, 0..QXL_SLOTS - 1. False when it is not inside the area. */
bool qxl_memory_add_slot(struct qxl_memory *memory, unsigned slot, enum qxl_area area,
	uint64_t offset, uint64_t size);
void qxl_memory_remove_slot(struct qxl_memory *memory, unsigned slot);
void qxl_memory_reset(struct qxl_memory *memory);
bool qxl_memory_has_slot(const struct qxl_memory *memory, unsigned slot);
/* What came from outside fits the areas. */
bool qxl_memory_slots_fit(const struct qxl_memory *memory);

/**
 * qxl_memory_find - where an address of the guest's leads to
 * @address: slot (8 bits), generation (8 bits), offset in the slot (48 bits)
 * @length: bytes from there that have to be in the slot
 *
 * Returns false with @error when they are not.
 */
bool qxl_memory_find(const struct qxl_memory *memory, uint64_t address, uint64_t length,
	struct qxl_place *place, GError **error);
uint8_t *qxl_memory_at(const struct qxl_memory *memory, const struct qxl_place *place);

/* Copies @length bytes out. */
bool qxl_memory_read(
	const struct qxl_memory *memory, uint64_t address, void *to, size_t length, GError **error);

/**
 * qxl_memory_gather - the data of a chain of chunks
 * @address: of the first chunk
 * @wanted: bytes, at most QXL_GATHER_MOST; what the chain has beyond is left alone
 *
 * Returns false with @error when the chain has less, an address in it is wrong, or it has too many chunks.
 * qxl_memory_gather() always copies; qxl_memory_view() leaves the data where it is when it is in one chunk.
 */
bool qxl_memory_gather(const struct qxl_memory *memory, uint64_t address, size_t wanted,
	struct qxl_bytes *bytes, GError **error);
bool qxl_memory_view(const struct qxl_memory *memory, uint64_t address, size_t wanted,
	struct qxl_bytes *bytes, GError **error);
/* @wanted bytes at @address itself, in place. */
bool qxl_memory_view_direct(const struct qxl_memory *memory, uint64_t address, size_t wanted,
	struct qxl_bytes *bytes, GError **error);
void qxl_bytes_clear(struct qxl_bytes *bytes);
