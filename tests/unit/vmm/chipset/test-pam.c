/* The attribute map of the i440FX: what the guest reads and writes between 0xc0000 and 0xfffff. */
#include <string.h>

#include "tests/unit/vmm/chipset/fake-machine.h"
#include "tests/unit/vmm/fake-kvm.h"
#include "vmm/chipset/pam.h"
#include "vmm/machine/legacy-area.h"

enum {
	ROM_SIZE = 0x10000,
	ROM_BYTE = 0x5a,
	RAM_BYTE = 0x11,
	READ_ONLY = KVM_MEM_READONLY,
};

struct fixture {
	struct fake_machine *fake;
	uint8_t *ram;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autofree uint8_t *rom = g_malloc(2 * ROM_SIZE);

	memset(&fake_kvm, 0, sizeof(fake_kvm));
	f->fake = fake_machine_new();
	memory_slot_unmap(f->fake->slot);
	f->ram = f->fake->ram + LEGACY_START;
	memset(f->ram, RAM_BYTE, LEGACY_SIZE);
	memset(rom, ROM_BYTE, 2 * ROM_SIZE);
	rom[GPOINTER_TO_SIZE(data) - 1] = 0xa5;
	f->fake->machine.legacy_area = legacy_area_new(&f->fake->machine, f->ram);
	g_assert_true(legacy_area_set_rom(
		f->fake->machine.legacy_area, rom, GPOINTER_TO_SIZE(data), NULL));
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	legacy_area_free(f->fake->machine.legacy_area);
	fake_machine_free(f->fake);
}

static const struct fake_slot *slot_at(uint64_t address)
{
	for (size_t i = 0; i < G_N_ELEMENTS(fake_kvm.slots); i++)
		if (fake_kvm.slots[i].size > 0 && address >= fake_kvm.slots[i].address &&
			address < fake_kvm.slots[i].address + fake_kvm.slots[i].size)
			return &fake_kvm.slots[i];
	return NULL;
}

static unsigned slot_count(void)
{
	unsigned count = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(fake_kvm.slots); i++)
		count += fake_kvm.slots[i].size > 0;
	return count;
}

static void test_power_on(struct fixture *f, gconstpointer data)
{
	g_assert_cmpuint(slot_count(), ==, 1);
	g_assert_null(slot_at(0xe0000));
	g_assert_cmpuint(slot_at(0xf0000)->size, ==, ROM_SIZE);
	g_assert_cmphex(slot_at(0xf0000)->flags, ==, READ_ONLY);
	/* Nothing there: ones. ROM and unseen RAM keep what they have. */
	g_assert_cmphex(io_space_read(&f->fake->machine.mmio, 0xc0000, 4), ==, 0xffffffff);
	io_space_write(&f->fake->machine.mmio, 0xc0000, 2, 0x1234);
	io_space_write(&f->fake->machine.mmio, 0xfffff, 1, 0);
	g_assert_cmphex(f->ram[0], ==, RAM_BYTE);
	g_assert_cmphex(io_space_read(&f->fake->machine.mmio, 0xfffff, 1), ==, 0xa5);
}

/* As SeaBIOS does it: all of it RAM, then parts read-only. */
static void test_switching(struct fixture *f, gconstpointer data)
{
	static const uint8_t all_ram[] = { 0x30, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33 };
	static const uint8_t locked[] = { 0x10, 0x11, 0x31, 0x33, 0x33, 0x33, 0x33 };
	static const uint8_t none[PAM_REGISTERS];

	pam_apply(&f->fake->machine, all_ram);
	g_assert_cmpuint(slot_count(), ==, 1);
	g_assert_cmphex(slot_at(0xc0000)->address, ==, 0xc0000);
	g_assert_cmphex(slot_at(0xc0000)->size, ==, 0x40000);
	g_assert_cmphex(slot_at(0xc0000)->flags, ==, 0);

	pam_apply(&f->fake->machine, locked);
	g_assert_cmpuint(slot_count(), ==, 3);
	g_assert_cmphex(slot_at(0xc0000)->size, ==, 0xc000);
	g_assert_cmphex(slot_at(0xc0000)->flags, ==, READ_ONLY);
	g_assert_cmphex(slot_at(0xcc000)->size, ==, 0x24000);
	g_assert_cmphex(slot_at(0xcc000)->flags, ==, 0);
	g_assert_cmphex(slot_at(0xf0000)->flags, ==, READ_ONLY);
	g_assert_cmphex(slot_at(0xf0000)->size, ==, 0x10000);
	/* A write there comes as one to registers, and vanishes. */
	io_space_write(&f->fake->machine.mmio, 0xc0000, 1, 0x77);
	g_assert_cmphex(f->ram[0], ==, RAM_BYTE);
	g_assert_cmphex(io_space_read(&f->fake->machine.mmio, 0xc0000, 1), ==, RAM_BYTE);

	pam_apply(&f->fake->machine, none);
	g_assert_cmpuint(slot_count(), ==, 1);
	g_assert_cmphex(slot_at(0xf0000)->flags, ==, READ_ONLY);
}

/* Reads from the ROM, writes to the RAM behind: firmware copies itself over. */
static void test_shadow(struct fixture *f, gconstpointer data)
{
	static const uint8_t shadow[] = { 0x20, 0x20, 0, 0, 0, 0, 0 };

	pam_apply(&f->fake->machine, shadow);
	g_assert_cmphex(slot_at(0xf0000)->flags, ==, READ_ONLY);
	io_space_write(&f->fake->machine.mmio, 0xf0010, 4, 0x04030201);
	g_assert_cmphex(f->ram[0x30012], ==, 3);
	g_assert_cmphex(io_space_read(&f->fake->machine.mmio, 0xf0010, 1), ==, ROM_BYTE);
	/* PAM1's high half: the second piece. */
	io_space_write(&f->fake->machine.mmio, 0xc3fff, 2, 0x9988);
	g_assert_cmphex(f->ram[0x3fff], ==, RAM_BYTE);
	g_assert_cmphex(f->ram[0x4000], ==, 0x99);
	g_assert_cmphex(io_space_read(&f->fake->machine.mmio, 0xc4000, 1), ==, 0xff);
}

/* DMA reaches RAM over 1 MiB in one piece, whatever the guest sees. */
static void test_dma(struct fixture *f, gconstpointer data)
{
	g_assert_true(guest_memory_pointer(f->fake->machine.memory, 0xf0000, 16) ==
		      f->fake->ram + 0xf0000);
}

static void test_large_rom(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(slot_at(0xe0000)->address, ==, 0xe0000);
	g_assert_cmphex(slot_at(0xe0000)->size, ==, 0x20000);
	g_assert_null(slot_at(0xdffff));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*test)(struct fixture *f, gconstpointer data);
		size_t rom;
	} cases[] = {
		{ "/pam/power-on", test_power_on, ROM_SIZE },
		{ "/pam/switching", test_switching, ROM_SIZE },
		{ "/pam/shadow", test_shadow, ROM_SIZE },
		{ "/pam/dma", test_dma, ROM_SIZE },
		{ "/pam/large-rom", test_large_rom, 2 * ROM_SIZE },
	};

	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].path, struct fixture, GSIZE_TO_POINTER(cases[i].rom), set_up,
			cases[i].test, tear_down);
	return g_test_run();
}
