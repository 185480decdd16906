/* virtio-gpu over time: resets, limits, removal; what viewers wish; cursors; damage; VGA before the driver. */
#include <dirent.h>
#include <malloc.h>
#include <string.h>

#include "tests/unit/virtio/gpu-driver.h"
#include "vmm/display/virtio-gpu-front.h"
#include "vmm/display/virtio-gpu-pci.h"
#include "vmm/display/virtio-vga.h"
#include "vmm/pci/config.h"
#include "vmm/pci/pci-registers.h"

enum {
	DATA = 0x400000,
	SIZE = 64, /* of a cursor, and of other pictures here */
	BYTES = SIZE * SIZE * 4,
	EVENTS = 0,
	EVENTS_CLEAR = 4,
};

static const struct gpu_rectangle whole = { 0, 0, SIZE, SIZE };

static struct virtio_gpu *core(const struct gpu_driver *gpu)
{
	return ((struct virtio_gpu_front *)gpu->driver.device)->gpu;
}

static struct head *head_of(const struct gpu_driver *gpu, unsigned index)
{
	return display_head(gpu->vm->machine.display, index);
}

static void start(struct gpu_driver *gpu, const char *outputs, const char *memory)
{
	const char *const properties[] = { "max_outputs", outputs, "blob", "on", "max_hostmem",
		memory, NULL };

	gpu_driver_start(gpu, &virtio_gpu_pci_class, properties, GPU_ALL_FEATURES);
}

static unsigned open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

/* --- resets --- */

static void use_all(struct gpu_driver *gpu)
{
	static const uint32_t size[] = { SIZE, SIZE };

	g_assert_cmphex(gpu_create(gpu, 1, GPU_FORMAT_BGRA, SIZE, SIZE), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_attach(gpu, 1, DATA, BYTES), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_transfer(gpu, 1, &whole, 0), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_set_scanout(gpu, 0, 1, &whole), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_create_blob(gpu, 2, BYTES, DATA, BYTES), ==, GPU_OK_NODATA);
	g_assert_cmphex(
		gpu_set_scanout_blob(gpu, 1, 2, &whole, size, SIZE * 4, 0), ==, GPU_OK_NODATA);
	g_assert_cmphex(
		gpu_cursor_request(gpu, GPU_UPDATE_CURSOR, 0, 5, 6, 1, 0, 0), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_create(gpu, 3, GPU_FORMAT_BGRA, SIZE, SIZE), ==, GPU_OK_NODATA);
	g_assert_cmphex(
		gpu_create(gpu, 3, GPU_FORMAT_BGRA, SIZE, SIZE), ==, GPU_ERROR_INVALID_RESOURCE);
}

