/* ELF kernels.
 *
 * Specification: System V ABI, chapters 4 and 5 (ELF header, program header, note section); Xen, docs/misc/pvh.pandoc and
 * xen/include/public/elfnote.h (XEN_ELFNOTE_PHYS32_ENTRY).
 */
#include "vmm/firmware/elf.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/reader.h"

enum {
	IDENT_SIZE = 16,
	IDENT_CLASS = 4,
	IDENT_DATA = 5,
	CLASS_32 = 1,
	CLASS_64 = 2,
	DATA_LITTLE = 1,
	TYPE_EXECUTABLE = 2,
	TYPE_SHARED = 3,
	MACHINE_386 = 3,
	MACHINE_X86_64 = 62,
	HEADER_SIZE_32 = 52,
	HEADER_SIZE_64 = 64,
	PROGRAM_HEADER_SIZE_32 = 32,
	PROGRAM_HEADER_SIZE_64 = 56,
	PROGRAM_LOAD = 1,
	PROGRAM_NOTE = 4,
	NOTES_MAX = 1024, /* looked at, in each segment of them */
	XEN_ENTRY_32 = 18,
	LOWEST_ADDRESS = MiB, /* below, the firmware is at work */
};

static const uint8_t magic[] = { 0x7f, 'E', 'L', 'F' };
static const uint8_t xen_name[] = { 'X', 'e', 'n', 0 };

/* An address or a size: 32 bits or 64, by the file's class. */
struct file {
	const uint8_t *bytes;
	size_t length;
	bool wide;
	uint64_t program_headers;
	unsigned program_header_count;
};

struct program_header {
	uint32_t type;
	uint64_t offset, address, size, memory_size, alignment;
};

static uint64_t read_word(const struct file *file, struct reader *in)
{
	return file->wide ? reader_le64(in) : reader_le32(in);
}

/* Whether @size bytes from @offset are in the file. */
static bool is_inside(const struct file *file, uint64_t offset, uint64_t size)
{
	uint64_t end;

	return checked_add(offset, size, &end) && end <= file->length;
}

