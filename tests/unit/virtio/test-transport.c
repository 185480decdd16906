/* The PCI transport: registers, negotiation, status, notifications and interrupts, shown with the simplest device there is.
 * Specification: virtio 1.2, the device's normative clauses of sections 2.1 to 2.8, 3.1 and 4.1. */
#include <string.h>

#include "tests/unit/virtio/virtio-driver.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"
#include "vmm/virtio/virtio-rng.h"

struct fixture {
	struct virtio_machine *vm;
	struct device *device;
	struct virtio_driver driver;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	static const char *const properties[] = { "packed", "on", NULL };

	f->vm = virtio_machine_new();
	f->device = virtio_machine_add(f->vm, &virtio_rng_class, NULL, properties, NULL);
	g_assert_nonnull(f->device);
	f->driver = virtio_driver_bind(f->vm, f->device);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	virtio_machine_free(f->vm);
}

/* --- what is there --- */

/* Where stock drivers and images find things: as in every modern device of QEMU's. */
static const struct {
	uint8_t at, id, type;
	uint32_t offset;
} capabilities[] = {
	{ 0x40, PCI_CAPABILITY_VENDOR, 1, 0x0000 },
	{ 0x50, PCI_CAPABILITY_VENDOR, 3, 0x1000 },
	{ 0x60, PCI_CAPABILITY_VENDOR, 4, 0x2000 },
	{ 0x70, PCI_CAPABILITY_VENDOR, 2, 0x3000 },
	{ 0x84, PCI_CAPABILITY_VENDOR, 5, 0 },
	{ 0x98, PCI_CAPABILITY_MSIX, 0, 0 },
};

static void test_identity(struct fixture *f, gconstpointer data)
{
	const struct pci_device *pci = &f->driver.device->pci;

	g_assert_cmphex(config_get16(pci->config + PCI_VENDOR_ID), ==, 0x1af4);
	g_assert_cmphex(config_get16(pci->config + PCI_DEVICE_ID), ==, 0x1044);
	g_assert_cmphex(pci->config[PCI_REVISION_ID], >=, 1);
	g_assert_cmpuint(pci->bars[4].size, ==, 16384);
	g_assert_cmpuint(pci->bars[4].flags, ==, PCI_BAR_64BIT | PCI_BAR_PREFETCHABLE);
	for (size_t i = 0; i < G_N_ELEMENTS(capabilities); i++) {
		const uint8_t *at = pci->config + capabilities[i].at;

		g_assert_cmphex(at[0], ==, capabilities[i].id);
		if (at[0] != PCI_CAPABILITY_VENDOR)
			continue;
		g_assert_cmpuint(at[3], ==, capabilities[i].type);
		g_assert_cmphex(config_get32(at + 8), ==, capabilities[i].offset);
	}
}

static const struct {
	const char *name, *value, *error;
} options[] = {
	{ "disable-legacy", "on", NULL },
	{ "disable-legacy", "auto", NULL },
	{ "disable-legacy", "off", "disable-legacy=off asks for the interface of virtio 0.9" },
	{ "disable-modern", "off", NULL },
	{ "disable-modern", "on", "disable-modern=on would leave no interface" },
	{ "vectors", "0", NULL },
};

static void test_options(struct fixture *f, gconstpointer data)
{
	for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
		const char *const properties[] = { options[i].name, options[i].value, NULL };
		g_autoptr(GError) error = NULL;
		struct device *device =
			virtio_machine_add(f->vm, &virtio_rng_class, NULL, properties, &error);

		if (!options[i].error) {
			g_assert_no_error(error);
			virtio_machine_remove(f->vm, device);
			continue;
		}
		g_assert_null(device);
		g_assert_nonnull(strstr(error->message, options[i].error));
	}
}

/* --- negotiation --- */

