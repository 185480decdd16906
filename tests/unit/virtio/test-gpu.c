/* virtio-gpu, request by request: what each answers, with right and with wrong values. Specification: virtio 1.2 section 5.7. */
#include <string.h>

#include "tests/unit/virtio/gpu-driver.h"
#include "vmm/display/virtio-gpu-front.h"
#include "vmm/display/virtio-gpu-pci.h"

enum {
	DATA = 0x400000, /* guest-physical: pictures */
	WIDTH = 64,
	HEIGHT = 48,
	BYTES = WIDTH * HEIGHT * 4,
	NOWHERE = 0x90000000,
};

static const struct gpu_rectangle whole = { 0, 0, WIDTH, HEIGHT };

static void start(struct gpu_driver *gpu)
{
	static const char *const properties[] = { "max_outputs", "2", "blob", "on", "max_hostmem",
		"16M", NULL };

	gpu_driver_start(gpu, &virtio_gpu_pci_class, properties, GPU_ALL_FEATURES);
}

static uint32_t *pixels(struct gpu_driver *gpu)
{
	return virtio_machine_ram(gpu->vm, DATA);
}

static void fill(struct gpu_driver *gpu, uint32_t seed)
{
	for (unsigned i = 0; i < WIDTH * HEIGHT; i++)
		pixels(gpu)[i] = seed + i;
}

/* Resource 1, with backing. */
static void prepare(struct gpu_driver *gpu)
{
	g_assert_cmphex(gpu_create(gpu, 1, GPU_FORMAT_BGRX, WIDTH, HEIGHT), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_attach(gpu, 1, DATA, BYTES), ==, GPU_OK_NODATA);
}

static void test_identity(void)
{
	struct gpu_driver gpu;

	start(&gpu);
	g_assert_cmphex(virtio_driver_offered(&gpu.driver) & 0xff, ==, 0x0e);
	g_assert_cmpuint(virtio_driver_read(&gpu.driver, REG_QUEUES, 2), ==, 2);
	g_assert_cmpuint(gpu_config_word(&gpu, 0), ==, 0);
	g_assert_cmpuint(gpu_config_word(&gpu, 8), ==, 2);
	g_assert_cmpuint(gpu_config_word(&gpu, 12), ==, 0);
	g_assert_cmpuint(display_head_count(gpu.vm->machine.display), ==, 2);
	gpu_driver_end(&gpu);
}

/* --- one request, one answer --- */

