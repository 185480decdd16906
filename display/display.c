/* The display of one guest: the list of its heads, the devices that take input, and who is told when these change. */
#include "display/display.h"

#include "display/audio.h"
#include "display/display-private.h"
#include "display/head.h"

/* A keyboard or a pointer, and the device behind it. */
struct input_device {
	const void *ops;
	void *device;
};

struct watcher {
	display_changed_func changed;
	void *watcher;
};

struct display {
	GMutex *lock;
	GMainContext *context;
	GPtrArray *heads; /* changed on the main loop only */
	GArray *watchers; /* struct watcher */
	GSource *change;  /* tells the watchers */
	struct audio *audio;

	/* With the lock held. The newest is the last. */
	GArray *keyboards; /* struct input_device, of struct keyboard_ops */
	GArray *pointers;  /* struct input_device, of struct pointer_ops */
	GArray *touches;   /* struct input_device, of struct touch_ops */
	uint32_t lights;
};

static bool is_watching(const struct display *display, const void *watcher)
{
	for (guint i = 0; i < display->watchers->len; i++)
		if (g_array_index(display->watchers, struct watcher, i).watcher == watcher)
			return true;
	return false;
}

/* A watcher may end others, or itself. */
static gboolean tell_watchers(gpointer data)
{
	struct display *display = data;
	g_autoptr(GArray) watchers = g_array_copy(display->watchers);

	g_source_set_ready_time(display->change, -1);
	for (guint i = 0; i < watchers->len; i++) {
		struct watcher *watcher = &g_array_index(watchers, struct watcher, i);

		if (is_watching(display, watcher->watcher))
			watcher->changed(display, watcher->watcher);
	}
	return G_SOURCE_CONTINUE;
}

