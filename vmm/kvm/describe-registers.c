#include "vmm/kvm/describe-registers.h"

#include <glib.h>
#include <linux/kvm.h>
#include <string.h>

#include "vmm/kvm/kvm.h"

enum {
	FLAG_CARRY = 1 << 0,
	FLAG_PARITY = 1 << 2,
	FLAG_ADJUST = 1 << 4,
	FLAG_ZERO = 1 << 6,
	FLAG_SIGN = 1 << 7,
	FLAG_DIRECTION = 1 << 10,
	FLAG_OVERFLOW = 1 << 11,
	EFER_LONG_MODE = 1 << 10, /* active */

	TYPE_ACCESSED = 1 << 0,
	TYPE_WRITABLE = 1 << 1, /* of data; of code: readable */
	TYPE_DOWN = 1 << 2,     /* of data: expands down; of code: conforming */
	TYPE_CODE = 1 << 3,

	FPU_TOP_SHIFT = 11,
};

struct registers {
	struct kvm_regs general;
	struct kvm_sregs special;
	struct kvm_debugregs debug;
	struct kvm_vcpu_events events;
	struct kvm_mp_state state;
	bool is_long; /* long mode is active: wide addresses */
};

/* By the type of a system descriptor, in 32 bit and in long mode (SDM volume 3, table 3-2). */
static const char *const system_types[2][16] = {
	{ "Reserved", "TSS16-avl", "LDT", "TSS16-busy", "CallGate16", "TaskGate", "IntGate16",
		"TrapGate16", "Reserved", "TSS32-avl", "Reserved", "TSS32-busy", "CallGate32",
		"Reserved", "IntGate32", "TrapGate32" },
	{ "<hiword>", "Reserved", "LDT", "Reserved", "Reserved", "Reserved", "Reserved", "Reserved",
		"Reserved", "TSS64-avl", "Reserved", "TSS64-busy", "CallGate64", "Reserved",
		"IntGate64", "TrapGate64" },
};

static void describe_general(GString *to, const struct registers *registers)
{
	const struct kvm_regs *r = &registers->general;

	if (registers->special.cs.l && registers->is_long)
		g_string_append_printf(to,
			"RAX=%016llx RBX=%016llx RCX=%016llx RDX=%016llx\n"
			"RSI=%016llx RDI=%016llx RBP=%016llx RSP=%016llx\n"
			"R8 =%016llx R9 =%016llx R10=%016llx R11=%016llx\n"
			"R12=%016llx R13=%016llx R14=%016llx R15=%016llx\n"
			"RIP=%016llx RFL=%08llx",
			r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rbp, r->rsp, r->r8,
			r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->rip, r->rflags);
	else
		g_string_append_printf(to,
			"EAX=%08x EBX=%08x ECX=%08x EDX=%08x\n"
			"ESI=%08x EDI=%08x EBP=%08x ESP=%08x\n"
			"EIP=%08x EFL=%08x",
			(uint32_t)r->rax, (uint32_t)r->rbx, (uint32_t)r->rcx, (uint32_t)r->rdx,
			(uint32_t)r->rsi, (uint32_t)r->rdi, (uint32_t)r->rbp, (uint32_t)r->rsp,
			(uint32_t)r->rip, (uint32_t)r->rflags);
}

static void describe_flags(GString *to, const struct registers *registers)
{
	uint64_t flags = registers->general.rflags;

	g_string_append_printf(to, " [%c%c%c%c%c%c%c] CPL=%u II=%u A20=1 SMM=%u HLT=%u\n",
		flags & FLAG_DIRECTION ? 'D' : '-', flags & FLAG_OVERFLOW ? 'O' : '-',
		flags & FLAG_SIGN ? 'S' : '-', flags & FLAG_ZERO ? 'Z' : '-',
		flags & FLAG_ADJUST ? 'A' : '-', flags & FLAG_PARITY ? 'P' : '-',
		flags & FLAG_CARRY ? 'C' : '-', registers->special.ss.dpl,
		registers->events.interrupt.shadow != 0, registers->events.smi.smm,
		registers->state.mp_state == KVM_MP_STATE_HALTED);
}

/* The upper half of the descriptor, but for the parts of base and limit in it (SDM volume 3, figure 3-8). */
static uint32_t descriptor_bits(const struct kvm_segment *segment)
{
	return (uint32_t)segment->type << 8 | (uint32_t)segment->s << 12 |
	       (uint32_t)segment->dpl << 13 | (uint32_t)segment->present << 15 |
	       (uint32_t)segment->avl << 20 | (uint32_t)segment->l << 21 |
	       (uint32_t)segment->db << 22 | (uint32_t)segment->g << 23;
}

