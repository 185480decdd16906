/* SCSI commands against the fake drive: what a disk and a CD-ROM answer, and what wrong commands get. */
#include "vmm/storage/scsi.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "tests/unit/bytes.h"
#include "tests/unit/vmm/chipset/fake-machine.h"
#include "tests/unit/vmm/storage/fake-drive.h"

struct fixture {
	struct fake_machine *machine;
	struct fake_drive *drive;
	struct device device;
	struct disk disk;
	struct scsi_lun lun;
	struct scsi_request request;
	uint8_t in[8192], out[4096];
	size_t in_room, out_length;
	bool given, done;
};

static const struct drive_ops no_ops = { .is_cdrom = false };

static void data(struct scsi_request *request)
{
	struct fixture *f = request->owner;
	static struct iovec piece;

	if (f->given) {
		scsi_request_end_data(request);
		return;
	}
	f->given = true;
	piece = request->direction == SCSI_TO_GUEST ? (struct iovec) { f->in, f->in_room }
						    : (struct iovec) { f->out, f->out_length };
	scsi_request_transfer(request, &piece, 1);
}

static void done(struct scsi_request *request)
{
	((struct fixture *)request->owner)->done = true;
}

static const struct scsi_request_ops ops = { data, done };

static void set_up(struct fixture *f, enum scsi_kind kind)
{
	struct scsi_config config = { .kind = kind, .serial = "S1", .wwn = 0x5000c50015ea71ac };

	*f = (struct fixture) { .in_room = sizeof(f->in) };
	f->machine = fake_machine_new();
	f->drive = fake_drive_new();
	f->device.machine = &f->machine->machine;
	g_assert_true(disk_init(&f->disk, "drive", &f->device, &no_ops, NULL, NULL));
	scsi_lun_init(&f->lun, &config, &f->disk);
	f->lun.attention = (struct scsi_sense) { 0 };
}

static void tear_down(struct fixture *f)
{
	g_assert_cmpuint(f->drive->failed_bounds, ==, 0);
	scsi_lun_finish(&f->lun);
	disk_finish(&f->disk);
	fake_drive_free(f->drive);
	fake_machine_free(f->machine);
}

