/* A driver of QXL. Specification: spice/qxl_dev.h of spice-protocol, whose offsets stand here as numbers. */
#include "qxl.h"

#include "calls.h"
#include "memory.h"
#include "pci.h"

enum {
	QXL_ID = 0x01001b36,
	CLASS_VGA = 0x0300,
	BAR_3 = 0x1c,

	ROM_FRAME_SIZE = 40,
	ROM_HEADER = 44,

	RAM_COMMANDS = 4108, /* the command ring */
	RAM_RELEASED = 5172, /* the release ring */
	RAM_AREA = 5256,
	RAM_SLOT = 5276,
	RAM_CREATE = 5292,
	RING_PRODUCED = 4,
	RING_NOTIFY = 8,
	RING_CONSUMED = 12,
	RING_ITEMS = 20,
	RING_SIZE = 32,

	PORT_NOTIFY = 0,
	PORT_UPDATE_AREA = 2,
	PORT_RESET = 5,
	PORT_ADD_SLOT = 8,
	PORT_CREATE_PRIMARY = 12,

	COMMAND_DRAW = 1,
	FORMAT_32 = 32,
	PUT = 8,
	SOLID = 1,
	TOP_DOWN = 4,
	BITMAP_32 = 8,

	DRAWABLES = 256, /* used in turn */
	DRAWABLE_SIZE = 256,
	BATCH = 16, /* commands that the device is told of at once */
	SQUARE = 64,
	COLUMNS = QXL_WIDTH / SQUARE,
	ROWS = QXL_HEIGHT / SQUARE,
	SCROLL = 16,
};

enum draw_type {
	DRAW_FILL = 1,
	DRAW_COPY = 3,
	DRAW_COPY_BITS = 4,
};

struct rect {
	int32_t top, left, bottom, right;
};

struct drawable {
	uint64_t release;
	uint32_t surface;
	uint8_t effect, type, self;
	struct rect self_area, box;
	uint32_t clip_type;
	uint64_t clip;
	uint32_t time;
	int32_t others[3];
	struct rect areas[3];
	union {
		struct {
			uint32_t brush_type, colour;
			uint32_t unused[3];
			uint16_t rop;
		} __attribute__((packed)) fill;
		struct {
			uint64_t image;
			struct rect area;
			uint16_t rop;
		} __attribute__((packed)) copy;
		struct {
			int32_t x, y;
		} __attribute__((packed)) source;
		uint8_t room[68];
	};
} __attribute__((packed));

struct image {
	uint64_t id;
	uint8_t type, flags;
	uint32_t width, height;
	uint8_t format, bitmap_flags;
	uint32_t bitmap_width, bitmap_height, stride;
	uint64_t palette, data;
	uint32_t chunk_size;
	uint64_t previous, next;
	uint32_t pixels[SQUARE * SQUARE];
} __attribute__((packed));

static struct {
	uint32_t memory, header, frame_size;
	uint16_t ports;
	uint32_t used; /* drawables */
	bool started;
} qxl;

static volatile uint32_t *word(uint32_t address)
{
	return (volatile uint32_t *)(uintptr_t)address;
}

static uint64_t address_of(uint32_t offset)
{
	return (uint64_t)1 << 56 | offset;
}

static void write_port(unsigned port, uint8_t value)
{
	out8((uint16_t)(qxl.ports + port), value);
}

