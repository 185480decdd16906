/* vitrine-viewer: a guest's screen in a window. */
#include <glib/gi18n.h>
#include <gtk/gtk.h>
#include <locale.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "version.h"
#include "viewer/target.h"
#include "viewer/viewer-resources.h"
#include "viewer/window.h"

#define APPLICATION_ID "org.vitrine.Viewer"

struct options {
	char *base, *bus, *qmp;
	char **what;
	gboolean full_screen, version;
};

struct application {
	struct window_options window;
	struct target *target;
};

static void clear_options(struct options *options)
{
	g_free(options->base);
	g_free(options->bus);
	g_free(options->qmp);
	g_strfreev(options->what);
}

static bool parse_options(int *argc, char ***argv, struct options *options, GError **error)
{
	const GOptionEntry entries[] = {
		{ "bus", 0, 0, G_OPTION_ARG_FILENAME, &options->bus,
			N_("Show the guest of this display bus"), N_("SOCKET") },
		{ "qmp", 0, 0, G_OPTION_ARG_FILENAME, &options->qmp,
			N_("Show the guest of this QEMU (-display dbus,p2p=on), by its QMP socket"),
			N_("SOCKET") },
		{ "full-screen", 'f', 0, G_OPTION_ARG_NONE, &options->full_screen,
			N_("Start in full screen"), NULL },
		{ "runtime-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->base,
			N_("Where the guests are registered (default: $XDG_RUNTIME_DIR/vitrine)"),
			N_("DIR") },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &options->version, N_("Show the version"),
			NULL },
		{ G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->what, NULL, NULL },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(_("[NAME|ADDRESS]"));

	g_option_context_set_summary(
		context, _("Shows a guest by its name, or a VNC server by its address: "
			   "vnc://HOST[:PORT] or\n"
			   "vnc+unix:///PATH. Without either, shows which guests are running."));
	g_option_context_add_main_entries(context, entries, NULL);
	return g_option_context_parse(context, argc, argv, error);
}

static struct target *choose_target(const struct options *options, GError **error)
{
	guint count = options->what ? g_strv_length(options->what) : 0;

	if (count + !!options->bus + !!options->qmp > 1) {
		fail(error, VITRINE_ERROR_INPUT,
			"one guest at a time: a name, an address, --bus or --qmp");
		return NULL;
	}
	if (options->bus)
		return target_new(TARGET_BUS, options->bus);
	if (options->qmp)
		return target_new(TARGET_QMP, options->qmp);
	return count ? target_parse(options->what[0], error) : target_new(TARGET_NONE, NULL);
}

static void on_startup(GApplication *gapplication, gpointer user_data)
{
	g_autoptr(GtkCssProvider) css = gtk_css_provider_new();

	gtk_css_provider_load_from_resource(css, "/org/vitrine/Viewer/viewer.css");
	gtk_style_context_add_provider_for_screen(gdk_screen_get_default(), GTK_STYLE_PROVIDER(css),
		GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
	gtk_window_set_default_icon_name(APPLICATION_ID);
}

static void on_activate(GApplication *gapplication, gpointer user_data)
{
	const struct application *application = user_data;
	struct window *window = window_new(GTK_APPLICATION(gapplication), &application->window);

	window_open(window, application->target);
	window_present(window);
}

static int run(struct application *application)
{
	g_autoptr(GtkApplication) gtk =
		gtk_application_new(APPLICATION_ID, G_APPLICATION_NON_UNIQUE);

	g_signal_connect(gtk, "startup", G_CALLBACK(on_startup), application);
	g_signal_connect(gtk, "activate", G_CALLBACK(on_activate), application);
	return g_application_run(G_APPLICATION(gtk), 0, NULL);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct application application = { 0 };
	g_autoptr(GError) error = NULL;
	int status = EXIT_FAILURE;

	setlocale(LC_ALL, "");
	bindtextdomain("vitrine", VITRINE_LOCALE_DIR);
	bind_textdomain_codeset("vitrine", "UTF-8");
	textdomain("vitrine");
	g_set_prgname("vitrine-viewer");
	g_set_application_name(_("Vitrine Viewer"));
	if (!parse_options(&argc, &argv, &options, &error)) {
		log_info("%s; see vitrine-viewer --help", error->message);
	} else if (options.version) {
		g_print("vitrine-viewer (Vitrine) %s\n", VITRINE_VERSION);
		status = EXIT_SUCCESS;
	} else if (!(application.target = choose_target(&options, &error))) {
		log_info("%s", error->message);
	} else if (!gtk_init_check(&argc, &argv)) {
		log_info("there is no display to open a window on; set DISPLAY or WAYLAND_DISPLAY");
	} else {
		g_resources_register(viewer_get_resource());
		application.window.base = options.base;
		application.window.full_screen = options.full_screen;
		status = run(&application);
	}
	target_free(application.target);
	clear_options(&options);
	return status;
}