static void test_resets(void)
{
	struct gpu_driver gpu;
	uint32_t width, height, pixel;
	unsigned files = 0;
	size_t heap = 0;

	start(&gpu, "2", "16M");
	for (unsigned i = 0; i < 1000; i++) {
		use_all(&gpu);
		gpu_driver_restart(&gpu, GPU_ALL_FEATURES);
		g_assert_cmpuint(virtio_gpu_memory_used(core(&gpu)), ==, 0);
		if (i == 10) {
			files = open_files();
			heap = mallinfo2().uordblks;
		}
	}
	g_assert_cmpuint(open_files(), ==, files);
	g_assert_cmpuint(mallinfo2().uordblks, <, heap + 16384);
	g_assert_false(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
	g_assert_false(gpu_head_shows(&gpu, 1, &width, &height, &pixel));
	g_assert_cmphex(gpu_unref(&gpu, 1), ==, GPU_ERROR_INVALID_RESOURCE);
	gpu_driver_end(&gpu);
}

/* A device goes with everything on it, while it is looked at. */
static void test_removal(void)
{
	struct gpu_driver gpu;
	struct video_memory *memory;
	struct scanout scanout;

	start(&gpu, "2", "16M");
	use_all(&gpu);
	g_assert_true(head_picture(head_of(&gpu, 0), &memory, &scanout));
	virtio_machine_remove(gpu.vm, &gpu.driver.device->pci.device);
	g_assert_cmpuint(display_head_count(gpu.vm->machine.display), ==, 0);
	g_assert_cmphex(video_memory_bytes(memory)[BYTES - 1], ==, 0);
	video_memory_unref(memory);
	gpu_driver_end(&gpu);
}

/* --- limits --- */

static void test_memory_limit(void)
{
	struct gpu_driver gpu;
	uint32_t id = 1;
	uint64_t full;

	start(&gpu, "1", "1M");
	while (gpu_create(&gpu, id, GPU_FORMAT_BGRX, SIZE, SIZE) == GPU_OK_NODATA)
		id++;
	g_assert_cmphex(gpu_answer_word(&gpu, 0), ==, GPU_ERROR_OUT_OF_MEMORY);
	g_assert_cmpuint(id - 1, ==, (1 << 20) / BYTES);
	full = virtio_gpu_memory_used(core(&gpu));
	/* Neither backing nor the smallest picture is for nothing. */
	g_assert_cmphex(gpu_attach(&gpu, 1, DATA, BYTES), ==, GPU_ERROR_OUT_OF_MEMORY);
	g_assert_cmphex(gpu_create(&gpu, id, GPU_FORMAT_BGRX, 1, 1), ==, GPU_ERROR_OUT_OF_MEMORY);
	g_assert_cmphex(gpu_create_blob(&gpu, id, BYTES, DATA, BYTES), ==, GPU_ERROR_OUT_OF_MEMORY);
	g_assert_cmpuint(virtio_gpu_memory_used(core(&gpu)), ==, full);
	g_assert_cmphex(gpu_unref(&gpu, 2), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_attach(&gpu, 1, DATA, BYTES), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_create(&gpu, 2, GPU_FORMAT_BGRX, 1, 1), ==, GPU_OK_NODATA);
	gpu_driver_end(&gpu);
}

static void test_many(void)
{
	struct gpu_driver gpu;
	uint32_t id = 1;

	start(&gpu, "1", "1G");
	while (gpu_create(&gpu, id, GPU_FORMAT_BGRX, 1, 1) == GPU_OK_NODATA)
		id++;
	g_assert_cmpuint(id - 1, ==, GPU_RESOURCES_MAX);
	g_assert_cmphex(gpu_unref(&gpu, 77), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_create(&gpu, 0xfffffff0, GPU_FORMAT_BGRX, 1, 1), ==, GPU_OK_NODATA);
	gpu_driver_end(&gpu);
}

/* Pictures that were shown once do not keep descriptors for ever, nor lose what they show. */
static void test_many_shown(void)
{
	enum {
		COUNT = 4 * GPU_SHARED_MAX
	};
	struct gpu_driver gpu;
	uint32_t width, height, pixel;
	unsigned files;

	start(&gpu, "1", "64M");
	files = open_files();
	for (uint32_t id = 1; id <= COUNT; id++) {
		memset(virtio_machine_ram(gpu.vm, DATA), id & 0xff, BYTES);
		g_assert_cmphex(
			gpu_create(&gpu, id, GPU_FORMAT_BGRX, SIZE, SIZE), ==, GPU_OK_NODATA);
		g_assert_cmphex(gpu_attach(&gpu, id, DATA, BYTES), ==, GPU_OK_NODATA);
		g_assert_cmphex(gpu_transfer(&gpu, id, &whole, 0), ==, GPU_OK_NODATA);
		g_assert_cmphex(gpu_set_scanout(&gpu, 0, id, &whole), ==, GPU_OK_NODATA);
		g_assert_true(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
	}
	g_assert_cmpuint(open_files(), <=, files + 2 * GPU_SHARED_MAX);
	for (uint32_t id = 1; id <= COUNT; id++) {
		g_assert_cmphex(gpu_set_scanout(&gpu, 0, id, &whole), ==, GPU_OK_NODATA);
		g_assert_true(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
		g_assert_cmphex(pixel, ==, (id & 0xff) * 0x01010101u);
	}
	gpu_driver_end(&gpu);
}

/* More pixels than are moved in one turn: all requests are done, one after the other. */
static void test_much_work(void)
{
	const struct gpu_rectangle large = { 0, 0, 1024, 1024 };
	struct gpu_driver gpu;
	uint16_t name;
	uint32_t written;

	start(&gpu, "1", "16M");
	g_assert_cmphex(gpu_create(&gpu, 1, GPU_FORMAT_BGRX, 1024, 1024), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_attach(&gpu, 1, 0x200000, 4 << 20), ==, GPU_OK_NODATA);
	for (uint32_t i = 0; i < 30; i++) {
		const uint32_t words[] = { GPU_TRANSFER_TO_HOST_2D, 0, 0, 0, 0, 0, large.x, large.y,
			large.width, large.height - 1, 4, 0, 1, 0 };
		struct driver_piece pieces[] = { { words, sizeof(words), false, 0 },
			{ NULL, 24, true, 0 } };

		driver_queue_add(&gpu.control, pieces, 2);
	}
	driver_queue_kick(&gpu.control);
	for (unsigned i = 0; i < 30; i++) {
		g_assert_true(driver_queue_wait(&gpu.control, &name, &written));
		g_assert_cmpuint(written, ==, 24);
	}
	gpu_driver_end(&gpu);
}

/* As many heads as there can be, each with a picture and a cursor of its own. */
static void test_sixteen(void)
{
	struct gpu_driver gpu;
	uint32_t width, height, pixel;

	start(&gpu, "16", "16M");
	g_assert_cmpuint(gpu_config_word(&gpu, 8), ==, 16);
	g_assert_cmpuint(display_head_count(gpu.vm->machine.display), ==, 16);
	g_assert_cmphex(gpu_create(&gpu, 99, GPU_FORMAT_BGRA, SIZE, SIZE), ==, GPU_OK_NODATA);
	for (uint32_t i = 0; i < 16; i++) {
		const struct gpu_rectangle part = { i, i, SIZE - i, SIZE - 2 * i };

		g_assert_cmphex(gpu_set_scanout(&gpu, i, 99, &part), ==, GPU_OK_NODATA);
		g_assert_true(gpu_head_shows(&gpu, i, &width, &height, &pixel));
		g_assert_cmpuint(width, ==, SIZE - i);
		g_assert_cmpuint(height, ==, SIZE - 2 * i);
		g_assert_cmphex(gpu_cursor_request(&gpu, GPU_UPDATE_CURSOR, i, 0, 0, 99, 0, 0), ==,
			GPU_OK_NODATA);
	}
	g_assert_cmphex(gpu_unref(&gpu, 99), ==, GPU_OK_NODATA);
	for (uint32_t i = 0; i < 16; i++)
		g_assert_false(gpu_head_shows(&gpu, i, &width, &height, &pixel));
	gpu_driver_end(&gpu);
}

static void test_too_many_heads(void)
{
	static const char *const properties[] = { "max_outputs", "17", NULL };
	struct virtio_machine *vm = virtio_machine_new();
	g_autoptr(GError) error = NULL;

	g_assert_null(virtio_machine_add(vm, &virtio_gpu_pci_class, NULL, properties, &error));
	g_assert_nonnull(strstr(error->message, "max_outputs"));
	virtio_machine_free(vm);
}

/* Registers are no memory, least of all the device's own (CVE-2024-3446). */
static void test_own_registers(void)
{
	struct gpu_driver gpu;

	start(&gpu, "1", "16M");
	g_assert_cmphex(gpu_create(&gpu, 1, GPU_FORMAT_BGRX, SIZE, SIZE), ==, GPU_OK_NODATA);
	g_assert_cmphex(
		gpu_attach(&gpu, 1, gpu.driver.bar, 0x4000), ==, GPU_ERROR_INVALID_PARAMETER);
	g_assert_cmphex(gpu_create_blob(&gpu, 2, 0x4000, gpu.driver.bar, 0x4000), ==,
		GPU_ERROR_INVALID_PARAMETER);
	gpu_driver_end(&gpu);
}

/* --- monitors --- */

static void wish(struct gpu_driver *gpu, unsigned index, uint32_t width, uint32_t height)
{
	head_set_ui_info(head_of(gpu, index),
		&(struct head_ui_info) { .width = width, .height = height, .x_offset = 7 });
}

struct output {
	uint32_t x, y, width, height, enabled;
};

static struct output output(struct gpu_driver *gpu, unsigned index)
{
	size_t at = GPU_HEADER_BYTES + 24 * index;

	g_assert_cmphex(GPU_DO(gpu, GPU_GET_DISPLAY_INFO, 0), ==, GPU_OK_DISPLAY_INFO);
	g_assert_cmpuint(gpu->answer_length, ==, GPU_HEADER_BYTES + 24 * GPU_SCANOUTS_MAX);
	return (struct output) { gpu_answer_word(gpu, at), gpu_answer_word(gpu, at + 4),
		gpu_answer_word(gpu, at + 8), gpu_answer_word(gpu, at + 12),
		gpu_answer_word(gpu, at + 16) };
}

/* The first detailed timing of a monitor's EDID. */
static void edid_says(struct gpu_driver *gpu, unsigned index, uint32_t *width, uint32_t *height)
{
	const uint8_t *edid = gpu->answer + GPU_HEADER_BYTES + 8;

	g_assert_cmphex(GPU_DO(gpu, GPU_GET_EDID, index, 0), ==, GPU_OK_EDID);
	g_assert_cmpuint(gpu->answer_length, ==, GPU_HEADER_BYTES + 8 + 1024);
	g_assert_cmpuint(gpu_answer_word(gpu, GPU_HEADER_BYTES), >=, 256);
	*width = edid[56] | (edid[58] & 0xf0) << 4;
	*height = edid[59] | (edid[61] & 0xf0) << 4;
}

static void test_wishes(void)
{
	struct gpu_driver gpu;
	uint32_t width, height;
	uint8_t first[128];

	start(&gpu, "3", "16M");
	virtio_driver_use_msix(&gpu.driver);
	g_assert_cmpuint(output(&gpu, 0).enabled, ==, 1);
	g_assert_cmpuint(output(&gpu, 0).width, ==, 1280);
	g_assert_cmpuint(output(&gpu, 0).height, ==, 800);
	g_assert_cmpuint(output(&gpu, 1).enabled, ==, 0);
	g_assert_cmpuint(output(&gpu, 15).width, ==, 0);
	g_assert_cmpuint(gpu_config_word(&gpu, EVENTS), ==, 0);
	fake_kvm.messages = 0;
	wish(&gpu, 1, 1000, 700);
	g_assert_cmpuint(gpu_config_word(&gpu, EVENTS), ==, 1);
	g_assert_cmpuint(fake_kvm.messages, ==, 1);
	g_assert_cmpuint(output(&gpu, 1).enabled, ==, 1);
	g_assert_cmpuint(output(&gpu, 1).width, ==, 1000);
	g_assert_cmpuint(output(&gpu, 1).x, ==, 7);
	edid_says(&gpu, 1, &width, &height);
	g_assert_cmpuint(width, ==, 1000);
	g_assert_cmpuint(height, ==, 700);
	memcpy(first, gpu.answer + GPU_HEADER_BYTES + 8, sizeof(first));
	edid_says(&gpu, 2, &width, &height);
	g_assert_cmpint(memcmp(first, gpu.answer + GPU_HEADER_BYTES + 8, sizeof(first)), !=, 0);
	virtio_driver_write(&gpu.driver, REG_CONFIG + EVENTS_CLEAR, 4, 1);
	g_assert_cmpuint(gpu_config_word(&gpu, EVENTS), ==, 0);
	/* The same once more is nothing new. */
	wish(&gpu, 1, 1000, 700);
	g_assert_cmpuint(gpu_config_word(&gpu, EVENTS), ==, 0);
	/* Off; the first goes while another is there, and comes back when there is none. */
	wish(&gpu, 0, 0, 0);
	g_assert_cmpuint(output(&gpu, 0).enabled, ==, 0);
	wish(&gpu, 1, 0, 0);
	g_assert_cmpuint(output(&gpu, 1).enabled, ==, 0);
	g_assert_cmpuint(output(&gpu, 0).enabled, ==, 1);
	g_assert_cmpuint(output(&gpu, 0).width, ==, 1280);
	/* Display information and EDID agree, whatever was wished. */
	wish(&gpu, 0, 5, 16384);
	edid_says(&gpu, 0, &width, &height);
	g_assert_cmpuint(output(&gpu, 0).width, >=, 32);
	wish(&gpu, 0, 3000, 2000);
	edid_says(&gpu, 0, &width, &height);
	g_assert_cmpuint(output(&gpu, 0).width, ==, width);
	g_assert_cmpuint(output(&gpu, 0).height, ==, height);
	gpu_driver_end(&gpu);
}

/* --- cursors --- */

struct seen {
	struct cursor *cursor;
	int32_t x, y;
	bool visible;
	pixman_box32_t damage;
	unsigned updates;
	struct head_listener *listener;
};

static void see_scanout(void *owner, struct video_memory *memory, const struct scanout *scanout)
{
	head_listener_done(((struct seen *)owner)->listener);
}

static void see_disable(void *owner)
{
	head_listener_done(((struct seen *)owner)->listener);
}

static void see_update(void *owner, const pixman_region32_t *damage)
{
	struct seen *seen = owner;

	seen->damage = *pixman_region32_extents((pixman_region32_t *)damage);
	seen->updates++;
	head_listener_done(seen->listener);
}

static void see_cursor(void *owner, struct cursor *cursor)
{
	struct seen *seen = owner;

	cursor_unref(seen->cursor);
	seen->cursor = cursor ? cursor_ref(cursor) : NULL;
	head_listener_done(seen->listener);
}

static void see_mouse(void *owner, int32_t x, int32_t y, bool visible)
{
	struct seen *seen = owner;

	seen->x = x;
	seen->y = y;
	seen->visible = visible;
	head_listener_done(seen->listener);
}

static const struct head_listener_ops listener_ops = {
	.scanout = see_scanout,
	.disable = see_disable,
	.update = see_update,
	.cursor = see_cursor,
	.mouse = see_mouse,
};

static void look(struct gpu_driver *gpu)
{
	gint64 end = g_get_monotonic_time() + 50 * 1000;

	while (g_get_monotonic_time() < end)
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(1000);
}

static void test_cursor(void)
{
	struct gpu_driver gpu;
	struct seen seen = { 0 };
	uint32_t *pixels;

	start(&gpu, "1", "16M");
	seen.listener = head_add_listener(head_of(&gpu, 0), &listener_ops, &seen, 1);
	pixels = virtio_machine_ram(gpu.vm, DATA);
	for (unsigned i = 0; i < SIZE * SIZE; i++)
		pixels[i] = 0x80402010;
	/* R8G8B8A8: the bytes are red, green, blue, alpha. */
	g_assert_cmphex(gpu_create(&gpu, 1, 67, SIZE, SIZE), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_attach(&gpu, 1, DATA, BYTES), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_transfer(&gpu, 1, &whole, 0), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_create(&gpu, 2, GPU_FORMAT_BGRA, SIZE, SIZE - 1), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_cursor_request(&gpu, GPU_UPDATE_CURSOR, 0, -3, 20, 1, 4, 100), ==,
		GPU_OK_NODATA);
	look(&gpu);
	g_assert_nonnull(seen.cursor);
	g_assert_cmphex(seen.cursor->pixels[SIZE], ==, 0x80102040);
	g_assert_cmpuint(seen.cursor->hot_x, ==, 4);
	g_assert_cmpuint(seen.cursor->hot_y, ==, SIZE - 1);
	g_assert_cmpint(seen.x, ==, -3);
	g_assert_true(seen.visible);
	g_assert_cmphex(
		gpu_cursor_request(&gpu, GPU_MOVE_CURSOR, 0, 9, 8, 1, 0, 0), ==, GPU_OK_NODATA);
	look(&gpu);
	g_assert_cmpint(seen.x, ==, 9);
	g_assert_cmphex(gpu_cursor_request(&gpu, GPU_UPDATE_CURSOR, 1, 0, 0, 1, 0, 0), ==,
		GPU_ERROR_INVALID_SCANOUT);
	g_assert_cmphex(gpu_cursor_request(&gpu, GPU_MOVE_CURSOR, ~0u, 0, 0, 1, 0, 0), ==,
		GPU_ERROR_INVALID_SCANOUT);
	g_assert_cmphex(gpu_cursor_request(&gpu, GPU_UPDATE_CURSOR, 0, 0, 0, 9, 0, 0), ==,
		GPU_ERROR_INVALID_RESOURCE);
	g_assert_cmphex(gpu_cursor_request(&gpu, GPU_UPDATE_CURSOR, 0, 0, 0, 2, 0, 0), ==,
		GPU_ERROR_INVALID_PARAMETER);
	g_assert_cmphex(gpu_cursor_request(&gpu, GPU_GET_DISPLAY_INFO, 0, 0, 0, 0, 0, 0), ==,
		GPU_ERROR_UNSPECIFIED);
	g_assert_cmphex(gpu_create_blob(&gpu, 3, 64, DATA, 64), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_cursor_request(&gpu, GPU_UPDATE_CURSOR, 0, 0, 0, 3, 0, 0), ==,
		GPU_ERROR_INVALID_PARAMETER);
	g_assert_cmphex(
		gpu_cursor_request(&gpu, GPU_UPDATE_CURSOR, 0, 0, 0, 0, 0, 0), ==, GPU_OK_NODATA);
	look(&gpu);
	g_assert_null(seen.cursor);
	g_assert_false(seen.visible);
	head_remove_listener(seen.listener);
	gpu_driver_end(&gpu);
}

/* --- damage --- */

static void check_damage(struct gpu_driver *gpu, struct seen *seen,
	const struct gpu_rectangle *flushed, const pixman_box32_t *expected)
{
	unsigned before = seen->updates;

	g_assert_cmphex(gpu_flush(gpu, 1, flushed), ==, GPU_OK_NODATA);
	look(gpu);
	if (!expected) {
		g_assert_cmpuint(seen->updates, ==, before);
		return;
	}
	g_assert_cmpuint(seen->updates, ==, before + 1);
	g_assert_cmpint(memcmp(&seen->damage, expected, sizeof(*expected)), ==, 0);
}

static void test_damage(void)
{
	static const struct gpu_rectangle shown = { 10, 20, 30, 30 };
	static const uint32_t size[] = { SIZE, SIZE };
	struct gpu_driver gpu;
	struct seen seen = { 0 };

	start(&gpu, "1", "16M");
	seen.listener = head_add_listener(head_of(&gpu, 0), &listener_ops, &seen, 1);
	g_assert_cmphex(gpu_create(&gpu, 1, GPU_FORMAT_BGRX, SIZE, SIZE), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_set_scanout(&gpu, 0, 1, &shown), ==, GPU_OK_NODATA);
	look(&gpu);
	check_damage(&gpu, &seen, &(struct gpu_rectangle) { 12, 22, 5, 6 },
		&(pixman_box32_t) { 2, 2, 7, 8 });
	check_damage(&gpu, &seen, &whole, &(pixman_box32_t) { 0, 0, 30, 30 });
	check_damage(&gpu, &seen, &(struct gpu_rectangle) { 0, 0, 10, 64 }, NULL);
	g_assert_cmphex(gpu_unref(&gpu, 1), ==, GPU_OK_NODATA);
	/* The same with a blob. */
	g_assert_cmphex(gpu_create_blob(&gpu, 1, BYTES, DATA, BYTES), ==, GPU_OK_NODATA);
	g_assert_cmphex(
		gpu_set_scanout_blob(&gpu, 0, 1, &shown, size, SIZE * 4, 0), ==, GPU_OK_NODATA);
	look(&gpu);
	check_damage(&gpu, &seen, &(struct gpu_rectangle) { 12, 22, 5, 6 },
		&(pixman_box32_t) { 2, 2, 7, 8 });
	check_damage(&gpu, &seen, &(struct gpu_rectangle) { 39, 49, ~0u, ~0u },
		&(pixman_box32_t) { 29, 29, 30, 30 });
	check_damage(&gpu, &seen, &(struct gpu_rectangle) { 0, 0, 0, 0 }, NULL);
	head_remove_listener(seen.listener);
	gpu_driver_end(&gpu);
}

/* --- virtio-vga --- */

static void test_vga(void)
{
	static const struct {
		uint16_t at;
		uint8_t type, bar;
		uint32_t offset, size;
	} capabilities[] = { { 0x40, 1, 2, 0x1000, 0x800 }, { 0x50, 3, 2, 0x1800, 0x800 },
		{ 0x60, 4, 2, 0x2000, 0x1000 }, { 0x70, 2, 2, 0x3000, 0x1000 } };
	struct gpu_driver gpu;
	const uint8_t *config;
	uint32_t width, height, pixel;

	gpu_driver_start(&gpu, &virtio_vga_class, NULL, VIRTIO_GPU_FEATURE_EDID);
	config = gpu.driver.device->pci.config;
	for (size_t i = 0; i < G_N_ELEMENTS(capabilities); i++) {
		g_assert_cmphex(config[capabilities[i].at], ==, 9);
		g_assert_cmphex(config[capabilities[i].at + 3], ==, capabilities[i].type);
		g_assert_cmphex(config[capabilities[i].at + 4], ==, capabilities[i].bar);
		g_assert_cmphex(
			config_get32(config + capabilities[i].at + 8), ==, capabilities[i].offset);
		g_assert_cmphex(
			config_get32(config + capabilities[i].at + 12), ==, capabilities[i].size);
	}
	g_assert_cmphex(config_get32(config + 0x84) & 0xff00ff, ==, 0x140009);
	g_assert_cmphex(config_get32(config + 0x98 + 4), ==, 4);
	g_assert_cmphex(config_get32(config + 0x98 + 8), ==, 0x804);
	g_assert_cmphex(config_get32(config + 8), ==, 0x03000001);
	/* The VGA draws, on the first head, until the driver shows something there. */
	g_assert_cmpuint(display_head_count(gpu.vm->machine.display), ==, 1);
	g_assert_true(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
	g_assert_cmpuint(width, ==, 640);
	g_assert_cmphex(gpu_create(&gpu, 1, GPU_FORMAT_BGRX, SIZE, SIZE), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_set_scanout(&gpu, 0, 0, &whole), ==, GPU_OK_NODATA);
	g_assert_true(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
	g_assert_cmphex(gpu_set_scanout(&gpu, 0, 1, &whole), ==, GPU_OK_NODATA);
	g_assert_true(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
	g_assert_cmpuint(width, ==, SIZE);
	/* From then on what VGA's registers say is not seen, nor does the VGA come back. */
	g_mutex_lock(&gpu.vm->machine.lock);
	io_space_write(&gpu.vm->machine.ports, 0x1ce, 2, 4);
	io_space_write(&gpu.vm->machine.ports, 0x1cf, 2, 0x41);
	g_mutex_unlock(&gpu.vm->machine.lock);
	g_assert_true(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
	g_assert_cmpuint(width, ==, SIZE);
	g_assert_cmphex(gpu_set_scanout(&gpu, 0, 0, &whole), ==, GPU_OK_NODATA);
	g_assert_false(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
	/* Until the reset. */
	gpu_driver_restart(&gpu, VIRTIO_GPU_FEATURE_EDID);
	g_assert_true(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
	g_assert_cmpuint(width, !=, SIZE);
	gpu_driver_end(&gpu);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/gpu/resets", test_resets);
	g_test_add_func("/gpu/removal", test_removal);
	g_test_add_func("/gpu/limit/memory", test_memory_limit);
	g_test_add_func("/gpu/limit/many", test_many);
	g_test_add_func("/gpu/limit/shown", test_many_shown);
	g_test_add_func("/gpu/limit/work", test_much_work);
	g_test_add_func("/gpu/sixteen", test_sixteen);
	g_test_add_func("/gpu/too-many-heads", test_too_many_heads);
	g_test_add_func("/gpu/own-registers", test_own_registers);
	g_test_add_func("/gpu/wishes", test_wishes);
	g_test_add_func("/gpu/cursor", test_cursor);
	g_test_add_func("/gpu/damage", test_damage);
	g_test_add_func("/gpu/vga", test_vga);
	return g_test_run();
}
