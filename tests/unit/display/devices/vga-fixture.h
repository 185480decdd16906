/* A VGA with a display around it, and a guest's way of setting modes: for the tests of the VGA core. */
#pragma once

#include "display/devices/vga.h"

enum {
	FIXTURE_MEMORY = 16 * 1024 * 1024 /* bytes */
};

struct fixture {
	GMutex lock;
	struct display *display;
	struct video_memory *memory;
	struct vga *vga;
	struct head_listener *listener;
	int64_t time; /* microseconds, as the core sees it */
	pixman_region32_t
		damage; /* told to the listener since fixture_watch() or fixture_forget() */
	unsigned scanouts;
};

/* All registers of a mode, as the tables of a VGA BIOS list them. */
struct mode_registers {
	uint8_t misc;
	uint8_t sequencer[5];
	uint8_t crtc[25];
	uint8_t graphics[9];
	uint8_t attribute[21];
};

extern const struct mode_registers mode_text, mode_text_mono, mode_cga, mode_cga_mono, mode_planar,
	mode_planar_320, mode_palette;

struct fixture *fixture_new(void);
void fixture_free(struct fixture *fixture);
typedef struct fixture vga_fixture;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(vga_fixture, fixture_free)

void fixture_out(struct fixture *fixture, uint16_t port, uint8_t value);
uint8_t fixture_in(struct fixture *fixture, uint16_t port);
/* An index register and its data port. */
void fixture_set(struct fixture *fixture, uint16_t port, uint8_t index, uint8_t value);
void fixture_attribute(struct fixture *fixture, uint8_t index, uint8_t value);
void fixture_dispi(struct fixture *fixture, uint16_t index, uint16_t value);
uint16_t fixture_dispi_read(struct fixture *fixture, uint16_t index);

void fixture_mode(struct fixture *fixture, const struct mode_registers *mode);
/* The sixteen usual colours where the usual attributes point, and a ramp of greys elsewhere. */
void fixture_colours(struct fixture *fixture);
/* As drivers do: interface off, sizes, interface on with @flags. */
void fixture_vbe(
	struct fixture *fixture, uint16_t width, uint16_t height, uint16_t bits, uint16_t flags);
/* One character's shape through the planar window, as a BIOS does; leaves text access behind. */
void fixture_font(
	struct fixture *fixture, unsigned font, uint8_t character, const uint8_t rows[16]);
void fixture_text(struct fixture *fixture, uint32_t cell, uint8_t character, uint8_t attribute);

/* The size of the picture shown. */
void fixture_size(struct fixture *fixture, uint32_t *width, uint32_t *height);
/* A pixel of the picture as red, green, blue; the picture is brought up to date before. */
uint32_t fixture_pixel(struct fixture *fixture, uint32_t x, uint32_t y);

/* Listens, and takes what comes until nothing is due. */
void fixture_watch(struct fixture *fixture);
/* Runs the head's turns for everything that happened so far and collects the damage. */
void fixture_settle(struct fixture *fixture);
void fixture_forget(struct fixture *fixture);
