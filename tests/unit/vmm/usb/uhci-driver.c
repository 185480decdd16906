#include "tests/unit/vmm/usb/uhci-driver.h"

#include <string.h>

#include "tests/unit/vmm/fake-kvm.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"
#include "vmm/usb/piix3-uhci.h"

enum {
	PACKET = 8,
	ADDRESS = 5,
	TD_FAILED = 0x76 << 16, /* all but NAK, which goes on */
};

static unsigned line(void *board, unsigned slot, unsigned pin)
{
	return 0;
}

static void set_line(void *board, unsigned number, bool level)
{
	machine_set_irq(board, 16, level);
}

struct uhci_driver *uhci_driver_new(void)
{
	struct uhci_driver *driver = g_new0(struct uhci_driver, 1);
	struct fake_machine *fake = fake_machine_new();
	struct pci_interrupts interrupts = { line, set_line, &fake->machine };
	struct pci_device *pci;

	driver->fake = fake;
	fake->machine.pci = pci_bus_new(&fake->machine, "pci.0", &interrupts);
	driver->controller = device_new(&fake->machine, &piix3_uhci_class, NULL);
	g_assert_true(device_realize(driver->controller, NULL));
	device_reset(driver->controller);
	pci = (struct pci_device *)driver->controller;
	pci_device_config_write(pci, PCI_BAR_0 + 4 * 4, 4, DRIVER_REGISTERS);
	pci_device_config_write(pci, PCI_COMMAND, 2, PCI_COMMAND_PORTS | PCI_COMMAND_MASTER);
	driver->controller->class->set_running(driver->controller, true);
	return driver;
}

void uhci_driver_free(struct uhci_driver *driver)
{
	fake_machine_free(driver->fake);
	g_free(driver);
}

struct usb_device *uhci_driver_add(struct uhci_driver *driver, const struct device_class *class)
{
	struct device *device = device_new(&driver->fake->machine, class, NULL);

	if (device_class_property(class, "drive"))
		g_assert_true(device_set_property(device, "drive", "disk", NULL));
	g_assert_true(device_realize(device, NULL));
	device_reset(device);
	return (struct usb_device *)device;
}

uint16_t uhci_driver_read(struct uhci_driver *driver, unsigned offset)
{
	return io_space_read(&driver->fake->machine.ports, DRIVER_REGISTERS + offset, 2);
}

void uhci_driver_write(struct uhci_driver *driver, unsigned offset, uint16_t value)
{
	io_space_write(&driver->fake->machine.ports, DRIVER_REGISTERS + offset, 2, value);
}

void uhci_driver_clear(struct uhci_driver *driver)
{
	config_set32(driver->fake->ram + DRIVER_QUEUE, LINK_END);
	config_set32(driver->fake->ram + DRIVER_QUEUE + 4, LINK_END);
	driver->count = 0;
}

void uhci_driver_start(struct uhci_driver *driver)
{
	for (unsigned i = 0; i < UHCI_FRAMES; i++)
		config_set32(driver->fake->ram + DRIVER_FRAMES + 4 * i, DRIVER_QUEUE | LINK_QUEUE);
	uhci_driver_clear(driver);
	uhci_driver_write(driver, UHCI_FRAME_LIST, DRIVER_FRAMES);
	uhci_driver_write(driver, UHCI_FRAME_LIST + 2, 0);
	uhci_driver_write(driver, UHCI_INTERRUPTS, UHCI_INTERRUPTS_MASK);
	uhci_driver_write(driver, UHCI_COMMAND, UHCI_RUN);
}

static uint8_t *descriptor_at(const struct uhci_driver *driver, unsigned number)
{
	return driver->fake->ram + DRIVER_DESCRIPTORS + 0x20 * number;
}

