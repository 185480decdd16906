/* EDID 1.4 blocks for virtual monitors: a base block, a CTA-861 extension with further modes, and a DisplayID extension
 * for what EDID's own descriptors cannot say.
 *
 * Specification: VESA E-EDID standard, release A revision 2 (sections 3.3 to 3.11); CTA-861-G section 7.5 for the
 * extension; DisplayID 1.3.
 */
#include "display/edid.h"

#include "display/edid-displayid.h"

#include <glib.h>
#include <string.h>

enum {
	BLOCK_SIZE = 128,
	DEFAULT_WIDTH = 1280,
	DEFAULT_HEIGHT = 800,
	DEFAULT_REFRESH = 75000, /* millihertz */
	DEFAULT_DPI = 100,

	SCREEN_MAX_MM = 2550, /* whole centimetres in eight bits */
	TEXT_MOST = 13,       /* characters of a descriptor */
	PIXEL_BYTES = 4,      /* that a mode needs of the memory */
	FEATURE_NATIVE = 1 << 1,
	LIMIT_OFFSET = 255,       /* kHz */
	LIMIT_CLOCK_UNIT = 10000, /* kHz */

	TAG_DUMMY = 0x10, /* of display descriptors */
	TAG_NAME = 0xfc,
	TAG_LIMITS = 0xfd,
	TAG_SERIAL = 0xff,

	PRODUCT_CODE = 0x0001,
	MADE_IN_WEEK = 1,
	MADE_IN_YEAR = 2026,
};

/* Established timings I and II (section 3.8): the bit each of these modes has in bytes 35 and 36. */
static const struct {
	uint16_t width, height;
	uint8_t byte, bit;
} established[] = {
	{ 640, 480, 35, 5 },
	{ 800, 600, 35, 0 },
	{ 1024, 768, 36, 3 },
};

/* Standard timings (section 3.9), at 60 Hz; the aspect codes are 0: 16:10, 1: 4:3, 2: 5:4, 3: 16:9. */
static const struct {
	uint16_t width, height;
	uint8_t aspect;
} standard[] = {
	{ 1920, 1080, 3 },
	{ 1280, 720, 3 },
	{ 1440, 900, 0 },
	{ 1680, 1050, 0 },
	{ 1920, 1200, 0 },
	{ 1280, 1024, 2 },
	{ 1600, 1200, 1 },
	{ 1280, 960, 1 },
};

/* Further modes, as detailed timings in the extension: larger than standard timings can say. */
static const struct {
	uint16_t width, height;
} detailed[] = {
	{ 2560, 1440 },
	{ 2560, 1600 },
	{ 3840, 2160 },
};

/* And those that only DisplayID can say. */
static const struct {
	uint16_t width, height;
} large[] = {
	{ 5120, 2880 },
	{ 7680, 4320 },
};

static void put_le16(uint8_t *at, uint16_t value)
{
	at[0] = value & 0xff;
	at[1] = value >> 8;
}

static bool mode_allowed(const struct edid_info *info, uint32_t width, uint32_t height)
{
	uint64_t pixels = (uint64_t)width * height;

	return (info->max_width == 0 || width <= info->max_width) &&
	       (info->max_height == 0 || height <= info->max_height) &&
	       (info->memory_size == 0 || pixels * PIXEL_BYTES <= info->memory_size);
}

/* A display descriptor with text, section 3.10.3: at most thirteen characters, then a line feed and blanks. */
static void put_text(uint8_t *at, uint8_t tag, const char *text)
{
	size_t length = MIN(strlen(text), TEXT_MOST);

	memset(at, 0, 5);
	at[3] = tag;
	memset(at + 5, ' ', TEXT_MOST);
	for (size_t i = 0; i < length; i++)
		at[5 + i] = g_ascii_isprint(text[i]) ? text[i] : '?';
	if (length < TEXT_MOST)
		at[5 + length] = '\n';
}

/* Display range limits, section 3.10.3.3.1: wide enough for every mode that is offered. Where they cannot be said there is
 * a dummy. */
static void put_limits(uint8_t *at, const struct timing *largest)
{
	uint32_t lines = timing_line_rate(largest);
	uint32_t clock = (largest->clock + LIMIT_CLOCK_UNIT - 1) / LIMIT_CLOCK_UNIT;

	if (lines > 2 * LIMIT_OFFSET || clock > UINT8_MAX) {
		at[3] = TAG_DUMMY;
		return;
	}
	at[3] = TAG_LIMITS;
	at[5] = 30; /* Hz, vertical */
	at[6] = 125;
	at[7] = 15; /* kHz, horizontal */
	at[8] = lines;
	if (lines > LIMIT_OFFSET) {
		at[4] = 0x08; /* the highest is less LIMIT_OFFSET */
		at[8] = lines - LIMIT_OFFSET;
	}
	at[9] = clock;
	at[10] = 0x01; /* limits only, no timing formula */
	at[11] = '\n';
	memset(at + 12, ' ', 6);
}

