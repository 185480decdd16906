/* virtio-gpu: the device as a whole. Requests come in, answers go out; configuration and events. */
#include "display/devices/virtio-gpu.h"

#include <string.h>

#include "display/devices/virtio-gpu-private.h"

enum {
	CONFIG_EVENTS = 0,
	CONFIG_EVENTS_CLEAR = 4,
	CONFIG_SCANOUTS = 8,
	CONFIG_CAPSETS = 12,
};

struct virtio_gpu *virtio_gpu_new(struct display *display, const struct virtio_gpu_config *config)
{
	struct virtio_gpu *gpu = g_new0(struct virtio_gpu, 1);

	g_assert(config->scanouts >= 1 && config->scanouts <= GPU_SCANOUTS_MAX);
	gpu->display = display;
	gpu->ops = config->ops;
	gpu->owner = config->owner;
	gpu->backend = &gpu_backend_2d;
	gpu->width = config->width;
	gpu->height = config->height;
	gpu_resources_init(&gpu->resources, config->memory_limit, &config->ops->memory, gpu->owner);
	gpu->scanout_count = config->scanouts;
	for (unsigned i = 0; i < gpu->scanout_count; i++)
		gpu_scanout_init(&gpu->scanouts[i], gpu, i, config);
	return gpu;
}

void virtio_gpu_free(struct virtio_gpu *gpu)
{
	if (!gpu)
		return;
	for (unsigned i = 0; i < gpu->scanout_count; i++)
		gpu_scanout_finish(&gpu->scanouts[i]);
	gpu_resources_clear(&gpu->resources);
	g_free(gpu);
}

void virtio_gpu_reset(struct virtio_gpu *gpu)
{
	for (unsigned i = 0; i < gpu->scanout_count; i++)
		gpu_scanout_reset(&gpu->scanouts[i]);
	gpu_resources_empty(&gpu->resources);
	gpu->events = 0;
	gpu_scanout_set_native(gpu, false);
}

void virtio_gpu_set_legacy(
	struct virtio_gpu *gpu, const struct virtio_gpu_legacy_ops *ops, void *legacy)
{
	gpu->legacy_ops = ops;
	gpu->legacy = legacy;
	gpu_scanout_set_native(gpu, gpu->native);
}

uint64_t virtio_gpu_features(const struct virtio_gpu *gpu)
{
	return gpu->backend->features | VIRTIO_GPU_FEATURE_EDID;
}

struct head *virtio_gpu_head(const struct virtio_gpu *gpu, unsigned scanout)
{
	return gpu->scanouts[scanout].head;
}

const struct edid_info *virtio_gpu_monitor(const struct virtio_gpu *gpu, unsigned scanout)
{
	return &gpu->scanouts[scanout].edid;
}

uint64_t virtio_gpu_memory_used(const struct virtio_gpu *gpu)
{
	return gpu->resources.used;
}

/* --- configuration --- */

static void put32(uint8_t *at, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	memcpy(at, &value, sizeof(value));
}

void virtio_gpu_config_read(const struct virtio_gpu *gpu, uint8_t config[VIRTIO_GPU_CONFIG_BYTES])
{
	put32(config + CONFIG_EVENTS, gpu->events);
	put32(config + CONFIG_EVENTS_CLEAR, 0);
	put32(config + CONFIG_SCANOUTS, gpu->scanout_count);
	put32(config + CONFIG_CAPSETS, gpu->backend->capsets);
}

void virtio_gpu_config_write(
	struct virtio_gpu *gpu, size_t offset, const uint8_t *bytes, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		if (offset + i >= CONFIG_EVENTS_CLEAR && offset + i < CONFIG_SCANOUTS)
			gpu->events &=
				~((uint32_t)bytes[i] << 8 * (offset + i - CONFIG_EVENTS_CLEAR));
}

/* --- requests --- */

