/* An image behind an NBD server: connecting, connecting again, and closing. */
#include "vmm/storage/nbd-image.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "vmm/storage/image-open.h"

enum {
	COMPLAINT_PATIENCE = 2000, /* milliseconds until a helper that failed has ended */
	REPLAY_CHUNK = 1 << 20,    /* bytes of zeroes at a time */
};

/* "nbd_aio_connect_uri: connect: 127.0.0.1:1: could not connect": without the function's name. */
static const char *library_words(void)
{
	const char *words = nbd_get_error();
	const char *colon = words && g_str_has_prefix(words, "nbd_") ? strstr(words, ": ") : NULL;

	return colon ? colon + 2 : words ? words : "no NBD server there";
}

void nbd_image_move(struct nbd_handle *connection, short events)
{
	unsigned direction = nbd_aio_get_direction(connection);
	bool reads = events & (POLLIN | POLLERR | POLLHUP) && direction & LIBNBD_AIO_DIRECTION_READ;

	if (reads)
		nbd_aio_notify_read(connection);
	else if (events && direction & LIBNBD_AIO_DIRECTION_WRITE)
		nbd_aio_notify_write(connection);
}

bool nbd_image_is_lost(struct nbd_handle *connection)
{
	return nbd_aio_is_dead(connection) == 1 || nbd_aio_is_closed(connection) == 1;
}

/* Turns the connection's wheels once; false when the time is over or polling failed. */
static bool turn(struct nbd_handle *nbd, int64_t deadline)
{
	unsigned direction = nbd_aio_get_direction(nbd);
	struct pollfd fd = {
		.fd = nbd_aio_get_fd(nbd),
		.events = (direction & LIBNBD_AIO_DIRECTION_READ ? POLLIN : 0) |
			  (direction & LIBNBD_AIO_DIRECTION_WRITE ? POLLOUT : 0),
	};
	int64_t left = (deadline - g_get_monotonic_time()) / 1000;
	int ready = left > 0 ? poll(&fd, 1, left) : 0;

	if (ready == 0 || (ready < 0 && errno != EINTR))
		return false;
	nbd_image_move(nbd, fd.revents);
	return true;
}

bool nbd_image_wait(struct nbd_image *image, int64_t cookie, GError **error)
{
	struct nbd_handle *nbd = image->connection;
	int64_t deadline = g_get_monotonic_time() + NBD_PATIENCE * 1000;
	int result = cookie < 0 ? -1 : 0;

	while (result == 0) {
		result = nbd_aio_command_completed(nbd, cookie);
		if (result == 0 && (nbd_image_is_lost(nbd) || !turn(nbd, deadline)))
			return fail(error, VITRINE_ERROR_HOST, "the server does not answer");
	}
	return result > 0 || fail(error, VITRINE_ERROR_HOST, "%s", library_words());
}

static bool handshake(struct nbd_handle *nbd, GError **error)
{
	int64_t deadline = g_get_monotonic_time() + NBD_PATIENCE * 1000;

	while (nbd_aio_is_connecting(nbd) == 1)
		if (!turn(nbd, deadline))
			return fail(error, VITRINE_ERROR_HOST, "the server does not answer");
	return nbd_aio_is_ready(nbd) == 1 || fail(error, VITRINE_ERROR_HOST, "%s", library_words());
}

/* qemu-nbd: Failed to get "write" lock; Is another process using the image */
static bool in_use(const char *complaint)
{
	return strstr(complaint, "another process using") || strstr(complaint, "\" lock");
}

/* What a helper that did not come up has said, in our words where we know better. */
static bool helper_failed(struct nbd_image *image, GError **error)
{
	g_autofree char *complaint = nbd_helper_complaint(image->helper, COMPLAINT_PATIENCE);
	const char *reason;

	if (in_use(complaint))
		return fail(error, VITRINE_ERROR_BUSY,
			"another program, or another -drive of this one, uses it%s; end that one, "
			"or use readonly=on on both sides",
			image->backend.read_only ? " for writing" : "");
	/* qemu-nbd: Failed to blk_new_open 'driver=qcow2,...': what is of interest */
	reason = strstr(complaint, "blk_new_open '") ? strstr(complaint, "': ") : NULL;
	reason = reason ? reason + strlen("': ") : complaint;
	return fail(error, VITRINE_ERROR_HOST, "%s",
		reason[0] ? reason : "its helper ended without a word");
}