static bool find(void)
{
	struct pci_function at;
	uint32_t rom;

	if (!pci_find(QXL_ID, CLASS_VGA, &at))
		return false;
	pci_write(at, PCI_COMMAND,
		(pci_read(at, PCI_COMMAND) & 0xffff) | PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	qxl.memory = pci_bar_address(at, PCI_BAR_0);
	rom = pci_bar_address(at, PCI_BAR_2);
	qxl.ports = pci_read(at, BAR_3) & 0xfffc;
	if (qxl.memory == 0 || rom == 0 || qxl.ports == 0)
		return false;
	qxl.frame_size = *word(rom + ROM_FRAME_SIZE);
	qxl.header = qxl.memory + *word(rom + ROM_HEADER);
	return true;
}

/* The image that is copied, behind the drawables. */
static uint32_t image_offset(void)
{
	return qxl.frame_size + DRAWABLES * DRAWABLE_SIZE;
}

static void make_image(void)
{
	struct image *image = (struct image *)(uintptr_t)(qxl.memory + image_offset());

	memset(image, 0, sizeof(*image));
	image->width = image->height = image->bitmap_width = image->bitmap_height = SQUARE;
	image->format = BITMAP_32;
	image->bitmap_flags = TOP_DOWN;
	image->stride = SQUARE * 4;
	image->data = address_of(image_offset() + 48);
	image->chunk_size = sizeof(image->pixels);
	for (uint32_t i = 0; i < SQUARE * SQUARE; i++)
		image->pixels[i] = i % SQUARE * 0x40000 + i / SQUARE * 0x400;
}

static bool start(void)
{
	static const uint32_t primary[] = { QXL_WIDTH, QXL_HEIGHT, QXL_WIDTH * 4, FORMAT_32 };

	if (qxl.started)
		return true;
	if (!find())
		return false;
	write_port(PORT_RESET, 0);
	*word(qxl.header + RAM_SLOT) = qxl.memory;
	*word(qxl.header + RAM_SLOT + 4) = 0;
	*word(qxl.header + RAM_SLOT + 8) = qxl.header;
	*word(qxl.header + RAM_SLOT + 12) = 0;
	write_port(PORT_ADD_SLOT, 1);
	for (unsigned i = 0; i < 4; i++)
		*word(qxl.header + RAM_CREATE + i * 4) = primary[i];
	*word(qxl.header + RAM_CREATE + 32) = 0;
	*word(qxl.header + RAM_CREATE + 36) = 1u << 24;
	write_port(PORT_CREATE_PRIMARY, 0);
	make_image();
	qxl.started = true;
	return true;
}

static struct drawable *next_drawable(void)
{
	uint32_t offset = qxl.frame_size + qxl.used % DRAWABLES * DRAWABLE_SIZE;
	struct drawable *drawable = (struct drawable *)(uintptr_t)(qxl.memory + offset);

	memset(drawable, 0, sizeof(*drawable));
	drawable->release = 1;
	drawable->effect = 1;
	for (unsigned i = 0; i < 3; i++)
		drawable->others[i] = -1;
	return drawable;
}

/* What was drawn is taken back as a whole: drawables are used in turn. */
static void take_back(void)
{
	uint32_t ring = qxl.header + RAM_RELEASED;

	*word(ring + RING_CONSUMED) = *word(ring + RING_PRODUCED);
}

/* Puts the drawable into the ring; the device is told of BATCH of them together. */
static void push(bool last)
{
	uint32_t ring = qxl.header + RAM_COMMANDS;
	uint32_t produced = *word(ring + RING_PRODUCED);
	uint32_t item = ring + RING_ITEMS + produced % RING_SIZE * 16;

	while (produced - *word(ring + RING_CONSUMED) >= RING_SIZE)
		;
	*word(item) = qxl.frame_size + qxl.used % DRAWABLES * DRAWABLE_SIZE;
	*word(item + 4) = 1u << 24;
	*word(item + 8) = COMMAND_DRAW;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*word(ring + RING_PRODUCED) = ++produced;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	qxl.used++;
	take_back();
	if ((last || produced % BATCH == 0) && produced - *word(ring + RING_NOTIFY) < RING_SIZE)
		write_port(PORT_NOTIFY, 0);
}

static struct rect square(uint32_t number)
{
	struct rect rect = { .top = (int32_t)(number / COLUMNS % ROWS * SQUARE),
		.left = (int32_t)(number % COLUMNS * SQUARE) };

	rect.bottom = rect.top + SQUARE;
	rect.right = rect.left + SQUARE;
	return rect;
}

static void prepare_fill(struct drawable *drawable, uint32_t number)
{
	drawable->type = DRAW_FILL;
	drawable->box = square(number);
	drawable->fill.brush_type = SOLID;
	drawable->fill.colour = (number & 0xff) * 0x10101;
	drawable->fill.rop = PUT;
}

static void prepare_copy(struct drawable *drawable, uint32_t number)
{
	drawable->type = DRAW_COPY;
	drawable->box = square(number);
	drawable->copy.image = address_of(image_offset());
	drawable->copy.area.bottom = drawable->copy.area.right = SQUARE;
	drawable->copy.rop = PUT;
}

static void prepare_scroll(struct drawable *drawable, uint32_t number)
{
	(void)number;
	drawable->type = DRAW_COPY_BITS;
	drawable->box = (struct rect) { .bottom = QXL_HEIGHT - SCROLL, .right = QXL_WIDTH };
	drawable->source.y = SCROLL;
}

static bool draw(uint32_t count, void (*prepare)(struct drawable *drawable, uint32_t number))
{
	if (!start())
		return false;
	for (uint32_t i = 0; i < count; i++) {
		prepare(next_drawable(), i);
		push(i + 1 == count);
	}
	*word(qxl.header + RAM_AREA) = 0;
	*word(qxl.header + RAM_AREA + 4) = 0;
	*word(qxl.header + RAM_AREA + 8) = QXL_HEIGHT;
	*word(qxl.header + RAM_AREA + 12) = QXL_WIDTH;
	write_port(PORT_UPDATE_AREA, 0);
	return true;
}

bool qxl_fill(uint32_t count)
{
	return draw(count, prepare_fill);
}

bool qxl_copy(uint32_t count)
{
	return draw(count, prepare_copy);
}

bool qxl_scroll(uint32_t count)
{
	return draw(count, prepare_scroll);
}

bool qxl_off(uint32_t count)
{
	(void)count;
	if (!find())
		return false;
	write_port(PORT_RESET, 0);
	qxl.started = false;
	return true;
}
