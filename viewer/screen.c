/* The widget that shows a guest's picture: drawing, zoom and the local pointer. */
#include "viewer/screen.h"

#include <glib/gi18n.h>
#include <math.h>

#include "base/error.h"
#include "viewer/screen-private.h"

enum {
	SMALLEST_WIDTH = 160, /* of the widget while it fits itself to its place */
	SMALLEST_HEIGHT = 120,
};

/* Behind and beside the picture: dark, so that nothing outshines it. */
static const GdkRGBA surroundings = { 0.11, 0.11, 0.12, 1 };

static int scale_of(const struct screen *screen)
{
	return gtk_widget_get_scale_factor(screen->area);
}

struct geometry screen_geometry(const struct screen *screen)
{
	int scale = scale_of(screen);

	return geometry_of(gtk_widget_get_allocated_width(screen->area) * scale,
		gtk_widget_get_allocated_height(screen->area) * scale,
		picture_width(screen->picture), picture_height(screen->picture), screen->zoom);
}

/* --- drawing --- */

/* The guest's pixels at x and y of the target, in device pixels. */
static void draw_surface(cairo_t *cr, cairo_surface_t *surface, const struct geometry *geometry,
	cairo_filter_t filter)
{
	cairo_save(cr);
	cairo_translate(cr, geometry->x, geometry->y);
	cairo_rectangle(cr, 0, 0, geometry->width, geometry->height);
	cairo_scale(cr, (double)geometry->width / geometry->picture_width,
		(double)geometry->height / geometry->picture_height);
	cairo_set_source_surface(cr, surface, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(cr), filter);
	cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
	cairo_fill(cr);
	cairo_restore(cr);
}

static cairo_surface_t *cursor_surface(const struct cursor *cursor)
{
	cairo_surface_t *surface =
		cairo_image_surface_create(CAIRO_FORMAT_ARGB32, cursor->width, cursor->height);
	int stride = cairo_image_surface_get_stride(surface);
	unsigned char *to = cairo_image_surface_get_data(surface);

	for (uint32_t y = 0; to && y < cursor->height; y++)
		memcpy(to + (size_t)y * stride, cursor->pixels + (size_t)y * cursor->width,
			(size_t)cursor->width * 4);
	cairo_surface_mark_dirty(surface);
	return surface;
}

/* A pointer that the guest moves by motions is where the guest has it, not where ours is. */
static bool draws_cursor(const struct screen *screen)
{
	return !screen->absolute && screen->cursor && screen->cursor_visible;
}

static void draw_cursor(const struct screen *screen, cairo_t *cr, const struct geometry *geometry)
{
	cairo_surface_t *surface = cursor_surface(screen->cursor);

	cairo_save(cr);
	cairo_translate(cr, geometry->x, geometry->y);
	cairo_scale(cr, geometry->factor, geometry->factor);
	cairo_set_source_surface(cr, surface, screen->cursor_x - (int32_t)screen->cursor->hot_x,
		screen->cursor_y - (int32_t)screen->cursor->hot_y);
	if (geometry_is_crisp(geometry))
		cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_NEAREST);
	cairo_paint(cr);
	cairo_restore(cr);
	cairo_surface_destroy(surface);
}

static void draw_note(const struct screen *screen, cairo_t *cr, const char *text)
{
	g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(screen->area, text);
	int width, height;

	pango_layout_get_pixel_size(layout, &width, &height);
	cairo_set_source_rgb(cr, 0.6, 0.6, 0.62);
	cairo_move_to(cr, (gtk_widget_get_allocated_width(screen->area) - width) / 2,
		(gtk_widget_get_allocated_height(screen->area) - height) / 2);
	pango_cairo_show_layout(cr, layout);
}

static gboolean on_draw(GtkWidget *area, cairo_t *cr, gpointer user_data)
{
	struct screen *screen = user_data;
	double scale = scale_of(screen);
	struct geometry geometry;

	gdk_cairo_set_source_rgba(cr, &surroundings);
	cairo_paint(cr);
	if (!screen->picture) {
		draw_note(screen, cr, _("The guest shows no picture at the moment"));
		return TRUE;
	}
	geometry = screen_geometry(screen);
	cairo_scale(cr, 1 / scale, 1 / scale);
	draw_surface(cr, picture_surface(screen->picture), &geometry,
		geometry_is_crisp(&geometry) ? CAIRO_FILTER_NEAREST
		: geometry.factor < 0.5      ? CAIRO_FILTER_GOOD
					     : CAIRO_FILTER_BILINEAR);
	if (draws_cursor(screen))
		draw_cursor(screen, cr, &geometry);
	return TRUE;
}