static const struct {
	const char *name;
	uint32_t type;
	uint32_t words[18];
	unsigned count;
	uint32_t answer;
} cases[] = {
	{ "/create/id-0", GPU_RESOURCE_CREATE_2D, { 0, 1, 8, 8 }, 4, GPU_ERROR_INVALID_RESOURCE },
	{ "/create/id-taken", GPU_RESOURCE_CREATE_2D, { 1, 1, 8, 8 }, 4,
		GPU_ERROR_INVALID_RESOURCE },
	{ "/create/format-0", GPU_RESOURCE_CREATE_2D, { 2, 0, 8, 8 }, 4,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/create/format-5", GPU_RESOURCE_CREATE_2D, { 2, 5, 8, 8 }, 4,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/create/no-width", GPU_RESOURCE_CREATE_2D, { 2, 1, 0, 8 }, 4,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/create/no-height", GPU_RESOURCE_CREATE_2D, { 2, 1, 8, 0 }, 4,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/create/too-wide", GPU_RESOURCE_CREATE_2D, { 2, 1, 16385, 8 }, 4,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/create/stride-overflows", GPU_RESOURCE_CREATE_2D, { 2, 1, 0x40000001, 8 }, 4,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/create/size-overflows", GPU_RESOURCE_CREATE_2D, { 2, 1, 0xffffffff, 0xffffffff }, 4,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/create/beyond-limit", GPU_RESOURCE_CREATE_2D, { 2, 1, 16384, 16384 }, 4,
		GPU_ERROR_OUT_OF_MEMORY },
	{ "/create/short", GPU_RESOURCE_CREATE_2D, { 2, 1, 8 }, 3, GPU_ERROR_INVALID_PARAMETER },
	{ "/unref/unknown", GPU_RESOURCE_UNREF, { 7, 0 }, 2, GPU_ERROR_INVALID_RESOURCE },
	{ "/unref/0", GPU_RESOURCE_UNREF, { 0, 0 }, 2, GPU_ERROR_INVALID_RESOURCE },
	{ "/unref/short", GPU_RESOURCE_UNREF, { 1 }, 1, GPU_ERROR_INVALID_PARAMETER },
	{ "/attach/unknown", GPU_RESOURCE_ATTACH_BACKING, { 7, 1, DATA, 0, 64, 0 }, 6,
		GPU_ERROR_INVALID_RESOURCE },
	{ "/attach/twice", GPU_RESOURCE_ATTACH_BACKING, { 1, 1, DATA, 0, 64, 0 }, 6,
		GPU_ERROR_UNSPECIFIED },
	{ "/attach/nothing", GPU_RESOURCE_ATTACH_BACKING, { 3, 0 }, 2,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/attach/empty-piece", GPU_RESOURCE_ATTACH_BACKING, { 3, 1, DATA, 0, 0, 0 }, 6,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/attach/no-ram", GPU_RESOURCE_ATTACH_BACKING, { 3, 1, NOWHERE, 0, 64, 0 }, 6,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/attach/end-of-ram", GPU_RESOURCE_ATTACH_BACKING, { 3, 1, 0x7ffff0, 0, 64, 0 }, 6,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/attach/end-of-addresses", GPU_RESOURCE_ATTACH_BACKING,
		{ 3, 1, 0xfffffff0, 0xffffffff, 64, 0 }, 6, GPU_ERROR_INVALID_PARAMETER },
	{ "/attach/second-piece-outside", GPU_RESOURCE_ATTACH_BACKING,
		{ 3, 2, DATA, 0, 64, 0, NOWHERE, 0, 64, 0 }, 10, GPU_ERROR_INVALID_PARAMETER },
	{ "/attach/fewer-than-said", GPU_RESOURCE_ATTACH_BACKING, { 3, 2, DATA, 0, 64, 0 }, 6,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/attach/too-many", GPU_RESOURCE_ATTACH_BACKING, { 3, 16385, DATA, 0, 64, 0 }, 6,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/attach/count-overflows", GPU_RESOURCE_ATTACH_BACKING, { 3, 0x10000001, DATA, 0, 64, 0 },
		6, GPU_ERROR_INVALID_PARAMETER },
	{ "/detach/unknown", GPU_RESOURCE_DETACH_BACKING, { 7, 0 }, 2, GPU_ERROR_INVALID_RESOURCE },
	{ "/detach/none", GPU_RESOURCE_DETACH_BACKING, { 3, 0 }, 2, GPU_ERROR_UNSPECIFIED },
	{ "/transfer/unknown", GPU_TRANSFER_TO_HOST_2D, { 0, 0, 8, 8, 0, 0, 7, 0 }, 8,
		GPU_ERROR_INVALID_RESOURCE },
	{ "/transfer/no-backing", GPU_TRANSFER_TO_HOST_2D, { 0, 0, 8, 8, 0, 0, 3, 0 }, 8,
		GPU_ERROR_UNSPECIFIED },
	{ "/transfer/empty", GPU_TRANSFER_TO_HOST_2D, { 0, 0, 0, 8, 0, 0, 1, 0 }, 8,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/transfer/too-wide", GPU_TRANSFER_TO_HOST_2D, { 1, 0, WIDTH, 1, 0, 0, 1, 0 }, 8,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/transfer/too-high", GPU_TRANSFER_TO_HOST_2D, { 0, 1, 1, HEIGHT, 0, 0, 1, 0 }, 8,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/transfer/x-wraps", GPU_TRANSFER_TO_HOST_2D, { 0xffffffff, 0, 2, 1, 0, 0, 1, 0 }, 8,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/transfer/y-wraps", GPU_TRANSFER_TO_HOST_2D, { 0, 0xffffffff, 1, 2, 0, 0, 1, 0 }, 8,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/transfer/behind-backing", GPU_TRANSFER_TO_HOST_2D, { 0, 0, WIDTH, HEIGHT, 4, 0, 1, 0 },
		8, GPU_ERROR_INVALID_PARAMETER },
	{ "/transfer/offset-overflows", GPU_TRANSFER_TO_HOST_2D,
		{ 0, 0, 8, 8, 0xffffffff, 0xffffffff, 1, 0 }, 8, GPU_ERROR_INVALID_PARAMETER },
	{ "/scanout/unknown", GPU_SET_SCANOUT, { 0, 0, 8, 8, 2, 1 }, 6, GPU_ERROR_INVALID_SCANOUT },
	{ "/scanout/far", GPU_SET_SCANOUT, { 0, 0, 8, 8, 0xffffffff, 1 }, 6,
		GPU_ERROR_INVALID_SCANOUT },
	{ "/scanout/far-off", GPU_SET_SCANOUT, { 0, 0, 0, 0, 0x80000000, 0 }, 6,
		GPU_ERROR_INVALID_SCANOUT },
	{ "/scanout/no-resource", GPU_SET_SCANOUT, { 0, 0, 8, 8, 0, 7 }, 6,
		GPU_ERROR_INVALID_RESOURCE },
	{ "/scanout/a-blob", GPU_SET_SCANOUT, { 0, 0, 8, 8, 0, 4 }, 6, GPU_ERROR_INVALID_RESOURCE },
	{ "/scanout/empty", GPU_SET_SCANOUT, { 0, 0, 0, 8, 0, 1 }, 6, GPU_ERROR_INVALID_PARAMETER },
	{ "/scanout/outside", GPU_SET_SCANOUT, { 1, 0, WIDTH, HEIGHT, 0, 1 }, 6,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/scanout/wraps", GPU_SET_SCANOUT, { 0xfffffff8, 0, 16, 8, 0, 1 }, 6,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/scanout/off", GPU_SET_SCANOUT, { 0, 0, 0, 0, 1, 0 }, 6, GPU_OK_NODATA },
	{ "/flush/unknown", GPU_RESOURCE_FLUSH, { 0, 0, 8, 8, 7, 0 }, 6,
		GPU_ERROR_INVALID_RESOURCE },
	{ "/flush/outside", GPU_RESOURCE_FLUSH, { 0, 0, WIDTH, HEIGHT + 1, 1, 0 }, 6,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/flush/wraps", GPU_RESOURCE_FLUSH, { 8, 0xffffffff, 8, 8, 1, 0 }, 6,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/flush/not-shown", GPU_RESOURCE_FLUSH, { 0, 0, 8, 8, 1, 0 }, 6, GPU_OK_NODATA },
	{ "/edid/unknown", GPU_GET_EDID, { 2, 0 }, 2, GPU_ERROR_INVALID_PARAMETER },
	{ "/edid/short", GPU_GET_EDID, { 0 }, 1, GPU_ERROR_INVALID_PARAMETER },
	{ "/uuid/unknown", GPU_RESOURCE_ASSIGN_UUID, { 7, 0 }, 2, GPU_ERROR_INVALID_RESOURCE },
	{ "/blob/id-0", GPU_RESOURCE_CREATE_BLOB, { 0, 1, 1, 1, 0, 0, 4096, 0, DATA, 0, 4096, 0 },
		12, GPU_ERROR_INVALID_RESOURCE },
	{ "/blob/id-taken", GPU_RESOURCE_CREATE_BLOB,
		{ 1, 1, 1, 1, 0, 0, 4096, 0, DATA, 0, 4096, 0 }, 12, GPU_ERROR_INVALID_RESOURCE },
	{ "/blob/host-memory", GPU_RESOURCE_CREATE_BLOB,
		{ 5, 2, 1, 1, 0, 0, 4096, 0, DATA, 0, 4096, 0 }, 12, GPU_ERROR_INVALID_PARAMETER },
	{ "/blob/flags", GPU_RESOURCE_CREATE_BLOB, { 5, 1, 8, 1, 0, 0, 4096, 0, DATA, 0, 4096, 0 },
		12, GPU_ERROR_INVALID_PARAMETER },
	{ "/blob/no-size", GPU_RESOURCE_CREATE_BLOB, { 5, 1, 1, 1, 0, 0, 0, 0, DATA, 0, 4096, 0 },
		12, GPU_ERROR_INVALID_PARAMETER },
	{ "/blob/larger-than-backing", GPU_RESOURCE_CREATE_BLOB,
		{ 5, 1, 1, 1, 0, 0, 4097, 0, DATA, 0, 4096, 0 }, 12, GPU_ERROR_INVALID_PARAMETER },
	{ "/blob/huge", GPU_RESOURCE_CREATE_BLOB,
		{ 5, 1, 1, 1, 0, 0, 0xffffffff, 0xffffffff, DATA, 0, 4096, 0 }, 12,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/blob/no-ram", GPU_RESOURCE_CREATE_BLOB,
		{ 5, 1, 1, 1, 0, 0, 4096, 0, NOWHERE, 0, 4096, 0 }, 12,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/blob/no-entries", GPU_RESOURCE_CREATE_BLOB, { 5, 1, 1, 0, 0, 0, 4096, 0 }, 8,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/scanout-blob/no-blob", GPU_SET_SCANOUT_BLOB,
		{ 0, 0, 8, 8, 0, 1, 8, 8, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0 }, 18,
		GPU_ERROR_INVALID_RESOURCE },
	{ "/scanout-blob/unknown-scanout", GPU_SET_SCANOUT_BLOB,
		{ 0, 0, 8, 8, 2, 4, 8, 8, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0 }, 18,
		GPU_ERROR_INVALID_SCANOUT },
	{ "/scanout-blob/format", GPU_SET_SCANOUT_BLOB,
		{ 0, 0, 8, 8, 0, 4, 8, 8, 5, 0, 32, 0, 0, 0, 0, 0, 0, 0 }, 18,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/scanout-blob/stride", GPU_SET_SCANOUT_BLOB,
		{ 0, 0, 8, 8, 0, 4, 8, 8, 2, 0, 31, 0, 0, 0, 0, 0, 0, 0 }, 18,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/scanout-blob/stride-overflows", GPU_SET_SCANOUT_BLOB,
		{ 0, 0, 8, 8, 0, 4, 8, 8, 2, 0, 0xfffffffc, 0, 0, 0, 0, 0, 0, 0 }, 18,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/scanout-blob/outside", GPU_SET_SCANOUT_BLOB,
		{ 0, 0, 9, 8, 0, 4, 8, 8, 2, 0, 64, 0, 0, 0, 0, 0, 0, 0 }, 18,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/scanout-blob/too-large", GPU_SET_SCANOUT_BLOB,
		{ 0, 0, 32, 64, 0, 4, 32, 64, 2, 0, 128, 0, 0, 0, 0, 0, 0, 0 }, 18,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/scanout-blob/width-overflows", GPU_SET_SCANOUT_BLOB,
		{ 0, 0, 0x40000001, 1, 0, 4, 0x40000001, 1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0 }, 18,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/scanout-blob/offset", GPU_SET_SCANOUT_BLOB,
		{ 0, 0, 8, 8, 0, 4, 8, 8, 2, 0, 32, 0, 0, 0, 0xffffffff, 0, 0, 0 }, 18,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/scanout-blob/short", GPU_SET_SCANOUT_BLOB,
		{ 0, 0, 8, 8, 0, 4, 8, 8, 2, 0, 32, 0, 0, 0, 0, 0, 0 }, 17,
		GPU_ERROR_INVALID_PARAMETER },
	{ "/capset-info", GPU_GET_CAPSET_INFO, { 0xffffffff, 0 }, 2, GPU_ERROR_UNSPECIFIED },
	{ "/capset", GPU_GET_CAPSET, { 0xffffffff, 1 }, 2, GPU_ERROR_UNSPECIFIED },
	{ "/3d", 0x0200, { 0 }, 1, GPU_ERROR_UNSPECIFIED },
	{ "/type-0", 0, { 0 }, 1, GPU_ERROR_UNSPECIFIED },
	{ "/an-answer", GPU_OK_NODATA, { 0 }, 1, GPU_ERROR_UNSPECIFIED },
	{ "/cursor-on-control", GPU_UPDATE_CURSOR, { 0, 0, 0, 0, 1, 0, 0, 0 }, 8,
		GPU_ERROR_UNSPECIFIED },
};

