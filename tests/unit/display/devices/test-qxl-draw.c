/* QXL drawing commands, compared pixel by pixel, and wrong ones, each of which stops the device. */
#include <string.h>

#include "display/devices/qxl-drawable.h"
#include "tests/unit/display/devices/qxl-fixture.h"

enum {
	RED = 0xff0000,
	GREEN = 0x00ff00,
	BLUE = 0x0000ff,
	WHITE = 0xffffff,
};

static struct qxl_fixture *started(void)
{
	struct qxl_fixture *f = qxl_fixture_new(false, 1);

	qxl_fixture_start(f);
	return f;
}

static QXLBrush solid(uint32_t colour)
{
	QXLBrush brush = { .type = SPICE_BRUSH_TYPE_SOLID };

	brush.u.color = colour;
	return brush;
}

static QXLRect rect(int32_t left, int32_t top, int32_t right, int32_t bottom)
{
	return (QXLRect) { .top = top, .left = left, .bottom = bottom, .right = right };
}

static void fill(struct qxl_fixture *f, int32_t left, int32_t top, int32_t right, int32_t bottom,
	uint32_t colour, uint16_t rop)
{
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_FILL, left, top, right, bottom);

	drawable.u.fill.brush = solid(colour);
	drawable.u.fill.rop_descriptor = rop;
	qxl_fixture_draw(f, &drawable);
}

static void test_fill(void)
{
	g_autoptr(qxl_fixture) f = started();

	fill(f, 2, 3, 5, 6, RED, SPICE_ROPD_OP_PUT);
	g_assert_cmphex(qxl_fixture_pixel(f, 1, 3), ==, 0);
	g_assert_cmphex(qxl_fixture_pixel(f, 2, 3), ==, RED);
	g_assert_cmphex(qxl_fixture_pixel(f, 4, 5), ==, RED);
	g_assert_cmphex(qxl_fixture_pixel(f, 5, 5), ==, 0);
	fill(f, -10, -10, 3, 4, BLUE, SPICE_ROPD_OP_XOR);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, BLUE);
	g_assert_cmphex(qxl_fixture_pixel(f, 2, 3), ==, RED | BLUE);
	fill(f, 0, 0, 1, 1, GREEN, SPICE_ROPD_OP_OR | SPICE_ROPD_INVERS_RES);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, RED);
	g_assert_false(qxl_guest_bug(f->qxl));
}

/* Codes of ternary raster operations and what they make of brush 0xf0, source 0xcc and destination 0xaa in each byte. */
static void test_rop3(void)
{
	static const uint32_t pixels[1] = { 0xcccccccc };

	for (unsigned code = 0; code < 256; code++) {
		g_autoptr(qxl_fixture) f = started();
		QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_ROP3, 0, 0, 1, 1);

		fill(f, 0, 0, 4, 4, 0xaaaaaaaa, SPICE_ROPD_OP_PUT);
		drawable.u.rop3.src_bitmap =
			qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_32BIT, 1, 1, 4, pixels, 0);
		drawable.u.rop3.src_area = rect(0, 0, 1, 1);
		drawable.u.rop3.brush = solid(0xf0f0f0f0);
		drawable.u.rop3.rop3 = code;
		qxl_fixture_draw(f, &drawable);
		g_assert_cmphex(qxl_fixture_pixel(f, 0, 0) & 0xff, ==, code);
		g_assert_cmphex(qxl_fixture_pixel(f, 1, 0) & 0xff, ==, 0xaa);
	}
}

static const uint32_t palette_colours[16] = { 0, RED, GREEN, BLUE, WHITE };

static uint64_t put_palette(struct qxl_fixture *f)
{
	struct {
		QXLPalette header;
		uint32_t entries[16];
	} __attribute__((packed)) palette = { .header = { .num_ents = 16 } };

	memcpy(palette.entries, palette_colours, sizeof(palette_colours));
	return qxl_fixture_put(f, &palette, sizeof(palette));
}

