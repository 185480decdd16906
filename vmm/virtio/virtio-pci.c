/* The virtio PCI transport. Specification: virtio 1.2 section 4.1.
 *
 * BAR 4 holds four pages: common configuration, interrupt status, device configuration, notifications. BAR 1 holds the
 * MSI-X table.
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
	BAR_MSIX = 1,
	BAR_REGISTERS = 4,
	PAGE = 4 * KiB,
	AT_COMMON = 0 * PAGE,
	AT_INTERRUPT = 1 * PAGE,
	AT_DEVICE = 2 * PAGE,
	AT_NOTIFY = 3 * PAGE,
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

/* Notifications: KVM writes the eventfds, wherever the guest has put the BAR. */
void virtio_place_kicks(struct virtio_device *virtio)
{
	struct kvm *kvm = virtio->pci.device.machine->kvm;
	uint64_t bar = virtio->pci.bars[BAR_REGISTERS].address;
	uint64_t at = bar == PCI_UNMAPPED || !virtio->running ? PCI_UNMAPPED : bar + AT_NOTIFY;

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
	uint8_t bytes[VIRTIO_CONFIG_MAX] = { 0 };
	size_t length = 0;
	uint64_t at = offset % PAGE;
	uint64_t value = 0;

	switch (offset - at) {
	case AT_COMMON:
		virtio_common_fill(virtio, bytes);
		length = VIRTIO_COMMON_SIZE;
		break;
	case AT_INTERRUPT:
		/* Reading acknowledges (section 4.1.4.5). */
		bytes[0] = g_atomic_int_and((guint *)&virtio->interrupt_status, 0);
		pci_device_set_interrupt(&virtio->pci, false);
		length = 1;
		break;
	case AT_DEVICE:
		if (virtio->ops->get_config)
			virtio->ops->get_config(virtio, bytes);
		length = virtio->ops->config_size;
		break;
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
	uint64_t at = offset % PAGE;

	switch (offset - at) {
	case AT_COMMON:
		virtio_common_write(virtio, at, size, value);
		break;
	case AT_DEVICE:
		write_config(virtio, at, size, value);
		break;
	case AT_NOTIFY:
		if (at / NOTIFY_MULTIPLIER < virtio->queue_count && virtio->running)
			virtio_look_again(virtio, at / NOTIFY_MULTIPLIER);
		break;
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
	uint8_t notify;

	add_capability(virtio, CAPABILITY_COMMON, AT_COMMON, PAGE, 0);
	add_capability(virtio, CAPABILITY_INTERRUPT, AT_INTERRUPT, PAGE, 0);
	add_capability(virtio, CAPABILITY_DEVICE, AT_DEVICE, PAGE, 0);
	notify = add_capability(virtio, CAPABILITY_NOTIFY, AT_NOTIFY, PAGE, 4);
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
	       pci_device_add_msix(&virtio->pci, BAR_MSIX, virtio->vectors, error);
}

bool virtio_pci_realize(struct virtio_device *virtio, GError **error)
{
	g_assert(virtio->ops->config_size <= VIRTIO_CONFIG_MAX);
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
	pci_device_add_bar(&virtio->pci, BAR_REGISTERS, PCI_BAR_64BIT | PCI_BAR_PREFETCHABLE,
		REGISTER_BYTES, &virtio->registers, NULL);
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
