/* The IDE function of the PIIX3, with two channels at their traditional ports; and one channel alone, on ISA.
 *
 * Specification: Intel 82371SB (PIIX3) datasheet, section 2.4 (function 1).
 */
#include "vmm/machine/machine.h"
#include "vmm/pci/pci.h"
#include "vmm/storage/ide.h"

enum {
	CHANNELS = 2,
	MASTER_BAR = 4,
	MASTER_BYTES = CHANNELS * IDE_BUS_MASTER_BYTES,
	TIMING = 0x40, /* IDETIM and SIDETIM: what firmware sets is kept */
	TIMING_BYTES = 5,
};

static const struct {
	uint16_t registers, control;
	unsigned irq;
} places[CHANNELS] = {
	{ 0x1f0, 0x3f6, 14 },
	{ 0x170, 0x376, 15 },
};

struct piix_ide {
	struct pci_device pci;
	struct io_region master;
	struct ide_channel channels[CHANNELS];
};

#define CHANNEL_STATE(structure, member) \
	STATE_UINT8(structure, member.control), STATE_UINT32(structure, member.selected), \
		STATE_BOOL(structure, member.interrupt), \
		STATE_UINT8(structure, member.master_command), \
		STATE_UINT8(structure, member.master_status), \
		STATE_UINT32(structure, member.table)

static const struct state_field piix_state[] = {
	CHANNEL_STATE(struct piix_ide, channels[0]),
	CHANNEL_STATE(struct piix_ide, channels[1]),
	STATE_END,
};

static uint64_t master_read(void *device, uint64_t offset, unsigned size)
{
	const struct piix_ide *ide = device;
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++, offset++)
		value |= (uint64_t)ide_master_read(&ide->channels[offset / IDE_BUS_MASTER_BYTES],
				 offset % IDE_BUS_MASTER_BYTES)
			 << 8 * i;
	return value;
}

static void master_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct piix_ide *ide = device;

	for (unsigned i = 0; i < size; i++, offset++)
		ide_master_write(&ide->channels[offset / IDE_BUS_MASTER_BYTES],
			offset % IDE_BUS_MASTER_BYTES, value >> 8 * i);
}

static const struct io_ops master_ops = { master_read, master_write, .max_access = 4 };

static bool may_master(struct ide_channel *channel)
{
	return pci_device_is_bus_master((const struct pci_device *)channel->bus.controller);
}

static bool piix_realize(struct device *device, GError **error)
{
	struct piix_ide *ide = (struct piix_ide *)device;

	ide->master = (struct io_region) {
		.name = "IDE bus master", .ops = &master_ops, .device = ide, .size = MASTER_BYTES
	};
	pci_device_add_bar(&ide->pci, MASTER_BAR, PCI_BAR_PORTS, MASTER_BYTES, &ide->master, NULL);
	for (unsigned i = 0; i < TIMING_BYTES; i++)
		ide->pci.write_mask[TIMING + i] = 0xff;
	for (unsigned i = 0; i < CHANNELS; i++) {
		struct ide_channel *channel = &ide->channels[i];

		ide_channel_init(
			channel, device, i, places[i].registers, places[i].control, places[i].irq);
		channel->has_master = true;
		channel->may_master = may_master;
	}
	return true;
}

static void piix_reset(struct device *device)
{
	struct piix_ide *ide = (struct piix_ide *)device;

	for (unsigned i = 0; i < TIMING_BYTES; i++)
		ide->pci.config[TIMING + i] = 0;
	for (unsigned i = 0; i < CHANNELS; i++)
		ide_channel_reset(&ide->channels[i]);
}

static void piix_unrealize(struct device *device)
{
	struct piix_ide *ide = (struct piix_ide *)device;

	pci_device_unmap(&ide->pci);
	for (unsigned i = 0; i < CHANNELS; i++)
		ide_channel_finish(&ide->channels[i]);
}

static const struct pci_identity piix_identity = {
	.vendor = 0x8086,
	.device = 0x7010,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x010180,
};

const struct device_class piix3_ide_class = {
	.name = "piix3-ide",
	.description = "IDE controller with two channels (PIIX3)",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct piix_ide),
	.pci = &piix_identity,
	.state = piix_state,
	.realize = piix_realize,
	.reset = piix_reset,
	.unrealize = piix_unrealize,
};

/* ISA */

struct isa_ide {
	struct device device;
	uint16_t registers, control;
	uint8_t irq;
	struct ide_channel channel;
};

static const struct property isa_properties[] = {
	{ "iobase", PROPERTY_UINT16, offsetof(struct isa_ide, registers), "0x1f0",
		"port of the registers", .maximum = 0xfff8 },
	{ "iobase2", PROPERTY_UINT16, offsetof(struct isa_ide, control), "0x3f6",
		"port of the control register" },
	{ "irq", PROPERTY_UINT8, offsetof(struct isa_ide, irq), "14", "interrupt line",
		.maximum = 15 },
	{ .type = PROPERTY_END },
};

static const struct state_field isa_state[] = {
	CHANNEL_STATE(struct isa_ide, channel),
	STATE_END,
};

static bool isa_realize(struct device *device, GError **error)
{
	struct isa_ide *ide = (struct isa_ide *)device;

	ide_channel_init(&ide->channel, device, 0, ide->registers, ide->control, ide->irq);
	return true;
}

static void isa_reset(struct device *device)
{
	ide_channel_reset(&((struct isa_ide *)device)->channel);
}

static void isa_unrealize(struct device *device)
{
	ide_channel_finish(&((struct isa_ide *)device)->channel);
}

const struct device_class isa_ide_class = {
	.name = "isa-ide",
	.description = "IDE controller with one channel, without DMA",
	.bus = BUS_ISA,
	.user_creatable = true,
	.size = sizeof(struct isa_ide),
	.properties = isa_properties,
	.state = isa_state,
	.realize = isa_realize,
	.reset = isa_reset,
	.unrealize = isa_unrealize,
};
