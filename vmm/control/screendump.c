/* A head's picture as a file: PPM (P6) or PNG, 8 bits for each of red, green and blue.
 *
 * Rows are converted one at a time, so that a large picture takes no memory worth mentioning. The guest may draw
 * meanwhile; the file is then a little of both pictures, as a photograph of a screen would be.
 */
#include "vmm/control/screendump.h"

#include <fcntl.h>
#include <pixman.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum {
	BYTES_PER_PIXEL = 3
};

/* Two rows and the pixman images over them. */
struct row_converter {
	const uint8_t *bytes;
	const struct scanout *scanout;
	uint32_t *from, *to;
	pixman_image_t *source, *target;
};

static void converter_init(
	struct row_converter *converter, const uint8_t *bytes, const struct scanout *scanout)
{
	int width = (int)scanout->width;
	/* Rows of pixman images are multiples of four bytes. */
	int to_stride = (width * BYTES_PER_PIXEL + 3) & ~3;

	converter->bytes = bytes + scanout->offset;
	converter->scanout = scanout;
	converter->from = g_malloc0(scanout->stride);
	converter->to = g_malloc0((gsize)to_stride);
	converter->source = pixman_image_create_bits(
		scanout->format, width, 1, converter->from, (int)scanout->stride);
	/* In memory: red, green, blue. */
	converter->target =
		pixman_image_create_bits(PIXMAN_b8g8r8, width, 1, converter->to, to_stride);
}

static void converter_clear(struct row_converter *converter)
{
	pixman_image_unref(converter->source);
	pixman_image_unref(converter->target);
	g_free(converter->from);
	g_free(converter->to);
}

static const uint8_t *convert_row(struct row_converter *converter, uint32_t y)
{
	const struct scanout *scanout = converter->scanout;

	memcpy(converter->from, converter->bytes + (size_t)y * scanout->stride,
		(size_t)scanout->width * scanout_pixel_bytes(scanout->format));
	pixman_image_composite32(PIXMAN_OP_SRC, converter->source, NULL, converter->target, 0, 0, 0,
		0, 0, 0, (int32_t)scanout->width, 1);
	return (const uint8_t *)converter->to;
}

static bool write_ppm(struct row_converter *converter, FILE *file)
{
	uint32_t width = converter->scanout->width, height = converter->scanout->height;

	fprintf(file, "P6\n%u %u\n255\n", width, height);
	for (uint32_t y = 0; y < height; y++) {
		if (fwrite(convert_row(converter, y), BYTES_PER_PIXEL, width, file) != width)
			return false;
	}
	return true;
}

/* libpng comes back from an error by longjmp(): nothing is allocated in here. */
static bool write_png_rows(
	struct row_converter *converter, png_structp png, png_infop info, FILE *file)
{
	if (setjmp(png_jmpbuf(png)))
		return false;
	png_init_io(png, file);
	png_set_IHDR(png, info, converter->scanout->width, converter->scanout->height, 8,
		PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		PNG_FILTER_TYPE_DEFAULT);
	png_set_compression_level(png, 3); /* the main loop waits for this */
	png_write_info(png, info);
	for (uint32_t y = 0; y < converter->scanout->height; y++)
		png_write_row(png, convert_row(converter, y));
	png_write_end(png, info);
	return true;
}

static bool write_png(struct row_converter *converter, FILE *file)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	bool good = info && write_png_rows(converter, png, info, file);

	png_destroy_write_struct(&png, &info);
	return good;
}

/* A new file beside @path, to be renamed. Whatever else has that name is left alone: opening a pipe or a device can wait for
 * ever, and writing to one can, too. */
static FILE *open_file(const char *path, char **temporary, GError **error)
{
	struct stat status;
	FILE *file;
	int fd;

	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
		fail(error, VITRINE_ERROR_INPUT,
			"failed to open file '%s': a picture is written to a regular file only",
			path);
		return NULL;
	}
	*temporary = g_strconcat(path, ".XXXXXX", NULL);
	fd = g_mkstemp_full(*temporary, O_WRONLY | O_NOCTTY | O_CLOEXEC, 0644);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		fail_errno(error, VITRINE_ERROR_HOST, "failed to open file '%s'", path);
	return file;
}

bool screendump_write(const uint8_t *bytes, const struct scanout *scanout,
	enum screendump_format format, const char *path, GError **error)
{
	g_autofree char *temporary = NULL;
	FILE *file = open_file(path, &temporary, error);
	struct row_converter converter;
	bool good;

	if (!file)
		return false;
	converter_init(&converter, bytes, scanout);
	good = format == SCREENDUMP_PNG ? write_png(&converter, file) : write_ppm(&converter, file);
	converter_clear(&converter);
	good = fflush(file) == 0 && good;
	good = fclose(file) == 0 && good;
	if (good && rename(temporary, path) == 0)
		return true;
	fail_errno(error, VITRINE_ERROR_HOST, "failed to write file '%s'", path);
	unlink(temporary);
	return false;
}
