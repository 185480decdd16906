/* A processor's registers as lines of text, in the layout that QEMU's monitor made known. */
#pragma once

#include <stdbool.h>

/* General, segment, control and debug registers; @floating_point: x87 and SSE as well. Of a processor that does not run; to be
 * freed. */
char *vcpu_describe_registers(int vcpu_fd, bool floating_point);
