/* Where clients come in: UNIX sockets and the loopback interface. */
#include "vnc-server/listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/sockets.h"

#define UNIX_PREFIX "unix:"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
	struct sockaddr_storage storage;
};

static bool refuse(const char *name, GError **error)
{
	return fail(error, VITRINE_ERROR_INPUT,
		"%s can be reached from other machines, and clients are not asked who they are: "
		"listen on 127.0.0.1:PORT or unix:PATH, and let others in through ssh -L",
		name);
}

/* Splits "HOST:PORT" or "[HOST]:PORT". */
static bool split(const char *text, char **host, uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	guint64 number;

	if (!colon || !g_ascii_string_to_unsigned(colon + 1, 10, 0, 65535, &number, NULL))
		return false;
	if (text[0] == '[') {
		if (length < 3 || text[length - 1] != ']')
			return false;
		*host = g_strndup(text + 1, length - 2);
	} else if (memchr(text, ':', length)) {
		return false;
	} else {
		*host = g_strndup(text, length);
	}
	*port = number;
	return true;
}

/* Whether a host name stands for nothing but this machine. Looked up before listening, so that no port is ever open to
 * others, not even for a moment. */
static bool check_host(const char *host, GError **error)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	bool any = host[0] == '\0' || strcmp(host, "*") == 0;
	struct addrinfo *found = NULL;
	bool local = true;
	int result = getaddrinfo(any ? NULL : host, "0", &hints, &found);

	if (result != 0)
		return fail(error, VITRINE_ERROR_INPUT, "%s is no address to listen on: %s", host,
			gai_strerror(result));
	for (struct addrinfo *info = found; info; info = info->ai_next)
		local = local && socket_address_is_local(info->ai_addr);
	freeaddrinfo(found);
	return local || refuse(any ? "the address of every network" : host, error);
}

static bool open_tcp(const char *address, GArray *fds, GError **error)
{
	g_autofree char *host = NULL;
	g_autoptr(GArray) opened = NULL;
	uint16_t port;

	if (!split(address, &host, &port))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s is no address to listen on: HOST:PORT or unix:PATH is, with an IPv6 "
			"address in brackets",
			address);
	if (!check_host(host, error) || !socket_listen_tcp(host, port, &opened, error))
		return false;
	g_array_append_vals(fds, opened->data, opened->len);
	return true;
}

bool listen_open(const char *address, GArray *fds, GError **error)
{
	int fd;

	if (!g_str_has_prefix(address, UNIX_PREFIX))
		return open_tcp(address, fds, error);
	fd = socket_listen_unix(address + strlen(UNIX_PREFIX), error);
	if (fd < 0)
		return false;
	g_array_append_val(fds, fd);
	return true;
}

static bool local_address(int fd, union address *address)
{
	socklen_t length = sizeof(*address);

	memset(address, 0, sizeof(*address));
	return getsockname(fd, &address->any, &length) == 0;
}

bool listen_check(int fd, GError **error)
{
	int listening = 0;
	socklen_t length = sizeof(listening);
	g_autofree char *name = NULL;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) < 0 || !listening)
		return fail(error, VITRINE_ERROR_INPUT, "descriptor %d is no listening socket", fd);
	if (socket_is_local(fd))
		return true;
	name = listen_name(fd);
	return refuse(name, error);
}

char *listen_unix_path(int fd)
{
	union address address;

	if (!local_address(fd, &address) || address.any.sa_family != AF_UNIX ||
		address.local.sun_path[0] == '\0')
		return NULL;
	return g_strndup(address.local.sun_path, sizeof(address.local.sun_path));
}

static char *address_name(const union address *address)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];
	socklen_t length =
		address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);

	if (getnameinfo(&address->any, length, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return g_strdup("an unknown address");
	return g_strdup_printf(
		address->any.sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

char *listen_name(int fd)
{
	g_autofree char *path = listen_unix_path(fd);
	union address address;

	if (path)
		return g_strconcat(UNIX_PREFIX, path, NULL);
	if (!local_address(fd, &address) || address.any.sa_family == AF_UNIX)
		return g_strdup_printf("descriptor %d", fd);
	return address_name(&address);
}

char *listen_peer_name(int fd)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);
	union address address;
	socklen_t address_length = sizeof(address);

	if (getpeername(fd, &address.any, &address_length) < 0)
		return g_strdup("a client that is gone");
	if (address.any.sa_family != AF_UNIX)
		return address_name(&address);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
		return g_strdup("a local client");
	return g_strdup_printf("process %d of user %u", credentials.pid, credentials.uid);
}
