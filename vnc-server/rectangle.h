/* The header that stands before each rectangle of a FramebufferUpdate.
 *
 * Specification: RFC 6143 section 7.6.1.
 */
#pragma once

#include "base/writer.h"
#include "display/scanout.h"

static inline void rectangle_write(GByteArray *out, const struct rectangle *area, int32_t encoding)
{
	write_u16(out, area->x);
	write_u16(out, area->y);
	write_u16(out, area->width);
	write_u16(out, area->height);
	write_i32(out, encoding);
}
