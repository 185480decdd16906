/* A port that ends the program: how a test inside a guest reports its result. */
#pragma once

#include "vmm/device.h"

extern const struct device_class isa_debug_exit_class; /* "isa-debug-exit" */
