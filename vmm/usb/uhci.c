/* piix3-usb-uhci and piix4-usb-uhci: the PCI function around the host controller, and its registers.
 *
 * Specification: UHCI 1.1 section 2; Intel 82371SB (PIIX3) datasheet (290550), section 2.4 (configuration).
 */
#include "vmm/usb/uhci.h"

#include "vmm/machine/machine.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"
#include "vmm/usb/piix3-uhci.h"

enum {
	BAR_REGISTERS = 4,
	CONFIG_RELEASE = 0x60, /* of USB: 1.0 */
	RELEASE = 0x10,
	CONFIG_LEGACY = 0xc0, /* 2 bytes: what firmware would trap to emulate a PS/2 keyboard */
	LEGACY_AT_RESET = 0x2000,
	LEGACY_WRITABLE = 0x20bf,
	LEGACY_CLEARED_BY_ONE = 0x8f00,
	SOF_AT_RESET = 0x40,
	SOF_MASK = 0x7f,
	FRAME_LIST_MASK = ~0xfff,
	STATUS_CLEARED_BY_ONE = 0x1f,
};

static const struct state_field uhci_state[] = {
	STATE_UINT16(struct uhci, command),
	STATE_UINT16(struct uhci, status),
	STATE_UINT16(struct uhci, interrupts),
	STATE_UINT16(struct uhci, frame),
	STATE_UINT32(struct uhci, frame_list),
	STATE_UINT8(struct uhci, sof),
	STATE_UINT16_ARRAY(struct uhci, ports, UHCI_PORTS),
	STATE_BOOL(struct uhci, completed),
	STATE_BOOL(struct uhci, was_short),
	STATE_END,
};

void uhci_update_interrupt(struct uhci *uhci)
{
	uint16_t enabled = uhci->interrupts, status = uhci->status;
	bool level = (uhci->completed && enabled & UHCI_ON_COMPLETE) ||
		     (uhci->was_short && enabled & UHCI_ON_SHORT) ||
		     (status & UHCI_ERROR && enabled & UHCI_ON_ERROR) ||
		     (status & UHCI_RESUME_DETECTED && enabled & UHCI_ON_RESUME) ||
		     status & (UHCI_SYSTEM_ERROR | UHCI_PROCESS_ERROR);

	pci_device_set_interrupt(&uhci->pci, level);
}

/* The guest's resets, of the controller or of the whole bus, and the machine's. */
static void reset_controller(struct uhci *uhci)
{
	uhci_cancel(uhci, NULL);
	uhci->command = 0;
	uhci->status = 0;
	uhci->interrupts = 0;
	uhci->frame = 0;
	uhci->frame_list = 0;
	uhci->sof = SOF_AT_RESET;
	uhci->completed = uhci->was_short = false;
	uhci_stop(uhci);
	uhci_ports_reset(uhci);
	uhci_update_interrupt(uhci);
}

static void write_command(struct uhci *uhci, uint16_t value)
{
	uint16_t old = uhci->command;

	if (value & (UHCI_RESET | UHCI_GLOBAL_RESET)) {
		reset_controller(uhci);
		uhci->command = value & UHCI_GLOBAL_RESET;
		return;
	}
	uhci->command = value & UHCI_COMMAND_STAYS;
	if (value & UHCI_RUN && !(old & UHCI_RUN))
		uhci_start(uhci);
	else if (!(value & UHCI_RUN))
		uhci_stop(uhci);
}

static void write_status(struct uhci *uhci, uint16_t value)
{
	uhci->status &= ~(value & STATUS_CLEARED_BY_ONE);
	if (value & UHCI_INTERRUPT)
		uhci->completed = uhci->was_short = false;
	uhci_update_interrupt(uhci);
}

static uint16_t read_word(struct uhci *uhci, unsigned offset)
{
	switch (offset) {
	case UHCI_COMMAND:
		return uhci->command;
	case UHCI_STATUS:
		return uhci->status;
	case UHCI_INTERRUPTS:
		return uhci->interrupts;
	case UHCI_FRAME:
		uhci_run_frames(uhci);
		return uhci->frame;
	case UHCI_FRAME_LIST:
		return uhci->frame_list;
	case UHCI_FRAME_LIST + 2:
		return uhci->frame_list >> 16;
	case UHCI_SOF:
		return uhci->sof;
	case UHCI_PORT_1:
	case UHCI_PORT_2:
		return uhci->ports[(offset - UHCI_PORT_1) / 2];
	default:
		/* Drivers count ports until what they read cannot be one: bit 7 is always set there. */
		return offset > UHCI_PORT_2 ? 0xff7f : 0;
	}
}