unsigned uhci_driver_put(struct uhci_driver *driver, uint8_t pid, uint8_t address, uint8_t endpoint,
	unsigned length, uint32_t buffer, uint32_t flags)
{
	uint8_t *at = descriptor_at(driver, driver->count);

	g_assert_cmpuint(driver->count, <, DRIVER_DESCRIPTORS_MAX);
	if (driver->count > 0)
		config_set32(
			at - 0x20, (DRIVER_DESCRIPTORS + 0x20 * driver->count) | LINK_DEPTH_FIRST);
	config_set32(at, LINK_END);
	config_set32(at + 4, TD_ACTIVE | TD_RETRIES | flags);
	config_set32(at + 8, pid | (uint32_t)address << 8 | (uint32_t)endpoint << 15 |
				     ((length - 1) & 0x7ffu) << 21);
	config_set32(at + 12, buffer);
	return driver->count++;
}

uint32_t uhci_driver_status(const struct uhci_driver *driver, unsigned descriptor)
{
	return config_get32(descriptor_at(driver, descriptor) + 4);
}

unsigned uhci_driver_moved(const struct uhci_driver *driver, unsigned descriptor)
{
	return (uhci_driver_status(driver, descriptor) + 1) & 0x7ff;
}

void uhci_driver_go(struct uhci_driver *driver)
{
	config_set32(driver->fake->ram + DRIVER_QUEUE + 4, DRIVER_DESCRIPTORS);
}

void uhci_driver_pass(struct uhci_driver *driver, unsigned frames)
{
	uint16_t last = uhci_driver_read(driver, UHCI_FRAME);
	unsigned passed = 0;

	while (passed < frames) {
		uint16_t now;

		g_main_context_iteration(NULL, TRUE);
		now = uhci_driver_read(driver, UHCI_FRAME);
		passed += (now - last) & UHCI_FRAME_MASK;
		last = now;
	}
}

uint32_t uhci_driver_run(struct uhci_driver *driver)
{
	uhci_driver_go(driver);
	for (unsigned i = 0;; uhci_driver_pass(driver, 1)) {
		while (i < driver->count && !(uhci_driver_status(driver, i) & TD_ACTIVE) &&
			!(uhci_driver_status(driver, i) & TD_FAILED))
			i++;
		if (i == driver->count)
			return uhci_driver_status(driver, i - 1);
		if (!(uhci_driver_status(driver, i) & TD_ACTIVE))
			return uhci_driver_status(driver, i);
	}
}

uint32_t uhci_driver_control(struct uhci_driver *driver, const struct usb_setup *setup)
{
	uint8_t *at = driver->fake->ram + DRIVER_SETUP;
	bool in = setup->request_type & USB_IN;

	uhci_driver_clear(driver);
	at[0] = setup->request_type;
	at[1] = setup->request;
	config_set16(at + 2, setup->value);
	config_set16(at + 4, setup->index);
	config_set16(at + 6, setup->length);
	uhci_driver_put(driver, PID_SETUP, driver->address, 0, USB_SETUP_BYTES, DRIVER_SETUP, 0);
	for (unsigned i = 0; i < setup->length; i += PACKET)
		uhci_driver_put(driver, in ? PID_IN : PID_OUT, driver->address, 0,
			MIN(PACKET, setup->length - i), DRIVER_BUFFER + i, 0);
	uhci_driver_put(driver, in && setup->length ? PID_OUT : PID_IN, driver->address, 0, 0, 0,
		TD_ON_COMPLETE);
	return uhci_driver_run(driver);
}

void uhci_driver_open(struct uhci_driver *driver)
{
	static const struct usb_setup address = { 0, 5, ADDRESS, 0, 0 },
				      configure = { 0, 9, 1, 0, 0 };

	uhci_driver_write(driver, UHCI_PORT_1, UHCI_PORT_RESET);
	uhci_driver_write(driver, UHCI_PORT_1, UHCI_PORT_CHANGES);
	uhci_driver_write(driver, UHCI_PORT_1, UHCI_PORT_ENABLED);
	driver->address = 0;
	g_assert_cmphex(uhci_driver_control(driver, &address) & TD_FAILED, ==, 0);
	driver->address = ADDRESS;
	g_assert_cmphex(uhci_driver_control(driver, &configure) & TD_FAILED, ==, 0);
	uhci_driver_write(driver, UHCI_STATUS, 0x1f);
	uhci_driver_clear(driver);
}
