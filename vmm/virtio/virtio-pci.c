/* The virtio PCI transport. Specification: virtio 1.2 section 4.1.
 *
 * Usually BAR 4 holds four pages: common configuration, interrupt status, device configuration, notifications, and BAR 1 the
 * MSI-X table. A device that has registers of another kind as well says where they go (struct virtio_layout).
 */
#include "vmm/virtio/virtio-private.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/error.h"
#include "vmm/kvm/kvm.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-express.h"
#include "vmm/pci/pci-registers.h"

enum {
	PAGE = 4 * KiB,
	REGISTER_BYTES = 4 * PAGE,
	NOTIFY_MULTIPLIER = 4,
	VECTORS_MAX = 128, /* that the MSI-X table has room for */
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

static const struct virtio_layout usual_layout = {
	.msix_bar = 1,
	.registers_bar = 4,
	.common = { 0 * PAGE, PAGE },
	.interrupt = { 1 * PAGE, PAGE },
	.device = { 2 * PAGE, PAGE },
	.notify = { 3 * PAGE, PAGE },
};

static bool is_inside(const struct virtio_part *part, uint64_t offset)
{
	return offset >= part->at && offset - part->at < part->size;
}

/* Notifications: KVM writes the eventfds, wherever the guest has put the BAR. */
void virtio_place_kicks(struct virtio_device *virtio)
{
	struct kvm *kvm = virtio->pci.device.machine->kvm;
	uint64_t bar = virtio->pci.bars[virtio->layout->registers_bar].address;
	uint64_t at = bar == PCI_UNMAPPED || !virtio->running ? PCI_UNMAPPED
							      : bar + virtio->layout->notify.at;

	if (at == virtio->kicks_at)
		return;
	for (unsigned i = 0; i < virtio->queue_count; i++) {
		if (!virtqueue_is_started(&virtio->queues[i]) && at != PCI_UNMAPPED)
			continue;
		if (virtio->kicks_at != PCI_UNMAPPED)
			kvm_ioeventfd(kvm, virtio->kicks_at + NOTIFY_MULTIPLIER * i, 0,
				virtio->kicks[i], false);
		/* Where KVM has no room for another, the notification arrives as a write to the BAR. */
		if (at != PCI_UNMAPPED)
			kvm_ioeventfd(kvm, at + NOTIFY_MULTIPLIER * i, 0, virtio->kicks[i], true);
	}
	virtio->kicks_at = at;
}

static uint64_t read_registers(void *opaque, uint64_t offset, unsigned size)
{
	struct virtio_device *virtio = opaque;
	const struct virtio_layout *layout = virtio->layout;
	uint8_t bytes[VIRTIO_CONFIG_MAX] = { 0 };
	size_t length = 0;
	uint64_t at = 0;
	uint64_t value = 0;

	if (is_inside(&layout->common, offset)) {
		virtio_common_fill(virtio, bytes);
		length = VIRTIO_COMMON_SIZE;
		at = offset - layout->common.at;
	} else if (is_inside(&layout->interrupt, offset)) {
		/* Reading acknowledges (section 4.1.4.5). */
		bytes[0] = g_atomic_int_and((guint *)&virtio->interrupt_status, 0) & 0xff;
		pci_device_set_interrupt(&virtio->pci, false);
		length = 1;
		at = offset - layout->interrupt.at;
	} else if (is_inside(&layout->device, offset)) {
		if (virtio->ops->get_config)
			virtio->ops->get_config(virtio, bytes);
		length = virtio->ops->config_size;
		at = offset - layout->device.at;
	} else if (layout->others && offset < layout->common.at) {
		return layout->others->read(virtio, offset, size);
	}
	if (at < length)
		memcpy(&value, bytes + at, MIN(size, length - at));
	return GUINT64_FROM_LE(value);
}

static void write_config(struct virtio_device *virtio, uint64_t at, unsigned size, uint64_t value)
{
	uint64_t bytes = GUINT64_TO_LE(value);

	if (virtio->ops->set_config && checked_range(at, size, virtio->ops->config_size))
		virtio->ops->set_config(virtio, at, (const uint8_t *)&bytes, size);
}

static void write_registers(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct virtio_device *virtio = opaque;
	const struct virtio_layout *layout = virtio->layout;
	uint64_t queue;

	if (is_inside(&layout->common, offset)) {
		virtio_common_write(virtio, offset - layout->common.at, size, value);
	} else if (is_inside(&layout->device, offset)) {
		write_config(virtio, offset - layout->device.at, size, value);
	} else if (is_inside(&layout->notify, offset)) {
		queue = (offset - layout->notify.at) / NOTIFY_MULTIPLIER;
		if (queue < virtio->queue_count && virtio->running)
			virtio_look_again(virtio, queue);
	} else if (layout->others && offset < layout->common.at) {
		layout->others->write(virtio, offset, size, value);
	}
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

	if (offset < data || offset >= data + 4 ||
		capability[CAPABILITY_BAR] != virtio->layout->registers_bar)
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
	virtio_place_kicks((struct virtio_device *)device);
}

/* The window's data is fetched when it is read. */
static void config_read(struct pci_device *device, uint16_t offset, unsigned size)
{
	struct virtio_device *virtio = (struct virtio_device *)device;
	uint8_t *capability = device->config + virtio->window_capability;
	uint16_t data = virtio->window_capability + CAPABILITY_EXTRA;
	uint32_t at = config_get32(capability + CAPABILITY_OFFSET);
	uint32_t length = config_get32(capability + CAPABILITY_SIZE);

	if (offset < data || offset >= data + 4 ||
		capability[CAPABILITY_BAR] != virtio->layout->registers_bar)
		return;
	if ((length == 1 || length == 2 || length == 4) && at % length == 0 &&
		checked_range(at, length, REGISTER_BYTES))
		config_set32(capability + CAPABILITY_EXTRA, read_registers(virtio, at, length));
}

static uint8_t add_capability(
	struct virtio_device *virtio, uint8_t type, const struct virtio_part *part, uint8_t extra)
{
	uint8_t length = CAPABILITY_EXTRA + extra;
	uint8_t at = pci_device_add_capability(&virtio->pci, PCI_CAPABILITY_VENDOR, length);
	uint8_t *capability = virtio->pci.config + at;

