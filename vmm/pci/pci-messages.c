/* MSI and MSI-X. Specification: PCI 3.0 section 6.8.
 *
 * Interrupts are sent from any thread, so what sending looks at has a lock of its own, under which nothing else is taken.
 */
#include "vmm/pci/pci-messages.h"

#include <string.h>

#include "base/checked.h"
#include "vmm/kvm/interrupt-routes.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"

enum {
	VECTOR_BYTES = 16,
	VECTOR_ADDRESS = 0,
	VECTOR_DATA = 8,
	VECTOR_CONTROL = 12,
	BAR_BYTES = 4 * KiB,
	PENDING_AT = 2 * KiB,
	MAX_VECTORS = PENDING_AT / VECTOR_BYTES,
};

struct pci_msix {
	struct pci_device *device;
	GMutex lock;
	uint8_t capability; /* offset */
	uint16_t vectors;
	bool enabled, masked;
	uint8_t table[PENDING_AT];
	uint8_t pending[MAX_VECTORS / 8];
	GPtrArray *links; /* of struct pci_vector_link */
	struct io_region region;
};

struct pci_vector_link {
	uint16_t vector;
	int fd;
	int message; /* the kernel's number of it, or KVM_NO_MESSAGE: it does not send it now */
	uint64_t address;
	uint32_t data;
};

static bool is_pending(const struct pci_msix *msix, unsigned vector)
{
	return msix->pending[vector / 8] >> (vector % 8) & 1;
}

static bool vector_masked(const struct pci_msix *msix, unsigned vector)
{
	return msix->masked ||
	       msix->table[vector * VECTOR_BYTES + VECTOR_CONTROL] & MSIX_VECTOR_MASKED;
}

/* A message is a write of the device: without bus mastering, its own or a bridge's, it does not arrive. */
static void send_message(struct pci_device *device, uint64_t address, uint32_t data)
{
	if (pci_device_is_bus_master(device))
		kvm_signal_msi(device->device.machine->kvm, address, data);
}

/* With the lock. */
static void send_vector(struct pci_msix *msix, unsigned vector)
{
	const uint8_t *entry = &msix->table[vector * VECTOR_BYTES];

	msix->pending[vector / 8] &= ~(1 << vector % 8);
	send_message(msix->device, config_get64(entry + VECTOR_ADDRESS),
		config_get32(entry + VECTOR_DATA));
}

static void send_pending(struct pci_msix *msix)
{
	if (!msix->enabled)
		return;
	for (unsigned i = 0; i < msix->vectors; i++)
		if (is_pending(msix, i) && !vector_masked(msix, i))
			send_vector(msix, i);
}

/* With the lock: the kernel sends what may be sent now, and what it is now. */
static void update_link(struct pci_msix *msix, struct pci_vector_link *link)
{
	struct kvm *kvm = msix->device->device.machine->kvm;
	const uint8_t *entry = &msix->table[link->vector * VECTOR_BYTES];
	uint64_t address = config_get64(entry + VECTOR_ADDRESS);
	uint32_t data = config_get32(entry + VECTOR_DATA);
	bool may_be_sent = msix->enabled && !vector_masked(msix, link->vector) &&
			   pci_device_is_bus_master(msix->device);
	bool is_same = link->address == address && link->data == data;

	if (link->message != KVM_NO_MESSAGE && (!may_be_sent || !is_same)) {
		kvm_unlink_message(kvm, link->message, link->fd);
		link->message = KVM_NO_MESSAGE;
	}
	if (link->message != KVM_NO_MESSAGE || !may_be_sent)
		return;
	link->address = address;
	link->data = data;
	link->message = kvm_link_message(kvm, link->fd, address, data);
}

static void update_links(struct pci_msix *msix)
{
	for (guint i = 0; i < msix->links->len; i++)
		update_link(msix, msix->links->pdata[i]);
}

static uint64_t read_table(void *opaque, uint64_t offset, unsigned size)
{
	struct pci_msix *msix = opaque;
	uint64_t value = 0;

	g_mutex_lock(&msix->lock);
	if (offset < (uint64_t)msix->vectors * VECTOR_BYTES)
		memcpy(&value, msix->table + offset, size);
	else if (offset >= PENDING_AT && offset - PENDING_AT + size <= sizeof(msix->pending))
		memcpy(&value, &msix->pending[offset - PENDING_AT], size);
	g_mutex_unlock(&msix->lock);
	return GUINT64_FROM_LE(value);
}

static void write_table(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci_msix *msix = opaque;

	value = GUINT64_TO_LE(value);
	g_mutex_lock(&msix->lock);
	if (offset + size <= (uint64_t)msix->vectors * VECTOR_BYTES) {
		memcpy(msix->table + offset, &value, size);
		update_links(msix);
		send_pending(msix);
	}
	g_mutex_unlock(&msix->lock);
}

static const struct io_ops table_ops = {
	.read = read_table,
	.write = write_table,
	.max_access = 4,
};

static void mask_all(struct pci_msix *msix)
{
	memset(msix->table, 0, sizeof(msix->table));
	memset(msix->pending, 0, sizeof(msix->pending));
	for (unsigned i = 0; i < msix->vectors; i++)
		msix->table[i * VECTOR_BYTES + VECTOR_CONTROL] = MSIX_VECTOR_MASKED;
}

/* The capability, for a table that lies at @offset of @bar. */
static struct pci_msix *add_table(
	struct pci_device *device, unsigned bar, uint32_t offset, uint16_t vectors)
{
	struct pci_msix *msix = g_new0(struct pci_msix, 1);
	uint8_t at = pci_device_add_capability(device, PCI_CAPABILITY_MSIX, MSIX_SIZE);

