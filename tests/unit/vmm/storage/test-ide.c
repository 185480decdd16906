/* An IDE channel, as a driver pokes it: PIO, DMA, packets, resets. */
#include "vmm/storage/ide.h"

#include <string.h>

#include "tests/unit/vmm/chipset/fake-machine.h"
#include "tests/unit/vmm/storage/fake-drive.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci.h"

enum {
	MASTER = 0xc000,
	TABLE = 0x10000,
	BUFFER = 0x20000,
	IRQ = 14,
};

struct fixture {
	struct fake_machine *machine;
	struct fake_drive *drive;
};

static void set_up(struct fixture *f, const struct device_class *drive)
{
	static const struct pci_interrupts interrupts;
	const char *const properties[] = { "drive", "drive", NULL };
	struct device *ide;

	f->machine = fake_machine_new();
	f->drive = fake_drive_new();
	f->machine->machine.pci = pci_bus_new(&f->machine->machine, "pci.0", &interrupts);
	ide = device_new(&f->machine->machine, &piix3_ide_class, NULL);
	g_assert_true(device_realize(ide, NULL));
	device_reset(ide);
	pci_bus_config_write(
		f->machine->machine.pci, ((struct pci_device *)ide)->slot, 0, 0x20, 4, MASTER | 1);
	pci_bus_config_write(
		f->machine->machine.pci, ((struct pci_device *)ide)->slot, 0, 0x04, 2, 0x5);
	g_assert_nonnull(fake_machine_add(f->machine, drive, properties, NULL));
	fake_out(f->machine, 0x3f6, 4);
	fake_out(f->machine, 0x3f6, 0);
}

static void tear_down(struct fixture *f)
{
	g_assert_cmpuint(f->drive->failed_bounds, ==, 0);
	for (guint i = f->machine->machine.devices->len; i > 0; i--)
		device_free(f->machine->machine.devices->pdata[i - 1]);
	g_ptr_array_set_size(f->machine->machine.devices, 0);
	fake_drive_free(f->drive);
	fake_machine_free(f->machine);
}

static void command(struct fixture *f, uint8_t code, uint32_t lba, uint8_t count)
{
	fake_out(f->machine, 0x1f6, 0xe0 | lba >> 24);
	fake_out(f->machine, 0x1f2, count);
	fake_out(f->machine, 0x1f3, lba);
	fake_out(f->machine, 0x1f4, lba >> 8);
	fake_out(f->machine, 0x1f5, lba >> 16);
	fake_out(f->machine, 0x1f7, code);
	fake_drive_run(f->drive, 1000);
}

static uint8_t status(struct fixture *f)
{
	return fake_in(f->machine, 0x1f7);
}

static void read_words(struct fixture *f, uint8_t *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 2)
		config_set16(to + i, io_space_read(&f->machine->machine.ports, 0x1f0, 2));
	fake_drive_run(f->drive, 1000);
}

static void write_words(struct fixture *f, const void *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 2)
		io_space_write(&f->machine->machine.ports, 0x1f0, 2,
			config_get16((const uint8_t *)from + i));
	fake_drive_run(f->drive, 1000);
}

static void test_signature(void)
{
	struct fixture f;

	set_up(&f, &ide_hd_class);
	g_assert_cmphex(status(&f), ==, 0x50);
	g_assert_cmphex(fake_in(f.machine, 0x1f4), ==, 0);
	fake_out(f.machine, 0x1f6, 0xb0);
	g_assert_cmphex(status(&f), ==, 0);
	tear_down(&f);
	set_up(&f, &ide_cd_class);
	g_assert_cmphex(fake_in(f.machine, 0x1f4), ==, 0x14);
	g_assert_cmphex(fake_in(f.machine, 0x1f5), ==, 0xeb);
	command(&f, 0xec, 0, 0);
	g_assert_cmphex(status(&f), ==, 0x51);
	tear_down(&f);
}

static void test_pio(void)
{
	struct fixture f;
	uint8_t bytes[1024];

	set_up(&f, &ide_hd_class);
	memset(bytes, 0x5a, sizeof(bytes));
	command(&f, 0x30, 3, 2);
	g_assert_cmphex(status(&f), ==, 0x58);
	g_assert_cmpuint(f.machine->rises[IRQ], ==, 0);
	write_words(&f, bytes, 512);
	g_assert_true(f.machine->levels[IRQ]);
	g_assert_cmphex(status(&f), ==, 0x58);
	g_assert_false(f.machine->levels[IRQ]);
	write_words(&f, bytes, 512);
	g_assert_cmphex(status(&f), ==, 0x50);
	g_assert_cmpmem(f.drive->bytes + 3 * 512, 1024, bytes, 1024);
	memset(bytes, 0, sizeof(bytes));
	command(&f, 0xc4, 3, 2); /* in one block */
	g_assert_cmphex(status(&f), ==, 0x58);
	read_words(&f, bytes, 1024);
	g_assert_cmphex(status(&f), ==, 0x50);
	g_assert_cmphex(bytes[1023], ==, 0x5a);
	g_assert_false(f.machine->levels[IRQ]);
	tear_down(&f);
}

