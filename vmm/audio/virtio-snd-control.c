/* Control requests of virtio-snd: what jacks, streams and channel maps there are, and what streams are to do. Sections
 * 5.14.6.1 to 5.14.6.9. */
#include <string.h>

#include "vmm/audio/virtio-snd-private.h"
#include "vmm/pci/config.h"

enum {
	CODE_BYTES = 4,
	INFO_REQUEST_BYTES = 16, /* code, first item, count, bytes of an item */
	PCM_REQUEST_BYTES = 8,   /* code, stream */
	PARAMETERS_BYTES = 24,
	REQUEST_MAX = PARAMETERS_BYTES,

	JACK_INFO_BYTES = 24,
	PCM_INFO_BYTES = 32,
	CHMAP_INFO_BYTES = 24,
	INFO_MAX = PCM_INFO_BYTES,

	CHANNELS_MAX = 2,
	POSITION_FRONT_LEFT = 3,
	POSITION_FRONT_RIGHT = 4,

	JACK_LINE_OUT = 0x00004010, /* as HDA's default configuration: green, first group */
	JACK_LINE_IN = 0x00805020,  /* red, second group */
	JACK_CAN_OUT = 1 << 4,
	JACK_CAN_IN = 1 << 5,
};

/* By the specification's numbers; without bits: not offered. */
static const struct audio_format formats[] = {
	[3] = { .bits = 8, .is_signed = true },
	[4] = { .bits = 8 },
	[5] = { .bits = 16, .is_signed = true },
	[6] = { .bits = 16 },
	[17] = { .bits = 32, .is_signed = true },
	[18] = { .bits = 32 },
	[19] = { .bits = 32, .is_signed = true, .is_float = true },
};

static const uint32_t rates[] = { 5512, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 64000,
	88200, 96000, 176400, 192000, 384000 };

uint32_t snd_formats(void)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		if (formats[i].bits > 0)
			bits |= UINT32_C(1) << i;
	return bits;
}

uint32_t snd_rates(void)
{
	return (UINT32_C(1) << G_N_ELEMENTS(rates)) - 1;
}

bool snd_format_parse(const struct snd_parameters *parameters, struct audio_format *format)
{
	if (parameters->format >= G_N_ELEMENTS(formats) || formats[parameters->format].bits == 0 ||
		parameters->rate >= G_N_ELEMENTS(rates) || parameters->channels < 1 ||
		parameters->channels > CHANNELS_MAX)
		return false;
	*format = formats[parameters->format];
	format->frequency = rates[parameters->rate];
	format->channels = parameters->channels;
	return true;
}

/* What there is */

static enum audio_direction direction(const struct virtio_snd *snd, uint32_t index)
{
	return snd->streams[index % snd->stream_count].direction;
}

static void jack_info(const struct virtio_snd *snd, uint32_t index, uint8_t *info)
{
	bool out = direction(snd, index) == AUDIO_PLAYBACK;

	config_set32(info + 8, out ? JACK_LINE_OUT : JACK_LINE_IN);
	config_set32(info + 12, out ? JACK_CAN_OUT : JACK_CAN_IN);
	info[16] = 1; /* connected */
}

static void pcm_info(const struct virtio_snd *snd, uint32_t index, uint8_t *info)
{
	config_set32(info + 8, snd_formats());
	config_set32(info + 16, snd_rates());
	info[24] = direction(snd, index);
	info[25] = 1;
	info[26] = CHANNELS_MAX;
}

static void chmap_info(const struct virtio_snd *snd, uint32_t index, uint8_t *info)
{
	info[4] = direction(snd, index);
	info[5] = CHANNELS_MAX;
	info[6] = POSITION_FRONT_LEFT;
	info[7] = POSITION_FRONT_RIGHT;
}

static uint32_t jack_count(const struct virtio_snd *snd)
{
	return snd->jacks;
}

static uint32_t stream_count(const struct virtio_snd *snd)
{
	return snd->stream_count;
}

static uint32_t chmap_count(const struct virtio_snd *snd)
{
	return snd->chmaps;
}

/* The items go behind the status, as many as were asked for. @written grows by them. */
struct snd_list {
	size_t info_bytes;
	uint32_t (*count)(const struct virtio_snd *snd);
	void (*info)(const struct virtio_snd *snd, uint32_t index, uint8_t *info);
};

