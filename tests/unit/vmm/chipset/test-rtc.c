/* The clock's registers and the time they stand for, and the chip's interrupts. */
#include "tests/unit/vmm/chipset/fake-machine.h"

#include "vmm/chipset/mc146818.h"
#include "vmm/chipset/rtc-time.h"

enum {
	INDEX = 0x70,
	DATA = 0x71,
	IRQ = 8,
	WAIT = 60, /* seconds at most for an interrupt */
};

/* Registers in the order seconds, minutes, hours, day of the week, day, month, year, century. */
static const struct {
	const char *name;
	int64_t time;
	uint8_t mode;
	uint8_t registers[8];
} times[] = {
	{ "/rtc/time/bcd", 1767225599, RTC_B_24_HOURS,
		{ 0x59, 0x59, 0x23, 0x04, 0x31, 0x12, 0x25, 0x20 } },
	{ "/rtc/time/binary", 1767225599, RTC_B_24_HOURS | RTC_B_BINARY,
		{ 59, 59, 23, 4, 31, 12, 25, 20 } },
	{ "/rtc/time/afternoon", 1767225599, 0,
		{ 0x59, 0x59, 0x91, 0x04, 0x31, 0x12, 0x25, 0x20 } },
	{ "/rtc/time/midnight", 1767225600, 0, { 0, 0, 0x12, 0x05, 0x01, 0x01, 0x26, 0x20 } },
	{ "/rtc/time/noon", 1767268800, RTC_B_BINARY, { 0, 0, 12 | 0x80, 5, 1, 1, 26, 20 } },
	{ "/rtc/time/leap-day", 951782400, RTC_B_24_HOURS,
		{ 0, 0, 0, 0x03, 0x29, 0x02, 0x00, 0x20 } },
};

static const uint8_t places[] = { RTC_SECONDS, RTC_MINUTES, RTC_HOURS, RTC_DAY_OF_WEEK,
	RTC_DAY_OF_MONTH, RTC_MONTH, RTC_YEAR, RTC_CENTURY };

static void check_time(gconstpointer data)
{
	const typeof(times[0]) *c = data;
	uint8_t memory[128] = { [RTC_B] = c->mode };
	int64_t time;

	rtc_time_write(memory, c->time);
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
		g_assert_cmphex(memory[places[i]], ==, c->registers[i]);
	g_assert_true(rtc_time_read(memory, &time));
	g_assert_cmpint(time, ==, c->time);
}

static void test_no_time(void)
{
	uint8_t memory[128] = { [RTC_B] = RTC_B_24_HOURS };
	int64_t time;

	g_assert_false(rtc_time_read(memory, &time));
	for (unsigned i = 0; i < 100000; i++) {
		for (size_t j = 0; j < G_N_ELEMENTS(places); j++)
			memory[places[j]] = g_test_rand_int_range(0, 256);
		memory[RTC_B] = g_test_rand_int_range(0, 256);
		rtc_time_read(memory, &time);
	}
}

static void test_alarm(void)
{
	uint8_t memory[128] = { [RTC_B] = RTC_B_24_HOURS,
		[RTC_SECONDS_ALARM] = 0x30,
		[RTC_MINUTES_ALARM] = 0xff,
		[RTC_HOURS_ALARM] = 0x12 };

	g_assert_true(rtc_alarm_matches(memory, 12 * 3600 + 30));
	g_assert_true(rtc_alarm_matches(memory, 12 * 3600 + 59 * 60 + 30));
	g_assert_false(rtc_alarm_matches(memory, 13 * 3600 + 30));
	g_assert_false(rtc_alarm_matches(memory, 12 * 3600 + 31));
}

static uint8_t rtc_read(struct fake_machine *fake, uint8_t index)
{
	fake_out(fake, INDEX, index);
	return fake_in(fake, DATA);
}

static void rtc_write(struct fake_machine *fake, uint8_t index, uint8_t value)
{
	fake_out(fake, INDEX, index);
	fake_out(fake, DATA, value);
}

static struct fake_machine *machine_with_rtc(void)
{
	struct fake_machine *fake = fake_machine_new();

	g_assert_nonnull(fake_machine_add(fake, &mc146818_class, NULL, NULL));
	return fake;
}

static void test_set(void)
{
	struct fake_machine *fake = machine_with_rtc();

	rtc_write(fake, RTC_B, RTC_B_24_HOURS | RTC_B_SET);
	rtc_write(fake, RTC_YEAR, 0x99);
	rtc_write(fake, RTC_CENTURY, 0x19);
	rtc_write(fake, RTC_MONTH, 0x06);
	rtc_write(fake, RTC_DAY_OF_MONTH, 0x15);
	rtc_write(fake, RTC_HOURS, 0x08);
	rtc_write(fake, RTC_MINUTES, 0x10);
	g_assert_cmphex(rtc_read(fake, RTC_YEAR), ==, 0x99);
	rtc_write(fake, RTC_B, RTC_B_24_HOURS);
	g_assert_cmphex(rtc_read(fake, RTC_CENTURY), ==, 0x19);
	g_assert_cmphex(rtc_read(fake, RTC_MONTH), ==, 0x06);
	g_assert_cmphex(rtc_read(fake, RTC_HOURS), ==, 0x08);
	g_assert_cmphex(rtc_read(fake, RTC_D), ==, 0x80);
	fake_machine_free(fake);
}

