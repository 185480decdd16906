/* What the PCI fronts of display devices have in common. */
#include "vmm/display/video-front.h"

#include "vmm/machine/machine.h"

static void set_active(void *owner, bool active)
{
	memory_slot_set_log(owner, active);
}

static void harvest(void *owner, uint64_t first, uint64_t count, unsigned long *bitmap, bool keep)
{
	memory_slot_harvest(owner, first, count, bitmap, keep);
}

static const struct dirty_log_ops log_ops = { .set_active = set_active, .harvest = harvest };

bool video_front_init(struct video_front *front, struct pci_device *device, GError **error)
{
	const struct device *base = &device->device;
	g_autofree char *slot_name = g_strdup_printf("video memory of %s", base->class->name);

	front->memory = video_memory_new(base->class->name, front->memory_size, error);
	if (!front->memory)
		return false;
	front->label = g_strdup(base->id ? base->id : base->class->name);
	front->address = pci_device_path(device);
	front->slot = memory_slot_new(base->machine->memory, slot_name,
		video_memory_bytes(front->memory), front->memory_size, 0);
	video_memory_set_dirty_log(front->memory, &log_ops, front->slot);
	return true;
}

void video_front_set_log(struct video_front *front, bool on)
{
	video_memory_set_dirty_log(front->memory, on ? &log_ops : NULL, on ? front->slot : NULL);
}

void video_front_finish(struct video_front *front)
{
	if (front->memory)
		video_memory_set_dirty_log(front->memory, NULL, NULL);
	g_clear_pointer(&front->slot, memory_slot_free);
	g_clear_pointer(&front->memory, video_memory_unref);
	g_free(front->label);
	g_free(front->address);
}

struct edid_info video_front_edid(const struct video_front *front)
{
	return (struct edid_info) {
		.none = !front->edid,
		.memory_size = front->memory_size,
		.max_width = front->max_width,
		.max_height = front->max_height,
		.refresh_mhz = front->refresh,
		.preferred_width = front->width,
		.preferred_height = front->height,
		.serial = front->address,
	};
}

void video_front_add_bars(
	struct video_front *front, struct pci_device *device, struct io_region *registers)
{
	pci_device_add_bar(device, VIDEO_BAR_MEMORY, PCI_BAR_PREFETCHABLE, front->memory_size, NULL,
		front->slot);
	pci_device_add_bar(device, VIDEO_BAR_REGISTERS, 0, registers->size, registers, NULL);
}
