/* Video memory: a sealed memfd, mapped here, that the guest may write and any consumer may read.
 *
 * Reference counted, so that a picture stays readable while somebody still shows it, whatever the guest does.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct video_memory;

/* How the writer's changes are found: implemented by the VMM over KVM's dirty log. Called on the main loop. */
struct dirty_log_ops {
	/* Turns logging on or off; it is on only while somebody watches. Everything counts as dirty after turning it on. */
	void (*set_active)(void *owner, bool active);
	/* Fetches and clears: sets bit N of @bitmap for each 4 KiB page N in [@first, @first + @count) written since the
	 * last harvest; @bitmap starts at page 0 of the memory. With @keep the pages are read but stay writable and
	 * logged as dirty (full-motion mode). */
	void (*harvest)(
		void *owner, uint64_t first, uint64_t count, unsigned long *bitmap, bool keep);
};

/**
 * video_memory_new - video memory filled with zeroes
 * @name: for people, in /proc
 * @size: bytes, a multiple of 4096
 *
 * Returns NULL with @error when the host does not have it.
 */
struct video_memory *video_memory_new(const char *name, size_t size, GError **error);

struct video_memory *video_memory_ref(struct video_memory *memory);
void video_memory_unref(struct video_memory *memory);

uint8_t *video_memory_bytes(struct video_memory *memory);
size_t video_memory_size(const struct video_memory *memory);
int video_memory_fd(const struct video_memory *memory); /* read and write; owned by the memory */
int video_memory_read_only_fd(
	const struct video_memory *memory); /* for consumers; owned by the memory */

/* A memory without a log has its changes told through head_damage() instead. NULL takes the log away (the owner goes).
 * On the main loop. */
void video_memory_set_dirty_log(
	struct video_memory *memory, const struct dirty_log_ops *ops, void *owner);

/* Somebody who follows the changes of a memory. While there is one, the log is on; each has its own view of it, so that
 * what one fetches is not lost to the others. On the main loop. */
struct memory_watch;

/* Holds a reference of @memory; at first everything counts as dirty. */
struct memory_watch *video_memory_watch(struct video_memory *memory);
void memory_watch_end(struct memory_watch *watch);

/* As dirty_log_ops.harvest for this watcher, setting bits of @bitmap. False when the memory has no log. */
bool memory_watch_harvest(struct memory_watch *watch, uint64_t first, uint64_t count,
	unsigned long *bitmap, bool keep);
