/* Drives a virtio device without a guest. Specification: virtio 1.2 sections 2.7, 2.8, 3.1 and 4.1. */
#include "tests/unit/virtio/virtio-driver.h"

#include <string.h>

#include "vmm/pci/pci-registers.h"

enum {
	MSIX_AT = 0xe0000000,
	REGISTERS_AT = 0xe0100000,
	BAR_STEP = 0x10000,
	WAIT_SECONDS = 30,
};

struct split_descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

struct packed_descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t id, flags;
};

/* --- registers --- */

static void config_write(
	struct virtio_driver *driver, uint16_t offset, unsigned size, uint32_t value)
{
	struct pci_device *pci = &driver->device->pci;

	g_mutex_lock(&driver->vm->machine.lock);
	pci_device_config_write(pci, offset, size, value);
	g_mutex_unlock(&driver->vm->machine.lock);
}

struct virtio_driver virtio_driver_bind(struct virtio_machine *vm, struct device *device)
{
	struct virtio_driver driver = { .vm = vm, .device = (struct virtio_device *)device };
	const struct virtio_layout *layout = driver.device->layout;
	unsigned slot = driver.device->pci.slot;

	driver.bar = REGISTERS_AT + slot * BAR_STEP;
	config_write(&driver, PCI_BAR_0 + 4 * layout->msix_bar, 4, MSIX_AT + slot * BAR_STEP);
	config_write(&driver, PCI_BAR_0 + 4 * layout->registers_bar, 4, driver.bar);
	config_write(&driver, PCI_BAR_0 + 4 * layout->registers_bar + 4, 4, 0);
	config_write(&driver, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return driver;
}

static uint32_t memory_read(const struct virtio_driver *driver, uint64_t address, unsigned size)
{
	uint32_t value;

	g_mutex_lock(&driver->vm->machine.lock);
	value = io_space_read(&driver->vm->machine.mmio, address, size);
	g_mutex_unlock(&driver->vm->machine.lock);
	return value;
}

static void memory_write(
	const struct virtio_driver *driver, uint64_t address, unsigned size, uint32_t value)
{
	g_mutex_lock(&driver->vm->machine.lock);
	io_space_write(&driver->vm->machine.mmio, address, size, value);
	g_mutex_unlock(&driver->vm->machine.lock);
}

/* Where a register lies in the device's own layout. */
static uint64_t place(const struct virtio_driver *driver, uint64_t offset)
{
	const struct virtio_layout *layout = driver->device->layout;
	const struct virtio_part *parts[] = { &layout->common, &layout->interrupt, &layout->device,
		&layout->notify };

	return driver->bar + parts[offset / 0x1000 % 4]->at + offset % 0x1000;
}

uint32_t virtio_driver_read(const struct virtio_driver *driver, uint64_t offset, unsigned size)
{
	return memory_read(driver, place(driver, offset), size);
}

void virtio_driver_write(
	const struct virtio_driver *driver, uint64_t offset, unsigned size, uint32_t value)
{
	memory_write(driver, place(driver, offset), size, value);
}

uint8_t virtio_driver_status(const struct virtio_driver *driver)
{
	return virtio_driver_read(driver, REG_STATUS, 1);
}

bool virtio_driver_needs_reset(const struct virtio_driver *driver)
{
	return virtio_driver_status(driver) & VIRTIO_STATUS_NEEDS_RESET;
}

uint64_t virtio_driver_offered(const struct virtio_driver *driver)
{
	uint64_t features;

	virtio_driver_write(driver, REG_DEVICE_FEATURE_SELECT, 4, 1);
	features = (uint64_t)virtio_driver_read(driver, REG_DEVICE_FEATURE, 4) << 32;
	virtio_driver_write(driver, REG_DEVICE_FEATURE_SELECT, 4, 0);
	return features | virtio_driver_read(driver, REG_DEVICE_FEATURE, 4);
}

void virtio_driver_reset(struct virtio_driver *driver)
{
	virtio_driver_write(driver, REG_STATUS, 1, 0);
}

bool virtio_driver_negotiate(struct virtio_driver *driver, uint64_t features)
{
	uint8_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;

	driver->features = features | VIRTIO_FEATURE_VERSION_1;
	virtio_driver_reset(driver);
	virtio_driver_write(driver, REG_STATUS, 1, VIRTIO_STATUS_ACKNOWLEDGE);
	virtio_driver_write(driver, REG_STATUS, 1, status);
	for (unsigned i = 0; i < 2; i++) {
		virtio_driver_write(driver, REG_DRIVER_FEATURE_SELECT, 4, i);
		virtio_driver_write(driver, REG_DRIVER_FEATURE, 4, driver->features >> (32 * i));
	}
	virtio_driver_write(driver, REG_STATUS, 1, status | VIRTIO_STATUS_FEATURES_OK);
	return virtio_driver_status(driver) & VIRTIO_STATUS_FEATURES_OK;
}

void virtio_driver_ready(struct virtio_driver *driver)
{
	virtio_driver_write(
		driver, REG_STATUS, 1, virtio_driver_status(driver) | VIRTIO_STATUS_DRIVER_OK);
	virtio_machine_settle(driver->vm);
}

void virtio_driver_use_msix(struct virtio_driver *driver)
{
	struct pci_device *pci = &driver->device->pci;
	uint64_t table = pci->bars[driver->device->layout->msix_bar].address;
	uint8_t at = pci->config[PCI_CAPABILITIES];
	unsigned queues = virtio_driver_read(driver, REG_QUEUES, 2);

	while (pci->config[at] != PCI_CAPABILITY_MSIX)
		at = pci->config[at + 1];
	config_write(driver, at + MSIX_CONTROL, 2, MSIX_ENABLE);
	for (unsigned i = 0; i < driver->device->vectors; i++) {
		memory_write(driver, table + 16 * i, 4, 0xfee00000);
		memory_write(driver, table + 16 * i + 8, 4, i);
		memory_write(driver, table + 16 * i + 12, 4, 0);
	}
	virtio_driver_write(driver, REG_CONFIG_VECTOR, 2, 0);
	for (unsigned i = 0; i < queues; i++) {
		virtio_driver_write(driver, REG_QUEUE_SELECT, 2, i);
		virtio_driver_write(driver, REG_QUEUE_VECTOR, 2, i + 1);
	}
}

/* --- queues --- */

static void write_address(const struct virtio_driver *driver, uint64_t reg, uint64_t address)
{
	virtio_driver_write(driver, reg, 4, address);
	virtio_driver_write(driver, reg + 4, 4, address >> 32);
}

void virtio_driver_queue(
	struct virtio_driver *driver, struct driver_queue *queue, unsigned index, uint16_t size)
{
	struct virtio_machine *vm = driver->vm;

