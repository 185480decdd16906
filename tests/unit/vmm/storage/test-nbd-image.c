/* Images behind a helper, which is killed: what was acknowledged is there, what was asked is answered. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/vmm/storage/disk.h"

enum {
	BLOCK = 4096,
	BLOCKS = DISK_BYTES / BLOCK,
};

static int helper_of(const struct disk *disk)
{
	struct nbd_image *image = (struct nbd_image *)disk->drive->image;

	return nbd_helper_pid(image->helper);
}

static void fill(uint8_t *bytes, unsigned block, unsigned round)
{
	for (unsigned i = 0; i < BLOCK; i++)
		bytes[i] = block * 31 + round * 7 + i;
}

static void check(struct disk *disk, unsigned round)
{
	for (unsigned block = 0; block < BLOCKS; block++) {
		uint8_t out[BLOCK], in[BLOCK];

		fill(out, block, round);
		g_assert_cmpint(
			disk_do(disk, BLOCK_READ, (uint64_t)block * BLOCK, in, BLOCK), ==, 0);
		g_assert_cmpmem(in, BLOCK, out, BLOCK);
	}
}

static void write_all(struct disk *disk, unsigned round, unsigned kill_every)
{
	for (unsigned block = 0; block < BLOCKS; block++) {
		uint8_t out[BLOCK];

		fill(out, block, round);
		g_assert_cmpint(
			disk_do(disk, BLOCK_WRITE, (uint64_t)block * BLOCK, out, BLOCK), ==, 0);
		if (kill_every > 0 && block % kill_every == kill_every - 1)
			kill(helper_of(disk), SIGKILL);
	}
}

static bool have(const char *program)
{
	g_autofree char *path = g_find_program_in_path(program);

	if (!path)
		g_test_skip("qemu-utils is not installed");
	return path;
}

static void test_formats(void)
{
	static const char *const formats[] = { "qcow2", "vmdk", "vdi", "vhdx" };
	struct block_config config = { .discard = true };

	if (!have("qemu-nbd"))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
		struct disk *disk = disk_new(formats[i], &config);
		uint8_t in[65536], zeroes[65536] = { 0 };

		g_assert_cmpuint(disk->drive->image->size, ==, DISK_BYTES);
		write_all(disk, i, 0);
		check(disk, i);
		g_assert_cmpint(disk_do(disk, BLOCK_FLUSH, 0, NULL, 0), ==, 0);
		g_assert_cmpint(disk_do(disk, BLOCK_WRITE_ZEROES, 0, NULL, 65536), ==, 0);
		g_assert_cmpint(disk_do(disk, BLOCK_READ, 0, in, sizeof(in)), ==, 0);
		g_assert_cmpmem(in, sizeof(in), zeroes, sizeof(zeroes));
		g_assert_cmpint(disk_do(disk, BLOCK_DISCARD, 131072, NULL, 65536), ==, 0);
		disk_free(disk);
	}
}

/* Killed after writes that nobody has flushed. */
static void test_killed(void)
{
	struct disk *disk;

	if (!have("qemu-nbd"))
		return;
	disk = disk_new("qcow2", NULL);
	write_all(disk, 1, 50);
	check(disk, 1);
	kill(helper_of(disk), SIGKILL);
	g_assert_cmpint(disk_do(disk, BLOCK_FLUSH, 0, NULL, 0), ==, 0);
	write_all(disk, 2, 20);
	check(disk, 2);
	g_assert_cmpstr(disk_events->str, ==, "");
	disk_free(disk);
}

/* Killed just before the guest's end: the image is whole afterwards. */
static void test_killed_last(void)
{
	g_autoptr(GError) error = NULL;
	struct block_config config = { .format = "qcow2" };
	struct disk *disk;

	if (!have("qemu-nbd"))
		return;
	disk = disk_new("qcow2", NULL);
	write_all(disk, 3, 0);
	kill(helper_of(disk), SIGKILL);
	g_mutex_lock(&disk->machine.lock);
	block_queue_set_running(disk->queue, false);
	config.path = disk->file;
	drive_set_image(disk->drive, NULL);
	drive_set_image(disk->drive, block_backend_open(&config, &error));
	block_queue_set_running(disk->queue, true);
	g_mutex_unlock(&disk->machine.lock);
	g_assert_no_error(error);
	check(disk, 3);
	disk_free(disk);
}

