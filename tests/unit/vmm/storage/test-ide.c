/* An IDE channel, as a driver pokes it: PIO, DMA, packets, resets. */
#include "vmm/storage/ide.h"

#include <string.h>

#include "tests/unit/vmm/storage/fake-controller.h"
#include "vmm/pci/config.h"

enum {
	MASTER = 0xc000,
	TABLE = 0x10000,
	BUFFER = 0x20000,
	IRQ = 14,
};

static void set_up(struct fake_controller *f, const struct device_class *drive)
{
	fake_controller_set_up(f, &piix3_ide_class, 0x20, MASTER | 1, 0x5);
	fake_controller_add(f, drive);
	fake_out(f->machine, 0x3f6, 4);
	fake_out(f->machine, 0x3f6, 0);
}

static void command(struct fake_controller *f, uint8_t code, uint32_t lba, uint8_t count)
{
	fake_out(f->machine, 0x1f6, 0xe0 | lba >> 24);
	fake_out(f->machine, 0x1f2, count);
	fake_out(f->machine, 0x1f3, lba);
	fake_out(f->machine, 0x1f4, lba >> 8);
	fake_out(f->machine, 0x1f5, lba >> 16);
	fake_out(f->machine, 0x1f7, code);
	fake_drive_run(f->drive, 1000);
}

static uint8_t status(struct fake_controller *f)
{
	return fake_in(f->machine, 0x1f7);
}

static void read_words(struct fake_controller *f, uint8_t *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 2)
		config_set16(to + i, io_space_read(&f->machine->machine.ports, 0x1f0, 2));
	fake_drive_run(f->drive, 1000);
}

static void write_words(struct fake_controller *f, const void *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 2)
		io_space_write(&f->machine->machine.ports, 0x1f0, 2,
			config_get16((const uint8_t *)from + i));
	fake_drive_run(f->drive, 1000);
}

static void test_signature(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	g_assert_cmphex(status(&f), ==, 0x50);
	g_assert_cmphex(fake_in(f.machine, 0x1f4), ==, 0);
	fake_out(f.machine, 0x1f6, 0xb0);
	g_assert_cmphex(status(&f), ==, 0);
	fake_controller_tear_down(&f);
	set_up(&f, &ide_cd_class);
	g_assert_cmphex(fake_in(f.machine, 0x1f4), ==, 0x14);
	g_assert_cmphex(fake_in(f.machine, 0x1f5), ==, 0xeb);
	command(&f, 0xec, 0, 0);
	g_assert_cmphex(status(&f), ==, 0x51);
	fake_controller_tear_down(&f);
}

static void test_pio(void)
{
	struct fake_controller f;
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
	fake_controller_tear_down(&f);
}

static void test_outside(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	command(&f, 0x20, FAKE_DRIVE_BYTES / 512, 1);
	g_assert_cmphex(status(&f), ==, 0x51);
	g_assert_cmphex(fake_in(f.machine, 0x1f1), ==, 0x10);
	command(&f, 0xdd, 0, 1);
	g_assert_cmphex(fake_in(f.machine, 0x1f1), ==, 0x04);
	fake_controller_tear_down(&f);
}

static void put_region(struct fake_controller *f, uint32_t address, uint16_t bytes)
{
	config_set32(f->machine->ram + TABLE, address);
	config_set32(f->machine->ram + TABLE + 4, bytes | UINT32_C(0x80000000));
	io_space_write(&f->machine->machine.ports, MASTER + 4, 4, TABLE);
}

static void test_dma(void)
{
	struct fake_controller f;

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
	fake_controller_tear_down(&f);
}

static void test_packet(void)
{
	static const uint8_t inquiry[12] = { 0x12, 0, 0, 0, 36 };
	static const uint8_t read_12[12] = { 0xa8, 0, 0, 0, 0, 1, 0, 0, 0, 3 };
	struct fake_controller f;
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
	fake_controller_tear_down(&f);
}

static void test_reset_under_way(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	fake_out(f.machine, 0x1f6, 0xe0);
	fake_out(f.machine, 0x1f2, 1);
	fake_out(f.machine, 0x1f7, 0x20);
	g_assert_cmphex(status(&f), ==, 0x80);
	fake_out(f.machine, 0x3f6, 4);
	g_assert_cmpuint(fake_drive_run(f.drive, 10), ==, 0);
	fake_out(f.machine, 0x3f6, 0);
	g_assert_cmphex(status(&f), ==, 0x50);
	fake_controller_tear_down(&f);
}

/* While a drive is busy nothing is written but the control register (ATA/ATAPI-6 section 7.3 and so on: BSY). */
static void test_busy(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	f.drive->bytes[5 * 512] = 0x99;
	fake_out(f.machine, 0x1f6, 0xe0);
	fake_out(f.machine, 0x1f3, 5);
	fake_out(f.machine, 0x1f2, 1);
	fake_out(f.machine, 0x1f7, 0x20);
	fake_out(f.machine, 0x1f3, 6);
	fake_out(f.machine, 0x1f2, 2);
	fake_out(f.machine, 0x1f7, 0xec);
	g_assert_cmphex(status(&f), ==, 0x80);
	g_assert_cmphex(io_space_read(&f.machine->machine.ports, 0x1f0, 2), ==, 0);
	g_assert_cmpuint(fake_drive_run(f.drive, 10), ==, 1);
	g_assert_cmphex(io_space_read(&f.machine->machine.ports, 0x1f0, 2), ==, 0x99);
	fake_controller_tear_down(&f);
}

