/* One guest as a running program.
 *
 * Everything the guest owns on the host is taken in one order and given back in the reverse one, whether the guest ran to
 * its end or could not be built.
 */
#include "vmm/guest.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/runtime-dir.h"
#include "display/bus-server.h"
#include "vmm/chardev/chardev.h"
#include "vmm/control/qmp-commands.h"
#include "vmm/control/qmp.h"
#include "vmm/daemon.h"
#include "vmm/display/server-process.h"
#include "vmm/objects.h"
#include "vmm/net/netdev.h"
#include "vmm/storage/drives.h"

struct guest {
	const struct config *config;
	struct runtime_dir *directory;
	GPtrArray *chardevs;
	struct objects *objects;
	struct drives *drives;
	GPtrArray *netdevs;
	struct machine *machine;
	struct bus_server *bus;
	struct qmp *qmp;
	struct server_process *vnc;
	struct command_server vnc_server; /* the first that VNC is served on */
	int pid_file;                     /* -1: none */
	guint signals[3];
};

static struct chardev *find_chardev(const struct guest *guest, const char *id)
{
	for (guint i = 0; id && i < guest->chardevs->len; i++)
		if (g_strcmp0(chardev_id(guest->chardevs->pdata[i]), id) == 0)
			return guest->chardevs->pdata[i];
	return NULL;
}

static bool open_directory(struct guest *guest, GError **error)
{
	const struct config *config = guest->config;

	guest->directory = runtime_dir_create(config->runtime_base, config->machine.name, error);
	return guest->directory != NULL;
}

/* Sockets in the runtime directory go away with it. */
static void register_socket(struct guest *guest, const char *path)
{
	g_autofree char *folder = path ? g_path_get_dirname(path) : NULL;

	if (folder && strcmp(folder, runtime_dir_path(guest->directory)) == 0) {
		g_autofree char *name = g_path_get_basename(path);

		g_free(runtime_dir_file(guest->directory, name));
	}
}

static bool open_chardevs(struct guest *guest, GError **error)
{
	guest->chardevs = g_ptr_array_new_with_free_func((GDestroyNotify)chardev_free);
	for (guint i = 0; i < guest->config->chardevs->len; i++) {
		const struct option_set *set = guest->config->chardevs->pdata[i];
		struct chardev *chardev;

		register_socket(guest, option_set_get(set, "path"));
		chardev = chardev_new(set, error);
		if (!chardev)
			return false;
		g_ptr_array_add(guest->chardevs, chardev);
	}
	return true;
}

static bool make_objects(struct guest *guest, GError **error)
{
	guest->objects = objects_new();
	for (guint i = 0; i < guest->config->objects->len; i++) {
		const struct object_config *object =
			&g_array_index(guest->config->objects, struct object_config, i);

		if (!objects_add(guest->objects, object->class, object->id, object->properties,
			    object->property_count, error)) {
			g_prefix_error(error, "%s: ", object->origin);
			return false;
		}
	}
	return true;
}

static bool open_drives(struct guest *guest, GError **error)
{
	guest->drives = drives_new();
	for (guint i = 0; i < guest->config->drives->len; i++) {
		const struct drive_config *drive =
			&g_array_index(guest->config->drives, struct drive_config, i);
		struct block_config block = {
			.id = drive->id,
			.path = drive->file,
			.format = drive->format,
			.child = drive->child,
			.is_node = drive->is_node,
			.read_only = drive->read_only,
			.snapshot = drive->snapshot,
			.discard = drive->discard,
			.detect_zeroes = drive->detect_zeroes,
			.no_cache = drive->no_cache,
			.write_through = drive->write_through,
			.no_flush = drive->no_flush,
			.on_read_error = drive->on_read_error,
			.on_write_error = drive->on_write_error,
		};

		if (!drive->is_flash && !drives_add(guest->drives, &block, error))
			return false;
	}
	return true;
}

static bool open_networks(struct guest *guest, GError **error)
{
	guest->netdevs = g_ptr_array_new_with_free_func((GDestroyNotify)netdev_free);
	for (guint i = 0; i < guest->config->netdevs->len; i++) {
		struct netdev *netdev = netdev_new(guest->config->netdevs->pdata[i], error);

		if (!netdev)
			return false;
		g_ptr_array_add(guest->netdevs, netdev);
	}
	return true;
}

static bool add_devices(struct guest *guest, GError **error)
{
	for (guint i = 0; i < guest->config->devices->len; i++) {
		const struct device_config *device =
			&g_array_index(guest->config->devices, struct device_config, i);

		if (!machine_add_device(guest->machine, device->class, device->id,
			    device->properties, device->property_count, error)) {
			g_prefix_error(error, "%s: ", device->origin);
			return false;
		}
	}
	return true;
}

static bool build_machine(struct guest *guest, GError **error)
{
	struct machine_parts parts = {
		.debugcon = find_chardev(guest, guest->config->debugcon),
		.chardevs = guest->chardevs,
		.drives = guest->drives,
		.netdevs = guest->netdevs,
		.audiodevs = guest->config->audiodevs,
		.objects = guest->objects,
	};

	for (size_t i = 0; i < G_N_ELEMENTS(parts.serial); i++)
		parts.serial[i] = find_chardev(guest, guest->config->serial[i]);
	guest->machine = machine_new(&guest->config->machine, &parts, error);
	return guest->machine && add_devices(guest, error) && machine_finish(guest->machine, error);
}

