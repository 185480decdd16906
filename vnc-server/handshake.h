/* The RFB handshake: protocol version, security, ClientInit; from bytes to the state of a connection.
 *
 * Pure: it reads from a bounded reader and appends its answers to a buffer.
 *
 * Specification: RFC 6143 sections 7.1 to 7.3; its appendix A for the versions 3.3 and 3.7.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"
#include "vnc-server/protocol.h"

enum rfb_version {
	RFB_3_3,
	RFB_3_7,
	RFB_3_8,
};

enum handshake_state {
	HANDSHAKE_VERSION,
	HANDSHAKE_SECURITY,     /* offered; the client chooses */
	HANDSHAKE_AUTHENTICATE, /* the chosen type's own messages */
	HANDSHAKE_CLIENT_INIT,
	HANDSHAKE_DONE,
};

struct security;

struct handshake {
	enum handshake_state state;
	enum rfb_version version;
	GBytes *offered;                 /* security types of this listener, the preferred first */
	const struct security *security; /* the chosen one; always one of those offered */
	bool shared;                     /* what ClientInit said */
};

/* Starts a handshake: appends the server's version to @out. @offered: security types (uint8_t each), at least one. */
void handshake_init(struct handshake *handshake, GBytes *offered, GByteArray *out);
void handshake_clear(struct handshake *handshake);

/**
 * handshake_step - go on as far as the bytes reach
 * @in: the bytes received and not yet used; moved past what was used
 * @out: answers are appended
 *
 * Returns PARSE_DONE when ClientInit has been read: what follows in @in are client messages, and the server owes
 * ServerInit. PARSE_MORE when more bytes are needed. PARSE_ERROR with the reason in @in: @out may end with a message
 * for the client's user, then the connection is to be closed.
 */
enum parse handshake_step(struct handshake *handshake, struct reader *in, GByteArray *out);
