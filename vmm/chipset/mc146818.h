/* Real-time clock and CMOS memory: ports 0x70 and 0x71, IRQ 8. */
#pragma once

#include "vmm/device.h"

extern const struct device_class mc146818_class; /* "mc146818rtc" */

/**
 * rtc_set_memory - what firmware reads about the machine from CMOS memory
 * @rtc: of class mc146818_class
 * @low: RAM below 4 GiB, bytes
 * @high: RAM from 4 GiB on, bytes
 * @cpus: processors
 *
 * Call it before the first reset; resets keep it.
 */
void rtc_set_memory(struct device *rtc, uint64_t low, uint64_t high, unsigned cpus);

/* What firmware finds as the reason of the last reset: the end of a sleep (S3), or nothing in particular. */
void rtc_set_asleep(struct device *rtc, bool asleep);

/* After machine->legacy_replaced has changed: the clock drives its line, or no longer. */
void rtc_update_line(struct device *rtc);

/* The order in which firmware boots, where nothing else says it: up to three of a (floppy), c (disk), d (CD-ROM), n (network);
 * after rtc_set_memory(). Resets keep it. */
void rtc_set_boot_order(struct device *rtc, const char *letters);
