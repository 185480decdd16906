/* UHCI, a USB 1.1 host controller: what its parts share. Specification: Universal Host Controller Interface Design Guide 1.1.
 *
 * The parts: uhci.c (the PCI device and its registers), uhci-ports.c, uhci-schedule.c (frames and what is in them). All with the
 * machine's lock.
 *
 * A guest puts work into its schedule without saying so, so frames are run as time goes by: one each millisecond while there is
 * something to do, some at once after a while of nothing, none while the controller is stopped.
 */
#pragma once

#include "vmm/pci/pci.h"
#include "vmm/usb/usb-tokens.h"

enum uhci_register {
	UHCI_COMMAND = 0x00,    /* 2 bytes */
	UHCI_STATUS = 0x02,     /* 2 */
	UHCI_INTERRUPTS = 0x04, /* 2 */
	UHCI_FRAME = 0x06,      /* 2 */
	UHCI_FRAME_LIST = 0x08, /* 4 */
	UHCI_SOF = 0x0c,        /* 1 */
	UHCI_PORT_1 = 0x10,     /* 2 */
	UHCI_PORT_2 = 0x12,     /* 2 */
	UHCI_REGISTER_BYTES = 0x20,
	UHCI_PORTS = 2,
};

enum uhci_command {
	UHCI_RUN = 1 << 0,
	UHCI_RESET = 1 << 1,
	UHCI_GLOBAL_RESET = 1 << 2,
	UHCI_SUSPEND = 1 << 3, /* enter global suspend */
	UHCI_RESUME = 1 << 4,  /* force global resume */
	UHCI_COMMAND_STAYS = 0xfd,
};

enum uhci_status {
	UHCI_INTERRUPT = 1 << 0,
	UHCI_ERROR = 1 << 1,
	UHCI_RESUME_DETECTED = 1 << 2,
	UHCI_SYSTEM_ERROR = 1 << 3,
	UHCI_PROCESS_ERROR = 1 << 4,
	UHCI_HALTED = 1 << 5,
};

enum uhci_interrupts {
	UHCI_ON_ERROR = 1 << 0,
	UHCI_ON_RESUME = 1 << 1,
	UHCI_ON_COMPLETE = 1 << 2,
	UHCI_ON_SHORT = 1 << 3,
	UHCI_INTERRUPTS_MASK = 0x0f,
};

enum uhci_port_bits {
	UHCI_PORT_CONNECTED = 1 << 0,
	UHCI_PORT_CONNECT_CHANGE = 1 << 1,
	UHCI_PORT_ENABLED = 1 << 2,
	UHCI_PORT_ENABLE_CHANGE = 1 << 3,
	UHCI_PORT_RESUME = 1 << 6,
	UHCI_PORT_ALWAYS = 1 << 7,
	UHCI_PORT_LOW_SPEED = 1 << 8,
	UHCI_PORT_RESET = 1 << 9,
	UHCI_PORT_SUSPENDED = 1 << 12,
	UHCI_PORT_CHANGES = UHCI_PORT_CONNECT_CHANGE | UHCI_PORT_ENABLE_CHANGE,
	UHCI_PORT_WRITABLE =
		UHCI_PORT_ENABLED | UHCI_PORT_RESUME | UHCI_PORT_RESET | UHCI_PORT_SUSPENDED,
};

enum {
	UHCI_FRAMES = 1024,
	UHCI_FRAME_MASK = 0x7ff,
	UHCI_FRAME_TIME = 1000,  /* microseconds */
	UHCI_FRAME_BYTES = 1280, /* of data, what a frame has time for */
	UHCI_STEPS = 256,        /* queues and transfers that are looked at in a frame */
	UHCI_AT_ONCE = 16,       /* frames; when more are late the clock is set back */
	/* Frames without work until they are run UHCI_BATCH at once; devices are polled every 8. */
	UHCI_QUIET = 10,
	UHCI_BATCH = 8,
	UHCI_BATCH_ALONE = 16, /* when no port has a device that could answer */
	UHCI_UNDER_WAY = 16,   /* transactions that devices take their time for */
	UHCI_FORGOTTEN =
		64, /* frames after which one that is not in the schedule any more is cancelled */
};

/* One that a device takes its time for. */
struct uhci_transaction {
	struct uhci *uhci;
	uint32_t descriptor; /* where the guest has it */
	uint32_t token, buffer;
	bool used, done;
	unsigned age; /* frames since it was seen in the schedule */
	struct usb_device *device;
	struct usb_packet packet;
	struct iovec piece;
	uint8_t bytes[UHCI_FRAME_BYTES];
};

struct uhci {
	struct pci_device pci;
	struct usb_bus bus;
	struct io_region registers;

	uint16_t command, status, interrupts, frame;
	uint32_t frame_list;
	uint8_t sof;
	uint16_t ports[UHCI_PORTS];
	bool completed, was_short; /* why there is UHCI_INTERRUPT */

	bool machine_runs;
	GSource *timer;
	int64_t next_frame; /* microseconds */
	unsigned quiet;     /* frames */
	struct uhci_transaction transactions[UHCI_UNDER_WAY];
};

/* uhci.c */
void uhci_update_interrupt(struct uhci *uhci);

/* uhci-ports.c */
extern const struct usb_host_ops uhci_host_ops;
void uhci_ports_reset(struct uhci *uhci);
void uhci_port_write(struct uhci *uhci, unsigned port, uint16_t value);
/* What answers to an address now, or NULL. */
struct usb_device *uhci_find_device(struct uhci *uhci, uint8_t address);
bool uhci_has_devices(const struct uhci *uhci);

/* uhci-schedule.c */
/* Runs the frames whose time has come, and sets the timer for the next ones. */
void uhci_run_frames(struct uhci *uhci);
/* From now on, or not any more. */
void uhci_start(struct uhci *uhci);
void uhci_stop(struct uhci *uhci);
/* Something happened: frames one by one again. */
void uhci_wake(struct uhci *uhci);
/* Gives up what a device (NULL: any) has under way. */
void uhci_cancel(struct uhci *uhci, const struct usb_device *device);
