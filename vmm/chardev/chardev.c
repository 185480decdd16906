/* Character devices: the common part, which moves bytes between a front end and descriptors.
 *
 * One event source for each does all that touches descriptors, on the main loop. Writers on other threads only fill the
 * output ring and wake that source.
 */
#include "vmm/chardev/chardev-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

enum {
	MAXIMUM_WARNINGS = 3
};

static const struct chardev_backend *const backends[] = {
	&chardev_stdio,
	&chardev_file,
	&chardev_socket,
	&chardev_pty,
	&chardev_null,
	&chardev_ring,
	&chardev_pipe,
};

struct chardev_source {
	GSource source;
	struct chardev *chardev;
};

static void wake(struct chardev *chardev)
{
	g_source_set_ready_time(chardev->source, 0);
}

static void close_fd(struct chardev *chardev, int *fd, void **tag)
{
	if (*tag)
		g_source_remove_unix_fd(chardev->source, *tag);
	*tag = NULL;
	/* The three standard descriptors belong to the process. */
	if (*fd > STDERR_FILENO)
		close(*fd);
	*fd = -1;
}

static void close_output(struct chardev *chardev)
{
	if (chardev->out_fd == chardev->in_fd)
		chardev->out_fd = -1;
	else
		close_fd(chardev, &chardev->out_fd, &chardev->out_tag);
}

static void close_both(struct chardev *chardev)
{
	close_output(chardev);
	close_fd(chardev, &chardev->in_fd, &chardev->in_tag);
	chardev->out_full = false;
}

static void lose(struct chardev *chardev)
{
	close_both(chardev);
	if (chardev->backend->lost)
		chardev->backend->lost(chardev);
}

void chardev_use(struct chardev *chardev, int in_fd, int out_fd)
{
	chardev->in_fd = in_fd;
	chardev->out_fd = out_fd;
	if (in_fd >= 0)
		chardev->in_tag = g_source_add_unix_fd(chardev->source, in_fd, G_IO_HUP | G_IO_ERR);
	if (out_fd >= 0 && out_fd != in_fd)
		chardev->out_tag =
			g_source_add_unix_fd(chardev->source, out_fd, G_IO_HUP | G_IO_ERR);
	wake(chardev);
}

void chardev_listen(struct chardev *chardev, bool on)
{
	for (unsigned i = 0; i < chardev->listener_count; i++) {
		void **tag = &chardev->listener_tags[i];

		if (on && !*tag)
			*tag = g_source_add_unix_fd(
				chardev->source, chardev->listeners[i], G_IO_IN);
		if (!on && *tag) {
			g_source_remove_unix_fd(chardev->source, *tag);
			*tag = NULL;
		}
	}
}

void chardev_set_open(struct chardev *chardev, bool open)
{
	if (g_atomic_int_get(&chardev->open) == open)
		return;
	g_atomic_int_set(&chardev->open, open);
	if (chardev->ops && chardev->ops->event)
		chardev->ops->event(chardev->front_end, open ? CHARDEV_OPENED : CHARDEV_CLOSED);
}

/* --- output --- */

static bool take_chunk(struct chardev *chardev)
{
	if (chardev->chunk_start < chardev->chunk_end)
		return true;
	chardev->chunk_start = 0;
	g_mutex_lock(&chardev->lock);
	chardev->chunk_end =
		byte_ring_take(&chardev->output, chardev->chunk, sizeof(chardev->chunk));
	g_mutex_unlock(&chardev->lock);
	return chardev->chunk_end > 0;
}

/* Never blocks where the descriptor is a socket, a terminal or a pipe of our own opening. */
static ssize_t write_some(int fd, const uint8_t *bytes, size_t length)
{
	ssize_t written = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	return written < 0 && errno == ENOTSOCK ? write(fd, bytes, length) : written;
}

