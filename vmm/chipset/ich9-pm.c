/* ACPI power management of the ICH9. There is no system management mode: the APM port switches ACPI on and off by itself,
 * and the bit that would let firmware install its handler reads as taken.
 *
 * Specification: Intel I/O Controller Hub 9 datasheet, section 13.8 (power management), 13.7 (APM ports); ACPI 6.4 section
 * 4.8 (fixed hardware).
 */
#include "vmm/chipset/ich9-pm.h"

#include <string.h>

#include "vmm/machine/machine.h"

enum pm1_status {
	STATUS_TIMER = 1 << 0,
	STATUS_GLOBAL = 1 << 5,
	STATUS_POWER_BUTTON = 1 << 8,
	STATUS_RTC = 1 << 10,
	STATUS_EVENTS = STATUS_TIMER | STATUS_GLOBAL | STATUS_POWER_BUTTON | STATUS_RTC,
	STATUS_MASK = 0x8d31,
};

enum pm1_control {
	CONTROL_SCI_ENABLE = 1 << 0,
	CONTROL_SLEEP_TYPE_SHIFT = 10,
	CONTROL_SLEEP_TYPE = 7 << CONTROL_SLEEP_TYPE_SHIFT,
	CONTROL_SLEEP_ENABLE = 1 << 13, /* written only */
	CONTROL_MASK = 0x1c03,
};

enum smi_enable {
	SMI_APM = 1 << 5,
};

enum {
	TIMER_FREQUENCY = 3579545, /* Hz */
	TIMER_BITS = 24,
	TIMER_HALF =
		1 << (TIMER_BITS - 1), /* ticks from one change of the highest bit to the next */
	GPE_HALF = ICH9_GPE0_SIZE / 2,
};

const struct state_field ich9_pm_state_fields[] = {
	STATE_UINT16(struct ich9_pm, status),
	STATE_UINT16(struct ich9_pm, enable),
	STATE_UINT32(struct ich9_pm, control),
	STATE_UINT8_ARRAY(struct ich9_pm, gpe, ICH9_GPE0_SIZE),
	STATE_UINT32(struct ich9_pm, smi_enable),
	STATE_UINT8(struct ich9_pm, apm_command),
	STATE_UINT8(struct ich9_pm, apm_status),
	STATE_END,
};

/* Timer */

static uint64_t timer_ticks(void)
{
	uint64_t now = g_get_monotonic_time();

	return now / G_USEC_PER_SEC * TIMER_FREQUENCY +
	       now % G_USEC_PER_SEC * TIMER_FREQUENCY / G_USEC_PER_SEC;
}

static uint64_t next_overflow(uint64_t ticks)
{
	return (ticks / TIMER_HALF + 1) * TIMER_HALF;
}

static void note_overflow(struct ich9_pm *pm)
{
	uint64_t ticks = timer_ticks();

	if (ticks < pm->timer_overflow)
		return;
	pm->status |= STATUS_TIMER;
	pm->timer_overflow = next_overflow(ticks);
}

/* Interrupt */

static bool gpe_pending(const struct ich9_pm *pm)
{
	for (unsigned i = 0; i < GPE_HALF; i++)
		if (pm->gpe[i] & pm->gpe[GPE_HALF + i])
			return true;
	return false;
}

static void update_interrupt(struct ich9_pm *pm)
{
	bool timer_wanted = pm->control & CONTROL_SCI_ENABLE && pm->enable & STATUS_TIMER &&
			    !(pm->status & STATUS_TIMER);
	bool event = pm->status & pm->enable & STATUS_EVENTS;
	int64_t ready = -1;

	pm->sci_changed(pm->bridge, pm->control & CONTROL_SCI_ENABLE && (event || gpe_pending(pm)));
	/* One millisecond late rather than a moment early. */
	if (timer_wanted)
		ready = pm->timer_overflow / TIMER_FREQUENCY * G_USEC_PER_SEC +
			pm->timer_overflow % TIMER_FREQUENCY * G_USEC_PER_SEC / TIMER_FREQUENCY +
			1000;
	g_source_set_ready_time(pm->timer, ready);
}