/* After each of them the device does what it did before: resource 1 has backing, 3 has none, 4 is a blob of a page. */
static void test_cases(void)
{
	struct gpu_driver gpu;
	uint64_t used;

	start(&gpu);
	prepare(&gpu);
	g_assert_cmphex(gpu_create(&gpu, 3, GPU_FORMAT_BGRA, 16, 16), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_create_blob(&gpu, 4, 4096, DATA, 4096), ==, GPU_OK_NODATA);
	used = virtio_gpu_memory_used(((struct virtio_gpu_front *)gpu.driver.device)->gpu);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint32_t answer =
			gpu_request_words(&gpu, cases[i].type, cases[i].words, cases[i].count);

		if (answer != cases[i].answer)
			g_error("%s: 0x%x", cases[i].name, answer);
		g_assert_cmpuint(gpu.answer_length, ==, GPU_HEADER_BYTES);
		g_assert_false(virtio_driver_needs_reset(&gpu.driver));
	}
	g_assert_cmpuint(
		virtio_gpu_memory_used(((struct virtio_gpu_front *)gpu.driver.device)->gpu), ==,
		used);
	g_assert_cmphex(gpu_transfer(&gpu, 1, &whole, 0), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_unref(&gpu, 1), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_unref(&gpu, 1), ==, GPU_ERROR_INVALID_RESOURCE);
	gpu_driver_end(&gpu);
}

