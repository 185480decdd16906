/* One connection: bytes in and out, from the handshake to the end.
 *
 * A connection reads at all times, so that input is never late, and encodes only when all that was encoded before is with
 * the kernel and the kernel would take more. It ends in one place: close_later() says that it is over, and the next turn of
 * the main loop tells the server, so that nothing is freed under anybody's feet.
 */
#include "vnc-server/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/writer.h"
#include "vnc-server/client-message.h"
#include "vnc-server/fd-watch.h"
#include "vnc-server/handshake.h"
#include "vnc-server/limits.h"

enum client_state {
	CLIENT_HANDSHAKE,
	CLIENT_WAITING, /* for the first picture */
	CLIENT_ACTIVE,
	CLIENT_FLUSHING, /* a last message is on its way */
	CLIENT_CLOSED,
};

struct client {
	struct client_context *context;
	enum client_state state;
	int fd;
	char *name;
	struct fd_watch *watch;
	int64_t deadline_us; /* for the state to change; -1: none */

	struct handshake handshake;
	GByteArray *in; /* received, not yet used; at most LIMIT_INPUT */
	GByteArray *out;
	guint sent; /* bytes of out that the kernel has */

	struct update update;
	struct input input;
};

/* Lets the main loop come back when there is something to do. */
static void arm(struct client *client)
{
	GIOCondition conditions = G_IO_IN;
	int64_t time_us = client->deadline_us;

	if (client->state == CLIENT_CLOSED)
		return;
	if (client->sent < client->out->len)
		conditions |= G_IO_OUT;
	if (client->state == CLIENT_ACTIVE && client->sent == client->out->len) {
		if (update_unfinished(&client->update))
			conditions |= G_IO_OUT;
		else if (update_due(&client->update, &client->context->frame))
			time_us = client->update.begun_us + LIMIT_UPDATE_US;
	}
	if (client->state == CLIENT_FLUSHING)
		conditions = G_IO_OUT;
	fd_watch_set_conditions(client->watch, conditions);
	fd_watch_set_time(client->watch, time_us);
}

/* The connection is over. */
static void close_later(struct client *client)
{
	if (client->state == CLIENT_CLOSED)
		return;
	if (client->state == CLIENT_ACTIVE)
		input_release(&client->input);
	client->state = CLIENT_CLOSED;
	fd_watch_set_conditions(client->watch, 0);
	fd_watch_set_time(client->watch, 0);
}

/* The same, when what is queued has been sent. */
static void close_after_flush(struct client *client)
{
	if (client->state == CLIENT_ACTIVE)
		input_release(&client->input);
	client->state = CLIENT_FLUSHING;
	client->deadline_us = g_get_monotonic_time() + LIMIT_FLUSH_S * G_USEC_PER_SEC;
}

/* Hands the queue to the kernel as far as it goes. */
static void flush(struct client *client)
{
	while (client->sent < client->out->len) {
		ssize_t count = send(client->fd, client->out->data + client->sent,
			client->out->len - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 && errno != EAGAIN)
			close_later(client);
		if (count < 0)
			return;
		client->sent += count;
	}
	g_byte_array_set_size(client->out, 0);
	client->sent = 0;
	if (client->state == CLIENT_FLUSHING)
		close_later(client);
}

static bool may_begin(const struct client *client, int64_t now_us)
{
	return update_due(&client->update, &client->context->frame) &&
	       now_us >= client->update.begun_us + LIMIT_UPDATE_US;
}

static void send_update(struct client *client)
{
	int64_t now_us = g_get_monotonic_time();

	if (client->sent < client->out->len)
		return;
	if (update_unfinished(&client->update)) {
		update_write(&client->update, &client->context->frame, now_us, client->out);
	} else if (may_begin(client, now_us)) {
		update_write(&client->update, &client->context->frame, now_us, client->out);
		client->context->served(client->context);
	} else if (update_idle(&client->update, &client->context->frame)) {
		client->context->served(client->context);
	}
	flush(client);
}

void client_send(struct client *client)
{
	if (client->state == CLIENT_ACTIVE)
		send_update(client);
	arm(client);
}

