/* What a driver may do to virtio-snd: any requests and buffers, in any pieces, while time goes by. */
#include <string.h>

#include "base/reader.h"
#include "tests/unit/virtio/virtio-driver.h"
#include "vmm/audio/virtio-snd.h"

enum step {
	STEP_CONTROL,
	STEP_KNOWN, /* a control request with a code that there is */
	STEP_SET,
	STEP_BUFFER,
	STEP_TIME,
	STEP_RESET,
	STEPS,
};

enum {
	QUEUES = 4,
	MILLISECOND = 1000000,
	REQUESTS_MAX = 200, /* RAM is not given back */
};

struct fuzz {
	struct virtio_machine *vm;
	struct virtio_driver driver;
	struct driver_queue queues[QUEUES];
	unsigned requests;
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void start(struct fuzz *f)
{
	virtio_driver_negotiate(&f->driver, 0);
	for (unsigned i = 0; i < QUEUES; i++)
		virtio_driver_queue(&f->driver, &f->queues[i], i, 0);
	virtio_driver_ready(&f->driver);
}

static void send(struct fuzz *f, unsigned queue, const void *bytes, size_t length, size_t readable,
	size_t writable)
{
	struct driver_piece pieces[3];
	unsigned count = 0;
	uint32_t written;
	uint16_t name;

	if (++f->requests > REQUESTS_MAX || f->queues[queue].free_count < 3)
		return;
	if (length > 0)
		pieces[count++] = (struct driver_piece) { .bytes = bytes, .length = length };
	if (readable > 0)
		pieces[count++] = (struct driver_piece) { .length = readable };
	if (writable > 0)
		pieces[count++] = (struct driver_piece) { .length = writable, .writable = true };
	if (count == 0)
		return;
	driver_queue_add(&f->queues[queue], pieces, count);
	driver_queue_kick(&f->queues[queue]);
	while (driver_queue_used(&f->queues[queue], &name, &written))
		;
}

static void pass_time(struct fuzz *f, unsigned milliseconds)
{
	g_mutex_lock(&f->vm->machine.lock);
	f->vm->machine.clock.behind -= (int64_t)milliseconds * MILLISECOND;
	f->driver.device->pci.device.class->set_running(&f->driver.device->pci.device, true);
	g_mutex_unlock(&f->vm->machine.lock);
	g_usleep(5000);
	virtio_machine_settle(f->vm);
}

static void run(struct fuzz *f, struct reader *in)
{
	static const uint32_t codes[] = { 1, 0x100, 0x101, 0x102, 0x103, 0x104, 0x105, 0x200 };
	uint32_t words[6] = { 0 };
	unsigned queue, length;

	switch (reader_u8(in) % STEPS) {
	case STEP_CONTROL:
		for (unsigned i = 0; i < 6; i++)
			words[i] = reader_u32(in);
		length = reader_u8(in) % 25;
		send(f, 0, words, length, 0, reader_u8(in));
		break;
	case STEP_KNOWN:
		words[0] = codes[reader_u8(in) % G_N_ELEMENTS(codes)];
		words[1] = reader_u8(in) % 3;
		words[2] = reader_u8(in) % 4;
		words[3] = reader_u8(in) % 2 ? 32 : 24;
		send(f, 0, words, 24, 0, 4 + reader_u8(in));
		break;
	case STEP_SET:
		words[0] = 0x101;
		words[1] = reader_u8(in) & 1;
		words[3] = 64;
		words[2] = words[3] * (1 + reader_u8(in) % 4);
		words[5] = reader_u32(in) & 0x0f1f03;
		send(f, 0, words, 24, 0, 4);
		break;
	case STEP_BUFFER:
		queue = 2 + (reader_u8(in) & 1);
		words[0] = reader_u8(in) & 3;
		length = reader_u16(in) & 0x7ff;
		send(f, queue, words, reader_u8(in) % 9, queue == 2 ? length : 0,
			queue == 2 ? reader_u8(in) & 15 : length);
		break;
	case STEP_TIME:
		pass_time(f, reader_u8(in));
		break;
	case STEP_RESET:
		virtio_driver_reset(&f->driver);
		start(f);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader in = reader_from(bytes, length);
	struct fuzz f = { .vm = virtio_machine_new() };
	unsigned steps = 0;

	f.driver = virtio_driver_bind(
		f.vm, virtio_machine_add(f.vm, &virtio_snd_class, NULL, NULL, NULL));
	start(&f);
	while (reader_left(&in) > 0 && !in.ran_out && ++steps < REQUESTS_MAX)
		run(&f, &in);
	virtio_machine_free(f.vm);
	return 0;
}
