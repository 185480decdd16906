/* The virtio PCI transport. Specification: virtio 1.2 section 4.1.
 *
 * BAR 4 holds four pages: common configuration, interrupt status, device configuration, notifications. BAR 1 holds the
 * MSI-X table.
 */
#include "vmm/virtio/virtio-pci.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/log.h"
#include "vmm/kvm/kvm.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/run-state.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"

enum {
	BAR_MSIX = 1,
	BAR_REGISTERS = 4,
	PAGE = 4 * KiB,
	AT_COMMON = 0 * PAGE,
	AT_INTERRUPT = 1 * PAGE,
	AT_DEVICE = 2 * PAGE,
	AT_NOTIFY = 3 * PAGE,
	REGISTER_BYTES = 4 * PAGE,
	NOTIFY_MULTIPLIER = 4,

	CONFIG_MAX = 256, /* bytes of device configuration */
};

/* Capability types, section 4.1.4. */
enum {
	CAPABILITY_COMMON = 1,
	CAPABILITY_NOTIFY = 2,
	CAPABILITY_INTERRUPT = 3,
	CAPABILITY_DEVICE = 4,
	CAPABILITY_WINDOW = 5,

	CAPABILITY_LENGTH = 2, /* offsets inside a capability */
	CAPABILITY_TYPE = 3,
	CAPABILITY_BAR = 4,
	CAPABILITY_OFFSET = 8,
	CAPABILITY_SIZE = 12,
	CAPABILITY_EXTRA = 16,
};

/* Common configuration, section 4.1.4.3. */
enum {
	COMMON_DEVICE_FEATURE_SELECT = 0x00,
	COMMON_DEVICE_FEATURE = 0x04,
	COMMON_DRIVER_FEATURE_SELECT = 0x08,
	COMMON_DRIVER_FEATURE = 0x0c,
	COMMON_CONFIG_VECTOR = 0x10,
	COMMON_QUEUES = 0x12,
	COMMON_STATUS = 0x14,
	COMMON_GENERATION = 0x15,
	COMMON_QUEUE_SELECT = 0x16,
	COMMON_QUEUE_SIZE = 0x18,
	COMMON_QUEUE_VECTOR = 0x1a,
	COMMON_QUEUE_ENABLE = 0x1c,
	COMMON_QUEUE_NOTIFY_OFFSET = 0x1e,
	COMMON_QUEUE_DESCRIPTORS = 0x20,
	COMMON_QUEUE_DRIVER = 0x28,
	COMMON_QUEUE_DEVICE = 0x30,
	COMMON_SIZE = 0x38,
};

enum {
	INTERRUPT_QUEUE = 1 << 0,
	INTERRUPT_CONFIG = 1 << 1,
};

bool virtio_has_feature(const struct virtio_device *virtio, uint64_t feature)
{
	return virtio->driver_features & feature;
}

static uint64_t offered_features(const struct virtio_device *virtio)
{
	return virtio->features | VIRTIO_FEATURE_INDIRECT | VIRTIO_FEATURE_EVENT_INDEX |
	       VIRTIO_FEATURE_VERSION_1;
}

/* The queue that the driver has selected, or NULL. */
static struct virtqueue *selected_queue(struct virtio_device *virtio)
{
	return virtio->queue_select < virtio->ops->queues ? &virtio->queues[virtio->queue_select]
							  : NULL;
}

/* Notifications: KVM writes the eventfds, wherever the guest has put the BAR. */
static void place_kicks(struct virtio_device *virtio)
{
	struct kvm *kvm = virtio->pci.device.machine->kvm;
	uint64_t bar = virtio->pci.bars[BAR_REGISTERS].address;
	uint64_t at = bar == PCI_UNMAPPED || !virtio->running ? PCI_UNMAPPED : bar + AT_NOTIFY;

	if (at == virtio->kicks_at)
		return;
	for (unsigned i = 0; i < virtio->ops->queues; i++) {
		if (virtio->kicks_at != PCI_UNMAPPED)
			kvm_ioeventfd(kvm, virtio->kicks_at + NOTIFY_MULTIPLIER * i, 0,
				virtio->kicks[i], false);
		/* Where KVM has no room for another, the notification arrives as a write to the BAR. */
		if (at != PCI_UNMAPPED)
			kvm_ioeventfd(kvm, at + NOTIFY_MULTIPLIER * i, 0, virtio->kicks[i], true);
	}
	virtio->kicks_at = at;
}

