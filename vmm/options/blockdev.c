/* What a -blockdev says. The graph has two layers at most: a format, and below it where its bytes are. */
#include "vmm/options/blockdev.h"

#include <string.h>

#include "base/error.h"

/* The key of the protocol: PREFIXkey. */
static const char *get(const struct option_set *set, const char *prefix, const char *key)
{
	g_autofree char *name = g_strconcat(prefix, key, NULL);

	return option_set_get(set, name);
}

static bool get_bool(const struct option_set *set, const char *prefix, const char *key)
{
	g_autofree char *name = g_strconcat(prefix, key, NULL);

	return option_set_bool(set, name, false);
}

static char *nbd_uri(const struct option_set *set, const char *prefix, GError **error)
{
	const char *type = get(set, prefix, "server.type");
	const char *name = get(set, prefix, "export");
	g_autofree char *export = g_uri_escape_string(name ? name : "", NULL, FALSE);
	g_autofree char *path = NULL;
	const char *host = get(set, prefix, "server.host");
	const char *port = get(set, prefix, "server.port");
	const char *socket = get(set, prefix, "server.path");

	if (g_strcmp0(type, "unix") == 0 && socket) {
		path = g_uri_escape_string(socket, "/", FALSE);
		return g_strdup_printf("nbd+unix:///%s?socket=%s", export, path);
	}
	if (g_strcmp0(type, "inet") == 0 && host)
		return g_strdup_printf(strchr(host, ':') ? "nbd://[%s]:%s/%s" : "nbd://%s:%s/%s",
			host, port ? port : "10809", export);
	fail(error, VITRINE_ERROR_INPUT,
		"%s: driver=nbd: %sserver.type has to be unix, with %sserver.path, or inet, with "
		"%sserver.host",
		set->origin, prefix, prefix, prefix);
	return NULL;
}

/* What the protocol's keys name: they start with @prefix. */
static char *protocol_path(
	const struct option_set *set, const char *prefix, const char *driver, GError **error)
{
	const char *file = get(set, prefix, "filename");

	if (strcmp(driver, "nbd") == 0)
		return nbd_uri(set, prefix, error);
	if (strcmp(driver, "file") != 0 && strcmp(driver, "host_device") != 0)
		fail(error, VITRINE_ERROR_INPUT,
			"%s: %sdriver=%s is not accepted; accepted: file, host_device or nbd",
			set->origin, prefix, driver);
	else if (!file || !file[0])
		fail(error, VITRINE_ERROR_INPUT, "%s: %sfilename=PATH is missing", set->origin,
			prefix);
	else
		/* A path that looks like a URI is a path all the same. */
		return strchr(file, ':') && file[0] != '/' ? g_strconcat("./", file, NULL)
							   : g_strdup(file);
	return NULL;
}

static bool is_protocol(const char *driver)
{
	return strcmp(driver, "file") == 0 || strcmp(driver, "host_device") == 0 ||
	       strcmp(driver, "nbd") == 0;
}

static bool find_bytes(struct blockdev *blockdev, const struct option_set *set, GError **error)
{
	const char *driver = option_set_get(set, "driver");
	const char *below = option_set_get(set, "file.driver");

	blockdev->child = option_set_get(set, "file");
	if (is_protocol(driver)) {
		if (blockdev->child || below)
			return fail(error, VITRINE_ERROR_INPUT,
				"%s: driver=%s is where the bytes are, and takes no file=",
				set->origin, driver);
		blockdev->path = protocol_path(set, "", driver, error);
		return blockdev->path;
	}
	blockdev->format = driver;
	if (blockdev->child)
		return !below || fail(error, VITRINE_ERROR_INPUT,
					 "%s: file=%s and file.driver=%s are two files",
					 set->origin, blockdev->child, below);
	if (!below && !option_set_get(set, "file.filename"))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: driver=%s needs file=NODE-NAME or file.filename=PATH", set->origin,
			driver);
	blockdev->path = protocol_path(set, "file.", below ? below : "file", error);
	return blockdev->path;
}

struct blockdev *blockdev_new(const struct option_set *set, GError **error)
{
	struct blockdev *blockdev = g_new0(struct blockdev, 1);
	const char *discard = option_set_get(set, "discard");
	const char *zeroes = option_set_get(set, "detect-zeroes");

	*blockdev = (struct blockdev) {
		.name = option_set_get(set, "node-name"),
		.read_only = option_set_bool(set, "read-only", false),
		.discard = discard && (strcmp(discard, "unmap") == 0 || strcmp(discard, "on") == 0),
		.no_cache =
			get_bool(set, "", "cache.direct") || get_bool(set, "file.", "cache.direct"),
		.no_flush = get_bool(set, "", "cache.no-flush") ||
			    get_bool(set, "file.", "cache.no-flush"),
		.detect_zeroes = zeroes && strcmp(zeroes, "off") != 0 ? zeroes : NULL,
	};
	if (find_bytes(blockdev, set, error))
		return blockdev;
	blockdev_free(blockdev);
	return NULL;
}

void blockdev_free(struct blockdev *blockdev)
{
	g_free(blockdev->path);
	g_free(blockdev);
}
