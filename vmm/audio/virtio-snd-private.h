/* Inside of virtio-snd: control requests (virtio-snd-control.c), streams and their buffers (virtio-snd-stream.c). With the
 * machine's lock held. */
#pragma once

#include "display/audio.h"
#include "vmm/audio/pacer.h"
#include "vmm/virtio/virtio-pci.h"

enum {
	SND_QUEUE_CONTROL = 0,
	SND_QUEUE_EVENT = 1,
	SND_QUEUE_TX = 2,
	SND_QUEUE_RX = 3,
	SND_QUEUES = 4,
	SND_QUEUE_SIZE = 64,
	SND_STREAMS_MAX = 8,
	SND_STATUS_BYTES = 8, /* behind each transfer: status and latency */
	SND_COMPLAINTS_MAX = 8,
};

/* Section 5.14.6: answers. */
enum snd_status {
	SND_OK = 0x8000,
	SND_BAD_MESSAGE = 0x8001,
	SND_NOT_SUPPORTED = 0x8002,
	SND_IO_ERROR = 0x8003,
};

/* Section 5.14.6.6.1: where a stream is in its life. */
enum snd_state {
	SND_STATE_NEW, /* as after a reset */
	SND_STATE_SET,
	SND_STATE_PREPARED,
	SND_STATE_RUNNING,
	SND_STATE_STOPPED,
	SND_STATE_RELEASED,
	SND_STATES,
};

/* What set_params asks for. */
struct snd_parameters {
	uint32_t buffer_bytes, period_bytes, features;
	uint8_t channels, format, rate;
};

/* A buffer of the driver's that the device has. */
struct snd_transfer {
	struct virtqueue_element element;
	size_t done, size; /* bytes of samples */
};

struct virtio_snd;

struct snd_stream {
	struct virtio_snd *snd;
	unsigned number;
	enum audio_direction direction;
	uint8_t state; /* enum snd_state */
	struct audio_format format;
	struct audio_stream *audio; /* NULL: nobody hears it */
	struct audio_pacer pacer;
	GQueue transfers; /* of struct snd_transfer, in their order */
};

struct virtio_snd {
	struct virtio_device virtio;
	struct snd_stream streams[SND_STREAMS_MAX];
	unsigned stream_count; /* that are set up */
	unsigned complaints;
	/* properties */
	uint32_t jacks, stream_option, chmaps;
	char *audiodev;
};

/* One request of the control queue; the answer is written into the element. */
int64_t snd_control(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element);
/* A buffer with samples, or for samples. */
int64_t snd_transfer(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element);

/* The formats and rates that are offered, a bit for each number of the specification. */
uint32_t snd_formats(void);
uint32_t snd_rates(void);
/* What they stand for; false when they are not offered. */
bool snd_format_parse(const struct snd_parameters *parameters, struct audio_format *format);

void snd_stream_init(struct snd_stream *stream, struct virtio_snd *snd, unsigned number,
	enum audio_direction direction, struct audio *audio);
void snd_stream_finish(struct snd_stream *stream);
enum snd_status snd_stream_set_parameters(
	struct snd_stream *stream, const struct snd_parameters *parameters);
enum snd_status snd_stream_prepare(struct snd_stream *stream);
enum snd_status snd_stream_start(struct snd_stream *stream);
enum snd_status snd_stream_stop(struct snd_stream *stream);
/* Gives all its buffers back. */
enum snd_status snd_stream_release(struct snd_stream *stream);
/* Its buffers are the driver's again without a word. */
void snd_stream_forget(struct snd_stream *stream);
/* As after a reset. */
void snd_stream_reset(struct snd_stream *stream);
