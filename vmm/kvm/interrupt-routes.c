/* Where interrupts go. The kernel takes the whole table at once, so it is kept here. */
#include "vmm/kvm/interrupt-routes.h"

enum {
	IOAPIC_PINS = 24,
	PIC_PINS = 8, /* of each of the two */
	FIRST_MESSAGE = IOAPIC_PINS,
	ENTRIES_MAX = 2 * IOAPIC_PINS + KVM_MESSAGES_MAX,
};

/* Lines 0 to 15 reach both kinds of controllers, but that the timer (0) comes in at pin 2 of the I/O APIC, as ACPI's override
 * says, and the PIC's cascade (2) goes nowhere; 16 to 23 the I/O APIC alone. */
static void add_lines(struct kvm_irq_routing *table)
{
	for (uint32_t gsi = 0; gsi < IOAPIC_PINS; gsi++) {
		struct kvm_irq_routing_entry entry = { .gsi = gsi,
			.type = KVM_IRQ_ROUTING_IRQCHIP };

		if (gsi < 2 * PIC_PINS) {
			entry.u.irqchip.irqchip =
				gsi < PIC_PINS ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
			entry.u.irqchip.pin = gsi % PIC_PINS;
			table->entries[table->nr++] = entry;
		}
		if (gsi != 2) {
			entry.u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
			entry.u.irqchip.pin = gsi == 0 ? 2 : gsi;
			table->entries[table->nr++] = entry;
		}
	}
}

static void add_messages(struct kvm_irq_routing *table, const struct kvm *kvm)
{
	for (unsigned i = 0; i < KVM_MESSAGES_MAX; i++) {
		const struct kvm_message *message = &kvm->messages[i];

		if (!message->used)
			continue;
		table->entries[table->nr++] = (struct kvm_irq_routing_entry) {
			.gsi = FIRST_MESSAGE + i,
			.type = KVM_IRQ_ROUTING_MSI,
			.u.msi.address_lo = message->address,
			.u.msi.address_hi = message->address >> 32,
			.u.msi.data = message->data,
		};
	}
}

/* With the lock. */
static bool set_table(struct kvm *kvm)
{
	g_autofree struct kvm_irq_routing *table =
		g_malloc0(sizeof(*table) + ENTRIES_MAX * sizeof(struct kvm_irq_routing_entry));

	add_lines(table);
	add_messages(table, kvm);
	return kvm_ioctl(kvm->vm, KVM_SET_GSI_ROUTING, table) == 0;
}

static bool set_descriptor(struct kvm *kvm, int message, int fd, uint32_t flags)
{
	struct kvm_irqfd irqfd = { .fd = fd, .gsi = FIRST_MESSAGE + message, .flags = flags };

	return kvm_ioctl(kvm->vm, KVM_IRQFD, &irqfd) == 0;
}

bool kvm_route_lines(struct kvm *kvm)
{
	bool done;

	g_mutex_lock(&kvm->messages_lock);
	done = set_table(kvm);
	g_mutex_unlock(&kvm->messages_lock);
	return done;
}

static int free_message(const struct kvm *kvm)
{
	for (int i = 0; i < KVM_MESSAGES_MAX; i++)
		if (!kvm->messages[i].used)
			return i;
	return KVM_NO_MESSAGE;
}

int kvm_link_message(struct kvm *kvm, int fd, uint64_t address, uint32_t data)
{
	int message;

	g_mutex_lock(&kvm->messages_lock);
	message = free_message(kvm);
	if (message != KVM_NO_MESSAGE) {
		kvm->messages[message] = (struct kvm_message) { true, address, data };
		if (!set_table(kvm) || !set_descriptor(kvm, message, fd, 0)) {
			kvm->messages[message].used = false;
			message = KVM_NO_MESSAGE;
		}
	}
	g_mutex_unlock(&kvm->messages_lock);
	return message;
}

/* The table loses the entry when it is set next: without a descriptor nothing sends it. */
void kvm_unlink_message(struct kvm *kvm, int message, int fd)
{
	g_mutex_lock(&kvm->messages_lock);
	set_descriptor(kvm, message, fd, KVM_IRQFD_FLAG_DEASSIGN);
	kvm->messages[message].used = false;
	g_mutex_unlock(&kvm->messages_lock);
}
