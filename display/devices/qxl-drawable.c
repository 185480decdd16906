/* QXL drawing commands: what a copied command means. */
#include "display/devices/qxl-drawable.h"

#include <spice/enums.h>

#include "base/error.h"

enum {
	COORDINATE_MOST = 1 << 30,
	FILTER_NEAREST = 0,
};

uint8_t qxl_rop_from_descriptor(uint16_t descriptor, uint8_t first, uint8_t second)
{
	bool invert_first = first == QXL_ROP_BRUSH ? descriptor & SPICE_ROPD_INVERS_BRUSH
						   : descriptor & SPICE_ROPD_INVERS_SRC;
	bool invert_second = second == QXL_ROP_SOURCE ? descriptor & SPICE_ROPD_INVERS_SRC
						      : descriptor & SPICE_ROPD_INVERS_DEST;
	uint8_t a = invert_first ? ~first : first;
	uint8_t b = invert_second ? ~second : second;
	uint8_t code = second;

	if (descriptor & SPICE_ROPD_OP_PUT)
		code = a;
	else if (descriptor & SPICE_ROPD_OP_OR)
		code = a | b;
	else if (descriptor & SPICE_ROPD_OP_AND)
		code = a & b;
	else if (descriptor & SPICE_ROPD_OP_XOR)
		code = a ^ b;
	else if (descriptor & SPICE_ROPD_OP_BLACKNESS)
		code = QXL_ROP_BLACKNESS;
	else if (descriptor & SPICE_ROPD_OP_WHITENESS)
		code = QXL_ROP_WHITENESS;
	else if (descriptor & SPICE_ROPD_OP_INVERS)
		code = ~second;
	return descriptor & SPICE_ROPD_INVERS_RES ? ~code : code;
}

static bool in_range(int32_t coordinate)
{
	return coordinate >= -COORDINATE_MOST && coordinate <= COORDINATE_MOST;
}

static bool parse_box(const QXLRect *rect, const char *what, pixman_box32_t *box, GError **error)
{
	*box = (pixman_box32_t) { rect->left, rect->top, rect->right, rect->bottom };
	if (!in_range(box->x1) || !in_range(box->y1) || !in_range(box->x2) || !in_range(box->y2) ||
		box->x1 > box->x2 || box->y1 > box->y2)
		return fail(error, VITRINE_ERROR_INPUT, "%s from %d,%d to %d,%d is no rectangle",
			what, box->x1, box->y1, box->x2, box->y2);
	return true;
}

static bool parse_brush(const QXLBrush *brush, struct qxl_brush *to, GError **error)
{
	*to = (struct qxl_brush) { 0 };
	switch (brush->type) {
	case SPICE_BRUSH_TYPE_NONE:
		return true;
	case SPICE_BRUSH_TYPE_SOLID:
		to->solid = true;
		to->colour = brush->u.color;
		return true;
	case SPICE_BRUSH_TYPE_PATTERN:
		to->pattern = true;
		to->image = brush->u.pattern.pat;
		to->x = brush->u.pattern.pos.x;
		to->y = brush->u.pattern.pos.y;
		if (!in_range(to->x) || !in_range(to->y))
			return fail(error, VITRINE_ERROR_INPUT, "a pattern at %d,%d", to->x, to->y);
		return true;
	default:
		return fail(error, VITRINE_ERROR_INPUT, "brushes of type %u are not known",
			brush->type);
	}
}

static bool parse_mask(const QXLQMask *mask, struct qxl_draw_mask *to, GError **error)
{
	*to = (struct qxl_draw_mask) {
		.image = mask->bitmap,
		.x = mask->pos.x,
		.y = mask->pos.y,
		.inverted = mask->flags & SPICE_MASK_FLAGS_INVERS,
	};
	if (!in_range(to->x) || !in_range(to->y))
		return fail(error, VITRINE_ERROR_INPUT, "a mask from %d,%d on", to->x, to->y);
	return true;
}

static bool parse_source(const QXLDrawable *drawable, uint64_t image, const QXLRect *area,
	uint8_t scale_mode, struct qxl_draw_source *to, GError **error)
{
	*to = (struct qxl_draw_source) {
		.image = image,
		.itself = image == 0 && drawable->self_bitmap,
		.nearest = scale_mode == SPICE_IMAGE_SCALE_MODE_NEAREST,
	};
	return parse_box(area, "a source", &to->area, error);
}

static bool parse_fill(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	const QXLFill *fill = &drawable->u.fill;

	draw->rop =
		qxl_rop_from_descriptor(fill->rop_descriptor, QXL_ROP_BRUSH, QXL_ROP_DESTINATION);
	return parse_brush(&fill->brush, &draw->brush, error) &&
	       parse_mask(&fill->mask, &draw->mask, error);
}

