/* fw_cfg: how the firmware (and direct boot) learns about the machine. Ports 0x510, 0x511 and DMA at 0x514.
 *
 * Specification: QEMU's docs/specs/fw_cfg.rst (the interface is QEMU's; SeaBIOS, OVMF and Linux are written against it).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/state.h"

struct fw_cfg;
struct machine;

/* Fixed selectors, as in the specification. */
enum {
	FW_CFG_SIGNATURE = 0x00,
	FW_CFG_ID = 0x01,
	FW_CFG_UUID = 0x02,
	FW_CFG_RAM_SIZE = 0x03,
	FW_CFG_NOGRAPHIC = 0x04,
	FW_CFG_NB_CPUS = 0x05,
	FW_CFG_KERNEL_ADDR = 0x07,
	FW_CFG_KERNEL_SIZE = 0x08,
	FW_CFG_INITRD_ADDR = 0x0a,
	FW_CFG_INITRD_SIZE = 0x0b,
	FW_CFG_BOOT_MENU = 0x0e,
	FW_CFG_MAX_CPUS = 0x0f,
	FW_CFG_KERNEL_DATA = 0x11,
	FW_CFG_INITRD_DATA = 0x12,
	FW_CFG_CMDLINE_ADDR = 0x13,
	FW_CFG_CMDLINE_SIZE = 0x14,
	FW_CFG_CMDLINE_DATA = 0x15,
	FW_CFG_SETUP_ADDR = 0x16,
	FW_CFG_SETUP_SIZE = 0x17,
	FW_CFG_SETUP_DATA = 0x18,
	FW_CFG_FILE_DIR = 0x19,
	FW_CFG_IRQ0_OVERRIDE = 0x8002,
	FW_CFG_HPET = 0x8004,
};

extern const struct state_field fw_cfg_state_fields[];

/* Maps the ports; the machine's ports and memory must exist. */
struct fw_cfg *fw_cfg_new(struct machine *machine);
void fw_cfg_free(struct fw_cfg *cfg);
void fw_cfg_reset(struct fw_cfg *cfg);

/* Items take a reference of @data. */
void fw_cfg_add(struct fw_cfg *cfg, uint16_t selector, GBytes *data);
void fw_cfg_add_u16(struct fw_cfg *cfg, uint16_t selector, uint16_t value);
void fw_cfg_add_u32(struct fw_cfg *cfg, uint16_t selector, uint32_t value);

enum {
	FW_CFG_NAME_MAX = 55 /* bytes of a file's name */
};

bool fw_cfg_has_file(const struct fw_cfg *cfg, const char *name);
bool fw_cfg_takes_files(const struct fw_cfg *cfg); /* whether there is room for another one */

/* A line for each file, for people. */
void fw_cfg_list(const struct fw_cfg *cfg, GString *to);

/* A file; @name at most FW_CFG_NAME_MAX bytes and not yet taken. The order of files in the directory is by name, whatever the order of calls. */
void fw_cfg_add_file(struct fw_cfg *cfg, const char *name, GBytes *data);

/* Files that are made when the guest chooses one of them for the first time after a reset: @build is called with the lock then,
 * and calls fw_cfg_build_file() for each. For all files made by it, call it before the guest runs. */
void fw_cfg_set_builder(struct fw_cfg *cfg, void (*build)(void *owner), void *owner);
/* Takes @bytes. The file's size is a multiple of @unit, with zeroes behind the bytes, and stays what it was the first time, as
 * firmware may have noted it: then bytes that need more are not taken, and false is returned. */
bool fw_cfg_build_file(struct fw_cfg *cfg, const char *name, GByteArray *bytes, guint unit);

/* A file the guest may write by DMA; @written is called with the lock after each write. The bytes start as @data. */
void fw_cfg_add_writable_file(struct fw_cfg *cfg, const char *name, GBytes *data,
	void (*written)(void *owner, const uint8_t *bytes, size_t length), void *owner);