static void describe_kind(GString *to, const struct kvm_segment *segment, bool is_long)
{
	uint8_t type = segment->type;

	if (!segment->present || segment->unusable)
		return;
	g_string_append_printf(to, " DPL=%u ", segment->dpl);
	if (!segment->s)
		g_string_append(to, system_types[is_long][type & 0xf]);
	else if (type & TYPE_CODE)
		g_string_append_printf(to, "%s [%c%c%c]",
			segment->l ? "CS64" : (segment->db ? "CS32" : "CS16"),
			type & TYPE_DOWN ? 'C' : '-', type & TYPE_WRITABLE ? 'R' : '-',
			type & TYPE_ACCESSED ? 'A' : '-');
	else
		g_string_append_printf(to, "%s [%c%c%c]", segment->db || is_long ? "DS  " : "DS16",
			type & TYPE_DOWN ? 'E' : '-', type & TYPE_WRITABLE ? 'W' : '-',
			type & TYPE_ACCESSED ? 'A' : '-');
}

static void describe_segment(
	GString *to, const char *name, const struct kvm_segment *segment, bool is_long)
{
	g_string_append_printf(to, "%-3s=%04x %0*llx %08x %08x", name, segment->selector,
		is_long ? 16 : 8, (unsigned long long)segment->base, segment->limit,
		descriptor_bits(segment));
	describe_kind(to, segment, is_long);
	g_string_append_c(to, '\n');
}

static void describe_special(GString *to, const struct registers *registers)
{
	const struct kvm_sregs *s = &registers->special;
	bool is_long = registers->is_long;
	int width = is_long ? 16 : 8;

	describe_segment(to, "ES", &s->es, is_long);
	describe_segment(to, "CS", &s->cs, is_long);
	describe_segment(to, "SS", &s->ss, is_long);
	describe_segment(to, "DS", &s->ds, is_long);
	describe_segment(to, "FS", &s->fs, is_long);
	describe_segment(to, "GS", &s->gs, is_long);
	describe_segment(to, "LDT", &s->ldt, is_long);
	describe_segment(to, "TR", &s->tr, is_long);
	g_string_append_printf(to,
		"GDT=     %0*llx %08x\nIDT=     %0*llx %08x\n"
		"CR0=%08llx CR2=%0*llx CR3=%0*llx CR4=%08llx\n",
		width, (unsigned long long)s->gdt.base, s->gdt.limit, width,
		(unsigned long long)s->idt.base, s->idt.limit, (unsigned long long)s->cr0, width,
		(unsigned long long)s->cr2, width, (unsigned long long)s->cr3,
		(unsigned long long)s->cr4);
	for (unsigned i = 0; i < 4; i++)
		g_string_append_printf(to, "DR%u=%016llx%s", i,
			(unsigned long long)registers->debug.db[i], i < 3 ? " " : "\n");
	g_string_append_printf(to, "DR6=%016llx DR7=%016llx\nEFER=%016llx\n",
		(unsigned long long)registers->debug.dr6, (unsigned long long)registers->debug.dr7,
		(unsigned long long)s->efer);
}

static void describe_floating_point(GString *to, const struct kvm_fpu *fpu, bool is_long)
{
	g_string_append_printf(to, "FCW=%04x FSW=%04x [ST=%u] FTW=%02x MXCSR=%08x\n", fpu->fcw,
		fpu->fsw, fpu->fsw >> FPU_TOP_SHIFT & 7, fpu->ftwx, fpu->mxcsr);
	for (unsigned i = 0; i < 8; i++) {
		uint64_t mantissa;
		uint16_t exponent;

		memcpy(&mantissa, fpu->fpr[i], sizeof(mantissa));
		memcpy(&exponent, fpu->fpr[i] + sizeof(mantissa), sizeof(exponent));
		g_string_append_printf(to, "FPR%u=%016llx %04x%s", i, (unsigned long long)mantissa,
			exponent, i % 2 == 0 ? " " : "\n");
	}
	for (unsigned i = 0; i < (is_long ? 16 : 8); i++) {
		uint64_t halves[2];

		memcpy(halves, fpu->xmm[i], sizeof(halves));
		g_string_append_printf(to, "XMM%02u=%016llx %016llx%s", i,
			(unsigned long long)halves[1], (unsigned long long)halves[0],
			i % 2 == 0 ? " " : "\n");
	}
}

char *vcpu_describe_registers(int fd, bool floating_point)
{
	struct registers registers = { .is_long = false };
	struct kvm_fpu fpu = { .fcw = 0 };
	GString *text = g_string_new(NULL);

	kvm_ioctl(fd, KVM_GET_REGS, &registers.general);
	kvm_ioctl(fd, KVM_GET_SREGS, &registers.special);
	kvm_ioctl(fd, KVM_GET_DEBUGREGS, &registers.debug);
	kvm_ioctl(fd, KVM_GET_VCPU_EVENTS, &registers.events);
	kvm_ioctl(fd, KVM_GET_MP_STATE, &registers.state);
	registers.is_long = registers.special.efer & EFER_LONG_MODE;
	describe_general(text, &registers);
	describe_flags(text, &registers);
	describe_special(text, &registers);
	if (floating_point && kvm_ioctl(fd, KVM_GET_FPU, &fpu) == 0)
		describe_floating_point(text, &fpu, registers.special.cs.l && registers.is_long);
	return g_string_free(text, FALSE);
}