static void test_outside(void)
{
	struct fixture f;

	set_up(&f, &ide_hd_class);
	command(&f, 0x20, FAKE_DRIVE_BYTES / 512, 1);
	g_assert_cmphex(status(&f), ==, 0x51);
	g_assert_cmphex(fake_in(f.machine, 0x1f1), ==, 0x10);
	command(&f, 0xdd, 0, 1);
	g_assert_cmphex(fake_in(f.machine, 0x1f1), ==, 0x04);
	tear_down(&f);
}

static void put_region(struct fixture *f, uint32_t address, uint16_t bytes)
{
	config_set32(f->machine->ram + TABLE, address);
	config_set32(f->machine->ram + TABLE + 4, bytes | UINT32_C(0x80000000));
	io_space_write(&f->machine->machine.ports, MASTER + 4, 4, TABLE);
}

static void test_dma(void)
{
	struct fixture f;

	set_up(&f, &ide_hd_class);
	memset(f.drive->bytes + 512, 0x77, 512);
	put_region(&f, BUFFER, 512);
	command(&f, 0xc8, 1, 1);
	g_assert_cmphex(status(&f), ==, 0x58);
	fake_out(f.machine, MASTER, 0x09);
	g_assert_cmphex(fake_in(f.machine, MASTER + 2), ==, 1);
	fake_drive_run(f.drive, 10);
	g_assert_cmphex(fake_in(f.machine, MASTER + 2), ==, 4);
	g_assert_true(f.machine->levels[IRQ]);
	g_assert_cmphex(status(&f), ==, 0x50);
	g_assert_cmphex(f.machine->ram[BUFFER + 511], ==, 0x77);
	fake_out(f.machine, MASTER, 0);
	/* No RAM there. */
	put_region(&f, 0xfff00000, 512);
	command(&f, 0xc8, 1, 1);
	fake_out(f.machine, MASTER, 0x09);
	g_assert_cmphex(status(&f), ==, 0x51);
	g_assert_true(fake_in(f.machine, MASTER + 2) & 2);
	fake_out(f.machine, MASTER, 0);
	/* Stopped before it ends. */
	put_region(&f, BUFFER, 512);
	command(&f, 0xc8, 1, 1);
	fake_out(f.machine, MASTER, 0x09);
	fake_out(f.machine, MASTER, 0);
	g_assert_cmpuint(fake_drive_run(f.drive, 10), ==, 0);
	tear_down(&f);
}

static void test_packet(void)
{
	static const uint8_t inquiry[12] = { 0x12, 0, 0, 0, 36 };
	static const uint8_t read_12[12] = { 0xa8, 0, 0, 0, 0, 1, 0, 0, 0, 3 };
	struct fixture f;
	uint8_t bytes[3 * 2048];

	set_up(&f, &ide_cd_class);
	command(&f, 0xa0, 0xfe0000 >> 8, 0);
	fake_out(f.machine, 0x1f4, 0);
	g_assert_cmphex(status(&f), ==, 0x58);
	g_assert_cmphex(fake_in(f.machine, 0x1f2), ==, 1);
	write_words(&f, inquiry, 12);
	g_assert_true(f.machine->levels[IRQ]);
	g_assert_cmphex(fake_in(f.machine, 0x1f2), ==, 2);
	g_assert_cmphex(fake_in(f.machine, 0x1f4), ==, 36);
	read_words(&f, bytes, 36);
	g_assert_cmphex(status(&f), ==, 0x50);
	g_assert_cmphex(fake_in(f.machine, 0x1f2), ==, 3);
	command(&f, 0xa0, 0, 0);
	write_words(&f, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
	g_assert_cmphex(fake_in(f.machine, 0x1f1), ==, 0x64);
	/* Three blocks, through blocks of 1000 bytes. */
	for (size_t i = 0; i < sizeof(bytes); i++)
		f.drive->bytes[2048 + i] = i / 3;
	command(&f, 0xa0, 1000 << 8, 0);
	write_words(&f, read_12, 12);
	for (size_t at = 0; at < sizeof(bytes);) {
		unsigned size = fake_in(f.machine, 0x1f4) | fake_in(f.machine, 0x1f5) << 8;

		g_assert_cmphex(status(&f), ==, 0x58);
		g_assert_cmpuint(size, ==, MIN(1000, sizeof(bytes) - at));
		read_words(&f, bytes + at, size);
		at += size;
	}
	g_assert_cmphex(status(&f), ==, 0x50);
	g_assert_cmpmem(bytes, sizeof(bytes), f.drive->bytes + 2048, sizeof(bytes));
	tear_down(&f);
}

static void test_reset_under_way(void)
{
	struct fixture f;

	set_up(&f, &ide_hd_class);
	fake_out(f.machine, 0x1f6, 0xe0);
	fake_out(f.machine, 0x1f2, 1);
	fake_out(f.machine, 0x1f7, 0x20);
	g_assert_cmphex(status(&f), ==, 0x80);
	fake_out(f.machine, 0x3f6, 4);
	g_assert_cmpuint(fake_drive_run(f.drive, 10), ==, 0);
	fake_out(f.machine, 0x3f6, 0);
	g_assert_cmphex(status(&f), ==, 0x50);
	tear_down(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ide/signature", test_signature);
	g_test_add_func("/ide/pio", test_pio);
	g_test_add_func("/ide/outside", test_outside);
	g_test_add_func("/ide/dma", test_dma);
	g_test_add_func("/ide/packet", test_packet);
	g_test_add_func("/ide/reset-under-way", test_reset_under_way);
	return g_test_run();
}
