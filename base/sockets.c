/* Listening and connected sockets by file descriptor. */
#include "base/sockets.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

enum {
	LISTEN_BACKLOG = 16
};

static bool unix_address(const char *path, struct sockaddr_un *address, GError **error)
{
	*address = (struct sockaddr_un) { .sun_family = AF_UNIX };
	if (path[0] == '\0' || strlen(path) >= sizeof(address->sun_path))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s is no path for a UNIX socket: 1 to %zu bytes are possible", path,
			sizeof(address->sun_path) - 1);
	strcpy(address->sun_path, path);
	return true;
}

int socket_connect_unix(const char *path, GError **error)
{
	struct sockaddr_un address;
	int fd;

	if (!unix_address(path, &address, error))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		fail_errno(error, VITRINE_ERROR_HOST, "cannot connect to %s", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/* Whether the file at @path is a socket that refuses connections: its owner is gone. */
static bool is_stale_socket(const char *path, const struct sockaddr_un *address)
{
	struct stat status;
	bool stale;
	int fd;

	if (lstat(path, &status) < 0 || !S_ISSOCK(status.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
		errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static bool bind_private(int fd, const struct sockaddr_un *address)
{
	mode_t mask = umask(0177);
	bool bound = bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
	int number = errno;

	umask(mask);
	errno = number;
	return bound;
}

/* Why nothing can be bound to @path, by bind()'s @number, and what to do. */
static bool fail_bind(const char *path, int number, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	struct stat status;

	if (number == EADDRINUSE && lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode))
		return fail(error, VITRINE_ERROR_BUSY,
			"cannot listen on %s: it exists and is no socket; remove it or choose "
			"another path",
			path);
	if (number == EADDRINUSE)
		return fail(error, VITRINE_ERROR_BUSY,
			"cannot listen on %s: another program listens there; choose another path",
			path);
	if (number == ENOENT && stat(folder, &status) < 0 && errno == ENOENT)
		return fail(error, VITRINE_ERROR_HOST,
			"cannot listen on %s: the folder %s does not exist; make it or choose "
			"another path",
			path, folder);
	errno = number;
	return fail_errno(error, VITRINE_ERROR_HOST, "cannot listen on %s", path);
}

static bool bind_or_replace(int fd, const char *path, const struct sockaddr_un *address)
{
	if (bind_private(fd, address))
		return true;
	if (errno != EADDRINUSE)
		return false;
	if (is_stale_socket(path, address) && unlink(path) == 0)
		return bind_private(fd, address);
	errno = EADDRINUSE;
	return false;
}

int socket_listen_unix(const char *path, GError **error)
{
	struct sockaddr_un address;
	int fd;

	if (!unix_address(path, &address, error))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		fail_errno(error, VITRINE_ERROR_HOST, "cannot create a UNIX socket");
		return -1;
	}
	if (!bind_or_replace(fd, path, &address)) {
		fail_bind(path, errno, error);
		close(fd);
		return -1;
	}
	if (listen(fd, LISTEN_BACKLOG) < 0) {
		fail_errno(error, VITRINE_ERROR_HOST, "cannot listen on %s", path);
		unlink(path);
		close(fd);
		return -1;
	}
	return fd;
}

static int listen_on(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC, info->ai_protocol);
	int on = 1;
	int number;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
		return fd;
	number = errno;
	close(fd);
	errno = number;
	return -1;
}

/* With port 0, the first address chooses the port and the others take the same one. */
static void set_port(struct addrinfo *info, uint16_t port)
{
	if (info->ai_family == AF_INET)
		((struct sockaddr_in *)info->ai_addr)->sin_port = htons(port);
	else if (info->ai_family == AF_INET6)
		((struct sockaddr_in6 *)info->ai_addr)->sin6_port = htons(port);
}

bool socket_listen_tcp(const char *host, uint16_t port, GArray **fds, GError **error)
{
	struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};
	g_autofree char *service = g_strdup_printf("%u", port);
	bool any = host[0] == '\0' || strcmp(host, "*") == 0;
	struct addrinfo *found = NULL;
	int number = EADDRNOTAVAIL;
	int result = getaddrinfo(any ? NULL : host, service, &hints, &found);

	if (result != 0)
		return fail(error, VITRINE_ERROR_INPUT, "%s is no address to listen on: %s", host,
			gai_strerror(result));
	*fds = g_array_new(FALSE, FALSE, sizeof(int));
	for (struct addrinfo *info = found; info; info = info->ai_next) {
		int fd;

		set_port(info, port);
		fd = listen_on(info);
		if (fd < 0) {
			/* An address family that the host does not have is no reason to refuse the others. */
			if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL) {
				number = errno;
				break;
			}
			continue;
		}
		number = 0;
		port = socket_local_port(fd);
		g_array_append_val(*fds, fd);
	}
	freeaddrinfo(found);
	if (number == 0)
		return true;
	for (guint i = 0; i < (*fds)->len; i++)
		close(g_array_index(*fds, int, i));
	g_clear_pointer(fds, g_array_unref);
	if (any)
		host = "any address";
	if (number == EADDRINUSE)
		return fail(error, VITRINE_ERROR_BUSY,
			"cannot listen on %s port %u: another program listens there; choose "
			"another display or port",
			host, port);
	errno = number;
	return fail_errno(error, VITRINE_ERROR_HOST, "cannot listen on %s port %u", host, port);
}

bool socket_pair(int fds[2], GError **error)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0)
		return true;
	return fail_errno(error, VITRINE_ERROR_HOST, "cannot create a pair of sockets");
}

uint16_t socket_local_port(int fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return 0;
	if (address.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&address)->sin_port);
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return 0;
}

bool socket_address_is_local(const struct sockaddr *address)
{
	switch (address->sa_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >>
			       IN_CLASSA_NSHIFT ==
		       IN_LOOPBACKNET;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
	default:
		return false;
	}
}

bool socket_is_local(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
	} address;
	socklen_t length = sizeof(address);

	return getsockname(fd, &address.any, &length) == 0 && socket_address_is_local(&address.any);
}
