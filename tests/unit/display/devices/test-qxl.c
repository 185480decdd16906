/* The QXL device: its ROM, memory slots, rings, interrupts, monitors, modes and state. */
#include <string.h>

#include "display/devices/vga.h"
#include "tests/unit/display/devices/qxl-fixture.h"

static void test_rom(void)
{
	g_autoptr(qxl_fixture) f = qxl_fixture_new(true, 1);
	const QXLModes *modes = (const void *)((const uint8_t *)f->rom + f->rom->modes_offset);

	g_assert_cmphex(f->rom->magic, ==, QXL_ROM_MAGIC);
	g_assert_cmphex(f->header->magic, ==, QXL_RAM_MAGIC);
	g_assert_cmpuint(f->rom->ram_header_offset, ==, FIXTURE_MEMORY - 8192);
	g_assert_cmpuint(f->rom->surface0_area_size, ==, FIXTURE_FRAME);
	g_assert_cmpuint(f->rom->draw_area_offset, ==, 0);
	g_assert_cmpuint(f->rom->num_pages, ==, (FIXTURE_MEMORY - 8192 - FIXTURE_FRAME) / 4096);
	g_assert_cmpuint(f->rom->slots_start, ==, 1);
	g_assert_cmpuint(f->rom->slots_end, ==, 7);
	/* 640x480 with 16 bits, twice; everything else needs more than a MiB but 800x480 and 800x600 with 16. */
	g_assert_cmpuint(modes->modes[0].x_res, ==, 640);
	g_assert_cmpuint(modes->modes[0].bits, ==, 16);
	for (uint32_t i = 0; i < modes->n_modes; i++)
		g_assert_cmpuint(modes->modes[i].stride * modes->modes[i].y_res, <=, FIXTURE_FRAME);
	g_assert_cmpuint(f->header->cmd_ring.num_items, ==, 32);
	g_assert_cmpuint(f->header->cmd_ring.notify_on_prod, ==, 1);
	g_assert_cmpuint(f->header->release_ring.num_items, ==, 8);
}

static void nothing(struct qxl_fixture *f)
{
}

static void slot_from_nowhere(struct qxl_fixture *f)
{
	f->header->mem_slot = (QXLMemSlot) { 0x1000, 0x2000 };
}

static void slot_backwards(struct qxl_fixture *f)
{
	f->header->mem_slot = (QXLMemSlot) { FIXTURE_BAR0 + 4096, FIXTURE_BAR0 };
}

static void slot_too_long(struct qxl_fixture *f)
{
	f->header->mem_slot =
		(QXLMemSlot) { FIXTURE_BAR0 + 4096, FIXTURE_BAR0 + FIXTURE_MEMORY + 1 };
}

static void primary(struct qxl_fixture *f, uint32_t width, uint32_t height, int32_t stride,
	uint32_t format, uint64_t address)
{
	qxl_fixture_add_slots(f);
	f->header->create_surface = (QXLSurfaceCreate) {
		.width = width,
		.height = height,
		.stride = stride,
		.format = format,
		.mem = address,
	};
}

static void primary_too_large(struct qxl_fixture *f)
{
	primary(f, 1024, 1024, 4096, SPICE_SURFACE_FMT_32_xRGB,
		qxl_fixture_address(FIXTURE_SLOT, 0));
}

static void primary_overflow(struct qxl_fixture *f)
{
	primary(f, 0x40000000, 0x40000000, INT32_MIN, SPICE_SURFACE_FMT_32_xRGB,
		qxl_fixture_address(FIXTURE_SLOT, 0));
}

static void primary_short_rows(struct qxl_fixture *f)
{
	primary(f, 64, 64, 252, SPICE_SURFACE_FMT_32_xRGB, qxl_fixture_address(FIXTURE_SLOT, 0));
}

static void primary_odd_stride(struct qxl_fixture *f)
{
	primary(f, 64, 64, 258, SPICE_SURFACE_FMT_32_xRGB, qxl_fixture_address(FIXTURE_SLOT, 0));
}