/* Without its feature a request is none. */
static void test_features(void)
{
	static const uint32_t types[] = { GPU_GET_EDID, GPU_RESOURCE_ASSIGN_UUID,
		GPU_RESOURCE_CREATE_BLOB, GPU_SET_SCANOUT_BLOB };
	static const uint32_t words[18] = { 0 };
	struct gpu_driver gpu;

	gpu_driver_start(&gpu, &virtio_gpu_pci_class, NULL, 0);
	g_assert_cmphex(virtio_driver_offered(&gpu.driver) & 0xff, ==, 0x06);
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
		g_assert_cmphex(
			gpu_request_words(&gpu, types[i], words, 18), ==, GPU_ERROR_UNSPECIFIED);
	gpu_driver_end(&gpu);
}

/* --- fences --- */

static void test_fence(void)
{
	struct gpu_driver gpu;

	start(&gpu);
	gpu.fence = 0x1122334455667788;
	gpu.context = 5;
	g_assert_cmphex(gpu_create(&gpu, 1, 1, 8, 8), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_answer_word(&gpu, 4), ==, 0);
	g_assert_cmphex(gpu_answer_word(&gpu, 8), ==, 0);
	gpu.flags = GPU_FLAG_FENCE | 0x100;
	g_assert_cmphex(gpu_create(&gpu, 1, 1, 8, 8), ==, GPU_ERROR_INVALID_RESOURCE);
	g_assert_cmphex(gpu_answer_word(&gpu, 4), ==, GPU_FLAG_FENCE);
	g_assert_cmphex(gpu_answer_word(&gpu, 8), ==, 0x55667788);
	g_assert_cmphex(gpu_answer_word(&gpu, 12), ==, 0x11223344);
	g_assert_cmpuint(gpu_answer_word(&gpu, 16), ==, 5);
	gpu.flags = GPU_FLAG_FENCE | GPU_FLAG_RING_INDEX;
	gpu.ring = 3;
	g_assert_cmphex(gpu_unref(&gpu, 1), ==, GPU_OK_NODATA);
	g_assert_cmpuint(gpu_answer_word(&gpu, 20), ==, 3);
	gpu_driver_end(&gpu);
}