/* @cdb in hexadecimal, filled up with zeroes. */
static void begin(struct fixture *f, const char *cdb)
{
	g_autoptr(GBytes) bytes = bytes_from_hex(cdb);

	f->request = (struct scsi_request) { .ops = &ops, .owner = f };
	memcpy(f->request.cdb, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	f->given = false;
	f->done = false;
	scsi_request_submit(&f->lun, &f->request);
}

static void run(struct fixture *f, const char *cdb)
{
	begin(f, cdb);
	fake_drive_run(f->drive, 10000);
	g_assert_true(f->done);
}

/* Commands, and the sense they end with (0: GOOD) or the bytes they answer. */
static const struct {
	const char *name;
	enum scsi_kind kind;
	const char *cdb;
	uint32_t sense; /* key, code, qualifier */
	const char *answer;
} cases[] = {
	{ "/disk/ready", SCSI_DISK, "00" },
	{ "/disk/unknown", SCSI_DISK, "ff", 0x052000 },
	{ "/disk/capacity-10", SCSI_DISK, "25", 0, "000007ff 00000200" },
	{ "/disk/capacity-16", SCSI_DISK, "9e10 0000000000000000 00000020", 0,
		"00000000000007ff 00000200 00 03 80 00 0000000000000000 0000000000000000" },
	{ "/disk/service-action", SCSI_DISK, "9e11", 0x052400 },
	{ "/disk/read-6-outside", SCSI_DISK, "08000800 01 00", 0x052100 },
	{ "/disk/read-10-wraps", SCSI_DISK, "2800ffffffff00ffff00", 0x052100 },
	{ "/disk/read-16-wraps", SCSI_DISK, "8800ffffffffffffffff0000000200 00", 0x052100 },
	{ "/disk/read-of-nothing", SCSI_DISK, "2800000000000000 0000", 0, "" },
	{ "/disk/verify", SCSI_DISK, "2f0000000000000001 00" },
	{ "/disk/verify-bytes", SCSI_DISK, "2f0200000000000001 00", 0x052400 },
	{ "/disk/write-same-of-nothing", SCSI_DISK, "41000000000000000000", 0x052400 },
	{ "/disk/mode-sense-caching", SCSI_DISK, "1a080800ff00", 0,
		"17001000 0812 04 00000000000000000000000000000000 00" },
	{ "/disk/mode-sense-saved", SCSI_DISK, "1a08c800ff00", 0x053900 },
	{ "/disk/mode-sense-unknown", SCSI_DISK, "1a083300ff00", 0x052400 },
	{ "/disk/report-luns", SCSI_DISK, "a00000000000 00000010 00 00", 0,
		"00000008 00000000 0000000000000000" },
	{ "/disk/serial", SCSI_DISK, "120180 00ff 00", 0, "00800002 5331" },
	{ "/disk/pages", SCSI_DISK, "120100 00ff 00", 0, "00000006 00808 3b0b1b2" },
	{ "/disk/identification", SCSI_DISK, "120183 00ff 00", 0,
		"00830012 02000002 5331 01030008 5000c50015ea71ac" },
	{ "/disk/no-such-page", SCSI_DISK, "120189 00ff 00", 0x052400 },
	{ "/disk/toc", SCSI_DISK, "43000000000000 0014 00", 0x052000 },
	{ "/disk/standard-inquiry", SCSI_DISK, "120000 0024 00", 0,
		"00000512 1f000012 51454d5520202020 51454d55204841524444495 34b202020 322e352b" },
	{ "/disk/inquiry-of-five", SCSI_DISK, "120000 0005 00", 0, "00000512 1f" },
	{ "/cd/write", SCSI_CDROM, "2a000000000000000100", 0x052000 },
	{ "/cd/capacity", SCSI_CDROM, "25", 0, "000001ff 00000800" },
	{ "/cd/toc", SCSI_CDROM, "43000000000000 0014 00", 0,
		"0012 01 01 00140100 00000000 0014aa00 00000200" },
	{ "/cd/toc-minutes", SCSI_CDROM, "43020000000000 0014 00", 0,
		"0012 01 01 00140100 00000200 0014aa00 0000083e" },
	{ "/cd/toc-of-track-2", SCSI_CDROM, "430000000000020014 00", 0x052400 },
	{ "/cd/event", SCSI_CDROM, "4a010000100000 0008 00", 0, "0006 04 10 00020000" },
	{ "/cd/event-not-polled", SCSI_CDROM, "4a000000100000 0008 00", 0x052400 },
	{ "/cd/mechanism", SCSI_CDROM, "bd00000000000000 0008", 0, "0000000000010000" },
	{ "/cd/read-cd-of-no-data", SCSI_CDROM, "be00 00000000 000001 00 0000", 0, "" },
	{ "/cd/read-cd-audio", SCSI_CDROM, "be04 00000000 000001 10 0000", 0x056400 },
	{ "/absent/ready", SCSI_ABSENT, "00", 0x052500 },
	{ "/absent/inquiry", SCSI_ABSENT, "120000 0001 00", 0, "7f" },
};

static void check_case(gconstpointer opaque)
{
	const typeof(cases[0]) *c = opaque;
	struct fixture f;

	set_up(&f, c->kind);
	run(&f, c->cdb);
	g_assert_cmpuint(f.request.status, ==, c->sense ? SCSI_CHECK_CONDITION : SCSI_GOOD);
	if (c->sense)
		g_assert_cmphex(
			f.request.sense[2] << 16 | f.request.sense[12] << 8 | f.request.sense[13],
			==, c->sense);
	if (c->answer) {
		g_autoptr(GBytes) answer = bytes_from_hex(c->answer);

		g_assert_cmpmem(f.in, f.request.moved, g_bytes_get_data(answer, NULL),
			g_bytes_get_size(answer));
	}
	tear_down(&f);
}

static void fill(uint8_t *bytes, size_t length, uint8_t seed)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = seed + i * 7 + i / 256;
}

