/* PCI: configuration space as a guest probes it, BARs that move, interrupts and messages. */
#include "tests/unit/vmm/pci-fixture.h"
#include "vmm/pci/pci-registers.h"

enum {
	SLOT = 3,
	BAR_MSIX = 4,
};

/* A probe that sends messages as well. */
static bool messenger_realize(struct device *device, GError **error)
{
	return probe_class.realize(device, error) &&
	       pci_device_add_msix((struct pci_device *)device, BAR_MSIX, 2, error);
}

struct fixture {
	struct pci_fixture *pci;
	struct machine *machine;
	struct pci_device *probe;
	struct device_class class;
	struct pci_identity identity;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	f->identity = *probe_class.pci;
	f->identity.subsystem_vendor = 0x1af4;
	f->identity.subsystem = 0x1100;
	f->identity.class_code = 0xff0102;
	f->identity.revision = 7;
	f->class = probe_class;
	f->class.pci = &f->identity;
	f->class.realize = messenger_realize;
	f->pci = pci_fixture_new("pci.0");
	f->machine = &f->pci->machine;
	f->probe = pci_fixture_add(f->pci, &f->class, NULL, "addr=3");
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	pci_fixture_free(f->pci);
}

static bool level(const struct fixture *f)
{
	return f->pci->lines[SLOT % PCI_LINES];
}

static uint32_t get(struct fixture *f, uint16_t offset, unsigned size)
{
	return pci_bus_config_read(f->machine->pci, SLOT, 0, offset, size);
}

static void set(struct fixture *f, uint16_t offset, unsigned size, uint32_t value)
{
	pci_bus_config_write(f->machine->pci, SLOT, 0, offset, size, value);
}

/* Follows the list as a guest does; 0: there is none. */
static uint16_t find_capability(struct fixture *f, uint8_t id)
{
	uint16_t at = get(f, PCI_CAPABILITIES, 1);

	while (at != 0 && get(f, at, 1) != id)
		at = get(f, at + 1, 1);
	return at;
}

