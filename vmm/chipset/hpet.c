/* High precision event timers: a counter of 100 MHz, and timers that compare with it.
 *
 * The counter is the guest's clock while it is enabled: it stands still while the machine is paused. Interrupts go out as
 * edges or levels on the lines of the I/O APIC that the type allows, or, in legacy mode, timers 0 and 1 take the places of
 * the PIT (IRQ 0) and of the real-time clock (IRQ 8).
 *
 * Specification: IA-PC HPET specification 1.0a.
 */
#include "vmm/chipset/hpet.h"

#include "vmm/chipset/mc146818.h"
#include "vmm/kvm/kvm.h"
#include "vmm/machine/machine.h"

enum hpet_register {
	HPET_CAPABILITIES = 0x000,
	HPET_CONFIGURATION = 0x010,
	HPET_STATUS = 0x020,
	HPET_COUNTER = 0x0f0,
	HPET_TIMERS = 0x100,
	HPET_TIMER_STRIDE = 0x20,
	/* from the start of a timer */
	TIMER_CONFIGURATION = 0x00,
	TIMER_COMPARATOR = 0x08,
	TIMER_MESSAGE = 0x10,
};

enum {
	HPET_TIMERS_MIN = 3,
	HPET_TIMERS_MAX = 24, /* as many as fit into the registers */
	TICK = 10,            /* nanoseconds */
	FEMTOSECONDS = 10000000,
	VENDOR = 0x8086,
	REVISION = 1,
	MINIMUM_TICKS = 100,
	SHORTEST = 10000, /* ticks: of a period, so that a guest cannot keep the host busy */
	IRQ_TIMER = 0,
	IRQ_RTC = 8,
	ROUTE_PIT = 2, /* pin of the I/O APIC that IRQ 0 is wired to */
};

enum hpet_configuration {
	CONFIGURATION_ENABLE = 1 << 0,
	CONFIGURATION_LEGACY = 1 << 1,
	CONFIGURATION_MASK = CONFIGURATION_ENABLE | CONFIGURATION_LEGACY,
};

#define NEVER (UINT64_C(1) << 55) /* ticks: more than eleven years */

#define CAPABILITY_64BIT  (1u << 13)
#define CAPABILITY_LEGACY (1u << 15)

enum timer_configuration {
	TIMER_LEVEL = 1 << 1,
	TIMER_ENABLE = 1 << 2,
	TIMER_PERIODIC = 1 << 3,
	TIMER_CAN_PERIODIC = 1 << 4,
	TIMER_64BIT = 1 << 5,
	TIMER_SET_VALUE = 1 << 6,
	TIMER_32BIT_MODE = 1 << 8,
	TIMER_ROUTE_SHIFT = 9,
	TIMER_ROUTE = 0x1f << TIMER_ROUTE_SHIFT,
	TIMER_MESSAGE_ENABLE = 1 << 14,
	TIMER_CAN_MESSAGE = 1 << 15,
	TIMER_WRITABLE = TIMER_LEVEL | TIMER_ENABLE | TIMER_PERIODIC | TIMER_SET_VALUE |
			 TIMER_32BIT_MODE | TIMER_ROUTE | TIMER_MESSAGE_ENABLE,
};

struct hpet {
	struct device device;
	uint32_t timer_count, routes; /* properties */
	bool messages;
	struct io_region region;
	GSource *source;
	bool armed[HPET_TIMERS_MAX];
	int64_t due[HPET_TIMERS_MAX]; /* ticks of the guest's clock at the next event */

	uint64_t configuration, status;
	uint32_t lines; /* as driven from here by level-triggered timers, a bit each */
	uint64_t
		counter; /* while it is disabled; else what to add to the ticks of the guest's clock */
	uint32_t settings[HPET_TIMERS_MAX];
	uint64_t comparator[HPET_TIMERS_MAX], period[HPET_TIMERS_MAX], message[HPET_TIMERS_MAX];
};

