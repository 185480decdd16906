/* Virtqueues: what a driver may put into the rings, and what each wrong variant gets. */
#include "vmm/virtio/virtqueue.h"

#include <string.h>

#include "base/checked.h"
#include "tests/unit/vmm/fake-kvm.h"

enum {
	SIZE = 4,
	DESCRIPTORS = 0x1000,
	DRIVER = 0x2000,
	DEVICE = 0x3000,
	INDIRECT = 0x4000,
	DATA = 0x8000,
	RAM = 256 * KiB,

	NEXT = 1,
	WRITE = 2,
	INDIRECTLY = 4,
};

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

static uint8_t ram[RAM];

/* A chain that starts at descriptor 0, the indirect table, and what popping it gives. */
static const struct {
	const char *name;
	struct descriptor table[SIZE], indirect[3];
	uint16_t head;
	enum virtqueue_result result;
	unsigned readable, writable;
} chains[] = {
	{ "/chain/one", { { DATA, 16, 0 } }, .result = VIRTQUEUE_ELEMENT, .readable = 1 },
	{ "/chain/read-write", { { DATA, 16, NEXT, 2 }, [2] = { DATA, 8, WRITE } },
		.result = VIRTQUEUE_ELEMENT, .readable = 1, .writable = 1 },
	{ "/chain/write-before-read", { { DATA, 16, NEXT | WRITE, 1 }, { DATA, 8, 0 } },
		.result = VIRTQUEUE_BROKEN },
	{ "/chain/loop", { { DATA, 16, NEXT, 1 }, { DATA, 16, NEXT, 0 } },
		.result = VIRTQUEUE_BROKEN },
	{ "/chain/next-outside", { { DATA, 16, NEXT, SIZE } }, .result = VIRTQUEUE_BROKEN },
	{ "/chain/head-outside", { { DATA, 16, 0 } }, .head = SIZE, .result = VIRTQUEUE_BROKEN },
	{ "/chain/memory-outside", { { RAM - 8, 16, 0 } }, .result = VIRTQUEUE_BROKEN },
	{ "/chain/memory-wraps", { { UINT64_MAX - 7, 16, 0 } }, .result = VIRTQUEUE_BROKEN },
	{ "/chain/indirect", { { INDIRECT, 32, INDIRECTLY } },
		{ { DATA, 4, NEXT, 1 }, { DATA, 4, WRITE } }, .result = VIRTQUEUE_ELEMENT,
		.readable = 1, .writable = 1 },
	{ "/chain/indirect-in-indirect", { { INDIRECT, 32, INDIRECTLY } },
		{ { INDIRECT, 32, INDIRECTLY } }, .result = VIRTQUEUE_BROKEN },
	{ "/chain/indirect-empty", { { INDIRECT, 0, INDIRECTLY } }, .result = VIRTQUEUE_BROKEN },
	{ "/chain/indirect-and-next", { { INDIRECT, 16, INDIRECTLY | NEXT, 1 }, { DATA, 4, 0 } },
		{ { DATA, 4, 0 } }, .result = VIRTQUEUE_BROKEN },
};

static struct guest_memory *new_memory(struct kvm *kvm, struct memory_slot **slot)
{
	struct guest_memory *memory = guest_memory_new(kvm);

	memset(ram, 0, sizeof(ram));
	*slot = memory_slot_new(memory, "ram", ram, sizeof(ram), MEMORY_SLOT_RAM);
	g_assert_true(memory_slot_map(*slot, 0, NULL));
	return memory;
}

static struct virtqueue new_queue(struct guest_memory *memory, bool event_index)
{
	struct virtqueue queue;

	virtqueue_reset(&queue, SIZE);
	queue.descriptors = DESCRIPTORS;
	queue.driver = DRIVER;
	queue.device = DEVICE;
	g_assert_true(virtqueue_start(
		&queue, memory, VIRTQUEUE_INDIRECT | (event_index ? VIRTQUEUE_EVENT_INDEX : 0)));
	return queue;
}

static void put16(size_t at, uint16_t value)
{
	memcpy(ram + at, &value, sizeof(value));
}

static uint16_t get16(size_t at)
{
	uint16_t value;

	memcpy(&value, ram + at, sizeof(value));
	return value;
}

static void check_chain(gconstpointer data)
{
	const typeof(chains[0]) *c = data;
	struct kvm kvm = { 0 };
	struct memory_slot *slot;
	struct guest_memory *memory = new_memory(&kvm, &slot);
	struct virtqueue queue = new_queue(memory, false);
	struct virtqueue_element element = { 0 };

	memcpy(ram + DESCRIPTORS, c->table, sizeof(c->table));
	memcpy(ram + INDIRECT, c->indirect, sizeof(c->indirect));
	g_assert_cmpint(virtqueue_pop(&queue, &element), ==, VIRTQUEUE_EMPTY);
	put16(DRIVER + 4, c->head);
	put16(DRIVER + 2, 1);
	g_assert_cmpint(virtqueue_pop(&queue, &element), ==, c->result);
	if (c->result == VIRTQUEUE_ELEMENT) {
		g_assert_cmpuint(element.readable_count, ==, c->readable);
		g_assert_cmpuint(element.writable_count, ==, c->writable);
		g_assert_cmpint(virtqueue_pop(&queue, &element), ==, VIRTQUEUE_EMPTY);
	}
	virtqueue_element_clear(&element);
	memory_slot_free(slot);
	guest_memory_free(memory);
}

