/* VGA: sequences of accesses to ports, window and BAR 2, with the picture drawn in between.
 *
 * The input is a list of steps: a byte that says which, then its arguments. The video memory has pages without access on
 * both sides where the host leaves room, so that an address outside is found as well.
 */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/reader.h"
#include "display/devices/vga-private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MEMORY = 1024 * 1024, /* bytes: small, so that pictures soon reach its end */
	GUARD = 64 * 1024,
	STEPS_MOST = 4096,
};

struct guest {
	GMutex lock;
	struct vga *vga;
	struct video_memory *memory;
	int64_t time;
};

static int64_t guest_time(void *clock)
{
	return ((struct guest *)clock)->time;
}

static void step_port_write(struct guest *guest, struct reader *in)
{
	uint16_t port = 0x3b0 + reader_u8(in) % 0x30;

	vga_port_write(guest->vga, port, 1, reader_u8(in));
}

static void step_port_write_word(struct guest *guest, struct reader *in)
{
	uint16_t port = 0x3b0 + reader_u8(in) % 0x30;

	vga_port_write(guest->vga, port, 2, reader_u16(in));
}

static void step_port_read(struct guest *guest, struct reader *in)
{
	vga_port_read(guest->vga, 0x3b0 + reader_u8(in) % 0x30, 1);
}

static void step_dispi(struct guest *guest, struct reader *in)
{
	vga_port_write(guest->vga, 0x1ce, 2, reader_u8(in) % 12);
	vga_port_write(guest->vga, 0x1cf, 2, reader_u16(in));
	vga_port_read(guest->vga, 0x1cf, 2);
}

static void step_window_write(struct guest *guest, struct reader *in)
{
	unsigned size = 1u << reader_u8(in) % 4;
	uint32_t offset = reader_u32(in) % VGA_WINDOW_SIZE / size * size;

	vga_window_write(guest->vga, offset, size, reader_u32(in) * 0x100000001ull);
}

static void step_window_read(struct guest *guest, struct reader *in)
{
	unsigned size = 1u << reader_u8(in) % 4;

	vga_window_read(guest->vga, reader_u32(in) % VGA_WINDOW_SIZE / size * size, size);
}

static void step_mmio_write(struct guest *guest, struct reader *in)
{
	unsigned size = 1u << reader_u8(in) % 3;
	uint32_t offset = reader_u16(in) % VGA_MMIO_SIZE / size * size;

	vga_mmio_write(guest->vga, offset, size, reader_u32(in));
}

static void step_mmio_read(struct guest *guest, struct reader *in)
{
	unsigned size = 1u << reader_u8(in) % 3;

	vga_mmio_read(guest->vga, reader_u16(in) % VGA_MMIO_SIZE / size * size, size);
}

static void step_plain(struct guest *guest, struct reader *in)
{
	struct vga_plain_window plain;

	if (!vga_window_plain(guest->vga, &plain))
		return;
	if (plain.memory_offset + plain.length > video_memory_size(plain.memory) ||
		plain.window_offset + plain.length > VGA_WINDOW_SIZE)
		abort();
	video_memory_bytes(plain.memory)[plain.memory_offset + reader_u16(in) % plain.length] =
		reader_u8(in);
}

static void step_time(struct guest *guest, struct reader *in)
{
	guest->time += reader_u32(in);
}

static void step_reset(struct guest *guest, struct reader *in)
{
	vga_reset(guest->vga);
}

/* Every pixel that a consumer may read is there. */
static void step_picture(struct guest *guest, struct reader *in)
{
	struct video_memory *memory;
	struct scanout scanout;

	g_mutex_unlock(&guest->lock);
	if (head_picture(vga_head(guest->vga), &memory, &scanout)) {
		if (!scanout_fits(&scanout, video_memory_size(memory)))
			abort();
		video_memory_unref(memory);
	}
	g_mutex_lock(&guest->lock);
}