static void primary_odd_format(struct qxl_fixture *f)
{
	primary(f, 64, 64, 256, SPICE_SURFACE_FMT_8_A, qxl_fixture_address(FIXTURE_SLOT, 0));
}

/* The last byte would be the first one behind the slot. */
static void primary_over_the_end(struct qxl_fixture *f)
{
	primary(f, 64, 64, 256, SPICE_SURFACE_FMT_32_xRGB,
		qxl_fixture_address(FIXTURE_SLOT, FIXTURE_MEMORY - 8192 - 64 * 256 + 4));
}

static void twice(struct qxl_fixture *f)
{
	qxl_fixture_start(f);
}

static void bad_update(struct qxl_fixture *f)
{
	qxl_fixture_start(f);
	f->header->update_area = (QXLRect) { .top = 5, .left = 0, .bottom = 3, .right = 4 };
}

static void bad_update_surface(struct qxl_fixture *f)
{
	qxl_fixture_start(f);
	f->header->update_area = (QXLRect) { .bottom = 3, .right = 4 };
	f->header->update_surface = 64;
}

static void no_monitors(struct qxl_fixture *f)
{
	QXLMonitorsConfig config = { 0 };

	qxl_fixture_start(f);
	f->header->monitors_config = qxl_fixture_put(f, &config, sizeof(config));
}

static void monitors_over_the_end(struct qxl_fixture *f)
{
	QXLMonitorsConfig config = { .count = UINT16_MAX };

	qxl_fixture_start(f);
	f->header->monitors_config =
		qxl_fixture_address(FIXTURE_SLOT, FIXTURE_MEMORY - 8192 - sizeof(config));
	memcpy(f->bytes + FIXTURE_MEMORY - 8192 - sizeof(config), &config, sizeof(config));
}

static void ring_too_full(struct qxl_fixture *f)
{
	qxl_fixture_start(f);
	f->header->cmd_ring.prod = 40;
}

static void command(struct qxl_fixture *f, uint32_t type, uint64_t address)
{
	QXLCommandRing *ring = &f->header->cmd_ring;

	qxl_fixture_start(f);
	ring->items[0].el = (QXLCommand) { .data = address, .type = type };
	ring->prod++;
}

static void command_of_no_type(struct qxl_fixture *f)
{
	command(f, 77, qxl_fixture_address(FIXTURE_SLOT, FIXTURE_FRAME));
}

static void command_of_the_other_ring(struct qxl_fixture *f)
{
	command(f, QXL_CMD_CURSOR, qxl_fixture_address(FIXTURE_SLOT, FIXTURE_FRAME));
}

/* Not even what is given back is inside (CVE-2019-12155). */
static void command_nowhere(struct qxl_fixture *f)
{
	command(f, QXL_CMD_DRAW, 0);
}

static void command_over_the_end(struct qxl_fixture *f)
{
	command(f, QXL_CMD_MESSAGE, qxl_fixture_address(FIXTURE_SLOT, FIXTURE_MEMORY - 8192 - 4));
}

static void surface_command(struct qxl_fixture *f, QXLSurfaceCmd surface)
{
	qxl_fixture_add_slots(f);
	command(f, QXL_CMD_SURFACE, qxl_fixture_put(f, &surface, sizeof(surface)));
}

static void surface_of_no_number(struct qxl_fixture *f)
{
	surface_command(f, (QXLSurfaceCmd) { .surface_id = 64, .type = QXL_SURFACE_CMD_CREATE });
}

static void surface_too_large(struct qxl_fixture *f)
{
	QXLSurfaceCmd surface = { .surface_id = 1, .type = QXL_SURFACE_CMD_CREATE };

	surface.u.surface_create = (QXLSurface) { SPICE_SURFACE_FMT_32_xRGB, 16384, 16384, 65536,
		qxl_fixture_address(FIXTURE_SLOT_SURFACES, 0) };
	surface_command(f, surface);
}

