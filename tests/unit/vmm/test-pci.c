/* PCI: configuration space as a guest probes it, BARs that move, interrupts and messages. */
#include "vmm/pci/pci.h"

#include <string.h>

#include "base/error.h"
#include "tests/unit/vmm/fake-kvm.h"
#include "vmm/firmware/files.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/pci-registers.h"

enum {
	SLOT = 3,
	BAR_PORTS = 0,
	BAR_MEMORY = 1,
	BAR_WIDE = 2,
	BAR_MSIX = 4,
	REGISTER_BYTES = 0x100,
};

struct probe {
	struct pci_device pci;
	struct io_region ports, memory, wide;
};

/* The device reads as the offset that was read, so that a read shows where its BAR lies. */
static uint64_t read_offset(void *opaque, uint64_t offset, unsigned size)
{
	return offset;
}

static void write_nothing(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
}

static const struct io_ops probe_ops = { .read = read_offset, .write = write_nothing };

static bool probe_realize(struct device *device, GError **error)
{
	struct probe *probe = (struct probe *)device;
	struct io_region region = { .name = "probe", .ops = &probe_ops, .size = REGISTER_BYTES };

	probe->ports = probe->memory = probe->wide = region;
	pci_device_add_bar(
		&probe->pci, BAR_PORTS, PCI_BAR_PORTS, REGISTER_BYTES, &probe->ports, NULL);
	pci_device_add_bar(&probe->pci, BAR_MEMORY, 0, REGISTER_BYTES, &probe->memory, NULL);
	pci_device_add_bar(&probe->pci, BAR_WIDE, PCI_BAR_64BIT | PCI_BAR_PREFETCHABLE,
		REGISTER_BYTES, &probe->wide, NULL);
	return pci_device_add_msix(&probe->pci, BAR_MSIX, 2, error);
}

static const struct pci_identity probe_identity = {
	.vendor = 0x1234,
	.device = 0x5678,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0xff0102,
	.revision = 7,
	.interrupt_pin = 1,
};

static const struct device_class probe_class = {
	.name = "probe",
	.bus = BUS_PCI,
	.size = sizeof(struct probe),
	.pci = &probe_identity,
	.realize = probe_realize,
};

/* No ROM in these tests. */
GBytes *firmware_file_load(const char *name, GError **error)
{
	fail(error, VITRINE_ERROR_NOT_FOUND, "%s", name);
	return NULL;
}

const struct property *device_bus_properties(enum device_bus bus)
{
	static const struct property none[] = { { .type = PROPERTY_END } };

	return none;
}

struct fixture {
	struct machine machine;
	struct kvm kvm;
	struct probe *probe;
	unsigned line;
	bool level;
};

static unsigned line_of(void *opaque, unsigned slot, unsigned pin)
{
	return (slot + pin) % PCI_LINES;
}

static void set_line(void *opaque, unsigned line, bool level)
{
	struct fixture *f = opaque;

	f->line = line;
	f->level = level;
}

static void set_up(struct fixture *f, gconstpointer data)
{
	struct pci_interrupts interrupts = { line_of, set_line, f };

	memset(&fake_kvm, 0, sizeof(fake_kvm));
	f->machine.kvm = &f->kvm;
	f->machine.memory = guest_memory_new(&f->kvm);
	f->machine.devices = g_ptr_array_new();
	f->machine.buses = g_ptr_array_new();
	io_space_init(&f->machine.ports, "ports");
	io_space_init(&f->machine.mmio, "memory");
	f->machine.pci = pci_bus_new(&f->machine, "pcie.0", &interrupts);
	f->probe = (struct probe *)device_new(&f->machine, &probe_class, NULL);
	f->probe->pci.address_option = g_strdup("3");
	g_assert_true(device_realize(&f->probe->pci.device, NULL));
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_free(f->probe->pci.address_option);
	device_free(&f->probe->pci.device);
	pci_bus_free(f->machine.pci);
	guest_memory_free(f->machine.memory);
	g_ptr_array_unref(f->machine.devices);
	g_ptr_array_unref(f->machine.buses);
	io_space_clear(&f->machine.ports);
	io_space_clear(&f->machine.mmio);
}

