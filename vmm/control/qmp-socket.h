/* A UNIX socket that QMP listens on, and its clients. */
#pragma once

#include "vmm/control/qmp-session.h"

enum {
	QMP_MAX_CLIENTS = 32, /* of one socket; more are turned away */
	QMP_MAX_OUTPUT =
		4 << 20, /* bytes that wait for a client; one that lets more wait is cut off */
};

struct qmp_socket;

struct qmp_socket *qmp_socket_new(
	const struct command_context *context, const char *path, GError **error);
void qmp_socket_free(struct qmp_socket *socket);
void qmp_socket_tell(struct qmp_socket *socket, JsonNode *event);
