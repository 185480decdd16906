/* bochs-display: the core of a display device without VGA, a linear picture set through BAR 2.
 *
 * As with vga.h, whoever has the core maps the video memory (BAR 0) with a dirty log and brings accesses to BAR 2 here, with
 * the display's lock held; creation and end on the main loop.
 *
 * Specification: Bochs VBE extensions (dispi.h).
 */
#pragma once

#include "base/state.h"
#include "display/display.h"
#include "display/edid.h"
#include "display/head.h"
#include "display/video-memory.h"

enum {
	BOCHS_DISPLAY_MMIO_SIZE = 4096
};

struct bochs_display;

struct bochs_display_config {
	const char *label;          /* of the head */
	const char *device_address; /* of the head, see head.h */
	uint32_t head_number;
	struct edid_info
		edid; /* a viewer's wish replaces the preferred size. Strings outlive the core. */
};

/* @memory: the video memory; a reference is taken */
struct bochs_display *bochs_display_new(struct display *display, struct video_memory *memory,
	const struct bochs_display_config *config);
void bochs_display_free(struct bochs_display *bochs);

/* All registers as after power-on; the head shows nothing. */
void bochs_display_reset(struct bochs_display *bochs);

struct head *bochs_display_head(const struct bochs_display *bochs);

/* @offset: bytes from the start of BAR 2, the access lies inside; @size: 1, 2 or 4 bytes */
uint32_t bochs_display_mmio_read(struct bochs_display *bochs, uint32_t offset, unsigned size);
void bochs_display_mmio_write(
	struct bochs_display *bochs, uint32_t offset, unsigned size, uint32_t value);

/* For save and restore: the table and its struct; after loading, the picture is computed anew. */
const struct state_field *bochs_display_state(struct bochs_display *bochs, void **base);
void bochs_display_state_loaded(struct bochs_display *bochs);
