/* The AHCI controller, as a driver pokes it: command lists in memory, frames that come back, and what wrong ones get. */
#include "vmm/storage/ahci.h"

#include <string.h>

#include "tests/unit/vmm/storage/fake-controller.h"
#include "vmm/pci/config.h"

enum {
	BASE = 0xfe000000,
	LIST = 0x10000,
	RECEIVED = 0x11000,
	TABLE = 0x12000,
	BUFFER = 0x20000,
	PORT = 0x100,

	IS = 0x10,
	IE = 0x14,
	CMD = 0x18,
	TFD = 0x20,
	SIG = 0x24,
	SSTS = 0x28,
	SCTL = 0x2c,
	SERR = 0x30,
	SACT = 0x34,
	CI = 0x38,

	REGISTERS = 1 << 0,
	PIO_SETUP = 1 << 1,
	DEVICE_BITS = 1 << 3,
	CONNECT = 1 << 6,
	HOST_BUS = 1 << 29,
	TASK_FILE = 1 << 30,
};

static uint32_t get(struct fake_controller *f, unsigned offset)
{
	return io_space_read(&f->machine->machine.mmio, BASE + offset, 4);
}

static void set(struct fake_controller *f, unsigned offset, uint32_t value)
{
	io_space_write(&f->machine->machine.mmio, BASE + offset, 4, value);
}

static void set_byte(struct fake_controller *f, unsigned offset, uint8_t value)
{
	io_space_write(&f->machine->machine.mmio, BASE + offset, 1, value);
}

static void start_port(struct fake_controller *f)
{
	set(f, PORT + 0x00, LIST);
	set(f, PORT + 0x08, RECEIVED);
	set(f, PORT + SERR, UINT32_MAX);
	set(f, PORT + IS, UINT32_MAX);
	set(f, PORT + IE, UINT32_MAX);
	set(f, PORT + CMD, 0x11);
	set(f, 0x04, 2);
}

static void set_up(struct fake_controller *f, const struct device_class *drive)
{
	/* No INTx: there is no board. */
	fake_controller_set_up(f, &ich9_ahci_class, 0x24, BASE, 0x406);
	if (drive) {
		fake_controller_add(f, drive);
		set(f, 0x04, 1); /* as firmware does: the whole controller anew */
	}
	start_port(f);
}

/* A command in a slot, with one region; @fis: 20 bytes from the third on are the registers. */
static void put_command(struct fake_controller *f, unsigned slot, uint8_t code, uint64_t lba,
	uint16_t count, uint16_t features, uint32_t bytes)
{
	uint8_t *header = f->machine->ram + LIST + 32 * slot;
	uint8_t *table = f->machine->ram + TABLE + 256 * slot;

	memset(header, 0, 32);
	memset(table, 0, 256);
	header[0] = 5;
	config_set16(header + 2, bytes ? 1 : 0);
	config_set32(header + 8, TABLE + 256 * slot);
	table[0] = 0x27;
	table[1] = 0x80;
	table[2] = code;
	table[3] = features;
	table[11] = features >> 8;
	for (unsigned i = 0; i < 3; i++) {
		table[4 + i] = lba >> 8 * i;
		table[8 + i] = lba >> (24 + 8 * i);
	}
	table[7] = 0x40;
	config_set16(table + 12, count);
	config_set32(table + 0x80, BUFFER + 0x2000 * slot);
	config_set32(table + 0x8c, bytes - 1);
}

static uint8_t *fis(struct fake_controller *f, unsigned offset)
{
	return f->machine->ram + RECEIVED + offset;
}

static void issue(struct fake_controller *f, uint32_t slots)
{
	set(f, PORT + CI, slots);
	fake_drive_run(f->drive, 1000);
}

