/* Options that QEMU has and this program does not. */
#include "vmm/options/refused.h"

#include <glib.h>
#include <string.h>

static const struct {
	const char *name, *why;
} refused[] = {
	{ "hda", "use -drive file=FILE" },
	{ "hdb", "use -drive file=FILE" },
	{ "hdc", "use -drive file=FILE" },
	{ "hdd", "use -drive file=FILE" },
	{ "cdrom", "use -drive file=FILE,media=cdrom" },
	{ "fda", "there is no floppy drive" },
	{ "fdb", "there is no floppy drive" },
	{ "mtdblock", "there is no such flash; use -drive if=pflash" },
	{ "sd", "there is no SD card reader" },
	{ "snapshot", "copy the image, or make a qcow2 overlay with qemu-img" },
	{ "parallel", "there is no parallel port" },
	{ "soundhw", "use -device intel-hda -device hda-duplex" },
	{ "audio", "use -audiodev and -device" },
	{ "audio-help", "use -audiodev help" },
	{ "spice", "there is no SPICE server yet; use -vnc" },
	{ "sdl", "use -display gtk" },
	{ "curses", "use -nographic" },
	{ "full-screen", "press F11 in the window of -display gtk" },
	{ "rotate", "pictures are shown as the guest draws them" },
	{ "portrait", "pictures are shown as the guest draws them" },
	{ "g", "guests choose their resolution themselves" },
	{ "tcg", "guests run under KVM alone" },
	{ "icount", "guests run under KVM alone" },
	{ "singlestep", "guests run under KVM alone" },
	{ "tb-size", "guests run under KVM alone" },
	{ "plugin", "guests run under KVM alone" },
	{ "semihosting", "there is none on x86" },
	{ "dtb", "there is no device tree on x86" },
	{ "s", "there is no stub for gdb" },
	{ "gdb", "there is no stub for gdb" },
	{ "loadvm", "guests cannot be saved and restored" },
	{ "incoming", "guests cannot be migrated" },
	{ "only-migratable", "guests cannot be migrated" },
	{ "sandbox", "the program has no sandbox yet; its display servers lock themselves in" },
	{ "chroot", "start it with unshare(1) or a service manager" },
	{ "runas", "start it as that user" },
	{ "tpmdev", "there is no TPM" },
	{ "fsdev", "there is no file sharing; use a network" },
	{ "virtfs", "there is no file sharing; use a network" },
	{ "bt", "there is no Bluetooth" },
	{ "watchdog",
		"q35 has one; use -global ICH9-LPC.noreboot=off and -action watchdog=ACTION" },
	{ "balloon", "use -device virtio-balloon-pci" },
	{ "virtioconsole", "use -device virtio-serial-pci -device virtconsole" },
	{ "acpitable", "tables of the board are all there are" },
	{ "no-acpi", "the boards have ACPI always; start Linux with acpi=off" },
	{ "trace", "there are no trace points" },
	{ "d", "there is no log of items; messages go to standard error and to -D FILE" },
	{ "dfilter", "there is no log of items" },
	{ "seed", "random numbers come from the host's kernel" },
	{ "L", "firmware is looked up in the firmware folders; use -bios FILE" },
	{ "mem-path", "use -object memory-backend-file and -machine memory-backend=ID" },
	{ "mem-prealloc",
		"use -object memory-backend-ram,prealloc=on and -machine memory-backend=ID" },
	{ "win2k-hack", "nothing needs it" },
	{ "xen-domid", "guests run under KVM alone" },
	{ "xen-attach", "guests run under KVM alone" },
	{ "add-fd", "name files by their paths" },
	{ "iscsi", "use -drive file=iscsi://... with qemu-nbd" },
	{ "echr", "the key is Ctrl-A" },
	{ "preconfig", "use -S" },
	{ "compat", "nothing is deprecated yet" },
	{ "set", "write the key with its option" },
};

const char *option_refusal(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
		if (strcmp(refused[i].name, name) == 0)
			return refused[i].why;
	}
	return NULL;
}
