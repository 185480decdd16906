/* A driver of virtio-gpu. Specification: virtio 1.2 sections 2.7, 3.1, 4.1 and 5.7. */
#include "gpu.h"

#include "calls.h"
#include "memory.h"
#include "pci.h"

enum {
	GPU_ID = 0x10501af4,
	CLASS_VGA = 0x0300,
	CLASS_OTHER_DISPLAY = 0x0380,
	BAR_OTHER = 0x20, /* virtio-gpu-pci */
	BAR_VGA = 0x18,   /* virtio-vga, whose registers begin behind those of the VGA */
	VGA_COMMON = 0x1000,
	NOTIFY = 0x3000,
	PCI_COMMAND_MASTER = 1 << 2,

	FEATURE_SELECT = 0x08,
	FEATURES = 0x0c,
	STATUS = 0x14,
	QUEUE_SELECT = 0x16,
	QUEUE_SIZE = 0x18,
	QUEUE_ENABLE = 0x1c,
	QUEUE_DESCRIPTORS = 0x20,
	QUEUE_DRIVER = 0x28,
	QUEUE_DEVICE = 0x30,
	STATUS_DRIVER = 3,
	STATUS_FEATURES = 11,
	STATUS_READY = 15,
	VERSION_1 = 1,
	ENTRIES = 8,
	NEXT = 1,
	WRITE = 2,

	CREATE_2D = 0x101,
	SET_SCANOUT = 0x103,
	FLUSH = 0x104,
	TRANSFER = 0x105,
	ATTACH_BACKING = 0x106,
	OK = 0x1100,
	RESOURCE = 1,
	FORMAT_BGRX = 2,
	PICTURE_BYTES = GPU_WIDTH * GPU_HEIGHT * 4,
	PATIENCE = 2000000000,
};

struct request {
	uint32_t type, flags, fence[2], context, ring;
	uint32_t words[8];
};

static struct {
	_Alignas(4096) struct {
		uint64_t address;
		uint32_t length;
		uint16_t flags, next;
	} descriptors[ENTRIES];
	_Alignas(4096) struct {
		uint16_t flags, index, entries[ENTRIES];
	} available;
	_Alignas(4096) struct {
		uint16_t flags, index;
		uint32_t entries[ENTRIES][2];
	} used;
	struct request requests[ENTRIES / 2];
	struct request answers[ENTRIES / 2];
} rings;

static uint32_t registers, notify_at;
static uint32_t *picture;
static uint16_t asked;

static void set32(uint32_t at, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)(registers + at) = value;
}

static void set16(uint32_t at, uint16_t value)
{
	*(volatile uint16_t *)(uintptr_t)(registers + at) = value;
}

static void set8(uint32_t at, uint8_t value)
{
	*(volatile uint8_t *)(uintptr_t)(registers + at) = value;
}

static void set_address(uint32_t at, const void *to)
{
	set32(at, (uint32_t)(uintptr_t)to);
	set32(at + 4, 0);
}