static void test_write_and_read(void)
{
	struct fixture f;

	set_up(&f, SCSI_DISK);
	f.out_length = 1024;
	fill(f.out, 1024, 3);
	run(&f, "2a 08 00000005 00 0002 00");
	g_assert_cmpuint(f.request.status, ==, SCSI_GOOD);
	g_assert_cmpmem(f.drive->bytes + 5 * 512, 1024, f.out, 1024);
	g_assert_cmpuint(f.drive->durable, ==, 1);
	run(&f, "88 00 0000000000000005 00000002 00 00");
	g_assert_cmpuint(f.request.moved, ==, 1024);
	g_assert_cmpmem(f.in, 1024, f.out, 1024);
	tear_down(&f);
}

/* Less room than the command wants: whole sectors are moved, and it is told how many. */
static void test_little_room(void)
{
	struct fixture f;

	set_up(&f, SCSI_DISK);
	f.in_room = 1000;
	run(&f, "28 00 00000000 00 0004 00");
	g_assert_cmpuint(f.request.status, ==, SCSI_GOOD);
	g_assert_cmpuint(f.request.length, ==, 2048);
	g_assert_cmpuint(f.request.moved, ==, 512);
	tear_down(&f);
}

static void test_unmap_and_same(void)
{
	static const uint8_t zeroes[512];
	struct fixture f;

	set_up(&f, SCSI_DISK);
	fill(f.drive->bytes, 4096, 1);
	memset(f.out, 0, sizeof(f.out));
	f.out_length = 24;
	memcpy(f.out, "\0\x16\0\x10\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\1\0\0\0\0", 24);
	run(&f, "42 00 00000000 00 0018 00");
	g_assert_cmpuint(f.request.status, ==, SCSI_GOOD);
	g_assert_cmpuint(f.drive->discards, ==, 1);
	g_assert_cmpmem(f.drive->bytes + 1024, 512, zeroes, 512);
	/* A range outside: nothing is unmapped. */
	f.out[12] = 0xff;
	run(&f, "42 00 00000000 00 0018 00");
	g_assert_cmphex(f.request.sense[12], ==, 0x21);
	g_assert_cmpuint(f.drive->discards, ==, 1);
	/* The list is shorter than it says. */
	f.out[3] = 0x20;
	run(&f, "42 00 00000000 00 0018 00");
	g_assert_cmphex(f.request.sense[12], ==, 0x26);
	/* And so short that it does not say it. */
	f.out_length = 1;
	run(&f, "42 00 00000000 00 0001 00");
	g_assert_cmphex(f.request.sense[12], ==, 0x26);
	f.out_length = 512;
	fill(f.out, 512, 9);
	run(&f, "93 00 0000000000000003 00000401 00 00");
	g_assert_cmpuint(f.request.status, ==, SCSI_GOOD);
	g_assert_cmpmem(f.drive->bytes + 3 * 512, 512, f.out, 512);
	g_assert_cmpmem(f.drive->bytes + (3 + 0x400) * 512, 512, f.out, 512);
	tear_down(&f);
}

static void test_mode_select(void)
{
	struct fixture f;

	set_up(&f, SCSI_DISK);
	f.out_length = 24;
	memset(f.out, 0, 24);
	memcpy(f.out + 4, "\x08\x12", 2);
	run(&f, "15 10 0000 18 00");
	g_assert_cmpuint(f.request.status, ==, SCSI_GOOD);
	g_assert_false(f.lun.write_cache);
	g_assert_cmpuint(f.drive->flushes, ==, 1);
	f.out[10] = 1;
	run(&f, "15 10 0000 18 00");
	g_assert_cmphex(f.request.sense[12], ==, 0x26);
	f.out_length = 10;
	run(&f, "15 10 0000 18 00");
	g_assert_cmphex(f.request.sense[12], ==, 0x1a);
	tear_down(&f);
}

