/* Damage: dirty pages, a comparison of what lies in them, tiles. */
#include "display/damage.h"

#include <string.h>

#include "display/bitmap.h"

enum {
	PAGE_SIZE = 4096,

	FULL_MOTION_DIRTY = 60, /* percent of the pages of the picture ... */
	FULL_MOTION_HARVESTS =
		4,           /* ... in as many harvests, one after the other: enter full motion */
	LITTLE_CHANGED = 20, /* percent of the tiles ... */
	LITTLE_HARVESTS = 8, /* ... in as many harvests, one after the other: leave it */

	OWED_MOST = 8, /* harvests that a restless tile waits for its report */
};

/* What a tile is, besides how many harvests it has been owed a report (the bits above). */
enum tile {
	TILE_WRITTEN = 1 << 0, /* in this harvest */
	TILE_CHANGED = 1 << 1, /* in this harvest */
	TILE_GIVEN = 1 << 2,   /* a consumer may have read it since it last was at rest */
	TILE_OWED = 1 << 3,    /* one harvest owed */
};

struct damage_tracker {
	struct video_memory *memory;
	struct memory_watch *watch;
	struct scanout scanout;
	uint32_t row_bytes;         /* of a row that hold pixels */
	uint32_t tile_bytes;        /* of a row of a tile */
	uint32_t columns, rows;     /* of tiles */
	uint64_t first_page, pages; /* of the memory that the picture touches */
	unsigned long *dirty;       /* pages, by their number in the memory */
	uint8_t *tiles;
	uint8_t *copy; /* rows without padding; NULL while the memory has no log */
	bool logged;
	bool restless; /* some tile is TILE_GIVEN or owed */
	bool full_motion;
	unsigned streak; /* harvests that spoke for entering or leaving full motion */
};

static const uint8_t *live_row(const struct damage_tracker *tracker, uint32_t row)
{
	return video_memory_bytes(tracker->memory) + tracker->scanout.offset +
	       (uint64_t)row * tracker->scanout.stride;
}

static uint8_t *copied_row(const struct damage_tracker *tracker, uint32_t row)
{
	return tracker->copy + (size_t)row * tracker->row_bytes;
}

static void take_copy(struct damage_tracker *tracker)
{
	tracker->copy = g_malloc((size_t)tracker->row_bytes * tracker->scanout.height);
	for (uint32_t row = 0; row < tracker->scanout.height; row++)
		memcpy(copied_row(tracker, row), live_row(tracker, row), tracker->row_bytes);
}

static void fetch_pages(struct damage_tracker *tracker)
{
	uint64_t end = tracker->first_page + tracker->pages;
	size_t first_word = tracker->first_page / BITMAP_BITS;

	memset(tracker->dirty + first_word, 0,
		(bitmap_words(end) - first_word) * sizeof(tracker->dirty[0]));
	tracker->logged = memory_watch_harvest(tracker->watch, tracker->first_page, tracker->pages,
		tracker->dirty, tracker->full_motion);
}

struct damage_tracker *damage_tracker_new(
	struct video_memory *memory, const struct scanout *scanout)
{
	struct damage_tracker *tracker = g_new0(struct damage_tracker, 1);
	uint32_t pixel_bytes = scanout_pixel_bytes(scanout->format);
	uint64_t end;

	tracker->memory = video_memory_ref(memory);
	tracker->scanout = *scanout;
	tracker->row_bytes = scanout->width * pixel_bytes;
	tracker->tile_bytes = DAMAGE_TILE_WIDTH * pixel_bytes;
	tracker->columns = (scanout->width + DAMAGE_TILE_WIDTH - 1) / DAMAGE_TILE_WIDTH;
	tracker->rows = (scanout->height + DAMAGE_TILE_HEIGHT - 1) / DAMAGE_TILE_HEIGHT;
	end = scanout->offset + (uint64_t)(scanout->height - 1) * scanout->stride +
	      tracker->row_bytes;
	tracker->first_page = scanout->offset / PAGE_SIZE;
	tracker->pages = (end + PAGE_SIZE - 1) / PAGE_SIZE - tracker->first_page;
	tracker->dirty = g_new0(unsigned long, bitmap_words(video_memory_size(memory) / PAGE_SIZE));
	tracker->tiles = g_malloc0((size_t)tracker->columns * tracker->rows);
	tracker->watch = video_memory_watch(memory);
	/* At first everything counts as dirty. From here on only what is written is, then the copy is taken, and then
	 * consumers read: nothing falls between. */
	fetch_pages(tracker);
	if (tracker->logged)
		take_copy(tracker);
	damage_tracker_given(tracker, NULL);
	return tracker;
}