	capability[CAPABILITY_LENGTH] = length;
	capability[CAPABILITY_TYPE] = type;
	capability[CAPABILITY_BAR] = virtio->layout->registers_bar;
	config_set32(capability + CAPABILITY_OFFSET, part->at);
	config_set32(capability + CAPABILITY_SIZE, part->size);
	return at;
}

static void add_window(struct virtio_device *virtio)
{
	uint8_t at = add_capability(virtio, CAPABILITY_WINDOW, &(struct virtio_part) { 0 }, 4);
	uint8_t *writable = virtio->pci.write_mask + at;

	virtio->window_capability = at;
	virtio->pci.config[at + CAPABILITY_BAR] = 0;
	writable[CAPABILITY_BAR] = 0xff;
	memset(writable + CAPABILITY_OFFSET, 0xff, CAPABILITY_EXTRA + 4 - CAPABILITY_OFFSET);
}

const char *const virtio_legacy_choices[] = { "auto", "on", "off", NULL };

enum {
	LEGACY_OFF = 2 /* disable-legacy=off */
};

static bool check_options(const struct virtio_device *virtio, GError **error)
{
	if (virtio->options.disable_legacy == LEGACY_OFF)
		return fail(error, VITRINE_ERROR_INPUT,
			"disable-legacy=off asks for the interface of virtio 0.9, which no device "
			"here has; leave it out, or say on or auto");
	if (virtio->options.disable_modern)
		return fail(error, VITRINE_ERROR_INPUT,
			"disable-modern=on would leave no interface: devices here have that of "
			"virtio 1 only; leave it out");
	return true;
}

static bool add_queues(struct virtio_device *virtio, GError **error)
{
	if (virtio->queue_count == 0)
		virtio->queue_count = virtio->ops->queues;
	g_assert(virtio->queue_count <= VIRTIO_QUEUES_MAX);
	virtio->queues = g_new0(struct virtqueue, virtio->queue_count);
	virtio->main_queues = g_new0(struct virtio_main_queue, virtio->queue_count);
	virtio->kicks = g_new(int, virtio->queue_count);
	for (unsigned i = 0; i < virtio->queue_count; i++) {
		virtqueue_reset(&virtio->queues[i], VIRTQUEUE_DEFAULT_SIZE);
		virtio->kicks[i] = -1;
	}
	for (unsigned i = 0; i < virtio->queue_count; i++) {
		virtio->kicks[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (virtio->kicks[i] < 0)
			return fail_errno(error, VITRINE_ERROR_HOST, "no eventfd for a queue");
	}
	return true;
}

/* The order is that of the guest-visible offsets. */
static void add_capabilities(struct virtio_device *virtio)
{
	const struct virtio_layout *layout = virtio->layout;
	uint8_t notify;

	add_capability(virtio, CAPABILITY_COMMON, &layout->common, 0);
	add_capability(virtio, CAPABILITY_INTERRUPT, &layout->interrupt, 0);
	add_capability(virtio, CAPABILITY_DEVICE, &layout->device, 0);
	notify = add_capability(virtio, CAPABILITY_NOTIFY, &layout->notify, 4);
	config_set32(virtio->pci.config + notify + CAPABILITY_EXTRA, NOTIFY_MULTIPLIER);
	add_window(virtio);
}

static bool add_vectors(struct virtio_device *virtio, GError **error)
{
	if (!device_class_property(virtio->pci.device.class, "vectors"))
		return true;
	virtio->vectors = virtio->options.vectors == VIRTIO_VECTORS_AUTOMATIC
				  ? MIN(virtio->queue_count + 1, VECTORS_MAX)
				  : MIN(virtio->options.vectors, VECTORS_MAX);
	return virtio->vectors == 0 ||
	       pci_device_add_msix(&virtio->pci, virtio->layout->msix_bar, virtio->vectors, error);
}

bool virtio_pci_realize(struct virtio_device *virtio, GError **error)
{
	g_assert(virtio->ops->config_size <= VIRTIO_CONFIG_MAX);
	if (!virtio->layout)
		virtio->layout = &usual_layout;
	virtio->kicks_at = PCI_UNMAPPED;
	virtio->config_vector = VIRTQUEUE_NO_VECTOR;
	if (!check_options(virtio, error) || !add_queues(virtio, error))
		return false;
	if (pci_device_is_express_endpoint(&virtio->pci))
		pci_device_add_express_endpoint(&virtio->pci);
	add_capabilities(virtio);
	if (!add_vectors(virtio, error))
		return false;
	virtio->registers = (struct io_region) {
		.name = "virtio",
		.ops = &register_ops,
		.device = virtio,
		.size = REGISTER_BYTES,
	};
	pci_device_add_bar(&virtio->pci, virtio->layout->registers_bar,
		PCI_BAR_64BIT | PCI_BAR_PREFETCHABLE, REGISTER_BYTES, &virtio->registers, NULL);
	virtio->pci.config_written = config_written;
	virtio->pci.config_read = config_read;
	virtio->pci.bars_moved = bars_moved;
	return true;
}

void virtio_set_queue_size(struct virtio_device *virtio, unsigned queue, uint16_t size)
{
	g_assert(size <= VIRTQUEUE_MAX_SIZE && (size & (size - 1)) == 0);
	virtqueue_reset(&virtio->queues[queue], size);
}

void virtio_pci_unrealize(struct virtio_device *virtio)
{
	if (virtio->kicks)
		virtio_halt(virtio);
	for (unsigned i = 0; virtio->kicks && i < virtio->queue_count; i++)
		if (virtio->kicks[i] >= 0)
			close(virtio->kicks[i]);
	virtqueue_element_clear(&virtio->element);
	g_clear_pointer(&virtio->kicks, g_free);
	g_clear_pointer(&virtio->queues, g_free);
	g_clear_pointer(&virtio->main_queues, g_free);
	virtio->queue_count = 0;
}
