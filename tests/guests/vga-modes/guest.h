/* What the pictures draw with: ports, the window at 0xa0000, the BIOS. */
#pragma once

#include <stdint.h>

enum {
	SEQUENCER = 0x3c4,
	GRAPHICS = 0x3ce,
	CRTC = 0x3d4,
	CRTC_MONO = 0x3b4,
	SEGMENT_GRAPHICS = 0xa000,
	SEGMENT_MONO = 0xb000,
	SEGMENT_COLOUR = 0xb800,
};

struct bios_call {
	uint32_t ax, bx, cx, dx;
	uint32_t pointer; /* es:bp and es:di */
};

void bios_video(struct bios_call *call);

static inline void bios(uint32_t ax, uint32_t bx, uint32_t cx, uint32_t dx)
{
	bios_video(&(struct bios_call) { ax, bx, cx, dx, 0 });
}

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void set(uint16_t port, uint8_t index, uint8_t value)
{
	out16(port, index | value << 8);
}

static inline void attribute(uint8_t index, uint8_t value)
{
	in8(0x3da);
	in8(0x3ba);
	out8(0x3c0, index);
	out8(0x3c0, value);
	out8(0x3c0, 0x20);
}

static inline void use_segment(uint16_t segment)
{
	__asm__ volatile("movw %0, %%fs" : : "r"(segment));
}

/* In the segment that was chosen last. */
static inline void poke8(uint32_t offset, uint8_t value)
{
	__asm__ volatile("movb %0, %%fs:(%1)" : : "q"(value), "r"(offset) : "memory");
}

static inline void poke16(uint32_t offset, uint16_t value)
{
	__asm__ volatile("movw %0, %%fs:(%1)" : : "r"(value), "r"(offset) : "memory");
}

static inline void poke32(uint32_t offset, uint32_t value)
{
	__asm__ volatile("movl %0, %%fs:(%1)" : : "r"(value), "r"(offset) : "memory");
}

static inline uint8_t peek8(uint32_t offset)
{
	uint8_t value;

	__asm__ volatile("movb %%fs:(%1), %0" : "=q"(value) : "r"(offset) : "memory");
	return value;
}

struct picture {
	const char *name;
	void (*draw)(void);
};

/* Up to a name of NULL each. */
extern const struct picture text_pictures[], graphics_pictures[], vbe_pictures[];

void hide_cursor(void);
void set_colour(uint8_t index, uint8_t red, uint8_t green, uint8_t blue);