	virtio_driver_write(driver, REG_QUEUE_SELECT, 2, index);
	if (size == 0)
		size = MIN(virtio_driver_read(driver, REG_QUEUE_SIZE, 2), DRIVER_QUEUE_MAX);
	g_assert_cmpuint(size, <=, DRIVER_QUEUE_MAX);
	*queue = (struct driver_queue) {
		.driver = driver,
		.index = index,
		.size = size,
		.packed = driver->features & VIRTIO_FEATURE_PACKED,
		.event_index = driver->features & VIRTIO_FEATURE_EVENT_INDEX,
		.descriptors = virtio_machine_alloc(vm, 16 * size, 16),
		.available = virtio_machine_alloc(vm, 6 + 2 * size, 4),
		.used = virtio_machine_alloc(vm, 6 + 8 * size, 4),
		.available_wrap = true,
		.used_wrap = true,
		.free_count = size,
	};
	for (unsigned i = 0; i < size; i++)
		queue->next[i] = i + 1;
	virtio_driver_write(driver, REG_QUEUE_SIZE, 2, size);
	write_address(driver, REG_QUEUE_DESCRIPTORS, queue->descriptors);
	write_address(driver, REG_QUEUE_DRIVER, queue->available);
	write_address(driver, REG_QUEUE_DEVICE, queue->used);
	virtio_driver_write(driver, REG_QUEUE_ENABLE, 2, 1);
}

static void *ram(const struct driver_queue *queue, uint64_t address)
{
	return virtio_machine_ram(queue->driver->vm, address);
}

void *driver_piece_bytes(const struct driver_queue *queue, const struct driver_piece *piece)
{
	return ram(queue, piece->address);
}

static uint16_t *ram16(const struct driver_queue *queue, uint64_t address)
{
	return ram(queue, address);
}

static void place_pieces(struct driver_queue *queue, struct driver_piece *pieces, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		pieces[i].address = virtio_machine_alloc(queue->driver->vm, pieces[i].length, 8);
		if (pieces[i].bytes)
			memcpy(ram(queue, pieces[i].address), pieces[i].bytes, pieces[i].length);
	}
}

