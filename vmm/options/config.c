/* From options to a configuration: the machine, its processors, memory, disks, and where its sockets lie. */
#include "vmm/cpu/definition.h"
#include "vmm/options/config.h"

#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/runtime-dir.h"
#include "vmm/audio/audiodev.h"
#include "vmm/options/config-private.h"
#include "vmm/options/values.h"

enum {
	VNC_BASE_PORT = 5900,
	VNC_LAST_DISPLAY = 65535 - VNC_BASE_PORT,
	PAGE = 4 * KiB,
	MAXIMUM_VNC = 8,
	LONGEST_SOCKET_NAME = sizeof("/display.sock"), /* with the NUL */
};

const char *config_keep(struct config_builder *builder, const char *text)
{
	return text ? g_string_chunk_insert_const(builder->config->strings, text) : NULL;
}

static const char *get(struct config_builder *builder, const char *group, const char *key)
{
	return option_set_get(options_find(builder->options, group), key);
}

static bool build_identity(struct config_builder *builder, GError **error)
{
	struct config *config = builder->config;
	const char *name = get(builder, "name", "guest");
	const char *uuid = get(builder, "uuid", "uuid");
	g_autofree char *made_up = g_strdup_printf("guest-%d", (int)getpid());
	g_autofree char *canonical = uuid ? g_ascii_strdown(uuid, -1) : NULL;

	if (name && !runtime_name_check(name, error)) {
		g_prefix_error(error, "-name: ");
		return false;
	}
	config->machine.name = config_keep(builder, name ? name : made_up);
	config->machine.uuid = config_keep(builder, canonical);
	return true;
}

static bool build_runtime_dir(struct config_builder *builder, GError **error)
{
	const char *given = get(builder, "runtime-dir", "path");
	g_autofree char *absolute = given ? g_canonicalize_filename(given, NULL) : NULL;
	g_autofree char *folder = runtime_base(absolute, error);
	g_autofree char *path = NULL;
	size_t longest = sizeof(((struct sockaddr_un *)NULL)->sun_path) - LONGEST_SOCKET_NAME;

	if (!folder)
		return false;
	path = g_build_filename(folder, builder->config->machine.name, NULL);
	if (strlen(path) > longest)
		return fail(error, VITRINE_ERROR_INPUT,
			"-runtime-dir: %s is too long for the sockets in it; accepted: up to %zu "
			"bytes",
			path, longest);
	builder->config->runtime_base = config_keep(builder, folder);
	builder->config->runtime_dir = config_keep(builder, path);
	return true;
}

/* What happens at events of the guest; the last one counts. */
static void build_actions(struct config_builder *builder)
{
	struct machine_config *machine = &builder->config->machine;
	const GPtrArray *sets = builder->options->sets;
	const char *action = get(builder, "watchdog-action", "action");

	machine->no_reboot = options_find(builder->options, "no-reboot");
	machine->no_shutdown = options_find(builder->options, "no-shutdown");
	if (action)
		watchdog_action_find(action, &machine->watchdog);
	for (guint i = 0; i < sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(sets, i);

		if (strcmp(set->spec->group, "action") != 0)
			continue;
		if (option_set_get(set, "reboot"))
			machine->no_reboot = strcmp(option_set_get(set, "reboot"), "shutdown") == 0;
		if (option_set_get(set, "shutdown"))
			machine->no_shutdown =
				strcmp(option_set_get(set, "shutdown"), "pause") == 0;
		if (option_set_get(set, "watchdog"))
			watchdog_action_find(option_set_get(set, "watchdog"), &machine->watchdog);
	}
}

