/* The scanouts of a virtio-gpu: which part of which resource each head shows, what of it changed, and the cursor.
 *
 * A 2D resource that is shown has video memory, and the head shows that. What was transferred is there when somebody looks. A blob is the guest's memory, page by page, of which a
 * consumer is never given more than the picture: it sees a copy, into which is fetched what was flushed, when somebody looks.
 * Specification: virtio 1.2 sections 5.7.6.8 and 5.7.6.10.
 */
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "display/devices/virtio-gpu-private.h"

enum {
	PAGE = 4096,
	COMPLAINTS_MAX = 8,
	STALE_MOST = 64, /* rectangles of a copy to be fetched; then they become one */
};

/* The specification names formats by the order of their bytes. A picture on a screen is opaque. */
static const struct {
	uint32_t format;
	pixman_format_code_t pixels, opaque;
} formats[] = {
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
	{ 1, PIXMAN_a8r8g8b8, PIXMAN_x8r8g8b8 },
	{ 2, PIXMAN_x8r8g8b8, PIXMAN_x8r8g8b8 },
	{ 3, PIXMAN_b8g8r8a8, PIXMAN_b8g8r8x8 },
	{ 4, PIXMAN_b8g8r8x8, PIXMAN_b8g8r8x8 },
	{ 67, PIXMAN_a8b8g8r8, PIXMAN_x8b8g8r8 },
	{ 68, PIXMAN_r8g8b8x8, PIXMAN_r8g8b8x8 },
	{ 121, PIXMAN_r8g8b8a8, PIXMAN_r8g8b8x8 },
	{ 134, PIXMAN_x8b8g8r8, PIXMAN_x8b8g8r8 },
#else
#error "formats are listed for little endian hosts"
#endif
};

static pixman_format_code_t pixels_of(uint32_t format, bool opaque)
{
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		if (formats[i].format == format)
			return opaque ? formats[i].opaque : formats[i].pixels;
	return PIXMAN_a8r8g8b8;
}

/* --- heads --- */

/* What was flushed of a blob, into its copy. */
static void fetch_blob(struct gpu_scanout *scanout)
{
	uint32_t stride = scanout->copy_scanout.stride;
	int count;
	pixman_box32_t *boxes = pixman_region32_rectangles(&scanout->stale, &count);

	for (int i = 0; i < count; i++) {
		struct gpu_rows rows = {
			.offset = scanout->source.offset +
				  (uint64_t)boxes[i].y1 * scanout->source.stride +
				  (uint64_t)boxes[i].x1 * GPU_PIXEL_BYTES,
			.rows = boxes[i].y2 - boxes[i].y1,
			.row_bytes = (boxes[i].x2 - boxes[i].x1) * GPU_PIXEL_BYTES,
			.stride = scanout->source.stride,
		};

		/* Without backing the picture stays as it was. */
		gpu_backing_read(scanout->resource, &rows,
			video_memory_bytes(scanout->copy) + (uint64_t)boxes[i].y1 * stride +
				(uint64_t)boxes[i].x1 * GPU_PIXEL_BYTES,
			stride);
	}
	pixman_region32_clear(&scanout->stale);
}

static void fetch(void *device)
{
	struct gpu_scanout *scanout = device;

	if (!scanout->resource)
		return;
	if (scanout->copy)
		fetch_blob(scanout);
	else
		gpu_resource_settle(scanout->resource);
}

static void legacy_refresh(void *device)
{
	struct virtio_gpu *gpu = ((struct gpu_scanout *)device)->gpu;

	gpu->legacy_ops->refresh(gpu->legacy);
}

static const struct head_ops native_ops = {
	.fetch = fetch,
	.set_ui_info = gpu_monitor_set_ui_info,
};

static const struct head_ops legacy_ops = {
	.refresh = legacy_refresh,
	.set_ui_info = gpu_monitor_set_ui_info,
};

