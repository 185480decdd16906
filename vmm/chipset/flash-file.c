/* What a flash chip holds: a file of the host, in memory, and a thread that writes changes back to it.
 *
 * Changed blocks are bits in a map. The thread takes the map, writes the blocks as they are then, and makes them durable.
 * A block that changes while it is written is in the next map, so that the file ends up as the memory is. A block that could
 * not be written stays in the map and is tried again with the next change.
 */
#include "vmm/chipset/flash-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "vmm/storage/image-lock.h"

enum {
	BLOCK = 4096, /* bytes that are written at once */
	BLOCKS_MAX = FLASH_FILE_MAX / BLOCK,
	COMPLAINTS_MAX = 4,
};

struct flash_file {
	char *path;
	int fd;
	uint8_t *bytes;
	uint32_t size;
	GThread *thread; /* NULL: read-only */
	unsigned complaints;

	GMutex lock; /* for what follows; a leaf */
	GCond changed;
	uint8_t dirty[BLOCKS_MAX / 8];
	bool is_dirty, writing, failed, ends;
};

static bool write_block(struct flash_file *file, unsigned block)
{
	uint8_t copy[BLOCK];
	size_t done = 0;

	memcpy(copy, file->bytes + (size_t)block * BLOCK, BLOCK);
	while (done < BLOCK) {
		ssize_t now =
			pwrite(file->fd, copy + done, BLOCK - done, (off_t)block * BLOCK + done);

		if (now < 0 && errno == EINTR)
			continue;
		if (now <= 0)
			return false;
		done += now;
	}
	return true;
}

static bool write_blocks(struct flash_file *file, const uint8_t dirty[BLOCKS_MAX / 8])
{
	for (unsigned block = 0; block < file->size / BLOCK; block++)
		if (dirty[block / 8] >> block % 8 & 1 && !write_block(file, block))
			return false;
	return fdatasync(file->fd) == 0;
}

/* With the file's lock, which it gives up while it writes. */
static void write_dirty(struct flash_file *file)
{
	uint8_t dirty[BLOCKS_MAX / 8];
	int reason = 0;
	bool done;

	memcpy(dirty, file->dirty, sizeof(dirty));
	memset(file->dirty, 0, sizeof(file->dirty));
	file->is_dirty = false;
	file->writing = true;
	g_mutex_unlock(&file->lock);
	done = write_blocks(file, dirty);
	reason = errno;
	if (!done)
		log_limited(&file->complaints, COMPLAINTS_MAX,
			"flash image %s: cannot write what the guest stored: %s; it is tried again "
			"with the next change",
			file->path, g_strerror(reason));
	g_mutex_lock(&file->lock);
	file->writing = false;
	file->failed = !done;
	for (size_t i = 0; !done && i < sizeof(dirty); i++)
		file->dirty[i] |= dirty[i];
	g_cond_broadcast(&file->changed);
}

static gpointer write_back(gpointer opaque)
{
	struct flash_file *file = opaque;

	g_mutex_lock(&file->lock);
	while (!file->ends || file->is_dirty) {
		if (file->is_dirty)
			write_dirty(file);
		else
			g_cond_wait(&file->changed, &file->lock);
	}
	g_mutex_unlock(&file->lock);
	return NULL;
}

static bool read_all(struct flash_file *file, GError **error)
{
	size_t done = 0;

	while (done < file->size) {
		ssize_t now = pread(file->fd, file->bytes + done, file->size - done, done);

		if (now < 0 && errno == EINTR)
			continue;
		if (now < 0)
			return fail_errno(error, VITRINE_ERROR_HOST, "cannot read it");
		if (now == 0)
			return fail(error, VITRINE_ERROR_HOST, "it became shorter");
		done += now;
	}
	return true;
}

static bool check(
	const struct flash_file *file, bool read_only, struct stat *status, GError **error)
{
	if (fstat(file->fd, status) < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot look at it");
	if (!S_ISREG(status->st_mode))
		return fail(error, VITRINE_ERROR_INPUT, "it is no regular file");
	if (status->st_size == 0 || status->st_size > FLASH_FILE_MAX ||
		status->st_size % BLOCK != 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"it has %" G_GINT64_FORMAT
			" bytes; accepted: a multiple of %d, at most %d MiB, such as the OVMF_CODE "
			"and OVMF_VARS files of the package ovmf",
			(gint64)status->st_size, BLOCK, FLASH_FILE_MAX >> 20);
	if (image_lock(file->fd, read_only))
		return true;
	return fail(error, VITRINE_ERROR_BUSY, "another guest uses it%s; %s",
		read_only ? " for writing" : "",
		read_only ? "use readonly=on there as well"
			  : "give each guest a copy of its own, or use readonly=on for both");
}

static bool load(struct flash_file *file, bool read_only, GError **error)
{
	struct stat status;
	void *bytes;

	if (file->fd < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot open it");
	if (!check(file, read_only, &status, error))
		return false;
	bytes = mmap(
		NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED)
		return fail_errno(error, VITRINE_ERROR_HOST, "there is no memory for it");
	file->bytes = bytes;
	file->size = status.st_size;
	return read_all(file, error);
}

struct flash_file *flash_file_open(const char *path, bool read_only, GError **error)
{
	struct flash_file *file = g_new0(struct flash_file, 1);

	g_mutex_init(&file->lock);
	g_cond_init(&file->changed);
	file->path = g_strdup(path);
	file->fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (!load(file, read_only, error)) {
		g_prefix_error(error, "flash image %s: ", path);
		flash_file_close(file);
		return NULL;
	}
	if (!read_only)
		file->thread = g_thread_new("flash", write_back, file);
	return file;
}

void flash_file_close(struct flash_file *file)
{
	if (!file)
		return;
	if (file->thread) {
		g_mutex_lock(&file->lock);
		file->ends = true;
		file->is_dirty |= file->failed; /* one last time */
		g_cond_broadcast(&file->changed);
		g_mutex_unlock(&file->lock);
		g_thread_join(file->thread);
		if (file->failed)
			log_error("flash image %s: what the guest stored last is not in it",
				file->path);
	}
	if (file->bytes)
		munmap(file->bytes, file->size);
	if (file->fd >= 0)
		close(file->fd);
	g_free(file->path);
	g_mutex_clear(&file->lock);
	g_cond_clear(&file->changed);
	g_free(file);
}

uint8_t *flash_file_bytes(const struct flash_file *file)
{
	return file->bytes;
}

uint32_t flash_file_size(const struct flash_file *file)
{
	return file->size;
}

void flash_file_changed(struct flash_file *file, uint32_t offset, uint32_t length)
{
	if (!file->thread || length == 0)
		return;
	g_mutex_lock(&file->lock);
	for (uint32_t block = offset / BLOCK; block <= (offset + length - 1) / BLOCK; block++)
		file->dirty[block / 8] |= 1 << block % 8;
	file->is_dirty = true;
	g_cond_broadcast(&file->changed);
	g_mutex_unlock(&file->lock);
}

void flash_file_flush(struct flash_file *file)
{
	if (!file->thread)
		return;
	g_mutex_lock(&file->lock);
	while (file->is_dirty || file->writing)
		g_cond_wait(&file->changed, &file->lock);
	g_mutex_unlock(&file->lock);
}
