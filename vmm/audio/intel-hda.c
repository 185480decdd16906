/* intel-hda and ich9-intel-hda: the High Definition Audio controller. Specification: High Definition Audio 1.0a, chapter 3;
 * Intel ICH6 data sheet, chapter 18.
 *
 * Registers are a table; an access of any size reaches the bytes it covers. While the controller is held in reset only GCTL,
 * WAKEEN and STATESTS can be written.
 */
#include <string.h>

#include "base/error.h"
#include "vmm/audio/hda-controller.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"

enum {
	BAR_REGISTERS = 0,
	CONFIG_HDCTL = 0x40,
	HDCTL_AUDIO = 1 << 0, /* the link is HDA's, not AC'97's */
	AT_MSI = 0x60,        /* where QEMU's device has the capability */
	CLOCK_KHZ = 24000,    /* of WALCLK */
	STREAM_STATUS_BITS = SD_STS_COMPLETE | SD_STS_FIFO_ERROR | SD_STS_DESCRIPTOR_ERROR,
};

enum msi_choice {
	MSI_AUTO,
	MSI_ON,
	MSI_OFF,
};

static const char *const msi_choices[] = { "auto", "on", "off", NULL };

#define STREAM_STATE(n) \
	STATE_UINT32(struct hda, streams[n].control), STATE_UINT32(struct hda, streams[n].status), \
		STATE_UINT32(struct hda, streams[n].position), \
		STATE_UINT32(struct hda, streams[n].cyclic_length), \
		STATE_UINT32(struct hda, streams[n].last_index), \
		STATE_UINT32(struct hda, streams[n].format), \
		STATE_UINT32(struct hda, streams[n].list_low), \
		STATE_UINT32(struct hda, streams[n].list_high), \
		STATE_UINT32(struct hda, streams[n].buffer), \
		STATE_UINT32(struct hda, streams[n].offset)

