/* Where a picture comes from: the choice between the kinds, and the calls handed on to them. */
#include "viewer/source.h"

struct source *source_new(
	const struct target *target, const struct source_events *events, void *owner)
{
	bool is_bus = target->kind == TARGET_BUS || target->kind == TARGET_QMP;
	struct source *source = is_bus ? source_bus_new(target) : source_vnc_new(target);

	source->events = events;
	source->owner = owner;
	return source;
}

void source_free(struct source *source)
{
	if (source)
		source->ops->free(source);
}

void source_key(struct source *source, uint32_t keysym, uint8_t qnum, bool down)
{
	source->ops->key(source, keysym, qnum, down);
}

void source_motion(struct source *source, int32_t dx, int32_t dy)
{
	source->ops->motion(source, dx, dy);
}

void source_position(struct source *source, uint32_t x, uint32_t y)
{
	source->ops->position(source, x, y);
}

void source_button(struct source *source, enum input_button button, bool down)
{
	source->ops->button(source, button, down);
}

void source_answer(struct source *source, const char *user_name, const char *password)
{
	if (source->ops->answer)
		source->ops->answer(source, user_name, password);
}