static enum snd_status answer_list(const struct virtio_snd *snd, const struct snd_list *list,
	const uint8_t *request, const struct virtqueue_element *element, size_t *written)
{
	uint32_t first = config_get32(request + 4), count = config_get32(request + 8);
	uint32_t there = list->count(snd);
	size_t room = iovec_length(element->writable, element->writable_count);

	if (config_get32(request + 12) != list->info_bytes || first > there ||
		count > there - first || room < CODE_BYTES + count * list->info_bytes)
		return SND_BAD_MESSAGE;
	for (uint32_t i = 0; i < count; i++) {
		uint8_t info[INFO_MAX] = { 0 };

		list->info(snd, first + i, info);
		*written += iovec_write(element->writable, element->writable_count,
			CODE_BYTES + i * list->info_bytes, info, list->info_bytes);
	}
	return SND_OK;
}

/* What streams are to do */

static enum snd_status set_parameters(struct snd_stream *stream, const uint8_t *request)
{
	struct snd_parameters parameters = {
		.buffer_bytes = config_get32(request + 8),
		.period_bytes = config_get32(request + 12),
		.features = config_get32(request + 16),
		.channels = request[20],
		.format = request[21],
		.rate = request[22],
	};

	return snd_stream_set_parameters(stream, &parameters);
}

static enum snd_status prepare(struct snd_stream *stream, const uint8_t *request)
{
	return snd_stream_prepare(stream);
}

static enum snd_status release(struct snd_stream *stream, const uint8_t *request)
{
	return snd_stream_release(stream);
}

static enum snd_status start(struct snd_stream *stream, const uint8_t *request)
{
	return snd_stream_start(stream);
}

static enum snd_status stop(struct snd_stream *stream, const uint8_t *request)
{
	return snd_stream_stop(stream);
}

static const struct request {
	uint32_t code;
	size_t bytes;         /* of the request */
	struct snd_list list; /* asks what there is */
	enum snd_status (*run)(struct snd_stream *stream, const uint8_t *request);
} requests[] = {
	{ 0x0001, INFO_REQUEST_BYTES, { JACK_INFO_BYTES, jack_count, jack_info }, NULL },
	{ 0x0100, INFO_REQUEST_BYTES, { PCM_INFO_BYTES, stream_count, pcm_info }, NULL },
	{ 0x0101, PARAMETERS_BYTES, { 0 }, set_parameters },
	{ 0x0102, PCM_REQUEST_BYTES, { 0 }, prepare },
	{ 0x0103, PCM_REQUEST_BYTES, { 0 }, release },
	{ 0x0104, PCM_REQUEST_BYTES, { 0 }, start },
	{ 0x0105, PCM_REQUEST_BYTES, { 0 }, stop },
	{ 0x0200, INFO_REQUEST_BYTES, { CHMAP_INFO_BYTES, chmap_count, chmap_info }, NULL },
};

static const struct request *find_request(uint32_t code)
{
	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++)
		if (requests[i].code == code)
			return &requests[i];
	return NULL;
}

static enum snd_status run(struct virtio_snd *snd, const uint8_t *bytes, size_t length,
	const struct virtqueue_element *element, size_t *written)
{
	const struct request *request;
	uint32_t stream;

	if (length < CODE_BYTES)
		return SND_BAD_MESSAGE;
	request = find_request(config_get32(bytes));
	if (!request)
		return SND_NOT_SUPPORTED;
	if (length < request->bytes)
		return SND_BAD_MESSAGE;
	if (!request->run)
		return answer_list(snd, &request->list, bytes, element, written);
	stream = config_get32(bytes + 4);
	if (stream >= snd->stream_count)
		return SND_BAD_MESSAGE;
	return request->run(&snd->streams[stream], bytes);
}

int64_t snd_control(struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	uint8_t bytes[REQUEST_MAX], answer[CODE_BYTES];
	size_t length =
		iovec_read(element->readable, element->readable_count, 0, bytes, sizeof(bytes));
	size_t written = 0;

	/* Without room for an answer nothing is done. */
	if (iovec_length(element->writable, element->writable_count) < CODE_BYTES)
		return 0;
	config_set32(answer, run((struct virtio_snd *)virtio, bytes, length, element, &written));
	return written +
	       iovec_write(element->writable, element->writable_count, 0, answer, sizeof(answer));
}
