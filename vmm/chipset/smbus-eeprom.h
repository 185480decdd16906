/* Memory of 256 bytes on the SMBus: where a memory module's description (SPD) would be. */
#pragma once

#include "vmm/device.h"

extern const struct device_class smbus_eeprom_class; /* "smbus-eeprom" */
