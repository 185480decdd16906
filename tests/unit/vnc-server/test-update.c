/* What a client is sent, and when: requests as state, sizes, notices, pieces. */
#include "vnc-server/update.h"

#include "base/reader.h"
#include "tests/unit/vnc-server/decode.h"
#include "vnc-server/limits.h"

enum {
	WIDTH = 200,
	HEIGHT = 130
};

static const struct client_format native = { "native", 32, 24, false, 255, 255, 255, 16, 8, 0 };

/* A server's frame and a client that understands all it is sent. */
struct bench {
	uint32_t pixels[WIDTH * HEIGHT];
	struct frame frame;
	struct update update;
	struct decoder decoder;
	GByteArray *out;
	uint32_t shown[WIDTH * HEIGHT]; /* what the client has */
};

static void bench_init(struct bench *bench)
{
	*bench = (struct bench) { .out = g_byte_array_new() };
	for (int i = 0; i < WIDTH * HEIGHT; i++)
		bench->pixels[i] = i * 7919 & 0xffffff;
	bench->frame = (struct frame) {
		.picture = { WIDTH, HEIGHT, WIDTH * 4, PIXMAN_x8r8g8b8,
			(const uint8_t *)bench->pixels },
		.pointer_absolute = true,
		.name = "name",
	};
	update_init(&bench->update, WIDTH, HEIGHT);
	decoder_init(&bench->decoder, &native);
}

static void bench_clear(struct bench *bench)
{
	update_clear(&bench->update);
	decoder_clear(&bench->decoder);
	g_byte_array_unref(bench->out);
}

static void read_pixels(
	struct bench *bench, struct reader *in, int32_t encoding, int x, int y, int w, int h)
{
	g_autofree uint32_t *pixels = g_new(uint32_t, (size_t)w * h);

	g_assert_cmpint(x + w, <=, WIDTH);
	g_assert_cmpint(y + h, <=, HEIGHT);
	if (encoding == ENCODING_ZRLE)
		decode_zrle(&bench->decoder, in, w, h, pixels);
	else
		decode_raw(&bench->decoder, in, w, h, pixels);
	for (int row = 0; row < h; row++)
		memcpy(bench->shown + (y + row) * WIDTH + x, pixels + row * w, w * sizeof(*pixels));
}

static void read_rectangle(struct bench *bench, struct reader *in, GString *seen)
{
	int x = reader_u16(in), y = reader_u16(in), w = reader_u16(in), h = reader_u16(in);
	int32_t encoding = reader_i32(in);

	switch (encoding) {
	case ENCODING_RAW:
	case ENCODING_ZRLE:
		g_string_append_printf(seen, "%d,%d+%dx%d ", x, y, w, h);
		read_pixels(bench, in, encoding, x, y, w, h);
		break;
	case ENCODING_EXTENDED_DESKTOP_SIZE:
		g_string_append_printf(seen, "size %dx%d reason %d status %d ", w, h, x, y);
		g_assert_cmpint(reader_u8(in), ==, 1);
		reader_skip(in, 3 + 16);
		break;
	case ENCODING_DESKTOP_SIZE:
		g_string_append_printf(seen, "size %dx%d ", w, h);
		break;
	case ENCODING_QEMU_EXTENDED_KEY:
		g_string_append(seen, "keys ");
		break;
	case ENCODING_QEMU_POINTER_MOTION:
		g_string_append_printf(seen, "pointer %d ", x);
		break;
	case ENCODING_QEMU_LED:
		g_string_append_printf(seen, "lights %d ", reader_u8(in));
		break;
	case ENCODING_DESKTOP_NAME:
		reader_skip(in, reader_u32(in));
		g_string_append(seen, "name ");
		break;
	case ENCODING_CURSOR:
		g_string_append_printf(seen, "cursor %dx%d at %d,%d ", w, h, x, y);
		reader_skip(in, w * h * 4 + (w + 7) / 8 * h);
		break;
	case ENCODING_CURSOR_WITH_ALPHA:
		g_string_append_printf(seen, "alpha %dx%d at %d,%d ", w, h, x, y);
		g_assert_cmpint(reader_i32(in), ==, ENCODING_RAW);
		reader_skip(in, w * h * 4);
		break;
	default:
		g_assert_not_reached();
	}
}

