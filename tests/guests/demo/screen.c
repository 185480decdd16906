/* The screen: a display found on the PCI bus, its modes, and a picture in memory that is copied to
 * it.
 *
 * The display is driven through the Bochs VBE display interface: by ports where there is a VGA, by
 * the memory of BAR 2 where there is none.
 *
 * Specification: Bochs VBE extensions, "VBE Display API".
 */
#include "screen.h"

#include "calls.h"
#include "memory.h"
#include "pci.h"
#include "pointer.h"
#include "serial.h"

enum {
	DISPLAY_ID = 0x11111234,
	VIRTIO_GPU_ID = 0x10501af4, /* with a VGA when it has that class */
	QXL_ID = 0x01001b36,        /* likewise */
	CLASS_VGA = 0x0300,
	CLASS_OTHER_DISPLAY = 0x0380,

	PORT_INDEX = 0x1ce,
	PORT_DATA = 0x1cf,
	MEMORY_REGISTERS = 0x500,

	DISPI_ID = 0,
	DISPI_WIDTH = 1,
	DISPI_HEIGHT = 2,
	DISPI_BITS = 3,
	DISPI_ENABLE = 4,
	DISPI_BANK = 5,
	DISPI_VIRTUAL_WIDTH = 6,
	DISPI_X_OFFSET = 8,
	DISPI_Y_OFFSET = 9,
	DISPI_MEMORY_64K = 10,
	DISPI_ID_MASK = 0xfff0,
	DISPI_ID_VALUE = 0xb0c0,
	ENABLED = 0x01,
	LINEAR = 0x40,

	MIN_WIDTH = 320,
	MIN_HEIGHT = 200,
	MAX_WIDTH = 16000,
	MAX_HEIGHT = 12000,

	ATTRIBUTE_PORT = 0x3c0,
	ATTRIBUTE_SHOW = 0x20,
	STATUS_PORT = 0x3da,
};

struct screen screen = { .name = "none" };

static volatile uint16_t *registers;
static uint32_t room_bytes;

static void dispi_write(uint16_t index, uint16_t value)
{
	if (registers) {
		registers[index] = value;
		return;
	}
	out16(PORT_INDEX, index);
	out16(PORT_DATA, value);
}

static uint16_t dispi_read(uint16_t index)
{
	if (registers)
		return registers[index];
	out16(PORT_INDEX, index);
	return in16(PORT_DATA);
}

void screen_find(const struct boot *boot)
{
	struct pci_function at;
	uint32_t base;

	screen.back = (uint32_t *)(uintptr_t)ROOM_START;
	room_bytes = boot->room_end - ROOM_START;

	if (pci_find(DISPLAY_ID, CLASS_VGA, &at) || pci_find(VIRTIO_GPU_ID, CLASS_VGA, &at) ||
		pci_find(QXL_ID, CLASS_VGA, &at))
		screen.has_text = true;
	else if (!pci_find(DISPLAY_ID, CLASS_OTHER_DISPLAY, &at))
		return;
	pci_write(at, PCI_COMMAND,
		(pci_read(at, PCI_COMMAND) & 0xffff) | PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	base = pci_bar_address(at, PCI_BAR_2);
	if (!screen.has_text && base)
		registers = (volatile uint16_t *)(uintptr_t)(base + MEMORY_REGISTERS);
	screen.memory = pci_bar_address(at, PCI_BAR_0);
	screen.front = (uint32_t *)(uintptr_t)screen.memory;
	if (screen.memory == 0 || (!screen.has_text && !registers) ||
		(dispi_read(DISPI_ID) & DISPI_ID_MASK) != DISPI_ID_VALUE)
		return;
	screen.memory_bytes = (uint32_t)dispi_read(DISPI_MEMORY_64K) << 16;
	screen.name = screen.has_text ? "VGA" : "bochs-display";
}

static void dispi_set(uint32_t width, uint32_t height)
{
	dispi_write(DISPI_ENABLE, 0);
	dispi_write(DISPI_BITS, 32);
	dispi_write(DISPI_WIDTH, (uint16_t)width);
	dispi_write(DISPI_HEIGHT, (uint16_t)height);
	dispi_write(DISPI_BANK, 0);
	dispi_write(DISPI_VIRTUAL_WIDTH, (uint16_t)width);
	dispi_write(DISPI_X_OFFSET, 0);
	dispi_write(DISPI_Y_OFFSET, 0);
	dispi_write(DISPI_ENABLE, ENABLED | LINEAR);
	if (screen.has_text) {
		in8(STATUS_PORT);
		out8(ATTRIBUTE_PORT, ATTRIBUTE_SHOW);
	}
}

bool screen_set(uint32_t width, uint32_t height, char *why, uint32_t why_size)
{
	uint64_t bytes = (uint64_t)width * height * 4;

	if (screen.memory_bytes == 0) {
		format_text(why, why_size, "there is no display that it could be set on");
		return false;
	}
	if (width < MIN_WIDTH || height < MIN_HEIGHT || width > MAX_WIDTH || height > MAX_HEIGHT ||
		width % 8) {
		format_text(why, why_size, "sizes go from %ux%u to %ux%u, the width in steps of 8",
			MIN_WIDTH, MIN_HEIGHT, MAX_WIDTH, MAX_HEIGHT);
		return false;
	}
	if (bytes > screen.memory_bytes) {
		format_text(why, why_size,
			"it takes %u KiB of video memory, the display has %u KiB",
			(uint32_t)(bytes / 1024), screen.memory_bytes / 1024);
		return false;
	}
	if (bytes > room_bytes) {
		format_text(why, why_size, "it takes %u KiB of memory, the guest has %u KiB left",
			(uint32_t)(bytes / 1024), room_bytes / 1024);
		return false;
	}
	dispi_set(width, height);
	if (dispi_read(DISPI_WIDTH) != width || dispi_read(DISPI_HEIGHT) != height) {
		format_text(why, why_size, "the display made it %ux%u", dispi_read(DISPI_WIDTH),
			dispi_read(DISPI_HEIGHT));
		if (screen.width)
			dispi_set(screen.width, screen.height);
		return false;
	}
	screen.width = width;
	screen.height = height;
	return true;
}

void screen_off(void)
{
	dispi_write(DISPI_ENABLE, 0);
	screen.width = 0;
	screen.height = 0;
}

/* One row's pixels from @at on; with the pointer in them before they are seen. */
static void show_row(uint64_t at, int x, int y, int count)
{
	static uint32_t row[MAX_WIDTH];
	size_t bytes = (size_t)count * sizeof(row[0]);

	if (!pointer_crosses(y)) {
		memcpy(screen.front + at, screen.back + at, bytes);
		return;
	}
	memcpy(row, screen.back + at, bytes);
	pointer_compose(x, y, row, count);
	memcpy(screen.front + at, row, bytes);
}

void screen_show(int x, int y, int width, int height)
{
	int right = x + width, bottom = y + height;

	x = x < 0 ? 0 : x;
	y = y < 0 ? 0 : y;
	right = right > (int)screen.width ? (int)screen.width : right;
	bottom = bottom > (int)screen.height ? (int)screen.height : bottom;
	if (x >= right)
		return;
	for (; y < bottom; y++) {
		uint64_t at = (uint64_t)y * screen.width + (uint64_t)x;

		show_row(at, x, y, right - x);
	}
}
