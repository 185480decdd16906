/* The virtual machine as the kernel sees it. */
#include "vmm/kvm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "vmm/kvm/interrupt-routes.h"

enum {
	API_VERSION = 12,
	CPUID_ENTRIES = 256,
	/* Two regions of Intel's VMX without unrestricted guests, below the firmware where nothing else lives. */
	IDENTITY_MAP_ADDRESS = 0xfeffc000,
	TSS_ADDRESS = 0xfeffd000,
};

static const struct {
	int capability;
	const char *name;
} required[] = {
	{ KVM_CAP_USER_MEMORY, "user memory" },
	{ KVM_CAP_IRQCHIP, "an interrupt controller" },
	{ KVM_CAP_PIT2, "a timer (PIT)" },
	{ KVM_CAP_SIGNAL_MSI, "message-signalled interrupts" },
	{ KVM_CAP_IOEVENTFD, "ioeventfd" },
	{ KVM_CAP_IMMEDIATE_EXIT, "immediate exit" },
	{ KVM_CAP_READONLY_MEM, "read-only memory" },
};

int kvm_ioctl(int fd, unsigned long request, void *argument)
{
	int result;

	do
		result = ioctl(fd, request, argument);
	while (result < 0 && errno == EINTR);
	return result;
}

static bool open_device(struct kvm *kvm, GError **error)
{
	kvm->device = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm->device >= 0)
		return true;
	switch (errno) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return fail(error, VITRINE_ERROR_HOST,
			"/dev/kvm: there is no KVM here; switch on virtualization in the firmware "
			"and load the "
			"module kvm_intel or kvm_amd");
	case EACCES:
	case EPERM:
		return fail(error, VITRINE_ERROR_HOST,
			"/dev/kvm: permission denied; add the user to the group kvm and log in "
			"again");
	default:
		return fail_errno(error, VITRINE_ERROR_HOST,
			"/dev/kvm is no device of KVM, which the module kvm_intel or kvm_amd "
			"makes");
	}
}

static bool check_device(struct kvm *kvm, GError **error)
{
	int version = kvm_ioctl(kvm->device, KVM_GET_API_VERSION, NULL);

	if (version != API_VERSION)
		return fail(error, VITRINE_ERROR_HOST,
			"/dev/kvm is no KVM device of API version %d; load the module kvm_intel or "
			"kvm_amd, which makes one",
			API_VERSION);
	for (size_t i = 0; i < G_N_ELEMENTS(required); i++)
		if (kvm_ioctl(kvm->device, KVM_CHECK_EXTENSION,
			    GINT_TO_POINTER(required[i].capability)) <= 0)
			return fail(error, VITRINE_ERROR_HOST,
				"/dev/kvm: this kernel's KVM lacks %s; Linux 5.10 or newer has it",
				required[i].name);
	kvm->run_size = kvm_ioctl(kvm->device, KVM_GET_VCPU_MMAP_SIZE, NULL);
	return true;
}

static bool read_tables(struct kvm *kvm, GError **error)
{
	struct kvm_msr_list probe = { 0 };

	kvm->cpuid =
		g_malloc0(sizeof(*kvm->cpuid) + CPUID_ENTRIES * sizeof(kvm->cpuid->entries[0]));
	kvm->cpuid->nent = CPUID_ENTRIES;
	if (kvm_ioctl(kvm->device, KVM_GET_SUPPORTED_CPUID, kvm->cpuid) < 0)
		return fail_errno(
			error, VITRINE_ERROR_HOST, "/dev/kvm: cannot read the CPU's features");

	kvm_ioctl(kvm->device, KVM_GET_MSR_INDEX_LIST, &probe);
	kvm->msrs = g_malloc0(sizeof(probe) + probe.nmsrs * sizeof(uint32_t));
	kvm->msrs->nmsrs = probe.nmsrs;
	if (kvm_ioctl(kvm->device, KVM_GET_MSR_INDEX_LIST, kvm->msrs) < 0)
		return fail_errno(
			error, VITRINE_ERROR_HOST, "/dev/kvm: cannot read the list of MSRs");
	return true;
}

static bool create_vm(struct kvm *kvm, GError **error)
{
	struct kvm_enable_cap manual = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args[0] = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE,
	};
	uint64_t identity_map = IDENTITY_MAP_ADDRESS;

	kvm->vm = kvm_ioctl(kvm->device, KVM_CREATE_VM, NULL);
	if (kvm->vm < 0)
		return fail_errno(
			error, VITRINE_ERROR_HOST, "/dev/kvm: cannot create a virtual machine");
	if (kvm_ioctl(kvm->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0 ||
		kvm_ioctl(kvm->vm, KVM_SET_TSS_ADDR, (void *)(uintptr_t)TSS_ADDRESS) < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "KVM refuses its own pages");
	kvm->manual_dirty_log = kvm_ioctl(kvm->vm, KVM_ENABLE_CAP, &manual) == 0;
	return true;
}

