/* The flash chip against Intel's command set, and the file behind it. */
#include "vmm/chipset/pflash.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/vmm/chipset/fake-machine.h"
#include "tests/unit/vmm/fake-kvm.h"
#include "vmm/chipset/cfi-flash.h"
#include "vmm/chipset/flash-file.h"
#include "vmm/machine/legacy-area.h"

enum {
	SIZE = 4 * CFI_FLASH_BLOCK,
};

struct chip {
	struct cfi_flash flash;
	uint8_t bytes[SIZE];
	uint32_t offset, length; /* of the last change */
	unsigned changes;
};

static void note_change(void *owner, uint32_t offset, uint32_t length)
{
	struct chip *chip = owner;

	chip->offset = offset;
	chip->length = length;
	chip->changes++;
}

static void chip_init(struct chip *chip, bool read_only)
{
	*chip = (struct chip) {};
	chip->flash = (struct cfi_flash) {
		.bytes = chip->bytes,
		.size = SIZE,
		.read_only = read_only,
		.changed = note_change,
		.owner = chip,
	};
	for (unsigned i = 0; i < SIZE; i++)
		chip->bytes[i] = i;
	cfi_flash_reset(&chip->flash);
}

/* Pairs of "OFFSET:BYTE" in hexadecimal are writes; "OFFSET=BYTE" is what a read gives. "array" and "registers" say what
 * is read at the moment. */
static const struct {
	const char *name;
	bool read_only;
	const char *steps;
	unsigned changes;
} cases[] = {
	{ "/array/at-first", false, "array 0=0 11=11" },
	{ "/array/ff", false, "0:70 registers 0:ff array 5=5" },
	{ "/array/f0", false, "0:70 registers 0:f0 array 5=5" },
	{ "/array/unknown-command", false, "0:70 0:33 array 5=5" },
	{ "/status/ready", false, "0:70 0=80 1234=80" },
	{ "/status/clear-shows-array", false, "0:50 array 7=7" },
	{ "/status/clear-after-failure", true, "0:40 0:1 0=92 0:50 0:70 0=0" },
	{ "/id", false, "0:90 registers 0=0 1=0" },
	{ "/query/name", false, "0:98 registers 10=51 11=52 12=59 13=1 15=31 31=50 32=52 33=49" },
	{ "/query/size", false, "0:98 27=e 2a=8 2c=1 2d=3 2e=0 2f=10 30=0" },
	{ "/query/behind-the-table", false, "0:98 60=0 ff=0" },
	{ "/query/ends", false, "0:98 0:ff array 10=10" },
	{ "/byte/10", false, "20:10 registers 20:ab 20=80 20:ff array 20=ab 21=21", 1 },
	{ "/byte/40", false, "20:40 20:ab 20:ff 20=ab", 1 },
	{ "/byte/several", false, "20:10 20:1 21:10 21:2 21:ff 20=1 21=2", 2 },
	{ "/byte/command-as-data", false, "20:10 20:ff registers 20:ff array 20=ff", 1 },
	{ "/byte/read-only", true, "20:10 20:ab 20=92 20:ff 20=20" },
	{ "/erase", false, "1234:20 1234:d0 0=80 0:ff fff=ff 1000=ff 1fff=ff 2000=0", 1 },
	{ "/erase/not-confirmed", false, "1234:20 1234:ff array 1234=34" },
	{ "/erase/wrong-confirmation", false, "1234:20 1234:33 array 1234=34" },
	{ "/erase/read-only", true, "1234:20 1234:d0 0=a2 0:ff 1234=34" },
	{ "/buffer", false,
		"100:e8 registers 100=80 100:1 100:aa 101:bb 100:d0 100=80 100:ff 100=aa 101=bb "
		"102=2",
		1 },
	{ "/buffer/not-confirmed", false, "100:e8 100:0 100:aa 100:ff array 100=0" },
	{ "/buffer/outside", false, "100:e8 100:1 100:aa 200:bb 100:d0 100=90 100:ff 100=aa 200=0",
		1 },
	{ "/buffer/read-only", true, "100:e8 100:0 100:aa 100:d0 100=92 100:ff 100=0" },
	{ "/lock", false, "0:60 0:1 0=80 0:60 0:d0 0=80 0:ff array" },
	{ "/lock/else", false, "0:60 0:33 array" },
};

static void check_case(gconstpointer data)
{
	const typeof(cases[0]) *c = data;
	g_auto(GStrv) steps = g_strsplit(c->steps, " ", -1);
	struct chip chip;

	chip_init(&chip, c->read_only);
	for (guint i = 0; steps[i]; i++) {
		char *end;
		uint32_t offset = strtoul(steps[i], &end, 16), value;

		if (*end == ':') {
			cfi_flash_write(&chip.flash, offset, 1, strtoul(end + 1, NULL, 16));
		} else if (*end == '=') {
			value = cfi_flash_read(&chip.flash, offset, 1);
			if (value != strtoul(end + 1, NULL, 16))
				g_error("%s: step %u: %s, read 0x%x", c->name, i, steps[i], value);
		} else {
			g_assert_cmpint(cfi_flash_shows_bytes(&chip.flash), ==,
				strcmp(steps[i], "array") == 0);
		}
	}
	g_assert_cmpuint(chip.changes, ==, c->changes);
}

