/* ramfb: from the bytes that firmware wrote to a picture of our own. */
#include "display/devices/ramfb.h"

#include <string.h>

#include "base/checked.h"
#include "base/reader.h"

enum {
	PAGE_SIZE = 4096,
	STRIDE_STEP = 4,  /* bytes: of the copy, as scanouts want it */
	TILE_WIDTH = 64,  /* pixels */
	TILE_HEIGHT = 16, /* pixels */
};

#define FOURCC(a, b, c, d) ((uint32_t)(a) | (b) << 8 | (c) << 16 | (uint32_t)(d) << 24)

/* What fourcc codes name by the order of components from the highest bit down. */
static const struct {
	uint32_t fourcc;
	pixman_format_code_t format;
} formats[] = {
	{ FOURCC('X', 'R', '2', '4'), PIXMAN_x8r8g8b8 },
	{ FOURCC('A', 'R', '2', '4'), PIXMAN_a8r8g8b8 },
	{ FOURCC('X', 'B', '2', '4'), PIXMAN_x8b8g8r8 },
	{ FOURCC('A', 'B', '2', '4'), PIXMAN_a8b8g8r8 },
	{ FOURCC('R', 'X', '2', '4'), PIXMAN_r8g8b8x8 },
	{ FOURCC('R', 'A', '2', '4'), PIXMAN_r8g8b8a8 },
	{ FOURCC('B', 'X', '2', '4'), PIXMAN_b8g8r8x8 },
	{ FOURCC('B', 'A', '2', '4'), PIXMAN_b8g8r8a8 },
	{ FOURCC('R', 'G', '2', '4'), PIXMAN_r8g8b8 },
	{ FOURCC('R', 'G', '1', '6'), PIXMAN_r5g6b5 },
	{ FOURCC('X', 'R', '1', '5'), PIXMAN_x1r5g5b5 },
};

struct ramfb {
	uint8_t bytes[RAMFB_CONFIG_SIZE]; /* of the picture that is shown; zeroes: none */
	bool shown;
	struct ramfb_config config; /* what they say */

	struct video_memory *picture; /* the copy */
	struct scanout scanout;       /* of it */
	struct head *head;
	ramfb_map map;
	void *owner;
};

static const struct state_field ramfb_fields[] = {
	STATE_UINT8_ARRAY(struct ramfb, bytes, RAMFB_CONFIG_SIZE),
	STATE_END,
};

static pixman_format_code_t format_of(uint32_t fourcc)
{
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		if (formats[i].fourcc == fourcc)
			return formats[i].format;
	return 0;
}

static bool refuse(const char **reason, const char *why)
{
	*reason = why;
	return false;
}

bool ramfb_config_parse(
	const uint8_t bytes[RAMFB_CONFIG_SIZE], struct ramfb_config *config, const char **reason)
{
	struct reader in = reader_from(bytes, RAMFB_CONFIG_SIZE);
	uint32_t fourcc, flags;
	uint64_t end;

	config->address = reader_u64(&in);
	fourcc = reader_u32(&in);
	flags = reader_u32(&in);
	config->width = reader_u32(&in);
	config->height = reader_u32(&in);
	config->stride = reader_u32(&in);
	config->format = format_of(fourcc);
	if (config->format == 0)
		return refuse(reason, "a pixel format that is not known");
	if (flags != 0)
		return refuse(reason, "flags, which have no meaning");
	if (config->width < RAMFB_MIN_SIZE || config->width > RAMFB_MAX_WIDTH ||
		config->height < RAMFB_MIN_SIZE || config->height > RAMFB_MAX_HEIGHT)
		return refuse(reason, "a size out of 16x16 to 16000x12000");
	config->row_bytes = config->width * scanout_pixel_bytes(config->format);
	if (config->stride == 0)
		config->stride = config->row_bytes;
	if (config->stride < config->row_bytes)
		return refuse(reason, "a stride that is less than a row");
	if (!picture_end(0, config->height, config->stride, config->row_bytes, &config->length) ||
		config->length > RAMFB_MAX_BYTES)
		return refuse(reason, "more than 256 MiB");
	if (!checked_add(config->address, config->length, &end))
		return refuse(reason, "an address whose end is none");
	return true;
}

static uint32_t copy_stride(const struct ramfb_config *config)
{
	return (config->row_bytes + STRIDE_STEP - 1) / STRIDE_STEP * STRIDE_STEP;
}

/* Takes over a part of a row that differs from the copy; whether it did. */
static bool copy_part(uint8_t *to, const uint8_t *from, size_t length)
{
	if (memcmp(to, from, length) == 0)
		return false;
	memcpy(to, from, length);
	return true;
}