/* What SeaBIOS reads. */
static void test_memory(void)
{
	struct fake_machine *fake = machine_with_rtc();
	struct device *rtc = fake->machine.devices->pdata[0];

	rtc_set_memory(rtc, (uint64_t)2 << 30, (uint64_t)5 << 30, 4);
	device_reset(rtc);
	g_assert_cmphex(rtc_read(fake, 0x34) | rtc_read(fake, 0x35) << 8, ==, 0x7f00);
	g_assert_cmphex(rtc_read(fake, 0x5b) | rtc_read(fake, 0x5c) << 8, ==, 0x4000);
	g_assert_cmphex(rtc_read(fake, 0x5d), ==, 0x01);
	g_assert_cmphex(rtc_read(fake, 0x5f), ==, 3);
	g_assert_cmphex(rtc_read(fake, 0x17) | rtc_read(fake, 0x18) << 8, ==, 0xffff);
	rtc_write(fake, 0x0f, 0x0a);
	device_reset(rtc);
	g_assert_cmphex(rtc_read(fake, 0x0f), ==, 0x0a);
	fake_machine_free(fake);
}

static const struct {
	const char *name;
	uint8_t enable;
} interrupts[] = {
	{ "/rtc/interrupt/periodic", RTC_B_PERIODIC_INTERRUPT },
	{ "/rtc/interrupt/update", RTC_B_UPDATE_INTERRUPT },
	{ "/rtc/interrupt/alarm", RTC_B_ALARM_INTERRUPT },
};

static void check_interrupt(gconstpointer data)
{
	const typeof(interrupts[0]) *c = data;
	struct fake_machine *fake = machine_with_rtc();
	int64_t end = g_get_monotonic_time() + WAIT * G_USEC_PER_SEC;

	rtc_write(fake, RTC_SECONDS_ALARM, 0xff);
	rtc_write(fake, RTC_MINUTES_ALARM, 0xff);
	rtc_write(fake, RTC_HOURS_ALARM, 0xff);
	rtc_write(fake, RTC_B, RTC_B_24_HOURS | c->enable);
	while (!fake->levels[IRQ] && g_get_monotonic_time() < end)
		g_main_context_iteration(NULL, TRUE);
	g_assert_true(fake->levels[IRQ]);
	g_assert_cmphex(rtc_read(fake, RTC_C) & (0x80 | c->enable), ==, 0x80 | c->enable);
	g_assert_false(fake->levels[IRQ]);
	rtc_write(fake, RTC_B, RTC_B_24_HOURS);
	fake_machine_free(fake);
}

/* The clock starts at a time of its own, and stands still with the guest. */
static void test_options(void)
{
	const struct machine_config config = {
		.rtc = { .base = RTC_BASE_TIME, .time = 951782400, .clock = RTC_CLOCK_VM },
	};
	struct fake_machine *fake = fake_machine_new();

	fake->machine.config = &config;
	fake->machine.clock.stopped = true;
	g_assert_nonnull(fake_machine_add(fake, &mc146818_class, NULL, NULL));
	g_usleep(1100000);
	g_assert_cmphex(rtc_read(fake, RTC_SECONDS), ==, 0);
	g_assert_cmphex(rtc_read(fake, RTC_DAY_OF_MONTH), ==, 0x29);
	g_assert_cmphex(rtc_read(fake, RTC_MONTH), ==, 0x02);
	g_assert_cmphex(rtc_read(fake, RTC_YEAR), ==, 0x00);
	fake->machine.clock.stopped_at += INT64_C(61000000000);
	g_assert_cmphex(rtc_read(fake, RTC_SECONDS), ==, 1);
	g_assert_cmphex(rtc_read(fake, RTC_MINUTES), ==, 1);
	/* Told once, however often it is set before the main loop comes to it. */
	rtc_write(fake, RTC_HOURS, 0x02);
	rtc_write(fake, RTC_HOURS, 0x01);
	g_assert_null(fake->event);
	fake->soon(&fake->machine, fake->soon_device);
	g_assert_cmpstr(fake->event, ==, "RTC_CHANGE");
	g_assert_cmpint(fake->event_offset, ==, 3600);
	fake_machine_free(fake);
}

/* Periods that the guest could not see come one by one when it looks. */
static void test_slew(void)
{
	const struct machine_config config = { .rtc = { .slew = true } };
	struct fake_machine *fake = fake_machine_new();
	unsigned seen = 0;

	fake->machine.config = &config;
	g_assert_nonnull(fake_machine_add(fake, &mc146818_class, NULL, NULL));
	rtc_write(fake, RTC_A, 0x2a); /* 15.6 ms */
	rtc_write(fake, RTC_B, RTC_B_24_HOURS | RTC_B_PERIODIC_INTERRUPT);
	g_usleep(200000);
	while (rtc_read(fake, RTC_C) & 0x40)
		seen++;
	g_assert_cmpuint(seen, >=, 10);
	g_assert_cmpuint(seen, <=, 22);
	g_assert_false(fake->levels[IRQ]);
	fake_machine_free(fake);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(times); i++)
		g_test_add_data_func(times[i].name, &times[i], check_time);
	for (size_t i = 0; i < G_N_ELEMENTS(interrupts); i++)
		g_test_add_data_func(interrupts[i].name, &interrupts[i], check_interrupt);
	g_test_add_func("/rtc/no-time", test_no_time);
	g_test_add_func("/rtc/alarm", test_alarm);
	g_test_add_func("/rtc/set", test_set);
	g_test_add_func("/rtc/options", test_options);
	g_test_add_func("/rtc/slew", test_slew);
	g_test_add_func("/rtc/memory", test_memory);
	return g_test_run();
}