static const struct state_field hpet_state[] = {
	STATE_UINT64(struct hpet, configuration),
	STATE_UINT64(struct hpet, status),
	STATE_UINT64(struct hpet, counter),
	STATE_UINT32_ARRAY(struct hpet, settings, HPET_TIMERS_MAX),
	STATE_ARRAY_OF(STATE_TYPE_UINT64, struct hpet, comparator, HPET_TIMERS_MAX),
	STATE_ARRAY_OF(STATE_TYPE_UINT64, struct hpet, period, HPET_TIMERS_MAX),
	STATE_ARRAY_OF(STATE_TYPE_UINT64, struct hpet, message, HPET_TIMERS_MAX),
	STATE_END,
};

static const struct property hpet_properties[] = {
	{ "timers", PROPERTY_UINT32, offsetof(struct hpet, timer_count), "3", "number of timers",
		.minimum = HPET_TIMERS_MIN, .maximum = HPET_TIMERS_MAX },
	{ "msi", PROPERTY_BOOL, offsetof(struct hpet, messages), "off",
		"timers can send messages instead of interrupts" },
	{ "hpet-intcap", PROPERTY_UINT32, offsetof(struct hpet, routes), "4",
		"inputs of the I/O APIC that a timer can be routed to, one bit each",
		.maximum = 0xffffff },
	{ NULL },
};

uint32_t hpet_block_id(const struct device *device)
{
	const struct hpet *hpet = (const struct hpet *)device;

	return (uint32_t)VENDOR << 16 | CAPABILITY_LEGACY | CAPABILITY_64BIT |
	       (hpet->timer_count - 1) << 8 | REVISION;
}

uint16_t hpet_minimum_ticks(const struct device *device)
{
	return MINIMUM_TICKS;
}

/* Counter */

static bool is_enabled(const struct hpet *hpet)
{
	return hpet->configuration & CONFIGURATION_ENABLE;
}

static bool is_legacy(const struct hpet *hpet)
{
	return hpet->configuration & CONFIGURATION_LEGACY;
}

static int64_t clock_ticks(const struct hpet *hpet)
{
	return guest_clock_now(&hpet->device.machine->clock) / TICK;
}

static uint64_t counter(const struct hpet *hpet)
{
	return hpet->counter + (is_enabled(hpet) ? clock_ticks(hpet) : 0);
}

static void set_counter(struct hpet *hpet, uint64_t value)
{
	hpet->counter = value - (is_enabled(hpet) ? clock_ticks(hpet) : 0);
}

/* Interrupts */

/* The machine's line that a timer drives, -1 when it is routed to none. */
static int timer_line(const struct hpet *hpet, unsigned timer)
{
	unsigned route = (hpet->settings[timer] & TIMER_ROUTE) >> TIMER_ROUTE_SHIFT;

	if (is_legacy(hpet) && timer < 2)
		return timer == 0 ? IRQ_TIMER : IRQ_RTC;
	if (!(hpet->routes >> route & 1))
		return -1;
	return route == ROUTE_PIT ? IRQ_TIMER : (int)route;
}

/* Drives every line from the level-triggered timers that have it now. */
static void update_lines(struct hpet *hpet)
{
	uint32_t lines = 0, changed;

	for (unsigned timer = 0; timer < hpet->timer_count; timer++) {
		int line = timer_line(hpet, timer);

		if (hpet->status >> timer & 1 && line >= 0)
			lines |= UINT32_C(1) << line;
	}
	changed = lines ^ hpet->lines;
	hpet->lines = lines;
	for (unsigned line = 0; line < MACHINE_GSIS; line++)
		if (changed >> line & 1)
			machine_drive_irq(
				hpet->device.machine, IRQ_OF_HPET, line, lines >> line & 1);
}

