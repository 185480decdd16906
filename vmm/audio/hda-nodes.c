/* The codecs' nodes: hda-output plays, hda-duplex has line-in as well, hda-micro a speaker and a microphone. */
#include "vmm/audio/hda-nodes.h"

#include <glib.h>

enum {
	VENDOR = 0x1af4,
	REVISION = 0x00100101,
	FUNCTION_AUDIO = 1,
	FUNCTION_DELAYS = 0x0808, /* samples on the way in and out */
	FIRST_NODE_SHIFT = 16,

	PCM_16_BITS = 1 << 17,
	PCM_16_TO_96_KHZ = 0x1fc,
	PCM_FORMATS = PCM_16_BITS | PCM_16_TO_96_KHZ,
	FORMAT_PCM = 1,

	WIDGET_STEREO = 1 << 0,
	WIDGET_AMP_IN = 1 << 1,
	WIDGET_AMP_OUT = 1 << 2,
	WIDGET_OWN_AMP = 1 << 3,
	WIDGET_OWN_FORMAT = 1 << 4,
	WIDGET_CONNECTIONS = 1 << 8,
	WIDGET_OUTPUT = 0 << 20,
	WIDGET_INPUT = 1 << 20,
	WIDGET_PIN = 4 << 20,

	PIN_CAN_OUT = 1 << 4,
	PIN_CAN_IN = 1 << 5,
	PIN_IN_ENABLED = 1 << 5,
	PIN_OUT_ENABLED = 1 << 6,

	/* Default configuration of pins (section 7.3.3.31). */
	JACK_LINE_OUT = 0 << 20,
	JACK_SPEAKER = 1 << 20,
	JACK_LINE_IN = 8 << 20,
	JACK_MICROPHONE = 10 << 20,
	JACK_GREEN = 4 << 12,
	JACK_RED = 5 << 12,
	JACK_FIRST_GROUP = 0x10,
	JACK_SECOND_GROUP = 0x20,
};

#define AMPLIFIER (UINT32_C(1) << 31 | 3 << 16 | HDA_AMPLIFIER_STEPS << 8 | HDA_AMPLIFIER_STEPS)

#define OUTPUT_PARAMETERS(amplifier) \
	{ HDA_PARAMETER_WIDGET_CAPS, WIDGET_OUTPUT | WIDGET_OWN_FORMAT | WIDGET_OWN_AMP | \
					     WIDGET_AMP_OUT | WIDGET_STEREO }, \
		{ HDA_PARAMETER_PCM, PCM_FORMATS }, { HDA_PARAMETER_FORMATS, FORMAT_PCM }, \
	{ \
		HDA_PARAMETER_AMP_OUT, amplifier \
	}

#define INPUT_PARAMETERS(amplifier) \
	{ HDA_PARAMETER_WIDGET_CAPS, WIDGET_INPUT | WIDGET_CONNECTIONS | WIDGET_OWN_FORMAT | \
					     WIDGET_OWN_AMP | WIDGET_AMP_IN | WIDGET_STEREO }, \
		{ HDA_PARAMETER_CONNECTIONS, 1 }, { HDA_PARAMETER_PCM, PCM_FORMATS }, \
		{ HDA_PARAMETER_FORMATS, FORMAT_PCM }, \
	{ \
		HDA_PARAMETER_AMP_IN, amplifier \
	}

#define ROOT_PARAMETERS(model) \
	{ HDA_PARAMETER_VENDOR, VENDOR << 16 | (model) }, \
		{ HDA_PARAMETER_SUBSYSTEM, VENDOR << 16 | (model) }, \
		{ HDA_PARAMETER_REVISION, REVISION }, \
	{ \
		HDA_PARAMETER_NODES, 1 << FIRST_NODE_SHIFT | 1 \
	}

#define FUNCTION_PARAMETERS(model, widgets) \
	{ HDA_PARAMETER_SUBSYSTEM, VENDOR << 16 | (model) }, \
		{ HDA_PARAMETER_NODES, 2 << FIRST_NODE_SHIFT | (widgets) }, \
		{ HDA_PARAMETER_FUNCTION, FUNCTION_AUDIO }, \
		{ HDA_PARAMETER_FUNCTION_CAPS, FUNCTION_DELAYS }, \
		{ HDA_PARAMETER_PCM, PCM_FORMATS }, \
	{ \
		HDA_PARAMETER_FORMATS, FORMAT_PCM \
	}

