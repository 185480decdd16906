/* Options for disks. */
#include "vmm/options/option-rows.h"

static const char *const drive_formats[] = { "raw", NULL };
static const char *const drive_interfaces[] = { "virtio", "none", "pflash", NULL };
static const char *const drive_discard[] = { "ignore", "off", "unmap", "on", NULL };
static const char *const drive_caches[] = { "writeback", "none", "unsafe", NULL };
static const char *const drive_media[] = { "disk", NULL };
static const char *const drive_aio[] = { "io_uring", NULL };

static const struct option_key drive_keys[] = {
	{ "file", OPTION_STRING, "the image: a file or a block device", .required = true },
	{ "format", OPTION_CHOICE, "how the image is laid out", .choices = drive_formats },
	{ "if", OPTION_CHOICE,
		"virtio adds the disk; none leaves that to a -device with drive=ID; pflash is a "
		"flash "
		"chip for firmware",
		.choices = drive_interfaces },
	{ "readonly", OPTION_BOOL, "the guest may not write" },
	{ "discard", OPTION_CHOICE, "whether freed blocks are given back to the host",
		.choices = drive_discard },
	{ "cache", OPTION_CHOICE,
		"writeback; none goes past the host's cache; unsafe ignores flushes",
		.choices = drive_caches },
	{ "aio", OPTION_CHOICE, "how the image is read and written", .choices = drive_aio },
	{ "media", OPTION_CHOICE, "what kind of medium", .choices = drive_media },
	{ "unit", OPTION_NUMBER, "pflash: 0 for the firmware, 1 for its variables", .maximum = 7 },
	{},
};

const struct option_spec option_rows_storage[] = {
	{ "drive", .group = "drive", .implied = NULL, .many = true, .has_id = true,
		.keys = drive_keys,
		.argument =
			"file=FILE[,format=raw][,if=virtio|none|pflash][,id=ID][,readonly=on]...",
		.description = "disk", .section = "Disks and devices" },
	{},
};
