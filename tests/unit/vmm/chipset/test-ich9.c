/* The LPC bridge: interrupt routing, power management, reset. And the small chips beside it. */
#include "tests/unit/vmm/chipset/fake-machine.h"

#include "vmm/chipset/debug-exit.h"
#include "vmm/chipset/debugcon.h"
#include "vmm/chipset/ich9-lpc.h"
#include "vmm/chipset/acpi-pm-ich9.h"
#include "vmm/chipset/port92.h"

enum {
	SLOT = 0x1f,
	PM = ICH9_PM_BASE,
	SCI = 9,
	RCBA = 0xfed1c000,
	POWER_BUTTON = 0x100,
	GSI_PIRQ_E = 20,
};

/* As SeaBIOS sets it up. */
static struct device *add_lpc_with(struct fake_machine *fake, const char *no_reboot)
{
	static const struct pci_interrupts interrupts;
	struct device *lpc;

	fake->machine.pci = pci_bus_new(&fake->machine, "pcie.0", &interrupts);
	lpc = device_new(&fake->machine, &ich9_lpc_class, NULL);
	((struct pci_device *)lpc)->address_option = g_strdup("1f.0");
	g_assert_true(device_set_property(lpc, "noreboot", no_reboot, NULL));
	g_assert_true(device_realize(lpc, NULL));
	device_reset(lpc);
	pci_bus_config_write(fake->machine.pci, SLOT, 0, 0x40, 4, PM | 1);
	pci_bus_config_write(fake->machine.pci, SLOT, 0, 0x44, 1, 0x80);
	pci_bus_config_write(fake->machine.pci, SLOT, 0, 0xf0, 4, RCBA | 1);
	return lpc;
}

static struct device *add_lpc(struct fake_machine *fake)
{
	return add_lpc_with(fake, "on");
}

static void finish(struct fake_machine *fake)
{
	for (guint i = 0; i < fake->machine.devices->len; i++) {
		struct device *device = fake->machine.devices->pdata[i];

		if (device->class->bus == BUS_PCI)
			g_clear_pointer(&((struct pci_device *)device)->address_option, g_free);
	}
	fake_machine_free(fake);
}

static uint16_t pm_word(struct fake_machine *fake, uint16_t offset)
{
	return io_space_read(&fake->machine.ports, PM + offset, 2);
}

static void pm_set_word(struct fake_machine *fake, uint16_t offset, uint16_t value)
{
	io_space_write(&fake->machine.ports, PM + offset, 2, value);
}

static void test_routing(void)
{
	struct fake_machine *fake = fake_machine_new();
	struct device *lpc = add_lpc(fake);

	/* Not routed: the I/O APIC's input only. */
	ich9_set_pirq(lpc, 4, true);
	g_assert_true(fake->levels[GSI_PIRQ_E]);
	g_assert_false(fake->levels[10]);
	pci_bus_config_write(fake->machine.pci, SLOT, 0, 0x68, 1, 10);
	g_assert_true(fake->levels[10]);
	/* Two on one line. */
	pci_bus_config_write(fake->machine.pci, SLOT, 0, 0x60, 1, 10);
	ich9_set_pirq(lpc, 0, true);
	ich9_set_pirq(lpc, 4, false);
	g_assert_true(fake->levels[10]);
	g_assert_false(fake->levels[GSI_PIRQ_E]);
	/* Routed elsewhere, then off. */
	pci_bus_config_write(fake->machine.pci, SLOT, 0, 0x60, 1, 11);
	g_assert_false(fake->levels[10]);
	g_assert_true(fake->levels[11]);
	pci_bus_config_write(fake->machine.pci, SLOT, 0, 0x60, 1, 0x80);
	g_assert_false(fake->levels[11]);
	finish(fake);
}

