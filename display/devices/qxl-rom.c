/* The QXL ROM: what the device is, its modes, and what sizes viewers wish. */
#include <string.h>

#include "display/devices/qxl-private.h"

enum {
	MICROMETRES = 294, /* of a pixel */
	CAPABILITY_COMPOSITE = 2,
	CAPABILITY_A8_SURFACES = 3,
};

/* Each with 16 and 32 bits a pixel, upright and turned. */
static const struct {
	uint16_t width, height;
} sizes[] = { { 640, 480 }, { 800, 480 }, { 800, 600 }, { 832, 624 }, { 960, 640 }, { 1024, 600 },
	{ 1024, 768 }, { 1152, 864 }, { 1152, 870 }, { 1280, 720 }, { 1280, 760 }, { 1280, 768 },
	{ 1280, 800 }, { 1280, 960 }, { 1280, 1024 }, { 1360, 768 }, { 1366, 768 }, { 1400, 1050 },
	{ 1440, 900 }, { 1600, 900 }, { 1600, 1200 }, { 1680, 1050 }, { 1920, 1080 },
	{ 1920, 1200 }, { 1920, 1440 }, { 2000, 2000 }, { 2048, 1536 }, { 2048, 2048 },
	{ 2560, 1440 }, { 2560, 1600 }, { 2560, 2048 }, { 2800, 2100 }, { 3200, 2400 },
	{ 3840, 2160 }, { 4096, 2160 }, { 7680, 4320 }, { 8192, 4320 } };

enum {
	MODES_PER_SIZE = 4,
};

_Static_assert(sizeof(QXLRom) + sizeof(QXLModes) +
			       G_N_ELEMENTS(sizes) * MODES_PER_SIZE * sizeof(QXLMode) <=
		       QXL_ROM_SIZE,
	"the modes fit into the ROM");

static void write_modes(const struct qxl *qxl, uint8_t *to)
{
	uint32_t count = 0;

	for (uint32_t id = 0; id < G_N_ELEMENTS(sizes) * MODES_PER_SIZE; id++) {
		uint32_t width = sizes[id / MODES_PER_SIZE].width;
		uint32_t height = sizes[id / MODES_PER_SIZE].height;
		uint32_t bits = id % 2 ? 32 : 16;
		QXLMode mode = {
			.id = id,
			.x_res = width,
			.y_res = height,
			.bits = bits,
			.stride = width * bits / 8,
			.x_mili = width * MICROMETRES / 1000,
			.y_mili = height * MICROMETRES / 1000,
			.orientation = id / 2 % 2,
		};

		if ((uint64_t)mode.stride * height > qxl->config.frame_size)
			continue;
		memcpy(to + sizeof(QXLModes) + count * sizeof(mode), &mode, sizeof(mode));
		count++;
	}
	memcpy(to, &count, sizeof(count));
}

void qxl_rom_init(struct qxl *qxl)
{
	uint64_t header = (sizeof(QXLRam) + 4095) / 4096 * 4096;
	uint64_t size = video_memory_size(qxl->config.memory);
	QXLRom *rom = qxl->rom;

	memset(rom, 0, QXL_ROM_SIZE);
	rom->magic = QXL_ROM_MAGIC;
	rom->id = qxl->config.number;
	rom->modes_offset = sizeof(*rom);
	rom->num_pages = (size - header - qxl->config.frame_size) / 4096;
	rom->pages_offset = qxl->config.frame_size;
	rom->surface0_area_size = qxl->config.frame_size;
	rom->ram_header_offset = size - header;
	rom->n_surfaces = qxl->config.surfaces;
	rom->slots_start = 1;
	rom->slots_end = QXL_SLOTS - 1;
	rom->slot_gen_bits = 8;
	rom->slot_id_bits = 8;
	/* Whoever shows the picture, it is composed here. */
	rom->client_present = 1;
	rom->client_capabilities[0] = 1 << CAPABILITY_COMPOSITE | 1 << CAPABILITY_A8_SURFACES;
	write_modes(qxl, (uint8_t *)rom + rom->modes_offset);
	qxl_rom_set_wishes(qxl);
}

/* As Linux computes it: reflected, not inverted at its ends. */
static uint32_t crc32(const uint8_t *bytes, size_t length)
{
	uint32_t crc = 0;

	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CLIENT_MONITORS_CONFIG_CRC32_POLY : 0);
	}
	return crc;
}

void qxl_rom_set_wishes(struct qxl *qxl)
{
	typeof(qxl->rom->client_monitors_config) config = { 0 };

	for (unsigned i = 0; i < qxl->config.heads; i++) {
		const struct head_ui_info *wish = &qxl->heads[i].wish;
		QXLURect rect = { 0 };

		if (wish->width == 0 || wish->height == 0)
			continue;
		rect.left = MAX(wish->x_offset, 0);
		rect.top = MAX(wish->y_offset, 0);
		rect.right = rect.left + MIN(wish->width, QXL_SURFACE_MAX_SIZE);
		rect.bottom = rect.top + MIN(wish->height, QXL_SURFACE_MAX_SIZE);
		config.heads[i] = rect;
		config.count = i + 1;
	}
	if (config.count == 0 && qxl->config.width > 0 && qxl->config.height > 0) {
		config.heads[0].right = qxl->config.width;
		config.heads[0].bottom = qxl->config.height;
		config.count = 1;
	}
	qxl->rom->client_monitors_config = config;
	qxl->rom->client_monitors_config_crc = crc32((const uint8_t *)&config, sizeof(config));
}

void qxl_rom_tick(struct qxl *qxl)
{
	qxl->rom->mm_clock = g_get_monotonic_time() / 1000;
}
