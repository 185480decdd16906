/* A bus: where devices sit, and what giving one a place, resetting it and taking it away means there.
 *
 * A bus is part of the board or of a device (a bridge, a host controller), embedded in that one's struct. All of it on the
 * main loop with the machine's lock held.
 */
#pragma once

#include "vmm/device.h"

struct bus;

struct bus_ops {
	/* Gives the device its place, before its own realize. The error names the place and what is wrong with it. */
	bool (*attach)(struct bus *bus, struct device *device, GError **error);
	void (*detach)(struct bus *bus, struct device *device); /* after its unrealize */
	void (*reset)(
		struct bus *bus, struct device *device); /* before its own reset; may be NULL */
	bool (*is_full)(struct bus
			*bus); /* NULL: never; a full bus is not chosen for a device without bus= */
	/* The device was added to a machine that has been started: tells the guest. NULL: the bus takes no device then. */
	void (*plugged)(struct bus *bus, struct device *device);
	/* Asks the guest to give the device up; machine_remove_device() when it has. NULL: it is removed at once. */
	bool (*unplug)(struct bus *bus, struct device *device, GError **error);
	/* The device's component of a firmware path ("scsi@3"), to be freed; NULL: there is none. See vmm/firmware-path.h. */
	char *(*firmware_path)(struct bus *bus, const struct device *device);
	/* What stands before it on a bus that begins such a path ("/pci@i0cf8"), to be freed; NULL: the path of the device that
	 * the bus is part of. */
	char *(*firmware_root)(struct bus *bus);
	/* Place of the device for people ("unit 1"), in one line or several, to be freed; NULL: none. */
	char *(*place)(struct bus *bus, const struct device *device);
};

struct bus {
	enum device_bus kind;
	char *name; /* what bus= calls it: "pcie.0", "scsi0.0" */
	struct machine *machine;
	struct device *parent; /* NULL: part of the board */
	const struct bus_ops *ops;
	GPtrArray *children; /* of struct device, in the order of their attachment */
};

/**
 * bus_init - a new bus, which the machine lists from now on
 * @name: copied; unique, or it cannot be named by users
 */
void bus_init(struct bus *bus, enum device_bus kind, const char *name, struct machine *machine,
	struct device *parent, const struct bus_ops *ops);
/* Once it has no children left. */
void bus_finish(struct bus *bus);

/* "ID.INDEX" of a device with an id, else "KIND.N" with the first N that is free. To be freed. */
char *bus_make_name(const struct device *parent, const char *kind, unsigned index);

/* By name, or the first of a kind that is not full; NULL with @error, which lists what there is. */
struct bus *machine_bus(struct machine *machine, const char *name);
struct bus *bus_choose(
	struct machine *machine, enum device_bus kind, const char *name, GError **error);

/* What a kind of bus is called in errors: "PCI", "USB". */
const char *bus_kind_name(enum device_bus kind);