/* ServerInit, and with it the change from the handshake to messages. */
static void start(struct client *client)
{
	const struct frame *frame = &client->context->frame;

	write_u16(client->out, frame->picture.width);
	write_u16(client->out, frame->picture.height);
	pixel_format_write(client->out, &pixel_format_native);
	write_u32(client->out, strlen(frame->name));
	write_bytes(client->out, frame->name, strlen(frame->name));
	update_init(&client->update, frame->picture.width, frame->picture.height);
	input_init(&client->input, client->context->source, client->context->keymap);
	client->state = CLIENT_ACTIVE;
	client->deadline_us = -1;
	flush(client);
}

static void handle_set_pixel_format(struct client *client, const struct client_message *message)
{
	update_set_format(&client->update, &message->pixel_format);
}

static void handle_set_encodings(struct client *client, const struct client_message *message)
{
	int32_t encodings[LIMIT_ENCODINGS];

	for (uint16_t i = 0; i < message->encodings.count; i++)
		encodings[i] = client_message_encoding(message, i);
	update_set_encodings(&client->update, encodings, message->encodings.count);
}

static void handle_update_request(struct client *client, const struct client_message *message)
{
	update_request(&client->update, message->request.incremental, &message->request.area);
}

static struct input_state input_state(const struct client *client)
{
	const struct frame *frame = &client->context->frame;

	return (struct input_state) {
		.width = frame->picture.width,
		.height = frame->picture.height,
		.absolute = frame->pointer_absolute,
		.lights = frame->lights,
	};
}

static void handle_key_event(struct client *client, const struct client_message *message)
{
	struct input_state state = input_state(client);

	input_keysym(&client->input, &state, message->key.keysym, message->key.down);
}

static void handle_extended_key_event(struct client *client, const struct client_message *message)
{
	if (message->key.keycode != 0)
		input_keycode(&client->input, message->key.keycode, message->key.down);
	else
		handle_key_event(client, message);
}

static void handle_pointer_event(struct client *client, const struct client_message *message)
{
	struct input_state state = input_state(client);

	input_pointer(&client->input, &state, client->update.understood & NOTICE_POINTER,
		message->pointer.buttons, message->pointer.x, message->pointer.y);
}

/* The guest's clipboard is not reached from here. */
static void handle_cut_text(struct client *client, const struct client_message *message)
{
}

static void handle_set_desktop_size(struct client *client, const struct client_message *message)
{
	uint16_t width = message->desktop_size.width, height = message->desktop_size.height;
	bool valid = width > 0 && width <= LIMIT_DESKTOP_SIZE && height > 0 &&
		     height <= LIMIT_DESKTOP_SIZE && message->desktop_size.screens == 1;

	if (valid)
		client->context->source->class->set_size(client->context->source, width, height);
	update_answer_size(&client->update, valid ? DESKTOP_SIZE_FORWARDED : DESKTOP_SIZE_INVALID);
}

static const struct {
	enum client_message_type type;
	void (*handle)(struct client *client, const struct client_message *message);
} handlers[] = {
	{ CLIENT_SET_PIXEL_FORMAT, handle_set_pixel_format },
	{ CLIENT_SET_ENCODINGS, handle_set_encodings },
	{ CLIENT_UPDATE_REQUEST, handle_update_request },
	{ CLIENT_KEY_EVENT, handle_key_event },
	{ CLIENT_POINTER_EVENT, handle_pointer_event },
	{ CLIENT_CUT_TEXT, handle_cut_text },
	{ CLIENT_SET_DESKTOP_SIZE, handle_set_desktop_size },
	{ CLIENT_QEMU, handle_extended_key_event },
};

static void handle(struct client *client, const struct client_message *message)
{
	for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++) {
		if (handlers[i].type == message->type)
			handlers[i].handle(client, message);
	}
}

static enum parse use_handshake(struct client *client, struct reader *in)
{
	enum parse result = handshake_step(&client->handshake, in, client->out);

	if (result == PARSE_ERROR) {
		log_info("%s: %s", client->name, in->error);
		close_after_flush(client);
	}
	if (result != PARSE_DONE)
		return result;
	client->state = CLIENT_WAITING;
	client->context->active(client->context);
	if (client->context->have_frame && client->state == CLIENT_WAITING)
		start(client);
	return PARSE_DONE;
}

