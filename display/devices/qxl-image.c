/* QXL images: bitmaps of every depth, palettes, surfaces, and compressed images in memory of our own. */
#include "display/devices/qxl-image.h"

#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "display/devices/quic.h"

enum {
	PALETTE_MOST = 256,
	COMPRESSED_MOST = 64 * MiB,
	DECODE_WORK = 4, /* pixels copied in the time in which one is decompressed, about */
};

/* A bitmap whose numbers have been checked. */
struct bitmap {
	uint32_t width, height; /* pixels */
	uint32_t stride;        /* bytes */
	uint8_t format;
	bool top_down;
	uint32_t palette[PALETTE_MOST];
	struct qxl_bytes data; /* height * stride bytes */
};

/* Bits of a pixel, and the layout for formats that are taken as they are. */
static const struct {
	uint8_t bits;
	pixman_format_code_t layout;
} formats[] = {
	[SPICE_BITMAP_FMT_1BIT_LE] = { 1 },
	[SPICE_BITMAP_FMT_1BIT_BE] = { 1 },
	[SPICE_BITMAP_FMT_4BIT_LE] = { 4 },
	[SPICE_BITMAP_FMT_4BIT_BE] = { 4 },
	[SPICE_BITMAP_FMT_8BIT] = { 8 },
	[SPICE_BITMAP_FMT_16BIT] = { 16, PIXMAN_x1r5g5b5 },
	[SPICE_BITMAP_FMT_24BIT] = { 24, PIXMAN_r8g8b8 },
	[SPICE_BITMAP_FMT_32BIT] = { 32, PIXMAN_x8r8g8b8 },
	[SPICE_BITMAP_FMT_RGBA] = { 32, PIXMAN_a8r8g8b8 },
	[SPICE_BITMAP_FMT_8BIT_A] = { 8, PIXMAN_a8 },
};

static uint64_t pixels_of(pixman_image_t *image)
{
	return (uint64_t)pixman_image_get_width(image) * (uint64_t)pixman_image_get_height(image);
}

/* What copying bytes out of the guest's memory costs, in pixels. */
static uint64_t copy_work(const struct qxl_bytes *bytes)
{
	return bytes->copy ? bytes->length / 4 : 0;
}

pixman_image_t *qxl_image_new(
	pixman_format_code_t layout, uint32_t width, uint32_t height, GError **error)
{
	pixman_image_t *image = NULL;
	uint64_t bytes;

	if (width > 0 && width <= QXL_IMAGE_MAX_SIZE && height > 0 &&
		height <= QXL_IMAGE_MAX_SIZE &&
		checked_multiply(width, (uint64_t)height * 4, &bytes) &&
		bytes <= QXL_IMAGE_MOST_BYTES)
		image = pixman_image_create_bits(layout, width, height, NULL, 0);
	if (!image)
		fail(error, VITRINE_ERROR_INPUT, "an image of %u by %u pixels is too large", width,
			height);
	return image;
}

static bool read_palette(
	const struct qxl_memory *memory, uint64_t address, struct bitmap *bitmap, GError **error)
{
	QXLPalette header;
	uint32_t entries;

	if (address == 0)
		return fail(error, VITRINE_ERROR_INPUT, "an image of format %u has no palette",
			bitmap->format);
	if (!qxl_memory_read(memory, address, &header, sizeof(header), error))
		return false;
	entries = MIN(header.num_ents, PALETTE_MOST);
	return qxl_memory_read(memory, address + sizeof(header), bitmap->palette,
		entries * sizeof(bitmap->palette[0]), error);
}

static bool has_palette(uint8_t format)
{
	return formats[format].layout == 0;
}

/* @with_palette: whether the colours matter */
static bool read_bitmap(const struct qxl_memory *memory, const QXLImageDescriptor *descriptor,
	const QXLBitmap *from, bool with_palette, struct bitmap *bitmap, GError **error)
{
	uint64_t bits, length;

	*bitmap = (struct bitmap) {
		.width = from->x,
		.height = from->y,
		.stride = from->stride,
		.format = from->format,
		.top_down = from->flags & QXL_BITMAP_TOP_DOWN,
	};
	if (bitmap->format >= G_N_ELEMENTS(formats) || formats[bitmap->format].bits == 0)
		return fail(
			error, VITRINE_ERROR_INPUT, "image format %u is not known", bitmap->format);
	if (bitmap->width < 1 || bitmap->width > QXL_IMAGE_MAX_SIZE || bitmap->height < 1 ||
		bitmap->height > QXL_IMAGE_MAX_SIZE || bitmap->width != descriptor->width ||
		bitmap->height != descriptor->height)
		return fail(error, VITRINE_ERROR_INPUT, "an image of %u by %u pixels",
			bitmap->width, bitmap->height);
	if (!checked_multiply(bitmap->width, formats[bitmap->format].bits, &bits) ||
		bitmap->stride < (bits + 7) / 8 ||
		!checked_multiply(bitmap->stride, bitmap->height, &length))
		return fail(error, VITRINE_ERROR_INPUT,
			"a stride of %u bytes is none for %u pixels of format %u", bitmap->stride,
			bitmap->width, bitmap->format);
	if (with_palette && has_palette(bitmap->format) &&
		!read_palette(memory, from->palette, bitmap, error))
		return false;
	if (from->flags & QXL_BITMAP_DIRECT)
		return qxl_memory_view_direct(memory, from->data, length, &bitmap->data, error);
	return qxl_memory_view(memory, from->data, length, &bitmap->data, error);
}

