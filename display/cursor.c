/* Cursor images, counted by reference so that a picture under way outlives its redefinition. */
#include "display/head.h"

struct cursor *cursor_new(uint32_t width, uint32_t height, uint32_t hot_x, uint32_t hot_y)
{
	struct cursor *cursor;

	if (width < 1 || width > CURSOR_MAX_SIZE || height < 1 || height > CURSOR_MAX_SIZE)
		return NULL;
	cursor = g_malloc0(sizeof(*cursor) + (size_t)width * height * sizeof(cursor->pixels[0]));
	g_atomic_ref_count_init(&cursor->references);
	cursor->width = width;
	cursor->height = height;
	cursor->hot_x = MIN(hot_x, width - 1);
	cursor->hot_y = MIN(hot_y, height - 1);
	return cursor;
}

struct cursor *cursor_ref(struct cursor *cursor)
{
	g_atomic_ref_count_inc(&cursor->references);
	return cursor;
}

void cursor_unref(struct cursor *cursor)
{
	if (cursor && g_atomic_ref_count_dec(&cursor->references))
		g_free(cursor);
}
