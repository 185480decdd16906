/* A guest's picture over the display bus: its first console. */
#include "viewer/source.h"

#include "base/error.h"
#include "display/bus-client.h"

struct source_bus {
	struct source source;
	struct bus_client *client;
	struct bus_console *console; /* NULL: not watching yet */
};

static struct source_bus *bus_of(struct source *source)
{
	return (struct source_bus *)source;
}

static void on_scanout(void *owner, const struct bus_picture *picture)
{
	const struct source_bus *bus = owner;
	const struct source_picture shown = {
		.width = picture->width,
		.height = picture->height,
		.stride = picture->stride,
		.format = picture->format,
		.pixels = picture->pixels,
	};

	bus->source.events->picture(bus->source.owner, &shown);
}

static void on_disable(void *owner)
{
	const struct source_bus *bus = owner;

	bus->source.events->no_picture(bus->source.owner);
}

static bool on_update(void *owner, const struct rectangle *areas, guint count)
{
	const struct source_bus *bus = owner;

	bus->source.events->changed(bus->source.owner, areas, count);
	return true;
}

static void on_cursor(void *owner, const struct cursor *cursor)
{
	const struct source_bus *bus = owner;

	bus->source.events->cursor(bus->source.owner, cursor);
}

static void on_mouse(void *owner, int32_t x, int32_t y, bool visible)
{
	const struct source_bus *bus = owner;

	bus->source.events->mouse(bus->source.owner, x, y, visible);
}

static void on_lights(void *owner, uint32_t lights)
{
}

static void on_pointer_kind(void *owner, bool absolute)
{
	const struct source_bus *bus = owner;

	bus->source.events->pointer_kind(bus->source.owner, absolute);
}

static const struct bus_console_ops console_ops = {
	.scanout = on_scanout,
	.disable = on_disable,
	.update = on_update,
	.cursor = on_cursor,
	.mouse = on_mouse,
	.lights = on_lights,
	.pointer_kind = on_pointer_kind,
};

static void on_ready(void *owner)
{
	struct source_bus *bus = owner;
	g_autoptr(GError) error = NULL;

	if (bus_client_console_count(bus->client) == 0) {
		fail(&error, VITRINE_ERROR_NOT_FOUND, "the guest has no display");
		bus->source.events->ended(bus->source.owner, error);
		return;
	}
	bus->source.events->connected(bus->source.owner, bus_client_name(bus->client));
	bus->console = bus_client_watch(bus->client, 0, &console_ops, bus);
	bus->source.events->pointer_kind(
		bus->source.owner, bus_console_pointer_is_absolute(bus->console));
}

static void on_ended(void *owner, const GError *reason)
{
	struct source_bus *bus = owner;

	bus->console = NULL;
	bus->source.events->ended(bus->source.owner, reason);
}

static const struct bus_client_ops client_ops = { .ready = on_ready, .ended = on_ended };

static void bus_free(struct source *source)
{
	struct source_bus *bus = bus_of(source);

	bus_client_free(bus->client);
	g_free(bus);
}

static void bus_key(struct source *source, uint32_t keysym, uint8_t qnum, bool down)
{
	if (bus_of(source)->console && qnum)
		bus_console_key(bus_of(source)->console, qnum, down);
}

static void bus_motion(struct source *source, int32_t dx, int32_t dy)
{
	if (bus_of(source)->console)
		bus_console_motion(bus_of(source)->console, dx, dy);
}

static void bus_position(struct source *source, uint32_t x, uint32_t y)
{
	if (bus_of(source)->console)
		bus_console_position(bus_of(source)->console, x, y);
}

static void bus_button(struct source *source, enum input_button button, bool down)
{
	if (bus_of(source)->console)
		bus_console_button(bus_of(source)->console, button, down);
}

static const struct source_ops ops = {
	.free = bus_free,
	.key = bus_key,
	.motion = bus_motion,
	.position = bus_position,
	.button = bus_button,
};

struct source *source_bus_new(const struct target *target)
{
	struct source_bus *bus = g_new0(struct source_bus, 1);

	bus->source.ops = &ops;
	if (target->kind == TARGET_QMP)
		bus->client = bus_client_connect_qmp(target->text, &client_ops, bus);
	else
		bus->client = bus_client_connect(target->text, &client_ops, bus);
	return &bus->source;
}
