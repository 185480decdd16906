/* QXL: the display core behind the PCI devices "qxl-vga" and "qxl".
 *
 * Knows nothing of PCI and of KVM: whoever has the core brings the guest's accesses to it and maps its memory. All functions
 * are called with the display's lock held; qxl_new() and qxl_free() on the main loop.
 *
 * The guest writes commands into its memory and puts their addresses into rings; writing a port tells the device. Commands are
 * drawn at once, in order, by the thread that told, up to a bound; what is left then is drawn by qxl_go_on() on the main loop.
 *
 * Whatever a guest does wrong puts the device into its guest-bug state: it raises the error interrupt and ignores everything but
 * a reset.
 *
 * Specification: spice/qxl_dev.h; what that leaves open is as QEMU's device has it.
 */
#pragma once

#include "base/state.h"
#include "display/devices/vga.h"

struct qxl;

enum {
	QXL_ROM_SIZE = 8192, /* bytes */
	QXL_PORTS = 32,
	QXL_HEADS_MOST = 16,
	QXL_REVISION_LEAST = 5, /* in earlier ones writes to VGA registers end native modes */
	QXL_REVISION_NEWEST = 5,
};

/* What the core asks of who has it; with the lock held, from any thread. */
struct qxl_ops {
	void (*set_interrupt)(void *owner, bool level);
	/* Which area the guest's physical addresses [@start, @end) are in: 0 the memory, 1 the surfaces' memory. */
	bool (*locate)(void *owner, uint64_t start, uint64_t end, unsigned *area, uint64_t *offset);
	/* qxl_go_on() is to be called on the main loop soon. */
	void (*run_soon)(void *owner);
};

struct qxl_config {
	const struct qxl_ops *ops;
	void *owner;
	const char *label, *device_address;   /* of the heads */
	struct video_memory *memory;          /* BAR 0 */
	struct video_memory *surfaces_memory; /* BAR 1 and BAR 4 */
	uint8_t *rom;           /* BAR 2, QXL_ROM_SIZE bytes, aligned to 8; outlives the core */
	uint64_t frame_size;    /* bytes of the memory for VGA and the primary surface */
	uint32_t surfaces;      /* 2..1024 */
	unsigned heads;         /* 1..QXL_HEADS_MOST */
	unsigned revision;      /* QXL_REVISION_LEAST..QXL_REVISION_NEWEST */
	uint32_t width, height; /* of the first monitor, as long as no viewer has a wish; 0: none */
	uint32_t number;        /* of the device among its kind */
	bool has_vga;
};

/* NULL with @error when the host does not give the memory. */
struct qxl *qxl_new(struct display *display, const struct qxl_config *config, GError **error);
void qxl_free(struct qxl *qxl);
/* As after power-on; the memory stays, but for the device's own part of it. */
void qxl_reset(struct qxl *qxl);

/* The VGA in it, for its own ports and memory; NULL when it has none. */
struct vga *qxl_vga(struct qxl *qxl);
struct head *qxl_head(struct qxl *qxl, unsigned number);

/* @port: 0..QXL_PORTS - 1; reading gives 0xff. */
void qxl_port_write(struct qxl *qxl, unsigned port, uint8_t value);
void qxl_go_on(struct qxl *qxl);

/* For people and tests. */
bool qxl_guest_bug(const struct qxl *qxl);
bool qxl_is_native(const struct qxl *qxl);

/* For save and restore, as with vga.h: the tables and the structs they describe. qxl_state_loaded() checks what came from
 * outside and shows it; false when a value is impossible. */
enum {
	QXL_STATES = 3
};
void qxl_states(struct qxl *qxl, struct vga_state states[QXL_STATES]);
bool qxl_state_loaded(struct qxl *qxl);
