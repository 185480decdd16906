/* The addresses from 0xc0000 to 0xfffff. Neighbouring pieces that show the same thing are one memory slot; a change of the
 * registers makes and unmakes only the slots that differ, as each costs the kernel a wait for all processors.
 *
 * A piece that is read from RAM or ROM and not written is a read-only slot: the guest's writes come here as accesses to
 * registers, and vanish, unless RAM is to be written behind the ROM (which is how firmware copies itself).
 */
#include "vmm/machine/legacy-area.h"

#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/log.h"
#include "vmm/machine/machine.h"

enum view {
	VIEW_NOTHING,
	VIEW_ROM,
	VIEW_RAM_READ_ONLY,
	VIEW_RAM,
};

enum {
	BELOW_DEVICES = -1 /* priority: whatever else is mapped there comes first */
};

/* Neighbouring pieces, [first, end), in one slot. */
struct run {
	unsigned first, end;
	enum view view;
	struct memory_slot *slot;
};

struct legacy_area {
	struct machine *machine;
	uint8_t *ram;
	uint8_t *rom; /* LEGACY_ROM_MAX bytes, of which the last rom_size are shown */
	unsigned rom_size;
	struct io_region region;
	uint8_t access[LEGACY_PIECES];
	struct run runs[LEGACY_PIECES];
	unsigned run_count;
};

static unsigned rom_start(const struct legacy_area *area)
{
	return LEGACY_SIZE - area->rom_size;
}

static uint8_t *rom_at(const struct legacy_area *area, uint64_t offset)
{
	return area->rom + offset - (LEGACY_SIZE - LEGACY_ROM_MAX);
}

/* What reaches us: where there is no slot to be read, or none to be written. */

static uint64_t area_read(void *device, uint64_t offset, unsigned size)
{
	const struct legacy_area *area = device;

	if (area->access[offset / LEGACY_PIECE] & LEGACY_READ_RAM)
		return area->ram[offset];
	return offset >= rom_start(area) ? *rom_at(area, offset) : UINT8_MAX;
}

static void area_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct legacy_area *area = device;

	if (area->access[offset / LEGACY_PIECE] & LEGACY_WRITE_RAM)
		area->ram[offset] = value;
}

static const struct io_ops area_ops = { area_read, area_write, .max_access = 1 };

/* Slots */

static enum view view_of(const struct legacy_area *area, unsigned piece)
{
	uint8_t access = area->access[piece];

	if (access & LEGACY_READ_RAM)
		return access & LEGACY_WRITE_RAM ? VIEW_RAM : VIEW_RAM_READ_ONLY;
	return piece * LEGACY_PIECE >= rom_start(area) ? VIEW_ROM : VIEW_NOTHING;
}

static unsigned find_runs(const struct legacy_area *area, struct run runs[LEGACY_PIECES])
{
	unsigned count = 0;

	for (unsigned piece = 0; piece < LEGACY_PIECES; piece++) {
		enum view view = view_of(area, piece);

		if (view == VIEW_NOTHING)
			continue;
		if (count > 0 && runs[count - 1].end == piece && runs[count - 1].view == view)
			runs[count - 1].end++;
		else
			runs[count++] = (struct run) { piece, piece + 1, view, NULL };
	}
	return count;
}

static void show(struct legacy_area *area, struct run *run)
{
	unsigned offset = run->first * LEGACY_PIECE;
	uint8_t *bytes = run->view == VIEW_ROM ? rom_at(area, offset) : area->ram + offset;
	g_autoptr(GError) error = NULL;

	run->slot = memory_slot_new(area->machine->memory,
		run->view == VIEW_ROM ? "firmware below 1 MiB" : "RAM below 1 MiB", bytes,
		(run->end - run->first) * LEGACY_PIECE,
		run->view == VIEW_RAM ? 0 : MEMORY_SLOT_READ_ONLY);
	if (!memory_slot_map(run->slot, LEGACY_START + offset, &error))
		log_error("%s", error->message);
}

static struct run *find_same(struct run *runs, unsigned count, const struct run *wanted)
{
	for (unsigned i = 0; i < count; i++)
		if (runs[i].slot && runs[i].first == wanted->first && runs[i].end == wanted->end &&
			runs[i].view == wanted->view)
			return &runs[i];
	return NULL;
}

/* Slots must not overlap: what goes, goes first. */
static void update(struct legacy_area *area)
{
	struct run runs[LEGACY_PIECES];
	unsigned count = find_runs(area, runs);

	for (unsigned i = 0; i < count; i++) {
		struct run *same = find_same(area->runs, area->run_count, &runs[i]);

		if (same)
			runs[i].slot = g_steal_pointer(&same->slot);
	}
	for (unsigned i = 0; i < area->run_count; i++)
		memory_slot_free(area->runs[i].slot);
	for (unsigned i = 0; i < count; i++)
		if (!runs[i].slot)
			show(area, &runs[i]);
	memcpy(area->runs, runs, count * sizeof(runs[0]));
	area->run_count = count;
}

void legacy_area_set_access(struct legacy_area *area, const uint8_t access[LEGACY_PIECES])
{
	if (memcmp(area->access, access, LEGACY_PIECES) == 0)
		return;
	memcpy(area->access, access, LEGACY_PIECES);
	update(area);
}

/* Life */

struct legacy_area *legacy_area_new(struct machine *machine, uint8_t *ram)
{
	struct legacy_area *area = g_new0(struct legacy_area, 1);

	area->machine = machine;
	area->ram = ram;
	area->region = (struct io_region) {
		.name = "area below 1 MiB",
		.ops = &area_ops,
		.device = area,
		.size = LEGACY_SIZE,
		.priority = BELOW_DEVICES,
	};
	io_space_map(&machine->mmio, &area->region, LEGACY_START);
	return area;
}

bool legacy_area_set_rom(
	struct legacy_area *area, const uint8_t *image, uint64_t size, GError **error)
{
	uint64_t shown = MIN(size, LEGACY_ROM_MAX);

	if (!area->rom)
		area->rom = mmap(NULL, LEGACY_ROM_MAX, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area->rom == MAP_FAILED) {
		area->rom = NULL;
		return fail_errno(error, VITRINE_ERROR_HOST, "no memory for the firmware");
	}
	/* Whole pieces: what is before the image reads as zeros. */
	memset(area->rom, 0, LEGACY_ROM_MAX);
	memcpy(area->rom + LEGACY_ROM_MAX - shown, image + size - shown, shown);
	area->rom_size = (shown + LEGACY_PIECE - 1) / LEGACY_PIECE * LEGACY_PIECE;
	update(area);
	return true;
}

void legacy_area_free(struct legacy_area *area)
{
	if (!area)
		return;
	io_region_unmap(&area->region);
	for (unsigned i = 0; i < area->run_count; i++)
		memory_slot_free(area->runs[i].slot);
	if (area->rom)
		munmap(area->rom, LEGACY_ROM_MAX);
	g_free(area);
}
