/* A port that prints: what firmware writes its log to. */
#pragma once

#include "vmm/device.h"

extern const struct device_class isa_debugcon_class; /* "isa-debugcon" */
