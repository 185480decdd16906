/* Objects: what each class accepts, what it refuses and with which words, and that one in use stays. */
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/machine/machine-types.h"
#include "vmm/objects.h"
#include "vmm/objects/iothread.h"
#include "vmm/objects/memory-backend.h"
#include "vmm/objects/random.h"
#include "vmm/objects/secret.h"

#define SEALED "fk71KZjnLhBPqnNWgXulQA=="

enum {
	MAXIMUM_PROPERTIES = 6
};

/* "KEY=VALUE KEY=VALUE" */
static struct object *add(
	struct objects *objects, const char *type, const char *id, const char *text, GError **error)
{
	g_auto(GStrv) words = g_strsplit(text, " ", MAXIMUM_PROPERTIES);
	struct machine_property properties[MAXIMUM_PROPERTIES];
	unsigned count = 0;

	for (; words[count]; count++) {
		char *equals = strchr(words[count], '=');

		*equals = '\0';
		properties[count] = (struct machine_property) { words[count], equals + 1 };
	}
	return objects_add(objects, type, id, properties, count, error);
}

/* Each is made after a secret k of 32 bytes and an iothread t. NULL error: accepted. */
static const struct {
	const char *name, *type, *id, *text, *error;
} cases[] = {
	{ "/type/unknown", "pudding", "x", "a=b",
		"Parameter 'qom-type' does not accept value 'pudding'" },
	{ "/id/bad", "iothread", "1x", "poll-grow=1", "Parameter 'id' expects an identifier" },
	{ "/id/taken", "iothread", "t", "poll-grow=1",
		"attempt to add duplicate property 't' to object (type 'container')" },
	{ "/property/unknown", "iothread", "x", "colour=red", "Parameter 'colour' is unexpected" },
	{ "/property/value", "iothread", "x", "poll-grow=red",
		"poll-grow=red is not accepted; accepted: 0 to 9223372036854775807" },
	{ "/iothread", "iothread", "x", "poll-max-ns=0", NULL },
	{ "/secret/nothing", "secret", "x", "format=raw", "Must provide 'file' or 'data'" },
	{ "/secret/both", "secret", "x", "data=a file=b",
		"'file' and 'data' are mutually exclusive" },
	{ "/secret/no-file", "secret", "x", "file=/nowhere/x",
		"Unable to read /nowhere/x: No such file or directory" },
	{ "/secret/base64", "secret", "x", "data=aGVsbG8= format=base64", NULL },
	{ "/secret/base64-wrong", "secret", "x", "data=a*b format=base64",
		"Invalid character or length: the text is no base64" },
	{ "/secret/no-key", "secret", "x", "data=AAAA keyid=nobody", "No secret with id 'nobody'" },
	{ "/secret/key-is-no-secret", "secret", "x", "data=AAAA keyid=t", "No secret with id 't'" },
	{ "/secret/no-iv", "secret", "x", "data=AAAA keyid=k", "IV is required to decrypt secret" },
	{ "/secret/short-iv", "secret", "x", "data=AAAA keyid=k iv=AAAA",
		"IV should be 16 bytes in length not 3" },
	{ "/secret/no-blocks", "secret", "x", "data=AAAA keyid=k iv=AAECAwQFBgcICQoLDA0ODw==",
		"the encrypted text has 3 bytes; accepted: a multiple of 16" },
	{ "/memory/no-size", "memory-backend-ram", "x", "share=on", "Parameter 'size' is missing" },
	{ "/memory/size", "memory-backend-ram", "x", "size=5000",
		"size=5000 is not accepted; accepted: a multiple of 4K" },
	{ "/memory/ram", "memory-backend-ram", "x", "size=64K prealloc=on", NULL },
	{ "/memory/memfd", "memory-backend-memfd", "x", "size=64K", NULL },
	{ "/memory/huge-size", "memory-backend-memfd", "x", "size=2M hugetlbsize=2M",
		"hugetlbsize is a power of two, and needs hugetlb=on" },
	{ "/memory/no-path", "memory-backend-file", "x", "size=64K", "mem-path property not set" },
	{ "/memory/folder", "memory-backend-file", "x", "size=64K mem-path=/tmp share=on", NULL },
	{ "/memory/no-folder", "memory-backend-file", "x", "size=64K mem-path=/nowhere/x",
		"can't open backing store /nowhere/x for guest RAM: No such file or directory" },
	{ "/memory/device", "memory-backend-file", "x", "size=64K mem-path=/dev/null",
		"mem-path=/dev/null is no regular file" },
	{ "/memory/nodes-without-policy", "memory-backend-ram", "x", "size=64K host-nodes=0",
		"host-nodes must be empty for policy default, or you should explicitly specify a "
		"policy other than default" },
	{ "/memory/policy-without-nodes", "memory-backend-ram", "x", "size=64K policy=bind",
		"host-nodes must be set for policy bind" },
	{ "/memory/nodes", "memory-backend-ram", "x", "size=64K policy=bind host-nodes.0=a",
		"host-nodes=a is not accepted; accepted: nodes from 0 to 127, such as 0-1,3" },
	{ "/rng/builtin", "rng-builtin", "x", NULL, NULL },
	{ "/rng/no-file", "rng-random", "x", "filename=/nowhere/x",
		"Could not open '/nowhere/x': No such file or directory" },
	{ "/tls/no-dir", "tls-creds-x509", "x", "endpoint=server", "Missing 'dir' property value" },
	{ "/tls/no-file", "tls-creds-x509", "x", "dir=/nowhere endpoint=server",
		"Unable to access credentials /nowhere/ca-cert.pem: No such file or directory" },
	{ "/tls/priority", "tls-creds-anon", "x", "priority=PUDDING",
		"priority=PUDDING is not accepted: GnuTLS does not know 'PUDDING'" },
	{ "/tls/anonymous", "tls-creds-anon", "x", "endpoint=server priority=NORMAL", NULL },
	{ "/tls/psk", "tls-creds-psk", "x", "dir=/nowhere endpoint=server",
		"Unable to access credentials /nowhere/keys.psk: No such file or directory" },
};