/* What a driver may only ask for when it has accepted the feature. */
static const struct {
	enum gpu_type type;
	uint64_t feature;
} optional[] = {
	{ GPU_GET_EDID, VIRTIO_GPU_FEATURE_EDID },
	{ GPU_RESOURCE_ASSIGN_UUID, VIRTIO_GPU_FEATURE_RESOURCE_UUID },
	{ GPU_RESOURCE_CREATE_BLOB, VIRTIO_GPU_FEATURE_RESOURCE_BLOB },
	{ GPU_SET_SCANOUT_BLOB, VIRTIO_GPU_FEATURE_RESOURCE_BLOB },
};

static bool is_allowed(enum gpu_type type, uint64_t features)
{
	for (size_t i = 0; i < G_N_ELEMENTS(optional); i++)
		if (optional[i].type == type)
			return features & optional[i].feature;
	return true;
}

/* The request's bytes are copied once; what follows are its entries. Returns GPU_OK_NODATA or the error. */
static enum gpu_type read_command(const struct virtio_gpu_request *request,
	struct gpu_command *command, struct gpu_entry **entries)
{
	uint8_t bytes[GPU_COMMAND_MAX];
	size_t length = request->read(request->owner, 0, bytes, sizeof(bytes));
	struct reader in = reader_from(bytes, length);
	g_autofree uint8_t *list = NULL;
	size_t list_bytes;

	switch (gpu_command_parse(&in, command)) {
	case PARSE_ERROR:
		return GPU_ERROR_UNSPECIFIED;
	case PARSE_MORE:
		return GPU_ERROR_INVALID_PARAMETER;
	case PARSE_DONE:
		break;
	}
	if (command->entries == 0)
		return GPU_OK_NODATA;
	if (command->entries > GPU_ENTRIES_MAX)
		return GPU_ERROR_INVALID_PARAMETER;
	list_bytes = (size_t)command->entries * GPU_ENTRY_BYTES;
	list = g_malloc(list_bytes);
	*entries = g_new(struct gpu_entry, command->entries);
	in = reader_from(
		list, request->read(request->owner, length - reader_left(&in), list, list_bytes));
	return gpu_entries_parse(&in, *entries, command->entries) == PARSE_DONE
		       ? GPU_OK_NODATA
		       : GPU_ERROR_INVALID_PARAMETER;
}

static enum gpu_type run(struct virtio_gpu *gpu, const struct gpu_command *command,
	const struct gpu_entry *entries, struct gpu_answer *answer)
{
	switch ((int)command->header.type) {
	case GPU_GET_DISPLAY_INFO:
		gpu_monitors_answer(gpu, answer);
		return GPU_OK_DISPLAY_INFO;
	case GPU_GET_EDID:
		return gpu_monitor_answer_edid(gpu, command->scanout, answer);
	default:
		return gpu->backend->run(gpu, command, entries, answer);
	}
}

uint64_t virtio_gpu_control(struct virtio_gpu *gpu, uint64_t features,
	const struct virtio_gpu_request *request, struct gpu_answer *answer)
{
	struct gpu_command command;
	g_autofree struct gpu_entry *entries = NULL;
	enum gpu_type type = read_command(request, &command, &entries);

	gpu->moved = 0;
	answer->length = 0;
	if (type == GPU_OK_NODATA)
		type = is_allowed(command.header.type, features)
			       ? run(gpu, &command, entries, answer)
			       : GPU_ERROR_UNSPECIFIED;
	gpu_answer_seal(answer, type, &command.header);
	return gpu->moved;
}

static bool is_cursor(enum gpu_type type)
{
	return type == GPU_UPDATE_CURSOR || type == GPU_MOVE_CURSOR;
}

void virtio_gpu_cursor(
	struct virtio_gpu *gpu, const struct virtio_gpu_request *request, struct gpu_answer *answer)
{
	struct gpu_command command;
	g_autofree struct gpu_entry *entries = NULL;
	enum gpu_type type = read_command(request, &command, &entries);

	answer->length = 0;
	if (type == GPU_OK_NODATA)
		type = is_cursor(command.header.type) ? gpu_cursor_run(gpu, &command)
						      : GPU_ERROR_UNSPECIFIED;
	gpu_answer_seal(answer, type, &command.header);
}
