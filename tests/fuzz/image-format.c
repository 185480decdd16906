/* Any bytes as the head of an image and as its name: a format of the list, and nothing read behind the end. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/storage/image-format.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *format = image_format_guess(bytes, length);
	g_autofree char *name = g_strndup((const char *)bytes, length);

	if (!g_strv_contains(image_formats, format) || image_place(name) > IMAGE_UNSUPPORTED)
		abort();
	/* Only the first bytes count. */
	if (length > IMAGE_HEAD && strcmp(format, image_format_guess(bytes, IMAGE_HEAD)) != 0)
		abort();
	return 0;
}