/* The same four pixels, red, green, blue and white, in every format that has them. */
static const struct {
	const char *name;
	uint8_t format;
	uint32_t stride;
	uint8_t bytes[16];
	uint32_t expected[4];
} formats[] = {
	{ "/qxl/format/1-le", SPICE_BITMAP_FMT_1BIT_LE, 4, { 0x05 }, { RED, 0, RED, 0 } },
	{ "/qxl/format/1-be", SPICE_BITMAP_FMT_1BIT_BE, 1, { 0xa0 }, { RED, 0, RED, 0 } },
	{ "/qxl/format/4-le", SPICE_BITMAP_FMT_4BIT_LE, 2, { 0x21, 0x43 },
		{ RED, GREEN, BLUE, WHITE } },
	{ "/qxl/format/4-be", SPICE_BITMAP_FMT_4BIT_BE, 3, { 0x12, 0x34 },
		{ RED, GREEN, BLUE, WHITE } },
	{ "/qxl/format/8", SPICE_BITMAP_FMT_8BIT, 4, { 1, 2, 3, 4 }, { RED, GREEN, BLUE, WHITE } },
	{ "/qxl/format/16", SPICE_BITMAP_FMT_16BIT, 8,
		{ 0x00, 0x7c, 0xe0, 0x03, 0x1f, 0x00, 0xff, 0x7f }, { RED, GREEN, BLUE, WHITE } },
	{ "/qxl/format/24", SPICE_BITMAP_FMT_24BIT, 12,
		{ 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255 }, { RED, GREEN, BLUE, WHITE } },
	{ "/qxl/format/24-odd", SPICE_BITMAP_FMT_24BIT, 13,
		{ 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255 }, { RED, GREEN, BLUE, WHITE } },
	{ "/qxl/format/32", SPICE_BITMAP_FMT_32BIT, 16,
		{ 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0 },
		{ RED, GREEN, BLUE, WHITE } },
	{ "/qxl/format/rgba", SPICE_BITMAP_FMT_RGBA, 16,
		{ 0, 0, 255, 255, 0, 255, 0, 255, 255, 0, 0, 255, 255, 255, 255, 255 },
		{ RED, GREEN, BLUE, WHITE } },
};

static void copy(struct qxl_fixture *f, uint64_t image, int32_t x, int32_t y, int32_t width,
	int32_t height, QXLRect area)
{
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_COPY, x, y, x + width, y + height);

	drawable.u.copy.src_bitmap = image;
	drawable.u.copy.src_area = area;
	drawable.u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
	drawable.u.copy.scale_mode = SPICE_IMAGE_SCALE_MODE_NEAREST;
	qxl_fixture_draw(f, &drawable);
}

static void check_format(gconstpointer data)
{
	const typeof(formats[0]) *c = data;
	g_autoptr(qxl_fixture) f = started();
	uint64_t image =
		qxl_fixture_bitmap(f, c->format, 4, 1, c->stride, c->bytes, put_palette(f));

	copy(f, image, 10, 20, 4, 1, rect(0, 0, 4, 1));
	g_assert_false(qxl_guest_bug(f->qxl));
	for (unsigned i = 0; i < 4; i++)
		g_assert_cmphex(qxl_fixture_pixel(f, 10 + i, 20), ==, c->expected[i]);
}

static void test_copy(void)
{
	static const uint32_t pixels[4] = { RED, GREEN, BLUE, WHITE };
	g_autoptr(qxl_fixture) f = started();
	uint64_t image = qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_32BIT, 2, 2, 8, pixels, 0);

	copy(f, image, 0, 0, 2, 2, rect(0, 0, 2, 2));
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, RED);
	g_assert_cmphex(qxl_fixture_pixel(f, 1, 1), ==, WHITE);
	/* Part of it, over the edge of the surface. */
	copy(f, image, FIXTURE_WIDTH - 1, 4, 2, 1, rect(0, 1, 2, 2));
	g_assert_cmphex(qxl_fixture_pixel(f, FIXTURE_WIDTH - 1, 4), ==, BLUE);
	/* Scaled to four times its size. */
	copy(f, image, 20, 20, 8, 8, rect(0, 0, 2, 2));
	g_assert_cmphex(qxl_fixture_pixel(f, 23, 23), ==, RED);
	g_assert_cmphex(qxl_fixture_pixel(f, 24, 23), ==, GREEN);
	g_assert_cmphex(qxl_fixture_pixel(f, 27, 27), ==, WHITE);
	g_assert_false(qxl_guest_bug(f->qxl));
}