static void test_link(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	g_assert_cmphex(get(&f, PORT + SSTS), ==, 0x113);
	g_assert_cmphex(get(&f, PORT + SIG), ==, 0x101);
	g_assert_cmphex(get(&f, PORT + TFD), ==, 0x150);
	g_assert_cmphex(fis(&f, 0x40)[0], ==, 0x34);
	g_assert_cmphex(get(&f, PORT + 0x80 + SSTS), ==, 0);
	g_assert_cmphex(get(&f, PORT + 0x80 + TFD), ==, 0x7f);
	set(&f, PORT + SCTL, 1);
	g_assert_cmphex(get(&f, PORT + SSTS), ==, 0);
	set(&f, PORT + SCTL, 0);
	g_assert_cmphex(get(&f, PORT + SSTS), ==, 0x113);
	g_assert_true(get(&f, PORT + IS) & CONNECT);
	set(&f, PORT + SERR, UINT32_MAX);
	g_assert_false(get(&f, PORT + IS) & CONNECT);
	fake_controller_tear_down(&f);
}

static void test_identify(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	put_command(&f, 0, 0xec, 0, 0, 0, 512);
	issue(&f, 1);
	g_assert_cmphex(get(&f, PORT + CI), ==, 0);
	g_assert_cmphex(get(&f, PORT + IS), ==, PIO_SETUP);
	g_assert_cmphex(get(&f, PORT + TFD), ==, 0x50);
	g_assert_cmphex(fis(&f, 0x20)[0], ==, 0x5f);
	g_assert_cmphex(fis(&f, 0x20)[15], ==, 0x50);
	g_assert_cmpmem(f.machine->ram + BUFFER + 20, 8, "MQ0000 1", 8);
	g_assert_cmpmem(f.machine->ram + BUFFER + 54, 4, "EQUM", 4);
	g_assert_cmpuint(config_get32(f.machine->ram + BUFFER + 120), ==, FAKE_DRIVE_BYTES / 512);
	g_assert_cmpuint(config_get32(f.machine->ram + LIST + 4), ==, 512);
	fake_controller_tear_down(&f);
}

static void test_dma(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	memset(f.machine->ram + BUFFER, 0xa5, 1024);
	put_command(&f, 0, 0x35, 7, 2, 0, 1024);
	issue(&f, 1);
	g_assert_cmphex(get(&f, PORT + IS), ==, REGISTERS);
	g_assert_cmphex(f.drive->bytes[7 * 512], ==, 0xa5);
	g_assert_cmphex(f.drive->bytes[9 * 512 - 1], ==, 0xa5);
	put_command(&f, 3, 0x25, 8, 1, 0, 512);
	issue(&f, 1 << 3);
	g_assert_cmphex(f.machine->ram[BUFFER + 3 * 0x2000], ==, 0xa5);
	fake_controller_tear_down(&f);
}

/* Many at a time, ended together. */
static void test_queued(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	for (unsigned i = 0; i < 8; i++) {
		memset(f.drive->bytes + 512 * i, i + 1, 512);
		put_command(&f, i, 0x60, i, i << 3, 1, 512);
	}
	set(&f, PORT + SACT, 0xff);
	set(&f, PORT + CI, 0xff);
	g_assert_cmphex(get(&f, PORT + CI), ==, 0);
	g_assert_cmphex(get(&f, PORT + SACT), ==, 0xff);
	fake_drive_run(f.drive, 3);
	g_assert_cmphex(get(&f, PORT + SACT), ==, 0xf8);
	fake_drive_run(f.drive, 100);
	g_assert_cmphex(get(&f, PORT + SACT), ==, 0);
	g_assert_cmphex(get(&f, PORT + IS), ==, DEVICE_BITS);
	for (unsigned i = 0; i < 8; i++)
		g_assert_cmphex(f.machine->ram[BUFFER + 0x2000 * i], ==, i + 1);
	fake_controller_tear_down(&f);
}

