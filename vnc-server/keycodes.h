/* Key numbers: those of Linux input, which XKB counts in, and qnum, which the display bus and RFB's QEMU extension count
 * in. */
#pragma once

#include <stdint.h>

/* The qnum (see display/display.h) of a Linux input key code, 0 when it has none. */
uint8_t keycodes_qnum_from_evdev(uint32_t code);
