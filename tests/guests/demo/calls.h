/* What the program asks of kernel mode (start.S): ports, waiting, and the ways to come to grief. */
#pragma once

#include <stdint.h>

enum call {
	CALL_IN8,
	CALL_IN16,
	CALL_IN32,
	CALL_OUT8,
	CALL_OUT16,
	CALL_OUT32,
	CALL_WAIT,
	CALL_TRIPLE_FAULT,
	CALL_EMULATION_FAILURE,
	CALL_HALT,
};

/* Vectors of the interrupts that are let through, as call_wait() reports them. */
enum {
	VECTOR_NMI = 2,
	VECTOR_TIMER = 0x20,
	VECTOR_KEYBOARD = 0x21,
	VECTOR_SERIAL = 0x24,
	VECTOR_ACPI = 0x29,
	VECTOR_MOUSE = 0x2c,
};

/* How many non-maskable interrupts have come. */
extern volatile uint32_t nmi_count;

static inline uint32_t call(enum call number, uint32_t first, uint32_t second)
{
	uint64_t result = number;

	__asm__ volatile("ud2" : "+a"(result) : "D"(first), "S"(second) : "rdx", "cc", "memory");
	return (uint32_t)result;
}

static inline uint8_t in8(uint16_t port)
{
	return (uint8_t)call(CALL_IN8, port, 0);
}

static inline uint16_t in16(uint16_t port)
{
	return (uint16_t)call(CALL_IN16, port, 0);
}

static inline uint32_t in32(uint16_t port)
{
	return call(CALL_IN32, port, 0);
}

static inline void out8(uint16_t port, uint8_t value)
{
	call(CALL_OUT8, port, value);
}

static inline void out16(uint16_t port, uint16_t value)
{
	call(CALL_OUT16, port, value);
}

static inline void out32(uint16_t port, uint32_t value)
{
	call(CALL_OUT32, port, value);
}

/* Halts the processor until the next interrupt; returns its vector. */
static inline uint32_t wait(void)
{
	return call(CALL_WAIT, 0, 0);
}
