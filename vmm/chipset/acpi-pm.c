/* ACPI fixed hardware: PM1 events, the timer, the APM ports, and the interrupt they share. There is no system management
 * mode: the APM port switches ACPI on and off by itself.
 *
 * The timer counts the guest's time, which stands still while the machine is paused.
 */
#include "vmm/chipset/acpi-pm.h"

#include <string.h>

#include "vmm/machine/guest-clock.h"
#include "vmm/machine/machine.h"

enum pm1_status {
	STATUS_TIMER = 1 << 0,
	STATUS_GLOBAL = 1 << 5,
	STATUS_POWER_BUTTON = 1 << 8,
	STATUS_SLEEP_BUTTON = 1 << 9,
	STATUS_RTC = 1 << 10,
	STATUS_WAKE = 1 << 15,
	STATUS_EVENTS = STATUS_TIMER | STATUS_GLOBAL | STATUS_POWER_BUTTON | STATUS_SLEEP_BUTTON |
			STATUS_RTC,
};

enum pm1_control {
	CONTROL_SCI_ENABLE = 1 << 0,
	CONTROL_SLEEP_TYPE_SHIFT = 10,
	CONTROL_SLEEP_TYPE = 7 << CONTROL_SLEEP_TYPE_SHIFT,
	CONTROL_SLEEP_ENABLE = 1 << 13, /* written only */
	CONTROL_MASK = 0x1c03,
};

enum {
	TIMER_FREQUENCY = 3579545, /* Hz */
	TIMER_BITS = 24,
	TIMER_HALF =
		1 << (TIMER_BITS - 1), /* ticks from one change of the highest bit to the next */
	NANOSECONDS = 1000000000,      /* in a second */
	LATE = 1000000, /* nanoseconds: rather a millisecond late than a moment early */
};

/* Timer */

static uint64_t timer_ticks(const struct acpi_pm *pm)
{
	uint64_t now = guest_clock_now(&pm->machine->clock);

	return now / NANOSECONDS * TIMER_FREQUENCY +
	       now % NANOSECONDS * TIMER_FREQUENCY / NANOSECONDS;
}

static int64_t ticks_to_nanoseconds(uint64_t ticks)
{
	return ticks / TIMER_FREQUENCY * NANOSECONDS +
	       ticks % TIMER_FREQUENCY * NANOSECONDS / TIMER_FREQUENCY;
}

static uint64_t next_overflow(uint64_t ticks)
{
	return (ticks / TIMER_HALF + 1) * TIMER_HALF;
}

static void note_overflow(struct acpi_pm *pm)
{
	uint64_t ticks = timer_ticks(pm);

	if (ticks < pm->timer_overflow)
		return;
	pm->status |= STATUS_TIMER;
	pm->timer_overflow = next_overflow(ticks);
}

uint32_t acpi_pm_timer(struct acpi_pm *pm)
{
	return timer_ticks(pm) & ((1 << TIMER_BITS) - 1);
}

/* Interrupt */

static bool gpe_pending(const struct acpi_pm *pm)
{
	unsigned half = pm->gpe_bytes / 2;

	for (unsigned i = 0; i < half; i++)
		if (pm->gpe[i] & pm->gpe[half + i])
			return true;
	return false;
}

void acpi_pm_update(struct acpi_pm *pm)
{
	bool enabled = pm->control & CONTROL_SCI_ENABLE;
	bool event = pm->status & pm->enable & STATUS_EVENTS;
	bool timer_wanted = enabled && pm->enable & STATUS_TIMER && !(pm->status & STATUS_TIMER);
	int64_t ready = -1;

	pm->sci_changed(pm->bridge, enabled && (event || gpe_pending(pm)));
	if (timer_wanted)
		ready = guest_clock_ready_time(
			&pm->machine->clock, ticks_to_nanoseconds(pm->timer_overflow) + LATE);
	g_source_set_ready_time(pm->timer, ready);
}

