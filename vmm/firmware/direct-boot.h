/* Starting a Linux kernel without a boot loader: what the firmware and our option ROM need for it, over fw_cfg. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct machine;

/* Adds the machine's kernel, ramdisk and command line, the ROM that loads them, which is to be
 * the first thing to boot (LINUXBOOT_FILE). Nothing when the machine has no kernel. False with @error, which names the file. */
bool direct_boot_add(struct machine *machine, GError **error);
