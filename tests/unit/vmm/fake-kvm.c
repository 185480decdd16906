/* KVM as far as memory and PCI need it, without a kernel: slots are remembered, messages are counted. */
#include "tests/unit/vmm/fake-kvm.h"

#include <string.h>

struct fake_kvm fake_kvm;

bool kvm_set_slot(struct kvm *kvm, uint32_t slot, uint32_t flags, uint64_t address, uint64_t size,
	void *bytes)
{
	g_assert_cmpuint(slot, <, G_N_ELEMENTS(fake_kvm.slots));
	fake_kvm.slots[slot] = (struct fake_slot) { flags, address, size };
	return true;
}

bool kvm_dirty_log(struct kvm *kvm, uint32_t slot, void *bitmap)
{
	memcpy(bitmap, fake_kvm.dirty, sizeof(fake_kvm.dirty));
	return true;
}

bool kvm_clear_dirty_log(
	struct kvm *kvm, uint32_t slot, uint64_t first, uint32_t count, void *bitmap)
{
	const unsigned long *clear = bitmap;

	for (uint32_t i = 0; i < (count + 63) / 64; i++)
		fake_kvm.dirty[first / 64 + i] &= ~clear[i];
	fake_kvm.cleared_pages += count;
	return true;
}

void kvm_pit_set_legacy(struct kvm *kvm, bool on)
{
	fake_kvm.pit_is_off = on;
}

void kvm_signal_msi(struct kvm *kvm, uint64_t address, uint32_t data)
{
	fake_kvm.messages++;
	fake_kvm.message_address = address;
	fake_kvm.message_data = data;
}

/* There is never room for one: notifications arrive as writes to the BAR. */
bool kvm_ioeventfd(struct kvm *kvm, uint64_t address, uint32_t size, int fd, bool assign)
{
	return false;
}

int kvm_link_message(struct kvm *kvm, int fd, uint64_t address, uint32_t data)
{
	fake_kvm.links++;
	fake_kvm.link_fd = fd;
	fake_kvm.message_address = address;
	fake_kvm.message_data = data;
	return fd;
}

void kvm_unlink_message(struct kvm *kvm, int message, int fd)
{
	g_assert_cmpint(message, ==, fd);
	g_assert_cmpuint(fake_kvm.links, >, 0);
	fake_kvm.links--;
}
