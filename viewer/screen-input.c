/* The widget that shows a guest's picture: what is typed and pointed at.
 *
 * A pointer that takes positions is simply followed. One that takes motions needs our pointer to itself: a click grabs
 * it, every motion is counted and the pointer put back, and Ctrl+Alt lets it go.
 */
#include "viewer/screen.h"

#include <math.h>

#include "viewer/screen-private.h"
#include "viewer/send-keys.h"

enum {
	QNUM_LEFT_CONTROL = 0x1d,
	QNUM_RIGHT_CONTROL = 0x9d,
	QNUM_LEFT_ALT = 0x38,
};

static const struct {
	guint gdk;
	enum input_button button;
} buttons[] = {
	{ GDK_BUTTON_PRIMARY, INPUT_BUTTON_LEFT },
	{ GDK_BUTTON_MIDDLE, INPUT_BUTTON_MIDDLE },
	{ GDK_BUTTON_SECONDARY, INPUT_BUTTON_RIGHT },
	{ 8, INPUT_BUTTON_SIDE },
	{ 9, INPUT_BUTTON_EXTRA },
};

static bool takes_input(const struct screen *screen)
{
	return screen->source && screen->picture;
}

/* --- the keyboard --- */

static bool is_down(const struct screen *screen, uint8_t qnum)
{
	for (guint i = 0; i < KEYCODES; i++) {
		if (screen->keys[i].down && screen->keys[i].qnum == qnum)
			return true;
	}
	return false;
}

static bool is_chord_key(uint8_t qnum)
{
	return qnum == QNUM_LEFT_CONTROL || qnum == QNUM_RIGHT_CONTROL || qnum == QNUM_LEFT_ALT;
}

static void follow_chord(struct screen *screen, uint8_t qnum, bool down)
{
	bool control = is_down(screen, QNUM_LEFT_CONTROL) || is_down(screen, QNUM_RIGHT_CONTROL);
	bool both = control && is_down(screen, QNUM_LEFT_ALT);

	if (!is_chord_key(qnum))
		screen->chord = false;
	else if (down)
		screen->chord = both;
}

static gboolean on_key(GtkWidget *area, GdkEventKey *event, gpointer user_data)
{
	struct screen *screen = user_data;
	bool down = event->type == GDK_KEY_PRESS;
	struct pressed_key *key;
	bool leaves;

	if (!screen->source || event->hardware_keycode >= KEYCODES)
		return FALSE;
	key = &screen->keys[event->hardware_keycode];
	if (!down && !key->down)
		return TRUE;
	if (!key->down)
		*key = (struct pressed_key) {
			.keysym = event->keyval,
			.qnum = keymap_qnum(screen->keymap, event->hardware_keycode),
		};
	key->down = down;
	source_key(screen->source, key->keysym, key->qnum, down);
	leaves = !down && screen->chord && is_chord_key(key->qnum);
	follow_chord(screen, key->qnum, down);
	if (leaves) {
		screen_release(screen);
		screen->ops->left(screen->owner);
	}
	return TRUE;
}

static void release_keys(struct screen *screen)
{
	for (guint i = 0; i < KEYCODES; i++) {
		struct pressed_key *key = &screen->keys[i];

		if (key->down && screen->source)
			source_key(screen->source, key->keysym, key->qnum, false);
		key->down = false;
	}
	screen->chord = false;
}

void screen_send_keys(struct screen *screen, const struct send_keys *keys)
{
	size_t count = 0;

	if (!screen->source)
		return;
	while (count < SEND_KEYS_MAX && keys->keys[count].qnum) {
		source_key(screen->source, keys->keys[count].keysym, keys->keys[count].qnum, true);
		count++;
	}
	while (count-- > 0)
		source_key(screen->source, keys->keys[count].keysym, keys->keys[count].qnum, false);
}

static void on_keys_changed(GdkKeymap *keymap, gpointer user_data)
{
	struct screen *screen = user_data;
	GdkKeymapKey *keys = NULL;
	gint count = 0;

	gdk_keymap_get_entries_for_keyval(keymap, GDK_KEY_Up, &keys, &count);
	screen->keymap = keymap_kind_of(count > 0 ? keys[0].keycode : 0);
	g_free(keys);
}