/* What the client sees of everything that is written now, a message in brackets. */
static char *see(struct bench *bench)
{
	GString *seen = g_string_new(NULL);
	struct reader in;

	do
		update_write(&bench->update, &bench->frame, 0, bench->out);
	while (update_unfinished(&bench->update) && bench->out->len < 1 << 24);
	in = reader_from(bench->out->data, bench->out->len);
	while (reader_left(&in) > 0) {
		uint8_t type = reader_u8(&in);
		uint16_t count;

		if (type == SERVER_SET_COLOUR_MAP_ENTRIES) {
			reader_skip(&in, 1 + 2 + 2 + 256 * 6);
			g_string_append(seen, "map ");
			continue;
		}
		g_assert_cmpint(type, ==, SERVER_FRAMEBUFFER_UPDATE);
		reader_skip(&in, 1);
		count = reader_u16(&in);
		g_string_append(seen, "[ ");
		for (uint16_t i = 0; i < count; i++)
			read_rectangle(bench, &in, seen);
		g_string_append(seen, "] ");
		g_assert_cmpint(reader_result(&in), ==, PARSE_DONE);
	}
	g_byte_array_set_size(bench->out, 0);
	return g_string_free(seen, FALSE);
}

static void expect(struct bench *bench, const char *expected)
{
	g_autofree char *seen = see(bench);

	g_assert_cmpstr(seen, ==, expected);
}

static void request(struct bench *bench, bool incremental)
{
	update_request(&bench->update, incremental, &(struct rectangle) { 0, 0, WIDTH, HEIGHT });
}

static void set_encodings(struct bench *bench, int32_t first, int32_t second, int32_t third)
{
	update_set_encodings(&bench->update, (int32_t[]) { first, second, third }, 3);
}

static void test_requests_are_state(void)
{
	struct bench bench;
	struct rectangle changed = { 10, 20, 30, 5 };

	bench_init(&bench);
	/* Nothing without a request. */
	expect(&bench, "");
	request(&bench, false);
	request(&bench, false);
	request(&bench, true);
	expect(&bench, "[ 0,0+200x64 0,64+200x64 0,128+200x2 ] ");
	g_assert_cmpmem(bench.shown, sizeof(bench.shown), bench.pixels, sizeof(bench.pixels));
	expect(&bench, "");
	/* An incremental one waits for a change, whatever comes first. */
	request(&bench, true);
	expect(&bench, "");
	g_assert_true(update_idle(&bench.update, &bench.frame));
	update_changed(&bench.update, &changed, 1);
	g_assert_false(update_idle(&bench.update, &bench.frame));
	expect(&bench, "[ 10,20+30x5 ] ");
	update_changed(&bench.update, &changed, 1);
	expect(&bench, "");
	request(&bench, true);
	expect(&bench, "[ 10,20+30x5 ] ");
	bench_clear(&bench);
}

static void test_areas(void)
{
	struct bench bench;

	bench_init(&bench);
	request(&bench, false);
	expect(&bench, "[ 0,0+200x64 0,64+200x64 0,128+200x2 ] ");
	/* Only what was asked for; the rest stays owed. */
	update_changed(&bench.update, &(struct rectangle) { 0, 0, 40, 40 }, 1);
	update_request(&bench.update, true, &(struct rectangle) { 0, 0, 20, 20 });
	expect(&bench, "[ 0,0+20x20 ] ");
	update_request(&bench.update, true, &(struct rectangle) { 100, 100, 20, 20 });
	expect(&bench, "");
	g_assert_true(update_idle(&bench.update, &bench.frame));
	request(&bench, true);
	expect(&bench, "[ 20,0+20x20 0,20+40x20 ] ");
	/* Areas outside of the picture, and larger than it. */
	update_request(&bench.update, false, &(struct rectangle) { 65535, 65535, 65535, 65535 });
	update_request(&bench.update, false, &(struct rectangle) { 10, 10, 0, 5 });
	expect(&bench, "");
	update_request(&bench.update, false, &(struct rectangle) { 199, 129, 65535, 65535 });
	expect(&bench, "[ 199,129+1x1 ] ");
	/* Damage that claims to lie outside. */
	update_changed(&bench.update, &(struct rectangle) { 150, 100, 5000, 5000 }, 1);
	request(&bench, true);
	expect(&bench, "[ 150,100+50x30 ] ");
	bench_clear(&bench);
}

