/* The host bridges of both boards, as firmware meets them: configuration by ports and by memory, attribute registers, and the
 * ways to reach nothing. */
#include "tests/unit/vmm/chipset/fake-machine.h"
#include "vmm/chipset/i440fx.h"
#include "vmm/chipset/mch.h"
#include "vmm/pci/pci.h"

enum {
	ADDRESS = 0xcf8,
	DATA = 0xcfc,
	PCIEXBAR = 0x60,
	WINDOW = 0xb0000000, /* where firmware puts it */
	MCH_IDENTITY = 0x29c08086,
};

#define ENABLE (1u << 31)

struct fixture {
	struct fake_machine *fake;
	struct device *bridge;
};

static void set_up(struct fixture *f, gconstpointer class)
{
	static const struct pci_interrupts interrupts;

	f->fake = fake_machine_new();
	f->fake->machine.low_memory = 128 << 20;
	f->fake->machine.pci = pci_bus_new(
		&f->fake->machine, class == &mch_class ? "pcie.0" : "pci.0", &interrupts);
	f->bridge = fake_machine_add(f->fake, class, NULL, NULL);
	g_assert_nonnull(f->bridge);
}

static void tear_down(struct fixture *f, gconstpointer class)
{
	fake_machine_free(f->fake);
}

static uint32_t in(struct fixture *f, uint16_t port, unsigned size)
{
	return io_space_read(&f->fake->machine.ports, port, size);
}

static void out(struct fixture *f, uint16_t port, unsigned size, uint32_t value)
{
	io_space_write(&f->fake->machine.ports, port, size, value);
}

static uint32_t get(struct fixture *f, unsigned device, uint8_t offset, unsigned size)
{
	out(f, ADDRESS, 4, ENABLE | device << 11 | (offset & 0xfc));
	return in(f, DATA + offset % 4, size);
}

static void set(struct fixture *f, uint8_t offset, unsigned size, uint32_t value)
{
	out(f, ADDRESS, 4, ENABLE | (offset & 0xfc));
	out(f, DATA + offset % 4, size, value);
}

static uint32_t memory(struct fixture *f, uint64_t address, unsigned size)
{
	return io_space_read(&f->fake->machine.mmio, address, size);
}

/* Ports */

static void test_ports(struct fixture *f, gconstpointer class)
{
	uint32_t identity = class == &mch_class ? MCH_IDENTITY : 0x12378086;

	g_assert_cmphex(in(f, ADDRESS, 4), ==, 0);
	g_assert_cmphex(get(f, 0, 0, 4), ==, identity);
	g_assert_cmphex(get(f, 0, 2, 2), ==, identity >> 16);
	g_assert_cmphex(get(f, 0, 1, 1), ==, 0x80);
	g_assert_cmphex(get(f, 0, 0x0a, 2), ==, 0x0600);
	g_assert_cmphex(get(f, 0, 0x2c, 4), ==, 0x11001af4);
	/* The bits of the type and the reserved ones are kept, and mean nothing. */
	out(f, ADDRESS, 4, ENABLE | 0x7f000003);
	g_assert_cmphex(in(f, ADDRESS, 4), ==, 0xff000003);
	/* An identity cannot be written. */
	set(f, 0, 4, 0);
	g_assert_cmphex(get(f, 0, 0, 4), ==, identity);
}

static void test_nothing_there(struct fixture *f, gconstpointer class)
{
	g_assert_cmphex(get(f, 3, 0, 4), ==, 0xffffffff);
	g_assert_cmphex(get(f, 31, 0x10, 1), ==, 0xff);
	out(f, ADDRESS, 4, ENABLE | 9 << 16);
	g_assert_cmphex(in(f, DATA, 4), ==, 0xffffffff);
	out(f, DATA, 4, 0);
	/* Without the enable bit the data ports are nobody's. */
	out(f, ADDRESS, 4, 0);
	g_assert_cmphex(in(f, DATA, 4), ==, 0xffffffff);
	out(f, DATA, 4, 0x1234);
	/* Less than four bytes is no write to the address. */
	out(f, ADDRESS, 4, ENABLE);
	out(f, ADDRESS, 2, 0x5500);
	out(f, ADDRESS, 1, 0x55);
	g_assert_cmphex(in(f, ADDRESS, 4), ==, ENABLE);
}

