/* fw_cfg as firmware uses it, by port and by DMA, and as nobody should. */
#include "vmm/firmware/fw-cfg.h"

#include <string.h>

#include "base/reader.h"
#include "tests/unit/vmm/chipset/fake-machine.h"
#include "vmm/firmware/fw-cfg-request.h"

enum {
	SELECTOR = 0x510,
	DATA = 0x511,
	DMA = 0x514,
	REQUEST = 0x1000,
	BUFFER = 0x2000,
	READ = 0x02,
	SKIP = 0x04,
	SELECT = 0x08,
	WRITE = 0x10,
	ERROR = 0x01,
	FILE_A = 0x20,
	FILE_B = 0x21,
	FILE_C = 0x22,
};

struct fixture {
	struct fake_machine *fake;
	struct fw_cfg *cfg;
	unsigned writes;
	uint8_t written[4];
};

static void note_write(void *owner, const uint8_t *bytes, size_t length)
{
	struct fixture *f = owner;

	f->writes++;
	memcpy(f->written, bytes, MIN(length, sizeof(f->written)));
}

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GBytes) file = g_bytes_new_static("0123456789", 10);
	g_autoptr(GBytes) four = g_bytes_new_static("four", 4);

	f->fake = fake_machine_new();
	f->cfg = fw_cfg_new(&f->fake->machine);
	fw_cfg_add_file(f->cfg, "etc/b", file);
	fw_cfg_add_writable_file(f->cfg, "etc/c", four, note_write, f);
	fw_cfg_add_file(f->cfg, "etc/a", four);
	fw_cfg_add_u16(f->cfg, FW_CFG_NB_CPUS, 3);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	fw_cfg_free(f->cfg);
	fake_machine_free(f->fake);
}

static void select_item(struct fixture *f, uint16_t selector)
{
	io_space_write(&f->fake->machine.ports, SELECTOR, 2, selector);
}

static void put_long(uint8_t *at, uint32_t value)
{
	value = GUINT32_TO_BE(value);
	memcpy(at, &value, sizeof(value));
}

/* Makes the request and returns what its control word became. */
static uint32_t request(struct fixture *f, uint32_t control, uint32_t length, uint64_t address)
{
	uint8_t *at = f->fake->ram + REQUEST;
	struct reader in = reader_from(at, 4);

	put_long(at, control);
	put_long(at + 4, length);
	put_long(at + 8, address >> 32);
	put_long(at + 12, address);
	io_space_write(&f->fake->machine.ports, DMA + 4, 4, GUINT32_SWAP_LE_BE((guint32)REQUEST));
	return reader_u32(&in);
}

static void test_signatures(struct fixture *f, gconstpointer data)
{
	select_item(f, FW_CFG_SIGNATURE);
	for (const char *c = "QEMU"; *c != '\0'; c++)
		g_assert_cmphex(fake_in(f->fake, DATA), ==, *c);
	g_assert_cmphex(fake_in(f->fake, DATA), ==, 0);
	select_item(f, FW_CFG_ID);
	g_assert_cmphex(fake_in(f->fake, DATA), ==, 3);
	for (unsigned i = 0; i < 8; i++)
		g_assert_cmphex(fake_in(f->fake, DMA + i), ==, "QEMU CFG"[i]);
	g_assert_cmphex(fake_in_long(f->fake, DMA), ==, GUINT32_FROM_LE(0x554d4551));
}

/* Sorted by name, whatever the order in which files were added. */
static void test_directory(struct fixture *f, gconstpointer data)
{
	static const struct {
		uint32_t size;
		uint16_t selector;
		const char *name;
	} files[] = { { 4, FILE_A, "etc/a" }, { 10, FILE_B, "etc/b" }, { 4, FILE_C, "etc/c" } };
	uint8_t bytes[4 + 3 * 64] = { 0 };
	struct reader in = reader_from(bytes, sizeof(bytes));

	select_item(f, FW_CFG_FILE_DIR);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = fake_in(f->fake, DATA);
	g_assert_cmpuint(reader_u32(&in), ==, G_N_ELEMENTS(files));
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_assert_cmpuint(reader_u32(&in), ==, files[i].size);
		g_assert_cmpuint(reader_u16(&in), ==, files[i].selector);
		g_assert_cmpuint(reader_u16(&in), ==, 0);
		g_assert_cmpstr((const char *)reader_bytes(&in, 56), ==, files[i].name);
	}
}