/* What a port does with what is set up: the guest's mistake, always. */
static const struct {
	const char *name;
	void (*set_up)(struct qxl_fixture *f);
	unsigned port;
	uint8_t value;
} mistakes[] = {
	{ "/qxl/mistake/port", nothing, 25, 0 },
	{ "/qxl/mistake/set-mode", nothing, QXL_IO_SET_MODE, 0 },
	{ "/qxl/mistake/slot-number", nothing, QXL_IO_MEMSLOT_ADD, 8 },
	{ "/qxl/mistake/slot-removed", nothing, QXL_IO_MEMSLOT_DEL, 9 },
	{ "/qxl/mistake/slot-nowhere", slot_from_nowhere, QXL_IO_MEMSLOT_ADD, 1 },
	{ "/qxl/mistake/slot-backwards", slot_backwards, QXL_IO_MEMSLOT_ADD_ASYNC, 1 },
	{ "/qxl/mistake/slot-too-long", slot_too_long, QXL_IO_MEMSLOT_ADD, 1 },
	{ "/qxl/mistake/slot-taken", qxl_fixture_add_slots, QXL_IO_MEMSLOT_ADD, 1 },
	{ "/qxl/mistake/primary-number", twice, QXL_IO_DESTROY_PRIMARY, 1 },
	{ "/qxl/mistake/primary-twice", twice, QXL_IO_CREATE_PRIMARY, 0 },
	{ "/qxl/mistake/primary-too-large", primary_too_large, QXL_IO_CREATE_PRIMARY, 0 },
	{ "/qxl/mistake/primary-overflow", primary_overflow, QXL_IO_CREATE_PRIMARY, 0 },
	{ "/qxl/mistake/primary-short-rows", primary_short_rows, QXL_IO_CREATE_PRIMARY_ASYNC, 0 },
	{ "/qxl/mistake/primary-odd-stride", primary_odd_stride, QXL_IO_CREATE_PRIMARY, 0 },
	{ "/qxl/mistake/primary-format", primary_odd_format, QXL_IO_CREATE_PRIMARY, 0 },
	{ "/qxl/mistake/primary-over-the-end", primary_over_the_end, QXL_IO_CREATE_PRIMARY, 0 },
	{ "/qxl/mistake/update", bad_update, QXL_IO_UPDATE_AREA, 0 },
	{ "/qxl/mistake/update-surface", bad_update_surface, QXL_IO_UPDATE_AREA_ASYNC, 0 },
	{ "/qxl/mistake/destroy-surface", twice, QXL_IO_DESTROY_SURFACE_WAIT, 64 },
	{ "/qxl/mistake/no-monitors", no_monitors, QXL_IO_MONITORS_CONFIG_ASYNC, 0 },
	{ "/qxl/mistake/monitors", monitors_over_the_end, QXL_IO_MONITORS_CONFIG_ASYNC, 0 },
	{ "/qxl/mistake/ring", ring_too_full, QXL_IO_NOTIFY_CMD, 0 },
	{ "/qxl/mistake/command-type", command_of_no_type, QXL_IO_NOTIFY_CMD, 0 },
	{ "/qxl/mistake/command-ring", command_of_the_other_ring, QXL_IO_NOTIFY_CMD, 0 },
	{ "/qxl/mistake/command-nowhere", command_nowhere, QXL_IO_NOTIFY_CMD, 0 },
	{ "/qxl/mistake/command-end", command_over_the_end, QXL_IO_NOTIFY_CMD, 0 },
	{ "/qxl/mistake/surface-number", surface_of_no_number, QXL_IO_NOTIFY_CMD, 0 },
	{ "/qxl/mistake/surface-size", surface_too_large, QXL_IO_NOTIFY_CMD, 0 },
};

static void check_mistake(gconstpointer data)
{
	const typeof(mistakes[0]) *c = data;
	g_autoptr(qxl_fixture) f = qxl_fixture_new(false, 1);

	c->set_up(f);
	qxl_fixture_port(f, c->port, c->value);
	g_assert_true(qxl_guest_bug(f->qxl));
	g_assert_cmphex(f->header->int_pending, ==, QXL_INTERRUPT_ERROR);
	qxl_fixture_port(f, QXL_IO_RESET, 0);
	g_assert_false(qxl_guest_bug(f->qxl));
	qxl_fixture_start(f);
	g_assert_true(qxl_is_native(f->qxl));
}