static const uint8_t *bitmap_row(const struct bitmap *bitmap, uint32_t y)
{
	return bitmap->data.bytes +
	       (size_t)(bitmap->top_down ? y : bitmap->height - 1 - y) * bitmap->stride;
}

/* The number that a pixel of 1, 4 or 8 bits has. */
static unsigned pixel_index(uint8_t format, const uint8_t *row, uint32_t x)
{
	switch (format) {
	case SPICE_BITMAP_FMT_1BIT_LE:
		return row[x / 8] >> x % 8 & 1;
	case SPICE_BITMAP_FMT_1BIT_BE:
		return row[x / 8] >> (7 - x % 8) & 1;
	case SPICE_BITMAP_FMT_4BIT_LE:
		return row[x / 2] >> x % 2 * 4 & 15;
	case SPICE_BITMAP_FMT_4BIT_BE:
		return row[x / 2] >> (1 - x % 2) * 4 & 15;
	default:
		return row[x];
	}
}

static uint8_t *image_row(pixman_image_t *image, uint32_t y)
{
	return (uint8_t *)pixman_image_get_data(image) +
	       (ptrdiff_t)pixman_image_get_stride(image) * y;
}

static pixman_image_t *with_colours(const struct bitmap *bitmap, GError **error)
{
	pixman_image_t *image =
		qxl_image_new(PIXMAN_x8r8g8b8, bitmap->width, bitmap->height, error);

	if (!image)
		return NULL;
	for (uint32_t y = 0; y < bitmap->height; y++) {
		uint32_t *to = (uint32_t *)(void *)image_row(image, y);
		const uint8_t *from = bitmap_row(bitmap, y);

		for (uint32_t x = 0; x < bitmap->width; x++)
			to[x] = bitmap->palette[pixel_index(bitmap->format, from, x)];
	}
	return image;
}

static void free_copy(pixman_image_t *image, void *copy)
{
	g_free(copy);
}

/* Over the data itself, when pixman can read it there. */
static pixman_image_t *in_place(struct bitmap *bitmap)
{
	pixman_image_t *image;
	int stride = bitmap->top_down ? (int)bitmap->stride : -(int)bitmap->stride;

	if (bitmap->stride % 4 != 0 || bitmap->stride > INT32_MAX ||
		(uintptr_t)bitmap->data.bytes % 4 != 0)
		return NULL;
	image = pixman_image_create_bits_no_clear(formats[bitmap->format].layout, bitmap->width,
		bitmap->height, (uint32_t *)(void *)bitmap_row(bitmap, 0), stride);
	if (image && bitmap->data.copy)
		pixman_image_set_destroy_function(
			image, free_copy, g_steal_pointer(&bitmap->data.copy));
	return image;
}

static pixman_image_t *copied(const struct bitmap *bitmap, GError **error)
{
	pixman_image_t *image =
		qxl_image_new(formats[bitmap->format].layout, bitmap->width, bitmap->height, error);

	if (!image)
		return NULL;
	for (uint32_t y = 0; y < bitmap->height; y++)
		memcpy(image_row(image, y), bitmap_row(bitmap, y),
			(size_t)bitmap->width * formats[bitmap->format].bits / 8);
	return image;
}

static pixman_image_t *load_bitmap(const struct qxl_canvas *canvas,
	const QXLImageDescriptor *descriptor, uint64_t address, uint64_t *work, GError **error)
{
	pixman_image_t *image;
	struct bitmap bitmap;
	QXLBitmap header;

	if (!qxl_memory_read(canvas->memory, address + sizeof(*descriptor), &header, sizeof(header),
		    error) ||
		!read_bitmap(canvas->memory, descriptor, &header, true, &bitmap, error))
		return NULL;
	*work += copy_work(&bitmap.data);
	image = has_palette(bitmap.format) ? NULL : in_place(&bitmap);
	if (!image) {
		image = has_palette(bitmap.format) ? with_colours(&bitmap, error)
						   : copied(&bitmap, error);
		if (image)
			*work += pixels_of(image);
	}
	qxl_bytes_clear(&bitmap.data);
	return image;
}