/* The source, with the brush on it. */
static bool parse_opaque(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	const QXLOpaque *opaque = &drawable->u.opaque;

	draw->rop = qxl_rop_from_descriptor(opaque->rop_descriptor, QXL_ROP_BRUSH, QXL_ROP_SOURCE);
	return parse_brush(&opaque->brush, &draw->brush, error) &&
	       parse_source(drawable, opaque->src_bitmap, &opaque->src_area, opaque->scale_mode,
		       &draw->source, error) &&
	       parse_mask(&opaque->mask, &draw->mask, error);
}

static bool parse_copy(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	const QXLCopy *copy = &drawable->u.copy;

	draw->rop =
		qxl_rop_from_descriptor(copy->rop_descriptor, QXL_ROP_SOURCE, QXL_ROP_DESTINATION);
	return parse_source(drawable, copy->src_bitmap, &copy->src_area, copy->scale_mode,
		       &draw->source, error) &&
	       parse_mask(&copy->mask, &draw->mask, error);
}

static bool parse_rop3(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	const QXLRop3 *rop3 = &drawable->u.rop3;

	draw->rop = rop3->rop3;
	return parse_brush(&rop3->brush, &draw->brush, error) &&
	       parse_source(drawable, rop3->src_bitmap, &rop3->src_area, rop3->scale_mode,
		       &draw->source, error) &&
	       parse_mask(&rop3->mask, &draw->mask, error);
}

static bool parse_blackness(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	draw->rop = QXL_ROP_BLACKNESS;
	return parse_mask(&drawable->u.blackness.mask, &draw->mask, error);
}

static bool parse_whiteness(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	draw->rop = QXL_ROP_WHITENESS;
	return parse_mask(&drawable->u.whiteness.mask, &draw->mask, error);
}

static bool parse_invers(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	draw->rop = QXL_ROP_INVERS;
	return parse_mask(&drawable->u.invers.mask, &draw->mask, error);
}

static bool parse_copy_bits(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	draw->copy_bits.x = drawable->u.copy_bits.src_pos.x;
	draw->copy_bits.y = drawable->u.copy_bits.src_pos.y;
	if (!in_range(draw->copy_bits.x) || !in_range(draw->copy_bits.y))
		return fail(error, VITRINE_ERROR_INPUT, "bits to be copied from %d,%d",
			draw->copy_bits.x, draw->copy_bits.y);
	return true;
}

static bool parse_transparent(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	const QXLTransparent *transparent = &drawable->u.transparent;

	draw->transparent_colour = transparent->true_color;
	return parse_source(drawable, transparent->src_bitmap, &transparent->src_area,
		SPICE_IMAGE_SCALE_MODE_NEAREST, &draw->source, error);
}

static bool parse_alpha_blend(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	const QXLAlphaBlend *blend = &drawable->u.alpha_blend;

	draw->blend.alpha = blend->alpha;
	draw->blend.source_has_alpha = blend->alpha_flags & SPICE_ALPHA_FLAGS_SRC_SURFACE_HAS_ALPHA;
	draw->blend.destination_has_alpha = blend->alpha_flags & SPICE_ALPHA_FLAGS_DEST_HAS_ALPHA;
	return parse_source(drawable, blend->src_bitmap, &blend->src_area,
		SPICE_IMAGE_SCALE_MODE_INTERPOLATE, &draw->source, error);
}

static pixman_filter_t filter(uint32_t number)
{
	return number == FILTER_NEAREST ? PIXMAN_FILTER_NEAREST : PIXMAN_FILTER_BILINEAR;
}

/* Operators and repeats of the ABI have pixman's numbers. */
static bool parse_composite(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	const QXLComposite *composite = &drawable->u.composite;
	uint32_t flags = composite->flags;
	uint32_t code = flags & 0xff;

	if (code > QXL_OP_SATURATE && (code < QXL_OP_MULTIPLY || code > QXL_OP_HSL_LUMINOSITY))
		return fail(error, VITRINE_ERROR_INPUT, "operator %u is not known", code);
	draw->composite.code = (pixman_op_t)code;
	draw->composite.source_filter = filter(flags >> 8 & 7);
	draw->composite.mask_filter = filter(flags >> 11 & 7);
	draw->composite.source_repeat = (pixman_repeat_t)(flags >> 14 & 3);
	draw->composite.mask_repeat = (pixman_repeat_t)(flags >> 16 & 3);
	draw->composite.component_alpha = flags >> 18 & 1;
	draw->source.image = composite->src;
	draw->composite.source_transform = composite->src_transform;
	draw->composite.mask = composite->mask;
	draw->composite.mask_transform = composite->mask_transform;
	draw->composite.source_x = composite->src_origin.x;
	draw->composite.source_y = composite->src_origin.y;
	draw->composite.mask_x = composite->mask_origin.x;
	draw->composite.mask_y = composite->mask_origin.y;
	return true;
}