static void write_word(struct uhci *uhci, unsigned offset, uint16_t value)
{
	uint32_t list = uhci->frame_list;

	switch (offset) {
	case UHCI_COMMAND:
		write_command(uhci, value);
		break;
	case UHCI_STATUS:
		write_status(uhci, value);
		break;
	case UHCI_INTERRUPTS:
		uhci->interrupts = value & UHCI_INTERRUPTS_MASK;
		uhci_update_interrupt(uhci);
		break;
	case UHCI_FRAME:
		if (!(uhci->command & UHCI_RUN))
			uhci->frame = value & UHCI_FRAME_MASK;
		break;
	case UHCI_FRAME_LIST:
		uhci->frame_list = (list & 0xffff0000) | (value & FRAME_LIST_MASK & 0xffff);
		break;
	case UHCI_FRAME_LIST + 2:
		uhci->frame_list = (list & 0xffff) | (uint32_t)value << 16;
		break;
	case UHCI_SOF:
		uhci->sof = value & SOF_MASK;
		break;
	case UHCI_PORT_1:
	case UHCI_PORT_2:
		uhci_port_write(uhci, (offset - UHCI_PORT_1) / 2, value);
		break;
	}
}

/* Words; four bytes come as two of them, and of single bytes only that of the SOF register can be written. */

static uint64_t read_registers(void *opaque, uint64_t offset, unsigned size)
{
	uint16_t word = read_word(opaque, offset & ~UINT64_C(1));

	return size == 2 ? word : (word >> offset % 2 * 8 & 0xff);
}

static void write_registers(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	if (offset % 2 == 0 && (size == 2 || offset == UHCI_SOF))
		write_word(opaque, offset, value);
}

static const struct io_ops register_ops = {
	.read = read_registers,
	.write = write_registers,
	.max_access = 2,
};

/* Life */

static gboolean timer_ready(gpointer data)
{
	struct uhci *uhci = data;

	g_mutex_lock(&uhci->pci.device.machine->lock);
	g_source_set_ready_time(uhci->timer, -1);
	uhci_run_frames(uhci);
	g_mutex_unlock(&uhci->pci.device.machine->lock);
	return G_SOURCE_CONTINUE;
}

static gboolean timer_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

static bool realize(struct device *device, GError **error)
{
	struct uhci *uhci = (struct uhci *)device;
	uint8_t *config = uhci->pci.config;

	uhci->timer = g_source_new(&timer_funcs, sizeof(GSource));
	g_source_set_static_name(uhci->timer, "UHCI");
	g_source_set_callback(uhci->timer, timer_ready, uhci, NULL);
	g_source_attach(uhci->timer, NULL);
	usb_bus_init(&uhci->bus, device->machine, device, UHCI_PORTS, &uhci_host_ops);

	config[CONFIG_RELEASE] = RELEASE;
	config_set16(uhci->pci.write_mask + CONFIG_LEGACY, LEGACY_WRITABLE);
	config_set16(uhci->pci.clear_mask + CONFIG_LEGACY, LEGACY_CLEARED_BY_ONE);
	uhci->registers = (struct io_region) {
		.name = "uhci",
		.ops = &register_ops,
		.device = uhci,
		.size = UHCI_REGISTER_BYTES,
	};
	pci_device_add_bar(&uhci->pci, BAR_REGISTERS, PCI_BAR_PORTS, UHCI_REGISTER_BYTES,
		&uhci->registers, NULL);
	return true;
}

static void reset(struct device *device)
{
	struct uhci *uhci = (struct uhci *)device;

	config_set16(uhci->pci.config + CONFIG_LEGACY, LEGACY_AT_RESET);
	reset_controller(uhci);
}

/* Its devices go first. */
static void unrealize(struct device *device)
{
	struct uhci *uhci = (struct uhci *)device;

	if (!uhci->timer)
		return;
	uhci_cancel(uhci, NULL);
	usb_bus_finish(&uhci->bus);
	g_source_destroy(uhci->timer);
	g_clear_pointer(&uhci->timer, g_source_unref);
}

static void set_running(struct device *device, bool running)
{
	struct uhci *uhci = (struct uhci *)device;

	uhci->machine_runs = running;
	if (!running)
		uhci_stop(uhci);
	else if (uhci->command & UHCI_RUN)
		uhci_start(uhci);
}

#define UHCI_IDENTITY(number) \
	{ \
		.vendor = 0x8086, .device = number, .subsystem_vendor = 0x1af4, \
		.subsystem = 0x1100, .class_code = 0x0c0300, .revision = 1, .interrupt_pin = 4 \
	}

static const struct pci_identity piix3_identity = UHCI_IDENTITY(0x7020);
static const struct pci_identity piix4_identity = UHCI_IDENTITY(0x7112);

#define UHCI_CLASS(class_name, text, class_identity) \
	{ \
		.name = class_name, .description = text, .bus = BUS_PCI, .user_creatable = true, \
		.size = sizeof(struct uhci), .pci = &class_identity, .state = uhci_state, \
		.realize = realize, .reset = reset, .unrealize = unrealize, \
		.set_running = set_running \
	}

const struct device_class piix3_uhci_class =
	UHCI_CLASS("piix3-usb-uhci", "USB 1.1 host controller (UHCI) of the PIIX3", piix3_identity);
const struct device_class piix4_uhci_class =
	UHCI_CLASS("piix4-usb-uhci", "USB 1.1 host controller (UHCI) of the PIIX4", piix4_identity);