static void test_features(struct fixture *f, gconstpointer data)
{
	uint64_t offered = virtio_driver_offered(&f->driver);

	g_assert_cmphex(offered, ==,
		VIRTIO_FEATURE_VERSION_1 | VIRTIO_FEATURE_INDIRECT | VIRTIO_FEATURE_EVENT_INDEX |
			VIRTIO_FEATURE_PACKED | VIRTIO_FEATURE_QUEUE_RESET);
	g_assert_true(virtio_driver_negotiate(&f->driver, 0));
	g_assert_true(virtio_driver_negotiate(&f->driver, offered));
	/* Section 2.2.2: bits that were not offered. */
	g_assert_false(virtio_driver_negotiate(&f->driver, 1));
	g_assert_false(virtio_driver_negotiate(&f->driver, UINT64_C(1) << 63));
	/* Words that there are not read as nothing. */
	virtio_driver_write(&f->driver, REG_DEVICE_FEATURE_SELECT, 4, 2);
	g_assert_cmphex(virtio_driver_read(&f->driver, REG_DEVICE_FEATURE, 4), ==, 0);
}

/* Section 6.2: a driver that does not know VERSION_1 is not served; section 3.1.1: nothing runs without FEATURES_OK. */
static void test_without_version_1(struct fixture *f, gconstpointer data)
{
	virtio_driver_reset(&f->driver);
	virtio_driver_write(&f->driver, REG_STATUS, 1, 3);
	virtio_driver_write(&f->driver, REG_STATUS, 1, 3 | VIRTIO_STATUS_FEATURES_OK);
	g_assert_cmphex(virtio_driver_status(&f->driver), ==, 3);
	virtio_driver_write(&f->driver, REG_STATUS, 1, 3 | VIRTIO_STATUS_DRIVER_OK);
	g_assert_cmphex(virtio_driver_status(&f->driver), ==, 3);
	g_assert_false(f->driver.device->running);
}

/* Section 6.2: where addresses go through the platform, a driver has to know it. */
static void test_access_platform(struct fixture *f, gconstpointer data)
{
	static const char *const properties[] = { "iommu_platform", "on", NULL };

	virtio_machine_remove(f->vm, f->device);
	f->device = virtio_machine_add(f->vm, &virtio_rng_class, NULL, properties, NULL);
	f->driver = virtio_driver_bind(f->vm, f->device);
	g_assert_false(virtio_driver_negotiate(&f->driver, 0));
	g_assert_true(virtio_driver_negotiate(&f->driver, VIRTIO_FEATURE_ACCESS_PLATFORM));
}

static void test_status(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(virtio_driver_status(&f->driver), ==, 0);
	virtio_driver_write(&f->driver, REG_STATUS, 1, 1);
	virtio_driver_write(&f->driver, REG_STATUS, 1, 2);
	g_assert_cmphex(virtio_driver_status(&f->driver), ==, 3);
	/* NEEDS_RESET is the device's to set. */
	virtio_driver_write(&f->driver, REG_STATUS, 1, 0x40);
	g_assert_cmphex(virtio_driver_status(&f->driver), ==, 3);
	virtio_driver_reset(&f->driver);
	g_assert_cmphex(virtio_driver_status(&f->driver), ==, 0);
}

/* Features are fixed from FEATURES_OK on. */
static void test_features_fixed(struct fixture *f, gconstpointer data)
{
	g_assert_true(virtio_driver_negotiate(&f->driver, 0));
	virtio_driver_write(&f->driver, REG_DRIVER_FEATURE_SELECT, 4, 0);
	virtio_driver_write(&f->driver, REG_DRIVER_FEATURE, 4, ~0u);
	g_assert_cmphex(virtio_driver_read(&f->driver, REG_DRIVER_FEATURE, 4), ==, 0);
}

/* --- queue registers --- */

static const struct {
	const char *name;
	bool packed;
	uint16_t written, read;
} sizes[] = {
	{ "/transport/size/less", false, 4, 4 },
	{ "/transport/size/one", false, 1, 1 },
	{ "/transport/size/none", false, 0, 8 },
	{ "/transport/size/more", false, 16, 8 },
	{ "/transport/size/odd", false, 5, 8 },
	{ "/transport/size/odd-packed", true, 5, 5 },
	{ "/transport/size/more-packed", true, 9, 8 },
};

