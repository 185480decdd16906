/* The 2D back end of virtio-gpu: resources are pictures in memory, and transfers copy. Specification: virtio 1.2 section
 * 5.7.6.8. */
#include <string.h>

#include "display/devices/virtio-gpu-private.h"

static enum gpu_type create_2d(struct virtio_gpu *gpu, const struct gpu_command *command,
	const struct gpu_entry *entries, struct gpu_answer *answer)
{
	enum gpu_type type = gpu_resource_create_2d(&gpu->resources, command->resource,
		command->format, command->width, command->height);

	/* Memory that is used again is cleared first. */
	if (type == GPU_OK_NODATA)
		gpu->moved += (uint64_t)command->width * command->height * GPU_PIXEL_BYTES;
	return type;
}

static enum gpu_type create_blob(struct virtio_gpu *gpu, const struct gpu_command *command,
	const struct gpu_entry *entries, struct gpu_answer *answer)
{
	if (command->blob_memory != GPU_BLOB_GUEST || command->blob_flags & ~GPU_BLOB_FLAGS)
		return GPU_ERROR_INVALID_PARAMETER;
	return gpu_resource_create_blob(
		&gpu->resources, command->resource, command->blob_size, entries, command->entries);
}

static enum gpu_type unref(struct virtio_gpu *gpu, const struct gpu_command *command,
	const struct gpu_entry *entries, struct gpu_answer *answer)
{
	struct gpu_resource *resource = gpu_resource_find(&gpu->resources, command->resource);

	if (!resource)
		return GPU_ERROR_INVALID_RESOURCE;
	gpu_scanouts_forget(gpu, resource);
	gpu_resource_free(&gpu->resources, resource);
	return GPU_OK_NODATA;
}

static enum gpu_type attach(struct virtio_gpu *gpu, const struct gpu_command *command,
	const struct gpu_entry *entries, struct gpu_answer *answer)
{
	struct gpu_resource *resource = gpu_resource_find(&gpu->resources, command->resource);

	return resource ? gpu_resource_attach(&gpu->resources, resource, entries, command->entries)
			: GPU_ERROR_INVALID_RESOURCE;
}

static enum gpu_type detach(struct virtio_gpu *gpu, const struct gpu_command *command,
	const struct gpu_entry *entries, struct gpu_answer *answer)
{
	struct gpu_resource *resource = gpu_resource_find(&gpu->resources, command->resource);

	if (!resource)
		return GPU_ERROR_INVALID_RESOURCE;
	gpu->moved += gpu_resource_settle(resource);
	return gpu_resource_detach(&gpu->resources, resource);
}

static enum gpu_type transfer(struct virtio_gpu *gpu, const struct gpu_command *command,
	const struct gpu_entry *entries, struct gpu_answer *answer)
{
	struct gpu_resource *resource = gpu_resource_find(&gpu->resources, command->resource);

	if (!resource)
		return GPU_ERROR_INVALID_RESOURCE;
	/* A blob's contents are the guest's memory already; Linux asks all the same. */
	if (resource->is_blob)
		return GPU_OK_NODATA;
	return gpu_resource_transfer(resource, &command->area, command->offset, &gpu->moved);
}

/* The scanout that a command names and what it is to show. Resource 0 switches it off: @resource is NULL then. */
static enum gpu_type find_shown(struct virtio_gpu *gpu, const struct gpu_command *command,
	struct gpu_scanout **scanout, struct gpu_resource **resource)
{
	*resource = NULL;
	if (command->scanout >= gpu->scanout_count)
		return GPU_ERROR_INVALID_SCANOUT;
	*scanout = &gpu->scanouts[command->scanout];
	if (command->resource == 0) {
		gpu_scanout_disable(*scanout);
		return GPU_OK_NODATA;
	}
	*resource = gpu_resource_find(&gpu->resources, command->resource);
	return *resource ? GPU_OK_NODATA : GPU_ERROR_INVALID_RESOURCE;
}

