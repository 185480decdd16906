/* A virtual processor: its thread and its run loop. */
#include "vmm/kvm/describe-chips.h"
#include "vmm/kvm/describe-registers.h"
#include "vmm/kvm/vcpu.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "vmm/cpu/cpuid.h"
#include "vmm/kvm/failure.h"
#include "vmm/kvm/vcpu-state.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/run-state.h"

/* Only wakes a thread out of KVM_RUN; what to do is in the shared page (immediate_exit). */
enum {
	KICK_SIGNAL = SIGUSR1
};

struct vcpu {
	struct machine *machine;
	unsigned number;
	int fd;
	struct kvm_run *run;
	size_t run_size;
	struct vcpu_state *at_power_on;
	struct vcpu_failure *failure;

	pthread_t thread;
	bool has_thread;
	gint thread_id; /* atomic; 0: not started yet */
	GMutex lock;    /* for what follows */
	GCond changed;
	bool park_wanted, parked, ends;
};

static void ignore_signal(int number)
{
}

static void catch_kicks(void)
{
	struct sigaction action = { .sa_handler = ignore_signal };

	sigaction(KICK_SIGNAL, &action, NULL);
}

/* Returns false when the thread has to end. */
static bool park(struct vcpu *vcpu)
{
	bool ends;

	g_mutex_lock(&vcpu->lock);
	vcpu->parked = true;
	g_cond_broadcast(&vcpu->changed);
	while (vcpu->park_wanted && !vcpu->ends)
		g_cond_wait(&vcpu->changed, &vcpu->lock);
	ends = vcpu->ends;
	if (!ends) {
		vcpu->parked = false;
		vcpu->run->immediate_exit = 0;
	}
	g_mutex_unlock(&vcpu->lock);
	return !ends;
}

static void handle_port(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	g_mutex_lock(&machine->lock);
	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		uint64_t value = 0;

		if (run->io.direction == KVM_EXIT_IO_OUT) {
			memcpy(&value, data, run->io.size);
			io_space_write(&machine->ports, run->io.port, run->io.size, value);
		} else {
			value = io_space_read(&machine->ports, run->io.port, run->io.size);
			memcpy(data, &value, run->io.size);
		}
	}
	g_mutex_unlock(&machine->lock);
}

static void handle_memory(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	struct kvm_run *run = vcpu->run;
	unsigned left = MIN(run->mmio.len, sizeof(run->mmio.data));
	uint64_t address = run->mmio.phys_addr;
	uint8_t *data = run->mmio.data;

	g_mutex_lock(&machine->lock);
	while (left > 0) {
		/* KVM may hand over three bytes of an access that crosses a page. */
		unsigned size = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
		uint64_t value = 0;

		if (run->mmio.is_write) {
			memcpy(&value, data, size);
			io_space_write(&machine->mmio, address, size, value);
		} else {
			value = io_space_read(&machine->mmio, address, size);
			memcpy(data, &value, size);
		}
		address += size;
		data += size;
		left -= size;
	}
	g_mutex_unlock(&machine->lock);
}

/* The guest stays as it is, to be looked at; the main loop stops the machine and tells. */
static void give_up(struct vcpu *vcpu, struct vcpu_failure *failure)
{
	g_mutex_lock(&vcpu->lock);
	if (vcpu->failure)
		vcpu_failure_free(failure);
	else
		vcpu->failure = failure;
	vcpu->park_wanted = true;
	vcpu->run->immediate_exit = 1;
	g_mutex_unlock(&vcpu->lock);
	machine_vcpu_failed(vcpu->machine);
}

static void handle_system_event(struct vcpu *vcpu)
{
	switch (vcpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		machine_request_shutdown(vcpu->machine, CAUSE_GUEST_SHUTDOWN);
		break;
	case KVM_SYSTEM_EVENT_RESET:
		machine_request_reset(vcpu->machine, CAUSE_GUEST_RESET);
		break;
	default:
		give_up(vcpu, vcpu_failure_new(vcpu->machine, vcpu->fd, vcpu->number, vcpu->run));
	}
}

/* A failure that the person who runs the guest has to see is whatever is neither a device access nor a wake-up. */
static void handle_exit(struct vcpu *vcpu)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_IO:
		handle_port(vcpu);
		break;
	case KVM_EXIT_MMIO:
		handle_memory(vcpu);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_HLT:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		handle_system_event(vcpu);
		break;
	default:
		give_up(vcpu, vcpu_failure_new(vcpu->machine, vcpu->fd, vcpu->number, vcpu->run));
	}
}

static void *run(void *argument)
{
	struct vcpu *vcpu = argument;
	char name[16];

	g_snprintf(name, sizeof(name), "cpu%u", vcpu->number);
	pthread_setname_np(pthread_self(), name);
	g_atomic_int_set(&vcpu->thread_id, gettid());

	while (park(vcpu)) {
		bool wanted = false;

		while (!wanted) {
			if (ioctl(vcpu->fd, KVM_RUN, 0) == 0) {
				handle_exit(vcpu);
				continue;
			}
			if (errno != EINTR && errno != EAGAIN) {
				vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
				vcpu->run->hw.hardware_exit_reason = errno;
				give_up(vcpu, vcpu_failure_new(vcpu->machine, vcpu->fd,
						      vcpu->number, vcpu->run));
			}
			/* Out of KVM_RUN with nothing left to complete: the only place where it may stop. */
			g_mutex_lock(&vcpu->lock);
			wanted = vcpu->park_wanted;
			g_mutex_unlock(&vcpu->lock);
		}
	}
	return NULL;
}

