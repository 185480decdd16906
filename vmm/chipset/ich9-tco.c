/* The ICH9's watchdog (TCO timer). There is no system management mode that would hear of the first time that it runs out. */
#include "vmm/chipset/ich9-tco.h"

#include <string.h>

#include "vmm/machine/guest-clock.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"

enum {
	TIMER_MASK = 0x3ff,
	TIMER_LEAST = 2, /* smaller ones are ignored */
	TIMER_AT_RESET = 4,
	CONTROL_1_MASK = 0xfeff,
	CONTROL_2_AT_RESET = 0x08,
	SOFTWARE_IRQ_AT_RESET = 0x03,
};

static uint16_t get(const struct ich9_tco *tco, unsigned offset)
{
	return config_get16(tco->registers + offset);
}

static void set(struct ich9_tco *tco, unsigned offset, uint16_t value)
{
	config_set16(tco->registers + offset, value);
}

/* Timer */

static void schedule(struct ich9_tco *tco)
{
	int64_t ready = -1;

	if (tco->runs)
		ready = guest_clock_ready_time(&tco->machine->clock, tco->end);
	g_source_set_ready_time(tco->source, ready);
}

static void start(struct ich9_tco *tco)
{
	tco->runs = true;
	tco->end = guest_clock_now(&tco->machine->clock) + (int64_t)get(tco, TCO_TIMER) * TCO_TICK;
	schedule(tco);
}

static void stop(struct ich9_tco *tco)
{
	tco->runs = false;
	schedule(tco);
}

static void run_out(struct ich9_tco *tco)
{
	set(tco, TCO_STATUS_1, get(tco, TCO_STATUS_1) | TCO_STATUS_TIMEOUT);
	if (!tco->ran_out) {
		tco->ran_out = true;
		start(tco);
		return;
	}
	tco->ran_out = false;
	set(tco, TCO_STATUS_2, get(tco, TCO_STATUS_2) | TCO_STATUS_SECOND | TCO_STATUS_BOOT);
	if (tco->no_reboot(tco->bridge)) {
		start(tco);
		return;
	}
	stop(tco);
	machine_watchdog_expired(tco->machine);
}

static gboolean timer_ready(gpointer data)
{
	struct ich9_tco *tco = data;

	g_mutex_lock(&tco->machine->lock);
	if (tco->runs && guest_clock_now(&tco->machine->clock) >= tco->end)
		run_out(tco);
	else
		schedule(tco);
	g_mutex_unlock(&tco->machine->lock);
	return G_SOURCE_CONTINUE;
}

static gboolean timer_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

void ich9_tco_set_running(struct ich9_tco *tco)
{
	schedule(tco);
}

/* Registers */

static void write_timer(struct ich9_tco *tco, uint16_t value)
{
	if ((value & TIMER_MASK) >= TIMER_LEAST)
		set(tco, TCO_TIMER, value & TIMER_MASK);
}

/* Any write is a sign of life. */
static void write_reload(struct ich9_tco *tco, uint16_t value)
{
	tco->ran_out = false;
	if (!(get(tco, TCO_CONTROL_1) & TCO_CONTROL_HALT))
		start(tco);
}

static void write_status_1(struct ich9_tco *tco, uint16_t ones)
{
	set(tco, TCO_STATUS_1, get(tco, TCO_STATUS_1) & ~ones);
}

static void write_status_2(struct ich9_tco *tco, uint16_t ones)
{
	set(tco, TCO_STATUS_2, get(tco, TCO_STATUS_2) & ~ones);
}

static void write_control_1(struct ich9_tco *tco, uint16_t value)
{
	uint16_t locked = get(tco, TCO_CONTROL_1) & TCO_CONTROL_LOCK;

	set(tco, TCO_CONTROL_1, (value & CONTROL_1_MASK) | locked);
	if (value & TCO_CONTROL_HALT)
		stop(tco);
	else
		start(tco);
}

static void write_control_2(struct ich9_tco *tco, uint16_t value)
{
	set(tco, TCO_CONTROL_2, value);
}

/* Registers of two bytes. What one byte of a register is written alone goes with the other one as it is; to a register whose
 * ones clear, with zeroes. */