static void run(struct virtio_device *virtio)
{
	if (virtio->running || !(virtio->status & VIRTIO_STATUS_DRIVER_OK) ||
		virtio_is_broken(virtio))
		return;
	virtio->running = true;
	place_kicks(virtio);
	virtio->ops->start(virtio);
}

static void halt(struct virtio_device *virtio)
{
	if (!virtio->running)
		return;
	virtio->ops->stop(virtio);
	virtio->running = false;
	place_kicks(virtio);
}

static void start_queues(struct virtio_device *virtio)
{
	for (unsigned i = 0; i < virtio->ops->queues; i++) {
		struct virtqueue *queue = &virtio->queues[i];

		if (queue->enabled &&
			!virtqueue_start(queue, virtio->pci.device.machine->memory,
				virtio_has_feature(virtio, VIRTIO_FEATURE_INDIRECT),
				virtio_has_feature(virtio, VIRTIO_FEATURE_EVENT_INDEX))) {
			queue->enabled = false;
			virtio_break(virtio, "a queue's rings are not in RAM or not aligned");
		}
	}
}

/* Section 3.1.1: FEATURES_OK stays only when the features make sense together. Section 2.1.2: a driver adds bits, or
 * resets with 0; it takes none back. */
static void set_status(struct virtio_device *virtio, uint8_t status)
{
	uint8_t added = status & ~virtio->status;

	if (status == 0) {
		virtio_pci_reset(virtio);
		return;
	}
	if (added & VIRTIO_STATUS_FEATURES_OK &&
		(virtio->driver_features & ~offered_features(virtio) ||
			!virtio_has_feature(virtio, VIRTIO_FEATURE_VERSION_1)))
		added &= ~VIRTIO_STATUS_FEATURES_OK;
	virtio->status |= added & ~VIRTIO_STATUS_NEEDS_RESET;
	if (added & VIRTIO_STATUS_DRIVER_OK && virtio->status & VIRTIO_STATUS_FEATURES_OK) {
		start_queues(virtio);
		run(virtio);
	}
}

void virtio_pci_reset(struct virtio_device *virtio)
{
	halt(virtio);
	if (virtio->ops->reset)
		virtio->ops->reset(virtio);
	virtio->status = 0;
	g_atomic_int_set(&virtio->broken, 0);
	virtio->driver_features = 0;
	virtio->feature_select = virtio->driver_feature_select = 0;
	virtio->queue_select = 0;
	virtio->config_vector = VIRTQUEUE_NO_VECTOR;
	g_atomic_int_set(&virtio->interrupt_status, 0);
	for (unsigned i = 0; i < virtio->ops->queues; i++) {
		uint64_t count;

		virtqueue_reset(&virtio->queues[i]);
		if (read(virtio->kicks[i], &count, sizeof(count)) < 0)
			continue; /* nothing was pending */
	}
	pci_device_set_interrupt(&virtio->pci, false);
}

static uint32_t feature_word(uint64_t features, uint32_t select)
{
	return select == 0 ? (uint32_t)features : select == 1 ? (uint32_t)(features >> 32) : 0;
}

static void fill_queue(
	const struct virtio_device *virtio, const struct virtqueue *queue, uint8_t *to)
{
	config_set16(to + COMMON_QUEUE_SIZE, queue->size);
	config_set16(to + COMMON_QUEUE_VECTOR, queue->vector);
	config_set16(to + COMMON_QUEUE_ENABLE, queue->enabled);
	config_set16(to + COMMON_QUEUE_NOTIFY_OFFSET, virtio->queue_select);
	config_set32(to + COMMON_QUEUE_DESCRIPTORS, queue->descriptors);
	config_set32(to + COMMON_QUEUE_DESCRIPTORS + 4, queue->descriptors >> 32);
	config_set32(to + COMMON_QUEUE_DRIVER, queue->driver);
	config_set32(to + COMMON_QUEUE_DRIVER + 4, queue->driver >> 32);
	config_set32(to + COMMON_QUEUE_DEVICE, queue->device);
	config_set32(to + COMMON_QUEUE_DEVICE + 4, queue->device >> 32);
}

