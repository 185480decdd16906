/* The event timers: counter, one-shot and periodic timers, legacy routing, messages. */
#include <string.h>

#include "tests/unit/vmm/chipset/fake-machine.h"
#include "tests/unit/vmm/fake-kvm.h"
#include "vmm/chipset/hpet.h"
#include "vmm/chipset/mc146818.h"

enum {
	CAPABILITIES = 0x000,
	CONFIGURATION = 0x010,
	STATUS = 0x020,
	COUNTER = 0x0f0,
	TIMER = 0x100,
	STRIDE = 0x20,
	COMPARATOR = 8,
	MESSAGE = 0x10,
	ENABLE = 1,
	LEGACY = 2,
	LEVEL = 1 << 1,
	INTERRUPT = 1 << 2,
	PERIODIC = 1 << 3,
	SET_VALUE = 1 << 6,
	MODE_32 = 1 << 8,
	MESSAGES = 1 << 14,
	MILLISECOND = 100000, /* ticks */
	WAIT = 60,            /* seconds at most */
};

static const char *const q35[] = { "hpet-intcap", "0xff0104", NULL };
static const char *const with_messages[] = { "hpet-intcap", "0xff0104", "msi", "on", NULL };

static uint64_t get(struct fake_machine *fake, unsigned offset)
{
	return io_space_read(&fake->machine.mmio, (uint64_t)HPET_ADDRESS + offset, 8);
}

static void set(struct fake_machine *fake, unsigned offset, uint64_t value)
{
	io_space_write(&fake->machine.mmio, (uint64_t)HPET_ADDRESS + offset, 8, value);
}

static gboolean too_late(gpointer data)
{
	g_error("nothing came");
	return G_SOURCE_REMOVE;
}

static void wait_for(unsigned *count, unsigned wanted)
{
	guint guard = g_timeout_add_seconds(WAIT, too_late, NULL);

	while (*count < wanted)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(guard);
}

static void test_registers(void)
{
	struct fake_machine *fake = fake_machine_new();

	g_assert_nonnull(fake_machine_add(fake, &hpet_class, q35, NULL));
	g_assert_cmphex(get(fake, CAPABILITIES), ==, UINT64_C(0x009896808086a201));
	g_assert_cmphex(get(fake, TIMER), ==, UINT64_C(0x00ff010400000030));
	g_assert_cmphex(get(fake, TIMER + COMPARATOR), ==, UINT64_MAX);
	set(fake, TIMER, UINT64_MAX);
	g_assert_cmphex(get(fake, TIMER), ==, UINT64_C(0x00ff010400003f7e));
	/* Timers there are none of, and the halves of a register. */
	g_assert_cmphex(get(fake, TIMER + 3 * STRIDE), ==, 0);
	set(fake, TIMER + 3 * STRIDE, 4);
	g_assert_cmphex(
		io_space_read(&fake->machine.mmio, (uint64_t)HPET_ADDRESS + 4, 4), ==, 10000000);
	io_space_write(&fake->machine.mmio, (uint64_t)HPET_ADDRESS + COUNTER + 4, 4, 0x12345678);
	g_assert_cmphex(get(fake, COUNTER), ==, UINT64_C(0x1234567800000000));
	set(fake, CONFIGURATION, 0xfffffffc);
	g_assert_cmphex(get(fake, CONFIGURATION), ==, 0);
	fake_machine_free(fake);
}

static void test_counter(void)
{
	struct fake_machine *fake = fake_machine_new();
	struct device *hpet = fake_machine_add(fake, &hpet_class, q35, NULL);
	uint64_t first, second;

	g_assert_cmpuint(get(fake, COUNTER), ==, 0);
	g_usleep(1000);
	g_assert_cmpuint(get(fake, COUNTER), ==, 0);
	set(fake, COUNTER, 1000);
	set(fake, CONFIGURATION, ENABLE);
	g_usleep(2000);
	first = get(fake, COUNTER);
	g_assert_cmpuint(first, >=, 1000 + 2 * MILLISECOND);
	/* Paused: it stands. */
	guest_clock_set_running(&fake->machine.clock, false);
	hpet_class.set_running(hpet, false);
	first = get(fake, COUNTER);
	g_usleep(2000);
	g_assert_cmpuint(get(fake, COUNTER), ==, first);
	guest_clock_set_running(&fake->machine.clock, true);
	hpet_class.set_running(hpet, true);
	second = get(fake, COUNTER);
	g_assert_cmpuint(second, >=, first);
	set(fake, CONFIGURATION, 0);
	first = get(fake, COUNTER);
	g_usleep(1000);
	g_assert_cmpuint(get(fake, COUNTER), ==, first);
	device_reset(hpet);
	g_assert_cmpuint(get(fake, COUNTER), ==, 0);
	fake_machine_free(fake);
}

