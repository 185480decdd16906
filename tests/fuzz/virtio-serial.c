/* What a guest may do to a bus of ports, while bytes come from the host. */
#include "tests/fuzz/virtio-fuzz.h"
#include "vmm/virtio/virtio-serial.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void prepare(struct virtio_fuzz *fuzz)
{
	static const char *const console[] = { "chardev", "char0", NULL };
	static const char *const port[] = { "chardev", "char1", "name", "org.test.0", NULL };

	virtio_machine_add(fuzz->vm, &virtconsole_class, "console", console, NULL);
	virtio_machine_add(fuzz->vm, &virtserialport_class, "port", port, NULL);
}

static void host(struct virtio_fuzz *fuzz, struct reader *in)
{
	struct fake_chardev *chardev = &fuzz->vm->chardevs[reader_u8(in) & 1];
	uint8_t what = reader_u8(in);

	if (what & 1)
		fake_chardev_send(chardev, "0123456789abcdef", what >> 4);
	else if (what & 2)
		fake_chardev_open(chardev, what & 4);
	else
		fake_chardev_drain(chardev, what);
	virtio_machine_settle(fuzz->vm);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const char *const properties[] = { "packed", "on", NULL };
	struct virtio_fuzz fuzz = { 0 };

	virtio_fuzz_run(&fuzz, &virtio_serial_class, properties, prepare, host, bytes, length);
	return 0;
}
