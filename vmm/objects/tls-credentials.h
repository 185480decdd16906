/* TLS credentials: which files say who one is, for the servers that use them. */
#pragma once

#include "vmm/objects.h"

enum tls_credentials_kind {
	TLS_X509,
	TLS_ANONYMOUS,
	TLS_PRE_SHARED_KEY,
};

struct tls_credentials {
	enum tls_credentials_kind kind;
	bool is_server;
	bool verify_peer;
	const char *dir;        /* NULL: none */
	const char *priority;   /* GnuTLS's priority string; NULL: the default */
	const char *username;   /* PRE_SHARED_KEY of a client */
	const char *key_secret; /* id of the secret that opens the X.509 key; NULL: none */
};

/* What the object says; its strings live as long as it does. */
struct tls_credentials tls_credentials(const struct object *object);
