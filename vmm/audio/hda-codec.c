/* hda-output, hda-duplex, hda-micro: codecs on the HDA link. Specification: High Definition Audio 1.0a, chapter 7.
 *
 * A codec has a converter for playback, perhaps one for capture, and pins. Verbs are a table; what a node does not have
 * answers 0. Volume is told to whoever plays the samples: they are not changed here.
 */
#include "vmm/audio/hda-codec.h"

#include <string.h>

#include "base/error.h"
#include "vmm/audio/audiodev.h"
#include "vmm/machine/machine.h"

enum {
	FORMAT_NON_PCM = 1 << 15,
	FORMAT_44_KHZ = 1 << 14,
	FORMAT_DEFAULT = 1 << 4 | 1, /* 48 kHz, 16 bits, 2 channels */

	AMP_GET_LEFT = 1 << 13,
	AMP_SET_LEFT = 1 << 13,
	AMP_SET_RIGHT = 1 << 12,
	AMP_MUTE = 1 << 7,
	AMP_GAIN = 0x7f,

	VERB_LONG = 0x70000, /* these bits set: 12 bits of verb and 8 of payload */
};

static const struct state_field codec_state[] = {
	STATE_UINT8(struct hda_codec, converters[AUDIO_PLAYBACK].tag),
	STATE_UINT8(struct hda_codec, converters[AUDIO_PLAYBACK].channel),
	STATE_UINT16(struct hda_codec, converters[AUDIO_PLAYBACK].format),
	STATE_UINT8_ARRAY(struct hda_codec, converters[AUDIO_PLAYBACK].gain, 2),
	STATE_BOOL(struct hda_codec, converters[AUDIO_PLAYBACK].mute[0]),
	STATE_BOOL(struct hda_codec, converters[AUDIO_PLAYBACK].mute[1]),
	STATE_UINT8(struct hda_codec, converters[AUDIO_CAPTURE].tag),
	STATE_UINT8(struct hda_codec, converters[AUDIO_CAPTURE].channel),
	STATE_UINT16(struct hda_codec, converters[AUDIO_CAPTURE].format),
	STATE_UINT8_ARRAY(struct hda_codec, converters[AUDIO_CAPTURE].gain, 2),
	STATE_BOOL(struct hda_codec, converters[AUDIO_CAPTURE].mute[0]),
	STATE_BOOL(struct hda_codec, converters[AUDIO_CAPTURE].mute[1]),
	STATE_END,
};

static const struct property codec_properties[] = {
	{ "audiodev", PROPERTY_STRING, offsetof(struct hda_codec, audiodev), NULL,
		"where its sound goes (-audiodev); without one: to the display bus" },
	{ "cad", PROPERTY_UINT32, offsetof(struct hda_codec, address_option), "15",
		"address on the link; 15: the first that is free", 0, HDA_CODECS_MAX },
	{ "mixer", PROPERTY_BOOL, offsetof(struct hda_codec, mixer), "on",
		"volume and mute in the codec" },
	{ .type = PROPERTY_END },
};

bool hda_format_parse(uint16_t format, struct audio_format *parsed)
{
	static const uint8_t bits[8] = { 8, 16, 32, 32, 32 };
	unsigned multiple = format >> 11 & 7, divisor = format >> 8 & 7;

	*parsed = (struct audio_format) {
		.frequency =
			(format & FORMAT_44_KHZ ? 44100 : 48000) * (multiple + 1) / (divisor + 1),
		.channels = (format & 0xf) + 1,
		.bits = bits[format >> 4 & 7],
		.is_signed = true,
	};
	return !(format & FORMAT_NON_PCM) && multiple <= 3 && parsed->bits != 0;
}

/* Converters */

static struct hda_converter *converter_of(struct hda_codec *codec, const struct hda_node *node)
{
	switch (node->converter) {
	case HDA_OUTPUT_CONVERTER:
		return &codec->converters[AUDIO_PLAYBACK];
	case HDA_INPUT_CONVERTER:
		return &codec->converters[AUDIO_CAPTURE];
	default:
		return NULL;
	}
}