static void wide_accesses(void)
{
	struct chip chip;

	chip_init(&chip, false);
	cfi_flash_write(&chip.flash, 0x40, 4, 0x10);
	cfi_flash_write(&chip.flash, 0x40, 4, 0x44332211);
	g_assert_cmpuint(chip.offset, ==, 0x40);
	g_assert_cmpuint(chip.length, ==, 4);
	g_assert_cmphex(cfi_flash_read(&chip.flash, 0x40, 4), ==, 0x80808080);
	cfi_flash_write(&chip.flash, 0x40, 4, 0xff);
	g_assert_cmphex(cfi_flash_read(&chip.flash, 0x40, 4), ==, 0x44332211);
	g_assert_cmphex(cfi_flash_read(&chip.flash, 0x42, 2), ==, 0x4433);
}

/* The device and its file */

static char *make_image(size_t size, uint8_t content)
{
	char *path = NULL;
	int fd = g_file_open_tmp("flash-XXXXXX", &path, NULL);
	g_autofree uint8_t *bytes = g_malloc(size);

	if (size > 0) {
		memset(bytes, content, size);
		g_assert_cmpint(write(fd, bytes, size), ==, size);
	}
	close(fd);
	return path;
}

static void remove_image(char *path)
{
	g_unlink(path);
	g_free(path);
}

static uint64_t read_memory(struct fake_machine *fake, uint64_t address)
{
	return io_space_read(&fake->machine.mmio, address, 1);
}

static void write_memory(struct fake_machine *fake, uint64_t address, uint8_t value)
{
	io_space_write(&fake->machine.mmio, address, 1, value);
}

static void two_chips_below_four_gigabytes(void)
{
	static const char *const first[] = { "unit", "0", NULL }, *const second[] = { "unit", "1",
		NULL };
	const uint64_t code = UINT64_C(0x100000000) - 0x20000, variables = code - 0x4000;
	char *code_file = make_image(0x20000, 0xcc), *variables_file = make_image(0x4000, 0xff);
	struct machine_config config = {
		.flash = { { code_file, true }, { variables_file, false } },
	};
	struct fake_machine *fake = fake_machine_new();
	g_autofree char *written = NULL;
	GError *error = NULL;
	gsize length;

	fake->machine.config = &config;
	memory_slot_unmap(fake->slot);
	fake->machine.legacy_area = legacy_area_new(&fake->machine, fake->ram + LEGACY_START);
	g_assert_nonnull(fake_machine_add(fake, &pflash_class, first, &error));
	g_assert_nonnull(fake_machine_add(fake, &pflash_class, second, &error));
	g_assert_cmphex(read_memory(fake, code), ==, 0xcc);
	g_assert_cmphex(read_memory(fake, UINT32_MAX), ==, 0xcc);
	g_assert_cmphex(read_memory(fake, 0xfffff), ==, 0xcc);
	g_assert_cmphex(read_memory(fake, 0xe0000), ==, 0xcc);
	g_assert_cmphex(read_memory(fake, variables), ==, 0xff);

	write_memory(fake, variables + 2, 0x10);
	write_memory(fake, variables + 2, 0x5a);
	g_assert_cmphex(read_memory(fake, variables), ==, CFI_FLASH_READY);
	write_memory(fake, variables, 0xff);
	g_assert_cmphex(read_memory(fake, variables + 2), ==, 0x5a);

	write_memory(fake, code, 0x20);
	write_memory(fake, code, 0xd0);
	device_reset(fake->machine.devices->pdata[0]);
	g_assert_cmphex(read_memory(fake, code), ==, 0xcc);
	legacy_area_free(fake->machine.legacy_area);
	fake_machine_free(fake);

	g_assert_true(g_file_get_contents(variables_file, &written, &length, NULL));
	g_assert_cmpuint(length, ==, 0x4000);
	g_assert_cmphex((uint8_t)written[2], ==, 0x5a);
	g_assert_cmphex((uint8_t)written[3], ==, 0xff);
	remove_image(code_file);
	remove_image(variables_file);
}

static void changes_reach_the_file(void)
{
	char *path = make_image(0x4000, 0xff);
	struct flash_file *file = flash_file_open(path, false, NULL);
	g_autofree char *written = NULL;

	for (unsigned i = 0; i < 1000; i++) {
		flash_file_bytes(file)[i * 7] = i;
		flash_file_changed(file, i * 7, 1);
	}
	flash_file_flush(file);
	g_assert_true(g_file_get_contents(path, &written, NULL, NULL));
	g_assert_cmpmem(written, 0x4000, flash_file_bytes(file), 0x4000);
	flash_file_close(file);
	remove_image(path);
}

static void two_guests_do_not_share_variables(void)
{
	char *path = make_image(0x4000, 0xff);
	struct flash_file *file = flash_file_open(path, false, NULL);
	g_autoptr(GError) error = NULL;

	g_assert_nonnull(file);
	g_assert_null(flash_file_open(path, false, &error));
	g_assert_nonnull(strstr(error->message, path));
	flash_file_close(file);
	remove_image(path);
}

static void refused_files(void)
{
	static const struct {
		size_t size;
		const char *says;
	} wrong[] = {
		{ 0x200, "a multiple of 4096" },
		{ FLASH_FILE_MAX + 4096, "at most 8 MiB" },
		{ 0x1001, "a multiple of 4096" },
		{ 0, "it has 0 bytes" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		char *path = make_image(wrong[i].size, 0xff);
		g_autoptr(GError) error = NULL;

		g_assert_null(flash_file_open(path, true, &error));
		g_assert_nonnull(strstr(error->message, wrong[i].says));
		g_assert_nonnull(strstr(error->message, path));
		remove_image(path);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, &cases[i], check_case);
	g_test_add_func("/wide-accesses", wide_accesses);
	g_test_add_func("/two-chips", two_chips_below_four_gigabytes);
	g_test_add_func("/file/changes", changes_reach_the_file);
	g_test_add_func("/file/locked", two_guests_do_not_share_variables);
	g_test_add_func("/file/refused", refused_files);
	return g_test_run();
}
