/* From keysyms to key numbers, by the guest's keyboard layout. */
#include "vnc-server/keymap.h"

#include <linux/input-event-codes.h>
#include <string.h>

#include <xkbcommon/xkbcommon-keysyms.h>
#include <xkbcommon/xkbcommon.h>

#include "base/error.h"
#include "display/keycodes.h"

enum {
	LAYOUT_NAME_MAX = 64,
};

/* Names of QEMU's -k that are not XKB's. */
static const struct {
	const char *name, *layout, *variant;
} aliases[] = {
	{ "en-us", "us", NULL },
	{ "en-gb", "gb", NULL },
	{ "da", "dk", NULL },
	{ "sv", "se", NULL },
	{ "sl", "si", NULL },
	{ "et", "ee", NULL },
	{ "ja", "jp", NULL },
	{ "de-ch", "ch", NULL },
	{ "fr-ch", "ch", "fr" },
	{ "fr-be", "be", NULL },
	{ "nl-be", "be", NULL },
	{ "fr-ca", "ca", NULL },
	{ "pt-br", "br", NULL },
};

/* Keysyms that clients send for a key which layouts name otherwise. */
static const struct {
	xkb_keysym_t keysym;
	uint8_t qnum;
} fixed[] = {
	{ XKB_KEY_Shift_L, 0x2a },
	{ XKB_KEY_Shift_R, 0x36 },
	{ XKB_KEY_Control_L, 0x1d },
	{ XKB_KEY_Control_R, 0x9d },
	{ XKB_KEY_Alt_L, 0x38 },
	{ XKB_KEY_Meta_L, 0x38 },
	{ XKB_KEY_Alt_R, 0xb8 },
	{ XKB_KEY_Meta_R, 0xb8 },
	{ XKB_KEY_ISO_Level3_Shift, 0xb8 },
	{ XKB_KEY_Mode_switch, 0xb8 },
	{ XKB_KEY_Super_L, 0xdb },
	{ XKB_KEY_Super_R, 0xdc },
	{ XKB_KEY_Hyper_L, 0xdb },
	{ XKB_KEY_Hyper_R, 0xdc },
	{ XKB_KEY_Menu, 0xdd },
	{ XKB_KEY_Caps_Lock, 0x3a },
	{ XKB_KEY_Num_Lock, 0x45 },
	{ XKB_KEY_Scroll_Lock, 0x46 },
	{ XKB_KEY_Print, 0x54 },
	{ XKB_KEY_Sys_Req, 0x54 },
	{ XKB_KEY_Pause, 0xc6 },
	{ XKB_KEY_Break, 0xc6 },
	{ XKB_KEY_ISO_Left_Tab, 0x0f },
	{ XKB_KEY_Delete, 0xd3 },
	{ XKB_KEY_Linefeed, 0x1c },
};

static bool is_keypad(xkb_keysym_t keysym)
{
	return keysym >= XKB_KEY_KP_Space && keysym <= XKB_KEY_KP_Equal;
}

/* Keysyms of the keypad's number block that need Num Lock; the others of it need it off. */
static bool needs_num_lock(xkb_keysym_t keysym)
{
	return (keysym >= XKB_KEY_KP_0 && keysym <= XKB_KEY_KP_9) || keysym == XKB_KEY_KP_Decimal ||
	       keysym == XKB_KEY_KP_Separator;
}

static bool has_num_lock_meaning(xkb_keysym_t keysym)
{
	return needs_num_lock(keysym) || (keysym >= XKB_KEY_KP_Home && keysym <= XKB_KEY_KP_Delete);
}

/* The first key that gives a keysym stays: layouts name a key's own meaning before those with modifiers. */
static void add_key(struct keymap *keymap, const struct key *key)
{
	if (g_hash_table_contains(keymap->keys, GUINT_TO_POINTER(key->keysym)))
		return;
	g_hash_table_insert(
		keymap->keys, GUINT_TO_POINTER(key->keysym), g_memdup2(key, sizeof(*key)));
}

/* A keysym and the same character as a Unicode keysym, which some clients send for everything. */
static void add_keysym(struct keymap *keymap, struct key *key)
{
	uint32_t character = xkb_keysym_to_utf32(key->keysym);

	key->keypad = has_num_lock_meaning(key->keysym);
	key->num_lock = needs_num_lock(key->keysym);
	key->character = character >= 0x20 && character != 0x7f && !is_keypad(key->keysym);
	key->letter = xkb_keysym_to_upper(key->keysym) != xkb_keysym_to_lower(key->keysym);
	/* Dead keys are no characters yet, but their modifiers matter all the same. */
	if (key->keysym >= XKB_KEY_dead_grave && key->keysym <= XKB_KEY_dead_greek)
		key->character = true;
	add_key(keymap, key);
	if (key->character && character >= 0x20) {
		struct key unicode = *key;

		unicode.keysym = 0x01000000 | character;
		add_key(keymap, &unicode);
	}
}

struct collector {
	struct keymap *keymap;
	xkb_level_index_t level;
	xkb_mod_mask_t shift, level3, others;
	bool any;       /* there was a key that has this level */
	bool extra_key; /* it is the turn of the key that not every keyboard has */
};

