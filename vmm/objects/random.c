/* rng-random: random numbers from a device of the host; rng-builtin: from the kernel's own generator. */
#include "vmm/objects/random.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "vmm/objects/classes.h"

struct random {
	struct object object;
	char *filename;
	int fd; /* rng-random */
};

static const struct property random_properties[] = {
	{ "filename", PROPERTY_STRING, offsetof(struct random, filename), "/dev/urandom",
		"the device or pipe that gives random numbers" },
	{ .type = PROPERTY_END },
};

static const struct property no_properties[] = {
	{ .type = PROPERTY_END },
};

static bool random_complete(struct object *object, GError **error)
{
	struct random *random = (struct random *)object;

	random->fd = open(random->filename, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return random->fd >= 0 ||
	       fail_errno(error, VITRINE_ERROR_HOST, "Could not open '%s'", random->filename);
}

static bool builtin_complete(struct object *object, GError **error)
{
	((struct random *)object)->fd = -1;
	return true;
}

static void random_finish(struct object *object)
{
	struct random *random = (struct random *)object;

	if (random->fd > 0)
		close(random->fd);
}

ssize_t random_read(struct object *object, void *bytes, size_t length)
{
	struct random *random = (struct random *)object;
	ssize_t got;

	if (random->fd < 0)
		got = getrandom(bytes, length, GRND_NONBLOCK);
	else
		got = read(random->fd, bytes, length);
	if (got == 0 && length > 0)
		return -1; /* a file that has ended */
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : got;
}

int random_fd(const struct object *object)
{
	return ((const struct random *)object)->fd;
}

const struct object_class object_rng_random = {
	.name = "rng-random",
	.description = "random numbers from a device of the host",
	.kind = OBJECT_RANDOM,
	.size = sizeof(struct random),
	.properties = random_properties,
	.complete = random_complete,
	.finish = random_finish,
};

const struct object_class object_rng_builtin = {
	.name = "rng-builtin",
	.description = "random numbers from the host's kernel",
	.kind = OBJECT_RANDOM,
	.size = sizeof(struct random),
	.properties = no_properties,
	.complete = builtin_complete,
	.finish = random_finish,
};
