/* The keyboard controller as SeaBIOS and Linux talk to it: scripts of port accesses. */
#include "tests/unit/vmm/chipset/fake-machine.h"
#include "vmm/chipset/i8042.h"

enum {
	DATA = 0x60,
	COMMAND = 0x64,
	OUTPUT_FULL = 0x01,
	AUXILIARY = 0x20,
};

/* A script: "c" writes a command, "d" data, "a" a byte to the mouse, "r" expects a byte of the keyboard side, "m" one of
 * the mouse, "-" expects nothing; "+K" and "=K" press and release key K. All numbers are hexadecimal. */
static const struct {
	const char *name;
	const char *script;
} cases[] = {
	{ "/i8042/self-test", "caa r55 cab r00 ca9 r00 -" },
	{ "/i8042/command-byte", "c60 d47 c20 r47 -" },
	{ "/i8042/output-port", "cd0 rc3 cd1 d01 cd0 rc1 -" },
	{ "/i8042/loop-to-keyboard", "cd2 d5a r5a -" },
	{ "/i8042/loop-to-mouse", "cd3 d5a m5a -" },
	{ "/i8042/memory", "c65 d99 c25 r99 -" },
	{ "/i8042/keyboard-off-keeps-bytes", "cad +1e - cae r1e -" },
	{ "/keyboard/reset", "dff rfa raa -" },
	{ "/keyboard/identify-translated", "df2 rfa rab r41 -" },
	{ "/keyboard/identify", "c60 d01 df2 rfa rab r83 -" },
	{ "/keyboard/echo", "dee ree -" },
	{ "/keyboard/unknown-command", "d00 rfe -" },
	{ "/keyboard/resend", "df2 rfa rab r41 dfe r41 -" },
	{ "/keyboard/key-set-1", "+1e r1e =1e r9e -" },
	{ "/keyboard/key-set-2", "c60 d01 +1e r1c =1e rf0 r1c -" },
	{ "/keyboard/key-extended", "+c8 re0 r48 =c8 re0 rc8 -" },
	{ "/keyboard/f7", "+41 r41 =41 rc1 -" },
	{ "/keyboard/pause", "+c6 re1 r1d r45 re1 r9d rc5 =c6 -" },
	{ "/keyboard/print", "+b7 re0 r2a re0 r37 =b7 re0 rb7 re0 raa -" },
	{ "/keyboard/set-1-untranslated", "c60 d01 df0 rfa d01 rfa +1e r1e =1e r9e -" },
	{ "/keyboard/set-3", "c60 d01 df0 rfa d03 rfa +1d r11 =1d rf0 r11 df0 rfa d00 rfa r03 -" },
	{ "/keyboard/wrong-set", "df0 rfa d04 rfe -" },
	{ "/keyboard/disabled", "df5 rfa +1e - df4 rfa +1f r1f -" },
	{ "/keyboard/release-of-unknown-key", "=1e -" },
	{ "/keyboard/command-instead-of-argument", "ded rfa df4 rfa -" },
	{ "/mouse/reset", "aff mfa maa m00 -" },
	{ "/mouse/wheel", "af3 mfa ac8 mfa af3 mfa a64 mfa af3 mfa a50 mfa af2 mfa m03 -" },
	{ "/mouse/five-buttons", "af3 mfa ac8 mfa af3 mfa a64 mfa af3 mfa a50 mfa "
				 "af3 mfa ac8 mfa af3 mfa ac8 mfa af3 mfa a50 mfa af2 mfa m04 -" },
	{ "/mouse/status", "ae8 mfa a03 mfa af3 mfa a28 mfa ae7 mfa ae9 mfa m10 m03 m28 -" },
	{ "/mouse/wrap", "aee mfa a12 m12 aec mfa -" },
	{ "/mouse/remote", "af0 mfa aeb mfa m08 m00 m00 -" },
	{ "/mouse/unknown-command", "a00 mfe -" },
};

static void expect(struct fake_machine *fake, bool auxiliary, uint8_t byte)
{
	uint8_t status = fake_in(fake, COMMAND);

	g_assert_true(status & OUTPUT_FULL);
	g_assert_true(!!(status & AUXILIARY) == auxiliary);
	g_assert_cmphex(fake_in(fake, DATA), ==, byte);
}

static void run_step(struct fake_machine *fake, const char *step)
{
	uint8_t value = g_ascii_strtoull(step + 1, NULL, 16);

	switch (step[0]) {
	case 'c':
		fake_out(fake, COMMAND, value);
		break;
	case 'd':
		fake_out(fake, DATA, value);
		break;
	case 'a':
		fake_out(fake, COMMAND, 0xd4);
		fake_out(fake, DATA, value);
		break;
	case 'r':
		expect(fake, false, value);
		break;
	case 'm':
		expect(fake, true, value);
		break;
	case '+':
	case '=':
		fake->keyboard->key(fake->keyboard_device, value, step[0] == '+');
		break;
	case '-':
		g_assert_false(fake_in(fake, COMMAND) & OUTPUT_FULL);
		break;
	default:
		g_assert_not_reached();
	}
}

static void run(struct fake_machine *fake, const char *script)
{
	g_auto(GStrv) steps = g_strsplit(script, " ", -1);

	for (size_t i = 0; steps[i]; i++)
		run_step(fake, steps[i]);
}

static struct fake_machine *machine_with_i8042(void)
{
	struct fake_machine *fake = fake_machine_new();

