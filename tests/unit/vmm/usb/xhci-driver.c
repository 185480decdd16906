#include "tests/unit/vmm/usb/xhci-driver.h"

#include <string.h>

#include "tests/unit/vmm/fake-kvm.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"
#include "vmm/pci/pci.h"
#include "vmm/usb/qemu-xhci.h"

static unsigned line(void *board, unsigned slot, unsigned pin)
{
	return pin;
}

static void set_line(void *board, unsigned number, bool level)
{
	machine_set_irq(board, 16 + number, level);
}

struct xhci_driver *xhci_driver_new(void)
{
	struct xhci_driver *driver = g_new0(struct xhci_driver, 1);
	struct fake_machine *fake = fake_machine_new();
	struct pci_interrupts interrupts = { line, set_line, &fake->machine };
	struct pci_device *pci;

	driver->fake = fake;
	fake->machine.pci = pci_bus_new(&fake->machine, "pci.0", &interrupts);
	driver->controller = device_new(&fake->machine, &qemu_xhci_class, NULL);
	g_assert_true(device_realize(driver->controller, NULL));
	device_reset(driver->controller);
	pci = (struct pci_device *)driver->controller;
	pci_device_config_write(pci, PCI_BAR_0, 4, DRIVER_REGISTERS);
	pci_device_config_write(pci, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	driver->controller->class->set_running(driver->controller, true);
	return driver;
}

void xhci_driver_free(struct xhci_driver *driver)
{
	fake_machine_free(driver->fake);
	g_free(driver);
}

struct usb_device *xhci_driver_add(struct xhci_driver *driver, const struct device_class *class)
{
	struct device *device = device_new(&driver->fake->machine, class, NULL);

	if (device_class_property(class, "drive"))
		g_assert_true(device_set_property(device, "drive", "disk", NULL));
	g_assert_true(device_realize(device, NULL));
	device_reset(device);
	return (struct usb_device *)device;
}

uint32_t xhci_driver_read(struct xhci_driver *driver, unsigned offset)
{
	return io_space_read(&driver->fake->machine.mmio, DRIVER_REGISTERS + offset, 4);
}

void xhci_driver_write(struct xhci_driver *driver, unsigned offset, uint32_t value)
{
	io_space_write(&driver->fake->machine.mmio, DRIVER_REGISTERS + offset, 4, value);
}

static void put_trb(struct xhci_driver *driver, uint64_t at, uint64_t parameter, uint32_t status,
	uint32_t control)
{
	uint8_t *ram = driver->fake->ram + at;

	config_set32(ram, parameter);
	config_set32(ram + 4, parameter >> 32);
	config_set32(ram + 8, status);
	config_set32(ram + 12, control);
}

void xhci_driver_start(struct xhci_driver *driver)
{
	uint8_t *ram = driver->fake->ram;
	unsigned interrupter = XHCI_RUNTIME + INTERRUPTERS;

	driver->event_cycle = true;
	driver->next_event = driver->next_command = 0;
	memset(ram + DRIVER_COMMANDS, 0, 0x1000);
	memset(ram + DRIVER_EVENTS, 0, DRIVER_EVENTS_SIZE * TRB_BYTES);
	xhci_driver_write(driver, XHCI_OPERATIONAL + CONFIG, DRIVER_SLOTS);
	xhci_driver_write(driver, XHCI_OPERATIONAL + DCBAAP_LOW, DRIVER_CONTEXTS);
	xhci_driver_write(driver, XHCI_OPERATIONAL + DCBAAP_HIGH, 0);
	xhci_driver_write(driver, XHCI_OPERATIONAL + CRCR_LOW, DRIVER_COMMANDS | CRCR_CYCLE);
	xhci_driver_write(driver, XHCI_OPERATIONAL + CRCR_HIGH, 0);
	config_set32(ram + DRIVER_TABLE, DRIVER_EVENTS);
	config_set32(ram + DRIVER_TABLE + 4, 0);
	config_set32(ram + DRIVER_TABLE + 8, DRIVER_EVENTS_SIZE);
	xhci_driver_write(driver, interrupter + ERSTSZ, 1);
	xhci_driver_write(driver, interrupter + ERDP_LOW, DRIVER_EVENTS);
	xhci_driver_write(driver, interrupter + ERDP_HIGH, 0);
	xhci_driver_write(driver, interrupter + ERSTBA_LOW, DRIVER_TABLE);
	xhci_driver_write(driver, interrupter + ERSTBA_HIGH, 0);
	xhci_driver_write(driver, interrupter + IMAN, IMAN_ENABLED);
	xhci_driver_write(driver, XHCI_OPERATIONAL + USBCMD, USBCMD_RUN | USBCMD_INTERRUPTS);
}

bool xhci_driver_event(struct xhci_driver *driver, struct xhci_driver_event *event)
{
	uint64_t at = DRIVER_EVENTS + driver->next_event * TRB_BYTES;
	const uint8_t *ram = driver->fake->ram + at;
	uint32_t status = config_get32(ram + 8), control = config_get32(ram + 12);

	if ((control & TRB_CYCLE) != driver->event_cycle)
		return false;
	*event = (struct xhci_driver_event) {
		.type = control >> TRB_TYPE_SHIFT & 0x3f,
		.code = status >> TRB_CODE_SHIFT,
		.slot = control >> TRB_SLOT_SHIFT,
		.endpoint = control >> TRB_ENDPOINT_SHIFT & 0x1f,
		.parameter = config_get64(ram),
		.residue = status & TRB_RESIDUE,
		.event_data = control & TRB_EVENT_DATA_EVENT,
	};
	if (++driver->next_event == DRIVER_EVENTS_SIZE) {
		driver->next_event = 0;
		driver->event_cycle = !driver->event_cycle;
	}
	at = DRIVER_EVENTS + driver->next_event * TRB_BYTES;
	xhci_driver_write(driver, XHCI_RUNTIME + INTERRUPTERS + ERDP_LOW, at | ERDP_BUSY);
	return true;
}

bool xhci_driver_event_of(
	struct xhci_driver *driver, unsigned type, struct xhci_driver_event *event)
{
	while (xhci_driver_event(driver, event))
		if (event->type == type)
			return true;
	return false;
}

unsigned xhci_driver_command(
	struct xhci_driver *driver, uint64_t parameter, uint32_t control, unsigned *slot)
{
	uint64_t at = DRIVER_COMMANDS + driver->next_command++ * TRB_BYTES;
	struct xhci_driver_event event;