static void check_size(struct fixture *f, gconstpointer data)
{
	const typeof(sizes[0]) *c = data;

	g_assert_true(virtio_driver_negotiate(&f->driver, c->packed ? VIRTIO_FEATURE_PACKED : 0));
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUE_SIZE, 2), ==, 8);
	virtio_driver_write(&f->driver, REG_QUEUE_SIZE, 2, c->written);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUE_SIZE, 2), ==, c->read);
}

static void test_queue_registers(struct fixture *f, gconstpointer data)
{
	struct driver_queue queue;

	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUES, 2), ==, 1);
	g_assert_true(virtio_driver_negotiate(&f->driver, 0));
	virtio_driver_queue(&f->driver, &queue, 0, 8);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUE_ENABLE, 2), ==, 1);
	/* Fixed while enabled, but for the vector. */
	virtio_driver_write(&f->driver, REG_QUEUE_SIZE, 2, 4);
	virtio_driver_write(&f->driver, REG_QUEUE_DESCRIPTORS, 4, 0x1000);
	virtio_driver_write(&f->driver, REG_QUEUE_ENABLE, 2, 0);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUE_SIZE, 2), ==, 8);
	g_assert_cmphex(
		virtio_driver_read(&f->driver, REG_QUEUE_DESCRIPTORS, 4), ==, queue.descriptors);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUE_ENABLE, 2), ==, 1);
	virtio_driver_write(&f->driver, REG_QUEUE_VECTOR, 2, 1);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUE_VECTOR, 2), ==, 1);
	/* Section 4.1.5.1.2.1: a vector that there is not reads as none. */
	virtio_driver_write(&f->driver, REG_QUEUE_VECTOR, 2, 2);
	g_assert_cmphex(
		virtio_driver_read(&f->driver, REG_QUEUE_VECTOR, 2), ==, VIRTQUEUE_NO_VECTOR);
	virtio_driver_write(&f->driver, REG_CONFIG_VECTOR, 2, 77);
	g_assert_cmphex(
		virtio_driver_read(&f->driver, REG_CONFIG_VECTOR, 2), ==, VIRTQUEUE_NO_VECTOR);
	/* Section 4.1.4.3.1: a queue that there is not has size 0. */
	virtio_driver_write(&f->driver, REG_QUEUE_SELECT, 2, 1);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUE_SIZE, 2), ==, 0);
	virtio_driver_write(&f->driver, REG_QUEUE_ENABLE, 2, 1);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUE_ENABLE, 2), ==, 0);
	/* A write of another width than the field's is none. */
	virtio_driver_write(&f->driver, REG_STATUS, 4, 0);
	g_assert_cmphex(virtio_driver_status(&f->driver), !=, 0);
}

/* --- requests --- */

#define PACKED VIRTIO_FEATURE_PACKED
#define EVENTS VIRTIO_FEATURE_EVENT_INDEX

static const struct {
	const char *name;
	uint64_t features;
	bool indirect, messages;
} kinds[] = {
	{ "/transport/request/split", 0, false, false },
	{ "/transport/request/split-msix", 0, false, true },
	{ "/transport/request/split-events", EVENTS, false, true },
	{ "/transport/request/split-indirect", VIRTIO_FEATURE_INDIRECT, true, true },
	{ "/transport/request/packed", PACKED, false, false },
	{ "/transport/request/packed-msix", PACKED, false, true },
	{ "/transport/request/packed-events", PACKED | EVENTS, false, true },
	{ "/transport/request/packed-indirect", PACKED | VIRTIO_FEATURE_INDIRECT, true, true },
	{ "/transport/request/packed-all", PACKED | EVENTS | VIRTIO_FEATURE_INDIRECT, true, true },
};

static void prepare(struct fixture *f, struct driver_queue *queue, uint64_t features)
{
	g_assert_true(virtio_driver_negotiate(&f->driver, features));
	virtio_driver_queue(&f->driver, queue, 0, 8);
}

