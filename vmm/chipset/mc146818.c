/* Real-time clock and CMOS memory.
 *
 * The clock goes by what -rtc says, and an offset once the guest has set it. The flags of register C are brought up to date
 * when somebody looks at them; timers run only while one of the interrupts is enabled.
 *
 * Specification: Motorola MC146818A; CMOS locations as SeaBIOS reads them (src/hw/rtc.h).
 */
#include "vmm/chipset/mc146818.h"

#include <json-glib/json-glib.h>

#include "base/checked.h"
#include "vmm/chipset/rtc-time.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/run-state.h"

enum rtc_port {
	PORT_INDEX = 0x70,
	PORT_DATA = 0x71,
};

enum {
	IRQ_RTC = 8,
	CMOS_SIZE = 128,
	INDEX_MASK = 0x7f, /* the highest bit masks NMIs, which nothing here sends */
	SECOND = G_USEC_PER_SEC,
	DAY = 24 * 60 * 60,          /* seconds */
	UPDATE_LENGTH = 244,         /* microseconds of "update in progress" before each second */
	PERIODIC_LATE = SECOND / 10, /* without slewing: later than this, and no hurry */
	MISSED_MAX = 100000,         /* periods */
	MADE_UP_MAX = 20,
};

enum rtc_a {
	A_RATE = 0x0f,
	A_DIVIDER_32KHZ = 0x20,
	A_UPDATE_IN_PROGRESS = 0x80,
};

enum rtc_c {
	C_UPDATE = 1 << 4, /* each where register B has the bit that enables its interrupt */
	C_ALARM = 1 << 5,
	C_PERIODIC = 1 << 6,
	C_INTERRUPT = 1 << 7,
	C_SOURCES = C_UPDATE | C_ALARM | C_PERIODIC,
};

enum {
	D_VALID = 0x80,
};

/* What firmware reads, apart from the clock. */
enum cmos_location {
	CMOS_RESET_REASON = 0x0f,
	CMOS_EQUIPMENT = 0x14,
	CMOS_BASE_MEMORY = 0x15,     /* KiB below 640 KiB */
	CMOS_EXTENDED_MEMORY = 0x17, /* KiB above 1 MiB, at most 65535 */
	CMOS_EXTENDED_MEMORY_COPY = 0x30,
	CMOS_MEMORY_ABOVE_16M = 0x34, /* in units of 64 KiB */
	CMOS_BOOT_FLAG_1 = 0x38,
	CMOS_BOOT_FLAG_2 = 0x3d,
	CMOS_MEMORY_ABOVE_4G = 0x5b, /* in units of 64 KiB, three bytes */
	CMOS_CPUS = 0x5f,            /* and one */
};

enum {
	EQUIPMENT_MOUSE_AND_FPU = 0x06,
	BASE_MEMORY = 640, /* KiB */
	BOOT_NO_FLOPPY_SIGNATURE = 0x01,
	BOOT_PLACES = 3,
	RESET_FROM_SLEEP = 0xfe,
};

struct mc146818 {
	struct device device;
	struct io_region region;
	GSource *timer;
	unsigned cpus;
	uint64_t low_memory, high_memory;

	uint8_t index;
	uint8_t memory[CMOS_SIZE];
	int64_t offset;  /* seconds that the guest has set the clock ahead */
	int64_t checked; /* guest's time up to which updates and alarms are in register C, seconds */
	int64_t next_periodic; /* monotonic, microseconds */
	unsigned missed;       /* periods that are to be made up for */
	unsigned made_up;      /* of them, since the last period */
	bool change_pending;   /* the main loop has yet to tell that the guest set the clock */
	int64_t base;          /* microseconds that the clock was ahead of its source at first */
	struct machine_rtc options;
	char boot_order[4]; /* letters, as the user has them; empty: not said */
};

static const struct state_field mc146818_state[] = {
	STATE_UINT8(struct mc146818, index),
	STATE_UINT8_ARRAY(struct mc146818, memory, CMOS_SIZE),
	STATE_UINT64(struct mc146818, offset),
	STATE_END,
};

