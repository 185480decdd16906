/* EDID blocks, read back by the specification's own rules. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "display/edid.h"

static unsigned sum(const uint8_t *block)
{
	uint8_t total = 0;

	for (size_t i = 0; i < 128; i++)
		total += block[i];
	return total;
}

/* Whether a detailed timing of this size is among the descriptors of both blocks. */
static bool has_timing(const uint8_t *edid, unsigned width, unsigned height)
{
	static const size_t places[] = { 54, 72, 90, 108, 135, 153, 171, 189 };

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		const uint8_t *at = edid + places[i];

		if ((at[0] != 0 || at[1] != 0) && (at[2] | at[4] >> 4 << 8) == (int)width &&
			(at[5] | at[7] >> 4 << 8) == (int)height)
			return true;
	}
	return false;
}

static void check_valid(const uint8_t *edid)
{
	static const uint8_t magic[] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };

	g_assert_cmpmem(edid, 8, magic, 8);
	g_assert_cmpuint(edid[18], ==, 1);
	g_assert_cmpuint(edid[19], ==, 4);
	g_assert_cmpuint(edid[126], >=, 1);
	g_assert_cmpuint(edid[126], <=, 2);
	g_assert_cmpuint(edid[128], ==, 2);
	if (edid[126] == 2)
		g_assert_cmphex(edid[256], ==, 0x70);
	g_assert_cmpuint(sum(edid + 256), ==, 0);
	g_assert_cmpuint(sum(edid), ==, 0);
	g_assert_cmpuint(sum(edid + 128), ==, 0);
	g_assert_true(edid[54] != 0 || edid[55] != 0); /* a preferred timing */
}

static const struct {
	const char *name;
	struct edid_info info;
	unsigned width, height; /* preferred, as found */
} cases[] = {
	{ "/edid/defaults", { 0 }, 1280, 800 },
	{ "/edid/full-hd", { .preferred_width = 1920, .preferred_height = 1080 }, 1920, 1080 },
	{ "/edid/uhd", { .preferred_width = 3840, .preferred_height = 2160 }, 3840, 2160 },
	{ "/edid/odd", { .preferred_width = 1001, .preferred_height = 333 }, 1001, 333 },
	{ "/edid/one-pixel", { .preferred_width = 1, .preferred_height = 1 }, 64, 64 },
	{ "/edid/too-large", { .preferred_width = 16384, .preferred_height = 100000 }, 2048, 2048 },
	{ "/edid/within-most",
		{ .preferred_width = 1920,
			.preferred_height = 1080,
			.max_width = 1024,
			.max_height = 768 },
		1024, 768 },
	{ "/edid/8k", { .preferred_width = 7680, .preferred_height = 4320 }, 3840, 2160 },
	{ "/edid/uhd-fast",
		{ .preferred_width = 3840, .preferred_height = 2160, .refresh_mhz = 120000 }, 3840,
		2160 },
	{ "/edid/little-memory", { .memory_size = 8 * 1024 * 1024 }, 1280, 800 },
	{ "/edid/slow", { .refresh_mhz = 1 }, 1280, 800 },
	{ "/edid/fast", { .refresh_mhz = 4000000000u }, 1280, 800 },
	{ "/edid/names",
		{ .vendor = "lower", .name = "a name that is far too long", .serial = "\n" }, 1280,
		800 },
	{ "/edid/large-screen", { .width_mm = 65535, .height_mm = 65535 }, 1280, 800 },
};

static void check_case(gconstpointer data)
{
	const typeof(cases[0]) *c = data;
	uint8_t edid[EDID_SIZE];

	edid_generate(&c->info, edid);
	check_valid(edid);
	g_assert_cmpuint(edid[56] | edid[58] >> 4 << 8, ==, c->width);
	g_assert_cmpuint(edid[59] | edid[61] >> 4 << 8, ==, c->height);
}

static void test_vendor(void)
{
	struct edid_info info = { .vendor = "ABC", .serial = "42" };
	uint8_t edid[EDID_SIZE];

	edid_generate(&info, edid);
	g_assert_cmpuint(edid[8] << 8 | edid[9], ==, 1 << 10 | 2 << 5 | 3);
	g_assert_cmpmem(edid + 108, 18,
		"\0\0\0\xff\0"
		"42\n          ",
		18);
}

static void test_serial_is_stable(void)
{
	struct edid_info info = { .serial = "head-0" };
	uint8_t first[EDID_SIZE], second[EDID_SIZE];

	edid_generate(&info, first);
	edid_generate(&info, second);
	g_assert_cmpmem(first, EDID_SIZE, second, EDID_SIZE);
	info.serial = "head-1";
	edid_generate(&info, second);
	g_assert_cmpint(memcmp(first, second, EDID_SIZE), !=, 0);
}

static void test_most(void)
{
	struct edid_info info = { .max_width = 2560, .max_height = 1440 };
	uint8_t edid[EDID_SIZE];

	edid_generate(&info, edid);
	g_assert_true(has_timing(edid, 2560, 1440));
	g_assert_false(has_timing(edid, 2560, 1600));
	g_assert_false(has_timing(edid, 3840, 2160));
}