/* Returns false when no more can be written now. */
static bool write_failed(struct chardev *chardev)
{
	if (errno == EINTR)
		return true;
	if (errno == EAGAIN) {
		chardev->out_full = true;
		return false;
	}
	if (errno == EPIPE || errno == ECONNRESET || errno == EIO) {
		if (chardev->in_fd == chardev->out_fd)
			lose(chardev);
		else
			close_output(chardev);
		return false;
	}
	log_limited(&chardev->warned, MAXIMUM_WARNINGS, "chardev %s: output is lost: %s",
		chardev->id, g_strerror(errno));
	chardev->chunk_start = chardev->chunk_end;
	return true;
}

static void write_output(struct chardev *chardev)
{
	chardev->out_full = false;
	while (chardev->out_fd >= 0 && take_chunk(chardev)) {
		ssize_t written = write_some(chardev->out_fd, chardev->chunk + chardev->chunk_start,
			chardev->chunk_end - chardev->chunk_start);

		if (written > 0)
			chardev->chunk_start += (size_t)written;
		else if (!write_failed(chardev))
			return;
	}
}

void chardev_write(struct chardev *chardev, const void *bytes, size_t length)
{
	if (chardev->base)
		chardev = chardev->base;
	g_mutex_lock(&chardev->lock);
	byte_ring_push(chardev->ring.size ? &chardev->ring : &chardev->output, bytes, length);
	if (chardev->log.size)
		byte_ring_push(&chardev->log, bytes, length);
	g_mutex_unlock(&chardev->lock);
	if (!chardev->ring.size || chardev->log.size)
		wake(chardev);
}

static void write_log(struct chardev *chardev)
{
	uint8_t bytes[CHARDEV_CHUNK];
	size_t length;

	while (chardev->log_fd >= 0) {
		g_mutex_lock(&chardev->lock);
		length = byte_ring_take(&chardev->log, bytes, sizeof(bytes));
		g_mutex_unlock(&chardev->lock);
		if (length == 0)
			return;
		if (write(chardev->log_fd, bytes, length) != (ssize_t)length)
			log_limited(&chardev->warned, MAXIMUM_WARNINGS,
				"chardev %s: its log file is not complete: %s", chardev->id,
				g_strerror(errno));
	}
}

size_t chardev_room(struct chardev *chardev, size_t wanted)
{
	size_t room;

	if (chardev->ring.size || chardev->out_fd < 0 || !chardev_is_open(chardev))
		return wanted;
	g_mutex_lock(&chardev->lock);
	room = chardev->output.size - chardev->output.length;
	if (room < wanted)
		g_atomic_int_set(&chardev->short_of_room, true);
	g_mutex_unlock(&chardev->lock);
	return MIN(room, wanted);
}

/* At half empty, so that a slow reader does not have the front end write byte by byte. */
static void tell_drained(struct chardev *chardev)
{
	bool drained;

	g_mutex_lock(&chardev->lock);
	drained = chardev->output.length <= chardev->output.size / 2 || chardev->out_fd < 0;
	g_mutex_unlock(&chardev->lock);
	if (drained && g_atomic_int_compare_and_exchange(&chardev->short_of_room, true, false) &&
		chardev->ops && chardev->ops->drained)
		chardev->ops->drained(chardev->front_end);
}

void chardev_set_queue_size(struct chardev *chardev, size_t size)
{
	if (chardev->base)
		chardev = chardev->base;
	g_mutex_lock(&chardev->lock);
	byte_ring_resize(&chardev->output, size);
	g_mutex_unlock(&chardev->lock);
}

/* --- input --- */

static size_t room(const struct chardev *chardev)
{
	return chardev->ops ? MIN(chardev->ops->can_receive(chardev->front_end), CHARDEV_CHUNK) : 0;
}

/* What a peer sent before it left goes first. Returns false while some of it is left. */
static bool deliver_kept(struct chardev *chardev)
{
	uint8_t bytes[CHARDEV_CHUNK];

	while (chardev->input.length > 0) {
		size_t length = byte_ring_take(&chardev->input, bytes, room(chardev));

		if (length == 0)
			return false;
		chardev->ops->receive(chardev->front_end, bytes, length);
	}
	return true;
}

