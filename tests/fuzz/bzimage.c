/* Any bytes as a kernel image; what is taken must keep its promises. */
#include <stdlib.h>

#include "vmm/firmware/bzimage.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct bzimage image;

	if (!bzimage_parse(bytes, length, &image, NULL))
		return 0;
	if ((uint64_t)image.setup_size + image.kernel_size != length || image.kernel_size == 0 ||
		image.setup_size > 64 << 10 ||
		image.memory_end < (uint64_t)BZIMAGE_LOAD_ADDRESS + image.kernel_size)
		abort();
	return 0;
}
