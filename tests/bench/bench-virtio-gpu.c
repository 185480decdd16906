/* How fast a virtio-gpu copies out of its guest's memory, beside memcpy: whole pictures, whose backing is in one piece or in
 * pieces of a page, and a part of one.
 *
 * Prints a table with medians in MB/s.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "display/devices/virtio-gpu-resource.h"

enum {
	ROUNDS = 51,
	WIDTH = 1920,
	HEIGHT = 1080,
	STRIDE = WIDTH * 4,
	BYTES = STRIDE * HEIGHT,
	PAGE = 4096,
	PAGES = (BYTES + PAGE - 1) / PAGE,
	FORMAT = 2,
};

static uint8_t *ram;

static void *pointer(void *owner, uint64_t address, size_t length)
{
	return ram + address;
}

static const struct gpu_memory_ops memory_ops = { .pointer = pointer };

static int ascending(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), ascending);
	return values[ROUNDS / 2];
}

/* Pages in an order that no two neighbours join. */
static void fill_entries(struct gpu_entry *entries, unsigned *count, bool scattered)
{
	*count = scattered ? PAGES : 1;
	entries[0] = (struct gpu_entry) { 0, PAGES * PAGE };
	for (unsigned i = 0; scattered && i < PAGES; i++)
		entries[i] = (struct gpu_entry) { (uint64_t)(i * 7919 % PAGES) * PAGE, PAGE };
}

static double transfers(bool scattered, const struct gpu_rectangle *area)
{
	g_autofree struct gpu_entry *entries = g_new(struct gpu_entry, PAGES);
	struct gpu_resources resources;
	struct gpu_resource *resource;
	double values[ROUNDS];
	uint64_t moved;
	unsigned count;

	gpu_resources_init(&resources, 64 << 20, &memory_ops, NULL);
	gpu_resource_create_2d(&resources, 1, FORMAT, WIDTH, HEIGHT);
	resource = gpu_resource_find(&resources, 1);
	fill_entries(entries, &count, scattered);
	if (gpu_resource_attach(&resources, resource, entries, count) != GPU_OK_NODATA)
		exit(1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		gint64 began = g_get_monotonic_time();

		gpu_resource_transfer(
			resource, area, (uint64_t)area->y * STRIDE + area->x * 4ull, &moved);
		gpu_resource_settle(resource);
		values[i] = (double)area->width * area->height * 4 /
			    (g_get_monotonic_time() - began + 0.5);
	}
	gpu_resources_clear(&resources);
	return median(values);
}

static double copies(uint8_t *to, const struct gpu_rectangle *area)
{
	double values[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		gint64 began = g_get_monotonic_time();

		for (uint32_t row = 0; row < area->height; row++) {
			memcpy(to + row * STRIDE, ram + row * STRIDE, area->width * 4);
			__asm__ volatile("" : : "r"(to) : "memory");
		}
		values[i] = (double)area->width * area->height * 4 /
			    (g_get_monotonic_time() - began + 0.5);
	}
	return median(values);
}

int main(void)
{
	static const struct {
		const char *name;
		struct gpu_rectangle area;
		bool scattered;
	} cases[] = {
		{ "1920x1080, backing in one piece", { 0, 0, WIDTH, HEIGHT }, false },
		{ "1920x1080, backing in pages", { 0, 0, WIDTH, HEIGHT }, true },
		{ "640x480 of it, backing in pages", { 100, 100, 640, 480 }, true },
	};
	g_autofree uint8_t *to = g_malloc(PAGES * PAGE);

	ram = g_malloc(PAGES * PAGE);
	memset(ram, 1, PAGES * PAGE);
	memset(to, 1, PAGES * PAGE);
	printf("%-34s%12s%12s%8s\n", "MB/s", "transfer", "memcpy", "ratio");
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		double copied = copies(to, &cases[i].area);
		double transferred = transfers(cases[i].scattered, &cases[i].area);

		printf("%-34s%12.0f%12.0f%8.2f\n", cases[i].name, transferred, copied,
			transferred / copied);
	}
	g_free(ram);
	return 0;
}
