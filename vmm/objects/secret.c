/* secret: bytes from data= or file=, as they are or in base64, perhaps encrypted with another secret as the key
 * (AES-256 in CBC mode, padded as RFC 5652 section 6.3 says): how managers hand over many secrets under one key. */
#include "vmm/objects/secret.h"

#include <fcntl.h>
#include <gnutls/crypto.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "vmm/objects/classes.h"

enum {
	MAXIMUM_SECRET = 64 << 10, /* bytes, of the file as well */
	KEY_SIZE = 32,
	BLOCK = 16,
};

enum secret_format {
	FORMAT_RAW,
	FORMAT_BASE64,
};

static const char *const formats[] = { "raw", "base64", NULL };

struct secret {
	struct object object;
	char *data, *file, *keyid, *iv;
	uint32_t format;
	uint8_t *bytes;
	size_t length;
};

static const struct property secret_properties[] = {
	{ "data", PROPERTY_STRING, offsetof(struct secret, data), NULL,
		"the secret itself, which others can read in the list of processes" },
	{ "file", PROPERTY_STRING, offsetof(struct secret, file), NULL,
		"the file that holds the secret" },
	{ "format", PROPERTY_CHOICE, offsetof(struct secret, format), "raw",
		"how data or the file is written", .choices = formats },
	{ "keyid", PROPERTY_STRING, offsetof(struct secret, keyid), NULL,
		"the secret it is encrypted with, 32 bytes" },
	{ "iv", PROPERTY_STRING, offsetof(struct secret, iv), NULL,
		"the initialisation vector of that, 16 bytes in base64" },
	{ .type = PROPERTY_END },
};

static void wipe(void *bytes, size_t length)
{
	if (bytes)
		explicit_bzero(bytes, length);
}

