/* Keys by their numbers in Linux, in XKB and on the display bus. */
#include "display/keycodes.h"

#include <glib.h>
#include <linux/input-event-codes.h>

static const struct {
	const char *name;
	uint32_t evdev;
	uint8_t qnum;
} keys[] = {
	{ "/keycodes/none", KEY_RESERVED, 0 },
	{ "/keycodes/escape", KEY_ESC, 0x01 },
	{ "/keycodes/a", KEY_A, 0x1e },
	{ "/keycodes/return", KEY_ENTER, 0x1c },
	{ "/keycodes/num-lock", KEY_NUMLOCK, 0x45 },
	{ "/keycodes/keypad-stop", KEY_KPDOT, 0x53 },
	{ "/keycodes/no-name", 84, 0 },
	{ "/keycodes/zenkaku-hankaku", KEY_ZENKAKUHANKAKU, 0x76 },
	{ "/keycodes/less", KEY_102ND, 0x56 },
	{ "/keycodes/f11", KEY_F11, 0x57 },
	{ "/keycodes/f12", KEY_F12, 0x58 },
	{ "/keycodes/ro", KEY_RO, 0x73 },
	{ "/keycodes/keypad-enter", KEY_KPENTER, 0x9c },
	{ "/keycodes/right-control", KEY_RIGHTCTRL, 0x9d },
	{ "/keycodes/print", KEY_SYSRQ, 0x54 },
	{ "/keycodes/up", KEY_UP, 0xc8 },
	{ "/keycodes/delete", KEY_DELETE, 0xd3 },
	{ "/keycodes/pause", KEY_PAUSE, 0xc6 },
	/* One byte each on the wire, without a prefix. */
	{ "/keycodes/hangeul", KEY_HANGEUL, 0x72 },
	{ "/keycodes/hanja", KEY_HANJA, 0x71 },
	{ "/keycodes/yen", KEY_YEN, 0x7d },
	{ "/keycodes/left-windows", KEY_LEFTMETA, 0xdb },
	{ "/keycodes/menu", KEY_COMPOSE, 0xdd },
	{ "/keycodes/media", KEY_MEDIA, 0xed },
	{ "/keycodes/no-pc-key", KEY_OK, 0 },
	{ "/keycodes/huge", 0xfffffff0, 0 },
};

static void check_key(gconstpointer data)
{
	const typeof(keys[0]) *c = data;

	g_assert_cmphex(keycodes_qnum_from_evdev(c->evdev), ==, c->qnum);
	g_assert_cmphex(keycodes_qnum_from_xkb(c->evdev + KEYCODES_XKB_OFFSET), ==, c->qnum);
}

/* The numbers that XKB keeps for itself are no keys. */
static void test_below(void)
{
	for (uint32_t keycode = 0; keycode <= KEYCODES_XKB_OFFSET; keycode++)
		g_assert_cmphex(keycodes_qnum_from_xkb(keycode), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		g_test_add_data_func(keys[i].name, &keys[i], check_key);
	g_test_add_func("/keycodes/below", test_below);
	return g_test_run();
}
