/* PCI: configuration space, base address registers, interrupts.
 *
 * Specification: PCI Local Bus 3.0 (section 6: configuration, 6.8: MSI and MSI-X), PCI Express Base 5.0 (ECAM: 7.2.2).
 */
#pragma once

#include "vmm/bus.h"
#include "vmm/memory/guest-memory.h"
#include "vmm/memory/io-space.h"

enum {
	PCI_CONFIG_SIZE = 4096, /* bytes; conventional devices use the first 256 */
	PCI_BARS = 6,
	PCI_ROM_BAR = 6,
	PCI_COMPLAINTS_MAX = 8,
	PCI_SLOTS = 32,
	PCI_FUNCTIONS = 8,
};

struct pci_bus;
struct pci_device;
struct machine;

enum pci_bar_flags {
	PCI_BAR_PORTS = 1 << 0,
	PCI_BAR_64BIT = 1 << 1,
	PCI_BAR_PREFETCHABLE = 1 << 2,
};

struct pci_bar {
	unsigned flags;
	uint64_t size;            /* bytes, a power of two; 0: no such BAR */
	struct io_region *region; /* registers ... */
	struct memory_slot *slot; /* ... or memory; both: the region lies over the memory */
	uint64_t address;         /* where it is mapped; PCI_UNMAPPED when it is not */
};

#define PCI_UNMAPPED UINT64_MAX

struct pci_msix;

struct pci_device {
	struct device device;
	struct pci_bus *bus; /* the same as device.bus */
	uint8_t slot, function;
	char *address_option; /* addr=, as the user gave it: SLOT[.FUNCTION] in hexadecimal */
	bool multifunction;   /* multifunction=: there may be other functions in its slot */
	char *rom_file;       /* romfile=, a name looked up in the firmware folders; empty: none */
	bool rom_bar;         /* rombar=: whether the ROM is there for the guest */
	struct memory_slot *rom;
	void *rom_bytes;

	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t write_mask[PCI_CONFIG_SIZE]; /* bits the guest can write */
	uint8_t clear_mask[PCI_CONFIG_SIZE]; /* bits the guest clears by writing one */
	struct pci_bar bars[PCI_BARS + 1];   /* the last one is the expansion ROM */
	uint8_t next_capability;
	struct pci_msix *msix;
	uint8_t msi_capability;     /* offset, 0: none */
	uint8_t express_capability; /* offset, 0: a conventional device, with 256 bytes */
	uint16_t last_extended;     /* offset of the last extended capability, 0: none */
	uint16_t end_extended;      /* and where it ends */
	uint16_t errors_capability; /* offset of advanced error reporting, 0: none */
	struct pci_bus *secondary;  /* the bus behind a bridge, NULL: it is none */
	bool secondary_in_reset;    /* the bridge's reset bit, as it was last seen */
	bool vga_reached;           /* VGA's ports and memory get here: on a root bus always */
	bool powered;               /* without power a function answers nothing */
	bool interrupt_level;       /* INTx as the device drives it */
	unsigned
		complaints; /* what the guest's mistakes have been logged, at most PCI_COMPLAINTS_MAX */
	bool interrupt_on_wire; /* and as the bus sees it: not while disabled */

	/* Called after the guest wrote configuration space; NULL: nothing more to do. With the lock. */
	void (*config_written)(struct pci_device *device, uint16_t offset, unsigned size);
	/* Called before the guest reads it; NULL: nothing changes by being read. With the lock. */
	void (*config_read)(struct pci_device *device, uint16_t offset, unsigned size);
	/* Called after BARs came, went or moved, by the device's own registers or by a bridge above it. With the lock. */
	void (*bars_moved)(struct pci_device *device);
	/* Called after the ports and the memory of VGA became reachable through the bridges above, or ceased to be. With the
	 * lock; see vga_reached. */
	void (*vga_changed)(struct pci_device *device);
};

