/* The picture that a peer sends: checks, mapping, own copy. */
#include "display/bus-picture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/error.h"

void shown_picture_clear(struct shown_picture *picture)
{
	if (picture->mapping)
		munmap(picture->mapping, picture->mapped);
	g_free(picture->own);
	*picture = (struct shown_picture) { 0 };
}

static bool wrong_picture(const struct scanout *scanout, uint64_t size, GError **error)
{
	return fail(error, VITRINE_ERROR_INPUT,
		"the guest's display sent a picture of %u by %u pixels, stride %u, format 0x%x, "
		"offset %" G_GUINT64_FORMAT " that does not fit %" G_GUINT64_FORMAT " bytes",
		scanout->width, scanout->height, scanout->stride, (unsigned)scanout->format,
		scanout->offset, size);
}

/* How many bytes of @fd stay there whatever its other holders do. */
static bool lasting_size(int fd, uint64_t *size, GError **error)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat status;

	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &status) < 0 || status.st_size < 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"the guest's display sent memory that could be taken away: it must be a "
			"memfd sealed against shrinking");
	*size = status.st_size;
	return true;
}

bool shown_picture_map(
	struct shown_picture *picture, int fd, const struct scanout *scanout, GError **error)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	struct shown_picture mapped = { .scanout = *scanout };
	uint64_t size = 0, end = 0, start;

	if (!lasting_size(fd, &size, error))
		return false;
	if (!scanout_fits(scanout, size) ||
		!picture_end(scanout->offset, scanout->height, scanout->stride,
			(uint64_t)scanout->width * scanout_pixel_bytes(scanout->format), &end))
		return wrong_picture(scanout, size, error);
	/* Consumers may read whole strides, and words beyond a pixel. */
	end = MIN(size, end + scanout->stride);
	start = scanout->offset / page * page;
	mapped.mapped = end - start;
	mapped.mapping = mmap(NULL, mapped.mapped, PROT_READ, MAP_SHARED, fd, start);
	if (mapped.mapping == MAP_FAILED)
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot map the guest's picture");
	mapped.pixels = (const uint8_t *)mapped.mapping + (scanout->offset - start);
	mapped.scanout.offset = 0;
	shown_picture_clear(picture);
	*picture = mapped;
	return true;
}

bool shown_picture_take(struct shown_picture *picture, const struct scanout *scanout,
	const uint8_t *bytes, size_t length, GError **error)
{
	struct shown_picture taken = { .scanout = *scanout };
	size_t row_bytes;

	if (scanout->offset != 0 || !scanout_fits(scanout, length))
		return wrong_picture(scanout, length, error);
	/* Our rows have no more padding than they need: a stride is the peer's word alone where there is one row. */
	row_bytes = (size_t)scanout->width * scanout_pixel_bytes(scanout->format);
	taken.scanout.stride = (row_bytes + 3) & ~(size_t)3;
	taken.own = g_try_malloc0((size_t)taken.scanout.stride * scanout->height);
	if (!taken.own)
		return fail(error, VITRINE_ERROR_HOST, "no memory for a picture of %u by %u pixels",
			scanout->width, scanout->height);
	for (uint32_t row = 0; row < scanout->height; row++)
		memcpy(taken.own + (size_t)row * taken.scanout.stride,
			bytes + (size_t)row * scanout->stride, row_bytes);
	taken.pixels = taken.own;
	shown_picture_clear(picture);
	*picture = taken;
	return true;
}

bool shown_picture_clip(const struct shown_picture *picture, struct rectangle *area)
{
	int64_t left = MAX(area->x, 0);
	int64_t top = MAX(area->y, 0);
	int64_t right = MIN((int64_t)area->x + area->width, (int64_t)picture->scanout.width);
	int64_t bottom = MIN((int64_t)area->y + area->height, (int64_t)picture->scanout.height);

	if (left >= right || top >= bottom)
		return false;
	*area = (struct rectangle) { left, top, right - left, bottom - top };
	return true;
}

bool shown_picture_update(struct shown_picture *picture, struct rectangle *area, uint32_t stride,
	uint32_t format, const uint8_t *bytes, size_t length, GError **error)
{
	const struct scanout *scanout = &picture->scanout;
	uint32_t pixel_bytes = scanout_pixel_bytes(scanout->format);
	struct scanout sent = {
		.width = MAX(area->width, 0),
		.height = MAX(area->height, 0),
		.stride = stride,
		.format = format,
	};
	struct rectangle inside = *area;

	if (!scanout_fits(&sent, length))
		return wrong_picture(&sent, length, error);
	if (!picture->own || format != (uint32_t)scanout->format ||
		!shown_picture_clip(picture, &inside))
		return fail(error, VITRINE_ERROR_INPUT,
			"the guest's display sent %d by %d pixels of format 0x%x for %d,%d of "
			"another picture",
			area->width, area->height, format, area->x, area->y);
	bytes += (size_t)(inside.y - area->y) * stride + (size_t)(inside.x - area->x) * pixel_bytes;
	for (int32_t row = 0; row < inside.height; row++)
		memcpy(picture->own + (size_t)(inside.y + row) * scanout->stride +
				(size_t)inside.x * pixel_bytes,
			bytes + (size_t)row * stride, (size_t)inside.width * pixel_bytes);
	*area = inside;
	return true;
}