	g_assert_cmpuint(driver->next_command, <, 0x1000 / TRB_BYTES);
	put_trb(driver, at, parameter, 0, control | TRB_CYCLE);
	xhci_driver_write(driver, XHCI_DOORBELLS, 0);
	if (!xhci_driver_event_of(driver, TRB_COMMAND_EVENT, &event))
		return 0;
	g_assert_cmphex(event.parameter, ==, at);
	if (slot)
		*slot = event.slot;
	return event.code;
}

static uint64_t ring_of(unsigned slot, unsigned endpoint)
{
	return DRIVER_RINGS + (slot - 1) * 0x8000 + endpoint * 0x400;
}

/* The input context: what is added, and the contexts of slot and endpoint. */
static void fill_input(
	struct xhci_driver *driver, unsigned slot, unsigned port, unsigned endpoint, unsigned type)
{
	uint8_t *input = driver->fake->ram + DRIVER_INPUT;
	uint8_t *context = input + 32 + 32 * endpoint;

	memset(input, 0, 33 * CONTEXT_BYTES);
	config_set32(input + 4, 1 | 1u << endpoint);
	config_set32(input + 32, endpoint << SLOT_ENTRIES_SHIFT);
	config_set32(input + 36, port << SLOT_PORT_SHIFT);
	config_set32(context + 4, type << ENDPOINT_TYPE_SHIFT | 512u << ENDPOINT_PACKET_SHIFT);
	config_set32(context + 8, ring_of(slot, endpoint) | 1);
	driver->next[slot][endpoint] = 0;
	driver->cycle[slot][endpoint] = true;
	memset(driver->fake->ram + ring_of(slot, endpoint), 0, DRIVER_RING_SIZE * TRB_BYTES);
}

unsigned xhci_driver_open(struct xhci_driver *driver, unsigned port)
{
	unsigned slot;

	xhci_driver_write(driver, XHCI_OPERATIONAL + PORTS + (port - 1) * PORT_BYTES,
		PORTSC_POWER | PORTSC_RESET);
	xhci_driver_write(driver, XHCI_OPERATIONAL + PORTS + (port - 1) * PORT_BYTES,
		PORTSC_POWER | PORTSC_CHANGES);
	g_assert_cmpuint(xhci_driver_command(driver, 0, TRB_ENABLE_SLOT << TRB_TYPE_SHIFT, &slot),
		==, CODE_SUCCESS);
	g_assert_cmpuint(slot, <=, DRIVER_SLOTS);
	config_set32(driver->fake->ram + DRIVER_CONTEXTS + 8 * slot, DRIVER_OUTPUT + 0x400 * slot);
	fill_input(driver, slot, port, 1, ENDPOINT_CONTROL);
	g_assert_cmpuint(
		xhci_driver_command(driver, DRIVER_INPUT,
			TRB_ADDRESS_DEVICE << TRB_TYPE_SHIFT | slot << TRB_SLOT_SHIFT, NULL),
		==, CODE_SUCCESS);
	return slot;
}

unsigned xhci_driver_configure(
	struct xhci_driver *driver, unsigned slot, unsigned endpoint, unsigned type)
{
	fill_input(driver, slot, 0, endpoint, type);
	return xhci_driver_command(driver, DRIVER_INPUT,
		TRB_CONFIGURE_ENDPOINT << TRB_TYPE_SHIFT | slot << TRB_SLOT_SHIFT, NULL);
}

uint64_t xhci_driver_put(struct xhci_driver *driver, unsigned slot, unsigned endpoint,
	uint64_t parameter, uint32_t status, uint32_t control)
{
	unsigned *next = &driver->next[slot][endpoint];
	bool *cycle = &driver->cycle[slot][endpoint];
	uint64_t ring = ring_of(slot, endpoint), at;

	if (*next == DRIVER_RING_SIZE - 1) {
		put_trb(driver, ring + *next * TRB_BYTES, ring, 0,
			TRB_LINK << TRB_TYPE_SHIFT | TRB_TOGGLE | *cycle | (control & TRB_CHAIN));
		*next = 0;
		*cycle = !*cycle;
	}
	at = ring + (*next)++ * TRB_BYTES;
	put_trb(driver, at, parameter, status, control | *cycle);
	return at;
}

void xhci_driver_ring(struct xhci_driver *driver, unsigned slot, unsigned endpoint)
{
	xhci_driver_write(driver, XHCI_DOORBELLS + 4 * slot, endpoint);
}

unsigned xhci_driver_control(
	struct xhci_driver *driver, unsigned slot, const struct usb_setup *setup, unsigned *moved)
{
	uint64_t bytes = setup->request_type | setup->request << 8 | (uint64_t)setup->value << 16 |
			 (uint64_t)setup->index << 32 | (uint64_t)setup->length << 48;
	bool in = setup->request_type & USB_IN;
	struct xhci_driver_event event = { .code = 0 };
	uint64_t last;

	xhci_driver_put(driver, slot, 1, bytes, 8, TRB_SETUP << TRB_TYPE_SHIFT | TRB_IMMEDIATE);
	if (setup->length)
		xhci_driver_put(driver, slot, 1, DRIVER_BUFFER, setup->length,
			TRB_DATA << TRB_TYPE_SHIFT | TRB_EVENT_ON_SHORT | (in ? TRB_IN : 0));
	last = xhci_driver_put(driver, slot, 1, 0, 0,
		TRB_STATUS << TRB_TYPE_SHIFT | TRB_EVENT | (in && setup->length ? 0 : TRB_IN));
	xhci_driver_ring(driver, slot, 1);
	if (moved)
		*moved = setup->length;
	while (event.parameter != last &&
		xhci_driver_event_of(driver, TRB_TRANSFER_EVENT, &event)) {
		if (event.code == CODE_SHORT_PACKET && moved)
			*moved = setup->length - event.residue;
		else if (event.code != CODE_SUCCESS)
			return event.code;
	}
	return event.code;
}