static bool build_start(struct config_builder *builder, GError **error)
{
	struct machine_config *machine = &builder->config->machine;

	machine->kernel = config_keep(builder, get(builder, "machine", "kernel"));
	machine->initrd = config_keep(builder, get(builder, "machine", "initrd"));
	machine->append = config_keep(builder, get(builder, "machine", "append"));
	machine->firmware = config_keep(builder, get(builder, "machine", "firmware"));
	if (!machine->kernel && machine->initrd)
		return fail(
			error, VITRINE_ERROR_INPUT, "-initrd %s: needs -kernel", machine->initrd);
	if (!machine->kernel && machine->append)
		return fail(error, VITRINE_ERROR_INPUT, "-append: needs -kernel");
	build_actions(builder);
	machine->start_paused = machine->never_runs || options_find(builder->options, "S");
	return true;
}

static bool build_memory(struct config_builder *builder, GError **error)
{
	struct machine_config *machine = &builder->config->machine;
	const struct option_set *set = options_find(builder->options, "memory");

	machine->memory_size = option_set_number(set, "size", machine->type->memory);
	if (machine->memory_size % PAGE != 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"-m: size=%s is not accepted; accepted: a multiple of 4K",
			option_set_get(set, "size"));
	return true;
}

/* Parts that are not given: threads and sockets are one, cores make up the rest. */
static bool build_processors(struct config_builder *builder, GError **error)
{
	struct config *config = builder->config;
	const struct option_set *set = options_find(builder->options, "smp-opts");
	uint64_t sockets = option_set_number(set, "sockets", 1);
	uint64_t threads = option_set_number(set, "threads", 1);
	uint64_t cores = option_set_number(set, "cores", 0);
	uint64_t cpus = option_set_number(set, "cpus", option_set_number(set, "maxcpus", 0));

	if (cpus == 0)
		cpus = sockets * MAX(cores, 1) * threads; /* each is at most 8 */
	if (cores == 0)
		cores = MAX(cpus / (sockets * threads), 1);
	if (cpus > config->machine.type->max_cpus)
		return fail(error, VITRINE_ERROR_INPUT,
			"-smp: cpus=%u is not accepted; accepted: up to %u processors with %s",
			(unsigned)cpus, config->machine.type->max_cpus, config->machine.type->name);
	if (option_set_number(set, "maxcpus", cpus) != cpus)
		return fail(error, VITRINE_ERROR_INPUT,
			"-smp: maxcpus=%s is not accepted; accepted: the same as cpus, %u",
			option_set_get(set, "maxcpus"), (unsigned)cpus);
	if (sockets * cores * threads != cpus)
		return fail(error, VITRINE_ERROR_INPUT,
			"-smp: %u sockets of %u cores of %u threads make %u processors, not "
			"cpus=%u",
			(unsigned)sockets, (unsigned)cores, (unsigned)threads,
			(unsigned)(sockets * cores * threads), (unsigned)cpus);
	config->machine.cpus = (unsigned)cpus;
	config->machine.topology = (struct cpu_topology) {
		.sockets = (unsigned)sockets,
		.cores = (unsigned)cores,
		.threads = (unsigned)threads,
	};
	return true;
}

/* The whole text is kept: the machine takes it apart again, when it knows what the host has. */
static bool check_cpu(const char *cpu, GError **error)
{
	struct cpu_request *request = cpu_request_parse(cpu, error);
	bool good = request != NULL;

	cpu_request_free(request);
	return good;
}

/* The size of -object memory-backend-...,id=ID, which is not made yet; 0: there is no such thing. */
static uint64_t backend_size(const struct config_builder *builder, const char *id)
{
	uint64_t size = 0;

	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);
		const char *text = option_set_get(set, "size");

		if (strcmp(set->spec->group, "object") == 0 && g_strcmp0(set->id, id) == 0 &&
			text &&
			g_str_has_prefix(option_set_get(set, "qom-type"), "memory-backend-") &&
			value_parse_size(text, 1, &size))
			return size;
	}
	return 0;
}

