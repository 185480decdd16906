/* The resources of a virtio-gpu: their life, their backing and what they cost. */
#include "display/devices/virtio-gpu-resource.h"

#include <string.h>

#include "base/checked.h"
#include "display/scanout.h"

enum {
	PAGE = 4096,
	PENDING_MOST = 64, /* rectangles that are still to be copied; then they become one */
};

static void resource_free(gpointer data)
{
	struct gpu_resource *resource = data;

	if (resource->memory)
		video_memory_unref(resource->memory);
	else
		g_free(resource->bytes);
	pixman_region32_fini(&resource->pending);
	g_free(resource->pieces);
	g_free(resource);
}

void gpu_resources_init(struct gpu_resources *resources, uint64_t limit,
	const struct gpu_memory_ops *memory, void *memory_owner)
{
	*resources = (struct gpu_resources) {
		.by_id = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, resource_free),
		.memory = memory,
		.memory_owner = memory_owner,
		.limit = limit,
	};
}

void gpu_resources_empty(struct gpu_resources *resources)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, resources->by_id);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct gpu_resource *resource = value;

		resources->used -= resource->contents_charge + resource->backing_charge;
		resources->shared -= resource->memory != NULL;
		g_hash_table_iter_remove(&iter);
	}
}

void gpu_resources_clear(struct gpu_resources *resources)
{
	if (resources->by_id)
		gpu_resources_empty(resources);
	g_clear_pointer(&resources->by_id, g_hash_table_unref);
}

struct gpu_resource *gpu_resource_find(const struct gpu_resources *resources, uint32_t id)
{
	return g_hash_table_lookup(resources->by_id, GUINT_TO_POINTER(id));
}

bool gpu_resources_charge(struct gpu_resources *resources, uint64_t bytes)
{
	if (!checked_range(resources->used, bytes, resources->limit))
		return false;
	resources->used += bytes;
	return true;
}

void gpu_resources_discharge(struct gpu_resources *resources, uint64_t bytes)
{
	resources->used -= bytes;
}

static bool id_is_free(const struct gpu_resources *resources, uint32_t id)
{
	return id != 0 && !gpu_resource_find(resources, id);
}

/* A resource whose contents cost @bytes, or NULL when that is too much. */
static struct gpu_resource *add(struct gpu_resources *resources, uint32_t id, uint64_t bytes)
{
	uint64_t charge = MAX(bytes, GPU_RESOURCE_LEAST_CHARGE);
	struct gpu_resource *resource;

	if (g_hash_table_size(resources->by_id) >= GPU_RESOURCES_MAX ||
		!gpu_resources_charge(resources, charge))
		return NULL;
	resource = g_new0(struct gpu_resource, 1);
	resource->id = id;
	resource->contents_charge = charge;
	pixman_region32_init(&resource->pending);
	g_hash_table_insert(resources->by_id, GUINT_TO_POINTER(id), resource);
	return resource;
}

enum gpu_type gpu_resource_create_2d(struct gpu_resources *resources, uint32_t id, uint32_t format,
	uint32_t width, uint32_t height)
{
	struct gpu_resource *resource;
	uint64_t stride, size;

	if (!id_is_free(resources, id))
		return GPU_ERROR_INVALID_RESOURCE;
	if (!gpu_format_known(format) || width < 1 || width > SCANOUT_MAX_WIDTH || height < 1 ||
		height > SCANOUT_MAX_HEIGHT || !checked_multiply(width, GPU_PIXEL_BYTES, &stride) ||
		!checked_multiply(stride, height, &size))
		return GPU_ERROR_INVALID_PARAMETER;
	resource = add(resources, id, size);
	if (!resource)
		return GPU_ERROR_OUT_OF_MEMORY;
	resource->bytes = g_try_malloc0(size);
	if (!resource->bytes) {
		gpu_resource_free(resources, resource);
		return GPU_ERROR_OUT_OF_MEMORY;
	}
	resource->format = format;
	resource->width = width;
	resource->height = height;
	resource->stride = stride;
	resource->size = size;
	return GPU_OK_NODATA;
}

enum gpu_type gpu_resource_create_blob(struct gpu_resources *resources, uint32_t id, uint64_t size,
	const struct gpu_entry *entries, uint32_t count)
{
	struct gpu_resource *resource;
	enum gpu_type result;

	if (!id_is_free(resources, id))
		return GPU_ERROR_INVALID_RESOURCE;
	if (size == 0)
		return GPU_ERROR_INVALID_PARAMETER;
	resource = add(resources, id, 0);
	if (!resource)
		return GPU_ERROR_OUT_OF_MEMORY;
	resource->is_blob = true;
	resource->size = size;
	result = gpu_resource_attach(resources, resource, entries, count);
	if (result == GPU_OK_NODATA && resource->backing < size)
		result = GPU_ERROR_INVALID_PARAMETER;
	if (result != GPU_OK_NODATA)
		gpu_resource_free(resources, resource);
	return result;
}

