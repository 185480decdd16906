/* The SMBus host and memory on its bus: each protocol, as the drivers of the ICH9 and of the PIIX4 use it. And the DMA
 * controllers' registers. */
#include <string.h>

#include "tests/unit/vmm/chipset/fake-machine.h"

#include "vmm/chipset/i8257.h"
#include "vmm/chipset/smbus-eeprom.h"
#include "vmm/chipset/smbus-host.h"

enum {
	BASE = 0x700,
	STATUS = BASE,
	CONTROL = BASE + 2,
	COMMAND = BASE + 3,
	ADDRESS = BASE + 4,
	DATA0 = BASE + 5,
	DATA1 = BASE + 6,
	BLOCK = BASE + 7,
	AUXILIARY = BASE + 0xd,
	DONE = 0x02,
	DEVICE_ERROR = 0x04,
	FAILED = 0x10,
	IN_USE = 0x40,
	BYTE_DONE = 0x80,
	INTERRUPT = 0x01,
	KILL = 0x02,
	LAST_BYTE = 0x20,
	START = 0x40,
	EEPROM = 0x50,
};

struct fixture {
	struct fake_machine *fake;
	struct smbus_host host;
	bool interrupt;
};

static void interrupt_changed(void *owner, bool level)
{
	((struct fixture *)owner)->interrupt = level;
}

/* @data: whether blocks can go byte by byte. */
static void set_up(struct fixture *f, gconstpointer data)
{
	f->fake = fake_machine_new();
	smbus_host_init(&f->host, &f->fake->machine, interrupt_changed, f);
	f->host.has_byte_mode = data;
	smbus_host_reset(&f->host);
	io_space_map(&f->fake->machine.ports, &f->host.region, BASE);
	g_assert_nonnull(fake_machine_add(f->fake, &smbus_eeprom_class, NULL, NULL));
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	smbus_host_finish(&f->host);
	fake_machine_free(f->fake);
}

static void out(struct fixture *f, uint16_t port, uint8_t value)
{
	fake_out(f->fake, port, value);
}

static uint8_t in(struct fixture *f, uint16_t port)
{
	return fake_in(f->fake, port);
}

/* Returns the status without IN_USE, and clears it. */
static uint8_t transfer(struct fixture *f, uint8_t address, bool read, unsigned protocol)
{
	uint8_t status;

	out(f, ADDRESS, address << 1 | read);
	out(f, CONTROL, START | protocol << 2);
	status = in(f, STATUS) & ~IN_USE;
	out(f, STATUS, 0xff);
	return status;
}

static void test_simple(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(transfer(f, EEPROM, false, 0), ==, DONE);
	g_assert_cmphex(transfer(f, EEPROM + 1, false, 0), ==, DEVICE_ERROR);
	/* Byte data, word data, then plain bytes from where the address stands. */
	out(f, COMMAND, 0x10);
	out(f, DATA0, 0xab);
	g_assert_cmphex(transfer(f, EEPROM, false, 2), ==, DONE);
	out(f, COMMAND, 0x11);
	out(f, DATA0, 0xcd);
	out(f, DATA1, 0xef);
	g_assert_cmphex(transfer(f, EEPROM, false, 3), ==, DONE);
	out(f, COMMAND, 0x10);
	g_assert_cmphex(transfer(f, EEPROM, true, 3), ==, DONE);
	g_assert_cmphex(in(f, DATA0), ==, 0xab);
	g_assert_cmphex(in(f, DATA1), ==, 0xcd);
	g_assert_cmphex(transfer(f, EEPROM, true, 1), ==, DONE);
	g_assert_cmphex(in(f, DATA0), ==, 0xef);
	g_assert_cmphex(transfer(f, EEPROM, false, 1), ==, DONE);
	g_assert_cmphex(transfer(f, EEPROM, true, 1), ==, DONE);
	g_assert_cmphex(in(f, DATA0), ==, 0xab);
	g_assert_cmphex(in(f, CONTROL) & START, ==, 0);
}

static void test_buffer(struct fixture *f, gconstpointer data)
{
	out(f, AUXILIARY, 2);
	in(f, CONTROL);
	out(f, COMMAND, 0x20);
	out(f, DATA0, 3);
	for (unsigned i = 0; i < 3; i++)
		out(f, BLOCK, 0x31 + i);
	g_assert_cmphex(transfer(f, EEPROM, false, 5), ==, DONE);
	/* The memory holds the length first, as the bus had it. */
	out(f, DATA0, 0);
	g_assert_cmphex(transfer(f, EEPROM, true, 5), ==, DONE);
	g_assert_cmphex(in(f, DATA0), ==, 3);
	in(f, CONTROL);
	for (unsigned i = 0; i < 3; i++)
		g_assert_cmphex(in(f, BLOCK), ==, 0x31 + i);
	/* A length of nothing, or beyond the buffer. */
	out(f, COMMAND, 0x80);
	g_assert_cmphex(transfer(f, EEPROM, true, 5), ==, DEVICE_ERROR);
	out(f, DATA0, 33);
	g_assert_cmphex(transfer(f, EEPROM, false, 5), ==, DEVICE_ERROR);
	for (unsigned i = 0; i < 100; i++)
		out(f, BLOCK, i);
}

