/* Acknowledged writes that are not flushed yet, oldest first. */
#include "vmm/storage/write-log.h"

static void entry_free(void *opaque)
{
	struct write_log_entry *entry = opaque;

	g_free(entry->bytes);
	g_free(entry);
}

static uint64_t entry_size(const struct write_log_entry *entry)
{
	return WRITE_LOG_ENTRY + (entry->bytes ? entry->length : 0);
}

void write_log_init(struct write_log *log)
{
	*log = (struct write_log) { .entries = G_QUEUE_INIT };
}

void write_log_clear(struct write_log *log)
{
	g_queue_clear_full(&log->entries, entry_free);
	log->size = 0;
}

void write_log_add(
	struct write_log *log, uint64_t offset, uint64_t length, uint8_t *bytes, bool unmap)
{
	struct write_log_entry *entry = g_new(struct write_log_entry, 1);

	*entry = (struct write_log_entry) {
		.offset = offset,
		.length = length,
		.bytes = bytes,
		.unmap = unmap,
	};
	g_queue_push_tail(&log->entries, entry);
	log->newest++;
	log->size += entry_size(entry);
}

uint64_t write_log_mark(const struct write_log *log)
{
	return log->newest;
}

void write_log_flushed(struct write_log *log, uint64_t mark)
{
	while (log->entries.length > 0 && log->newest - log->entries.length < mark) {
		struct write_log_entry *entry = g_queue_pop_head(&log->entries);

		log->size -= entry_size(entry);
		entry_free(entry);
	}
}

bool write_log_wants_flush(const struct write_log *log)
{
	return log->size >= WRITE_LOG_LIMIT / 2;
}

bool write_log_is_full(const struct write_log *log)
{
	return log->size >= WRITE_LOG_LIMIT;
}
