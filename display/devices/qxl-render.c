/* QXL rendering: where a command draws, with what, and how. */
#include "display/devices/qxl-render.h"

#include <string.h>

#include "base/error.h"
#include "display/devices/qxl-raster.h"
#include "display/devices/qxl-render-private.h"

enum {
	CLIP_BATCH = 1024,   /* rectangles that become a region at once */
	SCALED_MOST = 32767, /* pixels in each direction of what is scaled */
};

/* The rectangles of a clip, cut out of the region. A guest's rectangles may overlap so that they fall into very many. */
static bool clip_region(const struct qxl_canvas *canvas, uint64_t address,
	struct qxl_damage *damage, GError **error)
{
	pixman_region32_t clip, batch;
	struct qxl_bytes bytes;
	uint32_t count;
	bool good = true;

	if (!qxl_memory_read(canvas->memory, address, &count, sizeof(count), error))
		return false;
	if (count > QXL_CLIP_MOST)
		return fail(error, VITRINE_ERROR_INPUT,
			"a clip of %u rectangles, at most %d are taken", count, QXL_CLIP_MOST);
	if (!qxl_memory_gather(canvas->memory, address + sizeof(count),
		    (size_t)count * sizeof(QXLRect), &bytes, error))
		return false;
	damage->work += count;
	pixman_region32_init(&clip);
	for (uint32_t first = 0; first < count && good; first += CLIP_BATCH) {
		pixman_box32_t boxes[CLIP_BATCH];
		int used = 0;

		for (uint32_t i = first; i < MIN(count, first + CLIP_BATCH); i++) {
			QXLRect rect;

			memcpy(&rect, bytes.bytes + i * sizeof(rect), sizeof(rect));
			if (rect.left < rect.right && rect.top < rect.bottom)
				boxes[used++] = (pixman_box32_t) { rect.left, rect.top, rect.right,
					rect.bottom };
		}
		pixman_region32_init_rects(&batch, boxes, used);
		pixman_region32_union(&clip, &clip, &batch);
		damage->work += (uint64_t)pixman_region32_n_rects(&batch) +
				(uint64_t)pixman_region32_n_rects(&clip);
		pixman_region32_fini(&batch);
		good = pixman_region32_n_rects(&clip) <= QXL_CLIP_BOXES_MOST;
	}
	pixman_region32_intersect(&damage->region, &damage->region, &clip);
	pixman_region32_fini(&clip);
	qxl_bytes_clear(&bytes);
	return good || fail(error, VITRINE_ERROR_INPUT, "a clip falls into too many rectangles");
}

void qxl_drawing_count(struct qxl_drawing *drawing, uint32_t width, uint32_t height)
{
	drawing->damage->work += (uint64_t)width * height;
}

static uint32_t white(pixman_format_code_t layout)
{
	return layout == PIXMAN_x8r8g8b8 ? 0xffffff : UINT32_MAX;
}

static void fill(struct qxl_drawing *drawing, uint32_t colour)
{
	pixman_image_t *target = drawing->target;
	int bits = PIXMAN_FORMAT_BPP(pixman_image_get_format(target));
	int count;
	pixman_box32_t *boxes = pixman_region32_rectangles(&drawing->damage->region, &count);

	/* Bottom-up surfaces have negative strides, which pixman_fill() cannot do. */
	if (pixman_image_get_stride(target) < 0) {
		qxl_raster_draw(target, &drawing->damage->region,
			&(struct qxl_raster) { .rop = QXL_ROP_BRUSH, .colour = colour });
	} else {
		for (int i = 0; i < count; i++)
			pixman_fill(pixman_image_get_data(target),
				pixman_image_get_stride(target) / (int)sizeof(uint32_t), bits,
				boxes[i].x1, boxes[i].y1, boxes[i].x2 - boxes[i].x1,
				boxes[i].y2 - boxes[i].y1, colour);
	}
	drawing->damage->kind = QXL_DAMAGE_FILLED;
	drawing->damage->colour = colour;
}