static bool copy_tile(struct ramfb *ramfb, const uint8_t *guest, uint32_t x, uint32_t y)
{
	const struct ramfb_config *config = &ramfb->config;
	uint32_t pixel_bytes = scanout_pixel_bytes(config->format);
	uint32_t width = MIN(TILE_WIDTH, config->width - x);
	uint32_t end = MIN(y + TILE_HEIGHT, config->height);
	bool differs = false;

	for (; y < end; y++)
		differs |= copy_part(video_memory_bytes(ramfb->picture) +
					     (size_t)y * ramfb->scanout.stride +
					     (size_t)x * pixel_bytes,
			guest + (size_t)y * config->stride + (size_t)x * pixel_bytes,
			(size_t)width * pixel_bytes);
	return differs;
}

static void damage_tiles(struct ramfb *ramfb, uint32_t first, uint32_t end, uint32_t y)
{
	if (first < end)
		head_damage(ramfb->head,
			&(struct rectangle) { first, y, MIN(end, ramfb->config.width) - first,
				MIN(TILE_HEIGHT, ramfb->config.height - y) });
}

static void ramfb_refresh(void *device)
{
	struct ramfb *ramfb = device;
	const struct ramfb_config *config = &ramfb->config;
	const uint8_t *guest;

	if (!ramfb->shown)
		return;
	guest = ramfb->map(ramfb->owner, config->address, config->length);
	if (!guest)
		return;
	for (uint32_t y = 0; y < config->height; y += TILE_HEIGHT) {
		uint32_t changed_from =
			0; /* tiles [changed_from, x) differ and were not damaged yet */
		uint32_t x;

		for (x = 0; x < config->width; x += TILE_WIDTH) {
			if (copy_tile(ramfb, guest, x, y))
				continue;
			damage_tiles(ramfb, changed_from, x, y);
			changed_from = x + TILE_WIDTH;
		}
		damage_tiles(ramfb, changed_from, x, y);
	}
}

static const struct head_ops ramfb_head_ops = { .refresh = ramfb_refresh };

struct ramfb *ramfb_new(struct display *display, const char *label, ramfb_map map, void *owner)
{
	struct ramfb *ramfb = g_new0(struct ramfb, 1);

	ramfb->map = map;
	ramfb->owner = owner;
	ramfb->head = head_new(display, &(struct head_config) {
						.label = label,
						.device_address = "",
						.ops = &ramfb_head_ops,
						.device = ramfb,
					});
	return ramfb;
}

void ramfb_free(struct ramfb *ramfb)
{
	if (!ramfb)
		return;
	head_free(ramfb->head);
	g_clear_pointer(&ramfb->picture, video_memory_unref);
	g_free(ramfb);
}

void ramfb_reset(struct ramfb *ramfb)
{
	memset(ramfb->bytes, 0, sizeof(ramfb->bytes));
	ramfb->shown = false;
	head_disable(ramfb->head);
	g_clear_pointer(&ramfb->picture, video_memory_unref);
}

/* A copy of the size that is needed; consumers of the one before may go on reading it. */
static bool make_picture(struct ramfb *ramfb, const struct ramfb_config *config)
{
	struct scanout scanout = {
		.width = config->width,
		.height = config->height,
		.stride = copy_stride(config),
		.format = config->format,
	};
	uint64_t size = (uint64_t)scanout.stride * scanout.height;
	struct video_memory *picture;

	if (ramfb->picture && scanout_equal(&scanout, &ramfb->scanout))
		return true;
	size = (size + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
	if (!scanout_fits(&scanout, size))
		return false;
	picture = video_memory_new("ramfb", size, NULL);
	if (!picture)
		return false;
	g_clear_pointer(&ramfb->picture, video_memory_unref);
	ramfb->picture = picture;
	ramfb->scanout = scanout;
	return true;
}

bool ramfb_write(struct ramfb *ramfb, const uint8_t bytes[RAMFB_CONFIG_SIZE], const char **reason)
{
	struct ramfb_config config;

	if (!ramfb_config_parse(bytes, &config, reason))
		return false;
	if (!ramfb->map(ramfb->owner, config.address, config.length))
		return refuse(reason, "memory that is not all RAM");
	if (!make_picture(ramfb, &config))
		return refuse(reason, "a picture that the host has no memory for");
	memcpy(ramfb->bytes, bytes, sizeof(ramfb->bytes));
	ramfb->config = config;
	ramfb->shown = true;
	head_set_scanout(ramfb->head, ramfb->picture, &ramfb->scanout);
	return true;
}

struct head *ramfb_head(const struct ramfb *ramfb)
{
	return ramfb->head;
}

const struct state_field *ramfb_state(struct ramfb *ramfb, void **base)
{
	*base = ramfb;
	return ramfb_fields;
}

void ramfb_state_loaded(struct ramfb *ramfb)
{
	uint8_t bytes[RAMFB_CONFIG_SIZE];
	const char *reason;

	memcpy(bytes, ramfb->bytes, sizeof(bytes));
	ramfb_reset(ramfb);
	ramfb_write(ramfb, bytes, &reason);
}