static uint16_t take_free(struct driver_queue *queue)
{
	uint16_t taken = queue->free_head;

	g_assert_cmpuint(queue->free_count, >, 0);
	queue->free_count--;
	queue->free_head = queue->next[taken];
	return taken;
}

static void put_free(struct driver_queue *queue, uint16_t entry)
{
	queue->next[entry] = queue->free_head;
	queue->free_head = entry;
	queue->free_count++;
}

static uint16_t add_split(struct driver_queue *queue, const struct driver_piece *pieces,
	unsigned count, uint16_t flags)
{
	struct split_descriptor *table = ram(queue, queue->descriptors);
	uint16_t head = queue->free_head, at = 0;

	for (unsigned i = 0; i < count; i++) {
		at = take_free(queue);
		table[at] = (struct split_descriptor) {
			.address = pieces[i].address,
			.length = pieces[i].length,
			.flags = flags | (pieces[i].writable ? DRIVER_WRITE : 0) |
				 (i + 1 < count ? DRIVER_NEXT : 0),
			.next = i + 1 < count ? queue->free_head : 0,
		};
	}
	queue->length[head] = count;
	*ram16(queue, queue->available + 4 + 2 * (queue->next_available % queue->size)) = head;
	__atomic_store_n(
		ram16(queue, queue->available + 2), ++queue->next_available, __ATOMIC_RELEASE);
	return head;
}

static uint16_t add_packed(struct driver_queue *queue, const struct driver_piece *pieces,
	unsigned count, uint16_t flags)
{
	struct packed_descriptor *table = ram(queue, queue->descriptors);
	uint16_t id = take_free(queue), first = queue->next_available, first_flags = 0;

	for (unsigned i = 0; i < count; i++) {
		struct packed_descriptor *d = &table[queue->next_available];
		uint16_t now = flags | (pieces[i].writable ? DRIVER_WRITE : 0) |
			       (i + 1 < count ? DRIVER_NEXT : 0) |
			       (queue->available_wrap ? DRIVER_AVAILABLE : DRIVER_USED);

		d->address = pieces[i].address;
		d->length = pieces[i].length;
		d->id = id;
		if (i == 0)
			first_flags = now;
		else
			d->flags = now;
		if (++queue->next_available == queue->size) {
			queue->next_available = 0;
			queue->available_wrap = !queue->available_wrap;
		}
	}
	queue->length[id] = count;
	__atomic_store_n(&table[first].flags, first_flags, __ATOMIC_RELEASE);
	return id;
}

uint16_t driver_queue_add(struct driver_queue *queue, struct driver_piece *pieces, unsigned count)
{
	place_pieces(queue, pieces, count);
	return (queue->packed ? add_packed : add_split)(queue, pieces, count, 0);
}

uint16_t driver_queue_add_indirect(
	struct driver_queue *queue, struct driver_piece *pieces, unsigned count)
{
	struct driver_piece table = { .length = 16 * count };