/* Time */

/* Microseconds that the clock's source shows. */
static int64_t source_time(const struct mc146818 *rtc)
{
	switch (rtc->options.clock) {
	case RTC_CLOCK_RT:
		return g_get_monotonic_time();
	case RTC_CLOCK_VM:
		return guest_clock_now(&rtc->device.machine->clock) / 1000;
	default:
		return g_get_real_time();
	}
}

/* Microseconds since 1970 that the clock shows when the guest never sets it. */
static int64_t base_time(const struct mc146818 *rtc)
{
	return source_time(rtc) + rtc->base;
}

static void set_base(struct mc146818 *rtc)
{
	int64_t now = g_get_real_time(), first = now;
	g_autoptr(GDateTime) local = NULL;

	if (rtc->options.base == RTC_BASE_TIME)
		first = rtc->options.time * SECOND;
	if (rtc->options.base == RTC_BASE_LOCALTIME)
		local = g_date_time_new_now_local();
	if (local)
		first = now + g_date_time_get_utc_offset(local);
	/* A clock that goes by the host's own time is not moved by the moments that this takes. */
	rtc->base = first - (rtc->options.clock == RTC_CLOCK_HOST ? now : source_time(rtc));
}

static int64_t guest_time(const struct mc146818 *rtc)
{
	return base_time(rtc) / SECOND + rtc->offset;
}

/* Microseconds between periodic interrupts; 0: there are none. */
static int64_t period(const struct mc146818 *rtc)
{
	unsigned rate = rtc->memory[RTC_A] & A_RATE;

	if (rate == 0)
		return 0;
	/* The two fastest settings of a 32 kHz clock are slower ones once more. */
	if (rate <= 2)
		rate += 7;
	return ((int64_t)SECOND << (rate - 1)) / 32768;
}

static void note_updates(struct mc146818 *rtc)
{
	int64_t now = guest_time(rtc), first = rtc->checked + 1;

	if (rtc->memory[RTC_B] & RTC_B_SET || now < first) {
		rtc->checked = now;
		return;
	}
	rtc->checked = now;
	rtc->memory[RTC_C] |= C_UPDATE;
	/* Alarms come back every day, so no more than one day has to be looked at. */
	first = MAX(first, now - DAY + 1);
	for (int64_t second = first; second <= now; second++) {
		if (rtc_alarm_matches(rtc->memory, (second % DAY + DAY) % DAY)) {
			rtc->memory[RTC_C] |= C_ALARM;
			return;
		}
	}
}

/* @late: whole periods that went by unseen; one more when the guest has not looked at the last one. */
static void count_missed(struct mc146818 *rtc, int64_t late)
{
	if (!(rtc->memory[RTC_B] & RTC_B_PERIODIC_INTERRUPT))
		return;
	late += rtc->memory[RTC_C] & C_PERIODIC ? 1 : 0;
	rtc->missed = MIN(rtc->missed + (uint64_t)late, MISSED_MAX);
	rtc->made_up = 0;
}

static void note_periods(struct mc146818 *rtc)
{
	int64_t length = period(rtc), now = g_get_monotonic_time();

	if (length == 0 || now < rtc->next_periodic)
		return;
	if (rtc->options.slew)
		count_missed(rtc, (now - rtc->next_periodic) / length);
	rtc->memory[RTC_C] |= C_PERIODIC;
	rtc->next_periodic += length;
	if (now - rtc->next_periodic > (rtc->options.slew ? length : PERIODIC_LATE))
		rtc->next_periodic = now + length;
}

/* The guest has seen a periodic interrupt: the next of those that it missed, but not for ever without a pause. */
static void make_up(struct mc146818 *rtc)
{
	if (rtc->missed == 0 || rtc->made_up == MADE_UP_MAX ||
		!(rtc->memory[RTC_B] & RTC_B_PERIODIC_INTERRUPT))
		return;
	rtc->missed--;
	rtc->made_up++;
	rtc->memory[RTC_C] |= C_PERIODIC;
}

