/* qemu-xhci and nec-usb-xhci: the PCI device around the host controller.
 *
 * BAR 0 holds the registers and, behind them, the MSI-X table. Work that a guest asks for is done at once, in turns of limited
 * length; what is left is taken up by the main loop.
 */
#include "vmm/usb/xhci.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-express.h"
#include "vmm/usb/qemu-xhci.h"

enum {
	BAR_REGISTERS = 0,
	CONFIG_RELEASE = 0x60, /* of USB: 3.0 */
	RELEASE = 0x30,
	AT_MSIX = 0x90, /* where QEMU's device has the capability */
};

static const struct state_field xhci_state[] = {
	STATE_UINT32(struct xhci, command),
	STATE_UINT32(struct xhci, status),
	STATE_UINT32(struct xhci, notifications),
	STATE_UINT32(struct xhci, config),
	STATE_UINT64(struct xhci, contexts),
	STATE_UINT32(struct xhci, ring_low),
	STATE_UINT64(struct xhci, commands.dequeue),
	STATE_BOOL(struct xhci, commands.cycle),
	STATE_BOOL(struct xhci, commands_running),
	STATE_END,
};

static const struct property xhci_properties[] = {
	{ "p2", PROPERTY_UINT8, offsetof(struct xhci, usb2_ports), "4", "USB 2 ports", 1,
		USB_PORTS_MAX },
	{ "p3", PROPERTY_UINT8, offsetof(struct xhci, usb3_ports), "4", "USB 3 ports", 1,
		USB_PORTS_MAX },
	{ .type = PROPERTY_END },
};

bool xhci_is_running(const struct xhci *xhci)
{
	return xhci->machine_runs && xhci->command & USBCMD_RUN &&
	       !(xhci->status & USBSTS_CONTROLLER_ERROR);
}

void xhci_die(struct xhci *xhci, const char *what)
{
	xhci->status |= USBSTS_CONTROLLER_ERROR;
	log_limited(&xhci->pci.complaints, XHCI_COMPLAINTS_MAX,
		"%s: %s; the controller stops until the guest resets it",
		xhci->pci.device.class->name, what);
}

bool xhci_read(struct xhci *xhci, uint64_t address, void *to, size_t length)
{
	return pci_device_is_bus_master(&xhci->pci) &&
	       guest_memory_read(xhci->pci.device.machine->memory, address, to, length);
}

bool xhci_write(struct xhci *xhci, uint64_t address, const void *from, size_t length)
{
	return pci_device_is_bus_master(&xhci->pci) &&
	       guest_memory_write(xhci->pci.device.machine->memory, address, from, length);
}

/* Work */

void xhci_look_later(struct xhci *xhci)
{
	g_source_set_ready_time(xhci->work, 0);
}

static bool work_is_left(const struct xhci *xhci)
{
	uint32_t pending = xhci->commands_pending;

	for (unsigned i = 1; i <= XHCI_SLOTS; i++)
		pending |= xhci->pending[i];
	return pending != 0;
}

static void look_at_slot(struct xhci *xhci, unsigned slot)
{
	uint32_t pending = xhci->pending[slot];

	xhci->pending[slot] = 0;
	for (unsigned i = 1; i <= XHCI_ENDPOINTS; i++)
		if (pending >> i & 1 && xhci->slots[slot].endpoints[i])
			xhci_run_transfers(xhci->slots[slot].endpoints[i]);
}

void xhci_work(struct xhci *xhci)
{
	if (xhci->working || !xhci_is_running(xhci))
		return;
	xhci->working = true;
	if (xhci->commands_pending) {
		xhci->commands_pending = false;
		xhci_run_commands(xhci);
	}
	for (unsigned i = 1; i <= XHCI_SLOTS; i++)
		if (xhci->pending[i])
			look_at_slot(xhci, i);
	xhci->working = false;
	if (work_is_left(xhci))
		xhci_look_later(xhci);
}

void xhci_look_at(struct xhci *xhci, unsigned slot, unsigned endpoint)
{
	xhci->pending[slot] |= UINT32_C(1) << endpoint;
	xhci_work(xhci);
}