static const struct {
	uint8_t offset;
	bool ones_clear;
	void (*write)(struct ich9_tco *tco, uint16_t value);
} words[] = {
	{ TCO_RELOAD, false, write_reload },
	{ TCO_STATUS_1, true, write_status_1 },
	{ TCO_STATUS_2, true, write_status_2 },
	{ TCO_CONTROL_1, false, write_control_1 },
	{ TCO_CONTROL_2, false, write_control_2 },
	{ TCO_TIMER, false, write_timer },
};

static void note_data(struct ich9_tco *tco, uint16_t status)
{
	set(tco, TCO_STATUS_1, get(tco, TCO_STATUS_1) | status);
}

static void write_byte(struct ich9_tco *tco, unsigned offset, uint8_t value)
{
	switch (offset) {
	case TCO_DATA_IN:
		note_data(tco, TCO_STATUS_DATA_IN);
		break;
	case TCO_DATA_OUT:
		note_data(tco, TCO_STATUS_DATA_OUT);
		break;
	case TCO_MESSAGE_1 ... TCO_WATCHDOG_BYTE:
	case TCO_SOFTWARE_IRQ:
		break;
	default:
		return;
	}
	tco->registers[offset] = value;
}

/* Up to two bytes of one word. */
static void write_part(struct ich9_tco *tco, unsigned offset, unsigned size, uint16_t value)
{
	unsigned shift = offset % 2 * 8;
	uint16_t mask = (size == 2 ? 0xffff : 0xff) << shift;

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		uint16_t other;

		if (words[i].offset != offset / 2 * 2)
			continue;
		other = words[i].ones_clear ? 0 : get(tco, words[i].offset) & ~mask;
		words[i].write(tco, other | (value << shift & mask));
		return;
	}
	for (unsigned i = 0; i < size; i++)
		write_byte(tco, offset + i, value >> 8 * i);
}

void ich9_tco_write(struct ich9_tco *tco, unsigned offset, unsigned size, uint32_t value)
{
	while (size > 0) {
		unsigned part = offset % 2 == 0 && size >= 2 ? 2 : 1;

		write_part(tco, offset, part, value);
		offset += part;
		size -= part;
		value >>= 8 * part;
	}
}

/* How many ticks are left. */
static uint16_t read_reload(const struct ich9_tco *tco)
{
	int64_t left = tco->end - guest_clock_now(&tco->machine->clock);

	return tco->runs && left > 0 ? MIN((left + TCO_TICK - 1) / TCO_TICK, TIMER_MASK) : 0;
}

uint32_t ich9_tco_read(struct ich9_tco *tco, unsigned offset, unsigned size)
{
	uint32_t value = 0;

	set(tco, TCO_RELOAD, read_reload(tco));
	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)tco->registers[offset + i] << 8 * i;
	return value;
}

/* Life */

void ich9_tco_init(struct ich9_tco *tco, struct machine *machine, bool (*no_reboot)(void *bridge),
	void *bridge)
{
	tco->machine = machine;
	tco->no_reboot = no_reboot;
	tco->bridge = bridge;
	tco->source = g_source_new(&timer_funcs, sizeof(GSource));
	g_source_set_name(tco->source, "watchdog");
	g_source_set_callback(tco->source, timer_ready, tco, NULL);
	g_source_attach(tco->source, NULL);
}

void ich9_tco_finish(struct ich9_tco *tco)
{
	if (tco->source)
		g_source_destroy(tco->source);
	g_clear_pointer(&tco->source, g_source_unref);
}

void ich9_tco_reset(struct ich9_tco *tco)
{
	uint16_t why = get(tco, TCO_STATUS_2);

	/* What the watchdog did is to be read after the reset that it caused. */
	memset(tco->registers, 0, sizeof(tco->registers));
	set(tco, TCO_STATUS_2, why);
	set(tco, TCO_CONTROL_2, CONTROL_2_AT_RESET);
	set(tco, TCO_TIMER, TIMER_AT_RESET);
	tco->registers[TCO_SOFTWARE_IRQ] = SOFTWARE_IRQ_AT_RESET;
	tco->ran_out = false;
	stop(tco);
}