static const struct state_field hda_state[] = {
	STATE_UINT32(struct hda, global_control),
	STATE_UINT32(struct hda, wake_enable),
	STATE_UINT32(struct hda, state_status),
	STATE_UINT32(struct hda, interrupt_control),
	STATE_UINT32(struct hda, stream_sync),
	STATE_UINT32(struct hda, corb_low),
	STATE_UINT32(struct hda, corb_high),
	STATE_UINT32(struct hda, corb_write),
	STATE_UINT32(struct hda, corb_read),
	STATE_UINT32(struct hda, corb_control),
	STATE_UINT32(struct hda, corb_status),
	STATE_UINT32(struct hda, rirb_low),
	STATE_UINT32(struct hda, rirb_high),
	STATE_UINT32(struct hda, rirb_write),
	STATE_UINT32(struct hda, rirb_interrupts),
	STATE_UINT32(struct hda, rirb_control),
	STATE_UINT32(struct hda, rirb_status),
	STATE_UINT32(struct hda, rirb_count),
	STATE_UINT32(struct hda, immediate_command),
	STATE_UINT32(struct hda, immediate_response),
	STATE_UINT32(struct hda, immediate_status),
	STATE_UINT32(struct hda, position_low),
	STATE_UINT32(struct hda, position_high),
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

static const struct property hda_properties[] = {
	{ "msi", PROPERTY_CHOICE, offsetof(struct hda, msi), "auto",
		"message-signalled interrupts; auto: yes", .choices = msi_choices },
	{ .type = PROPERTY_END },
};

bool hda_read_memory(struct hda *hda, uint64_t address, void *to, size_t length)
{
	return pci_device_is_bus_master(&hda->pci) &&
	       guest_memory_read(hda->pci.device.machine->memory, address, to, length);
}

bool hda_write_memory(struct hda *hda, uint64_t address, const void *from, size_t length)
{
	return pci_device_is_bus_master(&hda->pci) &&
	       guest_memory_write(hda->pci.device.machine->memory, address, from, length);
}

/* Interrupts */

static uint32_t interrupt_status(const struct hda *hda)
{
	uint32_t status = 0;

	for (unsigned i = 0; i < HDA_STREAMS; i++)
		if (hda->streams[i].status & hda->streams[i].control & SD_CTL_INTERRUPTS)
			status |= 1u << i;
	if ((hda->rirb_status & RIRBSTS_RESPONSE && hda->rirb_control & RIRBCTL_INTERRUPT) ||
		hda->state_status & hda->wake_enable)
		status |= INTERRUPT_CONTROLLER;
	if (status & hda->interrupt_control)
		status |= INTERRUPT_GLOBAL;
	return status;
}

void hda_update_interrupt(struct hda *hda)
{
	bool level = interrupt_status(hda) & INTERRUPT_GLOBAL &&
		     hda->interrupt_control & INTERRUPT_GLOBAL;

	if (!pci_device_uses_messages(&hda->pci))
		pci_device_set_interrupt(&hda->pci, level);
	else if (level)
		pci_device_signal(&hda->pci, 0);
}

/* Registers */

static void reset_registers(struct hda *hda)
{
	for (unsigned i = 0; i < HDA_STREAMS; i++)
		hda_stream_reset(&hda->streams[i]);
	hda->global_status = hda->interrupt_control = hda->stream_sync = 0;
	hda->corb_low = hda->corb_high = hda->corb_write = hda->corb_read = 0;
	hda->corb_control = hda->corb_status = 0;
	hda->rirb_low = hda->rirb_high = hda->rirb_write = hda->rirb_interrupts = 0;
	hda->rirb_control = hda->rirb_status = hda->rirb_count = 0;
	hda->immediate_command = hda->immediate_response = hda->immediate_status = 0;
	hda->position_low = hda->position_high = 0;
	hda->clock_start = guest_clock_now(&hda->pci.device.machine->clock);
	hda_bus_reset(&hda->bus);
}

/* Into reset, and out of it: then the codecs say that they are there. */
static void global_control_written(struct hda *hda, unsigned stream, uint32_t old)
{
	bool was = old & GCTL_RUN, runs = hda->global_control & GCTL_RUN;

	if (was && !runs) {
		hda->global_control = 0;
		reset_registers(hda);
	} else if (!was && runs) {
		hda->clock_start = guest_clock_now(&hda->pci.device.machine->clock);
		hda->state_status |= hda_bus_codecs(&hda->bus);
	}
	hda_update_interrupt(hda);
}

static void interrupts_written(struct hda *hda, unsigned stream, uint32_t old)
{
	hda_update_interrupt(hda);
}

static void commands_written(struct hda *hda, unsigned stream, uint32_t old)
{
	hda_run_commands(hda);
}

static void corb_read_written(struct hda *hda, unsigned stream, uint32_t old)
{
	hda->corb_read = hda->corb_read & CORBRP_RESET
				 ? CORBRP_RESET
				 : (old & CORBRP_RESET ? 0 : old & (RING_ENTRIES - 1));
}

static void rirb_write_written(struct hda *hda, unsigned stream, uint32_t old)
{
	if (hda->rirb_write & RIRBWP_RESET)
		hda->rirb_count = 0;
	hda->rirb_write = hda->rirb_write & RIRBWP_RESET ? 0 : old;
}

static void immediate_written(struct hda *hda, unsigned stream, uint32_t old)
{
	if (hda->immediate_status & ICIS_BUSY)
		hda_run_immediate(hda);
}

static void stream_control_written(struct hda *hda, unsigned stream, uint32_t old)
{
	hda_stream_controlled(&hda->streams[stream], old);
}

struct hda_register {
	uint16_t offset;
	uint8_t size; /* bytes */
	size_t member; /* of struct hda or of struct hda_stream: a uint32_t; 0: the value never changes */
	uint32_t write,
		clear;  /* bits that are written, and those that are cleared by writing ones */
	uint32_t value; /* without a member */
	bool in_reset;  /* can be written then */
	void (*written)(struct hda *hda, unsigned stream, uint32_t old);
};

#define MEMBER(name)  .member = offsetof(struct hda, name)
#define SMEMBER(name) .member = offsetof(struct hda_stream, name)

static const struct hda_register registers[] = {
	{ HDA_GCAP, 2, .value = GCAP_VALUE },
	{ HDA_VERSION, 2, .value = 0x0100 },
	{ HDA_OUTPAY, 2, .value = 0x3c },
	{ HDA_INPAY, 2, .value = 0x1d },
	{ HDA_GCTL, 4, MEMBER(global_control), .write = GCTL_RUN | GCTL_UNSOLICITED,
		.in_reset = true, .written = global_control_written },
	{ HDA_WAKEEN, 2, MEMBER(wake_enable), .write = 0x7fff, .in_reset = true,
		.written = interrupts_written },
	{ HDA_STATESTS, 2, MEMBER(state_status), .clear = 0x7fff, .in_reset = true,
		.written = interrupts_written },
	{ HDA_GSTS, 2, MEMBER(global_status), .clear = 1 << 1 },
	{ HDA_OUTSTRMPAY, 2, .value = 0x3c },
	{ HDA_INSTRMPAY, 2, .value = 0x1d },
	{ HDA_INTCTL, 4, MEMBER(interrupt_control),
		.write = INTERRUPT_GLOBAL | INTERRUPT_CONTROLLER | 0xff,
		.written = interrupts_written },
	{ HDA_SSYNC, 4, MEMBER(stream_sync), .write = 0xff },
	{ HDA_CORBLBASE, 4, MEMBER(corb_low), .write = 0xffffff80 },
	{ HDA_CORBUBASE, 4, MEMBER(corb_high), .write = 0xffffffff },
	{ HDA_CORBWP, 2, MEMBER(corb_write), .write = RING_ENTRIES - 1,
		.written = commands_written },
	{ HDA_CORBRP, 2, MEMBER(corb_read), .write = CORBRP_RESET, .written = corb_read_written },
	{ HDA_CORBCTL, 1, MEMBER(corb_control), .write = 3, .written = commands_written },
	{ HDA_CORBSTS, 1, MEMBER(corb_status), .clear = 1 },
	{ HDA_CORBSIZE, 1, .value = RING_SIZE_VALUE },
	{ HDA_RIRBLBASE, 4, MEMBER(rirb_low), .write = 0xffffff80 },
	{ HDA_RIRBUBASE, 4, MEMBER(rirb_high), .write = 0xffffffff },
	{ HDA_RIRBWP, 2, MEMBER(rirb_write), .write = RIRBWP_RESET, .written = rirb_write_written },
	{ HDA_RINTCNT, 2, MEMBER(rirb_interrupts), .write = 0xff },
	{ HDA_RIRBCTL, 1, MEMBER(rirb_control), .write = 7, .written = commands_written },
	{ HDA_RIRBSTS, 1, MEMBER(rirb_status), .clear = RIRBSTS_RESPONSE | RIRBSTS_OVERRUN,
		.written = commands_written },
	{ HDA_RIRBSIZE, 1, .value = RING_SIZE_VALUE },
	{ HDA_ICOI, 4, MEMBER(immediate_command), .write = 0xffffffff },
	{ HDA_ICII, 4, MEMBER(immediate_response) },
	{ HDA_ICIS, 2, MEMBER(immediate_status), .write = ICIS_BUSY, .clear = ICIS_VALID,
		.written = immediate_written },
	{ HDA_DPLBASE, 4, MEMBER(position_low), .write = 0xffffff80 | DPLBASE_ENABLE },
	{ HDA_DPUBASE, 4, MEMBER(position_high), .write = 0xffffffff },
};

static const struct hda_register stream_registers[] = {
	{ HDA_SD_CTL, 3, SMEMBER(control), .write = 0xff001f, .written = stream_control_written },
	{ HDA_SD_STS, 1, SMEMBER(status), .clear = STREAM_STATUS_BITS,
		.written = interrupts_written },
	{ HDA_SD_LPIB, 4, SMEMBER(position) },
	{ HDA_SD_CBL, 4, SMEMBER(cyclic_length), .write = 0xffffffff },
	{ HDA_SD_LVI, 2, SMEMBER(last_index), .write = HDA_BUFFERS_MAX - 1 },
	{ HDA_SD_FIFOS, 2, SMEMBER(fifo) },
	{ HDA_SD_FMT, 2, SMEMBER(format), .write = 0x7f7f },
	{ HDA_SD_BDPL, 4, SMEMBER(list_low), .write = 0xffffff80 },
	{ HDA_SD_BDPU, 4, SMEMBER(list_high), .write = 0xffffffff },
};

/* Registers that are worked out when they are read. */
static bool read_computed(struct hda *hda, uint64_t offset, uint32_t *value)
{
	int64_t now = guest_clock_now(&hda->pci.device.machine->clock);

	if (offset == HDA_INTSTS)
		*value = interrupt_status(hda);
	else if (offset == HDA_WALCLK)
		*value = hda->global_control & GCTL_RUN
				 ? (uint64_t)(now - hda->clock_start) * (CLOCK_KHZ / 1000) / 1000
				 : 0;
	else
		return false;
	return true;
}

/* What a table of registers lies at, and where @offset is in it. */
struct register_bank {
	const struct hda_register *registers;
	size_t count;
	void *owner;
	unsigned stream;
	uint64_t offset;
};

static bool find_bank(struct hda *hda, uint64_t offset, struct register_bank *bank)
{
	*bank = (struct register_bank) {
		.registers = registers,
		.count = G_N_ELEMENTS(registers),
		.owner = hda,
		.offset = offset,
	};
	if (offset < HDA_STREAM_BASE)
		return true;
	offset -= HDA_STREAM_BASE;
	bank->stream = offset / HDA_STREAM_BYTES;
	bank->offset = offset % HDA_STREAM_BYTES;
	if (bank->stream >= HDA_STREAMS)
		return false;
	bank->registers = stream_registers;
	bank->count = G_N_ELEMENTS(stream_registers);
	bank->owner = &hda->streams[bank->stream];
	return true;
}

static uint32_t *member(const struct register_bank *bank, const struct hda_register *row)
{
	return (uint32_t *)(void *)((char *)bank->owner + row->member);
}

static bool covers(const struct register_bank *bank, const struct hda_register *row, unsigned size)
{
	return row->offset < bank->offset + size && bank->offset < row->offset + row->size;
}

/* The bits of @value, read at @from, as they lie in what is read at @to. */
static uint64_t shifted(uint64_t value, uint64_t from, uint64_t to)
{
	return from >= to ? value << (from - to) * 8 : value >> (to - from) * 8;
}

static uint32_t size_mask(unsigned size)
{
	return size >= 4 ? UINT32_MAX : (1u << size * 8) - 1;
}

static void catch_up(struct hda *hda, const struct register_bank *bank)
{
	if (bank->owner != hda)
		audio_pacer_catch_up(&hda->streams[bank->stream].pacer);
}

static uint64_t hda_read(void *opaque, uint64_t offset, unsigned size)
{
	struct hda *hda = opaque;
	struct register_bank bank;
	uint32_t computed;
	uint64_t value = 0;

	offset %= HDA_ALIAS;
	if (read_computed(hda, offset & ~3ull, &computed))
		return shifted(computed, offset & ~3ull, offset) & size_mask(size);
	if (!find_bank(hda, offset, &bank))
		return 0;
	catch_up(hda, &bank);
	for (size_t i = 0; i < bank.count; i++) {
		const struct hda_register *row = &bank.registers[i];
		uint32_t content = row->member ? *member(&bank, row) : row->value;

		if (covers(&bank, row, size))
			value |= shifted(content & size_mask(row->size), row->offset, bank.offset);
	}
	return value & size_mask(size);
}

/* Writes the bits of @value that @lanes says. */
static void write_register(struct hda *hda, const struct register_bank *bank,
	const struct hda_register *row, uint32_t value, uint32_t lanes)
{
	uint32_t *content = row->member ? member(bank, row) : NULL;
	uint32_t old;

	if (!content || !(hda->global_control & GCTL_RUN || row->in_reset))
		return;
	old = *content;
	*content = (old & ~(row->write & lanes)) | (value & row->write & lanes);
	*content &= ~(value & row->clear & lanes);
	if (row->written)
		row->written(hda, bank->stream, old);
}

static void hda_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct hda *hda = opaque;
	struct register_bank bank;

	if (!find_bank(hda, offset, &bank))
		return;
	catch_up(hda, &bank);
	for (size_t i = 0; i < bank.count; i++) {
		const struct hda_register *row = &bank.registers[i];
		uint32_t lanes;

		if (!covers(&bank, row, size))
			continue;
		lanes = shifted(size_mask(size), bank.offset, row->offset) & size_mask(row->size);
		write_register(hda, &bank, row, shifted(value, bank.offset, row->offset), lanes);
	}
}

