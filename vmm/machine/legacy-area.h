/* The addresses from 0xc0000 to 0xfffff, where RAM and the firmware's ROM lie over each other: which of them the guest
 * reads and writes, piece by piece, as the host bridge's registers say.
 *
 * DMA reaches the RAM whatever the guest sees there.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct machine;
struct legacy_area;

enum {
	LEGACY_START = 0xc0000,
	LEGACY_END = 0x100000,
	LEGACY_SIZE = LEGACY_END - LEGACY_START,
	LEGACY_PIECE = 0x4000,
	LEGACY_PIECES = LEGACY_SIZE / LEGACY_PIECE,
	LEGACY_ROM_MAX = 0x20000, /* bytes of ROM, up to LEGACY_END; there is nothing below it */
};

enum legacy_access {
	LEGACY_READ_RAM = 1 << 0,  /* else: the ROM, or nothing */
	LEGACY_WRITE_RAM = 1 << 1, /* else writes vanish */
};

/**
 * legacy_area_new - the area, with neither RAM nor ROM to be seen
 * @ram: LEGACY_SIZE bytes, page-aligned; outlives the area
 *
 * The machine's memory and its space of registers have to exist.
 */
struct legacy_area *legacy_area_new(struct machine *machine, uint8_t *ram);
void legacy_area_free(struct legacy_area *area);

/* The end of the firmware's image, at most LEGACY_ROM_MAX bytes of it, copied; appears where no RAM is read. False with
 * @error on host trouble. */
bool legacy_area_set_rom(
	struct legacy_area *area, const uint8_t *image, uint64_t size, GError **error);

/* What the guest sees from now on, each piece by enum legacy_access. With the machine's lock. */
void legacy_area_set_access(struct legacy_area *area, const uint8_t access[LEGACY_PIECES]);
