/* QXL cursors: from a shape in the guest's memory to a cursor of the head.
 *
 * The shape's header is copied once; size, data and all are of that copy (CVE-2021-4206, CVE-2021-4207).
 *
 * Specification: QXLCursor of spice/qxl_dev.h; SPICE_CURSOR_TYPE_... of spice/enums.h.
 */
#pragma once

#include "display/devices/qxl-memory.h"
#include "display/head.h"

/* A cursor to be unreferenced; NULL with @error when the shape is wrong or too large. */
struct cursor *qxl_cursor_load(const struct qxl_memory *memory, uint64_t address, GError **error);
