/* Damage: which parts of one scanout changed since they were last asked for.
 *
 * The dirty log of the video memory says which pages were written; a comparison with a copy says which tiles of 64 by 16
 * pixels really differ. The copy and the log exist only as long as the tracker does, which is as long as somebody watches.
 *
 * The guest draws while we compare and while consumers read. Pages are fetched from the log before they are read, so a
 * change during a comparison is either found by it or dirty for the next one. A consumer may also have read something in
 * between that was gone again when it was compared; so a tile that a consumer may have read while it was being written
 * is reported once more when it has come to rest.
 *
 * When most pages are written again and again, protecting them costs the guest more than comparing costs us: the log is
 * then read but no longer cleared (full motion), until comparisons find little.
 */
#pragma once

#include <pixman.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/scanout.h"
#include "display/video-memory.h"

enum {
	DAMAGE_TILE_WIDTH = 64,  /* pixels */
	DAMAGE_TILE_HEIGHT = 16, /* pixels */
};

struct damage_tracker;

/* @scanout fits @memory. Turns the log on; all tiles count as being read by consumers. */
struct damage_tracker *damage_tracker_new(
	struct video_memory *memory, const struct scanout *scanout);
void damage_tracker_free(struct damage_tracker *tracker);

/**
 * damage_tracker_harvest - add what changed since the last harvest to @damage
 * @told: what the device said that it drew, inside the picture. With a log it is compared like written pages are; without
 * one it is the damage
 * @reading: whether a consumer may still be reading what it was given earlier
 */
void damage_tracker_harvest(struct damage_tracker *tracker, pixman_region32_t *told, bool reading,
	pixman_region32_t *damage);

/* Consumers were given @area and will read it; NULL is the whole picture. */
void damage_tracker_given(struct damage_tracker *tracker, const pixman_region32_t *area);

/* Whether a harvest can find something without the device having said so. */
bool damage_tracker_polls(const struct damage_tracker *tracker);
bool damage_tracker_full_motion(const struct damage_tracker *tracker);

/**
 * damage_rectangles - a region as few rectangles
 * @most: room in @rectangles, at least 1
 *
 * The rectangles cover the region; they may overlap and cover more where exactness would need more than @most of them.
 * Returns how many they are, 0 for an empty region.
 */
unsigned damage_rectangles(
	const pixman_region32_t *region, struct rectangle *rectangles, unsigned most);
