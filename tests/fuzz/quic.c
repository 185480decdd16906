/* QUIC images: any bytes. */
#include <stdint.h>

#include "display/devices/quic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pixman_image_t *image = quic_decode(data, size, 1024 * 1024, NULL);

	if (image)
		pixman_image_unref(image);
	return 0;
}
