/* What a driver may ask of a virtio-gpu, as requests that are nearly right: the core alone, over a small guest memory. Viewers
 * look and wish meanwhile.
 *
 * A step is a byte that says what, then its arguments. Small numbers are taken as they are, so that ids, rectangles and places
 * often fit each other; an argument that begins with 0xff is any 32 bit number. */
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "display/devices/virtio-gpu.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum {
	RAM_BYTES = 1 << 16,
	STEPS_MAX = 300,
	ARGUMENTS_MAX = 40,
	ANY_NUMBER = 0xff,
	STEP_RESET = 0x20,
	STEP_WISH,
	STEP_LOOK,
	STEP_WRITE,
	STEP_CONFIG,
	STEP_RAW,
};

struct fuzz {
	GMutex lock;
	struct display *display;
	struct virtio_gpu *gpu;
	uint8_t ram[RAM_BYTES];
	uint8_t seen; /* of pictures */
};

struct bytes {
	const uint8_t *bytes;
	size_t length;
};

static void *pointer(void *owner, uint64_t address, size_t length)
{
	struct fuzz *fuzz = owner;

	return address <= RAM_BYTES && length <= RAM_BYTES - address ? fuzz->ram + address : NULL;
}

static void config_changed(void *owner)
{
}

static const struct virtio_gpu_ops ops = {
	.memory = { .pointer = pointer },
	.config_changed = config_changed,
};

static size_t read_bytes(const void *owner, size_t offset, void *to, size_t length)
{
	const struct bytes *request = owner;
	size_t now = offset < request->length ? MIN(length, request->length - offset) : 0;

	if (now > 0)
		memcpy(to, request->bytes + offset, now);
	return now;
}

static void ask(struct fuzz *fuzz, const uint8_t *bytes, size_t length, bool cursor)
{
	struct bytes owner = { bytes, length };
	struct virtio_gpu_request request = { read_bytes, &owner };
	struct gpu_answer answer;

	g_mutex_lock(&fuzz->lock);
	if (cursor)
		virtio_gpu_cursor(fuzz->gpu, &request, &answer);
	else
		virtio_gpu_control(fuzz->gpu, ~UINT64_C(0), &request, &answer);
	g_mutex_unlock(&fuzz->lock);
	if (answer.length < GPU_HEADER_BYTES || answer.length > sizeof(answer.bytes))
		abort();
}

static uint32_t argument(struct reader *in)
{
	uint8_t small = reader_u8(in);

	return small == ANY_NUMBER ? reader_le32(in) : small;
}

/* @what: 0..15 are the requests from GET_DISPLAY_INFO on, 16 and 17 those of the cursor. */
static void ask_nearly(struct fuzz *fuzz, uint8_t what, struct reader *in)
{
	uint32_t words[6 + ARGUMENTS_MAX] = { 0 };
	unsigned count = reader_u8(in) % ARGUMENTS_MAX;
	bool cursor = what >= 16;

	words[0] = GUINT32_TO_LE(
		cursor ? GPU_UPDATE_CURSOR + what - 16u : GPU_GET_DISPLAY_INFO + (uint32_t)what);
	words[1] = count & GPU_FLAG_FENCE;
	for (unsigned i = 0; i < count; i++)
		words[6 + i] = GUINT32_TO_LE(argument(in));
	ask(fuzz, (const uint8_t *)words, (6 + count) * sizeof(*words), cursor);
}

static void look(struct fuzz *fuzz)
{
	for (guint i = 0; i < display_head_count(fuzz->display); i++) {
		struct video_memory *memory;
		struct scanout scanout;

		if (!head_picture(display_head(fuzz->display, i), &memory, &scanout))
			continue;
		for (uint32_t row = 0; row < scanout.height; row++)
			fuzz->seen += video_memory_bytes(
				memory)[scanout.offset + (uint64_t)row * scanout.stride +
					scanout.width * 4 - 1];
		video_memory_unref(memory);
	}
}

static void wish(struct fuzz *fuzz, struct reader *in)
{
	struct head_ui_info info = {
		.width = argument(in) % (SCANOUT_MAX_WIDTH + 1),
		.height = argument(in) % (SCANOUT_MAX_HEIGHT + 1),
	};

	info.x_offset = argument(in);
	info.width_mm = argument(in);
	head_set_ui_info(display_head(fuzz->display, info.width_mm % 3), &info);
}

static void reset(struct fuzz *fuzz)
{
	g_mutex_lock(&fuzz->lock);
	virtio_gpu_reset(fuzz->gpu);
	if (virtio_gpu_memory_used(fuzz->gpu) != 0)
		abort();
	g_mutex_unlock(&fuzz->lock);
}

static void step(struct fuzz *fuzz, struct reader *in)
{
	uint8_t what = reader_u8(in), bytes[128];
	uint16_t at;

	if (what < 18) {
		ask_nearly(fuzz, what, in);
		return;
	}
	switch (what) {
	case STEP_RESET:
		reset(fuzz);
		break;
	case STEP_WISH:
		wish(fuzz, in);
		break;
	case STEP_LOOK:
		look(fuzz);
		break;
	case STEP_WRITE:
		at = reader_le16(in);
		fuzz->ram[at] = reader_u8(in);
		break;
	case STEP_CONFIG:
		reader_copy(in, bytes, 4);
		virtio_gpu_config_write(fuzz->gpu, bytes[0] % 13, bytes, 4);
		virtio_gpu_config_read(fuzz->gpu, bytes);
		break;
	case STEP_RAW:
		at = MIN(reader_u8(in), reader_left(in));
		at = MIN(at, sizeof(bytes));
		reader_copy(in, bytes, at);
		ask(fuzz, bytes, at, at & 1);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz *fuzz = g_new0(struct fuzz, 1);
	struct reader in = reader_from(bytes, length);
	struct virtio_gpu_config config = {
		.label = "gpu",
		.device_address = "pci/0000/01.0",
		.scanouts = 3,
		.width = 640,
		.height = 480,
		.memory_limit = 1 << 20,
		.ops = &ops,
		.owner = fuzz,
	};

	g_mutex_init(&fuzz->lock);
	fuzz->display = display_new(&fuzz->lock);
	fuzz->gpu = virtio_gpu_new(fuzz->display, &config);
	for (unsigned i = 0; i < STEPS_MAX && reader_left(&in) > 0; i++)
		step(fuzz, &in);
	reset(fuzz);
	virtio_gpu_free(fuzz->gpu);
	display_free(fuzz->display);
	g_mutex_clear(&fuzz->lock);
	g_free(fuzz);
	return 0;
}
