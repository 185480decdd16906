/* Streams of the HDA controller: samples between guest memory and the link, by real time (sections 3.3.35 to 3.3.42, 4.5).
 *
 * The buffer descriptor list is copied when a stream starts and checked then; the guest may change its memory as it likes
 * afterwards. A tick moves so many frames as have gone by, within a limit of buffers, so that tiny ones cannot hold up
 * anything else.
 */
#include "base/log.h"
#include "vmm/audio/hda-controller.h"

enum {
	BLOCK_BYTES = 4096,
	PIECES_MAX = 1024, /* of guest memory in one tick */
	DESCRIPTOR_BYTES = 16,
	DESCRIPTOR_INTERRUPTS = 1 << 0,
	POSITION_BYTES = 8,
};

static enum audio_direction direction(const struct hda_stream *stream)
{
	return stream->number < HDA_OUTPUT_FIRST ? AUDIO_CAPTURE : AUDIO_PLAYBACK;
}

static const char *name(const struct hda_stream *stream)
{
	return stream->hda->pci.device.class->name;
}

static void stop(struct hda_stream *stream)
{
	if (!audio_pacer_is_started(&stream->pacer))
		return;
	audio_pacer_stop(&stream->pacer);
	hda_bus_set_running(&stream->hda->bus, direction(stream), stream->tag, false);
	stream->status &= ~SD_STS_READY;
}

static void fail_stream(struct hda_stream *stream, const char *what)
{
	log_limited(&stream->hda->pci.complaints, HDA_COMPLAINTS_MAX, "%s: stream %u: %s",
		name(stream), stream->number, what);
	stop(stream);
	stream->control &= ~SD_CTL_RUN;
	stream->status |= SD_STS_DESCRIPTOR_ERROR;
}

/* Copies the list. False when it cannot be used. */
static bool read_list(struct hda_stream *stream)
{
	uint64_t list = (uint64_t)stream->list_high << 32 | stream->list_low;
	uint32_t raw[HDA_BUFFERS_MAX][DESCRIPTOR_BYTES / 4];

	stream->buffer_count = stream->last_index + 1;
	stream->buffer = stream->offset = 0;
	if (!hda_read_memory(
		    stream->hda, list, raw, (size_t)stream->buffer_count * DESCRIPTOR_BYTES))
		return false;
	for (uint32_t i = 0; i < stream->buffer_count; i++) {
		struct hda_buffer *buffer = &stream->buffers[i];

		buffer->address =
			(uint64_t)GUINT32_FROM_LE(raw[i][1]) << 32 | GUINT32_FROM_LE(raw[i][0]);
		buffer->length = GUINT32_FROM_LE(raw[i][2]);
		buffer->interrupts = GUINT32_FROM_LE(raw[i][3]) & DESCRIPTOR_INTERRUPTS;
		if (buffer->length == 0)
			return false;
	}
	return true;
}

static void start(struct hda_stream *stream)
{
	if (audio_pacer_is_started(&stream->pacer))
		return;
	if (!read_list(stream)) {
		fail_stream(stream, "its buffer descriptor list cannot be used");
		return;
	}
	if (!hda_format_parse(stream->format, &stream->parsed)) {
		fail_stream(stream, "its format is reserved");
		return;
	}
	stream->tag = stream->control >> SD_CTL_TAG_SHIFT & 0xf;
	stream->running_format = stream->format;
	stream->status |= SD_STS_READY;
	audio_pacer_start(&stream->pacer, stream->parsed.frequency);
	hda_bus_set_running(&stream->hda->bus, direction(stream), stream->tag, true);
}

/* Carries a piece between @bytes and where the stream is in its buffers. False when the memory is none. */
static bool carry(struct hda_stream *stream, uint8_t *bytes, uint32_t length)
{
	const struct hda_buffer *buffer = &stream->buffers[stream->buffer];
	uint64_t address = buffer->address + stream->offset;

	if (direction(stream) == AUDIO_PLAYBACK
			? !hda_read_memory(stream->hda, address, bytes, length)
			: !hda_write_memory(stream->hda, address, bytes, length))
		return false;
	stream->offset += length;
	stream->position += length;
	if (stream->cyclic_length > 0)
		stream->position %= stream->cyclic_length;
	if (stream->offset < buffer->length)
		return true;
	if (buffer->interrupts)
		stream->status |= SD_STS_COMPLETE;
	stream->offset = 0;
	stream->buffer = (stream->buffer + 1) % stream->buffer_count;
	return true;
}

/* A block of whole frames. Returns false when the tick is over. */
static bool carry_block(
	struct hda_stream *stream, uint8_t *bytes, uint32_t length, unsigned *pieces)
{
	uint32_t done = 0;

	while (done < length) {
		uint32_t left = stream->buffers[stream->buffer].length - stream->offset;
		uint32_t piece = MIN(left, length - done);

		if (++*pieces > PIECES_MAX)
			return false;
		if (!carry(stream, bytes + done, piece)) {
			fail_stream(stream, "a buffer is not in memory");
			return false;
		}
		done += piece;
	}
	return true;
}

static void write_position(struct hda_stream *stream)
{
	const struct hda *hda = stream->hda;
	uint64_t base = (uint64_t)hda->position_high << 32 | (hda->position_low & ~0x7fu);
	uint32_t position = GUINT32_TO_LE(stream->position);

	if (hda->position_low & DPLBASE_ENABLE)
		hda_write_memory(stream->hda, base + (uint64_t)stream->number * POSITION_BYTES,
			&position, sizeof(position));
}

static void move(void *owner, uint32_t frames)
{
	struct hda_stream *stream = owner;
	struct hda_bus *bus = &stream->hda->bus;
	uint32_t frame = audio_frame_bytes(&stream->parsed);
	uint64_t left = (uint64_t)frames * frame;
	uint8_t block[BLOCK_BYTES];
	unsigned pieces = 0;
	bool more = true;

	while (more && left > 0) {
		uint32_t length = MIN(left, BLOCK_BYTES / frame * frame);

		if (direction(stream) == AUDIO_CAPTURE)
			hda_bus_capture(bus, stream->tag, stream->running_format, block, length);
		more = carry_block(stream, block, length, &pieces);
		if (more && direction(stream) == AUDIO_PLAYBACK)
			hda_bus_play(bus, stream->tag, stream->running_format, block, length);
		left -= length;
	}
	write_position(stream);
	hda_update_interrupt(stream->hda);
}

void hda_stream_controlled(struct hda_stream *stream, uint32_t old)
{
	if (stream->control & SD_CTL_RESET) {
		uint32_t control = SD_CTL_RESET;

		hda_stream_reset(stream);
		stream->control = control;
	} else if (stream->control & SD_CTL_RUN) {
		start(stream);
	} else {
		stop(stream);
	}
	hda_update_interrupt(stream->hda);
}

void hda_stream_reset(struct hda_stream *stream)
{
	stop(stream);
	stream->control = stream->status = stream->position = stream->cyclic_length = 0;
	stream->last_index = stream->format = stream->list_low = stream->list_high = 0;
	stream->fifo = FIFO_BYTES;
	stream->buffer = stream->offset = stream->buffer_count = 0;
}

void hda_stream_init(struct hda_stream *stream, struct hda *hda, unsigned number)
{
	stream->hda = hda;
	stream->number = number;
	audio_pacer_init(&stream->pacer, hda->pci.device.machine, move, stream);
}

void hda_stream_finish(struct hda_stream *stream)
{
	audio_pacer_finish(&stream->pacer);
}
