/* virtio-sound-pci: the device. Specification: virtio 1.2 section 5.14.
 *
 * Half of the streams play, the rest capture; jacks and channel maps are told of where they are asked for. It never has
 * anything to say on the event queue: its jacks are always connected.
 */
#include "vmm/audio/virtio-snd.h"

#include "vmm/audio/audiodev.h"
#include "vmm/audio/virtio-snd-private.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"

enum {
	CONFIG_JACKS = 0,
	CONFIG_STREAMS = 4,
	CONFIG_CHMAPS = 8,
	CONFIG_SIZE = 12,
};

#define STREAM_STATE(n) \
	STATE_UINT8(struct virtio_snd, streams[n].state), \
		STATE_UINT32(struct virtio_snd, streams[n].format.frequency), \
		STATE_UINT8(struct virtio_snd, streams[n].format.channels), \
		STATE_UINT8(struct virtio_snd, streams[n].format.bits), \
		STATE_BOOL(struct virtio_snd, streams[n].format.is_signed), \
		STATE_BOOL(struct virtio_snd, streams[n].format.is_float)

static const struct state_field snd_state[] = {
	STREAM_STATE(0),
	STREAM_STATE(1),
	STREAM_STATE(2),
	STREAM_STATE(3),
	STREAM_STATE(4),
	STREAM_STATE(5),
	STREAM_STATE(6),
	STREAM_STATE(7),
	STATE_END,
};

static const struct property snd_properties[] = {
	{ "audiodev", PROPERTY_STRING, offsetof(struct virtio_snd, audiodev), NULL,
		"where its sound goes (-audiodev); without one: to the display bus" },
	{ "jacks", PROPERTY_UINT32, offsetof(struct virtio_snd, jacks), "0", "jacks", 0,
		SND_STREAMS_MAX },
	{ "streams", PROPERTY_UINT32, offsetof(struct virtio_snd, stream_option), "2",
		"streams: the first half plays, the others capture", 1, SND_STREAMS_MAX },
	{ "chmaps", PROPERTY_UINT32, offsetof(struct virtio_snd, chmaps), "0", "channel maps", 0,
		SND_STREAMS_MAX },
	VIRTIO_PCI_PROPERTIES,
	VIRTIO_VECTORS_PROPERTY("2"),
	{ .type = PROPERTY_END },
};

static void control_kicked(struct virtio_device *virtio, unsigned queue)
{
	virtio_serve(virtio, queue, snd_control);
}

static void transfer_kicked(struct virtio_device *virtio, unsigned queue)
{
	virtio_serve(virtio, queue, snd_transfer);
}

static void get_config(struct virtio_device *virtio, uint8_t *config)
{
	const struct virtio_snd *snd = (struct virtio_snd *)virtio;

	config_set32(config + CONFIG_JACKS, snd->jacks);
	config_set32(config + CONFIG_STREAMS, snd->stream_count);
	config_set32(config + CONFIG_CHMAPS, snd->chmaps);
}

static void queue_reset(struct virtio_device *virtio, unsigned queue)
{
	struct virtio_snd *snd = (struct virtio_snd *)virtio;

	for (unsigned i = 0; i < snd->stream_count; i++) {
		bool plays = snd->streams[i].direction == AUDIO_PLAYBACK;

		if (queue == (plays ? SND_QUEUE_TX : SND_QUEUE_RX))
			snd_stream_forget(&snd->streams[i]);
	}
}

static void reset(struct virtio_device *virtio)
{
	struct virtio_snd *snd = (struct virtio_snd *)virtio;

	for (unsigned i = 0; i < snd->stream_count; i++)
		snd_stream_reset(&snd->streams[i]);
}

static const struct virtio_ops snd_ops = {
	.queues = SND_QUEUES,
	.config_size = CONFIG_SIZE,
	.get_config = get_config,
	.queue_reset = queue_reset,
	.reset = reset,
};

static bool snd_realize(struct device *device, GError **error)
{
	struct virtio_snd *snd = (struct virtio_snd *)device;
	struct virtio_device *virtio = &snd->virtio;
	struct audio *audio;

	if (!audiodev_find(device->machine, snd->audiodev, &audio, error))
		return false;
	virtio->ops = &snd_ops;
	if (!virtio_pci_realize(virtio, error))
		return false;
	for (unsigned i = 0; i < SND_QUEUES; i++)
		virtio_set_queue_size(virtio, i, SND_QUEUE_SIZE);
	virtio_add_main_queue(virtio, SND_QUEUE_CONTROL, control_kicked);
	virtio_add_main_queue(virtio, SND_QUEUE_TX, transfer_kicked);
	virtio_add_main_queue(virtio, SND_QUEUE_RX, transfer_kicked);
	for (unsigned i = 0; i < snd->stream_option; i++) {
		bool plays = i < (snd->stream_option + 1) / 2;

		snd_stream_init(
			&snd->streams[i], snd, i, plays ? AUDIO_PLAYBACK : AUDIO_CAPTURE, audio);
		snd->stream_count++;
	}
	return true;
}

static void snd_unrealize(struct device *device)
{
	struct virtio_snd *snd = (struct virtio_snd *)device;

	for (unsigned i = 0; i < snd->stream_count; i++)
		snd_stream_finish(&snd->streams[i]);
	snd->stream_count = 0;
	virtio_pci_unrealize(&snd->virtio);
}

static void snd_set_running(struct device *device, bool running)
{
	struct virtio_snd *snd = (struct virtio_snd *)device;

	virtio_set_running(&snd->virtio, running);
	for (unsigned i = 0; i < snd->stream_count; i++)
		audio_pacer_set_running(&snd->streams[i].pacer);
}

static const struct pci_identity snd_identity = {
	.vendor = 0x1af4,
	.device = 0x1059,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x040100,
	.revision = 1,
	.interrupt_pin = 1,
};

const struct device_class virtio_snd_class = {
	.name = "virtio-sound-pci",
	.description = "sound for virtio drivers",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct virtio_snd),
	.pci = &snd_identity,
	.properties = snd_properties,
	.state = snd_state,
	.realize = snd_realize,
	.reset = virtio_device_reset,
	.unrealize = snd_unrealize,
	.set_running = snd_set_running,
};
