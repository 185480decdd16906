/* QXL: commands, rings and ports, while a second thread writes the guest's memory.
 *
 * The input is a list of steps: a byte that says which, then its arguments. Addresses in commands are made to lead into the
 * memory, which is small, so that what steps wrote there before is found. The memories have pages without access on both sides
 * where the host leaves room, so that an address outside is found as well.
 */
#include <glib.h>
#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/reader.h"
#include "display/devices/qxl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MEMORY = 256 * 1024, /* bytes */
	HEADER = MEMORY - 8192,
	FRAME = 64 * 1024,
	SURFACES = 64 * 1024,
	GUARD = 64 * 1024,
	STEPS_MOST = 256,
	WRITES = 64, /* of the second thread, in circles */
	BAR0 = 0x10000000,
	BAR1 = 0x20000000,
};

struct guest {
	GMutex lock;
	struct qxl *qxl;
	struct video_memory *memory, *surfaces;
	uint8_t *bytes;
	QXLRam *header;
	const uint8_t *data; /* what the second thread writes */
	size_t size;
	gint stop;
};

static void set_interrupt(void *owner, bool level)
{
}

static bool locate(void *owner, uint64_t start, uint64_t end, unsigned *area, uint64_t *offset)
{
	*area = start >= BAR1;
	*offset = start - (*area ? BAR1 : BAR0);
	return start >= BAR0 && end >= start && end - start <= MEMORY;
}

static void run_soon(void *owner)
{
}

static const struct qxl_ops ops = { set_interrupt, locate, run_soon };

static uint64_t any_address(struct reader *in)
{
	return (uint64_t)1 << 56 | reader_u16(in) * 4;
}

static void step_port(struct guest *guest, struct reader *in)
{
	unsigned port = reader_u8(in) % 26;

	qxl_port_write(guest->qxl, port, reader_u8(in));
}

static void step_write(struct guest *guest, struct reader *in)
{
	uint32_t at = reader_u16(in) * 4;
	uint8_t length = reader_u8(in);

	reader_copy(in, guest->bytes + MIN(at, MEMORY - 256), length);
}

/* An address, 2 bytes of input, anywhere. */
static void step_write_address(struct guest *guest, struct reader *in)
{
	uint32_t at = reader_u16(in) * 4 + reader_u8(in) % 4;
	uint64_t address = any_address(in);

	memcpy(guest->bytes + MIN(at, MEMORY - 8), &address, sizeof(address));
}

static void step_header(struct guest *guest, struct reader *in)
{
	uint32_t at = reader_u16(in) % (sizeof(QXLRam) - 4);

	reader_copy(in, (uint8_t *)guest->header + at, 4);
}

static void push(struct guest *guest, uint32_t type, uint64_t address)
{
	QXLCommandRing *ring = &guest->header->cmd_ring;
	QXLCursorRing *cursors = &guest->header->cursor_ring;

	if (type == QXL_CMD_CURSOR) {
		cursors->items[cursors->prod % 32].el = (QXLCommand) { address, type, 0 };
		cursors->prod++;
	} else {
		ring->items[ring->prod % 32].el = (QXLCommand) { address, type, 0 };
		ring->prod++;
	}
	qxl_port_write(guest->qxl, QXL_IO_NOTIFY_CMD, 0);
}

static void step_command(struct guest *guest, struct reader *in)
{
	uint32_t type = reader_u8(in) % 7;

	push(guest, type, any_address(in));
}

/* Where each drawing command has addresses. */
static const struct {
	uint8_t type;
	uint16_t offset;
} addresses[] = {
	{ QXL_DRAW_FILL, offsetof(QXLDrawable, u.fill.mask.bitmap) },
	{ QXL_DRAW_FILL, offsetof(QXLDrawable, u.fill.brush.u.pattern.pat) },
	{ QXL_DRAW_OPAQUE, offsetof(QXLDrawable, u.opaque.src_bitmap) },
	{ QXL_DRAW_OPAQUE, offsetof(QXLDrawable, u.opaque.mask.bitmap) },
	{ QXL_DRAW_COPY, offsetof(QXLDrawable, u.copy.src_bitmap) },
	{ QXL_DRAW_COPY, offsetof(QXLDrawable, u.copy.mask.bitmap) },
	{ QXL_DRAW_BLEND, offsetof(QXLDrawable, u.blend.src_bitmap) },
	{ QXL_DRAW_BLACKNESS, offsetof(QXLDrawable, u.blackness.mask.bitmap) },
	{ QXL_DRAW_INVERS, offsetof(QXLDrawable, u.invers.mask.bitmap) },
	{ QXL_DRAW_ROP3, offsetof(QXLDrawable, u.rop3.src_bitmap) },
	{ QXL_DRAW_ROP3, offsetof(QXLDrawable, u.rop3.mask.bitmap) },
	{ QXL_DRAW_STROKE, offsetof(QXLDrawable, u.stroke.path) },
	{ QXL_DRAW_STROKE, offsetof(QXLDrawable, u.stroke.attr.style) },
	{ QXL_DRAW_TEXT, offsetof(QXLDrawable, u.text.str) },
	{ QXL_DRAW_TRANSPARENT, offsetof(QXLDrawable, u.transparent.src_bitmap) },
	{ QXL_DRAW_ALPHA_BLEND, offsetof(QXLDrawable, u.alpha_blend.src_bitmap) },
	{ QXL_DRAW_COMPOSITE, offsetof(QXLDrawable, u.composite.src) },
	{ QXL_DRAW_COMPOSITE, offsetof(QXLDrawable, u.composite.mask) },
	{ QXL_DRAW_COMPOSITE, offsetof(QXLDrawable, u.composite.src_transform) },
};