static void fill_common(struct virtio_device *virtio, uint8_t *to)
{
	const struct virtqueue *queue = selected_queue(virtio);

	config_set32(to + COMMON_DEVICE_FEATURE_SELECT, virtio->feature_select);
	config_set32(to + COMMON_DEVICE_FEATURE,
		feature_word(offered_features(virtio), virtio->feature_select));
	config_set32(to + COMMON_DRIVER_FEATURE_SELECT, virtio->driver_feature_select);
	config_set32(to + COMMON_DRIVER_FEATURE,
		feature_word(virtio->driver_features, virtio->driver_feature_select));
	config_set16(to + COMMON_CONFIG_VECTOR, virtio->config_vector);
	config_set16(to + COMMON_QUEUES, virtio->ops->queues);
	to[COMMON_STATUS] =
		virtio->status | (virtio_is_broken(virtio) ? VIRTIO_STATUS_NEEDS_RESET : 0);
	to[COMMON_GENERATION] = virtio->generation;
	config_set16(to + COMMON_QUEUE_SELECT, virtio->queue_select);
	if (queue)
		fill_queue(virtio, queue, to);
}

static uint64_t read_registers(void *opaque, uint64_t offset, unsigned size)
{
	struct virtio_device *virtio = opaque;
	uint8_t bytes[CONFIG_MAX] = { 0 };
	size_t length = 0;
	uint64_t at = offset % PAGE;
	uint64_t value = 0;

	switch (offset - at) {
	case AT_COMMON:
		fill_common(virtio, bytes);
		length = COMMON_SIZE;
		break;
	case AT_INTERRUPT:
		/* Reading acknowledges (section 4.1.4.5). */
		bytes[0] = g_atomic_int_and((guint *)&virtio->interrupt_status, 0);
		pci_device_set_interrupt(&virtio->pci, false);
		length = 1;
		break;
	case AT_DEVICE:
		virtio->ops->get_config(virtio, bytes);
		length = virtio->ops->config_size;
		break;
	}
	if (at < length)
		memcpy(&value, bytes + at, MIN(size, length - at));
	return GUINT64_FROM_LE(value);
}

static void set_half(uint64_t *value, bool high, uint32_t half)
{
	*value = high ? (*value & UINT32_MAX) | (uint64_t)half << 32
		      : (*value & ~(uint64_t)UINT32_MAX) | half;
}

static void write_queue(struct virtio_device *virtio, uint64_t at, uint32_t value)
{
	struct virtqueue *queue = selected_queue(virtio);

	if (!queue)
		return;
	/* Section 4.1.5.1.2: a vector may be taken away at any time. All else is fixed once the queue is enabled. */
	if (at == COMMON_QUEUE_VECTOR)
		queue->vector = value <= virtio->ops->queues ? value : VIRTQUEUE_NO_VECTOR;
	if (queue->enabled)
		return;
	switch (at) {
	case COMMON_QUEUE_SIZE:
		if (value > 0 && value <= VIRTQUEUE_MAX_SIZE && (value & (value - 1)) == 0)
			queue->size = value;
		break;
	case COMMON_QUEUE_ENABLE:
		queue->enabled = value == 1;
		break;
	case COMMON_QUEUE_DESCRIPTORS:
	case COMMON_QUEUE_DESCRIPTORS + 4:
		set_half(&queue->descriptors, at & 4, value);
		break;
	case COMMON_QUEUE_DRIVER:
	case COMMON_QUEUE_DRIVER + 4:
		set_half(&queue->driver, at & 4, value);
		break;
	case COMMON_QUEUE_DEVICE:
	case COMMON_QUEUE_DEVICE + 4:
		set_half(&queue->device, at & 4, value);
		break;
	}
}

static void write_common(struct virtio_device *virtio, uint64_t at, uint32_t value)
{
	switch (at) {
	case COMMON_DEVICE_FEATURE_SELECT:
		virtio->feature_select = value;
		break;
	case COMMON_DRIVER_FEATURE_SELECT:
		virtio->driver_feature_select = value;
		break;
	case COMMON_DRIVER_FEATURE:
		if (!(virtio->status & VIRTIO_STATUS_FEATURES_OK) &&
			virtio->driver_feature_select < 2)
			set_half(&virtio->driver_features, virtio->driver_feature_select == 1,
				value);
		break;
	case COMMON_CONFIG_VECTOR:
		virtio->config_vector = value <= virtio->ops->queues ? value : VIRTQUEUE_NO_VECTOR;
		break;
	case COMMON_STATUS:
		set_status(virtio, value);
		break;
	case COMMON_QUEUE_SELECT:
		virtio->queue_select = value;
		break;
	default:
		write_queue(virtio, at, value);
	}
}

