/* The guest's cursor as pseudo-encodings, so that the client draws it where its user points, without a round trip.
 *
 * Specification: RFC 6143 section 7.8.1 (Cursor); the community specification for Cursor With Alpha.
 */
#pragma once

#include <glib.h>

#include "display/head.h"
#include "vnc-server/pixel-format.h"

/* Append one whole rectangle, header included. @cursor NULL: no cursor is shown. */
void cursor_write(
	GByteArray *out, const struct pixel_converter *converter, const struct cursor *cursor);
void cursor_write_alpha(GByteArray *out, const struct cursor *cursor);