struct vcpu *vcpu_new(struct machine *machine, unsigned number, GError **error)
{
	struct kvm *kvm = machine->kvm;
	struct vcpu *vcpu = g_new0(struct vcpu, 1);
	const struct cpu_topology *topology = &machine->config->topology;
	uint32_t apic_id = cpu_topology_apic_id(topology, number);
	g_autofree struct kvm_cpuid2 *cpuid =
		cpuid_build(kvm->cpuid, machine->cpu_definition, topology, number);

	vcpu->machine = machine;
	vcpu->number = number;
	vcpu->park_wanted = true;
	g_mutex_init(&vcpu->lock);
	g_cond_init(&vcpu->changed);

	vcpu->fd = kvm_ioctl(kvm->vm, KVM_CREATE_VCPU, GUINT_TO_POINTER(apic_id));
	if (vcpu->fd < 0) {
		fail_errno(error, VITRINE_ERROR_HOST, "KVM gives no processor %u", number);
		vcpu_free(vcpu);
		return NULL;
	}
	vcpu->run_size = kvm->run_size;
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		fail_errno(error, VITRINE_ERROR_HOST, "cannot map processor %u", number);
		vcpu_free(vcpu);
		return NULL;
	}
	if (kvm_ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid) < 0) {
		fail_errno(error, VITRINE_ERROR_HOST, "KVM refuses the CPU's features");
		vcpu_free(vcpu);
		return NULL;
	}
	vcpu->at_power_on = vcpu_state_get(kvm, vcpu->fd);

	catch_kicks();
	vcpu->has_thread = pthread_create(&vcpu->thread, NULL, run, vcpu) == 0;
	if (!vcpu->has_thread) {
		fail(error, VITRINE_ERROR_HOST, "cannot start a thread for processor %u", number);
		vcpu_free(vcpu);
		return NULL;
	}
	vcpu_wait_parked(vcpu);
	return vcpu;
}

void vcpu_free(struct vcpu *vcpu)
{
	if (vcpu->has_thread) {
		vcpu_kick(vcpu);
		vcpu_wait_parked(vcpu);
		g_mutex_lock(&vcpu->lock);
		vcpu->ends = true;
		g_cond_broadcast(&vcpu->changed);
		g_mutex_unlock(&vcpu->lock);
		pthread_join(vcpu->thread, NULL);
	}
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_size);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	vcpu_state_free(vcpu->at_power_on);
	vcpu_failure_free(vcpu->failure);
	g_mutex_clear(&vcpu->lock);
	g_cond_clear(&vcpu->changed);
	g_free(vcpu);
}

void vcpu_kick(struct vcpu *vcpu)
{
	g_mutex_lock(&vcpu->lock);
	vcpu->park_wanted = true;
	vcpu->run->immediate_exit = 1;
	if (!vcpu->parked)
		pthread_kill(vcpu->thread, KICK_SIGNAL);
	g_mutex_unlock(&vcpu->lock);
}

void vcpu_wait_parked(struct vcpu *vcpu)
{
	g_mutex_lock(&vcpu->lock);
	while (!vcpu->parked)
		g_cond_wait(&vcpu->changed, &vcpu->lock);
	g_mutex_unlock(&vcpu->lock);
}

void vcpu_continue(struct vcpu *vcpu)
{
	g_mutex_lock(&vcpu->lock);
	vcpu->park_wanted = false;
	g_cond_broadcast(&vcpu->changed);
	g_mutex_unlock(&vcpu->lock);
}

void vcpu_reset(struct vcpu *vcpu)
{
	vcpu_state_set(vcpu->fd, vcpu->at_power_on);
	vcpu_failure_free(vcpu->failure);
	vcpu->failure = NULL;
}

bool vcpu_inject_nmi(struct vcpu *vcpu)
{
	return kvm_ioctl(vcpu->fd, KVM_NMI, NULL) == 0;
}

bool vcpu_translate(struct vcpu *vcpu, uint64_t linear, uint64_t *physical)
{
	struct kvm_translation translation = { .linear_address = linear };

	if (ioctl(vcpu->fd, KVM_TRANSLATE, &translation) < 0 || !translation.valid)
		return false;
	*physical = translation.physical_address;
	return true;
}

char *vcpu_registers(struct vcpu *vcpu)
{
	return vcpu_describe_registers(vcpu->fd, true);
}

void vcpu_describe_lapic(struct vcpu *vcpu, GString *to)
{
	kvm_describe_lapic(vcpu->fd, to);
}

pid_t vcpu_thread_id(const struct vcpu *vcpu)
{
	return g_atomic_int_get(&vcpu->thread_id);
}

const struct vcpu_failure *vcpu_failure(const struct vcpu *vcpu)
{
	return vcpu->failure;
}
