/* The RFB handshake: protocol version, security, ClientInit.
 *
 * Specification: RFC 6143 sections 7.1 to 7.3; its appendix A for the versions 3.3 and 3.7.
 */
#include "vnc-server/handshake.h"

#include <string.h>

#include "base/writer.h"

#define VERSION_LINE "RFB 003.008\n"

enum {
	VERSION_BYTES = 12,
	SECURITY_RESULT_OK = 0,
	SECURITY_RESULT_FAILED = 1,
};

/* A way to prove who one is. */
struct security {
	enum security_type type;
	/* The type's own messages; PARSE_DONE when the client has proved itself, PARSE_ERROR when it has failed to. */
	enum parse (*authenticate)(struct handshake *handshake, struct reader *in, GByteArray *out);
};

static enum parse authenticate_none(struct handshake *handshake, struct reader *in, GByteArray *out)
{
	return PARSE_DONE;
}

static const struct security securities[] = {
	{ SECURITY_NONE, authenticate_none },
};

/* The security type by its number if it was offered on this connection, else NULL. */
static const struct security *find_offered(const struct handshake *handshake, uint8_t type)
{
	gsize count;
	const uint8_t *offered = g_bytes_get_data(handshake->offered, &count);

	if (!memchr(offered, type, count))
		return NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(securities); i++) {
		if (securities[i].type == type)
			return &securities[i];
	}
	return NULL;
}

static void write_reason(GByteArray *out, const char *reason)
{
	write_u32(out, strlen(reason));
	write_bytes(out, reason, strlen(reason));
}

/* The error in @in, told to the client in the way its version has at this point. */
static enum parse refuse(struct handshake *handshake, struct reader *in, GByteArray *out)
{
	switch (handshake->state) {
	case HANDSHAKE_VERSION:
		/* The form of 3.3, which says "no security type": every client understands that. */
		write_u32(out, 0);
		write_reason(out, in->error);
		break;
	case HANDSHAKE_SECURITY:
	case HANDSHAKE_AUTHENTICATE:
		write_u32(out, SECURITY_RESULT_FAILED);
		if (handshake->version == RFB_3_8)
			write_reason(out, in->error);
		break;
	default:
		break;
	}
	return PARSE_ERROR;
}

/* Three digits as a number, -1 if they aren't digits. */
static int three_digits(const uint8_t *text)
{
	int value = 0;

	for (int i = 0; i < 3; i++) {
		if (!g_ascii_isdigit(text[i]))
			return -1;
		value = value * 10 + g_ascii_digit_value(text[i]);
	}
	return value;
}

/* The newest version that both know. Versions that never were (3.5, sent by some; 3.889 of Apple; 4 and 5 of RealVNC)
 * stand for the one that they resemble. */
static enum rfb_version common_version(int major, int minor)
{
	if (major > 3 || minor >= 8)
		return RFB_3_8;
	return minor == 7 ? RFB_3_7 : RFB_3_3;
}

/* In RFB 3.3 the server says which type is used, and there are but two that such a client can know. */
static enum parse choose_for_client(struct handshake *handshake, struct reader *in, GByteArray *out)
{
	static const uint8_t known[] = { SECURITY_NONE, SECURITY_VNC_AUTHENTICATION };

	for (size_t i = 0; i < G_N_ELEMENTS(known) && !handshake->security; i++)
		handshake->security = find_offered(handshake, known[i]);
	if (!handshake->security) {
		parse_error(in, "RFB 3.3 has no security type that is offered here");
		return refuse(handshake, in, out);
	}
	write_u32(out, handshake->security->type);
	handshake->state = HANDSHAKE_AUTHENTICATE;
	return PARSE_DONE;
}

static enum parse step_version(struct handshake *handshake, struct reader *in, GByteArray *out)
{
	const uint8_t *line;
	gsize count;
	const uint8_t *offered = g_bytes_get_data(handshake->offered, &count);
	int major, minor;

	/* Whoever speaks something else (a browser, TLS) is told at its first bytes, not at its twelfth. */
	if (in->left > 0 && memcmp(in->next, VERSION_LINE, MIN(in->left, 4)) != 0) {
		parse_error(in, "not a VNC client: it does not begin with \"RFB \"");
		return refuse(handshake, in, out);
	}
	line = reader_bytes(in, VERSION_BYTES);
	if (!line)
		return PARSE_MORE;
	major = three_digits(line + 4);
	minor = three_digits(line + 8);
	if (major < 3 || minor < 0 || line[7] != '.' || line[11] != '\n') {
		parse_error(in, "no RFB version from 3.3 on");
		return refuse(handshake, in, out);
	}
	handshake->version = common_version(major, minor);
	if (handshake->version == RFB_3_3)
		return choose_for_client(handshake, in, out);
	write_u8(out, count);
	write_bytes(out, offered, count);
	handshake->state = HANDSHAKE_SECURITY;
	return PARSE_DONE;
}

static enum parse step_security(struct handshake *handshake, struct reader *in, GByteArray *out)
{
	uint8_t type = reader_u8(in);

	if (reader_result(in) != PARSE_DONE)
		return PARSE_MORE;
	handshake->security = find_offered(handshake, type);
	if (!handshake->security) {
		parse_error(in, "security type %u was not offered", type);
		return refuse(handshake, in, out);
	}
	handshake->state = HANDSHAKE_AUTHENTICATE;
	return PARSE_DONE;
}

static enum parse step_authenticate(struct handshake *handshake, struct reader *in, GByteArray *out)
{
	enum parse result = handshake->security->authenticate(handshake, in, out);

	if (result == PARSE_ERROR)
		return refuse(handshake, in, out);
	if (result == PARSE_MORE)
		return PARSE_MORE;
	/* Before 3.8 there is no result when there was nothing to prove. */
	if (handshake->version == RFB_3_8 || handshake->security->type != SECURITY_NONE)
		write_u32(out, SECURITY_RESULT_OK);
	handshake->state = HANDSHAKE_CLIENT_INIT;
	return PARSE_DONE;
}

static enum parse step_client_init(struct handshake *handshake, struct reader *in, GByteArray *out)
{
	uint8_t shared = reader_u8(in);

	if (reader_result(in) != PARSE_DONE)
		return PARSE_MORE;
	handshake->shared = shared != 0;
	handshake->state = HANDSHAKE_DONE;
	return PARSE_DONE;
}

static enum parse (*const steps[])(
	struct handshake *handshake, struct reader *in, GByteArray *out) = {
	[HANDSHAKE_VERSION] = step_version,
	[HANDSHAKE_SECURITY] = step_security,
	[HANDSHAKE_AUTHENTICATE] = step_authenticate,
	[HANDSHAKE_CLIENT_INIT] = step_client_init,
};

void handshake_init(struct handshake *handshake, GBytes *offered, GByteArray *out)
{
	*handshake = (struct handshake) { .offered = g_bytes_ref(offered) };
	write_bytes(out, VERSION_LINE, VERSION_BYTES);
}

void handshake_clear(struct handshake *handshake)
{
	g_clear_pointer(&handshake->offered, g_bytes_unref);
}

enum parse handshake_step(struct handshake *handshake, struct reader *in, GByteArray *out)
{
	while (handshake->state != HANDSHAKE_DONE) {
		struct reader before = *in;
		enum parse result = steps[handshake->state](handshake, in, out);

		if (result == PARSE_MORE)
			*in = before;
		if (result != PARSE_DONE)
			return result;
	}
	return PARSE_DONE;
}
