/* The interrupt controllers that KVM keeps, in the layout that QEMU's monitor made known.
 *
 * Specification: Intel 8259A, 82093AA (I/O APIC, 3.2.4), SDM volume 3, 10.4 to 10.8 (local APIC).
 */
#include "vmm/kvm/describe-chips.h"

#include <inttypes.h>
#include <linux/kvm.h>
#include <string.h>

#include "vmm/kvm/kvm.h"

enum {
	PIC_LINES = 8,
	APIC_ID = 0x20,
	APIC_VERSION = 0x30,
	APIC_TASK_PRIORITY = 0x80,
	APIC_PROCESSOR_PRIORITY = 0xa0,
	APIC_LOGICAL_DESTINATION = 0xd0,
	APIC_DESTINATION_FORMAT = 0xe0,
	APIC_SPURIOUS = 0xf0,
	APIC_IN_SERVICE = 0x100,
	APIC_REQUEST = 0x200,
	APIC_ERROR = 0x280,
	APIC_COMMAND = 0x300,
	APIC_COMMAND_HIGH = 0x310,
	APIC_TIMER_INITIAL = 0x380,
	APIC_TIMER_CURRENT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
	APIC_VECTORS = 256,
	VECTOR_MASKED = 1 << 16,
};

static bool get_chip(const struct kvm *kvm, unsigned id, struct kvm_irqchip *chip)
{
	*chip = (struct kvm_irqchip) { .chip_id = id };
	return kvm_ioctl(kvm->vm, KVM_GET_IRQCHIP, chip) == 0;
}

static void describe_ioapic(const struct kvm_ioapic_state *apic, GString *to)
{
	static const char *const modes[] = { "fixed", "lowest", "SMI", "(3)", "NMI", "INIT", "(6)",
		"ExtINT" };

	g_string_append_printf(
		to, "ioapic0: ver=0x11 id=0x%02x sel=0x%02x\n", apic->id, apic->ioregsel);
	for (unsigned i = 0; i < KVM_IOAPIC_NUM_PINS; i++) {
		uint64_t bits = apic->redirtbl[i].bits;

		g_string_append_printf(to,
			"  pin %-2u 0x%016" PRIx64 " dest=%u vec=%-3u %s %s%s %s %s\n", i, bits,
			(unsigned)(bits >> 56), (unsigned)(bits & 0xff),
			bits & 1 << 13 ? "active-lo" : "active-hi",
			bits & 1 << 15 ? "level" : "edge ", bits & VECTOR_MASKED ? " masked" : "",
			modes[bits >> 8 & 7], bits & 1 << 11 ? "logical" : "physical");
	}
	g_string_append_printf(to, "  IRR 0x%08x\n", apic->irr);
}

void kvm_describe_chips(const struct kvm *kvm, GString *to)
{
	struct kvm_irqchip chip;

	if (get_chip(kvm, KVM_IRQCHIP_IOAPIC, &chip))
		describe_ioapic(&chip.chip.ioapic, to);
	for (unsigned id = KVM_IRQCHIP_PIC_MASTER; id <= KVM_IRQCHIP_PIC_SLAVE; id++) {
		const struct kvm_pic_state *pic = &chip.chip.pic;

		if (get_chip(kvm, id, &chip))
			g_string_append_printf(to,
				"pic%u: irr=%02x imr=%02x isr=%02x hprio=%u irq_base=%02x "
				"rr_sel=%u elcr=%02x fnm=%u\n",
				id, pic->irr, pic->imr, pic->isr, pic->priority_add, pic->irq_base,
				pic->read_reg_select, pic->elcr, pic->special_fully_nested_mode);
	}
}

