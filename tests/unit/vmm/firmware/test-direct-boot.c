/* What direct boot puts into fw_cfg, and which files it refuses. */
#include "vmm/firmware/direct-boot.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/reader.h"
#include "tests/unit/vmm/chipset/fake-machine.h"
#include "vmm/firmware/fw-cfg.h"

enum {
	SELECTOR = 0x510,
	DATA = 0x511,
	SECTORS = 4,
	SETUP = (SECTORS + 1) * 512,
	KERNEL = 4096,
	FILE_ROM = 0x20, /* the only file */
	MIB = 1 << 20,
};

struct fixture {
	struct fake_machine *fake;
	struct machine_config config;
	char *folder, *kernel, *ramdisk;
};

static void put(char *bytes, uint16_t offset, uint8_t size, uint64_t value)
{
	value = GUINT64_TO_LE(value);
	memcpy(bytes + offset, &value, size);
}

static void write_kernel(const char *path)
{
	g_autofree char *bytes = g_malloc0(SETUP + KERNEL);

	put(bytes, 0x1f1, 1, SECTORS);
	put(bytes, 0x1fe, 2, 0xaa55);
	memcpy(bytes + 0x202, "HdrS", 4);
	put(bytes, 0x206, 2, 0x020f);
	put(bytes, 0x211, 1, 1);
	put(bytes, 0x22c, 4, 0x7fffffff);
	put(bytes, 0x238, 4, 10);
	put(bytes, 0x258, 8, 16 * MIB);
	put(bytes, 0x260, 4, 8 * MIB);
	memset(bytes + SETUP, 'k', KERNEL);
	g_assert_true(g_file_set_contents(path, bytes, SETUP + KERNEL, NULL));
}

static void set_up(struct fixture *f, gconstpointer data)
{
	f->folder = g_dir_make_tmp("vitrine-boot-XXXXXX", NULL);
	f->kernel = g_build_filename(f->folder, "kernel", NULL);
	f->ramdisk = g_build_filename(f->folder, "ramdisk", NULL);
	write_kernel(f->kernel);
	g_assert_true(g_file_set_contents(f->ramdisk, "ramdisk", 7, NULL));
	f->fake = fake_machine_new();
	f->fake->machine.config = &f->config;
	f->fake->machine.low_memory = 64 * MIB;
	f->fake->machine.fw_cfg = fw_cfg_new(&f->fake->machine);
	f->config = (struct machine_config) {
		.kernel = f->kernel, .initrd = f->ramdisk, .append = "root=a"
	};
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	fw_cfg_free(f->fake->machine.fw_cfg);
	fake_machine_free(f->fake);
	g_remove(f->kernel);
	g_remove(f->ramdisk);
	g_rmdir(f->folder);
	g_free(f->kernel);
	g_free(f->ramdisk);
	g_free(f->folder);
}

static void read_item(struct fixture *f, uint16_t selector, uint8_t *bytes, size_t length)
{
	io_space_write(&f->fake->machine.ports, SELECTOR, 2, selector);
	for (size_t i = 0; i < length; i++)
		bytes[i] = fake_in(f->fake, DATA);
}

static uint32_t read_number(struct fixture *f, uint16_t selector)
{
	uint8_t bytes[4] = { 0 };
	struct reader in = reader_from(bytes, sizeof(bytes));

	read_item(f, selector, bytes, sizeof(bytes));
	return reader_le32(&in);
}

static uint32_t setup_number(const uint8_t *setup, size_t offset)
{
	struct reader in = reader_from(setup + offset, 4);

	return reader_le32(&in);
}