/* An edge, which a line that is up has none of. */
static void pulse_line(struct hpet *hpet, unsigned timer)
{
	int line = timer_line(hpet, timer);

	if (line < 0 || hpet->lines >> line & 1)
		return;
	machine_drive_irq(hpet->device.machine, IRQ_OF_HPET, line, true);
	machine_drive_irq(hpet->device.machine, IRQ_OF_HPET, line, false);
}

static void clear_status(struct hpet *hpet, unsigned timer)
{
	hpet->status &= ~(UINT64_C(1) << timer);
	update_lines(hpet);
}

static void fire(struct hpet *hpet, unsigned timer)
{
	uint32_t settings = hpet->settings[timer];

	if (!(settings & TIMER_ENABLE))
		return;
	if (settings & TIMER_MESSAGE_ENABLE) {
		kvm_signal_msi(hpet->device.machine->kvm, hpet->message[timer] >> 32,
			(uint32_t)hpet->message[timer]);
	} else if (settings & TIMER_LEVEL) {
		hpet->status |= UINT64_C(1) << timer;
		update_lines(hpet);
	} else {
		pulse_line(hpet, timer);
	}
}

/* Timers */

static bool is_periodic(const struct hpet *hpet, unsigned timer)
{
	return hpet->settings[timer] & TIMER_PERIODIC && hpet->period[timer] > 0;
}

/* Ticks until the counter shows the comparator's value; one that it has passed is met at once. */
static uint64_t ticks_left(const struct hpet *hpet, unsigned timer)
{
	uint64_t left = hpet->comparator[timer] - counter(hpet);

	if (hpet->settings[timer] & TIMER_32BIT_MODE)
		return (int32_t)left > 0 ? (uint32_t)left : 0;
	return (int64_t)left > 0 ? left : 0;
}

static void arm(struct hpet *hpet, unsigned timer, uint64_t left)
{
	hpet->armed[timer] = left < NEVER;
	hpet->due[timer] = clock_ticks(hpet) + (left < NEVER ? (int64_t)left : 0);
}

static void set_source(struct hpet *hpet)
{
	int64_t first = INT64_MAX;

	for (unsigned i = 0; i < hpet->timer_count; i++)
		if (hpet->armed[i])
			first = MIN(first, hpet->due[i]);
	g_source_set_ready_time(hpet->source,
		first == INT64_MAX
			? -1
			: guest_clock_ready_time(&hpet->device.machine->clock, first * TICK));
}

static void start_timer(struct hpet *hpet, unsigned timer)
{
	hpet->armed[timer] = false;
	if (is_enabled(hpet) && hpet->settings[timer] & TIMER_ENABLE)
		arm(hpet, timer, ticks_left(hpet, timer));
	set_source(hpet);
}

static void start_timers(struct hpet *hpet)
{
	for (unsigned i = 0; i < hpet->timer_count; i++)
		start_timer(hpet, i);
}

/* The comparator goes on by whole periods: those that nobody was there for are left out. */
static void next_period(struct hpet *hpet, unsigned timer)
{
	uint64_t period = hpet->period[timer];
	uint64_t late = counter(hpet) - hpet->comparator[timer];

	if (hpet->settings[timer] & TIMER_32BIT_MODE) {
		hpet->comparator[timer] += ((uint32_t)late / period + 1) * period;
		hpet->comparator[timer] &= UINT32_MAX;
	} else {
		hpet->comparator[timer] += (late / period + 1) * period;
	}
	arm(hpet, timer, MAX(ticks_left(hpet, timer), SHORTEST));
}

static void expire(struct hpet *hpet, unsigned timer)
{
	hpet->armed[timer] = false;
	if (is_periodic(hpet, timer))
		next_period(hpet, timer);
	else if (hpet->settings[timer] & TIMER_32BIT_MODE)
		arm(hpet, timer, UINT64_C(1) << 32); /* once in each round of the counter */
	fire(hpet, timer);
}