static void test_async(void)
{
	g_autoptr(qxl_fixture) f = qxl_fixture_new(true, 1);

	f->header->int_mask = QXL_INTERRUPT_IO_CMD;
	f->header->mem_slot = (QXLMemSlot) { FIXTURE_BAR0, FIXTURE_BAR0 + FIXTURE_FRAME };
	qxl_fixture_port(f, QXL_IO_MEMSLOT_ADD_ASYNC, 1);
	g_assert_true(f->interrupt);
	f->header->int_pending = 0;
	qxl_fixture_port(f, QXL_IO_UPDATE_IRQ, 0);
	g_assert_false(f->interrupt);
	/* Nothing to be flushed in VGA mode, and yet an answer. */
	qxl_fixture_port(f, QXL_IO_FLUSH_SURFACES_ASYNC, 0);
	g_assert_true(f->interrupt);
	g_assert_false(qxl_guest_bug(f->qxl));
}

static void nop(struct qxl_fixture *f, uint64_t id)
{
	QXLMessage message = { .release_info.id = id };

	qxl_fixture_command(f, QXL_CMD_MESSAGE, qxl_fixture_put(f, &message, sizeof(message)));
}

/* Commands come back as a list, 32 at a time or when the guest needs them. */
static void test_release(void)
{
	g_autoptr(qxl_fixture) f = qxl_fixture_new(false, 1);
	QXLReleaseRing *ring = &f->header->release_ring;
	uint64_t first, next;

	qxl_fixture_start(f);
	first = f->next;
	for (unsigned i = 0; i < 3; i++)
		nop(f, qxl_fixture_address(FIXTURE_SLOT, f->next));
	g_assert_cmpuint(ring->prod, ==, 0);
	qxl_fixture_port(f, QXL_IO_NOTIFY_OOM, 0);
	g_assert_cmpuint(ring->prod, ==, 1);
	g_assert_cmphex(ring->items[0].el, ==, qxl_fixture_address(FIXTURE_SLOT, first));
	g_assert_cmphex(f->header->int_pending & QXL_INTERRUPT_DISPLAY, !=, 0);
	for (unsigned i = 1; i < 3; i++) {
		memcpy(&next, f->bytes + first, sizeof(next));
		g_assert_cmphex(next, ==, qxl_fixture_address(FIXTURE_SLOT, first + 16));
		first = next & 0xffffff;
	}
	memcpy(&next, f->bytes + first, sizeof(next));
	g_assert_cmphex(next, ==, 0);
	for (unsigned i = 0; i < 40; i++)
		nop(f, 1);
	g_assert_cmpuint(ring->prod, ==, 2);
	/* A guest that takes nothing back gets no more than there is room for. */
	for (unsigned i = 0; i < 1000; i++)
		nop(f, 1);
	g_assert_cmpuint(ring->prod, ==, 7);
	g_assert_false(qxl_guest_bug(f->qxl));
}

/* The guest waits for room in the ring. */
static void test_notify_consumed(void)
{
	g_autoptr(qxl_fixture) f = qxl_fixture_new(false, 1);

	qxl_fixture_start(f);
	f->header->cmd_ring.notify_on_cons = 1;
	nop(f, 1);
	g_assert_cmphex(f->header->int_pending, ==, QXL_INTERRUPT_DISPLAY);
	g_assert_cmpuint(f->header->cmd_ring.cons, ==, 1);
	g_assert_cmpuint(f->header->cmd_ring.notify_on_prod, ==, 2);
}

