/* Formats by their first bytes, and places by their names. */
#include <glib.h>
#include <string.h>

#include "vmm/storage/image-format.h"

static const struct {
	const char *head;
	size_t length, offset;
	const char *format;
} heads[] = {
	{ "QFI\xfb\0\0\0\3", 8, 0, "qcow2" },
	{ "QFI\xfb\0\0\0\1", 8, 0, "qcow" },
	{ "QFI\xfb", 4, 0, "qcow2" },
	{ "QFI", 3, 0, "raw" },
	{ "QFI\xfb\0\0\0\3", 8, 1, "raw" },
	{ "KDMV\1\0\0\0", 8, 0, "vmdk" },
	{ "# Disk DescriptorFile\nversion=1\n", 32, 0, "vmdk" },
	{ "# made by hand\n\nversion=1\n", 26, 0, "vmdk" },
	{ "#!/bin/sh\n", 10, 0, "raw" },
	{ "\x7f\x10\xda\xbe", 4, 64, "vdi" },
	{ "vhdxfile", 8, 0, "vhdx" },
	{ "conectix", 8, 0, "vpc" },
	{ "LUKS\xba\xbe\0\2", 8, 0, "luks" },
	{ "\xeb\x63\x90", 3, 0, "raw" },
	{ "", 0, 0, "raw" },
};

static void test_heads(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
		uint8_t head[IMAGE_HEAD] = { 0 };

		memcpy(head + heads[i].offset, heads[i].head, heads[i].length);
		g_assert_cmpstr(image_format_guess(head, sizeof(head)), ==, heads[i].format);
		/* No byte more than there is. */
		for (size_t length = 0; length < 80; length++) {
			g_autofree uint8_t *exact = g_memdup2(head, length);

			image_format_guess(exact, length);
		}
	}
}

static void test_places(void)
{
	static const struct {
		const char *name;
		enum image_place place;
	} cases[] = {
		{ "disk.img", IMAGE_FILE },
		{ "/dev/sda", IMAGE_FILE },
		{ "./a://b", IMAGE_FILE },
		{ "nbd://host/export", IMAGE_NBD },
		{ "nbd+unix:///x?socket=/run/s", IMAGE_NBD },
		{ "HTTPS://host/x", IMAGE_CURL },
		{ "ssh://host/x", IMAGE_SSH },
		{ "rbd://pool/x", IMAGE_UNSUPPORTED },
		{ "://", IMAGE_UNSUPPORTED },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(image_place(cases[i].name), ==, cases[i].place);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/image-format/heads", test_heads);
	g_test_add_func("/image-format/places", test_places);
	return g_test_run();
}