/* One of several fails: everything stops, and the log tells which it was. */
static void test_queued_error(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	put_command(&f, 4, 0x60, 0xffffff, 4 << 3, 1, 512);
	put_command(&f, 5, 0x60, 0, 5 << 3, 1, 512);
	set(&f, PORT + SACT, 3 << 4);
	issue(&f, 3 << 4);
	g_assert_true(get(&f, PORT + IS) & TASK_FILE);
	g_assert_true(get(&f, PORT + SACT) & 1 << 4);
	g_assert_cmphex(get(&f, PORT + TFD) & 1, ==, 1);
	set(&f, PORT + CMD, 0x10);
	g_assert_cmphex(get(&f, PORT + SACT), ==, 0);
	set(&f, PORT + IS, UINT32_MAX);
	set(&f, PORT + CMD, 0x11);
	put_command(&f, 0, 0x2f, 0x10, 1, 0, 512);
	issue(&f, 1);
	g_assert_cmphex(f.machine->ram[BUFFER], ==, 4);
	g_assert_cmphex(f.machine->ram[BUFFER + 3], ==, 0x10);
	fake_controller_tear_down(&f);
}

static void test_packet(void)
{
	struct fake_controller f;

	set_up(&f, &ide_cd_class);
	g_assert_cmphex(get(&f, PORT + SIG), ==, 0xeb140101);
	put_command(&f, 0, 0xa0, 0, 0, 1, 36);
	memcpy(f.machine->ram + TABLE + 0x40, "\x12\0\0\0\x24", 5);
	issue(&f, 1);
	g_assert_cmphex(get(&f, PORT + IS), ==, REGISTERS);
	g_assert_cmpmem(f.machine->ram + BUFFER + 8, 24, "QEMU    QEMU DVD-ROM    ", 24);
	/* A unit attention, then the sense that tells it. */
	put_command(&f, 0, 0xa0, 0, 0, 0, 0);
	set(&f, PORT + IS, UINT32_MAX);
	issue(&f, 1);
	g_assert_cmphex(get(&f, PORT + TFD), ==, 0x6451);
	g_assert_true(get(&f, PORT + IS) & TASK_FILE);
	fake_controller_tear_down(&f);
}

/* Rules that drivers can break: what is set in PxIS, and that nothing else happens. */
static void test_wrong(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	put_command(&f, 0, 0x25, 0, 1, 0, 512);
	config_set32(f.machine->ram + TABLE + 0x80, 0xfff00000); /* no RAM */
	issue(&f, 1);
	g_assert_true(get(&f, PORT + IS) & TASK_FILE);
	set(&f, PORT + CMD, 0x10);
	start_port(&f);
	put_command(&f, 0, 0x25, 0, 4, 0, 512); /* regions for less than the command */
	issue(&f, 1);
	g_assert_true(get(&f, PORT + IS) & TASK_FILE);
	set(&f, PORT + CMD, 0x10);
	start_port(&f);
	put_command(&f, 0, 0x60, 0, 9 << 3, 1, 512); /* the tag of another slot */
	issue(&f, 1);
	g_assert_true(get(&f, PORT + IS) & HOST_BUS);
	set(&f, PORT + CMD, 0x10);
	set(&f, PORT + 0x04, 0xffff);
	set(&f, PORT + CMD, 0x11); /* a list outside RAM */
	issue(&f, 1);
	g_assert_true(get(&f, PORT + IS) & HOST_BUS);
	fake_controller_tear_down(&f);
}

static void test_plug(void)
{
	struct fake_controller f;
	struct device *disk;

	set_up(&f, NULL);
	g_assert_cmphex(get(&f, PORT + SSTS), ==, 0);
	disk = fake_controller_add(&f, &ide_hd_class);
	disk->bus->ops->plugged(disk->bus, disk);
	g_assert_cmphex(get(&f, PORT + SSTS), ==, 0x113);
	g_assert_true(get(&f, PORT + IS) & CONNECT);
	/* It goes while it works. */
	put_command(&f, 0, 0x25, 0, 1, 0, 512);
	set(&f, PORT + CI, 1);
	g_ptr_array_remove(f.machine->machine.devices, disk);
	device_free(disk);
	g_assert_cmphex(get(&f, PORT + SSTS), ==, 0);
	g_assert_cmpuint(fake_drive_run(f.drive, 10), ==, 0);
	fake_controller_tear_down(&f);
}

