/* Which key makes which character in the layouts, and what a guest sees when a client sends keysyms. */
#include "vnc-server/input.h"

#include <xkbcommon/xkbcommon-keysyms.h>

#include "base/error.h"
#include "vnc-server/protocol.h"

static const struct {
	const char *layout;
	uint32_t keysym;
	uint8_t qnum; /* 0: the layout has no such key */
	bool shift, alt_gr;
} keys[] = {
	{ "us", 'a', 0x1e },
	{ "us", 'A', 0x1e, true },
	{ "us", 'z', 0x2c },
	{ "us", '1', 0x02 },
	{ "us", '!', 0x02, true },
	{ "us", '@', 0x03, true },
	{ "us", '/', 0x35 },
	{ "us", '?', 0x35, true },
	{ "us", '|', 0x2b, true },
	{ "us", '~', 0x29, true },
	{ "us", ' ', 0x39 },
	{ "us", XKB_KEY_Return, 0x1c },
	{ "us", XKB_KEY_Escape, 0x01 },
	{ "us", XKB_KEY_BackSpace, 0x0e },
	{ "us", XKB_KEY_Tab, 0x0f },
	{ "us", XKB_KEY_ISO_Left_Tab, 0x0f },
	{ "us", XKB_KEY_F1, 0x3b },
	{ "us", XKB_KEY_F12, 0x58 },
	{ "us", XKB_KEY_Up, 0xc8 },
	{ "us", XKB_KEY_Delete, 0xd3 },
	{ "us", XKB_KEY_KP_Enter, 0x9c },
	{ "us", XKB_KEY_KP_7, 0x47 },
	{ "us", XKB_KEY_KP_Home, 0x47 },
	{ "us", XKB_KEY_KP_Add, 0x4e },
	{ "us", XKB_KEY_KP_Divide, 0xb5 },
	{ "us", XKB_KEY_Control_R, 0x9d },
	{ "us", XKB_KEY_Alt_L, 0x38 },
	{ "us", XKB_KEY_Super_L, 0xdb },
	{ "us", XKB_KEY_Menu, 0xdd },
	{ "us", XKB_KEY_Print, 0x54 },
	{ "us", XKB_KEY_Pause, 0xc6 },
	{ "us", XKB_KEY_Num_Lock, 0x45 },
	{ "us", XKB_KEY_adiaeresis, 0 },
	{ "us", 0x01000061, 0x1e },
	{ "us", 0xffffffff, 0 },
	{ "us", 0, 0 },
	{ "de", 'z', 0x15 },
	{ "de", 'y', 0x2c },
	{ "de", '/', 0x08, true },
	{ "de", '@', 0x10, false, true },
	{ "de", '{', 0x08, false, true },
	{ "de", '\\', 0x0c, false, true },
	{ "de", '|', 0x56, false, true },
	{ "de", '<', 0x56 },
	{ "de", XKB_KEY_EuroSign, 0x12, false, true },
	{ "de", 0x010020ac, 0x12, false, true },
	{ "de", XKB_KEY_adiaeresis, 0x28 },
	{ "de", XKB_KEY_Adiaeresis, 0x28, true },
	{ "de", XKB_KEY_ssharp, 0x0c },
	{ "de", XKB_KEY_dead_circumflex, 0x29 },
	{ "de", XKB_KEY_ISO_Level3_Shift, 0xb8 },
	{ "de(nodeadkeys)", '^', 0x29 },
	{ "fr", 'a', 0x10 },
	{ "fr", 'q', 0x1e },
	{ "fr", 'w', 0x2c },
	{ "fr", 'm', 0x27 },
	{ "fr", '1', 0x02, true },
	{ "fr", '&', 0x02 },
	{ "fr", '.', 0x33, true },
	{ "fr", '#', 0x04, false, true },
	{ "fr", XKB_KEY_eacute, 0x03 },
	{ "en-us", '@', 0x03, true },
	{ "en-gb", '@', 0x28, true },
	{ "de-ch", 'z', 0x15 },
	{ "fr-ch", XKB_KEY_eacute, 0x27 },
	{ "jp", XKB_KEY_backslash, 0x73 },
	{ "br", '/', 0x73 },
};

static void test_keys(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autoptr(GError) error = NULL;
		struct keymap *keymap = keymap_new(keys[i].layout, &error);
		const struct key *key;

		g_assert_no_error(error);
		key = keymap_find(keymap, keys[i].keysym);
		g_test_message("%s: keysym 0x%x", keys[i].layout, keys[i].keysym);
		g_assert_cmphex(key ? key->qnum : 0, ==, keys[i].qnum);
		if (key) {
			g_assert_cmpint(key->shift, ==, keys[i].shift);
			g_assert_cmpint(key->alt_gr, ==, keys[i].alt_gr);
		}
		keymap_free(keymap);
	}
}