static void test_one_shot(void)
{
	struct fake_machine *fake = fake_machine_new();

	g_assert_nonnull(fake_machine_add(fake, &hpet_class, q35, NULL));
	set(fake, TIMER, INTERRUPT | 16 << 9);
	set(fake, TIMER + COMPARATOR, MILLISECOND);
	set(fake, CONFIGURATION, ENABLE);
	wait_for(&fake->rises[16], 1);
	g_assert_cmpuint(get(fake, COUNTER), >=, MILLISECOND);
	g_assert_false(fake->levels[16]);
	/* Of edges the status tells nothing. */
	g_assert_cmphex(get(fake, STATUS), ==, 0);
	/* One that lies in the past comes at once. */
	set(fake, TIMER + COMPARATOR, 5);
	wait_for(&fake->rises[16], 2);
	/* A route that the type does not allow goes nowhere. */
	set(fake, TIMER, INTERRUPT | 5 << 9);
	set(fake, TIMER + STRIDE, INTERRUPT | 17 << 9);
	set(fake, TIMER + COMPARATOR, get(fake, COUNTER));
	set(fake, TIMER + STRIDE + COMPARATOR, get(fake, COUNTER) + MILLISECOND);
	wait_for(&fake->rises[17], 1);
	g_assert_cmpuint(fake->rises[5], ==, 0);
	fake_machine_free(fake);
}

static void test_level(void)
{
	struct fake_machine *fake = fake_machine_new();
	struct device *hpet = fake_machine_add(fake, &hpet_class, q35, NULL);

	set(fake, TIMER + 2 * STRIDE, INTERRUPT | LEVEL | 20 << 9);
	set(fake, TIMER + 2 * STRIDE + COMPARATOR, 100);
	set(fake, CONFIGURATION, ENABLE);
	wait_for(&fake->rises[20], 1);
	g_assert_true(fake->levels[20]);
	g_assert_cmphex(get(fake, STATUS), ==, 1 << 2);
	set(fake, STATUS, 1 << 1);
	g_assert_true(fake->levels[20]);
	set(fake, STATUS, 1 << 2);
	g_assert_false(fake->levels[20]);
	g_assert_cmphex(get(fake, STATUS), ==, 0);
	set(fake, TIMER + 2 * STRIDE + COMPARATOR, 100);
	wait_for(&fake->rises[20], 2);
	device_reset(hpet);
	g_assert_false(fake->levels[20]);
	fake_machine_free(fake);
}

/* Two timers on one line hold it up until both are served; a timer that moves takes its level along. */
static void test_shared_level(void)
{
	struct fake_machine *fake = fake_machine_new();

	fake_machine_add(fake, &hpet_class, q35, NULL);
	for (unsigned timer = 1; timer <= 2; timer++) {
		set(fake, TIMER + timer * STRIDE, INTERRUPT | LEVEL | 20 << 9);
		set(fake, TIMER + timer * STRIDE + COMPARATOR, 100);
	}
	set(fake, CONFIGURATION, ENABLE);
	while (get(fake, STATUS) != (1 << 1 | 1 << 2))
		g_main_context_iteration(NULL, TRUE);
	set(fake, STATUS, 1 << 1);
	g_assert_true(fake->levels[20]);
	set(fake, TIMER + 2 * STRIDE, INTERRUPT | LEVEL | 21 << 9);
	g_assert_false(fake->levels[20]);
	g_assert_true(fake->levels[21]);
	set(fake, STATUS, 1 << 2);
	g_assert_false(fake->levels[21]);
	fake_machine_free(fake);
}

