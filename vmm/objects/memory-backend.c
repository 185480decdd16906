/* memory-backend-ram, memory-backend-file, memory-backend-memfd: pieces of memory, and where they come from: anonymous,
 * a file (on hugetlbfs or another file system) or a memfd with seals.
 *
 * host-nodes and policy are mbind(2)'s.
 */
#include "vmm/objects/memory-backend.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/error.h"
#include "vmm/objects/classes.h"
#include "vmm/options/values.h"

enum {
	PAGE = 4 * KiB,
	HOST_NODES = 128,
	BITS = 8 * sizeof(unsigned long),
};

#define MAXIMUM_BACKEND (UINT64_C(1024) * GiB)

/* Of mbind(2): <linux/mempolicy.h>'s numbers are these indices. */
static const char *const policies[] = { "default", "preferred", "bind", "interleave", NULL };

struct memory_backend {
	struct object object;
	uint64_t size, align, hugetlb_size;
	bool share, merge, dump, prealloc, reserve, canonical;
	bool hugetlb, seal, discard_data, read_only, pmem;
	uint32_t prealloc_threads, policy;
	char *host_nodes, *path;
	void *bytes; /* NULL: none */
	uint64_t mapped;
	int fd; /* 0 or -1: none */
};

#define COMMON(SHARE) \
	{ "size", PROPERTY_SIZE, offsetof(struct memory_backend, size), NULL, "how much", \
		.minimum = PAGE, .maximum = MAXIMUM_BACKEND }, \
		{ "share", PROPERTY_BOOL, offsetof(struct memory_backend, share), SHARE, \
			"other processes may map it" }, \
		{ "prealloc", PROPERTY_BOOL, offsetof(struct memory_backend, prealloc), "off", \
			"takes all of it from the host at the start" }, \
		{ "prealloc-threads", PROPERTY_UINT32, \
			offsetof(struct memory_backend, prealloc_threads), "1", \
			"accepted; the kernel takes it at once", .minimum = 1 }, \
		{ "merge", PROPERTY_BOOL, offsetof(struct memory_backend, merge), "on", \
			"the host may keep equal pages once (KSM)" }, \
		{ "dump", PROPERTY_BOOL, offsetof(struct memory_backend, dump), "off", \
			"core files have it" }, \
		{ "reserve", PROPERTY_BOOL, offsetof(struct memory_backend, reserve), "on", \
			"refused when the host can never give so much" }, \
		{ "host-nodes", PROPERTY_STRING, offsetof(struct memory_backend, host_nodes), \
			NULL, "nodes of the host, such as 0-1,3" }, \
		{ "policy", PROPERTY_CHOICE, offsetof(struct memory_backend, policy), "default", \
			"how the nodes are used", .choices = policies }, \
	{ \
		"x-use-canonical-path-for-ramblock-id", PROPERTY_BOOL, \
			offsetof(struct memory_backend, canonical), "off", \
			"accepted; how a saved guest names its memory" \
	}

static const struct property ram_properties[] = {
	COMMON("off"),
	{ .type = PROPERTY_END },
};

static const struct property memfd_properties[] = {
	COMMON("on"),
	{ "hugetlb", PROPERTY_BOOL, offsetof(struct memory_backend, hugetlb), "off",
		"of huge pages" },
	{ "hugetlbsize", PROPERTY_SIZE, offsetof(struct memory_backend, hugetlb_size), NULL,
		"the size of a huge page, a power of two (default: the host's)",
		.minimum = 64 * KiB, .maximum = UINT64_C(16) * GiB },
	{ "seal", PROPERTY_BOOL, offsetof(struct memory_backend, seal), "on",
		"nobody can make it larger or smaller" },
	{ .type = PROPERTY_END },
};

static const struct property file_properties[] = {
	COMMON("off"),
	{ "mem-path", PROPERTY_STRING, offsetof(struct memory_backend, path), NULL,
		"the file, or a folder for a file without a name" },
	{ "align", PROPERTY_SIZE, offsetof(struct memory_backend, align), "0",
		"accepted up to the size of a page" },
	{ "discard-data", PROPERTY_BOOL, offsetof(struct memory_backend, discard_data), "off",
		"what is in the file need not be kept at the end" },
	{ "readonly", PROPERTY_BOOL, offsetof(struct memory_backend, read_only), "off",
		"the file is opened for reading only, which a guest's RAM cannot be" },
	{ "pmem", PROPERTY_BOOL, offsetof(struct memory_backend, pmem), "off",
		"the file is persistent memory, which is not supported" },
	{ .type = PROPERTY_END },
};

static bool check_size(const struct memory_backend *backend, GError **error)
{
	if (backend->size == 0)
		return fail(error, VITRINE_ERROR_INPUT, "Parameter 'size' is missing");
	return backend->size % PAGE == 0 ||
	       fail(error, VITRINE_ERROR_INPUT,
		       "size=%" G_GUINT64_FORMAT " is not accepted; accepted: a multiple of 4K",
		       backend->size);
}

/* --- nodes of the host --- */

