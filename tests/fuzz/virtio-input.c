/* What a guest may do to keyboard and touch screen, while a user uses them. */
#include "tests/fuzz/virtio-fuzz.h"
#include "vmm/virtio/virtio-input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void host(struct virtio_fuzz *fuzz, struct reader *in)
{
	uint8_t what = reader_u8(in), key = reader_u8(in);

	display_key(fuzz->vm->machine.display, key, what & 1);
	display_pointer_motion(fuzz->vm->machine.display, what, key);
	display_pointer_button(fuzz->vm->machine.display, key % INPUT_BUTTONS, what & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct device_class *const classes[] = { &virtio_keyboard_class,
		&virtio_mouse_class, &virtio_tablet_class, &virtio_multitouch_class };
	static const char *const properties[] = { "packed", "on", "serial", "1", NULL };
	struct virtio_fuzz fuzz = { 0 };

	if (length > 0)
		virtio_fuzz_run(&fuzz, classes[bytes[0] % 4], properties, NULL, host, bytes + 1,
			length - 1);
	return 0;
}