void gpu_resource_free(struct gpu_resources *resources, struct gpu_resource *resource)
{
	gpu_resources_discharge(resources, resource->contents_charge + resource->backing_charge);
	resources->shared -= resource->memory != NULL;
	g_hash_table_remove(resources->by_id, GUINT_TO_POINTER(resource->id));
}

/* --- backing --- */

static void drop_backing(struct gpu_resources *resources, struct gpu_resource *resource)
{
	gpu_resources_discharge(resources, resource->backing_charge);
	resource->backing_charge = 0;
	g_clear_pointer(&resource->pieces, g_free);
	resource->piece_count = 0;
	resource->backing = 0;
}

static bool add_piece(struct gpu_resources *resources, struct gpu_resource *resource,
	const struct gpu_entry *entry)
{
	uint8_t *bytes =
		resources->memory->pointer(resources->memory_owner, entry->address, entry->length);
	struct iovec *last = &resource->pieces[MAX(resource->piece_count, 1) - 1];

	if (!bytes || entry->length == 0)
		return false;
	resource->backing += entry->length;
	if (resource->piece_count > 0 && (uint8_t *)last->iov_base + last->iov_len == bytes)
		last->iov_len += entry->length;
	else
		resource->pieces[resource->piece_count++] = (struct iovec) { bytes, entry->length };
	return true;
}

enum gpu_type gpu_resource_attach(struct gpu_resources *resources, struct gpu_resource *resource,
	const struct gpu_entry *entries, uint32_t count)
{
	if (resource->piece_count > 0)
		return GPU_ERROR_UNSPECIFIED;
	if (count == 0 || count > GPU_ENTRIES_MAX)
		return GPU_ERROR_INVALID_PARAMETER;
	if (!gpu_resources_charge(resources, count * sizeof(struct iovec)))
		return GPU_ERROR_OUT_OF_MEMORY;
	resource->backing_charge = count * sizeof(struct iovec);
	resource->pieces = g_new(struct iovec, count);
	for (uint32_t i = 0; i < count; i++) {
		if (add_piece(resources, resource, &entries[i]))
			continue;
		drop_backing(resources, resource);
		return GPU_ERROR_INVALID_PARAMETER;
	}
	resource->pieces = g_renew(struct iovec, resource->pieces, resource->piece_count);
	return GPU_OK_NODATA;
}

enum gpu_type gpu_resource_detach(struct gpu_resources *resources, struct gpu_resource *resource)
{
	if (resource->piece_count == 0)
		return GPU_ERROR_UNSPECIFIED;
	gpu_resource_settle(resource);
	drop_backing(resources, resource);
	return GPU_OK_NODATA;
}

/* --- video memory --- */

static void make_private(struct gpu_resources *resources, struct gpu_resource *resource)
{
	uint8_t *bytes = g_try_malloc(resource->size);

	if (!bytes)
		return;
	memcpy(bytes, resource->bytes, resource->size);
	video_memory_unref(resource->memory);
	resource->memory = NULL;
	resource->bytes = bytes;
	resources->shared--;
}

/* Descriptors are scarcer than memory: pictures that are not shown give theirs back. */
static bool make_room(struct gpu_resources *resources)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, resources->by_id);
	while (resources->shared >= GPU_SHARED_MAX && g_hash_table_iter_next(&iter, NULL, &value)) {
		struct gpu_resource *resource = value;

		if (resource->memory && resource->scanouts == 0)
			make_private(resources, resource);
	}
	return resources->shared < GPU_SHARED_MAX;
}

bool gpu_resource_share(
	struct gpu_resources *resources, struct gpu_resource *resource, GError **error)
{
	struct video_memory *memory;

	if (resource->memory)
		return true;
	make_room(resources);
	memory = video_memory_new("virtio-gpu", (resource->size + PAGE - 1) / PAGE * PAGE, error);
	if (!memory)
		return false;
	if (resource->written)
		memcpy(video_memory_bytes(memory), resource->bytes, resource->size);
	g_free(resource->bytes);
	resource->memory = memory;
	resource->bytes = video_memory_bytes(memory);
	resources->shared++;
	return true;
}

/* --- copying --- */

bool gpu_rectangle_inside(const struct gpu_rectangle *area, uint32_t width, uint32_t height)
{
	return area->width > 0 && area->height > 0 && checked_range(area->x, area->width, width) &&
	       checked_range(area->y, area->height, height);
}