	place_pieces(queue, pieces, count);
	place_pieces(queue, &table, 1);
	for (unsigned i = 0; i < count; i++) {
		uint16_t flags = pieces[i].writable ? DRIVER_WRITE : 0;

		if (queue->packed)
			((struct packed_descriptor *)ram(queue, table.address))[i] =
				(struct packed_descriptor) { pieces[i].address, pieces[i].length, 0,
					flags };
		else
			((struct split_descriptor *)ram(queue, table.address))[i] =
				(struct split_descriptor) { pieces[i].address, pieces[i].length,
					flags | (i + 1 < count ? DRIVER_NEXT : 0), i + 1 };
	}
	return (queue->packed ? add_packed : add_split)(queue, &table, 1, DRIVER_INDIRECT);
}

void driver_queue_kick(struct driver_queue *queue)
{
	queue->last_notified = queue->next_available;
	virtio_driver_write(queue->driver, REG_NOTIFY + 4 * queue->index, 2, queue->index);
	virtio_machine_settle(queue->driver->vm);
}

bool driver_queue_wants_kick(const struct driver_queue *queue)
{
	uint16_t event, flags;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!queue->packed && !queue->event_index)
		return !(*ram16(queue, queue->used) & 1);
	if (!queue->packed) {
		event = *ram16(queue, queue->used + 4 + 8 * queue->size);
		return (uint16_t)(queue->next_available - event - 1) <
		       (uint16_t)(queue->next_available - queue->last_notified);
	}
	event = *ram16(queue, queue->used);
	flags = *ram16(queue, queue->used + 2);
	/* Of a descriptor in particular: tests add one request at a time. */
	return flags == 0 || (flags == 2 && (event & 0x7fff) == queue->last_notified);
}

static bool used_split(struct driver_queue *queue, uint16_t *name, uint32_t *written)
{
	const uint32_t *entry;

	if (__atomic_load_n(ram16(queue, queue->used + 2), __ATOMIC_ACQUIRE) == queue->next_used)
		return false;
	entry = ram(queue, queue->used + 4 + 8 * (queue->next_used++ % queue->size));
	*name = entry[0];
	*written = entry[1];
	for (uint16_t at = *name, left = queue->length[*name]; left > 0; left--) {
		struct split_descriptor *table = ram(queue, queue->descriptors);
		uint16_t next = table[at].next;

		put_free(queue, at);
		at = next;
	}
	return true;
}

static bool used_packed(struct driver_queue *queue, uint16_t *name, uint32_t *written)
{
	struct packed_descriptor *d =
		(struct packed_descriptor *)ram(queue, queue->descriptors) + queue->next_used;
	uint16_t flags = __atomic_load_n(&d->flags, __ATOMIC_ACQUIRE);

	if (!!(flags & DRIVER_USED) != queue->used_wrap ||
		!!(flags & DRIVER_AVAILABLE) != queue->used_wrap)
		return false;
	*name = d->id;
	*written = flags & DRIVER_WRITE ? d->length : 0;
	g_assert_cmpuint(*name, <, queue->size);
	queue->next_used += queue->length[*name];
	if (queue->next_used >= queue->size) {
		queue->next_used -= queue->size;
		queue->used_wrap = !queue->used_wrap;
	}
	put_free(queue, *name);
	return true;
}

bool driver_queue_used(struct driver_queue *queue, uint16_t *name, uint32_t *written)
{
	return (queue->packed ? used_packed : used_split)(queue, name, written);
}

bool driver_queue_wait(struct driver_queue *queue, uint16_t *name, uint32_t *written)
{
	gint64 end = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;

	while (!driver_queue_used(queue, name, written)) {
		if (g_get_monotonic_time() > end)
			return false;
		if (!g_main_context_iteration(NULL, FALSE))
			g_thread_yield();
	}
	return true;
}

uint32_t driver_queue_do(struct driver_queue *queue, struct driver_piece *pieces, unsigned count)
{
	uint16_t name = driver_queue_add(queue, pieces, count), used;
	uint32_t written;

	driver_queue_kick(queue);
	g_assert_true(driver_queue_wait(queue, &used, &written));
	g_assert_cmpuint(used, ==, name);
	return written;
}
