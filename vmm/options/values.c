/* Single values as they are written on the command line and in configuration files. */
#include "vmm/options/values.h"

#include <glib.h>
#include <string.h>

#include "base/checked.h"

enum {
	ID_LENGTH = 64,
	DISTANCE_LENGTH = 64,
	FRACTION_DIGITS =
		15, /* so that a fraction of a tebibyte is exact in 64 bits with room to spare */
};

bool value_parse_bool(const char *text, bool *value)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "on", true },
		{ "yes", true },
		{ "true", true },
		{ "off", false },
		{ "no", false },
		{ "false", false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (strcmp(text, words[i].word) == 0) {
			*value = words[i].value;
			return true;
		}
	}
	return false;
}

/* Reads digits of @base from the front of @text; at least one, and no more than fit. */
static const char *parse_digits(const char *text, unsigned base, uint64_t *value)
{
	const char *at = text;
	uint64_t number = 0;

	for (; base == 16 ? g_ascii_isxdigit(*at) : g_ascii_isdigit(*at); at++) {
		if (!checked_multiply(number, base, &number) ||
			!checked_add(number, (uint64_t)g_ascii_xdigit_value(*at), &number))
			return NULL;
	}
	*value = number;
	return at == text ? NULL : at;
}

static const char *parse_whole(const char *text, uint64_t *value)
{
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return parse_digits(text + 2, 16, value);
	return parse_digits(text, 10, value);
}

bool value_parse_number(const char *text, uint64_t *value)
{
	uint64_t number;
	const char *end = parse_whole(text, &number);

	if (!end || *end != '\0')
		return false;
	*value = number;
	return true;
}

static bool size_unit(const char *suffix, uint64_t unit_of_none, uint64_t *unit)
{
	static const char letters[] = "BKMGTP";
	const char *letter;

	*unit = unit_of_none;
	if (suffix[0] == '\0')
		return true;
	letter = strchr(letters, g_ascii_toupper(suffix[0]));
	if (!letter || suffix[1] != '\0')
		return false;
	*unit = UINT64_C(1) << (10 * (letter - letters));
	return true;
}

/* Adds the fraction whose decimal digits lie in [@digits, @end) of @unit, when it is whole bytes. */
static bool add_fraction(const char *digits, const char *end, uint64_t unit, uint64_t *bytes)
{
	uint64_t numerator = 0, denominator = 1;

	/* Zeroes at the end say nothing and would only use up digits. */
	while (end > digits && end[-1] == '0')
		end--;
	if (end - digits > FRACTION_DIGITS)
		return false;
	for (; digits < end; digits++) {
		numerator = numerator * 10 + (uint64_t)g_ascii_digit_value(*digits);
		denominator *= 10;
	}
	/* Units are powers of two: what is left of the denominator has to divide the unit. */
	while (numerator != 0 && numerator % 2 == 0 && denominator % 2 == 0) {
		numerator /= 2;
		denominator /= 2;
	}
	while (numerator != 0 && numerator % 5 == 0 && denominator % 5 == 0) {
		numerator /= 5;
		denominator /= 5;
	}
	if (numerator == 0)
		return true;
	if (unit % denominator != 0 || !checked_multiply(unit / denominator, numerator, &numerator))
		return false;
	return checked_add(*bytes, numerator, bytes);
}

bool value_parse_size(const char *text, uint64_t unit_of_none, uint64_t *value)
{
	uint64_t whole, unit, bytes;
	const char *end = parse_whole(text, &whole);
	const char *fraction = NULL;
	const char *suffix = end;

	if (!end)
		return false;
	if (*end == '.') {
		fraction = end + 1;
		suffix = fraction + strspn(fraction, "0123456789");
		if (suffix == fraction || text[1] == 'x' || text[1] == 'X')
			return false;
	}
	if (!size_unit(suffix, unit_of_none, &unit) || !checked_multiply(whole, unit, &bytes))
		return false;
	if (fraction && !add_fraction(fraction, suffix, unit, &bytes))
		return false;
	*value = bytes;
	return true;
}

char *value_print_size(uint64_t bytes)
{
	static const char letters[] = "KMGTP";
	char letter[2] = "";

	for (size_t i = 0; letters[i] != '\0' && bytes != 0 && bytes % KiB == 0; i++) {
		bytes /= KiB;
		letter[0] = letters[i];
	}
	return g_strdup_printf("%" G_GUINT64_FORMAT "%s", bytes, letter);
}

bool value_is_id(const char *text)
{
	size_t length = strspn(text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-._");

	return g_ascii_isalpha(text[0]) && text[length] == '\0' && length <= ID_LENGTH;
}

unsigned value_distance(const char *a, const char *b)
{
	/* Three rows of the usual matrix: this one, the last, and the one before for swapped neighbours. */
	unsigned rows[3][DISTANCE_LENGTH + 1];
	size_t a_length = MIN(strlen(a), DISTANCE_LENGTH);
	size_t b_length = MIN(strlen(b), DISTANCE_LENGTH);

	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *last = rows[(i - 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			row[j] = MIN(last[j], row[j - 1]) + 1;
			row[j] = MIN(row[j], last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}