static uint16_t vendor_code(const char *vendor)
{
	uint16_t code = 0;

	for (size_t i = 0; i < 3; i++)
		code = code << 5 | ((vendor[i] - 'A' + 1) & 0x1f);
	return code;
}

static bool vendor_valid(const char *vendor)
{
	return vendor && strlen(vendor) == 3 && g_ascii_isupper(vendor[0]) &&
	       g_ascii_isupper(vendor[1]) && g_ascii_isupper(vendor[2]);
}

static const char *vendor_of(const struct edid_info *info)
{
	return vendor_valid(info->vendor) ? info->vendor : "VTR";
}

/* The same text gives the same number on every host: FNV-1a. Guests keep layouts of screens by it. */
static uint32_t serial_number(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash;
}

/* The text of a serial that is too long for a descriptor is its number: what distinguishes two may stand at their ends. */
static void put_serial(uint8_t *at, const char *serial)
{
	g_autofree char *number = NULL;

	if (!serial) {
		at[3] = TAG_DUMMY;
		return;
	}
	if (strlen(serial) > TEXT_MOST)
		number = g_strdup_printf("%08X", serial_number(serial));
	put_text(at, TAG_SERIAL, number ? number : serial);
}

static void put_identity(uint8_t *block, const struct edid_info *info)
{
	static const uint8_t magic[8] = { 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00 };
	uint16_t vendor = vendor_code(vendor_of(info));

	memcpy(block, magic, sizeof(magic));
	block[8] = vendor >> 8;
	block[9] = vendor & 0xff;
	put_le16(block + 10, PRODUCT_CODE);
	if (info->serial) {
		uint32_t number = serial_number(info->serial);

		put_le16(block + 12, number & 0xffff);
		put_le16(block + 14, number >> 16);
	}
	block[16] = MADE_IN_WEEK;
	block[17] = MADE_IN_YEAR - 1990;
	block[18] = 1;
	block[19] = 4;
}

static void put_features(uint8_t *block, uint32_t width_mm, uint32_t height_mm)
{
	/* The chromaticity of sRGB: two low bits of each coordinate, then the eight high ones. */
	static const uint8_t srgb[10] = { 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50,
		0x54 };

	block[20] = 0xa5; /* digital, 8 bits a colour, DisplayPort */
	block[21] = CLAMP((width_mm + 5) / 10, 1, 255);
	block[22] = CLAMP((height_mm + 5) / 10, 1, 255);
	block[23] = 120;  /* gamma 2.2 */
	block[24] = 0x06; /* RGB 4:4:4, sRGB, the preferred timing is native */
	memcpy(block + 25, srgb, sizeof(srgb));
}

static void put_listed_modes(uint8_t *block, const struct edid_info *info)
{
	uint8_t *at = block + 38;

	for (size_t i = 0; i < G_N_ELEMENTS(established); i++)
		if (mode_allowed(info, established[i].width, established[i].height))
			block[established[i].byte] |= 1 << established[i].bit;
	memset(at, 0x01, 16);
	for (size_t i = 0; i < G_N_ELEMENTS(standard); i++) {
		if (!mode_allowed(info, standard[i].width, standard[i].height))
			continue;
		at[0] = standard[i].width / 8 - 31;
		at[1] = standard[i].aspect << 6; /* 60 Hz */
		at += 2;
	}
}

static void put_extension(
	uint8_t *block, const struct edid_info *info, uint32_t width_mm, uint32_t height_mm)
{
	/* Video capabilities: selectable quantization, nothing overscanned (CTA-861-G section 7.5.6). */
	static const uint8_t data_blocks[] = { 0xe2, 0x00, 0x4a };
	uint8_t *at = block + 4 + sizeof(data_blocks);

	block[0] = 0x02; /* CTA-861 */
	block[1] = 0x03;
	block[2] = 4 + sizeof(data_blocks); /* the timings begin here */
	block[3] = 0x80;                    /* IT formats are underscanned */
	memcpy(block + 4, data_blocks, sizeof(data_blocks));
	for (size_t i = 0; i < G_N_ELEMENTS(detailed); i++) {
		struct timing timing;

		if (!mode_allowed(info, detailed[i].width, detailed[i].height))
			continue;
		timing = timing_within_limits(detailed[i].width, detailed[i].height, 60000);
		timing_put_descriptor(at, &timing, width_mm, height_mm);
		at += TIMING_DESCRIPTOR_SIZE;
	}
}

static uint32_t or_default(uint32_t value, uint32_t standard_value)
{
	return value ? value : standard_value;
}

/* A size of the preferred timing: the wish or its default, within what is allowed and what can be said. */
static uint32_t size_within(uint32_t wish, uint32_t standard_value, uint32_t most)
{
	uint32_t size =
		MIN(or_default(wish, standard_value), or_default(most, DISPLAYID_MAX_ACTIVE));

	return CLAMP(size, TIMING_SMALLEST, DISPLAYID_MAX_ACTIVE);
}

