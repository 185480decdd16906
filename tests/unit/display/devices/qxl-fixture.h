/* A QXL device with small memories, and a driver for it that is as short as it can be. */
#pragma once

#include <glib.h>
#include <spice/enums.h>
#include <spice/qxl_dev.h>

#include "display/devices/qxl.h"

enum {
	FIXTURE_MEMORY = 4 * 1024 * 1024,
	FIXTURE_FRAME = 1024 * 1024,
	FIXTURE_SURFACES = 1024 * 1024,
	FIXTURE_SLOT = 1, /* the memory up to the header */
	FIXTURE_SLOT_SURFACES = 2,
	FIXTURE_WIDTH = 64, /* of the primary surface, pixels */
	FIXTURE_HEIGHT = 48,
};

#define FIXTURE_BAR0 UINT64_C(0xe0000000)
#define FIXTURE_BAR1 UINT64_C(0xf0000000)

struct qxl_fixture {
	GMutex lock;
	struct display *display;
	struct video_memory *memory, *surfaces;
	uint8_t *bytes;
	QXLRam *header;
	QXLRom *rom;
	struct qxl *qxl;
	uint64_t next; /* offset of memory that is free */
	bool interrupt;
	unsigned soon; /* times that qxl_go_on() was asked for */
};

struct qxl_fixture *qxl_fixture_new(bool has_vga, unsigned heads);
void qxl_fixture_free(struct qxl_fixture *f);
typedef struct qxl_fixture qxl_fixture;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qxl_fixture, qxl_fixture_free)

void qxl_fixture_port(struct qxl_fixture *f, unsigned port, uint8_t value);
uint64_t qxl_fixture_address(unsigned slot, uint64_t offset);
/* Copies into memory that is free; returns the address. */
uint64_t qxl_fixture_put(struct qxl_fixture *f, const void *bytes, size_t length);
/* As a chunk with its header. */
uint64_t qxl_fixture_put_chunk(struct qxl_fixture *f, const void *bytes, size_t length);
void qxl_fixture_add_slots(struct qxl_fixture *f);
/* Slots and a primary surface of the size above, x8r8g8b8, black. */
void qxl_fixture_start(struct qxl_fixture *f);
/* Into the command ring, which the device is not told of. */
void qxl_fixture_queue(struct qxl_fixture *f, uint32_t type, uint64_t address);
/* The same, and the device is told. */
void qxl_fixture_command(struct qxl_fixture *f, uint32_t type, uint64_t address);
void qxl_fixture_cursor(struct qxl_fixture *f, const QXLCursorCmd *command);
void qxl_fixture_draw(struct qxl_fixture *f, const QXLDrawable *drawable);
uint32_t qxl_fixture_pixel(struct qxl_fixture *f, unsigned x, unsigned y);

/* A drawing command into a box of the primary surface, without clips. */
QXLDrawable qxl_fixture_drawable(
	uint8_t type, int32_t left, int32_t top, int32_t right, int32_t bottom);
/* A top-down bitmap in one chunk. */
uint64_t qxl_fixture_bitmap(struct qxl_fixture *f, uint8_t format, uint32_t width, uint32_t height,
	uint32_t stride, const void *pixels, uint64_t palette);
uint64_t qxl_fixture_surface_image(struct qxl_fixture *f, uint32_t surface);