static gboolean timer_ready(gpointer data)
{
	struct ich9_pm *pm = data;

	g_mutex_lock(&pm->machine->lock);
	note_overflow(pm);
	update_interrupt(pm);
	g_mutex_unlock(&pm->machine->lock);
	return G_SOURCE_CONTINUE;
}

static gboolean timer_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

static void press_power_button(void *device)
{
	struct ich9_pm *pm = device;

	pm->status |= STATUS_POWER_BUTTON;
	update_interrupt(pm);
}

/* Registers. They are bytes of a block: any width of access is made of them. */

static void set_byte(uint32_t *value, unsigned byte, uint8_t to)
{
	*value = (*value & ~(0xffu << 8 * byte)) | (uint32_t)to << 8 * byte;
}

static uint8_t read_byte(struct ich9_pm *pm, unsigned offset)
{
	switch (offset) {
	case ICH9_PM1_STATUS ... ICH9_PM1_STATUS + 1:
		note_overflow(pm);
		return pm->status >> 8 * (offset - ICH9_PM1_STATUS);
	case ICH9_PM1_ENABLE ... ICH9_PM1_ENABLE + 1:
		return pm->enable >> 8 * (offset - ICH9_PM1_ENABLE);
	case ICH9_PM1_CONTROL ... ICH9_PM1_CONTROL + 3:
		return pm->control >> 8 * (offset - ICH9_PM1_CONTROL);
	case ICH9_GPE0_STATUS ... ICH9_GPE0_STATUS + ICH9_GPE0_SIZE - 1:
		return pm->gpe[offset - ICH9_GPE0_STATUS];
	case ICH9_SMI_ENABLE ... ICH9_SMI_ENABLE + 3:
		return pm->smi_enable >> 8 * (offset - ICH9_SMI_ENABLE);
	default:
		return 0;
	}
}

static uint64_t pm_read(void *device, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	/* Read at once, or the bytes would not belong together. */
	if (offset >= ICH9_PM_TIMER && offset < ICH9_PM_TIMER + 4)
		return (timer_ticks() & ((1 << TIMER_BITS) - 1)) >> 8 * (offset - ICH9_PM_TIMER);
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)read_byte(device, offset + i) << 8 * i;
	return value;
}

/* The guest clears status bits by writing ones. */
static void clear_status(struct ich9_pm *pm, unsigned byte, uint8_t ones)
{
	note_overflow(pm);
	pm->status &= ~((uint16_t)ones << 8 * byte);
}

static void write_enable(struct ich9_pm *pm, unsigned byte, uint8_t value)
{
	uint32_t enable = pm->enable;

	set_byte(&enable, byte, value);
	pm->enable = enable & STATUS_EVENTS;
}

static void write_control(struct ich9_pm *pm, unsigned byte, uint8_t value)
{
	uint32_t control = pm->control, type;

	set_byte(&control, byte, value);
	pm->control = control & CONTROL_MASK;
	type = (control & CONTROL_SLEEP_TYPE) >> CONTROL_SLEEP_TYPE_SHIFT;
	if (control & CONTROL_SLEEP_ENABLE && type == ICH9_SLEEP_TYPE_S5)
		machine_request_shutdown(pm->machine, CAUSE_GUEST_SHUTDOWN);
}