void gpu_scanout_set_native(struct virtio_gpu *gpu, bool native)
{
	gpu->native = native;
	head_set_ops(gpu->scanouts[0].head, native || !gpu->legacy_ops ? &native_ops : &legacy_ops);
	if (gpu->legacy_ops)
		gpu->legacy_ops->set_shown(gpu->legacy, !native);
}

void gpu_scanout_init(struct gpu_scanout *scanout, struct virtio_gpu *gpu, unsigned index,
	const struct virtio_gpu_config *config)
{
	scanout->gpu = gpu;
	scanout->index = index;
	pixman_region32_init(&scanout->stale);
	gpu_monitor_init(scanout, config);
	scanout->head = head_new(gpu->display, &(struct head_config) {
						       .label = config->label,
						       .device_address = config->device_address,
						       .number = index,
						       .ops = &native_ops,
						       .device = scanout,
					       });
}

void gpu_scanout_finish(struct gpu_scanout *scanout)
{
	gpu_scanout_disable(scanout);
	head_free(scanout->head);
	gpu_monitor_finish(scanout);
	pixman_region32_fini(&scanout->stale);
}

void gpu_scanout_reset(struct gpu_scanout *scanout)
{
	gpu_scanout_disable(scanout);
	head_set_cursor(scanout->head, NULL);
	head_move_cursor(scanout->head, 0, 0, false);
}

static void drop_copy(struct gpu_scanout *scanout)
{
	gpu_resources_discharge(&scanout->gpu->resources, scanout->copy_charge);
	scanout->copy_charge = 0;
	g_clear_pointer(&scanout->copy, video_memory_unref);
	pixman_region32_clear(&scanout->stale);
}

static void let_go(struct gpu_scanout *scanout)
{
	if (scanout->resource)
		scanout->resource->scanouts &= ~(UINT32_C(1) << scanout->index);
	scanout->resource = NULL;
}

static void take(struct gpu_scanout *scanout, struct gpu_resource *resource,
	const struct gpu_rectangle *area)
{
	let_go(scanout);
	scanout->resource = resource;
	scanout->area = *area;
	resource->scanouts |= UINT32_C(1) << scanout->index;
	if (scanout->index == 0 && !scanout->gpu->native)
		gpu_scanout_set_native(scanout->gpu, true);
}

void gpu_scanout_disable(struct gpu_scanout *scanout)
{
	let_go(scanout);
	drop_copy(scanout);
	/* Until the driver shows something, head 0 may be somebody else's. */
	if (scanout->index != 0 || scanout->gpu->native)
		head_disable(scanout->head);
}

void gpu_scanouts_forget(struct virtio_gpu *gpu, const struct gpu_resource *resource)
{
	for (unsigned i = 0; i < gpu->scanout_count; i++)
		if (gpu->scanouts[i].resource == resource)
			gpu_scanout_disable(&gpu->scanouts[i]);
}

bool gpu_scanout_show(struct gpu_scanout *scanout, struct gpu_resource *resource,
	const struct gpu_rectangle *area)
{
	struct virtio_gpu *gpu = scanout->gpu;
	g_autoptr(GError) error = NULL;
	struct scanout picture = {
		.width = area->width,
		.height = area->height,
		.stride = resource->stride,
		.offset =
			(uint64_t)area->y * resource->stride + (uint64_t)area->x * GPU_PIXEL_BYTES,
		.format = pixels_of(resource->format, true),
	};

	/* Its contents, and perhaps those of one that has to make room for it. */
	if (!resource->memory)
		gpu->moved += 2 * resource->size;
	if (!gpu_resource_share(&gpu->resources, resource, &error)) {
		log_limited(&gpu->complaints, COMPLAINTS_MAX, "virtio-gpu: %s", error->message);
		return false;
	}
	drop_copy(scanout);
	take(scanout, resource, area);
	head_set_scanout(scanout->head, resource->memory, &picture);
	return true;
}