/* The helper cannot come back: the policy decides, and what was acknowledged is there when it can again. */
static void test_gone(void)
{
	g_autofree char *path = g_strdup(g_getenv("PATH"));
	struct block_request request;
	struct iovec piece;
	uint8_t bytes[BLOCK];
	struct disk *disk;

	if (!have("qemu-nbd"))
		return;
	disk = disk_new("qcow2", NULL);
	disk->drive->on_write_error = DRIVE_ERROR_STOP;
	write_all(disk, 4, 0);
	g_setenv("PATH", "/nonexistent", TRUE);
	kill(helper_of(disk), SIGKILL);
	g_assert_cmpint(disk_do(disk, BLOCK_READ, 0, bytes, BLOCK), ==, -EIO);
	fill(bytes, 0, 4);
	disk->ended = 0;
	disk_submit(disk, &request, &piece, BLOCK_WRITE, 0, bytes, BLOCK);
	disk_wait(disk, 1);
	g_assert_cmpuint(disk->ended, ==, 0);
	g_mutex_lock(&disk->machine.lock);
	block_queue_set_running(disk->queue, false);
	g_mutex_unlock(&disk->machine.lock);
	g_setenv("PATH", path, TRUE);
	g_usleep(1100000); /* connecting is not tried more often than once a second */
	disk_stops = 0;
	g_mutex_lock(&disk->machine.lock);
	block_queue_set_running(disk->queue, true);
	g_mutex_unlock(&disk->machine.lock);
	disk_wait(disk, 1);
	g_assert_cmpint(disk->result, ==, 0);
	check(disk, 4);
	g_assert_cmpstr(disk_events->str, ==, "read:report write:stop ");
	disk_free(disk);
}

static void test_resize(void)
{
	struct disk *disk;
	uint8_t bytes[BLOCK] = { 9 };

	if (!have("qemu-nbd"))
		return;
	disk = disk_new("qcow2", NULL);
	write_all(disk, 5, 0);
	g_mutex_lock(&disk->machine.lock);
	block_queue_set_running(disk->queue, false);
	g_assert_true(disk->drive->image->ops->resize(disk->drive->image, 2 * DISK_BYTES, NULL));
	block_queue_set_running(disk->queue, true);
	g_mutex_unlock(&disk->machine.lock);
	g_assert_cmpuint(disk->drive->image->size, ==, 2 * DISK_BYTES);
	g_assert_cmpint(disk_do(disk, BLOCK_WRITE, 2 * DISK_BYTES - BLOCK, bytes, BLOCK), ==, 0);
	check(disk, 5);
	disk_free(disk);
}

/* Writes of a snapshot are gone with it, and are there while it lasts, whoever dies. */
static void test_snapshot(void)
{
	struct block_config config = { .snapshot = true };
	g_autoptr(GError) error = NULL;
	struct block_backend *raw;
	struct disk *disk;
	uint8_t in[BLOCK], zeroes[BLOCK] = { 0 };

	if (!have("qemu-nbd"))
		return;
	disk = disk_new("raw", &config);
	write_all(disk, 6, 40);
	check(disk, 6);
	g_mutex_lock(&disk->machine.lock);
	config = (struct block_config) { .path = disk->file, .format = "raw" };
	drive_set_image(disk->drive, NULL);
	raw = block_backend_open(&config, &error);
	g_assert_no_error(error);
	drive_set_image(disk->drive, raw);
	g_mutex_unlock(&disk->machine.lock);
	g_assert_cmpint(disk_do(disk, BLOCK_READ, 0, in, BLOCK), ==, 0);
	g_assert_cmpmem(in, BLOCK, zeroes, BLOCK);
	disk_free(disk);
}

static void test_refused(void)
{
	struct block_config config = { .id = "x" };
	g_autoptr(GError) error = NULL;
	struct disk *disk;

	if (!have("qemu-nbd"))
		return;
	disk = disk_new("qcow2", NULL);
	config.path = disk->file;
	config.format = "qcow2";
	g_assert_null(block_backend_open(&config, &error));
	g_assert_nonnull(strstr(error->message, "uses it; end that one"));
	g_clear_error(&error);
	config.format = "vdi";
	g_assert_null(block_backend_open(&config, &error));
	g_test_message("%s", error->message);
	g_clear_error(&error);
	config.path = "rbd://pool/image";
	g_assert_null(block_backend_open(&config, &error));
	g_assert_nonnull(strstr(error->message, "nbd+unix://"));
	g_clear_error(&error);
	config.path = "nbd+unix:///?socket=/nonexistent/socket";
	config.format = NULL;
	g_assert_null(block_backend_open(&config, &error));
	g_test_message("%s", error->message);
	disk_free(disk);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/nbd-image/formats", test_formats);
	g_test_add_func("/nbd-image/killed", test_killed);
	g_test_add_func("/nbd-image/killed-last", test_killed_last);
	g_test_add_func("/nbd-image/gone", test_gone);
	g_test_add_func("/nbd-image/resize", test_resize);
	g_test_add_func("/nbd-image/snapshot", test_snapshot);
	g_test_add_func("/nbd-image/refused", test_refused);
	return g_test_run();
}