static void test_bottom_up(void)
{
	static const uint32_t pixels[2] = { RED, GREEN };
	g_autoptr(qxl_fixture) f = started();
	uint64_t image = qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_32BIT, 1, 2, 4, pixels, 0);

	f->bytes[(image & 0xffffff) + sizeof(QXLImageDescriptor) + offsetof(QXLBitmap, flags)] = 0;
	copy(f, image, 0, 0, 1, 2, rect(0, 0, 1, 2));
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, GREEN);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 1), ==, RED);
}

static uint64_t put_clip(struct qxl_fixture *f, const QXLRect *rects, uint32_t count)
{
	g_autofree uint8_t *bytes = g_malloc0(sizeof(QXLClipRects) + count * sizeof(QXLRect));
	QXLClipRects header = { .num_rects = count };

	header.chunk.data_size = count * sizeof(QXLRect);
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), rects, count * sizeof(QXLRect));
	return qxl_fixture_put(f, bytes, sizeof(header) + count * sizeof(QXLRect));
}

static void test_clip(void)
{
	const QXLRect rects[2] = { rect(0, 0, 2, 2), rect(4, 0, 6, 2) };
	g_autoptr(qxl_fixture) f = started();
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_WHITENESS, 1, 0, 10, 10);

	drawable.clip.type = SPICE_CLIP_TYPE_RECTS;
	drawable.clip.data = put_clip(f, rects, 2);
	qxl_fixture_draw(f, &drawable);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, 0);
	g_assert_cmphex(qxl_fixture_pixel(f, 1, 1), ==, WHITE);
	g_assert_cmphex(qxl_fixture_pixel(f, 2, 0), ==, 0);
	g_assert_cmphex(qxl_fixture_pixel(f, 5, 1), ==, WHITE);
	g_assert_cmphex(qxl_fixture_pixel(f, 5, 2), ==, 0);
}

static void test_mask(void)
{
	static const uint8_t bits[2] = { 0x80, 0x40 };
	g_autoptr(qxl_fixture) f = started();
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_INVERS, 0, 0, 2, 2);

	drawable.u.invers.mask.bitmap =
		qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_1BIT_BE, 2, 2, 1, bits, 0);
	qxl_fixture_draw(f, &drawable);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, WHITE);
	g_assert_cmphex(qxl_fixture_pixel(f, 1, 0), ==, 0);
	g_assert_cmphex(qxl_fixture_pixel(f, 1, 1), ==, WHITE);
	drawable.u.invers.mask.flags = SPICE_MASK_FLAGS_INVERS;
	qxl_fixture_draw(f, &drawable);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, WHITE);
	g_assert_cmphex(qxl_fixture_pixel(f, 1, 0), ==, WHITE);
	g_assert_false(qxl_guest_bug(f->qxl));
}

static void test_pattern(void)
{
	static const uint32_t pixels[2] = { RED, GREEN };
	g_autoptr(qxl_fixture) f = started();
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_FILL, 1, 0, 5, 2);

	drawable.u.fill.brush.type = SPICE_BRUSH_TYPE_PATTERN;
	drawable.u.fill.brush.u.pattern.pat =
		qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_32BIT, 2, 1, 8, pixels, 0);
	drawable.u.fill.brush.u.pattern.pos.x = 1;
	drawable.u.fill.rop_descriptor = SPICE_ROPD_OP_PUT;
	qxl_fixture_draw(f, &drawable);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, 0);
	g_assert_cmphex(qxl_fixture_pixel(f, 1, 0), ==, RED);
	g_assert_cmphex(qxl_fixture_pixel(f, 2, 0), ==, GREEN);
	g_assert_cmphex(qxl_fixture_pixel(f, 3, 1), ==, RED);
}

