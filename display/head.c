/* A head: what its device sets, and what others ask of it.
 *
 * Device threads change one pending state under the display's lock; the head's turn on the main loop (head-turn.c) takes
 * it from there.
 */
#include "display/head.h"

#include "display/display-private.h"
#include "display/head-private.h"

enum {
	TOLD_MOST = 256, /* rectangles of damage that a device may leave; then they become one */
};

static void state_clear(struct head_state *state)
{
	g_clear_pointer(&state->memory, video_memory_unref);
	g_clear_pointer(&state->cursor, cursor_unref);
}

void head_state_copy(struct head_state *to, const struct head_state *from)
{
	struct head_state old = *to;

	*to = *from;
	if (to->memory)
		video_memory_ref(to->memory);
	if (to->cursor)
		cursor_ref(to->cursor);
	state_clear(&old);
}

struct head *head_new(struct display *display, const struct head_config *config)
{
	struct head *head = g_new0(struct head, 1);

	head->references = 1;
	head->display = display;
	head->lock = display_lock(display);
	head->label = g_strdup(config->label);
	head->device_address = g_strdup(config->device_address);
	head->number = config->number;
	head->ops = config->ops;
	head->device = config->device;
	head->pending.scanout_serial = 1;
	head->pending.cursor_serial = 1;
	head->pending.mouse_serial = 1;
	pixman_region32_init(&head->told);
	head->listeners = g_ptr_array_new();
	head_turn_init(head, display_context(display));
	display_add_head(display, head);
	return head;
}

void head_free(struct head *head)
{
	if (!head)
		return;
	head_disable(head);
	display_remove_head(head->display, head);
	head->display = NULL;
	head->ops = NULL;
	head->device = NULL;
	head_unref(head);
}

struct head *head_ref(struct head *head)
{
	head->references++;
	return head;
}

void head_unref(struct head *head)
{
	if (--head->references > 0)
		return;
	g_assert(head->listeners->len == 0);
	head_turn_clear(head);
	state_clear(&head->pending);
	state_clear(&head->shown);
	pixman_region32_fini(&head->told);
	g_ptr_array_unref(head->listeners);
	g_free(head->label);
	g_free(head->device_address);
	g_free(head);
}

void head_set_ops(struct head *head, const struct head_ops *ops)
{
	head->ops = ops;
	head_turn_soon(head);
}

/* What the device has to do before its picture is looked at. */
void head_prepare(struct head *head)
{
	if (head->ops && head->ops->refresh)
		head->ops->refresh(head->device);
	if (head->ops && head->ops->fetch)
		head->ops->fetch(head->device);
}

void head_set_scanout(struct head *head, struct video_memory *memory, const struct scanout *scanout)
{
	struct video_memory *old = head->pending.memory;
	bool resized = !old || head->pending.scanout.width != scanout->width ||
		       head->pending.scanout.height != scanout->height;

	g_assert(scanout_fits(scanout, video_memory_size(memory)));
	if (old == memory && scanout_equal(&head->pending.scanout, scanout))
		return;
	head->pending.memory = video_memory_ref(memory);
	head->pending.scanout = *scanout;
	head->pending.scanout_serial++;
	pixman_region32_clear(&head->told);
	video_memory_unref(old);
	if (resized)
		display_announce(head->display);
	head_turn_soon(head);
}

void head_disable(struct head *head)
{
	if (!head->pending.memory)
		return;
	g_clear_pointer(&head->pending.memory, video_memory_unref);
	head->pending.scanout_serial++;
	pixman_region32_clear(&head->told);
	display_announce(head->display);
	head_turn_soon(head);
}

/* Whether anything of @area lies in the picture; cuts it to that. */
static bool clip(struct rectangle *area, const struct scanout *scanout)
{
	int64_t left = MAX(area->x, 0);
	int64_t top = MAX(area->y, 0);
	int64_t right = MIN((int64_t)area->x + area->width, (int64_t)scanout->width);
	int64_t bottom = MIN((int64_t)area->y + area->height, (int64_t)scanout->height);

	if (left >= right || top >= bottom)
		return false;
	*area = (struct rectangle) { left, top, right - left, bottom - top };
	return true;
}

void head_damage(struct head *head, const struct rectangle *area)
{
	struct rectangle inside = *area;
	pixman_region32_t *told = &head->told;

	if (!head->watched || !head->pending.memory || !clip(&inside, &head->pending.scanout))
		return;
	if (pixman_region32_n_rects(told) >= TOLD_MOST) {
		pixman_box32_t all = *pixman_region32_extents(told);

		pixman_region32_reset(told, &all);
	}
	pixman_region32_union_rect(told, told, inside.x, inside.y, inside.width, inside.height);
	head_turn_soon(head);
}

void head_set_cursor(struct head *head, struct cursor *cursor)
{
	struct cursor *old = head->pending.cursor;

	if (cursor == old)
		return;
	head->pending.cursor = cursor ? cursor_ref(cursor) : NULL;
	head->pending.cursor_serial++;
	cursor_unref(old);
	head_turn_soon(head);
}

void head_move_cursor(struct head *head, int32_t x, int32_t y, bool visible)
{
	struct head_state *pending = &head->pending;

	if (pending->x == x && pending->y == y && pending->visible == visible)
		return;
	pending->x = x;
	pending->y = y;
	pending->visible = visible;
	pending->mouse_serial++;
	head_turn_soon(head);
}

const char *head_label(const struct head *head)
{
	return head->label;
}

const char *head_device_address(const struct head *head)
{
	return head->device_address;
}

uint32_t head_number(const struct head *head)
{
	return head->number;
}

void head_set_ui_info(struct head *head, const struct head_ui_info *info)
{
	g_mutex_lock(head->lock);
	if (head->ops && head->ops->set_ui_info)
		head->ops->set_ui_info(head->device, info);
	g_mutex_unlock(head->lock);
}

void head_size(struct head *head, uint32_t *width, uint32_t *height)
{
	g_mutex_lock(head->lock);
	*width = head->pending.memory ? head->pending.scanout.width : 0;
	*height = head->pending.memory ? head->pending.scanout.height : 0;
	g_mutex_unlock(head->lock);
}

bool head_picture(struct head *head, struct video_memory **memory, struct scanout *scanout)
{
	bool shows;

	g_mutex_lock(head->lock);
	head_prepare(head);
	shows = head->pending.memory != NULL;
	if (shows) {
		*memory = video_memory_ref(head->pending.memory);
		*scanout = head->pending.scanout;
	}
	g_mutex_unlock(head->lock);
	return shows;
}