static enum gpu_type set_scanout(struct virtio_gpu *gpu, const struct gpu_command *command,
	const struct gpu_entry *entries, struct gpu_answer *answer)
{
	struct gpu_scanout *scanout;
	struct gpu_resource *resource;
	enum gpu_type type = find_shown(gpu, command, &scanout, &resource);

	if (type != GPU_OK_NODATA || !resource)
		return type;
	if (resource->is_blob)
		return GPU_ERROR_INVALID_RESOURCE;
	if (!gpu_rectangle_inside(&command->area, resource->width, resource->height))
		return GPU_ERROR_INVALID_PARAMETER;
	return gpu_scanout_show(scanout, resource, &command->area) ? GPU_OK_NODATA
								   : GPU_ERROR_OUT_OF_MEMORY;
}

static enum gpu_type set_scanout_blob(struct virtio_gpu *gpu, const struct gpu_command *command,
	const struct gpu_entry *entries, struct gpu_answer *answer)
{
	struct gpu_scanout *scanout;
	struct gpu_resource *resource;
	enum gpu_type type = find_shown(gpu, command, &scanout, &resource);

	if (type != GPU_OK_NODATA || !resource)
		return type;
	return resource->is_blob ? gpu_scanout_show_blob(scanout, resource, command)
				 : GPU_ERROR_INVALID_RESOURCE;
}

static enum gpu_type flush(struct virtio_gpu *gpu, const struct gpu_command *command,
	const struct gpu_entry *entries, struct gpu_answer *answer)
{
	struct gpu_resource *resource = gpu_resource_find(&gpu->resources, command->resource);

	if (!resource)
		return GPU_ERROR_INVALID_RESOURCE;
	if (!resource->is_blob &&
		!gpu_rectangle_inside(&command->area, resource->width, resource->height))
		return GPU_ERROR_INVALID_PARAMETER;
	gpu_scanouts_damage(gpu, resource, &command->area);
	return GPU_OK_NODATA;
}

static enum gpu_type assign_uuid(struct virtio_gpu *gpu, const struct gpu_command *command,
	const struct gpu_entry *entries, struct gpu_answer *answer)
{
	struct gpu_resource *resource = gpu_resource_find(&gpu->resources, command->resource);

	if (!resource)
		return GPU_ERROR_INVALID_RESOURCE;
	if (!resource->has_uuid) {
		for (unsigned i = 0; i < GPU_UUID_BYTES; i++)
			resource->uuid[i] = g_random_int_range(0, 256);
		/* Random ones of RFC 4122, section 4.4. */
		resource->uuid[6] = (resource->uuid[6] & 0x0f) | 0x40;
		resource->uuid[8] = (resource->uuid[8] & 0x3f) | 0x80;
		resource->has_uuid = true;
	}
	gpu_answer_uuid(answer, resource->uuid);
	return GPU_OK_RESOURCE_UUID;
}

static const struct {
	enum gpu_type type;
	enum gpu_type (*run)(struct virtio_gpu *gpu, const struct gpu_command *command,
		const struct gpu_entry *entries, struct gpu_answer *answer);
} operations[] = {
	{ GPU_RESOURCE_CREATE_2D, create_2d },
	{ GPU_RESOURCE_UNREF, unref },
	{ GPU_SET_SCANOUT, set_scanout },
	{ GPU_RESOURCE_FLUSH, flush },
	{ GPU_TRANSFER_TO_HOST_2D, transfer },
	{ GPU_RESOURCE_ATTACH_BACKING, attach },
	{ GPU_RESOURCE_DETACH_BACKING, detach },
	{ GPU_RESOURCE_ASSIGN_UUID, assign_uuid },
	{ GPU_RESOURCE_CREATE_BLOB, create_blob },
	{ GPU_SET_SCANOUT_BLOB, set_scanout_blob },
};

static enum gpu_type run(struct virtio_gpu *gpu, const struct gpu_command *command,
	const struct gpu_entry *entries, struct gpu_answer *answer)
{
	for (size_t i = 0; i < G_N_ELEMENTS(operations); i++)
		if (operations[i].type == command->header.type)
			return operations[i].run(gpu, command, entries, answer);
	return GPU_ERROR_UNSPECIFIED;
}

const struct gpu_backend gpu_backend_2d = {
	.features = VIRTIO_GPU_FEATURE_RESOURCE_UUID | VIRTIO_GPU_FEATURE_RESOURCE_BLOB,
	.run = run,
};