static QXLRect small_rect(struct reader *in)
{
	QXLRect rect = { .top = (int8_t)reader_u8(in), .left = (int8_t)reader_u8(in) };

	rect.bottom = rect.top + reader_u8(in);
	rect.right = rect.left + reader_u8(in);
	return rect;
}

/* A drawing whose rectangles and addresses are not hopeless: it goes into the memory at a fixed place. */
static void step_draw(struct guest *guest, struct reader *in)
{
	QXLDrawable drawable = { .type = reader_u8(in) % 15 };
	QXLRect box = small_rect(in);
	unsigned flags = reader_u8(in);

	reader_copy(in, &drawable.u, sizeof(drawable.u));
	drawable.bbox = box;
	drawable.surface_id = flags & 3;
	drawable.self_bitmap = flags >> 2 & 1;
	drawable.self_bitmap_area = box;
	if (flags & 8) {
		drawable.clip.type = SPICE_CLIP_TYPE_RECTS;
		drawable.clip.data = any_address(in);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
		uint64_t address;

		if (addresses[i].type != drawable.type)
			continue;
		address = flags & 16 << i % 4 ? any_address(in) : 0;
		memcpy((uint8_t *)&drawable + addresses[i].offset, &address, sizeof(address));
	}
	memcpy(guest->bytes + FRAME, &drawable, sizeof(drawable));
	push(guest, QXL_CMD_DRAW, (uint64_t)1 << 56 | FRAME);
}

static void step_surface(struct guest *guest, struct reader *in)
{
	static const uint8_t formats[] = { SPICE_SURFACE_FMT_1_A, SPICE_SURFACE_FMT_8_A,
		SPICE_SURFACE_FMT_16_555, SPICE_SURFACE_FMT_32_xRGB, SPICE_SURFACE_FMT_16_565,
		SPICE_SURFACE_FMT_32_ARGB };
	QXLSurfaceCmd command = { .surface_id = 1 + reader_u8(in) % 3 };

	command.type = reader_u8(in) % 4 == 0;
	command.u.surface_create.format = formats[reader_u8(in) % G_N_ELEMENTS(formats)];
	command.u.surface_create.width = reader_u8(in);
	command.u.surface_create.height = reader_u8(in);
	command.u.surface_create.stride = (int16_t)reader_u16(in);
	command.u.surface_create.data = (uint64_t)2 << 56 | reader_u16(in);
	memcpy(guest->bytes + FRAME, &command, sizeof(command));
	push(guest, QXL_CMD_SURFACE, (uint64_t)1 << 56 | FRAME);
}

static void step_cursor(struct guest *guest, struct reader *in)
{
	QXLCursorCmd command = { .type = reader_u8(in) % 5 };

	command.u.set.shape = any_address(in);
	memcpy(guest->bytes + FRAME, &command, sizeof(command));
	push(guest, QXL_CMD_CURSOR, (uint64_t)1 << 56 | FRAME);
}

/* As a driver starts. */
static void step_start(struct guest *guest, struct reader *in)
{
	guest->header->mem_slot = (QXLMemSlot) { BAR0, BAR0 + HEADER };
	qxl_port_write(guest->qxl, QXL_IO_MEMSLOT_ADD, 1);
	guest->header->mem_slot = (QXLMemSlot) { BAR1, BAR1 + SURFACES };
	qxl_port_write(guest->qxl, QXL_IO_MEMSLOT_ADD, 2);
	guest->header->create_surface = (QXLSurfaceCreate) {
		.width = 64,
		.height = 64,
		.stride = reader_u8(in) % 2 ? -256 : 256,
		.format = SPICE_SURFACE_FMT_32_xRGB,
		.flags = QXL_SURF_FLAG_KEEP_DATA,
		.mem = (uint64_t)1 << 56,
	};
	qxl_port_write(guest->qxl, QXL_IO_CREATE_PRIMARY, 0);
}