static const struct io_ops register_ops = {
	.read = hda_read,
	.write = hda_write,
	.max_access = 4,
};

/* Life */

static bool realize(struct device *device, GError **error)
{
	struct hda *hda = (struct hda *)device;

	hda_bus_init(&hda->bus, device->machine, device);
	for (unsigned i = 0; i < HDA_STREAMS; i++)
		hda_stream_init(&hda->streams[i], hda, i);
	hda->pci.config[CONFIG_HDCTL] = HDCTL_AUDIO;
	if (hda->msi != MSI_OFF) {
		hda->pci.next_capability = AT_MSI;
		pci_device_add_msi(&hda->pci);
	}
	hda->registers = (struct io_region) {
		.name = "intel-hda",
		.ops = &register_ops,
		.device = hda,
		.size = HDA_REGISTER_BYTES,
	};
	pci_device_add_bar(&hda->pci, BAR_REGISTERS, 0, HDA_REGISTER_BYTES, &hda->registers, NULL);
	return true;
}

static void reset(struct device *device)
{
	struct hda *hda = (struct hda *)device;

	hda->global_control = hda->wake_enable = hda->state_status = 0;
	reset_registers(hda);
	hda_update_interrupt(hda);
}

static void unrealize(struct device *device)
{
	struct hda *hda = (struct hda *)device;

	if (!hda->bus.bus.machine)
		return;
	for (unsigned i = 0; i < HDA_STREAMS; i++)
		hda_stream_finish(&hda->streams[i]);
	hda_bus_finish(&hda->bus);
}

static void set_running(struct device *device, bool running)
{
	struct hda *hda = (struct hda *)device;

	for (unsigned i = 0; i < HDA_STREAMS; i++)
		audio_pacer_set_running(&hda->streams[i].pacer);
}

static const struct pci_identity ich6_identity = {
	.vendor = 0x8086,
	.device = 0x2668,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x040300,
	.revision = 1,
	.interrupt_pin = 1,
};

static const struct pci_identity ich9_identity = {
	.vendor = 0x8086,
	.device = 0x293e,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x040300,
	.revision = 3,
	.interrupt_pin = 1,
};

#define CONTROLLER_CLASS(text, about, which) \
	{ \
		.name = text, .description = about, .bus = BUS_PCI, .user_creatable = true, \
		.size = sizeof(struct hda), .pci = &(which), .properties = hda_properties, \
		.state = hda_state, .realize = realize, .reset = reset, .unrealize = unrealize, \
		.set_running = set_running \
	}

const struct device_class intel_hda_class =
	CONTROLLER_CLASS("intel-hda", "HD Audio controller (ICH6)", ich6_identity);
const struct device_class ich9_intel_hda_class =
	CONTROLLER_CLASS("ich9-intel-hda", "HD Audio controller (ICH9)", ich9_identity);