void damage_tracker_free(struct damage_tracker *tracker)
{
	memory_watch_end(tracker->watch);
	g_free(tracker->dirty);
	g_free(tracker->tiles);
	g_free(tracker->copy);
	video_memory_unref(tracker->memory);
	g_free(tracker);
}

/* Compares the bytes [@from, @end) of a row, and takes over what differs. */
static void compare_row(struct damage_tracker *tracker, uint32_t row, uint32_t from, uint32_t end)
{
	uint8_t *tiles = tracker->tiles + (size_t)(row / DAMAGE_TILE_HEIGHT) * tracker->columns;
	const uint8_t *live = live_row(tracker, row);
	uint8_t *copied = copied_row(tracker, row);

	for (uint32_t column = from / tracker->tile_bytes; from < end; column++) {
		uint32_t stop = MIN(end, (column + 1) * tracker->tile_bytes);

		tiles[column] |= TILE_WRITTEN;
		if (memcmp(copied + from, live + from, stop - from) != 0) {
			memcpy(copied + from, live + from, stop - from);
			tiles[column] |= TILE_CHANGED;
		}
		from = stop;
	}
}

/* Compares what of the picture lies in the bytes [@from, @end) of the memory. */
static void compare_bytes(struct damage_tracker *tracker, uint64_t from, uint64_t end)
{
	const struct scanout *scanout = &tracker->scanout;
	uint64_t at;

	if (end <= scanout->offset)
		return;
	at = MAX(from, scanout->offset) - scanout->offset;
	end -= scanout->offset;
	while (at < end) {
		uint64_t row = at / scanout->stride;
		uint64_t row_start = row * scanout->stride;

		if (row >= scanout->height)
			return;
		compare_row(tracker, row, at - row_start, MIN(end - row_start, tracker->row_bytes));
		at = row_start + scanout->stride;
	}
}

static void compare_boxes(struct damage_tracker *tracker, pixman_region32_t *told)
{
	uint32_t pixel_bytes = scanout_pixel_bytes(tracker->scanout.format);
	int count;
	pixman_box32_t *boxes = pixman_region32_rectangles(told, &count);

	for (int i = 0; i < count; i++)
		for (int32_t row = boxes[i].y1; row < boxes[i].y2; row++)
			compare_row(
				tracker, row, boxes[i].x1 * pixel_bytes, boxes[i].x2 * pixel_bytes);
}

/* Returns the number of dirty pages in the picture. */
static uint64_t compare_pages(struct damage_tracker *tracker)
{
	uint64_t end = tracker->first_page + tracker->pages;
	uint64_t page = tracker->first_page;
	uint64_t found = 0;

	while ((page = bitmap_find(tracker->dirty, page, end, true)) < end) {
		uint64_t stop = bitmap_find(tracker->dirty, page, end, false);

		compare_bytes(tracker, page * PAGE_SIZE, stop * PAGE_SIZE);
		found += stop - page;
		page = stop;
	}
	return found;
}

/* One step of a tile: whether it is reported now, and what it is from now on. */
static bool settle_tile(uint8_t *tile, bool reading)
{
	uint8_t was = *tile;
	uint8_t given = was & TILE_GIVEN;
	unsigned owed = was / TILE_OWED;

	if (was & TILE_CHANGED) {
		*tile = given;
		return true;
	}
	if (was & TILE_WRITTEN) {
		bool report = given && owed + 1 >= OWED_MOST;

		*tile = given && !report ? given + (owed + 1) * TILE_OWED : given;
		return report;
	}
	*tile = owed > 0 || reading ? given : 0;
	return owed > 0;
}

struct boxes {
	pixman_box32_t *all;
	size_t count, room;
};

static void add_run(const struct damage_tracker *tracker, struct boxes *boxes, uint32_t row,
	uint32_t first, uint32_t end)
{
	if (boxes->count == boxes->room) {
		boxes->room = MAX(64, boxes->room * 2);
		boxes->all = g_renew(pixman_box32_t, boxes->all, boxes->room);
	}
	boxes->all[boxes->count++] = (pixman_box32_t) {
		.x1 = first * DAMAGE_TILE_WIDTH,
		.y1 = row * DAMAGE_TILE_HEIGHT,
		.x2 = MIN(end * DAMAGE_TILE_WIDTH, tracker->scanout.width),
		.y2 = MIN((row + 1) * DAMAGE_TILE_HEIGHT, tracker->scanout.height),
	};
}

