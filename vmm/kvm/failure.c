/* What a person needs to see when KVM cannot run a guest any further. */
#include "vmm/kvm/failure.h"

#include <string.h>

#include "vmm/kvm/describe-registers.h"
#include "vmm/machine/machine.h"

enum {
	CODE_BEFORE = 8, /* bytes shown in front of the instruction pointer */
	CODE_AFTER = 24,
};

static char *internal_error_text(const struct kvm_run *run)
{
	switch (run->internal.suberror) {
	case KVM_INTERNAL_ERROR_EMULATION:
		return g_strdup("KVM cannot emulate an instruction of the guest");
	case KVM_INTERNAL_ERROR_SIMUL_EX:
		return g_strdup("KVM met two exceptions of the guest at once");
	case KVM_INTERNAL_ERROR_DELIVERY_EV:
		return g_strdup("KVM could not deliver an exception or interrupt to the guest");
	case KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON:
		return g_strdup("KVM met an exit it does not know");
	default:
		return g_strdup_printf("KVM internal error %u", run->internal.suberror);
	}
}

static char *reason_text(const struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_SHUTDOWN:
		return g_strdup("the guest met a triple fault");
	case KVM_EXIT_INTERNAL_ERROR:
		return internal_error_text(run);
	case KVM_EXIT_FAIL_ENTRY:
		return g_strdup_printf(
			"the processor refuses to enter the guest (hardware reason 0x%llx)",
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason);
	case KVM_EXIT_UNKNOWN:
		return g_strdup_printf(
			"KVM cannot run the guest (%s)", g_strerror(run->hw.hardware_exit_reason));
	default:
		return g_strdup_printf(
			"KVM exit %u, which no part of this machine handles", run->exit_reason);
	}
}

/* The bytes around the instruction pointer, "<" and ">" around the first of the instruction; what cannot be read shows
 * as "..". */
static char *describe_code(struct machine *machine, int fd)
{
	struct kvm_regs r = { 0 };
	struct kvm_sregs s = { 0 };
	GString *text = g_string_new(NULL);
	uint64_t at;

	kvm_ioctl(fd, KVM_GET_REGS, &r);
	kvm_ioctl(fd, KVM_GET_SREGS, &s);
	at = s.cs.base + r.rip;
	for (int i = -CODE_BEFORE; i < CODE_AFTER; i++) {
		struct kvm_translation translation = { .linear_address = at + i };
		uint8_t byte;
		bool readable =
			kvm_ioctl(fd, KVM_TRANSLATE, &translation) == 0 && translation.valid &&
			guest_memory_read(machine->memory, translation.physical_address, &byte, 1);

		g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", i == 0 ? "<" : "");
		if (readable)
			g_string_append_printf(text, "%02x", byte);
		else
			g_string_append(text, "..");
		if (i == 0)
			g_string_append_c(text, '>');
	}
	return g_string_free(text, FALSE);
}

struct vcpu_failure *vcpu_failure_new(
	struct machine *machine, int fd, unsigned number, const struct kvm_run *run)
{
	struct vcpu_failure *failure = g_new0(struct vcpu_failure, 1);
	g_autofree char *reason = reason_text(run);

	failure->reason = g_strdup_printf("processor %u: %s", number, reason);
	failure->registers = vcpu_describe_registers(fd, false);
	failure->code = describe_code(machine, fd);
	return failure;
}

void vcpu_failure_free(struct vcpu_failure *failure)
{
	if (!failure)
		return;
	g_free(failure->reason);
	g_free(failure->registers);
	g_free(failure->code);
	g_free(failure);
}