bool kvm_create_chips(struct kvm *kvm, GError **error)
{
	/* The port of the PC speaker is the kernel's as well. */
	struct kvm_pit_config timer = { .flags = KVM_PIT_SPEAKER_DUMMY };

	if (kvm_ioctl(kvm->vm, KVM_CREATE_IRQCHIP, NULL) < 0 ||
		kvm_ioctl(kvm->vm, KVM_CREATE_PIT2, &timer) < 0 || !kvm_route_lines(kvm))
		return fail_errno(
			error, VITRINE_ERROR_HOST, "KVM gives no interrupt controller or timer");
	for (unsigned i = 0; i < G_N_ELEMENTS(kvm->chips); i++) {
		kvm->chips[i].chip_id = i;
		kvm_ioctl(kvm->vm, KVM_GET_IRQCHIP, &kvm->chips[i]);
	}
	kvm_ioctl(kvm->vm, KVM_GET_PIT2, &kvm->timer);
	return true;
}

struct kvm *kvm_new(GError **error)
{
	struct kvm *kvm = g_new0(struct kvm, 1);

	kvm->device = kvm->vm = -1;
	g_mutex_init(&kvm->messages_lock);
	if (open_device(kvm, error) && check_device(kvm, error) && read_tables(kvm, error) &&
		create_vm(kvm, error))
		return kvm;
	kvm_free(kvm);
	return NULL;
}

void kvm_free(struct kvm *kvm)
{
	if (kvm->vm >= 0)
		close(kvm->vm);
	if (kvm->device >= 0)
		close(kvm->device);
	g_free(kvm->cpuid);
	g_free(kvm->msrs);
	g_mutex_clear(&kvm->messages_lock);
	g_free(kvm);
}

bool kvm_set_slot(struct kvm *kvm, uint32_t slot, uint32_t flags, uint64_t address, uint64_t size,
	void *bytes)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = address,
		.memory_size = size,
		.userspace_addr = (uintptr_t)bytes,
	};

	return kvm_ioctl(kvm->vm, KVM_SET_USER_MEMORY_REGION, &region) == 0;
}

bool kvm_dirty_log(struct kvm *kvm, uint32_t slot, void *bitmap)
{
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = bitmap };

	return kvm_ioctl(kvm->vm, KVM_GET_DIRTY_LOG, &log) == 0;
}

bool kvm_clear_dirty_log(
	struct kvm *kvm, uint32_t slot, uint64_t first, uint32_t count, void *bitmap)
{
	struct kvm_clear_dirty_log clear = {
		.slot = slot,
		.first_page = first,
		.num_pages = count,
		.dirty_bitmap = bitmap,
	};

	return kvm_ioctl(kvm->vm, KVM_CLEAR_DIRTY_LOG, &clear) == 0;
}

void kvm_set_irq(struct kvm *kvm, unsigned gsi, bool level)
{
	struct kvm_irq_level line = { .irq = gsi, .level = level };

	kvm_ioctl(kvm->vm, KVM_IRQ_LINE, &line);
}

void kvm_pit_set_legacy(struct kvm *kvm, bool on)
{
	struct kvm_pit_state2 timer;

	if (kvm_ioctl(kvm->vm, KVM_GET_PIT2, &timer) < 0)
		return;
	timer.flags =
		(timer.flags & ~KVM_PIT_FLAGS_HPET_LEGACY) | (on ? KVM_PIT_FLAGS_HPET_LEGACY : 0);
	kvm_ioctl(kvm->vm, KVM_SET_PIT2, &timer);
}

void kvm_signal_msi(struct kvm *kvm, uint64_t address, uint32_t data)
{
	struct kvm_msi msi = {
		.address_lo = (uint32_t)address,
		.address_hi = (uint32_t)(address >> 32),
		.data = data,
	};

	kvm_ioctl(kvm->vm, KVM_SIGNAL_MSI, &msi);
}

bool kvm_ioeventfd(struct kvm *kvm, uint64_t address, uint32_t size, int fd, bool assign)
{
	struct kvm_ioeventfd event = {
		.addr = address,
		.len = size,
		.fd = fd,
		.flags = assign ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN,
	};

	return kvm_ioctl(kvm->vm, KVM_IOEVENTFD, &event) == 0;
}

void kvm_reset_chips(struct kvm *kvm)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(kvm->chips); i++)
		kvm_ioctl(kvm->vm, KVM_SET_IRQCHIP, &kvm->chips[i]);
	kvm_ioctl(kvm->vm, KVM_SET_PIT2, &kvm->timer);
}
