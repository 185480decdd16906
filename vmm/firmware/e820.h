/* The guest's memory map as firmware is told it. */
#pragma once

#include <glib.h>
#include <stdint.h>

/* Appends the map: @low bytes of RAM from 0, @high bytes from 4 GiB, and what KVM keeps for itself. */
void e820_build(uint64_t low, uint64_t high, GByteArray *out);