/* Fences come in the order of their requests. */
static void test_order(void)
{
	struct gpu_driver gpu;
	uint16_t names[8], name;
	uint32_t written;

	start(&gpu);
	for (uint32_t i = 0; i < 8; i++) {
		const uint32_t words[] = { GPU_GET_DISPLAY_INFO, GPU_FLAG_FENCE, i, 0, 0, 0 };
		struct driver_piece pieces[] = { { words, sizeof(words), false, 0 },
			{ NULL, 512, true, 0 } };

		names[i] = driver_queue_add(&gpu.control, pieces, 2);
	}
	driver_queue_kick(&gpu.control);
	for (unsigned i = 0; i < 8; i++) {
		g_assert_true(driver_queue_wait(&gpu.control, &name, &written));
		g_assert_cmpuint(name, ==, names[i]);
		g_assert_cmpuint(written, ==, 24 + 16 * 24);
	}
	gpu_driver_end(&gpu);
}

/* A request shorter than its header, without room for an answer, in many pieces. */
static void test_shapes(void)
{
	static const uint32_t words[] = { GPU_RESOURCE_CREATE_2D, 0, 0, 0, 0, 0, 9, 1, 8, 8 };
	struct gpu_driver gpu;
	struct driver_piece pieces[11] = { { words, 7, false, 0 }, { NULL, 24, true, 0 } };

	start(&gpu);
	g_assert_cmpuint(driver_queue_do(&gpu.control, pieces, 2), ==, 24);
	g_assert_cmphex(*(uint32_t *)driver_piece_bytes(&gpu.control, &pieces[1]), ==,
		GPU_ERROR_INVALID_PARAMETER);
	pieces[0] = (struct driver_piece) { words, sizeof(words), false, 0 };
	g_assert_cmpuint(driver_queue_do(&gpu.control, pieces, 1), ==, 0);
	g_assert_cmphex(gpu_unref(&gpu, 9), ==, GPU_OK_NODATA);
	pieces[1] = (struct driver_piece) { NULL, 5, true, 0 };
	g_assert_cmpuint(driver_queue_do(&gpu.control, pieces, 2), ==, 5);
	g_assert_cmphex(gpu_unref(&gpu, 9), ==, GPU_OK_NODATA);
	for (unsigned i = 0; i < 10; i++)
		pieces[i] = (struct driver_piece) { words + i, 4, false, 0 };
	pieces[10] = (struct driver_piece) { NULL, 24, true, 0 };
	g_assert_cmpuint(driver_queue_do(&gpu.control, pieces, 11), ==, 24);
	g_assert_cmphex(gpu_unref(&gpu, 9), ==, GPU_OK_NODATA);
	gpu_driver_end(&gpu);
}

