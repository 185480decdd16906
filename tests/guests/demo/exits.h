/* Accesses that leave the guest, many in a row, for measuring what one costs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Reads the clock chip's port, the event timer's counter, or notifies an entropy device; false when it is not there. */
bool exits_port(uint32_t count);
bool exits_memory(uint32_t count);
bool exits_notify(uint32_t count);