static gboolean dispatch_change(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs change_funcs = { .dispatch = dispatch_change };

struct display *display_new(GMutex *lock)
{
	struct display *display = g_new0(struct display, 1);

	display->lock = lock;
	display->context = g_main_context_ref_thread_default();
	display->heads = g_ptr_array_new();
	display->audio = audio_new(lock, display->context);
	display->watchers = g_array_new(FALSE, FALSE, sizeof(struct watcher));
	display->keyboards = g_array_new(FALSE, FALSE, sizeof(struct input_device));
	display->pointers = g_array_new(FALSE, FALSE, sizeof(struct input_device));
	display->touches = g_array_new(FALSE, FALSE, sizeof(struct input_device));
	display->change = g_source_new(&change_funcs, sizeof(GSource));
	g_source_set_callback(display->change, tell_watchers, display, NULL);
	g_source_set_static_name(display->change, "display change");
	g_source_attach(display->change, display->context);
	return display;
}

void display_free(struct display *display)
{
	if (!display)
		return;
	g_assert(display->heads->len == 0);
	g_source_destroy(display->change);
	g_source_unref(display->change);
	audio_free(display->audio);
	g_ptr_array_unref(display->heads);
	g_array_unref(display->watchers);
	g_array_unref(display->keyboards);
	g_array_unref(display->pointers);
	g_array_unref(display->touches);
	g_main_context_unref(display->context);
	g_free(display);
}

GMutex *display_lock(const struct display *display)
{
	return display->lock;
}

struct audio *display_audio(const struct display *display)
{
	return display->audio;
}

GMainContext *display_context(const struct display *display)
{
	return display->context;
}

void display_announce(struct display *display)
{
	g_source_set_ready_time(display->change, 0);
}

void display_add_head(struct display *display, struct head *head)
{
	g_ptr_array_add(display->heads, head);
	display_announce(display);
}

void display_remove_head(struct display *display, struct head *head)
{
	g_ptr_array_remove(display->heads, head);
	display_announce(display);
}

guint display_head_count(const struct display *display)
{
	return display->heads->len;
}

struct head *display_head(const struct display *display, guint index)
{
	return index < display->heads->len ? g_ptr_array_index(display->heads, index) : NULL;
}

/* Puts a device on top of the stack, or takes it out when @ops is NULL. */
static void set_input_device(struct display *display, GArray *stack, const void *ops, void *device)
{
	struct input_device newest = { .ops = ops, .device = device };

	for (guint i = 0; i < stack->len; i++) {
		if (g_array_index(stack, struct input_device, i).device == device) {
			g_array_remove_index(stack, i);
			break;
		}
	}
	if (ops)
		g_array_append_val(stack, newest);
	display_announce(display);
}

void display_set_keyboard(struct display *display, const struct keyboard_ops *ops, void *device)
{
	set_input_device(display, display->keyboards, ops, device);
}

void display_set_pointer(struct display *display, const struct pointer_ops *ops, void *device)
{
	set_input_device(display, display->pointers, ops, device);
}

void display_set_touch(struct display *display, const struct touch_ops *ops, void *device)
{
	set_input_device(display, display->touches, ops, device);
}

void display_set_lights(struct display *display, uint32_t lights)
{
	if (display->lights == lights)
		return;
	display->lights = lights;
	display_announce(display);
}

static const struct input_device *newest(const GArray *stack)
{
	return stack->len > 0 ? &g_array_index(stack, struct input_device, stack->len - 1) : NULL;
}

/* The newest that takes positions, else the newest. */
static const struct input_device *chosen_pointer(const struct display *display)
{
	for (guint i = display->pointers->len; i > 0; i--) {
		const struct input_device *pointer =
			&g_array_index(display->pointers, struct input_device, i - 1);

		if (((const struct pointer_ops *)pointer->ops)->absolute)
			return pointer;
	}
	return newest(display->pointers);
}

static void wake_heads(struct display *display)
{
	for (guint i = 0; i < display->heads->len; i++)
		head_wake(g_ptr_array_index(display->heads, i));
}

void display_key(struct display *display, uint8_t qnum, bool down)
{
	const struct input_device *keyboard;

	g_mutex_lock(display->lock);
	keyboard = newest(display->keyboards);
	if (keyboard)
		((const struct keyboard_ops *)keyboard->ops)->key(keyboard->device, qnum, down);
	g_mutex_unlock(display->lock);
	wake_heads(display);
}

void display_pointer_motion(struct display *display, int32_t dx, int32_t dy)
{
	const struct input_device *pointer;
	const struct pointer_ops *ops;

	g_mutex_lock(display->lock);
	pointer = chosen_pointer(display);
	ops = pointer ? pointer->ops : NULL;
	if (ops && ops->motion && !ops->absolute)
		ops->motion(pointer->device, dx, dy);
	g_mutex_unlock(display->lock);
	wake_heads(display);
}

void display_pointer_position(struct display *display, struct head *head, uint32_t x, uint32_t y)
{
	const struct input_device *pointer;
	const struct pointer_ops *ops;
	uint32_t width, height;

	head_size(head, &width, &height);
	if (width == 0 || height == 0)
		return;
	g_mutex_lock(display->lock);
	pointer = chosen_pointer(display);
	ops = pointer ? pointer->ops : NULL;
	if (ops && ops->position && ops->absolute)
		ops->position(
			pointer->device, MIN(x, width - 1), MIN(y, height - 1), width, height);
	g_mutex_unlock(display->lock);
	wake_heads(display);
}

void display_pointer_button(struct display *display, enum input_button button, bool down)
{
	const struct input_device *pointer;
	const struct pointer_ops *ops;

	if (button >= INPUT_BUTTONS)
		return;
	g_mutex_lock(display->lock);
	pointer = chosen_pointer(display);
	ops = pointer ? pointer->ops : NULL;
	if (ops && ops->button)
		ops->button(pointer->device, button, down);
	g_mutex_unlock(display->lock);
	wake_heads(display);
}

bool display_touch(struct display *display, struct head *head, enum input_touch kind, unsigned slot,
	uint32_t x, uint32_t y)
{
	const struct input_device *screen;
	const struct touch_ops *ops;
	uint32_t width, height;
	bool taken;

	head_size(head, &width, &height);
	g_mutex_lock(display->lock);
	screen = newest(display->touches);
	ops = screen ? screen->ops : NULL;
	taken = ops && slot < ops->slots && width > 0 && height > 0;
	if (taken)
		ops->touch(screen->device, kind, slot, MIN(x, width - 1), MIN(y, height - 1), width,
			height);
	g_mutex_unlock(display->lock);
	wake_heads(display);
	return taken;
}

unsigned display_touch_slots(const struct display *display)
{
	const struct input_device *screen;
	unsigned slots;

	g_mutex_lock(display->lock);
	screen = newest(display->touches);
	slots = screen ? ((const struct touch_ops *)screen->ops)->slots : 0;
	g_mutex_unlock(display->lock);
	return slots;
}

bool display_pointer_is_absolute(const struct display *display)
{
	const struct input_device *pointer;
	bool absolute;

	g_mutex_lock(display->lock);
	pointer = chosen_pointer(display);
	absolute = pointer && ((const struct pointer_ops *)pointer->ops)->absolute;
	g_mutex_unlock(display->lock);
	return absolute;
}

uint32_t display_lights(const struct display *display)
{
	uint32_t lights;

	g_mutex_lock(display->lock);
	lights = display->lights;
	g_mutex_unlock(display->lock);
	return lights;
}

void display_watch(struct display *display, display_changed_func changed, void *watcher)
{
	struct watcher entry = { .changed = changed, .watcher = watcher };

	g_array_append_val(display->watchers, entry);
}

void display_unwatch(struct display *display, void *watcher)
{
	for (guint i = 0; i < display->watchers->len; i++) {
		if (g_array_index(display->watchers, struct watcher, i).watcher == watcher) {
			g_array_remove_index(display->watchers, i);
			return;
		}
	}
}