/* A saved state is read from a file, which may hold anything. */
static void step_state(struct guest *guest, struct reader *in)
{
	struct vga_state states[VGA_STATES];
	struct vga_registers saved = guest->vga->registers;

	vga_states(guest->vga, states);
	reader_copy(in, &guest->vga->registers, MIN(reader_left(in), sizeof(saved)));
	guest->vga->registers.attribute_data = reader_u8(in) & 1;
	guest->vga->registers.dac_reading = reader_u8(in) & 1;
	for (unsigned i = 0; i < DISPI_REGISTERS; i++)
		guest->vga->dispi.registers[i] = reader_u16(in);
	if (vga_state_loaded(guest->vga))
		return;
	guest->vga->registers = saved;
	if (!vga_state_loaded(guest->vga))
		abort();
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* What the core promises itself after every write, whatever it was. */
static void check_invariants(const struct vga *vga)
{
	const struct vga_mode *mode = &vga->mode;
	const struct vga_registers *r = &vga->registers;
	const uint16_t *dispi = vga->dispi.registers;

	check(r->sequencer_index < VGA_SEQUENCER_REGISTERS && r->dac_component < 3);
	check(mode->kind != VGA_MODE_NONE);
	if (mode->kind == VGA_MODE_LINEAR) {
		check(scanout_fits(&mode->scanout, vga->size));
	} else {
		check(mode->width > 0 && mode->height > 0);
		check((uint64_t)mode->width * mode->height * 4 <= VGA_SHADOW_SIZE);
	}
	if (mode->kind >= VGA_MODE_TEXT && mode->kind != VGA_MODE_LINEAR) {
		check(mode->limit > 0 && mode->limit <= vga->size && mode->limit % 4 == 0);
		check(mode->row_scans >= 1 && mode->first_scan < mode->row_scans);
		check(mode->row_bytes <= mode->limit);
	}
	if (mode->kind == VGA_MODE_TEXT)
		check(mode->columns < VGA_MOST_COLUMNS && mode->height <= VGA_MOST_TEXT_ROWS &&
			mode->panning <= 8 && mode->split_panning <= 8 &&
			mode->font_offset[0] + VGA_FONT_SIZE * 4 <= vga->size + 4 &&
			mode->font_offset[1] + VGA_FONT_SIZE * 4 <= vga->size + 4);
	if (dispi_enabled(&vga->dispi)) {
		check(dispi[DISPI_XRES] <= DISPI_MAX_WIDTH &&
			dispi[DISPI_YRES] <= DISPI_MAX_HEIGHT);
		check(dispi[DISPI_VIRTUAL_WIDTH] >= dispi[DISPI_XRES]);
		check(dispi_clear_length(&vga->dispi) <= vga->size);
	}
}

static void (*const steps[])(struct guest *guest, struct reader *in) = { step_port_write,
	step_port_write_word, step_port_read, step_dispi, step_window_write, step_window_read,
	step_mmio_write, step_mmio_read, step_plain, step_time, step_picture, step_reset,
	step_state };

static void *guard(uint8_t *address)
{
	return mmap(address, GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		-1, 0);
}

static void unguard(void *mapping)
{
	if (mapping != MAP_FAILED)
		munmap(mapping, GUARD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_from(data, size);
	struct guest guest = { .memory = video_memory_new("VGA", MEMORY, NULL) };
	struct vga_config config = { .label = "VGA", .now = guest_time, .clock = &guest };
	void *before = guard(video_memory_bytes(guest.memory) - GUARD);
	void *behind = guard(video_memory_bytes(guest.memory) + MEMORY);
	struct display *display;

	g_mutex_init(&guest.lock);
	display = display_new(&guest.lock);
	g_mutex_lock(&guest.lock);
	guest.vga = vga_new(display, guest.memory, &config, NULL);
	for (unsigned i = 0; i < STEPS_MOST && reader_left(&in) > 0; i++) {
		steps[reader_u8(&in) % G_N_ELEMENTS(steps)](&guest, &in);
		check_invariants(guest.vga);
	}
	step_picture(&guest, &in);
	vga_free(guest.vga);
	g_mutex_unlock(&guest.lock);
	display_free(display);
	unguard(before);
	unguard(behind);
	video_memory_unref(guest.memory);
	g_mutex_clear(&guest.lock);
	return 0;
}