static gboolean work_ready(gpointer data)
{
	struct xhci *xhci = data;

	g_mutex_lock(&xhci->pci.device.machine->lock);
	g_source_set_ready_time(xhci->work, -1);
	xhci_work(xhci);
	xhci_update_interrupts(xhci);
	g_mutex_unlock(&xhci->pci.device.machine->lock);
	return G_SOURCE_CONTINUE;
}

static gboolean work_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs work_funcs = { .dispatch = work_dispatch };

/* Life */

void xhci_reset(struct xhci *xhci)
{
	xhci_slots_reset(xhci);
	xhci->command = xhci->status = 0;
	xhci->notifications = xhci->config = 0;
	xhci->contexts = 0;
	xhci->ring_low = 0;
	xhci->commands = (struct xhci_ring) { .dequeue = 0 };
	xhci->commands_running = xhci->commands_pending = false;
	memset(xhci->pending, 0, sizeof(xhci->pending));
	for (unsigned i = 0; i < XHCI_INTERRUPTERS; i++)
		xhci_interrupter_reset(&xhci->interrupters[i]);
	xhci_ports_reset(xhci);
	xhci_update_interrupts(xhci);
}

static bool realize(struct device *device, GError **error)
{
	struct xhci *xhci = (struct xhci *)device;

	xhci_ports_init(xhci);
	xhci->work = g_source_new(&work_funcs, sizeof(GSource));
	g_source_set_static_name(xhci->work, "xHCI");
	g_source_set_callback(xhci->work, work_ready, xhci, NULL);
	g_source_attach(xhci->work, NULL);
	usb_bus_init(&xhci->bus, device->machine, device, MAX(xhci->usb2_ports, xhci->usb3_ports),
		&xhci_host_ops);

	xhci->pci.config[CONFIG_RELEASE] = RELEASE;
	xhci->pci.next_capability = AT_MSIX;
	pci_device_add_msix_inside(&xhci->pci, BAR_REGISTERS, XHCI_MSIX_TABLE, XHCI_INTERRUPTERS);
	if (pci_device_is_express_endpoint(&xhci->pci))
		pci_device_add_express_endpoint(&xhci->pci);
	xhci->registers = (struct io_region) {
		.name = "xhci",
		.ops = &xhci_register_ops,
		.device = xhci,
		.size = XHCI_REGISTER_BYTES,
	};
	pci_device_add_bar(&xhci->pci, BAR_REGISTERS, PCI_BAR_64BIT, XHCI_REGISTER_BYTES,
		&xhci->registers, NULL);
	return true;
}

static void reset(struct device *device)
{
	xhci_reset((struct xhci *)device);
}

/* Its devices go first. */
static void unrealize(struct device *device)
{
	struct xhci *xhci = (struct xhci *)device;

	if (!xhci->work)
		return;
	xhci_slots_reset(xhci);
	usb_bus_finish(&xhci->bus);
	g_source_destroy(xhci->work);
	g_clear_pointer(&xhci->work, g_source_unref);
}

static void set_running(struct device *device, bool running)
{
	struct xhci *xhci = (struct xhci *)device;

	xhci->machine_runs = running;
	if (running)
		xhci_look_later(xhci);
}

static const struct pci_identity qemu_identity = {
	.vendor = 0x1b36,
	.device = 0x000d,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x0c0330,
	.revision = 1,
	.interrupt_pin = 1,
};

static const struct pci_identity nec_identity = {
	.vendor = 0x1033,
	.device = 0x0194,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x0c0330,
	.revision = 3,
	.interrupt_pin = 1,
};

const struct device_class qemu_xhci_class = {
	.name = "qemu-xhci",
	.description = "USB 3 host controller (xHCI)",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct xhci),
	.pci = &qemu_identity,
	.properties = xhci_properties,
	.state = xhci_state,
	.realize = realize,
	.reset = reset,
	.unrealize = unrealize,
	.set_running = set_running,
};

const struct device_class nec_xhci_class = {
	.name = "nec-usb-xhci",
	.description = "USB 3 host controller (xHCI) as NEC's",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct xhci),
	.pci = &nec_identity,
	.properties = xhci_properties,
	.state = xhci_state,
	.realize = realize,
	.reset = reset,
	.unrealize = unrealize,
	.set_running = set_running,
};
