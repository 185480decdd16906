/* EDID 1.4 blocks for virtual monitors: a base block and a CTA-861 extension with further modes.
 *
 * Specification: VESA E-EDID standard, release A revision 2 (sections 3.3 to 3.11); CTA-861-G section 7.5 for the
 * extension; VESA CVT 1.2 reduced blanking for the timings.
 */
#include "display/edid.h"

#include <glib.h>
#include <string.h>

enum {
	BLOCK_SIZE = 128,
	DEFAULT_WIDTH = 1280,
	DEFAULT_HEIGHT = 800,
	DEFAULT_REFRESH = 75000, /* millihertz */
	DEFAULT_DPI = 100,

	TIMING_MAX_ACTIVE = 4095,  /* pixels: twelve bits */
	TIMING_MIN_ACTIVE = 64,    /* pixels: smaller than any screen */
	SCREEN_MAX_MM = 2550,      /* whole centimetres in eight bits */
	TIMING_MAX_CLOCK = 655350, /* kHz: sixteen bits of 10 kHz */
	TIMING_MIN_CLOCK = 10000,  /* kHz: slower ones are taken for something else */

	/* CVT reduced blanking, version 1 */
	RB_H_BLANK = 160,     /* pixels */
	RB_H_FRONT = 48,      /* pixels */
	RB_H_SYNC = 32,       /* pixels */
	RB_V_FRONT = 3,       /* lines */
	RB_V_SYNC = 6,        /* lines */
	RB_MIN_V_BLANK = 460, /* microseconds */
	RB_MIN_V_BACK = 6,    /* lines */

	PRODUCT_CODE = 0x0001,
	MADE_IN_YEAR = 2026,
};

struct timing {
	uint32_t width, height; /* active, pixels */
	uint32_t v_blank;       /* lines */
	uint32_t clock;         /* kHz */
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

static void put_le16(uint8_t *at, uint16_t value)
{
	at[0] = value & 0xff;
	at[1] = value >> 8;
}

static void seal(uint8_t *block)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < BLOCK_SIZE - 1; i++)
		sum += block[i];
	block[BLOCK_SIZE - 1] = -sum;
}

static bool mode_allowed(const struct edid_info *info, uint32_t width, uint32_t height)
{
	return (info->max_width == 0 || width <= info->max_width) &&
	       (info->max_height == 0 || height <= info->max_height);
}

/* CVT reduced blanking: the lines of the vertical blank and the pixel clock for a refresh in millihertz. */
static struct timing timing_for(uint32_t width, uint32_t height, uint32_t refresh)
{
	struct timing timing = { .width = width, .height = height };
	uint64_t frame_ns = 1000000000000ull / refresh;
	uint64_t blank_ns = RB_MIN_V_BLANK * 1000ull;
	uint64_t line_ns = frame_ns > blank_ns ? (frame_ns - blank_ns) / height : 0;
	uint64_t lines = line_ns > 0 ? blank_ns / line_ns + 1 : 0;
	uint64_t clock;

	timing.v_blank = CLAMP(lines, RB_V_FRONT + RB_V_SYNC + RB_MIN_V_BACK, TIMING_MAX_ACTIVE);
	clock = (uint64_t)(width + RB_H_BLANK) * (height + timing.v_blank) * refresh / 1000000;
	timing.clock = CLAMP(clock, TIMING_MIN_CLOCK, TIMING_MAX_CLOCK);
	return timing;
}

/* The highest refresh not above @refresh whose pixel clock can be said. */
static struct timing timing_within_limits(uint32_t width, uint32_t height, uint32_t refresh)
{
	struct timing timing;

	do {
		timing = timing_for(width, height, refresh);
		refresh -= refresh / 8;
	} while (timing.clock == TIMING_MAX_CLOCK && refresh > 1000);
	return timing;
}

/* A detailed timing descriptor, section 3.10.2: eighteen bytes. */
static void put_timing(
	uint8_t *at, const struct timing *timing, uint32_t width_mm, uint32_t height_mm)
{
	uint32_t v_blank = timing->v_blank;

	put_le16(at, timing->clock / 10);
	at[2] = timing->width & 0xff;
	at[3] = RB_H_BLANK & 0xff;
	at[4] = (timing->width >> 8) << 4 | RB_H_BLANK >> 8;
	at[5] = timing->height & 0xff;
	at[6] = v_blank & 0xff;
	at[7] = (timing->height >> 8) << 4 | v_blank >> 8;
	at[8] = RB_H_FRONT;
	at[9] = RB_H_SYNC;
	at[10] = RB_V_FRONT << 4 | RB_V_SYNC;
	at[11] = 0;
	at[12] = width_mm & 0xff;
	at[13] = height_mm & 0xff;
	at[14] = (width_mm >> 8 & 0xf) << 4 | (height_mm >> 8 & 0xf);
	at[17] = 0x1a; /* digital separate sync, horizontal positive, vertical negative */
}

