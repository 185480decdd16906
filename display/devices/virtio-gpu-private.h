/* Inside of virtio-gpu: what its files share. */
#pragma once

#include "display/devices/virtio-gpu.h"

struct gpu_scanout {
	struct virtio_gpu *gpu;
	unsigned index;
	struct head *head;

	/* What is shown; NULL: nothing. */
	struct gpu_resource *resource;
	struct gpu_rectangle area; /* of the resource's picture */
	/* Of a blob there is no memory that consumers could map: they are shown a copy, which follows what they look at. */
	struct video_memory *copy;
	uint64_t copy_charge;
	struct scanout copy_scanout;
	struct gpu_rows source;  /* of the copy's first row, in the backing */
	pixman_region32_t stale; /* of the copy */

	/* The monitor. */
	char *serial;
	struct edid_info edid;
	int32_t x_offset, y_offset;
	bool wished; /* a viewer said what it would like */
	bool wanted; /* and that is a picture */
};

/* What does the requests on resources: the 2D renderer, or one that knows more. */
struct gpu_backend {
	uint64_t features;
	uint32_t capsets;
	/* Returns the answer's type; what goes with it is in @answer. @entries: command->entries of them. */
	enum gpu_type (*run)(struct virtio_gpu *gpu, const struct gpu_command *command,
		const struct gpu_entry *entries, struct gpu_answer *answer);
};

extern const struct gpu_backend gpu_backend_2d;

struct virtio_gpu {
	struct display *display;
	const struct virtio_gpu_ops *ops;
	void *owner;
	const struct gpu_backend *backend;
	struct gpu_resources resources;
	struct gpu_scanout scanouts[GPU_SCANOUTS_MAX];
	unsigned scanout_count;
	uint32_t width, height; /* of the first monitor, by default */
	uint32_t events;
	uint64_t moved; /* bytes, by the request that is being done */
	unsigned complaints;

	const struct virtio_gpu_legacy_ops *legacy_ops;
	void *legacy;
	bool native; /* the driver has shown something on head 0 */
};

/* --- scanouts --- */

void gpu_scanout_init(struct gpu_scanout *scanout, struct virtio_gpu *gpu, unsigned index,
	const struct virtio_gpu_config *config);
void gpu_scanout_finish(struct gpu_scanout *scanout);
/* Shows nothing, and has no cursor. */
void gpu_scanout_reset(struct gpu_scanout *scanout);
/* Nothing is shown any more. */
void gpu_scanout_disable(struct gpu_scanout *scanout);
/* A part of a 2D resource, inside of it. False: the host has no memory for it. */
bool gpu_scanout_show(struct gpu_scanout *scanout, struct gpu_resource *resource,
	const struct gpu_rectangle *area);
/* A picture in a blob, as a request describes it. */
enum gpu_type gpu_scanout_show_blob(struct gpu_scanout *scanout, struct gpu_resource *resource,
	const struct gpu_command *command);
/* No scanout shows it any more. */
void gpu_scanouts_forget(struct virtio_gpu *gpu, const struct gpu_resource *resource);
/* A part of the resource's picture is another one now. */
void gpu_scanouts_damage(struct virtio_gpu *gpu, const struct gpu_resource *resource,
	const struct gpu_rectangle *area);
/* Which operations head 0 has depends on who draws on it. */
void gpu_scanout_set_native(struct virtio_gpu *gpu, bool native);

/* The cursor of a scanout, as a request says. */
enum gpu_type gpu_cursor_run(struct virtio_gpu *gpu, const struct gpu_command *command);

/* --- monitors --- */

void gpu_monitor_init(struct gpu_scanout *scanout, const struct virtio_gpu_config *config);
void gpu_monitor_finish(struct gpu_scanout *scanout);
/* A viewer's wish, for a struct gpu_scanout: head_ops.set_ui_info. */
void gpu_monitor_set_ui_info(void *device, const struct head_ui_info *info);
void gpu_monitors_answer(const struct virtio_gpu *gpu, struct gpu_answer *answer);
enum gpu_type gpu_monitor_answer_edid(
	const struct virtio_gpu *gpu, unsigned scanout, struct gpu_answer *answer);
