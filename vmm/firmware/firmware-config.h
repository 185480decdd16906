/* What the user has the firmware told and do: boot order and menu, files of fw_cfg, option ROMs, SMBIOS, NUMA nodes. Texts are
 * borrowed for the machine's life.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/firmware/numa.h"
#include "vmm/firmware/smbios.h"

struct fw_cfg_option {
	const char *name;
	const char *file, *text; /* one of them */
};

enum {
	BOOT_LETTERS_MAX = 3,   /* that CMOS memory has room for */
	BOOT_WAIT_MAX = 0xffff, /* milliseconds */
};

struct firmware_config {
	const char *boot_order,
		*boot_once; /* letters: a floppy, c disk, d CD-ROM, n network; NULL: not said */
	bool boot_menu, boot_strict;
	const char *splash; /* a picture's file or NULL */
	int splash_time; /* milliseconds that it is shown, and the menu's key waited for; -1: not said */
	int reboot_timeout; /* milliseconds after which a failed boot is tried again; -1: never */
	bool smbios_64;     /* entry point of version 3.0 */
	GArray *fw_cfg;     /* of struct fw_cfg_option */
	GPtrArray *option_roms;  /* of file names */
	GArray *smbios;          /* of struct smbios_option */
	GPtrArray *smbios_files; /* of file names */
	struct numa_config numa;
	unsigned *cpu_nodes; /* numa's */
};
