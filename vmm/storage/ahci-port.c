/* One port of the AHCI controller: its registers and the link to its drive. Specification: AHCI 1.3.1 sections 3.3 and 10. */
#include "vmm/storage/ahci.h"

#include <string.h>

#include "vmm/machine/machine.h"

enum port_register {
	CLB = 0x00,
	CLBU = 0x04,
	FB = 0x08,
	FBU = 0x0c,
	IS = 0x10,
	IE = 0x14,
	CMD = 0x18,
	TFD = 0x20,
	SIG = 0x24,
	SSTS = 0x28,
	SCTL = 0x2c,
	SERR = 0x30,
	SACT = 0x34,
	CI = 0x38,
};

enum {
	LIST_ALIGN = 1024,
	RECEIVED_ALIGN = 256,

	COMMAND_WRITABLE = AHCI_START | AHCI_RECEIVE | AHCI_ATAPI,
	COMMAND_ALWAYS = AHCI_SPIN_UP | AHCI_POWER_ON,

	LINK_UP = 0x113,    /* a device is there, 1.5 Gb/s, active */
	LINK_OFFLINE = 0x4, /* as the guest wants it */
	DETECTION = 0xf,    /* of SCTL */
	DETECTION_RESET = 1,
	DETECTION_OFFLINE = 4,
	ERROR_PHY_READY = 1 << 16, /* SERR.DIAG.N */
	ERROR_EXCHANGED = 1 << 26, /* SERR.DIAG.X */

	NO_DEVICE = 0x7f, /* status */
	SIGNATURE_DISK = 0x00000101,
};

#define EVENTS_KNOWN     UINT32_C(0xfdc000ff)
#define EVENTS_CLEARED   UINT32_C(0xfd8000af) /* by writing ones; the others follow SERR */
#define SIGNATURE_PACKET UINT32_C(0xeb140101)
#define SIGNATURE_NONE   UINT32_C(0xffffffff)

struct ata_drive *ahci_port_drive(const struct ahci_port *port)
{
	return port->bus.drives[0];
}

void ahci_port_tell(struct ahci_port *port, uint32_t events)
{
	port->events |= events;
	ahci_update_interrupt(port->ahci);
}

static void tell_link(struct ahci_port *port, uint32_t errors)
{
	port->link_errors |= errors;
	port->events &= ~(AHCI_EVENT_CONNECT | AHCI_EVENT_PHY_READY);
	if (port->link_errors & ERROR_EXCHANGED)
		port->events |= AHCI_EVENT_CONNECT;
	if (port->link_errors & ERROR_PHY_READY)
		port->events |= AHCI_EVENT_PHY_READY;
	ahci_update_interrupt(port->ahci);
}

/* Link */

void ahci_port_greet(struct ahci_port *port)
{
	const struct ata_drive *drive = ahci_port_drive(port);

	if (!drive)
		return;
	port->taskfile.device = 0;
	ata_set_signature(drive, &port->taskfile);
	port->signature = drive->is_cdrom ? SIGNATURE_PACKET : SIGNATURE_DISK;
	port->greeting = !ahci_receive_registers(port, false);
}

static void connect(struct ahci_port *port)
{
	port->link_up = ahci_port_drive(port) != NULL;
	if (!port->link_up)
		return;
	ata_reset(ahci_port_drive(port));
	ahci_port_greet(port);
}

static void disconnect(struct ahci_port *port)
{
	ahci_port_abandon(port);
	port->link_up = false;
	port->greeting = false;
	port->soft_reset = false;
	port->signature = SIGNATURE_NONE;
	port->taskfile = (struct ata_taskfile) { .status = NO_DEVICE };
}

static void write_link_control(struct ahci_port *port, uint32_t value)
{
	unsigned before = port->link_control & DETECTION, after = value & DETECTION;

	port->link_control = value & 0xfff;
	if (before == after)
		return;
	if (after == DETECTION_RESET || after == DETECTION_OFFLINE) {
		disconnect(port);
	} else if (after == 0) {
		connect(port);
		if (port->link_up)
			tell_link(port, ERROR_EXCHANGED | ERROR_PHY_READY);
	}
}

static uint32_t link_status(const struct ahci_port *port)
{
	if ((port->link_control & DETECTION) == DETECTION_OFFLINE)
		return LINK_OFFLINE;
	return port->link_up ? LINK_UP : 0;
}

static void plugged(struct ide_bus *bus, struct ata_drive *drive)
{
	struct ahci_port *port =
		(struct ahci_port *)((char *)bus - offsetof(struct ahci_port, bus));

	if (port->link_control & DETECTION)
		return;
	connect(port);
	tell_link(port, ERROR_EXCHANGED | ERROR_PHY_READY);
}

