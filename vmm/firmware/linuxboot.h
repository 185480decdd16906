/* The option ROM that starts a Linux kernel, as it lies in the program (linuxboot.S). Its size and checksum are not filled
 * in. */
#pragma once

#include <stdint.h>

#define LINUXBOOT_FILE "genroms/linuxboot.rom"

extern const uint8_t linuxboot_rom[];
extern const uint32_t linuxboot_rom_size; /* bytes */
