/* Writing AML: resource templates.
 *
 * Specification: ACPI 6.4, section 6.4.
 */
#include "base/writer.h"
#include "vmm/firmware/aml.h"

/* First bytes: of small resources with their length, of large ones without it. */
enum resource_tag {
	SMALL_IRQ = 0x22, /* IRQ without flags, 2 bytes */
	SMALL_IO = 0x47,  /* 7 bytes */
	SMALL_END = 0x79, /* 1 byte */
	LARGE_MEMORY32_FIXED = 0x86,
	LARGE_DWORD_SPACE = 0x87,
	LARGE_WORD_SPACE = 0x88,
	LARGE_INTERRUPT = 0x89,
	LARGE_QWORD_SPACE = 0x8a,
};

enum {
	IO_DECODE_16 = 1,
	INTERRUPT_CONSUMER = 1 << 0, /* level, active high: the bits are clear */
	INTERRUPT_SHARED = 1 << 3,
	SPACE_MEMORY = 0,
	SPACE_IO = 1,
	SPACE_BUS_NUMBER = 2,
	SPACE_FIXED = 3 << 2, /* first and last are fixed; positive decode, producer */
	SPACE_IO_ENTIRE_RANGE = 3,
	SPACE_READ_WRITE = 1 << 0,
	SPACE_CACHEABLE = 1 << 1,
};

void resource_io(GByteArray *out, uint16_t first, uint8_t align, uint8_t length)
{
	write_u8(out, SMALL_IO);
	write_u8(out, IO_DECODE_16);
	write_le16(out, first);
	write_le16(out, first);
	write_u8(out, align);
	write_u8(out, length);
}

void resource_irq(GByteArray *out, uint16_t mask)
{
	write_u8(out, SMALL_IRQ);
	write_le16(out, mask);
}

void resource_interrupt(GByteArray *out, const uint32_t *lines, unsigned count)
{
	write_u8(out, LARGE_INTERRUPT);
	write_le16(out, 2 + count * sizeof(uint32_t));
	write_u8(out, INTERRUPT_CONSUMER | INTERRUPT_SHARED);
	write_u8(out, count);
	for (unsigned i = 0; i < count; i++)
		write_le32(out, lines[i]);
}

void resource_memory_fixed(GByteArray *out, uint32_t first, uint32_t length, bool writable)
{
	write_u8(out, LARGE_MEMORY32_FIXED);
	write_le16(out, 9);
	write_u8(out, writable);
	write_le32(out, first);
	write_le32(out, length);
}

static void word_space(GByteArray *out, uint8_t space, uint8_t flags, uint16_t first, uint16_t last)
{
	write_u8(out, LARGE_WORD_SPACE);
	write_le16(out, 3 + 5 * sizeof(uint16_t));
	write_u8(out, space);
	write_u8(out, SPACE_FIXED);
	write_u8(out, flags);
	write_le16(out, 0); /* granularity */
	write_le16(out, first);
	write_le16(out, last);
	write_le16(out, 0); /* translation */
	write_le16(out, last - first + 1);
}

void resource_bus_numbers(GByteArray *out, uint16_t first, uint16_t last)
{
	word_space(out, SPACE_BUS_NUMBER, 0, first, last);
}

void resource_io_window(GByteArray *out, uint16_t first, uint16_t last)
{
	word_space(out, SPACE_IO, SPACE_IO_ENTIRE_RANGE, first, last);
}

void resource_memory_window(GByteArray *out, uint32_t first, uint32_t last, bool cacheable)
{
	write_u8(out, LARGE_DWORD_SPACE);
	write_le16(out, 3 + 5 * sizeof(uint32_t));
	write_u8(out, SPACE_MEMORY);
	write_u8(out, SPACE_FIXED);
	write_u8(out, SPACE_READ_WRITE | (cacheable ? SPACE_CACHEABLE : 0));
	write_le32(out, 0);
	write_le32(out, first);
	write_le32(out, last);
	write_le32(out, 0);
	write_le32(out, last - first + 1);
}

void resource_memory_window_64(GByteArray *out, uint64_t first, uint64_t last)
{
	write_u8(out, LARGE_QWORD_SPACE);
	write_le16(out, 3 + 5 * sizeof(uint64_t));
	write_u8(out, SPACE_MEMORY);
	write_u8(out, SPACE_FIXED);
	write_u8(out, SPACE_READ_WRITE | SPACE_CACHEABLE);
	write_le64(out, 0);
	write_le64(out, first);
	write_le64(out, last);
	write_le64(out, 0);
	write_le64(out, last - first + 1);
}

/* The zero checksum is taken as right without being computed. */
void resource_end(GByteArray *out)
{
	write_u8(out, SMALL_END);
	write_u8(out, 0);
}
