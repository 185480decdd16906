/* Options for disks. */
#include "vmm/options/option-rows.h"

enum {
	INDEX_MAX = 255,
};

static const char *const drive_formats[] = { "raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc",
	"vhdx", "luks", "parallels", "bochs", "dmg", "cloop", NULL };
static const char *const drive_interfaces[] = { "none", "virtio", "ide", "scsi", "pflash", NULL };
static const char *const drive_discard[] = { "ignore", "off", "unmap", "on", NULL };
static const char *const drive_zeroes[] = { "off", "on", "unmap", NULL };
static const char *const drive_caches[] = { "writeback", "none", "writethrough", "directsync",
	"unsafe", NULL };
static const char *const drive_media[] = { "disk", "cdrom", NULL };
static const char *const drive_aio[] = { "io_uring", "threads", "native", NULL };
static const char *const read_errors[] = { "report", "ignore", "stop", NULL };
static const char *const write_errors[] = { "enospc", "report", "ignore", "stop", NULL };
static const char *const blockdev_drivers[] = { "file", "host_device", "nbd", "raw", "qcow2",
	"qcow", "qed", "vmdk", "vdi", "vpc", "vhdx", "luks", "parallels", "bochs", "dmg", "cloop",
	NULL };
static const char *const nothing_to_do[] = { "off", "no", "false", NULL };

static const struct option_key drive_keys[] = {
	{ "file", OPTION_STRING,
		"the image: a file, a block device, or nbd://, nbd+unix://, http(s)://, ftp(s)://, "
		"ssh://; a CD-ROM drive may be empty" },
	{ "format", OPTION_CHOICE,
		"how the image is laid out; without it, by what the image looks like",
		.choices = drive_formats },
	{ "if", OPTION_CHOICE,
		"where the disk is; none leaves that to a -device with drive=ID, pflash is a flash "
		"chip of the firmware",
		.choices = drive_interfaces },
	{ "index", OPTION_NUMBER, "its number among those of its interface", .maximum = INDEX_MAX },
	{ "bus", OPTION_NUMBER, "the channel, with unit=", .maximum = INDEX_MAX },
	{ "unit", OPTION_NUMBER,
		"the place on the channel; pflash: 0 for the firmware, 1 for its variables",
		.maximum = INDEX_MAX },
	{ "media", OPTION_CHOICE, "what kind of medium", .choices = drive_media },
	{ "readonly", OPTION_BOOL, "the guest may not write" },
	{ "snapshot", OPTION_BOOL, "what the guest writes is gone after it has ended" },
	{ "cache", OPTION_CHOICE,
		"writeback; none goes past the host's cache; writethrough and directsync have "
		"every write on the disk; unsafe ignores flushes",
		.choices = drive_caches },
	{ "aio", OPTION_CHOICE, "accepted; the fastest way there is is taken",
		.choices = drive_aio },
	{ "discard", OPTION_CHOICE, "whether freed blocks are given back to the host",
		.choices = drive_discard },
	{ "detect-zeroes", OPTION_CHOICE, "whether written zeroes are stored as holes",
		.choices = drive_zeroes },
	{ "rerror", OPTION_CHOICE, "what is done when reading fails", .choices = read_errors },
	{ "werror", OPTION_CHOICE, "what is done when writing fails", .choices = write_errors },
	{ "copy-on-read", OPTION_CHOICE, "has to be off", .choices = nothing_to_do },
	{},
};

static const struct option_key image_keys[] = {
	{ "file", OPTION_STRING, "the image", .required = true },
	{},
};