/* The source, with the brush on it. */
static void test_opaque(void)
{
	static const uint32_t pixels[1] = { GREEN };
	g_autoptr(qxl_fixture) f = started();
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_OPAQUE, 0, 0, 1, 1);

	fill(f, 0, 0, 4, 4, WHITE, SPICE_ROPD_OP_PUT);
	drawable.u.opaque.src_bitmap =
		qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_32BIT, 1, 1, 4, pixels, 0);
	drawable.u.opaque.src_area = rect(0, 0, 1, 1);
	drawable.u.opaque.brush = solid(RED);
	drawable.u.opaque.rop_descriptor = SPICE_ROPD_OP_OR;
	qxl_fixture_draw(f, &drawable);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, RED | GREEN);
}

static void test_blend(void)
{
	static const uint32_t pixels[1] = { RED | GREEN };
	g_autoptr(qxl_fixture) f = started();
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_BLEND, 0, 0, 1, 1);

	fill(f, 0, 0, 4, 4, GREEN | BLUE, SPICE_ROPD_OP_PUT);
	drawable.u.blend.src_bitmap =
		qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_32BIT, 1, 1, 4, pixels, 0);
	drawable.u.blend.src_area = rect(0, 0, 1, 1);
	drawable.u.blend.rop_descriptor = SPICE_ROPD_OP_AND;
	qxl_fixture_draw(f, &drawable);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, GREEN);
}

static void test_blackness(void)
{
	g_autoptr(qxl_fixture) f = started();
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_BLACKNESS, 0, 0, 1, 1);

	fill(f, 0, 0, 2, 1, WHITE, SPICE_ROPD_OP_PUT);
	qxl_fixture_draw(f, &drawable);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, 0);
	g_assert_cmphex(qxl_fixture_pixel(f, 1, 0), ==, WHITE);
}

/* Each of the four directions over itself. */
static void test_copy_bits(void)
{
	static const struct {
		int32_t dx, dy;
	} moves[] = { { 1, 0 }, { -1, 0 }, { 0, 1 }, { 0, -1 }, { 3, 2 }, { -2, -3 } };

	for (size_t i = 0; i < G_N_ELEMENTS(moves); i++) {
		g_autoptr(qxl_fixture) f = started();
		QXLDrawable drawable = qxl_fixture_drawable(QXL_COPY_BITS, 10 + moves[i].dx,
			10 + moves[i].dy, 30 + moves[i].dx, 30 + moves[i].dy);

		for (unsigned y = 10; y < 30; y++)
			for (unsigned x = 10; x < 30; x++)
				((uint32_t *)(void *)f->bytes)[y * FIXTURE_WIDTH + x] = y << 8 | x;
		drawable.u.copy_bits.src_pos = (QXLPoint) { 10, 10 };
		qxl_fixture_draw(f, &drawable);
		for (unsigned y = 10; y < 30; y++)
			for (unsigned x = 10; x < 30; x++)
				g_assert_cmphex(
					qxl_fixture_pixel(f, x + moves[i].dx, y + moves[i].dy), ==,
					y << 8 | x);
	}
}

static void test_transparent(void)
{
	static const uint32_t pixels[2] = { RED, GREEN };
	g_autoptr(qxl_fixture) f = started();
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_TRANSPARENT, 0, 0, 2, 1);

	drawable.u.transparent.src_bitmap =
		qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_32BIT, 2, 1, 8, pixels, 0);
	drawable.u.transparent.src_area = rect(0, 0, 2, 1);
	drawable.u.transparent.true_color = RED;
	qxl_fixture_draw(f, &drawable);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, 0);
	g_assert_cmphex(qxl_fixture_pixel(f, 1, 0), ==, GREEN);
}

static void test_alpha_blend(void)
{
	static const uint32_t pixels[2] = { 0x80800000, WHITE | 0xff000000 };
	g_autoptr(qxl_fixture) f = started();
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_ALPHA_BLEND, 0, 0, 2, 1);

	fill(f, 0, 0, 2, 1, BLUE, SPICE_ROPD_OP_PUT);
	drawable.u.alpha_blend.src_bitmap =
		qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_RGBA, 2, 1, 8, pixels, 0);
	drawable.u.alpha_blend.src_area = rect(0, 0, 2, 1);
	drawable.u.alpha_blend.alpha = 255;
	qxl_fixture_draw(f, &drawable);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, 0x80007f);
	g_assert_cmphex(qxl_fixture_pixel(f, 1, 0), ==, WHITE);
}

