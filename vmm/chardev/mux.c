/* One character device for several front ends. */
#include "vmm/chardev/mux.h"

#include <string.h>

#include "base/error.h"
#include "vmm/chardev/chardev-private.h"

enum {
	ESCAPE = 0x01, /* Ctrl-A */
	PENDING_SIZE =
		256 /* bytes kept for a front end that has no room, so that escapes still work */
};

struct chardev_mux {
	struct chardev *base;
	struct chardev *channels[CHARDEV_CHANNELS];
	struct byte_ring pending[CHARDEV_CHANNELS];
	unsigned count, focus;
	bool escaped; /* the last byte was Ctrl-A */
	void (*quit)(void *data);
	void *quit_data;
};

static const char help[] = "\r\n"
			   "C-a h    print this help\r\n"
			   "C-a x    exit emulator\r\n"
			   "C-a s    save disk data back to file (nothing to do: it is there)\r\n"
			   "C-a b    send break (magic sysrq)\r\n"
			   "C-a c    switch between console and monitor\r\n"
			   "C-a C-a  sends C-a\r\n";

/* --- input --- */

static void flush(struct chardev_mux *mux, unsigned index)
{
	struct chardev *channel = mux->channels[index];
	uint8_t bytes[PENDING_SIZE];

	while (channel->ops && mux->pending[index].length > 0) {
		size_t room = channel->ops->can_receive(channel->front_end);
		size_t length =
			byte_ring_take(&mux->pending[index], bytes, MIN(room, sizeof(bytes)));

		if (length == 0)
			return;
		channel->ops->receive(channel->front_end, bytes, length);
	}
}

static size_t mux_can_receive(void *front_end)
{
	struct chardev_mux *mux = front_end;

	for (unsigned i = 0; i < mux->count; i++)
		flush(mux, i);
	return mux->count ? PENDING_SIZE - mux->pending[mux->focus].length : 0;
}

static void tell(struct chardev *channel, enum chardev_event event)
{
	if (channel->ops && channel->ops->event)
		channel->ops->event(channel->front_end, event);
}

static void switch_focus(struct chardev_mux *mux)
{
	flush(mux, mux->focus);
	mux->focus = (mux->focus + 1) % mux->count;
	tell(mux->channels[mux->focus], CHARDEV_FOCUSED);
}

static void handle_escape(struct chardev_mux *mux, uint8_t byte)
{
	switch (byte) {
	case ESCAPE:
		byte_ring_push(&mux->pending[mux->focus], &byte, 1);
		break;
	case 'c':
		switch_focus(mux);
		break;
	case 'b':
		flush(mux, mux->focus);
		tell(mux->channels[mux->focus], CHARDEV_BREAK);
		break;
	case 'x':
		chardev_write(mux->base, "QEMU: Terminated\r\n", strlen("QEMU: Terminated\r\n"));
		if (mux->quit)
			mux->quit(mux->quit_data);
		break;
	case 'h':
	case '?':
		chardev_write(mux->base, help, strlen(help));
		break;
	default:
		break;
	}
}

static void mux_receive(void *front_end, const uint8_t *bytes, size_t length)
{
	struct chardev_mux *mux = front_end;

	for (size_t i = 0; i < length; i++) {
		if (mux->escaped) {
			mux->escaped = false;
			handle_escape(mux, bytes[i]);
		} else if (bytes[i] == ESCAPE) {
			mux->escaped = true;
		} else {
			byte_ring_push(&mux->pending[mux->focus], &bytes[i], 1);
		}
	}
	flush(mux, mux->focus);
}

static void mux_event(void *front_end, enum chardev_event event)
{
	struct chardev_mux *mux = front_end;

	for (unsigned i = 0; i < mux->count; i++)
		chardev_set_open(mux->channels[i], event == CHARDEV_OPENED);
}

static const struct chardev_ops mux_ops = { mux_can_receive, mux_receive, mux_event };

/* --- channels --- */

static const struct chardev_backend channel_backend = { .name = "mux" };

static struct chardev *add_channel(struct chardev_mux *mux)
{
	struct chardev *channel = chardev_alloc(&channel_backend, mux->base->id);

	channel->base = mux->base;
	byte_ring_init(&mux->pending[mux->count], PENDING_SIZE);
	mux->channels[mux->count++] = channel;
	chardev_set_open(channel, chardev_is_open(mux->base));
	return channel;
}

struct chardev *chardev_channel(struct chardev *chardev, GError **error)
{
	struct chardev_mux *mux = chardev->mux;

	if (!mux) {
		if (!chardev_is_taken(chardev))
			return chardev;
		fail(error, VITRINE_ERROR_BUSY, "chardev '%s' is in use by another device",
			chardev->id);
		return NULL;
	}
	for (unsigned i = 0; i < mux->count; i++) {
		if (!chardev_is_taken(mux->channels[i]))
			return mux->channels[i];
	}
	if (mux->count < CHARDEV_CHANNELS)
		return add_channel(mux);
	fail(error, VITRINE_ERROR_BUSY,
		"chardev '%s' has %d users, the most a chardev with mux=on has", chardev->id,
		CHARDEV_CHANNELS);
	return NULL;
}

bool chardev_is_channel(const struct chardev *chardev)
{
	return chardev->base;
}

void chardev_on_quit(struct chardev *chardev, void (*quit)(void *data), void *data)
{
	if (!chardev->mux)
		return;
	chardev->mux->quit = quit;
	chardev->mux->quit_data = data;
}

void chardev_make_mux(struct chardev *chardev)
{
	chardev->mux = g_new0(struct chardev_mux, 1);
	chardev->mux->base = chardev;
	chardev_attach(chardev, &mux_ops, chardev->mux);
}

void chardev_mux_free(struct chardev_mux *mux)
{
	for (unsigned i = 0; mux && i < mux->count; i++) {
		chardev_free(mux->channels[i]);
		byte_ring_clear(&mux->pending[i]);
	}
	g_free(mux);
}
