/* Looks at a guest through the display bus and writes what it sees as a PPM: our client library as a program, to be held
 * against other implementations of the bus.
 *
 *	bus-dump (--bus PATH | --qmp PATH) [--console N] [--key QNUM]... [--settle MS] [--limit SECONDS] FILE
 *
 * Presses and releases the keys once the picture is there, then writes the picture when it has not changed for a while,
 * or, at the latest, when the limit is reached. Says "watching" on standard error when the first picture is there, and in
 * the end "WIDTH HEIGHT SCANOUTS UPDATES PIXELS" on standard output, the last being those of all updates together.
 */
#include <pixman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "display/bus-client.h"

struct dump {
	GMainLoop *loop;
	struct bus_client *client;
	struct bus_console *console;
	pixman_image_t *image; /* x8r8g8b8 */
	struct bus_picture picture;
	guint scanouts, updates;
	guint64 pixels; /* of updates */
	guint settled;  /* timeout */
	bool typed, failed;

	gint console_number, settle_ms;
	char **keys;
};

static gboolean finish(gpointer data)
{
	struct dump *dump = data;

	dump->settled = 0;
	g_main_loop_quit(dump->loop);
	return G_SOURCE_REMOVE;
}

static void type_keys(struct dump *dump)
{
	if (dump->typed)
		return;
	dump->typed = true;
	for (char **key = dump->keys; key && *key; key++) {
		bus_console_key(dump->console, atoi(*key), true);
		bus_console_key(dump->console, atoi(*key), false);
	}
}

static void changed(struct dump *dump)
{
	if (dump->settled)
		g_source_remove(dump->settled);
	dump->settled = g_timeout_add(dump->settle_ms, finish, dump);
	type_keys(dump);
}

static void copy(struct dump *dump, const struct rectangle *area)
{
	const struct bus_picture *picture = &dump->picture;
	pixman_image_t *source = pixman_image_create_bits_no_clear(picture->format, picture->width,
		picture->height, (uint32_t *)picture->pixels, picture->stride);

	pixman_image_composite32(PIXMAN_OP_SRC, source, NULL, dump->image, area->x, area->y, 0, 0,
		area->x, area->y, area->width, area->height);
	pixman_image_unref(source);
}

static void on_scanout(void *owner, const struct bus_picture *picture)
{
	struct dump *dump = owner;
	struct rectangle all = { 0, 0, picture->width, picture->height };

	if (dump->scanouts++ == 0)
		fprintf(stderr, "watching\n");
	dump->picture = *picture;
	g_clear_pointer(&dump->image, pixman_image_unref);
	dump->image =
		pixman_image_create_bits(PIXMAN_x8r8g8b8, picture->width, picture->height, NULL, 0);
	copy(dump, &all);
	changed(dump);
}

static void on_disable(void *owner)
{
	struct dump *dump = owner;

	g_clear_pointer(&dump->image, pixman_image_unref);
}

static bool on_update(void *owner, const struct rectangle *areas, guint count)
{
	struct dump *dump = owner;

	dump->updates++;
	for (guint i = 0; i < count; i++) {
		copy(dump, &areas[i]);
		dump->pixels += (guint64)areas[i].width * areas[i].height;
	}
	changed(dump);
	return true;
}

static void on_ready(void *owner)
{
	static const struct bus_console_ops ops = {
		.scanout = on_scanout,
		.disable = on_disable,
		.update = on_update,
	};
	struct dump *dump = owner;

	if ((guint)dump->console_number >= bus_client_console_count(dump->client)) {
		fprintf(stderr, "bus-dump: there are %u consoles only\n",
			bus_client_console_count(dump->client));
		dump->failed = true;
		g_main_loop_quit(dump->loop);
		return;
	}
	dump->console = bus_client_watch(dump->client, dump->console_number, &ops, dump);
}

static void on_ended(void *owner, const GError *reason)
{
	struct dump *dump = owner;

	fprintf(stderr, "bus-dump: %s\n", reason ? reason->message : "the guest went away");
	dump->failed = true;
	g_main_loop_quit(dump->loop);
}

static gboolean limit_reached(gpointer data)
{
	g_main_loop_quit(((struct dump *)data)->loop);
	return G_SOURCE_REMOVE;
}

static bool write_ppm(pixman_image_t *image, const char *path)
{
	int width = pixman_image_get_width(image);
	int height = pixman_image_get_height(image);
	const uint32_t *pixels = pixman_image_get_data(image);
	FILE *file = fopen(path, "wb");

	if (!file)
		return false;
	fprintf(file, "P6\n%d %d\n255\n", width, height);
	for (int i = 0; i < width * height; i++) {
		uint8_t rgb[3] = { pixels[i] >> 16, pixels[i] >> 8, pixels[i] };

		fwrite(rgb, 1, sizeof(rgb), file);
	}
	return fclose(file) == 0;
}

int main(int argc, char **argv)
{
	static const struct bus_client_ops ops = { .ready = on_ready, .ended = on_ended };
	struct dump dump = { .settle_ms = 500 };
	g_autofree char *bus = NULL;
	g_autofree char *qmp = NULL;
	gint limit = 30;
	const GOptionEntry entries[] = {
		{ "bus", 0, 0, G_OPTION_ARG_FILENAME, &bus, "Bus socket", "PATH" },
		{ "qmp", 0, 0, G_OPTION_ARG_FILENAME, &qmp, "QMP socket of a QEMU", "PATH" },
		{ "console", 0, 0, G_OPTION_ARG_INT, &dump.console_number, "Console", "N" },
		{ "key", 0, 0, G_OPTION_ARG_STRING_ARRAY, &dump.keys, "Key to press", "QNUM" },
		{ "settle", 0, 0, G_OPTION_ARG_INT, &dump.settle_ms, "Time without change", "MS" },
		{ "limit", 0, 0, G_OPTION_ARG_INT, &limit, "Time at most", "SECONDS" },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new("FILE");
	g_autoptr(GError) error = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2 || !bus == !qmp) {
		fprintf(stderr, "bus-dump: %s\n",
			error ? error->message
			      : "one of --bus and --qmp, and one FILE, are needed");
		return 1;
	}
	dump.loop = g_main_loop_new(NULL, FALSE);
	dump.client = bus ? bus_client_connect(bus, &ops, &dump)
			  : bus_client_connect_qmp(qmp, &ops, &dump);
	g_timeout_add_seconds(limit, limit_reached, &dump);
	g_main_loop_run(dump.loop);
	if (!dump.failed && !dump.image)
		fprintf(stderr, "bus-dump: the guest shows no picture\n");
	dump.failed |= !dump.image || !write_ppm(dump.image, argv[1]);
	if (!dump.failed)
		printf("%d %d %u %u %" G_GUINT64_FORMAT "\n", pixman_image_get_width(dump.image),
			pixman_image_get_height(dump.image), dump.scanouts, dump.updates,
			dump.pixels);
	bus_client_free(dump.client);
	g_clear_pointer(&dump.image, pixman_image_unref);
	g_main_loop_unref(dump.loop);
	g_strfreev(dump.keys);
	return dump.failed ? 1 : 0;
}
