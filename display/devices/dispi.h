/* Bochs VBE display interface: sixteen-bit registers that set a picture in video memory.
 *
 * Shared by VGA (ports 0x1ce, 0x1cf and BAR 2) and bochs-display (BAR 2 only). The device owns the video memory; this
 * part owns the registers and says what they mean as a picture.
 *
 * Specification: Bochs VBE extensions, "VBE Display API", versions 0xb0c0 to 0xb0c5.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/state.h"
#include "display/scanout.h"

enum dispi_register {
	DISPI_ID,
	DISPI_XRES,
	DISPI_YRES,
	DISPI_BPP,
	DISPI_ENABLE,
	DISPI_BANK,
	DISPI_VIRTUAL_WIDTH,
	DISPI_VIRTUAL_HEIGHT,
	DISPI_X_OFFSET,
	DISPI_Y_OFFSET,
	DISPI_REGISTERS, /* those that are stored */
	DISPI_VIDEO_MEMORY_64K = DISPI_REGISTERS,
	DISPI_READABLE,
};

enum {
	DISPI_MAX_WIDTH = 16000,
	DISPI_MAX_HEIGHT = 12000,
	DISPI_BANK_SIZE =
		64 *
		1024, /* bytes; a quarter of it as seen through the window with 4 bits a pixel */
};

enum dispi_enable {
	DISPI_ENABLED = 1 << 0,
	DISPI_GET_CAPABILITIES = 1 << 1,
	DISPI_8BIT_DAC = 1 << 5,
	DISPI_LINEAR = 1 << 6,
	DISPI_NO_CLEAR = 1 << 7,
};

enum dispi_variant {
	DISPI_FULL, /* in a VGA: 4, 8, 15, 16, 24 and 32 bits a pixel, identifiers 0xb0c0..0xb0c5 */
	DISPI_LINEAR_ONLY, /* in bochs-display: 16 and 32 bits, 64 by 64 pixels at least, identifier 0xb0c5 */
};

/* What a write to a register did, beyond the register. */
enum dispi_effect {
	DISPI_NOTHING = 0,
	DISPI_CHANGED = 1 << 0, /* the picture has to be computed again */
	DISPI_SWITCHED_ON = 1 << 1,
	DISPI_CLEAR = 1 << 2, /* the visible part of the memory becomes zero */
};

struct dispi {
	uint16_t registers[DISPI_REGISTERS];
	uint64_t memory_size; /* bytes of video memory */
	enum dispi_variant variant;
	bool big_endian; /* pixels of more than eight bits have their first byte on top */
};

/* Where a picture lies, for any depth. The sizes are in the scanout's limits and the picture is inside the memory. */
struct dispi_picture {
	uint32_t width, height;  /* pixels */
	uint32_t bits_per_pixel; /* 4, 8, 15, 16, 24, 32 */
	uint64_t
		offset; /* bytes; with 4 bits a pixel: of the interleaved planes, see vga-private.h */
	uint32_t stride; /* bytes, likewise */
};

extern const struct state_field dispi_state_fields[];
/* After the fields came from outside: brings registers that no write leaves behind to what one would. */
void dispi_state_loaded(struct dispi *dispi);

/* @memory_size: bytes, at least 256 KiB */
void dispi_init(struct dispi *dispi, enum dispi_variant variant, uint64_t memory_size);
/* Off, and all registers as after power-on. */
void dispi_reset(struct dispi *dispi);

/* @index: any value; registers that do not exist read as 0 and ignore writes. */
uint16_t dispi_read(const struct dispi *dispi, uint16_t index);

/* Returns enum dispi_effect bits for the device to act on. In the full variant the dependent registers are brought into
 * what the memory can show as long as the interface is on, as guests expect to read them back. */
unsigned dispi_write(struct dispi *dispi, uint16_t index, uint16_t value);

static inline bool dispi_enabled(const struct dispi *dispi)
{
	return dispi->registers[DISPI_ENABLE] & DISPI_ENABLED;
}

/* The picture that all registers together describe. False, leaving @picture alone, when the interface is off or they make
 * none inside the memory: then the device goes on showing what it showed. */
bool dispi_picture(const struct dispi *dispi, struct dispi_picture *picture);

/* As dispi_picture() for pictures that consumers can read straight out of the memory: 15, 16, 24 and 32 bits. */
bool dispi_scanout(const struct dispi *dispi, struct scanout *scanout);

/* What DISPI_CLEAR clears, from the start of the memory: bytes, never more than it has. */
uint64_t dispi_clear_length(const struct dispi *dispi);

/* The block of registers in BAR 2, at 0x500; @offset in bytes from there. Accesses of one, two and four bytes. */
uint32_t dispi_mmio_read(const struct dispi *dispi, uint32_t offset, unsigned size);
unsigned dispi_mmio_write(struct dispi *dispi, uint32_t offset, unsigned size, uint32_t value);