/* --- pictures --- */

static void test_picture(void)
{
	const struct gpu_rectangle part = { 2, 3, 8, 8 };
	struct gpu_driver gpu;
	uint32_t width, height, pixel;

	start(&gpu);
	prepare(&gpu);
	fill(&gpu, 0x1000);
	g_assert_cmphex(gpu_transfer(&gpu, 1, &whole, 0), ==, GPU_OK_NODATA);
	g_assert_false(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
	g_assert_cmphex(gpu_set_scanout(&gpu, 0, 1, &whole), ==, GPU_OK_NODATA);
	g_assert_true(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
	g_assert_cmpuint(width, ==, WIDTH);
	g_assert_cmpuint(height, ==, HEIGHT);
	g_assert_cmphex(pixel, ==, 0x1000);
	/* Another head shows a part of it. */
	g_assert_cmphex(gpu_set_scanout(&gpu, 1, 1, &part), ==, GPU_OK_NODATA);
	g_assert_true(gpu_head_shows(&gpu, 1, &width, &height, &pixel));
	g_assert_cmpuint(width, ==, 8);
	g_assert_cmphex(pixel, ==, 0x1000 + 3 * WIDTH + 2);
	/* What the guest draws is there when it was transferred. */
	fill(&gpu, 0x9000);
	gpu_head_shows(&gpu, 1, &width, &height, &pixel);
	g_assert_cmphex(pixel, ==, 0x1000 + 3 * WIDTH + 2);
	g_assert_cmphex(gpu_transfer(&gpu, 1, &part, (3 * WIDTH + 2) * 4), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_flush(&gpu, 1, &part), ==, GPU_OK_NODATA);
	gpu_head_shows(&gpu, 1, &width, &height, &pixel);
	g_assert_cmphex(pixel, ==, 0x9000 + 3 * WIDTH + 2);
	gpu_head_shows(&gpu, 0, &width, &height, &pixel);
	g_assert_cmphex(pixel, ==, 0x1000);
	/* A resource that goes leaves no picture. */
	g_assert_cmphex(gpu_unref(&gpu, 1), ==, GPU_OK_NODATA);
	g_assert_false(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
	g_assert_false(gpu_head_shows(&gpu, 1, &width, &height, &pixel));
	gpu_driver_end(&gpu);
}

/* A transfer from where the pixels have their place happens when somebody looks, and before the backing goes. */
static void test_late(void)
{
	const struct gpu_rectangle part = { 0, 0, 1, 1 };
	struct gpu_driver gpu;
	uint32_t width, height, pixel;

	start(&gpu);
	prepare(&gpu);
	g_assert_cmphex(gpu_set_scanout(&gpu, 0, 1, &whole), ==, GPU_OK_NODATA);
	fill(&gpu, 1);
	g_assert_cmphex(gpu_transfer(&gpu, 1, &whole, 0), ==, GPU_OK_NODATA);
	fill(&gpu, 2);
	gpu_head_shows(&gpu, 0, &width, &height, &pixel);
	g_assert_cmphex(pixel, ==, 2);
	/* From another place it is done at once, after what came before it. */
	fill(&gpu, 3);
	g_assert_cmphex(gpu_transfer(&gpu, 1, &whole, 0), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_transfer(&gpu, 1, &part, 40), ==, GPU_OK_NODATA);
	fill(&gpu, 4);
	gpu_head_shows(&gpu, 0, &width, &height, &pixel);
	g_assert_cmphex(pixel, ==, 3 + 10);
	g_assert_cmphex(gpu_transfer(&gpu, 1, &whole, 0), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_detach(&gpu, 1), ==, GPU_OK_NODATA);
	fill(&gpu, 5);
	gpu_head_shows(&gpu, 0, &width, &height, &pixel);
	g_assert_cmphex(pixel, ==, 4);
	/* Less backing than picture: rectangles that are joined do not go beyond it. */
	g_assert_cmphex(gpu_attach(&gpu, 1, DATA, WIDTH * 4 * 2), ==, GPU_OK_NODATA);
	for (uint32_t x = 0; x < WIDTH; x++)
		g_assert_cmphex(gpu_transfer(&gpu, 1, &(struct gpu_rectangle) { x, x % 2, 1, 1 },
					(x % 2 * WIDTH + x) * 4),
			==, GPU_OK_NODATA);
	for (uint32_t x = 1; x < WIDTH; x++)
		g_assert_cmphex(gpu_transfer(&gpu, 1, &(struct gpu_rectangle) { x, 1, 1, 1 },
					(WIDTH + x) * 4),
			==, GPU_OK_NODATA);
	gpu_head_shows(&gpu, 0, &width, &height, &pixel);
	g_assert_cmphex(pixel, ==, 5);
	gpu_driver_end(&gpu);
}

/* Backing in pieces, some of them in the middle of a pixel row. */
static void test_pieces(void)
{
	enum {
		PIECE = 100,
		COUNT = 123
	};
	struct gpu_driver gpu;
	uint32_t width, height, pixel;
	uint8_t *ram, *from;
	struct video_memory *memory;
	struct scanout scanout;

	start(&gpu);
	g_assert_cmphex(gpu_create(&gpu, 1, GPU_FORMAT_BGRX, WIDTH, HEIGHT), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_attach_pieces(&gpu, 1, DATA, PIECE, COUNT), ==, GPU_OK_NODATA);
	ram = virtio_machine_ram(gpu.vm, DATA);
	for (unsigned i = 0; i < 2 * PIECE * COUNT; i++)
		ram[i] = i * 7 + i / PIECE;
	g_assert_cmphex(gpu_transfer(&gpu, 1, &whole, 0), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_set_scanout(&gpu, 0, 1, &whole), ==, GPU_OK_NODATA);
	g_assert_true(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
	head_picture(display_head(gpu.vm->machine.display, 0), &memory, &scanout);
	from = video_memory_bytes(memory) + scanout.offset;
	for (unsigned i = 0; i < BYTES; i++)
		g_assert_cmphex(from[i], ==, ram[i / PIECE * 2 * PIECE + i % PIECE]);
	video_memory_unref(memory);
	gpu_driver_end(&gpu);
}

/* The eight formats, as the display bus knows them: opaque. */
static void test_formats(void)
{
	static const struct {
		uint32_t format;
		pixman_format_code_t shown;
	} formats[] = { { 1, PIXMAN_x8r8g8b8 }, { 2, PIXMAN_x8r8g8b8 }, { 3, PIXMAN_b8g8r8x8 },
		{ 4, PIXMAN_b8g8r8x8 }, { 67, PIXMAN_x8b8g8r8 }, { 68, PIXMAN_r8g8b8x8 },
		{ 121, PIXMAN_r8g8b8x8 }, { 134, PIXMAN_x8b8g8r8 } };
	struct gpu_driver gpu;

	start(&gpu);
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
		struct video_memory *memory;
		struct scanout scanout;

		g_assert_cmphex(gpu_create(&gpu, 1 + i, formats[i].format, WIDTH, HEIGHT), ==,
			GPU_OK_NODATA);
		g_assert_cmphex(gpu_set_scanout(&gpu, 0, 1 + i, &whole), ==, GPU_OK_NODATA);
		g_assert_true(
			head_picture(display_head(gpu.vm->machine.display, 0), &memory, &scanout));
		g_assert_cmphex(scanout.format, ==, formats[i].shown);
		video_memory_unref(memory);
	}
	gpu_driver_end(&gpu);
}

static void test_uuid(void)
{
	struct gpu_driver gpu;
	uint8_t first[GPU_UUID_BYTES];

	start(&gpu);
	prepare(&gpu);
	g_assert_cmphex(gpu_create(&gpu, 2, 1, 8, 8), ==, GPU_OK_NODATA);
	g_assert_cmphex(GPU_DO(&gpu, GPU_RESOURCE_ASSIGN_UUID, 1, 0), ==, GPU_OK_RESOURCE_UUID);
	g_assert_cmpuint(gpu.answer_length, ==, 24 + 16);
	memcpy(first, gpu.answer + 24, sizeof(first));
	g_assert_cmphex(GPU_DO(&gpu, GPU_RESOURCE_ASSIGN_UUID, 2, 0), ==, GPU_OK_RESOURCE_UUID);
	g_assert_cmpint(memcmp(first, gpu.answer + 24, sizeof(first)), !=, 0);
	g_assert_cmphex(GPU_DO(&gpu, GPU_RESOURCE_ASSIGN_UUID, 1, 0), ==, GPU_OK_RESOURCE_UUID);
	g_assert_cmpint(memcmp(first, gpu.answer + 24, sizeof(first)), ==, 0);
	gpu_driver_end(&gpu);
}

/* --- blobs --- */

static void test_blob(void)
{
	static const uint32_t size[] = { WIDTH, HEIGHT };
	const struct gpu_rectangle part = { 0, 0, 1, 1 };
	struct gpu_driver gpu;
	uint32_t width, height, pixel;

	start(&gpu);
	g_assert_cmphex(gpu_create_blob(&gpu, 1, BYTES, DATA, BYTES), ==, GPU_OK_NODATA);
	fill(&gpu, 0x100);
	g_assert_cmphex(
		gpu_set_scanout_blob(&gpu, 0, 1, &whole, size, WIDTH * 4, 0), ==, GPU_OK_NODATA);
	g_assert_true(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
	g_assert_cmpuint(width, ==, WIDTH);
	g_assert_cmphex(pixel, ==, 0x100);
	/* Nothing is copied by the driver; what it flushes is seen, what it does not is not. */
	g_assert_cmphex(gpu_transfer(&gpu, 1, &whole, 0), ==, GPU_OK_NODATA);
	fill(&gpu, 0x200);
	gpu_head_shows(&gpu, 0, &width, &height, &pixel);
	g_assert_cmphex(pixel, ==, 0x100);
	g_assert_cmphex(gpu_flush(&gpu, 1, &part), ==, GPU_OK_NODATA);
	gpu_head_shows(&gpu, 0, &width, &height, &pixel);
	g_assert_cmphex(pixel, ==, 0x200);
	/* Another place in the blob. */
	g_assert_cmphex(gpu_set_scanout_blob(&gpu, 0, 1,
				&(struct gpu_rectangle) { 0, 0, WIDTH, HEIGHT - 1 }, size,
				WIDTH * 4, WIDTH * 4),
		==, GPU_OK_NODATA);
	gpu_head_shows(&gpu, 0, &width, &height, &pixel);
	g_assert_cmpuint(height, ==, HEIGHT - 1);
	g_assert_cmphex(pixel, ==, 0x200 + WIDTH);
	/* Its backing goes: the picture stays, and nothing is read. */
	g_assert_cmphex(gpu_detach(&gpu, 1), ==, GPU_OK_NODATA);
	g_assert_cmphex(gpu_flush(&gpu, 1, &whole), ==, GPU_OK_NODATA);
	gpu_head_shows(&gpu, 0, &width, &height, &pixel);
	g_assert_cmphex(pixel, ==, 0x200 + WIDTH);
	g_assert_cmphex(gpu_unref(&gpu, 1), ==, GPU_OK_NODATA);
	g_assert_false(gpu_head_shows(&gpu, 0, &width, &height, &pixel));
	g_assert_cmpuint(
		virtio_gpu_memory_used(((struct virtio_gpu_front *)gpu.driver.device)->gpu), ==, 0);
	gpu_driver_end(&gpu);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/gpu/identity", test_identity);
	g_test_add_func("/gpu/cases", test_cases);
	g_test_add_func("/gpu/features", test_features);
	g_test_add_func("/gpu/fence", test_fence);
	g_test_add_func("/gpu/order", test_order);
	g_test_add_func("/gpu/shapes", test_shapes);
	g_test_add_func("/gpu/picture", test_picture);
	g_test_add_func("/gpu/late", test_late);
	g_test_add_func("/gpu/pieces", test_pieces);
	g_test_add_func("/gpu/formats", test_formats);
	g_test_add_func("/gpu/uuid", test_uuid);
	g_test_add_func("/gpu/blob", test_blob);
	return g_test_run();
}
