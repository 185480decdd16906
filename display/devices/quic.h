/* QUIC: the lossless image compression of SPICE, which guests may use for images of QXL commands.
 *
 * Pure: bytes in, an image or an error out. The stream is words of 32 bits, least significant byte first, read from the most
 * significant bit on. Each component of a pixel is predicted from its left and upper neighbours; the difference is a Golomb-Rice
 * code, whose parameter a model picks that learns as it goes; runs of equal pixels are counted. Derived from SFALIC.
 */
#pragma once

#include <glib.h>
#include <pixman.h>
#include <stddef.h>
#include <stdint.h>

/**
 * quic_decode - decompress an image
 * @most: bytes of pixels that are allowed, four for each
 *
 * Returns an image to be unreferenced, in x8r8g8b8, a8r8g8b8 or a8; NULL with @error when the bytes are none.
 */
pixman_image_t *quic_decode(const uint8_t *bytes, size_t length, size_t most, GError **error);
