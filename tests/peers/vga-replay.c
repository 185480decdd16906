/* Does to our VGA what a guest did to QEMU's, and writes the picture.
 *
 *     vga-replay VIDEO_MEMORY PICTURE.ppm < TRACE
 *
 * TRACE has the lines of QEMU's events memory_region_ops_read and memory_region_ops_write. What a guest reads must be what it
 * read there, save for input status 1. QEMU traces no writes to memory that it maps directly, so the contents of
 * VIDEO_MEMORY are put in at the end. Exit status 0 when all reads were alike.
 */
#include <pixman.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/display/devices/vga-fixture.h"

enum {
	LINE = 512, /* bytes */
	INPUT_STATUS = 0x3da,
	REPORTED_MOST = 20,
};

struct access {
	bool write;
	unsigned long address, value;
	unsigned size;
	char region[64];
};

static bool parse(const char *line, struct access *access)
{
	char what[16];

	if (sscanf(line,
		    "memory_region_ops_%15s cpu %*d mr %*s addr 0x%lx value 0x%lx size %u name "
		    "'%63[^']",
		    what, &access->address, &access->value, &access->size, access->region) != 5)
		return false;
	access->write = strcmp(what, "write") == 0;
	return access->size == 1 || access->size == 2 || access->size == 4;
}

/* Whether the access could be done here and gave the same. */
static bool replay(struct vga *vga, const struct access *access)
{
	uint32_t offset = access->address - VGA_WINDOW_BASE;
	bool window = strcmp(access->region, "vga-lowmem") == 0;
	uint64_t found;

	if (!window && strcmp(access->region, "vga") != 0 && strcmp(access->region, "vbe") != 0)
		return true;
	if (window && offset + access->size > VGA_WINDOW_SIZE)
		return false;
	if (access->write) {
		if (window)
			vga_window_write(vga, offset, access->size, access->value);
		else
			vga_port_write(vga, access->address, access->size, access->value);
		return true;
	}
	found = window ? vga_window_read(vga, offset, access->size)
		       : vga_port_read(vga, access->address, access->size);
	return found == access->value || (!window && access->address == INPUT_STATUS);
}

static unsigned replay_all(struct fixture *fixture, FILE *trace)
{
	unsigned differing = 0;
	struct access access;
	char line[LINE];

	while (fgets(line, sizeof(line), trace)) {
		bool alike = true;

		g_mutex_lock(&fixture->lock);
		if (parse(line, &access))
			alike = replay(fixture->vga, &access);
		g_mutex_unlock(&fixture->lock);
		if (!alike && differing++ < REPORTED_MOST)
			fprintf(stderr, "not read here: %s", line);
	}
	return differing;
}

static bool load(struct fixture *fixture, const char *path)
{
	g_autofree char *bytes = NULL;
	gsize length;

	if (!g_file_get_contents(path, &bytes, &length, NULL))
		return false;
	memcpy(video_memory_bytes(fixture->memory), bytes, MIN(length, FIXTURE_MEMORY));
	return true;
}

static bool save(struct fixture *fixture, const char *path)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autofree char *header = NULL;
	pixman_image_t *from, *to;
	struct video_memory *memory;
	struct scanout scanout;
	const uint8_t *pixels;

	if (!head_picture(vga_head(fixture->vga), &memory, &scanout))
		return false;
	from = pixman_image_create_bits_no_clear(scanout.format, scanout.width, scanout.height,
		(uint32_t *)(video_memory_bytes(memory) + scanout.offset), scanout.stride);
	to = pixman_image_create_bits(PIXMAN_x8b8g8r8, scanout.width, scanout.height, NULL, 0);
	pixman_image_composite32(
		PIXMAN_OP_SRC, from, NULL, to, 0, 0, 0, 0, 0, 0, scanout.width, scanout.height);
	header = g_strdup_printf("P6\n%u %u\n255\n", scanout.width, scanout.height);
	g_byte_array_append(out, (const guint8 *)header, strlen(header));
	pixels = (const uint8_t *)pixman_image_get_data(to);
	for (size_t i = 0; i < (size_t)scanout.width * scanout.height; i++)
		g_byte_array_append(out, pixels + i * 4, 3);
	pixman_image_unref(from);
	pixman_image_unref(to);
	video_memory_unref(memory);
	return g_file_set_contents(path, (const char *)out->data, out->len, NULL);
}

int main(int argc, char **argv)
{
	g_autoptr(vga_fixture) fixture = fixture_new();
	unsigned differing;

	if (argc != 3)
		return 2;
	differing = replay_all(fixture, stdin);
	if (!load(fixture, argv[1]) || !save(fixture, argv[2]))
		return 2;
	return differing == 0 ? 0 : 1;
}