/* -machine memory-backend=ID: all of the RAM, so -m may only say the same. */
static bool build_backend(struct config_builder *builder, GError **error)
{
	struct machine_config *machine = &builder->config->machine;
	const char *id = get(builder, "machine", "memory-backend");
	uint64_t size = id ? backend_size(builder, id) : 0;

	if (!id)
		return true;
	machine->memory_backend = config_keep(builder, id);
	if (size == 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"-machine: memory-backend=%s: there is no such memory; make it with "
			"-object "
			"memory-backend-ram,id=%s,size=SIZE",
			id, id);
	if (!options_find(builder->options, "memory"))
		machine->memory_size = size;
	if (machine->memory_size != size)
		return fail(error, VITRINE_ERROR_INPUT,
			"-m: the size has to be that of memory-backend=%s, %" G_GUINT64_FORMAT
			" MiB",
			id, size / MiB);
	return true;
}

static bool build_machine(
	struct config_builder *builder, const struct machine_types *types, GError **error)
{
	struct machine_config *machine = &builder->config->machine;
	const char *cpu = get(builder, "cpu", "model");

	builder->config->machine_asked = config_keep(builder, get(builder, "machine", "type"));
	machine->never_runs = g_strcmp0(builder->config->machine_asked, "none") == 0;
	if (machine->never_runs)
		builder->config->machine_asked = NULL;
	machine->type = machine_types_find(types, builder->config->machine_asked, error);
	if (!machine->type) {
		g_prefix_error(error, "-machine: ");
		return false;
	}
	machine->cpu = config_keep(builder, cpu ? cpu : machine->type->cpu);
	return check_cpu(machine->cpu, error) && build_memory(builder, error) &&
	       build_backend(builder, error) && build_processors(builder, error) &&
	       build_start(builder, error);
}

static bool wrong_vnc(const struct option_set *set, GError **error)
{
	return fail(error, VITRINE_ERROR_INPUT,
		"%s: %s is not accepted; accepted: [HOST]:N with N from 0 to %d, unix:PATH or none",
		set->origin, option_set_get(set, "vnc"), VNC_LAST_DISPLAY);
}

static bool build_vnc_address(
	struct config_builder *builder, const struct option_set *set, GError **error)
{
	const char *text = option_set_get(set, "vnc");
	const char *colon = strrchr(text, ':');
	g_autofree char *host = NULL;
	struct vnc_config vnc = {};
	uint64_t number;

	if (g_str_has_prefix(text, "unix:")) {
		vnc.path = config_keep(builder, text + strlen("unix:"));
		if (vnc.path[0] == '\0')
			return wrong_vnc(set, error);
		g_array_append_val(builder->config->vnc, vnc);
		return true;
	}
	if (!colon || !value_parse_number(colon + 1, &number) || number > VNC_LAST_DISPLAY)
		return wrong_vnc(set, error);
	host = g_strndup(text, colon - text);
	if (host[0] == '[' && g_str_has_suffix(host, "]")) {
		memmove(host, host + 1, strlen(host));
		host[strlen(host) - 1] = '\0';
	} else if (strchr(host, ':')) {
		return wrong_vnc(set, error); /* an IPv6 address stands in brackets */
	}
	vnc.host = config_keep(builder, host[0] ? host : "localhost");
	vnc.port = (uint16_t)(VNC_BASE_PORT + number);
	g_array_append_val(builder->config->vnc, vnc);
	return true;
}

static bool build_display(struct config_builder *builder, GError **error)
{
	const char *display = get(builder, "display", "type");

	builder->config->viewer =
		display && (strcmp(display, "gtk") == 0 || strcmp(display, "viewer") == 0);
	if (builder->config->viewer && options_find(builder->options, "nographic"))
		return fail(error, VITRINE_ERROR_INPUT,
			"-nographic: there is no window with it, and -display %s asks for one",
			display);
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);

		if (strcmp(set->spec->group, "vnc") != 0 ||
			strcmp(option_set_get(set, "vnc"), "none") == 0)
			continue;
		if (builder->config->vnc->len >= MAXIMUM_VNC)
			return fail(error, VITRINE_ERROR_INPUT, "%s: given more than %d times",
				set->origin, MAXIMUM_VNC);
		if (!build_vnc_address(builder, set, error))
			return false;
	}
	return true;
}

