/* Guest memory: RAM as the guest's physical addresses see it, and the memory slots KVM has for it.
 *
 * Devices copy in and out with guest_memory_read() and guest_memory_write(), which know RAM only: an address with
 * registers behind it fails, so no device can reach another one's registers (or its own) by DMA. RAM is laid out once,
 * before the guest runs, and stays: these functions need no lock. Slots of ROM and video memory come and go; they have a
 * lock of their own, so any thread may call.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guest_memory;
struct kvm;

struct guest_memory *guest_memory_new(struct kvm *kvm);
void guest_memory_free(struct guest_memory *memory);

/* A piece of host memory that appears in the guest: RAM, ROM or video memory. */
struct memory_slot;

enum memory_slot_flags {
	MEMORY_SLOT_READ_ONLY =
		1 << 0,           /* the guest reads it directly; its writes go to the MMIO space */
	MEMORY_SLOT_RAM = 1 << 1, /* RAM: DMA may reach it; mapped once, before the guest runs */
};

/**
 * memory_slot_new - host memory that can be made to appear
 * @bytes: where it is mapped here, page-aligned; must outlive the slot
 * @size: bytes, a multiple of 4096
 */
struct memory_slot *memory_slot_new(
	struct guest_memory *memory, const char *name, void *bytes, uint64_t size, unsigned flags);
void memory_slot_free(struct memory_slot *slot);

/* RAM that DMA reaches at @address whether or not the guest sees it there. Before the guest runs; @bytes outlives the
 * memory. */
void guest_memory_add_ram(
	struct guest_memory *memory, uint64_t address, void *bytes, uint64_t size);

/* Makes it appear at @address (moves it when it is elsewhere), or vanish. Slots must not overlap; where they would, the
 * one that came first stays and this fails. */
bool memory_slot_map(struct memory_slot *slot, uint64_t address, GError **error);
void memory_slot_unmap(struct memory_slot *slot);
bool memory_slot_is_mapped(const struct memory_slot *slot);

/* Dirty logging; pages count from the start of the slot, one bit each of 4 KiB. An unmapped slot has no dirty pages. */
void memory_slot_set_log(struct memory_slot *slot, bool on);
void memory_slot_harvest(
	struct memory_slot *slot, uint64_t first, uint64_t count, unsigned long *bitmap, bool keep);

/* Copies; false when a byte of the range is not RAM (then nothing useful was copied). */
bool guest_memory_read(struct guest_memory *memory, uint64_t address, void *to, size_t length);
bool guest_memory_write(
	struct guest_memory *memory, uint64_t address, const void *from, size_t length);

/* For people who look: copies what the guest would read, of ROM and video memory too; false when a byte has no memory. */
bool guest_memory_peek(struct guest_memory *memory, uint64_t address, void *to, size_t length);

/* What is mapped now, in the order of the addresses. */
struct memory_slot_info {
	const char *name;
	uint64_t address, size;
	unsigned flags;
};
void guest_memory_list(struct guest_memory *memory,
	void (*take)(const struct memory_slot_info *slot, void *data), void *data);

/* Pieces of RAM by number, from 0; false behind the last. They stay as they are once the guest runs. */
bool guest_memory_ram(const struct guest_memory *memory, unsigned index, uint64_t *address,
	uint64_t *size, void **bytes);

/* The host address of a range that lies in one piece of RAM, or NULL. Stays valid as long as RAM does (the life of the
 * machine): only RAM proper is given out, never video memory or ROM. The guest may change it at any time. */
void *guest_memory_pointer(struct guest_memory *memory, uint64_t address, size_t length);

/* The host's memory behind a piece of RAM (a pointer from above) is given back: whole host pages inside of it read as zeroes
 * until they are written again. A hint: what the host cannot give back stays as it is. Any thread. */
void guest_memory_discard(struct guest_memory *memory, void *bytes, size_t length);
