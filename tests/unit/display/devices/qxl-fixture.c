/* A QXL device and a driver for it. */
#include "tests/unit/display/devices/qxl-fixture.h"

#include <stdlib.h>
#include <string.h>

static void set_interrupt(void *owner, bool level)
{
	((struct qxl_fixture *)owner)->interrupt = level;
}

static bool locate(void *owner, uint64_t start, uint64_t end, unsigned *area, uint64_t *offset)
{
	*area = start >= FIXTURE_BAR1 ? 1 : 0;
	*offset = start - (*area ? FIXTURE_BAR1 : FIXTURE_BAR0);
	return start >= FIXTURE_BAR0 && end >= start &&
	       end - start <= (*area ? FIXTURE_SURFACES : FIXTURE_MEMORY);
}

static void run_soon(void *owner)
{
	((struct qxl_fixture *)owner)->soon++;
}

static const struct qxl_ops ops = {
	.set_interrupt = set_interrupt,
	.locate = locate,
	.run_soon = run_soon,
};

struct qxl_fixture *qxl_fixture_new(bool has_vga, unsigned heads)
{
	struct qxl_fixture *f = g_new0(struct qxl_fixture, 1);
	struct qxl_config config = { .ops = &ops, .owner = f, .has_vga = has_vga, .heads = heads };
	GError *error = NULL;

	g_mutex_init(&f->lock);
	f->display = display_new(&f->lock);
	f->memory = video_memory_new("qxl", FIXTURE_MEMORY, &error);
	g_assert_no_error(error);
	f->surfaces = video_memory_new("qxl-surfaces", FIXTURE_SURFACES, &error);
	g_assert_no_error(error);
	f->rom = aligned_alloc(4096, QXL_ROM_SIZE);
	f->bytes = video_memory_bytes(f->memory);
	f->header = (QXLRam *)(void *)(f->bytes + FIXTURE_MEMORY - 8192);
	f->next = FIXTURE_FRAME;
	config.label = "qxl";
	config.device_address = "pci/0000/02.0";
	config.memory = f->memory;
	config.surfaces_memory = f->surfaces;
	config.rom = (uint8_t *)f->rom;
	config.frame_size = FIXTURE_FRAME;
	config.surfaces = 64;
	config.revision = QXL_REVISION_NEWEST;
	g_mutex_lock(&f->lock);
	f->qxl = qxl_new(f->display, &config, &error);
	g_mutex_unlock(&f->lock);
	g_assert_no_error(error);
	return f;
}

void qxl_fixture_free(struct qxl_fixture *f)
{
	g_mutex_lock(&f->lock);
	qxl_free(f->qxl);
	g_mutex_unlock(&f->lock);
	display_free(f->display);
	video_memory_unref(f->memory);
	video_memory_unref(f->surfaces);
	g_mutex_clear(&f->lock);
	free(f->rom);
	g_free(f);
}

void qxl_fixture_port(struct qxl_fixture *f, unsigned port, uint8_t value)
{
	g_mutex_lock(&f->lock);
	qxl_port_write(f->qxl, port, value);
	g_mutex_unlock(&f->lock);
}

uint64_t qxl_fixture_address(unsigned slot, uint64_t offset)
{
	return (uint64_t)slot << 56 | offset;
}

uint64_t qxl_fixture_put(struct qxl_fixture *f, const void *bytes, size_t length)
{
	uint64_t offset = f->next;

	g_assert_cmpuint(offset + length, <=, FIXTURE_MEMORY - 8192);
	memcpy(f->bytes + offset, bytes, length);
	f->next += (length + 15) / 16 * 16;
	return qxl_fixture_address(FIXTURE_SLOT, offset);
}

uint64_t qxl_fixture_put_chunk(struct qxl_fixture *f, const void *bytes, size_t length)
{
	g_autofree uint8_t *chunk = g_malloc0(sizeof(QXLDataChunk) + length);
	QXLDataChunk header = { .data_size = length };

	memcpy(chunk, &header, sizeof(header));
	memcpy(chunk + sizeof(header), bytes, length);
	return qxl_fixture_put(f, chunk, sizeof(header) + length);
}

static void add_slot(struct qxl_fixture *f, unsigned slot, uint64_t start, uint64_t size)
{
	f->header->mem_slot = (QXLMemSlot) { start, start + size };
	qxl_fixture_port(f, QXL_IO_MEMSLOT_ADD, slot);
}