static void create_surface(struct qxl_fixture *f, uint32_t id, uint32_t format, uint32_t width,
	uint32_t height, int32_t stride, uint64_t offset)
{
	QXLSurfaceCmd command = { .surface_id = id, .type = QXL_SURFACE_CMD_CREATE };

	command.u.surface_create = (QXLSurface) { format, width, height, stride,
		qxl_fixture_address(FIXTURE_SLOT_SURFACES, offset) };
	qxl_fixture_command(f, QXL_CMD_SURFACE, qxl_fixture_put(f, &command, sizeof(command)));
}

static void test_composite(void)
{
	g_autoptr(qxl_fixture) f = started();
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_COMPOSITE, 0, 0, 2, 1);
	uint8_t *surfaces = video_memory_bytes(f->surfaces);

	create_surface(f, 1, SPICE_SURFACE_FMT_32_ARGB, 4, 4, 16, 0);
	create_surface(f, 2, SPICE_SURFACE_FMT_8_A, 4, 4, 4, 4096);
	memset(surfaces, 0xff, 64);
	surfaces[4096] = 0xff;
	surfaces[4097] = 0x40;
	drawable.u.composite.flags = QXL_OP_OVER;
	drawable.u.composite.src = qxl_fixture_surface_image(f, 1);
	drawable.u.composite.mask = qxl_fixture_surface_image(f, 2);
	qxl_fixture_draw(f, &drawable);
	g_assert_false(qxl_guest_bug(f->qxl));
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, WHITE);
	g_assert_cmphex(qxl_fixture_pixel(f, 1, 0), ==, 0x404040);
}

static void put_string(struct qxl_fixture *f, QXLDrawable *drawable, uint16_t flags,
	const uint8_t *glyph, size_t length)
{
	struct {
		QXLString header;
		QXLRasterGlyph glyph;
		uint8_t data[16];
	} __attribute__((packed)) string = {
		.header = { .length = 1, .flags = flags | SPICE_STRING_FLAGS_RASTER_TOP_DOWN },
		.glyph = { .render_pos = { 3, 4 },
			.glyph_origin = { 1, -1 },
			.width = 2,
			.height = 2 },
	};

	string.header.data_size = string.header.chunk.data_size = sizeof(QXLRasterGlyph) + length;
	memcpy(string.data, glyph, length);
	drawable->u.text.str = qxl_fixture_put(f, &string, sizeof(string));
}

static void test_text(void)
{
	g_autoptr(qxl_fixture) f = started();
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_TEXT, 0, 0, 20, 20);

	put_string(f, &drawable, SPICE_STRING_FLAGS_RASTER_A1, (const uint8_t[]) { 0x80, 0x40 }, 2);
	drawable.u.text.back_area = rect(0, 0, 10, 10);
	drawable.u.text.back_brush = solid(BLUE);
	drawable.u.text.fore_brush = solid(RED);
	drawable.u.text.fore_mode = drawable.u.text.back_mode = SPICE_ROPD_OP_PUT;
	qxl_fixture_draw(f, &drawable);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, BLUE);
	g_assert_cmphex(qxl_fixture_pixel(f, 10, 0), ==, 0);
	g_assert_cmphex(qxl_fixture_pixel(f, 4, 3), ==, RED);
	g_assert_cmphex(qxl_fixture_pixel(f, 5, 3), ==, BLUE);
	g_assert_cmphex(qxl_fixture_pixel(f, 5, 4), ==, RED);
	put_string(f, &drawable, SPICE_STRING_FLAGS_RASTER_A8,
		(const uint8_t[]) { 0xff, 0x80, 0, 0 }, 4);
	drawable.u.text.fore_brush = solid(WHITE);
	drawable.u.text.back_brush = solid(0);
	qxl_fixture_draw(f, &drawable);
	g_assert_cmphex(qxl_fixture_pixel(f, 4, 3), ==, WHITE);
	g_assert_cmphex(qxl_fixture_pixel(f, 5, 3), ==, 0x808080);
	g_assert_false(qxl_guest_bug(f->qxl));
}

