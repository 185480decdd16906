/* The cut stone that turns in the scene: a convex solid of 25 flat faces, lit from the upper left.
 *
 * It is drawn at twice its size and averaged down, which smooths the edges. Back faces go first,
 * darker; the front faces are laid over them, half transparent. Lengths are fixed-point numbers
 * with 4096 for one.
 */
#include "gem.h"

#include "draw.h"
#include "memory.h"

enum {
	ONE = 4096,
	SIDES = 8,
	/* Table on top, girdle around the widest place, one point below. */
	TABLE = 0,
	GIRDLE = SIDES,
	POINT = 2 * SIDES,
	CORNERS = 2 * SIDES + 1,
	TABLE_RADIUS = 2300,
	TABLE_HEIGHT = 2250,
	GIRDLE_RADIUS = 3900,
	GIRDLE_HEIGHT = 1000,
	POINT_HEIGHT = -3500,
	TILT = 60,
	SUBPIXELS = 16,
	DRAWN_SIZE_MAX = 2 * GEM_SIZE_MAX,
	TRANSPARENT = 0xff000000,
	FRONT_SHARE = 176,
	STONE_SHARE = 236,
};

struct corner {
	int x, y, z;
};

static uint32_t drawn[DRAWN_SIZE_MAX * DRAWN_SIZE_MAX];

static struct corner turned(int radius, int height, int angle)
{
	int x = radius * draw_sine(angle) / ONE, z = radius * draw_sine(angle + 256) / ONE;
	int sine = draw_sine(TILT), cosine = draw_sine(TILT + 256);

	return (struct corner) { x, (height * cosine - z * sine) / ONE,
		(height * sine + z * cosine) / ONE };
}

static int square_root(int64_t value)
{
	int64_t root = 0;

	for (int64_t bit = 1LL << 30; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= value)
			root += bit;
	return (int)root;
}

/* The direction that a face looks in, of length one. */
static struct corner normal(struct corner a, struct corner b, struct corner c)
{
	int64_t ux = b.x - a.x, uy = b.y - a.y, uz = b.z - a.z;
	int64_t vx = c.x - a.x, vy = c.y - a.y, vz = c.z - a.z;
	int64_t x = (uy * vz - uz * vy) / 64, y = (uz * vx - ux * vz) / 64,
		z = (ux * vy - uy * vx) / 64;
	int64_t length = square_root(x * x + y * y + z * z);

	length = length ? length : 1;
	return (struct corner) { (int)(x * ONE / length), (int)(y * ONE / length),
		(int)(z * ONE / length) };
}

static uint32_t shade(struct corner direction, bool front)
{
	/* From the upper left, towards the viewer; of length one. */
	int light = (direction.x * -2000 + direction.y * 2700 + direction.z * 2330) / ONE;
	uint32_t colour;

	if (!front)
		return draw_mix(0x062338, 0x0f6a8f,
			(unsigned)(light < 0 ? -light : light) * 256 / (ONE + 1));
	light = light < 0 ? 0 : light;
	colour = draw_mix(0x0b4f86, 0x4fd8f4, (unsigned)light * 256 / (ONE + 1));
	/* The brightest faces throw the light back. */
	if (light > 3300)
		colour = draw_mix(colour, 0xffffff, (unsigned)(light - 3300) * 256 / 1000);
	return colour;
}

/* Fills the convex polygon of @count corners. */
static void fill_face(const struct corner *corners, const uint8_t *face, int count, int size,
	uint32_t colour, bool front)
{
	int xs[SIDES], ys[SIDES];

	for (int i = 0; i < count; i++) {
		xs[i] = (size * SUBPIXELS / 2) + corners[face[i]].x * (size * SUBPIXELS / 2) / ONE;
		ys[i] = (size * SUBPIXELS / 2) - corners[face[i]].y * (size * SUBPIXELS / 2) / ONE;
	}
	for (int row = 0; row < size; row++) {
		int y = row * SUBPIXELS + SUBPIXELS / 2, left = size * SUBPIXELS, right = -1;

		for (int i = 0; i < count; i++) {
			int j = i + 1 < count ? i + 1 : 0, x;

			if ((ys[i] <= y) == (ys[j] <= y))
				continue;
			x = xs[i] + (xs[j] - xs[i]) * (y - ys[i]) / (ys[j] - ys[i]);
			left = x < left ? x : left;
			right = x > right ? x : right;
		}
		left = left < 0 ? 0 : left;
		right = right > size * SUBPIXELS ? size * SUBPIXELS : right;
		for (int x = (left + SUBPIXELS / 2) / SUBPIXELS;
			x < (right + SUBPIXELS / 2) / SUBPIXELS; x++) {
			uint32_t *pixel = &drawn[row * size + x];

			*pixel = front && *pixel != TRANSPARENT
					 ? draw_mix(*pixel, colour, FRONT_SHARE)
					 : colour;
		}
	}
}

static void draw_face(
	const struct corner *corners, const uint8_t *face, int count, int size, bool front)
{
	struct corner direction = normal(corners[face[0]], corners[face[1]], corners[face[2]]);

	if ((direction.z > 0) == front)
		fill_face(corners, face, count, size, shade(direction, front), front);
}

static void draw_faces(const struct corner *corners, int size, bool front)
{
	uint8_t table[SIDES];

	for (int i = 0; i < SIDES; i++) {
		uint8_t next = (uint8_t)((i + 1) % SIDES), here = (uint8_t)i;
		uint8_t down[] = { here, (uint8_t)(GIRDLE + i), next };
		uint8_t up[] = { (uint8_t)(GIRDLE + i), (uint8_t)(GIRDLE + next), next };
		uint8_t below[] = { (uint8_t)(GIRDLE + i), POINT, (uint8_t)(GIRDLE + next) };

		table[i] = here;
		draw_face(corners, down, 3, size, front);
		draw_face(corners, up, 3, size, front);
		draw_face(corners, below, 3, size, front);
	}
	draw_face(corners, table, SIDES, size, front);
}

/* The average of four drawn pixels over what lies under the stone. */
static uint32_t average(const uint32_t *pixels, int stride, uint32_t under)
{
	const uint32_t four[] = { pixels[0], pixels[1], pixels[stride], pixels[stride + 1] };
	uint32_t red_blue = 0, green = 0;

	for (int i = 0; i < 4; i++) {
		uint32_t colour =
			four[i] == TRANSPARENT ? under : draw_mix(under, four[i], STONE_SHARE);

		red_blue += colour & 0xff00ff;
		green += colour & 0x00ff00;
	}
	return (red_blue >> 2 & 0xff00ff) | (green >> 2 & 0x00ff00);
}

void gem_draw(int x, int y, int size, int angle, const uint32_t *under)
{
	struct corner corners[CORNERS];

	for (int i = 0; i < SIDES; i++) {
		corners[TABLE + i] = turned(TABLE_RADIUS, TABLE_HEIGHT, angle + i * 1024 / SIDES);
		corners[GIRDLE + i] = turned(
			GIRDLE_RADIUS, GIRDLE_HEIGHT, angle + i * 1024 / SIDES + 512 / SIDES);
	}
	corners[POINT] = turned(0, POINT_HEIGHT, 0);

	for (int i = 0; i < 4 * size * size; i++)
		drawn[i] = TRANSPARENT;
	draw_faces(corners, 2 * size, false);
	draw_faces(corners, 2 * size, true);
	for (int row = 0; row < size; row++)
		for (int column = 0; column < size; column++)
			draw_pixel(x + column, y + row,
				average(&drawn[4 * row * size + 2 * column], 2 * size,
					under[row * size + column]));
}