static bool add_range(unsigned long *mask, const char *range, GError **error)
{
	g_auto(GStrv) ends = g_strsplit(range, "-", 2);
	uint64_t first = 0, last = 0;
	bool good = ends[0] && value_parse_number(ends[0], &first);

	last = first;
	good = good && (!ends[1] || value_parse_number(ends[1], &last));
	if (!good || first > last || last >= HOST_NODES)
		return fail(error, VITRINE_ERROR_INPUT,
			"host-nodes=%s is not accepted; accepted: nodes from 0 to %d, such as "
			"0-1,3",
			range, HOST_NODES - 1);
	for (uint64_t node = first; node <= last; node++)
		mask[node / BITS] |= 1UL << node % BITS;
	return true;
}

static bool bind_nodes(struct memory_backend *backend, GError **error)
{
	unsigned long mask[HOST_NODES / BITS] = {};
	g_auto(GStrv) ranges = g_strsplit(backend->host_nodes ? backend->host_nodes : "", ",", -1);

	for (guint i = 0; ranges[i]; i++) {
		if (!add_range(mask, ranges[i], error))
			return false;
	}
	if (backend->host_nodes && backend->policy == 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"host-nodes must be empty for policy default, or you should explicitly "
			"specify a policy other than default");
	if (!backend->host_nodes && backend->policy != 0)
		return fail(error, VITRINE_ERROR_INPUT, "host-nodes must be set for policy %s",
			policies[backend->policy]);
	if (backend->policy == 0)
		return true;
	/* The kernel takes one bit less than it is told. */
	return syscall(SYS_mbind, backend->bytes, backend->mapped, (long)backend->policy, mask,
		       (unsigned long)HOST_NODES + 1, 0UL) == 0 ||
	       fail_errno(error, VITRINE_ERROR_HOST, "cannot bind memory to host NUMA nodes");
}

/* --- mapping --- */

static bool populate(struct memory_backend *backend, GError **error)
{
	return !backend->prealloc ||
	       madvise(backend->bytes, backend->mapped, MADV_POPULATE_WRITE) == 0 ||
	       fail_errno(error, VITRINE_ERROR_HOST,
		       "the host cannot give all of the memory now (prealloc=on)");
}

/* Advice that a kernel or a kind of memory does not know changes nothing that counts. */
static bool map_memory(struct memory_backend *backend, uint64_t page, GError **error)
{
	int flags = backend->share ? MAP_SHARED : MAP_PRIVATE;

	if (backend->fd <= 0)
		flags |= MAP_ANONYMOUS;
	if (!backend->reserve)
		flags |= MAP_NORESERVE;
	backend->mapped = (backend->size + page - 1) / page * page;
	backend->bytes = mmap(NULL, backend->mapped, PROT_READ | PROT_WRITE, flags,
		backend->fd > 0 ? backend->fd : -1, 0);
	if (backend->bytes == MAP_FAILED) {
		g_autofree char *size = value_print_size(backend->size);

		backend->bytes = NULL;
		return fail_errno(
			error, VITRINE_ERROR_HOST, "the host has no %s of memory to give", size);
	}
	(void)!madvise(backend->bytes, backend->mapped,
		backend->merge ? MADV_MERGEABLE : MADV_UNMERGEABLE);
	(void)!madvise(
		backend->bytes, backend->mapped, backend->dump ? MADV_DODUMP : MADV_DONTDUMP);
	return bind_nodes(backend, error) && populate(backend, error);
}

static bool ram_complete(struct object *object, GError **error)
{
	struct memory_backend *backend = (struct memory_backend *)object;

	return check_size(backend, error) && map_memory(backend, PAGE, error);
}

static unsigned memfd_flags(const struct memory_backend *backend)
{
	unsigned flags = MFD_CLOEXEC | (backend->seal ? MFD_ALLOW_SEALING : 0);

	if (!backend->hugetlb)
		return flags;
	if (backend->hugetlb_size)
		flags |= (unsigned)__builtin_ctzll(backend->hugetlb_size) << MAP_HUGE_SHIFT;
	return flags | MFD_HUGETLB;
}

/* The size of its blocks is that of its pages, huge ones too. */
static uint64_t page_of(int fd)
{
	struct statfs system;

	return fstatfs(fd, &system) == 0 && system.f_type == HUGETLBFS_MAGIC
		       ? (uint64_t)system.f_bsize
		       : PAGE;
}