static gboolean timer_ready(gpointer data)
{
	struct acpi_pm *pm = data;

	g_mutex_lock(&pm->machine->lock);
	note_overflow(pm);
	acpi_pm_update(pm);
	g_mutex_unlock(&pm->machine->lock);
	return G_SOURCE_CONTINUE;
}

void acpi_pm_set_running(struct acpi_pm *pm, bool running)
{
	acpi_pm_update(pm);
}

/* Buttons */

void acpi_pm_press_power_button(struct acpi_pm *pm)
{
	pm->status |= STATUS_POWER_BUTTON;
	acpi_pm_update(pm);
}

void acpi_pm_press_sleep_button(struct acpi_pm *pm)
{
	pm->status |= STATUS_SLEEP_BUTTON;
	acpi_pm_update(pm);
}

static void press_power_button(void *device)
{
	acpi_pm_press_power_button(device);
}

/* Sleep */

bool acpi_pm_has_s3(const struct acpi_pm *pm)
{
	return !pm->no_s3;
}

bool acpi_pm_has_s4(const struct acpi_pm *pm)
{
	return !pm->no_s4;
}

/* A guest that was woken by nothing it knows goes to sleep again: that is the power button then. */
void acpi_pm_woken(struct acpi_pm *pm, enum machine_wakeup reason)
{
	pm->status |= STATUS_WAKE | (reason == WAKEUP_RTC ? STATUS_RTC : STATUS_POWER_BUTTON);
	acpi_pm_update(pm);
}

/* PM1 registers */

static void set_byte(uint32_t *value, unsigned byte, uint8_t to)
{
	*value = (*value & ~(0xffu << 8 * byte)) | (uint32_t)to << 8 * byte;
}

uint8_t acpi_pm1_read(struct acpi_pm *pm, unsigned offset)
{
	switch (offset) {
	case ACPI_PM1_STATUS ... ACPI_PM1_STATUS + 1:
		note_overflow(pm);
		return pm->status >> 8 * (offset - ACPI_PM1_STATUS);
	case ACPI_PM1_ENABLE ... ACPI_PM1_ENABLE + 1:
		return pm->enable >> 8 * (offset - ACPI_PM1_ENABLE);
	case ACPI_PM1_CONTROL ... ACPI_PM1_CONTROL + 3:
		return pm->control >> 8 * (offset - ACPI_PM1_CONTROL);
	case ACPI_PM1_TIMER ... ACPI_PM1_TIMER + 3:
		return acpi_pm_timer(pm) >> 8 * (offset - ACPI_PM1_TIMER);
	default:
		return 0;
	}
}

/* The guest clears status bits by writing ones. */
static void clear_status(struct acpi_pm *pm, unsigned byte, uint8_t ones)
{
	note_overflow(pm);
	pm->status &= ~((uint16_t)ones << 8 * byte);
}

static void write_enable(struct acpi_pm *pm, unsigned byte, uint8_t value)
{
	uint32_t enable = pm->enable;

	set_byte(&enable, byte, value);
	pm->enable = enable & STATUS_EVENTS;
}

static void go_to_sleep(struct acpi_pm *pm, uint32_t type)
{
	if (type == ACPI_SLEEP_TYPE_S3 && acpi_pm_has_s3(pm))
		machine_request_suspend(pm->machine);
	else if (type == pm->s4_type && acpi_pm_has_s4(pm))
		machine_emit(pm->machine, "SUSPEND_DISK", NULL);
	if (type == ACPI_SLEEP_TYPE_S5 || (type == pm->s4_type && acpi_pm_has_s4(pm)))
		machine_request_shutdown(pm->machine, CAUSE_GUEST_SHUTDOWN);
}

/* A type that stands for no sleep state does nothing. */
static void write_control(struct acpi_pm *pm, unsigned byte, uint8_t value)
{
	uint32_t control = pm->control;

	set_byte(&control, byte, value);
	pm->control = control & CONTROL_MASK;
	if (control & CONTROL_SLEEP_ENABLE)
		go_to_sleep(pm, (control & CONTROL_SLEEP_TYPE) >> CONTROL_SLEEP_TYPE_SHIFT);
}