/* Attributes: bits that the chip has, and their state at power-on. */
static void test_attributes(struct fixture *f, gconstpointer class)
{
	uint8_t first = class == &mch_class ? 0x90 : 0x59,
		smram = class == &mch_class ? 0x9d : 0x72;

	for (unsigned i = 0; i < 7; i++) {
		g_assert_cmphex(get(f, 0, first + i, 1), ==, 0);
		set(f, first + i, 1, 0xff);
		g_assert_cmphex(get(f, 0, first + i, 1), ==, i == 0 ? 0x30 : 0x33);
	}
	g_assert_cmphex(get(f, 0, smram, 1), ==, 0x02);
	set(f, smram, 1, 0xff);
	g_assert_cmphex(get(f, 0, smram, 1), ==, 0x7a);
	device_reset(f->bridge);
	g_assert_cmphex(get(f, 0, first, 1), ==, 0);
	g_assert_cmphex(get(f, 0, smram, 1), ==, 0x02);
	g_assert_cmphex(in(f, ADDRESS, 4), !=, 0);
	device_reset(f->bridge);
	g_assert_cmphex(in(f, ADDRESS, 4), ==, 0);
}

/* The i440FX: RAM in units of 8 MiB where coreboot reads it, memory and mastering always on. */
static void test_i440fx(struct fixture *f, gconstpointer class)
{
	g_assert_cmphex(get(f, 0, 0x57, 1), ==, 16);
	g_assert_cmphex(get(f, 0, 0x04, 2), ==, 0x0006);
	g_assert_cmphex(get(f, 0, 0x06, 2), ==, 0x0200);
	g_assert_cmphex(get(f, 0, 0x08, 1), ==, 2);
}

/* The MCH's window: off at power-on, then as long and where the register says. */

static void test_window(struct fixture *f, gconstpointer class)
{
	g_assert_cmphex(memory(f, WINDOW, 4), ==, 0xffffffff);
	set(f, PCIEXBAR, 4, WINDOW);
	g_assert_cmphex(memory(f, WINDOW, 4), ==, 0xffffffff);
	set(f, PCIEXBAR, 4, WINDOW | 1);
	g_assert_cmphex(memory(f, WINDOW, 4), ==, MCH_IDENTITY);
	g_assert_cmphex(memory(f, WINDOW + 2, 2), ==, MCH_IDENTITY >> 16);
	g_assert_cmphex(memory(f, WINDOW + 0x90, 1), ==, 0);
	io_space_write(&f->fake->machine.mmio, WINDOW + 0x91, 1, 0xff);
	g_assert_cmphex(get(f, 0, 0x91, 1), ==, 0x33);
	/* What no function has: its extended space, other functions, the last bus. */
	g_assert_cmphex(memory(f, WINDOW + 0x1000, 4), ==, 0xffffffff);
	g_assert_cmphex(memory(f, WINDOW + 0x0ffffffc, 4), ==, 0xffffffff);
	g_assert_cmphex(memory(f, WINDOW + 0x10000000, 4), ==, 0xffffffff);
	device_reset(f->bridge);
	g_assert_cmphex(memory(f, WINDOW, 4), ==, 0xffffffff);
}

static void test_window_lengths(struct fixture *f, gconstpointer class)
{
	static const struct {
		uint32_t low, high;
		uint64_t base;
	} cases[] = {
		{ 0xb4000000 | 0 << 1 | 1, 0, 0xb0000000 }, /* 256 MiB: aligned to that */
		{ 0xbc000000 | 1 << 1 | 1, 0, 0xb8000000 }, /* 128 MiB */
		{ 0xbc000000 | 2 << 1 | 1, 0, 0xbc000000 }, /* 64 MiB */
		{ 0xb0000000 | 1, 0xffffffff, 0xfb0000000 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		set(f, PCIEXBAR + 4, 4, cases[i].high);
		set(f, PCIEXBAR, 4, cases[i].low);
		g_assert_cmphex(memory(f, cases[i].base, 4), ==, MCH_IDENTITY);
		g_assert_cmphex(memory(f, cases[i].base - 0x100000, 4), ==, 0xffffffff);
	}
	/* A length that the datasheet reserves. */
	set(f, PCIEXBAR, 4, WINDOW | 3 << 1 | 1);
	g_assert_cmphex(memory(f, 0xfb0000000, 4), ==, 0xffffffff);
}

#define ADD(name, class, test) g_test_add(name, struct fixture, &class, set_up, test, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/i440fx/ports", i440fx_class, test_ports);
	ADD("/i440fx/nothing-there", i440fx_class, test_nothing_there);
	ADD("/i440fx/attributes", i440fx_class, test_attributes);
	ADD("/i440fx/registers", i440fx_class, test_i440fx);
	ADD("/mch/ports", mch_class, test_ports);
	ADD("/mch/nothing-there", mch_class, test_nothing_there);
	ADD("/mch/attributes", mch_class, test_attributes);
	ADD("/mch/window", mch_class, test_window);
	ADD("/mch/window-lengths", mch_class, test_window_lengths);
	return g_test_run();
}
