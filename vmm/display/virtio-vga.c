/* The PCI device "virtio-vga": a VGA and a virtio-gpu in one function, whose first head the VGA draws on until a driver shows
 * something there.
 *
 * BAR 0 is the video memory. The first page of BAR 2 has VGA's registers, the others have virtio's. BAR 4 is the MSI-X table.
 * Specification: virtio 1.2 section 5.7; BARs and offsets as QEMU's virtio-vga has them.
 */
#include "vmm/display/virtio-vga.h"

#include "base/checked.h"
#include "base/error.h"
#include "vmm/display/vga-legacy.h"
#include "vmm/display/video-front.h"
#include "vmm/display/virtio-gpu-front.h"
#include "vmm/machine/machine.h"

enum {
	BAR_REGISTERS = 2,
	BAR_MSIX = 4,
	AT_COMMON = 0x1000,
	AT_INTERRUPT = 0x1800,
	AT_DEVICE = 0x2000,
	AT_NOTIFY = 0x3000,
	PAGE = 0x1000,
};

struct virtio_vga {
	struct virtio_gpu_front gpu; /* first: it starts with the PCI device */
	struct video_front video;
	uint64_t memory_mib;

	struct vga *vga;
	struct vga_legacy legacy;
};

static const struct property vga_properties[] = {
	{ "vgamem_mb", PROPERTY_UINT64, offsetof(struct virtio_vga, memory_mib), "8",
		"video memory of the VGA in MiB, a power of two", 1, 512 },
	VIRTIO_GPU_PROPERTIES,
	{ .type = PROPERTY_END },
};

static struct virtio_vga *vga_of(void *virtio)
{
	return virtio;
}

/* --- VGA's registers in front of virtio's --- */

static uint64_t read_registers(void *virtio, uint64_t offset, unsigned size)
{
	return vga_mmio_read(vga_of(virtio)->vga, offset, size);
}

static void write_registers(void *virtio, uint64_t offset, unsigned size, uint64_t value)
{
	struct virtio_vga *device = vga_of(virtio);

	vga_mmio_write(device->vga, offset, size, value);
	vga_legacy_update(&device->legacy);
}

static const struct io_ops register_ops = {
	.read = read_registers,
	.write = write_registers,
	.max_access = 4,
};

static const struct virtio_layout layout = {
	.msix_bar = BAR_MSIX,
	.registers_bar = BAR_REGISTERS,
	.common = { AT_COMMON, AT_INTERRUPT - AT_COMMON },
	.interrupt = { AT_INTERRUPT, AT_DEVICE - AT_INTERRUPT },
	.device = { AT_DEVICE, AT_NOTIFY - AT_DEVICE },
	.notify = { AT_NOTIFY, PAGE },
	.others = &register_ops,
};

/* --- the first head --- */

static void refresh(void *vga)
{
	vga_refresh(vga);
}

static void set_ui_info(void *vga, const struct head_ui_info *info)
{
	vga_set_ui_info(vga, info);
}

static void set_shown(void *vga, bool shown)
{
	vga_set_shown(vga, shown);
}

static const struct virtio_gpu_legacy_ops legacy_ops = {
	.refresh = refresh,
	.set_ui_info = set_ui_info,
	.set_shown = set_shown,
};

static void vga_changed(struct pci_device *pci)
{
	vga_legacy_moved(&vga_of(pci)->legacy);
}

static bool add_vga(struct virtio_vga *device, GError **error)
{
	struct pci_device *pci = &device->gpu.virtio.pci;
	struct virtio_gpu *gpu = device->gpu.gpu;
	struct vga_config config = { .head = virtio_gpu_head(gpu, 0) };

	device->video.memory_size = device->memory_mib * MiB;
	if (!video_front_init(&device->video, pci, error))
		return false;
	config.edid = *virtio_gpu_monitor(gpu, 0);
	config.edid.none = !device->gpu.edid;
	config.edid.memory_size = device->video.memory_size;
	device->vga = vga_new(pci->device.machine->display, device->video.memory, &config, error);
	if (!device->vga)
		return false;
	virtio_gpu_set_legacy(gpu, &legacy_ops, device->vga);
	vga_legacy_init(&device->legacy, pci, device->vga, true);
	pci->vga_changed = vga_changed;
	pci_device_add_bar(pci, VIDEO_BAR_MEMORY, PCI_BAR_PREFETCHABLE, device->video.memory_size,
		NULL, device->video.slot);
	return true;
}

static bool realize(struct device *base, GError **error)
{
	struct virtio_vga *device = vga_of(base);

	if (device->memory_mib & (device->memory_mib - 1))
		return fail(error, VITRINE_ERROR_INPUT,
			"vgamem_mb=%" G_GUINT64_FORMAT " is no power of two", device->memory_mib);
	device->gpu.virtio.layout = &layout;
	return virtio_gpu_front_realize(&device->gpu, error) && add_vga(device, error);
}

static void reset(struct device *base)
{
	struct virtio_vga *device = vga_of(base);

	virtio_device_reset(base);
	vga_reset(device->vga);
	vga_legacy_update(&device->legacy);
}

static void unrealize(struct device *base)
{
	struct virtio_vga *device = vga_of(base);

	pci_device_unmap(&device->gpu.virtio.pci);
	vga_legacy_finish(&device->legacy);
	if (device->vga)
		virtio_gpu_set_legacy(device->gpu.gpu, NULL, NULL);
	g_clear_pointer(&device->vga, vga_free);
	video_front_finish(&device->video);
	virtio_gpu_front_unrealize(&device->gpu);
}

static const struct pci_identity identity = {
	.vendor = 0x1af4,
	.device = 0x1050,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x030000,
	.revision = 1,
	.interrupt_pin = 1,
};

const struct device_class virtio_vga_class = {
	.name = "virtio-vga",
	.description = "virtio-gpu with a VGA",
	.cold_plug_only = true,
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct virtio_vga),
	.pci = &identity,
	.rom_file = "vgabios-virtio.bin",
	.properties = vga_properties,
	.realize = realize,
	.reset = reset,
	.unrealize = unrealize,
	.set_running = virtio_device_set_running,
};
