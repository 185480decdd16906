/* What a guest may do to the balloon. */
#include "tests/fuzz/virtio-fuzz.h"
#include "vmm/virtio/virtio-balloon.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void host(struct virtio_fuzz *fuzz, struct reader *in)
{
	uint8_t what = reader_u8(in);

	g_mutex_lock(&fuzz->vm->machine.lock);
	if (what & 1)
		virtio_balloon_set_target(fuzz->device, (uint64_t)what << 16);
	else
		virtio_balloon_set_interval(fuzz->device, what);
	g_mutex_unlock(&fuzz->vm->machine.lock);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const char *const properties[] = { "packed", "on", "free-page-reporting", "on",
		NULL };
	struct virtio_fuzz fuzz = { 0 };

	virtio_fuzz_run(&fuzz, &virtio_balloon_class, properties, NULL, host, bytes, length);
	return 0;
}
