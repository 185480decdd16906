/* A firmware's side of the table loader. */
#include "tests/unit/vmm/firmware/loader.h"

#include <string.h>

#include "base/reader.h"

enum {
	COMMAND_SIZE = 128,
	NAME_SIZE = 56
};

static struct loaded_file *find(struct loaded_file *files, unsigned count, const uint8_t *name)
{
	g_assert_cmpuint(name[NAME_SIZE - 1], ==, 0);
	for (unsigned i = 0; i < count; i++)
		if (strcmp(files[i].name, (const char *)name) == 0)
			return &files[i];
	g_assert_not_reached();
}

static void allocate(struct reader *in, struct loaded_file *files, unsigned count)
{
	const struct loaded_file *file = find(files, count, reader_bytes(in, NAME_SIZE));
	uint32_t align = reader_le32(in);

	g_assert_cmpuint(align & (align - 1), ==, 0);
	g_assert_cmpuint(file->address % align, ==, 0);
}

static void add_pointer(struct reader *in, struct loaded_file *files, unsigned count)
{
	struct loaded_file *file = find(files, count, reader_bytes(in, NAME_SIZE));
	const struct loaded_file *source = find(files, count, reader_bytes(in, NAME_SIZE));
	uint32_t offset = reader_le32(in);
	uint8_t size = reader_u8(in);
	uint64_t value = 0;

	g_assert_true(size == 4 || size == 8);
	g_assert_cmpuint(offset + size, <=, file->bytes->len);
	memcpy(&value, file->bytes->data + offset, size);
	g_assert_cmpuint(value, <, source->bytes->len);
	value += source->address;
	memcpy(file->bytes->data + offset, &value, size);
}

static void add_checksum(struct reader *in, struct loaded_file *files, unsigned count)
{
	struct loaded_file *file = find(files, count, reader_bytes(in, NAME_SIZE));
	uint32_t offset = reader_le32(in), start = reader_le32(in), length = reader_le32(in);
	uint8_t sum = 0;

	g_assert_cmpuint(start + length, <=, file->bytes->len);
	g_assert_true(offset >= start && offset < start + length);
	for (uint32_t i = 0; i < length; i++)
		sum += file->bytes->data[start + i];
	file->bytes->data[offset] -= sum;
}

void loader_run(const GByteArray *script, struct loaded_file *files, unsigned count)
{
	static void (*const commands[])(
		struct reader * in, struct loaded_file * files, unsigned count) = {
		[1] = allocate,
		[2] = add_pointer,
		[3] = add_checksum,
	};

	g_assert_cmpuint(script->len % COMMAND_SIZE, ==, 0);
	for (guint at = 0; at < script->len; at += COMMAND_SIZE) {
		struct reader in = reader_from(script->data + at, COMMAND_SIZE);
		uint32_t command = reader_le32(&in);

		g_assert_true(command >= 1 && command <= 3);
		commands[command](&in, files, count);
	}
}

const uint8_t *loader_at(
	const struct loaded_file *files, unsigned count, uint64_t address, size_t length)
{
	for (unsigned i = 0; i < count; i++)
		if (address >= files[i].address &&
			address + length <= files[i].address + files[i].bytes->len)
			return files[i].bytes->data + (address - files[i].address);
	g_assert_not_reached();
}