static void collect_key(struct xkb_keymap *xkb, xkb_keycode_t code, void *data)
{
	struct collector *collector = data;
	uint8_t qnum = keycodes_qnum_from_xkb(code);
	const xkb_keysym_t *keysyms;
	xkb_mod_mask_t masks[16];
	size_t count;

	if ((code == KEY_102ND + KEYCODES_XKB_OFFSET) != collector->extra_key)
		return;
	if (qnum == 0 || xkb_keymap_num_levels_for_key(xkb, code, 0) <= collector->level)
		return;
	collector->any = true;
	if (xkb_keymap_key_get_syms_by_level(xkb, code, 0, collector->level, &keysyms) != 1)
		return;
	count = xkb_keymap_key_get_mods_for_level(
		xkb, code, 0, collector->level, masks, G_N_ELEMENTS(masks));
	for (size_t i = 0; i < count; i++) {
		struct key key = { .keysym = keysyms[0], .qnum = qnum };

		if (masks[i] & collector->others && !is_keypad(keysyms[0]))
			continue;
		key.shift = masks[i] & collector->shift;
		key.alt_gr = masks[i] & collector->level3;
		if (key.alt_gr && !collector->keymap->has_alt_gr)
			continue;
		add_keysym(collector->keymap, &key);
		return;
	}
}

static xkb_mod_mask_t modifier(struct xkb_keymap *xkb, const char *name)
{
	xkb_mod_index_t index = xkb_keymap_mod_get_index(xkb, name);

	return index == XKB_MOD_INVALID ? 0 : 1u << index;
}

/* Whether the right Alt chooses the third level; some layouts have such a level and no key to choose it. */
static bool right_alt_is_alt_gr(struct xkb_keymap *xkb)
{
	const xkb_keysym_t *keysyms;

	return xkb_keymap_key_get_syms_by_level(
		       xkb, KEY_RIGHTALT + KEYCODES_XKB_OFFSET, 0, 0, &keysyms) == 1 &&
	       keysyms[0] == XKB_KEY_ISO_Level3_Shift;
}

/* Level after level, so that a character that two keys can make is made with the fewest modifiers. */
static void collect_levels(struct collector *collector, struct xkb_keymap *xkb)
{
	collector->level = 0;
	do {
		collector->any = false;
		xkb_keymap_key_for_each(xkb, collect_key, collector);
		collector->level++;
	} while (collector->any);
}

/* The key beside the left Shift comes last: XKB gives it meanings in layouts whose keyboards lack it, as "<" in us, and
 * guests without XKB know none for it. */
static void collect_keys(struct keymap *keymap, struct xkb_keymap *xkb)
{
	struct collector collector = {
		.keymap = keymap,
		.shift = modifier(xkb, XKB_MOD_NAME_SHIFT),
		.level3 = modifier(xkb, "LevelThree") | modifier(xkb, "Mod5"),
	};

	keymap->has_alt_gr = right_alt_is_alt_gr(xkb);
	collector.others = ~(collector.shift | collector.level3);
	collect_levels(&collector, xkb);
	collector.extra_key = true;
	collect_levels(&collector, xkb);
}

static void discard_message(struct xkb_context *context, enum xkb_log_level level,
	const char *format, va_list arguments)
{
}

/* Splits "layout(variant)"; both are copied. False when it is no such name: it becomes part of a file's path. */
static bool split_name(const char *name, char **layout, char **variant)
{
	g_autoptr(GRegex) regex =
		g_regex_new("^([A-Za-z0-9_]+)(?:\\(([A-Za-z0-9_-]+)\\))?$", 0, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++) {
		if (strcmp(aliases[i].name, name) == 0) {
			*layout = g_strdup(aliases[i].layout);
			*variant = g_strdup(aliases[i].variant ? aliases[i].variant : "");
			return true;
		}
	}
	if (strlen(name) > LAYOUT_NAME_MAX || !g_regex_match(regex, name, 0, &match))
		return false;
	*layout = g_match_info_fetch(match, 1);
	*variant = g_match_info_fetch(match, 2);
	if (!*variant)
		*variant = g_strdup("");
	return true;
}

static struct xkb_keymap *compile(const char *layout, const char *variant)
{
	struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
	struct xkb_rule_names names = {
		.rules = "evdev",
		.model = "pc105",
		.layout = layout,
		.variant = variant,
		.options = "",
	};
	struct xkb_keymap *xkb = NULL;

	if (!context)
		return NULL;
	xkb_context_set_log_fn(context, discard_message);
	xkb = xkb_keymap_new_from_names(context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
	xkb_context_unref(context);
	return xkb;
}

struct keymap *keymap_new(const char *name, GError **error)
{
	g_autofree char *layout = NULL, *variant = NULL;
	struct xkb_keymap *xkb = NULL;
	struct keymap *keymap;

	if (split_name(name, &layout, &variant))
		xkb = compile(layout, variant);
	if (!xkb) {
		fail(error, VITRINE_ERROR_INPUT,
			"there is no keyboard layout '%s'; layouts such as us, de, fr or "
			"de(nodeadkeys) come with the package xkb-data",
			name);
		return NULL;
	}
	keymap = g_new0(struct keymap, 1);
	keymap->keys = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++)
		add_key(keymap, &(struct key) { .keysym = fixed[i].keysym, .qnum = fixed[i].qnum });
	collect_keys(keymap, xkb);
	xkb_keymap_unref(xkb);
	return keymap;
}

void keymap_free(struct keymap *keymap)
{
	g_hash_table_unref(keymap->keys);
	g_free(keymap);
}

const struct key *keymap_find(const struct keymap *keymap, uint32_t keysym)
{
	const struct key *key = g_hash_table_lookup(keymap->keys, GUINT_TO_POINTER(keysym));
	uint32_t character;

	if (key)
		return key;
	character = xkb_keysym_to_utf32(keysym);
	if (character < 0x20)
		return NULL;
	return g_hash_table_lookup(keymap->keys, GUINT_TO_POINTER(0x01000000 | character));
}