void rtc_update_line(struct device *device)
{
	struct mc146818 *rtc = (struct mc146818 *)device;
	bool level = rtc->memory[RTC_C] & C_INTERRUPT;

	machine_set_irq(device->machine, IRQ_RTC, level && !device->machine->legacy_replaced);
}

static void update_interrupt(struct mc146818 *rtc)
{
	uint8_t flags = rtc->memory[RTC_C] & C_SOURCES;

	if (flags & rtc->memory[RTC_B])
		rtc->memory[RTC_C] |= C_INTERRUPT;
	else
		rtc->memory[RTC_C] &= ~C_INTERRUPT;
	rtc_update_line(&rtc->device);
}

/* Sets the timer to whatever comes first and is enabled. */
static void set_timer(struct mc146818 *rtc)
{
	int64_t ready = -1;

	if (rtc->memory[RTC_B] & RTC_B_PERIODIC_INTERRUPT && period(rtc) > 0)
		ready = rtc->next_periodic;
	if (rtc->memory[RTC_B] & (RTC_B_UPDATE_INTERRUPT | RTC_B_ALARM_INTERRUPT) &&
		!(rtc->memory[RTC_B] & RTC_B_SET)) {
		int64_t second = g_get_monotonic_time() + SECOND - base_time(rtc) % SECOND;

		ready = ready < 0 ? second : MIN(ready, second);
	}
	g_source_set_ready_time(rtc->timer, ready);
}

static gboolean timer_ready(gpointer data)
{
	struct mc146818 *rtc = data;

	g_mutex_lock(&rtc->device.machine->lock);
	note_updates(rtc);
	note_periods(rtc);
	update_interrupt(rtc);
	set_timer(rtc);
	if (rtc->memory[RTC_C] & rtc->memory[RTC_B] & C_ALARM)
		machine_request_wakeup(rtc->device.machine, WAKEUP_RTC);
	g_mutex_unlock(&rtc->device.machine->lock);
	return G_SOURCE_CONTINUE;
}

static gboolean timer_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

/* Registers */

static bool is_clock(uint8_t index)
{
	return index == RTC_CENTURY ||
	       (index <= RTC_YEAR && index != RTC_SECONDS_ALARM && index != RTC_MINUTES_ALARM &&
		       index != RTC_HOURS_ALARM);
}

static uint8_t read_a(struct mc146818 *rtc)
{
	bool updating = base_time(rtc) % SECOND >= SECOND - UPDATE_LENGTH &&
			!(rtc->memory[RTC_B] & RTC_B_SET);

	return rtc->memory[RTC_A] | (updating ? A_UPDATE_IN_PROGRESS : 0);
}

static uint8_t read_c(struct mc146818 *rtc)
{
	uint8_t value;

	note_updates(rtc);
	note_periods(rtc);
	update_interrupt(rtc);
	value = rtc->memory[RTC_C];
	rtc->memory[RTC_C] = 0;
	update_interrupt(rtc);
	if (value & C_PERIODIC) {
		make_up(rtc);
		update_interrupt(rtc);
	}
	return value;
}

static uint8_t read_register(struct mc146818 *rtc, uint8_t index)
{
	if (index == RTC_A)
		return read_a(rtc);
	if (index == RTC_C)
		return read_c(rtc);
	if (is_clock(index) && !(rtc->memory[RTC_B] & RTC_B_SET))
		rtc_time_write(rtc->memory, guest_time(rtc));
	return rtc->memory[index];
}

/* One event for however many changes there were until the main loop comes to it. */
static void tell_change(struct machine *machine, void *device)
{
	struct mc146818 *rtc = device;
	JsonObject *data = json_object_new();

	rtc->change_pending = false;
	json_object_set_int_member(data, "offset", rtc->offset);
	json_object_set_string_member(data, "qom-path", "/machine/rtc");
	machine_emit(machine, "RTC_CHANGE", data);
}

