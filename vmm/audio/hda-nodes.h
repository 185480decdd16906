/* What the codecs consist of: nodes with their parameters. Specification: High Definition Audio 1.0a, sections 7.2 and
 * 7.3.4. The numbers are those of QEMU's codecs, whose drivers guests may have. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HDA_AMPLIFIER_STEPS = 0x4a,
	HDA_NODES_MAX = 6,
};

/* Parameters (section 7.3.4). */
enum hda_parameter {
	HDA_PARAMETER_VENDOR = 0x00,
	HDA_PARAMETER_SUBSYSTEM = 0x01,
	HDA_PARAMETER_REVISION = 0x02,
	HDA_PARAMETER_NODES = 0x04,
	HDA_PARAMETER_FUNCTION = 0x05,
	HDA_PARAMETER_FUNCTION_CAPS = 0x08,
	HDA_PARAMETER_WIDGET_CAPS = 0x09,
	HDA_PARAMETER_PCM = 0x0a,
	HDA_PARAMETER_FORMATS = 0x0b,
	HDA_PARAMETER_PIN_CAPS = 0x0c,
	HDA_PARAMETER_AMP_IN = 0x0d,
	HDA_PARAMETER_CONNECTIONS = 0x0e,
	HDA_PARAMETER_POWER = 0x0f,
	HDA_PARAMETER_GPIO = 0x11,
	HDA_PARAMETER_AMP_OUT = 0x12,
};

enum hda_converter_kind {
	HDA_NO_CONVERTER,
	HDA_OUTPUT_CONVERTER,
	HDA_INPUT_CONVERTER,
};

struct hda_node_parameter {
	uint8_t id;
	uint32_t value;
};

struct hda_node {
	const struct hda_node_parameter *parameters;
	size_t parameter_count;
	enum hda_converter_kind converter;
	bool is_pin;
	uint32_t default_config; /* of a pin */
	uint8_t pin_control;
	uint8_t connection; /* the one node on its list, 0: none */
};

struct hda_codec_model {
	uint32_t id;
	const struct hda_node *nodes; /* by number */
	unsigned node_count;
};

enum hda_codec_kind {
	HDA_CODEC_OUTPUT,
	HDA_CODEC_DUPLEX,
	HDA_CODEC_MICRO,
	HDA_CODEC_KINDS,
};

/* @mixer: with volume and mute in the converters. */
const struct hda_codec_model *hda_codec_model(enum hda_codec_kind kind, bool mixer);
/* A parameter of a node; 0 where there is none. */
uint32_t hda_node_parameter(const struct hda_node *node, uint8_t id);
