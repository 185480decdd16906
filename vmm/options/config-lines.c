/* Serial ports, the debug console and QMP: where each ends, from -chardev, -serial, -debugcon and -qmp.
 *
 * Every line becomes a chardev with an id, so that the rest of the program knows chardevs alone. A line that names a kind
 * of back end gets a chardev made for it: serial0 to serial3, debugcon, qmp0 and so on.
 */
#include "vmm/options/config-private.h"

#include <string.h>

#include "base/error.h"
#include "vmm/chardev/chardev.h"
#include "vmm/options/option-set.h"

enum {
	MAXIMUM_QMP = 8
};

/* The words of -serial, -debugcon and -qmp. */
static const struct line_kind {
	const char *word;    /* ends in ':' when something follows */
	const char *backend; /* of the chardev; NULL: see the code */
	const char *refusal; /* why it is not accepted, or NULL */
} line_kinds[] = {
	{ "stdio", "stdio" },
	{ "pty", "pty" },
	{ "null", "null" },
	{ "none" },
	{ "file:", "file" },
	{ "unix:", "socket" },
	{ "tcp:", "socket" },
	{ "pipe:", "pipe" },
	{ "chardev:" },
	{ "vc", .refusal = "there is no window with text consoles; use unix:PATH and "
			   "vitrine-console" },
	{ "telnet:", .refusal = "there is no Telnet; use tcp:HOST:PORT" },
	{ "udp:", .refusal = "lines are not served over UDP; use tcp:HOST:PORT" },
};

static const struct line_kind *line_kind_find(const char *text)
{
	for (size_t i = 0; i < G_N_ELEMENTS(line_kinds); i++) {
		const char *word = line_kinds[i].word;
		bool prefix = g_str_has_suffix(word, ":");

		if (prefix ? g_str_has_prefix(text, word) : strcmp(text, word) == 0)
			return &line_kinds[i];
	}
	return NULL;
}

/* What stands behind "mon:": a back end that the monitor is on as well. */
static const char *behind_mon(const char *text)
{
	return g_str_has_prefix(text, "mon:") ? text + strlen("mon:") : text;
}

static struct option_set *find_chardev(struct config_builder *builder, const char *id)
{
	for (guint i = 0; i < builder->config->chardevs->len; i++) {
		struct option_set *set = g_ptr_array_index(builder->config->chardevs, i);

		if (strcmp(set->id, id) == 0)
			return set;
	}
	return NULL;
}

/* Takes @set, checks it and adds it to the list. */
static bool add_chardev(struct config_builder *builder, struct option_set *set, GError **error)
{
	const struct option_set *other = find_chardev(builder, set->id);
	bool stdio = strcmp(option_set_get(set, "backend"), "stdio") == 0;

	g_ptr_array_add(builder->config->chardevs, set);
	if (other)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: its chardev is called %s, and -chardev id=%s takes that name",
			set->origin, set->id, set->id);
	if (stdio && builder->stdio_user)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: standard input and output are taken by %s", set->origin,
			builder->stdio_user);
	if (stdio)
		builder->stdio_user = config_keep(builder, set->origin);
	return chardev_check(set, error);
}

bool config_use_chardev(
	struct config_builder *builder, const char *id, const char *user, GError **error)
{
	const struct option_set *set = find_chardev(builder, id);
	const char *other = g_hash_table_lookup(builder->chardev_users, id);

	if (!set)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: there is no chardev '%s'; make one with -chardev BACKEND,id=%s", user,
			id, id);
	if (other && !option_set_bool(set, "mux", false))
		return fail(error, VITRINE_ERROR_INPUT, "%s: chardev '%s' is taken by %s", user, id,
			other);
	g_hash_table_insert(builder->chardev_users, (char *)config_keep(builder, id),
		(char *)config_keep(builder, user));
	return true;
}

static bool add_all_chardevs(struct config_builder *builder, GError **error)
{
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);
		struct option_set *copy;
		g_autofree char *origin = NULL;

		if (strcmp(set->spec->group, "chardev") != 0)
			continue;
		origin = g_strdup_printf("%s id=%s", set->origin, set->id);
		copy = option_set_new(set->spec, set->id, origin);
		for (guint j = 0; j < set->count; j++)
			option_set_add(copy, set->values[j].key, set->values[j].text);
		if (!add_chardev(builder, copy, error))
			return false;
	}
	return true;
}

/* "HOST:PORT", an IPv6 address in brackets. */
static bool add_address(struct option_set *set, const char *text, GError **error)
{
	const char *colon = strrchr(text, ':');
	g_autofree char *host = NULL;

	if (!colon)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: tcp:%s is not accepted; accepted: tcp:HOST:PORT", set->origin, text);
	host = g_strndup(text, colon - text);
	if (host[0] == '[' && g_str_has_suffix(host, "]")) {
		memmove(host, host + 1, strlen(host));
		host[strlen(host) - 1] = '\0';
	}
	return option_set_take(set, "host", host, error) &&
	       option_set_take(set, "port", colon + 1, error);
}

