/* What a guest may do to the source of random numbers. */
#include "tests/fuzz/virtio-fuzz.h"
#include "vmm/virtio/virtio-rng.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const char *const properties[] = { "packed", "on", NULL };
	struct virtio_fuzz fuzz = { 0 };

	virtio_fuzz_run(&fuzz, &virtio_rng_class, properties, NULL, NULL, bytes, length);
	return 0;
}
