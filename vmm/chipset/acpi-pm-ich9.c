/* ACPI power management of the ICH9: what its block of ports holds, and where it is. The bit that would let firmware install
 * a handler for system management mode reads as taken.
 *
 * Specification: Intel I/O Controller Hub 9 datasheet, section 13.8 (power management).
 */
#include "vmm/chipset/acpi-pm-ich9.h"

#include "vmm/machine/machine.h"

enum smi_enable {
	SMI_APM = 1 << 5,
};

/* Registers are bytes of a block: any width of access is made of them. */

static uint8_t read_byte(struct ich9_pm *pm, unsigned offset)
{
	switch (offset) {
	case 0 ... ACPI_PM1_SIZE - 1:
		return acpi_pm1_read(&pm->acpi, offset);
	case ICH9_GPE0_STATUS ... ICH9_GPE0_STATUS + ICH9_GPE0_SIZE - 1:
		return acpi_gpe_read(&pm->acpi, offset - ICH9_GPE0_STATUS);
	case ICH9_SMI_ENABLE ... ICH9_SMI_ENABLE + 3:
		return pm->smi_enable >> 8 * (offset - ICH9_SMI_ENABLE);
	default:
		return 0;
	}
}

static uint64_t pm_read(void *device, uint64_t offset, unsigned size)
{
	struct ich9_pm *pm = device;
	uint64_t value = 0;

	/* Read at once, or the bytes would not belong together. */
	if (offset >= ICH9_PM_TIMER && offset < ICH9_PM_TIMER + 4)
		return acpi_pm_timer(&pm->acpi) >> 8 * (offset - ICH9_PM_TIMER);
	if (offset >= ICH9_TCO && offset + size <= ICH9_TCO + TCO_SIZE)
		return ich9_tco_read(&pm->tco, offset - ICH9_TCO, size);
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)read_byte(pm, offset + i) << 8 * i;
	return value;
}

static void write_smi_enable(struct ich9_pm *pm, unsigned byte, uint8_t value)
{
	pm->smi_enable &= ~(0xffu << 8 * byte);
	pm->smi_enable |= (uint32_t)value << 8 * byte | SMI_APM;
}

static void write_byte(struct ich9_pm *pm, unsigned offset, uint8_t value)
{
	switch (offset) {
	case 0 ... ACPI_PM1_SIZE - 1:
		acpi_pm1_write(&pm->acpi, offset, value);
		break;
	case ICH9_GPE0_STATUS ... ICH9_GPE0_STATUS + ICH9_GPE0_SIZE - 1:
		acpi_gpe_write(&pm->acpi, offset - ICH9_GPE0_STATUS, value);
		break;
	case ICH9_SMI_ENABLE ... ICH9_SMI_ENABLE + 3:
		write_smi_enable(pm, offset - ICH9_SMI_ENABLE, value);
		break;
	}
}

static void pm_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct ich9_pm *pm = device;

	if (offset >= ICH9_TCO && offset + size <= ICH9_TCO + TCO_SIZE) {
		ich9_tco_write(&pm->tco, offset - ICH9_TCO, size, value);
		return;
	}
	for (unsigned i = 0; i < size; i++)
		write_byte(pm, offset + i, value >> 8 * i);
	acpi_pm_update(&pm->acpi);
}

static const struct io_ops pm_ops = { pm_read, pm_write, .max_access = 4 };

void ich9_pm_init(struct ich9_pm *pm, struct machine *machine,
	void (*sci_changed)(void *bridge, bool level), bool (*no_reboot)(void *bridge),
	void *bridge)
{
	pm->region = (struct io_region) {
		.name = "ICH9 power management", .ops = &pm_ops, .device = pm, .size = ICH9_PM_SIZE
	};
	acpi_pm_init(&pm->acpi, machine, ICH9_GPE0_SIZE, sci_changed, bridge);
	ich9_tco_init(&pm->tco, machine, no_reboot, bridge);
}

void ich9_pm_finish(struct ich9_pm *pm)
{
	io_region_unmap(&pm->region);
	ich9_tco_finish(&pm->tco);
	acpi_pm_finish(&pm->acpi);
}

void ich9_pm_reset(struct ich9_pm *pm)
{
	pm->smi_enable = SMI_APM;
	acpi_pm_reset(&pm->acpi);
	ich9_tco_reset(&pm->tco);
}

void ich9_pm_map(struct ich9_pm *pm, bool on, uint16_t base)
{
	if (!on)
		io_region_unmap(&pm->region);
	else if (pm->region.space == NULL || pm->region.base != base)
		io_space_map(&pm->acpi.machine->ports, &pm->region, base);
}
