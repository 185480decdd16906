/* Streams of virtio-snd: buffers go back to the driver in real time, as their samples have been played or captured.
 *
 * A buffer stays in the guest's memory until its turn comes; its bytes are copied once, when they are played. There are never
 * more of them than their queue has entries.
 */
#include "base/log.h"
#include "vmm/audio/virtio-snd-private.h"
#include "vmm/pci/config.h"

enum {
	HEADER_BYTES = 4, /* of a transfer: the stream's number */
	BLOCK_BYTES = 4096,
	BUFFER_BYTES_MAX = 4 << 20, /* of a stream */
};

static unsigned queue_of(const struct snd_stream *stream)
{
	return stream->direction == AUDIO_PLAYBACK ? SND_QUEUE_TX : SND_QUEUE_RX;
}

/* The bytes that the driver has room for, without the status behind them. */
static size_t room(const struct virtqueue_element *element)
{
	size_t length = iovec_length(element->writable, element->writable_count);

	return length - MIN(length, SND_STATUS_BYTES);
}

/* Writes the status behind @captured bytes; returns how many bytes were written in all. */
static uint32_t put_status(
	const struct virtqueue_element *element, enum snd_status status, size_t captured)
{
	uint8_t bytes[SND_STATUS_BYTES];

	config_set32(bytes, status);
	config_set32(bytes + 4, 0);
	return captured + iovec_write(element->writable, element->writable_count, room(element),
				  bytes, sizeof(bytes));
}

static void transfer_free(gpointer data)
{
	struct snd_transfer *transfer = data;

	virtqueue_element_clear(&transfer->element);
	g_free(transfer);
}

/* Gives the first buffer back. */
static void finish_first(struct snd_stream *stream, enum snd_status status)
{
	struct snd_transfer *transfer = g_queue_pop_head(&stream->transfers);
	size_t captured = stream->direction == AUDIO_CAPTURE ? transfer->done : 0;

	virtqueue_push(&stream->snd->virtio.queues[queue_of(stream)], &transfer->element,
		put_status(&transfer->element, status, captured));
	transfer_free(transfer);
}

static void carry(
	struct snd_stream *stream, struct snd_transfer *transfer, uint8_t *block, size_t length)
{
	const struct virtqueue_element *element = &transfer->element;

	if (stream->direction == AUDIO_PLAYBACK) {
		iovec_read(element->readable, element->readable_count,
			HEADER_BYTES + transfer->done, block, length);
		audio_stream_write(stream->audio, block, length);
	} else {
		audio_stream_read(stream->audio, block, length);
		iovec_write(
			element->writable, element->writable_count, transfer->done, block, length);
	}
	transfer->done += length;
}

/* So many frames have gone by. Without buffers they are lost. */
static void move(void *owner, uint32_t frames)
{
	struct snd_stream *stream = owner;
	struct virtio_device *virtio = &stream->snd->virtio;
	uint32_t frame = audio_frame_bytes(&stream->format);
	uint64_t left = (uint64_t)frames * frame;
	uint8_t block[BLOCK_BYTES];
	bool finished = false;

	if (!virtio_queue_is_ready(virtio, queue_of(stream)))
		return;
	while (left > 0 && !g_queue_is_empty(&stream->transfers)) {
		struct snd_transfer *transfer = g_queue_peek_head(&stream->transfers);
		size_t length = MIN(transfer->size - transfer->done, BLOCK_BYTES / frame * frame);

		length = MIN(length, left);
		carry(stream, transfer, block, length);
		left -= length;
		if (transfer->done < transfer->size)
			continue;
		finish_first(stream, SND_OK);
		finished = true;
	}
	if (finished)
		virtio_interrupt(virtio, queue_of(stream));
}

/* Buffers */

/* How many bytes of samples the buffer is for; 0: it is malformed. */
static size_t sample_bytes(const struct snd_stream *stream, const struct virtqueue_element *element)
{
	size_t readable = iovec_length(element->readable, element->readable_count);
	size_t bytes =
		stream->direction == AUDIO_PLAYBACK ? readable - HEADER_BYTES : room(element);

	return bytes % audio_frame_bytes(&stream->format) == 0 ? bytes : 0;
}

static enum snd_status take(struct virtio_snd *snd, unsigned queue,
	const struct virtqueue_element *element, struct snd_stream **stream, size_t *size)
{
	uint8_t header[HEADER_BYTES];
	uint32_t number;

	if (iovec_read(element->readable, element->readable_count, 0, header, sizeof(header)) <
			sizeof(header) ||
		iovec_length(element->writable, element->writable_count) < SND_STATUS_BYTES)
		return SND_BAD_MESSAGE;
	number = config_get32(header);
	if (number >= snd->stream_count || queue_of(&snd->streams[number]) != queue)
		return SND_BAD_MESSAGE;
	*stream = &snd->streams[number];
	if ((*stream)->state < SND_STATE_PREPARED || (*stream)->state > SND_STATE_STOPPED)
		return SND_BAD_MESSAGE;
	*size = sample_bytes(*stream, element);
	return *size > 0 && *size <= BUFFER_BYTES_MAX ? SND_OK : SND_BAD_MESSAGE;
}