/* Takes the registers as the time that it is now. */
static void set_time(struct mc146818 *rtc)
{
	int64_t seconds;

	if (rtc_time_read(rtc->memory, &seconds)) {
		rtc->offset = seconds - base_time(rtc) / SECOND;
		rtc->checked = seconds;
		if (!rtc->change_pending)
			machine_run_soon(rtc->device.machine, tell_change, rtc);
		rtc->change_pending = true;
	}
}

static void write_clock(struct mc146818 *rtc, uint8_t index, uint8_t value)
{
	bool setting = rtc->memory[RTC_B] & RTC_B_SET;

	if (!setting)
		rtc_time_write(rtc->memory, guest_time(rtc));
	rtc->memory[index] = value;
	if (!setting)
		set_time(rtc);
}

static void write_a(struct mc146818 *rtc, uint8_t value)
{
	rtc->memory[RTC_A] = value & ~A_UPDATE_IN_PROGRESS;
	rtc->next_periodic = g_get_monotonic_time() + period(rtc);
	set_timer(rtc);
}

/* While SET is on the registers stand still for the guest to write; when it goes off they are the time. */
static void write_b(struct mc146818 *rtc, uint8_t value)
{
	uint8_t before = rtc->memory[RTC_B];

	note_updates(rtc);
	note_periods(rtc);
	if (value & ~before & RTC_B_SET) {
		rtc_time_write(rtc->memory, guest_time(rtc));
		value &= ~RTC_B_UPDATE_INTERRUPT;
	}
	if (before & ~value & RTC_B_SET)
		set_time(rtc);
	rtc->memory[RTC_B] = value;
	if (value & ~before & RTC_B_PERIODIC_INTERRUPT)
		rtc->next_periodic = g_get_monotonic_time() + period(rtc);
	update_interrupt(rtc);
	set_timer(rtc);
}

static void write_register(struct mc146818 *rtc, uint8_t index, uint8_t value)
{
	if (index == RTC_A)
		write_a(rtc, value);
	else if (index == RTC_B)
		write_b(rtc, value);
	else if (is_clock(index))
		write_clock(rtc, index, value);
	else if (index != RTC_C && index != RTC_D)
		rtc->memory[index] = value;
}

static uint64_t mc146818_read(void *device, uint64_t offset, unsigned size)
{
	struct mc146818 *rtc = device;

	return offset == 0 ? 0xff : read_register(rtc, rtc->index);
}

static void mc146818_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct mc146818 *rtc = device;

	if (offset == 0)
		rtc->index = value & INDEX_MASK;
	else
		write_register(rtc, rtc->index, value);
}

static const struct io_ops mc146818_ops = { mc146818_read, mc146818_write, .max_access = 1 };

/* Life */

static void put_number(struct mc146818 *rtc, uint8_t index, unsigned bytes, uint64_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		rtc->memory[index + i] = value >> 8 * i;
}

static void put_boot_order(struct mc146818 *rtc, const char *letters)
{
	static const struct {
		char letter;
		uint8_t code;
	} codes[] = { { 'a', 1 }, { 'c', 2 }, { 'd', 3 }, { 'n', 4 } };
	uint8_t order[BOOT_PLACES] = { 0 };

	for (unsigned i = 0; i < BOOT_PLACES && letters[i] != '\0'; i++)
		for (size_t j = 0; j < G_N_ELEMENTS(codes); j++)
			if (codes[j].letter == letters[i])
				order[i] = codes[j].code;
	put_number(rtc, CMOS_BOOT_FLAG_1, 1, order[2] << 4 | BOOT_NO_FLOPPY_SIGNATURE);
	put_number(rtc, CMOS_BOOT_FLAG_2, 1, order[1] << 4 | order[0]);
}