/* What is under the drawing itself, as an image of its own. */
static pixman_image_t *load_itself(struct qxl_drawing *drawing, GError **error)
{
	const pixman_box32_t *area = &drawing->draw->self_area;
	pixman_image_t *target = drawing->target;
	pixman_image_t *copy;

	if (area->x1 < 0 || area->y1 < 0 || area->x1 >= area->x2 || area->y1 >= area->y2 ||
		area->x2 > pixman_image_get_width(target) ||
		area->y2 > pixman_image_get_height(target)) {
		fail(error, VITRINE_ERROR_INPUT, "what is under a drawing is not on the surface");
		return NULL;
	}
	qxl_drawing_count(drawing, area->x2 - area->x1, area->y2 - area->y1);
	copy = qxl_image_new(
		pixman_image_get_format(target), area->x2 - area->x1, area->y2 - area->y1, error);
	if (copy)
		pixman_image_composite32(PIXMAN_OP_SRC, target, NULL, copy, area->x1, area->y1, 0,
			0, 0, 0, area->x2 - area->x1, area->y2 - area->y1);
	return copy;
}

pixman_image_t *qxl_drawing_load(struct qxl_drawing *drawing, uint64_t address, GError **error)
{
	return qxl_image_load(drawing->canvas, address, drawing->draw->surface,
		&drawing->damage->missing, &drawing->damage->work, error);
}

pixman_image_t *qxl_drawing_source(
	struct qxl_drawing *drawing, int32_t *x, int32_t *y, GError **error)
{
	const struct qxl_draw *draw = drawing->draw;
	const pixman_box32_t *area = &draw->source.area;
	int64_t width = area->x2 - (int64_t)area->x1;
	int64_t height = area->y2 - (int64_t)area->y1;
	int64_t box_width = draw->box.x2 - (int64_t)draw->box.x1;
	int64_t box_height = draw->box.y2 - (int64_t)draw->box.y1;
	pixman_image_t *image;
	pixman_transform_t transform;

	image = draw->source.itself ? load_itself(drawing, error)
				    : qxl_drawing_load(drawing, draw->source.image, error);
	if (!image)
		return NULL;
	if (width == 0 || height == 0 || area->x1 < 0 || area->y1 < 0 ||
		area->x2 > pixman_image_get_width(image) ||
		area->y2 > pixman_image_get_height(image)) {
		fail(error, VITRINE_ERROR_INPUT, "a source from %d,%d to %d,%d is not on its image",
			area->x1, area->y1, area->x2, area->y2);
		pixman_image_unref(image);
		return NULL;
	}
	*x = drawing->extents.x1 - draw->box.x1;
	*y = drawing->extents.y1 - draw->box.y1;
	if (width == box_width && height == box_height) {
		*x += area->x1;
		*y += area->y1;
		return image;
	}
	if (box_width > SCALED_MOST || box_height > SCALED_MOST) {
		fail(error, VITRINE_ERROR_INPUT,
			"an image scaled to %" G_GINT64_FORMAT " by %" G_GINT64_FORMAT " pixels",
			box_width, box_height);
		pixman_image_unref(image);
		return NULL;
	}
	pixman_transform_init_scale(&transform,
		(pixman_fixed_t)(width * pixman_fixed_1 / box_width),
		(pixman_fixed_t)(height * pixman_fixed_1 / box_height));
	transform.matrix[0][2] = pixman_int_to_fixed(area->x1);
	transform.matrix[1][2] = pixman_int_to_fixed(area->y1);
	pixman_image_set_transform(image, &transform);
	pixman_image_set_filter(image,
		draw->source.nearest ? PIXMAN_FILTER_NEAREST : PIXMAN_FILTER_BILINEAR, NULL, 0);
	pixman_image_set_repeat(image, PIXMAN_REPEAT_PAD);
	return image;
}

void qxl_drawing_composite(struct qxl_drawing *drawing, pixman_op_t code, pixman_image_t *source,
	int32_t x, int32_t y, pixman_image_t *mask, int32_t mask_x, int32_t mask_y)
{
	const pixman_box32_t *extents = &drawing->extents;

	pixman_image_set_clip_region32(drawing->target, &drawing->damage->region);
	pixman_image_composite32(code, source, mask, drawing->target, x, y, mask_x, mask_y,
		extents->x1, extents->y1, extents->x2 - extents->x1, extents->y2 - extents->y1);
	pixman_image_set_clip_region32(drawing->target, NULL);
}