/* Section 2.7.7: an interrupt for each, through a message or through INTA and the status byte. */
static void check_interrupt(struct fixture *f, bool messages, unsigned *count)
{
	if (messages) {
		g_assert_cmpuint(fake_kvm.messages, ==, ++*count);
		g_assert_cmpuint(fake_kvm.message_data, ==, 1);
		g_assert_false(f->vm->level);
		return;
	}
	g_assert_true(f->vm->level);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_INTERRUPT, 1), ==, 1);
	g_assert_false(f->vm->level);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_INTERRUPT, 1), ==, 0);
}

/* More of them than the ring has entries, so that it wraps several times. */
static void check_requests(struct fixture *f, gconstpointer data)
{
	const typeof(kinds[0]) *c = data;
	struct driver_queue queue;
	unsigned interrupts = 0;

	prepare(f, &queue, c->features);
	if (c->messages)
		virtio_driver_use_msix(&f->driver);
	virtio_driver_ready(&f->driver);
	for (unsigned i = 0; i < 30; i++) {
		struct driver_piece pieces[3] = { { .length = 16, .writable = true },
			{ .length = 1 + i, .writable = true }, { .length = 7, .writable = true } };
		uint16_t name, used;
		uint32_t written;

		/* The driver asks for an interrupt at the next entry to be used. */
		if (c->features & EVENTS && c->features & PACKED) {
			uint16_t *events = virtio_machine_ram(f->vm, queue.available);

			events[0] = queue.next_used | (queue.used_wrap ? 0x8000 : 0);
			events[1] = 2;
		} else if (c->features & EVENTS) {
			*(uint16_t *)virtio_machine_ram(
				f->vm, queue.available + 4 + 2 * queue.size) = queue.next_used;
		}
		name = c->indirect ? driver_queue_add_indirect(&queue, pieces, 3)
				   : driver_queue_add(&queue, pieces, 3);
		g_assert_true(driver_queue_wants_kick(&queue));
		driver_queue_kick(&queue);
		g_assert_true(driver_queue_used(&queue, &used, &written));
		g_assert_cmpuint(used, ==, name);
		g_assert_cmpuint(written, ==, 16 + 1 + i + 7);
		check_interrupt(f, c->messages, &interrupts);
	}
	g_assert_false(virtio_driver_needs_reset(&f->driver));
}

/* Section 2.1.2: a broken driver sees NEEDS_RESET and an interrupt about the configuration, and nothing else happens
 * until it resets; then all is well again. */
static void check_broken(struct fixture *f, gconstpointer features)
{
	struct driver_queue queue;
	struct driver_piece good = { .length = 16, .writable = true }, bad = good;
	uint16_t name;
	uint32_t written;

	prepare(f, &queue, (uintptr_t)features);
	virtio_driver_use_msix(&f->driver);
	virtio_driver_ready(&f->driver);
	driver_queue_do(&queue, &good, 1);
	g_assert_cmpuint(fake_kvm.messages, ==, 1);
	driver_queue_add(&queue, &bad, 1);
	*(uint64_t *)virtio_machine_ram(f->vm, queue.descriptors + 16 * (queue.packed ? 1 : 0)) =
		UINT64_MAX - 3;
	driver_queue_kick(&queue);
	g_assert_true(virtio_driver_needs_reset(&f->driver));
	g_assert_false(driver_queue_used(&queue, &name, &written));
	g_assert_cmpuint(fake_kvm.messages, ==, 2);
	g_assert_cmpuint(fake_kvm.message_data, ==, 0);
	driver_queue_add(&queue, &good, 1);
	driver_queue_kick(&queue);
	g_assert_false(driver_queue_used(&queue, &name, &written));
	g_assert_cmpuint(fake_kvm.messages, ==, 2);

	prepare(f, &queue, (uintptr_t)features);
	virtio_driver_ready(&f->driver);
	g_assert_cmpuint(driver_queue_do(&queue, &good, 1), ==, 16);
}

