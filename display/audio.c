/* Sound of one guest: what its streams are now, and what the consumers were told of them. */
#include "display/audio.h"

#include <string.h>

struct audio_stream {
	struct audio *audio;
	uint64_t id; /* another one for each format */
	enum audio_direction direction;
	struct audio_format format;
	struct audio_volume volume;
	bool enabled;
	GByteArray *held; /* played and not given out yet, or captured and not read yet */
	size_t wanted;    /* capture: bytes to be asked for */
};

/* A stream as the consumers know it. */
struct told {
	uint64_t id;
	enum audio_direction direction;
	struct audio_format format;
	struct audio_volume volume;
	bool enabled;
	GBytes *bytes; /* only in what is new */
	size_t wanted;
};

struct audio_consumer {
	struct audio *audio;
	enum audio_direction direction;
	const struct audio_consumer_ops *ops;
	void *owner;
	bool removed;
};

struct audio {
	GMutex *lock;
	GSource *change;
	GPtrArray *consumers; /* of struct audio_consumer; main loop */
	GArray *told;         /* of struct told; main loop */
	unsigned dispatching;

	/* With the lock. */
	GPtrArray *streams; /* of struct audio_stream */
	unsigned counts[AUDIO_DIRECTIONS];
	uint64_t next_id;
};

uint32_t audio_frame_bytes(const struct audio_format *format)
{
	return (uint32_t)format->channels * (format->bits / 8);
}

/* Telling the consumers */

/* Consumers that were removed by what they were told are freed when all is told. */
static void sweep(struct audio *audio)
{
	for (guint i = audio->consumers->len; i-- > 0;) {
		struct audio_consumer *consumer = audio->consumers->pdata[i];

		if (consumer->removed)
			g_ptr_array_remove_index(audio->consumers, i);
	}
}

static struct audio_consumer *consumer_at(
	struct audio *audio, guint index, enum audio_direction direction)
{
	struct audio_consumer *consumer = audio->consumers->pdata[index];

	return consumer->removed || consumer->direction != direction ? NULL : consumer;
}

static bool same_format(const struct audio_format *one, const struct audio_format *other)
{
	return one->frequency == other->frequency && one->channels == other->channels &&
	       one->bits == other->bits && one->is_signed == other->is_signed &&
	       one->is_float == other->is_float;
}

static bool same_volume(const struct audio_volume *one, const struct audio_volume *other)
{
	return one->mute == other->mute &&
	       memcmp(one->channels, other->channels, sizeof(one->channels)) == 0;
}

static struct told *find_told(const GArray *list, uint64_t id)
{
	for (guint i = 0; i < list->len; i++) {
		struct told *told = &g_array_index(list, struct told, i);

		if (told->id == id)
			return told;
	}
	return NULL;
}

static void tell_gone(struct audio *audio, const struct told *old)
{
	for (guint i = 0; i < audio->consumers->len; i++) {
		struct audio_consumer *consumer = consumer_at(audio, i, old->direction);

		if (consumer)
			consumer->ops->fini(consumer->owner, old->id);
	}
}

static void tell_new(struct audio_consumer *consumer, const struct told *now)
{
	consumer->ops->init(consumer->owner, now->id, &now->format);
	if (!consumer->removed)
		consumer->ops->set_volume(consumer->owner, now->id, &now->format, &now->volume);
	if (!consumer->removed && now->enabled)
		consumer->ops->set_enabled(consumer->owner, now->id, true);
}

static void tell_changes(
	struct audio_consumer *consumer, const struct told *old, const struct told *now)
{
	if (!same_volume(&old->volume, &now->volume))
		consumer->ops->set_volume(consumer->owner, now->id, &now->format, &now->volume);
	if (!consumer->removed && !old->enabled && now->enabled)
		consumer->ops->set_enabled(consumer->owner, now->id, true);
}

static void tell_state(struct audio *audio, const struct told *old, const struct told *now)
{
	for (guint i = 0; i < audio->consumers->len; i++) {
		struct audio_consumer *consumer = consumer_at(audio, i, now->direction);

		if (!consumer)
			continue;
		if (old)
			tell_changes(consumer, old, now);
		else
			tell_new(consumer, now);
		if (!consumer->removed && now->bytes)
			consumer->ops->write(consumer->owner, now->id, now->bytes);
		if (!consumer->removed && old && old->enabled && !now->enabled)
			consumer->ops->set_enabled(consumer->owner, now->id, false);
	}
}

