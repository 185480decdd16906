/* Pictures and updates in bytes, as a guest's display sends them: whatever they say, all that is read and written lies in
 * what was sent and in the picture. */
#include "base/reader.h"
#include "display/bus-picture.h"

static uint32_t pick_format(struct reader *in)
{
	static const uint32_t formats[] = {
		PIXMAN_x8r8g8b8,
		PIXMAN_r8g8b8,
		PIXMAN_r5g6b5,
	};
	uint8_t which = reader_u8(in);

	return which < G_N_ELEMENTS(formats) ? formats[which] : reader_u32(in);
}

/* Bytes on the heap, exactly as many as were sent, so that reading behind them is noticed. */
static uint8_t *sent_bytes(struct reader *in, size_t *length)
{
	const uint8_t *bytes;

	*length = MIN(reader_u16(in), reader_left(in));
	bytes = reader_bytes(in, *length);
	if (!bytes)
		*length = 0;
	return g_memdup2(bytes, *length);
}

static void take(struct reader *in, struct shown_picture *picture)
{
	struct scanout scanout = {
		.width = reader_u16(in),
		.height = reader_u16(in),
		.stride = reader_u32(in),
		.format = pick_format(in),
	};
	size_t length;
	g_autofree uint8_t *bytes = sent_bytes(in, &length);

	shown_picture_take(picture, &scanout, bytes, length, NULL);
}

static void update(struct reader *in, struct shown_picture *picture)
{
	struct rectangle area = {
		.x = reader_i32(in),
		.y = reader_i32(in),
		.width = reader_i32(in),
		.height = reader_i32(in),
	};
	uint32_t stride = reader_u32(in);
	uint32_t format = pick_format(in);
	size_t length;
	g_autofree uint8_t *bytes = sent_bytes(in, &length);

	shown_picture_update(picture, &area, stride, format, bytes, length, NULL);
}

/* All of the picture can be read. */
static void look(const struct shown_picture *picture)
{
	const struct scanout *scanout = &picture->scanout;
	size_t end = (size_t)scanout->height * scanout->stride;
	volatile uint8_t last;

	if (end > 0)
		last = picture->pixels[end - 1];
	(void)last;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_from(data, size);
	struct shown_picture picture = { 0 };

	while (reader_left(&in) > 0 && reader_result(&in) == PARSE_DONE) {
		if (reader_u8(&in) == 0)
			take(&in, &picture);
		else
			update(&in, &picture);
		look(&picture);
	}
	shown_picture_clear(&picture);
	return 0;
}
