/* Guest memory: RAM, and the memory slots KVM has for it and for ROM and video memory. */
#include "vmm/memory/guest-memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/error.h"
#include "vmm/kvm/kvm.h"

enum {
	PAGE = 4 * KiB,
	LOG_GROUP = 64, /* pages that KVM_CLEAR_DIRTY_LOG takes at once */
	RAM_RANGES = 8,
};

struct memory_slot {
	struct guest_memory *memory;
	char *name;
	uint8_t *bytes;
	uint64_t size;
	unsigned flags;
	uint32_t number; /* KVM's */
	bool mapped, logged;
	uint64_t address;
	unsigned long
		*log; /* one bit a page of the whole slot, as KVM fills it; only while logged */
};

struct ram_range {
	uint64_t address, size;
	uint8_t *bytes;
};

struct guest_memory {
	struct kvm *kvm;
	GMutex lock;      /* for the slots; nothing is taken under it */
	GPtrArray *slots; /* by KVM's number; NULL where the number is free */
	struct ram_range ram[RAM_RANGES];
	unsigned ram_count;
};

struct guest_memory *guest_memory_new(struct kvm *kvm)
{
	struct guest_memory *memory = g_new0(struct guest_memory, 1);

	memory->kvm = kvm;
	g_mutex_init(&memory->lock);
	memory->slots = g_ptr_array_new();
	return memory;
}

void guest_memory_free(struct guest_memory *memory)
{
	g_ptr_array_unref(memory->slots);
	g_mutex_clear(&memory->lock);
	g_free(memory);
}

struct memory_slot *memory_slot_new(
	struct guest_memory *memory, const char *name, void *bytes, uint64_t size, unsigned flags)
{
	struct memory_slot *slot = g_new0(struct memory_slot, 1);
	guint number = 0;

	g_mutex_lock(&memory->lock);
	while (number < memory->slots->len && memory->slots->pdata[number])
		number++;
	if (number == memory->slots->len)
		g_ptr_array_add(memory->slots, NULL);
	memory->slots->pdata[number] = slot;
	*slot = (struct memory_slot) {
		.memory = memory,
		.name = g_strdup(name),
		.bytes = bytes,
		.size = size,
		.flags = flags,
		.number = number,
	};
	g_mutex_unlock(&memory->lock);
	return slot;
}

void memory_slot_free(struct memory_slot *slot)
{
	if (!slot)
		return;
	memory_slot_unmap(slot);
	g_mutex_lock(&slot->memory->lock);
	slot->memory->slots->pdata[slot->number] = NULL;
	g_mutex_unlock(&slot->memory->lock);
	g_free(slot->log);
	g_free(slot->name);
	g_free(slot);
}

static uint32_t kvm_flags(const struct memory_slot *slot)
{
	return (slot->flags & MEMORY_SLOT_READ_ONLY ? KVM_MEM_READONLY : 0) |
	       (slot->logged ? KVM_MEM_LOG_DIRTY_PAGES : 0);
}

static const struct memory_slot *find_overlap(const struct memory_slot *slot, uint64_t address)
{
	for (guint i = 0; i < slot->memory->slots->len; i++) {
		const struct memory_slot *other = slot->memory->slots->pdata[i];

		if (other && other != slot && other->mapped &&
			address < other->address + other->size &&
			other->address < address + slot->size)
			return other;
	}
	return NULL;
}

static void unmap(struct memory_slot *slot)
{
	if (slot->mapped)
		kvm_set_slot(slot->memory->kvm, slot->number, 0, slot->address, 0, slot->bytes);
	slot->mapped = false;
}

void guest_memory_add_ram(struct guest_memory *memory, uint64_t address, void *bytes, uint64_t size)
{
	g_assert(memory->ram_count < RAM_RANGES);
	memory->ram[memory->ram_count++] = (struct ram_range) { address, size, bytes };
}

static bool map(struct memory_slot *slot, uint64_t address, GError **error)
{
	struct guest_memory *memory = slot->memory;
	const struct memory_slot *other = find_overlap(slot, address);

	if (slot->mapped && slot->address == address)
		return true;
	unmap(slot);
	if (other)
		return fail(error, VITRINE_ERROR_STATE,
			"%s at 0x%" G_GINT64_MODIFIER "x lies over %s", slot->name, address,
			other->name);
	if (!kvm_set_slot(
		    memory->kvm, slot->number, kvm_flags(slot), address, slot->size, slot->bytes))
		return fail_errno(error, VITRINE_ERROR_HOST,
			"KVM does not take %s (%" G_GUINT64_FORMAT " bytes at 0x%" G_GINT64_MODIFIER
			"x)",
			slot->name, slot->size, address);
	slot->mapped = true;
	slot->address = address;
	if (slot->flags & MEMORY_SLOT_RAM)
		guest_memory_add_ram(memory, address, slot->bytes, slot->size);
	return true;
}

bool memory_slot_map(struct memory_slot *slot, uint64_t address, GError **error)
{
	bool done;

	g_mutex_lock(&slot->memory->lock);
	done = map(slot, address, error);
	g_mutex_unlock(&slot->memory->lock);
	return done;
}

void memory_slot_unmap(struct memory_slot *slot)
{
	g_mutex_lock(&slot->memory->lock);
	unmap(slot);
	g_mutex_unlock(&slot->memory->lock);
}

bool memory_slot_is_mapped(const struct memory_slot *slot)
{
	return slot->mapped;
}

static size_t log_bytes(const struct memory_slot *slot)
{
	return (slot->size / PAGE + 63) / 64 * 8;
}