static void put_path(
	struct qxl_fixture *f, QXLDrawable *drawable, const int32_t *points, uint32_t count)
{
	struct {
		QXLPath header;
		QXLPathSeg segment;
		int32_t points[16];
	} __attribute__((packed)) path = {
		.segment = { .flags = SPICE_PATH_BEGIN | SPICE_PATH_END, .count = count },
	};

	path.header.data_size = path.header.chunk.data_size =
		sizeof(QXLPathSeg) + count * sizeof(QXLPointFix);
	memcpy(path.points, points, count * sizeof(QXLPointFix));
	drawable->u.stroke.path = qxl_fixture_put(f, &path, sizeof(path));
}

static void test_stroke(void)
{
	static const int32_t points[] = { 2 << 4, 2 << 4, 10 << 4, 2 << 4, 10 << 4, 6 << 4 };
	static const int32_t style[2] = { 2 << 4, 1 << 4 };
	g_autoptr(qxl_fixture) f = started();
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_STROKE, 0, 0, 20, 20);

	put_path(f, &drawable, points, 3);
	drawable.u.stroke.brush = solid(GREEN);
	drawable.u.stroke.fore_mode = SPICE_ROPD_OP_XOR;
	qxl_fixture_draw(f, &drawable);
	g_assert_cmphex(qxl_fixture_pixel(f, 1, 2), ==, 0);
	g_assert_cmphex(qxl_fixture_pixel(f, 2, 2), ==, GREEN);
	g_assert_cmphex(qxl_fixture_pixel(f, 10, 2), ==, GREEN);
	g_assert_cmphex(qxl_fixture_pixel(f, 10, 5), ==, GREEN);
	g_assert_cmphex(qxl_fixture_pixel(f, 10, 6), ==, 0);
	/* Dashed, over it: two pixels vanish, one stays. */
	drawable.u.stroke.attr.flags = SPICE_LINE_FLAGS_STYLED;
	drawable.u.stroke.attr.style_nseg = 2;
	drawable.u.stroke.attr.style = qxl_fixture_put(f, style, sizeof(style));
	qxl_fixture_draw(f, &drawable);
	g_assert_cmphex(qxl_fixture_pixel(f, 2, 2), ==, 0);
	g_assert_cmphex(qxl_fixture_pixel(f, 3, 2), ==, 0);
	g_assert_cmphex(qxl_fixture_pixel(f, 4, 2), ==, GREEN);
	g_assert_cmphex(qxl_fixture_pixel(f, 5, 2), ==, 0);
	g_assert_false(qxl_guest_bug(f->qxl));
}

/* A surface into another, and into itself. */
static void test_surface_image(void)
{
	g_autoptr(qxl_fixture) f = started();
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_FILL, 0, 0, 4, 4);

	create_surface(f, 5, SPICE_SURFACE_FMT_32_xRGB, 4, 4, -16, 0);
	drawable.surface_id = 5;
	drawable.u.fill.brush = solid(RED);
	drawable.u.fill.rop_descriptor = SPICE_ROPD_OP_PUT;
	qxl_fixture_draw(f, &drawable);
	copy(f, qxl_fixture_surface_image(f, 5), 1, 1, 4, 4, rect(0, 0, 4, 4));
	g_assert_cmphex(qxl_fixture_pixel(f, 1, 1), ==, RED);
	g_assert_cmphex(qxl_fixture_pixel(f, 4, 4), ==, RED);
	copy(f, qxl_fixture_surface_image(f, 0), 3, 3, 4, 4, rect(1, 1, 5, 5));
	g_assert_cmphex(qxl_fixture_pixel(f, 6, 6), ==, RED);
	g_assert_cmphex(qxl_fixture_pixel(f, 7, 7), ==, 0);
	/* One that is not there is no mistake that stops anything. */
	copy(f, qxl_fixture_surface_image(f, 9), 0, 0, 4, 4, rect(0, 0, 4, 4));
	g_assert_false(qxl_guest_bug(f->qxl));
	g_assert_cmphex(qxl_fixture_pixel(f, 1, 1), ==, RED);
}