static bool read_file(struct secret *secret, GError **error)
{
	int fd = open(secret->file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t got = 1;

	if (fd < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "Unable to read %s", secret->file);
	secret->bytes = g_malloc(MAXIMUM_SECRET + 1);
	while (got > 0 && secret->length <= MAXIMUM_SECRET) {
		got = read(fd, secret->bytes + secret->length, MAXIMUM_SECRET + 1 - secret->length);
		secret->length += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		fail_errno(error, VITRINE_ERROR_HOST, "Unable to read %s", secret->file);
	close(fd);
	return got >= 0;
}

static bool load(struct secret *secret, GError **error)
{
	if (secret->data && secret->file)
		return fail(error, VITRINE_ERROR_INPUT, "'file' and 'data' are mutually exclusive");
	if (!secret->data && !secret->file)
		return fail(error, VITRINE_ERROR_INPUT, "Must provide 'file' or 'data'");
	if (secret->file && !read_file(secret, error))
		return false;
	if (secret->data) {
		secret->length = strlen(secret->data);
		secret->bytes = (uint8_t *)g_strdup(secret->data);
	}
	return secret->length <= MAXIMUM_SECRET ||
	       fail(error, VITRINE_ERROR_INPUT, "longer than %d bytes, the most a secret has",
		       MAXIMUM_SECRET);
}

/* Blanks and line ends are allowed, anything else that is no base64 is not. NULL with @error. */
static uint8_t *decode(const void *bytes, size_t length, size_t *decoded, GError **error)
{
	g_autofree char *text = g_strndup(bytes, length);
	size_t digits = 0, padding = 0;
	bool good = strlen(text) == length;

	for (const char *c = text; good && *c != '\0'; c++) {
		if (g_ascii_isspace(*c))
			continue;
		if (*c == '=')
			padding++;
		else
			good = padding == 0 && (g_ascii_isalnum(*c) || *c == '+' || *c == '/');
		digits++;
	}
	if (good && padding <= 2 && digits % 4 == 0 && digits > 0)
		return g_base64_decode(text, decoded);
	if (good && digits == 0) {
		*decoded = 0;
		return g_malloc0(1);
	}
	fail(error, VITRINE_ERROR_INPUT, "Invalid character or length: the text is no base64");
	return NULL;
}

static bool replace(struct secret *secret, uint8_t *bytes, size_t length)
{
	wipe(secret->bytes, secret->length);
	g_free(secret->bytes);
	secret->bytes = bytes;
	secret->length = length;
	return bytes;
}

static bool decrypt(struct secret *secret, const uint8_t *key, const uint8_t *iv, GError **error)
{
	gnutls_datum_t key_datum = { (unsigned char *)key, KEY_SIZE };
	gnutls_datum_t iv_datum = { (unsigned char *)iv, BLOCK };
	gnutls_cipher_hd_t cipher;
	uint8_t padding;

	if (secret->length == 0 || secret->length % BLOCK != 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"the encrypted text has %zu bytes; accepted: a multiple of %d",
			secret->length, BLOCK);
	if (gnutls_cipher_init(&cipher, GNUTLS_CIPHER_AES_256_CBC, &key_datum, &iv_datum) < 0 ||
		gnutls_cipher_decrypt(cipher, secret->bytes, secret->length) < 0)
		return fail(error, VITRINE_ERROR_HOST, "GnuTLS has no AES-256");
	gnutls_cipher_deinit(cipher);
	padding = secret->bytes[secret->length - 1];
	if (padding == 0 || padding > BLOCK)
		return fail(error, VITRINE_ERROR_INPUT,
			"Incorrect number of padding bytes (%u) found on decrypted data: the key "
			"or "
			"the initialisation vector is another one",
			padding);
	secret->length -= padding;
	secret->bytes[secret->length] = '\0';
	return true;
}

/* The encrypted text is in base64 whatever the format; the format is that of what comes out. */
static bool open_sealed(struct secret *secret, GError **error)
{
	struct object *key = objects_find(secret->object.objects, secret->keyid);
	g_autofree uint8_t *iv = NULL;
	size_t iv_length, length;
	uint8_t *bytes;

	if (!key || key->class != &object_secret)
		return fail(error, VITRINE_ERROR_INPUT, "No secret with id '%s'", secret->keyid);
	if (((struct secret *)key)->length != KEY_SIZE)
		return fail(
			error, VITRINE_ERROR_INPUT, "Key should be %d bytes in length", KEY_SIZE);
	if (!secret->iv)
		return fail(error, VITRINE_ERROR_INPUT, "IV is required to decrypt secret");
	iv = decode(secret->iv, strlen(secret->iv), &iv_length, error);
	if (!iv)
		return false;
	if (iv_length != BLOCK)
		return fail(error, VITRINE_ERROR_INPUT, "IV should be %d bytes in length not %zu",
			BLOCK, iv_length);
	bytes = decode(secret->bytes, secret->length, &length, error);
	return bytes && replace(secret, bytes, length) &&
	       decrypt(secret, ((struct secret *)key)->bytes, iv, error);
}

static bool secret_complete(struct object *object, GError **error)
{
	struct secret *secret = (struct secret *)object;
	size_t length;
	uint8_t *bytes;

	if (!load(secret, error) || (secret->keyid && !open_sealed(secret, error)))
		return false;
	if (secret->format == FORMAT_RAW)
		return true;
	bytes = decode(secret->bytes, secret->length, &length, error);
	return bytes && replace(secret, bytes, length);
}

static void secret_finish(struct object *object)
{
	struct secret *secret = (struct secret *)object;

	wipe(secret->bytes, secret->length);
	g_free(secret->bytes);
	if (secret->data)
		wipe(secret->data, strlen(secret->data));
}

const struct object_class object_secret = {
	.name = "secret",
	.description = "a password or a key",
	.kind = OBJECT_SECRET,
	.size = sizeof(struct secret),
	.properties = secret_properties,
	.complete = secret_complete,
	.finish = secret_finish,
};

const uint8_t *secret_bytes(const struct object *object, size_t *length)
{
	const struct secret *secret = (const struct secret *)object;

	*length = secret->length;
	return secret->bytes;
}

char *secret_text(const struct objects *objects, const char *id, GError **error)
{
	const struct object *object = objects_find(objects, id);
	const uint8_t *bytes;
	size_t length;

	if (!object || object->class != &object_secret) {
		fail(error, VITRINE_ERROR_INPUT, "No secret with id '%s'", id);
		return NULL;
	}
	bytes = secret_bytes(object, &length);
	if (g_utf8_validate((const char *)bytes, (gssize)length, NULL))
		return g_strndup((const char *)bytes, length);
	fail(error, VITRINE_ERROR_INPUT, "Data from secret %s is not valid UTF-8", id);
	return NULL;
}

void secret_clear(char *text)
{
	if (text)
		wipe(text, strlen(text));
	g_free(text);
}
