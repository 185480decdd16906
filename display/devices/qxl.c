/* QXL: ports, interrupts, memory slots, modes. */
#include "display/devices/qxl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/log.h"
#include "display/devices/qxl-cursor.h"
#include "display/devices/qxl-private.h"

static const struct state_field register_fields[] = {
	STATE_UINT32(struct qxl_registers, mode),
	STATE_BOOL(struct qxl_registers, guest_bug),
	STATE_UINT32(struct qxl_registers, free_count),
	STATE_UINT8(struct qxl_registers, free_area),
	STATE_UINT64(struct qxl_registers, free_offset),
	STATE_UINT32(struct qxl_registers, monitors),
	STATE_UINT32_ARRAY(struct qxl_registers, monitor_x, QXL_HEADS_MOST),
	STATE_UINT32_ARRAY(struct qxl_registers, monitor_y, QXL_HEADS_MOST),
	STATE_UINT32_ARRAY(struct qxl_registers, monitor_width, QXL_HEADS_MOST),
	STATE_UINT32_ARRAY(struct qxl_registers, monitor_height, QXL_HEADS_MOST),
	STATE_UINT64(struct qxl_registers, cursor_shape),
	STATE_UINT32(struct qxl_registers, cursor_x),
	STATE_UINT32(struct qxl_registers, cursor_y),
	STATE_BOOL(struct qxl_registers, cursor_visible),
	STATE_END,
};

static const struct state_field slot_fields[] = {
	STATE_UINT8_ARRAY(struct qxl_slots, area, QXL_SLOTS),
	STATE_ARRAY_OF(STATE_TYPE_UINT64, struct qxl_slots, offset, QXL_SLOTS),
	STATE_ARRAY_OF(STATE_TYPE_UINT64, struct qxl_slots, size, QXL_SLOTS),
	STATE_END,
};

void qxl_complain(struct qxl *qxl, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	log_limited(&qxl->complaints, QXL_COMPLAINTS_MOST, "%s: %s", qxl->config.label, text);
}

bool qxl_set_guest_bug(struct qxl *qxl, GError *error)
{
	qxl_complain(qxl, "the guest's driver is ignored until it resets the device: %s",
		error->message);
	g_error_free(error);
	qxl->registers.guest_bug = true;
	qxl_raise(qxl, QXL_INTERRUPT_ERROR);
	return false;
}