/* The chardev that a line's word stands for, with the keys that stood behind it. */
static bool make_chardev(struct config_builder *builder, const struct option_set *line,
	const struct line_kind *kind, const char *id, GError **error)
{
	struct option_set *set = option_set_new(option_spec_find("chardev"), id, line->origin);

	const char *rest = behind_mon(option_set_get(line, "dev")) + strlen(kind->word);

	option_set_add(set, "backend", kind->backend);
	if (strcmp(kind->word, "tcp:") == 0) {
		if (!add_address(set, rest, error)) {
			option_set_free(set);
			return false;
		}
	} else if (g_str_has_suffix(kind->word, ":")) {
		option_set_add(set, "path", rest);
	}
	if (g_str_has_prefix(option_set_get(line, "dev"), "mon:")) {
		option_set_add(set, "mux", "on");
		/* Ctrl-C is the guest's: Ctrl-A x ends the program. */
		if (strcmp(kind->backend, "stdio") == 0)
			option_set_add(set, "signal", "off");
	}
	for (guint i = 0; i < line->count; i++) {
		if (strcmp(line->values[i].key, "dev") != 0)
			option_set_add(set, line->values[i].key, line->values[i].text);
	}
	return add_chardev(builder, set, error);
}

/* The monitor for people on a chardev. */
static bool add_monitor(
	struct config_builder *builder, const char *chardev, const char *origin, GError **error)
{
	struct qmp_config monitor = {
		.chardev = chardev,
		.people = true,
		.origin = config_keep(builder, origin),
	};

	if (builder->config->qmp->len > MAXIMUM_QMP)
		return fail(error, VITRINE_ERROR_INPUT, "%s: more than %d monitors", origin,
			MAXIMUM_QMP);
	g_array_append_val(builder->config->qmp, monitor);
	return true;
}

/* @chardev is set to the id of the line's chardev, or to NULL for none. */
static bool resolve_line(struct config_builder *builder, const struct option_set *line,
	const char *id, const char **chardev, GError **error)
{
	const char *text = behind_mon(option_set_get(line, "dev"));
	const struct line_kind *kind = line_kind_find(text);
	bool mon = text != option_set_get(line, "dev");

	*chardev = NULL;
	if (kind && kind->refusal)
		return fail(error, VITRINE_ERROR_INPUT, "%s: %s is not accepted: %s", line->origin,
			text, kind->refusal);
	if (!kind || (mon && !kind->backend))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: %s is not accepted; accepted: stdio, pty, null, none, file:PATH, "
			"pipe:PATH, unix:PATH, tcp:HOST:PORT or chardev:ID, and mon:BACKEND to "
			"share it with the monitor",
			line->origin, option_set_get(line, "dev"));
	if (!kind->backend && line->count > 1)
		return fail(error, VITRINE_ERROR_INPUT, "%s: %s takes no key '%s'", line->origin,
			text, line->values[1].key);
	if (strcmp(kind->word, "none") == 0)
		return true;
	if (kind->backend && !make_chardev(builder, line, kind, id, error))
		return false;
	*chardev = config_keep(builder, kind->backend ? id : text + strlen(kind->word));
	return config_use_chardev(builder, *chardev, line->origin, error) &&
	       (!mon || add_monitor(builder, *chardev, line->origin, error));
}

/* A line that nobody asked for: a port that vitrine-console finds in the guest's folder, or the terminal. */
static bool default_serial(struct config_builder *builder, GError **error)
{
	/* In the background there is no terminal. */
	bool terminal = options_find(builder->options, "nographic") &&
			!options_find(builder->options, "daemonize");
	struct option_set *line = option_set_new(
		option_spec_find("serial"), NULL, terminal ? "-nographic" : "-serial");
	g_autofree char *name = g_strdup_printf(CONFIG_SERIAL_SOCKET, 0u);
	g_autofree char *path = g_strdup_printf("unix:%s/%s", builder->config->runtime_dir, name);
	bool good;

	option_set_add(line, "dev", terminal ? "mon:stdio" : path);
	if (!terminal)
		option_set_add(line, "server", "on");
	good = resolve_line(builder, line, "serial0", &builder->config->serial[0], error);
	option_set_free(line);
	return good;
}

static bool build_serial(struct config_builder *builder, GError **error)
{
	unsigned port = 0;

	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);
		g_autofree char *id = g_strdup_printf("serial%u", port);

		if (strcmp(set->spec->group, "serial") != 0)
			continue;
		if (port >= MACHINE_SERIAL_PORTS)
			return fail(error, VITRINE_ERROR_INPUT,
				"%s: %s is one too many; accepted: up to %d ports", set->origin,
				option_set_get(set, "dev"), MACHINE_SERIAL_PORTS);
		if (!resolve_line(builder, set, id, &builder->config->serial[port++], error))
			return false;
	}
	if (port > 0)
		return true;
	if (options_find(builder->options, "nodefaults"))
		return true;
	return default_serial(builder, error);
}