	g_assert_nonnull(fake_machine_add(fake, &i8042_class, NULL, NULL));
	return fake;
}

static void check_case(gconstpointer data)
{
	const typeof(cases[0]) *c = data;
	struct fake_machine *fake = machine_with_i8042();

	run(fake, c->script);
	fake_machine_free(fake);
}

/* The knock for a wheel, then reports of four bytes. */
static void test_motion(void)
{
	struct fake_machine *fake = machine_with_i8042();

	run(fake, "af3 mfa ac8 mfa af3 mfa a64 mfa af3 mfa a50 mfa af4 mfa -");
	fake->pointer->motion(fake->pointer_device, 5, 3);
	run(fake, "m28 m05 mfd m00 -");
	fake->pointer->motion(fake->pointer_device, 300, -300);
	run(fake, "m08 mff mff m00 m08 m2d m2d m00 -");
	fake->pointer->button(fake->pointer_device, INPUT_BUTTON_WHEEL_UP, true);
	run(fake, "m08 m00 m00 mff -");
	fake->pointer->motion(fake->pointer_device, INT32_MIN, INT32_MIN);
	fake_machine_free(fake);
}

static void test_clicks_are_not_lost(void)
{
	struct fake_machine *fake = machine_with_i8042();

	run(fake, "af4 mfa -");
	fake->pointer->button(fake->pointer_device, INPUT_BUTTON_LEFT, true);
	fake->pointer->button(fake->pointer_device, INPUT_BUTTON_LEFT, false);
	fake->pointer->button(fake->pointer_device, INPUT_BUTTON_RIGHT, true);
	run(fake, "m09 m00 m00 m08 m00 m00 m0a m00 m00 -");
	fake_machine_free(fake);
}

/* A guest that does not read: whole sequences only, and every key that it saw go down comes up. */
static void test_full_queue(void)
{
	struct fake_machine *fake = machine_with_i8042();
	bool down[256] = { false }, prefix = false;

	for (unsigned round = 0; round < 100; round++) {
		for (unsigned key = 0xc7; key <= 0xd3; key++)
			fake->keyboard->key(fake->keyboard_device, key, true);
		for (unsigned key = 0xc7; key <= 0xd3; key++)
			fake->keyboard->key(fake->keyboard_device, key, false);
	}
	while (fake_in(fake, COMMAND) & OUTPUT_FULL) {
		uint8_t byte = fake_in(fake, DATA);

		g_assert_true(prefix == (byte != 0xe0));
		prefix = byte == 0xe0;
		if (!prefix)
			down[byte & 0x7f] = !(byte & 0x80);
	}
	g_assert_false(prefix);
	for (unsigned i = 0; i < G_N_ELEMENTS(down); i++)
		g_assert_false(down[i]);
	fake_machine_free(fake);
}

static void test_interrupts(void)
{
	struct fake_machine *fake = machine_with_i8042();

	fake->keyboard->key(fake->keyboard_device, 0xc8, true);
	g_assert_true(fake->levels[1]);
	fake_in(fake, DATA);
	/* The second byte makes an edge of its own. */
	g_assert_cmpuint(fake->rises[1], ==, 2);
	fake_in(fake, DATA);
	g_assert_false(fake->levels[1]);
	run(fake, "c60 d02 af4");
	g_assert_true(fake->levels[12]);
	g_assert_false(fake->levels[1]);
	run(fake, "mfa -");
	g_assert_false(fake->levels[12]);
	fake_machine_free(fake);
}

static void test_lines(void)
{
	struct fake_machine *fake = machine_with_i8042();

	run(fake, "ded rfa d06 rfa -");
	g_assert_cmphex(fake->lights, ==, INPUT_LIGHT_NUM | INPUT_LIGHT_CAPS);
	run(fake, "cff cdd cdf -");
	g_assert_cmpuint(fake->resets, ==, 0);
	run(fake, "cfe");
	g_assert_cmpuint(fake->resets, ==, 1);
	run(fake, "cd1 d02");
	g_assert_cmpuint(fake->resets, ==, 2);
	fake_machine_free(fake);
}

/* Any bytes at both ports, with input in between: nothing but answers. */
static void test_noise(void)
{
	struct fake_machine *fake = machine_with_i8042();
	g_autoptr(GRand) random = g_rand_new_with_seed(8042);

	for (unsigned i = 0; i < 200000; i++) {
		fake_out(fake, g_rand_boolean(random) ? DATA : COMMAND,
			g_rand_int_range(random, 0, 256));
		fake_in(fake, g_rand_boolean(random) ? DATA : COMMAND);
		fake->keyboard->key(fake->keyboard_device, g_rand_int_range(random, 0, 256),
			g_rand_boolean(random));
		fake->pointer->motion(fake->pointer_device, g_rand_int(random), g_rand_int(random));
		fake->pointer->button(fake->pointer_device,
			g_rand_int_range(random, 0, INPUT_BUTTONS), g_rand_boolean(random));
	}
	fake_machine_free(fake);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, &cases[i], check_case);
	g_test_add_func("/mouse/motion", test_motion);
	g_test_add_func("/mouse/clicks-are-not-lost", test_clicks_are_not_lost);
	g_test_add_func("/keyboard/full-queue", test_full_queue);
	g_test_add_func("/i8042/interrupts", test_interrupts);
	g_test_add_func("/i8042/lines", test_lines);
	g_test_add_func("/i8042/noise", test_noise);
	return g_test_run();
}
