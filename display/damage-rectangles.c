/* From a region to few rectangles: pixman cuts regions into bands, which doubles and triples the rectangles of damage
 * that lies side by side. */
#include "display/damage.h"

#include <string.h>

enum {
	EXACT_MOST =
		256, /* boxes of a region; above, bands are joined before anything else is tried */
};

static int64_t area(const pixman_box32_t *box)
{
	return (int64_t)(box->x2 - box->x1) * (box->y2 - box->y1);
}

static pixman_box32_t join(const pixman_box32_t *a, const pixman_box32_t *b)
{
	return (pixman_box32_t) {
		.x1 = MIN(a->x1, b->x1),
		.y1 = MIN(a->y1, b->y1),
		.x2 = MAX(a->x2, b->x2),
		.y2 = MAX(a->y2, b->y2),
	};
}

/* Stacks boxes of the same columns that touch. Boxes come in bands from the top, so only what ends where a box begins
 * can take it. */
static unsigned stack_columns(const pixman_box32_t *boxes, unsigned count, pixman_box32_t *out)
{
	unsigned used = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned j = 0;

		while (j < used && !(out[j].y2 == boxes[i].y1 && out[j].x1 == boxes[i].x1 &&
					   out[j].x2 == boxes[i].x2))
			j++;
		if (j < used)
			out[j].y2 = boxes[i].y2;
		else
			out[used++] = boxes[i];
	}
	return used;
}

/* One box for each band, in at most @most groups of neighbouring bands. */
static unsigned join_bands(
	const pixman_box32_t *boxes, unsigned count, pixman_box32_t *out, unsigned most)
{
	unsigned used = 0;
	unsigned group = count / most + 1;

	for (unsigned i = 0; i < count; i++) {
		if (i % group == 0)
			out[used++] = boxes[i];
		else
			out[used - 1] = join(&out[used - 1], &boxes[i]);
	}
	return used;
}

/* Joins the two boxes that waste the fewest pixels. */
static void join_cheapest(pixman_box32_t *boxes, unsigned *count)
{
	int64_t least = INT64_MAX;
	unsigned a = 0, b = 1;

	for (unsigned i = 0; i < *count; i++) {
		for (unsigned j = i + 1; j < *count; j++) {
			pixman_box32_t both = join(&boxes[i], &boxes[j]);
			int64_t waste = area(&both) - area(&boxes[i]) - area(&boxes[j]);

			if (waste < least) {
				least = waste;
				a = i;
				b = j;
			}
		}
	}
	boxes[a] = join(&boxes[a], &boxes[b]);
	boxes[b] = boxes[--*count];
}

unsigned damage_rectangles(
	const pixman_region32_t *region, struct rectangle *rectangles, unsigned most)
{
	int count;
	const pixman_box32_t *boxes =
		pixman_region32_rectangles((pixman_region32_t *)region, &count);
	pixman_box32_t few[EXACT_MOST];
	unsigned used;

	if (count <= 0)
		return 0;
	if (count > EXACT_MOST)
		used = join_bands(boxes, count, few, MIN(most, EXACT_MOST));
	else
		used = stack_columns(boxes, count, few);
	/* Joining pairs is quadratic: worth it for a few too many only. */
	if (used > 2 * most)
		used = join_bands(few, used, few, most);
	while (used > most)
		join_cheapest(few, &used);
	for (unsigned i = 0; i < used; i++)
		rectangles[i] = (struct rectangle) {
			.x = few[i].x1,
			.y = few[i].y1,
			.width = few[i].x2 - few[i].x1,
			.height = few[i].y2 - few[i].y1,
		};
	return used;
}
