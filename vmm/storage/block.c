/* A raw disk image on the host: opening, size. */
#include "vmm/storage/block.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "vmm/storage/block-engine.h"
#include "vmm/storage/image-lock.h"
#include "vmm/storage/image-open.h"

struct raw_backend {
	struct block_backend backend;
	int fd;
};

static bool image_size(int fd, uint64_t *size, GError **error)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot look at it");
	if (S_ISBLK(status.st_mode)) {
		if (ioctl(fd, BLKGETSIZE64, size) < 0)
			return fail_errno(error, VITRINE_ERROR_HOST, "cannot find out its size");
	} else if (S_ISREG(status.st_mode)) {
		*size = status.st_size;
	} else {
		return fail(error, VITRINE_ERROR_INPUT, "it is neither a file nor a block device");
	}
	if (*size == 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"it is empty; a raw image has the size of its disk");
	if (*size % SECTOR != 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"its size, %" G_GUINT64_FORMAT
			" bytes, is no multiple of %d; it is no raw image, or "
			"was cut short",
			*size, SECTOR);
	return true;
}

static bool check_image(int fd, const struct block_config *config, uint64_t *size, GError **error)
{
	if (!image_size(fd, size, error))
		return false;
	if (!image_lock(fd, config->read_only))
		return fail(error, VITRINE_ERROR_BUSY,
			"another program, or another -drive of this one, uses it%s; end that one, "
			"or use "
			"readonly=on on both sides",
			config->read_only ? " for writing" : "");
	return true;
}

static void cannot_open(const struct block_config *config, GError **error)
{
	if (errno == EISDIR)
		fail(error, VITRINE_ERROR_INPUT, "it is a folder; a raw image is a file");
	else if (!config->read_only && (errno == EACCES || errno == EPERM || errno == EROFS))
		fail_errno(error, VITRINE_ERROR_HOST,
			"no right to write to it; readonly=on only reads");
	else
		fail_errno(error, VITRINE_ERROR_HOST, "cannot open it");
}

static void raw_close(struct block_backend *backend)
{
	struct raw_backend *raw = (struct raw_backend *)backend;

	close(raw->fd);
	g_free(backend->path);
	g_free(raw);
}

static struct block_engine *raw_new_engine(
	struct block_backend *backend, struct block_worker *worker)
{
	struct raw_backend *raw = (struct raw_backend *)backend;
	struct block_engine *engine = engine_ring_new(worker, raw->fd);

	if (engine)
		return engine;
	log_info("disk image %s: no io_uring here (%s), one request at a time instead",
		backend->path, g_strerror(errno));
	return engine_plain_new(worker, raw->fd);
}

static bool raw_resize(struct block_backend *backend, uint64_t size, GError **error)
{
	struct raw_backend *raw = (struct raw_backend *)backend;
	uint64_t device_size;
	struct stat status;

	if (fstat(raw->fd, &status) == 0 && S_ISBLK(status.st_mode)) {
		/* Whoever changed the device's size wants us to look again. */
		if (ioctl(raw->fd, BLKGETSIZE64, &device_size) < 0 || device_size < size)
			return fail(error, VITRINE_ERROR_INPUT,
				"disk image %s: the device is not that large", backend->path);
	} else if (ftruncate(raw->fd, size) < 0) {
		return fail_errno(error, VITRINE_ERROR_HOST, "disk image %s: cannot resize it",
			backend->path);
	}
	backend->size = size;
	return true;
}

static const struct block_backend_ops raw_ops = {
	.close = raw_close,
	.resize = raw_resize,
	.new_engine = raw_new_engine,
};

struct block_backend *raw_image_open(
	const struct block_config *config, bool guarded, GError **error)
{
	int flags = (config->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY |
		    (config->no_cache ? O_DIRECT : 0);
	int fd = open(config->path, flags | O_NONBLOCK);
	struct raw_backend *raw;
	uint64_t size;

	if (fd < 0) {
		cannot_open(config, error);
		return NULL;
	}
	/* Not to wait for the other end of a pipe when opening; from now on, waiting is right. */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	if (!check_image(fd, config, &size, error)) {
		close(fd);
		return NULL;
	}
	raw = g_new0(struct raw_backend, 1);
	raw->backend = (struct block_backend) {
		.ops = &raw_ops,
		.path = g_strdup(config->path),
		.format = "raw",
		.size = size,
		.read_only = config->read_only,
		.discard = config->discard && !config->read_only,
		.no_flush = config->no_flush,
		.write_through = config->write_through,
		.guarded = guarded && !config->read_only,
	};
	raw->fd = fd;
	return &raw->backend;
}

void block_backend_close(struct block_backend *backend)
{
	if (backend)
		backend->ops->close(backend);
}
