/* Guest memory: what DMA reaches, how slots lie, and the dirty log by page. */
#include "vmm/memory/guest-memory.h"

#include <string.h>

#include "base/checked.h"
#include "tests/unit/vmm/fake-kvm.h"

static uint8_t ram[1 * MiB], vram[1 * MiB];

struct fixture {
	struct kvm kvm;
	struct guest_memory *memory;
	struct memory_slot *low, *high, *video;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	memset(&fake_kvm, 0, sizeof(fake_kvm));
	f->kvm.manual_dirty_log = true;
	f->memory = guest_memory_new(&f->kvm);
	f->low = memory_slot_new(f->memory, "low", ram, 640 * KiB, MEMORY_SLOT_RAM);
	f->high = memory_slot_new(f->memory, "high", ram + 768 * KiB, 256 * KiB, MEMORY_SLOT_RAM);
	f->video = memory_slot_new(f->memory, "video", vram, sizeof(vram), 0);
	g_assert_true(memory_slot_map(f->low, 0, NULL));
	g_assert_true(memory_slot_map(f->high, 768 * KiB, NULL));
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	memory_slot_free(f->low);
	memory_slot_free(f->high);
	memory_slot_free(f->video);
	guest_memory_free(f->memory);
}

static void test_dma(struct fixture *f, gconstpointer data)
{
	uint8_t bytes[16] = "guest memory";
	uint8_t back[16];

	g_assert_true(guest_memory_write(f->memory, 640 * KiB - 16, bytes, 16));
	g_assert_true(guest_memory_read(f->memory, 640 * KiB - 16, back, 16));
	g_assert_cmpmem(bytes, 16, back, 16);

	/* Not one byte into the window of the VGA, into video memory, past the end or round the end of all addresses. */
	g_assert_true(memory_slot_map(f->video, 0xe0000000, NULL));
	g_assert_false(guest_memory_write(f->memory, 640 * KiB - 15, bytes, 16));
	g_assert_false(guest_memory_write(f->memory, 768 * KiB - 1, bytes, 1));
	g_assert_false(guest_memory_write(f->memory, 0xe0000000, bytes, 1));
	g_assert_false(guest_memory_read(f->memory, 1 * MiB - 8, back, 16));
	g_assert_false(guest_memory_read(f->memory, UINT64_MAX - 7, back, 16));
	g_assert_null(guest_memory_pointer(f->memory, 0, SIZE_MAX));
}

static void test_slots_do_not_overlap(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(memory_slot_map(f->video, 512 * KiB, &error));
	g_assert_cmpstr(error->message, ==, "video at 0x80000 lies over low");
	g_assert_false(memory_slot_is_mapped(f->video));
	g_assert_true(memory_slot_map(f->video, 1 * MiB, NULL));
	g_assert_cmphex(fake_kvm.slots[2].address, ==, 1 * MiB);
	memory_slot_unmap(f->video);
	g_assert_cmpuint(fake_kvm.slots[2].size, ==, 0);
}

static void test_log(struct fixture *f, gconstpointer data)
{
	unsigned long bitmap[4] = { 0 };

	g_assert_true(memory_slot_map(f->video, 0xe0000000, NULL));
	g_assert_cmphex(fake_kvm.slots[2].flags, ==, 0);
	memory_slot_set_log(f->video, true);
	g_assert_cmphex(fake_kvm.slots[2].flags, ==, KVM_MEM_LOG_DIRTY_PAGES);

	/* Pages outside of what is asked for stay dirty for whoever asks for them. */
	fake_kvm.dirty[0] = 1ul << 3 | 1ul << 63;
	fake_kvm.dirty[1] = 1ul << 0 | 1ul << 10;
	memory_slot_harvest(f->video, 10, 60, bitmap, false);
	g_assert_cmphex(bitmap[0], ==, 1ul << 63);
	g_assert_cmphex(bitmap[1], ==, 1ul << 0);
	g_assert_cmphex(fake_kvm.dirty[0], ==, 1ul << 3);
	g_assert_cmphex(fake_kvm.dirty[1], ==, 1ul << 10);

	/* Only looking leaves everything as it is. */
	memory_slot_harvest(f->video, 0, 256, bitmap, true);
	g_assert_cmphex(bitmap[0], ==, 1ul << 63 | 1ul << 3);
	g_assert_cmphex(fake_kvm.dirty[0], ==, 1ul << 3);

	/* Outside of the slot there is nothing. */
	memset(bitmap, 0, sizeof(bitmap));
	memory_slot_harvest(f->video, 200, 100, bitmap, false);
	g_assert_cmphex(bitmap[3], ==, 0);
	memory_slot_set_log(f->video, false);
	g_assert_cmphex(fake_kvm.slots[2].flags, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(path, func) g_test_add(path, struct fixture, NULL, set_up, func, tear_down)
	ADD("/memory/dma", test_dma);
	ADD("/memory/slots-do-not-overlap", test_slots_do_not_overlap);
	ADD("/memory/log", test_log);
	return g_test_run();
}
