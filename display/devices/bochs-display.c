/* bochs-display: registers in BAR 2 that set one linear picture. */
#include "display/devices/bochs-display.h"

#include <string.h>

#include "display/devices/bochs-mmio.h"

struct bochs_display {
	struct video_memory *memory;
	struct head *head;
	struct edid_info edid_info;
	uint8_t edid[EDID_SIZE];
	struct dispi dispi;
};

/* Registers that make no picture leave the one that is shown, until the interface is switched off. */
static void update(struct bochs_display *bochs)
{
	struct scanout scanout;

	if (dispi_scanout(&bochs->dispi, &scanout))
		head_set_scanout(bochs->head, bochs->memory, &scanout);
	else if (!dispi_enabled(&bochs->dispi))
		head_disable(bochs->head);
}

static void set_ui_info(void *device, const struct head_ui_info *info)
{
	struct bochs_display *bochs = device;

	if (info->width == 0 || info->height == 0)
		return;
	bochs->edid_info.preferred_width = info->width;
	bochs->edid_info.preferred_height = info->height;
	bochs->edid_info.width_mm = info->width_mm;
	bochs->edid_info.height_mm = info->height_mm;
	edid_generate(&bochs->edid_info, bochs->edid);
}

static const struct head_ops bochs_head_ops = {
	.set_ui_info = set_ui_info,
};

struct bochs_display *bochs_display_new(struct display *display, struct video_memory *memory,
	const struct bochs_display_config *config)
{
	struct bochs_display *bochs = g_new0(struct bochs_display, 1);

	bochs->memory = video_memory_ref(memory);
	bochs->edid_info = config->edid;
	edid_generate(&bochs->edid_info, bochs->edid);
	dispi_init(&bochs->dispi, DISPI_LINEAR_ONLY, video_memory_size(memory));
	bochs->head = head_new(display, &(struct head_config) {
						.label = config->label,
						.device_address = config->device_address,
						.number = config->head_number,
						.ops = &bochs_head_ops,
						.device = bochs,
					});
	return bochs;
}

void bochs_display_free(struct bochs_display *bochs)
{
	if (!bochs)
		return;
	head_free(bochs->head);
	video_memory_unref(bochs->memory);
	g_free(bochs);
}

void bochs_display_reset(struct bochs_display *bochs)
{
	dispi_reset(&bochs->dispi);
	update(bochs);
}

struct head *bochs_display_head(const struct bochs_display *bochs)
{
	return bochs->head;
}

uint32_t bochs_display_mmio_read(struct bochs_display *bochs, uint32_t offset, unsigned size)
{
	return bochs_mmio_read(&bochs->dispi, bochs->edid, offset, size);
}

void bochs_display_mmio_write(
	struct bochs_display *bochs, uint32_t offset, unsigned size, uint32_t value)
{
	unsigned effect = bochs_mmio_write(&bochs->dispi, offset, size, value);

	if (effect & DISPI_CLEAR)
		memset(video_memory_bytes(bochs->memory), 0, dispi_clear_length(&bochs->dispi));
	if (effect & DISPI_CHANGED)
		update(bochs);
}

const struct state_field *bochs_display_state(struct bochs_display *bochs, void **base)
{
	*base = &bochs->dispi;
	return dispi_state_fields;
}

void bochs_display_state_loaded(struct bochs_display *bochs)
{
	update(bochs);
}
