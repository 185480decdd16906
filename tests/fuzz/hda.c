/* What a guest may do to an HDA controller with a codec: any registers, rings, lists and samples, while time goes by. */
#include <string.h>

#include "base/reader.h"
#include "tests/unit/virtio/virtio-machine.h"
#include "vmm/audio/hda-registers.h"
#include "vmm/audio/hda.h"
#include "vmm/pci/pci.h"

enum step {
	STEP_WRITE,
	STEP_READ,
	STEP_MEMORY,
	STEP_COMMAND,
	STEP_STREAM,
	STEP_TIME,
	STEP_PAUSE,
	STEP_RESET,
	STEPS,
};

enum {
	BAR = 0xe0000000,
	MEMORY = 0x10000, /* where lists and rings are, and what they point at */
	MEMORY_BYTES = 0x2000,
	CORB = MEMORY,
	RIRB = MEMORY + 0x800,
	LISTS = MEMORY + 0x1000,
	MILLISECOND = 1000000,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void out(struct virtio_machine *vm, uint64_t offset, unsigned size, uint32_t value)
{
	io_space_write(&vm->machine.mmio, BAR + offset, size, value);
}

/* A stream that runs: its list may be anything. */
static void run_stream(struct virtio_machine *vm, struct reader *in)
{
	uint64_t base = HDA_STREAM_BASE + reader_u8(in) % HDA_STREAMS * HDA_STREAM_BYTES;

	out(vm, base + HDA_SD_BDPL, 4, LISTS + (reader_u8(in) & 3) * 0x80);
	out(vm, base + HDA_SD_CBL, 4, reader_u16(in));
	out(vm, base + HDA_SD_LVI, 2, reader_u8(in));
	out(vm, base + HDA_SD_FMT, 2, reader_u16(in));
	out(vm, base + HDA_SD_CTL, 4, (reader_u8(in) & 0xf) << SD_CTL_TAG_SHIFT | 0x1e);
}

static void run_command(struct virtio_machine *vm, struct reader *in, unsigned *next)
{
	uint32_t command = reader_u32(in);

	*next = (*next + 1) % RING_ENTRIES;
	memcpy(vm->ram + CORB + *next * 4, &command, sizeof(command));
	out(vm, HDA_CORBWP, 2, *next);
	out(vm, HDA_ICOI, 4, command);
	out(vm, HDA_ICIS, 2, ICIS_BUSY | ICIS_VALID);
	out(vm, HDA_RIRBSTS, 1, reader_u8(in));
}

static void start(struct virtio_machine *vm)
{
	out(vm, HDA_GCTL, 4, GCTL_RUN);
	out(vm, HDA_CORBLBASE, 4, CORB);
	out(vm, HDA_RIRBLBASE, 4, RIRB);
	out(vm, HDA_RIRBCTL, 1, 3);
	out(vm, HDA_CORBCTL, 1, CORBCTL_RUN);
	out(vm, HDA_INTCTL, 4, 0xc00000ff);
	out(vm, HDA_DPLBASE, 4, (MEMORY + 0x1800) | DPLBASE_ENABLE);
}

static void pass_time(struct virtio_machine *vm, unsigned milliseconds)
{
	vm->machine.clock.behind -= (int64_t)milliseconds * MILLISECOND;
	for (unsigned i = 0; i < HDA_STREAMS; i++)
		io_space_read(&vm->machine.mmio,
			(uint64_t)BAR + HDA_STREAM_BASE + i * HDA_STREAM_BYTES + 4, 4);
}

static void run(struct virtio_machine *vm, struct reader *in, unsigned *next)
{
	unsigned offset, size;

	switch (reader_u8(in) % STEPS) {
	case STEP_WRITE:
		offset = reader_u16(in) % HDA_REGISTER_BYTES;
		size = 1 << reader_u8(in) % 3;
		out(vm, MIN(offset, HDA_REGISTER_BYTES - size), size, reader_u32(in));
		break;
	case STEP_READ:
		offset = reader_u16(in) % HDA_REGISTER_BYTES;
		size = 1 << reader_u8(in) % 3;
		io_space_read(
			&vm->machine.mmio, BAR + MIN(offset, HDA_REGISTER_BYTES - size), size);
		break;
	case STEP_MEMORY:
		offset = reader_u16(in) % (MEMORY_BYTES / 4) * 4;
		size = reader_u32(in);
		memcpy(vm->ram + MEMORY + offset, &size, 4);
		break;
	case STEP_COMMAND:
		run_command(vm, in, next);
		break;
	case STEP_STREAM:
		run_stream(vm, in);
		break;
	case STEP_TIME:
		pass_time(vm, reader_u8(in));
		break;
	case STEP_PAUSE:
		guest_clock_set_running(&vm->machine.clock, reader_u8(in) & 1);
		break;
	case STEP_RESET:
		for (guint i = 0; i < vm->machine.devices->len; i++)
			device_reset(vm->machine.devices->pdata[i]);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader in = reader_from(bytes, length);
	struct virtio_machine *vm = virtio_machine_new();
	struct pci_device *pci =
		(struct pci_device *)virtio_machine_add(vm, &intel_hda_class, NULL, NULL, NULL);
	unsigned next = 0;

	virtio_machine_add(vm, &hda_duplex_class, NULL, NULL, NULL);
	g_mutex_lock(&vm->machine.lock);
	pci_device_config_write(pci, 0x10, 4, BAR);
	pci_device_config_write(pci, 0x04, 2, 6);
	for (unsigned i = 0; i < MEMORY_BYTES; i += 16)
		memcpy(vm->ram + MEMORY + i, (uint32_t[]) { MEMORY, 0, 64, i }, 16);
	start(vm);
	while (reader_left(&in) > 0 && !in.ran_out)
		run(vm, &in, &next);
	g_mutex_unlock(&vm->machine.lock);
	virtio_machine_free(vm);
	return 0;
}