/* "pci/0000/01.0", "pci/0000/02.0/00.0" behind a bridge: what the display bus calls a device's address. To be freed. */
char *pci_device_path(const struct pci_device *device);
/* For unrealize functions: takes the BARs away before what they show goes. */
void pci_device_unmap(struct pci_device *device);

/* For realize functions: declares a BAR. @region or @slot (or both) belong to the device. */
void pci_device_add_bar(struct pci_device *device, unsigned index, unsigned flags, uint64_t size,
	struct io_region *region, struct memory_slot *slot);

/* Reserves @size bytes of configuration space for a capability, writes its id and chains it. Returns its offset. */
uint8_t pci_device_add_capability(struct pci_device *device, uint8_t id, uint8_t size);

/* MSI with one vector, 64 bit addresses. */
void pci_device_add_msi(struct pci_device *device);
/* MSI-X with its table and pending bits in a BAR of their own, @bar. False with @error on host trouble. */
bool pci_device_add_msix(struct pci_device *device, unsigned bar, uint16_t vectors, GError **error);
/* MSI-X whose table lies at @offset of a BAR that has other registers too: 4 KiB there, the pending bits in their second half. The
 * device passes accesses on, with offsets from the table's start, of at most 4 bytes. */
void pci_device_add_msix_inside(
	struct pci_device *device, unsigned bar, uint32_t offset, uint16_t vectors);
uint64_t pci_device_read_msix(struct pci_device *device, uint64_t offset, unsigned size);
void pci_device_write_msix(
	struct pci_device *device, uint64_t offset, unsigned size, uint64_t value);

/* Level of INTA..INTD as the identity says; ignored while the guest has disabled it or uses MSI. With the lock. */
void pci_device_set_interrupt(struct pci_device *device, bool level);
/* Sends an MSI or MSI-X message; false when the guest has not enabled that kind (use INTx then). Any thread. */
bool pci_device_signal(struct pci_device *device, uint16_t vector);
bool pci_device_uses_messages(const struct pci_device *device);

/* Has the kernel send an MSI-X vector's message by itself when @fd, an eventfd, is written. Where it cannot, or the message may
 * not be sent at the time (masked, no bus master), @fd stays for its reader, who then calls pci_device_signal(): there is one
 * always, and it just finds nothing while the kernel is quicker. NULL: there is no such vector. Any thread. */
struct pci_vector_link;
struct pci_vector_link *pci_device_link_vector(struct pci_device *device, uint16_t vector, int fd);
void pci_device_unlink_vector(struct pci_device *device, struct pci_vector_link *link);

/* Whether the device may read and write memory (command register bit 2). */
bool pci_device_is_bus_master(const struct pci_device *device);

/* What a PCI bus does around a device's own functions: a place and the header before realize, the header and the BARs as at
 * power-on before reset, everything undone after unrealize. */
bool pci_device_attach(struct pci_device *device, struct pci_bus *bus, GError **error);
void pci_device_detach(struct pci_device *device);
void pci_device_reset(struct pci_device *device);

/* A write of the guest to configuration space, with all its consequences. */
void pci_device_config_write(
	struct pci_device *device, uint16_t offset, unsigned size, uint32_t value);

/* Power of the slot: without, the function neither answers nor writes. With the lock. */
void pci_device_set_power(struct pci_device *device, bool on);

/* Which of the board's interrupt lines a pin (0..3 for INTA..INTD) of a slot of the root bus is wired to, and setting that
 * line. */
struct pci_interrupts {
	unsigned (*line)(void *board, unsigned slot, unsigned pin);
	void (*set)(void *board, unsigned line, bool level);
	void *board;
};

enum {
	PCI_LINES = 8,
	PCI_NO_NUMA_NODE = 128,
};

/* The root bus of a board. @name is what bus= calls it: "pcie.0" (then it is an express bus), "pci.0". */
struct pci_bus *pci_bus_new(
	struct machine *machine, const char *name, const struct pci_interrupts *interrupts);
/* Another root bus, whose number stands in its expander @device on a bus of the board, and whose interrupts go through
 * there. @numa_node: PCI_NO_NUMA_NODE: none. */
