/* Q35 memory controller hub (82Q35 MCH), device 00.0: configuration access by ports and by memory (ECAM).
 *
 * Specification: Intel 3 Series Express Chipset Family datasheet (316966), section 5.1.
 *
 * There is no system management mode: the registers of its RAM are kept, and the RAM is never hidden.
 */
#include "vmm/chipset/mch.h"

#include "base/checked.h"
#include "vmm/chipset/pam.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config-ports.h"
#include "vmm/pci/config.h"

enum {
	REGISTER_PCIEXBAR = 0x60,
	REGISTER_PAM0 = 0x90,
	REGISTER_SMRAM = 0x9d,
	REGISTER_ESMRAMC = 0x9e,
	SMRAM_DEFAULT = 0x02,

	PCIEXBAR_ENABLE = 1 << 0,
	PCIEXBAR_BUSES = 256,
	BUS_BYTES = 1 * MiB,
};

struct mch {
	struct pci_device pci;
	struct pci_config_ports ports;
	struct io_region ecam;
};

static const struct state_field mch_state[] = { STATE_UINT32(struct mch, ports.address),
	STATE_END };

static uint64_t read_ecam(void *opaque, uint64_t at, unsigned size)
{
	struct mch *mch = opaque;

	return pci_config_read(
		mch->pci.device.machine, at >> 20, at >> 15 & 0x1f, at >> 12 & 7, at & 0xfff, size);
}

static void write_ecam(void *opaque, uint64_t at, unsigned size, uint64_t value)
{
	struct mch *mch = opaque;

	pci_config_write(mch->pci.device.machine, at >> 20, at >> 15 & 0x1f, at >> 12 & 7,
		at & 0xfff, size, value);
}

static const struct io_ops ecam_ops = { .read = read_ecam, .write = write_ecam, .max_access = 4 };

/* The window's length is in bits 2:1: 256, 128 or 64 MiB; its base is aligned to it. */
static void update_ecam(struct mch *mch)
{
	uint64_t value = config_get64(mch->pci.config + REGISTER_PCIEXBAR);
	unsigned length = value >> 1 & 3;
	uint64_t size = (uint64_t)PCIEXBAR_BUSES * BUS_BYTES >> length;
	uint64_t base = value & ((UINT64_C(1) << 36) - 1) & ~(size - 1);

	io_region_unmap(&mch->ecam);
	if (!(value & PCIEXBAR_ENABLE) || length == 3)
		return;
	mch->ecam.size = size;
	io_space_map(&mch->pci.device.machine->mmio, &mch->ecam, base);
}

static void mch_config_written(struct pci_device *device, uint16_t offset, unsigned size)
{
	if (offset < REGISTER_PCIEXBAR + 8 && offset + size > REGISTER_PCIEXBAR)
		update_ecam((struct mch *)device);
	if (offset < REGISTER_PAM0 + PAM_REGISTERS && offset + size > REGISTER_PAM0)
		pam_apply(device->device.machine, device->config + REGISTER_PAM0);
}

static bool mch_realize(struct device *device, GError **error)
{
	struct mch *mch = (struct mch *)device;
	uint8_t *writable = mch->pci.write_mask;

	config_set32(writable + REGISTER_PCIEXBAR, 0xfc000007);
	config_set32(writable + REGISTER_PCIEXBAR + 4, 0xf);
	memcpy(writable + REGISTER_PAM0, pam_write_masks, PAM_REGISTERS);
	writable[REGISTER_SMRAM] = 0x78;
	writable[REGISTER_ESMRAMC] = 0x87;
	mch->pci.config_written = mch_config_written;

	mch->ecam = (struct io_region) { .name = "ecam", .ops = &ecam_ops, .device = mch };
	pci_config_ports_init(&mch->ports, device->machine);
	return true;
}

static void mch_reset(struct device *device)
{
	struct mch *mch = (struct mch *)device;

	pci_config_ports_reset(&mch->ports);
	config_set32(mch->pci.config + REGISTER_PCIEXBAR, 0);
	config_set32(mch->pci.config + REGISTER_PCIEXBAR + 4, 0);
	/* Firmware goes on from its copy in RAM after a sleep. */
	if (!device->machine->waking)
		memset(mch->pci.config + REGISTER_PAM0, 0, PAM_REGISTERS);
	pam_apply(device->machine, mch->pci.config + REGISTER_PAM0);
	mch->pci.config[REGISTER_SMRAM] = SMRAM_DEFAULT;
	mch->pci.config[REGISTER_ESMRAMC] = 0;
	update_ecam(mch);
}

static void mch_unrealize(struct device *device)
{
	struct mch *mch = (struct mch *)device;

	pci_config_ports_finish(&mch->ports);
	io_region_unmap(&mch->ecam);
}

static const struct pci_identity mch_identity = {
	.vendor = 0x8086,
	.device = 0x29c0,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x060000,
};

const struct device_class mch_class = {
	.name = "mch",
	.description = "Q35 host bridge",
	.bus = BUS_PCI,
	.size = sizeof(struct mch),
	.pci = &mch_identity,
	.state = mch_state,
	.realize = mch_realize,
	.reset = mch_reset,
	.unrealize = mch_unrealize,
};
