/* Bridges: configuration cycles by bus number, windows, interrupts, resets, other root buses, and names of places. */
#include <string.h>

#include "tests/unit/vmm/pci-fixture.h"
#include "vmm/chipset/mch.h"
#include "vmm/firmware-path.h"
#include "vmm/machine/legacy-area.h"
#include "vmm/pci/pci-bridge-device.h"
#include "vmm/pci/pci-registers.h"
#include "vmm/pci/pcie-root-port.h"
#include "vmm/pci/pxb.h"

struct fixture {
	struct pci_fixture *pci;
	struct machine *machine;
};

/* Of the host bridge, which has no memory to switch here. */
void legacy_area_set_access(struct legacy_area *area, const uint8_t access[LEGACY_PIECES])
{
}

/* 02.0 a bridge "outer", 03.0 on it a bridge "inner", 05.0 on that the probe. */
static struct pci_device *add_two_bridges(struct fixture *f)
{
	pci_fixture_add(f->pci, &pci_bridge_class, "outer", "addr=2");
	pci_fixture_add(f->pci, &pci_bridge_class, "inner", "bus=outer,addr=3");
	return pci_fixture_add(f->pci, &probe_class, "probe", "bus=inner,addr=5");
}

static void write_config(struct fixture *f, unsigned bus, unsigned slot, uint16_t offset,
	unsigned size, uint32_t value)
{
	pci_config_write(f->machine, bus, slot, 0, offset, size, value);
}

static uint32_t read_config(
	struct fixture *f, unsigned bus, unsigned slot, uint16_t offset, unsigned size)
{
	return pci_config_read(f->machine, bus, slot, 0, offset, size);
}

static void number_bridges(struct fixture *f)
{
	write_config(f, 0, 2, PCI_PRIMARY_BUS, 4, 0x050400);
	write_config(f, 4, 3, PCI_PRIMARY_BUS, 4, 0x050504);
}

