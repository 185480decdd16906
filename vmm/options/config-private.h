/* Inside config*.c: the steps from options to a configuration. Each fills its part or returns false with the error. */
#pragma once

#include "vmm/options/config.h"

struct config_builder {
	struct config *config;
	const struct options *options;
	GHashTable *chardev_users; /* id of a chardev -> who uses it */
	GHashTable *drive_users;
	GHashTable *netdev_users;
	const char *stdio_user; /* NULL: standard input and output are free */
};

bool config_build_clock(struct config_builder *builder, GError **error);
bool config_build_lines(struct config_builder *builder, GError **error);
bool config_build_globals(struct config_builder *builder, GError **error);
bool config_build_objects(struct config_builder *builder, GError **error);
bool config_build_numa(struct config_builder *builder, GError **error);
/* Frees what the other one made. */
void config_free_firmware(struct firmware_config *firmware);
bool config_build_firmware(struct config_builder *builder, GError **error);
/* The flash chips; after the drives. */
bool config_build_flash(struct config_builder *builder, GError **error);
bool config_build_network(struct config_builder *builder, GError **error);
/* -nic: between the default display and the disks, where QEMU has its cards. */
bool config_build_cards(struct config_builder *builder, GError **error);
bool config_build_devices(struct config_builder *builder, GError **error);

/* A copy that lives as long as the configuration. */
const char *config_keep(struct config_builder *builder, const char *text);

/* -audiodev, and whether a device's audiodev= names one; many may share it. */
bool config_build_audio(struct config_builder *builder, GError **error);
bool config_use_audiodev(
	struct config_builder *builder, const char *id, const char *user, GError **error);

/* The same for a -netdev. */
bool config_use_netdev(
	struct config_builder *builder, const char *id, const char *user, GError **error);

/* A device for what another option stands for: @set is one of -device. */
bool config_add_device(
	struct config_builder *builder, const struct option_set *set, GError **error);

/* Notes that @user uses the chardev; fails when there is none by that id or somebody else does. */
bool config_use_chardev(
	struct config_builder *builder, const char *id, const char *user, GError **error);

/* What -drive, -hda and the like, and -blockdev say; then the devices that they stand for. */
bool config_build_drives(struct config_builder *builder, GError **error);
bool config_build_disks(struct config_builder *builder, bool after_devices, GError **error);
bool config_add_blockdev(
	struct config_builder *builder, const struct option_set *set, GError **error);
/* Notes that @user has the drive; fails when there is none by that id or somebody else has it. */
bool config_use_drive(
	struct config_builder *builder, const char *id, const char *user, GError **error);
/* The same for a flash chip, which takes the file of a -blockdev for itself: it is set in @flash. */
bool config_use_flash(struct config_builder *builder, const char *id, const char *user,
	struct machine_flash *flash, GError **error);

/* What -usb and -usbdevice add: the controller before other devices, which find it then; the rest behind them. */
bool config_build_usb_controller(struct config_builder *builder, GError **error);
bool config_build_usb_devices(struct config_builder *builder, GError **error);