static void unplugged(struct ide_bus *bus, struct ata_drive *drive)
{
	struct ahci_port *port =
		(struct ahci_port *)((char *)bus - offsetof(struct ahci_port, bus));

	disconnect(port);
	tell_link(port, ERROR_PHY_READY);
}

static const struct ide_bus_ops bus_ops = {
	.plugged = plugged,
	.unplugged = unplugged,
};

/* Registers */

static void write_command(struct ahci_port *port, uint32_t value)
{
	bool stops = port->command & AHCI_START && !(value & AHCI_START);

	port->command = (port->command & ~(COMMAND_WRITABLE)) | (value & COMMAND_WRITABLE);
	port->command &= ~(AHCI_RUNNING | AHCI_RECEIVING);
	if (port->command & AHCI_RECEIVE)
		port->command |= AHCI_RECEIVING;
	if (port->command & AHCI_START)
		port->command |= AHCI_RUNNING;
	if (stops) {
		ahci_port_cancel(port);
		port->active = 0;
		port->issued = 0;
		port->halted = false;
		port->next = 0;
	}
	if (value & AHCI_OVERRIDE)
		port->taskfile.status &= ~(ATA_BUSY | ATA_DATA_REQUEST);
	if (port->greeting && port->command & AHCI_RECEIVE)
		port->greeting = !ahci_receive_registers(port, false);
	ahci_port_run(port);
}

uint32_t ahci_port_read(const struct ahci_port *port, unsigned offset)
{
	switch (offset) {
	case CLB:
		return port->list;
	case CLBU:
		return port->list >> 32;
	case FB:
		return port->received;
	case FBU:
		return port->received >> 32;
	case IS:
		return port->events;
	case IE:
		return port->enabled;
	case CMD:
		return port->command | COMMAND_ALWAYS;
	case TFD:
		return port->taskfile.error << 8 | port->taskfile.status;
	case SIG:
		return port->signature;
	case SSTS:
		return link_status(port);
	case SCTL:
		return port->link_control;
	case SERR:
		return port->link_errors;
	case SACT:
		return port->active;
	case CI:
		return port->issued;
	default:
		return 0;
	}
}

static void set_half(uint64_t *address, bool high, uint32_t value)
{
	*address = high ? (*address & UINT32_MAX) | (uint64_t)value << 32
			: (*address & ~(uint64_t)UINT32_MAX) | value;
}

void ahci_port_write(struct ahci_port *port, unsigned offset, uint32_t value)
{
	switch (offset) {
	case CLB:
		set_half(&port->list, false, value & ~(LIST_ALIGN - 1));
		break;
	case CLBU:
		set_half(&port->list, true, value);
		break;
	case FB:
		set_half(&port->received, false, value & ~(RECEIVED_ALIGN - 1));
		break;
	case FBU:
		set_half(&port->received, true, value);
		break;
	case IS:
		port->events &= ~(value & EVENTS_CLEARED);
		ahci_update_interrupt(port->ahci);
		break;
	case IE:
		port->enabled = value & EVENTS_KNOWN;
		ahci_update_interrupt(port->ahci);
		break;
	case CMD:
		write_command(port, value);
		break;
	case SCTL:
		write_link_control(port, value);
		break;
	case SERR:
		port->link_errors &= ~value;
		tell_link(port, 0);
		break;
	case SACT:
		if (port->command & AHCI_START)
			port->active |= value;
		break;
	case CI:
		if (port->command & AHCI_START)
			port->issued |= value;
		ahci_port_run(port);
		break;
	}
}

/* Life */

void ahci_port_init(struct ahci *ahci, unsigned number)
{
	struct ahci_port *port = &ahci->ports[number];

	port->ahci = ahci;
	port->number = number;
	for (unsigned i = 0; i < AHCI_SLOTS; i++) {
		port->slots[i].port = port;
		port->slots[i].number = i;
	}
	ide_bus_init(&port->bus, number, &ahci->pci.device, 1, true, &bus_ops);
}

void ahci_port_finish(struct ahci_port *port)
{
	ide_bus_finish(&port->bus);
}

void ahci_port_reset(struct ahci_port *port)
{
	disconnect(port);
	port->list = 0;
	port->received = 0;
	port->events = 0;
	port->enabled = 0;
	port->command = 0;
	port->link_control = 0;
	port->link_errors = 0;
	port->active = 0;
	port->issued = 0;
	port->halted = false;
	port->next = 0;
	connect(port);
}
