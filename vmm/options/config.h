/* What a guest is to be, as validated values: everything that the options say together, with nothing left to check but
 * what the host has (files, sockets, KVM).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/firmware/firmware-config.h"
#include "vmm/machine/machine-types.h"
#include "vmm/machine/machine.h"
#include "vmm/options/options.h"
#include "vmm/storage/drives.h"

/* Strings are NULL where nothing was given. */
struct drive_config {
	const char *id;   /* given, or "ide0-hd0" and so on; unique */
	const char *file; /* NULL: an empty CD-ROM drive, or a node over @child */
	const char *format;
	const char *interface; /* "virtio", "ide", "scsi", "none" */
	guint bus, unit;       /* the place on the interface */
	bool is_cdrom;
	bool read_only;
	bool snapshot;
	bool discard;              /* the guest's discards reach the host */
	const char *detect_zeroes; /* "on", "unmap" */
	bool no_cache;             /* O_DIRECT */
	bool write_through;        /* each write is on the disk before it ends */
	bool no_flush;             /* flushes are ignored */
	enum drive_error_policy on_read_error, on_write_error;

	bool is_node;      /* a -blockdev; without a format, a protocol alone */
	const char *child; /* the node with its bytes */
	bool is_used;      /* the child of another node */
	bool is_flash;     /* a flash chip has the file; there is no drive for it */
};

/* A device to be created after those of the machine type: the default display, those of -device, those that -drive
 * if=virtio stands for, in this order. The class may be named by -device (but for the default display); its properties are
 * checked, drive= and chardev= name something that is there and is named once. */
struct device_config {
	const struct device_class *class;
	const char *id;                            /* NULL: none */
	const struct machine_property *properties; /* in the order of the text */
	guint property_count;
	const char *origin; /* for errors */
};

/* An object to be made before anything else. */
struct object_config {
	const char *class; /* there is one by that name */
	const char *id;
	const struct machine_property *properties; /* in the order of the text */
	guint property_count;
	const char *origin; /* for errors */
};

struct vnc_config {
	const char *
		host; /* without brackets; "localhost" when none was given; NULL for a UNIX socket */
	uint16_t port;
	const char *path;
};

struct qmp_config {
	const char *path;    /* listens on a UNIX socket, many clients */
	const char *chardev; /* or the id of a chardev */
	bool pretty;
	bool people;        /* the monitor for people instead; on a chardev */
	const char *origin; /* for errors */
};

struct config {
	struct machine_config machine;   /* its name is set */
	struct firmware_config firmware; /* machine points to it */
	const char *
		machine_asked; /* the machine type as it was given, "q35"; NULL: the default was taken */
	const char *runtime_base; /* the folder of the guests' folders, absolute */
	const char *runtime_dir;  /* this guest's: BASE/NAME */
	GArray *globals;          /* of struct machine_global */
	GArray *objects;          /* of struct object_config */
	GArray *drives;           /* of struct drive_config */
	GArray *devices;          /* of struct device_config */
	GPtrArray *
		chardevs; /* of struct option_set: -chardev, and those that -serial, -debugcon and -qmp stand for */
	GPtrArray *netdevs; /* of struct option_set: -netdev, and those that -nic stands for */
	GArray *audiodevs;  /* of struct audiodev */
	const char *serial[MACHINE_SERIAL_PORTS]; /* ids of chardevs, NULL: no such port */
	const char *debugcon;                     /* id of a chardev or NULL */
	GArray *qmp; /* of struct qmp_config; the first is qmp.sock in the runtime directory */
	GArray *vnc; /* of struct vnc_config */
	bool viewer; /* open a window */
	const char *display;  /* of -display; NULL: none */
	const char *keyboard; /* layout for VNC clients, -k; NULL: the server's default */
	const char *pid_file; /* NULL: none */
	const char *log_file; /* NULL: standard error */
	bool daemonize;
	bool timestamps, guest_name; /* in front of messages */
	GStringChunk *strings;       /* all the texts above */
};

/* Names of the sockets in a guest's runtime directory. */
#define CONFIG_QMP_SOCKET    "qmp.sock"
#define CONFIG_BUS_SOCKET    "display.sock"
#define CONFIG_SERIAL_SOCKET "serial%u.sock" /* with the number of the port, from 0 */

/**
 * config_new - what the options say together
 * @options: may be freed afterwards
 * @types: has to outlive the result
 *
 * Returns NULL with @error, which names the option, the value and what is accepted.
 */
struct config *config_new(
	const struct options *options, const struct machine_types *types, GError **error);
void config_free(struct config *config);
