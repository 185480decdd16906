/* The link between an HDA controller and its codecs: addresses, commands and samples on their way. */
#include <string.h>

#include "base/error.h"
#include "vmm/audio/hda-codec.h"

enum {
	COMMAND_ADDRESS_SHIFT = 28,
	COMMAND_NODE_SHIFT = 20,
	COMMAND_VERB_MASK = 0xfffff,
};

static bool attach(struct bus *bus, struct device *device, GError **error)
{
	struct hda_bus *link = (struct hda_bus *)bus;
	struct hda_codec *codec = (struct hda_codec *)device;
	uint32_t address = codec->address_option;

	if (address < HDA_CODECS_MAX && link->codecs[address])
		return fail(error, VITRINE_ERROR_INPUT, "cad=%u of %s is taken by %s", address,
			bus->name, link->codecs[address]->device.class->name);
	if (address >= HDA_CODECS_MAX)
		for (address = 0; address < HDA_CODECS_MAX && link->codecs[address];)
			address++;
	if (address >= HDA_CODECS_MAX)
		return fail(error, VITRINE_ERROR_INPUT, "all %d addresses of %s are taken",
			HDA_CODECS_MAX, bus->name);
	link->codecs[address] = codec;
	codec->address = address;
	codec->bus = link;
	return true;
}

static void detach(struct bus *bus, struct device *device)
{
	struct hda_codec *codec = (struct hda_codec *)device;

	((struct hda_bus *)bus)->codecs[codec->address] = NULL;
	codec->bus = NULL;
}

static bool is_full(struct bus *bus)
{
	return hda_bus_codecs((struct hda_bus *)bus) == (1 << HDA_CODECS_MAX) - 1;
}

static char *place(struct bus *bus, const struct device *device)
{
	return g_strdup_printf("cad %u", ((const struct hda_codec *)device)->address);
}

static const struct bus_ops ops = {
	.attach = attach,
	.detach = detach,
	.is_full = is_full,
	.place = place,
};

void hda_bus_init(struct hda_bus *bus, struct machine *machine, struct device *parent)
{
	g_autofree char *name = bus_make_name(parent, "hda", 0);

	bus_init(&bus->bus, BUS_HDA, name, machine, parent, &ops);
}

void hda_bus_finish(struct hda_bus *bus)
{
	bus_finish(&bus->bus);
}

void hda_bus_reset(struct hda_bus *bus)
{
	memset(bus->running, 0, sizeof(bus->running));
	for (unsigned i = 0; i < HDA_CODECS_MAX; i++)
		if (bus->codecs[i] && bus->codecs[i]->model)
			hda_codec_reset(bus->codecs[i]);
}

uint16_t hda_bus_codecs(const struct hda_bus *bus)
{
	uint16_t codecs = 0;

	for (unsigned i = 0; i < HDA_CODECS_MAX; i++)
		codecs |= (bus->codecs[i] ? 1 : 0) << i;
	return codecs;
}

bool hda_bus_command(struct hda_bus *bus, uint32_t command, uint32_t *response)
{
	unsigned address = command >> COMMAND_ADDRESS_SHIFT;
	struct hda_codec *codec = address < HDA_CODECS_MAX ? bus->codecs[address] : NULL;

	if (!codec)
		return false;
	*response = hda_codec_command(
		codec, command >> COMMAND_NODE_SHIFT & 0xff, command & COMMAND_VERB_MASK);
	return true;
}

void hda_bus_set_running(
	struct hda_bus *bus, enum audio_direction direction, unsigned tag, bool running)
{
	if (running)
		bus->running[direction] |= 1 << tag;
	else
		bus->running[direction] &= ~(1 << tag);
	for (unsigned i = 0; i < HDA_CODECS_MAX; i++)
		if (bus->codecs[i])
			hda_codec_update(bus->codecs[i]);
}

void hda_bus_play(
	struct hda_bus *bus, unsigned tag, uint16_t format, const void *bytes, size_t length)
{
	for (unsigned i = 0; i < HDA_CODECS_MAX; i++) {
		struct hda_converter *converter =
			bus->codecs[i]
				? hda_codec_converter(bus->codecs[i], AUDIO_PLAYBACK, tag, format)
				: NULL;

		if (converter)
			audio_stream_write(converter->stream, bytes, length);
	}
}

void hda_bus_capture(struct hda_bus *bus, unsigned tag, uint16_t format, void *bytes, size_t length)
{
	for (unsigned i = 0; i < HDA_CODECS_MAX; i++) {
		struct hda_converter *converter =
			bus->codecs[i]
				? hda_codec_converter(bus->codecs[i], AUDIO_CAPTURE, tag, format)
				: NULL;

		if (converter) {
			audio_stream_read(converter->stream, bytes, length);
			return;
		}
	}
	memset(bytes, 0, length);
}
