/* Sound of one guest: streams that its devices play or capture, and whoever listens or speaks.
 *
 * A device says in which format a stream is, whether it runs and how loud; it gives the bytes it plays and takes the bytes
 * it captures. Neither ever waits: playback that nobody takes in time is lost, and where nothing was captured there is
 * silence. Functions marked "device side" are called with the display's lock held, from any thread; the rest runs on the
 * main loop without it. Samples are little-endian.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "display/display.h"

enum {
	AUDIO_CHANNELS_MOST = 16,
	AUDIO_FREQUENCY_MOST = 384000,  /* Hz */
	AUDIO_VOLUME_MOST = 255,        /* as loud as the samples are */
	AUDIO_PENDING_MOST = 256 << 10, /* bytes of a stream that are held, either way */
};

enum audio_direction {
	AUDIO_PLAYBACK,
	AUDIO_CAPTURE,
	AUDIO_DIRECTIONS,
};

struct audio_format {
	uint32_t frequency; /* frames per second */
	uint8_t channels;   /* 1..AUDIO_CHANNELS_MOST */
	uint8_t bits;       /* of a sample: 8, 16, 24 (in three bytes) or 32 */
	bool is_signed;
	bool is_float;
};

struct audio_volume {
	bool mute;
	uint8_t channels[AUDIO_CHANNELS_MOST]; /* 0..AUDIO_VOLUME_MOST; those of the format count */
};

struct audio;
struct audio_stream;

/* Bytes of a frame: one sample of each channel. */
uint32_t audio_frame_bytes(const struct audio_format *format);

/* The sound of a display; lives as long as it does. */
struct audio *display_audio(const struct display *display);

/* Device side. A stream starts disabled, at full volume. @audio NULL: nobody can hear it. NULL streams are allowed
 * everywhere below: they are silent. */
struct audio_stream *audio_stream_new(
	struct audio *audio, enum audio_direction direction, const struct audio_format *format);
void audio_stream_free(struct audio_stream *stream);
/* What was held in the old format is gone. */
void audio_stream_set_format(struct audio_stream *stream, const struct audio_format *format);
void audio_stream_set_enabled(struct audio_stream *stream, bool enabled);
void audio_stream_set_volume(struct audio_stream *stream, const struct audio_volume *volume);
/* Whether somebody takes part, so that bytes are worth the copying. */
bool audio_stream_is_heard(const struct audio_stream *stream);
/* Playback: whole frames; lost when the stream is disabled or nobody listens. */
void audio_stream_write(struct audio_stream *stream, const void *bytes, size_t length);
/* Capture: @length bytes of whole frames, silence where nothing was captured; asks for as much to come. */
void audio_stream_read(struct audio_stream *stream, void *bytes, size_t length);

/* Who listens to all playback streams, or speaks into all capture streams. On the main loop, without the lock. */
struct audio_consumer_ops {
	void (*init)(void *owner, uint64_t id, const struct audio_format *format);
	void (*fini)(void *owner, uint64_t id);
	void (*set_enabled)(void *owner, uint64_t id, bool enabled);
	void (*set_volume)(void *owner, uint64_t id, const struct audio_format *format,
		const struct audio_volume *volume);
	/* Playback. The bytes are the caller's; GBytes, so that many can keep them. */
	void (*write)(void *owner, uint64_t id, GBytes *bytes);
	/* Capture: audio_capture() is to be called with about so many bytes, soon. False: not now, another one is asked. */
	bool (*read)(void *owner, uint64_t id, size_t length);
};

struct audio_consumer;

/* Tells of the streams there are, from within and from then on. */
struct audio_consumer *audio_add_consumer(struct audio *audio, enum audio_direction direction,
	const struct audio_consumer_ops *ops, void *owner);
void audio_remove_consumer(struct audio_consumer *consumer);

/* What was captured for a stream; what it cannot hold is lost. Nothing when the stream is gone. */
void audio_capture(struct audio *audio, uint64_t id, const void *bytes, size_t length);

/* For the display. */
struct audio *audio_new(GMutex *lock, GMainContext *context);
void audio_free(struct audio *audio);