/* What each wrong variant of a copy is: a mistake of the driver. */
static const struct {
	const char *name;
	size_t offset; /* in the drawable */
	uint32_t value;
} mistakes[] = {
	{ "/qxl/mistake/type", offsetof(QXLDrawable, type), 15 },
	{ "/qxl/mistake/surface", offsetof(QXLDrawable, surface_id), 64 },
	{ "/qxl/mistake/box", offsetof(QXLDrawable, bbox.right), 0x80000000 },
	{ "/qxl/mistake/clip-type", offsetof(QXLDrawable, clip.type), 7 },
	{ "/qxl/mistake/source-slot", offsetof(QXLDrawable, u.copy.src_bitmap) + 4, 0x05000000 },
	{ "/qxl/mistake/source-generation", offsetof(QXLDrawable, u.copy.src_bitmap) + 4,
		0x01010000 },
	{ "/qxl/mistake/source-end", offsetof(QXLDrawable, u.copy.src_bitmap),
		FIXTURE_MEMORY - 8192 - 17 },
	{ "/qxl/mistake/source-area", offsetof(QXLDrawable, u.copy.src_area.right), 3 },
	{ "/qxl/mistake/source-negative", offsetof(QXLDrawable, u.copy.src_area.left), UINT32_MAX },
	{ "/qxl/mistake/mask", offsetof(QXLDrawable, u.copy.mask.bitmap), 0xdead },
};

static void check_mistake(gconstpointer data)
{
	const typeof(mistakes[0]) *c = data;
	static const uint32_t pixels[4] = { RED, RED, RED, RED };
	g_autoptr(qxl_fixture) f = started();
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_COPY, 0, 0, 2, 2);

	drawable.u.copy.src_bitmap =
		qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_32BIT, 2, 2, 8, pixels, 0);
	drawable.u.copy.src_area = rect(0, 0, 2, 2);
	drawable.u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
	memcpy((uint8_t *)&drawable + c->offset, &c->value,
		c->offset == offsetof(QXLDrawable, type) ? 1 : sizeof(c->value));
	qxl_fixture_draw(f, &drawable);
	g_assert_true(qxl_guest_bug(f->qxl));
	g_assert_cmphex(f->header->int_pending & QXL_INTERRUPT_ERROR, !=, 0);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, 0);
	/* Nothing is done until a reset, and everything after it. */
	fill(f, 0, 0, 1, 1, RED, SPICE_ROPD_OP_PUT);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, 0);
	qxl_fixture_port(f, QXL_IO_RESET, 0);
	qxl_fixture_start(f);
	fill(f, 0, 0, 1, 1, RED, SPICE_ROPD_OP_PUT);
	g_assert_cmphex(qxl_fixture_pixel(f, 0, 0), ==, RED);
}

/* What each wrong variant of a bitmap is, by what is written over its header. */
static const struct {
	const char *name;
	size_t offset; /* in the bitmap */
	uint8_t length;
	uint64_t value;
} bitmap_mistakes[] = {
	{ "/qxl/bitmap/format", offsetof(QXLBitmap, format), 1, 200 },
	{ "/qxl/bitmap/width", offsetof(QXLBitmap, x), 4, 0x40000001 },
	{ "/qxl/bitmap/height", offsetof(QXLBitmap, y), 4, 0xffffffff },
	{ "/qxl/bitmap/stride-short", offsetof(QXLBitmap, stride), 4, 7 },
	{ "/qxl/bitmap/stride-long", offsetof(QXLBitmap, stride), 4, 0xfffffffc },
	{ "/qxl/bitmap/data", offsetof(QXLBitmap, data), 8, 0 },
	{ "/qxl/bitmap/no-palette", offsetof(QXLBitmap, format), 1, SPICE_BITMAP_FMT_8BIT },
};

