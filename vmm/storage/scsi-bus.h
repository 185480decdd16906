/* A SCSI bus and the devices on it: scsi-hd and scsi-cd. A host bus adapter embeds the bus and carries the commands. */
#pragma once

#include "vmm/bus.h"
#include "vmm/storage/scsi.h"

struct scsi_bus;
struct scsi_device;

struct scsi_bus_limits {
	unsigned targets, luns; /* how many: ids from 0 */
};

/* What the adapter wants to hear; all with the lock, NULL: nothing. */
struct scsi_bus_ops {
	void (*attention)(
		struct scsi_bus *bus, struct scsi_device *device, struct scsi_sense sense);
	void (*plugged)(
		struct scsi_bus *bus, struct scsi_device *device); /* while the machine runs */
	/* The device goes: what is under way for it has to end first. */
	void (*unplugged)(struct scsi_bus *bus, struct scsi_device *device);
};

struct scsi_bus {
	struct bus bus;
	struct scsi_bus_limits limits;
	const struct scsi_bus_ops *ops;
	void *adapter;
};

struct scsi_device {
	struct device device;
	char *drive_id, *serial, *device_id, *vendor, *product, *revision;
	char *target_option; /* scsi-id=, NULL: the first that is free */
	uint32_t channel, lun_option;
	uint64_t wwn;
	uint16_t rotation_rate;
	bool removable;

	struct scsi_bus *bus;
	unsigned target, unit;
	struct disk disk;
	struct scsi_lun lun;
	bool has_lun;
};

void scsi_bus_init(struct scsi_bus *bus, const char *name, struct device *adapter,
	const struct scsi_bus_limits *limits, const struct scsi_bus_ops *ops);
void scsi_bus_finish(struct scsi_bus *bus);

/* NULL: there is none. */
struct scsi_device *scsi_bus_device(struct scsi_bus *bus, unsigned target, unsigned lun);
/* The logical units of a target, ascending, 0 always among them; at most @max. Returns how many; 0: there is no such target. */
unsigned scsi_bus_list(struct scsi_bus *bus, unsigned target, uint16_t *luns, unsigned max);

extern const struct device_class scsi_hd_class, scsi_cd_class, scsi_block_class, scsi_generic_class;