static enum parse use_message(struct client *client, struct reader *in)
{
	struct client_message message;
	enum parse result = client_message_parse(in, &message);

	if (result == PARSE_DONE)
		handle(client, &message);
	if (result == PARSE_ERROR) {
		log_info("%s: closed: %s", client->name, in->error);
		close_later(client);
	}
	return result;
}

/* Uses what has been received, as far as it makes whole messages. */
static void use_input(struct client *client)
{
	struct reader in = reader_from(client->in->data, client->in->len);
	enum parse result = PARSE_DONE;

	while (result == PARSE_DONE) {
		if (client->state == CLIENT_HANDSHAKE)
			result = use_handshake(client, &in);
		else if (client->state == CLIENT_ACTIVE)
			result = use_message(client, &in);
		else
			break;
	}
	g_byte_array_remove_range(client->in, 0, client->in->len - reader_left(&in));
}

/* Returns false when there is nothing more to be read. */
static bool receive(struct client *client)
{
	guint at = client->in->len;
	guint room = MIN(LIMIT_READ, LIMIT_INPUT - at);
	ssize_t count;

	g_byte_array_set_size(client->in, at + room);
	count = recv(client->fd, client->in->data + at, room, MSG_DONTWAIT);
	g_byte_array_set_size(client->in, at + MAX(count, 0));
	if (count > 0)
		return true;
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	close_later(client);
	return false;
}

static void check_deadline(struct client *client)
{
	if (client->deadline_us < 0 || g_get_monotonic_time() < client->deadline_us)
		return;
	if (client->state == CLIENT_HANDSHAKE)
		log_info("%s: closed: no handshake within %d seconds", client->name,
			LIMIT_HANDSHAKE_S);
	close_later(client);
}

static void on_ready(void *owner, GIOCondition ready)
{
	struct client *client = owner;

	if (client->state == CLIENT_CLOSED) {
		client->context->closed(client->context, client);
		return;
	}
	check_deadline(client);
	if (client->state < CLIENT_FLUSHING && ready & (G_IO_IN | G_IO_HUP | G_IO_ERR) &&
		receive(client))
		use_input(client);
	if (client->state != CLIENT_CLOSED)
		flush(client);
	client_send(client);
}

struct client *client_new(struct client_context *context, int fd, const char *name)
{
	struct client *client = g_new0(struct client, 1);

	client->context = context;
	client->fd = fd;
	client->name = g_strdup(name);
	client->in = g_byte_array_new();
	client->out = g_byte_array_new();
	client->deadline_us = g_get_monotonic_time() + LIMIT_HANDSHAKE_S * G_USEC_PER_SEC;
	client->watch = fd_watch_new(fd, on_ready, client);
	handshake_init(&client->handshake, context->security_types, client->out);
	flush(client);
	arm(client);
	return client;
}

void client_free(struct client *client)
{
	if (client->state == CLIENT_ACTIVE)
		input_release(&client->input);
	if (client->update.pieces)
		update_clear(&client->update);
	fd_watch_free(client->watch);
	handshake_clear(&client->handshake);
	g_byte_array_unref(client->in);
	g_byte_array_unref(client->out);
	close(client->fd);
	g_free(client->name);
	g_free(client);
}

bool client_is_active(const struct client *client)
{
	return client->state == CLIENT_WAITING || client->state == CLIENT_ACTIVE;
}

void client_new_picture(struct client *client)
{
	if (client->state == CLIENT_WAITING) {
		start(client);
		use_input(client);
	} else if (client->state == CLIENT_ACTIVE) {
		update_new_picture(&client->update);
	}
	client_send(client);
}

void client_damage(struct client *client, const struct rectangle *areas, guint count)
{
	if (client->state == CLIENT_ACTIVE)
		update_changed(&client->update, areas, count);
}

void client_notice(struct client *client, uint32_t notices)
{
	if (client->state == CLIENT_ACTIVE)
		update_notice(&client->update, notices);
	client_send(client);
}