static void test_bytes(struct fixture *f, gconstpointer data)
{
	out(f, COMMAND, 0x40);
	out(f, DATA0, 2);
	out(f, BLOCK, 0x51);
	out(f, ADDRESS, EEPROM << 1);
	out(f, CONTROL, START | INTERRUPT | 5 << 2);
	g_assert_cmphex(in(f, STATUS) & ~IN_USE, ==, BYTE_DONE);
	g_assert_true(f->interrupt);
	out(f, BLOCK, 0x52); /* for the next byte: written before the last one is cleared */
	out(f, STATUS, BYTE_DONE);
	g_assert_cmphex(in(f, STATUS) & ~IN_USE, ==, BYTE_DONE);
	out(f, STATUS, BYTE_DONE);
	g_assert_cmphex(in(f, STATUS) & ~IN_USE, ==, DONE);
	out(f, STATUS, 0xff);
	g_assert_false(f->interrupt);
	/* I2C read: as many as the host wants. */
	out(f, DATA1, 0x40);
	out(f, ADDRESS, EEPROM << 1 | 1);
	out(f, CONTROL, START | 6 << 2);
	g_assert_cmphex(in(f, BLOCK), ==, 2);
	out(f, STATUS, BYTE_DONE);
	g_assert_cmphex(in(f, STATUS) & BYTE_DONE, ==, BYTE_DONE);
	g_assert_cmphex(in(f, BLOCK), ==, 0x51);
	out(f, STATUS, BYTE_DONE);
	g_assert_cmphex(in(f, BLOCK), ==, 0x52);
	out(f, CONTROL, LAST_BYTE | 6 << 2);
	out(f, STATUS, BYTE_DONE);
	g_assert_cmphex(in(f, STATUS) & ~IN_USE, ==, DONE);
	out(f, STATUS, 0xff);
	/* Given up. */
	out(f, CONTROL, START | 6 << 2);
	out(f, CONTROL, KILL);
	g_assert_cmphex(in(f, STATUS) & FAILED, ==, FAILED);
}

/* The first reader has the controller until it says so. */
static void test_in_use(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(in(f, STATUS), ==, 0);
	g_assert_cmphex(in(f, STATUS), ==, data ? IN_USE : 0);
	out(f, STATUS, IN_USE);
	g_assert_cmphex(in(f, STATUS), ==, 0);
}

static void test_taken(struct fixture *f, gconstpointer data)
{
	static const char *const there[] = { "address", "0x50", NULL };
	static const char *const beside[] = { "address", "0x51", NULL };
	g_autoptr(GError) error = NULL;

	g_assert_null(fake_machine_add(f->fake, &smbus_eeprom_class, there, &error));
	g_assert_nonnull(strstr(error->message, "address=0x50 is taken"));
	g_assert_nonnull(fake_machine_add(f->fake, &smbus_eeprom_class, beside, NULL));
	g_assert_cmphex(transfer(f, 0x51, false, 0), ==, DONE);
}

static void test_dma(void)
{
	static const char *const second[] = { "base", "0xc0", "page-base", "0x88", "dshift", "1",
		NULL };
	struct fake_machine *fake = fake_machine_new();

	g_assert_nonnull(fake_machine_add(fake, &i8257_class, NULL, NULL));
	g_assert_nonnull(fake_machine_add(fake, &i8257_class, second, NULL));
	/* Count of channel 2, low byte first; the flip-flop, and its clearing. */
	fake_out(fake, 0x05, 0x34);
	fake_out(fake, 0x05, 0x12);
	g_assert_cmphex(fake_in(fake, 0x05), ==, 0x34);
	g_assert_cmphex(fake_in(fake, 0x05), ==, 0x12);
	fake_out(fake, 0x05, 0x78);
	fake_out(fake, 0x0c, 0);
	g_assert_cmphex(fake_in(fake, 0x05), ==, 0x78);
	/* Masks: all at power-on, then one, then none. */
	g_assert_cmphex(fake_in(fake, 0x0f), ==, 0x0f);
	fake_out(fake, 0x0a, 2);
	g_assert_cmphex(fake_in(fake, 0x0f), ==, 0x0b);
	fake_out(fake, 0x0e, 0);
	g_assert_cmphex(fake_in(fake, 0x0f), ==, 0);
	fake_out(fake, 0x09, 5);
	g_assert_cmphex(fake_in(fake, 0x08), ==, 0x20);
	fake_out(fake, 0x0d, 0);
	g_assert_cmphex(fake_in(fake, 0x0f), ==, 0x0f);
	g_assert_cmphex(fake_in(fake, 0x08), ==, 0);
	/* Channel 5 of the second: registers every two ports, page at 0x8b. */
	fake_out(fake, 0xd4, 1);
	g_assert_cmphex(fake_in(fake, 0xde), ==, 0x0d);
	fake_out(fake, 0x8b, 0x77);
	g_assert_cmphex(fake_in(fake, 0x8b), ==, 0x77);
	fake_out(fake, 0x48b, 0x66);
	g_assert_cmphex(fake_in(fake, 0x48b), ==, 0x66);
	fake_out(fake, 0x80, 0x55);
	g_assert_cmphex(fake_in(fake, 0x80), ==, 0);
	fake_machine_free(fake);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*test)(struct fixture *f, gconstpointer data);
		bool bytes;
	} cases[] = {
		{ "/smbus/simple", test_simple, false },
		{ "/smbus/simple-ich9", test_simple, true },
		{ "/smbus/buffer", test_buffer, false },
		{ "/smbus/buffer-ich9", test_buffer, true },
		{ "/smbus/bytes", test_bytes, true },
		{ "/smbus/in-use", test_in_use, false },
		{ "/smbus/in-use-ich9", test_in_use, true },
		{ "/smbus/taken", test_taken, false },
	};

	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].path, struct fixture, GINT_TO_POINTER(cases[i].bytes), set_up,
			cases[i].test, tear_down);
	g_test_add_func("/i8257", test_dma);
	return g_test_run();
}