static ssize_t read_some(struct chardev *chardev, uint8_t *bytes, size_t length)
{
	ssize_t got;

	do
		got = read(chardev->in_fd, bytes, length);
	while (got < 0 && errno == EINTR);
	return got;
}

static void input_ended(struct chardev *chardev)
{
	if (chardev->in_fd == chardev->out_fd)
		lose(chardev);
	else
		close_fd(chardev, &chardev->in_fd, &chardev->in_tag);
}

/* The peer is gone and the front end has no room: keep what was sent, so that the next peer need not wait for a guest
 * that does not read. */
static void keep_input(struct chardev *chardev)
{
	uint8_t bytes[CHARDEV_INPUT_SIZE];
	ssize_t got = read_some(chardev, bytes, chardev->input.size - chardev->input.length);

	if (got > 0)
		byte_ring_push(&chardev->input, bytes, (size_t)got);
	else if (got == 0 || errno != EAGAIN)
		input_ended(chardev);
}

static void read_input(struct chardev *chardev, GIOCondition seen)
{
	uint8_t bytes[CHARDEV_CHUNK];
	size_t length = deliver_kept(chardev) ? room(chardev) : 0;
	ssize_t got;

	if (chardev->in_fd < 0 || !(seen & (G_IO_IN | G_IO_HUP | G_IO_ERR)))
		return;
	if (length == 0) {
		if (seen & (G_IO_HUP | G_IO_ERR)) {
			if (chardev->input.length < chardev->input.size)
				keep_input(chardev);
			else
				input_ended(chardev);
		}
		return;
	}
	got = read_some(chardev, bytes, length);
	if (got > 0)
		chardev->ops->receive(chardev->front_end, bytes, (size_t)got);
	else if (got == 0 || errno != EAGAIN)
		input_ended(chardev);
}

void chardev_accept_input(struct chardev *chardev)
{
	wake(chardev->base ? chardev->base : chardev);
}

/* --- the event source --- */

static GIOCondition seen(struct chardev *chardev, void *tag)
{
	return tag ? g_source_query_unix_fd(chardev->source, tag) : 0;
}

/* What to wait for next. */
static void update_conditions(struct chardev *chardev)
{
	GIOCondition in = G_IO_HUP | G_IO_ERR, out = G_IO_HUP | G_IO_ERR;

	if (chardev->out_full)
		out |= G_IO_OUT;
	if (chardev->in_tag) {
		if (chardev->input.length == 0 && room(chardev) > 0)
			in |= G_IO_IN;
		if (chardev->out_fd == chardev->in_fd)
			in |= out;
		g_source_modify_unix_fd(chardev->source, chardev->in_tag, in);
	}
	if (chardev->out_tag)
		g_source_modify_unix_fd(chardev->source, chardev->out_tag, out);
}

static gboolean dispatch(GSource *source, GSourceFunc callback, void *data)
{
	struct chardev *chardev = ((struct chardev_source *)source)->chardev;
	GIOCondition in = seen(chardev, chardev->in_tag);
	GIOCondition out = seen(chardev, chardev->out_tag);

	g_source_set_ready_time(source, -1);
	for (unsigned i = 0; i < chardev->listener_count; i++) {
		if (seen(chardev, chardev->listener_tags[i]) & G_IO_IN)
			chardev->backend->accept(chardev, chardev->listeners[i]);
	}
	if (out & (G_IO_HUP | G_IO_ERR))
		close_output(chardev);
	read_input(chardev, in);
	write_output(chardev);
	write_log(chardev);
	tell_drained(chardev);
	update_conditions(chardev);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

/* --- life --- */

static const struct chardev_backend *find_backend(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(backends); i++) {
		if (strcmp(backends[i]->name, name) == 0)
			return backends[i];
	}
	return NULL;
}

struct chardev *chardev_alloc(const struct chardev_backend *backend, const char *id)
{
	struct chardev *chardev = g_new0(struct chardev, 1);