void qxl_fixture_add_slots(struct qxl_fixture *f)
{
	add_slot(f, FIXTURE_SLOT, FIXTURE_BAR0, FIXTURE_MEMORY - 8192);
	add_slot(f, FIXTURE_SLOT_SURFACES, FIXTURE_BAR1, FIXTURE_SURFACES);
}

void qxl_fixture_start(struct qxl_fixture *f)
{
	qxl_fixture_add_slots(f);
	f->header->create_surface = (QXLSurfaceCreate) {
		.width = FIXTURE_WIDTH,
		.height = FIXTURE_HEIGHT,
		.stride = FIXTURE_WIDTH * 4,
		.format = SPICE_SURFACE_FMT_32_xRGB,
		.mem = qxl_fixture_address(FIXTURE_SLOT, 0),
	};
	qxl_fixture_port(f, QXL_IO_CREATE_PRIMARY, 0);
}

void qxl_fixture_queue(struct qxl_fixture *f, uint32_t type, uint64_t address)
{
	QXLCommandRing *ring = &f->header->cmd_ring;

	ring->items[ring->prod % QXL_COMMAND_RING_SIZE].el =
		(QXLCommand) { .data = address, .type = type };
	ring->prod++;
}

void qxl_fixture_command(struct qxl_fixture *f, uint32_t type, uint64_t address)
{
	qxl_fixture_queue(f, type, address);
	qxl_fixture_port(f, QXL_IO_NOTIFY_CMD, 0);
}

void qxl_fixture_cursor(struct qxl_fixture *f, const QXLCursorCmd *command)
{
	QXLCursorRing *ring = &f->header->cursor_ring;

	ring->items[ring->prod % QXL_CURSOR_RING_SIZE].el = (QXLCommand) {
		.data = qxl_fixture_put(f, command, sizeof(*command)),
		.type = QXL_CMD_CURSOR,
	};
	ring->prod++;
	qxl_fixture_port(f, QXL_IO_NOTIFY_CURSOR, 0);
}

void qxl_fixture_draw(struct qxl_fixture *f, const QXLDrawable *drawable)
{
	qxl_fixture_command(f, QXL_CMD_DRAW, qxl_fixture_put(f, drawable, sizeof(*drawable)));
}

uint32_t qxl_fixture_pixel(struct qxl_fixture *f, unsigned x, unsigned y)
{
	uint32_t pixel;

	memcpy(&pixel, f->bytes + ((size_t)y * FIXTURE_WIDTH + x) * sizeof(pixel), sizeof(pixel));
	return pixel & 0xffffff;
}

QXLDrawable qxl_fixture_drawable(
	uint8_t type, int32_t left, int32_t top, int32_t right, int32_t bottom)
{
	QXLDrawable drawable = { .type = type, .release_info.id = 1 };

	drawable.bbox = (QXLRect) { .top = top, .left = left, .bottom = bottom, .right = right };
	drawable.clip.type = SPICE_CLIP_TYPE_NONE;
	for (unsigned i = 0; i < 3; i++)
		drawable.surfaces_dest[i] = -1;
	return drawable;
}

uint64_t qxl_fixture_bitmap(struct qxl_fixture *f, uint8_t format, uint32_t width, uint32_t height,
	uint32_t stride, const void *pixels, uint64_t palette)
{
	struct {
		QXLImageDescriptor descriptor;
		QXLBitmap bitmap;
	} __attribute__((packed)) image = {
		.descriptor = { .type = SPICE_IMAGE_TYPE_BITMAP, .width = width, .height = height },
		.bitmap = { .format = format,
			.flags = QXL_BITMAP_TOP_DOWN,
			.x = width,
			.y = height,
			.stride = stride,
			.palette = palette },
	};

	image.bitmap.data = qxl_fixture_put_chunk(f, pixels, (size_t)stride * height);
	return qxl_fixture_put(f, &image, sizeof(image));
}

uint64_t qxl_fixture_surface_image(struct qxl_fixture *f, uint32_t surface)
{
	struct {
		QXLImageDescriptor descriptor;
		QXLSurfaceId id;
	} __attribute__((packed)) image = {
		.descriptor = { .type = SPICE_IMAGE_TYPE_SURFACE },
		.id = { surface },
	};

	return qxl_fixture_put(f, &image, sizeof(image));
}
