/* QUIC: the decoder. */
#include "display/devices/quic.h"

#include <string.h>

#include "base/checked.h"
#include "base/error.h"

enum {
	MAGIC = 0x43495551, /* "QUIC" */
	VERSION = 0,
	MAX_SIZE = 16384, /* pixels in each direction */

	COMPONENTS = 4, /* bytes of a pixel as it is decoded: blue, green, red, alpha */
	BUCKETS = 8,
	PARAMETERS = 8,     /* of Golomb-Rice codes: 0 up to the bits of a component less one */
	CODE_MOST = 26,     /* bits of a code */
	WAIT_BITS_MOST = 6, /* the model learns from one of up to 64 pixels */
	WAIT_PIXELS = 2048, /* after so many pixels one bit more */
	RUN_STATES = 32,
};

enum quic_type {
	QUIC_GRAY = 1,
	QUIC_RGB16,
	QUIC_RGB24,
	QUIC_RGB32,
	QUIC_RGBA,
};

/* How many pixels the model waits before it learns again: the low bits of a fixed sequence, as encoders have it. */
static const uint8_t waits[256] = {
	2,
	23,
	19,
	21,
	7,
	18,
	40,
	14,
	12,
	32,
	47,
	44,
	36,
	6,
	18,
	11,
	4,
	19,
	42,
	29,
	16,
	63,
	57,
	51,
	16,
	3,
	5,
	14,
	15,
	30,
	20,
	9,
	36,
	45,
	3,
	57,
	61,
	0,
	8,
	5,
	41,
	14,
	43,
	27,
	43,
	59,
	31,
	35,
	39,
	60,
	42,
	38,
	13,
	54,
	62,
	1,
	26,
	3,
	11,
	61,
	52,
	34,
	7,
	48,
	4,
	59,
	22,
	12,
	22,
	8,
	50,
	4,
	10,
	6,
	44,
	8,
	11,
	46,
	31,
	51,
	53,
	17,
	1,
	43,
	46,
	60,
	36,
	54,
	10,
	27,
	39,
	44,
	22,
	41,
	23,
	2,
	44,
	0,
	40,
	53,
	40,
	48,
	16,
	43,
	32,
	28,
	33,
	12,
	20,
	2,
	56,
	62,
	55,
	58,
	18,
	20,
	13,
	55,
	38,
	29,
	57,
	19,
	49,
	33,
	47,
	63,
	59,
	0,
	35,
	61,
	19,
	25,
	46,
	38,
	60,
	4,
	35,
	1,
	26,
	40,
	28,
	10,
	5,
	14,
	25,
	18,
	48,
	49,
	20,
	59,
	62,
	34,
	46,
	7,
	33,
	52,
	34,
	58,
	9,
	29,
	8,
	55,
	62,
	60,
	37,
	36,
	37,
	50,
	6,
	3,
	10,
	28,
	48,
	24,
	26,
	61,
	57,
	30,
	11,
	54,
	2,
	6,
	50,
	47,
	7,
	17,
	35,
	53,
	32,
	12,
	23,
	17,
	5,
	21,
	49,
	55,
	51,
	45,
	52,
	27,
	39,
	25,
	39,
	63,
	22,
	24,
	42,
	52,
	56,
	38,
	41,
	41,
	56,
	32,
	13,
	24,
	26,
	51,
	27,
	56,
	58,
	37,
	24,
	42,
	15,
	28,
	17,
	30,
	31,
	15,
	16,
	23,
	25,
	54,
	33,
	34,
	1,
	29,
	31,
	50,
	53,
	21,
	49,
	15,
	47,
	9,
	0,
	58,
	37,
	45,
	30,
	13,
	9,
	45,
	63,
	21,
};

/* Counters are halved when the best one exceeds this, by the bits of the wait. */
static const uint16_t triggers[WAIT_BITS_MOST + 1] = { 110, 550, 900, 800, 550, 400, 350 };

