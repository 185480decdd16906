/* The rings of a QXL device: commands and cursor commands come in, finished ones go back.
 *
 * Indices and items are the guest's to change at any time. Each is read once; an index is used modulo the ring's size.
 */
#include <string.h>

#include "base/error.h"
#include "display/devices/qxl-cursor.h"
#include "display/devices/qxl-private.h"

enum {
	WORK_COMMANDS = 64,               /* at once, while others wait for the lock ... */
	WORK_PIXELS = 8 * 1024 * 1024,    /* ... or so many pixels touched, shown or not */
	DRAIN_PIXELS = 128 * 1024 * 1024, /* the same where the guest waits for all */
};

/* Offsets in a ring; those of the three rings are the same. */
enum ring_part {
	RING_COUNT = 0,
	RING_PRODUCED = 4,
	RING_NOTIFY_PRODUCED = 8,
	RING_CONSUMED = 12,
	RING_NOTIFY_CONSUMED = 16,
	RING_ITEMS = 20,
};

_Static_assert(offsetof(QXLCommandRing, items) == RING_ITEMS, "the ring is as the header has it");
_Static_assert(sizeof(QXLRam) == 5348, "and so is what stands around it");

struct ring {
	size_t offset; /* of the ring in QXLRam */
	uint32_t count, item_size;
	uint32_t interrupt; /* when the guest waits for room, or for what is given back */
};

static const struct ring command_ring = { offsetof(QXLRam, cmd_ring), QXL_COMMAND_RING_SIZE,
	sizeof(QXLCommand), QXL_INTERRUPT_DISPLAY };
static const struct ring cursor_ring = { offsetof(QXLRam, cursor_ring), QXL_CURSOR_RING_SIZE,
	sizeof(QXLCommand), QXL_INTERRUPT_CURSOR };
static const struct ring release_ring = { offsetof(QXLRam, release_ring), QXL_RELEASE_RING_SIZE,
	sizeof(uint64_t), QXL_INTERRUPT_DISPLAY };

static uint32_t load(const struct qxl *qxl, const struct ring *ring, enum ring_part part)
{
	return qxl_header_load(qxl, ring->offset + part);
}

static void store(
	const struct qxl *qxl, const struct ring *ring, enum ring_part part, uint32_t value)
{
	qxl_header_store(qxl, ring->offset + part, value);
}

static uint8_t *item_at(const struct qxl *qxl, const struct ring *ring, uint32_t index)
{
	return qxl->header + ring->offset + RING_ITEMS +
	       (size_t)(index % ring->count) * ring->item_size;
}

static void init_ring(struct qxl *qxl, const struct ring *ring)
{
	store(qxl, ring, RING_COUNT, ring->count);
	store(qxl, ring, RING_PRODUCED, 0);
	store(qxl, ring, RING_NOTIFY_PRODUCED, 1);
	store(qxl, ring, RING_CONSUMED, 0);
	store(qxl, ring, RING_NOTIFY_CONSUMED, 0);
}

void qxl_ring_init(struct qxl *qxl)
{
	init_ring(qxl, &command_ring);
	init_ring(qxl, &cursor_ring);
	init_ring(qxl, &release_ring);
	memset(item_at(qxl, &release_ring, 0), 0, sizeof(uint64_t));
}

/* Takes the next command; false when there is none, or the indices are none. */
static bool pop(struct qxl *qxl, const struct ring *ring, QXLCommand *command)
{
	uint32_t consumed = load(qxl, ring, RING_CONSUMED);
	uint32_t there = load(qxl, ring, RING_PRODUCED) - consumed;

	if (there == 0 || qxl->registers.guest_bug)
		return false;
	if (there > ring->count)
		return qxl_set_guest_bug(
			qxl, g_error_new(VITRINE_ERROR, VITRINE_ERROR_INPUT,
				     "%u commands in a ring of %u", there, ring->count));
	memcpy(command, item_at(qxl, ring, consumed), sizeof(*command));
	store(qxl, ring, RING_CONSUMED, consumed + 1);
	if (load(qxl, ring, RING_NOTIFY_CONSUMED) == consumed + 1)
		qxl_raise(qxl, ring->interrupt);
	return true;
}