static uint32_t width_within(const struct edid_info *info)
{
	return size_within(info->preferred_width, DEFAULT_WIDTH, info->max_width);
}

static uint32_t height_within(const struct edid_info *info)
{
	return size_within(info->preferred_height, DEFAULT_HEIGHT, info->max_height);
}

void edid_size(const struct edid_info *info, uint32_t *width, uint32_t *height)
{
	*width = width_within(info);
	*height = height_within(info);
}

/* What stands for a timing that a descriptor cannot say: the same shape, smaller, and then slower. */
static struct timing small_stand_in(const struct timing *timing, uint32_t refresh)
{
	uint32_t width = timing->width, height = timing->height;

	while (width > TIMING_MAX_ACTIVE || height > TIMING_MAX_ACTIVE) {
		width /= 2;
		height /= 2;
	}
	return timing_within_limits(
		MAX(width, TIMING_SMALLEST), MAX(height, TIMING_SMALLEST), refresh);
}

/* The timings of the DisplayID extension: the preferred one and larger modes; none when there is nothing in it that EDID
 * cannot say. */
static void large_timings(
	const struct edid_info *info, const struct timing *preferred, struct displayid *id)
{
	id->timings[0] = *preferred;
	id->count = 1;
	for (size_t i = 0; i < G_N_ELEMENTS(large); i++) {
		bool listed =
			preferred->width == large[i].width && preferred->height == large[i].height;

		if (!listed && mode_allowed(info, large[i].width, large[i].height))
			id->timings[id->count++] =
				timing_for(large[i].width, large[i].height, 60000);
	}
	if (id->count == 1 && timing_is_small(preferred))
		id->count = 0;
}

static void identify(struct displayid *id, const struct edid_info *info)
{
	memcpy(id->vendor, vendor_of(info), sizeof(id->vendor));
	id->product = PRODUCT_CODE;
	id->serial = info->serial ? serial_number(info->serial) : 0;
	id->week = MADE_IN_WEEK;
	id->year = MADE_IN_YEAR;
}

/* Of all that are offered, the one with the fastest lines and clock. */
static struct timing largest_of(const struct timing *preferred, const struct displayid *id)
{
	struct timing largest = timing_for(1920, 1200, 60000);

	if (timing_line_rate(preferred) > timing_line_rate(&largest) ||
		preferred->clock > largest.clock)
		largest = *preferred;
	for (size_t i = 0; i < id->count; i++)
		if (id->timings[i].clock > largest.clock)
			largest = id->timings[i];
	return largest;
}

size_t edid_generate(const struct edid_info *info, uint8_t edid[EDID_SIZE])
{
	uint32_t width = width_within(info), height = height_within(info);
	uint32_t refresh = CLAMP(or_default(info->refresh_mhz, DEFAULT_REFRESH), 30000, 125000);
	uint32_t width_mm = or_default(info->width_mm, (uint64_t)width * 254 / (10 * DEFAULT_DPI));
	uint32_t height_mm =
		or_default(info->height_mm, (uint64_t)height * 254 / (10 * DEFAULT_DPI));
	struct timing preferred = timing_for(width, height, refresh);
	struct timing first = preferred;
	struct displayid id = { 0 };
	struct timing largest;

	large_timings(info, &preferred, &id);
	identify(&id, info);
	width_mm = CLAMP(width_mm, 1, SCREEN_MAX_MM);
	height_mm = CLAMP(height_mm, 1, SCREEN_MAX_MM);
	memset(edid, 0, EDID_SIZE);
	if (info->none)
		return 0;
	put_identity(edid, info);
	put_features(edid, width_mm, height_mm);
	if (!timing_is_small(&preferred)) {
		first = small_stand_in(&preferred, refresh);
		edid[24] &= ~FEATURE_NATIVE;
	}
	largest = largest_of(&preferred, &id);
	put_listed_modes(edid, info);
	timing_put_descriptor(edid + 54, &first, width_mm, height_mm);
	put_limits(edid + 72, &largest);
	put_text(edid + 90, TAG_NAME, info->name ? info->name : "Vitrine");
	put_serial(edid + 108, info->serial);
	edid[126] = id.count > 0 ? 2 : 1; /* extension blocks */
	put_extension(edid + BLOCK_SIZE, info, width_mm, height_mm);
	edid_seal(edid, BLOCK_SIZE);
	edid_seal(edid + BLOCK_SIZE, BLOCK_SIZE);
	id.width_mm = width_mm;
	id.height_mm = height_mm;
	if (id.count > 0)
		displayid_put_block(edid + 2 * BLOCK_SIZE, &id);
	return (1 + edid[126]) * BLOCK_SIZE;
}
