/* A disk of a machine that only remembers what it was asked. */
#include "tests/unit/vmm/storage/disk.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <unistd.h>

#include "vmm/machine/run-state.h"

unsigned disk_stops;
GString *disk_events;

struct soon {
	struct machine *machine;
	void (*func)(struct machine *machine, void *device);
	void *device;
};

static gboolean call(gpointer opaque)
{
	struct soon *soon = opaque;

	g_mutex_lock(&soon->machine->lock);
	soon->func(soon->machine, soon->device);
	g_mutex_unlock(&soon->machine->lock);
	return G_SOURCE_REMOVE;
}

void machine_run_soon(
	struct machine *machine, void (*func)(struct machine *machine, void *device), void *device)
{
	struct soon *soon = g_new(struct soon, 1);

	*soon = (struct soon) { machine, func, device };
	g_idle_add_full(G_PRIORITY_HIGH, call, soon, g_free);
}

void machine_emit(struct machine *machine, const char *name, JsonObject *data)
{
	if (g_str_equal(name, "BLOCK_IO_ERROR"))
		g_string_append_printf(disk_events, "%s:%s ",
			json_object_get_string_member(data, "operation"),
			json_object_get_string_member(data, "action"));
	json_object_unref(data);
}

void machine_request_stop(struct machine *machine, enum run_state state)
{
	g_assert_cmpint(state, ==, RUN_STATE_IO_ERROR);
	__atomic_fetch_add(&disk_stops, 1, __ATOMIC_SEQ_CST);
	g_main_context_wakeup(NULL);
}

static void run_qemu_img(const char *format, const char *file)
{
	const char *words[] = { "qemu-img", "create", "-q", "-f", format, file, "1M", NULL };
	g_autoptr(GError) error = NULL;
	int status;

	g_spawn_sync(NULL, (char **)words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
		&status, &error);
	g_assert_no_error(error);
	g_assert_cmpint(status, ==, 0);
}

static void done(void *opaque, struct block_request *request, int result)
{
	struct disk *disk = opaque;

	disk->ended++;
	disk->result = result;
}

static struct disk *new_disk(void)
{
	struct disk *disk = g_new0(struct disk, 1);

	disk_stops = 0;
	disk_events = g_string_new(NULL);
	g_mutex_init(&disk->machine.lock);
	disk->device.machine = &disk->machine;
	disk->drives = drives_new();
	return disk;
}

static void take(struct disk *disk)
{
	static const struct drive_ops ops = { .is_cdrom = false };

	disk->drive = drives_take(disk->drives, "disk0", &disk->device, &ops, NULL, NULL);
	g_assert_nonnull(disk->drive);
	disk->queue = block_queue_new(&disk->machine, disk->drive, done, disk);
}

struct disk *disk_new(const char *format, const struct block_config *more)
{
	struct disk *disk = new_disk();
	struct block_config config = more ? *more : (struct block_config) { 0 };
	g_autoptr(GError) error = NULL;

	disk->folder = g_dir_make_tmp("vitrine-test-XXXXXX", NULL);
	disk->file = g_build_filename(disk->folder, "a,disk", NULL);
	if (format && g_strcmp0(format, "raw") != 0) {
		run_qemu_img(format, disk->file);
	} else {
		int fd = open(disk->file, O_CREAT | O_RDWR, 0600);

		g_assert_cmpint(ftruncate(fd, DISK_BYTES), ==, 0);
		close(fd);
	}
	config.id = "disk0";
	config.path = disk->file;
	config.format = format;
	config.on_write_error = DRIVE_ERROR_ENOSPC;
	drives_add(disk->drives, &config, &error);
	g_assert_no_error(error);
	take(disk);
	return disk;
}

struct disk *disk_new_with(struct block_backend *backend)
{
	struct disk *disk = new_disk();
	struct block_config config = { .id = "disk0" };

	g_assert_true(drives_add(disk->drives, &config, NULL));
	drive_set_image(drives_find(disk->drives, "disk0"), backend);
	take(disk);
	return disk;
}

void disk_free(struct disk *disk)
{
	block_queue_free(disk->queue);
	drive_release(disk->drive);
	drives_free(disk->drives);
	while (g_main_context_iteration(NULL, FALSE))
		;
	if (disk->file)
		g_unlink(disk->file);
	if (disk->folder)
		g_rmdir(disk->folder);
	g_free(disk->file);
	g_free(disk->folder);
	g_mutex_clear(&disk->machine.lock);
	g_string_free(disk_events, TRUE);
	g_free(disk);
}

void disk_submit(struct disk *disk, struct block_request *request, struct iovec *piece,
	enum block_operation operation, uint64_t offset, void *bytes, uint64_t length)
{
	*piece = (struct iovec) { bytes, length };
	*request = (struct block_request) {
		.operation = operation,
		.offset = offset,
		.length = length,
		.pieces = piece,
		.count = bytes ? 1 : 0,
	};
	g_mutex_lock(&disk->machine.lock);
	block_queue_submit(disk->queue, request);
	g_mutex_unlock(&disk->machine.lock);
}

void disk_wait(struct disk *disk, unsigned count)
{
	while (disk->ended < count && !__atomic_load_n(&disk_stops, __ATOMIC_SEQ_CST))
		g_main_context_iteration(NULL, TRUE);
}

int disk_do(struct disk *disk, enum block_operation operation, uint64_t offset, void *bytes,
	uint64_t length)
{
	struct block_request request;
	struct iovec piece;

	disk_submit(disk, &request, &piece, operation, offset, bytes, length);
	disk_wait(disk, disk->ended + 1);
	return disk->result;
}