static void test_items(struct fixture *f, gconstpointer data)
{
	g_autofree uint8_t *setup = g_malloc(SETUP);
	uint8_t text[8];
	uint32_t ramdisk;

	g_assert_true(direct_boot_add(&f->fake->machine, NULL));
	g_assert_cmpuint(read_number(f, FW_CFG_SETUP_SIZE), ==, SETUP);
	g_assert_cmphex(read_number(f, FW_CFG_SETUP_ADDR), ==, 0x10000);
	g_assert_cmpuint(read_number(f, FW_CFG_KERNEL_SIZE), ==, KERNEL);
	g_assert_cmphex(read_number(f, FW_CFG_KERNEL_ADDR), ==, 0x100000);
	g_assert_cmpuint(read_number(f, FW_CFG_CMDLINE_SIZE), ==, 7);
	g_assert_cmpuint(read_number(f, FW_CFG_INITRD_SIZE), ==, 7);
	ramdisk = read_number(f, FW_CFG_INITRD_ADDR);
	g_assert_cmphex(ramdisk % 4096, ==, 0);
	g_assert_cmphex(ramdisk, >=, 24 * MIB);
	g_assert_cmphex(ramdisk, <, 64 * MIB);
	read_item(f, FW_CFG_SETUP_DATA, setup, SETUP);
	g_assert_cmphex(setup[0x210], ==, 0xff);
	g_assert_cmphex(setup[0x211], ==, 0x81);
	g_assert_cmphex(setup_number(setup, 0x218), ==, ramdisk);
	g_assert_cmphex(setup_number(setup, 0x21c), ==, 7);
	g_assert_cmphex(setup_number(setup, 0x228), ==, 0x20000);
	read_item(f, FW_CFG_KERNEL_DATA, text, 1);
	g_assert_cmphex(text[0], ==, 'k');
	read_item(f, FW_CFG_CMDLINE_DATA, text, 7);
	g_assert_cmpstr((const char *)text, ==, "root=a");
}

static void test_rom(struct fixture *f, gconstpointer data)
{
	uint8_t header[3], rom[64 * 512], sum = 0;

	g_assert_true(direct_boot_add(&f->fake->machine, NULL));
	read_item(f, FILE_ROM, header, sizeof(header));
	g_assert_cmphex(header[0], ==, 0x55);
	g_assert_cmphex(header[1], ==, 0xaa);
	g_assert_cmpuint(header[2], >, 0);
	g_assert_cmpuint(header[2], <, 64);
	read_item(f, FILE_ROM, rom, header[2] * 512);
	for (unsigned i = 0; i < header[2] * 512u; i++)
		sum += rom[i];
	g_assert_cmpuint(sum, ==, 0);
}

static void test_nothing(struct fixture *f, gconstpointer data)
{
	f->config.kernel = NULL;
	g_assert_true(direct_boot_add(&f->fake->machine, NULL));
	g_assert_cmpuint(read_number(f, FW_CFG_FILE_DIR), ==, 0);
}

static void check_refused(struct fixture *f, const char *reason)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(direct_boot_add(&f->fake->machine, &error));
	g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, reason));
	g_assert_null(strchr(error->message, '\n'));
}

static void test_refusals(struct fixture *f, gconstpointer data)
{
	f->config.append = "eleven byte";
	check_refused(f, "-append: the command line has 11 bytes, this kernel takes at most 10");
	f->config.append = NULL;
	f->config.kernel = f->ramdisk;
	check_refused(f, "it has only 7 bytes");
	f->config.kernel = f->folder;
	check_refused(f, "it is no regular file");
	f->config.kernel = "/nowhere/kernel";
	check_refused(f, "-kernel /nowhere/kernel: it cannot be read: No such file or directory; "
			 "-kernel takes "
			 "a Linux bzImage or an ELF kernel with PVH's entry");
	f->config.kernel = f->kernel;
	f->config.initrd = "/nowhere/ramdisk";
	check_refused(f, "-initrd /nowhere/ramdisk: it cannot be read: No such file");
	f->config.initrd = f->ramdisk;
	f->fake->machine.low_memory = 24 * MIB;
	check_refused(f, "give the guest more with -m");
	f->fake->machine.low_memory = 24 * MIB + 512 * 1024;
	check_refused(f, "-initrd");
}

static const struct {
	const char *name;
	void (*run)(struct fixture *f, gconstpointer data);
} cases[] = {
	{ "/direct-boot/items", test_items },
	{ "/direct-boot/rom", test_rom },
	{ "/direct-boot/nothing", test_nothing },
	{ "/direct-boot/refusals", test_refusals },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
