/* The virtual machine as the kernel sees it: /dev/kvm, its VM, memory slots and interrupts.
 *
 * Specification: Linux Documentation/virt/kvm/api.rst; the section names here are its.
 */
#pragma once

#include <glib.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	KVM_MESSAGES_MAX = 256, /* that the kernel sends by itself */
};

/* See interrupt-routes.h. */
struct kvm_message {
	bool used;
	uint64_t address;
	uint32_t data;
};

struct kvm {
	int device; /* /dev/kvm */
	int vm;
	int run_size;                /* bytes of a vCPU's shared page(s) */
	bool manual_dirty_log;       /* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 */
	struct kvm_cpuid2 *cpuid;    /* what the host can give a guest */
	struct kvm_msr_list *msrs;   /* what a vCPU's state consists of */
	struct kvm_irqchip chips[3]; /* as they are at power-on */
	struct kvm_pit_state2 timer; /* likewise */
	GMutex messages_lock;        /* a leaf */
	struct kvm_message messages[KVM_MESSAGES_MAX];
};

/* Opens /dev/kvm and makes a VM with interrupt controllers and timer. The error says what the host lacks and what to do. */
struct kvm *kvm_new(GError **error);
void kvm_free(struct kvm *kvm);

/* Interrupt controllers and timer, before the first processor. Better after RAM has been mapped: with them in place the
 * kernel waits several milliseconds for each memory slot. */
bool kvm_create_chips(struct kvm *kvm, GError **error);

/* ioctl() that goes on after a signal; -1 with errno. */
int kvm_ioctl(int fd, unsigned long request, void *argument);

bool kvm_set_slot(struct kvm *kvm, uint32_t slot, uint32_t flags, uint64_t address, uint64_t size,
	void *bytes);

/* Dirty bits of a slot, one bit a 4 KiB page of the whole slot. Without manual protection this clears them as well. */
bool kvm_dirty_log(struct kvm *kvm, uint32_t slot, void *bitmap);
/* Write-protects again what @bitmap names; @first and @count in pages, multiples of 64 (or up to the slot's end). */
bool kvm_clear_dirty_log(
	struct kvm *kvm, uint32_t slot, uint64_t first, uint32_t count, void *bitmap);

void kvm_set_irq(struct kvm *kvm, unsigned gsi, bool level);
/* Whether the HPET has taken the place of the timer on IRQ 0. */
void kvm_pit_set_legacy(struct kvm *kvm, bool on);
/* Any thread. */
void kvm_signal_msi(struct kvm *kvm, uint64_t address, uint32_t data);

/* Whether @fd is written instead of an exit when the guest writes @size bytes (0: any) at a memory-mapped @address. */
bool kvm_ioeventfd(struct kvm *kvm, uint64_t address, uint32_t size, int fd, bool assign);

/* Interrupt controllers and timer as at power-on. With all vCPUs parked. */
void kvm_reset_chips(struct kvm *kvm);