int64_t snd_transfer(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	struct virtio_snd *snd = (struct virtio_snd *)virtio;
	struct snd_transfer *transfer;
	struct snd_stream *stream;
	size_t size;
	enum snd_status status = take(snd, queue, element, &stream, &size);

	if (status != SND_OK) {
		log_limited(&snd->complaints, SND_COMPLAINTS_MAX,
			"%s: a buffer of the guest's is refused", virtio_device_name(virtio));
		return put_status(element, status, 0);
	}
	transfer = g_new0(struct snd_transfer, 1);
	transfer->element = *element;
	transfer->size = size;
	*element = (struct virtqueue_element) { 0 };
	g_queue_push_tail(&stream->transfers, transfer);
	return VIRTIO_KEEP;
}

/* A stream's life */

static void halt(struct snd_stream *stream)
{
	audio_pacer_stop(&stream->pacer);
	audio_stream_set_enabled(stream->audio, false);
}

enum snd_status snd_stream_set_parameters(
	struct snd_stream *stream, const struct snd_parameters *parameters)
{
	struct audio_format format;

	if (stream->state == SND_STATE_RUNNING || stream->state == SND_STATE_STOPPED ||
		!g_queue_is_empty(&stream->transfers))
		return SND_BAD_MESSAGE;
	if (parameters->features != 0 || !snd_format_parse(parameters, &format))
		return SND_NOT_SUPPORTED;
	if (parameters->period_bytes == 0 || parameters->buffer_bytes > BUFFER_BYTES_MAX ||
		parameters->period_bytes > parameters->buffer_bytes ||
		parameters->period_bytes % audio_frame_bytes(&format) != 0 ||
		parameters->buffer_bytes % parameters->period_bytes != 0)
		return SND_BAD_MESSAGE;
	stream->format = format;
	audio_stream_set_format(stream->audio, &format);
	stream->state = SND_STATE_SET;
	return SND_OK;
}

enum snd_status snd_stream_prepare(struct snd_stream *stream)
{
	if (stream->state == SND_STATE_NEW || stream->state == SND_STATE_RUNNING)
		return SND_BAD_MESSAGE;
	stream->state = SND_STATE_PREPARED;
	return SND_OK;
}

enum snd_status snd_stream_start(struct snd_stream *stream)
{
	if (stream->state != SND_STATE_PREPARED && stream->state != SND_STATE_STOPPED)
		return SND_BAD_MESSAGE;
	stream->state = SND_STATE_RUNNING;
	audio_stream_set_enabled(stream->audio, true);
	audio_pacer_start(&stream->pacer, stream->format.frequency);
	return SND_OK;
}

enum snd_status snd_stream_stop(struct snd_stream *stream)
{
	if (stream->state != SND_STATE_RUNNING)
		return SND_BAD_MESSAGE;
	audio_pacer_catch_up(&stream->pacer);
	halt(stream);
	stream->state = SND_STATE_STOPPED;
	return SND_OK;
}

enum snd_status snd_stream_release(struct snd_stream *stream)
{
	struct virtio_device *virtio = &stream->snd->virtio;

	if (stream->state != SND_STATE_PREPARED && stream->state != SND_STATE_STOPPED)
		return SND_BAD_MESSAGE;
	if (virtio_queue_is_ready(virtio, queue_of(stream))) {
		while (!g_queue_is_empty(&stream->transfers))
			finish_first(stream, SND_OK);
		virtio_interrupt(virtio, queue_of(stream));
	}
	snd_stream_forget(stream);
	stream->state = SND_STATE_RELEASED;
	return SND_OK;
}

void snd_stream_forget(struct snd_stream *stream)
{
	g_queue_clear_full(&stream->transfers, transfer_free);
}

void snd_stream_reset(struct snd_stream *stream)
{
	halt(stream);
	snd_stream_forget(stream);
	stream->state = SND_STATE_NEW;
}

void snd_stream_init(struct snd_stream *stream, struct virtio_snd *snd, unsigned number,
	enum audio_direction direction, struct audio *audio)
{
	stream->snd = snd;
	stream->number = number;
	stream->direction = direction;
	stream->format = (struct audio_format) {
		.frequency = 48000,
		.channels = 2,
		.bits = 16,
		.is_signed = true,
	};
	g_queue_init(&stream->transfers);
	stream->audio = audio_stream_new(audio, direction, &stream->format);
	audio_pacer_init(&stream->pacer, snd->virtio.pci.device.machine, move, stream);
}

void snd_stream_finish(struct snd_stream *stream)
{
	audio_pacer_finish(&stream->pacer);
	snd_stream_forget(stream);
	g_clear_pointer(&stream->audio, audio_stream_free);
}
