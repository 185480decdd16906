/* What the PCI fronts of display devices have in common: video memory behind BAR 0, a monitor of a preferred size, and how
 * the head is called on the display bus.
 */
#pragma once

#include "display/edid.h"
#include "display/video-memory.h"
#include "vmm/pci/pci.h"

enum {
	VIDEO_BAR_MEMORY = 0,
	VIDEO_BAR_REGISTERS = 2,
};

struct video_front {
	uint64_t memory_size;           /* bytes, a power of two */
	bool edid;                      /* whether the guest can read what the monitor is */
	uint32_t width, height;         /* preferred, pixels */
	uint32_t max_width, max_height; /* pixels, 0: what the memory holds */
	uint32_t refresh;               /* millihertz, 0: 75000 */

	struct video_memory *memory;
	struct memory_slot *slot;
	char *label, *address;
};

/* The properties of the monitor, for a class whose struct has a struct video_front called front. */
#define VIDEO_FRONT_PROPERTIES(structure) \
	{ "xres", PROPERTY_UINT32, offsetof(structure, front.width), "1280", \
		"preferred width of the monitor, pixels", 64, 16000 }, \
		{ "yres", PROPERTY_UINT32, offsetof(structure, front.height), "800", \
			"preferred height of the monitor, pixels", 64, 12000 }, \
		{ "xmax", PROPERTY_UINT32, offsetof(structure, front.max_width), "0", \
			"largest width that the monitor offers, pixels; 0: no limit", 0, 16000 }, \
		{ "ymax", PROPERTY_UINT32, offsetof(structure, front.max_height), "0", \
			"largest height that the monitor offers, pixels; 0: no limit", 0, 12000 }, \
		{ "refresh_rate", PROPERTY_UINT32, offsetof(structure, front.refresh), "0", \
			"refresh rate of the preferred mode, millihertz; 0: 75000", 0, 1000000 }, \
	{ \
		"edid", PROPERTY_BOOL, offsetof(structure, front.edid), "on", \
			"whether the guest can read the monitor's EDID" \
	}

/* Memory, slot with its dirty log, and names; memory_size is set. False with @error. */
bool video_front_init(struct video_front *front, struct pci_device *device, GError **error);
/* Whether changes are found in the dirty log, as they are at first, or told by the device. On the main loop. */
void video_front_set_log(struct video_front *front, bool on);
/* Also after an init that failed; after the core of the device is gone. */
void video_front_finish(struct video_front *front);

/* The monitor as the properties have it. Its strings live as long as the front. */
struct edid_info video_front_edid(const struct video_front *front);

/* BAR 0 over the memory, BAR 2 over @registers. */
void video_front_add_bars(
	struct video_front *front, struct pci_device *device, struct io_region *registers);

/* 1234:1111, which stock drivers know; @class_code tells a VGA from a display without one. */
#define VIDEO_FRONT_IDENTITY(code) \
	{ \
		.vendor = 0x1234, .device = 0x1111, .subsystem_vendor = 0x1af4, \
		.subsystem = 0x1100, .class_code = code, .revision = 2, \
	}
