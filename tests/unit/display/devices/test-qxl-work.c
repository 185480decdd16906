/* QXL commands that cost much and show little: a guest cannot keep the device at work with them. */
#include <string.h>

#include "tests/unit/display/devices/qxl-fixture.h"

enum {
	SIDE = 2048, /* pixels of images; a quarter of what is done at once, or more */
	IMAGE_BYTES = SIDE * SIDE / 8,
	POINTS = 65536,
	DRAWS = 8,
};

static QXLRect pixel(void)
{
	return (QXLRect) { .right = 1, .bottom = 1 };
}

/* An image of one bit a pixel. */
static uint64_t put_image(struct qxl_fixture *f)
{
	g_autofree uint8_t *bytes = g_malloc0(IMAGE_BYTES);
	QXLPalette palette = { 0 };

	return qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_1BIT_BE, SIDE, SIDE, SIDE / 8, bytes,
		qxl_fixture_put(f, &palette, sizeof(palette)));
}

static QXLDrawable make_palette(struct qxl_fixture *f)
{
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_COPY, 0, 0, 1, 1);

	drawable.u.copy.src_bitmap = put_image(f);
	drawable.u.copy.src_area = pixel();
	drawable.u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
	return drawable;
}

static QXLDrawable make_mask(struct qxl_fixture *f)
{
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_FILL, 0, 0, 1, 1);

	drawable.u.fill.brush.type = SPICE_BRUSH_TYPE_SOLID;
	drawable.u.fill.rop_descriptor = SPICE_ROPD_OP_PUT;
	drawable.u.fill.mask.bitmap = put_image(f);
	return drawable;
}

static QXLDrawable make_pattern(struct qxl_fixture *f)
{
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_FILL, 0, 0, 1, 1);

	drawable.u.fill.brush.type = SPICE_BRUSH_TYPE_PATTERN;
	drawable.u.fill.brush.u.pattern.pat = put_image(f);
	drawable.u.fill.rop_descriptor = SPICE_ROPD_OP_PUT;
	return drawable;
}

/* The source is loaded before it is found that there is no mask. */
static QXLDrawable make_missing(struct qxl_fixture *f)
{
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_COMPOSITE, 0, 0, 1, 1);

	drawable.u.composite.flags = QXL_OP_OVER;
	drawable.u.composite.src = put_image(f);
	drawable.u.composite.mask = qxl_fixture_surface_image(f, 5);
	return drawable;
}

static QXLDrawable make_stroke(struct qxl_fixture *f)
{
	static const int32_t style[255] = { 0 };
	struct path {
		QXLPath header;
		QXLPathSeg segment;
		QXLPointFix points[POINTS];
	} __attribute__((packed));
	g_autofree struct path *path = g_new0(struct path, 1);
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_STROKE, 0, 0, FIXTURE_WIDTH, 1);

	path->header.data_size = path->header.chunk.data_size =
		sizeof(path->segment) + sizeof(path->points);
	path->segment.flags = SPICE_PATH_BEGIN | SPICE_PATH_END;
	path->segment.count = POINTS;
	for (unsigned i = 0; i < POINTS; i += 2)
		path->points[i].x = FIXTURE_WIDTH << 4;
	drawable.u.stroke.path = qxl_fixture_put(f, path, sizeof(*path));
	drawable.u.stroke.brush.type = SPICE_BRUSH_TYPE_SOLID;
	drawable.u.stroke.fore_mode = SPICE_ROPD_OP_PUT;
	drawable.u.stroke.attr.flags = SPICE_LINE_FLAGS_STYLED;
	drawable.u.stroke.attr.style_nseg = G_N_ELEMENTS(style);
	drawable.u.stroke.attr.style = qxl_fixture_put(f, style, sizeof(style));
	return drawable;
}

static QXLDrawable make_text(struct qxl_fixture *f)
{
	struct string {
		QXLString header;
		QXLRasterGlyph glyph;
		uint8_t data[IMAGE_BYTES];
	} __attribute__((packed));
	g_autofree struct string *string = g_new0(struct string, 1);
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_TEXT, 0, 0, 1, 1);

	string->header.length = 1;
	string->header.flags = SPICE_STRING_FLAGS_RASTER_A1;
	string->header.data_size = string->header.chunk.data_size =
		sizeof(string->glyph) + sizeof(string->data);
	string->glyph.width = string->glyph.height = SIDE;
	drawable.u.text.str = qxl_fixture_put(f, string, sizeof(*string));
	drawable.u.text.fore_brush.type = SPICE_BRUSH_TYPE_SOLID;
	drawable.u.text.fore_mode = drawable.u.text.back_mode = SPICE_ROPD_OP_PUT;
	return drawable;
}

