/* Where devices stand, as firmware is told in the boot order: "/pci@i0cf8/scsi@3/disk@0,0".
 *
 * The form is Open Firmware's (IEEE 1275), in the words of QEMU, which SeaBIOS and OVMF compare with what they find. Each
 * bus says its devices' own component (bus_ops.firmware_path); what follows it is the class's (device_class.boot_suffix).
 */
#pragma once

#include "vmm/device.h"

/* The whole path of a device, to be freed; NULL when a bus on the way has no such names. */
char *device_firmware_path(const struct device *device);

/* Paths of the devices that have a bootindex=, in its order; a NULL-terminated list, to be freed with g_strfreev(). With
 * the lock. */
char **machine_boot_order(struct machine *machine);
