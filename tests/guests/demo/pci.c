/* PCI configuration space through ports 0xcf8 and 0xcfc.
 *
 * Specification: PCI Local Bus 3.0, sections 3.2.2.3.2 and 6.
 */
#include "pci.h"

#include "calls.h"

enum {
	CONFIG_ADDRESS = 0xcf8,
	CONFIG_DATA = 0xcfc,
	/* As far as buses are looked through: root ports count from the host bridge up. */
	BUSES = 8,
	BAR_64_BIT = 4,
};

static void select(struct pci_function at, uint8_t offset)
{
	out32(CONFIG_ADDRESS, 1u << 31 | (uint32_t)at.bus << 16 | (uint32_t)at.device << 11 |
				      (uint32_t)at.function << 8 | (offset & 0xfcu));
}

uint32_t pci_read(struct pci_function at, uint8_t offset)
{
	select(at, offset);
	return in32(CONFIG_DATA);
}

void pci_write(struct pci_function at, uint8_t offset, uint32_t value)
{
	select(at, offset);
	out32(CONFIG_DATA, value);
}

bool pci_find(uint32_t id, uint16_t class_code, struct pci_function *found)
{
	for (unsigned i = 0; i < BUSES * 256; i++) {
		struct pci_function at = { (uint8_t)(i >> 8), i >> 3 & 31, i & 7 };
		uint32_t here = pci_read(at, 0);

		if (here == 0xffffffff) {
			/* No function 0: no device, and an empty bus begins with a long row of
			 * these. */
			if (at.function == 0)
				i += 7;
			continue;
		}
		if (here == id && pci_read(at, PCI_CLASS_REVISION) >> 16 == class_code) {
			*found = at;
			return true;
		}
	}
	return false;
}

uint32_t pci_bar_address(struct pci_function at, uint8_t bar)
{
	uint32_t low = pci_read(at, bar);

	if (low & 1 || (low & BAR_64_BIT && pci_read(at, (uint8_t)(bar + 4)) != 0))
		return 0;
	return low & ~15u;
}
