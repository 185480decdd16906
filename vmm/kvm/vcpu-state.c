/* Everything that KVM keeps for one virtual processor. */
#include "vmm/kvm/vcpu-state.h"

enum {
	XSAVE_WORDS = 1024,
	MSR_IA32_TSC = 0x10,
	MSR_IA32_APICBASE = 0x1b
};

struct vcpu_state {
	struct kvm_regs registers;
	struct kvm_sregs special;
	uint32_t xsave[XSAVE_WORDS]; /* struct kvm_xsave without what may follow it */
	struct kvm_fpu fpu;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debug;
	struct kvm_vcpu_events events;
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp;
	bool has_xsave, has_xcrs;
	guint msr_count;
	struct kvm_msr_entry *msrs;
};

/* One at a time: a list fails as a whole at the first one that this host does not let through. */
static bool get_msr(int fd, uint32_t index, struct kvm_msr_entry *entry)
{
	g_autofree struct kvm_msrs *request = g_malloc0(sizeof(*request) + sizeof(*entry));

	request->nmsrs = 1;
	request->entries[0].index = index;
	if (kvm_ioctl(fd, KVM_GET_MSRS, request) != 1)
		return false;
	*entry = request->entries[0];
	return true;
}

static void set_msr(int fd, const struct kvm_msr_entry *entry)
{
	g_autofree struct kvm_msrs *request = g_malloc0(sizeof(*request) + sizeof(*entry));

	request->nmsrs = 1;
	request->entries[0] = *entry;
	kvm_ioctl(fd, KVM_SET_MSRS, request);
}

/* The time stamp goes on over a reset, as the clocks of the other processors do. */
static bool is_kept_over_reset(uint32_t index)
{
	return index == MSR_IA32_TSC || index == MSR_IA32_APICBASE;
}

struct vcpu_state *vcpu_state_get(const struct kvm *kvm, int fd)
{
	struct vcpu_state *state = g_new0(struct vcpu_state, 1);

	kvm_ioctl(fd, KVM_GET_REGS, &state->registers);
	kvm_ioctl(fd, KVM_GET_SREGS, &state->special);
	state->has_xsave = kvm_ioctl(fd, KVM_GET_XSAVE, state->xsave) == 0;
	if (!state->has_xsave)
		kvm_ioctl(fd, KVM_GET_FPU, &state->fpu);
	state->has_xcrs = kvm_ioctl(fd, KVM_GET_XCRS, &state->xcrs) == 0;
	kvm_ioctl(fd, KVM_GET_DEBUGREGS, &state->debug);
	kvm_ioctl(fd, KVM_GET_VCPU_EVENTS, &state->events);
	kvm_ioctl(fd, KVM_GET_LAPIC, &state->lapic);
	kvm_ioctl(fd, KVM_GET_MP_STATE, &state->mp);

	state->msrs = g_new0(struct kvm_msr_entry, kvm->msrs->nmsrs);
	for (guint i = 0; i < kvm->msrs->nmsrs; i++)
		if (!is_kept_over_reset(kvm->msrs->indices[i]) &&
			get_msr(fd, kvm->msrs->indices[i], &state->msrs[state->msr_count]))
			state->msr_count++;
	return state;
}

void vcpu_state_set(int fd, const struct vcpu_state *state)
{
	/* KVM only reads these; its interface has no const. */
	struct vcpu_state copy = *state;

	struct kvm_mp_state before;

	/* Asking has KVM carry out an INIT or SIPI that is still under way, before all that it would change is set. */
	kvm_ioctl(fd, KVM_GET_MP_STATE, &before);
	kvm_ioctl(fd, KVM_SET_MP_STATE, &copy.mp);
	kvm_ioctl(fd, KVM_SET_REGS, &copy.registers);
	if (copy.has_xsave)
		kvm_ioctl(fd, KVM_SET_XSAVE, copy.xsave);
	else
		kvm_ioctl(fd, KVM_SET_FPU, &copy.fpu);
	if (copy.has_xcrs)
		kvm_ioctl(fd, KVM_SET_XCRS, &copy.xcrs);
	kvm_ioctl(fd, KVM_SET_SREGS, &copy.special);
	for (guint i = 0; i < copy.msr_count; i++)
		set_msr(fd, &copy.msrs[i]);
	/* An INIT that KVM holds back goes with the state of system management mode. */
	copy.events.flags = (state->events.flags & KVM_VCPUEVENT_VALID_SMM) |
			    KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR |
			    KVM_VCPUEVENT_VALID_SHADOW;
	kvm_ioctl(fd, KVM_SET_VCPU_EVENTS, &copy.events);
	kvm_ioctl(fd, KVM_SET_DEBUGREGS, &copy.debug);
	kvm_ioctl(fd, KVM_SET_LAPIC, &copy.lapic);
}

void vcpu_state_free(struct vcpu_state *state)
{
	if (!state)
		return;
	g_free(state->msrs);
	g_free(state);
}
