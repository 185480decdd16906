/* A driver of virtio-gpu that is just enough to show a picture and to change it many times in a row. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot-params.h"

/* Shows a picture of GPU_WIDTH by GPU_HEIGHT on the first scanout, pixels counted up from 0, the first time; then
 * changes the @width by @height pixels in its left upper corner @count times, each time with one transfer and one flush, and
 * when @paced with each tick of the clock. False when there is no device, it does not answer, or the sizes are not to be had. */
bool gpu_update(
	const struct boot *boot, uint32_t width, uint32_t height, uint32_t count, bool paced);

enum {
	GPU_WIDTH = 1280,
	GPU_HEIGHT = 800,
};