static void update_volume(struct hda_codec *codec, const struct hda_converter *converter)
{
	struct audio_volume volume = { .mute = converter->mute[0] && converter->mute[1] };

	if (!codec->mixer)
		return;
	for (unsigned i = 0; i < AUDIO_CHANNELS_MOST; i++) {
		unsigned side = i % 2;
		unsigned gain = MIN(converter->gain[side], HDA_AMPLIFIER_STEPS);

		volume.channels[i] =
			converter->mute[side] ? 0 : gain * AUDIO_VOLUME_MOST / HDA_AMPLIFIER_STEPS;
	}
	audio_stream_set_volume(converter->stream, &volume);
}

static void update_format(struct hda_converter *converter)
{
	struct audio_format format;

	if (hda_format_parse(converter->format, &format))
		audio_stream_set_format(converter->stream, &format);
}

void hda_codec_update(struct hda_codec *codec)
{
	for (unsigned i = 0; i < AUDIO_DIRECTIONS; i++) {
		struct hda_converter *converter = &codec->converters[i];
		bool runs = codec->bus && converter->tag > 0 &&
			    codec->bus->running[i] >> converter->tag & 1;

		audio_stream_set_enabled(converter->stream, runs);
	}
}

struct hda_converter *hda_codec_converter(
	struct hda_codec *codec, enum audio_direction direction, unsigned tag, uint16_t format)
{
	struct hda_converter *converter = &codec->converters[direction];

	return tag > 0 && converter->tag == tag && converter->format == format ? converter : NULL;
}

/* Verbs. What is asked of a node that has no such thing is answered with 0. */

struct verb_call {
	struct hda_codec *codec;
	const struct hda_node *node;
	struct hda_converter *converter; /* NULL: the node is none */
	uint16_t payload;
};

static uint32_t get_parameter(const struct verb_call *call)
{
	return hda_node_parameter(call->node, call->payload);
}

static uint32_t get_subsystem(const struct verb_call *call)
{
	return call->codec->model->id;
}

static uint32_t get_connections(const struct verb_call *call)
{
	return call->payload == 0 ? call->node->connection : 0;
}

static uint32_t get_pin_default(const struct verb_call *call)
{
	return call->node->default_config;
}

static uint32_t get_pin_control(const struct verb_call *call)
{
	return call->node->pin_control;
}

static uint32_t get_stream(const struct verb_call *call)
{
	return call->converter->tag << 4 | call->converter->channel;
}

static uint32_t set_stream(const struct verb_call *call)
{
	audio_stream_set_enabled(call->converter->stream, false);
	call->converter->tag = call->payload >> 4 & 0xf;
	call->converter->channel = call->payload & 0xf;
	hda_codec_update(call->codec);
	return 0;
}

static uint32_t get_format(const struct verb_call *call)
{
	return call->converter->format;
}

static uint32_t set_format(const struct verb_call *call)
{
	call->converter->format = call->payload;
	update_format(call->converter);
	return 0;
}

static uint32_t get_amplifier(const struct verb_call *call)
{
	unsigned side = call->payload & AMP_GET_LEFT ? 0 : 1;

	return call->converter->gain[side] | (call->converter->mute[side] ? AMP_MUTE : 0);
}

static uint32_t set_amplifier(const struct verb_call *call)
{
	static const uint16_t sides[2] = { AMP_SET_LEFT, AMP_SET_RIGHT };

	for (unsigned i = 0; i < 2; i++) {
		if (!(call->payload & sides[i]))
			continue;
		call->converter->gain[i] = call->payload & AMP_GAIN;
		call->converter->mute[i] = call->payload & AMP_MUTE;
	}
	update_volume(call->codec, call->converter);
	return 0;
}

static uint32_t reset_function(const struct verb_call *call)
{
	hda_codec_reset(call->codec);
	return 0;
}