/* Bits of the length of a run, by how well runs did so far. */
static const uint8_t run_bits[RUN_STATES] = { 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4,
	5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

/* The codes for one parameter: so many values have a Golomb-Rice code, the rest a code of fixed length. */
struct code {
	uint32_t plain;          /* values with a Golomb-Rice code */
	uint32_t prefix_mask;    /* the next 32 bits are not above this: a code of fixed length */
	unsigned length, suffix; /* bits of that code, and of them behind the prefix */
};

struct bucket {
	uint32_t counters[PARAMETERS]; /* bits that each parameter would have cost */
	unsigned best;
};

/* What components learn about, which are coded together: red, green and blue; or one alone. */
struct group {
	unsigned first, count; /* components */
	unsigned waited, wait_index, wait_bits, wait_left;
	unsigned run_state;
};

struct quic {
	const uint8_t *bytes;
	uint64_t bits, at; /* in the stream */
	bool wrong;

	uint32_t width, height;
	unsigned depth; /* bits of a component: 5 or 8 */
	struct code codes[PARAMETERS];
	struct bucket buckets[COMPONENTS][BUCKETS];
	uint8_t *differences
		[COMPONENTS]; /* of the row, as they were coded; [0] is left of the row */
	uint8_t *above, *row; /* COMPONENTS bytes a pixel */
};

/* Order of the components in the stream: red, green, blue, alpha. */
static const uint8_t byte_of[COMPONENTS] = { 2, 1, 0, 3 };

static uint32_t word_at(const struct quic *quic, uint64_t index)
{
	uint32_t word;

	if (index >= quic->bits / 32)
		return 0;
	memcpy(&word, quic->bytes + index * 4, sizeof(word));
	return GUINT32_FROM_LE(word);
}

/* The next 32 bits; zeroes behind the end. */
static uint32_t peek(const struct quic *quic)
{
	unsigned shift = quic->at % 32;
	uint64_t two = (uint64_t)word_at(quic, quic->at / 32) << 32;

	if (shift > 0)
		two |= word_at(quic, quic->at / 32 + 1);
	return two << shift >> 32;
}

static void eat(struct quic *quic, unsigned bits)
{
	quic->at += bits;
	if (quic->at > quic->bits)
		quic->wrong = true;
}

static uint32_t read_word(struct quic *quic)
{
	uint32_t word = peek(quic);

	eat(quic, 32);
	return word;
}

static uint32_t ones(unsigned bits)
{
	return bits >= 32 ? UINT32_MAX : (1u << bits) - 1;
}

static unsigned ceil_log2(uint32_t value)
{
	return value <= 1 ? 0 : 32 - __builtin_clz(value - 1);
}

static void make_codes(struct quic *quic)
{
	for (unsigned i = 0; i < quic->depth; i++) {
		struct code *code = &quic->codes[i];
		unsigned prefix = MIN(CODE_MOST - quic->depth, ones(quic->depth - i));

		code->plain = prefix << i;
		code->suffix = ceil_log2((1u << quic->depth) - code->plain);
		code->length = prefix + code->suffix;
		code->prefix_mask = ones(32 - prefix);
	}
}

static uint8_t read_value(struct quic *quic, unsigned parameter)
{
	const struct code *code = &quic->codes[parameter];
	uint32_t bits = peek(quic);
	uint32_t value;

	if (bits > code->prefix_mask) {
		unsigned zeroes = __builtin_clz(bits);
		unsigned length = zeroes + 1 + parameter;

		value = zeroes << parameter | (bits >> (32 - length) & ones(parameter));
		eat(quic, length);
	} else {
		value = code->plain + (bits >> (32 - code->length) & ones(code->suffix));
		eat(quic, code->length);
	}
	return value & ones(quic->depth);
}

static unsigned code_length(const struct code *code, unsigned parameter, uint32_t value)
{
	return value < code->plain ? (value >> parameter) + parameter + 1 : code->length;
}

/* The bucket of a component at column @x, by how it was coded on the left. */
static struct bucket *find_bucket(struct quic *quic, unsigned component, uint32_t x)
{
	unsigned left = quic->differences[component][x];

	return &quic->buckets[component][MIN(31 - __builtin_clz(left + 1), (int)quic->depth - 1)];
}

static void learn(struct quic *quic, const struct group *group, uint32_t x)
{
	for (unsigned c = group->first; c < group->first + group->count; c++) {
		struct bucket *bucket = find_bucket(quic, c, x);
		uint8_t value = quic->differences[c][x + 1];
		uint32_t least = UINT32_MAX;

		/* Of equals the largest parameter. */
		for (unsigned i = quic->depth; i-- > 0;) {
			bucket->counters[i] += code_length(&quic->codes[i], i, value);
			if (bucket->counters[i] < least) {
				least = bucket->counters[i];
				bucket->best = i;
			}
		}
		if (least > triggers[group->wait_bits])
			for (unsigned i = 0; i < quic->depth; i++)
				bucket->counters[i] >>= 1;
	}
}

static unsigned next_wait(struct group *group)
{
	return waits[group->wait_index++ & 0xff] & ones(group->wait_bits);
}

/* Small differences in both directions have small numbers. */
static uint8_t difference(const struct quic *quic, uint8_t coded)
{
	return coded & 1 ? ones(quic->depth) - (coded >> 1) : coded >> 1;
}

static void read_pixel(struct quic *quic, const struct group *group, uint32_t x)
{
	for (unsigned c = group->first; c < group->first + group->count; c++) {
		uint8_t *to = quic->row + (size_t)x * COMPONENTS + byte_of[c];
		const uint8_t *above =
			quic->above ? quic->above + (size_t)x * COMPONENTS + byte_of[c] : NULL;
		uint8_t coded = read_value(quic, find_bucket(quic, c, x)->best);
		unsigned expected = 0;

		if (x > 0 && above)
			expected = (to[-COMPONENTS] + *above) >> 1;
		else if (x > 0)
			expected = to[-COMPONENTS];
		else if (above)
			expected = *above;
		quic->differences[c][x + 1] = coded;
		*to = (difference(quic, coded) + expected) & ones(quic->depth);
	}
}

static bool same(const struct group *group, const uint8_t *row, uint32_t x, uint32_t y)
{
	for (unsigned c = group->first; c < group->first + group->count; c++)
		if (row[(size_t)x * COMPONENTS + byte_of[c]] !=
			row[(size_t)y * COMPONENTS + byte_of[c]])
			return false;
	return true;
}

static bool run_starts(const struct quic *quic, const struct group *group, uint32_t x)
{
	return quic->above && x > 2 && same(group, quic->above, x - 1, x) &&
	       same(group, quic->row, x - 1, x - 2);
}

/* The length of a run, at most @most; more is wrong. */
static uint32_t read_run(struct quic *quic, struct group *group, uint32_t most)
{
	uint64_t length = 0;
	unsigned bits;

	while (peek(quic) >> 31 && length <= most) {
		length += 1u << run_bits[group->run_state];
		if (group->run_state < RUN_STATES - 1)
			group->run_state++;
		eat(quic, 1);
	}
	eat(quic, 1);
	bits = run_bits[group->run_state];
	if (bits > 0) {
		length += peek(quic) >> (32 - bits);
		eat(quic, bits);
	}
	if (group->run_state > 0)
		group->run_state--;
	if (length > most)
		quic->wrong = true;
	return MIN(length, most);
}

static void repeat(struct quic *quic, const struct group *group, uint32_t x, uint32_t count)
{
	for (; count > 0; count--, x++)
		for (unsigned c = group->first; c < group->first + group->count; c++) {
			uint8_t *to = quic->row + (size_t)x * COMPONENTS + byte_of[c];

			*to = to[-COMPONENTS];
		}
}

/* The columns [@x, @end) of a row, where the wait is the same. */
static void read_columns(struct quic *quic, struct group *group, uint32_t x, uint32_t end)
{
	uint32_t run_start = 0; /* no run follows one that was empty */
	uint64_t stop;          /* the next column to learn from */

	if (x == 0) {
		read_pixel(quic, group, 0);
		if (group->waited > 0) {
			group->waited--;
		} else {
			group->waited = next_wait(group);
			learn(quic, group, 0);
		}
		x = 1;
	}
	stop = (uint64_t)x + group->waited;
	while (x < end) {
		if (x != run_start && run_starts(quic, group, x)) {
			uint32_t length = read_run(quic, group, end - x);

			group->waited = stop - x;
			run_start = x;
			repeat(quic, group, x, length);
			x += length;
			if (x == end)
				return;
			stop = (uint64_t)x + group->waited;
			continue;
		}
		read_pixel(quic, group, x);
		if (x == stop) {
			learn(quic, group, x);
			stop = (uint64_t)x + 1 + next_wait(group);
		}
		x++;
	}
	group->waited = stop - end;
}

static void read_row(struct quic *quic, struct group *group)
{
	uint32_t left = quic->width;
	uint32_t x = 0;

	while (group->wait_bits < WAIT_BITS_MOST && group->wait_left <= left) {
		if (group->wait_left > 0) {
			read_columns(quic, group, x, x + group->wait_left);
			x += group->wait_left;
			left -= group->wait_left;
		}
		group->wait_bits++;
		group->wait_left = WAIT_PIXELS;
	}
	if (left == 0)
		return;
	read_columns(quic, group, x, x + left);
	if (group->wait_bits < WAIT_BITS_MOST)
		group->wait_left -= left;
}

static uint8_t widen(const struct quic *quic, uint8_t value)
{
	return quic->depth == 5 ? value << 3 | value >> 2 : value;
}

static void write_row(const struct quic *quic, uint8_t *to, pixman_format_code_t layout)
{
	for (uint32_t x = 0; x < quic->width; x++) {
		const uint8_t *from = quic->row + (size_t)x * COMPONENTS;

		if (layout == PIXMAN_a8) {
			to[x] = from[byte_of[0]];
			continue;
		}
		((uint32_t *)(void *)to)[x] =
			(uint32_t)from[3] << 24 | (uint32_t)widen(quic, from[2]) << 16 |
			(uint32_t)widen(quic, from[1]) << 8 | widen(quic, from[0]);
	}
}

static bool read_rows(struct quic *quic, enum quic_type type, pixman_image_t *image)
{
	struct group groups[2] = { { .count = type == QUIC_GRAY ? 1 : 3 },
		{ .first = 3, .count = 1 } };
	unsigned group_count = type == QUIC_RGBA ? 2 : 1;
	uint8_t *first = quic->row, *second = quic->above;

	for (unsigned g = 0; g < group_count; g++)
		groups[g].wait_left = WAIT_PIXELS;
	quic->above = NULL;
	for (uint32_t y = 0; y < quic->height && !quic->wrong; y++) {
		quic->row = y % 2 ? second : first;
		for (unsigned c = 0; c < COMPONENTS; c++)
			quic->differences[c][0] = y > 0 ? quic->differences[c][1] : 0;
		for (unsigned g = 0; g < group_count; g++)
			read_row(quic, &groups[g]);
		write_row(quic,
			(uint8_t *)pixman_image_get_data(image) +
				(size_t)pixman_image_get_stride(image) * y,
			pixman_image_get_format(image));
		quic->above = quic->row;
	}
	return !quic->wrong;
}

static bool read_header(struct quic *quic, size_t most, enum quic_type *type, GError **error)
{
	uint32_t magic = read_word(quic);
	uint32_t version = read_word(quic);
	uint64_t bytes;

	*type = read_word(quic);
	quic->width = read_word(quic);
	quic->height = read_word(quic);
	if (quic->wrong || magic != MAGIC || version != VERSION)
		return fail(error, VITRINE_ERROR_INPUT, "a QUIC image without its header");
	if (*type < QUIC_GRAY || *type > QUIC_RGBA)
		return fail(
			error, VITRINE_ERROR_INPUT, "QUIC images of type %u are not known", *type);
	if (quic->width < 1 || quic->width > MAX_SIZE || quic->height < 1 ||
		quic->height > MAX_SIZE ||
		!checked_multiply((uint64_t)quic->width * COMPONENTS, quic->height, &bytes) ||
		bytes > most)
		return fail(error, VITRINE_ERROR_INPUT, "a QUIC image of %u by %u pixels",
			quic->width, quic->height);
	quic->depth = *type == QUIC_RGB16 ? 5 : 8;
	return true;
}

static pixman_format_code_t layout_of(enum quic_type type)
{
	if (type == QUIC_GRAY)
		return PIXMAN_a8;
	return type == QUIC_RGBA ? PIXMAN_a8r8g8b8 : PIXMAN_x8r8g8b8;
}

pixman_image_t *quic_decode(const uint8_t *bytes, size_t length, size_t most, GError **error)
{
	struct quic quic = { .bytes = bytes, .bits = (uint64_t)length / 4 * 32 };
	g_autofree uint8_t *rows = NULL;
	g_autofree uint8_t *differences = NULL;
	pixman_image_t *image;
	enum quic_type type;

	if (!read_header(&quic, most, &type, error))
		return NULL;
	image = pixman_image_create_bits(layout_of(type), quic.width, quic.height, NULL, 0);
	if (!image) {
		fail(error, VITRINE_ERROR_HOST, "no memory for a QUIC image");
		return NULL;
	}
	rows = g_malloc0(2 * (size_t)quic.width * COMPONENTS);
	quic.row = rows;
	quic.above = rows + (size_t)quic.width * COMPONENTS;
	differences = g_malloc0(COMPONENTS * ((size_t)quic.width + 1));
	for (unsigned c = 0; c < COMPONENTS; c++) {
		quic.differences[c] = differences + c * ((size_t)quic.width + 1);
		for (unsigned b = 0; b < BUCKETS; b++)
			quic.buckets[c][b].best = quic.depth - 1;
	}
	make_codes(&quic);
	if (read_rows(&quic, type, image))
		return image;
	fail(error, VITRINE_ERROR_INPUT, "a QUIC image ends too early, or a run leaves its row");
	pixman_image_unref(image);
	return NULL;
}