static void write_byte(struct ich9_pm *pm, unsigned offset, uint8_t value)
{
	switch (offset) {
	case ICH9_PM1_STATUS ... ICH9_PM1_STATUS + 1:
		clear_status(pm, offset - ICH9_PM1_STATUS, value);
		break;
	case ICH9_PM1_ENABLE ... ICH9_PM1_ENABLE + 1:
		write_enable(pm, offset - ICH9_PM1_ENABLE, value);
		break;
	case ICH9_PM1_CONTROL ... ICH9_PM1_CONTROL + 3:
		write_control(pm, offset - ICH9_PM1_CONTROL, value);
		break;
	case ICH9_GPE0_STATUS ... ICH9_GPE0_STATUS + GPE_HALF - 1:
		pm->gpe[offset - ICH9_GPE0_STATUS] &= ~value;
		break;
	case ICH9_GPE0_ENABLE ... ICH9_GPE0_ENABLE + GPE_HALF - 1:
		pm->gpe[offset - ICH9_GPE0_STATUS] = value;
		break;
	case ICH9_SMI_ENABLE ... ICH9_SMI_ENABLE + 3:
		set_byte(&pm->smi_enable, offset - ICH9_SMI_ENABLE, value);
		pm->smi_enable |= SMI_APM;
		break;
	}
}

static void pm_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct ich9_pm *pm = device;

	for (unsigned i = 0; i < size; i++)
		write_byte(pm, offset + i, value >> 8 * i);
	update_interrupt(pm);
}

static const struct io_ops pm_ops = { pm_read, pm_write, .max_access = 4 };

/* APM ports */

static uint64_t apm_read(void *device, uint64_t offset, unsigned size)
{
	const struct ich9_pm *pm = device;

	return offset == 0 ? pm->apm_command : pm->apm_status;
}

static void apm_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct ich9_pm *pm = device;

	if (offset != 0) {
		pm->apm_status = value;
		return;
	}
	pm->apm_command = value;
	if (value == ICH9_APM_ENABLE_ACPI)
		pm->control |= CONTROL_SCI_ENABLE;
	else if (value == ICH9_APM_DISABLE_ACPI)
		pm->control &= ~CONTROL_SCI_ENABLE;
	update_interrupt(pm);
}

static const struct io_ops apm_ops = { apm_read, apm_write, .max_access = 1 };

/* Life */

void ich9_pm_init(struct ich9_pm *pm, struct machine *machine,
	void (*sci_changed)(void *bridge, bool level), void *bridge)
{
	pm->machine = machine;
	pm->sci_changed = sci_changed;
	pm->bridge = bridge;
	pm->region = (struct io_region) {
		.name = "ICH9 power management", .ops = &pm_ops, .device = pm, .size = ICH9_PM_SIZE
	};
	pm->apm = (struct io_region) { .name = "APM", .ops = &apm_ops, .device = pm, .size = 2 };
	io_space_map(&machine->ports, &pm->apm, ICH9_APM_COMMAND);
	pm->timer = g_source_new(&timer_funcs, sizeof(GSource));
	g_source_set_name(pm->timer, "ACPI timer");
	g_source_set_callback(pm->timer, timer_ready, pm, NULL);
	g_source_attach(pm->timer, NULL);
	machine_set_power_button(machine, press_power_button, pm);
}

void ich9_pm_finish(struct ich9_pm *pm)
{
	if (!pm->machine)
		return;
	machine_set_power_button(pm->machine, NULL, NULL);
	io_region_unmap(&pm->region);
	io_region_unmap(&pm->apm);
	g_source_destroy(pm->timer);
	g_clear_pointer(&pm->timer, g_source_unref);
	pm->machine = NULL;
}

void ich9_pm_reset(struct ich9_pm *pm)
{
	pm->status = 0;
	pm->enable = 0;
	pm->control = 0;
	memset(pm->gpe, 0, sizeof(pm->gpe));
	pm->smi_enable = SMI_APM;
	pm->apm_command = 0;
	pm->apm_status = 0;
	pm->timer_overflow = next_overflow(timer_ticks());
	update_interrupt(pm);
}

void ich9_pm_map(struct ich9_pm *pm, bool on, uint16_t base)
{
	if (!on)
		io_region_unmap(&pm->region);
	else if (pm->region.space == NULL || pm->region.base != base)
		io_space_map(&pm->machine->ports, &pm->region, base);
}