/* As Linux sets it up: the first event and the period, one write each. */
static void test_periodic(void)
{
	struct fake_machine *fake = fake_machine_new();
	uint64_t comparator;

	g_assert_nonnull(fake_machine_add(fake, &hpet_class, q35, NULL));
	set(fake, TIMER, INTERRUPT | PERIODIC | SET_VALUE | MODE_32);
	set(fake, TIMER + COMPARATOR, 5 * MILLISECOND);
	g_assert_cmphex(get(fake, TIMER) & SET_VALUE, ==, 0);
	set(fake, TIMER + COMPARATOR, MILLISECOND);
	g_assert_cmpuint(get(fake, TIMER + COMPARATOR), ==, 5 * MILLISECOND);
	set(fake, CONFIGURATION, ENABLE | LEGACY);
	wait_for(&fake->rises[0], 1);
	g_assert_cmpuint(get(fake, COUNTER), >=, 5 * MILLISECOND);
	comparator = get(fake, TIMER + COMPARATOR);
	g_assert_cmpuint(comparator % MILLISECOND, ==, 0);
	wait_for(&fake->rises[0], 4);
	g_assert_cmpuint(get(fake, TIMER + COMPARATOR), >=, comparator + 3 * MILLISECOND);
	set(fake, TIMER, 0);
	/* A period of one tick keeps nobody busy, and one of none is none. */
	set(fake, TIMER, INTERRUPT | PERIODIC | SET_VALUE);
	set(fake, TIMER + COMPARATOR, 1);
	wait_for(&fake->rises[0], 6);
	set(fake, TIMER + COMPARATOR, 0);
	while (g_main_context_iteration(NULL, FALSE))
		continue;
	fake_machine_free(fake);
}

static void test_legacy(void)
{
	struct fake_machine *fake = fake_machine_new();
	struct device *rtc = fake_machine_add(fake, &mc146818_class, NULL, NULL);
	struct device *hpet = fake_machine_add(fake, &hpet_class, q35, NULL);

	memset(&fake_kvm, 0, sizeof(fake_kvm));
	/* The clock's line is up when the timers take it, and again when they give it back. */
	fake_out(fake, 0x70, 0x0b);
	fake_out(fake, 0x71, 0x42);
	wait_for(&fake->rises[8], 1);
	g_assert_true(fake->levels[8]);
	set(fake, CONFIGURATION, LEGACY);
	g_assert_false(fake->levels[8]);
	g_assert_true(fake_kvm.pit_is_off);
	set(fake, TIMER + STRIDE, INTERRUPT);
	set(fake, TIMER + STRIDE + COMPARATOR, 100);
	set(fake, CONFIGURATION, LEGACY | ENABLE);
	wait_for(&fake->rises[8], 2);
	g_assert_false(fake->levels[8]);
	set(fake, CONFIGURATION, ENABLE);
	g_assert_true(fake->levels[8]);
	g_assert_false(fake_kvm.pit_is_off);
	set(fake, CONFIGURATION, LEGACY);
	device_reset(hpet);
	g_assert_false(fake_kvm.pit_is_off);
	device_reset(rtc);
	fake_machine_free(fake);
}

static void test_messages(void)
{
	struct fake_machine *fake = fake_machine_new();

	memset(&fake_kvm, 0, sizeof(fake_kvm));
	g_assert_nonnull(fake_machine_add(fake, &hpet_class, with_messages, NULL));
	g_assert_cmphex((uint32_t)get(fake, TIMER), ==, 0x8030);
	set(fake, TIMER + MESSAGE, UINT64_C(0xfee0100000004041));
	set(fake, TIMER, INTERRUPT | MESSAGES);
	set(fake, TIMER + COMPARATOR, 100);
	set(fake, CONFIGURATION, ENABLE);
	wait_for(&fake_kvm.messages, 1);
	g_assert_cmphex(fake_kvm.message_address, ==, 0xfee01000);
	g_assert_cmphex(fake_kvm.message_data, ==, 0x4041);
	fake_machine_free(fake);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/hpet/registers", test_registers);
	g_test_add_func("/hpet/counter", test_counter);
	g_test_add_func("/hpet/one-shot", test_one_shot);
	g_test_add_func("/hpet/level", test_level);
	g_test_add_func("/hpet/shared-level", test_shared_level);
	g_test_add_func("/hpet/periodic", test_periodic);
	g_test_add_func("/hpet/legacy", test_legacy);
	g_test_add_func("/hpet/messages", test_messages);
	return g_test_run();
}