static void test_slots(void)
{
	struct fake_machine *fake = fake_machine_new();
	struct device *lpc = add_lpc(fake);

	for (unsigned slot = 25; slot < 32; slot++)
		for (unsigned pin = 0; pin < 4; pin++)
			g_assert_cmpuint(ich9_slot_pirq(lpc, slot, pin), ==, pin);
	io_space_write(&fake->machine.mmio, (uint64_t)RCBA + 0x3140, 2, 0x7654);
	g_assert_cmpuint(ich9_slot_pirq(lpc, 31, 0), ==, 4);
	g_assert_cmpuint(ich9_slot_pirq(lpc, 31, 3), ==, 7);
	g_assert_cmpuint(ich9_slot_pirq(lpc, 30, 3), ==, 3);
	finish(fake);
}

static void test_power_button(void)
{
	struct fake_machine *fake = fake_machine_new();

	add_lpc(fake);
	pm_set_word(fake, ICH9_PM1_ENABLE, POWER_BUTTON);
	fake->press(fake->button);
	g_assert_false(fake->levels[SCI]);
	/* The operating system takes over. */
	fake_out(fake, ICH9_APM_COMMAND, ICH9_APM_ENABLE_ACPI);
	g_assert_true(pm_word(fake, ICH9_PM1_CONTROL) & 1);
	g_assert_true(fake->levels[SCI]);
	g_assert_true(pm_word(fake, ICH9_PM1_STATUS) & POWER_BUTTON);
	pm_set_word(fake, ICH9_PM1_STATUS, POWER_BUTTON);
	g_assert_false(fake->levels[SCI]);
	fake_out(fake, ICH9_APM_COMMAND, ICH9_APM_DISABLE_ACPI);
	g_assert_false(pm_word(fake, ICH9_PM1_CONTROL) & 1);
	finish(fake);
}

static void test_power_off(void)
{
	struct fake_machine *fake = fake_machine_new();

	add_lpc(fake);
	/* Sleep types that there are none of. */
	for (unsigned type = 3; type < 8; type++)
		pm_set_word(fake, ICH9_PM1_CONTROL, 1 << 13 | type << 10);
	g_assert_cmpuint(fake->shutdowns, ==, 0);
	pm_set_word(fake, ICH9_PM1_CONTROL, 1 << 13);
	g_assert_cmpuint(fake->shutdowns, ==, 1);
	g_assert_cmpuint(fake->suspends, ==, 0);
	finish(fake);
}

static void test_sleep(void)
{
	struct fake_machine *fake = fake_machine_new();

	add_lpc(fake);
	pm_set_word(fake, ICH9_PM1_CONTROL, 1 << 13 | 1 << 10);
	g_assert_cmpuint(fake->suspends, ==, 1);
	acpi_pm_reset(fake->machine.acpi_pm);
	acpi_pm_woken(fake->machine.acpi_pm, WAKEUP_RTC);
	g_assert_cmphex(pm_word(fake, ICH9_PM1_STATUS), ==, 1 << 15 | 1 << 10);
	pm_set_word(fake, ICH9_PM1_CONTROL, 1 << 13 | 2 << 10);
	g_assert_cmpstr(fake->event, ==, "SUSPEND_DISK");
	g_assert_cmpuint(fake->shutdowns, ==, 1);
	fake->machine.acpi_pm->no_s3 = fake->machine.acpi_pm->no_s4 = 1;
	pm_set_word(fake, ICH9_PM1_CONTROL, 1 << 13 | 1 << 10);
	pm_set_word(fake, ICH9_PM1_CONTROL, 1 << 13 | 2 << 10);
	g_assert_cmpuint(fake->suspends, ==, 1);
	g_assert_cmpuint(fake->shutdowns, ==, 1);
	finish(fake);
}