static const struct verb {
	uint16_t verb;
	bool of_converter;
	uint32_t (*answer)(const struct verb_call *call);
} verbs[] = {
	{ 0xf00, false, get_parameter },
	{ 0xf02, false, get_connections },
	{ 0xf06, true, get_stream },
	{ 0xf07, false, get_pin_control },
	{ 0xf1c, false, get_pin_default },
	{ 0xf20, false, get_subsystem },
	{ 0xa00, true, get_format },
	{ 0xb00, true, get_amplifier },
	{ 0x200, true, set_format },
	{ 0x300, true, set_amplifier },
	{ 0x706, true, set_stream },
	{ 0x7ff, false, reset_function },
};

uint32_t hda_codec_command(struct hda_codec *codec, uint8_t node, uint32_t verb)
{
	bool is_long = (verb & VERB_LONG) == VERB_LONG;
	uint16_t name = is_long ? verb >> 8 & 0xfff : verb >> 8 & 0xf00;
	struct verb_call call = {
		.codec = codec,
		.payload = is_long ? verb & 0xff : verb & 0xffff,
	};

	if (node >= codec->model->node_count)
		return 0;
	call.node = &codec->model->nodes[node];
	call.converter = converter_of(codec, call.node);
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (verbs[i].verb == name && (call.converter || !verbs[i].of_converter))
			return verbs[i].answer(&call);
	return 0;
}

/* Life */

void hda_codec_reset(struct hda_codec *codec)
{
	for (unsigned i = 0; i < AUDIO_DIRECTIONS; i++) {
		struct hda_converter *converter = &codec->converters[i];
		uint8_t gain = i == AUDIO_PLAYBACK ? HDA_AMPLIFIER_STEPS : 0;

		*converter = (struct hda_converter) {
			.stream = converter->stream,
			.format = FORMAT_DEFAULT,
			.gain = { gain, gain },
		};
		update_format(converter);
		update_volume(codec, converter);
	}
	hda_codec_update(codec);
}

static bool realize(struct hda_codec *codec, enum hda_codec_kind kind, GError **error)
{
	struct audio *audio;
	struct audio_format format;

	if (!audiodev_find(codec->device.machine, codec->audiodev, &audio, error))
		return false;
	codec->model = hda_codec_model(kind, codec->mixer);
	hda_format_parse(FORMAT_DEFAULT, &format);
	codec->converters[AUDIO_PLAYBACK].stream = audio_stream_new(audio, AUDIO_PLAYBACK, &format);
	if (kind != HDA_CODEC_OUTPUT)
		codec->converters[AUDIO_CAPTURE].stream =
			audio_stream_new(audio, AUDIO_CAPTURE, &format);
	return true;
}

static bool realize_output(struct device *device, GError **error)
{
	return realize((struct hda_codec *)device, HDA_CODEC_OUTPUT, error);
}

static bool realize_duplex(struct device *device, GError **error)
{
	return realize((struct hda_codec *)device, HDA_CODEC_DUPLEX, error);
}

static bool realize_micro(struct device *device, GError **error)
{
	return realize((struct hda_codec *)device, HDA_CODEC_MICRO, error);
}

static void reset(struct device *device)
{
	hda_codec_reset((struct hda_codec *)device);
}

static void unrealize(struct device *device)
{
	struct hda_codec *codec = (struct hda_codec *)device;

	for (unsigned i = 0; i < AUDIO_DIRECTIONS; i++)
		g_clear_pointer(&codec->converters[i].stream, audio_stream_free);
}

#define CODEC_CLASS(text, about, realize_function) \
	{ \
		.name = text, .description = about, .bus = BUS_HDA, .user_creatable = true, \
		.size = sizeof(struct hda_codec), .properties = codec_properties, \
		.state = codec_state, .realize = realize_function, .reset = reset, \
		.unrealize = unrealize \
	}

const struct device_class hda_output_class =
	CODEC_CLASS("hda-output", "HDA codec: line-out", realize_output);
const struct device_class hda_duplex_class =
	CODEC_CLASS("hda-duplex", "HDA codec: line-out and line-in", realize_duplex);
const struct device_class hda_micro_class =
	CODEC_CLASS("hda-micro", "HDA codec: speaker and microphone", realize_micro);