void memory_slot_set_log(struct memory_slot *slot, bool on)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&slot->memory->lock);

	if (slot->logged == on)
		return;
	slot->logged = on;
	g_clear_pointer(&slot->log, g_free);
	if (on)
		slot->log = g_malloc0(log_bytes(slot));
	if (slot->mapped)
		kvm_set_slot(slot->memory->kvm, slot->number, kvm_flags(slot), slot->address,
			slot->size, slot->bytes);
}

/* Clears, group by group, what was dirty in [first, first + count), so that only those pages are protected again. */
static void clear_groups(struct memory_slot *slot, uint64_t first, uint64_t count)
{
	uint64_t pages = slot->size / PAGE;
	uint64_t group = first / LOG_GROUP, last = (first + count - 1) / LOG_GROUP;

	while (group <= last) {
		uint64_t end = group;

		while (end <= last && slot->log[end] != 0)
			end++;
		if (end > group)
			kvm_clear_dirty_log(slot->memory->kvm, slot->number, group * LOG_GROUP,
				MIN(end * LOG_GROUP, pages) - group * LOG_GROUP, &slot->log[group]);
		group = end + 1;
	}
}

void memory_slot_harvest(
	struct memory_slot *slot, uint64_t first, uint64_t count, unsigned long *bitmap, bool keep)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&slot->memory->lock);
	uint64_t pages = slot->size / PAGE;

	if (!slot->mapped || !slot->logged || count == 0 || !checked_range(first, count, pages))
		return;
	if (!kvm_dirty_log(slot->memory->kvm, slot->number, slot->log))
		return;
	for (uint64_t word = first / 64; word <= (first + count - 1) / 64; word++) {
		unsigned long wanted = ~0ul;

		if (word == first / 64)
			wanted &= ~0ul << (first % 64);
		if (word == (first + count - 1) / 64 && (first + count) % 64 != 0)
			wanted &= ~(~0ul << ((first + count) % 64));
		slot->log[word] &= wanted;
		bitmap[word] |= slot->log[word];
	}
	if (!keep && slot->memory->kvm->manual_dirty_log)
		clear_groups(slot, first, count);
}

void *guest_memory_pointer(struct guest_memory *memory, uint64_t address, size_t length)
{
	for (unsigned i = 0; i < memory->ram_count; i++) {
		const struct ram_range *ram = &memory->ram[i];

		if (address >= ram->address &&
			checked_range(address - ram->address, length, ram->size))
			return ram->bytes + (address - ram->address);
	}
	return NULL;
}

bool guest_memory_read(struct guest_memory *memory, uint64_t address, void *to, size_t length)
{
	const void *from = guest_memory_pointer(memory, address, length);

	if (!from)
		return false;
	memcpy(to, from, length);
	return true;
}

bool guest_memory_write(
	struct guest_memory *memory, uint64_t address, const void *from, size_t length)
{
	void *to = guest_memory_pointer(memory, address, length);

	if (!to)
		return false;
	memcpy(to, from, length);
	return true;
}

bool guest_memory_peek(struct guest_memory *memory, uint64_t address, void *to, size_t length)
{
	size_t done = 0;

	g_mutex_lock(&memory->lock);
	while (done < length) {
		size_t before = done;

		for (guint i = 0; i < memory->slots->len && done == before; i++) {
			const struct memory_slot *slot = memory->slots->pdata[i];
			uint64_t offset = slot ? address + done - slot->address : 0;
			size_t here;

			if (!slot || !slot->mapped || offset >= slot->size)
				continue;
			here = MIN(length - done, slot->size - offset);
			memcpy((uint8_t *)to + done, slot->bytes + offset, here);
			done += here;
		}
		if (done == before)
			break;
	}
	g_mutex_unlock(&memory->lock);
	return done == length;
}

static gint by_address(gconstpointer a, gconstpointer b)
{
	const struct memory_slot_info *one = a, *other = b;

	return one->address < other->address ? -1 : one->address > other->address;
}

void guest_memory_list(struct guest_memory *memory,
	void (*take)(const struct memory_slot_info *slot, void *data), void *data)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct memory_slot_info));

	g_mutex_lock(&memory->lock);
	for (guint i = 0; i < memory->slots->len; i++) {
		const struct memory_slot *slot = memory->slots->pdata[i];
		struct memory_slot_info info;

		if (!slot || !slot->mapped)
			continue;
		info = (struct memory_slot_info) { slot->name, slot->address, slot->size,
			slot->flags };
		g_array_append_val(list, info);
	}
	g_array_sort(list, by_address);
	for (guint i = 0; i < list->len; i++)
		take(&g_array_index(list, struct memory_slot_info, i), data);
	g_mutex_unlock(&memory->lock);
}

void guest_memory_discard(struct guest_memory *memory, void *bytes, size_t length)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = ((uintptr_t)bytes + page - 1) & ~(page - 1);
	uintptr_t end = ((uintptr_t)bytes + length) & ~(page - 1);

	if (end <= start)
		return;
	/* Memory that is shared lives in its file, where a hole has to be made; private memory has none and refuses that. */
	if (madvise((void *)start, end - start, MADV_REMOVE) != 0)
		madvise((void *)start, end - start, MADV_DONTNEED);
}

bool guest_memory_ram(const struct guest_memory *memory, unsigned index, uint64_t *address,
	uint64_t *size, void **bytes)
{
	if (index >= memory->ram_count)
		return false;
	*address = memory->ram[index].address;
	*size = memory->ram[index].size;
	*bytes = memory->ram[index].bytes;
	return true;
}