	g_assert(vectors >= 1 && vectors <= MAX_VECTORS);
	g_mutex_init(&msix->lock);
	msix->device = device;
	msix->capability = at;
	msix->vectors = vectors;
	msix->links = g_ptr_array_new_with_free_func(g_free);
	mask_all(msix);
	config_set16(device->config + at + MSIX_CONTROL, vectors - 1);
	config_set16(device->write_mask + at + MSIX_CONTROL, MSIX_ENABLE | MSIX_FUNCTION_MASK);
	config_set32(device->config + at + MSIX_TABLE, offset | bar);
	config_set32(device->config + at + MSIX_PENDING, (offset + PENDING_AT) | bar);
	device->msix = msix;
	return msix;
}

bool pci_device_add_msix(struct pci_device *device, unsigned bar, uint16_t vectors, GError **error)
{
	struct pci_msix *msix = add_table(device, bar, 0, vectors);

	msix->region = (struct io_region) {
		.name = "msi-x",
		.ops = &table_ops,
		.device = msix,
		.size = BAR_BYTES,
	};
	pci_device_add_bar(device, bar, 0, BAR_BYTES, &msix->region, NULL);
	return true;
}

void pci_device_add_msix_inside(
	struct pci_device *device, unsigned bar, uint32_t offset, uint16_t vectors)
{
	add_table(device, bar, offset, vectors);
}

uint64_t pci_device_read_msix(struct pci_device *device, uint64_t offset, unsigned size)
{
	return read_table(device->msix, offset, size);
}

void pci_device_write_msix(
	struct pci_device *device, uint64_t offset, unsigned size, uint64_t value)
{
	write_table(device->msix, offset, size, value);
}

void pci_device_add_msi(struct pci_device *device)
{
	uint8_t at = pci_device_add_capability(device, PCI_CAPABILITY_MSI, MSI_SIZE);
	uint8_t *writable = device->write_mask + at;

	device->msi_capability = at;
	config_set16(device->config + at + MSI_CONTROL, MSI_64BIT);
	config_set16(writable + MSI_CONTROL, MSI_ENABLE);
	config_set32(writable + MSI_ADDRESS, ~3u);
	config_set32(writable + MSI_ADDRESS + 4, ~0u);
	config_set16(writable + MSI_DATA, 0xffff);
}

static bool msi_enabled(const struct pci_device *device)
{
	return device->msi_capability &&
	       device->config[device->msi_capability + MSI_CONTROL] & MSI_ENABLE;
}

void pci_device_messages_changed(struct pci_device *device)
{
	struct pci_msix *msix = device->msix;
	uint16_t control;

	if (!msix)
		return;
	control = config_get16(device->config + msix->capability + MSIX_CONTROL);
	g_mutex_lock(&msix->lock);
	msix->enabled = control & MSIX_ENABLE;
	msix->masked = control & MSIX_FUNCTION_MASK;
	update_links(msix);
	send_pending(msix);
	g_mutex_unlock(&msix->lock);
}

void pci_device_reset_messages(struct pci_device *device)
{
	if (device->msi_capability)
		device->config[device->msi_capability + MSI_CONTROL] &= ~MSI_ENABLE;
	if (device->msix) {
		uint8_t *control = device->config + device->msix->capability + MSIX_CONTROL;

		config_set16(control, config_get16(control) & ~(MSIX_ENABLE | MSIX_FUNCTION_MASK));
		g_mutex_lock(&device->msix->lock);
		mask_all(device->msix);
		g_mutex_unlock(&device->msix->lock);
	}
	pci_device_messages_changed(device);
}

void pci_device_free_messages(struct pci_device *device)
{
	if (!device->msix)
		return;
	g_mutex_clear(&device->msix->lock);
	g_ptr_array_unref(device->msix->links);
	g_clear_pointer(&device->msix, g_free);
}

bool pci_device_uses_messages(const struct pci_device *device)
{
	return (device->msix && device->msix->enabled) || msi_enabled(device);
}

bool pci_device_signal(struct pci_device *device, uint16_t vector)
{
	struct pci_msix *msix = device->msix;
	bool enabled = false;

	if (msix) {
		g_mutex_lock(&msix->lock);
		enabled = msix->enabled;
		if (enabled && vector < msix->vectors) {
			if (vector_masked(msix, vector))
				msix->pending[vector / 8] |= 1 << vector % 8;
			else
				send_vector(msix, vector);
		}
		g_mutex_unlock(&msix->lock);
	}
	if (!enabled && msi_enabled(device)) {
		const uint8_t *at = device->config + device->msi_capability;

		enabled = true;
		send_message(device, config_get64(at + MSI_ADDRESS), config_get16(at + MSI_DATA));
	}
	return enabled;
}

struct pci_vector_link *pci_device_link_vector(struct pci_device *device, uint16_t vector, int fd)
{
	struct pci_msix *msix = device->msix;
	struct pci_vector_link *link;

	if (!msix || vector >= msix->vectors)
		return NULL;
	link = g_new(struct pci_vector_link, 1);
	*link = (struct pci_vector_link) { .vector = vector, .fd = fd, .message = KVM_NO_MESSAGE };
	g_mutex_lock(&msix->lock);
	g_ptr_array_add(msix->links, link);
	update_link(msix, link);
	g_mutex_unlock(&msix->lock);
	return link;
}

void pci_device_unlink_vector(struct pci_device *device, struct pci_vector_link *link)
{
	struct pci_msix *msix = device->msix;

	g_mutex_lock(&msix->lock);
	if (link->message != KVM_NO_MESSAGE)
		kvm_unlink_message(device->device.machine->kvm, link->message, link->fd);
	g_ptr_array_remove_fast(msix->links, link);
	g_mutex_unlock(&msix->lock);
}
