/* Devices: what one is, and what is declared about it in tables.
 *
 * A device's class names its properties, its PCI identity and its saved state. From these tables come -device,
 * -device NAME,help, the control protocol's answers and the ABI dump. A device struct starts with struct device (or with
 * struct pci_device, which does).
 *
 * Life: created with defaults, properties set, realized (may fail because of its properties or the host), reset any number
 * of times, unrealized, freed. All of it on the main loop with the machine's lock held.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/state.h"

struct machine;
struct device;
struct bus;

enum property_type {
	PROPERTY_END,
	PROPERTY_BOOL,   /* bool */
	PROPERTY_UINT8,  /* uint8_t, minimum..maximum */
	PROPERTY_UINT16, /* uint16_t */
	PROPERTY_UINT32, /* uint32_t */
	PROPERTY_UINT64, /* uint64_t */
	PROPERTY_SIZE,   /* uint64_t bytes; K, M, G, T may follow the number */
	PROPERTY_STRING, /* char *, owned by the device; NULL when not set */
	PROPERTY_CHOICE, /* uint32_t, the index of the word in choices */
	PROPERTY_INDEX,  /* int32_t, from 0 on; -1: none */
};

struct property {
	const char *name;
	enum property_type type;
	size_t offset; /* of the member in the device struct */
	const char *
		default_value; /* as it would be written on the command line; NULL for a string: not set */
	const char *description;
	/* for numbers and sizes; maximum 0: whatever the type holds. Of a string: bytes, 0: any number */
	uint64_t minimum, maximum;
	const char *const *choices; /* for PROPERTY_CHOICE, NULL-terminated */
};

enum device_bus {
	BUS_SYSTEM, /* part of the board: no bus a user could name */
	BUS_ISA,
	BUS_PCI,
	BUS_USB,
	BUS_SCSI,
	BUS_IDE,
	BUS_HDA,
	BUS_VIRTIO_SERIAL,
	BUS_KINDS,
};

/* Fixed contents of the PCI configuration header. */
struct pci_identity {
	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem;
	uint32_t class_code; /* base class, subclass, interface: 0x030000 is VGA */
	uint8_t revision;
	uint8_t interrupt_pin; /* 0 none, 1..4 INTA..INTD */
};

struct device_class {
	const char *name;
	const char *description;
	enum device_bus bus;
	bool user_creatable; /* may be named with -device */
	bool cold_plug_only; /* part of the machine from its start to its end, on whatever bus */
	size_t size;         /* of the device struct */
	const struct pci_identity *pci; /* for BUS_PCI */
	const char
		*rom_file; /* for BUS_PCI: option ROM unless romfile= names another; NULL: none */
	const char *
		boot_suffix; /* end of its firmware path, behind its bus's part: "disk@0,0"; NULL: nothing */
	const struct property *properties; /* up to PROPERTY_END, or NULL */
	const struct state_field *state;   /* up to STATE_END, or NULL */
	bool (*realize)(struct device *device, GError **error);
	void (*reset)(struct device *device);
	void (*unrealize)(
		struct device *device); /* also after a realize that failed half-way; may be NULL */
	/* The machine pauses (no request may stay in flight) or goes on; NULL: the device does nothing by itself. */
	void (*set_running)(struct device *device, bool running);
};

struct device {
	const struct device_class *class;
	struct machine *machine;
	char *id;         /* NULL when the user gave none */
	struct bus *bus;  /* NULL for BUS_SYSTEM and BUS_ISA */
	char *bus_option; /* bus=, as the user gave it; NULL: the first that has room */
	bool realized;
	bool leaving;       /* machine_remove_device() was called */
	int32_t boot_index; /* bootindex=: place in the boot order, the lowest first; -1: none */
	int64_t unplug_asked; /* when the guest was asked to give it up, g_get_monotonic_time(); 0: never */
};

/* Classes a user can name, from the table in vmm/machine/device-classes.c; NULL when there is none by that name. */
const struct device_class *device_class_find(const char *name);
const struct device_class *const *device_classes(void); /* NULL-terminated */

/* A property of the class or of its bus (addr, multifunction, romfile... for PCI), or NULL. */
const struct property *device_class_property(const struct device_class *class, const char *name);

/* Properties every device on this bus has, up to PROPERTY_END. Offsets count from the start of the device struct. */
const struct property *device_bus_properties(enum device_bus bus);

struct device *device_new(
	struct machine *machine, const struct device_class *class, const char *id);

/* Sets from text as the command line has it. The error names the device, the property, the value and what is accepted. */
bool device_set_property(
	struct device *device, const char *name, const char *value, GError **error);

/* The value as the command line would have it, to be freed by the caller. */
char *device_get_property(const struct device *device, const struct property *property);

/* Whether @value would be accepted, without a device: used while options are parsed. */
bool property_check(const struct property *property, const char *value, GError **error);

/* What is accepted, for people: "on, off, yes, no, true or false", "1 to 512", "a size such as 16M", "one of a, b". To be freed. */
char *property_accepts(const struct property *property);

/* The same for any struct that a table of properties describes: @owner is where the offsets count from. */
const struct property *property_find(const struct property *properties, const char *name);
bool property_set(void *owner, const struct property *property, const char *value, GError **error);
char *property_get(const void *owner, const struct property *property);
void properties_free_strings(void *owner, const struct property *properties);

bool device_realize(struct device *device, GError **error); /* adds it to the machine's list */
void device_reset(struct device *device);
/* Ends what the device does and takes it off its bus, once. Its memory stays: calls that its threads asked for may still be
 * under way. */
void device_unrealize(struct device *device);
/* Where clients of the control protocol find it: "/machine/peripheral/ID"; see vmm/control/qom.h. To be freed. */
char *device_path(const struct device *device);
void device_free(struct device *device); /* unrealizes it */
