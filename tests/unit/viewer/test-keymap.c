/* Keys by the number that X gives them, and what the guest is told. */
#include "viewer/keymap.h"

#include <glib.h>

#include "viewer/send-keys.h"

static const struct {
	const char *name;
	uint32_t evdev, xfree86; /* keycodes; 0: not on such a keyboard */
	uint8_t qnum;
} keys[] = {
	{ "/key/escape", 9, 9, 0x01 },
	{ "/key/1", 10, 10, 0x02 },
	{ "/key/q", 24, 24, 0x10 },
	{ "/key/return", 36, 36, 0x1c },
	{ "/key/left-control", 37, 37, 0x1d },
	{ "/key/left-shift", 50, 50, 0x2a },
	{ "/key/left-alt", 64, 64, 0x38 },
	{ "/key/space", 65, 65, 0x39 },
	{ "/key/f1", 67, 67, 0x3b },
	{ "/key/f10", 76, 76, 0x44 },
	{ "/key/num-lock", 77, 77, 0x45 },
	{ "/key/keypad-stop", 91, 91, 0x53 },
	{ "/key/less", 94, 94, 0x56 },
	{ "/key/f11", 95, 95, 0x57 },
	{ "/key/f12", 96, 96, 0x58 },
	{ "/key/home", 110, 97, 0xc7 },
	{ "/key/up", 111, 98, 0xc8 },
	{ "/key/page-up", 112, 99, 0xc9 },
	{ "/key/left", 113, 100, 0xcb },
	{ "/key/right", 114, 102, 0xcd },
	{ "/key/end", 115, 103, 0xcf },
	{ "/key/down", 116, 104, 0xd0 },
	{ "/key/page-down", 117, 105, 0xd1 },
	{ "/key/insert", 118, 106, 0xd2 },
	{ "/key/delete", 119, 107, 0xd3 },
	{ "/key/keypad-enter", 104, 108, 0x9c },
	{ "/key/right-control", 105, 109, 0x9d },
	{ "/key/pause", 127, 110, 0xc6 },
	{ "/key/print", 107, 111, 0x54 },
	{ "/key/keypad-slash", 106, 112, 0xb5 },
	{ "/key/right-alt", 108, 113, 0xb8 },
	{ "/key/left-windows", 133, 115, 0xdb },
	{ "/key/right-windows", 134, 116, 0xdc },
	{ "/key/menu", 135, 117, 0xdd },
	{ "/key/ro", 97, 0, 0x73 },
	{ "/key/yen", 132, 0, 0x7d },
	{ "/key/mute", 121, 0, 0xa0 },
	{ "/key/none", 0, 0, 0 },
	{ "/key/below", 8, 8, 0 },
	{ "/key/fn", 472, 0, 0 },
	{ "/key/huge", 0xffffffff, 0xffffffff, 0 },
};

static void check_key(gconstpointer data)
{
	const typeof(keys[0]) *c = data;

	g_assert_cmphex(keymap_qnum(KEYMAP_EVDEV, c->evdev), ==, c->qnum);
	if (c->xfree86)
		g_assert_cmphex(keymap_qnum(KEYMAP_XFREE86, c->xfree86), ==, c->qnum);
}

static void test_kind(void)
{
	g_assert_cmpint(keymap_kind_of(111), ==, KEYMAP_EVDEV);
	g_assert_cmpint(keymap_kind_of(98), ==, KEYMAP_XFREE86);
	g_assert_cmpint(keymap_kind_of(0), ==, KEYMAP_EVDEV);
}

static void test_send_keys(void)
{
	const struct send_keys *keys = send_keys_find("ctrl-alt-delete");

	g_assert_nonnull(keys);
	g_assert_cmphex(keys->keys[0].qnum, ==, 0x1d);
	g_assert_cmphex(keys->keys[1].qnum, ==, 0x38);
	g_assert_cmphex(keys->keys[2].qnum, ==, 0xd3);
	g_assert_cmphex(keys->keys[3].qnum, ==, 0);
	g_assert_cmphex(send_keys_find("ctrl-alt-f1")->keys[2].qnum, ==, 0x3b);
	g_assert_null(send_keys_find("any"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		g_test_add_data_func(keys[i].name, &keys[i], check_key);
	g_test_add_func("/kind", test_kind);
	g_test_add_func("/send-keys", test_send_keys);
	return g_test_run();
}