pixman_image_t *qxl_drawing_source_copy(struct qxl_drawing *drawing, GError **error)
{
	const pixman_box32_t *extents = &drawing->extents;
	int32_t x, y;
	pixman_image_t *image = qxl_drawing_source(drawing, &x, &y, error);
	pixman_image_t *copy;

	if (!image)
		return NULL;
	copy = qxl_image_new(pixman_image_get_format(drawing->target), extents->x2 - extents->x1,
		extents->y2 - extents->y1, error);
	if (copy)
		pixman_image_composite32(PIXMAN_OP_SRC, image, NULL, copy, x, y, 0, 0, 0, 0,
			extents->x2 - extents->x1, extents->y2 - extents->y1);
	pixman_image_unref(image);
	return copy;
}

pixman_image_t *qxl_drawing_pattern(
	struct qxl_drawing *drawing, const struct qxl_brush *brush, GError **error)
{
	pixman_image_t *image = qxl_drawing_load(drawing, brush->image, error);
	pixman_image_t *copy;

	if (!image)
		return NULL;
	qxl_drawing_count(drawing, pixman_image_get_width(image), pixman_image_get_height(image));
	copy = qxl_image_new(pixman_image_get_format(drawing->target),
		pixman_image_get_width(image), pixman_image_get_height(image), error);
	if (copy)
		pixman_image_composite32(PIXMAN_OP_SRC, image, NULL, copy, 0, 0, 0, 0, 0, 0,
			pixman_image_get_width(image), pixman_image_get_height(image));
	pixman_image_unref(image);
	return copy;
}

bool qxl_drawing_set_brush(struct qxl_drawing *drawing, const struct qxl_brush *brush,
	struct qxl_raster *raster, GError **error)
{
	raster->colour = brush->colour;
	if (!brush->pattern)
		return true;
	raster->pattern = qxl_drawing_pattern(drawing, brush, error);
	raster->pattern_x = brush->x;
	raster->pattern_y = brush->y;
	return raster->pattern != NULL;
}

static bool load_inputs(struct qxl_drawing *drawing, struct qxl_raster *raster, GError **error)
{
	const struct qxl_draw *draw = drawing->draw;

	if (qxl_rop_needs_brush(raster->rop) &&
		!qxl_drawing_set_brush(drawing, &draw->brush, raster, error))
		return false;
	if (qxl_rop_needs_source(raster->rop) &&
		!(raster->source = qxl_drawing_source_copy(drawing, error)))
		return false;
	if (draw->mask.image == 0)
		return true;
	raster->mask = qxl_image_load_mask(
		drawing->canvas, draw->mask.image, &drawing->damage->work, error);
	raster->mask_x = draw->mask.x + (drawing->extents.x1 - draw->box.x1);
	raster->mask_y = draw->mask.y + (drawing->extents.y1 - draw->box.y1);
	raster->mask_inverted = draw->mask.inverted;
	return raster->mask != NULL;
}

void qxl_raster_clear(struct qxl_raster *raster)
{
	g_clear_pointer(&raster->pattern, pixman_image_unref);
	g_clear_pointer(&raster->source, pixman_image_unref);
	g_clear_pointer(&raster->mask, pixman_image_unref);
}

/* A copy without anything else, which is most of what guests draw. */
static bool draw_copy(struct qxl_drawing *drawing, GError **error)
{
	int32_t x, y;
	pixman_image_t *image = qxl_drawing_source(drawing, &x, &y, error);

	if (!image)
		return false;
	qxl_drawing_composite(drawing, PIXMAN_OP_SRC, image, x, y, NULL, 0, 0);
	pixman_image_unref(image);
	return true;
}

static bool draw_raster(struct qxl_drawing *drawing, GError **error)
{
	const struct qxl_draw *draw = drawing->draw;
	struct qxl_raster raster = { .rop = draw->rop };
	pixman_format_code_t layout = pixman_image_get_format(drawing->target);
	bool good;

	if (qxl_rop_needs_brush(draw->rop) && !draw->brush.solid && !draw->brush.pattern) {
		pixman_region32_clear(&drawing->damage->region);
		return true;
	}
	if (draw->mask.image == 0) {
		if (draw->rop == QXL_ROP_SOURCE)
			return draw_copy(drawing, error);
		if (draw->rop == QXL_ROP_BRUSH && draw->brush.solid)
			return fill(drawing, draw->brush.colour), true;
		if (draw->rop == QXL_ROP_BLACKNESS)
			return fill(drawing, 0), true;
		if (draw->rop == QXL_ROP_WHITENESS)
			return fill(drawing, white(layout)), true;
	}
	good = load_inputs(drawing, &raster, error);
	if (good)
		qxl_raster_draw(drawing->target, &drawing->damage->region, &raster);
	qxl_raster_clear(&raster);
	return good;
}

