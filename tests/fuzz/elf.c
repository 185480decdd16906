/* Any bytes as an ELF kernel; what is taken must keep its promises. */
#include <stdlib.h>

#include "vmm/firmware/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct elf_kernel kernel;

	if (!elf_parse(bytes, length, &kernel, NULL))
		return 0;
	if (kernel.segment_count == 0 || kernel.segment_count > ELF_SEGMENTS_MAX ||
		kernel.entry < kernel.start || kernel.entry >= kernel.end ||
		kernel.end > (uint64_t)1 << 32)
		abort();
	for (unsigned i = 0; i < kernel.segment_count; i++) {
		const struct elf_segment *segment = &kernel.segments[i];

		if (segment->offset > length || segment->size > length - segment->offset ||
			segment->size > segment->memory_size || segment->address < kernel.start ||
			(uint64_t)segment->address + segment->memory_size > kernel.end)
			abort();
	}
	return 0;
}
