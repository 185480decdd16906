/* What is kept until it was flushed. */
#include "vmm/storage/write-log.h"

static void test_marks(void)
{
	struct write_log log;
	uint64_t mark;

	write_log_init(&log);
	write_log_flushed(&log, write_log_mark(&log));
	write_log_add(&log, 0, 512, g_malloc(512), false);
	write_log_add(&log, 512, 4096, NULL, true);
	mark = write_log_mark(&log);
	write_log_add(&log, 1024, 512, g_malloc(512), false);
	g_assert_cmpuint(log.size, ==, 1024 + 3 * WRITE_LOG_ENTRY);
	write_log_flushed(&log, mark);
	g_assert_cmpuint(log.entries.length, ==, 1);
	g_assert_cmpuint(((struct write_log_entry *)log.entries.head->data)->offset, ==, 1024);
	/* An older flush that ends later takes nothing more. */
	write_log_flushed(&log, mark - 1);
	g_assert_cmpuint(log.entries.length, ==, 1);
	write_log_flushed(&log, write_log_mark(&log));
	g_assert_cmpuint(log.entries.length, ==, 0);
	g_assert_cmpuint(log.size, ==, 0);
	write_log_clear(&log);
}

static void test_limits(void)
{
	struct write_log log;

	write_log_init(&log);
	for (unsigned i = 0; !write_log_wants_flush(&log); i++)
		write_log_add(&log, 0, 1 << 20, g_malloc0(1 << 20), false);
	g_assert_false(write_log_is_full(&log));
	while (!write_log_is_full(&log))
		write_log_add(&log, 0, 1 << 20, g_malloc0(1 << 20), false);
	g_assert_cmpuint(log.size, <, WRITE_LOG_LIMIT + (2 << 20));
	write_log_clear(&log);
	g_assert_false(write_log_wants_flush(&log));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/write-log/marks", test_marks);
	g_test_add_func("/write-log/limits", test_limits);
	return g_test_run();
}