static void queue_draw(struct screen *screen, const struct rectangle *changed)
{
	struct geometry geometry = screen_geometry(screen);
	struct rectangle area = geometry_to_area(&geometry, changed);
	int scale = scale_of(screen);
	int left = floor((double)area.x / scale), top = floor((double)area.y / scale);
	int right = ceil((double)(area.x + area.width) / scale);
	int bottom = ceil((double)(area.y + area.height) / scale);

	gtk_widget_queue_draw_area(screen->area, left, top, right - left, bottom - top);
}

/* --- the local pointer --- */

static GdkCursor *blank_cursor(const struct screen *screen)
{
	return gdk_cursor_new_for_display(gtk_widget_get_display(screen->area), GDK_BLANK_CURSOR);
}

/* The guest's pointer as large as it is in the picture. */
static GdkCursor *guest_cursor(const struct screen *screen)
{
	const struct cursor *cursor = screen->cursor;
	double factor = screen_geometry(screen).factor;
	int width = MAX(1, round(cursor->width * factor));
	int height = MAX(1, round(cursor->height * factor));
	cairo_surface_t *image = cursor_surface(cursor);
	cairo_surface_t *scaled = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
	int scale = scale_of(screen);
	cairo_t *cr = cairo_create(scaled);
	GdkCursor *made;

	cairo_scale(cr, (double)width / cursor->width, (double)height / cursor->height);
	cairo_set_source_surface(cr, image, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(cr),
		factor == floor(factor) ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_BILINEAR);
	cairo_paint(cr);
	cairo_destroy(cr);
	cairo_surface_set_device_scale(scaled, scale, scale);
	made = gdk_cursor_new_from_surface(gtk_widget_get_display(screen->area), scaled,
		cursor->hot_x * factor / scale, cursor->hot_y * factor / scale);
	cairo_surface_destroy(scaled);
	cairo_surface_destroy(image);
	return made;
}

void screen_update_cursor(struct screen *screen)
{
	GdkWindow *window = gtk_widget_get_window(screen->area);
	g_autoptr(GdkCursor) cursor = NULL;

	if (!window)
		return;
	if (screen->picture && screen->source && !screen->absolute && screen->grabbed)
		cursor = blank_cursor(screen);
	else if (screen->picture && screen->source && screen->absolute && screen->cursor_defined)
		cursor = screen->cursor && screen->cursor_visible ? guest_cursor(screen)
								  : blank_cursor(screen);
	gdk_window_set_cursor(window, cursor);
}

/* --- what the source says --- */

static void apply_zoom(struct screen *screen)
{
	int scale = scale_of(screen);

	if (screen->zoom == GEOMETRY_FIT || !screen->picture)
		gtk_widget_set_size_request(screen->area, SMALLEST_WIDTH, SMALLEST_HEIGHT);
	else
		gtk_widget_set_size_request(screen->area,
			ceil(picture_width(screen->picture) * screen->zoom / 100.0 / scale),
			ceil(picture_height(screen->picture) * screen->zoom / 100.0 / scale));
	gtk_widget_queue_draw(screen->area);
	screen_update_cursor(screen);
}

void screen_set_picture(struct screen *screen, const struct source_picture *picture)
{
	g_clear_pointer(&screen->picture, picture_free);
	screen->picture = picture_new(picture);
	apply_zoom(screen);
}

void screen_set_no_picture(struct screen *screen)
{
	g_clear_pointer(&screen->picture, picture_free);
	apply_zoom(screen);
}

void screen_picture_changed(struct screen *screen, const struct rectangle *areas, guint count)
{
	if (!screen->picture)
		return;
	picture_update(screen->picture, areas, count);
	for (guint i = 0; i < count; i++)
		queue_draw(screen, &areas[i]);
}

static void queue_draw_cursor(struct screen *screen)
{
	const struct cursor *cursor = screen->cursor;

	if (!screen->picture || !cursor || screen->absolute)
		return;
	queue_draw(screen, &(const struct rectangle) {
				   .x = screen->cursor_x - (int32_t)cursor->hot_x,
				   .y = screen->cursor_y - (int32_t)cursor->hot_y,
				   .width = cursor->width,
				   .height = cursor->height,
			   });
}