/* Rings that are no rings: the device does not start them. */
static const struct {
	const char *name;
	uint64_t reg;
	uint32_t address;
	bool packed;
} places[] = {
	{ "/transport/place/descriptors-outside", REG_QUEUE_DESCRIPTORS, 0x7ffffff0, false },
	{ "/transport/place/descriptors-odd", REG_QUEUE_DESCRIPTORS, 0x20008, false },
	{ "/transport/place/driver-outside", REG_QUEUE_DRIVER, VIRTIO_MACHINE_RAM - 4, false },
	{ "/transport/place/driver-odd", REG_QUEUE_DRIVER, 0x20001, false },
	{ "/transport/place/device-outside", REG_QUEUE_DEVICE, VIRTIO_MACHINE_RAM - 8, false },
	{ "/transport/place/device-odd", REG_QUEUE_DEVICE, 0x20002, false },
	{ "/transport/place/packed-outside", REG_QUEUE_DESCRIPTORS, 0x7ffffff0, true },
	{ "/transport/place/packed-odd", REG_QUEUE_DESCRIPTORS, 0x20004, true },
	{ "/transport/place/packed-events-outside", REG_QUEUE_DRIVER, VIRTIO_MACHINE_RAM, true },
	{ "/transport/place/packed-events-odd", REG_QUEUE_DEVICE, 0x20002, true },
	{ "/transport/place/registers", REG_QUEUE_DEVICE, 0xe0130000, false },
};

static void check_place(struct fixture *f, gconstpointer data)
{
	const typeof(places[0]) *c = data;
	struct driver_queue queue;
	struct driver_piece piece = { .length = 16, .writable = true };
	uint16_t name;
	uint32_t written;

	prepare(f, &queue, c->packed ? PACKED : 0);
	/* Enabled queues keep their place: a fresh start with the wrong one, and then enabled. */
	g_assert_true(virtio_driver_negotiate(&f->driver, c->packed ? PACKED : 0));
	virtio_driver_write(&f->driver, REG_QUEUE_SIZE, 2, 8);
	virtio_driver_write(&f->driver, REG_QUEUE_DESCRIPTORS, 4, queue.descriptors);
	virtio_driver_write(&f->driver, REG_QUEUE_DRIVER, 4, queue.available);
	virtio_driver_write(&f->driver, REG_QUEUE_DEVICE, 4, queue.used);
	virtio_driver_write(&f->driver, c->reg, 4, c->address);
	virtio_driver_write(&f->driver, REG_QUEUE_ENABLE, 2, 1);
	virtio_driver_ready(&f->driver);
	g_assert_true(virtio_driver_needs_reset(&f->driver));
	driver_queue_add(&queue, &piece, 1);
	driver_queue_kick(&queue);
	g_assert_false(driver_queue_used(&queue, &name, &written));
}

/* Section 2.6.1: one queue starts afresh while the device goes on. */
static void check_queue_reset(struct fixture *f, gconstpointer features)
{
	struct driver_queue queue;
	struct driver_piece piece = { .length = 16, .writable = true };

	prepare(f, &queue, (uintptr_t)features | VIRTIO_FEATURE_QUEUE_RESET);
	virtio_driver_ready(&f->driver);
	for (unsigned i = 0; i < 3; i++)
		g_assert_cmpuint(driver_queue_do(&queue, &piece, 1), ==, 16);
	virtio_driver_write(&f->driver, REG_QUEUE_RESET, 2, 1);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUE_RESET, 2), ==, 0);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUE_ENABLE, 2), ==, 0);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUE_SIZE, 2), ==, 8);
	virtio_driver_queue(&f->driver, &queue, 0, 4);
	for (unsigned i = 0; i < 6; i++)
		g_assert_cmpuint(driver_queue_do(&queue, &piece, 1), ==, 16);
	g_assert_false(virtio_driver_needs_reset(&f->driver));
}

