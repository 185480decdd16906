/* Accesses that leave the guest: a port, a register in memory, and a virtio notification.
 *
 * Specification: virtio 1.2 sections 3.1 and 4.1 for the last.
 */
#include "exits.h"

#include "calls.h"
#include "pci.h"

enum {
	CLOCK_DATA = 0x71,
	EVENT_TIMER = 0xfed00000,
	TIMER_CAPABILITIES = 0x000,
	TIMER_COUNTER = 0x0f0,
	NOTHING = -1,

	ENTROPY_ID = 0x10441af4,
	ENTROPY_CLASS = 0x00ff,
	BAR_4 = 0x20,
	FEATURE_SELECT = 0x08,
	FEATURES = 0x0c,
	STATUS = 0x14,
	QUEUE_SIZE = 0x18,
	QUEUE_ENABLE = 0x1c,
	QUEUE_DESCRIPTORS = 0x20,
	QUEUE_DRIVER = 0x28,
	QUEUE_DEVICE = 0x30,
	NOTIFY = 0x3000,
	STATUS_DRIVER = 3,
	STATUS_FEATURES = 11,
	STATUS_READY = 15,
	VERSION_1 = 1,
	ENTRIES = 8,
	PCI_COMMAND_MASTER = 1 << 2,
};

static struct {
	_Alignas(4096) uint8_t descriptors[ENTRIES * 16];
	_Alignas(4096) uint8_t driver[4096], device[4096];
} rings;

bool exits_port(uint32_t count)
{
	while (count-- > 0)
		in8(CLOCK_DATA);
	return true;
}

bool exits_memory(uint32_t count)
{
	const volatile uint32_t *timer = (const volatile uint32_t *)(uintptr_t)EVENT_TIMER;

	if (timer[TIMER_CAPABILITIES / 4] == (uint32_t)NOTHING)
		return false;
	while (count-- > 0)
		(void)timer[TIMER_COUNTER / 4];
	return true;
}

static void set32(uint32_t base, uint32_t at, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)(base + at) = value;
}

static void set16(uint32_t base, uint32_t at, uint16_t value)
{
	*(volatile uint16_t *)(uintptr_t)(base + at) = value;
}

static void set8(uint32_t base, uint32_t at, uint8_t value)
{
	*(volatile uint8_t *)(uintptr_t)(base + at) = value;
}

static void set_address(uint32_t base, uint32_t at, const void *to)
{
	set32(base, at, (uint32_t)(uintptr_t)to);
	set32(base, at + 4, 0);
}

/* A driver that is ready, with one queue in which nothing ever is. */
static uint32_t start_entropy(void)
{
	struct pci_function at;
	uint32_t base;

	if (!pci_find(ENTROPY_ID, ENTROPY_CLASS, &at))
		return 0;
	pci_write(at, PCI_COMMAND,
		pci_read(at, PCI_COMMAND) | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	base = pci_bar_address(at, BAR_4);
	if (base == 0)
		return 0;
	set8(base, STATUS, 0);
	set8(base, STATUS, STATUS_DRIVER);
	set32(base, FEATURE_SELECT, 1);
	set32(base, FEATURES, VERSION_1);
	set8(base, STATUS, STATUS_FEATURES);
	set16(base, QUEUE_SIZE, ENTRIES);
	set_address(base, QUEUE_DESCRIPTORS, rings.descriptors);
	set_address(base, QUEUE_DRIVER, rings.driver);
	set_address(base, QUEUE_DEVICE, rings.device);
	set16(base, QUEUE_ENABLE, 1);
	set8(base, STATUS, STATUS_READY);
	return base;
}

bool exits_notify(uint32_t count)
{
	uint32_t base = start_entropy();

	if (base == 0)
		return false;
	while (count-- > 0)
		set16(base, NOTIFY, 0);
	return true;
}