static void test_notices(void)
{
	struct bench bench;
	struct cursor *cursor = cursor_new(8, 4, 1, 2);

	bench_init(&bench);
	update_set_encodings(&bench.update,
		(int32_t[]) { ENCODING_QEMU_EXTENDED_KEY, ENCODING_QEMU_POINTER_MOTION,
			ENCODING_QEMU_LED, ENCODING_CURSOR, ENCODING_DESKTOP_NAME },
		5);
	/* Behind the pixels, in a message of their own. A guest that said nothing about a cursor has none to tell. */
	request(&bench, false);
	expect(&bench, "[ 0,0+200x64 0,64+200x64 0,128+200x2 ] [ keys pointer 1 lights 0 ] ");
	bench.frame.cursor = cursor;
	bench.frame.cursor_known = true;
	bench.frame.lights = 2;
	update_notice(&bench.update, NOTICE_CURSOR | NOTICE_LIGHTS | NOTICE_NAME);
	expect(&bench, "");
	request(&bench, true);
	expect(&bench, "[ lights 2 cursor 8x4 at 1,2 name ] ");
	bench.frame.cursor = NULL;
	update_notice(&bench.update, NOTICE_CURSOR);
	request(&bench, true);
	expect(&bench, "[ cursor 0x0 at 0,0 ] ");
	/* Only what the client understands; and the better of two kinds of cursor. */
	bench.frame.cursor = cursor;
	set_encodings(&bench, ENCODING_ZRLE, ENCODING_CURSOR_WITH_ALPHA, ENCODING_CURSOR);
	update_notice(&bench.update, ~0u);
	request(&bench, true);
	expect(&bench, "[ alpha 8x4 at 1,2 ] ");
	set_encodings(&bench, ENCODING_ZRLE, ENCODING_RAW, ENCODING_RAW);
	update_notice(&bench.update, ~0u);
	request(&bench, true);
	expect(&bench, "");
	bench_clear(&bench);
	cursor_unref(cursor);
}

static void test_extended_size(void)
{
	struct bench bench;

	bench_init(&bench);
	set_encodings(&bench, ENCODING_ZRLE, ENCODING_EXTENDED_DESKTOP_SIZE, ENCODING_DESKTOP_SIZE);
	/* With every request that is not incremental, in a message without pixels, and the request still counts. */
	request(&bench, false);
	expect(&bench,
		"[ size 200x130 reason 0 status 0 ] [ 0,0+200x64 0,64+200x64 0,128+200x2 ] ");
	request(&bench, true);
	expect(&bench, "");
	update_answer_size(&bench.update, DESKTOP_SIZE_FORWARDED);
	expect(&bench, "[ size 200x130 reason 1 status 4 ] ");
	/* Telling it did not use the request up. */
	update_changed(&bench.update, &(struct rectangle) { 0, 0, 1, 1 }, 1);
	expect(&bench, "[ 0,0+1x1 ] ");
	/* A new size: told alone; the client then asks for all of it. */
	bench.frame.picture.width = 100;
	bench.frame.picture.height = 65;
	update_new_picture(&bench.update);
	expect(&bench, "");
	request(&bench, true);
	expect(&bench, "[ size 100x65 reason 0 status 0 ] ");
	expect(&bench, "");
	request(&bench, true);
	expect(&bench, "[ 0,0+100x64 0,64+100x1 ] ");
	/* A wish that has come true before it could be answered. */
	update_answer_size(&bench.update, DESKTOP_SIZE_FORWARDED);
	bench.frame.picture.width = 120;
	update_new_picture(&bench.update);
	request(&bench, true);
	expect(&bench, "[ size 120x65 reason 1 status 0 ] ");
	bench_clear(&bench);
}

static void test_plain_size(void)
{
	struct bench bench;

	bench_init(&bench);
	set_encodings(&bench, ENCODING_RAW, ENCODING_DESKTOP_SIZE, ENCODING_RAW);
	request(&bench, false);
	expect(&bench, "[ 0,0+200x64 0,64+200x64 0,128+200x2 ] ");
	update_answer_size(&bench.update, DESKTOP_SIZE_INVALID);
	bench.frame.picture.height = 20;
	update_new_picture(&bench.update);
	request(&bench, true);
	expect(&bench, "[ size 200x20 ] ");
	request(&bench, false);
	expect(&bench, "[ 0,0+200x20 ] ");
	bench_clear(&bench);
}