static const struct option_key blockdev_keys[] = {
	{ "driver", OPTION_CHOICE, "a format, or where the bytes are: file, host_device, nbd",
		.required = true, .choices = blockdev_drivers },
	{ "node-name", OPTION_STRING, "what drive= of a device, or file= of a format, calls it",
		.required = true },
	{ "file", OPTION_STRING, "formats: the node-name of where the bytes are" },
	{ "filename", OPTION_STRING, "file and host_device: the path" },
	{ "read-only", OPTION_BOOL, "the guest may not write" },
	{ "auto-read-only", OPTION_BOOL, "accepted" },
	{ "force-share", OPTION_CHOICE, "has to be off", .choices = nothing_to_do },
	{ "discard", OPTION_CHOICE, "whether freed blocks are given back to the host",
		.choices = drive_discard },
	{ "detect-zeroes", OPTION_CHOICE, "whether written zeroes are stored as holes",
		.choices = drive_zeroes },
	{ "aio", OPTION_CHOICE, "accepted; the fastest way there is is taken",
		.choices = drive_aio },
	{ "locking", OPTION_STRING, "on or auto: images are locked in any case" },
	{ "cache.direct", OPTION_BOOL, "goes past the host's cache" },
	{ "cache.no-flush", OPTION_BOOL, "ignores flushes" },
	{ "export", OPTION_STRING, "nbd: the name of the export", .may_be_empty = true },
	{ "server.type", OPTION_STRING, "nbd: unix or inet" },
	{ "server.path", OPTION_STRING, "nbd, unix: the socket" },
	{ "server.host", OPTION_STRING, "nbd, inet: the host" },
	{ "server.port", OPTION_STRING, "nbd, inet: the port" },
	{ "file.driver", OPTION_STRING, "formats: as driver, of a node without a name" },
	{ "file.filename", OPTION_STRING, "as filename" },
	{ "file.aio", OPTION_STRING, "accepted" },
	{ "file.locking", OPTION_STRING, "as locking" },
	{ "file.export", OPTION_STRING, "as export", .may_be_empty = true },
	{ "file.server.type", OPTION_STRING, "as server.type" },
	{ "file.server.path", OPTION_STRING, "as server.path" },
	{ "file.server.host", OPTION_STRING, "as server.host" },
	{ "file.server.port", OPTION_STRING, "as server.port" },
	{ "file.cache.direct", OPTION_BOOL, "as cache.direct" },
	{ "file.cache.no-flush", OPTION_BOOL, "as cache.no-flush" },
	{ "file.read-only", OPTION_BOOL, "accepted" },
	{ "file.auto-read-only", OPTION_BOOL, "accepted" },
	{ "file.discard", OPTION_STRING, "accepted" },
	{},
};

const struct option_spec option_rows_storage[] = {
	{ "drive", .group = "drive", .implied = NULL, .many = true, .has_id = true,
		.keys = drive_keys,
		.argument = "file=FILE[,format=FORMAT][,if=none|virtio|ide|scsi|pflash][,id=ID]...",
		.description = "disk or CD-ROM", .section = "Disks and devices" },
	{ "blockdev", .group = "blockdev", .implied = "driver", .many = true, .json = true,
		.keys = blockdev_keys, .argument = "[driver=]DRIVER,node-name=NAME[,file=NAME]...",
		.description = "image for a -device with drive=NAME" },
	{ "hda", .alias = "hd", .group = "hda", .kind = OPTION_VALUE, .implied = "file",
		.keys = image_keys, .argument = "FILE", .description = "first disk" },
	{ "hdb", .group = "hdb", .kind = OPTION_VALUE, .implied = "file", .keys = image_keys,
		.argument = "FILE", .description = "second disk" },
	{ "hdc", .group = "hdc", .kind = OPTION_VALUE, .implied = "file", .keys = image_keys,
		.argument = "FILE", .description = "third disk" },
	{ "hdd", .group = "hdd", .kind = OPTION_VALUE, .implied = "file", .keys = image_keys,
		.argument = "FILE", .description = "fourth disk" },
	{ "cdrom", .group = "cdrom", .kind = OPTION_VALUE, .implied = "file", .keys = image_keys,
		.argument = "FILE", .description = "CD-ROM" },
	{ "snapshot", .group = "snapshot", .kind = OPTION_FLAG,
		.description = "as snapshot=on for each -drive that says nothing else" },
	{},
};