static bool guest_bug(struct qxl *qxl, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool guest_bug(struct qxl *qxl, const char *format, ...)
{
	GError *error;
	va_list arguments;

	va_start(arguments, format);
	error = g_error_new_valist(VITRINE_ERROR, VITRINE_ERROR_INPUT, format, arguments);
	va_end(arguments);
	return qxl_set_guest_bug(qxl, error);
}

void qxl_update_interrupt(struct qxl *qxl)
{
	uint32_t pending = qxl_header_load(qxl, offsetof(QXLRam, int_pending));

	qxl->config.ops->set_interrupt(qxl->config.owner,
		(pending & qxl_header_load(qxl, offsetof(QXLRam, int_mask))) != 0);
}

void qxl_raise(struct qxl *qxl, uint32_t interrupts)
{
	__atomic_fetch_or(
		qxl_header_word(qxl, offsetof(QXLRam, int_pending)), interrupts, __ATOMIC_SEQ_CST);
	qxl_update_interrupt(qxl);
}

static void reset_cursor(struct qxl *qxl)
{
	struct qxl_registers *r = &qxl->registers;

	r->cursor_shape = 0;
	r->cursor_x = r->cursor_y = 0;
	r->cursor_visible = false;
	qxl_heads_set_cursor(qxl, NULL);
	qxl_heads_move_cursor(qxl);
}

/* The device's part of the guest's memory as at power-on. */
static void init_header(struct qxl *qxl)
{
	memset(qxl->header, 0, sizeof(QXLRam));
	qxl_header_store(qxl, offsetof(QXLRam, magic), QXL_RAM_MAGIC);
	qxl_ring_init(qxl);
}

static void reset(struct qxl *qxl)
{
	memset(&qxl->registers, 0, sizeof(qxl->registers));
	memset(qxl->surfaces, 0, sizeof(*qxl->surfaces));
	qxl_memory_reset(&qxl->memory);
	qxl_rom_init(qxl);
	init_header(qxl);
	qxl->registers.mode = qxl->vga ? QXL_MODE_VGA : QXL_MODE_UNDEFINED;
	reset_cursor(qxl);
	qxl_heads_update(qxl);
	if (!qxl->vga)
		for (unsigned i = 0; i < qxl->config.heads; i++)
			head_disable(qxl->heads[i].head);
	qxl_update_interrupt(qxl);
}

static void port_reset(struct qxl *qxl, uint8_t value)
{
	reset(qxl);
}

static void port_work(struct qxl *qxl, uint8_t value)
{
	if (!qxl_ring_work(qxl))
		qxl->config.ops->run_soon(qxl->config.owner);
}

/* Surfaces are always drawn: it is enough to do what is still in the ring. */
static void port_update_area(struct qxl *qxl, uint8_t value)
{
	uint32_t surface;
	QXLRect area;

	memcpy(&surface, qxl->header + offsetof(QXLRam, update_surface), sizeof(surface));
	memcpy(&area, qxl->header + offsetof(QXLRam, update_area), sizeof(area));
	if (surface >= qxl->config.surfaces) {
		guest_bug(qxl, "an update of surface %u, there are %u", surface,
			qxl->config.surfaces);
		return;
	}
	/* Old drivers update empty areas. */
	if (area.left == area.right || area.top == area.bottom)
		return;
	if (area.left > area.right || area.top > area.bottom || area.left < 0 || area.top < 0) {
		guest_bug(qxl, "an update from %d,%d to %d,%d", area.left, area.top, area.right,
			area.bottom);
		return;
	}
	qxl_ring_drain(qxl);
}

static void port_update_interrupt(struct qxl *qxl, uint8_t value)
{
	qxl_update_interrupt(qxl);
}

static void port_out_of_memory(struct qxl *qxl, uint8_t value)
{
	if (qxl_ring_release_is_empty(qxl))
		qxl_ring_release(qxl, true);
}

static void port_nothing(struct qxl *qxl, uint8_t value)
{
}

static void port_set_mode(struct qxl *qxl, uint8_t value)
{
	guest_bug(qxl, "the modes of the first revision are not there");
}

static void port_add_slot(struct qxl *qxl, uint8_t value)
{
	uint64_t offset;
	unsigned area;
	QXLMemSlot slot;

	if (value >= QXL_SLOTS || qxl_memory_has_slot(&qxl->memory, value)) {
		guest_bug(qxl, "memory slot %u is not there or not free", value);
		return;
	}
	memcpy(&slot, qxl->header + offsetof(QXLRam, mem_slot), sizeof(slot));
	if (slot.mem_start > slot.mem_end ||
		!qxl->config.ops->locate(
			qxl->config.owner, slot.mem_start, slot.mem_end, &area, &offset) ||
		!qxl_memory_add_slot(
			&qxl->memory, value, area, offset, slot.mem_end - slot.mem_start))
		guest_bug(qxl,
			"memory slot %u from 0x%" G_GINT64_MODIFIER "x to 0x%" G_GINT64_MODIFIER
			"x is not in the device's memory",
			value, slot.mem_start, slot.mem_end);
}

static void port_remove_slot(struct qxl *qxl, uint8_t value)
{
	if (value >= QXL_SLOTS)
		guest_bug(qxl, "memory slot %u is not there", value);
	qxl_memory_remove_slot(&qxl->memory, value);
}

/* What is asked for as the primary surface; false when no head could show it. */
static bool check_primary(struct qxl *qxl, const struct qxl_surface_request *request)
{
	if (request->stride == INT32_MIN ||
		(uint64_t)abs(request->stride) * request->height > qxl->config.frame_size)
		return guest_bug(qxl, "a primary surface of %u rows of %d bytes is too large",
			request->height, request->stride);
	if (PIXMAN_FORMAT_BPP(qxl_surface_layout(request->format)) < 16)
		return guest_bug(
			qxl, "a primary surface of format %u is not possible", request->format);
	return true;
}

static void clear_primary(struct qxl *qxl)
{
	struct qxl_place place;
	int32_t stride;

	qxl_surfaces_place(qxl->surfaces, 0, &place, &stride);
	memset(qxl_memory_at(&qxl->memory, &place), 0,
		(size_t)abs(stride) * qxl->surfaces->height[0]);
}

static void port_create_primary(struct qxl *qxl, uint8_t value)
{
	struct qxl_surface_request request;
	QXLSurfaceCreate from;
	GError *error = NULL;

	memcpy(&from, qxl->header + offsetof(QXLRam, create_surface), sizeof(from));
	request = (struct qxl_surface_request) {
		.width = from.width,
		.height = from.height,
		.format = from.format,
		.stride = from.stride,
		.address = from.mem,
	};
	if (value != 0 || qxl->registers.mode == QXL_MODE_NATIVE) {
		guest_bug(qxl, "primary surface %u while there is one", value);
		return;
	}
	if (!check_primary(qxl, &request))
		return;
	if (!qxl_surfaces_create(qxl->surfaces, &qxl->memory, 0, &request, &error)) {
		qxl_set_guest_bug(qxl, error);
		return;
	}
	if (!(from.flags & QXL_SURF_FLAG_KEEP_DATA))
		clear_primary(qxl);
	qxl->registers.mode = QXL_MODE_NATIVE;
	qxl->registers.monitors = 0;
	qxl_heads_update(qxl);
	port_work(qxl, 0);
}

/* The heads go on showing the last picture until there is another one. */
static void port_destroy_primary(struct qxl *qxl, uint8_t value)
{
	if (value != 0) {
		guest_bug(qxl, "primary surface %u", value);
		return;
	}
	if (qxl->registers.mode != QXL_MODE_NATIVE)
		return;
	qxl_ring_drain(qxl);
	qxl_surfaces_destroy(qxl->surfaces, 0);
	qxl->registers.mode = QXL_MODE_UNDEFINED;
	reset_cursor(qxl);
}

static void port_destroy_surface(struct qxl *qxl, uint8_t value)
{
	if (value >= qxl->config.surfaces) {
		guest_bug(qxl, "surface %u, there are %u", value, qxl->config.surfaces);
		return;
	}
	qxl_ring_drain(qxl);
	if (value == 0)
		port_destroy_primary(qxl, 0);
	else
		qxl_surfaces_destroy(qxl->surfaces, value);
}

static void port_destroy_surfaces(struct qxl *qxl, uint8_t value)
{
	qxl_ring_drain(qxl);
	memset(qxl->surfaces, 0, sizeof(*qxl->surfaces));
	qxl->registers.mode = QXL_MODE_UNDEFINED;
	reset_cursor(qxl);
}

static void port_flush_surfaces(struct qxl *qxl, uint8_t value)
{
	qxl_ring_drain(qxl);
}

static void port_flush_release(struct qxl *qxl, uint8_t value)
{
	qxl_ring_release(qxl, true);
}

static void port_monitors(struct qxl *qxl, uint8_t value)
{
	GError *error = NULL;
	uint64_t address;

	memcpy(&address, qxl->header + offsetof(QXLRam, monitors_config), sizeof(address));
	if (!qxl_heads_configure(qxl, address, &error))
		qxl_set_guest_bug(qxl, error);
}

static const struct port {
	void (*run)(struct qxl *qxl, uint8_t value);
	bool in_vga_mode; /* has a meaning there, too */
	bool async;       /* an interrupt says that it is done */
} ports[] = {
	[QXL_IO_NOTIFY_CMD] = { port_work, false, false },
	[QXL_IO_NOTIFY_CURSOR] = { port_work, false, false },
	[QXL_IO_UPDATE_AREA] = { port_update_area, false, false },
	[QXL_IO_UPDATE_IRQ] = { port_update_interrupt, true, false },
	[QXL_IO_NOTIFY_OOM] = { port_out_of_memory, false, false },
	[QXL_IO_RESET] = { port_reset, true, false },
	[QXL_IO_SET_MODE] = { port_set_mode, true, false },
	[QXL_IO_LOG] = { port_nothing, true, false },
	[QXL_IO_MEMSLOT_ADD] = { port_add_slot, true, false },
	[QXL_IO_MEMSLOT_DEL] = { port_remove_slot, true, false },
	[QXL_IO_DETACH_PRIMARY] = { port_nothing, false, false },
	[QXL_IO_ATTACH_PRIMARY] = { port_nothing, false, false },
	[QXL_IO_CREATE_PRIMARY] = { port_create_primary, true, false },
	[QXL_IO_DESTROY_PRIMARY] = { port_destroy_primary, false, false },
	[QXL_IO_DESTROY_SURFACE_WAIT] = { port_destroy_surface, false, false },
	[QXL_IO_DESTROY_ALL_SURFACES] = { port_destroy_surfaces, false, false },
	[QXL_IO_UPDATE_AREA_ASYNC] = { port_update_area, false, true },
	[QXL_IO_MEMSLOT_ADD_ASYNC] = { port_add_slot, true, true },
	[QXL_IO_CREATE_PRIMARY_ASYNC] = { port_create_primary, true, true },
	[QXL_IO_DESTROY_PRIMARY_ASYNC] = { port_destroy_primary, false, true },
	[QXL_IO_DESTROY_SURFACE_ASYNC] = { port_destroy_surface, false, true },
	[QXL_IO_DESTROY_ALL_SURFACES_ASYNC] = { port_destroy_surfaces, false, true },
	[QXL_IO_FLUSH_SURFACES_ASYNC] = { port_flush_surfaces, false, true },
	[QXL_IO_FLUSH_RELEASE] = { port_flush_release, false, false },
	[QXL_IO_MONITORS_CONFIG_ASYNC] = { port_monitors, false, true },
};

void qxl_port_write(struct qxl *qxl, unsigned port, uint8_t value)
{
	const struct port *entry = port < G_N_ELEMENTS(ports) ? &ports[port] : NULL;

	if (qxl->registers.guest_bug && port != QXL_IO_RESET)
		return;
	if (!entry) {
		guest_bug(qxl, "port %u is not there", port);
		return;
	}
	/* Drivers that forget to leave VGA mode are answered, so that they don't wait. */
	if (qxl->registers.mode != QXL_MODE_VGA || entry->in_vga_mode)
		entry->run(qxl, value);
	if (entry->async && !qxl->registers.guest_bug)
		qxl_raise(qxl, QXL_INTERRUPT_IO_CMD);
}

void qxl_go_on(struct qxl *qxl)
{
	port_work(qxl, 0);
}

static void init_memory(struct qxl *qxl)
{
	struct video_memory *areas[QXL_AREAS] = { qxl->config.memory, qxl->config.surfaces_memory };

	for (unsigned i = 0; i < QXL_AREAS; i++) {
		qxl->memory.areas[i].bytes = video_memory_bytes(areas[i]);
		qxl->memory.areas[i].size = video_memory_size(areas[i]);
	}
}

struct qxl *qxl_new(struct display *display, const struct qxl_config *config, GError **error)
{
	struct qxl *qxl = g_new0(struct qxl, 1);

	qxl->config = *config;
	video_memory_ref(config->memory);
	video_memory_ref(config->surfaces_memory);
	init_memory(qxl);
	qxl->surfaces = g_new0(struct qxl_surfaces, 1);
	qxl->canvas = (struct qxl_canvas) { &qxl->memory, qxl->surfaces };
	qxl->rom = (QXLRom *)(void *)config->rom;
	qxl->header = video_memory_bytes(config->memory) + video_memory_size(config->memory) -
		      (sizeof(QXLRam) + 4095) / 4096 * 4096;
	if (!qxl_heads_init(qxl, display, error)) {
		qxl_free(qxl);
		return NULL;
	}
	reset(qxl);
	return qxl;
}

void qxl_free(struct qxl *qxl)
{
	if (!qxl)
		return;
	qxl_heads_free(qxl);
	video_memory_unref(qxl->config.memory);
	video_memory_unref(qxl->config.surfaces_memory);
	g_free(qxl->surfaces);
	g_free(qxl);
}

void qxl_reset(struct qxl *qxl)
{
	if (qxl->vga)
		vga_reset(qxl->vga);
	reset(qxl);
}

struct vga *qxl_vga(struct qxl *qxl)
{
	return qxl->vga;
}

struct head *qxl_head(struct qxl *qxl, unsigned number)
{
	return number < qxl->config.heads ? qxl->heads[number].head : NULL;
}

bool qxl_guest_bug(const struct qxl *qxl)
{
	return qxl->registers.guest_bug;
}

bool qxl_is_native(const struct qxl *qxl)
{
	return qxl->registers.mode == QXL_MODE_NATIVE;
}

void qxl_states(struct qxl *qxl, struct vga_state states[QXL_STATES])
{
	states[0] = (struct vga_state) { "qxl", register_fields, &qxl->registers };
	states[1] = (struct vga_state) { "slots", slot_fields, &qxl->memory.slots };
	states[2] = (struct vga_state) { "surfaces", qxl_surfaces_fields, qxl->surfaces };
}

static bool registers_possible(const struct qxl *qxl)
{
	const struct qxl_registers *r = &qxl->registers;

	return r->mode < QXL_MODES && (r->mode != QXL_MODE_VGA || qxl->vga) &&
	       (r->mode == QXL_MODE_NATIVE) == qxl_surfaces_has(qxl->surfaces, 0) &&
	       r->monitors <= qxl->config.heads && r->free_area < QXL_AREAS &&
	       (r->free_count == 0 || checked_range(r->free_offset, sizeof(uint64_t),
					      qxl->memory.areas[r->free_area].size));
}

bool qxl_state_loaded(struct qxl *qxl)
{
	struct cursor *cursor = NULL;

	if (!qxl_memory_slots_fit(&qxl->memory) || !qxl_surfaces_fit(qxl->surfaces, &qxl->memory) ||
		!registers_possible(qxl))
		return false;
	if (qxl->registers.cursor_shape != 0)
		cursor = qxl_cursor_load(&qxl->memory, qxl->registers.cursor_shape, NULL);
	qxl_heads_set_cursor(qxl, cursor);
	cursor_unref(cursor);
	qxl_heads_move_cursor(qxl);
	qxl_heads_update(qxl);
	qxl_update_interrupt(qxl);
	return true;
}
