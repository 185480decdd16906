/* Which keys each back end takes and needs: what can be said about a -chardev option before it is opened. */
#include "vmm/chardev/chardev.h"

#include <string.h>
#include <sys/un.h>

#include "base/error.h"
#include "vmm/options/options.h"

enum {
	MAXIMUM_KEYS = 10
};

static const struct backend_keys {
	const char *backend;
	const char *keys[MAXIMUM_KEYS];
	bool needs_path;
} backends[] = {
	{ "stdio", { "signal" } },
	{ "file", { "path", "append" }, true },
	{ "socket", { "path", "host", "port", "fd", "server", "wait", "reconnect", "nodelay" } },
	{ "pty", {} },
	{ "pipe", { "path" }, true },
	{ "null", {} },
	{ "ringbuf", { "size" } },
};

/* Which all back ends take. */
static const char *const common_keys[] = { "backend", "mux", "logfile", "logappend", NULL };

static const struct backend_keys *find_backend(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(backends); i++) {
		if (strcmp(backends[i].backend, name) == 0)
			return &backends[i];
	}
	return NULL;
}

static bool check_keys(
	const struct option_set *set, const struct backend_keys *backend, GError **error)
{
	for (guint i = 0; i < set->count; i++) {
		const char *key = set->values[i].key;
		g_autofree char *accepted = NULL;

		if (g_strv_contains(common_keys, key) ||
			g_strv_contains((const char *const *)backend->keys, key))
			continue;
		accepted = g_strjoinv(", ", (char **)backend->keys);
		return fail(error, VITRINE_ERROR_INPUT, "%s: %s takes no key '%s'; accepted: %s",
			set->origin, backend->backend, key, accepted[0] ? accepted : "none");
	}
	return true;
}

/* One place, and the keys of its side alone. */
static bool check_socket(const struct option_set *set, GError **error)
{
	size_t longest = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	const char *path = option_set_get(set, "path"), *port = option_set_get(set, "port");
	bool server = option_set_bool(set, "server", false);
	int places = (path != NULL) + (port != NULL) + (option_set_get(set, "fd") != NULL);

	if (places != 1 || (option_set_get(set, "host") && !port))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: one place is needed: path=PATH, host=HOST with port=PORT, or "
			"fd=NUMBER",
			set->origin);
	if (path && (strlen(path) > longest || !path[0]))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: path=%s is too %s for a socket; accepted: up to %zu bytes",
			set->origin, path, path[0] ? "long" : "short", longest);
	if (port && !server &&
		(!option_set_get(set, "host") || option_set_number(set, "port", 0) == 0))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: host=HOST and port=PORT of the server to connect to are missing",
			set->origin);
	if (server && option_set_get(set, "reconnect"))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: reconnect=%s is for server=off, which connects", set->origin,
			option_set_get(set, "reconnect"));
	if (!server && option_set_bool(set, "wait", false))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: wait=on is for server=on, which clients connect to", set->origin);
	return true;
}

static bool check_size(const struct option_set *set, GError **error)
{
	uint64_t size = option_set_number(set, "size", CHARDEV_RING_SIZE);

	return (size & (size - 1)) == 0 ||
	       fail(error, VITRINE_ERROR_INPUT,
		       "%s: size=%s is not accepted; accepted: a power of two", set->origin,
		       option_set_get(set, "size"));
}

bool chardev_check(const struct option_set *set, GError **error)
{
	const char *name = option_set_get(set, "backend");
	const struct backend_keys *backend = name ? find_backend(name) : NULL;

	if (!backend || !set->id)
		return fail(
			error, VITRINE_ERROR_INPUT, "%s: backend and id are needed", set->origin);
	if (!check_keys(set, backend, error))
		return false;
	if (backend->needs_path && !(option_set_get(set, "path") && option_set_get(set, "path")[0]))
		return fail(error, VITRINE_ERROR_INPUT, "%s: path=PATH is missing", set->origin);
	return (strcmp(name, "socket") != 0 || check_socket(set, error)) && check_size(set, error);
}