static bool open_connection(struct nbd_image *image, GError **error)
{
	g_autoptr(GError) why = NULL;
	struct nbd_handle *nbd = nbd_create();
	int socket = -1;
	int result;

	if (!nbd)
		return fail(error, VITRINE_ERROR_HOST, "%s", library_words());
	image->connection = nbd;
	if (image->uri) {
		nbd_set_uri_allow_local_file(nbd, true);
		result = nbd_aio_connect_uri(nbd, image->uri);
	} else {
		image->helper = nbd_helper_start((const char *const *)image->arguments,
			image->package, image->image_fd, &socket, error);
		if (!image->helper)
			return false;
		result = nbd_aio_connect_socket(nbd, socket);
	}
	if (result == 0 && handshake(nbd, &why))
		return true;
	if (image->helper)
		return helper_failed(image, error);
	return why ? (g_propagate_error(error, g_steal_pointer(&why)), false)
		   : fail(error, VITRINE_ERROR_HOST, "%s", library_words());
}

/* Section "Block size constraints": a guest's requests are sectors. */
static bool check_export(struct nbd_image *image, GError **error)
{
	struct nbd_handle *nbd = image->connection;
	int64_t size = nbd_get_size(nbd);
	int64_t smallest = nbd_get_block_size(nbd, LIBNBD_SIZE_MINIMUM);

	if (size < 0)
		return fail(error, VITRINE_ERROR_HOST, "%s", library_words());
	if (smallest > SECTOR)
		return fail(error, VITRINE_ERROR_INPUT,
			"its server takes blocks of %d bytes only; a disk has sectors of %d",
			(int)smallest, SECTOR);
	if (image->backend.size != 0 && image->backend.size != (uint64_t)size / SECTOR * SECTOR)
		return fail(error, VITRINE_ERROR_INPUT,
			"its size was %" G_GUINT64_FORMAT " bytes, and is %" G_GINT64_FORMAT " now",
			image->backend.size, size);
	if (size < SECTOR)
		return fail(error, VITRINE_ERROR_INPUT, "it is empty");
	if (!image->backend.read_only && nbd_is_read_only(nbd) == 1)
		return fail(error, VITRINE_ERROR_INPUT,
			"its server only lets it be read; use readonly=on");
	image->backend.size = (uint64_t)size / SECTOR * SECTOR;
	image->can_flush = nbd_can_flush(nbd) == 1;
	image->can_trim = nbd_can_trim(nbd) == 1;
	return true;
}

static bool replay_zeroes(
	struct nbd_image *image, const struct write_log_entry *entry, GError **error)
{
	g_autofree uint8_t *zeroes = NULL;
	uint64_t done = 0;

	if (nbd_can_zero(image->connection) == 1)
		return nbd_image_wait(image,
			nbd_aio_zero(image->connection, entry->length, entry->offset,
				NBD_NULL_COMPLETION, entry->unmap ? 0 : LIBNBD_CMD_FLAG_NO_HOLE),
			error);
	zeroes = g_malloc0(REPLAY_CHUNK);
	while (done < entry->length) {
		uint64_t part = MIN(entry->length - done, (uint64_t)REPLAY_CHUNK);

		if (!nbd_image_wait(image,
			    nbd_aio_pwrite(image->connection, zeroes, part, entry->offset + done,
				    NBD_NULL_COMPLETION, 0),
			    error))
			return false;
		done += part;
	}
	return true;
}

/* In the order in which they were acknowledged: some may lie over others. */
static bool replay(struct nbd_image *image, GError **error)
{
	for (const GList *link = image->log.entries.head; link; link = link->next) {
		const struct write_log_entry *entry = link->data;
		bool good = entry->bytes ? nbd_image_wait(image,
						   nbd_aio_pwrite(image->connection, entry->bytes,
							   entry->length, entry->offset,
							   NBD_NULL_COMPLETION, 0),
						   error)
					 : replay_zeroes(image, entry, error);

		if (!good) {
			g_prefix_error(error, "cannot write once more what was not flushed yet: ");
			return false;
		}
	}
	return true;
}

