/* QXL surfaces: plain numbers that were checked once, and images over them. */
#include "display/devices/qxl-surfaces.h"

#include <spice/enums.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/error.h"

const struct state_field qxl_surfaces_fields[] = {
	STATE_UINT32_ARRAY(struct qxl_surfaces, width, QXL_SURFACES_MOST),
	STATE_UINT32_ARRAY(struct qxl_surfaces, height, QXL_SURFACES_MOST),
	STATE_UINT32_ARRAY(struct qxl_surfaces, format, QXL_SURFACES_MOST),
	STATE_UINT32_ARRAY(struct qxl_surfaces, stride, QXL_SURFACES_MOST),
	STATE_UINT8_ARRAY(struct qxl_surfaces, area, QXL_SURFACES_MOST),
	STATE_ARRAY_OF(STATE_TYPE_UINT64, struct qxl_surfaces, offset, QXL_SURFACES_MOST),
	STATE_END,
};

static const struct {
	uint32_t format;
	pixman_format_code_t layout;
} layouts[] = {
	{ SPICE_SURFACE_FMT_1_A, PIXMAN_a1 },
	{ SPICE_SURFACE_FMT_8_A, PIXMAN_a8 },
	{ SPICE_SURFACE_FMT_16_555, PIXMAN_x1r5g5b5 },
	{ SPICE_SURFACE_FMT_32_xRGB, PIXMAN_x8r8g8b8 },
	{ SPICE_SURFACE_FMT_16_565, PIXMAN_r5g6b5 },
	{ SPICE_SURFACE_FMT_32_ARGB, PIXMAN_a8r8g8b8 },
};

pixman_format_code_t qxl_surface_layout(uint32_t format)
{
	for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++)
		if (layouts[i].format == format)
			return layouts[i].layout;
	return 0;
}

/* Bytes from the lowest to the last one; false with @error when the request is none for a surface. */
static bool measure(uint32_t width, uint32_t height, uint32_t format, int32_t stride,
	uint64_t *length, GError **error)
{
	pixman_format_code_t layout = qxl_surface_layout(format);
	uint64_t bits;

	if (layout == 0)
		return fail(error, VITRINE_ERROR_INPUT, "surface format %u is not known", format);
	if (width < 1 || width > QXL_SURFACE_MAX_SIZE || height < 1 ||
		height > QXL_SURFACE_MAX_SIZE)
		return fail(error, VITRINE_ERROR_INPUT,
			"a surface of %u by %u pixels, 1 to %d are possible", width, height,
			QXL_SURFACE_MAX_SIZE);
	if (!checked_multiply(width, PIXMAN_FORMAT_BPP(layout), &bits) || stride % 4 != 0 ||
		stride == INT32_MIN || (uint64_t)abs(stride) < (bits + 7) / 8)
		return fail(error, VITRINE_ERROR_INPUT,
			"a stride of %d bytes is none for %u pixels of format %u", stride, width,
			format);
	/* Whole rows, the last one too: images may be read and written word by word. */
	if (!checked_multiply(abs(stride), height, length))
		return fail(error, VITRINE_ERROR_INPUT, "a surface is too large");
	return true;
}

bool qxl_surfaces_create(struct qxl_surfaces *surfaces, const struct qxl_memory *memory,
	uint32_t id, const struct qxl_surface_request *request, GError **error)
{
	struct qxl_place place;
	uint64_t length;

	if (id >= QXL_SURFACES_MOST)
		return fail(error, VITRINE_ERROR_INPUT, "surface %u, there are %d", id,
			QXL_SURFACES_MOST);
	if (!measure(request->width, request->height, request->format, request->stride, &length,
		    error) ||
		!qxl_memory_find(memory, request->address, length, &place, error))
		return false;
	if (place.offset % 4 != 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"surface %u does not lie at a multiple of four bytes", id);
	surfaces->width[id] = request->width;
	surfaces->height[id] = request->height;
	surfaces->format[id] = request->format;
	surfaces->stride[id] = (uint32_t)request->stride;
	surfaces->area[id] = place.area;
	surfaces->offset[id] = place.offset;
	return true;
}

void qxl_surfaces_destroy(struct qxl_surfaces *surfaces, uint32_t id)
{
	if (id < QXL_SURFACES_MOST)
		surfaces->width[id] = 0;
}

bool qxl_surfaces_has(const struct qxl_surfaces *surfaces, uint32_t id)
{
	return id < QXL_SURFACES_MOST && surfaces->width[id] > 0;
}

void qxl_surfaces_place(
	const struct qxl_surfaces *surfaces, uint32_t id, struct qxl_place *place, int32_t *stride)
{
	place->area = surfaces->area[id];
	place->offset = surfaces->offset[id];
	*stride = (int32_t)surfaces->stride[id];
}

bool qxl_surfaces_fit(const struct qxl_surfaces *surfaces, const struct qxl_memory *memory)
{
	for (uint32_t id = 0; id < QXL_SURFACES_MOST; id++) {
		uint64_t length;

		if (surfaces->width[id] == 0)
			continue;
		if (surfaces->area[id] >= QXL_AREAS || surfaces->offset[id] % 4 != 0 ||
			!measure(surfaces->width[id], surfaces->height[id], surfaces->format[id],
				(int32_t)surfaces->stride[id], &length, NULL) ||
			!checked_range(surfaces->offset[id], length,
				memory->areas[surfaces->area[id]].size))
			return false;
	}
	return true;
}

pixman_image_t *qxl_surfaces_image(
	const struct qxl_surfaces *surfaces, const struct qxl_memory *memory, uint32_t id)
{
	struct qxl_place place;
	int32_t stride;

	if (!qxl_surfaces_has(surfaces, id))
		return NULL;
	qxl_surfaces_place(surfaces, id, &place, &stride);
	if (stride < 0)
		place.offset += (uint64_t)(surfaces->height[id] - 1) * (uint64_t) - (int64_t)stride;
	return pixman_image_create_bits_no_clear(qxl_surface_layout(surfaces->format[id]),
		surfaces->width[id], surfaces->height[id],
		(uint32_t *)(void *)qxl_memory_at(memory, &place), stride);
}
