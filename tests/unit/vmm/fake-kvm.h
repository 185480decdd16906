/* KVM as far as memory and PCI need it, without a kernel. */
#pragma once

#include "vmm/kvm/interrupt-routes.h"

struct fake_slot {
	uint32_t flags;
	uint64_t address, size;
};

struct fake_kvm {
	struct fake_slot slots[16];
	unsigned long dirty[4]; /* what the log of any slot says: 256 pages */
	unsigned cleared_pages;
	unsigned messages;
	uint64_t message_address;
	uint32_t message_data;
	bool pit_is_off;
	unsigned links; /* messages that the kernel would send by itself now */
	int link_fd;    /* of the latest one */
};

extern struct fake_kvm fake_kvm;