static gboolean source_ready(gpointer data)
{
	struct hpet *hpet = data;
	struct machine *machine = hpet->device.machine;
	int64_t now;

	g_mutex_lock(&machine->lock);
	now = clock_ticks(hpet);
	for (unsigned i = 0; i < hpet->timer_count; i++)
		if (hpet->armed[i] && now >= hpet->due[i])
			expire(hpet, i);
	set_source(hpet);
	g_mutex_unlock(&machine->lock);
	return G_SOURCE_CONTINUE;
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs source_funcs = { .dispatch = source_dispatch };

/* Registers: 64 bits each, reached as a whole or in parts. */

static uint64_t read_timer(const struct hpet *hpet, unsigned timer, unsigned offset)
{
	if (timer >= hpet->timer_count)
		return 0;
	switch (offset) {
	case TIMER_CONFIGURATION:
		return (uint64_t)hpet->routes << 32 | hpet->settings[timer] | TIMER_CAN_PERIODIC |
		       TIMER_64BIT | (hpet->messages ? TIMER_CAN_MESSAGE : 0);
	case TIMER_COMPARATOR:
		return hpet->comparator[timer];
	case TIMER_MESSAGE:
		return hpet->message[timer];
	default:
		return 0;
	}
}

static uint64_t read_register(const struct hpet *hpet, uint64_t offset)
{
	switch (offset) {
	case HPET_CAPABILITIES:
		return (uint64_t)FEMTOSECONDS << 32 | hpet_block_id(&hpet->device);
	case HPET_CONFIGURATION:
		return hpet->configuration;
	case HPET_STATUS:
		return hpet->status;
	case HPET_COUNTER:
		return counter(hpet);
	default:
		if (offset < HPET_TIMERS)
			return 0;
		offset -= HPET_TIMERS;
		return read_timer(hpet, offset / HPET_TIMER_STRIDE, offset % HPET_TIMER_STRIDE);
	}
}

/* In legacy mode the PIT and the real-time clock are cut off their lines. */
static void set_legacy(struct hpet *hpet, bool on)
{
	struct machine *machine = hpet->device.machine;

	if (machine->legacy_replaced == on)
		return;
	machine->legacy_replaced = on;
	kvm_pit_set_legacy(machine->kvm, on);
	if (machine->rtc)
		rtc_update_line(machine->rtc);
}

static void write_configuration(struct hpet *hpet, uint64_t value)
{
	uint64_t count = counter(hpet);

	hpet->configuration = value & CONFIGURATION_MASK;
	set_counter(hpet, count);
	set_legacy(hpet, value & CONFIGURATION_LEGACY);
	update_lines(hpet);
	start_timers(hpet);
}

static void write_status(struct hpet *hpet, uint64_t ones)
{
	for (unsigned i = 0; i < hpet->timer_count; i++)
		if (ones >> i & 1)
			clear_status(hpet, i);
}

static void write_settings(struct hpet *hpet, unsigned timer, uint32_t value)
{
	uint32_t writable = TIMER_WRITABLE & ~(hpet->messages ? 0 : TIMER_MESSAGE_ENABLE);

	if (!(value & TIMER_LEVEL) || !(value & TIMER_ENABLE))
		clear_status(hpet, timer);
	hpet->settings[timer] = value & writable;
	update_lines(hpet);
	if (value & TIMER_32BIT_MODE) {
		hpet->comparator[timer] &= UINT32_MAX;
		hpet->period[timer] &= UINT32_MAX;
	}
	start_timer(hpet, timer);
}

/* Of a periodic timer this is the period; the next event as well when software has said so before. */
static void write_comparator(struct hpet *hpet, unsigned timer, uint64_t value)
{
	uint32_t *settings = &hpet->settings[timer];

	if (*settings & TIMER_32BIT_MODE)
		value &= UINT32_MAX;
	if (!(*settings & TIMER_PERIODIC) || *settings & TIMER_SET_VALUE)
		hpet->comparator[timer] = value;
	if (*settings & TIMER_PERIODIC)
		hpet->period[timer] = value;
	*settings &= ~TIMER_SET_VALUE;
	start_timer(hpet, timer);
}

static void write_timer(struct hpet *hpet, unsigned timer, unsigned offset, uint64_t value)
{
	if (timer >= hpet->timer_count)
		return;
	switch (offset) {
	case TIMER_CONFIGURATION:
		write_settings(hpet, timer, value);
		break;
	case TIMER_COMPARATOR:
		write_comparator(hpet, timer, value);
		break;
	case TIMER_MESSAGE:
		hpet->message[timer] = value;
		break;
	}
}

static void write_register(struct hpet *hpet, uint64_t offset, uint64_t value)
{
	switch (offset) {
	case HPET_CONFIGURATION:
		write_configuration(hpet, value);
		break;
	case HPET_STATUS:
		write_status(hpet, value);
		break;
	case HPET_COUNTER:
		set_counter(hpet, value);
		start_timers(hpet);
		break;
	default:
		if (offset < HPET_TIMERS)
			break;
		offset -= HPET_TIMERS;
		write_timer(hpet, offset / HPET_TIMER_STRIDE, offset % HPET_TIMER_STRIDE, value);
	}
}

static uint64_t hpet_read(void *device, uint64_t offset, unsigned size)
{
	return read_register(device, offset & ~UINT64_C(7)) >> 8 * (offset & 7);
}

/* Ones to clear are no value to be kept: the other half of the status is none. */
static void hpet_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	uint64_t whole = offset & ~UINT64_C(7);
	unsigned shift = 8 * (offset & 7);
	uint64_t mask = (size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1) << shift;
	uint64_t before = whole == HPET_STATUS ? 0 : read_register(device, whole);

	write_register(device, whole, (before & ~mask) | (value << shift & mask));
}