void screen_set_cursor(struct screen *screen, const struct cursor *cursor)
{
	queue_draw_cursor(screen);
	g_clear_pointer(&screen->cursor, cursor_unref);
	screen->cursor = cursor ? cursor_ref((struct cursor *)cursor) : NULL;
	screen->cursor_defined |= cursor != NULL;
	queue_draw_cursor(screen);
	screen_update_cursor(screen);
}

void screen_move_cursor(struct screen *screen, int32_t x, int32_t y, bool visible)
{
	bool was_visible = screen->cursor_visible;

	queue_draw_cursor(screen);
	screen->cursor_x = x;
	screen->cursor_y = y;
	screen->cursor_visible = visible;
	queue_draw_cursor(screen);
	if (visible != was_visible)
		screen_update_cursor(screen);
}

void screen_set_absolute(struct screen *screen, bool absolute)
{
	if (absolute == screen->absolute)
		return;
	screen_release(screen);
	screen->absolute = absolute;
	gtk_widget_queue_draw(screen->area);
	screen_update_cursor(screen);
}

void screen_set_source(struct screen *screen, struct source *source)
{
	screen_release(screen);
	screen->source = source;
	g_clear_pointer(&screen->cursor, cursor_unref);
	screen->cursor_visible = true;
	screen->cursor_defined = false;
	screen->absolute = true;
	screen_set_no_picture(screen);
}

/* --- what the window asks --- */

void screen_set_zoom(struct screen *screen, int zoom)
{
	screen->zoom = zoom;
	apply_zoom(screen);
}

int screen_zoom(const struct screen *screen)
{
	return screen->zoom;
}

double screen_percent(const struct screen *screen)
{
	return screen->picture ? screen_geometry(screen).factor * 100 : 0;
}

bool screen_picture_size(const struct screen *screen, uint32_t *width, uint32_t *height)
{
	if (!screen->picture)
		return false;
	*width = picture_width(screen->picture);
	*height = picture_height(screen->picture);
	return true;
}

bool screen_save(const struct screen *screen, const char *path, GError **error)
{
	cairo_status_t status;

	if (!screen->picture)
		return fail(error, VITRINE_ERROR_STATE, "%s",
			_("there is no picture to save at the moment"));
	status = cairo_surface_write_to_png(picture_surface(screen->picture), path);
	if (status == CAIRO_STATUS_SUCCESS)
		return true;
	return fail(error, VITRINE_ERROR_HOST, _("cannot write %s: %s"), path,
		cairo_status_to_string(status));
}

static void on_size_allocate(GtkWidget *area, GdkRectangle *allocation, gpointer user_data)
{
	screen_update_cursor(user_data);
}

static void on_scale_factor(GObject *area, GParamSpec *property, gpointer user_data)
{
	apply_zoom(user_data);
}

static void on_destroy(GtkWidget *area, gpointer user_data)
{
	struct screen *screen = user_data;

	g_clear_pointer(&screen->picture, picture_free);
	g_clear_pointer(&screen->cursor, cursor_unref);
	g_signal_handlers_disconnect_by_data(area, screen);
	g_signal_handlers_disconnect_by_data(
		gdk_keymap_get_for_display(gtk_widget_get_display(area)), screen);
	g_object_unref(screen->area);
	g_free(screen);
}

struct screen *screen_new(const struct screen_ops *ops, void *owner)
{
	struct screen *screen = g_new0(struct screen, 1);

	screen->ops = ops;
	screen->owner = owner;
	screen->absolute = true;
	screen->cursor_visible = true;
	screen->area = g_object_ref_sink(gtk_drawing_area_new());
	gtk_widget_set_can_focus(screen->area, TRUE);
	gtk_widget_set_hexpand(screen->area, TRUE);
	gtk_widget_set_vexpand(screen->area, TRUE);
	g_signal_connect(screen->area, "draw", G_CALLBACK(on_draw), screen);
	g_signal_connect_after(screen->area, "size-allocate", G_CALLBACK(on_size_allocate), screen);
	g_signal_connect(screen->area, "notify::scale-factor", G_CALLBACK(on_scale_factor), screen);
	g_signal_connect(screen->area, "destroy", G_CALLBACK(on_destroy), screen);
	screen_input_connect(screen);
	apply_zoom(screen);
	return screen;
}

GtkWidget *screen_widget(struct screen *screen)
{
	return screen->area;
}
