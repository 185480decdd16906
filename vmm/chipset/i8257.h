/* DMA controller of an ISA bus: one of the two, with its page registers. */
#pragma once

#include "vmm/device.h"

extern const struct device_class i8257_class; /* "i8257" */
