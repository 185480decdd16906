/* VGA: the display core behind the PCI device "VGA" and others that are compatible with it.
 *
 * Knows nothing of PCI and of KVM: whoever has the core brings the guest's accesses to it and maps the video memory. All
 * functions are called with the display's lock held; vga_new() and vga_free() on the main loop.
 *
 * The guest's accesses:
 *  - ports 0x3b0..0x3df and 0x1ce..0x1d1                  vga_port_read(), vga_port_write()
 *  - memory 0xa0000..0xbffff, the legacy window           vga_window_read(), vga_window_write(), vga_window_plain()
 *  - BAR 0, the video memory itself                       nothing to call: a memory slot over @memory, with a dirty log
 *  - BAR 2, 4 KiB                                         vga_mmio_read(), vga_mmio_write()
 *
 * Parts of the legacy window can stand as a memory slot most of the time, in text mode as well; after every call of
 * vga_port_write(), vga_mmio_write() and vga_reset() the caller compares vga_window_serial() with what it last saw and,
 * when it differs, asks vga_window_plain() and maps accordingly. Writes to the rest of the window may be collected
 * (KVM_CAP_COALESCED_MMIO): they have no effect but on memory. They must have been delivered before any other access to the
 * core, and before the lock is taken for a harvest.
 *
 * Specification: IBM VGA, "PS/2 Video Subsystem Technical Reference"; Bochs VBE extensions (dispi.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/state.h"
#include "display/display.h"
#include "display/edid.h"
#include "display/head.h"
#include "display/video-memory.h"

struct vga;

enum {
	VGA_WINDOW_BASE = 0xa0000,
	VGA_WINDOW_SIZE = 0x20000,
	VGA_MMIO_SIZE = 4096,
	VGA_MEMORY_LEAST = 256 * 1024, /* bytes of video memory */
};

struct vga_config {
	const char *label;          /* of the head */
	const char *device_address; /* of the head, see head.h */
	uint32_t head_number;
	struct head *head; /* of a device that this is a part of; NULL: one of its own */
	uint64_t
		memory_size; /* bytes of the memory that the VGA has, from its start; 0: all of it */
	struct edid_info
		edid; /* the monitor; a viewer's wish replaces the preferred size. Strings outlive the core. */
	/* Microseconds that only grow, for blinking; NULL: the host's monotonic clock. */
	int64_t (*now)(void *clock);
	void *clock;
};

/**
 * vga_new - a VGA after power-on, with a head of its own
 * @memory: the video memory, at least VGA_MEMORY_LEAST; a reference is taken
 *
 * Returns NULL with @error when the host does not give the memory for the picture.
 */
struct vga *vga_new(struct display *display, struct video_memory *memory,
	const struct vga_config *config, GError **error);
void vga_free(struct vga *vga);

/* For a core that draws on the head of another device: whether it does now (it does at first), what happens before the head is
 * looked at meanwhile, and what a viewer wishes. */
void vga_set_shown(struct vga *vga, bool shown);
void vga_refresh(struct vga *vga);
void vga_set_ui_info(struct vga *vga, const struct head_ui_info *info);

/* All registers as after power-on; the video memory stays. */
void vga_reset(struct vga *vga);

struct head *vga_head(const struct vga *vga);
/* The EDID as the guest reads it in BAR 2; EDID_SIZE bytes, valid until the next wish of a viewer. */
const uint8_t *vga_edid(const struct vga *vga);

/* @port: as on the bus, @size: 1, 2 or 4 bytes; what no register answers reads as ones. */
uint32_t vga_port_read(struct vga *vga, uint16_t port, unsigned size);
void vga_port_write(struct vga *vga, uint16_t port, unsigned size, uint32_t value);

/* @offset: bytes from VGA_WINDOW_BASE, the access lies in the window; @size: 1, 2, 4 or 8 bytes */
uint64_t vga_window_read(struct vga *vga, uint32_t offset, unsigned size);
void vga_window_write(struct vga *vga, uint32_t offset, unsigned size, uint64_t value);

/* @offset: bytes from the start of BAR 2, the access lies inside; @size: 1, 2 or 4 bytes */
uint32_t vga_mmio_read(struct vga *vga, uint32_t offset, unsigned size);
void vga_mmio_write(struct vga *vga, uint32_t offset, unsigned size, uint32_t value);

/* The part of the legacy window that is plain memory now. Offsets and length are multiples of 4096. */
struct vga_plain_window {
	struct video_memory *memory; /* not a reference; lives as long as the core */
	uint32_t window_offset;      /* bytes from VGA_WINDOW_BASE */
	uint64_t memory_offset;      /* bytes from the start of @memory */
	uint32_t length;             /* bytes */
};

/* Changes whenever the answer of vga_window_plain() may have changed. */
unsigned vga_window_serial(const struct vga *vga);

/**
 * vga_window_plain - what of the legacy window may stand as a memory slot
 *
 * With chain-4 (mode 0x13, banked VBE modes) it is the video memory itself. With the registers as they are in text modes it
 * is a memory of 32 KiB that the core keeps for this, in the layout that the guest expects: the interleaved planes of the
 * video memory look different. The core copies between the two when registers change and before it draws. Neither needs a
 * dirty log: the core looks through it before each harvest. The caller changes the mapping before the guest goes on after
 * the register write.
 *
 * Returns false when all accesses have to come to vga_window_read() and vga_window_write(). These work for the plain part
 * as well, always.
 */
bool vga_window_plain(const struct vga *vga, struct vga_plain_window *plain);

/* For save and restore: the tables, and the structs they describe. vga_state_loaded() checks what came from outside, computes
 * everything anew and returns false when a value is impossible. */
enum {
	VGA_STATES = 2
};
struct vga_state {
	const char *name;
	const struct state_field *fields;
	void *base;
};
void vga_states(struct vga *vga, struct vga_state states[VGA_STATES]);
bool vga_state_loaded(struct vga *vga);