/* --- the pointer --- */

static void send_button(struct screen *screen, enum input_button button, bool down)
{
	guint bit = 1u << button;

	if (!!(screen->buttons & bit) == down)
		return;
	screen->buttons ^= bit;
	source_button(screen->source, button, down);
}

static void release_buttons(struct screen *screen)
{
	for (guint i = 0; screen->source && i < INPUT_BUTTONS; i++)
		send_button(screen, i, false);
	screen->buttons = 0;
}

static void send_position(struct screen *screen, double x, double y)
{
	struct geometry geometry = screen_geometry(screen);
	int scale = gtk_widget_get_scale_factor(screen->area);
	uint32_t guest_x, guest_y;

	geometry_to_guest(&geometry, x * scale, y * scale, &guest_x, &guest_y);
	source_position(screen->source, guest_x, guest_y);
}

/* Back to the middle of the widget, so that motions never end at the edge of the screen. */
static void put_pointer_back(struct screen *screen, GdkDevice *device)
{
	GdkWindow *window = gtk_widget_get_window(screen->area);
	int width = gdk_window_get_width(window), height = gdk_window_get_height(window);
	int x, y;

	gdk_window_get_root_coords(window, width / 2, height / 2, &x, &y);
	if (fabs(screen->last_x - x) < width / 4.0 && fabs(screen->last_y - y) < height / 4.0)
		return;
	screen->warp_x = x;
	screen->warp_y = y;
	screen->warping = true;
	gdk_device_warp(device, gdk_window_get_screen(window), x, y);
}

static void take_motion(struct screen *screen, GdkEventMotion *event)
{
	bool warped = screen->warping && lround(event->x_root) == screen->warp_x &&
		      lround(event->y_root) == screen->warp_y;
	int32_t dx = lround(event->x_root - screen->last_x);
	int32_t dy = lround(event->y_root - screen->last_y);

	screen->last_x = event->x_root;
	screen->last_y = event->y_root;
	if (warped) {
		screen->warping = false;
		return;
	}
	if (dx != 0 || dy != 0)
		source_motion(screen->source, dx, dy);
	if (!screen->warping)
		put_pointer_back(screen, event->device);
}

static gboolean on_motion(GtkWidget *area, GdkEventMotion *event, gpointer user_data)
{
	struct screen *screen = user_data;

	if (!takes_input(screen))
		return FALSE;
	if (screen->absolute)
		send_position(screen, event->x, event->y);
	else if (screen->grabbed)
		take_motion(screen, event);
	return TRUE;
}

static void grab(struct screen *screen, GdkEventButton *event)
{
	GdkWindow *window = gtk_widget_get_window(screen->area);
	GdkSeat *seat = gdk_device_get_seat(event->device);

	if (gdk_seat_grab(seat, window, GDK_SEAT_CAPABILITY_ALL, FALSE, NULL, (GdkEvent *)event,
		    NULL, NULL) != GDK_GRAB_SUCCESS)
		return;
	screen->grabbed = true;
	screen->warping = false;
	screen->last_x = event->x_root;
	screen->last_y = event->y_root;
	screen_update_cursor(screen);
	screen->ops->grabbed(screen->owner, true);
}

static void release_grab(struct screen *screen)
{
	GdkDisplay *display = gtk_widget_get_display(screen->area);

	if (!screen->grabbed)
		return;
	screen->grabbed = false;
	gdk_seat_ungrab(gdk_display_get_default_seat(display));
	screen_update_cursor(screen);
	screen->ops->grabbed(screen->owner, false);
}