static struct objects *new_objects(void)
{
	struct objects *objects = objects_new();

	g_assert_nonnull(
		add(objects, "secret", "k", "data=0123456789abcdef0123456789abcdef", NULL));
	g_assert_nonnull(add(objects, "iothread", "t", "poll-grow=2", NULL));
	return objects;
}

static void check_case(gconstpointer data)
{
	const typeof(cases[0]) *c = data;
	struct objects *objects = new_objects();
	g_autoptr(GError) error = NULL;
	struct object *object = add(objects, c->type, c->id, c->text ? c->text : "", &error);

	g_assert_cmpstr(error ? error->message : NULL, ==, c->error);
	g_assert((object == NULL) == (c->error != NULL));
	g_assert_cmpuint(objects_count(objects), ==, c->error ? 2 : 3);
	objects_free(objects);
}

static void test_use(void)
{
	struct objects *objects = new_objects();
	struct object *object = objects_take(objects, "t", OBJECT_THREAD, NULL);
	g_autoptr(GError) error = NULL;

	g_assert_nonnull(object);
	g_assert_cmpint(iothread_id(object), >, 0);
	g_assert_false(objects_remove(objects, "t", &error));
	g_assert_cmpstr(error->message, ==, "object 't' is in use, can not be deleted");
	g_clear_error(&error);
	object_release(object);
	g_assert_true(objects_remove(objects, "t", NULL));
	g_assert_false(objects_remove(objects, "t", &error));
	g_assert_cmpstr(error->message, ==, "object 't' not found");
	g_clear_error(&error);
	g_assert_null(objects_take(objects, "k", OBJECT_RANDOM, &error));
	g_assert_cmpstr(error->message, ==,
		"object 'k' is a secret, which is not random numbers; use a "
		"rng-random,filename=/dev/urandom");
	objects_free(objects);
}

/* "open sesame", by openssl enc -aes-256-cbc under the key k and the IV 00 01 ... 0f. */
static void test_sealed_secret(void)
{
	struct objects *objects = new_objects();
	g_autoptr(GError) error = NULL;
	char *text;

	g_assert_nonnull(add(objects, "secret", "s",
		"data=" SEALED " keyid=k iv=AAECAwQFBgcICQoLDA0ODw==", &error));
	text = secret_text(objects, "s", NULL);
	g_assert_cmpstr(text, ==, "open sesame");
	secret_clear(text);
	g_assert_null(add(objects, "secret", "w",
		"data=" SEALED " keyid=k iv=/wECAwQFBgcICQoLDA0O/w==", NULL));
	objects_free(objects);
}

static void test_memory(void)
{
	struct objects *objects = new_objects();
	struct object *memory = add(objects, "memory-backend-memfd", "m", "size=128K", NULL);
	uint8_t byte = 7;

	g_assert_cmpuint(memory_backend_size(memory), ==, 128 << 10);
	((uint8_t *)memory_backend_bytes(memory))[4096] = 9;
	g_assert_cmpint(pread(memory_backend_fd(memory), &byte, 1, 4096), ==, 1);
	g_assert_cmpuint(byte, ==, 9);
	g_assert_cmpint(ftruncate(memory_backend_fd(memory), 0), ==, -1);
	objects_free(objects);
}

static void test_memory_moves(void)
{
	enum {
		BYTES = 128 << 10
	};
	struct objects *objects = new_objects();
	struct object *shared = add(objects, "memory-backend-memfd", "m", "size=128K", NULL);
	struct object *private = add(objects, "memory-backend-ram", "r", "size=128K", NULL);
	uint8_t *room = mmap(
		NULL, 2 * BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t byte = 0;

	((uint8_t *)memory_backend_bytes(private))[BYTES - 1] = 5;
	g_assert_true(memory_backend_move(shared, room, NULL));
	g_assert_true(memory_backend_move(private, room + BYTES, NULL));
	g_assert_true(memory_backend_bytes(shared) == room);
	g_assert_cmpuint(room[2 * BYTES - 1], ==, 5);
	memset(room, 3, 2 * BYTES);
	g_assert_cmpint(pread(memory_backend_fd(shared), &byte, 1, BYTES - 1), ==, 1);
	g_assert_cmpuint(byte, ==, 3);
	objects_free(objects);
	g_assert_cmpint(msync(room, 2 * BYTES, MS_ASYNC), ==, -1);
}

static void test_random(void)
{
	struct objects *objects = new_objects();
	struct object *builtin = add(objects, "rng-builtin", "b", "", NULL);
	struct object *empty = add(objects, "rng-random", "e", "filename=/dev/null", NULL);
	uint8_t bytes[16];

	g_assert_cmpint(random_fd(builtin), ==, -1);
	g_assert_cmpint(random_read(builtin, bytes, sizeof(bytes)), ==, sizeof(bytes));
	g_assert_cmpint(random_fd(empty), >=, 0);
	g_assert_cmpint(random_read(empty, bytes, sizeof(bytes)), ==, -1);
	objects_free(objects);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, &cases[i], check_case);
	g_test_add_func("/use", test_use);
	g_test_add_func("/secret/sealed", test_sealed_secret);
	g_test_add_func("/memory/contents", test_memory);
	g_test_add_func("/memory/moves", test_memory_moves);
	g_test_add_func("/rng/read", test_random);
	return g_test_run();
}