static void test_errors(void)
{
	static const struct {
		int error;
		const char *cdb;
		uint32_t sense;
	} errors[] = {
		{ -EIO, "28 00 00000000 00 0001 00", 0x031100 },
		{ -EIO, "2a 00 00000000 00 0001 00", 0x030c00 },
		{ -ENOSPC, "2a 00 00000000 00 0001 00", 0x072707 },
		{ -ENOMEDIUM, "28 00 00000000 00 0001 00", 0x023a00 },
	};
	struct fixture f;

	set_up(&f, SCSI_DISK);
	f.out_length = 512;
	for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
		f.drive->error = errors[i].error;
		run(&f, errors[i].cdb);
		g_assert_cmphex(
			f.request.sense[2] << 16 | f.request.sense[12] << 8 | f.request.sense[13],
			==, errors[i].sense);
	}
	f.drive->error = 0;
	f.drive->drive.read_only = true;
	run(&f, "2a 00 00000000 00 0001 00");
	g_assert_cmphex(f.request.sense[12], ==, 0x27);
	tear_down(&f);
}

static void test_attention(void)
{
	struct fixture f;

	set_up(&f, SCSI_CDROM);
	scsi_lun_reset(&f.lun);
	run(&f, "12 00 00 0024 00");
	g_assert_cmpuint(f.request.status, ==, SCSI_GOOD);
	run(&f, "00");
	g_assert_cmphex(f.request.sense[12], ==, 0x29);
	run(&f, "00");
	g_assert_cmpuint(f.request.status, ==, SCSI_GOOD);
	scsi_lun_medium_changed(&f.lun);
	run(&f, "03 01 0000 14 00");
	g_assert_cmphex(f.in[0], ==, 0x72);
	g_assert_cmphex(f.in[2], ==, 0x28);
	run(&f, "4a010000100000 0008 00");
	g_assert_cmphex(f.in[4], ==, 2);
	tear_down(&f);
}

static void test_tray(void)
{
	struct fixture f;

	set_up(&f, SCSI_CDROM);
	run(&f, "1e 00 00 00 01 00");
	run(&f, "1b 00 00 00 02 00");
	g_assert_cmphex(f.request.sense[12], ==, 0x53);
	run(&f, "1e 00 00 00 00 00");
	run(&f, "1b 00 00 00 02 00");
	g_assert_true(f.lun.tray_open);
	g_assert_cmpstr(f.machine->event, ==, "DEVICE_TRAY_MOVED");
	run(&f, "28 00 00000000 00 0001 00");
	g_assert_cmphex(f.request.sense[12] << 8 | f.request.sense[13], ==, 0x3a02);
	run(&f, "1b 00 00 00 03 00");
	g_assert_false(f.lun.tray_open);
	run(&f, "00");
	g_assert_cmphex(f.request.sense[12], ==, 0x28);
	run(&f, "00");
	g_assert_cmpuint(f.request.status, ==, SCSI_GOOD);
	tear_down(&f);
}

static void test_cancel(void)
{
	struct fixture f;
	struct scsi_request other = { .cdb = { 0x35 }, .ops = &ops };

	set_up(&f, SCSI_DISK);
	other.owner = &f;
	begin(&f, "28 00 00000000 00 0001 00");
	scsi_request_submit(&f.lun, &other);
	scsi_request_cancel(&f.request);
	g_assert_false(f.done);
	g_assert_cmpuint(fake_drive_run(f.drive, 10), ==, 1);
	g_assert_cmpuint(f.drive->flushes, ==, 1);
	begin(&f, "28 00 00000000 00 0001 00");
	f.done = false;
	scsi_lun_reset(&f.lun);
	g_assert_cmpuint(fake_drive_run(f.drive, 10), ==, 0);
	g_assert_false(f.done);
	tear_down(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, &cases[i], check_case);
	g_test_add_func("/scsi/write-and-read", test_write_and_read);
	g_test_add_func("/scsi/little-room", test_little_room);
	g_test_add_func("/scsi/unmap-and-same", test_unmap_and_same);
	g_test_add_func("/scsi/mode-select", test_mode_select);
	g_test_add_func("/scsi/errors", test_errors);
	g_test_add_func("/scsi/attention", test_attention);
	g_test_add_func("/scsi/tray", test_tray);
	g_test_add_func("/scsi/cancel", test_cancel);
	return g_test_run();
}