	chardev->backend = backend;
	chardev->id = g_strdup(id);
	chardev->in_fd = chardev->out_fd = chardev->other_side = chardev->log_fd = -1;
	g_mutex_init(&chardev->lock);
	byte_ring_init(&chardev->output, CHARDEV_QUEUE_SIZE);
	byte_ring_init(&chardev->input, CHARDEV_INPUT_SIZE);
	chardev->source = g_source_new(&source_funcs, sizeof(struct chardev_source));
	((struct chardev_source *)chardev->source)->chardev = chardev;
	g_source_set_name(chardev->source, id);
	g_source_attach(chardev->source, NULL);
	return chardev;
}

static bool open_log(struct chardev *chardev, const struct option_set *set, GError **error)
{
	const char *path = option_set_get(set, "logfile");
	int how = option_set_bool(set, "logappend", false) ? O_APPEND : O_TRUNC;

	if (!path)
		return true;
	chardev->log_fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | how, 0600);
	if (chardev->log_fd < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot open logfile=%s", path);
	byte_ring_init(&chardev->log, CHARDEV_QUEUE_SIZE);
	return true;
}

struct chardev *chardev_new(const struct option_set *set, GError **error)
{
	struct chardev *chardev;

	if (!chardev_check(set, error))
		return NULL;
	chardev = chardev_alloc(find_backend(option_set_get(set, "backend")), set->id);
	chardev->path = g_strdup(option_set_get(set, "path"));
	if (option_set_bool(set, "mux", false))
		chardev_make_mux(chardev);
	if (open_log(chardev, set, error) && chardev->backend->open(chardev, set, error))
		return chardev;
	g_prefix_error(error, "%s: ", set->origin);
	chardev_free(chardev);
	return NULL;
}

void chardev_free(struct chardev *chardev)
{
	if (!chardev)
		return;
	write_output(chardev); /* the guest's last words, as far as they are taken */
	write_log(chardev);
	chardev->ops = NULL;
	g_clear_pointer(&chardev->mux, chardev_mux_free);
	close_both(chardev);
	if (chardev->backend->close)
		chardev->backend->close(chardev);
	for (unsigned i = 0; i < chardev->listener_count; i++)
		close_fd(chardev, &chardev->listeners[i], &chardev->listener_tags[i]);
	close_fd(chardev, &chardev->log_fd, &(void *) { NULL });
	g_source_destroy(chardev->source);
	g_source_unref(chardev->source);
	byte_ring_clear(&chardev->output);
	byte_ring_clear(&chardev->input);
	byte_ring_clear(&chardev->ring);
	byte_ring_clear(&chardev->log);
	g_mutex_clear(&chardev->lock);
	g_free(chardev->path);
	g_free(chardev->id);
	g_free(chardev);
}

const char *chardev_id(const struct chardev *chardev)
{
	return chardev->id;
}

char *chardev_filename(const struct chardev *chardev)
{
	return chardev->backend->filename ? chardev->backend->filename(chardev)
					  : g_strdup(chardev->backend->name);
}

bool chardev_is_open(const struct chardev *chardev)
{
	return g_atomic_int_get(&chardev->open);
}

void chardev_attach(struct chardev *chardev, const struct chardev_ops *ops, void *front_end)
{
	chardev->ops = ops;
	chardev->front_end = front_end;
	if (ops && ops->event && chardev_is_open(chardev))
		ops->event(front_end, CHARDEV_OPENED);
	wake(chardev);
}

bool chardev_is_taken(const struct chardev *chardev)
{
	return chardev->ops;
}

bool chardev_is_ring(const struct chardev *chardev)
{
	return chardev->ring.size > 0;
}

size_t chardev_ring_read(struct chardev *chardev, void *bytes, size_t length)
{
	size_t got;

	g_mutex_lock(&chardev->lock);
	got = byte_ring_take(&chardev->ring, bytes, length);
	g_mutex_unlock(&chardev->lock);
	return got;
}