/* A client that cannot follow a new size keeps its own; what is no longer there is black. */
static void test_fixed_size(void)
{
	struct bench bench;

	bench_init(&bench);
	request(&bench, false);
	bench.frame.picture.height = 10;
	update_new_picture(&bench.update);
	expect(&bench, "[ 0,0+200x64 0,64+200x64 0,128+200x2 ] ");
	g_assert_cmphex(bench.shown[9 * WIDTH + 5], ==, bench.pixels[9 * WIDTH + 5]);
	g_assert_cmphex(bench.shown[10 * WIDTH + 5], ==, 0);
	g_assert_cmphex(bench.shown[129 * WIDTH + 199], ==, 0);
	bench_clear(&bench);
}

/* All of an update is in one pixel format, and a client without true colour gets its map before. */
static void test_formats(void)
{
	struct bench bench;
	static const struct client_format mapped = { "mapped", 8, 8, false, 7, 7, 3, 0, 3, 6 };

	bench_init(&bench);
	request(&bench, false);
	update_set_format(&bench.update, &pixel_format_mapped);
	bench.decoder.format = &mapped;
	expect(&bench, "map [ 0,0+200x64 0,64+200x64 0,128+200x2 ] ");
	for (int i = 0; i < WIDTH * HEIGHT; i++)
		g_assert_cmphex(bench.shown[i], ==, client_pixel(&mapped, bench.pixels[i]));
	bench_clear(&bench);
}

/* An update is written as far as the queue takes it, and a change meanwhile is for the next one. */
static void test_pieces(void)
{
	enum {
		SIZE = 1024
	};
	g_autofree uint32_t *pixels = g_new0(uint32_t, SIZE * SIZE);
	struct bench bench;
	unsigned turns = 0;

	bench_init(&bench);
	update_clear(&bench.update);
	update_init(&bench.update, SIZE, SIZE);
	bench.frame.picture =
		(struct picture) { SIZE, SIZE, SIZE * 4, PIXMAN_x8r8g8b8, (const uint8_t *)pixels };
	update_request(&bench.update, false, &(struct rectangle) { 0, 0, SIZE, SIZE });
	do {
		update_write(&bench.update, &bench.frame, 0, bench.out);
		g_assert_cmpuint(bench.out->len, <=,
			LIMIT_QUEUE + LIMIT_PIECE_WIDTH * LIMIT_PIECE_HEIGHT * 4 + 16);
		g_byte_array_set_size(bench.out, 0);
		turns++;
		update_request(&bench.update, true, &(struct rectangle) { 0, 0, SIZE, SIZE });
	} while (update_unfinished(&bench.update));
	g_assert_cmpuint(turns, >, 4);
	g_assert_false(update_due(&bench.update, &bench.frame));
	bench_clear(&bench);
}

/* Damage of any shape stays bounded, and nothing of it is lost. */
static void test_many_rectangles(void)
{
	struct bench bench;
	GRand *random = g_rand_new_with_seed(7);

	bench_init(&bench);
	request(&bench, false);
	g_free(see(&bench));
	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < 300; i++) {
			struct rectangle dot = { g_rand_int_range(random, 0, WIDTH),
				g_rand_int_range(random, 0, HEIGHT), 1, 1 };

			bench.pixels[dot.y * WIDTH + dot.x] = g_rand_int(random) & 0xffffff;
			update_changed(&bench.update, &dot, 1);
		}
		g_assert_cmpint(pixman_region32_n_rects(&bench.update.changed), <=, LIMIT_REGION);
		request(&bench, true);
		g_free(see(&bench));
		g_assert_cmpmem(
			bench.shown, sizeof(bench.shown), bench.pixels, sizeof(bench.pixels));
	}
	g_rand_free(random);
	bench_clear(&bench);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/update/requests-are-state", test_requests_are_state);
	g_test_add_func("/update/areas", test_areas);
	g_test_add_func("/update/notices", test_notices);
	g_test_add_func("/update/extended-size", test_extended_size);
	g_test_add_func("/update/plain-size", test_plain_size);
	g_test_add_func("/update/fixed-size", test_fixed_size);
	g_test_add_func("/update/formats", test_formats);
	g_test_add_func("/update/pieces", test_pieces);
	g_test_add_func("/update/many-rectangles", test_many_rectangles);
	return g_test_run();
}
