/* ELF kernels, sound and not: a small one of 64 bits, and one field of it changed at a time. */
#include "vmm/firmware/elf.h"

#include <string.h>

enum {
	HEADER = 64,
	PROGRAM_HEADER = 56,
	CODE_AT = HEADER + 2 * PROGRAM_HEADER,
	CODE = 16,
	NOTE_AT = CODE_AT + CODE,
	NOTE = 12 + 4 + 8,
	LENGTH = NOTE_AT + NOTE,
	ADDRESS = 0x1000000,
	ENTRY = ADDRESS + 4,
	MEMORY = 0x4000,
};

static const struct {
	const char *name;
	size_t length;   /* 0: all of it */
	uint16_t offset; /* of one change; size 0: none */
	uint8_t size;
	uint64_t value;
	const char *error; /* NULL: it is taken */
} cases[] = {
	{ "/elf/sound", .error = NULL },
	{ "/elf/i386-machine-in-64-bits", 0, 18, 2, 3, NULL },
	{ "/elf/no-elf", 0, 0, 1, 0, "it is no ELF file" },
	{ "/elf/header-cut", 63, .error = "it has only 63 bytes, an ELF kernel has more than 64" },
	{ "/elf/big-endian", 0, 5, 1, 2, "it is an ELF file of another kind of machine" },
	{ "/elf/class-3", 0, 4, 1, 3, "it is an ELF file of another kind of machine" },
	{ "/elf/arm", 0, 18, 2, 183, "it is an ELF file of another kind of machine, number 183" },
	{ "/elf/object", 0, 16, 2, 1, "it is an ELF file of type 1 and no linked program" },
	{ "/elf/no-program-headers", 0, 56, 2, 0, "its 0 program headers" },
	{ "/elf/65-program-headers", 0, 56, 2, 65, "its 65 program headers" },
	{ "/elf/program-headers-outside", 0, 32, 8, LENGTH - PROGRAM_HEADER, "program headers" },
	{ "/elf/program-headers-wrap", 0, 32, 8, UINT64_MAX - 8, "program headers" },
	{ "/elf/segment-cut", 0, HEADER + 8, 8, LENGTH - CODE + 1, "is it cut off?" },
	{ "/elf/segment-wraps", 0, HEADER + 8, 8, UINT64_MAX, "is it cut off?" },
	{ "/elf/more-file-than-memory", 0, HEADER + 40, 8, CODE - 1, "is it cut off?" },
	{ "/elf/below-1-MiB", 0, HEADER + 24, 8, 0xff000, "1 MiB to 4 GiB can be loaded" },
	{ "/elf/above-4-GiB", 0, HEADER + 24, 8, 0xfffff000, "1 MiB to 4 GiB can be loaded" },
	{ "/elf/address-wraps", 0, HEADER + 24, 8, UINT64_MAX, "1 MiB to 4 GiB can be loaded" },
	{ "/elf/no-segment", 0, HEADER, 4, 2, "its PVH entry 0x1000004 is outside" },
	{ "/elf/entry-before", 0, NOTE_AT + 16, 8, ADDRESS - 1, "its PVH entry 0xffffff is" },
	{ "/elf/entry-behind", 0, NOTE_AT + 16, 8, ADDRESS + MEMORY, "outside of what it loads" },
	{ "/elf/no-notes", 0, HEADER + PROGRAM_HEADER, 4, 0, "without PVH's entry" },
	{ "/elf/notes-cut", LENGTH - 1, .error = "without PVH's entry" },
	{ "/elf/other-note", 0, NOTE_AT + 8, 4, 17, "without PVH's entry" },
	{ "/elf/other-name", 0, NOTE_AT + 12, 1, 'Z', "without PVH's entry" },
	{ "/elf/endless-name", 0, NOTE_AT, 4, UINT32_MAX, "without PVH's entry" },
	{ "/elf/endless-note", 0, NOTE_AT + 4, 4, UINT32_MAX, "without PVH's entry" },
};

static void put(uint8_t *bytes, uint16_t offset, uint8_t size, uint64_t value)
{
	value = GUINT64_TO_LE(value);
	memcpy(bytes + offset, &value, size);
}

static void put_program_header(uint8_t *at, uint32_t type, uint64_t offset, uint64_t address,
	uint64_t size, uint64_t memory)
{
	put(at, 0, 4, type);
	put(at, 8, 8, offset);
	put(at, 24, 8, address);
	put(at, 32, 8, size);
	put(at, 40, 8, memory);
	put(at, 48, 8, 4);
}

static uint8_t *sound_kernel(void)
{
	uint8_t *bytes = g_malloc0(LENGTH);

	memcpy(bytes, "\177ELF\2\1\1", 7);
	put(bytes, 16, 2, 2);
	put(bytes, 18, 2, 62);
	put(bytes, 32, 8, HEADER);
	put(bytes, 54, 2, PROGRAM_HEADER);
	put(bytes, 56, 2, 2);
	put_program_header(bytes + HEADER, 1, CODE_AT, ADDRESS, CODE, MEMORY);
	put_program_header(bytes + HEADER + PROGRAM_HEADER, 4, NOTE_AT, 0, NOTE, NOTE);
	put(bytes, NOTE_AT, 4, 4);
	put(bytes, NOTE_AT + 4, 4, 8);
	put(bytes, NOTE_AT + 8, 4, 18);
	memcpy(bytes + NOTE_AT + 12, "Xen", 4);
	put(bytes, NOTE_AT + 16, 8, ENTRY);
	return bytes;
}

static void test_case(gconstpointer data)
{
	guint i = GPOINTER_TO_UINT(data);
	g_autofree uint8_t *bytes = sound_kernel();
	g_autofree uint8_t *exact = NULL;
	g_autoptr(GError) error = NULL;
	size_t length = cases[i].length ? cases[i].length : LENGTH;
	struct elf_kernel kernel;
	bool good;

	put(bytes, cases[i].offset, cases[i].size, cases[i].value);
	exact = g_memdup2(bytes, length);
	good = elf_parse(exact, length, &kernel, &error);
	if (error)
		g_test_message("%s", error->message);
	g_assert_cmpint(good, ==, cases[i].error == NULL);
	if (cases[i].error) {
		g_assert_nonnull(strstr(error->message, cases[i].error));
		return;
	}
	g_assert_no_error(error);
	g_assert_cmpuint(kernel.segment_count, ==, 1);
	g_assert_cmpuint(kernel.segments[0].offset, ==, CODE_AT);
	g_assert_cmphex(kernel.segments[0].address, ==, ADDRESS);
	g_assert_cmpuint(kernel.segments[0].size, ==, CODE);
	g_assert_cmpuint(kernel.segments[0].memory_size, ==, MEMORY);
	g_assert_cmphex(kernel.start, ==, ADDRESS);
	g_assert_cmphex(kernel.end, ==, ADDRESS + MEMORY);
	g_assert_cmphex(kernel.entry, ==, ENTRY);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, GUINT_TO_POINTER(i), test_case);
	return g_test_run();
}
