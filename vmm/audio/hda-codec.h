/* Inside of the codecs: converters and verbs. */
#pragma once

#include "vmm/audio/hda-nodes.h"
#include "vmm/audio/hda.h"

/* A converter between the link and the outside world. */
struct hda_converter {
	struct audio_stream *stream; /* NULL: nobody hears it */
	uint8_t tag, channel;        /* of the stream it takes part in; 0: none */
	uint16_t format;
	uint8_t gain[2]; /* left, right: 0..0x7f */
	bool mute[2];
};

struct hda_codec {
	struct device device;
	struct hda_bus *bus;
	const struct hda_codec_model *model;
	struct hda_converter converters[AUDIO_DIRECTIONS];
	uint32_t address; /* on the link */
	/* properties */
	uint32_t address_option; /* HDA_CODECS_MAX: the first that is free */
	bool mixer;
	char *audiodev;
};

/* A verb to a node (sections 7.1.2 and 7.3.3): 20 bits, of 4 and 16 or of 12 and 8. Returns the response. */
uint32_t hda_codec_command(struct hda_codec *codec, uint8_t node, uint32_t verb);
void hda_codec_reset(struct hda_codec *codec);
/* Its converters are as the streams are that run now. */
void hda_codec_update(struct hda_codec *codec);
/* The converter that takes part in a stream, or NULL. */
struct hda_converter *hda_codec_converter(
	struct hda_codec *codec, enum audio_direction direction, unsigned tag, uint16_t format);