static void test_reset_under_way(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	put_command(&f, 0, 0x25, 0, 1, 0, 512);
	set(&f, PORT + CI, 1);
	g_assert_cmphex(get(&f, PORT + TFD) & 0x80, ==, 0x80);
	set(&f, 0x04, 1);
	g_assert_cmpuint(fake_drive_run(f.drive, 10), ==, 0);
	g_assert_cmphex(get(&f, PORT + CI), ==, 0);
	fake_controller_tear_down(&f);
}

static void put_control(struct fake_controller *f, unsigned slot, uint8_t control)
{
	put_command(f, slot, 0, 0, 0, 0, 0);
	f->machine->ram[TABLE + 256 * slot + 1] = 0;
	f->machine->ram[TABLE + 256 * slot + 15] = control;
}

/* What the drive had when it was reset does not begin again, by frame or by link; what comes later does. */
static void test_no_second_beginning(void)
{
	for (unsigned by_link = 0; by_link < 2; by_link++) {
		struct fake_controller f;

		set_up(&f, &ide_hd_class);
		memset(f.machine->ram + BUFFER, 0xa5, 512);
		put_command(&f, 0, 0x35, 7, 1, 0, 512);
		set(&f, PORT + CI, 1 << 0);
		if (by_link) {
			set(&f, PORT + SCTL, 1);
			set(&f, PORT + SCTL, 0);
		} else {
			put_control(&f, 1, 4);
			put_control(&f, 2, 0);
			set(&f, PORT + CI, 1 << 1);
			g_assert_cmphex(get(&f, PORT + TFD) & 0x80, ==, 0x80);
			set(&f, PORT + CI, 1 << 2);
		}
		g_assert_cmphex(get(&f, PORT + CI), ==, 0);
		g_assert_cmphex(get(&f, PORT + TFD), ==, 0x150);
		put_command(&f, 3, 0x25, 7, 1, 0, 512);
		issue(&f, 1 << 3);
		g_assert_cmphex(get(&f, PORT + CI), ==, 0);
		g_assert_cmphex(f.drive->bytes[7 * 512], ==, 0);
		g_assert_cmphex(f.machine->ram[BUFFER + 3 * 0x2000], ==, 0);
		fake_controller_tear_down(&f);
	}
}

/* Queued commands too (Serial ATA 3.0 section 11.4: a reset ends them all). */
static void test_queued_reset(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	put_command(&f, 4, 0x60, 0, 4 << 3, 1, 512);
	put_command(&f, 5, 0x60, 1, 5 << 3, 1, 512);
	set(&f, PORT + SACT, 3 << 4);
	set(&f, PORT + CI, 3 << 4);
	put_control(&f, 0, 4);
	set(&f, PORT + CI, 1);
	g_assert_cmphex(get(&f, PORT + SACT), ==, 0);
	g_assert_cmpuint(fake_drive_run(f.drive, 10), ==, 0);
	put_control(&f, 0, 0);
	set(&f, PORT + CI, 1);
	g_assert_cmphex(get(&f, PORT + TFD), ==, 0x150);
	fake_controller_tear_down(&f);
}