/* A display descriptor with text, section 3.10.3: at most thirteen characters, then a line feed and blanks. */
static void put_text(uint8_t *at, uint8_t tag, const char *text)
{
	size_t length = MIN(strlen(text), 13);

	memset(at, 0, 5);
	at[3] = tag;
	memset(at + 5, ' ', 13);
	for (size_t i = 0; i < length; i++)
		at[5 + i] = g_ascii_isprint(text[i]) ? text[i] : '?';
	if (length < 13)
		at[5 + length] = '\n';
}

/* Display range limits, section 3.10.3.3.1: wide enough for every mode that is offered. */
static void put_limits(uint8_t *at)
{
	static const uint8_t limits[18] = {
		[3] = 0xfd,
		[5] = 30, /* Hz, vertical */
		[6] = 125,
		[7] = 15, /* kHz, horizontal */
		[8] = 250,
		[9] = 66,    /* 10 MHz, pixel clock */
		[10] = 0x01, /* limits only, no timing formula */
		[11] = '\n',
		[12] = ' ',
		' ',
		' ',
		' ',
		' ',
		' ',
	};

	memcpy(at, limits, sizeof(limits));
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

static void put_identity(uint8_t *block, const struct edid_info *info)
{
	static const uint8_t magic[8] = { 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00 };
	uint16_t vendor = vendor_code(vendor_valid(info->vendor) ? info->vendor : "VTR");

	memcpy(block, magic, sizeof(magic));
	block[8] = vendor >> 8;
	block[9] = vendor & 0xff;
	put_le16(block + 10, PRODUCT_CODE);
	/* No serial number here: it stands as text in a descriptor. */
	block[16] = 1;
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
		put_timing(at, &timing, width_mm, height_mm);
		at += 18;
	}
}

static uint32_t or_default(uint32_t value, uint32_t standard_value)
{
	return value ? value : standard_value;
}

/* A size of the preferred timing: the wish or its default, within what is allowed and what can be said. */
static uint32_t size_within(uint32_t wish, uint32_t standard_value, uint32_t most)
{
	uint32_t size = MIN(or_default(wish, standard_value), or_default(most, TIMING_MAX_ACTIVE));

	return CLAMP(size, TIMING_MIN_ACTIVE, TIMING_MAX_ACTIVE);
}

void edid_generate(const struct edid_info *info, uint8_t edid[EDID_SIZE])
{
	uint32_t width = size_within(info->preferred_width, DEFAULT_WIDTH, info->max_width);
	uint32_t height = size_within(info->preferred_height, DEFAULT_HEIGHT, info->max_height);
	uint32_t refresh = CLAMP(or_default(info->refresh_mhz, DEFAULT_REFRESH), 30000, 125000);
	uint32_t width_mm = or_default(info->width_mm, width * 254 / (10 * DEFAULT_DPI));
	uint32_t height_mm = or_default(info->height_mm, height * 254 / (10 * DEFAULT_DPI));
	struct timing preferred = timing_within_limits(width, height, refresh);

	width_mm = CLAMP(width_mm, 1, SCREEN_MAX_MM);
	height_mm = CLAMP(height_mm, 1, SCREEN_MAX_MM);
	memset(edid, 0, EDID_SIZE);
	put_identity(edid, info);
	put_features(edid, width_mm, height_mm);
	put_listed_modes(edid, info);
	put_timing(edid + 54, &preferred, width_mm, height_mm);
	put_limits(edid + 72);
	put_text(edid + 90, 0xfc, info->name ? info->name : "Vitrine");
	if (info->serial)
		put_text(edid + 108, 0xff, info->serial);
	else
		edid[108 + 3] = 0x10; /* dummy descriptor */
	edid[126] = 1;                /* extension blocks */
	put_extension(edid + BLOCK_SIZE, info, width_mm, height_mm);
	seal(edid);
	seal(edid + BLOCK_SIZE);
}