static void fill_memory(struct mc146818 *rtc)
{
	uint64_t extended = rtc->low_memory > MiB ? (rtc->low_memory - MiB) / KiB : 0;
	uint64_t above_16m =
		rtc->low_memory > 16 * MiB ? (rtc->low_memory - 16 * MiB) / (64 * KiB) : 0;

	put_number(rtc, CMOS_EQUIPMENT, 1, EQUIPMENT_MOUSE_AND_FPU);
	put_number(rtc, CMOS_BASE_MEMORY, 2, BASE_MEMORY);
	put_number(rtc, CMOS_EXTENDED_MEMORY, 2, MIN(extended, UINT16_MAX));
	put_number(rtc, CMOS_EXTENDED_MEMORY_COPY, 2, MIN(extended, UINT16_MAX));
	put_number(rtc, CMOS_MEMORY_ABOVE_16M, 2, MIN(above_16m, UINT16_MAX));
	put_number(rtc, CMOS_MEMORY_ABOVE_4G, 3, rtc->high_memory / (64 * KiB));
	put_number(rtc, CMOS_CPUS, 1, rtc->cpus > 0 ? rtc->cpus - 1 : 0);
	put_boot_order(rtc, rtc->boot_order[0] ? rtc->boot_order : "cd");
}

void rtc_set_memory(struct device *device, uint64_t low, uint64_t high, unsigned cpus)
{
	struct mc146818 *rtc = (struct mc146818 *)device;

	rtc->low_memory = low;
	rtc->high_memory = high;
	rtc->cpus = cpus;
}

static bool mc146818_realize(struct device *device, GError **error)
{
	struct mc146818 *rtc = (struct mc146818 *)device;

	if (device->machine->config)
		rtc->options = device->machine->config->rtc;
	set_base(rtc);
	rtc->memory[RTC_A] = A_DIVIDER_32KHZ | 6;
	rtc->memory[RTC_B] = RTC_B_24_HOURS;
	rtc->memory[RTC_D] = D_VALID;
	rtc->timer = g_source_new(&timer_funcs, sizeof(GSource));
	g_source_set_name(rtc->timer, "real-time clock");
	g_source_set_callback(rtc->timer, timer_ready, rtc, NULL);
	g_source_attach(rtc->timer, NULL);
	rtc->region = (struct io_region) {
		.name = "mc146818", .ops = &mc146818_ops, .device = rtc, .size = 2
	};
	io_space_map(&device->machine->ports, &rtc->region, PORT_INDEX);
	device->machine->rtc = device;
	return true;
}

/* The battery keeps the clock and the memory over a reset; interrupts go off. */
static void mc146818_reset(struct device *device)
{
	struct mc146818 *rtc = (struct mc146818 *)device;

	rtc->index = 0;
	rtc->memory[RTC_B] &=
		~(RTC_B_UPDATE_INTERRUPT | RTC_B_ALARM_INTERRUPT | RTC_B_PERIODIC_INTERRUPT);
	rtc->memory[RTC_C] = 0;
	rtc->missed = 0;
	rtc->checked = guest_time(rtc);
	fill_memory(rtc);
	update_interrupt(rtc);
	set_timer(rtc);
}

static void mc146818_unrealize(struct device *device)
{
	struct mc146818 *rtc = (struct mc146818 *)device;

	io_region_unmap(&rtc->region);
	device->machine->rtc = NULL;
	if (rtc->timer)
		g_source_destroy(rtc->timer);
	g_clear_pointer(&rtc->timer, g_source_unref);
}

void rtc_set_asleep(struct device *device, bool asleep)
{
	struct mc146818 *rtc = (struct mc146818 *)device;

	rtc->memory[CMOS_RESET_REASON] = asleep ? RESET_FROM_SLEEP : 0;
}

void rtc_set_boot_order(struct device *device, const char *letters)
{
	struct mc146818 *rtc = (struct mc146818 *)device;

	g_strlcpy(rtc->boot_order, letters, sizeof(rtc->boot_order));
}

const struct device_class mc146818_class = {
	.name = "mc146818rtc",
	.description = "real-time clock",
	.bus = BUS_ISA,
	.size = sizeof(struct mc146818),
	.state = mc146818_state,
	.realize = mc146818_realize,
	.reset = mc146818_reset,
	.unrealize = mc146818_unrealize,
};
