/* A guest's picture as cairo draws it. */
#include "viewer/picture.h"

#include <stdbool.h>

struct picture {
	uint32_t width, height;
	cairo_surface_t *surface;
	pixman_image_t *from, *to; /* when the pixels are converted, else NULL */
};

/* Alpha means nothing in a picture that has nothing below it. */
static bool is_drawable(const struct source_picture *source)
{
	bool known = source->format == PIXMAN_x8r8g8b8 || source->format == PIXMAN_a8r8g8b8;

	return known && source->stride % 4 == 0;
}

static struct picture *make(const struct source_picture *source, cairo_surface_t *surface)
{
	struct picture *picture;

	if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
		cairo_surface_destroy(surface);
		return NULL;
	}
	picture = g_new0(struct picture, 1);
	picture->width = source->width;
	picture->height = source->height;
	picture->surface = surface;
	return picture;
}

struct picture *picture_new(const struct source_picture *source)
{
	const struct rectangle whole = { 0, 0, source->width, source->height };
	struct picture *picture;

	if (is_drawable(source))
		return make(source,
			cairo_image_surface_create_for_data((unsigned char *)source->pixels,
				CAIRO_FORMAT_RGB24, source->width, source->height, source->stride));
	picture = make(source,
		cairo_image_surface_create(CAIRO_FORMAT_RGB24, source->width, source->height));
	if (!picture)
		return NULL;
	picture->from = pixman_image_create_bits_no_clear(source->format, source->width,
		source->height, (uint32_t *)source->pixels, source->stride);
	picture->to = pixman_image_create_bits_no_clear(PIXMAN_x8r8g8b8, source->width,
		source->height, (uint32_t *)cairo_image_surface_get_data(picture->surface),
		cairo_image_surface_get_stride(picture->surface));
	if (!picture->from || !picture->to) {
		picture_free(picture);
		return NULL;
	}
	picture_update(picture, &whole, 1);
	return picture;
}

void picture_free(struct picture *picture)
{
	if (!picture)
		return;
	if (picture->from)
		pixman_image_unref(picture->from);
	if (picture->to)
		pixman_image_unref(picture->to);
	cairo_surface_finish(picture->surface);
	cairo_surface_destroy(picture->surface);
	g_free(picture);
}

void picture_update(struct picture *picture, const struct rectangle *areas, guint count)
{
	cairo_surface_flush(picture->surface);
	for (guint i = 0; i < count; i++) {
		const struct rectangle *area = &areas[i];

		if (picture->from)
			pixman_image_composite32(PIXMAN_OP_SRC, picture->from, NULL, picture->to,
				area->x, area->y, 0, 0, area->x, area->y, area->width,
				area->height);
		cairo_surface_mark_dirty_rectangle(
			picture->surface, area->x, area->y, area->width, area->height);
	}
}

uint32_t picture_width(const struct picture *picture)
{
	return picture->width;
}

uint32_t picture_height(const struct picture *picture)
{
	return picture->height;
}

cairo_surface_t *picture_surface(const struct picture *picture)
{
	return picture->surface;
}