/* No drive, no answer: a command goes nowhere and the other drive stays as it is. */
static void test_absent(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	fake_out(f.machine, 0x1f6, 0xf0);
	fake_out(f.machine, 0x1f7, 0xec);
	g_assert_cmphex(status(&f), ==, 0);
	g_assert_cmphex(io_space_read(&f.machine->machine.ports, 0x1f0, 2), ==, 0);
	g_assert_false(f.machine->levels[IRQ]);
	fake_out(f.machine, 0x1f6, 0xe0);
	g_assert_cmphex(status(&f), ==, 0x50);
	fake_controller_tear_down(&f);
}

/* nIEN keeps the line down and nothing else; what came meanwhile is told when it is cleared. */
static void test_no_interrupt(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	fake_out(f.machine, 0x3f6, 2);
	command(&f, 0xec, 0, 0);
	g_assert_cmphex(fake_in(f.machine, 0x3f6), ==, 0x58);
	g_assert_false(f.machine->levels[IRQ]);
	fake_out(f.machine, 0x3f6, 0);
	g_assert_true(f.machine->levels[IRQ]);
	g_assert_cmphex(status(&f), ==, 0x58);
	g_assert_false(f.machine->levels[IRQ]);
	fake_controller_tear_down(&f);
}

/* In a reset nothing is taken; the bits that ask for one do not pile up. */
static void test_in_reset(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	fake_out(f.machine, 0x3f6, 4);
	fake_out(f.machine, 0x1f7, 0xec);
	g_assert_cmphex(status(&f), ==, 0x80);
	fake_out(f.machine, 0x3f6, 4);
	fake_out(f.machine, 0x3f6, 0);
	g_assert_cmphex(status(&f), ==, 0x50);
	g_assert_cmphex(io_space_read(&f.machine->machine.ports, 0x1f0, 2), ==, 0);
	fake_controller_tear_down(&f);
}

static const struct {
	uint8_t code, device, count;
	uint32_t lba;
	uint8_t error;
} refusals[] = {
	{ 0x20, 0xa0, 1, 0x000000, 0x10 },                     /* cylinders begin with sector 1 */
	{ 0x20, 0xa0, 1, 0xffff01, 0x10 },                     /* a cylinder behind the last */
	{ 0xc8, 0xe0, 0, FAKE_DRIVE_BYTES / 512 - 255, 0x10 }, /* 0: 256 sectors, one too many */
	{ 0xc6, 0xe0, 3, 0, 0x04 },                            /* SET MULTIPLE: no power of two */
	{ 0xc6, 0xe0, 128, 0, 0x04 },                          /* too many */
	{ 0x60, 0xe0, 0, 0, 0x04 },                            /* queues are Serial ATA's */
	{ 0xa0, 0xe0, 0, 0, 0x04 },                            /* packets are for CD-ROMs */
	{ 0xef, 0xe0, 0, 0, 0x04 },                            /* SET FEATURES of none */
	{ 0x91, 0xe0, 0, 0, 0x04 },                            /* tracks of no sectors */
	{ 0xb0, 0xe0, 0, 0, 0x04 },                            /* SMART without its key */
};

static void test_refusals(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
		fake_out(f.machine, 0x1f1, 0);
		fake_out(f.machine, 0x1f6, refusals[i].device | refusals[i].lba >> 24);
		fake_out(f.machine, 0x1f2, refusals[i].count);
		for (unsigned byte = 0; byte < 3; byte++)
			fake_out(f.machine, 0x1f3 + byte, refusals[i].lba >> 8 * byte);
		fake_out(f.machine, 0x1f7, refusals[i].code);
		g_assert_true(f.machine->levels[IRQ]);
		g_test_message("command %02x", refusals[i].code);
		g_assert_cmphex(status(&f), ==, 0x51);
		g_assert_cmphex(fake_in(f.machine, 0x1f1), ==, refusals[i].error);
	}
	/* READ MULTIPLE without a number of sectors, which 0 takes away. */
	command(&f, 0xc6, 0, 0);
	g_assert_cmphex(status(&f), ==, 0x50);
	command(&f, 0xc4, 0, 1);
	g_assert_cmphex(fake_in(f.machine, 0x1f1), ==, 0x04);
	fake_controller_tear_down(&f);
}

/* A table of regions that ends too soon, and one for the other direction. */
static void test_short_table(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	put_region(&f, BUFFER, 512);
	command(&f, 0xc8, 1, 2);
	fake_out(f.machine, MASTER, 0x09);
	fake_drive_run(f.drive, 10);
	g_assert_cmphex(status(&f) & 0x89, ==, 0x01);
	fake_out(f.machine, MASTER, 0);
	command(&f, 0xca, 1, 1);
	fake_out(f.machine, MASTER, 0x09);
	fake_drive_run(f.drive, 10);
	g_assert_cmphex(status(&f) & 0x89, ==, 0x01);
	g_assert_cmphex(fake_in(f.machine, MASTER + 2) & 1, ==, 0);
	fake_controller_tear_down(&f);
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
	g_test_add_func("/ide/busy", test_busy);
	g_test_add_func("/ide/absent", test_absent);
	g_test_add_func("/ide/no-interrupt", test_no_interrupt);
	g_test_add_func("/ide/in-reset", test_in_reset);
	g_test_add_func("/ide/refusals", test_refusals);
	g_test_add_func("/ide/short-table", test_short_table);
	return g_test_run();
}