static const struct hda_node_parameter output_mixer[] = { OUTPUT_PARAMETERS(AMPLIFIER) },
				       output_plain[] = { OUTPUT_PARAMETERS(0) },
				       input_mixer[] = { INPUT_PARAMETERS(AMPLIFIER) },
				       input_plain[] = { INPUT_PARAMETERS(0) };

static const struct hda_node_parameter pin_out[] = {
	{ HDA_PARAMETER_WIDGET_CAPS, WIDGET_PIN | WIDGET_CONNECTIONS | WIDGET_STEREO },
	{ HDA_PARAMETER_PIN_CAPS, PIN_CAN_OUT },
	{ HDA_PARAMETER_CONNECTIONS, 1 },
};

static const struct hda_node_parameter pin_in[] = {
	{ HDA_PARAMETER_WIDGET_CAPS, WIDGET_PIN | WIDGET_STEREO },
	{ HDA_PARAMETER_PIN_CAPS, PIN_CAN_IN },
};

#define NODE(list) .parameters = list, .parameter_count = G_N_ELEMENTS(list)

#define OUTPUT_NODES(name, mixing, jack) \
	{ NODE(name##_root) }, { NODE(name##_function) }, \
		{ NODE(output_##mixing), .converter = HDA_OUTPUT_CONVERTER }, \
	{ \
		NODE(pin_out), .is_pin = true, \
			       .default_config = (jack) | JACK_GREEN | JACK_FIRST_GROUP, \
			       .pin_control = PIN_OUT_ENABLED, .connection = 2 \
	}

#define INPUT_NODES(mixing, jack) \
	{ NODE(input_##mixing), .converter = HDA_INPUT_CONVERTER, .connection = 5 }, \
	{ \
		NODE(pin_in), .is_pin = true, \
			      .default_config = (jack) | JACK_RED | JACK_SECOND_GROUP, \
			      .pin_control = PIN_IN_ENABLED \
	}

/* A codec with its mixer or without: they tell themselves apart by their ids. */
#define OUTPUT_CODEC(name, id, mixing, jack) \
	static const struct hda_node_parameter name##_root[] = { ROOT_PARAMETERS(id) }; \
	static const struct hda_node_parameter name##_function[] = { FUNCTION_PARAMETERS(id, 2) }; \
	static const struct hda_node name##_nodes[] = { OUTPUT_NODES(name, mixing, jack) };

#define TWO_WAY_CODEC(name, id, mixing, jack_out, jack_in) \
	static const struct hda_node_parameter name##_root[] = { ROOT_PARAMETERS(id) }; \
	static const struct hda_node_parameter name##_function[] = { FUNCTION_PARAMETERS(id, 4) }; \
	static const struct hda_node name##_nodes[] = { OUTPUT_NODES(name, mixing, jack_out), \
		INPUT_NODES(mixing, jack_in) };

OUTPUT_CODEC(output11, 0x11, plain, JACK_LINE_OUT)
OUTPUT_CODEC(output12, 0x12, mixer, JACK_LINE_OUT)
TWO_WAY_CODEC(duplex21, 0x21, plain, JACK_LINE_OUT, JACK_LINE_IN)
TWO_WAY_CODEC(duplex22, 0x22, mixer, JACK_LINE_OUT, JACK_LINE_IN)
TWO_WAY_CODEC(micro31, 0x31, plain, JACK_SPEAKER, JACK_MICROPHONE)
TWO_WAY_CODEC(micro32, 0x32, mixer, JACK_SPEAKER, JACK_MICROPHONE)

#define MODEL(name, model) \
	{ \
		.id = VENDOR << 16 | (model), .nodes = name##_nodes, \
		.node_count = G_N_ELEMENTS(name##_nodes) \
	}

static const struct hda_codec_model models[HDA_CODEC_KINDS][2] = {
	[HDA_CODEC_OUTPUT] = { MODEL(output11, 0x11), MODEL(output12, 0x12) },
	[HDA_CODEC_DUPLEX] = { MODEL(duplex21, 0x21), MODEL(duplex22, 0x22) },
	[HDA_CODEC_MICRO] = { MODEL(micro31, 0x31), MODEL(micro32, 0x32) },
};

const struct hda_codec_model *hda_codec_model(enum hda_codec_kind kind, bool mixer)
{
	return &models[kind][mixer];
}

uint32_t hda_node_parameter(const struct hda_node *node, uint8_t id)
{
	for (size_t i = 0; i < node->parameter_count; i++)
		if (node->parameters[i].id == id)
			return node->parameters[i].value;
	return 0;
}
