/* The chips of the pc board: PIIX3 (interrupt routing, reset) and PIIX4 power management (ACPI, SMBus). */
#include "tests/unit/vmm/chipset/fake-machine.h"

#include "vmm/chipset/acpi-pm.h"
#include "vmm/chipset/piix3.h"
#include "vmm/chipset/piix4-pm.h"

enum {
	SLOT = 1,
	PM_FUNCTION = 3,
	PM = PIIX4_PM_BASE,
	SCI = 9,
	POWER_BUTTON = 0x100,
	SLEEP_BUTTON = 0x200,
};

static struct device *add(
	struct fake_machine *fake, const struct device_class *class, const char *address)
{
	static const struct pci_interrupts interrupts;
	struct device *device = device_new(&fake->machine, class, NULL);

	if (!fake->machine.pci)
		fake->machine.pci = pci_bus_new(&fake->machine, "pci.0", &interrupts);
	((struct pci_device *)device)->address_option = g_strdup(address);
	g_assert_true(device_realize(device, NULL));
	device_reset(device);
	return device;
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

static uint32_t config(struct fake_machine *fake, unsigned function, uint16_t at, unsigned size)
{
	return pci_bus_config_read(fake->machine.pci, SLOT, function, at, size);
}

static void set_config(
	struct fake_machine *fake, unsigned function, uint16_t at, unsigned size, uint32_t value)
{
	pci_bus_config_write(fake->machine.pci, SLOT, function, at, size, value);
}

static uint16_t word(struct fake_machine *fake, uint16_t port)
{
	return io_space_read(&fake->machine.ports, port, 2);
}

static void set_word(struct fake_machine *fake, uint16_t port, uint16_t value)
{
	io_space_write(&fake->machine.ports, port, 2, value);
}

static void test_identity(void)
{
	struct fake_machine *fake = fake_machine_new();

	add(fake, &piix3_class, "1.0");
	add(fake, &piix4_pm_class, "1.3");
	g_assert_cmphex(config(fake, 0, 0x00, 4), ==, 0x70008086);
	g_assert_cmphex(config(fake, 0, 0x08, 4), ==, 0x06010000);
	g_assert_cmphex(config(fake, 0, 0x0e, 1), ==, 0x80);
	g_assert_cmphex(config(fake, PM_FUNCTION, 0x00, 4), ==, 0x71138086);
	g_assert_cmphex(config(fake, PM_FUNCTION, 0x08, 4), ==, 0x06800003);
	g_assert_cmphex(config(fake, PM_FUNCTION, 0x3d, 1), ==, 1);
	finish(fake);
}

static void test_routing(void)
{
	struct fake_machine *fake = fake_machine_new();
	struct device *piix3 = add(fake, &piix3_class, "1.0");

	/* Off at first. */
	g_assert_cmphex(config(fake, 0, 0x60, 4), ==, 0x80808080);
	piix3_set_pirq(piix3, 0, true);
	for (unsigned line = 0; line < 16; line++)
		g_assert_false(fake->levels[line]);
	set_config(fake, 0, 0x60, 1, 10);
	g_assert_true(fake->levels[10]);
	/* Two on one line. */
	set_config(fake, 0, 0x63, 1, 10);
	piix3_set_pirq(piix3, 3, true);
	piix3_set_pirq(piix3, 0, false);
	g_assert_true(fake->levels[10]);
	/* Elsewhere, to a reserved line, and off. */
	set_config(fake, 0, 0x63, 1, 11);
	g_assert_false(fake->levels[10]);
	g_assert_true(fake->levels[11]);
	set_config(fake, 0, 0x63, 1, 8);
	g_assert_false(fake->levels[11]);
	g_assert_false(fake->levels[8]);
	set_config(fake, 0, 0x63, 1, 0x8b);
	g_assert_false(fake->levels[11]);
	finish(fake);
}

static void test_reset(void)
{
	struct fake_machine *fake = fake_machine_new();
	struct device *piix3 = add(fake, &piix3_class, "1.0");

	set_config(fake, 0, 0x60, 1, 5);
	piix3_set_pirq(piix3, 0, true);
	fake_out(fake, 0xcf9, 0x02);
	g_assert_cmpuint(fake->resets, ==, 0);
	fake_out(fake, 0xcf9, 0x06);
	g_assert_cmpuint(fake->resets, ==, 1);
	g_assert_cmphex(fake_in(fake, 0xcf9), ==, 0x02);
	device_reset(piix3);
	g_assert_cmphex(fake_in(fake, 0xcf9), ==, 0);
	g_assert_cmphex(config(fake, 0, 0x60, 1), ==, 0x80);
	g_assert_false(fake->levels[5]);
	finish(fake);
}

/* As SeaBIOS sets it up. */
static struct device *add_pm(struct fake_machine *fake)
{
	struct device *pm = add(fake, &piix4_pm_class, "1.3");