/* Bytes of the field at this offset of the common configuration: a driver writes each as a whole (section 4.1.3.1). */
static unsigned common_width(uint64_t at)
{
	switch (at) {
	case COMMON_STATUS:
	case COMMON_GENERATION:
		return 1;
	case COMMON_CONFIG_VECTOR ... COMMON_QUEUES:
	case COMMON_QUEUE_SELECT ... COMMON_QUEUE_NOTIFY_OFFSET:
		return 2;
	default:
		return 4;
	}
}

void virtio_look_again(struct virtio_device *virtio, unsigned queue)
{
	uint64_t one = 1;

	if (write(virtio->kicks[queue], &one, sizeof(one)) < 0)
		return; /* the counter is full: it has been told often enough */
}

static void write_registers(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct virtio_device *virtio = opaque;
	uint64_t queue = (offset - AT_NOTIFY) / NOTIFY_MULTIPLIER;

	if (offset < COMMON_SIZE && size == common_width(offset))
		write_common(virtio, offset, value);
	else if (offset >= AT_NOTIFY && queue < virtio->ops->queues && virtio->running)
		virtio_look_again(virtio, queue);
}

static const struct io_ops register_ops = {
	.read = read_registers,
	.write = write_registers,
	.max_access = 4,
};

/* Section 4.1.4.9: a window into the BAR for whoever cannot map it. SeaBIOS in 16-bit mode is one. */
static void window_accessed(struct virtio_device *virtio, uint16_t offset, unsigned size)
{
	uint8_t *capability = virtio->pci.config + virtio->window_capability;
	uint16_t data = virtio->window_capability + CAPABILITY_EXTRA;
	uint32_t at = config_get32(capability + CAPABILITY_OFFSET);
	uint32_t length = config_get32(capability + CAPABILITY_SIZE);

	if (offset < data || offset >= data + 4 || capability[CAPABILITY_BAR] != BAR_REGISTERS)
		return;
	if ((length == 1 || length == 2 || length == 4) && at % length == 0 &&
		checked_range(at, length, REGISTER_BYTES))
		write_registers(virtio, at, length,
			config_get32(capability + CAPABILITY_EXTRA) &
				(UINT32_MAX >> (32 - 8 * length)));
}

static void config_written(struct pci_device *device, uint16_t offset, unsigned size)
{
	struct virtio_device *virtio = (struct virtio_device *)device;

	window_accessed(virtio, offset, size);
}

static void bars_moved(struct pci_device *device)
{
	place_kicks((struct virtio_device *)device);
}

/* The window's data is fetched when it is read. */
static void config_read(struct pci_device *device, uint16_t offset, unsigned size)
{
	struct virtio_device *virtio = (struct virtio_device *)device;
	uint8_t *capability = device->config + virtio->window_capability;
	uint16_t data = virtio->window_capability + CAPABILITY_EXTRA;
	uint32_t at = config_get32(capability + CAPABILITY_OFFSET);
	uint32_t length = config_get32(capability + CAPABILITY_SIZE);

	if (offset < data || offset >= data + 4 || capability[CAPABILITY_BAR] != BAR_REGISTERS)
		return;
	if ((length == 1 || length == 2 || length == 4) && at % length == 0 &&
		checked_range(at, length, REGISTER_BYTES))
		config_set32(capability + CAPABILITY_EXTRA, read_registers(virtio, at, length));
}

static uint8_t add_capability(
	struct virtio_device *virtio, uint8_t type, uint32_t offset, uint32_t size, uint8_t extra)
{
	uint8_t length = CAPABILITY_EXTRA + extra;
	uint8_t at = pci_device_add_capability(&virtio->pci, PCI_CAPABILITY_VENDOR, length);
	uint8_t *capability = virtio->pci.config + at;

	capability[CAPABILITY_LENGTH] = length;
	capability[CAPABILITY_TYPE] = type;
	capability[CAPABILITY_BAR] = BAR_REGISTERS;
	config_set32(capability + CAPABILITY_OFFSET, offset);
	config_set32(capability + CAPABILITY_SIZE, size);
	return at;
}