static gboolean on_button(GtkWidget *area, GdkEventButton *event, gpointer user_data)
{
	struct screen *screen = user_data;
	bool down = event->type == GDK_BUTTON_PRESS;

	/* A double click is two clicks to the guest; GTK's word for it comes on top of them. */
	if (event->type != GDK_BUTTON_PRESS && event->type != GDK_BUTTON_RELEASE)
		return TRUE;
	if (down)
		gtk_widget_grab_focus(area);
	if (!takes_input(screen))
		return TRUE;
	if (!screen->absolute && !screen->grabbed) {
		if (down)
			grab(screen, event);
		return TRUE;
	}
	if (screen->absolute)
		send_position(screen, event->x, event->y);
	for (size_t i = 0; i < G_N_ELEMENTS(buttons); i++) {
		if (buttons[i].gdk == event->button)
			send_button(screen, buttons[i].button, down);
	}
	return TRUE;
}

static void send_notch(struct screen *screen, enum input_button button)
{
	send_button(screen, button, true);
	send_button(screen, button, false);
}

static gboolean on_scroll(GtkWidget *area, GdkEventScroll *event, gpointer user_data)
{
	struct screen *screen = user_data;

	if (!takes_input(screen) || (!screen->absolute && !screen->grabbed))
		return FALSE;
	if (event->direction == GDK_SCROLL_UP)
		send_notch(screen, INPUT_BUTTON_WHEEL_UP);
	else if (event->direction == GDK_SCROLL_DOWN)
		send_notch(screen, INPUT_BUTTON_WHEEL_DOWN);
	else if (event->direction == GDK_SCROLL_SMOOTH && isfinite(event->delta_y))
		screen->scroll += CLAMP(event->delta_y, -16, 16);
	for (; screen->scroll >= 1; screen->scroll--)
		send_notch(screen, INPUT_BUTTON_WHEEL_DOWN);
	for (; screen->scroll <= -1; screen->scroll++)
		send_notch(screen, INPUT_BUTTON_WHEEL_UP);
	return TRUE;
}

/* --- */

void screen_release(struct screen *screen)
{
	release_keys(screen);
	release_buttons(screen);
	screen->scroll = 0;
	release_grab(screen);
}

bool screen_is_grabbed(const struct screen *screen)
{
	return screen->grabbed;
}

static gboolean on_focus_out(GtkWidget *area, GdkEventFocus *event, gpointer user_data)
{
	screen_release(user_data);
	return FALSE;
}

static gboolean on_grab_broken(GtkWidget *area, GdkEventGrabBroken *event, gpointer user_data)
{
	screen_release(user_data);
	return FALSE;
}

static void on_realize(GtkWidget *area, gpointer user_data)
{
	/* Two motions made into one would hide the event of a pointer that was put back. */
	gdk_window_set_event_compression(gtk_widget_get_window(area), FALSE);
	screen_update_cursor(user_data);
}

static const struct {
	const char *signal;
	GCallback handler;
} handlers[] = {
	{ "realize", G_CALLBACK(on_realize) },
	{ "key-press-event", G_CALLBACK(on_key) },
	{ "key-release-event", G_CALLBACK(on_key) },
	{ "motion-notify-event", G_CALLBACK(on_motion) },
	{ "button-press-event", G_CALLBACK(on_button) },
	{ "button-release-event", G_CALLBACK(on_button) },
	{ "scroll-event", G_CALLBACK(on_scroll) },
	{ "focus-out-event", G_CALLBACK(on_focus_out) },
	{ "grab-broken-event", G_CALLBACK(on_grab_broken) },
};

void screen_input_connect(struct screen *screen)
{
	GdkKeymap *keymap = gdk_keymap_get_for_display(gtk_widget_get_display(screen->area));

	gtk_widget_add_events(screen->area,
		GDK_KEY_PRESS_MASK | GDK_KEY_RELEASE_MASK | GDK_POINTER_MOTION_MASK |
			GDK_BUTTON_PRESS_MASK | GDK_BUTTON_RELEASE_MASK | GDK_SCROLL_MASK |
			GDK_SMOOTH_SCROLL_MASK | GDK_FOCUS_CHANGE_MASK);
	for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++)
		g_signal_connect(screen->area, handlers[i].signal, handlers[i].handler, screen);
	g_signal_connect(keymap, "keys-changed", G_CALLBACK(on_keys_changed), screen);
	on_keys_changed(keymap, screen);
}
