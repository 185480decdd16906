#include "tests/unit/audio/listener.h"

#include <string.h>

static void hear_init(void *owner, uint64_t id, const struct audio_format *format)
{
	g_assert_cmpuint(format->frequency, ==, 48000);
	((struct listener *)owner)->id = id;
}

static void hear_fini(void *owner, uint64_t id)
{
}

static void hear_enabled(void *owner, uint64_t id, bool enabled)
{
	((struct listener *)owner)->enabled = enabled;
}

static void hear_volume(void *owner, uint64_t id, const struct audio_format *format,
	const struct audio_volume *volume)
{
}

static void hear_bytes(void *owner, uint64_t id, GBytes *bytes)
{
	gsize length;
	const void *data = g_bytes_get_data(bytes, &length);

	g_byte_array_append(((struct listener *)owner)->bytes, data, length);
}

static bool speak(void *owner, uint64_t id, size_t length)
{
	g_autofree uint8_t *bytes = g_malloc(length);

	memset(bytes, LISTENER_SAYS, length);
	audio_capture(((struct listener *)owner)->audio, id, bytes, length);
	return true;
}

const struct audio_consumer_ops listener_ops = {
	.init = hear_init,
	.fini = hear_fini,
	.set_enabled = hear_enabled,
	.set_volume = hear_volume,
	.write = hear_bytes,
	.read = speak,
};
