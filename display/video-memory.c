/* Video memory: a sealed memfd, its mapping, and who follows its changes.
 *
 * The log below knows one reader. Here it gets as many as there are heads in the memory: whatever one fetches is noted
 * for all the others.
 */
#include "display/video-memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memfd.h"
#include "display/bitmap.h"

enum {
	PAGE_SIZE = 4096
};

struct video_memory {
	gatomicrefcount references;
	uint8_t *bytes;
	size_t size;
	int fd, read_only_fd;
	const struct dirty_log_ops *log;
	void *log_owner;
	GPtrArray *watches; /* struct memory_watch, not owned */
};

struct memory_watch {
	struct video_memory *memory;
	unsigned long *dirty; /* pages that others fetched, or that were never looked at */
};

struct video_memory *video_memory_new(const char *name, size_t size, GError **error)
{
	struct video_memory *memory;
	int fd, read_only_fd;
	void *bytes;

	if (size == 0 || size % PAGE_SIZE != 0) {
		fail(error, VITRINE_ERROR_INPUT,
			"%s cannot have %zu bytes of video memory: a multiple of %d is possible",
			name, size, PAGE_SIZE);
		return NULL;
	}
	fd = memfd_create_sealed(name, size, error);
	if (fd < 0)
		return NULL;
	read_only_fd = memfd_open_read_only(fd, error);
	if (read_only_fd < 0) {
		close(fd);
		return NULL;
	}
	bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED) {
		fail_errno(error, VITRINE_ERROR_HOST, "cannot map %zu bytes of video memory for %s",
			size, name);
		close(read_only_fd);
		close(fd);
		return NULL;
	}
	if (!memfd_keep_writing(fd, error)) {
		munmap(bytes, size);
		close(read_only_fd);
		close(fd);
		return NULL;
	}
	memory = g_new0(struct video_memory, 1);
	g_atomic_ref_count_init(&memory->references);
	memory->bytes = bytes;
	memory->size = size;
	memory->fd = fd;
	memory->read_only_fd = read_only_fd;
	memory->watches = g_ptr_array_new();
	return memory;
}

struct video_memory *video_memory_ref(struct video_memory *memory)
{
	g_atomic_ref_count_inc(&memory->references);
	return memory;
}

void video_memory_unref(struct video_memory *memory)
{
	if (!memory || !g_atomic_ref_count_dec(&memory->references))
		return;
	munmap(memory->bytes, memory->size);
	close(memory->read_only_fd);
	close(memory->fd);
	g_ptr_array_unref(memory->watches);
	g_free(memory);
}

uint8_t *video_memory_bytes(struct video_memory *memory)
{
	return memory->bytes;
}

size_t video_memory_size(const struct video_memory *memory)
{
	return memory->size;
}

int video_memory_fd(const struct video_memory *memory)
{
	return memory->fd;
}

int video_memory_read_only_fd(const struct video_memory *memory)
{
	return memory->read_only_fd;
}

static void set_active(struct video_memory *memory, bool active)
{
	if (memory->log)
		memory->log->set_active(memory->log_owner, active);
}

static void mark_all(struct memory_watch *watch)
{
	for (size_t i = 0; i < bitmap_words(watch->memory->size / PAGE_SIZE); i++)
		watch->dirty[i] = ~0ul;
}

void video_memory_set_dirty_log(
	struct video_memory *memory, const struct dirty_log_ops *ops, void *owner)
{
	bool watched = memory->watches->len > 0;

	if (watched)
		set_active(memory, false);
	memory->log = ops;
	memory->log_owner = owner;
	if (!watched)
		return;
	set_active(memory, true);
	for (guint i = 0; i < memory->watches->len; i++)
		mark_all(g_ptr_array_index(memory->watches, i));
}

struct memory_watch *video_memory_watch(struct video_memory *memory)
{
	struct memory_watch *watch = g_new0(struct memory_watch, 1);

	watch->memory = video_memory_ref(memory);
	watch->dirty = g_new0(unsigned long, bitmap_words(memory->size / PAGE_SIZE));
	mark_all(watch);
	g_ptr_array_add(memory->watches, watch);
	if (memory->watches->len == 1)
		set_active(memory, true);
	return watch;
}

void memory_watch_end(struct memory_watch *watch)
{
	struct video_memory *memory = watch->memory;

	g_ptr_array_remove_fast(memory->watches, watch);
	if (memory->watches->len == 0)
		set_active(memory, false);
	g_free(watch->dirty);
	g_free(watch);
	video_memory_unref(memory);
}

bool memory_watch_harvest(struct memory_watch *watch, uint64_t first, uint64_t count,
	unsigned long *bitmap, bool keep)
{
	struct video_memory *memory = watch->memory;
	uint64_t pages = memory->size / PAGE_SIZE;
	uint64_t end;

	if (!memory->log)
		return false;
	first = MIN(first, pages);
	end = first + MIN(count, pages - first);
	if (first == end)
		return true;
	memory->log->harvest(memory->log_owner, first, end - first, bitmap, keep);
	for (uint64_t word = first / BITMAP_BITS; word <= (end - 1) / BITMAP_BITS; word++) {
		unsigned long mask = bitmap_mask(word, first, end);
		unsigned long fresh = bitmap[word] & mask;

		for (guint i = 0; i < memory->watches->len; i++) {
			struct memory_watch *other = g_ptr_array_index(memory->watches, i);

			if (other != watch)
				other->dirty[word] |= fresh;
		}
		bitmap[word] |= watch->dirty[word] & mask;
		watch->dirty[word] &= ~mask;
	}
	return true;
}