static QXLCursorCmd cursor_command(struct qxl_fixture *f, uint16_t type, uint16_t width,
	uint16_t height, uint32_t data_size, const void *data)
{
	QXLCursorCmd command = { .type = QXL_CURSOR_SET };
	g_autofree uint8_t *bytes = g_malloc0(sizeof(QXLCursor) + data_size);
	QXLCursor shape = {
		.header = { .type = type, .width = width, .height = height, .hot_spot_x = 1 },
		.data_size = data_size,
		.chunk = { .data_size = data_size },
	};

	memcpy(bytes, &shape, sizeof(shape));
	if (data)
		memcpy(bytes + sizeof(shape), data, data_size);
	command.u.set.position = (QXLPoint16) { 5, 6 };
	command.u.set.visible = 1;
	command.u.set.shape = qxl_fixture_put(f, bytes, sizeof(shape) + data_size);
	return command;
}

struct seen {
	struct head_listener *listener;
	struct cursor *cursor;
	int32_t x, y;
	bool visible;
	uint32_t width, height;
	pixman_region32_t damage;
};

static void see_scanout(void *owner, struct video_memory *memory, const struct scanout *scanout)
{
	struct seen *seen = owner;

	seen->width = scanout->width;
	seen->height = scanout->height;
	head_listener_done(seen->listener);
}

static void see_disable(void *owner)
{
	struct seen *seen = owner;

	seen->width = seen->height = 0;
	head_listener_done(seen->listener);
}

static void see_update(void *owner, const pixman_region32_t *damage)
{
	struct seen *seen = owner;

	pixman_region32_union(&seen->damage, &seen->damage, (pixman_region32_t *)damage);
	head_listener_done(seen->listener);
}

static void see_cursor(void *owner, struct cursor *cursor)
{
	struct seen *seen = owner;

	if (seen->cursor)
		cursor_unref(seen->cursor);
	seen->cursor = cursor ? cursor_ref(cursor) : NULL;
	head_listener_done(seen->listener);
}

static void see_mouse(void *owner, int32_t x, int32_t y, bool visible)
{
	struct seen *seen = owner;

	seen->x = x;
	seen->y = y;
	seen->visible = visible;
	head_listener_done(seen->listener);
}

static const struct head_listener_ops seeing = { see_scanout, see_disable, see_update, see_cursor,
	see_mouse };

static void see(struct seen *seen, struct qxl_fixture *f, unsigned head)
{
	*seen = (struct seen) { 0 };
	pixman_region32_init(&seen->damage);
	seen->listener = head_add_listener(qxl_head(f->qxl, head), &seeing, seen, 1);
}

static void stop_seeing(struct seen *seen)
{
	head_remove_listener(seen->listener);
	if (seen->cursor)
		cursor_unref(seen->cursor);
	pixman_region32_fini(&seen->damage);
}

#define wait_for(condition) \
	while (!(condition)) \
	g_main_context_iteration(NULL, TRUE)

static void test_cursor(void)
{
	static const uint8_t mono[] = { 0x40, 0x80, 0x80, 0x00 };
	static const uint32_t alpha[] = { 0xff112233, 0x80ffffff };
	g_autoptr(qxl_fixture) f = qxl_fixture_new(false, 1);
	QXLCursorCmd command;
	struct seen seen;

	qxl_fixture_start(f);
	see(&seen, f, 0);
	command = cursor_command(f, SPICE_CURSOR_TYPE_ALPHA, 2, 1, sizeof(alpha), alpha);
	qxl_fixture_cursor(f, &command);
	wait_for(seen.cursor && seen.visible);
	g_assert_cmphex(seen.cursor->pixels[0], ==, 0xff112233);
	g_assert_cmphex(seen.cursor->pixels[1], ==, 0x80808080);
	g_assert_cmpint(seen.x, ==, 5);
	g_assert_cmpint(seen.y, ==, 6);
	command = cursor_command(f, SPICE_CURSOR_TYPE_MONO, 2, 2, sizeof(mono), mono);
	qxl_fixture_cursor(f, &command);
	wait_for(seen.cursor && seen.cursor->height == 2);
	/* White; transparent; inverting, which is shown black; black. */
	g_assert_cmphex(seen.cursor->pixels[0], ==, 0xffffffff);
	g_assert_cmphex(seen.cursor->pixels[1], ==, 0);
	g_assert_cmphex(seen.cursor->pixels[2], ==, 0);
	g_assert_cmphex(seen.cursor->pixels[3], ==, 0xff000000);
	command = (QXLCursorCmd) { .type = QXL_CURSOR_MOVE };
	command.u.position = (QXLPoint16) { -3, 9 };
	qxl_fixture_cursor(f, &command);
	wait_for(seen.y == 9);
	g_assert_cmpint(seen.x, ==, -3);
	command.type = QXL_CURSOR_HIDE;
	qxl_fixture_cursor(f, &command);
	wait_for(!seen.visible);
	stop_seeing(&seen);
	g_assert_false(qxl_guest_bug(f->qxl));
}