/* Asks to be told of the next command; false when one is there already. */
static bool wait_for_commands(struct qxl *qxl, const struct ring *ring)
{
	uint32_t produced = load(qxl, ring, RING_PRODUCED);

	store(qxl, ring, RING_NOTIFY_PRODUCED, produced + 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return load(qxl, ring, RING_PRODUCED) == load(qxl, ring, RING_CONSUMED);
}

bool qxl_ring_release_is_empty(struct qxl *qxl)
{
	return load(qxl, &release_ring, RING_PRODUCED) == load(qxl, &release_ring, RING_CONSUMED);
}

void qxl_ring_release(struct qxl *qxl, bool flush)
{
	struct qxl_registers *r = &qxl->registers;
	uint32_t produced = load(qxl, &release_ring, RING_PRODUCED);
	uint32_t there = produced - load(qxl, &release_ring, RING_CONSUMED);
	uint64_t none = 0;

	if (r->free_count == 0 || (!flush && r->free_count < QXL_FREE_BATCH) ||
		there + 1 >= release_ring.count)
		return;
	produced++;
	/* The next list starts empty before the guest sees this one. */
	memcpy(item_at(qxl, &release_ring, produced), &none, sizeof(none));
	store(qxl, &release_ring, RING_PRODUCED, produced);
	r->free_count = 0;
	if (load(qxl, &release_ring, RING_NOTIFY_PRODUCED) == produced)
		qxl_raise(qxl, release_ring.interrupt);
}

/* Gives a command back: it becomes the last of a list that goes through the guest's memory. @id was read with the rest of the
 * command; the place is written only. */
static void give_back(struct qxl *qxl, const struct qxl_place *place, uint64_t id)
{
	struct qxl_registers *r = &qxl->registers;
	struct qxl_place last = { r->free_area, r->free_offset };
	uint64_t none = 0;

	if (r->free_count == 0)
		memcpy(item_at(qxl, &release_ring, load(qxl, &release_ring, RING_PRODUCED)), &id,
			sizeof(id));
	else
		memcpy(qxl_memory_at(&qxl->memory, &last), &id, sizeof(id));
	memcpy(qxl_memory_at(&qxl->memory, place), &none, sizeof(none));
	r->free_area = place->area;
	r->free_offset = place->offset;
	r->free_count++;
	qxl_ring_release(qxl, false);
}

static bool do_draw(struct qxl *qxl, const void *command, uint64_t *pixels, GError **error)
{
	struct qxl_damage damage;
	struct qxl_draw draw;
	bool good;

	if (!qxl_drawable_parse(command, &draw, error))
		return false;
	if (draw.surface >= qxl->config.surfaces)
		return fail(error, VITRINE_ERROR_INPUT, "surface %u, there are %u", draw.surface,
			qxl->config.surfaces);
	good = qxl_render(&qxl->canvas, &draw, &damage, error);
	if (damage.missing)
		qxl_complain(qxl, "a drawing of surfaces that are not there");
	*pixels += damage.work;
	if (good)
		qxl_heads_damage(qxl, &damage);
	pixman_region32_fini(&damage.region);
	return good;
}

static void clear_surface(struct qxl *qxl, uint32_t id, uint64_t *pixels)
{
	struct qxl_place place;
	int32_t stride;
	size_t length;

	qxl_surfaces_place(qxl->surfaces, id, &place, &stride);
	length = (size_t)(stride < 0 ? -stride : stride) * qxl->surfaces->height[id];
	memset(qxl_memory_at(&qxl->memory, &place), 0, length);
	*pixels += length / 4;
}

static bool do_surface(struct qxl *qxl, const void *command, uint64_t *pixels, GError **error)
{
	const QXLSurfaceCmd *surface = command;
	struct qxl_surface_request request = {
		.width = surface->u.surface_create.width,
		.height = surface->u.surface_create.height,
		.format = surface->u.surface_create.format,
		.stride = surface->u.surface_create.stride,
		.address = surface->u.surface_create.data,
	};

	if (surface->surface_id == 0 || surface->surface_id >= qxl->config.surfaces)
		return fail(error, VITRINE_ERROR_INPUT, "surface %u, there are 1 to %u",
			surface->surface_id, qxl->config.surfaces - 1);
	if (surface->type == QXL_SURFACE_CMD_DESTROY) {
		qxl_surfaces_destroy(qxl->surfaces, surface->surface_id);
		return true;
	}
	if (surface->type != QXL_SURFACE_CMD_CREATE)
		return fail(error, VITRINE_ERROR_INPUT, "surface commands of type %u are not known",
			surface->type);
	if (!qxl_surfaces_create(qxl->surfaces, &qxl->memory, surface->surface_id, &request, error))
		return false;
	if (!(surface->flags & QXL_SURF_FLAG_KEEP_DATA))
		clear_surface(qxl, surface->surface_id, pixels);
	return true;
}

static bool set_cursor(
	struct qxl *qxl, const QXLCursorCmd *command, uint64_t *pixels, GError **error)
{
	struct qxl_registers *r = &qxl->registers;
	struct cursor *cursor = qxl_cursor_load(&qxl->memory, command->u.set.shape, error);

	if (!cursor)
		return false;
	r->cursor_shape = command->u.set.shape;
	r->cursor_x = (uint32_t)command->u.set.position.x;
	r->cursor_y = (uint32_t)command->u.set.position.y;
	r->cursor_visible = command->u.set.visible;
	*pixels += (uint64_t)cursor->width * cursor->height;
	qxl_heads_set_cursor(qxl, cursor);
	cursor_unref(cursor);
	return true;
}

static bool do_cursor(struct qxl *qxl, const void *bytes, uint64_t *pixels, GError **error)
{
	const QXLCursorCmd *command = bytes;
	struct qxl_registers *r = &qxl->registers;

	switch (command->type) {
	case QXL_CURSOR_SET:
		if (!set_cursor(qxl, command, pixels, error))
			return false;
		break;
	case QXL_CURSOR_MOVE:
		r->cursor_x = (uint32_t)command->u.position.x;
		r->cursor_y = (uint32_t)command->u.position.y;
		r->cursor_visible = true;
		break;
	case QXL_CURSOR_HIDE:
		r->cursor_visible = false;
		break;
	case QXL_CURSOR_TRAIL:
		break;
	default:
		return fail(error, VITRINE_ERROR_INPUT, "cursor commands of type %u are not known",
			command->type);
	}
	qxl_heads_move_cursor(qxl);
	return true;
}

/* What needs nothing done: it is given back. */
static bool do_nothing(struct qxl *qxl, const void *command, uint64_t *pixels, GError **error)
{
	return true;
}

static const struct command {
	const struct ring *ring;
	size_t size; /* bytes that the guest has to have written */
	bool (*run)(struct qxl *qxl, const void *command, uint64_t *pixels, GError **error);
} commands[] = {
	[QXL_CMD_DRAW] = { &command_ring, sizeof(QXLDrawable), do_draw },
	[QXL_CMD_UPDATE] = { &command_ring, sizeof(QXLUpdateCmd), do_nothing },
	[QXL_CMD_CURSOR] = { &cursor_ring, sizeof(QXLCursorCmd), do_cursor },
	[QXL_CMD_MESSAGE] = { &command_ring, sizeof(QXLMessage), do_nothing },
	[QXL_CMD_SURFACE] = { &command_ring, sizeof(QXLSurfaceCmd), do_surface },
};

/* A command is copied as a whole, its release_info too. */
static bool run_command(struct qxl *qxl, const struct ring *ring, const QXLCommand *item,
	uint64_t *pixels, GError **error)
{
	union {
		QXLReleaseInfo release_info;
		QXLDrawable drawable;
		QXLCursorCmd cursor;
		QXLSurfaceCmd surface;
		QXLUpdateCmd update;
	} copy;
	const struct command *command;
	struct qxl_place place;

	if (item->type == QXL_CMD_NOP)
		return true;
	command = item->type < G_N_ELEMENTS(commands) ? &commands[item->type] : NULL;
	if (!command || !command->run || command->ring != ring)
		return fail(error, VITRINE_ERROR_INPUT, "a command of type %u in this ring",
			item->type);
	if (!qxl_memory_find(&qxl->memory, item->data, command->size, &place, error))
		return false;
	memcpy(&copy, qxl_memory_at(&qxl->memory, &place), command->size);
	if (!command->run(qxl, &copy, pixels, error))
		return false;
	give_back(qxl, &place, copy.release_info.id);
	return true;
}

/* One command of a ring; false when there was none. */
static bool step(struct qxl *qxl, const struct ring *ring, uint64_t *pixels)
{
	GError *error = NULL;
	QXLCommand item;

	if (!pop(qxl, ring, &item))
		return false;
	if (!run_command(qxl, ring, &item, pixels, &error))
		qxl_set_guest_bug(qxl, error);
	return true;
}

static bool takes_commands(const struct qxl *qxl)
{
	return qxl->registers.mode != QXL_MODE_VGA && !qxl->registers.guest_bug;
}

bool qxl_ring_work(struct qxl *qxl)
{
	uint64_t pixels = 0;

	qxl_rom_tick(qxl);
	for (unsigned i = 0; i < WORK_COMMANDS && pixels < WORK_PIXELS; i++) {
		bool any;

		if (!takes_commands(qxl))
			return true;
		any = step(qxl, &cursor_ring, &pixels);
		any |= step(qxl, &command_ring, &pixels);
		if (!any && wait_for_commands(qxl, &cursor_ring) &&
			wait_for_commands(qxl, &command_ring))
			return true;
	}
	return false;
}

void qxl_ring_drain(struct qxl *qxl)
{
	uint64_t pixels = 0;

	for (unsigned i = 0; i < QXL_COMMAND_RING_SIZE && takes_commands(qxl); i++) {
		if (!step(qxl, &command_ring, &pixels))
			return;
		if (pixels >= DRAIN_PIXELS) {
			qxl->config.ops->run_soon(qxl->config.owner);
			return;
		}
	}
}