static bool find(void)
{
	struct pci_function at;
	uint32_t bar;

	if (pci_find(GPU_ID, CLASS_OTHER_DISPLAY, &at)) {
		bar = registers = pci_bar_address(at, BAR_OTHER);
	} else if (pci_find(GPU_ID, CLASS_VGA, &at)) {
		bar = pci_bar_address(at, BAR_VGA);
		registers = bar + VGA_COMMON;
	} else {
		return false;
	}
	notify_at = bar + NOTIFY;
	pci_write(at, PCI_COMMAND,
		(pci_read(at, PCI_COMMAND) & 0xffff) | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return bar != 0;
}

static void start(void)
{
	set8(STATUS, 0);
	set8(STATUS, STATUS_DRIVER);
	set32(FEATURE_SELECT, 1);
	set32(FEATURES, VERSION_1);
	set8(STATUS, STATUS_FEATURES);
	set16(QUEUE_SELECT, 0);
	set16(QUEUE_SIZE, ENTRIES);
	set_address(QUEUE_DESCRIPTORS, rings.descriptors);
	set_address(QUEUE_DRIVER, &rings.available);
	set_address(QUEUE_DEVICE, &rings.used);
	set16(QUEUE_ENABLE, 1);
	rings.available.flags = 1; /* no interrupts */
	set8(STATUS, STATUS_READY);
}

/* Puts a request into place @index; it is done with the others by ask(). */
static uint32_t *prepare(uint16_t index, uint32_t type)
{
	struct request *request = &rings.requests[index];

	memset(request, 0, sizeof(*request));
	request->type = type;
	rings.descriptors[2 * index].address = (uintptr_t)request;
	rings.descriptors[2 * index].length = sizeof(*request);
	rings.descriptors[2 * index].flags = NEXT;
	rings.descriptors[2 * index].next = (uint16_t)(2 * index + 1);
	rings.descriptors[2 * index + 1].address = (uintptr_t)&rings.answers[index];
	rings.descriptors[2 * index + 1].length = sizeof(rings.answers[index]);
	rings.descriptors[2 * index + 1].flags = WRITE;
	return request->words;
}

/* Asks for the first @count requests with one notification, and waits. */
static bool ask(uint16_t count)
{
	for (uint16_t i = 0; i < count; i++)
		rings.available.entries[(uint16_t)(asked + i) % ENTRIES] = (uint16_t)(2 * i);
	asked = (uint16_t)(asked + count);
	__atomic_store_n(&rings.available.index, asked, __ATOMIC_SEQ_CST);
	*(volatile uint16_t *)(uintptr_t)notify_at = 0;
	for (uint32_t i = 0; __atomic_load_n(&rings.used.index, __ATOMIC_ACQUIRE) != asked; i++) {
		if (i == PATIENCE)
			return false;
		__builtin_ia32_pause();
	}
	for (uint16_t i = 0; i < count; i++)
		if (rings.answers[i].type != OK)
			return false;
	return true;
}

static void set_words(uint32_t *words, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	words[0] = a;
	words[1] = b;
	words[2] = c;
	words[3] = d;
}

static bool update(uint32_t width, uint32_t height)
{
	uint32_t *words = prepare(0, TRANSFER);

	set_words(words, 0, 0, width, height);
	words[6] = RESOURCE;
	words = prepare(1, FLUSH);
	set_words(words, 0, 0, width, height);
	words[4] = RESOURCE;
	return ask(2);
}

static bool show(void)
{
	uint32_t *words;

	set_words(prepare(0, CREATE_2D), RESOURCE, FORMAT_BGRX, GPU_WIDTH, GPU_HEIGHT);
	words = prepare(1, ATTACH_BACKING);
	set_words(words, RESOURCE, 1, (uint32_t)(uintptr_t)picture, 0);
	words[4] = PICTURE_BYTES;
	words = prepare(2, SET_SCANOUT);
	set_words(words, 0, 0, GPU_WIDTH, GPU_HEIGHT);
	words[5] = RESOURCE;
	return ask(3) && update(GPU_WIDTH, GPU_HEIGHT);
}

bool gpu_update(
	const struct boot *boot, uint32_t width, uint32_t height, uint32_t count, bool paced)
{
	if (width < 1 || width > GPU_WIDTH || height < 1 || height > GPU_HEIGHT)
		return false;
	if (!picture) {
		if (boot->room_end < ROOM_START + 2 * PICTURE_BYTES || !find())
			return false;
		picture = (uint32_t *)(uintptr_t)((boot->room_end - PICTURE_BYTES) & ~4095u);
		for (uint32_t i = 0; i < GPU_WIDTH * GPU_HEIGHT; i++)
			picture[i] = i;
		start();
		if (!show())
			return false;
	}
	for (uint32_t i = 1; i <= count; i++) {
		while (paced && wait() != VECTOR_TIMER)
			;
		for (uint32_t y = 0; y < height; y++)
			for (uint32_t x = 0; x < width; x++)
				picture[y * GPU_WIDTH + x] = i * 0x010305;
		if (!update(width, height))
			return false;
	}
	return true;
}
