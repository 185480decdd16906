/* QXL rendering: strokes, lines and curves one pixel wide, plain or dashed. As with GDI's cosmetic pens the last pixel of an open
 * path is left out.
 *
 * All pixels are collected in a mask first, so that one where lines cross is drawn once. Lines are cut to what can be seen before
 * they are walked, and the steps of all of them are bounded.
 */
#include <spice/enums.h>
#include <string.h>

#include "base/error.h"
#include "base/reader.h"
#include "display/devices/qxl-render-private.h"

enum {
	PATH_MOST = 4 * 1024 * 1024,  /* bytes */
	STEPS_MOST = 8 * 1024 * 1024, /* pixels of all lines */
	STEP_WORK = 4,                /* pixels filled in the time of a step, about */
	COORDINATE_MOST = 1 << 24,    /* pixels */
	CURVE_PARTS = 16,
	DASHES_MOST = 255,
};

struct point {
	int32_t x, y; /* pixels; for curves sixteenths */
};

struct stroke {
	pixman_image_t *mask; /* a8, for the extents */
	const pixman_box32_t *extents;
	uint32_t steps;                  /* so far */
	uint32_t dash_ends[DASHES_MOST]; /* pixels from the start of the first */
	unsigned dash_count;             /* 0: a plain line */
	bool gap_first;
	uint64_t walked; /* pixels of the path so far, for the dashes */
};

static bool in_gap(const struct stroke *stroke, uint64_t at)
{
	unsigned low = 0, high = stroke->dash_count; /* the dash is one of [low, high) */
	uint32_t rest;

	if (stroke->dash_count == 0)
		return false;
	rest = at % stroke->dash_ends[stroke->dash_count - 1];
	while (high - low > 1) {
		unsigned middle = (low + high) / 2;

		if (rest >= stroke->dash_ends[middle - 1])
			low = middle;
		else
			high = middle;
	}
	return (low % 2 != 0) != stroke->gap_first;
}

static void set_pixel(struct stroke *stroke, int64_t x, int64_t y)
{
	const pixman_box32_t *extents = stroke->extents;

	if (x < extents->x1 || x >= extents->x2 || y < extents->y1 || y >= extents->y2)
		return;
	((uint8_t *)pixman_image_get_data(
		stroke->mask))[(y - extents->y1) * pixman_image_get_stride(stroke->mask) + x -
			       extents->x1] = 0xff;
}

/* The steps of [0, @length) at which @from + step * @sign lies in [@low, @high). */
static void visible_steps(int64_t from, int sign, int64_t length, int64_t low, int64_t high,
	int64_t *first, int64_t *end)
{
	*first = MAX(0, sign > 0 ? low - from : from - (high - 1));
	*end = MIN(length, sign > 0 ? high - from : from - low + 1);
}

/* Without its last pixel. */
static void draw_line(struct stroke *stroke, struct point a, struct point b)
{
	const pixman_box32_t *extents = stroke->extents;
	int64_t dx = ABS((int64_t)b.x - a.x), dy = ABS((int64_t)b.y - a.y);
	int sx = b.x < a.x ? -1 : 1, sy = b.y < a.y ? -1 : 1;
	int64_t length = MAX(dx, dy);
	int64_t first, end;

	if (dx >= dy)
		visible_steps(a.x, sx, length, extents->x1, extents->x2, &first, &end);
	else
		visible_steps(a.y, sy, length, extents->y1, extents->y2, &first, &end);
	for (int64_t i = first; i < end && stroke->steps < STEPS_MOST; i++, stroke->steps++) {
		int64_t minor = (2 * i * MIN(dx, dy) + length) / (2 * length);

		if (in_gap(stroke, stroke->walked + i))
			continue;
		if (dx >= dy)
			set_pixel(stroke, a.x + sx * i, a.y + sy * minor);
		else
			set_pixel(stroke, a.x + sx * minor, a.y + sy * i);
	}
	stroke->walked += length;
}

/* 28.4 to the nearest pixel. */
static int32_t to_pixel(int64_t fixed)
{
	return CLAMP((fixed + 8) >> 4, -COORDINATE_MOST, COORDINATE_MOST);
}

static struct point pixel_of(struct point fixed)
{
	return (struct point) { to_pixel(fixed.x), to_pixel(fixed.y) };
}

static int64_t curve_at(int32_t a, int32_t b, int32_t c, int32_t d, int64_t t)
{
	int64_t u = CURVE_PARTS - t;

	return (u * u * u * a + 3 * u * u * t * b + 3 * u * t * t * c + t * t * t * d) /
	       (CURVE_PARTS * CURVE_PARTS * CURVE_PARTS);
}