static uint32_t get(struct fixture *f, uint16_t offset, unsigned size)
{
	return pci_bus_config_read(f->machine.pci, SLOT, 0, offset, size);
}

static void set(struct fixture *f, uint16_t offset, unsigned size, uint32_t value)
{
	pci_bus_config_write(f->machine.pci, SLOT, 0, offset, size, value);
}

static void test_header(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(get(f, PCI_VENDOR_ID, 4), ==, 0x56781234);
	g_assert_cmphex(get(f, PCI_REVISION_ID, 4), ==, 0xff010207);
	g_assert_cmphex(get(f, PCI_SUBSYSTEM_VENDOR_ID, 4), ==, 0x11001af4);
	set(f, PCI_VENDOR_ID, 4, 0);
	g_assert_cmphex(get(f, PCI_VENDOR_ID, 4), ==, 0x56781234);
	g_assert_cmphex(pci_bus_config_read(f->machine.pci, SLOT + 1, 0, 0, 4), ==, UINT32_MAX);
	g_assert_cmphex(pci_bus_config_read(f->machine.pci, SLOT, 0, PCI_CONFIG_SIZE - 2, 4), ==,
		UINT32_MAX);
}

static void test_sizing(struct fixture *f, gconstpointer data)
{
	static const uint32_t after_ones[] = { 0xffffff01, 0xffffff00, 0xffffff0c, 0xffffffff,
		0xfffff000, 0 };

	for (unsigned i = 0; i < G_N_ELEMENTS(after_ones); i++) {
		set(f, PCI_BAR_0 + 4 * i, 4, UINT32_MAX);
		g_assert_cmphex(get(f, PCI_BAR_0 + 4 * i, 4), ==, after_ones[i]);
	}
	/* Decoding is switched on while all ones stand there, as some firmware does: nothing is mapped up there. */
	set(f, PCI_COMMAND, 2, PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY);
	g_assert_cmphex(io_space_read(&f->machine.mmio, 0xffffff10, 1), ==, 0xff);
	g_assert_cmphex(io_space_read(&f->machine.ports, 0xff10, 1), ==, 0xff);
}

static void test_moving(struct fixture *f, gconstpointer data)
{
	set(f, PCI_BAR_0 + 4 * BAR_PORTS, 4, 0xc000);
	set(f, PCI_BAR_0 + 4 * BAR_MEMORY, 4, 0xfe000000);
	set(f, PCI_BAR_0 + 4 * BAR_WIDE, 4, 0x00000000);
	set(f, PCI_BAR_0 + 4 * BAR_WIDE + 4, 4, 0x8);
	g_assert_cmphex(io_space_read(&f->machine.ports, 0xc042, 1), ==, 0xff);

	set(f, PCI_COMMAND, 2, PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY);
	g_assert_cmphex(io_space_read(&f->machine.ports, 0xc042, 1), ==, 0x42);
	g_assert_cmphex(io_space_read(&f->machine.mmio, 0xfe000042, 1), ==, 0x42);
	g_assert_cmphex(io_space_read(&f->machine.mmio, UINT64_C(0x800000042), 1), ==, 0x42);

	set(f, PCI_BAR_0 + 4 * BAR_MEMORY, 4, 0xfd000000);
	g_assert_cmphex(io_space_read(&f->machine.mmio, 0xfe000042, 1), ==, 0xff);
	g_assert_cmphex(io_space_read(&f->machine.mmio, 0xfd000042, 1), ==, 0x42);

	/* Two BARs change places, one write after the other. */
	set(f, PCI_BAR_0 + 4 * BAR_WIDE + 4, 4, 0);
	set(f, PCI_BAR_0 + 4 * BAR_WIDE, 4, 0xfd000000);
	set(f, PCI_BAR_0 + 4 * BAR_MEMORY, 4, 0xfc000000);
	g_assert_cmphex(io_space_read(&f->machine.mmio, 0xfd000042, 1), ==, 0x42);

	set(f, PCI_COMMAND, 2, 0);
	g_assert_cmphex(io_space_read(&f->machine.ports, 0xc042, 1), ==, 0xff);
	g_assert_cmphex(io_space_read(&f->machine.mmio, 0xfd000042, 1), ==, 0xff);
}

