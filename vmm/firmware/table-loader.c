/* The script by which firmware places tables in guest memory. */
#include "vmm/firmware/table-loader.h"

#include <string.h>

#include "base/writer.h"

enum {
	COMMAND_SIZE = 128, /* each, with padding */
	NAME_SIZE = 56,
};

enum command {
	COMMAND_ALLOCATE = 1,
	COMMAND_ADD_POINTER = 2,
	COMMAND_ADD_CHECKSUM = 3,
};

static guint begin(GByteArray *script, enum command command)
{
	guint start = script->len;

	write_le32(script, command);
	return start;
}

static void end(GByteArray *script, guint start)
{
	write_zeroes(script, start + COMMAND_SIZE - script->len);
}

static void write_name(GByteArray *script, const char *name)
{
	char padded[NAME_SIZE] = { 0 };

	g_assert(strlen(name) < NAME_SIZE);
	g_strlcpy(padded, name, sizeof(padded));
	write_bytes(script, padded, sizeof(padded));
}

void table_loader_allocate(
	GByteArray *script, const char *file, uint32_t align, enum table_zone zone)
{
	guint start = begin(script, COMMAND_ALLOCATE);

	write_name(script, file);
	write_le32(script, align);
	write_u8(script, zone);
	end(script, start);
}

void table_loader_add_pointer(
	GByteArray *script, const char *file, uint32_t offset, uint8_t size, const char *source)
{
	guint start = begin(script, COMMAND_ADD_POINTER);

	write_name(script, file);
	write_name(script, source);
	write_le32(script, offset);
	write_u8(script, size);
	end(script, start);
}

void table_loader_add_checksum(
	GByteArray *script, const char *file, uint32_t offset, uint32_t start, uint32_t length)
{
	guint begins = begin(script, COMMAND_ADD_CHECKSUM);

	write_name(script, file);
	write_le32(script, offset);
	write_le32(script, start);
	write_le32(script, length);
	end(script, begins);
}
