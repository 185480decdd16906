/* ICH9 AHCI: the SATA controller of q35, and how its parts see each other. Specification: AHCI 1.3.1; Serial ATA 3.0 section
 * 10.3 (frame information structures).
 */
#pragma once

#include "vmm/pci/pci.h"
#include "vmm/storage/ata.h"

enum {
	AHCI_PORTS = 6,
	AHCI_SLOTS = 32,
	AHCI_FIS_BYTES = 64,
};

/* Bits of PxIS and PxIE. */
enum ahci_event {
	AHCI_EVENT_REGISTERS = 1 << 0, /* a register FIS came with the I bit */
	AHCI_EVENT_PIO_SETUP = 1 << 1,
	AHCI_EVENT_DEVICE_BITS = 1 << 3,
	AHCI_EVENT_CONNECT = 1 << 6,    /* follows SERR.DIAG.X */
	AHCI_EVENT_PHY_READY = 1 << 22, /* follows SERR.DIAG.N */
	AHCI_EVENT_HOST_BUS = 1 << 29,
	AHCI_EVENT_TASK_FILE = 1 << 30,
};

enum ahci_port_command {
	AHCI_START = 1 << 0,
	AHCI_SPIN_UP = 1 << 1,
	AHCI_POWER_ON = 1 << 2,
	AHCI_OVERRIDE = 1 << 3,
	AHCI_RECEIVE = 1 << 4,
	AHCI_CURRENT_SHIFT = 8,
	AHCI_RECEIVING = 1 << 14,
	AHCI_RUNNING = 1 << 15,
	AHCI_ATAPI = 1 << 24,
};

struct ahci;
struct ahci_port;

struct ahci_slot {
	struct ata_command command; /* first */
	struct ahci_port *port;
	unsigned number;
	bool issued; /* the drive has it */
	uint64_t table;
	uint16_t regions; /* entries of the table */
	struct iovec *pieces;
};

struct ahci_port {
	struct ahci *ahci;
	unsigned number;
	struct ide_bus bus;

	uint64_t list, received;            /* guest-physical: command list, received FISes */
	uint32_t events, enabled;           /* PxIS, PxIE */
	uint32_t command;                   /* PxCMD */
	uint32_t link_control, link_errors; /* PxSCTL, PxSERR */
	uint32_t active, issued;            /* PxSACT, PxCI */
	uint32_t signature;                 /* PxSIG */
	struct ata_taskfile taskfile;       /* of the last FIS: PxTFD and more */
	bool link_up, greeting;             /* the FIS after a reset is still to be received */
	bool halted;                        /* after an error, until the guest stops the port */
	bool soft_reset;                    /* the guest holds SRST */
	unsigned next;                      /* slot to look at first */
	struct ahci_slot slots[AHCI_SLOTS];
};

struct ahci {
	struct pci_device pci;
	struct io_region registers, index_data;
	uint32_t control; /* GHC */
	uint32_t index;
	struct ahci_port ports[AHCI_PORTS];
	unsigned port_count; /* that have been initialised */
};

extern const struct device_class ich9_ahci_class;

/* Registers of one port; @offset below 0x80. */
uint32_t ahci_port_read(const struct ahci_port *port, unsigned offset);
void ahci_port_write(struct ahci_port *port, unsigned offset, uint32_t value);
void ahci_port_init(struct ahci *ahci, unsigned number);
void ahci_port_finish(struct ahci_port *port);
void ahci_port_reset(struct ahci_port *port); /* of the controller */
struct ata_drive *ahci_port_drive(const struct ahci_port *port);
/* Sets bits of PxIS and interrupts. */
void ahci_port_tell(struct ahci_port *port, uint32_t events);
/* The drive has spoken first, after a reset of the link or its own. */
void ahci_port_greet(struct ahci_port *port);

/* Commands: takes what the guest has issued, as far as the drive may have it. */
void ahci_port_run(struct ahci_port *port);
/* Ends what is under way; the guest hears nothing of it. */
void ahci_port_cancel(struct ahci_port *port);
/* The same for a reset: what the drive had is not issued any more, so that it does not begin again. */
void ahci_port_abandon(struct ahci_port *port);
/* Lays a register FIS where the guest receives it; false: it does not receive. */
bool ahci_receive_registers(struct ahci_port *port, bool interrupt);

void ahci_update_interrupt(struct ahci *ahci);
