/* The monitor's "info" of what a board has for all its devices: ROMs, interrupt controllers, USB. */
#include <inttypes.h>
#include <string.h>

#include "vmm/control/hmp.h"
#include "vmm/firmware/fw-cfg.h"
#include "vmm/kvm/describe-chips.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/machine/run-state.h"
#include "vmm/memory/guest-memory.h"
#include "vmm/usb/usb.h"

static void list_rom(const struct memory_slot_info *slot, void *out)
{
	if (slot->flags & MEMORY_SLOT_READ_ONLY)
		g_string_append_printf(out,
			"addr=%016" PRIx64 " size=0x%06" PRIx64 " mem=rom name=\"%s\"\n",
			slot->address, slot->size, slot->name);
}

/* Option ROMs are there while the guest has their BARs on. */
static void info_roms(struct hmp_call *call)
{
	struct machine *machine = call->context->machine;

	g_mutex_lock(&machine->lock);
	guest_memory_list(machine->memory, list_rom, call->out);
	if (machine->fw_cfg)
		fw_cfg_list(machine->fw_cfg, call->out);
	for (guint i = 0; i < machine->devices->len; i++) {
		const struct device *device = machine->devices->pdata[i];
		const struct property *property = device_class_property(device->class, "romfile");
		g_autofree char *name = property ? device_get_property(device, property) : NULL;

		if (name && name[0])
			g_string_append_printf(call->out, "dev=%s rom=\"%s\"\n",
				device->id ? device->id : device->class->name, name);
	}
	g_mutex_unlock(&machine->lock);
}

static void info_usb(struct hmp_call *call)
{
	struct machine *machine = call->context->machine;

	g_mutex_lock(&machine->lock);
	usb_info(machine, call->out);
	g_mutex_unlock(&machine->lock);
}

static void info_pic(struct hmp_call *call)
{
	if (call->context->machine->kvm)
		kvm_describe_chips(call->context->machine->kvm, call->out);
}

/* KVM delivers interrupts and counts none of them. */
static void info_irq(struct hmp_call *call)
{
	if (call->context->machine->kvm)
		kvm_describe_lines(call->context->machine->kvm, call->out);
}

static void info_lapic(struct hmp_call *call)
{
	struct machine *machine = call->context->machine;
	gint64 index =
		json_object_get_int_member_with_default(call->arguments, "apic-id", *call->cpu);

	if (index < 0 || index >= (gint64)machine->cpu_count) {
		g_string_append(call->out, "No local APIC\n");
		return;
	}
	machine_park_cpus(machine);
	vcpu_describe_lapic(machine->cpus[index], call->out);
	machine_unpark_cpus(machine);
}

static const struct hmp_argument lapic_arguments[] = {
	{ "apic-id", HMP_NUMBER, .optional = true },
	{},
};

const struct hmp_command hmp_info_board[] = {
	{ "roms", .help = "show roms", .run = info_roms },
	{ "usb", .help = "show guest USB devices", .run = info_usb },
	{ "pic", .help = "show PIC state", .run = info_pic },
	{ "irq", .help = "show the interrupt lines", .run = info_irq },
	{ "lapic", lapic_arguments, "[cpu]", "show local apic state", info_lapic },
	{},
};
