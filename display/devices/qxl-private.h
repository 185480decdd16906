/* The inside of the QXL core: its registers, and what its parts offer each other. */
#pragma once

#include <spice/qxl_dev.h>

#include "display/devices/qxl-render.h"
#include "display/devices/qxl.h"

enum qxl_mode {
	QXL_MODE_UNDEFINED, /* neither VGA nor a primary surface */
	QXL_MODE_VGA,
	QXL_MODE_NATIVE,
	QXL_MODES,
};

enum {
	QXL_COMPLAINTS_MOST = 16,
	QXL_FREE_BATCH = 32, /* commands that are given back together */
};

/* As saved. */
struct qxl_registers {
	uint32_t mode; /* enum qxl_mode */
	bool guest_bug;

	/* Commands that are given back: the last one of the list, whose first is in the release ring. */
	uint32_t free_count;
	uint8_t free_area;
	uint64_t free_offset;

	/* What of the primary surface the heads show; no monitors: the first one shows all of it. */
	uint32_t monitors;
	uint32_t monitor_x[QXL_HEADS_MOST], monitor_y[QXL_HEADS_MOST];
	uint32_t monitor_width[QXL_HEADS_MOST], monitor_height[QXL_HEADS_MOST]; /* 0: off */

	uint64_t cursor_shape; /* the guest's address; 0: none */
	uint32_t cursor_x, cursor_y;
	bool cursor_visible;
};

struct qxl_head {
	struct qxl *qxl;
	unsigned number;
	struct head *head;
	struct head_ui_info wish;
};

struct qxl {
	struct qxl_config config;
	struct qxl_memory memory;
	struct qxl_surfaces *surfaces;
	struct qxl_canvas canvas;
	struct qxl_registers registers;
	struct vga *vga;
	struct qxl_head heads[QXL_HEADS_MOST];
	struct video_memory *upright; /* a copy of a primary surface that has its last row first */
	uint8_t *header;              /* QXLRam, in the guest's memory */
	QXLRom *rom;
	unsigned complaints;
};

/* qxl.c */
void qxl_complain(struct qxl *qxl, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The guest did what it must not: returns false. Takes @error. */
bool qxl_set_guest_bug(struct qxl *qxl, GError *error);
void qxl_raise(struct qxl *qxl, uint32_t interrupts);
void qxl_update_interrupt(struct qxl *qxl);

/* qxl-ring.c */
void qxl_ring_init(struct qxl *qxl);
/* Draws what is in the rings; false when something is left because it were too much at once. */
bool qxl_ring_work(struct qxl *qxl);
/* Everything that is there now. */
void qxl_ring_drain(struct qxl *qxl);
/* Gives back what has been done; with @flush however little it is. */
void qxl_ring_release(struct qxl *qxl, bool flush);
bool qxl_ring_release_is_empty(struct qxl *qxl);

/* qxl-head.c */
bool qxl_heads_init(struct qxl *qxl, struct display *display, GError **error);
void qxl_heads_free(struct qxl *qxl);
/* The mode, the primary surface or the monitors changed. */
void qxl_heads_update(struct qxl *qxl);
void qxl_heads_damage(struct qxl *qxl, const struct qxl_damage *damage);
void qxl_heads_set_cursor(struct qxl *qxl, struct cursor *cursor);
void qxl_heads_move_cursor(struct qxl *qxl);
/* The guest's QXLMonitorsConfig at an address. */
bool qxl_heads_configure(struct qxl *qxl, uint64_t address, GError **error);

/* qxl-rom.c */
void qxl_rom_init(struct qxl *qxl);
/* The viewers' wishes, as the guest reads them. */
void qxl_rom_set_wishes(struct qxl *qxl);
void qxl_rom_tick(struct qxl *qxl);

static inline uint32_t *qxl_header_word(const struct qxl *qxl, size_t offset)
{
	return (uint32_t *)(void *)(qxl->header + offset);
}

static inline uint32_t qxl_header_load(const struct qxl *qxl, size_t offset)
{
	return __atomic_load_n(qxl_header_word(qxl, offset), __ATOMIC_ACQUIRE);
}

static inline void qxl_header_store(const struct qxl *qxl, size_t offset, uint32_t value)
{
	__atomic_store_n(qxl_header_word(qxl, offset), value, __ATOMIC_SEQ_CST);
}