bool elf_is(const uint8_t *bytes, size_t length)
{
	return length >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

static bool read_header(struct file *file, GError **error)
{
	struct reader in = reader_from(file->bytes, file->length);
	uint16_t type, machine, entry_size;
	uint8_t class;

	if (file->length < HEADER_SIZE_64)
		return fail(error, VITRINE_ERROR_INPUT,
			"it has only %zu bytes, an ELF kernel has more than %u", file->length,
			HEADER_SIZE_64);
	class = file->bytes[IDENT_CLASS];
	file->wide = class == CLASS_64;
	reader_skip(&in, IDENT_SIZE);
	type = reader_le16(&in);
	machine = reader_le16(&in);
	if ((class != CLASS_32 && class != CLASS_64) || file->bytes[IDENT_DATA] != DATA_LITTLE ||
		(machine != MACHINE_386 && machine != MACHINE_X86_64))
		return fail(error, VITRINE_ERROR_INPUT,
			"it is an ELF file of another kind of machine, number %u", machine);
	if (type != TYPE_EXECUTABLE && type != TYPE_SHARED)
		return fail(error, VITRINE_ERROR_INPUT,
			"it is an ELF file of type %u and no linked program", type);
	reader_skip(&in, 4);  /* version */
	read_word(file, &in); /* entry of another protocol */
	file->program_headers = read_word(file, &in);
	read_word(file, &in);    /* section headers */
	reader_skip(&in, 4 + 2); /* flags, size of this header */
	entry_size = reader_le16(&in);
	file->program_header_count = reader_le16(&in);
	if (entry_size != (file->wide ? PROGRAM_HEADER_SIZE_64 : PROGRAM_HEADER_SIZE_32) ||
		file->program_header_count == 0 || file->program_header_count > ELF_SEGMENTS_MAX ||
		!is_inside(file, file->program_headers,
			(uint64_t)entry_size * file->program_header_count))
		return fail(error, VITRINE_ERROR_INPUT,
			"its %u program headers of %u bytes at %#" PRIx64
			" are not usable; 1 to %u inside the file's %zu bytes are",
			file->program_header_count, entry_size, file->program_headers,
			ELF_SEGMENTS_MAX, file->length);
	return true;
}

static struct program_header read_program_header(const struct file *file, unsigned index)
{
	size_t size = file->wide ? PROGRAM_HEADER_SIZE_64 : PROGRAM_HEADER_SIZE_32;
	struct reader in = reader_from(file->bytes + file->program_headers + index * size, size);
	struct program_header header = { .type = reader_le32(&in) };

	if (file->wide)
		reader_skip(&in, 4); /* flags */
	header.offset = read_word(file, &in);
	read_word(file, &in); /* virtual address */
	header.address = read_word(file, &in);
	header.size = read_word(file, &in);
	header.memory_size = read_word(file, &in);
	if (!file->wide)
		reader_skip(&in, 4);
	header.alignment = read_word(file, &in);
	return header;
}

static bool add_segment(const struct file *file, const struct program_header *header,
	struct elf_kernel *kernel, GError **error)
{
	uint64_t end;

	if (header->memory_size == 0)
		return true;
	if (header->size > header->memory_size || !is_inside(file, header->offset, header->size))
		return fail(error, VITRINE_ERROR_INPUT,
			"its segment of %#" PRIx64 " bytes at %#" PRIx64
			" is not all in the file's %zu bytes; is it cut off?",
			header->size, header->offset, file->length);
	if (!checked_add(header->address, header->memory_size, &end) || end > (uint64_t)4 * GiB ||
		header->address < LOWEST_ADDRESS)
		return fail(error, VITRINE_ERROR_INPUT,
			"its segment of %#" PRIx64 " bytes is for address %#" PRIx64
			"; 1 MiB to 4 GiB can be loaded",
			header->memory_size, header->address);
	kernel->segments[kernel->segment_count++] = (struct elf_segment) {
		.offset = header->offset,
		.address = header->address,
		.size = header->size,
		.memory_size = header->memory_size,
	};
	kernel->start =
		kernel->segment_count == 1 ? header->address : MIN(kernel->start, header->address);
	kernel->end = MAX(kernel->end, end);
	return true;
}

/* Moves past @size bytes and what follows up to a multiple of @alignment; false when the bytes end before. */
static bool skip_aligned(struct reader *in, uint32_t size, unsigned alignment)
{
	uint64_t whole = ((uint64_t)size + alignment - 1) / alignment * alignment;

	if (whole > reader_left(in))
		return false;
	reader_skip(in, whole);
	return true;
}

/* Looks for the entry among the notes of one segment. True when it was there. */
static bool find_entry(
	const struct file *file, const struct program_header *header, uint64_t *entry)
{
	unsigned alignment = header->alignment == 8 ? 8 : 4;
	struct reader in;

	if (!is_inside(file, header->offset, header->size))
		return false;
	in = reader_from(file->bytes + header->offset, header->size);
	for (unsigned i = 0; i < NOTES_MAX && reader_left(&in) > 0; i++) {
		uint32_t name_size = reader_le32(&in), size = reader_le32(&in);
		uint32_t type = reader_le32(&in);
		struct reader name = in, value;

		if (!skip_aligned(&in, name_size, alignment))
			return false;
		value = in;
		if (!skip_aligned(&in, size, alignment))
			return false;
		if (type != XEN_ENTRY_32 || name_size != sizeof(xen_name) ||
			memcmp(name.next, xen_name, sizeof(xen_name)) != 0 ||
			(size != 4 && size != 8))
			continue;
		*entry = size == 8 ? reader_le64(&value) : reader_le32(&value);
		return true;
	}
	return false;
}

bool elf_parse(const uint8_t *bytes, size_t length, struct elf_kernel *kernel, GError **error)
{
	struct file file = { .bytes = bytes, .length = length };
	uint64_t entry = 0;
	bool has_entry = false;

	*kernel = (struct elf_kernel) { .segment_count = 0 };
	if (!elf_is(bytes, length))
		return fail(error, VITRINE_ERROR_INPUT, "it is no ELF file");
	if (!read_header(&file, error))
		return false;
	for (unsigned i = 0; i < file.program_header_count; i++) {
		struct program_header header = read_program_header(&file, i);

		if (header.type == PROGRAM_LOAD && !add_segment(&file, &header, kernel, error))
			return false;
		if (header.type == PROGRAM_NOTE && !has_entry)
			has_entry = find_entry(&file, &header, &entry);
	}
	if (!has_entry)
		return fail(error, VITRINE_ERROR_INPUT,
			"it is an ELF file without PVH's entry (the note XEN_ELFNOTE_PHYS32_ENTRY; "
			"a Linux vmlinux has it with CONFIG_PVH)");
	if (entry < kernel->start || entry >= kernel->end)
		return fail(error, VITRINE_ERROR_INPUT,
			"its PVH entry %#" PRIx64 " is outside of what it loads, %#x to %#" PRIx64,
			entry, kernel->start, kernel->end);
	kernel->entry = entry;
	return true;
}