static const struct io_ops hpet_ops = { hpet_read, hpet_write, .max_access = 8 };

/* Life */

static bool hpet_realize(struct device *device, GError **error)
{
	struct hpet *hpet = (struct hpet *)device;

	hpet->region = (struct io_region) {
		.name = "HPET", .ops = &hpet_ops, .device = hpet, .size = HPET_SIZE
	};
	io_space_map(&device->machine->mmio, &hpet->region, HPET_ADDRESS);
	hpet->source = g_source_new(&source_funcs, sizeof(GSource));
	g_source_set_name(hpet->source, "HPET");
	g_source_set_callback(hpet->source, source_ready, hpet, NULL);
	g_source_attach(hpet->source, NULL);
	return true;
}

static void hpet_reset(struct device *device)
{
	struct hpet *hpet = (struct hpet *)device;

	for (unsigned i = 0; i < hpet->timer_count; i++)
		clear_status(hpet, i);
	set_legacy(hpet, false);
	hpet->configuration = 0;
	hpet->counter = 0;
	for (unsigned i = 0; i < hpet->timer_count; i++) {
		hpet->settings[i] = 0;
		hpet->comparator[i] = UINT64_MAX;
		hpet->period[i] = 0;
		hpet->message[i] = 0;
	}
	start_timers(hpet);
}

static void hpet_set_running(struct device *device, bool running)
{
	set_source((struct hpet *)device);
}

static void hpet_unrealize(struct device *device)
{
	struct hpet *hpet = (struct hpet *)device;

	io_region_unmap(&hpet->region);
	if (hpet->source)
		g_source_destroy(hpet->source);
	g_clear_pointer(&hpet->source, g_source_unref);
}

const struct device_class hpet_class = {
	.name = "hpet",
	.description = "high precision event timers",
	.bus = BUS_SYSTEM,
	.size = sizeof(struct hpet),
	.properties = hpet_properties,
	.state = hpet_state,
	.realize = hpet_realize,
	.reset = hpet_reset,
	.unrealize = hpet_unrealize,
	.set_running = hpet_set_running,
};