/* The first one that can gives what is captured. */
static void ask(struct audio *audio, const struct told *now)
{
	for (guint i = 0; now->wanted > 0 && i < audio->consumers->len; i++) {
		struct audio_consumer *consumer = consumer_at(audio, i, now->direction);

		if (consumer && consumer->ops->read(consumer->owner, now->id, now->wanted))
			return;
	}
}

/* What the streams are now, with the bytes they held. */
static GArray *take_state(struct audio *audio)
{
	GArray *now = g_array_new(FALSE, FALSE, sizeof(struct told));

	g_mutex_lock(audio->lock);
	g_source_set_ready_time(audio->change, -1);
	for (guint i = 0; i < audio->streams->len; i++) {
		struct audio_stream *stream = audio->streams->pdata[i];
		struct told told = {
			.id = stream->id,
			.direction = stream->direction,
			.format = stream->format,
			.volume = stream->volume,
			.enabled = stream->enabled,
			.wanted = stream->wanted,
		};

		if (stream->direction == AUDIO_PLAYBACK && stream->held->len > 0) {
			told.bytes = g_byte_array_free_to_bytes(stream->held);
			stream->held = g_byte_array_new();
		}
		stream->wanted = 0;
		g_array_append_val(now, told);
	}
	g_mutex_unlock(audio->lock);
	return now;
}

static gboolean tell(gpointer data)
{
	struct audio *audio = data;
	GArray *old = audio->told;
	GArray *now = take_state(audio);

	audio->dispatching++;
	for (guint i = 0; i < old->len; i++) {
		const struct told *told = &g_array_index(old, struct told, i);

		if (!find_told(now, told->id))
			tell_gone(audio, told);
	}
	for (guint i = 0; i < now->len; i++) {
		struct told *told = &g_array_index(now, struct told, i);

		tell_state(audio, find_told(old, told->id), told);
		ask(audio, told);
		g_clear_pointer(&told->bytes, g_bytes_unref);
	}
	g_array_unref(old);
	audio->told = now;
	audio->dispatching--;
	sweep(audio);
	return G_SOURCE_CONTINUE;
}