/* After an error nothing goes on until PxCMD.ST has been off (AHCI 1.3.1 section 6.2.2), and with it off nothing is issued. */
static void test_halted(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	put_command(&f, 0, 0xdd, 0, 0, 0, 0);
	issue(&f, 1);
	g_assert_true(get(&f, PORT + IS) & TASK_FILE);
	g_assert_cmphex(get(&f, PORT + TFD), ==, 0x451);
	g_assert_cmphex(get(&f, PORT + CI), ==, 1);
	put_command(&f, 1, 0xec, 0, 0, 0, 512);
	issue(&f, 2);
	g_assert_cmphex(get(&f, PORT + CI), ==, 3);
	set(&f, PORT + CMD, 0x10);
	g_assert_cmphex(get(&f, PORT + CMD) & 1 << 15, ==, 0);
	g_assert_cmphex(get(&f, PORT + CI), ==, 0);
	issue(&f, 2);
	set(&f, PORT + SACT, 2);
	g_assert_cmphex(get(&f, PORT + CI) | get(&f, PORT + SACT), ==, 0);
	set(&f, PORT + IS, UINT32_MAX);
	set(&f, PORT + CMD, 0x11);
	issue(&f, 2);
	g_assert_cmphex(get(&f, PORT + IS), ==, PIO_SETUP);
	fake_controller_tear_down(&f);
}

/* Frames that are none: each ends with an error of the host bus, and the drive never hears of it. */
static void test_frames(void)
{
	static const struct {
		unsigned at; /* from the table on, or before it: of the header */
		uint8_t value;
		bool header;
	} cases[] = {
		{ 0, 4, true },     /* too short by a dword */
		{ 0, 0, true },     /* empty */
		{ 0, 0x34, false }, /* from the drive */
		{ 0, 0x46, false }, /* data */
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct fake_controller f;

		set_up(&f, &ide_hd_class);
		put_command(&f, 0, 0x25, 0, 1, 0, 512);
		f.machine->ram[(cases[i].header ? LIST : TABLE) + cases[i].at] = cases[i].value;
		set(&f, PORT + CI, 1);
		g_assert_true(get(&f, PORT + IS) & HOST_BUS);
		g_assert_cmpuint(fake_drive_run(f.drive, 10), ==, 0);
		fake_controller_tear_down(&f);
	}
}

/* Reserved bits, ports that are not there, and accesses of other widths. */
static void test_registers(void)
{
	struct fake_controller f;

	set_up(&f, &ide_hd_class);
	set(&f, PORT + CMD, 0);
	set(&f, PORT + 0x00, 0x12345fff);
	g_assert_cmphex(get(&f, PORT + 0x00), ==, 0x12345c00);
	set(&f, PORT + 0x08, 0x12345fff);
	g_assert_cmphex(get(&f, PORT + 0x08), ==, 0x12345f00);
	set(&f, PORT + IE, UINT32_MAX);
	g_assert_cmphex(get(&f, PORT + IE), ==, 0xfdc000ff);
	set_byte(&f, PORT + IE, 0);
	g_assert_cmphex(get(&f, PORT + IE), ==, 0xfdc000ff);
	set(&f, PORT + SIG, 0);
	g_assert_cmphex(get(&f, PORT + SIG), ==, 0x101);
	set(&f, PORT + TFD, 0);
	g_assert_cmphex(get(&f, PORT + TFD), ==, 0x150);
	for (unsigned offset = PORT + 6 * 0x80; offset < 0x1000; offset += 4) {
		set(&f, offset, UINT32_MAX);
		g_assert_cmphex(get(&f, offset), ==, 0);
	}
	g_assert_cmphex(get(&f, 0x0c), ==, 0x3f);
	fake_controller_tear_down(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ahci/link", test_link);
	g_test_add_func("/ahci/identify", test_identify);
	g_test_add_func("/ahci/dma", test_dma);
	g_test_add_func("/ahci/queued", test_queued);
	g_test_add_func("/ahci/queued-error", test_queued_error);
	g_test_add_func("/ahci/packet", test_packet);
	g_test_add_func("/ahci/wrong", test_wrong);
	g_test_add_func("/ahci/plug", test_plug);
	g_test_add_func("/ahci/reset-under-way", test_reset_under_way);
	g_test_add_func("/ahci/no-second-beginning", test_no_second_beginning);
	g_test_add_func("/ahci/queued-reset", test_queued_reset);
	g_test_add_func("/ahci/halted", test_halted);
	g_test_add_func("/ahci/frames", test_frames);
	g_test_add_func("/ahci/registers", test_registers);
	return g_test_run();
}
