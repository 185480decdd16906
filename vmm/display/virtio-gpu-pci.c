/* The PCI device "virtio-gpu-pci": a virtio-gpu without VGA. Specification: virtio 1.2 section 5.7; identity and BARs as those of
 * other virtio devices. */
#include "vmm/display/virtio-gpu-pci.h"

#include "vmm/display/virtio-gpu-front.h"

static const struct property gpu_properties[] = {
	VIRTIO_GPU_PROPERTIES,
	{ .type = PROPERTY_END },
};

static bool gpu_realize(struct device *device, GError **error)
{
	return virtio_gpu_front_realize((struct virtio_gpu_front *)device, error);
}

static void gpu_unrealize(struct device *device)
{
	virtio_gpu_front_unrealize((struct virtio_gpu_front *)device);
}

static const struct pci_identity gpu_identity = {
	.vendor = 0x1af4,
	.device = 0x1050,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x038000,
	.revision = 1,
	.interrupt_pin = 1,
};

const struct device_class virtio_gpu_pci_class = {
	.name = "virtio-gpu-pci",
	.description = "virtio-gpu without VGA: 2D, several heads",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct virtio_gpu_front),
	.pci = &gpu_identity,
	.properties = gpu_properties,
	.realize = gpu_realize,
	.reset = virtio_device_reset,
	.unrealize = gpu_unrealize,
	.set_running = virtio_device_set_running,
};