/* --- blobs --- */

/* Where the picture lies in the blob; false when some of it does not. */
static bool locate(const struct gpu_resource *resource, const struct gpu_command *command,
	struct gpu_rows *rows)
{
	uint64_t stride = command->strides[0], row_bytes, first, end;

	if (!gpu_format_known(command->format) || command->width > SCANOUT_MAX_WIDTH ||
		command->height > SCANOUT_MAX_HEIGHT ||
		!gpu_rectangle_inside(&command->area, command->width, command->height) ||
		!checked_multiply(command->width, GPU_PIXEL_BYTES, &row_bytes) ||
		stride < row_bytes || stride > SCANOUT_MAX_STRIDE)
		return false;
	first = command->offsets[0] + command->area.y * stride +
		(uint64_t)command->area.x * GPU_PIXEL_BYTES;
	*rows = (struct gpu_rows) {
		.offset = first,
		.rows = command->area.height,
		.row_bytes = command->area.width * GPU_PIXEL_BYTES,
		.stride = stride,
	};
	return picture_end(first, rows->rows, stride, rows->row_bytes, &end) &&
	       end <= resource->size;
}

/* Memory for the copy; what is there stays when it suits: most often the driver changes between two buffers. */
static bool make_copy(struct gpu_scanout *scanout, const struct scanout *picture)
{
	struct virtio_gpu *gpu = scanout->gpu;
	uint64_t bytes = (uint64_t)picture->stride * picture->height;
	g_autoptr(GError) error = NULL;

	if (scanout->copy && scanout_equal(&scanout->copy_scanout, picture))
		return true;
	drop_copy(scanout);
	bytes = (bytes + PAGE - 1) / PAGE * PAGE;
	if (!gpu_resources_charge(&gpu->resources, bytes))
		return false;
	scanout->copy = video_memory_new("virtio-gpu", bytes, &error);
	if (!scanout->copy) {
		gpu_resources_discharge(&gpu->resources, bytes);
		log_limited(&gpu->complaints, COMPLAINTS_MAX, "virtio-gpu: %s", error->message);
		return false;
	}
	scanout->copy_charge = bytes;
	scanout->copy_scanout = *picture;
	return true;
}

enum gpu_type gpu_scanout_show_blob(struct gpu_scanout *scanout, struct gpu_resource *resource,
	const struct gpu_command *command)
{
	struct gpu_rows rows;
	struct scanout picture;

	if (!locate(resource, command, &rows))
		return GPU_ERROR_INVALID_PARAMETER;
	picture = (struct scanout) {
		.width = command->area.width,
		.height = command->area.height,
		.stride = command->area.width * GPU_PIXEL_BYTES,
		.format = pixels_of(command->format, true),
	};
	if (!make_copy(scanout, &picture)) {
		gpu_scanout_disable(scanout);
		return GPU_ERROR_OUT_OF_MEMORY;
	}
	take(scanout, resource, &command->area);
	scanout->source = rows;
	head_set_scanout(scanout->head, scanout->copy, &picture);
	gpu_scanouts_damage(scanout->gpu, resource, &command->area);
	return GPU_OK_NODATA;
}

/* --- damage --- */

/* What of @area this scanout shows, in its own coordinates. */
static bool shown_part(
	const struct gpu_scanout *scanout, const struct gpu_rectangle *area, struct rectangle *part)
{
	const struct gpu_rectangle *shown = &scanout->area;
	int64_t left = MAX(area->x, shown->x), top = MAX(area->y, shown->y);
	int64_t right = MIN((int64_t)area->x + area->width, (int64_t)shown->x + shown->width);
	int64_t bottom = MIN((int64_t)area->y + area->height, (int64_t)shown->y + shown->height);

	if (left >= right || top >= bottom)
		return false;
	*part = (struct rectangle) { left - shown->x, top - shown->y, right - left, bottom - top };
	return true;
}