static void add_window(struct virtio_device *virtio)
{
	uint8_t at = add_capability(virtio, CAPABILITY_WINDOW, 0, 0, 4);
	uint8_t *writable = virtio->pci.write_mask + at;

	virtio->window_capability = at;
	virtio->pci.config[at + CAPABILITY_BAR] = 0;
	writable[CAPABILITY_BAR] = 0xff;
	memset(writable + CAPABILITY_OFFSET, 0xff, CAPABILITY_EXTRA + 4 - CAPABILITY_OFFSET);
}

bool virtio_pci_realize(struct virtio_device *virtio, GError **error)
{
	uint8_t notify;

	g_assert(
		virtio->ops->queues <= VIRTIO_MAX_QUEUES && virtio->ops->config_size <= CONFIG_MAX);
	virtio->kicks_at = PCI_UNMAPPED;
	for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
		virtio->kicks[i] = -1;
	for (unsigned i = 0; i < virtio->ops->queues; i++) {
		virtio->kicks[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (virtio->kicks[i] < 0)
			return fail_errno(error, VITRINE_ERROR_HOST, "no eventfd for a queue");
	}

	if (!pci_device_add_msix(&virtio->pci, BAR_MSIX, virtio->ops->queues + 1, error))
		return false;
	add_capability(virtio, CAPABILITY_COMMON, AT_COMMON, PAGE, 0);
	add_capability(virtio, CAPABILITY_INTERRUPT, AT_INTERRUPT, PAGE, 0);
	if (virtio->ops->config_size > 0)
		add_capability(virtio, CAPABILITY_DEVICE, AT_DEVICE, PAGE, 0);
	notify = add_capability(virtio, CAPABILITY_NOTIFY, AT_NOTIFY, PAGE, 4);
	config_set32(virtio->pci.config + notify + CAPABILITY_EXTRA, NOTIFY_MULTIPLIER);
	add_window(virtio);

	virtio->registers = (struct io_region) {
		.name = "virtio",
		.ops = &register_ops,
		.device = virtio,
		.size = REGISTER_BYTES,
	};
	pci_device_add_bar(&virtio->pci, BAR_REGISTERS, PCI_BAR_64BIT | PCI_BAR_PREFETCHABLE,
		REGISTER_BYTES, &virtio->registers, NULL);
	virtio->pci.config_written = config_written;
	virtio->pci.config_read = config_read;
	virtio->pci.bars_moved = bars_moved;
	return true;
}

void virtio_pci_unrealize(struct virtio_device *virtio)
{
	halt(virtio);
	for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
		if (virtio->kicks[i] >= 0)
			close(virtio->kicks[i]);
}

/* Lines are the chipset's, so they change with the machine's lock only: the main loop does it. */
static void raise_line(struct machine *machine, void *device)
{
	struct virtio_device *virtio = device;

	pci_device_set_interrupt(&virtio->pci, g_atomic_int_get(&virtio->interrupt_status) != 0);
}

static void interrupt(struct virtio_device *virtio, int kind, uint16_t vector)
{
	if (vector != VIRTQUEUE_NO_VECTOR ? pci_device_signal(&virtio->pci, vector)
					  : pci_device_uses_messages(&virtio->pci))
		return;
	if (g_atomic_int_or((guint *)&virtio->interrupt_status, kind) != 0)
		return; /* on its way, or raised already */
	machine_run_soon(virtio->pci.device.machine, raise_line, virtio);
}

void virtio_interrupt(struct virtio_device *virtio, unsigned queue)
{
	if (virtqueue_should_interrupt(&virtio->queues[queue]))
		interrupt(virtio, INTERRUPT_QUEUE, virtio->queues[queue].vector);
}

bool virtio_is_broken(const struct virtio_device *virtio)
{
	return g_atomic_int_get(&virtio->broken);
}

void virtio_break(struct virtio_device *virtio, const char *why)
{
	if (!g_atomic_int_compare_and_exchange(&virtio->broken, 0, 1))
		return;
	log_limited(&virtio->pci.complaints, PCI_COMPLAINTS_MAX,
		"%s: the guest's driver broke the rules (%s); the device waits for a reset",
		virtio->pci.device.id ? virtio->pci.device.id : virtio->pci.device.class->name,
		why);
	interrupt(virtio, INTERRUPT_CONFIG, virtio->config_vector);
}

void virtio_set_running(struct virtio_device *virtio, bool running)
{
	if (running)
		run(virtio);
	else
		halt(virtio);
}