void kvm_describe_lines(const struct kvm *kvm, GString *to)
{
	struct kvm_irqchip apic, pic;

	if (!get_chip(kvm, KVM_IRQCHIP_IOAPIC, &apic))
		return;
	for (unsigned i = 0; i < KVM_IOAPIC_NUM_PINS; i++) {
		uint64_t bits = apic.chip.ioapic.redirtbl[i].bits;
		bool passes = !(bits & VECTOR_MASKED);

		g_string_append_printf(to, "%2u: ioapic %s", i, passes ? "on " : "off");
		if (passes)
			g_string_append_printf(to, " vector %u", (unsigned)(bits & 0xff));
		if (apic.chip.ioapic.irr & 1u << i)
			g_string_append(to, " asserted");
		if (i < 2 * PIC_LINES && get_chip(kvm, i / PIC_LINES, &pic)) {
			unsigned bit = 1u << i % PIC_LINES;

			g_string_append_printf(to, "; pic %s%s%s",
				pic.chip.pic.imr & bit ? "off" : "on",
				pic.chip.pic.irr & bit ? " asserted" : "",
				pic.chip.pic.isr & bit ? " in service" : "");
		}
		g_string_append_c(to, '\n');
	}
}

static uint32_t reg(const struct kvm_lapic_state *apic, unsigned offset)
{
	uint32_t value;

	memcpy(&value, apic->regs + offset, sizeof(value));
	return value;
}

/* A set of 256 bits, 32 in each register. */
static void describe_set(
	const struct kvm_lapic_state *apic, const char *name, unsigned offset, GString *to)
{
	bool any = false;

	g_string_append_printf(to, "%s\t ", name);
	for (unsigned i = 0; i < APIC_VECTORS; i++) {
		if (reg(apic, offset + i / 32 * 0x10) & 1u << i % 32) {
			g_string_append_printf(to, "%u ", i);
			any = true;
		}
	}
	g_string_append(to, any ? "\n" : "(none)\n");
}

void kvm_describe_lapic(int vcpu_fd, GString *to)
{
	static const struct {
		const char *name;
		unsigned offset;
	} vectors[] = {
		{ "LVT0", 0x350 },
		{ "LVT1", 0x360 },
		{ "LVTPC", 0x340 },
		{ "LVTERR", 0x370 },
		{ "LVTTHMR", 0x330 },
		{ "LVTT", 0x320 },
	};
	struct kvm_lapic_state apic;

	if (kvm_ioctl(vcpu_fd, KVM_GET_LAPIC, &apic) < 0) {
		g_string_append(to, "KVM does not tell\n");
		return;
	}
	g_string_append_printf(to, "dumping local APIC state for ID 0x%x (version 0x%08x)\n\n",
		reg(&apic, APIC_ID) >> 24, reg(&apic, APIC_VERSION));
	for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
		uint32_t value = reg(&apic, vectors[i].offset);

		g_string_append_printf(to, "%s\t 0x%08x %s vector %u\n", vectors[i].name, value,
			value & VECTOR_MASKED ? "masked" : "open", value & 0xff);
	}
	g_string_append_printf(to,
		"Timer\t DCR=0x%x initial_count=%u current_count=%u\n"
		"SPIV\t 0x%08x APIC %s\nICR\t 0x%08x dest 0x%x\nESR\t 0x%08x\n",
		reg(&apic, APIC_TIMER_DIVIDE), reg(&apic, APIC_TIMER_INITIAL),
		reg(&apic, APIC_TIMER_CURRENT), reg(&apic, APIC_SPURIOUS),
		reg(&apic, APIC_SPURIOUS) & 1 << 8 ? "enabled" : "disabled",
		reg(&apic, APIC_COMMAND), reg(&apic, APIC_COMMAND_HIGH) >> 24,
		reg(&apic, APIC_ERROR));
	describe_set(&apic, "ISR", APIC_IN_SERVICE, to);
	describe_set(&apic, "IRR", APIC_REQUEST, to);
	g_string_append_printf(to, "\nTPR 0x%02x DFR 0x%08x LDR 0x%08x PPR 0x%02x\n",
		reg(&apic, APIC_TASK_PRIORITY), reg(&apic, APIC_DESTINATION_FORMAT),
		reg(&apic, APIC_LOGICAL_DESTINATION), reg(&apic, APIC_PROCESSOR_PRIORITY));
}