static void test_pin(struct fixture *f, gconstpointer data)
{
	pci_device_set_interrupt(&f->probe->pci, true);
	g_assert_true(f->level);
	g_assert_cmpuint(f->line, ==, SLOT);
	g_assert_cmphex(get(f, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, !=, 0);

	set(f, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
	g_assert_false(f->level);
	g_assert_cmphex(get(f, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, !=, 0);
	set(f, PCI_COMMAND, 2, 0);
	g_assert_true(f->level);
	device_reset(&f->probe->pci.device);
	g_assert_false(f->level);
}

static void test_messages(struct fixture *f, gconstpointer data)
{
	uint16_t capability = get(f, PCI_CAPABILITIES, 1);
	uint64_t table = 0xfe100000;

	g_assert_cmphex(get(f, capability, 1), ==, PCI_CAPABILITY_MSIX);
	g_assert_false(pci_device_signal(&f->probe->pci, 0));
	set(f, PCI_BAR_0 + 4 * BAR_MSIX, 4, table);
	set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	io_space_write(&f->machine.mmio, table + 0x10, 8, 0xfee01000);
	io_space_write(&f->machine.mmio, table + 0x18, 4, 0x4041);
	set(f, capability + MSIX_CONTROL, 2, MSIX_ENABLE);
	g_assert_true(pci_device_uses_messages(&f->probe->pci));

	/* Masked: it waits. Unmasked: it comes, once. */
	g_assert_true(pci_device_signal(&f->probe->pci, 1));
	g_assert_cmpuint(fake_kvm.messages, ==, 0);
	g_assert_cmphex(io_space_read(&f->machine.mmio, table + 0x800, 1), ==, 2);
	io_space_write(&f->machine.mmio, table + 0x1c, 4, 0);
	g_assert_cmpuint(fake_kvm.messages, ==, 1);
	g_assert_cmphex(fake_kvm.message_address, ==, 0xfee01000);
	g_assert_cmphex(fake_kvm.message_data, ==, 0x4041);
	g_assert_cmphex(io_space_read(&f->machine.mmio, table + 0x800, 1), ==, 0);
	pci_device_signal(&f->probe->pci, 1);
	g_assert_cmpuint(fake_kvm.messages, ==, 2);

	/* With messages, the pin is silent, even if the device raises it. */
	pci_device_set_interrupt(&f->probe->pci, true);
	g_assert_false(f->level);

	/* A vector that does not exist is nobody's. */
	pci_device_signal(&f->probe->pci, 2);
	pci_device_signal(&f->probe->pci, UINT16_MAX);
	g_assert_cmpuint(fake_kvm.messages, ==, 2);
}

/* The kernel sends a vector by itself whenever it may be sent, and only then. */
static void test_linked_messages(struct fixture *f, gconstpointer data)
{
	struct pci_device *device = &f->probe->pci;
	uint16_t capability = get(f, PCI_CAPABILITIES, 1);
	uint64_t table = 0xfe100000;
	struct pci_vector_link *first, *second;

	g_assert_null(pci_device_link_vector(device, 2, 7));
	g_assert_null(pci_device_link_vector(device, UINT16_MAX, 7));
	first = pci_device_link_vector(device, 1, 7);
	g_assert_nonnull(first);
	set(f, PCI_BAR_0 + 4 * BAR_MSIX, 4, table);
	set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	io_space_write(&f->machine.mmio, table + 0x10, 8, 0xfee01000);
	io_space_write(&f->machine.mmio, table + 0x18, 4, 0x4041);
	set(f, capability + MSIX_CONTROL, 2, MSIX_ENABLE);
	g_assert_cmpuint(fake_kvm.links, ==, 0);
	io_space_write(&f->machine.mmio, table + 0x1c, 4, 0);
	g_assert_cmpuint(fake_kvm.links, ==, 1);
	g_assert_cmpint(fake_kvm.link_fd, ==, 7);
	g_assert_cmphex(fake_kvm.message_address, ==, 0xfee01000);
	g_assert_cmphex(fake_kvm.message_data, ==, 0x4041);

	/* Another one on the same vector, at once. */
	second = pci_device_link_vector(device, 1, 8);
	g_assert_cmpuint(fake_kvm.links, ==, 2);
	pci_device_unlink_vector(device, first);
	g_assert_cmpuint(fake_kvm.links, ==, 1);

	/* What the guest changes goes to the kernel. */
	io_space_write(&f->machine.mmio, table + 0x18, 4, 0x4051);
	g_assert_cmpuint(fake_kvm.links, ==, 1);
	g_assert_cmphex(fake_kvm.message_data, ==, 0x4051);
	set(f, capability + MSIX_CONTROL, 2, MSIX_ENABLE | MSIX_FUNCTION_MASK);
	g_assert_cmpuint(fake_kvm.links, ==, 0);
	set(f, capability + MSIX_CONTROL, 2, MSIX_ENABLE);
	g_assert_cmpuint(fake_kvm.links, ==, 1);
	set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	g_assert_cmpuint(fake_kvm.links, ==, 0);
	set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_device_set_power(device, false);
	g_assert_cmpuint(fake_kvm.links, ==, 0);
	pci_device_set_power(device, true);
	g_assert_cmpuint(fake_kvm.links, ==, 1);
	device_reset(&device->device);
	g_assert_cmpuint(fake_kvm.links, ==, 0);
	pci_device_unlink_vector(device, second);
}

static void test_single_message(struct fixture *f, gconstpointer data)
{
	struct pci_device *device = &f->probe->pci;
	uint16_t capability;

	pci_device_add_msi(device);
	capability = device->msi_capability;
	g_assert_cmphex(get(f, capability, 1), ==, PCI_CAPABILITY_MSI);
	g_assert_false(pci_device_signal(device, 0));
	set(f, capability + MSI_ADDRESS, 4, 0xfee02003);
	set(f, capability + MSI_DATA, 2, 0x4042);
	set(f, capability + MSI_CONTROL, 2, MSI_ENABLE);
	/* A message is a write: without bus mastering it is lost. */
	g_assert_true(pci_device_signal(device, 0));
	g_assert_cmpuint(fake_kvm.messages, ==, 0);
	set(f, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	g_assert_true(pci_device_signal(device, 0));
	g_assert_cmpuint(fake_kvm.messages, ==, 1);
	g_assert_cmphex(fake_kvm.message_address, ==, 0xfee02000);
	g_assert_cmphex(fake_kvm.message_data, ==, 0x4042);
	device_reset(&device->device);
	g_assert_false(pci_device_signal(device, 0));
}

static void test_places(struct fixture *f, gconstpointer data)
{
	static const struct {
		const char *address, *error;
	} places[] = {
		{ "3", "addr=03.0 is taken by probe; choose another" },
		{ "20", "addr=20 is no PCI address; SLOT or SLOT.FUNCTION in hexadecimal is, 0 to "
			"1f and 0 to 7" },
		{ "4.8", "addr=4.8 is no PCI address; SLOT or SLOT.FUNCTION in hexadecimal is, 0 "
			 "to 1f and 0 to 7" },
		{ "-1", "addr=-1 is no PCI address; SLOT or SLOT.FUNCTION in hexadecimal is, 0 to "
			"1f and 0 to 7" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		struct pci_device device = { .address_option = (char *)places[i].address };
		g_autoptr(GError) error = NULL;

		g_assert_false(pci_bus_add(f->machine.pci, &device, &error));
		g_assert_cmpstr(error->message, ==, places[i].error);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(path, func) g_test_add(path, struct fixture, NULL, set_up, func, tear_down)
	ADD("/pci/header", test_header);
	ADD("/pci/sizing", test_sizing);
	ADD("/pci/moving", test_moving);
	ADD("/pci/pin", test_pin);
	ADD("/pci/messages", test_messages);
	ADD("/pci/linked-messages", test_linked_messages);
	ADD("/pci/single-message", test_single_message);
	ADD("/pci/places", test_places);
	return g_test_run();
}