struct pci_bus *pci_bus_new_root(struct pci_device *device, const char *name, bool express,
	uint8_t number, unsigned numa_node);
/* The bus behind @bridge, of @slots slots. @name NULL: the bridge's id, else "pci.N". */
struct pci_bus *pci_bus_new_behind(
	struct pci_device *bridge, const char *name, bool express, unsigned slots);
void pci_bus_free(struct pci_bus *bus);
const char *pci_bus_name(const struct pci_bus *bus);
struct machine *pci_bus_machine(const struct pci_bus *bus);
bool pci_bus_is_express(const struct pci_bus *bus);
bool pci_bus_is_root(const struct pci_bus *bus);
/* Of a root: as it was made; behind a bridge: what its registers say, 0 before they are set. */
uint8_t pci_bus_number(const struct pci_bus *bus);
unsigned pci_bus_numa_node(const struct pci_bus *bus);        /* of a root */
struct pci_device *pci_bus_bridge(const struct pci_bus *bus); /* above it; NULL for a root */

bool pci_bus_add(struct pci_bus *bus, struct pci_device *device, GError **error);
void pci_bus_remove(struct pci_bus *bus, struct pci_device *device);
void pci_bus_interrupt_changed(struct pci_bus *bus, struct pci_device *device, bool level);
struct pci_device *pci_bus_device(struct pci_bus *bus, unsigned slot, unsigned function);
/* Whether an access from the processors to this range reaches the bus through every bridge above it. */
bool pci_bus_is_reached(const struct pci_bus *bus, bool ports, uint64_t address, uint64_t size);
/* The same for what bridges pass on for VGA alone, by their VGA enable bits. */
bool pci_bus_is_reached_by_vga(const struct pci_bus *bus);
/* Whether every bridge above the bus has power. Then what devices on it write gets through: a bridge's own bus master bit,
 * which PCI-to-PCI bridges have to ask, is left out, since SeaBIOS sets it on no bridge and QEMU asks on none. */
bool pci_bus_is_powered(const struct pci_bus *bus);
/* A bridge's registers changed: the BARs behind it come and go. */
void pci_bus_windows_changed(struct pci_bus *bus);
/* Everything on the bus and behind it as at power-on (a bridge's secondary bus reset). */
void pci_bus_reset(struct pci_bus *bus);
/* False with @error when some slot has functions and no function 0: nothing in it could be found. */
bool pci_bus_check_functions(struct pci_bus *bus, GError **error);

/* The machine's root buses, in the order of their creation: NULL gives the first, the last one gives NULL. */
struct pci_bus *pci_next_root(struct machine *machine, const struct pci_bus *previous);
/* The bus that has this number now, or NULL. */
struct pci_bus *pci_find_bus(struct machine *machine, uint8_t number);

/* Configuration cycles on one bus (type 0) and by bus number (type 1). Functions that are not there read as ones. */
uint32_t pci_bus_config_read(
	struct pci_bus *bus, unsigned slot, unsigned function, uint16_t offset, unsigned size);
void pci_bus_config_write(struct pci_bus *bus, unsigned slot, unsigned function, uint16_t offset,
	unsigned size, uint32_t value);
uint32_t pci_config_read(struct machine *machine, uint8_t bus, unsigned slot, unsigned function,
	uint16_t offset, unsigned size);
void pci_config_write(struct machine *machine, uint8_t bus, unsigned slot, unsigned function,
	uint16_t offset, unsigned size, uint32_t value);

/* How a bus takes and gives up devices while the guest runs. */
struct pci_hotplug_ops {
	void (*plugged)(void *owner, struct pci_bus *bus, struct pci_device *device);
	bool (*unplug)(void *owner, struct pci_bus *bus, struct pci_device *device, GError **error);
};

/* From now on the bus takes devices while the guest runs; NULL: none any more. */
void pci_bus_set_hotplug(struct pci_bus *bus, const struct pci_hotplug_ops *ops, void *owner);