void acpi_pm1_write(struct acpi_pm *pm, unsigned offset, uint8_t value)
{
	switch (offset) {
	case ACPI_PM1_STATUS ... ACPI_PM1_STATUS + 1:
		clear_status(pm, offset - ACPI_PM1_STATUS, value);
		break;
	case ACPI_PM1_ENABLE ... ACPI_PM1_ENABLE + 1:
		write_enable(pm, offset - ACPI_PM1_ENABLE, value);
		break;
	case ACPI_PM1_CONTROL ... ACPI_PM1_CONTROL + 3:
		write_control(pm, offset - ACPI_PM1_CONTROL, value);
		break;
	}
}

/* General purpose events */

uint8_t acpi_gpe_read(const struct acpi_pm *pm, unsigned offset)
{
	return pm->gpe[offset];
}

void acpi_gpe_write(struct acpi_pm *pm, unsigned offset, uint8_t value)
{
	if (offset < pm->gpe_bytes / 2)
		pm->gpe[offset] &= ~value;
	else
		pm->gpe[offset] = value;
}

void acpi_gpe_raise(struct acpi_pm *pm, unsigned event)
{
	g_assert(event / 8 < pm->gpe_bytes / 2);
	pm->gpe[event / 8] |= 1 << event % 8;
	acpi_pm_update(pm);
}

/* APM ports */

static uint64_t apm_read(void *device, uint64_t offset, unsigned size)
{
	const struct acpi_pm *pm = device;

	return offset == 0 ? pm->apm_command : pm->apm_status;
}

static void apm_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct acpi_pm *pm = device;

	if (offset != 0) {
		pm->apm_status = value;
		return;
	}
	pm->apm_command = value;
	if (value == ACPI_APM_ENABLE)
		pm->control |= CONTROL_SCI_ENABLE;
	else if (value == ACPI_APM_DISABLE)
		pm->control &= ~CONTROL_SCI_ENABLE;
	acpi_pm_update(pm);
}

static const struct io_ops apm_ops = { apm_read, apm_write, .max_access = 1 };

/* Life */

static gboolean timer_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

void acpi_pm_init(struct acpi_pm *pm, struct machine *machine, unsigned gpe_bytes,
	void (*sci_changed)(void *bridge, bool level), void *bridge)
{
	pm->machine = machine;
	pm->gpe_bytes = gpe_bytes;
	pm->sci_changed = sci_changed;
	pm->bridge = bridge;
	pm->apm = (struct io_region) { .name = "APM", .ops = &apm_ops, .device = pm, .size = 2 };
	io_space_map(&machine->ports, &pm->apm, ACPI_APM_COMMAND);
	pm->timer = g_source_new(&timer_funcs, sizeof(GSource));
	g_source_set_name(pm->timer, "ACPI timer");
	g_source_set_callback(pm->timer, timer_ready, pm, NULL);
	g_source_attach(pm->timer, NULL);
	machine_set_power_button(machine, press_power_button, pm);
	machine->acpi_pm = pm;
}

void acpi_pm_finish(struct acpi_pm *pm)
{
	if (!pm->machine)
		return;
	machine_set_power_button(pm->machine, NULL, NULL);
	pm->machine->acpi_pm = NULL;
	io_region_unmap(&pm->apm);
	g_source_destroy(pm->timer);
	g_clear_pointer(&pm->timer, g_source_unref);
	pm->machine = NULL;
}

void acpi_pm_reset(struct acpi_pm *pm)
{
	pm->status = 0;
	pm->enable = 0;
	pm->control = 0;
	memset(pm->gpe, 0, sizeof(pm->gpe));
	pm->apm_command = 0;
	pm->apm_status = 0;
	pm->timer_overflow = next_overflow(timer_ticks(pm));
	acpi_pm_update(pm);
}