static void draw_curve(struct stroke *stroke, const struct point points[4])
{
	struct point last = pixel_of(points[0]);

	for (int64_t t = 1; t <= CURVE_PARTS; t++) {
		struct point next = {
			to_pixel(curve_at(points[0].x, points[1].x, points[2].x, points[3].x, t)),
			to_pixel(curve_at(points[0].y, points[1].y, points[2].y, points[3].y, t)),
		};

		draw_line(stroke, last, next);
		last = next;
	}
}

static struct point read_point(struct reader *in)
{
	struct point point = { (int32_t)reader_le32(in), 0 };

	point.y = (int32_t)reader_le32(in);
	return point;
}

static void draw_segment(struct stroke *stroke, struct reader *in, uint32_t flags, uint32_t count,
	struct point *start, struct point *at)
{
	uint32_t i = 0;

	if (flags & SPICE_PATH_BEGIN && count > 0) {
		*start = *at = read_point(in);
		i = 1;
	}
	if (flags & SPICE_PATH_BEZIER) {
		for (; i + 3 <= count; i += 3) {
			struct point points[4] = { *at };

			for (unsigned k = 1; k < 4; k++)
				points[k] = read_point(in);
			draw_curve(stroke, points);
			*at = points[3];
		}
	}
	for (; i < count; i++) {
		struct point next = read_point(in);

		if (!(flags & SPICE_PATH_BEZIER))
			draw_line(stroke, pixel_of(*at), pixel_of(next));
		*at = next;
	}
	if (flags & SPICE_PATH_END && flags & SPICE_PATH_CLOSE)
		draw_line(stroke, pixel_of(*at), pixel_of(*start));
}

static bool draw_path(struct stroke *stroke, const struct qxl_bytes *bytes, GError **error)
{
	struct reader in = reader_from(bytes->bytes, bytes->length);
	struct point start = { 0 }, at = { 0 };

	while (reader_left(&in) > 0) {
		uint32_t flags = reader_le32(&in);
		uint32_t count = reader_le32(&in);

		if (reader_result(&in) != PARSE_DONE ||
			count > reader_left(&in) / sizeof(QXLPointFix))
			return fail(error, VITRINE_ERROR_INPUT,
				"a path ends before its %u points do", count);
		draw_segment(stroke, &in, flags, count, &start, &at);
	}
	return true;
}

static bool read_dashes(struct qxl_drawing *drawing, struct stroke *stroke, GError **error)
{
	const struct qxl_draw *draw = drawing->draw;
	int32_t style[DASHES_MOST];
	uint32_t end = 0;

	if (!draw->stroke.styled || draw->stroke.style_count == 0)
		return true;
	if (!qxl_memory_read(drawing->canvas->memory, draw->stroke.style, style,
		    draw->stroke.style_count * sizeof(style[0]), error))
		return false;
	stroke->gap_first = draw->stroke.gap_first;
	for (unsigned i = 0; i < draw->stroke.style_count; i++) {
		end += CLAMP(style[i] >> 4, 1, 1 << 16);
		stroke->dash_ends[i] = end;
	}
	stroke->dash_count = draw->stroke.style_count;
	return true;
}

static bool load_path(struct qxl_drawing *drawing, struct qxl_bytes *bytes, GError **error)
{
	uint64_t address = drawing->draw->stroke.path;
	uint32_t size;

	if (!qxl_memory_read(drawing->canvas->memory, address, &size, sizeof(size), error))
		return false;
	if (size > PATH_MOST)
		return fail(error, VITRINE_ERROR_INPUT, "%u bytes of a path, at most %d are taken",
			size, PATH_MOST);
	return qxl_memory_gather(
		drawing->canvas->memory, address + sizeof(size), size, bytes, error);
}

bool qxl_draw_stroke(struct qxl_drawing *drawing, GError **error)
{
	const pixman_box32_t *extents = &drawing->extents;
	struct stroke stroke = { .extents = extents };
	struct qxl_raster raster = { .rop = drawing->draw->stroke.rop };
	struct qxl_bytes bytes;
	bool good;

	if (!drawing->draw->brush.solid && !drawing->draw->brush.pattern)
		return true;
	if (!read_dashes(drawing, &stroke, error) || !load_path(drawing, &bytes, error))
		return false;
	raster.mask = stroke.mask = qxl_image_new(
		PIXMAN_a8, extents->x2 - extents->x1, extents->y2 - extents->y1, error);
	good = stroke.mask && draw_path(&stroke, &bytes, error) &&
	       qxl_drawing_set_brush(drawing, &drawing->draw->brush, &raster, error);
	if (good)
		qxl_raster_draw(drawing->target, &drawing->damage->region, &raster);
	drawing->damage->work += (uint64_t)stroke.steps * STEP_WORK + bytes.length;
	qxl_bytes_clear(&bytes);
	qxl_raster_clear(&raster);
	return good;
}