static void check_bitmap_mistake(gconstpointer data)
{
	const typeof(bitmap_mistakes[0]) *c = data;
	static const uint32_t pixels[4] = { RED, RED, RED, RED };
	g_autoptr(qxl_fixture) f = started();
	uint64_t image = qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_32BIT, 2, 2, 8, pixels, 0);

	memcpy(f->bytes + (image & 0xffffff) + sizeof(QXLImageDescriptor) + c->offset, &c->value,
		c->length);
	copy(f, image, 0, 0, 2, 2, rect(0, 0, 2, 2));
	g_assert_true(qxl_guest_bug(f->qxl));
}

/* A chain whose chunks lead in a circle, and one that has less than it promises. */
static void test_chunk_circle(void)
{
	static const uint32_t pixels[4] = { RED, RED, RED, RED };
	g_autoptr(qxl_fixture) f = started();
	QXLDataChunk circle = { 0 };
	uint64_t image = qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_32BIT, 2, 2, 8, pixels, 0);
	uint64_t address = qxl_fixture_address(FIXTURE_SLOT, f->next);

	circle.next_chunk = address;
	qxl_fixture_put(f, &circle, sizeof(circle));
	memcpy(f->bytes + (image & 0xffffff) + sizeof(QXLImageDescriptor) +
			offsetof(QXLBitmap, data),
		&address, sizeof(address));
	copy(f, image, 0, 0, 2, 2, rect(0, 0, 2, 2));
	g_assert_true(qxl_guest_bug(f->qxl));
}

/* Pixels in several chunks. */
static void test_chunks(void)
{
	static const uint32_t pixels[4] = { RED, GREEN, BLUE, WHITE };
	g_autoptr(qxl_fixture) f = started();
	uint64_t image = qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_32BIT, 4, 1, 16, pixels, 0);
	uint64_t last = qxl_fixture_put_chunk(f, pixels + 2, 8);
	uint64_t first = qxl_fixture_put_chunk(f, pixels, 8);

	memcpy(f->bytes + (first & 0xffffff) + offsetof(QXLDataChunk, next_chunk), &last, 8);
	memcpy(f->bytes + (image & 0xffffff) + sizeof(QXLImageDescriptor) +
			offsetof(QXLBitmap, data),
		&first, 8);
	copy(f, image, 0, 0, 4, 1, rect(0, 0, 4, 1));
	for (unsigned i = 0; i < 4; i++)
		g_assert_cmphex(qxl_fixture_pixel(f, i, 0), ==, pixels[i]);
}

static const struct {
	const char *name;
	void (*test)(void);
} tests[] = {
	{ "/qxl/draw/fill", test_fill },
	{ "/qxl/draw/rop3", test_rop3 },
	{ "/qxl/draw/copy", test_copy },
	{ "/qxl/draw/bottom-up", test_bottom_up },
	{ "/qxl/draw/clip", test_clip },
	{ "/qxl/draw/mask", test_mask },
	{ "/qxl/draw/pattern", test_pattern },
	{ "/qxl/draw/opaque", test_opaque },
	{ "/qxl/draw/blend", test_blend },
	{ "/qxl/draw/blackness", test_blackness },
	{ "/qxl/draw/copy-bits", test_copy_bits },
	{ "/qxl/draw/transparent", test_transparent },
	{ "/qxl/draw/alpha-blend", test_alpha_blend },
	{ "/qxl/draw/composite", test_composite },
	{ "/qxl/draw/text", test_text },
	{ "/qxl/draw/stroke", test_stroke },
	{ "/qxl/draw/surface-image", test_surface_image },
	{ "/qxl/draw/chunks", test_chunks },
	{ "/qxl/draw/chunk-circle", test_chunk_circle },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add_func(tests[i].name, tests[i].test);
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		g_test_add_data_func(formats[i].name, &formats[i], check_format);
	for (size_t i = 0; i < G_N_ELEMENTS(mistakes); i++)
		g_test_add_data_func(mistakes[i].name, &mistakes[i], check_mistake);
	for (size_t i = 0; i < G_N_ELEMENTS(bitmap_mistakes); i++)
		g_test_add_data_func(
			bitmap_mistakes[i].name, &bitmap_mistakes[i], check_bitmap_mistake);
	return g_test_run();
}