static gboolean dispatch_change(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs change_funcs = { .dispatch = dispatch_change };

static void announce(struct audio *audio)
{
	g_source_set_ready_time(audio->change, 0);
}

/* Consumers */

struct audio_consumer *audio_add_consumer(struct audio *audio, enum audio_direction direction,
	const struct audio_consumer_ops *ops, void *owner)
{
	struct audio_consumer *consumer = g_new0(struct audio_consumer, 1);

	/* Comes while nothing is told, or it would hear of changes to streams that it does not know. */
	g_assert(audio->dispatching == 0);
	consumer->audio = audio;
	consumer->direction = direction;
	consumer->ops = ops;
	consumer->owner = owner;
	g_ptr_array_add(audio->consumers, consumer);
	g_mutex_lock(audio->lock);
	audio->counts[direction]++;
	g_mutex_unlock(audio->lock);
	audio->dispatching++;
	for (guint i = 0; !consumer->removed && i < audio->told->len; i++) {
		const struct told *told = &g_array_index(audio->told, struct told, i);

		if (told->direction == direction)
			tell_new(consumer, told);
	}
	audio->dispatching--;
	return consumer;
}

void audio_remove_consumer(struct audio_consumer *consumer)
{
	struct audio *audio = consumer->audio;

	consumer->removed = true;
	g_mutex_lock(audio->lock);
	audio->counts[consumer->direction]--;
	g_mutex_unlock(audio->lock);
	if (audio->dispatching == 0)
		sweep(audio);
}

static void hold(struct audio_stream *stream, const void *bytes, size_t length)
{
	size_t frame = audio_frame_bytes(&stream->format);
	size_t room = AUDIO_PENDING_MOST - MIN(stream->held->len, AUDIO_PENDING_MOST);

	length = MIN(length, room);
	g_byte_array_append(stream->held, bytes, length - length % frame);
}

void audio_capture(struct audio *audio, uint64_t id, const void *bytes, size_t length)
{
	g_mutex_lock(audio->lock);
	for (guint i = 0; i < audio->streams->len; i++) {
		struct audio_stream *stream = audio->streams->pdata[i];

		if (stream->id == id && stream->direction == AUDIO_CAPTURE && stream->enabled)
			hold(stream, bytes, length);
	}
	g_mutex_unlock(audio->lock);
}

/* Streams */

struct audio_stream *audio_stream_new(
	struct audio *audio, enum audio_direction direction, const struct audio_format *format)
{
	struct audio_stream *stream;

	if (!audio)
		return NULL;
	stream = g_new0(struct audio_stream, 1);
	stream->audio = audio;
	stream->id = audio->next_id++;
	stream->direction = direction;
	stream->format = *format;
	memset(stream->volume.channels, AUDIO_VOLUME_MOST, sizeof(stream->volume.channels));
	stream->held = g_byte_array_new();
	g_ptr_array_add(audio->streams, stream);
	announce(audio);
	return stream;
}

void audio_stream_free(struct audio_stream *stream)
{
	if (!stream)
		return;
	g_ptr_array_remove(stream->audio->streams, stream);
	announce(stream->audio);
	g_byte_array_unref(stream->held);
	g_free(stream);
}

static void forget(struct audio_stream *stream)
{
	g_byte_array_set_size(stream->held, 0);
	stream->wanted = 0;
}

void audio_stream_set_format(struct audio_stream *stream, const struct audio_format *format)
{
	if (!stream || same_format(&stream->format, format))
		return;
	forget(stream);
	stream->format = *format;
	stream->id = stream->audio->next_id++;
	announce(stream->audio);
}

void audio_stream_set_enabled(struct audio_stream *stream, bool enabled)
{
	if (!stream || stream->enabled == enabled)
		return;
	if (stream->direction == AUDIO_CAPTURE)
		forget(stream);
	stream->enabled = enabled;
	announce(stream->audio);
}

void audio_stream_set_volume(struct audio_stream *stream, const struct audio_volume *volume)
{
	if (!stream || same_volume(&stream->volume, volume))
		return;
	stream->volume = *volume;
	announce(stream->audio);
}

bool audio_stream_is_heard(const struct audio_stream *stream)
{
	return stream && stream->enabled && stream->audio->counts[stream->direction] > 0;
}

void audio_stream_write(struct audio_stream *stream, const void *bytes, size_t length)
{
	if (!audio_stream_is_heard(stream))
		return;
	hold(stream, bytes, length);
	announce(stream->audio);
}

/* Unsigned samples are silent in the middle of their range. */
static void fill_silence(const struct audio_format *format, uint8_t *bytes, size_t length)
{
	size_t sample = format->bits / 8;

	memset(bytes, 0, length);
	if (format->is_signed || format->is_float)
		return;
	for (size_t i = sample - 1; i < length; i += sample)
		bytes[i] = 0x80;
}

void audio_stream_read(struct audio_stream *stream, void *bytes, size_t length)
{
	size_t there = 0;

	if (!stream) {
		memset(bytes, 0, length);
		return;
	}
	if (audio_stream_is_heard(stream)) {
		there = MIN(length, stream->held->len);
		if (there > 0) {
			memcpy(bytes, stream->held->data, there);
			g_byte_array_remove_range(stream->held, 0, there);
		}
		stream->wanted = MIN(stream->wanted + length, AUDIO_PENDING_MOST);
		announce(stream->audio);
	}
	fill_silence(&stream->format, (uint8_t *)bytes + there, length - there);
}

/* Life */

struct audio *audio_new(GMutex *lock, GMainContext *context)
{
	struct audio *audio = g_new0(struct audio, 1);

	audio->lock = lock;
	audio->consumers = g_ptr_array_new_with_free_func(g_free);
	audio->streams = g_ptr_array_new();
	audio->told = g_array_new(FALSE, FALSE, sizeof(struct told));
	audio->next_id = 1;
	audio->change = g_source_new(&change_funcs, sizeof(GSource));
	g_source_set_callback(audio->change, tell, audio, NULL);
	g_source_set_static_name(audio->change, "audio");
	g_source_attach(audio->change, context);
	return audio;
}

void audio_free(struct audio *audio)
{
	g_assert(audio->streams->len == 0);
	g_source_destroy(audio->change);
	g_source_unref(audio->change);
	g_ptr_array_unref(audio->consumers);
	g_ptr_array_unref(audio->streams);
	g_array_unref(audio->told);
	g_free(audio);
}
