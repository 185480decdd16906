/* The table of events. */
#include "vmm/control/events.h"

#include <string.h>

const struct event_kind event_kinds[] = {
	{ "SHUTDOWN", "{guest: bool, reason: ShutdownCause}" },
	{ "POWERDOWN" },
	{ "RESET", "{guest: bool, reason: ShutdownCause}" },
	{ "STOP" },
	{ "RESUME" },
	{ "SUSPEND" },
	{ "SUSPEND_DISK" },
	{ "WAKEUP" },
	{ "WATCHDOG", "{action: reset|shutdown|poweroff|pause|debug|none|inject-nmi}",
		.limit_ms = 1000 },
	{ "GUEST_PANICKED", "{action: pause|poweroff|run}" },
	{ "DEVICE_TRAY_MOVED", "{device: str, id: str, tray-open: bool}", .limit_ms = 1000,
		.key = "device" },
	{ "BLOCK_IO_ERROR",
		"{device: str, node-name?: str, operation: read|write, "
		"action: ignore|report|stop, nospace?: bool, reason: str}",
		.limit_ms = 1000, .key = "device" },
	{ "VSERPORT_CHANGE", "{id: str, open: bool}", .limit_ms = 1000, .key = "id" },
	{ "NIC_RX_FILTER_CHANGED", "{name?: str, path: str}" },
	{ "DEVICE_DELETED", "{device?: str, path: str}" },
	{ "DEVICE_UNPLUG_GUEST_ERROR", "{device?: str, path: str}" },
	{ "BALLOON_CHANGE", "{actual: int}", .limit_ms = 1000 },
	{ "RTC_CHANGE", "{offset: int, qom-path: str}", .limit_ms = 1000 },
	{ "ACPI_DEVICE_OST", "{info: {device?: str, slot: str, slot-type: DIMM|CPU, source: int, "
			     "status: int}}" },
	/* Ours: QEMU only stops the guest, with the run state "internal-error". */
	{ "X_INTERNAL_ERROR", "{reason: str, details: [str]}" },
	{},
};

const struct event_kind *event_kind_find(const char *name)
{
	for (const struct event_kind *kind = event_kinds; kind->name; kind++) {
		if (strcmp(kind->name, name) == 0)
			return kind;
	}
	return NULL;
}