/* Walks all tiles; returns how many of them changed. */
static uint32_t settle_tiles(
	struct damage_tracker *tracker, bool reading, pixman_region32_t *damage)
{
	struct boxes boxes = { 0 };
	uint32_t changed = 0;

	tracker->restless = false;
	for (uint32_t row = 0; row < tracker->rows; row++) {
		uint8_t *tiles = tracker->tiles + (size_t)row * tracker->columns;
		uint32_t run = 0; /* tiles to report just before this one */

		for (uint32_t column = 0; column < tracker->columns; column++) {
			changed += (tiles[column] & TILE_CHANGED) != 0;
			if (tiles[column] != 0 && settle_tile(&tiles[column], reading)) {
				run++;
			} else if (run > 0) {
				add_run(tracker, &boxes, row, column - run, column);
				run = 0;
			}
			tracker->restless |= tiles[column] != 0;
		}
		if (run > 0)
			add_run(tracker, &boxes, row, tracker->columns - run, tracker->columns);
	}
	if (boxes.count > 0) {
		pixman_region32_t found;

		pixman_region32_init_rects(&found, boxes.all, boxes.count);
		pixman_region32_union(damage, damage, &found);
		pixman_region32_fini(&found);
	}
	g_free(boxes.all);
	return changed;
}

static void judge_motion(struct damage_tracker *tracker, uint64_t dirty_pages, uint32_t changed)
{
	uint64_t tiles = (uint64_t)tracker->columns * tracker->rows;
	bool speaks_for_change = tracker->full_motion
					 ? (uint64_t)changed * 100 < tiles * LITTLE_CHANGED
					 : dirty_pages * 100 > tracker->pages * FULL_MOTION_DIRTY;

	tracker->streak = speaks_for_change ? tracker->streak + 1 : 0;
	if (tracker->streak >= (tracker->full_motion ? LITTLE_HARVESTS : FULL_MOTION_HARVESTS)) {
		tracker->full_motion = !tracker->full_motion;
		tracker->streak = 0;
	}
}

void damage_tracker_harvest(struct damage_tracker *tracker, pixman_region32_t *told, bool reading,
	pixman_region32_t *damage)
{
	uint64_t dirty_pages;
	uint32_t changed = 0;

	fetch_pages(tracker);
	if (!tracker->logged) {
		g_clear_pointer(&tracker->copy, g_free);
		pixman_region32_union(damage, damage, told);
		return;
	}
	if (!tracker->copy) {
		/* The log came while the picture was watched: what was before it is unknown. */
		take_copy(tracker);
		pixman_region32_union_rect(
			damage, damage, 0, 0, tracker->scanout.width, tracker->scanout.height);
		return;
	}
	dirty_pages = compare_pages(tracker);
	compare_boxes(tracker, told);
	if (dirty_pages > 0 || tracker->restless || pixman_region32_not_empty(told))
		changed = settle_tiles(tracker, reading, damage);
	judge_motion(tracker, dirty_pages, changed);
}

void damage_tracker_given(struct damage_tracker *tracker, const pixman_region32_t *area)
{
	pixman_box32_t whole = { 0, 0, tracker->scanout.width, tracker->scanout.height };
	const pixman_box32_t *boxes = &whole;
	int count = 1;

	if (area)
		boxes = pixman_region32_rectangles((pixman_region32_t *)area, &count);
	for (int i = 0; i < count; i++) {
		uint32_t left = boxes[i].x1 / DAMAGE_TILE_WIDTH;
		uint32_t right = (boxes[i].x2 - 1) / DAMAGE_TILE_WIDTH;
		uint32_t bottom = (boxes[i].y2 - 1) / DAMAGE_TILE_HEIGHT;

		for (uint32_t row = boxes[i].y1 / DAMAGE_TILE_HEIGHT; row <= bottom; row++)
			for (uint32_t column = left; column <= right; column++)
				tracker->tiles[(size_t)row * tracker->columns + column] |=
					TILE_GIVEN;
	}
	tracker->restless |= count > 0;
}

bool damage_tracker_polls(const struct damage_tracker *tracker)
{
	return tracker->logged;
}

bool damage_tracker_full_motion(const struct damage_tracker *tracker)
{
	return tracker->full_motion;
}