/* Runs what is due on the main loop once the guest's clock shows so many nanoseconds more. */
static void pass(struct fake_machine *fake, int64_t nanoseconds)
{
	struct device *lpc = fake->machine.devices->pdata[0];

	fake->machine.clock.behind -= nanoseconds;
	lpc->class->set_running(lpc, true);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static uint16_t tco(struct fake_machine *fake, unsigned offset)
{
	return pm_word(fake, ICH9_TCO + offset);
}

static void tco_set(struct fake_machine *fake, unsigned offset, uint16_t value)
{
	pm_set_word(fake, ICH9_TCO + offset, value);
}

static void test_watchdog(void)
{
	struct fake_machine *fake = fake_machine_new();

	add_lpc_with(fake, "off");
	g_assert_cmphex(tco(fake, TCO_CONTROL_2), ==, 0x0008);
	tco_set(fake, TCO_TIMER, 10);
	tco_set(fake, TCO_TIMER, 1);
	g_assert_cmpuint(tco(fake, TCO_TIMER), ==, 10);
	tco_set(fake, TCO_RELOAD, 1);
	g_assert_cmpuint(tco(fake, TCO_RELOAD), ==, 10);
	/* It runs out once, a sign of life, once more, and then twice. */
	pass(fake, 11 * (int64_t)TCO_TICK);
	g_assert_cmphex(tco(fake, TCO_STATUS_1), ==, TCO_STATUS_TIMEOUT);
	tco_set(fake, TCO_STATUS_1, TCO_STATUS_TIMEOUT);
	g_assert_cmphex(tco(fake, TCO_STATUS_1), ==, 0);
	tco_set(fake, TCO_RELOAD, 1);
	pass(fake, 11 * (int64_t)TCO_TICK);
	g_assert_cmphex(tco(fake, TCO_STATUS_2), ==, 0);
	pass(fake, 11 * (int64_t)TCO_TICK);
	g_assert_cmphex(tco(fake, TCO_STATUS_2), ==, TCO_STATUS_SECOND | TCO_STATUS_BOOT);
	/* Not before the guest has cleared NO_REBOOT. */
	g_assert_cmpuint(fake->watchdogs, ==, 0);
	io_space_write(&fake->machine.mmio, RCBA + 0x3410, 1, 0);
	tco_set(fake, TCO_RELOAD, 1);
	pass(fake, 11 * (int64_t)TCO_TICK);
	pass(fake, 11 * (int64_t)TCO_TICK);
	g_assert_cmpuint(fake->watchdogs, ==, 1);
	pass(fake, 22 * (int64_t)TCO_TICK);
	g_assert_cmpuint(fake->watchdogs, ==, 1);
	finish(fake);
}

static void test_watchdog_control(void)
{
	struct fake_machine *fake = fake_machine_new();

	add_lpc(fake);
	tco_set(fake, TCO_CONTROL_1, TCO_CONTROL_LOCK | TCO_CONTROL_HALT);
	tco_set(fake, TCO_CONTROL_1, TCO_CONTROL_HALT);
	g_assert_cmphex(tco(fake, TCO_CONTROL_1), ==, TCO_CONTROL_LOCK | TCO_CONTROL_HALT);
	tco_set(fake, TCO_RELOAD, 1);
	g_assert_cmpuint(tco(fake, TCO_RELOAD), ==, 0);
	pass(fake, 60 * (int64_t)TCO_TICK);
	g_assert_cmphex(tco(fake, TCO_STATUS_1), ==, 0);
	fake_out(fake, PM + ICH9_TCO + TCO_DATA_OUT, 0x5a);
	g_assert_cmphex(tco(fake, TCO_STATUS_1), ==, TCO_STATUS_DATA_OUT);
	g_assert_cmphex(tco(fake, TCO_DATA_IN), ==, 0x5a00);
	/* The strap keeps it from doing anything, whatever the guest does. */
	tco_set(fake, TCO_CONTROL_1, 0);
	io_space_write(&fake->machine.mmio, RCBA + 0x3410, 1, 0);
	pass(fake, 5 * (int64_t)TCO_TICK);
	pass(fake, 5 * (int64_t)TCO_TICK);
	g_assert_cmphex(tco(fake, TCO_STATUS_2), ==, TCO_STATUS_SECOND | TCO_STATUS_BOOT);
	g_assert_cmpuint(fake->watchdogs, ==, 0);
	finish(fake);
}

static void test_timer(void)
{
	struct fake_machine *fake = fake_machine_new();
	uint32_t first, second;

	add_lpc(fake);
	first = fake_in_long(fake, PM + ICH9_PM_TIMER);
	g_usleep(2000);
	second = fake_in_long(fake, PM + ICH9_PM_TIMER);
	g_assert_cmphex(first >> 24, ==, 0);
	g_assert_cmpuint((second - first) & 0xffffff, >=, 7000);
	finish(fake);
}

/* SeaBIOS would try to install a handler for system management mode if it found this bit clear. */
static void test_no_smm(void)
{
	struct fake_machine *fake = fake_machine_new();

	add_lpc(fake);
	io_space_write(&fake->machine.ports, PM + ICH9_SMI_ENABLE, 4, 0);
	g_assert_true(fake_in_long(fake, PM + ICH9_SMI_ENABLE) & 1 << 5);
	finish(fake);
}

static void test_block_moves(void)
{
	struct fake_machine *fake = fake_machine_new();

	add_lpc(fake);
	pm_set_word(fake, ICH9_PM1_ENABLE, POWER_BUTTON);
	pci_bus_config_write(fake->machine.pci, SLOT, 0, 0x40, 4, 0xb000);
	g_assert_cmphex(pm_word(fake, ICH9_PM1_ENABLE), ==, 0xffff);
	g_assert_cmphex(io_space_read(&fake->machine.ports, 0xb002, 2), ==, POWER_BUTTON);
	pci_bus_config_write(fake->machine.pci, SLOT, 0, 0x44, 1, 0);
	g_assert_cmphex(io_space_read(&fake->machine.ports, 0xb002, 2), ==, 0xffff);
	finish(fake);
}

static void test_reset(void)
{
	struct fake_machine *fake = fake_machine_new();

	add_lpc(fake);
	fake_out(fake, ICH9_PORT_RESET, 0x02);
	g_assert_cmpuint(fake->resets, ==, 0);
	fake_out(fake, ICH9_PORT_RESET, 0x06);
	g_assert_cmpuint(fake->resets, ==, 1);
	g_assert_cmphex(fake_in(fake, ICH9_PORT_RESET), ==, 0x02);
	finish(fake);
}

static void test_port92(void)
{
	struct fake_machine *fake = fake_machine_new();

	g_assert_nonnull(fake_machine_add(fake, &port92_class, NULL, NULL));
	g_assert_cmphex(fake_in(fake, 0x92), ==, 0x02);
	fake_out(fake, 0x92, 0x00);
	g_assert_cmphex(fake_in(fake, 0x92), ==, 0x00);
	fake_out(fake, 0x92, 0x03);
	g_assert_cmpuint(fake->resets, ==, 1);
	fake_machine_free(fake);
}

static void test_debugcon(void)
{
	static const char *const properties[] = { "chardev", "line", "iobase", "0x402", NULL };
	struct fake_machine *fake = fake_machine_new();

	g_assert_nonnull(fake_machine_add(fake, &isa_debugcon_class, properties, NULL));
	g_assert_cmphex(fake_in(fake, 0x402), ==, 0xe9);
	fake_out(fake, 0x402, 'H');
	fake_out(fake, 0x402, 'i');
	g_assert_cmpstr(fake->output->str, ==, "Hi");
	fake_machine_free(fake);
}

static void test_debug_exit(void)
{
	struct fake_machine *fake = fake_machine_new();

	g_assert_nonnull(fake_machine_add(fake, &isa_debug_exit_class, NULL, NULL));
	g_assert_cmpint(fake->exit_status, ==, -1);
	fake_out(fake, 0x501, 0x10);
	g_assert_cmpint(fake->exit_status, ==, 0x21);
	fake_machine_free(fake);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ich9/routing", test_routing);
	g_test_add_func("/ich9/slots", test_slots);
	g_test_add_func("/ich9/power-button", test_power_button);
	g_test_add_func("/ich9/power-off", test_power_off);
	g_test_add_func("/ich9/watchdog", test_watchdog);
	g_test_add_func("/ich9/watchdog-control", test_watchdog_control);
	g_test_add_func("/ich9/sleep", test_sleep);
	g_test_add_func("/ich9/timer", test_timer);
	g_test_add_func("/ich9/no-smm", test_no_smm);
	g_test_add_func("/ich9/block-moves", test_block_moves);
	g_test_add_func("/ich9/reset", test_reset);
	g_test_add_func("/port92", test_port92);
	g_test_add_func("/debugcon", test_debugcon);
	g_test_add_func("/debug-exit", test_debug_exit);
	return g_test_run();
}
