/* ramfb: descriptions of pictures, with the memory under them changing, and the picture taken in between. */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "display/devices/ramfb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	RAM = 1024 * 1024, /* bytes, from address 0 */
	STEPS_MOST = 64,
};

struct guest {
	GMutex lock;
	uint8_t *ram;
};

static const uint8_t *map_ram(void *owner, uint64_t address, uint64_t length)
{
	const struct guest *guest = owner;

	return address <= RAM && length <= RAM - address ? guest->ram + address : NULL;
}

/* What is taken for a picture is one, and lies inside the memory of its own. */
static void check(struct ramfb *ramfb, const uint8_t *bytes)
{
	struct ramfb_config config;
	struct video_memory *memory;
	struct scanout scanout;
	const char *reason = NULL;

	if (ramfb_config_parse(bytes, &config, &reason)) {
		if (config.stride < config.row_bytes || config.length > RAMFB_MAX_BYTES ||
			config.length < config.row_bytes ||
			config.address + config.length < config.address)
			abort();
	} else if (!reason) {
		abort();
	}
	if (!head_picture(ramfb_head(ramfb), &memory, &scanout))
		return;
	if (!scanout_fits(&scanout, video_memory_size(memory)))
		abort();
	video_memory_unref(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_from(data, size);
	struct guest guest = { .ram = g_malloc0(RAM) };
	struct display *display;
	struct ramfb *ramfb;

	g_mutex_init(&guest.lock);
	display = display_new(&guest.lock);
	g_mutex_lock(&guest.lock);
	ramfb = ramfb_new(display, "ramfb", map_ram, &guest);
	for (unsigned i = 0; i < STEPS_MOST && reader_left(&in) > RAMFB_CONFIG_SIZE; i++) {
		uint8_t bytes[RAMFB_CONFIG_SIZE] = { 0 };
		const char *reason;

		guest.ram[reader_u32(&in) % RAM] ^= 0xff;
		reader_copy(&in, bytes, sizeof(bytes));
		if (bytes[8] == 0xff)
			ramfb_reset(ramfb);
		else
			ramfb_write(ramfb, bytes, &reason);
		g_mutex_unlock(&guest.lock);
		check(ramfb, bytes);
		g_mutex_lock(&guest.lock);
	}
	ramfb_free(ramfb);
	g_mutex_unlock(&guest.lock);
	display_free(display);
	g_mutex_clear(&guest.lock);
	g_free(guest.ram);
	return 0;
}