/* Where in the pieces an offset of the backing lies: goes forward only. */
struct walk {
	const struct iovec *piece;
	uint64_t start; /* offset of the first byte of @piece */
};

static void walk_copy(struct walk *walk, uint64_t offset, uint8_t *to, uint64_t length)
{
	while (length > 0) {
		uint64_t inside, now;

		while (offset - walk->start >= walk->piece->iov_len)
			walk->start += walk->piece++->iov_len;
		inside = offset - walk->start;
		now = MIN(length, walk->piece->iov_len - inside);
		memcpy(to, (const uint8_t *)walk->piece->iov_base + inside, now);
		offset += now;
		to += now;
		length -= now;
	}
}

bool gpu_backing_read(const struct gpu_resource *resource, const struct gpu_rows *from, uint8_t *to,
	uint32_t to_stride)
{
	struct walk walk = { resource->pieces, 0 };
	uint64_t end;

	if (!picture_end(from->offset, from->rows, from->stride, from->row_bytes, &end) ||
		end > resource->backing)
		return false;
	/* Rows without anything between them are one. */
	if (from->row_bytes == from->stride && from->stride == to_stride) {
		walk_copy(&walk, from->offset, to, end - from->offset);
		return true;
	}
	for (uint64_t row = 0; row < from->rows; row++)
		walk_copy(&walk, from->offset + row * from->stride, to + row * to_stride,
			from->row_bytes);
	return true;
}

/* Where a pixel has its place: the backing then looks as the picture does. */
static uint64_t place(const struct gpu_resource *resource, uint32_t x, uint32_t y)
{
	return (uint64_t)y * resource->stride + (uint64_t)x * GPU_PIXEL_BYTES;
}

static void add_pending(struct gpu_resource *resource, const struct gpu_rectangle *area)
{
	pixman_region32_t *pending = &resource->pending;

	if (pixman_region32_n_rects(pending) >= PENDING_MOST) {
		pixman_box32_t all = *pixman_region32_extents(pending);

		pixman_region32_reset(pending, &all);
	}
	pixman_region32_union_rect(pending, pending, area->x, area->y, area->width, area->height);
}

enum gpu_type gpu_resource_transfer(struct gpu_resource *resource, const struct gpu_rectangle *area,
	uint64_t offset, uint64_t *moved)
{
	uint64_t row_bytes = (uint64_t)area->width * GPU_PIXEL_BYTES, end;
	struct gpu_rows rows;

	if (resource->piece_count == 0)
		return GPU_ERROR_UNSPECIFIED;
	if (!gpu_rectangle_inside(area, resource->width, resource->height) ||
		!picture_end(offset, area->height, resource->stride, row_bytes, &end) ||
		end > resource->backing)
		return GPU_ERROR_INVALID_PARAMETER;
	if (offset == place(resource, area->x, area->y)) {
		add_pending(resource, area);
		return GPU_OK_NODATA;
	}
	*moved = gpu_resource_settle(resource) + area->height * row_bytes;
	rows = (struct gpu_rows) { offset, area->height, row_bytes, resource->stride };
	gpu_backing_read(resource, &rows, resource->bytes + place(resource, area->x, area->y),
		resource->stride);
	resource->written = true;
	return GPU_OK_NODATA;
}

/* What several rectangles became may be more than the backing has of the picture: that is left out. */
static uint32_t rows_backed(const struct gpu_resource *resource, const pixman_box32_t *box)
{
	uint64_t first = place(resource, box->x1, box->y1);
	uint64_t row_bytes = (uint64_t)(box->x2 - box->x1) * GPU_PIXEL_BYTES;

	if (first + row_bytes > resource->backing)
		return 0;
	return MIN((uint64_t)(box->y2 - box->y1),
		(resource->backing - first - row_bytes) / resource->stride + 1);
}

uint64_t gpu_resource_settle(struct gpu_resource *resource)
{
	uint64_t moved = 0;
	int count;
	pixman_box32_t *boxes = pixman_region32_rectangles(&resource->pending, &count);

	for (int i = 0; i < count; i++) {
		struct gpu_rows rows = {
			.offset = place(resource, boxes[i].x1, boxes[i].y1),
			.rows = rows_backed(resource, &boxes[i]),
			.row_bytes = (boxes[i].x2 - boxes[i].x1) * GPU_PIXEL_BYTES,
			.stride = resource->stride,
		};

		if (rows.rows > 0)
			gpu_backing_read(
				resource, &rows, resource->bytes + rows.offset, resource->stride);
		resource->written = true;
		moved += (uint64_t)rows.rows * rows.row_bytes;
	}
	pixman_region32_clear(&resource->pending);
	return moved;
}
