/* Machine types: the versioned descriptions under data/machine-types/, read and checked.
 *
 * A small library of its own (no KVM, no devices), so that the viewer and the console can name types as well. A file is
 * a GLib key file:
 *
 *   [machine]
 *   family=q35                 the bare name that stands for the newest version
 *   version=1.0                two numbers; the type's name is FAMILY-VERSION and so is the file's
 *   description=...
 *   board=q35                  the code that wires it
 *   default=true               at most one family
 *   cpu=host
 *   memory=128M
 *   max-cpus=8
 *   firmware=bios-256k.bin     looked up in the firmware folders
 *   low-memory-max=2816M       RAM below 4 GiB: all of it when it is less than this,
 *   low-memory=2G              else this much; the rest starts at 4 GiB
 *   pci-window=32G             at least so much room for PCI above RAM
 *   memory-module=16G          largest one that SMBIOS tells of
 *
 *   [device NAME]              a fixed device, in the order of creation
 *   type=CLASS
 *   addr=1f.0                  and any other property of the class
 *
 *   [acpi]                     what the tables' headers say of their maker
 *   oem-id=VITRIN              up to 6, 8 and 4 characters
 *   table-id=VITRINE
 *   creator-id=VTRN
 *
 *   [smbios TYPE]              fields of structures, as -smbios has them, unless the user says otherwise
 *   manufacturer=Vitrine
 *
 *   [default-devices]          what a machine has unless -nodefaults or an option says otherwise
 *   display=VGA
 *   usb=piix3-usb-uhci         the controller of -usb, and its place
 *   usb-address=01.2
 *
 *   [defaults CLASS]           property defaults of devices that the user adds
 *   vgamem_mb=16
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct machine_property {
	char *name, *value;
};

struct machine_type_device {
	char *name;                          /* from the group's heading */
	char *class;                         /* type= */
	struct machine_property *properties; /* addr= and others, in the file's order */
	guint property_count;
};

struct machine_type {
	char *name;   /* "q35-1.0" */
	char *family; /* "q35" */
	guint major, minor;
	char *description;
	char *board;
	char *cpu;
	char *firmware;
	uint64_t memory;                                                /* bytes */
	uint64_t low_memory_max, low_memory, pci_window, memory_module; /* bytes, see above */
	char *acpi_oem, *acpi_table, *acpi_creator;
	guint max_cpus;
	bool is_default; /* its family is what is used without -machine */
	bool is_newest;  /* what the family's bare name stands for */
	struct machine_type_device *devices;
	guint device_count;
	struct machine_type_device *defaults; /* class = CLASS, name NULL */
	guint default_count;
	struct machine_type_device *smbios; /* class = TYPE, name NULL */
	guint smbios_count;
	char *default_display; /* class, NULL: none */
	char *drive_interface; /* if= of a -drive that does not say it; NULL: virtio */
	guint ide_units;       /* disks on an IDE bus */
	char *usb_controller;  /* class, NULL: the machine has no place for one of its own */
	char *usb_address;     /* SLOT.FUNCTION, NULL: the first that is free */
};

struct machine_types;

/* Parses one file: @name is what it must be called. Pure; @error says group, key, value and what is right. */
struct machine_type *machine_type_parse(
	const char *name, const char *text, gsize length, GError **error);
void machine_type_free(struct machine_type *type);

/* The folder @name of the installed data ("cpu-models"): in the folder that VITRINE_DATA_DIR names in the environment, else
 * beside the program (../share/vitrine when installed, ../data where it was built), else of this build's installation. To be
 * freed. */
char *machine_data_folder(const char *name);

/* All files of a folder; NULL: machine_data_folder("machine-types"). An unreadable or wrong file is an error that names it. */
struct machine_types *machine_types_load(const char *folder, GError **error);
void machine_types_free(struct machine_types *types);
guint machine_types_count(const struct machine_types *types); /* sorted by family, newest first */
const struct machine_type *machine_types_get(const struct machine_types *types, guint index);

/* By versioned name or by family (its newest); NULL: the default. The error lists what there is. */
const struct machine_type *machine_types_find(
	const struct machine_types *types, const char *name, GError **error);