/* What needs more memory than there is is not offered; what EDID cannot say stands in DisplayID. */
static void test_large(void)
{
	struct edid_info info = { .memory_size = 16 * 1024 * 1024 };
	uint8_t edid[EDID_SIZE];
	const uint8_t *timing = edid + 256 + 5 + 15 + 15 + 13 + 3; /* behind three blocks of data */

	g_assert_cmpuint(edid_generate(&info, edid), ==, 256);
	g_assert_true(has_timing(edid, 2560, 1600));
	g_assert_false(has_timing(edid, 3840, 2160));
	info.memory_size = 0;
	g_assert_cmpuint(edid_generate(&info, edid), ==, 384);
	g_assert_true(has_timing(edid, 3840, 2160));
	info.preferred_width = 7680;
	info.preferred_height = 4320;
	info.refresh_mhz = 60000;
	edid_generate(&info, edid);
	g_assert_cmphex(timing[3] & 0x80, ==, 0x80);
	g_assert_cmpuint(timing[4] | timing[5] << 8, ==, 7679);
	g_assert_cmpuint(timing[12] | timing[13] << 8, ==, 4319);
	g_assert_cmpuint(((timing[0] | timing[1] << 8 | timing[2] << 16) + 1) * 10000ull /
				 ((7680 + 160) * (4320 + timing[14] + 1 + (timing[15] << 8))),
		==, 59);
}

/* Numbers and texts of two heads differ, also where a descriptor has no room for the whole. */
static void test_serials(void)
{
	static const char *const serials[] = { "pci/0000/01.0", "pci/0000/02.0/00.0",
		"pci/0000/02.0/01.0", "pci/0000/02.0/00.0.1" };
	uint8_t edid[G_N_ELEMENTS(serials)][EDID_SIZE];

	for (size_t i = 0; i < G_N_ELEMENTS(serials); i++) {
		struct edid_info info = { .serial = serials[i] };

		edid_generate(&info, edid[i]);
		for (size_t j = 0; j < i; j++) {
			g_assert_cmpint(memcmp(edid[i] + 12, edid[j] + 12, 4), !=, 0);
			g_assert_cmpint(memcmp(edid[i] + 108, edid[j] + 108, 18), !=, 0);
		}
	}
}

static void test_none(void)
{
	static const uint8_t nothing[EDID_SIZE];
	struct edid_info info = { .none = true };
	uint8_t edid[EDID_SIZE];

	g_assert_cmpuint(edid_generate(&info, edid), ==, 0);
	g_assert_cmpmem(edid, sizeof(edid), nothing, sizeof(nothing));
}

/* The clock of a timing must be the one of its pixels: 60 Hz within one percent. */
static void test_clock(void)
{
	struct edid_info info = {
		.preferred_width = 1920,
		.preferred_height = 1080,
		.refresh_mhz = 60000,
	};
	uint8_t edid[EDID_SIZE];
	unsigned clock, total;

	edid_generate(&info, edid);
	clock = (edid[54] | edid[55] << 8) * 10000u;
	total = (1920 + edid[57]) * (1080 + edid[60]);
	g_assert_cmpuint(clock / total, >=, 59);
	g_assert_cmpuint(clock / total, <=, 60);
}

/* The opinion of edid-decode, where it is installed. */
static void test_conformity(void)
{
	static const char *const command[] = { "edid-decode", "-c", NULL, NULL };
	g_autofree char *program = g_find_program_in_path(command[0]);

	if (!program) {
		g_test_skip("edid-decode is not installed");
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *path = NULL;
		g_autofree char *output = NULL;
		const char *arguments[G_N_ELEMENTS(command)];
		uint8_t edid[EDID_SIZE];
		int fd = g_file_open_tmp("edid-XXXXXX", &path, &error);

		g_assert_no_error(error);
		close(fd);
		g_file_set_contents(
			path, (const char *)edid, edid_generate(&cases[i].info, edid), &error);
		g_assert_no_error(error);
		memcpy(arguments, command, sizeof(command));
		arguments[2] = path;
		g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
			&output, NULL, NULL, &error);
		g_assert_no_error(error);
		g_unlink(path);
		if (!strstr(output, "EDID conformity: PASS"))
			g_test_message("%s: %s", cases[i].name, output);
		g_assert_nonnull(strstr(output, "EDID conformity: PASS"));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, &cases[i], check_case);
	g_test_add_func("/edid/vendor", test_vendor);
	g_test_add_func("/edid/serial-is-stable", test_serial_is_stable);
	g_test_add_func("/edid/most", test_most);
	g_test_add_func("/edid/large", test_large);
	g_test_add_func("/edid/serials", test_serials);
	g_test_add_func("/edid/none", test_none);
	g_test_add_func("/edid/clock", test_clock);
	g_test_add_func("/edid/conformity", test_conformity);
	return g_test_run();
}