static void test_more_than_fit(void)
{
	struct kvm kvm = { 0 };
	struct memory_slot *slot;
	struct guest_memory *memory = new_memory(&kvm, &slot);
	struct virtqueue queue = new_queue(memory, false);
	struct virtqueue_element element = { 0 };

	put16(DRIVER + 2, SIZE + 1);
	g_assert_cmpint(virtqueue_pop(&queue, &element), ==, VIRTQUEUE_BROKEN);
	virtqueue_element_clear(&element);
	memory_slot_free(slot);
	guest_memory_free(memory);
}

static void test_interrupts(void)
{
	struct kvm kvm = { 0 };
	struct memory_slot *slot;
	struct guest_memory *memory = new_memory(&kvm, &slot);
	struct virtqueue queue = new_queue(memory, true);
	struct virtqueue_element element = { .head = 3 };

	/* The driver wants to hear when the entry 1 has been used (it counts from 0), not before and not again after. */
	put16(DRIVER + 4 + 2 * SIZE, 1);
	g_assert_false(virtqueue_should_interrupt(&queue));
	virtqueue_push(&queue, &element, 7);
	g_assert_cmpuint(get16(DEVICE + 2), ==, 1);
	g_assert_cmpuint(get16(DEVICE + 4), ==, 3);
	g_assert_cmpuint(get16(DEVICE + 8), ==, 7);
	g_assert_false(virtqueue_should_interrupt(&queue));
	virtqueue_push(&queue, &element, 0);
	g_assert_true(virtqueue_should_interrupt(&queue));
	virtqueue_push(&queue, &element, 0);
	g_assert_false(virtqueue_should_interrupt(&queue));
	virtqueue_element_clear(&element);
	memory_slot_free(slot);
	guest_memory_free(memory);
}

/* An entry that the driver adds while the device is about to ask for notifications: the driver may think that it need not
 * tell, so the device has to see it. */
static void check_added_meanwhile(gconstpointer event_index)
{
	struct kvm kvm = { 0 };
	struct memory_slot *slot;
	struct guest_memory *memory = new_memory(&kvm, &slot);
	struct virtqueue queue = new_queue(memory, GPOINTER_TO_INT(event_index));
	struct virtqueue_element element = { 0 };
	struct descriptor one = { DATA, 16, 0, 0 };

	memcpy(ram + DESCRIPTORS, &one, sizeof(one));
	virtqueue_disable_notifications(&queue);
	g_assert_cmpint(virtqueue_pop(&queue, &element), ==, VIRTQUEUE_EMPTY);
	put16(DRIVER + 2, 1);
	g_assert_true(virtqueue_enable_notifications(&queue));
	g_assert_cmpint(virtqueue_pop(&queue, &element), ==, VIRTQUEUE_ELEMENT);
	g_assert_false(virtqueue_enable_notifications(&queue));
	if (GPOINTER_TO_INT(event_index))
		g_assert_cmpuint(get16(DEVICE + 4 + 8 * SIZE), ==, 1);
	else
		g_assert_cmpuint(get16(DEVICE), ==, 0);
	virtqueue_element_clear(&element);
	memory_slot_free(slot);
	guest_memory_free(memory);
}

static void test_rings_outside(void)
{
	struct kvm kvm = { 0 };
	struct memory_slot *slot;
	struct guest_memory *memory = new_memory(&kvm, &slot);
	struct virtqueue queue = new_queue(memory, false);

	queue.device = RAM - 8;
	g_assert_false(virtqueue_start(&queue, memory, VIRTQUEUE_INDIRECT));
	queue.device = DEVICE + 1;
	g_assert_false(virtqueue_start(&queue, memory, VIRTQUEUE_INDIRECT));
	memory_slot_free(slot);
	guest_memory_free(memory);
}

static void test_pieces(void)
{
	char bytes[] = "abcdefgh", out[8] = "";
	struct iovec pieces[] = { { bytes, 3 }, { bytes + 3, 0 }, { bytes + 3, 5 } };

	g_assert_cmpuint(iovec_length(pieces, 3), ==, 8);
	g_assert_cmpuint(iovec_read(pieces, 3, 2, out, 4), ==, 4);
	g_assert_cmpmem(out, 4, "cdef", 4);
	g_assert_cmpuint(iovec_read(pieces, 3, 6, out, 8), ==, 2);
	g_assert_cmpuint(iovec_write(pieces, 3, 1, "XYZ", 3), ==, 3);
	g_assert_cmpstr(bytes, ==, "aXYZefgh");
	g_assert_cmpuint(iovec_skip(pieces, 3, 4), ==, 1);
	g_assert_true(pieces[0].iov_base == bytes + 4);
	g_assert_cmpuint(pieces[0].iov_len, ==, 4);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(chains); i++)
		g_test_add_data_func(chains[i].name, &chains[i], check_chain);
	g_test_add_func("/queue/more-than-fit", test_more_than_fit);
	g_test_add_func("/queue/interrupts", test_interrupts);
	g_test_add_data_func(
		"/queue/added-meanwhile", GINT_TO_POINTER(false), check_added_meanwhile);
	g_test_add_data_func(
		"/queue/added-meanwhile-event-index", GINT_TO_POINTER(true), check_added_meanwhile);
	g_test_add_func("/queue/rings-outside", test_rings_outside);
	g_test_add_func("/queue/pieces", test_pieces);
	return g_test_run();
}