/* Without -uuid it is what the guest sees as well. */
static const char *uuid(const struct guest *guest)
{
	return guest->config->machine.uuid ? guest->config->machine.uuid
					   : "00000000-0000-0000-0000-000000000000";
}

static bool open_bus(struct guest *guest, GError **error)
{
	g_autofree char *path = runtime_dir_file(guest->directory, CONFIG_BUS_SOCKET);

	guest->bus = bus_server_new(guest->machine->display, guest->config->machine.name,
		guest->config->machine.uuid ? guest->config->machine.uuid
					    : "00000000-0000-0000-0000-000000000000");
	return bus_server_listen(guest->bus, path, error);
}

static bool open_monitor(struct guest *guest, const struct qmp_config *config, GError **error)
{
	struct chardev *chardev = find_chardev(guest, config->chardev);

	if (config->path)
		return qmp_listen(guest->qmp, config->path, config->pretty, error);
	return config->people ? qmp_attach_monitor(guest->qmp, chardev, error)
			      : qmp_attach(guest->qmp, chardev, config->pretty, error);
}

/* For query-vnc. */
static void describe_vnc(struct guest *guest)
{
	const struct vnc_config *vnc = (const struct vnc_config *)(void *)guest->config->vnc->data;
	struct command_server *server = &guest->vnc_server;

	if (guest->config->vnc->len > 0) {
		server->host = g_strdup(vnc->path ? vnc->path : vnc->host);
		server->service =
			vnc->path ? g_strdup("") : g_strdup_printf("%u", (unsigned)vnc->port);
		server->family = vnc->path ? "unix" : strchr(vnc->host, ':') ? "ipv6" : "ipv4";
	}
	qmp_set_display(guest->qmp, server->host ? server : NULL, guest->config->display);
}

static bool open_control(struct guest *guest, GError **error)
{
	guest->qmp = qmp_new(guest->machine, guest->chardevs);
	describe_vnc(guest);
	for (guint i = 0; i < guest->config->qmp->len; i++) {
		const struct qmp_config *config =
			&g_array_index(guest->config->qmp, struct qmp_config, i);

		register_socket(guest, config->path);
		if (!open_monitor(guest, config, error)) {
			g_prefix_error(error, "%s: ", config->origin);
			return false;
		}
	}
	return true;
}

static bool start_vnc(struct guest *guest, GError **error)
{
	const GArray *vnc = guest->config->vnc;
	g_autofree struct server_address *addresses = g_new0(struct server_address, vnc->len);

	if (vnc->len == 0)
		return true;
	for (guint i = 0; i < vnc->len; i++) {
		const struct vnc_config *config = &g_array_index(vnc, struct vnc_config, i);

		addresses[i] = (struct server_address) { config->host, config->port, config->path };
		register_socket(guest, config->path);
	}
	guest->vnc = server_process_new(guest->bus, "vitrine-vnc", guest->config->machine.name,
		addresses, vnc->len, guest->config->keyboard, error);
	g_prefix_error(error, "-vnc: ");
	return guest->vnc != NULL;
}

static char **vnc_addresses(const struct config *config)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();

	for (guint i = 0; i < config->vnc->len; i++) {
		const struct vnc_config *vnc = &g_array_index(config->vnc, struct vnc_config, i);

		g_ptr_array_add(list, vnc->path ? g_strdup_printf("unix:%s", vnc->path)
				      : strchr(vnc->host, ':')
					      ? g_strdup_printf("[%s]:%u", vnc->host, vnc->port)
					      : g_strdup_printf("%s:%u", vnc->host, vnc->port));
	}
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&list), FALSE);
}

static const char *socket_path(const struct guest *guest, const char *chardev)
{
	for (guint i = 0; i < guest->config->chardevs->len; i++) {
		const struct option_set *set = guest->config->chardevs->pdata[i];

		if (g_strcmp0(set->id, chardev) == 0 &&
			g_strcmp0(option_set_get(set, "backend"), "socket") == 0)
			return option_set_get(set, "path");
	}
	return NULL;
}

/* The registry's readers look beside the record, so what lies there goes by its name alone. */
static char *published_path(const struct guest *guest, const char *path)
{
	g_autofree char *folder = path ? g_path_get_dirname(path) : NULL;

	if (folder && strcmp(folder, runtime_dir_path(guest->directory)) == 0)
		return g_path_get_basename(path);
	return folder ? g_canonicalize_filename(path, NULL) : NULL;
}

