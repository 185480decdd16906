/* One conversation in QMP: bytes in, answers out; what carries them is its owner's business. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/control/qmp-commands.h"

struct qmp_session;

/* Takes a whole message, line end included. */
typedef void (*qmp_write_func)(void *owner, const char *text, size_t length);

/* Greets. @context outlives the session. */
struct qmp_session *qmp_session_new(
	const struct command_context *context, qmp_write_func write, void *owner);
void qmp_session_free(struct qmp_session *session);

/* Runs every command that is complete with these bytes, and keeps the start of one that is not: at most JSON_MAX_LENGTH
 * bytes. */
void qmp_session_receive(struct qmp_session *session, const uint8_t *bytes, size_t length);

/* A descriptor that came with bytes, before those are received; taken. */
void qmp_session_receive_fd(struct qmp_session *session, int fd);

/* An event, to whoever has negotiated. */
void qmp_session_tell(struct qmp_session *session, JsonNode *event);