static bool add_qmp(struct config_builder *builder, const struct option_set *set, GError **error)
{
	const char *text = option_set_get(set, "dev");
	g_autofree char *id = g_strdup_printf("qmp%u", builder->config->qmp->len - 1);
	struct qmp_config qmp = {
		.pretty = strcmp(set->spec->group, "qmp-pretty") == 0,
		.origin = config_keep(builder, set->origin),
	};

	if (builder->config->qmp->len > MAXIMUM_QMP)
		return fail(error, VITRINE_ERROR_INPUT, "%s: given more than %d times", set->origin,
			MAXIMUM_QMP);
	/* A socket that takes many clients, none of which the guest waits for; every other line is a chardev's. */
	if (!g_str_has_prefix(text, "unix:") || !option_set_bool(set, "server", false) ||
		option_set_bool(set, "wait", false)) {
		if (!resolve_line(builder, set, id, &qmp.chardev, error))
			return false;
		if (qmp.chardev)
			g_array_append_val(builder->config->qmp, qmp);
		return true;
	}
	qmp.path = config_keep(builder, text + strlen("unix:"));
	if (qmp.path[0] == '\0')
		return fail(error, VITRINE_ERROR_INPUT, "%s: unix: names no path", set->origin);
	if (option_set_get(set, "append"))
		return fail(
			error, VITRINE_ERROR_INPUT, "%s: unix: takes no key 'append'", set->origin);
	g_array_append_val(builder->config->qmp, qmp);
	return true;
}

/* -monitor: the monitor for people; more than one user of the line only when that line says so. */
static bool add_people(struct config_builder *builder, const struct option_set *set, GError **error)
{
	g_autofree char *id = g_strdup_printf("monitor%u", builder->config->qmp->len - 1);
	const char *chardev;

	if (g_str_has_prefix(option_set_get(set, "dev"), "mon:"))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: %s is not accepted: mon: is for -serial, which shares its line",
			set->origin, option_set_get(set, "dev"));
	if (!resolve_line(builder, set, id, &chardev, error))
		return false;
	return !chardev || add_monitor(builder, chardev, set->origin, error);
}

/* -mon chardev=ID,mode=control|readline */
static bool add_mon(struct config_builder *builder, const struct option_set *set, GError **error)
{
	const char *mode = option_set_get(set, "mode");
	struct qmp_config monitor = {
		.chardev = config_keep(builder, option_set_get(set, "chardev")),
		.people = !mode || strcmp(mode, "readline") == 0,
		.pretty = option_set_bool(set, "pretty", false),
		.origin = config_keep(builder, set->origin),
	};

	if (monitor.people && monitor.pretty)
		return fail(error, VITRINE_ERROR_INPUT, "%s: pretty=on is for mode=control, QMP",
			set->origin);
	if (builder->config->qmp->len > MAXIMUM_QMP)
		return fail(error, VITRINE_ERROR_INPUT, "%s: more than %d monitors", set->origin,
			MAXIMUM_QMP);
	g_array_append_val(builder->config->qmp, monitor);
	return config_use_chardev(builder, monitor.chardev, set->origin, error);
}

static const struct {
	const char *group;
	bool (*add)(struct config_builder *builder, const struct option_set *set, GError **error);
} monitors[] = {
	{ "qmp", add_qmp },
	{ "qmp-pretty", add_qmp },
	{ "monitor", add_people },
	{ "mon", add_mon },
};

static bool build_qmp(struct config_builder *builder, GError **error)
{
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);

		for (size_t j = 0; j < G_N_ELEMENTS(monitors); j++) {
			if (strcmp(set->spec->group, monitors[j].group) == 0 &&
				!monitors[j].add(builder, set, error))
				return false;
		}
	}
	return true;
}

/* The socket that every guest has, first of all. */
static bool build_own_qmp(struct config_builder *builder)
{
	g_autofree char *path =
		g_build_filename(builder->config->runtime_dir, CONFIG_QMP_SOCKET, NULL);
	struct qmp_config own = {
		.path = config_keep(builder, path),
		.origin = "-qmp",
	};

	g_array_append_val(builder->config->qmp, own);
	return true;
}

bool config_build_lines(struct config_builder *builder, GError **error)
{
	const struct option_set *debugcon = options_find(builder->options, "debugcon");

	return build_own_qmp(builder) && add_all_chardevs(builder, error) &&
	       build_serial(builder, error) &&
	       (!debugcon || resolve_line(builder, debugcon, "debugcon", &builder->config->debugcon,
				     error)) &&
	       build_qmp(builder, error);
}
