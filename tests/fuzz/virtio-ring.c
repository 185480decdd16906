/* Rings of any contents, split and packed: what is popped lies in RAM, and there is never more of it than the ring holds. */
#include <string.h>

#include "base/checked.h"
#include "base/reader.h"
#include "tests/unit/vmm/fake-kvm.h"
#include "vmm/virtio/virtqueue.h"

enum {
	RAM = 64 * KiB,
	SIZE = 16,
	DESCRIPTORS = 0x1000,
	DRIVER = 0x2000,
	DEVICE = 0x3000,
	STEPS_MAX = 200,
};

static uint8_t ram[RAM];

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_pieces(const struct virtqueue_element *element)
{
	for (unsigned i = 0; i < element->readable_count + element->writable_count; i++) {
		const uint8_t *start = element->pieces[i].iov_base;

		g_assert(start >= ram && start + element->pieces[i].iov_len <= ram + RAM);
	}
}

static void run(struct virtqueue *queue, struct reader *in)
{
	struct virtqueue_element held[SIZE + 1] = { 0 };
	unsigned count = 0;

	for (unsigned i = 0; i < STEPS_MAX && reader_left(in) > 0; i++) {
		uint8_t step = reader_u8(in);
		uint16_t at = reader_le16(in);

		if (step < 0x60) {
			reader_copy(in, ram + at % (RAM - 16), 16);
		} else if (step < 0xc0) {
			if (virtqueue_pop(queue, &held[count]) != VIRTQUEUE_ELEMENT)
				continue;
			check_pieces(&held[count]);
			g_assert(count < SIZE);
			if (step & 1)
				virtqueue_unpop(queue, &held[count]);
			else
				count++;
		} else if (count > 0) {
			virtqueue_push(queue, &held[--count], at);
			virtqueue_should_interrupt(queue);
		} else {
			virtqueue_enable_notifications(queue);
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(held); i++)
		virtqueue_element_clear(&held[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader in = reader_from(bytes, length);
	struct kvm kvm = { 0 };
	struct guest_memory *memory = guest_memory_new(&kvm);
	struct memory_slot *slot = memory_slot_new(memory, "ram", ram, RAM, MEMORY_SLOT_RAM);
	struct virtqueue queue;

	memset(ram, 0, sizeof(ram));
	memory_slot_map(slot, 0, NULL);
	virtqueue_reset(&queue, SIZE);
	queue.descriptors = DESCRIPTORS;
	queue.driver = DRIVER;
	queue.device = DEVICE;
	if (virtqueue_start(&queue, memory, reader_u8(&in) & 7))
		run(&queue, &in);
	memory_slot_free(slot);
	guest_memory_free(memory);
	return 0;
}
