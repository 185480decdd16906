/* What the viewer is asked to show, from text. */
#include "viewer/target.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/runtime-dir.h"

enum {
	VNC_PORT = 5900,
	DISPLAY_LAST = 99, /* a number up to here is a display, as VNC viewers have it */
	HOST_MAX = 255,    /* bytes */
};

struct target *target_new(enum target_kind kind, const char *text)
{
	struct target *target = g_new0(struct target, 1);

	target->kind = kind;
	target->text = g_strdup(text);
	target->title = text ? g_path_get_basename(text) : NULL;
	return target;
}

struct target *target_copy(const struct target *target)
{
	struct target *copy = g_new0(struct target, 1);

	*copy = *target;
	copy->text = g_strdup(target->text);
	copy->title = g_strdup(target->title);
	return copy;
}

void target_free(struct target *target)
{
	if (!target)
		return;
	g_free(target->text);
	g_free(target->title);
	g_free(target);
}

static bool parse_port(const char *text, uint16_t *port, GError **error)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(text, 10, 0, UINT16_MAX, &number, NULL))
		return fail(error, VITRINE_ERROR_INPUT,
			"\"%s\" is no port: a display 0..%d or a port up to 65535", text,
			DISPLAY_LAST);
	*port = number <= DISPLAY_LAST ? VNC_PORT + number : number;
	return true;
}

static bool is_host(const char *text)
{
	size_t length = strlen(text);

	return length >= 1 && length <= HOST_MAX && !strpbrk(text, "/?#@[] \t\r\n");
}

/* HOST, HOST:PORT, [IPV6] or [IPV6]:PORT, perhaps with a slash behind. */
static struct target *parse_host(const char *address, GError **error)
{
	g_autofree char *text = g_strdup(address);
	g_autofree char *title = NULL;
	char *host = text, *behind;
	uint16_t port = VNC_PORT;
	struct target *target;

	if (g_str_has_suffix(text, "/"))
		text[strlen(text) - 1] = '\0';
	title = g_strdup(text);
	behind = strchr(host, host[0] == '[' ? ']' : ':');
	if (host[0] == '[' && behind) {
		host++;
		*behind++ = '\0';
	}
	if (behind && *behind == ':') {
		*behind = '\0';
		if (!parse_port(behind + 1, &port, error))
			return NULL;
	} else if (behind && *behind != '\0') {
		host = "";
	}
	if (!is_host(host)) {
		fail(error, VITRINE_ERROR_INPUT,
			"vnc://%s names no host: vnc://HOST, vnc://HOST:PORT and vnc://[IPV6]:PORT "
			"do",
			address);
		return NULL;
	}
	target = target_new(TARGET_VNC_HOST, host);
	target->port = port;
	g_free(target->title);
	target->title = g_steal_pointer(&title);
	return target;
}

struct target *target_parse(const char *text, GError **error)
{
	if (g_str_has_prefix(text, "vnc+unix://")) {
		const char *path = text + strlen("vnc+unix://");

		if (path[0] == '/')
			return target_new(TARGET_VNC_UNIX, path);
		fail(error, VITRINE_ERROR_INPUT,
			"%s names no socket: vnc+unix:///PATH takes an absolute path", text);
		return NULL;
	}
	if (g_str_has_prefix(text, "vnc://"))
		return parse_host(text + strlen("vnc://"), error);
	if (strstr(text, "://")) {
		fail(error, VITRINE_ERROR_INPUT,
			"%s is no address that can be shown: vnc://HOST:PORT and vnc+unix:///PATH "
			"are",
			text);
		return NULL;
	}
	if (!runtime_name_check(text, error))
		return NULL;
	return target_new(TARGET_NAME, text);
}
