/* The guest's memory map, in the form of "etc/e820": entries of address, length and type.
 *
 * Specification: ACPI 6.4, section 15.1 (types); QEMU's etc/e820.
 */
#include "vmm/firmware/e820.h"

#include "base/checked.h"
#include "base/writer.h"

enum e820_type {
	E820_RAM = 1,
	E820_RESERVED = 2,
};

enum {
	KVM_PAGES = 0xfeffc000, /* identity map and task state segment, see vmm/kvm/kvm.c */
	KVM_PAGES_SIZE = 0x4000,
};

static void entry(GByteArray *out, uint64_t address, uint64_t length, enum e820_type type)
{
	if (length == 0)
		return;
	write_le64(out, address);
	write_le64(out, length);
	write_le32(out, type);
}

void e820_build(uint64_t low, uint64_t high, GByteArray *out)
{
	entry(out, KVM_PAGES, KVM_PAGES_SIZE, E820_RESERVED);
	entry(out, 0, low, E820_RAM);
	entry(out, (uint64_t)4 * GiB, high, E820_RAM);
}