static void test_dma_read(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(request(f, FILE_B << 16 | SELECT | READ, 4, BUFFER), ==, 0);
	g_assert_cmpmem(f->fake->ram + BUFFER, 4, "0123", 4);
	g_assert_cmphex(request(f, SKIP, 2, 0), ==, 0);
	g_assert_cmphex(request(f, READ, 2, BUFFER), ==, 0);
	g_assert_cmpmem(f->fake->ram + BUFFER, 2, "67", 2);
	/* Behind the end there are zeroes. */
	memset(f->fake->ram + BUFFER, 0xff, 16);
	g_assert_cmphex(request(f, READ, 8, BUFFER), ==, 0);
	g_assert_cmpmem(f->fake->ram + BUFFER, 9, "89\0\0\0\0\0\0\xff", 9);
	g_assert_cmphex(request(f, 0x1234 << 16 | SELECT | READ, 8, BUFFER), ==, 0);
	g_assert_cmpmem(f->fake->ram + BUFFER, 8, "\0\0\0\0\0\0\0", 8);
}

static void test_dma_write(struct fixture *f, gconstpointer data)
{
	memcpy(f->fake->ram + BUFFER, "FOUR", 4);
	g_assert_cmphex(request(f, FILE_C << 16 | SELECT | WRITE, 4, BUFFER), ==, 0);
	g_assert_cmpuint(f->writes, ==, 1);
	g_assert_cmpmem(f->written, 4, "FOUR", 4);
	select_item(f, FILE_C);
	g_assert_cmphex(fake_in(f->fake, DATA), ==, 'F');
	fw_cfg_reset(f->cfg);
	select_item(f, FILE_C);
	g_assert_cmphex(fake_in(f->fake, DATA), ==, 'f');
	g_assert_cmpuint(f->writes, ==, 1);
}

static const struct {
	const char *name;
	uint32_t control, length;
	uint64_t address;
} refusals[] = {
	{ "read-only", FILE_B << 16 | SELECT | WRITE, 4, BUFFER },
	{ "write-behind-end", FILE_C << 16 | SELECT | WRITE, 5, BUFFER },
	{ "no-memory", FILE_B << 16 | SELECT | READ, 4, FAKE_MEMORY },
	{ "half-memory", FILE_B << 16 | SELECT | READ, 8, FAKE_MEMORY - 4 },
	{ "wraps", FILE_B << 16 | SELECT | READ, 8, UINT64_MAX - 3 },
	{ "overread", FILE_B << 16 | SELECT | READ, 0xffffffff, 0 },
	{ "write-from-nowhere", FILE_C << 16 | SELECT | WRITE, 4, (uint64_t)1 << 40 },
};

static void test_refusals(struct fixture *f, gconstpointer data)
{
	for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
		g_test_message("%s", refusals[i].name);
		g_assert_cmphex(
			request(f, refusals[i].control, refusals[i].length, refusals[i].address),
			==, ERROR);
	}
	g_assert_cmpuint(f->writes, ==, 0);
	/* A request outside of memory has nowhere to report to. */
	io_space_write(&f->fake->machine.ports, DMA, 4, 0xffffffff);
	io_space_write(&f->fake->machine.ports, DMA + 4, 4, 0xffffffff);
}

static const struct {
	const char *name;
	uint32_t control;
	enum fw_cfg_action action;
} actions[] = {
	{ "/fw-cfg/request/nothing", 0, FW_CFG_NOTHING },
	{ "/fw-cfg/request/read", READ, FW_CFG_READ },
	{ "/fw-cfg/request/write", WRITE, FW_CFG_WRITE },
	{ "/fw-cfg/request/skip", SKIP, FW_CFG_SKIP },
	{ "/fw-cfg/request/read-before-write", READ | WRITE | SKIP, FW_CFG_READ },
	{ "/fw-cfg/request/write-before-skip", WRITE | SKIP, FW_CFG_WRITE },
	{ "/fw-cfg/request/unknown-bits", 0xffe0, FW_CFG_NOTHING },
};

static void check_action(gconstpointer data)
{
	const typeof(actions[0]) *c = data;
	uint8_t bytes[FW_CFG_REQUEST_SIZE] = { 0 };
	struct fw_cfg_request parsed;

	put_long(bytes, 0x1234 << 16 | SELECT | c->control);
	put_long(bytes + 4, 0x5678);
	put_long(bytes + 12, 0x9abc);
	g_assert_true(fw_cfg_request_parse(bytes, &parsed));
	g_assert_cmpint(parsed.action, ==, c->action);
	g_assert_true(parsed.select);
	g_assert_cmphex(parsed.selector, ==, 0x1234);
	g_assert_cmphex(parsed.length, ==, 0x5678);
	g_assert_cmphex(parsed.address, ==, 0x9abc);
}

static const struct {
	const char *name;
	void (*run)(struct fixture *f, gconstpointer data);
} cases[] = {
	{ "/fw-cfg/signatures", test_signatures },
	{ "/fw-cfg/directory", test_directory },
	{ "/fw-cfg/dma-read", test_dma_read },
	{ "/fw-cfg/dma-write", test_dma_write },
	{ "/fw-cfg/refusals", test_refusals },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
		g_test_add_data_func(actions[i].name, &actions[i], check_action);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