static bool memfd_complete(struct object *object, GError **error)
{
	struct memory_backend *backend = (struct memory_backend *)object;
	uint64_t page;

	if (!check_size(backend, error))
		return false;
	if (backend->hugetlb_size &&
		(!backend->hugetlb || (backend->hugetlb_size & (backend->hugetlb_size - 1)) != 0))
		return fail(error, VITRINE_ERROR_INPUT,
			"hugetlbsize is a power of two, and needs hugetlb=on");
	backend->fd = memfd_create(object->id, memfd_flags(backend));
	if (backend->fd < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "the host gives no such memfd");
	page = page_of(backend->fd);
	if (backend->size % page != 0)
		return fail(error, VITRINE_ERROR_INPUT,
			"size is no multiple of the huge page's size, %" G_GUINT64_FORMAT " KiB",
			page / KiB);
	if (ftruncate(backend->fd, (off_t)backend->size) < 0 ||
		(backend->seal && fcntl(backend->fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0))
		return fail_errno(error, VITRINE_ERROR_HOST, "the host gives no such memfd");
	return map_memory(backend, page, error);
}

static bool open_path(struct memory_backend *backend, GError **error)
{
	struct stat kind;

	if (stat(backend->path, &kind) == 0 && S_ISDIR(kind.st_mode))
		backend->fd = open(backend->path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	else
		backend->fd = open(backend->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
	return backend->fd > 0 ||
	       fail_errno(error, VITRINE_ERROR_HOST, "can't open backing store %s for guest RAM",
		       backend->path);
}

/* A file that is larger keeps its size: others may look at the rest. */
static bool make_room(struct memory_backend *backend, uint64_t page, GError **error)
{
	uint64_t wanted = (backend->size + page - 1) / page * page;
	struct stat file;

	if (fstat(backend->fd, &file) < 0 || !S_ISREG(file.st_mode))
		return fail(error, VITRINE_ERROR_INPUT, "mem-path=%s is no regular file",
			backend->path);
	return (uint64_t)file.st_size >= wanted || ftruncate(backend->fd, (off_t)wanted) == 0 ||
	       fail_errno(
		       error, VITRINE_ERROR_HOST, "%s cannot be made large enough", backend->path);
}

static bool file_complete(struct object *object, GError **error)
{
	struct memory_backend *backend = (struct memory_backend *)object;
	uint64_t page;

	if (!check_size(backend, error))
		return false;
	if (!backend->path || backend->path[0] == '\0')
		return fail(error, VITRINE_ERROR_INPUT, "mem-path property not set");
	if (backend->read_only)
		return fail(error, VITRINE_ERROR_INPUT,
			"readonly=on is not accepted; accepted: off (RAM is written)");
	if (backend->pmem)
		return fail(error, VITRINE_ERROR_INPUT,
			"pmem=on is not accepted; accepted: off (there is no support for "
			"persistent memory)");
	if (!open_path(backend, error))
		return false;
	page = page_of(backend->fd);
	if (backend->align > page)
		return fail(error, VITRINE_ERROR_INPUT,
			"align=%" G_GUINT64_FORMAT
			" is not accepted; accepted: up to %" G_GUINT64_FORMAT ", the page of %s",
			backend->align, page, backend->path);
	return make_room(backend, page, error) && map_memory(backend, page, error);
}

static void memory_finish(struct object *object)
{
	struct memory_backend *backend = (struct memory_backend *)object;

	if (backend->bytes && backend->discard_data && backend->share)
		(void)!madvise(backend->bytes, backend->mapped, MADV_REMOVE);
	if (backend->bytes)
		munmap(backend->bytes, backend->mapped);
	if (backend->fd > 0)
		close(backend->fd);
}

const struct object_class object_memory_ram = {
	.name = "memory-backend-ram",
	.description = "anonymous memory",
	.kind = OBJECT_MEMORY,
	.size = sizeof(struct memory_backend),
	.properties = ram_properties,
	.complete = ram_complete,
	.finish = memory_finish,
};

const struct object_class object_memory_memfd = {
	.name = "memory-backend-memfd",
	.description = "memory that other processes can be given",
	.kind = OBJECT_MEMORY,
	.size = sizeof(struct memory_backend),
	.properties = memfd_properties,
	.complete = memfd_complete,
	.finish = memory_finish,
};

const struct object_class object_memory_file = {
	.name = "memory-backend-file",
	.description = "memory in a file",
	.kind = OBJECT_MEMORY,
	.size = sizeof(struct memory_backend),
	.properties = file_properties,
	.complete = file_complete,
	.finish = memory_finish,
};

void *memory_backend_bytes(const struct object *object)
{
	return ((const struct memory_backend *)object)->bytes;
}

bool memory_backend_move(struct object *object, void *target, GError **error)
{
	struct memory_backend *backend = (struct memory_backend *)object;

	if (backend->mapped != backend->size)
		return fail(error, VITRINE_ERROR_INPUT,
			"memory %s: its size is no multiple of its pages' size", object->id);
	if (mremap(backend->bytes, backend->mapped, backend->mapped, MREMAP_MAYMOVE | MREMAP_FIXED,
		    target) == MAP_FAILED)
		return fail_errno(error, VITRINE_ERROR_HOST,
			"memory %s cannot lie behind the others; where its pages are huge, the "
			"nodes before "
			"it need sizes that are multiples of them",
			object->id);
	backend->bytes = target;
	return true;
}

uint64_t memory_backend_size(const struct object *object)
{
	return ((const struct memory_backend *)object)->size;
}

int memory_backend_fd(const struct object *object)
{
	const struct memory_backend *backend = (const struct memory_backend *)object;

	return backend->share && backend->fd > 0 ? backend->fd : -1;
}