static void test_header(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(get(f, PCI_VENDOR_ID, 4), ==, 0x56781234);
	g_assert_cmphex(get(f, PCI_REVISION_ID, 4), ==, 0xff010207);
	g_assert_cmphex(get(f, PCI_SUBSYSTEM_VENDOR_ID, 4), ==, 0x11001af4);
	set(f, PCI_VENDOR_ID, 4, 0);
	g_assert_cmphex(get(f, PCI_VENDOR_ID, 4), ==, 0x56781234);
	g_assert_cmphex(pci_bus_config_read(f->machine->pci, SLOT + 1, 0, 0, 4), ==, UINT32_MAX);
	g_assert_cmphex(pci_bus_config_read(f->machine->pci, SLOT, 0, PCI_CONFIG_SIZE - 2, 4), ==,
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
	g_assert_cmphex(io_space_read(&f->machine->mmio, 0xffffff10, 1), ==, 0xff);
	g_assert_cmphex(io_space_read(&f->machine->ports, 0xff10, 1), ==, 0xff);
}

static void test_moving(struct fixture *f, gconstpointer data)
{
	set(f, PCI_BAR_0 + 4 * PROBE_BAR_PORTS, 4, 0xc000);
	set(f, PCI_BAR_0 + 4 * PROBE_BAR_MEMORY, 4, 0xfe000000);
	set(f, PCI_BAR_0 + 4 * PROBE_BAR_WIDE, 4, 0x00000000);
	set(f, PCI_BAR_0 + 4 * PROBE_BAR_WIDE + 4, 4, 0x8);
	g_assert_cmphex(io_space_read(&f->machine->ports, 0xc042, 1), ==, 0xff);

	set(f, PCI_COMMAND, 2, PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY);
	g_assert_cmphex(io_space_read(&f->machine->ports, 0xc042, 1), ==, 0x42);
	g_assert_cmphex(io_space_read(&f->machine->mmio, 0xfe000042, 1), ==, 0x42);
	g_assert_cmphex(io_space_read(&f->machine->mmio, UINT64_C(0x800000042), 1), ==, 0x42);

	set(f, PCI_BAR_0 + 4 * PROBE_BAR_MEMORY, 4, 0xfd000000);
	g_assert_cmphex(io_space_read(&f->machine->mmio, 0xfe000042, 1), ==, 0xff);
	g_assert_cmphex(io_space_read(&f->machine->mmio, 0xfd000042, 1), ==, 0x42);

	/* Two BARs change places, one write after the other. */
	set(f, PCI_BAR_0 + 4 * PROBE_BAR_WIDE + 4, 4, 0);
	set(f, PCI_BAR_0 + 4 * PROBE_BAR_WIDE, 4, 0xfd000000);
	set(f, PCI_BAR_0 + 4 * PROBE_BAR_MEMORY, 4, 0xfc000000);
	g_assert_cmphex(io_space_read(&f->machine->mmio, 0xfd000042, 1), ==, 0x42);

	set(f, PCI_COMMAND, 2, 0);
	g_assert_cmphex(io_space_read(&f->machine->ports, 0xc042, 1), ==, 0xff);
	g_assert_cmphex(io_space_read(&f->machine->mmio, 0xfd000042, 1), ==, 0xff);
}

static void test_pin(struct fixture *f, gconstpointer data)
{
	pci_device_set_interrupt(f->probe, true);
	g_assert_true(level(f));
	g_assert_cmphex(get(f, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, !=, 0);

	set(f, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
	g_assert_false(level(f));
	g_assert_cmphex(get(f, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, !=, 0);
	set(f, PCI_COMMAND, 2, 0);
	g_assert_true(level(f));
	device_reset(&f->probe->device);
	g_assert_false(level(f));
}

static void test_messages(struct fixture *f, gconstpointer data)
{
	uint16_t capability = find_capability(f, PCI_CAPABILITY_MSIX);
	uint64_t table = 0xfe100000;

	g_assert_cmphex(get(f, capability, 1), ==, PCI_CAPABILITY_MSIX);
	g_assert_false(pci_device_signal(f->probe, 0));
	set(f, PCI_BAR_0 + 4 * BAR_MSIX, 4, table);
	set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	io_space_write(&f->machine->mmio, table + 0x10, 8, 0xfee01000);
	io_space_write(&f->machine->mmio, table + 0x18, 4, 0x4041);
	set(f, capability + MSIX_CONTROL, 2, MSIX_ENABLE);
	g_assert_true(pci_device_uses_messages(f->probe));

	/* Masked: it waits. Unmasked: it comes, once. */
	g_assert_true(pci_device_signal(f->probe, 1));
	g_assert_cmpuint(fake_kvm.messages, ==, 0);
	g_assert_cmphex(io_space_read(&f->machine->mmio, table + 0x800, 1), ==, 2);
	io_space_write(&f->machine->mmio, table + 0x1c, 4, 0);
	g_assert_cmpuint(fake_kvm.messages, ==, 1);
	g_assert_cmphex(fake_kvm.message_address, ==, 0xfee01000);
	g_assert_cmphex(fake_kvm.message_data, ==, 0x4041);
	g_assert_cmphex(io_space_read(&f->machine->mmio, table + 0x800, 1), ==, 0);
	pci_device_signal(f->probe, 1);
	g_assert_cmpuint(fake_kvm.messages, ==, 2);

	/* With messages, the pin is silent, even if the device raises it. */
	pci_device_set_interrupt(f->probe, true);
	g_assert_false(level(f));

	/* A vector that does not exist is nobody's. */
	pci_device_signal(f->probe, 2);
	pci_device_signal(f->probe, UINT16_MAX);
	g_assert_cmpuint(fake_kvm.messages, ==, 2);
}

/* The kernel sends a vector by itself whenever it may be sent, and only then. */
static void test_linked_messages(struct fixture *f, gconstpointer data)
{
	struct pci_device *device = f->probe;
	uint16_t capability = find_capability(f, PCI_CAPABILITY_MSIX);
	uint64_t table = 0xfe100000;
	struct pci_vector_link *first, *second;

	g_assert_null(pci_device_link_vector(device, 2, 7));
	g_assert_null(pci_device_link_vector(device, UINT16_MAX, 7));
	first = pci_device_link_vector(device, 1, 7);
	g_assert_nonnull(first);
	set(f, PCI_BAR_0 + 4 * BAR_MSIX, 4, table);
	set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	io_space_write(&f->machine->mmio, table + 0x10, 8, 0xfee01000);
	io_space_write(&f->machine->mmio, table + 0x18, 4, 0x4041);
	set(f, capability + MSIX_CONTROL, 2, MSIX_ENABLE);
	g_assert_cmpuint(fake_kvm.links, ==, 0);
	io_space_write(&f->machine->mmio, table + 0x1c, 4, 0);
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
	io_space_write(&f->machine->mmio, table + 0x18, 4, 0x4051);
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
	struct pci_device *device = f->probe;
	uint16_t capability;

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

		g_assert_false(pci_bus_add(f->machine->pci, &device, &error));
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