static void test_refused(void)
{
	static const char *const names[] = { "", "xx", "../../etc/passwd", "us/../de", "de(",
		"de()", "us,de", "de(nosuchvariant)", "us:basic" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(keymap_new(names[i], &error));
		g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_INPUT);
	}
}

/* A guest that writes down what reaches it: "+1e" and "-1e" for keys, "(x,y)" for positions, "[dx,dy]" for motions,
 * "b0+" and "b0-" for buttons. */
struct guest {
	struct source source;
	GString *seen;
};

static GString *seen(struct source *source)
{
	return ((struct guest *)source)->seen;
}

static void guest_key(struct source *source, uint8_t qnum, bool down)
{
	g_string_append_printf(seen(source), "%c%02x ", down ? '+' : '-', qnum);
}

static void guest_position(struct source *source, uint32_t x, uint32_t y)
{
	g_string_append_printf(seen(source), "(%u,%u) ", x, y);
}

static void guest_motion(struct source *source, int32_t dx, int32_t dy)
{
	g_string_append_printf(seen(source), "[%d,%d] ", dx, dy);
}

static void guest_button(struct source *source, enum input_button button, bool down)
{
	g_string_append_printf(seen(source), "b%d%c ", button, down ? '+' : '-');
}

static const struct source_class guest_class = {
	.key = guest_key,
	.position = guest_position,
	.motion = guest_motion,
	.button = guest_button,
};

enum {
	CAPS = INPUT_LIGHT_CAPS,
	NUM = INPUT_LIGHT_NUM
};

static const struct {
	const char *name;
	const char *layout;
	uint32_t lights;
	uint32_t keysyms[8]; /* presses; with the top bit set, releases */
	const char *seen;
} typed[] = {
	{ "/plain", "us", 0, { 'a', 'a' | 1u << 31 }, "+1e -1e " },
	{ "/shifted", "us", 0, { XKB_KEY_Shift_L, 'A', 'A' | 1u << 31, XKB_KEY_Shift_L | 1u << 31 },
		"+2a +1e -1e -2a " },
	{ "/shift-missing", "us", 0, { 'A', 'A' | 1u << 31 }, "+2a +1e -2a -1e " },
	/* On a German keyboard Shift and 7 make a slash; here it needs none. */
	{ "/shift-not-wanted", "us", 0,
		{ XKB_KEY_Shift_L, '/', '/' | 1u << 31, XKB_KEY_Shift_L | 1u << 31 },
		"+2a -2a +35 +2a -35 -2a " },
	{ "/right-shift-not-wanted", "us", 0, { XKB_KEY_Shift_R, '/' }, "+36 -36 +35 +36 " },
	{ "/alt-gr-missing", "de", 0, { '@', '@' | 1u << 31 }, "+b8 +10 -b8 -10 " },
	{ "/alt-gr-held", "de", 0, { XKB_KEY_ISO_Level3_Shift, '@' }, "+b8 +10 " },
	{ "/alt-gr-not-wanted", "de", 0, { XKB_KEY_ISO_Level3_Shift, 'a' }, "+b8 -b8 +1e +b8 " },
	/* Without a third level, the right Alt is an Alt. */
	{ "/right-alt", "us", 0, { XKB_KEY_Alt_R, 'a' }, "+b8 +1e " },
	{ "/shift-and-tab", "us", 0, { XKB_KEY_Shift_L, XKB_KEY_ISO_Left_Tab }, "+2a +0f " },
	{ "/shift-and-arrow", "us", 0, { XKB_KEY_Shift_L, XKB_KEY_Left }, "+2a +cb " },
	{ "/caps-lock", "us", CAPS, { 'A' }, "+1e " },
	{ "/caps-lock-and-shift", "us", CAPS, { XKB_KEY_Shift_L, 'a' }, "+2a +1e " },
	{ "/caps-lock-is-not-for-digits", "us", CAPS, { '1' }, "+02 " },
	{ "/control", "us", 0, { XKB_KEY_Control_L, 'c' }, "+1d +2e " },
	{ "/control-and-capital", "us", 0, { XKB_KEY_Control_L, 'C' }, "+1d +2e " },
	{ "/keypad-digit", "us", NUM, { XKB_KEY_KP_7 }, "+47 " },
	{ "/keypad-digit-without-num-lock", "us", 0, { XKB_KEY_KP_7 }, "+45 -45 +47 " },
	{ "/keypad-home", "us", 0, { XKB_KEY_KP_Home }, "+47 " },
	{ "/keypad-home-with-num-lock", "us", NUM, { XKB_KEY_KP_Home }, "+45 -45 +47 " },
	{ "/keypad-plus", "us", NUM, { XKB_KEY_KP_Add }, "+4e " },
	{ "/repeated", "us", 0, { 'a', 'a', 'a' | 1u << 31 }, "+1e +1e -1e " },
	{ "/released-twice", "us", 0, { 'a', 'a' | 1u << 31, 'a' | 1u << 31 }, "+1e -1e " },
	{ "/no-such-key", "us", 0, { XKB_KEY_adiaeresis }, "" },
};