/* CVE-2021-4206: sizes whose product overflows; and others that promise more than there is. */
static void test_cursor_mistakes(void)
{
	static const struct {
		uint16_t type, width, height;
	} shapes[] = { { SPICE_CURSOR_TYPE_ALPHA, 65535, 65535 },
		{ SPICE_CURSOR_TYPE_COLOR32, 0, 4 }, { 99, 4, 4 },
		{ SPICE_CURSOR_TYPE_ALPHA, 512, 512 }, { SPICE_CURSOR_TYPE_COLOR8, 8, 8 } };

	for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
		g_autoptr(qxl_fixture) f = qxl_fixture_new(false, 1);
		QXLCursorCmd command;

		qxl_fixture_start(f);
		command = cursor_command(
			f, shapes[i].type, shapes[i].width, shapes[i].height, 16, NULL);
		qxl_fixture_cursor(f, &command);
		g_assert_true(qxl_guest_bug(f->qxl));
	}
}

struct writer {
	uint8_t *shape;
	gint stop;
};

static gpointer change_shape(gpointer data)
{
	static const QXLCursorHeader headers[2] = { { .width = 2, .height = 1 },
		{ .width = 512, .height = 512, .type = SPICE_CURSOR_TYPE_COLOR32 } };
	struct writer *writer = data;

	for (unsigned i = 0; !g_atomic_int_get(&writer->stop); i++)
		memcpy(writer->shape, &headers[i % 2], sizeof(headers[0]));
	return NULL;
}

/* CVE-2021-4207: a shape that changes its size while it is read. What comes of it is one of both, or a mistake. */
static void test_changing_cursor(void)
{
	static const uint32_t alpha[] = { 0xff112233, 0x80ffffff };
	g_autoptr(qxl_fixture) f = qxl_fixture_new(false, 1);
	QXLCursorCmd command;
	struct writer writer = { 0 };
	uint64_t shape;
	GThread *thread;

	qxl_fixture_start(f);
	command = cursor_command(f, SPICE_CURSOR_TYPE_ALPHA, 2, 1, sizeof(alpha), alpha);
	shape = f->next;
	writer.shape = f->bytes + (command.u.set.shape & 0xffffff);
	thread = g_thread_new("writer", change_shape, &writer);
	for (unsigned i = 0; i < 500; i++) {
		f->next = shape;
		qxl_fixture_cursor(f, &command);
		if (!qxl_guest_bug(f->qxl))
			continue;
		qxl_fixture_port(f, QXL_IO_RESET, 0);
		qxl_fixture_add_slots(f);
		qxl_fixture_port(f, QXL_IO_DESTROY_ALL_SURFACES, 0);
	}
	g_atomic_int_set(&writer.stop, 1);
	g_thread_join(thread);
}

static void configure(struct qxl_fixture *f, const QXLHead *heads, uint16_t count)
{
	struct {
		QXLMonitorsConfig header;
		QXLHead heads[4];
	} __attribute__((packed)) config = { .header = { .count = count } };

	memcpy(config.heads, heads, count * sizeof(*heads));
	f->header->monitors_config = qxl_fixture_put(f, &config, sizeof(config));
	qxl_fixture_port(f, QXL_IO_MONITORS_CONFIG_ASYNC, 0);
}

