/* The monitors of a virtio-gpu: which are connected, of which size, and their EDID. Specification: virtio 1.2 sections 5.7.4
 * and 5.7.6.8 (GET_DISPLAY_INFO, GET_EDID).
 *
 * A viewer's wish connects a monitor of that size, a wish for nothing takes it away. One is always connected: the first, if no
 * other is. Display information and EDID say the same size, which is one that an EDID can say; Linux drops the mode otherwise.
 */
#include <string.h>

#include "display/devices/virtio-gpu-private.h"

enum {
	EVENT_DISPLAY = 1 << 0,
};

void gpu_monitor_init(struct gpu_scanout *scanout, const struct virtio_gpu_config *config)
{
	scanout->serial = scanout->index == 0 ? g_strdup(config->device_address)
					      : g_strdup_printf("%s#%u", config->device_address,
							scanout->index);
	scanout->edid = (struct edid_info) {
		.serial = scanout->serial,
		.preferred_width = config->width,
		.preferred_height = config->height,
	};
}

void gpu_monitor_finish(struct gpu_scanout *scanout)
{
	g_free(scanout->serial);
}

static bool any_wanted(const struct virtio_gpu *gpu)
{
	for (unsigned i = 0; i < gpu->scanout_count; i++)
		if (gpu->scanouts[i].wanted)
			return true;
	return false;
}

static struct gpu_output output_of(const struct virtio_gpu *gpu, unsigned index)
{
	const struct gpu_scanout *scanout = &gpu->scanouts[index];
	struct gpu_output output = { 0 };

	if (index >= gpu->scanout_count)
		return output;
	output.enabled = scanout->wanted || (index == 0 && (!scanout->wished || !any_wanted(gpu)));
	edid_size(&scanout->edid, &output.area.width, &output.area.height);
	output.area.x = MAX(scanout->x_offset, 0);
	output.area.y = MAX(scanout->y_offset, 0);
	return output;
}

static void fill_outputs(const struct virtio_gpu *gpu, struct gpu_output *outputs)
{
	memset(outputs, 0, GPU_SCANOUTS_MAX * sizeof(*outputs));
	for (unsigned i = 0; i < gpu->scanout_count; i++)
		outputs[i] = output_of(gpu, i);
}

static void take_wish(struct gpu_scanout *scanout, const struct head_ui_info *info)
{
	struct virtio_gpu *gpu = scanout->gpu;

	scanout->wished = true;
	scanout->wanted = info->width > 0 && info->height > 0;
	scanout->x_offset = info->x_offset;
	scanout->y_offset = info->y_offset;
	scanout->edid.preferred_width = scanout->wanted ? info->width : gpu->width;
	scanout->edid.preferred_height = scanout->wanted ? info->height : gpu->height;
	scanout->edid.width_mm = scanout->wanted ? info->width_mm : 0;
	scanout->edid.height_mm = scanout->wanted ? info->height_mm : 0;
}

void gpu_monitor_set_ui_info(void *device, const struct head_ui_info *info)
{
	struct gpu_scanout *scanout = device;
	struct virtio_gpu *gpu = scanout->gpu;
	struct gpu_output before[GPU_SCANOUTS_MAX], after[GPU_SCANOUTS_MAX];

	if (scanout->index == 0 && gpu->legacy_ops)
		gpu->legacy_ops->set_ui_info(gpu->legacy, info);
	fill_outputs(gpu, before);
	take_wish(scanout, info);
	fill_outputs(gpu, after);
	if (memcmp(before, after, sizeof(before)) == 0)
		return;
	gpu->events |= EVENT_DISPLAY;
	gpu->ops->config_changed(gpu->owner);
}

void gpu_monitors_answer(const struct virtio_gpu *gpu, struct gpu_answer *answer)
{
	struct gpu_output outputs[GPU_SCANOUTS_MAX];

	fill_outputs(gpu, outputs);
	gpu_answer_display_info(answer, outputs);
}

enum gpu_type gpu_monitor_answer_edid(
	const struct virtio_gpu *gpu, unsigned scanout, struct gpu_answer *answer)
{
	uint8_t edid[EDID_SIZE];

	if (scanout >= gpu->scanout_count)
		return GPU_ERROR_INVALID_PARAMETER;
	gpu_answer_edid(answer, edid, edid_generate(&gpu->scanouts[scanout].edid, edid));
	return GPU_OK_EDID;
}