static void check_typed(gconstpointer data)
{
	const typeof(typed[0]) *c = data;
	struct guest guest = { .source = { .class = &guest_class }, .seen = g_string_new(NULL) };
	struct keymap *keymap = keymap_new(c->layout, NULL);
	struct input_state state = { .width = 100, .height = 100, .lights = c->lights };
	struct input input;

	input_init(&input, &guest.source, keymap);
	for (size_t i = 0; i < G_N_ELEMENTS(c->keysyms) && c->keysyms[i]; i++)
		input_keysym(
			&input, &state, c->keysyms[i] & ~(1u << 31), !(c->keysyms[i] & 1u << 31));
	g_assert_cmpstr(guest.seen->str, ==, c->seen);
	keymap_free(keymap);
	g_string_free(guest.seen, TRUE);
}

static void test_keycodes(void)
{
	struct guest guest = { .source = { .class = &guest_class }, .seen = g_string_new(NULL) };
	struct input input;

	input_init(&input, &guest.source, NULL);
	input_keycode(&input, 0x1e, true);
	input_keycode(&input, 0xb7, true); /* Print, as some count */
	input_keycode(&input, 0, true);
	input_keycode(&input, 0x100, true);
	input_keycode(&input, 0xffffffff, true);
	input_release(&input);
	g_assert_cmpstr(guest.seen->str, ==, "+1e +54 -1e -54 ");
	input_release(&input);
	g_assert_cmpstr(guest.seen->str, ==, "+1e +54 -1e -54 ");
	g_string_free(guest.seen, TRUE);
}

static void test_pointer(void)
{
	struct guest guest = { .source = { .class = &guest_class }, .seen = g_string_new(NULL) };
	struct input_state absolute = { .width = 100, .height = 50, .absolute = true };
	struct input_state relative = { .width = 100, .height = 50 };
	struct input input;

	input_init(&input, &guest.source, NULL);
	input_pointer(&input, &absolute, false, 0, 10, 20);
	input_pointer(&input, &absolute, false, 1, 10, 20);
	input_pointer(&input, &absolute, false, 5, 65535, 65535);
	input_pointer(&input, &absolute, false, 0, 65535, 65535);
	input_pointer(&input, &absolute, false, 8, 65535, 65535);
	input_pointer(&input, &absolute, false, 0x60, 65535, 65535);
	g_assert_cmpstr(guest.seen->str, ==, "(10,20) b0+ (99,49) b2+ b0- b2- b3+ b3- ");
	g_string_truncate(guest.seen, 0);

	/* A client that only knows positions moves a relative pointer by their differences. */
	input_init(&input, &guest.source, NULL);
	input_pointer(&input, &relative, false, 0, 10, 20);
	input_pointer(&input, &relative, false, 0, 13, 18);
	input_pointer(&input, &relative, false, 2, 13, 18);
	/* One that knows motions sends them. */
	input_pointer(
		&input, &relative, true, 2, POINTER_MOTION_ORIGIN + 5, POINTER_MOTION_ORIGIN - 7);
	input_release(&input);
	g_assert_cmpstr(guest.seen->str, ==, "[3,-2] b1+ [5,-7] b1- ");
	g_string_free(guest.seen, TRUE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keymap/keys", test_keys);
	g_test_add_func("/keymap/refused", test_refused);
	for (size_t i = 0; i < G_N_ELEMENTS(typed); i++) {
		g_autofree char *path = g_strconcat("/input/typed", typed[i].name, NULL);

		g_test_add_data_func(path, &typed[i], check_typed);
	}
	g_test_add_func("/input/keycodes", test_keycodes);
	g_test_add_func("/input/pointer", test_pointer);
	return g_test_run();
}