static void test_monitors(void)
{
	const QXLHead heads[3] = { { .width = 32, .height = 48 },
		{ .width = 32, .height = 48, .x = 32 }, { .width = 10, .height = 10, .x = 900 } };
	g_autoptr(qxl_fixture) f = qxl_fixture_new(false, 3);
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_WHITENESS, 30, 1, 40, 2);
	struct seen seen[3];
	uint32_t width, height;

	qxl_fixture_start(f);
	head_size(qxl_head(f->qxl, 0), &width, &height);
	g_assert_cmpuint(width, ==, FIXTURE_WIDTH);
	head_size(qxl_head(f->qxl, 1), &width, &height);
	g_assert_cmpuint(width, ==, 0);
	configure(f, heads, 3);
	for (unsigned i = 0; i < 3; i++) {
		head_size(qxl_head(f->qxl, i), &width, &height);
		g_assert_cmpuint(width, ==, i < 2 ? 32 : 0);
		see(&seen[i], f, i);
	}
	wait_for(seen[0].width == 32 && seen[1].width == 32);
	pixman_region32_clear(&seen[0].damage);
	pixman_region32_clear(&seen[1].damage);
	qxl_fixture_draw(f, &drawable);
	wait_for(pixman_region32_not_empty(&seen[0].damage) &&
		 pixman_region32_not_empty(&seen[1].damage));
	g_assert_cmpint(pixman_region32_extents(&seen[0].damage)->x1, ==, 30);
	g_assert_cmpint(pixman_region32_extents(&seen[0].damage)->x2, ==, 32);
	g_assert_cmpint(pixman_region32_extents(&seen[1].damage)->x1, ==, 0);
	g_assert_cmpint(pixman_region32_extents(&seen[1].damage)->x2, ==, 8);
	for (unsigned i = 0; i < 3; i++)
		stop_seeing(&seen[i]);
}

/* The size a viewer wishes is in the ROM, and the guest is told when it has a driver that knows. */
static void test_wish(void)
{
	const struct head_ui_info info = { .width = 1600, .height = 900, .x_offset = 10 };
	g_autoptr(qxl_fixture) f = qxl_fixture_new(true, 2);
	uint32_t crc = f->rom->client_monitors_config_crc;

	head_set_ui_info(qxl_head(f->qxl, 0), &info);
	g_assert_cmpuint(f->rom->client_monitors_config.count, ==, 1);
	g_assert_cmpuint(f->rom->client_monitors_config.heads[0].right, ==, 1610);
	g_assert_cmpuint(f->rom->client_monitors_config.heads[0].bottom, ==, 900);
	g_assert_cmphex(f->rom->client_monitors_config_crc, !=, crc);
	g_assert_cmphex(f->header->int_pending, ==, 0);
	f->header->int_mask = QXL_INTERRUPT_CLIENT_MONITORS_CONFIG | QXL_INTERRUPT_DISPLAY;
	head_set_ui_info(qxl_head(f->qxl, 1), &info);
	g_assert_cmpuint(f->rom->client_monitors_config.count, ==, 2);
	g_assert_cmphex(f->header->int_pending, ==, QXL_INTERRUPT_CLIENT_MONITORS_CONFIG);
	g_assert_true(f->interrupt);
	qxl_fixture_port(f, QXL_IO_RESET, 0);
	g_assert_cmpuint(f->rom->client_monitors_config.count, ==, 2);
}