/* Drawing a surface into itself must not read what it has just written. */
static pixman_image_t *load_surface(const struct qxl_canvas *canvas, uint64_t address,
	uint32_t target, bool *missing, uint64_t *work, GError **error)
{
	pixman_image_t *image, *copy;
	QXLSurfaceId id;

	if (!qxl_memory_read(
		    canvas->memory, address + sizeof(QXLImageDescriptor), &id, sizeof(id), error))
		return NULL;
	image = qxl_surfaces_image(canvas->surfaces, canvas->memory, id.surface_id);
	if (!image)
		*missing = true;
	if (!image || id.surface_id != target)
		return image;
	*work += pixels_of(image);
	copy = qxl_image_new(pixman_image_get_format(image), pixman_image_get_width(image),
		pixman_image_get_height(image), error);
	if (copy)
		pixman_image_composite32(PIXMAN_OP_SRC, image, NULL, copy, 0, 0, 0, 0, 0, 0,
			pixman_image_get_width(image), pixman_image_get_height(image));
	pixman_image_unref(image);
	return copy;
}

static pixman_image_t *load_compressed(const struct qxl_canvas *canvas,
	const QXLImageDescriptor *descriptor, uint64_t address, uint64_t *work, GError **error)
{
	pixman_image_t *image;
	struct qxl_bytes bytes;
	QXLQUICData header;

	address += sizeof(*descriptor);
	if (!qxl_memory_read(canvas->memory, address, &header, sizeof(header), error))
		return NULL;
	if (header.data_size > COMPRESSED_MOST) {
		fail(error, VITRINE_ERROR_INPUT,
			"%u bytes of a compressed image, at most %d are taken", header.data_size,
			COMPRESSED_MOST);
		return NULL;
	}
	if (!qxl_memory_gather(
		    canvas->memory, address + sizeof(header), header.data_size, &bytes, error))
		return NULL;
	*work += copy_work(&bytes);
	image = quic_decode(bytes.bytes, bytes.length, QXL_IMAGE_MOST_BYTES, error);
	if (image)
		*work += pixels_of(image) * DECODE_WORK;
	qxl_bytes_clear(&bytes);
	if (image && ((uint32_t)pixman_image_get_width(image) != descriptor->width ||
			     (uint32_t)pixman_image_get_height(image) != descriptor->height)) {
		fail(error, VITRINE_ERROR_INPUT,
			"a compressed image has another size than its descriptor");
		g_clear_pointer(&image, pixman_image_unref);
	}
	return image;
}

pixman_image_t *qxl_image_load(const struct qxl_canvas *canvas, uint64_t address, uint32_t target,
	bool *missing, uint64_t *work, GError **error)
{
	QXLImageDescriptor descriptor;

	if (!qxl_memory_read(canvas->memory, address, &descriptor, sizeof(descriptor), error))
		return NULL;
	switch (descriptor.type) {
	case SPICE_IMAGE_TYPE_BITMAP:
		return load_bitmap(canvas, &descriptor, address, work, error);
	case SPICE_IMAGE_TYPE_SURFACE:
		return load_surface(canvas, address, target, missing, work, error);
	case SPICE_IMAGE_TYPE_QUIC:
		return load_compressed(canvas, &descriptor, address, work, error);
	default:
		fail(error, VITRINE_ERROR_INPUT, "images of type %u are not known",
			descriptor.type);
		return NULL;
	}
}

pixman_image_t *qxl_image_load_mask(
	const struct qxl_canvas *canvas, uint64_t address, uint64_t *work, GError **error)
{
	QXLImageDescriptor descriptor;
	pixman_image_t *image;
	struct bitmap bitmap;
	QXLBitmap header;

	if (!qxl_memory_read(canvas->memory, address, &descriptor, sizeof(descriptor), error))
		return NULL;
	if (descriptor.type != SPICE_IMAGE_TYPE_BITMAP) {
		fail(error, VITRINE_ERROR_INPUT, "a mask of image type %u", descriptor.type);
		return NULL;
	}
	if (!qxl_memory_read(
		    canvas->memory, address + sizeof(descriptor), &header, sizeof(header), error) ||
		!read_bitmap(canvas->memory, &descriptor, &header, false, &bitmap, error))
		return NULL;
	if (formats[bitmap.format].bits != 1) {
		fail(error, VITRINE_ERROR_INPUT, "a mask of format %u", bitmap.format);
		qxl_bytes_clear(&bitmap.data);
		return NULL;
	}
	*work += copy_work(&bitmap.data) + (uint64_t)bitmap.width * bitmap.height;
	image = qxl_image_new(PIXMAN_a8, bitmap.width, bitmap.height, error);
	for (uint32_t y = 0; image && y < bitmap.height; y++) {
		uint8_t *to = image_row(image, y);
		const uint8_t *from = bitmap_row(&bitmap, y);

		for (uint32_t x = 0; x < bitmap.width; x++)
			to[x] = pixel_index(bitmap.format, from, x) ? 0xff : 0;
	}
	qxl_bytes_clear(&bitmap.data);
	return image;
}
