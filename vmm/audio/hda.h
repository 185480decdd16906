/* High Definition Audio: the link between the controller and its codecs. Specification: High Definition Audio 1.0a.
 *
 * The controller sends verbs to the codecs (sections 3.6 and 7.3) and carries samples between guest memory and whatever
 * converter has been given the stream's number. With the machine's lock held.
 */
#pragma once

#include "display/audio.h"
#include "vmm/bus.h"

enum {
	HDA_CODECS_MAX = 15, /* addresses on the link */
	HDA_TAGS = 16,       /* stream numbers; 0 is no stream */
};

struct hda_codec;

/* A link; part of the controller. */
struct hda_bus {
	struct bus bus;
	struct hda_codec *codecs[HDA_CODECS_MAX];
	/* Streams that run now, a bit for each number. */
	uint16_t running[AUDIO_DIRECTIONS];
};

/* @parent is the controller. */
void hda_bus_init(struct hda_bus *bus, struct machine *machine, struct device *parent);
void hda_bus_finish(struct hda_bus *bus);
/* Everybody on the link back to power-on. */
void hda_bus_reset(struct hda_bus *bus);
/* Bit N: there is a codec at address N. */
uint16_t hda_bus_codecs(const struct hda_bus *bus);
/* A command (section 3.6.2: address, node, verb): its response; false when no such codec is there. */
bool hda_bus_command(struct hda_bus *bus, uint32_t command, uint32_t *response);
/* A stream of the controller starts or stops. */
void hda_bus_set_running(
	struct hda_bus *bus, enum audio_direction direction, unsigned tag, bool running);
/* Samples of a running stream in its @format (section 3.7.1): out to the converters, in from the first of them. */
void hda_bus_play(
	struct hda_bus *bus, unsigned tag, uint16_t format, const void *bytes, size_t length);
void hda_bus_capture(
	struct hda_bus *bus, unsigned tag, uint16_t format, void *bytes, size_t length);

/* What a stream format says; false: not PCM, or reserved values. */
bool hda_format_parse(uint16_t format, struct audio_format *parsed);

/* Codec devices. */
extern const struct device_class hda_output_class, hda_micro_class, hda_duplex_class;
/* Controllers. */
extern const struct device_class intel_hda_class, ich9_intel_hda_class;
