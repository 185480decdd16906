/* Which device answers an access, and in what pieces it sees it. */
#include "vmm/memory/io-space.h"

#include <string.h>

struct recorder {
	char log[256];
	uint64_t answer;
};

static uint64_t record_read(void *opaque, uint64_t offset, unsigned size)
{
	struct recorder *recorder = opaque;
	size_t used = strlen(recorder->log);

	g_snprintf(recorder->log + used, sizeof(recorder->log) - used, "r%u@%x ", size,
		(unsigned)offset);
	return recorder->answer;
}

static void record_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
	struct recorder *recorder = opaque;
	size_t used = strlen(recorder->log);

	g_snprintf(recorder->log + used, sizeof(recorder->log) - used,
		"w%u@%x=%" G_GINT64_MODIFIER "x ", size, (unsigned)offset, value);
}

static const struct io_ops any_size = { .read = record_read, .write = record_write };
static const struct io_ops bytes_only = {
	.read = record_read,
	.write = record_write,
	.max_access = 1,
};

static const struct {
	const char *name;
	uint64_t address;
	unsigned size;
	uint64_t value; /* what a read gives */
	const char *low,
		*high; /* what each device sees of the read and then of a write of 0x44332211 */
} cases[] = {
	{ "/io/inside", 0x100, 4, 0x11111111, "r4@0 w4@0=44332211 ", "" },
	{ "/io/bytes-only", 0x104, 2, 0xaaaa, "", "r1@0 r1@1 w1@0=11 w1@1=22 " },
	{ "/io/across-two", 0x102, 4, 0xaaaa1111, "r2@2 w2@2=2211 ", "r1@0 r1@1 w1@0=33 w1@1=44 " },
	{ "/io/across-the-end", 0x107, 2, 0xffaa, "", "r1@3 w1@3=11 " },
	{ "/io/across-the-start", 0xfe, 4, 0x1111ffff, "r2@0 w2@0=4433 ", "" },
	{ "/io/nobody", 0x200, 4, 0xffffffff, "", "" },
};

static void check_access(gconstpointer data)
{
	const typeof(cases[0]) *c = data;
	struct recorder low = { .answer = 0x11111111 }, high = { .answer = 0xaa };
	struct io_region regions[] = {
		{ .name = "low", .ops = &any_size, .device = &low, .size = 4 },
		{ .name = "high", .ops = &bytes_only, .device = &high, .size = 4 },
	};
	struct io_space space;

	io_space_init(&space, "test");
	io_space_map(&space, &regions[0], 0x100);
	io_space_map(&space, &regions[1], 0x104);
	g_assert_cmphex(io_space_read(&space, c->address, c->size), ==, c->value);
	io_space_write(&space, c->address, c->size, 0x44332211);
	g_assert_cmpstr(low.log, ==, c->low);
	g_assert_cmpstr(high.log, ==, c->high);
	io_space_clear(&space);
}

static void test_priority(void)
{
	struct recorder under = { .answer = 1 }, over = { .answer = 2 };
	struct io_region regions[] = {
		{ .name = "under", .ops = &any_size, .device = &under, .size = 16 },
		{ .name = "over", .ops = &any_size, .device = &over, .size = 1, .priority = 1 },
	};
	struct io_space space;

	io_space_init(&space, "test");
	io_space_map(&space, &regions[1], 9);
	io_space_map(&space, &regions[0], 0);
	g_assert_cmpuint(io_space_read(&space, 9, 1), ==, 2);
	g_assert_cmpuint(io_space_read(&space, 8, 1), ==, 1);

	/* Moved away, it uncovers what lies beneath, and is found where it is now. */
	io_space_map(&space, &regions[1], 100);
	g_assert_cmpuint(io_space_read(&space, 9, 1), ==, 1);
	g_assert_cmpuint(io_space_read(&space, 100, 1), ==, 2);
	io_region_unmap(&regions[1]);
	io_region_unmap(&regions[1]);
	g_assert_cmpuint(io_space_read(&space, 100, 1), ==, 0xff);
	io_space_clear(&space);
}

static void test_conflict(void)
{
	struct recorder recorder = { .answer = 1 };
	struct io_region regions[] = {
		{ .name = "one", .ops = &any_size, .device = &recorder, .size = 8 },
		{ .name = "two", .ops = &any_size, .device = &recorder, .size = 8 },
		{ .name = "over", .ops = &any_size, .device = &recorder, .size = 1, .priority = 1 },
	};
	const struct io_region *one, *other;
	struct io_space space;

	io_space_init(&space, "test");
	io_space_map(&space, &regions[0], 0x100);
	io_space_map(&space, &regions[1], 0x108);
	io_space_map(&space, &regions[2], 0x104);
	g_assert_false(io_space_find_conflict(&space, &one, &other));
	io_space_map(&space, &regions[1], 0x107);
	g_assert_true(io_space_find_conflict(&space, &one, &other));
	g_assert_cmpstr(one->name, ==, "two");
	g_assert_cmpstr(other->name, ==, "one");
	io_space_clear(&space);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, &cases[i], check_access);
	g_test_add_func("/io/priority", test_priority);
	g_test_add_func("/io/conflict", test_conflict);
	return g_test_run();
}
