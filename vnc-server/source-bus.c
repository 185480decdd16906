/* The source behind the display bus: the first console of a guest.
 *
 * The console is watched while the server wants pictures, so that a guest whose picture nobody looks at is not asked for
 * it. What goes to the guest while there is no console (before the bus is ready, after its end) goes nowhere.
 */
#include "vnc-server/source.h"

#include "display/bus-client.h"

enum {
	CONSOLE = 0,
	/* Pixels are taken to be as large as on a screen of 96 dots per inch. */
	DOTS = 96,
	INCH_TENTHS_MM = 254,
};

struct bus_source {
	struct source source;
	struct bus_client *client;
	struct bus_console *console; /* NULL while not watched */
	bool ready, wanted;
	struct cursor *cursor; /* the guest's, shown or not; NULL: none */
	bool cursor_hidden;
};

static struct bus_source *bus_source_of(struct source *source)
{
	return (struct bus_source *)source;
}

static void on_scanout(void *owner, const struct bus_picture *picture)
{
	struct bus_source *bus = owner;
	const struct picture shown = {
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
	struct bus_source *bus = owner;

	bus->source.events->picture(bus->source.owner, NULL);
}

/* Not done before the server has sent something of it: meanwhile the guest merges. */
static bool on_update(void *owner, const struct rectangle *areas, guint count)
{
	struct bus_source *bus = owner;

	bus->source.events->damage(bus->source.owner, areas, count);
	return false;
}

static void tell_cursor(struct bus_source *bus)
{
	bus->source.events->cursor(bus->source.owner, bus->cursor_hidden ? NULL : bus->cursor);
}

static void on_cursor(void *owner, const struct cursor *cursor)
{
	struct bus_source *bus = owner;

	g_clear_pointer(&bus->cursor, cursor_unref);
	if (cursor)
		bus->cursor = cursor_ref((struct cursor *)cursor);
	tell_cursor(bus);
}

/* Clients know where their pointer is; only its coming and going is news. */
static void on_mouse(void *owner, int32_t x, int32_t y, bool visible)
{
	struct bus_source *bus = owner;

	if (bus->cursor_hidden == !visible)
		return;
	bus->cursor_hidden = !visible;
	tell_cursor(bus);
}

static void on_lights(void *owner, uint32_t lights)
{
	struct bus_source *bus = owner;

	bus->source.events->lights(bus->source.owner, lights);
}

static void on_pointer_kind(void *owner, bool absolute)
{
	struct bus_source *bus = owner;

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

static void start(struct bus_source *bus)
{
	if (bus_client_console_count(bus->client) <= CONSOLE) {
		bus->source.events->picture(bus->source.owner, NULL);
		return;
	}
	bus->console = bus_client_watch(bus->client, CONSOLE, &console_ops, bus);
}

static void on_ready(void *owner)
{
	struct bus_source *bus = owner;

	bus->ready = true;
	bus->source.events->ready(bus->source.owner);
	bus->source.events->name(bus->source.owner, bus_client_name(bus->client));
	if (bus->wanted)
		start(bus);
}

static void on_ended(void *owner, const GError *reason)
{
	struct bus_source *bus = owner;

	bus->console = NULL;
	bus->ready = false;
	bus->source.events->ended(bus->source.owner, reason);
}

static const struct bus_client_ops client_ops = {
	.ready = on_ready,
	.ended = on_ended,
};

static void bus_watch(struct source *source, bool on)
{
	struct bus_source *bus = bus_source_of(source);

	bus->wanted = on;
	if (on && bus->ready && !bus->console)
		start(bus);
	else if (!on && bus->console)
		g_clear_pointer(&bus->console, bus_console_unwatch);
}

static void bus_done(struct source *source)
{
	struct bus_source *bus = bus_source_of(source);

	if (bus->console)
		bus_console_done(bus->console);
}

static void bus_key(struct source *source, uint8_t qnum, bool down)
{
	struct bus_source *bus = bus_source_of(source);

	if (bus->console)
		bus_console_key(bus->console, qnum, down);
}

static void bus_position(struct source *source, uint32_t x, uint32_t y)
{
	struct bus_source *bus = bus_source_of(source);

	if (bus->console)
		bus_console_position(bus->console, x, y);
}

static void bus_motion(struct source *source, int32_t dx, int32_t dy)
{
	struct bus_source *bus = bus_source_of(source);

	if (bus->console)
		bus_console_motion(bus->console, dx, dy);
}

static void bus_button(struct source *source, enum input_button button, bool down)
{
	struct bus_source *bus = bus_source_of(source);

	if (bus->console)
		bus_console_button(bus->console, button, down);
}

static void bus_set_size(struct source *source, uint32_t width, uint32_t height)
{
	struct bus_source *bus = bus_source_of(source);
	const struct head_ui_info info = {
		.width_mm = MIN(width * INCH_TENTHS_MM / (10 * DOTS), UINT16_MAX),
		.height_mm = MIN(height * INCH_TENTHS_MM / (10 * DOTS), UINT16_MAX),
		.width = width,
		.height = height,
	};

	if (bus->console)
		bus_console_set_ui_info(bus->console, &info);
}

static void bus_free(struct source *source)
{
	struct bus_source *bus = bus_source_of(source);

	bus_client_free(bus->client);
	cursor_unref(bus->cursor);
	g_free(bus);
}

static const struct source_class bus_class = {
	.watch = bus_watch,
	.done = bus_done,
	.key = bus_key,
	.position = bus_position,
	.motion = bus_motion,
	.button = bus_button,
	.set_size = bus_set_size,
	.free = bus_free,
};

struct source *source_bus_new(int fd, const struct source_events *events, void *owner)
{
	struct bus_source *bus = g_new0(struct bus_source, 1);

	bus->source = (struct source) { &bus_class, events, owner };
	bus->client = bus_client_adopt(fd, &client_ops, bus);
	return &bus->source;
}