static bool publish(struct guest *guest, GError **error)
{
	const struct config *config = guest->config;
	struct runtime_port ports[MACHINE_SERIAL_PORTS];
	g_auto(GStrv) vnc = vnc_addresses(config);
	g_autofree char *qmp = NULL;
	struct runtime_record record = {
		.name = (char *)config->machine.name,
		.uuid = (char *)uuid(guest),
		.machine = config->machine.type->name,
		.machine_asked = (char *)config->machine_asked,
		.pid = getpid(),
		.display = (char *)CONFIG_BUS_SOCKET,
		.serial = ports,
		.vnc = vnc,
	};
	bool done;

	for (guint i = 0; !qmp && i < config->qmp->len; i++)
		qmp = published_path(guest, g_array_index(config->qmp, struct qmp_config, i).path);
	record.qmp = qmp;
	for (guint i = 0; i < G_N_ELEMENTS(ports); i++) {
		if (!config->serial[i])
			continue;
		ports[record.serial_count++] = (struct runtime_port) {
			.name = g_strdup_printf("serial%u", i),
			.socket = published_path(guest, socket_path(guest, config->serial[i])),
		};
	}
	done = runtime_dir_publish(guest->directory, &record, error);
	for (guint i = 0; i < record.serial_count; i++) {
		g_free(ports[i].name);
		g_free(ports[i].socket);
	}
	return done;
}

static bool start_viewer(struct guest *guest, GError **error)
{
	g_autofree char *program = NULL;
	g_autofree char *socket = NULL;
	char *arguments[4] = { NULL };

	if (!guest->config->viewer)
		return true;
	if (!g_getenv("DISPLAY") && !g_getenv("WAYLAND_DISPLAY"))
		return fail(error, VITRINE_ERROR_HOST,
			"-display: there is no screen for a window (neither DISPLAY nor "
			"WAYLAND_DISPLAY is "
			"set); use -display none, and -vnc to look from elsewhere");
	program = server_program_find("vitrine-viewer", error);
	if (!program)
		return false;
	socket = runtime_dir_file(guest->directory, CONFIG_BUS_SOCKET);
	arguments[0] = program;
	arguments[1] = (char *)"--bus";
	arguments[2] = socket;
	return g_spawn_async(NULL, arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, error);
}

static gboolean end_by_signal(gpointer opaque)
{
	struct guest *guest = opaque;

	machine_quit(guest->machine, CAUSE_HOST_SIGNAL);
	return G_SOURCE_CONTINUE;
}

/* From the first thing that is taken until the last one is given back: a signal in between waits for the main loop, or finds
 * that the end has begun. */
static void watch_signals(struct guest *guest)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
		guest->signals[i] = g_unix_signal_add(numbers[i], end_by_signal, guest);
	signal(SIGPIPE, SIG_IGN);
}

static bool take_pid_file(struct guest *guest, GError **error)
{
	if (!guest->config->pid_file)
		return true;
	guest->pid_file = pid_file_take(guest->config->pid_file, error);
	return guest->pid_file >= 0;
}

static bool build(struct guest *guest, GError **error)
{
	return open_directory(guest, error) && open_chardevs(guest, error) &&
	       make_objects(guest, error) && open_drives(guest, error) &&
	       open_networks(guest, error) && build_machine(guest, error) &&
	       open_bus(guest, error) && open_control(guest, error) && start_vnc(guest, error) &&
	       publish(guest, error) && start_viewer(guest, error);
}

static void run(struct guest *guest)
{
	if (!guest->config->machine.start_paused)
		machine_cont(guest->machine, NULL);
	while (!guest->machine->ended)
		g_main_context_iteration(NULL, TRUE);
}

static void finish(struct guest *guest)
{
	g_clear_pointer(&guest->vnc, server_process_free);
	g_clear_pointer(&guest->qmp, qmp_free);
	g_clear_pointer(&guest->bus, bus_server_free);
	g_clear_pointer(&guest->machine, machine_free);
	g_clear_pointer(&guest->netdevs, g_ptr_array_unref);
	g_clear_pointer(&guest->drives, drives_free);
	g_clear_pointer(&guest->objects, objects_free);
	g_clear_pointer(&guest->chardevs, g_ptr_array_unref);
	g_clear_pointer(&guest->directory, runtime_dir_remove);
	g_free(guest->vnc_server.host);
	g_free(guest->vnc_server.service);
	if (guest->pid_file >= 0)
		pid_file_give_back(guest->config->pid_file, guest->pid_file);
}

/* Who asked for the family learns which version the guest has: an upgrade would bring another. */
static void tell_machine_type(const struct config *config)
{
	const struct machine_type *type = config->machine.type;

	if (config->machine_asked && strcmp(config->machine_asked, type->name) != 0)
		log_info("machine type %s is %s (this guest keeps that)", config->machine_asked,
			type->name);
}

bool guest_run(const struct config *config, int ready_fd, int *status, GError **error)
{
	struct guest guest = { .config = config, .pid_file = -1 };
	bool built;

	watch_signals(&guest);
	built = take_pid_file(&guest, error) && build(&guest, error) &&
		(ready_fd < 0 || daemon_ready(ready_fd, error));
	if (built) {
		tell_machine_type(config);
		run(&guest);
		*status = guest.machine->exit_status;
	}
	finish(&guest);
	for (size_t i = 0; i < G_N_ELEMENTS(guest.signals); i++)
		g_clear_handle_id(&guest.signals[i], g_source_remove);
	return built;
}
