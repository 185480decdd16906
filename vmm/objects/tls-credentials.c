/* tls-creds-x509, tls-creds-anon, tls-creds-psk: folders with the files of TLS, whose names are fixed. That the files are
 * there and can be read is checked when the object is made; who uses it loads them.
 */
#include "vmm/objects/tls-credentials.h"

#include <gnutls/gnutls.h>
#include <unistd.h>

#include "base/error.h"
#include "vmm/objects/classes.h"

enum endpoint {
	ENDPOINT_CLIENT,
	ENDPOINT_SERVER,
};

static const char *const endpoints[] = { "client", "server", NULL };

struct tls {
	struct object object;
	uint32_t endpoint;
	bool verify_peer, sanity_check;
	char *dir, *priority, *username, *password_id;
};

#define COMMON \
	{ "dir", PROPERTY_STRING, offsetof(struct tls, dir), NULL, "folder of the files" }, \
		{ "endpoint", PROPERTY_CHOICE, offsetof(struct tls, endpoint), "client", \
			"which side of the connection", .choices = endpoints }, \
		{ "verify-peer", PROPERTY_BOOL, offsetof(struct tls, verify_peer), "on", \
			"the other side has to show a certificate" }, \
	{ \
		"priority", PROPERTY_STRING, offsetof(struct tls, priority), NULL, \
			"GnuTLS's priority string" \
	}

static const struct property x509_properties[] = {
	COMMON,
	{ "sanity-check", PROPERTY_BOOL, offsetof(struct tls, sanity_check), "on",
		"the files are looked at before they are used" },
	{ "passwordid", PROPERTY_STRING, offsetof(struct tls, password_id), NULL,
		"the secret that opens the key's file" },
	{ .type = PROPERTY_END },
};

static const struct property anon_properties[] = {
	COMMON,
	{ .type = PROPERTY_END },
};

static const struct property psk_properties[] = {
	COMMON,
	{ "username", PROPERTY_STRING, offsetof(struct tls, username), NULL,
		"of a client (default: qemu)" },
	{ .type = PROPERTY_END },
};

static bool check_file(const struct tls *tls, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(tls->dir, name, NULL);

	return access(path, R_OK) == 0 ||
	       fail_errno(error, VITRINE_ERROR_HOST, "Unable to access credentials %s", path);
}

static bool check_priority(const struct tls *tls, GError **error)
{
	gnutls_priority_t priority;
	const char *wrong = NULL;

	if (!tls->priority)
		return true;
	if (gnutls_priority_init(&priority, tls->priority, &wrong) < 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"priority=%s is not accepted: GnuTLS does not know '%s'", tls->priority,
			wrong ? wrong : tls->priority);
	gnutls_priority_deinit(priority);
	return true;
}

static bool needs_dir(const struct tls *tls, GError **error)
{
	return tls->dir || fail(error, VITRINE_ERROR_INPUT, "Missing 'dir' property value");
}

static bool anon_complete(struct object *object, GError **error)
{
	return check_priority((struct tls *)object, error);
}

static bool x509_complete(struct object *object, GError **error)
{
	struct tls *tls = (struct tls *)object;

	if (!needs_dir(tls, error) || !check_priority(tls, error) ||
		!check_file(tls, "ca-cert.pem", error))
		return false;
	if (tls->password_id && !objects_find(object->objects, tls->password_id))
		return fail(error, VITRINE_ERROR_INPUT, "No secret with id '%s'", tls->password_id);
	/* A client may go without a certificate of its own. */
	return tls->endpoint == ENDPOINT_CLIENT ||
	       (check_file(tls, "server-cert.pem", error) &&
		       check_file(tls, "server-key.pem", error));
}

static bool psk_complete(struct object *object, GError **error)
{
	struct tls *tls = (struct tls *)object;

	return needs_dir(tls, error) && check_priority(tls, error) &&
	       check_file(tls, "keys.psk", error);
}

#define TLS_CLASS(VARIABLE, NAME, DESCRIPTION, PREFIX) \
	const struct object_class VARIABLE = { \
		.name = NAME, \
		.description = DESCRIPTION, \
		.kind = OBJECT_TLS, \
		.size = sizeof(struct tls), \
		.properties = PREFIX##_properties, \
		.complete = PREFIX##_complete, \
	}

TLS_CLASS(object_tls_x509, "tls-creds-x509", "TLS with certificates", x509);
TLS_CLASS(object_tls_anon, "tls-creds-anon", "TLS without identities", anon);
TLS_CLASS(object_tls_psk, "tls-creds-psk", "TLS with pre-shared keys", psk);

struct tls_credentials tls_credentials(const struct object *object)
{
	const struct tls *tls = (const struct tls *)object;

	return (struct tls_credentials) {
		.kind = object->class == &object_tls_x509   ? TLS_X509
			: object->class == &object_tls_anon ? TLS_ANONYMOUS
							    : TLS_PRE_SHARED_KEY,
		.is_server = tls->endpoint == ENDPOINT_SERVER,
		.verify_peer = tls->verify_peer,
		.dir = tls->dir,
		.priority = tls->priority,
		.username = tls->username,
		.key_secret = tls->password_id,
	};
}