static void step_reset(struct guest *guest, struct reader *in)
{
	qxl_port_write(guest->qxl, QXL_IO_RESET, 0);
	step_start(guest, in);
}

/* Every pixel that a consumer may read is there. */
static void step_picture(struct guest *guest, struct reader *in)
{
	struct video_memory *memory;
	struct scanout scanout;

	g_mutex_unlock(&guest->lock);
	if (head_picture(qxl_head(guest->qxl, 0), &memory, &scanout)) {
		if (!scanout_fits(&scanout, video_memory_size(memory)))
			abort();
		video_memory_unref(memory);
	}
	g_mutex_lock(&guest->lock);
}

static void (*const steps[])(struct guest *guest, struct reader *in) = { step_draw, step_write,
	step_write_address, step_port, step_header, step_command, step_surface, step_cursor,
	step_reset, step_picture };

/* Writes what the input has, two bytes for a place and one to put there, until it is stopped. */
static gpointer write_memory(gpointer data)
{
	struct guest *guest = data;
	size_t places = MIN(guest->size / 3, WRITES);

	while (places > 0 && !g_atomic_int_get(&guest->stop))
		for (size_t i = 0; i < places; i++) {
			const uint8_t *at = guest->data + guest->size - 3 * (i + 1);

			*(volatile uint8_t *)(guest->bytes + (at[0] << 8 | at[1]) * 4 % MEMORY +
					      at[2] % 4) = at[2];
		}
	return NULL;
}

static void *guard(uint8_t *address)
{
	return mmap(address, GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		-1, 0);
}

static void unguard(void *mapping)
{
	if (mapping != MAP_FAILED)
		munmap(mapping, GUARD);
}

static void run(struct guest *guest, struct reader *in)
{
	/* The first byte says whether there is a second thread: without one what is found happens again. */
	bool threaded = reader_u8(in) % 2;
	GThread *thread = threaded ? g_thread_new("writer", write_memory, guest) : NULL;

	g_mutex_lock(&guest->lock);
	step_start(guest, in);
	for (unsigned i = 0; i < STEPS_MOST && reader_left(in) > 0; i++)
		steps[reader_u8(in) % G_N_ELEMENTS(steps)](guest, in);
	step_picture(guest, in);
	g_mutex_unlock(&guest->lock);
	g_atomic_int_set(&guest->stop, 1);
	if (thread)
		g_thread_join(thread);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_from(data, size);
	struct guest guest = {
		.memory = video_memory_new("qxl", MEMORY, NULL),
		.surfaces = video_memory_new("qxl-surfaces", SURFACES, NULL),
		.data = data,
		.size = size,
	};
	struct qxl_config config = { .ops = &ops, .owner = &guest, .label = "qxl" };
	void *guards[] = { guard(video_memory_bytes(guest.memory) - GUARD),
		guard(video_memory_bytes(guest.memory) + MEMORY),
		guard(video_memory_bytes(guest.surfaces) - GUARD),
		guard(video_memory_bytes(guest.surfaces) + SURFACES) };
	struct display *display;

	guest.bytes = video_memory_bytes(guest.memory);
	guest.header = (QXLRam *)(void *)(guest.bytes + HEADER);
	config.device_address = "pci/0000/02.0";
	config.memory = guest.memory;
	config.surfaces_memory = guest.surfaces;
	config.rom = aligned_alloc(4096, QXL_ROM_SIZE);
	config.frame_size = FRAME;
	config.surfaces = 4;
	config.heads = 2;
	config.revision = QXL_REVISION_NEWEST;
	g_mutex_init(&guest.lock);
	display = display_new(&guest.lock);
	g_mutex_lock(&guest.lock);
	guest.qxl = qxl_new(display, &config, NULL);
	g_mutex_unlock(&guest.lock);
	run(&guest, &in);
	g_mutex_lock(&guest.lock);
	qxl_free(guest.qxl);
	g_mutex_unlock(&guest.lock);
	display_free(display);
	for (size_t i = 0; i < G_N_ELEMENTS(guards); i++)
		unguard(guards[i]);
	video_memory_unref(guest.memory);
	video_memory_unref(guest.surfaces);
	g_mutex_clear(&guest.lock);
	free(config.rom);
	return 0;
}
