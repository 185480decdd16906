/* A guest's picture as cairo draws it: the source's own pixels where cairo knows their format, else a converted copy. */
#pragma once

#include <cairo.h>
#include <glib.h>
#include <stdint.h>

#include "viewer/source.h"

struct picture;

/* NULL when there is no memory for a copy. The source's pixels must stay until picture_free(). */
struct picture *picture_new(const struct source_picture *source);
void picture_free(struct picture *picture);

/* These parts of the source have changed. */
void picture_update(struct picture *picture, const struct rectangle *areas, guint count);

uint32_t picture_width(const struct picture *picture);
uint32_t picture_height(const struct picture *picture);
/* Of that size, opaque; valid until picture_free(). */
cairo_surface_t *picture_surface(const struct picture *picture);