static bool parse_stroke(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	const QXLStroke *stroke = &drawable->u.stroke;

	draw->stroke.path = stroke->path;
	draw->stroke.styled = stroke->attr.flags & SPICE_LINE_FLAGS_STYLED;
	draw->stroke.gap_first = stroke->attr.flags & SPICE_LINE_FLAGS_START_WITH_GAP;
	draw->stroke.style_count = stroke->attr.style_nseg;
	draw->stroke.style = stroke->attr.style;
	draw->stroke.rop =
		qxl_rop_from_descriptor(stroke->fore_mode, QXL_ROP_BRUSH, QXL_ROP_DESTINATION);
	return parse_brush(&stroke->brush, &draw->brush, error);
}

static bool parse_text(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	const QXLText *text = &drawable->u.text;

	draw->text.string = text->str;
	draw->text.rop =
		qxl_rop_from_descriptor(text->fore_mode, QXL_ROP_BRUSH, QXL_ROP_DESTINATION);
	draw->text.back_rop =
		qxl_rop_from_descriptor(text->back_mode, QXL_ROP_BRUSH, QXL_ROP_DESTINATION);
	return parse_brush(&text->fore_brush, &draw->brush, error) &&
	       parse_brush(&text->back_brush, &draw->text.back_brush, error) &&
	       parse_box(
		       &text->back_area, "the background of a text", &draw->text.back_area, error);
}

static bool parse_nothing(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	return true;
}

static const struct {
	enum qxl_draw_kind kind;
	bool (*parse)(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error);
} parsers[] = {
	[QXL_DRAW_NOP] = { QXL_KIND_NOTHING, parse_nothing },
	[QXL_DRAW_FILL] = { QXL_KIND_RASTER, parse_fill },
	[QXL_DRAW_OPAQUE] = { QXL_KIND_RASTER, parse_opaque },
	[QXL_DRAW_COPY] = { QXL_KIND_RASTER, parse_copy },
	[QXL_COPY_BITS] = { QXL_KIND_COPY_BITS, parse_copy_bits },
	[QXL_DRAW_BLEND] = { QXL_KIND_RASTER, parse_copy },
	[QXL_DRAW_BLACKNESS] = { QXL_KIND_RASTER, parse_blackness },
	[QXL_DRAW_WHITENESS] = { QXL_KIND_RASTER, parse_whiteness },
	[QXL_DRAW_INVERS] = { QXL_KIND_RASTER, parse_invers },
	[QXL_DRAW_ROP3] = { QXL_KIND_RASTER, parse_rop3 },
	[QXL_DRAW_STROKE] = { QXL_KIND_STROKE, parse_stroke },
	[QXL_DRAW_TEXT] = { QXL_KIND_TEXT, parse_text },
	[QXL_DRAW_TRANSPARENT] = { QXL_KIND_TRANSPARENT, parse_transparent },
	[QXL_DRAW_ALPHA_BLEND] = { QXL_KIND_ALPHA_BLEND, parse_alpha_blend },
	[QXL_DRAW_COMPOSITE] = { QXL_KIND_COMPOSITE, parse_composite },
};

static bool parse_clip(const QXLClip *clip, struct qxl_draw *draw, GError **error)
{
	if (clip->type != SPICE_CLIP_TYPE_NONE && clip->type != SPICE_CLIP_TYPE_RECTS)
		return fail(
			error, VITRINE_ERROR_INPUT, "clips of type %u are not known", clip->type);
	if (clip->type == SPICE_CLIP_TYPE_RECTS && clip->data == 0)
		return fail(error, VITRINE_ERROR_INPUT, "a clip without rectangles");
	draw->clip = clip->type == SPICE_CLIP_TYPE_RECTS ? clip->data : 0;
	return true;
}

bool qxl_drawable_parse(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error)
{
	*draw = (struct qxl_draw) { .surface = drawable->surface_id };
	if (drawable->type >= G_N_ELEMENTS(parsers))
		return fail(error, VITRINE_ERROR_INPUT, "drawing commands of type %u are not known",
			drawable->type);
	if (!parse_box(&drawable->bbox, "a drawing", &draw->box, error) ||
		!parse_clip(&drawable->clip, draw, error))
		return false;
	if (drawable->self_bitmap && !parse_box(&drawable->self_bitmap_area,
					     "what is under a drawing", &draw->self_area, error))
		return false;
	draw->kind = parsers[drawable->type].kind;
	if (draw->box.x1 == draw->box.x2 || draw->box.y1 == draw->box.y2)
		draw->kind = QXL_KIND_NOTHING;
	return parsers[drawable->type].parse(drawable, draw, error);
}