/* Who was not offered the reset, or did not take it, has none. */
static void test_queue_reset_not_negotiated(struct fixture *f, gconstpointer data)
{
	struct driver_queue queue;

	prepare(f, &queue, 0);
	virtio_driver_ready(&f->driver);
	virtio_driver_write(&f->driver, REG_QUEUE_RESET, 2, 1);
	g_assert_cmpuint(virtio_driver_read(&f->driver, REG_QUEUE_ENABLE, 2), ==, 1);
}

/* What was asked for while the machine stood still is done when it goes on. */
static void test_pause(struct fixture *f, gconstpointer data)
{
	struct driver_queue queue;
	struct driver_piece piece = { .length = 16, .writable = true };
	uint16_t name;
	uint32_t written;

	prepare(f, &queue, 0);
	virtio_driver_ready(&f->driver);
	virtio_machine_set_running(f->vm, false);
	driver_queue_add(&queue, &piece, 1);
	driver_queue_kick(&queue);
	g_assert_false(driver_queue_used(&queue, &name, &written));
	virtio_machine_set_running(f->vm, true);
	virtio_machine_settle(f->vm);
	g_assert_true(driver_queue_used(&queue, &name, &written));
}

/* Section 4.1.4.9: the BAR through configuration space. */
static void test_window(struct fixture *f, gconstpointer data)
{
	struct pci_bus *bus = f->driver.device->pci.bus;
	unsigned slot = f->driver.device->pci.slot;

	pci_bus_config_write(bus, slot, 0, 0x84 + 4, 1, 4);
	pci_bus_config_write(bus, slot, 0, 0x84 + 8, 4, REG_QUEUES);
	pci_bus_config_write(bus, slot, 0, 0x84 + 12, 4, 2);
	g_assert_cmpuint(pci_bus_config_read(bus, slot, 0, 0x84 + 16, 2), ==, 1);
	pci_bus_config_write(bus, slot, 0, 0x84 + 8, 4, REG_STATUS);
	pci_bus_config_write(bus, slot, 0, 0x84 + 12, 4, 1);
	pci_bus_config_write(bus, slot, 0, 0x84 + 16, 1, 1);
	g_assert_cmphex(virtio_driver_status(&f->driver), ==, 1);
	/* Outside, or of no width that there is: nothing. */
	pci_bus_config_write(bus, slot, 0, 0x84 + 8, 4, 0x4000);
	pci_bus_config_write(bus, slot, 0, 0x84 + 16, 1, 1);
	pci_bus_config_write(bus, slot, 0, 0x84 + 12, 4, 3);
	pci_bus_config_write(bus, slot, 0, 0x84 + 16, 1, 1);
}

#define ADD(name, data, func) g_test_add(name, struct fixture, data, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/transport/identity", NULL, test_identity);
	ADD("/transport/options", NULL, test_options);
	ADD("/transport/features", NULL, test_features);
	ADD("/transport/without-version-1", NULL, test_without_version_1);
	ADD("/transport/features-fixed", NULL, test_features_fixed);
	ADD("/transport/access-platform", NULL, test_access_platform);
	ADD("/transport/status", NULL, test_status);
	ADD("/transport/queue-registers", NULL, test_queue_registers);
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
		ADD(sizes[i].name, &sizes[i], check_size);
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		ADD(kinds[i].name, &kinds[i], check_requests);
	ADD("/transport/broken/split", (void *)0, check_broken);
	ADD("/transport/broken/packed", (void *)(uintptr_t)PACKED, check_broken);
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
		ADD(places[i].name, &places[i], check_place);
	ADD("/transport/queue-reset/split", (void *)0, check_queue_reset);
	ADD("/transport/queue-reset/packed", (void *)(uintptr_t)PACKED, check_queue_reset);
	ADD("/transport/queue-reset/not-negotiated", NULL, test_queue_reset_not_negotiated);
	ADD("/transport/pause", NULL, test_pause);
	ADD("/transport/window", NULL, test_window);
	return g_test_run();
}
