/* QXL drawing commands: from a copy of what the guest wrote to one validated value.
 *
 * Eight of the commands (fill, opaque, copy, blend, rop3, blackness, whiteness, invers) are one: each pixel of the destination
 * becomes a bitwise function of brush, source and itself, where a mask allows. The function is a ternary raster operation.
 *
 * Pure: reads the copy only. Addresses in the value are still the guest's words; whoever follows them checks.
 *
 * Specification: QXLDrawable of spice/qxl_dev.h.
 */
#pragma once

#include <glib.h>
#include <pixman.h>
#include <spice/qxl_dev.h>
#include <stdbool.h>
#include <stdint.h>

enum qxl_draw_kind {
	QXL_KIND_NOTHING,
	QXL_KIND_RASTER,
	QXL_KIND_COPY_BITS,
	QXL_KIND_TRANSPARENT,
	QXL_KIND_ALPHA_BLEND,
	QXL_KIND_COMPOSITE,
	QXL_KIND_STROKE,
	QXL_KIND_TEXT,
};

/* Raster operations, bit (brush << 2 | source << 1 | destination) of the code is the result. */
enum qxl_rop {
	QXL_ROP_BLACKNESS = 0x00,
	QXL_ROP_INVERS = 0x55,
	QXL_ROP_DESTINATION = 0xaa,
	QXL_ROP_SOURCE = 0xcc,
	QXL_ROP_BRUSH = 0xf0,
	QXL_ROP_WHITENESS = 0xff,
};

static inline bool qxl_rop_needs_brush(uint8_t rop)
{
	return (rop >> 4) != (rop & 0x0f);
}

static inline bool qxl_rop_needs_source(uint8_t rop)
{
	return (rop >> 2 & 0x33) != (rop & 0x33);
}

static inline bool qxl_rop_needs_destination(uint8_t rop)
{
	return (rop >> 1 & 0x55) != (rop & 0x55);
}

struct qxl_brush {
	bool solid, pattern; /* neither: no brush, nothing is drawn with it */
	uint32_t colour;     /* as a pixel of the destination */
	uint64_t image;      /* the pattern */
	int32_t x, y;        /* where on the surface a copy of the pattern starts */
};

struct qxl_draw_source {
	uint64_t image;
	bool itself; /* not an image but self_area of the destination */
	pixman_box32_t area;
	bool nearest; /* scaled without interpolation */
};

struct qxl_draw_mask {
	uint64_t image; /* 0: none */
	int32_t x, y;   /* of the mask's pixel for the upper left one of the box */
	bool inverted;
};

struct qxl_draw {
	enum qxl_draw_kind kind;
	uint32_t surface;
	pixman_box32_t box; /* not empty, coordinates in +-2^30 */
	uint64_t clip;      /* of the rectangles; 0: none */
	pixman_box32_t self_area;

	uint8_t rop;
	struct qxl_brush brush;
	struct qxl_draw_source source;
	struct qxl_draw_mask mask;

	union {
		struct {
			int32_t x, y;
		} copy_bits;
		uint32_t transparent_colour;
		struct {
			uint8_t alpha;
			bool source_has_alpha, destination_has_alpha;
		} blend;
		struct {
			pixman_op_t code;
			pixman_filter_t source_filter, mask_filter;
			pixman_repeat_t source_repeat, mask_repeat;
			bool component_alpha;
			uint64_t source_transform, mask, mask_transform; /* 0: none */
			int16_t source_x, source_y, mask_x, mask_y;
		} composite;
		struct {
			uint64_t path;
			bool styled, gap_first;
			uint8_t style_count;
			uint64_t style;
			uint8_t rop; /* with the brush */
		} stroke;
		struct {
			uint64_t string;
			pixman_box32_t back_area; /* empty: none */
			struct qxl_brush back_brush;
			uint8_t rop, back_rop;
		} text;
	};
};

/* The raster operation of a descriptor with two inputs: @first and @second are the codes (enum qxl_rop) of what takes the
 * descriptor's source and destination. */
uint8_t qxl_rop_from_descriptor(uint16_t descriptor, uint8_t first, uint8_t second);

/* False with @error when the guest wrote what is no drawing command. */
bool qxl_drawable_parse(const QXLDrawable *drawable, struct qxl_draw *draw, GError **error);