/* How the process lies on the host. */
static bool build_process(struct config_builder *builder, GError **error)
{
	struct config *config = builder->config;
	const struct option_set *msg = options_find(builder->options, "msg");

	config->pid_file = config_keep(builder, get(builder, "pidfile", "path"));
	config->log_file = config_keep(builder, get(builder, "D", "path"));
	config->keyboard = config_keep(builder, get(builder, "k", "layout"));
	config->display = config_keep(builder, get(builder, "display", "type"));
	config->timestamps = option_set_bool(msg, "timestamp", false);
	config->guest_name = option_set_bool(msg, "guest-name", false);
	config->daemonize = options_find(builder->options, "daemonize");
	if (config->daemonize && builder->stdio_user)
		return fail(error, VITRINE_ERROR_INPUT,
			"-daemonize: there is no terminal any more for %s", builder->stdio_user);
	return true;
}

struct config *config_new(
	const struct options *options, const struct machine_types *types, GError **error)
{
	struct config *config = g_new0(struct config, 1);
	struct config_builder builder = {
		.config = config,
		.options = options,
		.chardev_users = g_hash_table_new(g_str_hash, g_str_equal),
		.drive_users = g_hash_table_new(g_str_hash, g_str_equal),
		.netdev_users = g_hash_table_new(g_str_hash, g_str_equal),
	};
	bool good;

	config->strings = g_string_chunk_new(KiB);
	config->globals = g_array_new(FALSE, TRUE, sizeof(struct machine_global));
	config->objects = g_array_new(FALSE, TRUE, sizeof(struct object_config));
	config->drives = g_array_new(FALSE, TRUE, sizeof(struct drive_config));
	config->devices = g_array_new(FALSE, TRUE, sizeof(struct device_config));
	config->chardevs = g_ptr_array_new_with_free_func((GDestroyNotify)option_set_free);
	config->netdevs = g_ptr_array_new_with_free_func((GDestroyNotify)option_set_free);
	config->audiodevs = g_array_new(FALSE, TRUE, sizeof(struct audiodev));
	config->qmp = g_array_new(FALSE, TRUE, sizeof(struct qmp_config));
	config->machine.firmware_config = &config->firmware;
	config->vnc = g_array_new(FALSE, TRUE, sizeof(struct vnc_config));
	good = build_identity(&builder, error) && build_runtime_dir(&builder, error) &&
	       build_machine(&builder, types, error) && config_build_clock(&builder, error) &&
	       config_build_lines(&builder, error) && config_build_objects(&builder, error) &&
	       config_build_globals(&builder, error) && build_process(&builder, error) &&
	       config_build_firmware(&builder, error) && config_build_network(&builder, error) &&
	       config_build_audio(&builder, error) && config_build_devices(&builder, error) &&
	       build_display(&builder, error);
	g_hash_table_unref(builder.chardev_users);
	g_hash_table_unref(builder.drive_users);
	g_hash_table_unref(builder.netdev_users);
	if (good)
		return config;
	config_free(config);
	return NULL;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (guint i = 0; i < config->devices->len; i++)
		g_free((void *)g_array_index(config->devices, struct device_config, i).properties);
	for (guint i = 0; i < config->objects->len; i++)
		g_free((void *)g_array_index(config->objects, struct object_config, i).properties);
	g_array_unref(config->objects);
	g_array_unref(config->globals);
	g_array_unref(config->drives);
	g_array_unref(config->devices);
	g_ptr_array_unref(config->chardevs);
	g_ptr_array_unref(config->netdevs);
	g_array_unref(config->audiodevs);
	g_array_unref(config->qmp);
	config_free_firmware(&config->firmware);
	g_array_unref(config->vnc);
	g_string_chunk_free(config->strings);
	g_free(config);
}
