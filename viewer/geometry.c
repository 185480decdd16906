/* Where a guest's picture lies in its widget. */
#include "viewer/geometry.h"

#include <glib.h>
#include <math.h>

static const int zooms[] = { 25, 33, 50, 67, 75, 100, 125, 150, 200, 300, 400 };

struct geometry geometry_of(uint32_t area_width, uint32_t area_height, uint32_t picture_width,
	uint32_t picture_height, int zoom)
{
	double across = (double)area_width / picture_width;
	double down = (double)area_height / picture_height;
	struct geometry geometry = {
		.factor = zoom == GEOMETRY_FIT ? MIN(across, down) : zoom / 100.0,
		.picture_width = picture_width,
		.picture_height = picture_height,
	};

	geometry.width = MAX(1, round(picture_width * geometry.factor));
	geometry.height = MAX(1, round(picture_height * geometry.factor));
	geometry.x = MAX(0, ((int32_t)area_width - geometry.width) / 2);
	geometry.y = MAX(0, ((int32_t)area_height - geometry.height) / 2);
	return geometry;
}

bool geometry_is_crisp(const struct geometry *geometry)
{
	return geometry->factor >= 1 && geometry->factor == floor(geometry->factor);
}

static bool guest_pixel(double at, int32_t length, uint32_t pixels, uint32_t *pixel)
{
	double guest = floor(at * pixels / length);

	*pixel = CLAMP(guest, 0, pixels - 1.0);
	return guest >= 0 && guest < pixels;
}

bool geometry_to_guest(
	const struct geometry *geometry, double x, double y, uint32_t *guest_x, uint32_t *guest_y)
{
	bool inside_across =
		guest_pixel(x - geometry->x, geometry->width, geometry->picture_width, guest_x);
	bool inside_down =
		guest_pixel(y - geometry->y, geometry->height, geometry->picture_height, guest_y);

	return inside_across && inside_down;
}

struct rectangle geometry_to_area(const struct geometry *geometry, const struct rectangle *changed)
{
	/* A smooth filter carries a pixel over into its neighbours. */
	int margin = geometry_is_crisp(geometry) ? 0 : 1 + (int)ceil(geometry->factor);
	double left = (double)changed->x * geometry->width / geometry->picture_width;
	double top = (double)changed->y * geometry->height / geometry->picture_height;
	double right =
		(double)(changed->x + changed->width) * geometry->width / geometry->picture_width;
	double bottom = (double)(changed->y + changed->height) * geometry->height /
			geometry->picture_height;
	struct rectangle area = {
		.x = geometry->x + (int32_t)floor(left) - margin,
		.y = geometry->y + (int32_t)floor(top) - margin,
	};

	area.width = geometry->x + (int32_t)ceil(right) + margin - area.x;
	area.height = geometry->y + (int32_t)ceil(bottom) + margin - area.y;
	return area;
}

int geometry_next_zoom(double percent, int direction)
{
	if (direction > 0) {
		for (size_t i = 0; i < G_N_ELEMENTS(zooms); i++) {
			if (zooms[i] > percent + 0.5)
				return zooms[i];
		}
		return GEOMETRY_ZOOM_MAX;
	}
	for (size_t i = G_N_ELEMENTS(zooms); i > 0; i--) {
		if (zooms[i - 1] < percent - 0.5)
			return zooms[i - 1];
	}
	return GEOMETRY_ZOOM_MIN;
}