static const struct {
	const char *name;
	QXLDrawable (*make)(struct qxl_fixture *f);
	unsigned at_once; /* of them, at most */
} costs[] = {
	{ "/qxl/cost/palette", make_palette, 2 },
	{ "/qxl/cost/mask", make_mask, 2 },
	{ "/qxl/cost/pattern", make_pattern, 1 },
	{ "/qxl/cost/missing", make_missing, 2 },
	{ "/qxl/cost/stroke", make_stroke, 1 },
	{ "/qxl/cost/text", make_text, 2 },
};

/* Each time no more than what is allowed at once; in the end all are done. */
static void check_cost(gconstpointer data)
{
	const typeof(costs[0]) *c = data;
	struct qxl_fixture *f = qxl_fixture_new(false, 1);
	QXLCommandRing *ring = &f->header->cmd_ring;
	QXLDrawable drawable;
	unsigned rounds = 1;
	uint32_t before;

	qxl_fixture_start(f);
	drawable = c->make(f);
	before = ring->cons;
	for (unsigned i = 0; i < DRAWS; i++)
		qxl_fixture_queue(f, QXL_CMD_DRAW, qxl_fixture_put(f, &drawable, sizeof(drawable)));
	qxl_fixture_port(f, QXL_IO_NOTIFY_CMD, 0);
	g_assert_cmpuint(f->soon, ==, 1);
	g_assert_cmpuint(ring->cons - before, >=, 1);
	g_assert_cmpuint(ring->cons - before, <=, c->at_once);
	for (; ring->cons != ring->prod; rounds++) {
		before = ring->cons;
		g_mutex_lock(&f->lock);
		qxl_go_on(f->qxl);
		g_mutex_unlock(&f->lock);
		g_assert_false(qxl_guest_bug(f->qxl));
		g_assert_cmpuint(ring->cons - before, >=, 1);
		g_assert_cmpuint(ring->cons - before, <=, c->at_once);
	}
	g_assert_cmpuint(rounds, >=, DRAWS / c->at_once);
	qxl_fixture_free(f);
}

/* What a command of one pixel costs is one pixel: an image that is drawn from where it lies is not counted. */
static void test_in_place(void)
{
	g_autofree uint8_t *bytes = g_malloc0(512 * 512 * 4);
	struct qxl_fixture *f = qxl_fixture_new(false, 1);
	QXLDrawable drawable = qxl_fixture_drawable(QXL_DRAW_COPY, 0, 0, 1, 1);
	QXLCommandRing *ring = &f->header->cmd_ring;

	qxl_fixture_start(f);
	drawable.u.copy.src_bitmap =
		qxl_fixture_bitmap(f, SPICE_BITMAP_FMT_32BIT, 512, 512, 512 * 4, bytes, 0);
	drawable.u.copy.src_area = pixel();
	drawable.u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
	for (unsigned i = 0; i < QXL_COMMAND_RING_SIZE; i++)
		qxl_fixture_queue(f, QXL_CMD_DRAW, qxl_fixture_put(f, &drawable, sizeof(drawable)));
	qxl_fixture_port(f, QXL_IO_NOTIFY_CMD, 0);
	g_assert_cmpuint(ring->cons, ==, ring->prod);
	g_assert_cmpuint(f->soon, ==, 0);
	qxl_fixture_free(f);
}

/* One pixel wide, and rows far apart: all that lies between is cleared too. */
static void test_clearing(void)
{
	struct qxl_fixture *f = qxl_fixture_new(false, 1);
	QXLSurfaceCmd command = { .surface_id = 1, .type = QXL_SURFACE_CMD_CREATE };
	QXLCommandRing *ring = &f->header->cmd_ring;

	qxl_fixture_start(f);
	command.u.surface_create = (QXLSurface) { SPICE_SURFACE_FMT_32_xRGB, 1, 16, 65536,
		qxl_fixture_address(FIXTURE_SLOT_SURFACES, 0) };
	for (unsigned i = 0; i < QXL_COMMAND_RING_SIZE; i++)
		qxl_fixture_queue(
			f, QXL_CMD_SURFACE, qxl_fixture_put(f, &command, sizeof(command)));
	qxl_fixture_port(f, QXL_IO_NOTIFY_CMD, 0);
	/* 32 times 1 MiB is just what is done at once. */
	g_assert_cmpuint(ring->cons, ==, ring->prod);
	g_assert_cmpuint(f->soon, ==, 1);
	g_assert_false(qxl_guest_bug(f->qxl));
	qxl_fixture_free(f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(costs); i++)
		g_test_add_data_func(costs[i].name, &costs[i], check_cost);
	g_test_add_func("/qxl/cost/in-place", test_in_place);
	g_test_add_func("/qxl/cost/clearing", test_clearing);
	return g_test_run();
}