/* Pixels from elsewhere on the surface; both may overlap. */
static bool draw_copy_bits(struct qxl_drawing *drawing, GError **error)
{
	const struct qxl_draw *draw = drawing->draw;
	pixman_region32_t *region = &drawing->damage->region;
	pixman_image_t *target = drawing->target;
	int32_t dx = draw->copy_bits.x - draw->box.x1;
	int32_t dy = draw->copy_bits.y - draw->box.y1;
	pixman_region32_t there;
	pixman_image_t *copy;

	pixman_region32_init_rect(
		&there, 0, 0, pixman_image_get_width(target), pixman_image_get_height(target));
	pixman_region32_translate(&there, -dx, -dy);
	pixman_region32_intersect(region, region, &there);
	pixman_region32_fini(&there);
	drawing->damage->kind = QXL_DAMAGE_COPIED;
	drawing->damage->dx = dx;
	drawing->damage->dy = dy;
	if (!pixman_region32_not_empty(region))
		return true;
	drawing->extents = *pixman_region32_extents(region);
	if (pixman_region32_n_rects(region) == 1 && qxl_drawing_move(drawing, dx, dy))
		return true;
	copy = qxl_image_new(pixman_image_get_format(target),
		drawing->extents.x2 - drawing->extents.x1,
		drawing->extents.y2 - drawing->extents.y1, error);
	if (!copy)
		return false;
	pixman_image_composite32(PIXMAN_OP_SRC, target, NULL, copy, drawing->extents.x1 + dx,
		drawing->extents.y1 + dy, 0, 0, 0, 0, drawing->extents.x2 - drawing->extents.x1,
		drawing->extents.y2 - drawing->extents.y1);
	qxl_drawing_composite(drawing, PIXMAN_OP_SRC, copy, 0, 0, NULL, 0, 0);
	pixman_image_unref(copy);
	return true;
}

static bool draw_nothing(struct qxl_drawing *drawing, GError **error)
{
	pixman_region32_clear(&drawing->damage->region);
	return true;
}

static bool (*const draws[])(struct qxl_drawing *drawing, GError **error) = {
	[QXL_KIND_NOTHING] = draw_nothing,
	[QXL_KIND_RASTER] = draw_raster,
	[QXL_KIND_COPY_BITS] = draw_copy_bits,
	[QXL_KIND_TRANSPARENT] = qxl_draw_transparent,
	[QXL_KIND_ALPHA_BLEND] = qxl_draw_alpha_blend,
	[QXL_KIND_COMPOSITE] = qxl_draw_composite,
	[QXL_KIND_STROKE] = qxl_draw_stroke,
	[QXL_KIND_TEXT] = qxl_draw_text,
};

bool qxl_render(const struct qxl_canvas *canvas, const struct qxl_draw *draw,
	struct qxl_damage *damage, GError **error)
{
	struct qxl_drawing drawing = { .canvas = canvas, .draw = draw, .damage = damage };
	pixman_region32_t *region = &damage->region;
	bool good;

	*damage = (struct qxl_damage) { .surface = draw->surface };
	pixman_region32_init(region);
	drawing.target = qxl_surfaces_image(canvas->surfaces, canvas->memory, draw->surface);
	if (!drawing.target) {
		damage->missing = true;
		return true;
	}
	pixman_region32_union_rect(region, region, 0, 0, pixman_image_get_width(drawing.target),
		pixman_image_get_height(drawing.target));
	pixman_region32_intersect_rect(region, region, draw->box.x1, draw->box.y1,
		draw->box.x2 - draw->box.x1, draw->box.y2 - draw->box.y1);
	good = draw->clip == 0 || clip_region(canvas, draw->clip, damage, error);
	if (good && pixman_region32_not_empty(region)) {
		drawing.extents = *pixman_region32_extents(region);
		qxl_drawing_count(&drawing, drawing.extents.x2 - drawing.extents.x1,
			drawing.extents.y2 - drawing.extents.y1);
		good = draws[draw->kind](&drawing, error) || damage->missing;
	}
	if (!good || damage->missing)
		pixman_region32_clear(region);
	pixman_image_unref(drawing.target);
	return good;
}
