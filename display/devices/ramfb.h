/* ramfb: a picture in the guest's own memory, which firmware describes through fw_cfg.
 *
 * Knows nothing of fw_cfg and of guest memory: whoever has the core brings the 28 bytes that the guest wrote, and a way to
 * its memory. The picture is copied tile by tile into memory of the core's own whenever consumers look, so that what they
 * read never was the guest's RAM, and only tiles that differ are damage. All functions are called with the display's
 * lock held; ramfb_new() and ramfb_free() on the main loop.
 *
 * Specification: QEMU's docs/specs/fw_cfg.rst ("etc/ramfb"); pixel formats are those of Linux's drm_fourcc.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/state.h"
#include "display/display.h"
#include "display/head.h"

enum {
	RAMFB_CONFIG_SIZE =
		28,          /* bytes, big-endian: address, format, flags, width, height, stride */
	RAMFB_MIN_SIZE = 16, /* pixels in each direction */
	RAMFB_MAX_WIDTH = 16000,
	RAMFB_MAX_HEIGHT = 12000,
	RAMFB_MAX_BYTES = 64 * 1024 * 1024, /* of a picture, compared in one go; 4K has 32 MiB */
};

/* A picture as the guest described it, checked. */
struct ramfb_config {
	uint64_t address;       /* of the first pixel in guest memory */
	uint32_t width, height; /* pixels, in range */
	uint32_t stride;        /* bytes from row to row, at least row_bytes */
	uint32_t row_bytes;     /* that hold pixels */
	uint64_t
		length; /* bytes from the first pixel to behind the last; address + length is no overflow */
	pixman_format_code_t format;
};

/**
 * ramfb_config_parse - the description as a value
 *
 * Returns false, with what is wrong in @reason, when it describes no picture.
 */
bool ramfb_config_parse(
	const uint8_t bytes[RAMFB_CONFIG_SIZE], struct ramfb_config *config, const char **reason);

struct ramfb;

/* The guest's memory: @length bytes at @address when all of them are RAM, in one piece, else NULL. The guest may change
 * them at any time. */
typedef const uint8_t *(*ramfb_map)(void *owner, uint64_t address, uint64_t length);

struct ramfb *ramfb_new(struct display *display, const char *label, ramfb_map map, void *owner);
void ramfb_free(struct ramfb *ramfb);

/* No picture. */
void ramfb_reset(struct ramfb *ramfb);

/* What the guest wrote. A description of no picture leaves the one that is shown; then @reason says what is wrong. */
bool ramfb_write(struct ramfb *ramfb, const uint8_t bytes[RAMFB_CONFIG_SIZE], const char **reason);

struct head *ramfb_head(const struct ramfb *ramfb);

/* For save and restore; after the fields came from outside, ramfb_state_loaded() shows what they say. */
const struct state_field *ramfb_state(struct ramfb *ramfb, void **base);
void ramfb_state_loaded(struct ramfb *ramfb);
