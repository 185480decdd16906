/* A driver of virtio-gpu. Specification: virtio 1.2 section 5.7.6. */
#include "tests/unit/virtio/gpu-driver.h"

#include <string.h>

#include "base/writer.h"

static void bring_up(struct gpu_driver *gpu, uint64_t features)
{
	g_assert_true(virtio_driver_negotiate(&gpu->driver, features));
	virtio_driver_queue(&gpu->driver, &gpu->control, GPU_CONTROL, 0);
	virtio_driver_queue(&gpu->driver, &gpu->cursor, GPU_CURSOR, 0);
	virtio_driver_ready(&gpu->driver);
	gpu->scratch = gpu->vm->next_free;
}

void gpu_driver_start(struct gpu_driver *gpu, const struct device_class *class,
	const char *const *properties, uint64_t features)
{
	struct device *device;

	memset(gpu, 0, sizeof(*gpu));
	gpu->vm = virtio_machine_new();
	device = virtio_machine_add(gpu->vm, class, "gpu", properties, NULL);
	g_assert_nonnull(device);
	gpu->driver = virtio_driver_bind(gpu->vm, device);
	bring_up(gpu, features);
}

void gpu_driver_restart(struct gpu_driver *gpu, uint64_t features)
{
	virtio_driver_reset(&gpu->driver);
	gpu->vm->next_free = 0x10000;
	bring_up(gpu, features);
}

void gpu_driver_end(struct gpu_driver *gpu)
{
	virtio_machine_free(gpu->vm);
}

/* --- requests --- */

static uint32_t ask(struct gpu_driver *gpu, struct driver_queue *queue, uint32_t type,
	const void *rest, size_t length)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	struct driver_piece pieces[2];

	write_le32(bytes, type);
	write_le32(bytes, gpu->flags);
	write_le64(bytes, gpu->fence);
	write_le32(bytes, gpu->context);
	write_u8(bytes, gpu->ring);
	write_zeroes(bytes, 3);
	write_bytes(bytes, rest, length);
	pieces[0] = (struct driver_piece) { bytes->data, bytes->len, false, 0 };
	pieces[1] = (struct driver_piece) { NULL, sizeof(gpu->answer), true, 0 };
	gpu->vm->next_free = gpu->scratch;
	gpu->answer_length = driver_queue_do(queue, pieces, 2);
	memcpy(gpu->answer, driver_piece_bytes(queue, &pieces[1]), sizeof(gpu->answer));
	return gpu_answer_word(gpu, 0);
}

uint32_t gpu_request(struct gpu_driver *gpu, uint32_t type, GByteArray *rest)
{
	return ask(gpu, &gpu->control, type, rest->data, rest->len);
}

uint32_t gpu_request_words(
	struct gpu_driver *gpu, uint32_t type, const uint32_t *words, unsigned count)
{
	return ask(gpu, &gpu->control, type, words, count * sizeof(*words));
}

uint32_t gpu_create(
	struct gpu_driver *gpu, uint32_t id, uint32_t format, uint32_t width, uint32_t height)
{
	return GPU_DO(gpu, GPU_RESOURCE_CREATE_2D, id, format, width, height);
}

uint32_t gpu_unref(struct gpu_driver *gpu, uint32_t id)
{
	return GPU_DO(gpu, GPU_RESOURCE_UNREF, id, 0);
}

uint32_t gpu_attach(struct gpu_driver *gpu, uint32_t id, uint64_t address, uint32_t length)
{
	return GPU_DO(gpu, GPU_RESOURCE_ATTACH_BACKING, id, 1, address, address >> 32, length, 0);
}

uint32_t gpu_attach_pieces(
	struct gpu_driver *gpu, uint32_t id, uint64_t address, uint32_t length, uint32_t pieces)
{
	g_autoptr(GByteArray) rest = g_byte_array_new();

	write_le32(rest, id);
	write_le32(rest, pieces);
	for (uint32_t i = 0; i < pieces; i++) {
		write_le64(rest, address + 2ull * i * length);
		write_le32(rest, length);
		write_le32(rest, 0);
	}
	return gpu_request(gpu, GPU_RESOURCE_ATTACH_BACKING, rest);
}

uint32_t gpu_detach(struct gpu_driver *gpu, uint32_t id)
{
	return GPU_DO(gpu, GPU_RESOURCE_DETACH_BACKING, id, 0);
}

uint32_t gpu_transfer(
	struct gpu_driver *gpu, uint32_t id, const struct gpu_rectangle *area, uint64_t offset)
{
	return GPU_DO(gpu, GPU_TRANSFER_TO_HOST_2D, area->x, area->y, area->width, area->height,
		offset, offset >> 32, id, 0);
}

uint32_t gpu_flush(struct gpu_driver *gpu, uint32_t id, const struct gpu_rectangle *area)
{
	return GPU_DO(gpu, GPU_RESOURCE_FLUSH, area->x, area->y, area->width, area->height, id, 0);
}

uint32_t gpu_set_scanout(
	struct gpu_driver *gpu, uint32_t scanout, uint32_t id, const struct gpu_rectangle *area)
{
	return GPU_DO(
		gpu, GPU_SET_SCANOUT, area->x, area->y, area->width, area->height, scanout, id);
}

uint32_t gpu_create_blob(
	struct gpu_driver *gpu, uint32_t id, uint64_t size, uint64_t address, uint32_t length)
{
	return GPU_DO(gpu, GPU_RESOURCE_CREATE_BLOB, id, GPU_BLOB_GUEST, GPU_BLOB_SHAREABLE, 1, 0,
		0, size, size >> 32, address, address >> 32, length, 0);
}

uint32_t gpu_set_scanout_blob(struct gpu_driver *gpu, uint32_t scanout, uint32_t id,
	const struct gpu_rectangle *area, const uint32_t size[2], uint32_t stride, uint32_t offset)
{
	return GPU_DO(gpu, GPU_SET_SCANOUT_BLOB, area->x, area->y, area->width, area->height,
		scanout, id, size[0], size[1], GPU_FORMAT_BGRX, 0, stride, 0, 0, 0, offset, 0, 0,
		0);
}

uint32_t gpu_cursor_request(struct gpu_driver *gpu, uint32_t type, uint32_t scanout, int32_t x,
	int32_t y, uint32_t id, uint32_t hot_x, uint32_t hot_y)
{
	const uint32_t words[] = { scanout, x, y, 0, id, hot_x, hot_y, 0 };

	return ask(gpu, &gpu->cursor, type, words, sizeof(words));
}

/* --- what came of it --- */

uint32_t gpu_answer_word(const struct gpu_driver *gpu, size_t offset)
{
	uint32_t word;

	memcpy(&word, gpu->answer + offset, sizeof(word));
	return GUINT32_FROM_LE(word);
}

uint32_t gpu_config_word(const struct gpu_driver *gpu, size_t offset)
{
	return virtio_driver_read(&gpu->driver, REG_CONFIG + offset, 4);
}

bool gpu_head_shows(
	struct gpu_driver *gpu, unsigned index, uint32_t *width, uint32_t *height, uint32_t *pixel)
{
	struct video_memory *memory;
	struct scanout scanout;

	if (!head_picture(display_head(gpu->vm->machine.display, index), &memory, &scanout))
		return false;
	*width = scanout.width;
	*height = scanout.height;
	memcpy(pixel, video_memory_bytes(memory) + scanout.offset, sizeof(*pixel));
	video_memory_unref(memory);
	return true;
}
