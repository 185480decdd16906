/* What a guest may do to the registers and queues of virtio-gpu-pci and virtio-vga, while somebody looks and wishes. What the
 * requests themselves may be is for virtio-gpu-commands. */
#include "display/head.h"
#include "tests/fuzz/virtio-fuzz.h"
#include "vmm/display/virtio-gpu-pci.h"
#include "vmm/display/virtio-vga.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void host(struct virtio_fuzz *fuzz, struct reader *in)
{
	struct head *head = display_head(fuzz->vm->machine.display, reader_u8(in) % 2);
	struct head_ui_info info = {
		.width = reader_le16(in) % (SCANOUT_MAX_WIDTH + 1),
		.height = 600,
	};
	struct video_memory *memory;
	struct scanout scanout;

	head_set_ui_info(head, &info);
	if (head_picture(head, &memory, &scanout))
		video_memory_unref(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct device_class *const classes[] = { &virtio_gpu_pci_class,
		&virtio_vga_class };
	static const char *const properties[] = { "packed", "on", "max_outputs", "2", "blob", "on",
		"max_hostmem", "1M", NULL };
	struct virtio_fuzz fuzz = { 0 };

	if (length > 0)
		virtio_fuzz_run(&fuzz, classes[bytes[0] % 2], properties, NULL, host, bytes + 1,
			length - 1);
	return 0;
}