bool nbd_image_connect(struct nbd_image *image, GError **error)
{
	image->tried = g_get_monotonic_time();
	if (open_connection(image, error) && check_export(image, error) && replay(image, error))
		return true;
	nbd_image_drop(image);
	return false;
}

void nbd_image_drop(struct nbd_image *image)
{
	g_clear_pointer(&image->connection, nbd_close);
	if (image->helper)
		nbd_helper_finish(image->helper, 0, true);
	image->helper = NULL;
}

static void close_quietly(struct nbd_image *image)
{
	if (image->connection)
		nbd_shutdown(image->connection, 0);
	g_clear_pointer(&image->connection, nbd_close);
	if (image->helper)
		nbd_helper_finish(image->helper, NBD_PATIENCE, false);
	image->helper = NULL;
}

bool nbd_image_settle(struct nbd_image *image, GError **error)
{
	bool had = image->connection;
	bool flushed;

	if (image->log.entries.length == 0 || (!had && !nbd_image_connect(image, error)))
		return image->log.entries.length == 0;
	flushed = nbd_image_wait(
		image, nbd_aio_flush(image->connection, NBD_NULL_COMPLETION, 0), error);
	if (!flushed && had) {
		/* Its helper died while nobody looked. */
		g_clear_error(error);
		nbd_image_drop(image);
		return nbd_image_settle(image, error);
	}
	if (flushed)
		write_log_clear(&image->log);
	return flushed;
}

static void nbd_image_close(struct block_backend *backend)
{
	struct nbd_image *image = (struct nbd_image *)backend;
	g_autoptr(GError) error = NULL;

	if (!nbd_image_settle(image, &error))
		log_error("disk image %s: what was written last may be lost: %s", backend->path,
			error->message);
	close_quietly(image);
	write_log_clear(&image->log);
	if (image->image_fd >= 0)
		close(image->image_fd);
	g_free(image->uri);
	g_strfreev(image->arguments);
	g_free(image->file);
	g_free(backend->path);
	g_free(image);
}

static struct block_engine *nbd_image_new_engine(
	struct block_backend *backend, struct block_worker *worker)
{
	return engine_nbd_new((struct nbd_image *)backend, worker);
}

/* The server knows but one size of an image: it is ended, and another is started. */
static bool nbd_image_resize(struct block_backend *backend, uint64_t size, GError **error)
{
	struct nbd_image *image = (struct nbd_image *)backend;
	g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, size);
	g_autofree char *words = NULL;
	uint64_t before = backend->size;
	int status = 0;
	bool good;

	if (!image->file)
		return fail(error, VITRINE_ERROR_STATE,
			"disk image %s: an image of this kind cannot be resized", backend->path);
	if (!nbd_image_settle(image, error))
		return false;
	close_quietly(image);
	const char *arguments[] = { "qemu-img", "resize", "-q", "-f", backend->format,
		size < before ? "--shrink" : "--", image->file, number, NULL };

	good = g_spawn_sync(NULL, (char **)arguments, NULL,
		       G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &words,
		       &status, error) &&
	       (g_spawn_check_wait_status(status, NULL) ||
		       fail(error, VITRINE_ERROR_HOST, "disk image %s: %s", backend->path,
			       g_strstrip(words)));
	backend->size = 0;
	if (!nbd_image_connect(image, good ? error : NULL)) {
		backend->size = good ? size : before;
		return false;
	}
	return good;
}

static const struct block_backend_ops nbd_ops = {
	.close = nbd_image_close,
	.resize = nbd_image_resize,
	.new_engine = nbd_image_new_engine,
};

struct block_backend *nbd_image_open(struct nbd_image *image, GError **error)
{
	image->backend.ops = &nbd_ops;
	write_log_init(&image->log);
	if (nbd_image_connect(image, error)) {
		image->backend.discard = image->backend.discard && image->can_trim;
		return &image->backend;
	}
	nbd_image_close(&image->backend);
	return NULL;
}