static void open_bridge(struct fixture *f, unsigned bus, unsigned slot)
{
	write_config(f, bus, slot, PCI_BRIDGE_IO_BASE, 2, 0xc0c0);
	write_config(f, bus, slot, PCI_BRIDGE_MEMORY_BASE, 4, 0xfe10fe00);
	write_config(f, bus, slot, PCI_BRIDGE_PREFETCH_BASE, 4, 0x00100000);
	write_config(f, bus, slot, PCI_BRIDGE_PREFETCH_BASE_HIGH, 4, 8);
	write_config(f, bus, slot, PCI_BRIDGE_PREFETCH_LIMIT_HIGH, 4, 8);
	write_config(f, bus, slot, PCI_COMMAND, 2,
		PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void place_probe(struct fixture *f)
{
	write_config(f, 5, 5, PCI_BAR_0 + 4 * PROBE_BAR_PORTS, 4, 0xc100);
	write_config(f, 5, 5, PCI_BAR_0 + 4 * PROBE_BAR_MEMORY, 4, 0xfe000000);
	write_config(f, 5, 5, PCI_BAR_0 + 4 * PROBE_BAR_WIDE, 4, 0);
	write_config(f, 5, 5, PCI_BAR_0 + 4 * PROBE_BAR_WIDE + 4, 4, 8);
	write_config(f, 5, 5, PCI_COMMAND, 2,
		PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static bool answers(struct fixture *f, bool ports, uint64_t address)
{
	return io_space_read(ports ? &f->machine->ports : &f->machine->mmio, address + 0x42, 1) ==
	       0x42;
}

static void test_numbers(struct fixture *f, gconstpointer data)
{
	add_two_bridges(f);
	g_assert_cmphex(read_config(f, 0, 2, PCI_VENDOR_ID, 4), ==, 0x00011b36);
	g_assert_cmphex(read_config(f, 0, 2, PCI_HEADER_TYPE, 1), ==, PCI_HEADER_BRIDGE);
	/* Before they have numbers nothing behind them is found. */
	g_assert_cmphex(read_config(f, 4, 3, PCI_VENDOR_ID, 4), ==, UINT32_MAX);
	number_bridges(f);
	g_assert_cmphex(read_config(f, 4, 3, PCI_VENDOR_ID, 4), ==, 0x00011b36);
	g_assert_cmphex(read_config(f, 5, 5, PCI_VENDOR_ID, 4), ==, 0x56781234);
	g_assert_cmphex(read_config(f, 5, 6, PCI_VENDOR_ID, 4), ==, UINT32_MAX);
	g_assert_cmphex(read_config(f, 6, 5, PCI_VENDOR_ID, 4), ==, UINT32_MAX);
	/* The outer bridge hands on what lies up to its subordinate number. */
	write_config(f, 0, 2, PCI_SUBORDINATE_BUS, 1, 4);
	g_assert_cmphex(read_config(f, 5, 5, PCI_VENDOR_ID, 4), ==, UINT32_MAX);
	pci_fixture_reset(f->pci);
	g_assert_cmphex(read_config(f, 4, 3, PCI_VENDOR_ID, 4), ==, UINT32_MAX);
}

static void test_windows(struct fixture *f, gconstpointer data)
{
	add_two_bridges(f);
	number_bridges(f);
	place_probe(f);
	g_assert_false(answers(f, true, 0xc100) || answers(f, false, 0xfe000000));
	open_bridge(f, 4, 3);
	g_assert_false(answers(f, true, 0xc100) || answers(f, false, 0xfe000000));
	open_bridge(f, 0, 2);
	g_assert_true(answers(f, true, 0xc100));
	g_assert_true(answers(f, false, 0xfe000000));
	g_assert_true(answers(f, false, UINT64_C(0x800000000)));

	/* A window that ends before, one that is shut, and memory that is not passed on. */
	write_config(f, 0, 2, PCI_BRIDGE_IO_BASE, 2, 0xd0d0);
	g_assert_false(answers(f, true, 0xc100));
	write_config(f, 0, 2, PCI_BRIDGE_IO_BASE, 2, 0xb0d0);
	g_assert_false(answers(f, true, 0xc100));
	write_config(f, 0, 2, PCI_BRIDGE_IO_BASE, 2, 0xd0b0);
	g_assert_true(answers(f, true, 0xc100));
	write_config(f, 0, 2, PCI_BRIDGE_PREFETCH_LIMIT_HIGH, 4, 7);
	g_assert_false(answers(f, false, UINT64_C(0x800000000)));
	g_assert_true(answers(f, false, 0xfe000000));
	write_config(f, 0, 2, PCI_COMMAND, 2, PCI_COMMAND_PORTS);
	g_assert_false(answers(f, false, 0xfe000000));
	g_assert_true(answers(f, true, 0xc100));
}

static void test_interrupts(struct fixture *f, gconstpointer data)
{
	struct pci_device *probe = add_two_bridges(f);

	/* INTA of slot 5, slot 3 and then slot 2: pin (0 + 5 + 3) % 4 = 0. */
	pci_device_set_interrupt(probe, true);
	g_assert_true(f->pci->lines[2]);
	pci_device_set_interrupt(probe, false);
	g_assert_false(f->pci->lines[2]);
}

static void test_messages(struct fixture *f, gconstpointer data)
{
	struct pci_device *probe = add_two_bridges(f);

	number_bridges(f);
	place_probe(f);
	write_config(f, 5, 5, probe->msi_capability + MSI_ADDRESS, 4, 0xfee00000);
	write_config(f, 5, 5, probe->msi_capability + MSI_CONTROL, 2, MSI_ENABLE);
	write_config(f, 5, 5, PCI_COMMAND, 2, 0);
	g_assert_true(pci_device_signal(probe, 0));
	g_assert_cmpuint(fake_kvm.messages, ==, 0);
	g_assert_false(pci_device_is_bus_master(probe));
	/* Firmware sets it on the device, and on no bridge above. */
	write_config(f, 0, 2, PCI_COMMAND, 2, 0);
	write_config(f, 4, 3, PCI_COMMAND, 2, 0);
	write_config(f, 5, 5, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	g_assert_true(pci_device_is_bus_master(probe));
	pci_device_signal(probe, 0);
	g_assert_cmpuint(fake_kvm.messages, ==, 1);
}

static void test_secondary_reset(struct fixture *f, gconstpointer data)
{
	unsigned before;

	add_two_bridges(f);
	number_bridges(f);
	open_bridge(f, 0, 2);
	open_bridge(f, 4, 3);
	place_probe(f);
	before = f->pci->resets;
	write_config(f, 0, 2, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_RESET);
	g_assert_cmpuint(f->pci->resets, ==, before + 1);
	write_config(f, 0, 2, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_RESET);
	g_assert_cmpuint(f->pci->resets, ==, before + 1);
	/* What was behind it has to be set up anew; the bridge itself has not. */
	g_assert_cmphex(read_config(f, 4, 3, PCI_VENDOR_ID, 4), ==, 0x00011b36);
	g_assert_cmphex(read_config(f, 5, 5, PCI_VENDOR_ID, 4), ==, UINT32_MAX);
	g_assert_false(answers(f, true, 0xc100));
}

static void test_vga(struct fixture *f, gconstpointer data)
{
	struct pci_device *probe = add_two_bridges(f);
	uint16_t decode = PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY;

	number_bridges(f);
	for (unsigned bus = 0; bus <= 4; bus += 4) {
		write_config(f, bus, bus ? 3 : 2, PCI_BRIDGE_IO_BASE, 2, 0x00f0);
		write_config(f, bus, bus ? 3 : 2, PCI_BRIDGE_MEMORY_BASE, 4, 0x0000fff0);
		write_config(f, bus, bus ? 3 : 2, PCI_BRIDGE_PREFETCH_BASE, 4, 0x0000fff0);
	}
	g_assert_false(probe->vga_reached);
	write_config(f, 0, 2, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_VGA);
	write_config(f, 0, 2, PCI_COMMAND, 2, decode);
	write_config(f, 4, 3, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_VGA);
	g_assert_false(probe->vga_reached);
	write_config(f, 4, 3, PCI_COMMAND, 2, decode);
	g_assert_true(probe->vga_reached);
	g_assert_true(pci_bus_is_reached(probe->bus, true, 0x3c0, 0x20));
	g_assert_false(pci_bus_is_reached(probe->bus, true, 0x3b0, 0x30));
	g_assert_true(pci_bus_is_reached(probe->bus, false, 0xa0000, 0x20000));
	g_assert_false(pci_bus_is_reached(probe->bus, false, 0xa0000, 0x20001));
	write_config(f, 0, 2, PCI_BRIDGE_CONTROL, 2, 0);
	g_assert_false(probe->vga_reached);
}

static void test_power(struct fixture *f, gconstpointer data)
{
	struct pci_device *probe = add_two_bridges(f);

	number_bridges(f);
	open_bridge(f, 0, 2);
	open_bridge(f, 4, 3);
	place_probe(f);
	pci_device_set_interrupt(probe, true);
	pci_device_set_power(probe, false);
	g_assert_false(answers(f, true, 0xc100) || f->pci->lines[2]);
	g_assert_cmphex(read_config(f, 5, 5, PCI_VENDOR_ID, 4), ==, UINT32_MAX);
	pci_device_set_power(probe, true);
	g_assert_true(answers(f, true, 0xc100) && f->pci->lines[2]);
	pci_device_set_power(pci_bus_bridge(probe->bus), false);
	g_assert_false(answers(f, true, 0xc100));
	g_assert_cmphex(read_config(f, 5, 5, PCI_VENDOR_ID, 4), ==, UINT32_MAX);
}

static void test_roots(struct fixture *f, gconstpointer data)
{
	struct pci_bus *root;
	struct pci_device *probe;

	pci_fixture_add(f->pci, &pxb_pcie_class, "far", "addr=2,bus_nr=64,numa_node=1");
	pci_fixture_add(f->pci, &pxb_class, "old", "addr=3,bus_nr=32");
	pci_fixture_add(f->pci, &pcie_root_port_class, "port", "bus=far,chassis=1");
	pci_fixture_add(f->pci, &probe_class, "near", "bus=old,addr=1");
	probe = pci_fixture_add(f->pci, &probe_class, "probe", "bus=port");

	root = pci_next_root(f->machine, NULL);
	g_assert_true(root == f->machine->pci);
	g_assert_cmpuint(pci_bus_numa_node(root), ==, PCI_NO_NUMA_NODE);
	root = pci_next_root(f->machine, root);
	g_assert_cmpstr(pci_bus_name(root), ==, "far");
	g_assert_cmpuint(pci_bus_number(root), ==, 64);
	g_assert_cmpuint(pci_bus_numa_node(root), ==, 1);
	root = pci_next_root(f->machine, root);
	g_assert_cmpuint(pci_bus_number(root), ==, 32);
	g_assert_null(pci_next_root(f->machine, root));

	g_assert_cmphex(read_config(f, 64, 0, PCI_VENDOR_ID, 4), ==, 0x000c1b36);
	g_assert_cmphex(read_config(f, 32, 0, PCI_VENDOR_ID, 4), ==, 0x00011b36);
	write_config(f, 64, 0, PCI_PRIMARY_BUS, 4, 0x414140);
	g_assert_cmphex(read_config(f, 65, 0, PCI_VENDOR_ID, 4), ==, 0x56781234);
	/* As if the root port sat on the board's bus with the number of its slot there: here slot 2, turned back by it. */
	pci_device_set_interrupt(probe, true);
	g_assert_true(f->pci->lines[(2 + (0u - 2u) % 4) % PCI_LINES]);
}

static void test_express(struct fixture *f, gconstpointer data)
{
	struct pci_device *port =
		pci_fixture_add(f->pci, &pcie_root_port_class, "port", "addr=4,port=3,slot=9");
	struct pci_device *probe = pci_fixture_add(f->pci, &probe_class, "probe", "bus=port");
	static const struct {
		uint16_t offset;
		uint32_t value;
	} rows[] = {
		{ 0x34, 0x40 },
		{ 0x40, 0x0000480d },
		{ 0x44, 0x00001b36 },
		{ 0x48, 0x00005411 },
		{ 0x50, 0x00000800 },
		{ 0x54, 0x01420010 },
		{ 0x58, 0x00008000 },
		{ 0x60, 0x03300604 },
		{ 0x64, 0x20110000 },
		{ 0x68, 0x004a007b },
		{ 0x6c, 0x004001c0 },
		{ 0x78, 0x00300020 },
		{ 0x80, 0x1e },
		{ 0x84, 4 },
		{ 0x100, 0x14820001 },
		{ 0x10c, 0x00462030 },
		{ 0x114, 0xe000 },
		{ 0x118, 0x2a0 },
		{ 0x148, 0x0001000d },
		{ 0x14c, 0x5f },
		{ 0x1c, 0xf0 },
		{ 0x20, 0xfff0 },
		{ 0x24, 0x0001fff1 },
	};

	/* The slot was empty when the port was made. */
	pci_fixture_reset(f->pci);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_test_message("offset 0x%x", rows[i].offset);
		g_assert_cmphex(read_config(f, 0, 4, rows[i].offset, 4), ==, rows[i].value);
	}
	write_config(f, 0, 4, PCI_PRIMARY_BUS, 4, 0x010100);
	g_assert_cmphex(
		read_config(f, 1, 0, probe->express_capability, 4) & 0xffff00ff, ==, 0x00020010);
	g_assert_cmphex(read_config(f, 1, 0, 0x100, 4), ==, 0);
	g_assert_true(port->express_capability && !pci_bus_is_root(probe->bus));
}

static void test_function_reset(struct fixture *f, gconstpointer data)
{
	struct pci_device *probe;
	unsigned before;

	pci_fixture_add(f->pci, &pcie_root_port_class, "port", "addr=4");
	probe = pci_fixture_add(f->pci, &probe_class, "probe", "bus=port");
	write_config(f, 0, 4, PCI_PRIMARY_BUS, 4, 0x010100);
	write_config(f, 1, 0, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	before = f->pci->resets;
	write_config(f, 1, 0, probe->express_capability + 8, 2, 0x800f);
	g_assert_cmpuint(f->pci->resets, ==, before + 1);
	g_assert_cmphex(read_config(f, 1, 0, PCI_COMMAND, 2), ==, 0);
	g_assert_cmphex(read_config(f, 1, 0, probe->express_capability + 8, 2), ==, 0);
}

static void test_access(struct fixture *f, gconstpointer data)
{
	pci_fixture_add(f->pci, &mch_class, NULL, "addr=0");
	add_two_bridges(f);
	number_bridges(f);
	io_space_write(&f->machine->ports, 0xcf8, 4, 0x80052800);
	g_assert_cmphex(io_space_read(&f->machine->ports, 0xcfc, 4), ==, 0x56781234);
	g_assert_cmphex(io_space_read(&f->machine->ports, 0xcfe, 2), ==, 0x5678);
	io_space_write(&f->machine->ports, 0xcf8, 4, 0x00052800);
	g_assert_cmphex(io_space_read(&f->machine->ports, 0xcfc, 4), ==, UINT32_MAX);
	write_config(f, 0, 0, 0x60, 4, 0xb0000001);
	g_assert_cmphex(io_space_read(&f->machine->mmio, 0xb0528000, 4), ==, 0x56781234);
	g_assert_cmphex(io_space_read(&f->machine->mmio, 0xbff28000, 4), ==, UINT32_MAX);
	/* The 64 MiB window ends before bus 64. */
	write_config(f, 0, 0, 0x60, 4, 0xb0000005);
	g_assert_cmphex(io_space_read(&f->machine->mmio, 0xb0528000, 4), ==, 0x56781234);
}

static void test_refusals(struct fixture *f, gconstpointer data)
{
	static const struct {
		const struct device_class *class;
		const char *properties, *error;
	} cases[] = {
		{ &probe_class, "addr=4.1",
			"device probe: addr=04.1: function 0 there (probe) is not "
			"multifunction=on" },
		{ &probe_class, "addr=6.0",
			"device probe: addr=06.0: there is a function 2 already, so function 0 has "
			"to be multifunction=on" },
		{ &probe_class, "bus=port,addr=1",
			"device probe: addr=01.0 is not on bus port: it has slot 0 alone" },
		{ &probe_class, "bus=port", "device probe: bus port has no free slot left" },
		{ &probe_class, "bus=nowhere",
			"device probe: bus=nowhere: there is no such PCI bus; there is pcie.0, "
			"port, bridge" },
		{ &pcie_root_port_class, "addr=9",
			"device pcie-root-port: chassis=0,slot=0 is that of port already; choose "
			"another chassis or slot" },
		{ &pcie_root_port_class, "bus=bridge,chassis=2",
			"device pcie-root-port: a root port goes on a root bus of PCI Express, and "
			"bus bridge is none" },
		{ &pxb_class, "bus_nr=0",
			"device pxb: bus_nr=0 is that of the board's root bus; 1 to 255 are "
			"possible" },
		{ &pxb_class, "bus=bridge,bus_nr=3",
			"device pxb: an expander goes on the board's root bus (pcie.0), and bus "
			"bridge is another" },
	};

	pci_fixture_add(f->pci, &pcie_root_port_class, "port", "addr=3");
	pci_fixture_add(f->pci, &pci_bridge_class, "bridge", "addr=8");
	pci_fixture_add(f->pci, &probe_class, NULL, "bus=port");
	pci_fixture_add(f->pci, &probe_class, NULL, "addr=4");
	pci_fixture_add(f->pci, &probe_class, NULL, "addr=6.2");
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(
			pci_fixture_try(f->pci, cases[i].class, NULL, cases[i].properties, &error));
		g_assert_cmpstr(error->message, ==, cases[i].error);
	}
}

static void test_functions(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	pci_fixture_add(f->pci, &probe_class, NULL, "addr=4.0,multifunction=on");
	pci_fixture_add(f->pci, &probe_class, NULL, "addr=4.1");
	g_assert_cmphex(read_config(f, 0, 4, PCI_HEADER_TYPE, 1), ==, PCI_HEADER_MULTIFUNCTION);
	g_assert_true(pci_bus_check_functions(f->machine->pci, NULL));
	pci_fixture_add(f->pci, &probe_class, NULL, "addr=5.1");
	g_assert_false(pci_bus_check_functions(f->machine->pci, &error));
	g_assert_cmpstr(error->message, ==,
		"bus pcie.0 has probe at 05.1 and nothing at 05.0: a guest looks for functions "
		"only where there is a function 0");
}

static void test_full_bus(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	for (unsigned i = 0; i < PCI_SLOTS; i++)
		g_assert_cmpuint(pci_fixture_add(f->pci, &probe_class, NULL, NULL)->slot, ==, i);
	g_assert_null(pci_fixture_try(f->pci, &probe_class, NULL, NULL, &error));
	g_assert_cmpstr(error->message, ==, "device probe: every PCI bus is full: pcie.0");
}

static void test_paths(struct fixture *f, gconstpointer data)
{
	g_auto(GStrv) order = NULL;

	pci_fixture_add(f->pci, &probe_class, NULL, "addr=3.0,multifunction=on,bootindex=2");
	pci_fixture_add(f->pci, &probe_class, NULL, "addr=3.1,bootindex=7");
	pci_fixture_add(f->pci, &pxb_pcie_class, "far", "addr=5,bus_nr=64");
	pci_fixture_add(f->pci, &pcie_root_port_class, "port", "bus=far,addr=2");
	pci_fixture_add(f->pci, &probe_class, NULL, "bus=port,bootindex=0");
	pci_fixture_add(f->pci, &probe_class, NULL, "addr=9");
	order = machine_boot_order(f->machine);
	g_assert_cmpuint(g_strv_length(order), ==, 3);
	g_assert_cmpstr(order[0], ==, "/pci@i0cf8,1/pci-bridge@2/ethernet@0/ethernet-phy@0");
	g_assert_cmpstr(order[1], ==, "/pci@i0cf8/ethernet@3/ethernet-phy@0");
	g_assert_cmpstr(order[2], ==, "/pci@i0cf8/ethernet@3,1/ethernet-phy@0");
}

static void set_up(struct fixture *f, gconstpointer data)
{
	f->pci = pci_fixture_new("pcie.0");
	f->machine = &f->pci->machine;
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	pci_fixture_free(f->pci);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(path, func) g_test_add(path, struct fixture, NULL, set_up, func, tear_down)
	ADD("/pci-tree/numbers", test_numbers);
	ADD("/pci-tree/windows", test_windows);
	ADD("/pci-tree/interrupts", test_interrupts);
	ADD("/pci-tree/messages", test_messages);
	ADD("/pci-tree/secondary-reset", test_secondary_reset);
	ADD("/pci-tree/vga", test_vga);
	ADD("/pci-tree/power", test_power);
	ADD("/pci-tree/roots", test_roots);
	ADD("/pci-tree/express", test_express);
	ADD("/pci-tree/function-reset", test_function_reset);
	ADD("/pci-tree/access", test_access);
	ADD("/pci-tree/refusals", test_refusals);
	ADD("/pci-tree/functions", test_functions);
	ADD("/pci-tree/full-bus", test_full_bus);
	ADD("/pci-tree/paths", test_paths);
	return g_test_run();
}
