/* Kernel images, sound and not: a small one, and one field of it changed at a time. */
#include "vmm/firmware/bzimage.h"

#include <string.h>

#include "base/error.h"

enum {
	SECTORS = 4,
	SETUP = (SECTORS + 1) * 512,
	KERNEL = 1000,
};

static const struct {
	const char *name;
	size_t length;   /* 0: all of it */
	uint16_t offset; /* of one change, 0: none */
	uint8_t size;
	uint64_t value;
	const char *error; /* NULL: it is taken */
} cases[] = {
	{ "/bzimage/sound", .error = NULL },
	{ "/bzimage/setup-sectors-0-are-4", 0, 0x1f1, 1, 0, NULL },
	{ "/bzimage/protocol-2.03", 0, 0x206, 2, 0x0203, NULL },
	{ "/bzimage/empty", 1, .error = "it has only 1 bytes, a bzImage has at least 612" },
	{ "/bzimage/header-cut", 0x263,
		.error = "it has only 611 bytes, a bzImage has at least 612" },
	{ "/bzimage/no-boot-flag", 0, 0x1fe, 2, 0,
		"it is no Linux kernel, the boot header is missing" },
	{ "/bzimage/no-magic", 0, 0x202, 4, 0,
		"it is no Linux kernel, the boot header is missing" },
	{ "/bzimage/old-protocol", 0, 0x206, 2, 0x0202,
		"its boot protocol is 2.02, at least 2.03 is needed" },
	{ "/bzimage/zimage", 0, 0x211, 1, 0,
		"it is a zImage for memory below 640 KiB, a bzImage is needed" },
	{ "/bzimage/many-sectors", 0, 0x1f1, 1, 65,
		"its setup has 65 sectors, at most 64 are possible" },
	{ "/bzimage/no-kernel", SETUP,
		.error = "it has 2560 bytes and a setup of 2560: there is no kernel behind it" },
	{ "/bzimage/setup-cut", 0, 0x1f1, 1, 64,
		"it has 3560 bytes and a setup of 33280: there is no kernel behind it" },
};

static void put(uint8_t *bytes, uint16_t offset, uint8_t size, uint64_t value)
{
	value = GUINT64_TO_LE(value);
	memcpy(bytes + offset, &value, size);
}

static uint8_t *sound_image(void)
{
	uint8_t *bytes = g_malloc0(SETUP + KERNEL);

	put(bytes, 0x1f1, 1, SECTORS);
	put(bytes, 0x1fe, 2, 0xaa55);
	memcpy(bytes + 0x202, "HdrS", 4);
	put(bytes, 0x206, 2, 0x020f);
	put(bytes, 0x211, 1, 1);
	put(bytes, 0x22c, 4, 0x7fffffff);
	put(bytes, 0x238, 4, 2047);
	put(bytes, 0x258, 8, 0x1000000);
	put(bytes, 0x260, 4, 0x2000000);
	return bytes;
}

static void check_case(gconstpointer data)
{
	const typeof(cases[0]) *c = data;
	g_autofree uint8_t *whole = sound_image();
	size_t length = c->length > 0 ? c->length : SETUP + KERNEL;
	/* A copy of its own, so that reading behind the end shows. */
	g_autofree uint8_t *bytes = NULL;
	g_autoptr(GError) error = NULL;
	struct bzimage image;

	if (c->offset > 0)
		put(whole, c->offset, c->size, c->value);
	bytes = g_memdup2(whole, length);
	g_assert_true(bzimage_parse(bytes, length, &image, &error) == (c->error == NULL));
	g_assert_cmpstr(error ? error->message : NULL, ==, c->error);
	if (!c->error) {
		g_assert_cmpuint(image.setup_size, ==, SETUP);
		g_assert_cmpuint(image.kernel_size, ==, KERNEL);
		g_assert_cmphex(image.ramdisk_last, ==, 0x7fffffff);
	}
}

static void test_by_version(void)
{
	g_autofree uint8_t *bytes = sound_image();
	struct bzimage image;

	g_assert_true(bzimage_parse(bytes, SETUP + KERNEL, &image, NULL));
	g_assert_cmpuint(image.command_line_size, ==, 2047);
	g_assert_cmphex(image.memory_end, ==, 0x3000000);
	put(bytes, 0x206, 2, 0x0205);
	g_assert_true(bzimage_parse(bytes, SETUP + KERNEL, &image, NULL));
	g_assert_cmpuint(image.command_line_size, ==, 255);
	g_assert_cmphex(image.memory_end, ==, 0x100000 + KERNEL);
	put(bytes, 0x206, 2, 0x020f);
	put(bytes, 0x258, 8, UINT64_MAX - 1);
	g_assert_true(bzimage_parse(bytes, SETUP + KERNEL, &image, NULL));
	g_assert_cmphex(image.memory_end, ==, UINT64_MAX);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, &cases[i], check_case);
	g_test_add_func("/bzimage/by-version", test_by_version);
	return g_test_run();
}