	set_config(fake, PM_FUNCTION, 0x40, 4, PM | 1);
	set_config(fake, PM_FUNCTION, 0x80, 1, 1);
	return pm;
}

static void test_block(void)
{
	struct fake_machine *fake = fake_machine_new();
	struct device *pm = add(fake, &piix4_pm_class, "1.3");

	g_assert_cmphex(config(fake, PM_FUNCTION, 0x40, 4), ==, 1);
	set_config(fake, PM_FUNCTION, 0x40, 4, 0xffffffff);
	g_assert_cmphex(config(fake, PM_FUNCTION, 0x40, 4), ==, 0xffc1);
	set_config(fake, PM_FUNCTION, 0x40, 4, PM);
	g_assert_cmphex(word(fake, PM), ==, 0xffff);
	set_config(fake, PM_FUNCTION, 0x80, 1, 1);
	g_assert_cmphex(word(fake, PM), ==, 0);
	device_reset(pm);
	g_assert_cmphex(word(fake, PM), ==, 0xffff);
	/* SeaBIOS would try to install a handler for system management mode if it found this bit clear. */
	set_config(fake, PM_FUNCTION, 0x58, 4, 0);
	g_assert_cmphex(config(fake, PM_FUNCTION, 0x58, 4), ==, 1 << 25);
	finish(fake);
}

static void test_buttons(void)
{
	struct fake_machine *fake = fake_machine_new();

	add_pm(fake);
	set_word(fake, PM + ACPI_PM1_ENABLE, POWER_BUTTON | SLEEP_BUTTON);
	fake->press(fake->button);
	g_assert_false(fake->levels[SCI]);
	fake_out(fake, ACPI_APM_COMMAND, ACPI_APM_ENABLE);
	g_assert_true(fake->levels[SCI]);
	g_assert_cmphex(word(fake, PM + ACPI_PM1_STATUS) & POWER_BUTTON, ==, POWER_BUTTON);
	set_word(fake, PM + ACPI_PM1_STATUS, POWER_BUTTON);
	g_assert_false(fake->levels[SCI]);
	acpi_pm_press_sleep_button(fake->machine.acpi_pm);
	g_assert_true(fake->levels[SCI]);
	set_word(fake, PM + ACPI_PM1_ENABLE, POWER_BUTTON);
	g_assert_false(fake->levels[SCI]);
	finish(fake);
}

static void test_power_off(void)
{
	struct fake_machine *fake = fake_machine_new();

	add_pm(fake);
	/* Sleep types that there are none of. */
	for (unsigned type = 3; type < 8; type++)
		set_word(fake, PM + ACPI_PM1_CONTROL, 1 << 13 | type << 10);
	g_assert_cmpuint(fake->shutdowns, ==, 0);
	set_word(fake, PM + ACPI_PM1_CONTROL, 1 << 13);
	g_assert_cmpuint(fake->shutdowns, ==, 1);
	g_assert_cmpuint(fake->suspends, ==, 0);
	finish(fake);
}

static void test_sleep(void)
{
	struct fake_machine *fake = fake_machine_new();

	add_pm(fake);
	set_word(fake, PM + ACPI_PM1_CONTROL, 1 << 13 | 1 << 10);
	g_assert_cmpuint(fake->suspends, ==, 1);
	acpi_pm_reset(fake->machine.acpi_pm);
	acpi_pm_woken(fake->machine.acpi_pm, WAKEUP_RTC);
	g_assert_cmphex(word(fake, PM + ACPI_PM1_STATUS), ==, 1 << 15 | 1 << 10);
	set_word(fake, PM + ACPI_PM1_CONTROL, 1 << 13 | 2 << 10);
	g_assert_cmpstr(fake->event, ==, "SUSPEND_DISK");
	g_assert_cmpuint(fake->shutdowns, ==, 1);
	fake->machine.acpi_pm->no_s3 = fake->machine.acpi_pm->no_s4 = 1;
	set_word(fake, PM + ACPI_PM1_CONTROL, 1 << 13 | 1 << 10);
	set_word(fake, PM + ACPI_PM1_CONTROL, 1 << 13 | 2 << 10);
	g_assert_cmpuint(fake->suspends, ==, 1);
	g_assert_cmpuint(fake->shutdowns, ==, 1);
	finish(fake);
}

static void test_events(void)
{
	struct fake_machine *fake = fake_machine_new();

	add_pm(fake);
	fake_out(fake, ACPI_APM_COMMAND, ACPI_APM_ENABLE);
	acpi_gpe_raise(fake->machine.acpi_pm, 9);
	g_assert_cmphex(word(fake, PIIX4_GPE0_BASE), ==, 0x200);
	g_assert_false(fake->levels[SCI]);
	set_word(fake, PIIX4_GPE0_BASE + 2, 0x200);
	g_assert_true(fake->levels[SCI]);
	set_word(fake, PIIX4_GPE0_BASE, 0x0100);
	g_assert_true(fake->levels[SCI]);
	set_word(fake, PIIX4_GPE0_BASE, 0x0200);
	g_assert_false(fake->levels[SCI]);
	finish(fake);
}

/* While the machine is paused its clock stands still. */
static void test_timer(void)
{
	struct fake_machine *fake = fake_machine_new();
	uint32_t first, second;

	add_pm(fake);
	first = fake_in_long(fake, PM + ACPI_PM1_TIMER);
	g_usleep(2000);
	second = fake_in_long(fake, PM + ACPI_PM1_TIMER);
	g_assert_cmpuint((second - first) & 0xffffff, >=, 7000);
	g_assert_cmphex(second >> 24, ==, 0);
	guest_clock_set_running(&fake->machine.clock, false);
	first = fake_in_long(fake, PM + ACPI_PM1_TIMER);
	g_usleep(2000);
	g_assert_cmphex(fake_in_long(fake, PM + ACPI_PM1_TIMER), ==, first);
	guest_clock_set_running(&fake->machine.clock, true);
	g_assert_cmpuint((fake_in_long(fake, PM + ACPI_PM1_TIMER) - first) & 0xffffff, <, 3579545);
	finish(fake);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/piix/identity", test_identity);
	g_test_add_func("/piix3/routing", test_routing);
	g_test_add_func("/piix3/reset", test_reset);
	g_test_add_func("/piix4-pm/block", test_block);
	g_test_add_func("/piix4-pm/buttons", test_buttons);
	g_test_add_func("/piix4-pm/power-off", test_power_off);
	g_test_add_func("/piix4-pm/sleep", test_sleep);
	g_test_add_func("/piix4-pm/events", test_events);
	g_test_add_func("/piix4-pm/timer", test_timer);
	return g_test_run();
}