static void add_stale(struct gpu_scanout *scanout, const struct rectangle *part)
{
	pixman_region32_t *stale = &scanout->stale;

	if (pixman_region32_n_rects(stale) >= STALE_MOST) {
		pixman_box32_t all = *pixman_region32_extents(stale);

		pixman_region32_reset(stale, &all);
	}
	pixman_region32_union_rect(stale, stale, part->x, part->y, part->width, part->height);
}

void gpu_scanouts_damage(struct virtio_gpu *gpu, const struct gpu_resource *resource,
	const struct gpu_rectangle *area)
{
	for (unsigned i = 0; i < gpu->scanout_count; i++) {
		struct gpu_scanout *scanout = &gpu->scanouts[i];
		struct rectangle part;

		if (scanout->resource != resource || !shown_part(scanout, area, &part))
			continue;
		if (scanout->copy)
			add_stale(scanout, &part);
		head_damage(scanout->head, &part);
	}
}

/* --- cursors --- */

static bool read_image(struct gpu_resource *resource, uint32_t *pixels)
{
	struct gpu_rows rows = {
		.rows = VIRTIO_GPU_CURSOR_SIZE,
		.row_bytes = VIRTIO_GPU_CURSOR_SIZE * GPU_PIXEL_BYTES,
		.stride = VIRTIO_GPU_CURSOR_SIZE * GPU_PIXEL_BYTES,
	};

	if (resource->is_blob)
		return gpu_backing_read(resource, &rows, (uint8_t *)pixels, rows.stride);
	if (resource->width != VIRTIO_GPU_CURSOR_SIZE || resource->height != VIRTIO_GPU_CURSOR_SIZE)
		return false;
	gpu_resource_settle(resource);
	memcpy(pixels, resource->bytes, resource->size);
	return true;
}

static struct cursor *make_cursor(struct gpu_resource *resource, uint32_t hot_x, uint32_t hot_y)
{
	const int size = VIRTIO_GPU_CURSOR_SIZE, stride = size * GPU_PIXEL_BYTES;
	uint32_t pixels[VIRTIO_GPU_CURSOR_SIZE * VIRTIO_GPU_CURSOR_SIZE];
	struct cursor *cursor;
	pixman_image_t *from, *to;

	if (!read_image(resource, pixels))
		return NULL;
	cursor = cursor_new(size, size, hot_x, hot_y);
	from = pixman_image_create_bits(
		pixels_of(resource->format, false), size, size, pixels, stride);
	to = pixman_image_create_bits(PIXMAN_a8r8g8b8, size, size, cursor->pixels, stride);
	pixman_image_composite32(PIXMAN_OP_SRC, from, NULL, to, 0, 0, 0, 0, 0, 0, size, size);
	pixman_image_unref(from);
	pixman_image_unref(to);
	return cursor;
}

enum gpu_type gpu_cursor_run(struct virtio_gpu *gpu, const struct gpu_command *command)
{
	struct head *head;
	struct gpu_resource *resource;
	struct cursor *cursor;

	if (command->scanout >= gpu->scanout_count)
		return GPU_ERROR_INVALID_SCANOUT;
	head = gpu->scanouts[command->scanout].head;
	if (command->header.type == GPU_UPDATE_CURSOR && command->resource == 0) {
		head_set_cursor(head, NULL);
	} else if (command->header.type == GPU_UPDATE_CURSOR) {
		resource = gpu_resource_find(&gpu->resources, command->resource);
		if (!resource)
			return GPU_ERROR_INVALID_RESOURCE;
		cursor = make_cursor(resource, command->hot_x, command->hot_y);
		if (!cursor)
			return GPU_ERROR_INVALID_PARAMETER;
		head_set_cursor(head, cursor);
		cursor_unref(cursor);
	}
	head_move_cursor(head, command->x, command->y, command->resource != 0);
	return GPU_OK_NODATA;
}