static void test_modes(void)
{
	g_autoptr(qxl_fixture) f = qxl_fixture_new(true, 1);
	uint32_t width, height;

	head_size(qxl_head(f->qxl, 0), &width, &height);
	g_assert_cmpuint(width, ==, 640);
	qxl_fixture_start(f);
	head_size(qxl_head(f->qxl, 0), &width, &height);
	g_assert_cmpuint(width, ==, FIXTURE_WIDTH);
	/* VGA's registers don't show while the mode is native, as in revision 5. */
	g_mutex_lock(&f->lock);
	vga_port_write(qxl_vga(f->qxl), 0x3c0, 1, 0x20);
	g_mutex_unlock(&f->lock);
	head_size(qxl_head(f->qxl, 0), &width, &height);
	g_assert_cmpuint(width, ==, FIXTURE_WIDTH);
	qxl_fixture_port(f, QXL_IO_RESET, 0);
	head_size(qxl_head(f->qxl, 0), &width, &height);
	g_assert_cmpuint(width, !=, FIXTURE_WIDTH);
}

/* Rows that come last first: shown through a copy that is the right way up. */
static void test_upside_down(void)
{
	g_autoptr(qxl_fixture) f = qxl_fixture_new(false, 1);
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_WHITENESS, 0, 0, 1, 1);
	struct video_memory *memory;
	struct scanout scanout;

	primary(f, 64, 48, -256, SPICE_SURFACE_FMT_32_xRGB, qxl_fixture_address(FIXTURE_SLOT, 0));
	qxl_fixture_port(f, QXL_IO_CREATE_PRIMARY, 0);
	qxl_fixture_draw(f, &drawable);
	g_assert_cmphex(((uint32_t *)(void *)f->bytes)[47 * 64], ==, 0xffffff);
	g_assert_true(head_picture(qxl_head(f->qxl, 0), &memory, &scanout));
	g_assert_cmphex(((uint32_t *)(void *)video_memory_bytes(memory))[0], ==, 0xffffff);
	g_assert_true(memory != f->memory);
	video_memory_unref(memory);
}

static void test_thousand_resets(void)
{
	g_autoptr(qxl_fixture) f = qxl_fixture_new(true, 2);

	for (unsigned i = 0; i < 1000; i++) {
		f->next = FIXTURE_FRAME;
		qxl_fixture_start(f);
		nop(f, 1);
		g_assert_true(qxl_is_native(f->qxl));
		g_mutex_lock(&f->lock);
		qxl_reset(f->qxl);
		g_mutex_unlock(&f->lock);
		g_assert_false(qxl_is_native(f->qxl));
	}
}

/* State from outside is checked. */
static void test_state(void)
{
	g_autoptr(qxl_fixture) f = qxl_fixture_new(false, 1);
	struct vga_state states[QXL_STATES];

	qxl_fixture_start(f);
	g_mutex_lock(&f->lock);
	qxl_states(f->qxl, states);
	g_assert_true(qxl_state_loaded(f->qxl));
	for (unsigned i = 0; i < QXL_STATES; i++) {
		for (const struct state_field *field = states[i].fields; field->name; field++) {
			uint8_t *member = (uint8_t *)states[i].base + field->offset;
			uint8_t old = *member;

			if (field->type == STATE_TYPE_BOOL)
				continue;
			*member = 0xee;
			qxl_state_loaded(f->qxl);
			*member = old;
		}
	}
	g_assert_true(qxl_state_loaded(f->qxl));
	g_mutex_unlock(&f->lock);
}

static const struct {
	const char *name;
	void (*test)(void);
} tests[] = {
	{ "/qxl/rom", test_rom },
	{ "/qxl/async", test_async },
	{ "/qxl/release", test_release },
	{ "/qxl/notify-consumed", test_notify_consumed },
	{ "/qxl/cursor", test_cursor },
	{ "/qxl/cursor-mistakes", test_cursor_mistakes },
	{ "/qxl/changing-cursor", test_changing_cursor },
	{ "/qxl/monitors", test_monitors },
	{ "/qxl/wish", test_wish },
	{ "/qxl/modes", test_modes },
	{ "/qxl/upside-down", test_upside_down },
	{ "/qxl/thousand-resets", test_thousand_resets },
	{ "/qxl/state", test_state },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add_func(tests[i].name, tests[i].test);
	for (size_t i = 0; i < G_N_ELEMENTS(mistakes); i++)
		g_test_add_data_func(mistakes[i].name, &mistakes[i], check_mistake);
	return g_test_run();
}
