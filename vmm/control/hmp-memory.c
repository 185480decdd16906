/* The monitor's view of memory: x and xp, saving it, and where what lies. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "vmm/control/hmp.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/machine/run-state.h"
#include "vmm/memory/guest-memory.h"

enum {
	MAXIMUM_DUMPED = 64 << 10, /* items of one x or xp */
	LINE_BYTES = 16,
	PAGE = 4096,
	MAXIMUM_SAVED = 1 << 30,
};

/* --- printing --- */

static uint64_t load(const uint8_t *bytes, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = size; i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

static void print_character(GString *out, uint8_t c)
{
	static const struct {
		uint8_t c;
		char letter;
	} escapes[] = { { '\'', '\'' }, { '\\', '\\' }, { '\n', 'n' }, { '\r', 'r' } };

	for (size_t i = 0; i < G_N_ELEMENTS(escapes); i++) {
		if (escapes[i].c == c) {
			g_string_append_printf(out, "'\\%c'", escapes[i].letter);
			return;
		}
	}
	if (g_ascii_isprint((char)c))
		g_string_append_printf(out, "'%c'", c);
	else
		g_string_append_printf(out, "'\\x%02x'", c);
}

static void print_value(GString *out, char format, unsigned size, uint64_t value)
{
	static const int octal_digits[] = { [1] = 3, [2] = 6, [4] = 11, [8] = 22 };
	int64_t number =
		size == 8 ? (int64_t)value : (int64_t)(value << (64 - 8 * size)) >> (64 - 8 * size);

	switch (format) {
	case 'x':
		g_string_append_printf(out, "0x%0*" PRIx64, (int)size * 2, value);
		break;
	case 'o':
		g_string_append_printf(out, "0%0*" PRIo64, octal_digits[size], value);
		break;
	case 'u':
		g_string_append_printf(out, "%" PRIu64, value);
		break;
	case 'd':
		g_string_append_printf(out, "%" PRId64, number);
		break;
	default:
		print_character(out, (uint8_t)value);
		break;
	}
}

/* --- reading --- */

/* Of a virtual address through the processor's page tables. Parked. */
static bool read_at(
	struct hmp_call *call, bool physical, uint64_t address, uint8_t *bytes, unsigned size)
{
	struct machine *machine = call->context->machine;

	for (unsigned done = 0; done < size;) {
		uint64_t at = address + done;
		unsigned length = MIN(size - done, PAGE - (unsigned)(at % PAGE));

		if (!physical && !vcpu_translate(machine->cpus[*call->cpu], address + done, &at))
			return false;
		if (!guest_memory_peek(machine->memory, at, bytes + done, length))
			return false;
		done += length;
	}
	return true;
}

static void dump_lines(struct hmp_call *call, bool physical)
{
	uint64_t address = (uint64_t)json_object_get_int_member(call->arguments, "addr");
	gint64 count = json_object_get_int_member(call->arguments, "count");
	char format = json_object_get_string_member(call->arguments, "format")[0];
	unsigned size = (unsigned)json_object_get_int_member(call->arguments, "size");
	unsigned line = format == 'c' ? LINE_BYTES / 2 : MAX(LINE_BYTES / size, 1);

	if (format == 'i') {
		g_string_append(
			call->out, "there is no disassembler; use another format, such as /16xb\n");
		return;
	}
	if (format == 'c')
		size = 1;
	count = MIN(count, MAXIMUM_DUMPED);
	for (gint64 i = 0; i < count; i++) {
		uint8_t bytes[8];

		if (i % line == 0)
			g_string_append_printf(call->out, "%s%016" PRIx64 ":", i ? "\n" : "",
				address + (uint64_t)i * size);
		if (!read_at(call, physical, address + (uint64_t)i * size, bytes, size)) {
			g_string_append(call->out, " Cannot access memory\n");
			return;
		}
		g_string_append_c(call->out, ' ');
		print_value(call->out, format, size, load(bytes, size));
	}
	if (count > 0)
		g_string_append_c(call->out, '\n');
}

static void dump(struct hmp_call *call, bool physical)
{
	machine_park_cpus(call->context->machine);
	dump_lines(call, physical);
	machine_unpark_cpus(call->context->machine);
}

static void dump_virtual(struct hmp_call *call)
{
	dump(call, false);
}

static void dump_physical(struct hmp_call *call)
{
	dump(call, true);
}

static void print(struct hmp_call *call)
{
	char format = json_object_get_string_member(call->arguments, "format")[0];
	uint64_t value = (uint64_t)json_object_get_int_member(call->arguments, "val");

	if (format == 'x')
		g_string_append_printf(call->out, "0x%" PRIx64, value);
	else
		print_value(call->out, format, 8, value);
	g_string_append_c(call->out, '\n');
}

static void translate(struct hmp_call *call)
{
	struct machine *machine = call->context->machine;
	uint64_t address = (uint64_t)json_object_get_int_member(call->arguments, "addr");
	uint64_t physical;

	machine_park_cpus(machine);
	if (vcpu_translate(machine->cpus[*call->cpu], address, &physical))
		g_string_append_printf(call->out, "gpa: 0x%" PRIx64 "\n", physical);
	else
		g_string_append(call->out, "Unmapped\n");
	machine_unpark_cpus(machine);
}

static bool save(struct hmp_call *call, bool physical, int fd, GError **error)
{
	uint64_t address = (uint64_t)json_object_get_int_member(call->arguments, "val");
	gint64 size = json_object_get_int_member(call->arguments, "size");

	if (size < 0 || size > MAXIMUM_SAVED)
		return fail(error, VITRINE_ERROR_INPUT,
			"size %" G_GINT64_FORMAT " is not accepted; accepted: up to 1 GiB", size);
	while (size > 0) {
		uint8_t bytes[PAGE];
		unsigned length = (unsigned)MIN(size, (gint64)(PAGE - address % PAGE));

		if (!read_at(call, physical, address, bytes, length))
			return fail(error, VITRINE_ERROR_INPUT,
				"Invalid addr 0x%016" PRIx64 "/size %" G_GINT64_FORMAT " specified",
				address, size);
		if (write(fd, bytes, length) != (ssize_t)length)
			return fail_errno(error, VITRINE_ERROR_HOST, "cannot write");
		address += length;
		size -= length;
	}
	return true;
}

static void save_to_file(struct hmp_call *call, bool physical)
{
	const char *path = json_object_get_string_member(call->arguments, "filename");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	GError *error = NULL;

	if (fd < 0) {
		fail_errno(&error, VITRINE_ERROR_HOST, "Could not open '%s'", path);
		hmp_fail(call, error);
		return;
	}
	machine_park_cpus(call->context->machine);
	if (!save(call, physical, fd, &error))
		hmp_fail(call, error);
	machine_unpark_cpus(call->context->machine);
	close(fd);
}

static void save_virtual(struct hmp_call *call)
{
	save_to_file(call, false);
}

static void save_physical(struct hmp_call *call)
{
	save_to_file(call, true);
}

/* --- info --- */

static void list_slot(const struct memory_slot_info *slot, void *out)
{
	g_string_append_printf(out, "    %016" PRIx64 "-%016" PRIx64 " (prio 0, %s): %s\n",
		slot->address, slot->address + slot->size - 1,
		slot->flags & MEMORY_SLOT_READ_ONLY ? "rom" : "ram", slot->name);
}

static gint by_base(gconstpointer a, gconstpointer b)
{
	const struct io_region *one = *(const struct io_region *const *)a;
	const struct io_region *other = *(const struct io_region *const *)b;

	return one->base < other->base ? -1 : one->base > other->base;
}

static void list_regions(GString *out, const struct io_space *space)
{
	g_autoptr(GPtrArray) regions = g_ptr_array_new();

	for (guint i = 0; i < space->regions->len; i++)
		g_ptr_array_add(regions, space->regions->pdata[i]);
	g_ptr_array_sort(regions, by_base);
	for (guint i = 0; i < regions->len; i++) {
		const struct io_region *region = regions->pdata[i];

		g_string_append_printf(out,
			"    %016" PRIx64 "-%016" PRIx64 " (prio %d, i/o): %s\n", region->base,
			region->base + region->size - 1, region->priority, region->name);
	}
}

/* What the guest's addresses lead to: memory first, which is looked at first, then registers. */
static void info_mtree(struct hmp_call *call)
{
	struct machine *machine = call->context->machine;

	g_mutex_lock(&machine->lock);
	g_string_append(call->out, "address-space: memory\n"
				   "  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n");
	guest_memory_list(machine->memory, list_slot, call->out);
	list_regions(call->out, &machine->mmio);
	g_string_append(call->out, "\naddress-space: I/O\n"
				   "  0000000000000000-000000000000ffff (prio 0, i/o): io\n");
	list_regions(call->out, &machine->ports);
	g_string_append_c(call->out, '\n');
	g_mutex_unlock(&machine->lock);
}

/* The bytes of an access to a port, which is of one, two or four; 0: it says what is wrong. */
static unsigned port_size(struct hmp_call *call, uint16_t *port)
{
	unsigned size = json_object_get_int_member(call->arguments, "size");
	int64_t address = json_object_get_int_member(call->arguments, "addr");

	*port = address;
	if (size <= 4 && address >= 0 && address + size <= UINT16_MAX + 1)
		return size;
	g_string_append(call->out, "ports are 0 to 0xffff, of 1, 2 or 4 bytes (/b, /h, /w)\n");
	return 0;
}

static void read_port(struct hmp_call *call)
{
	struct machine *machine = call->context->machine;
	uint16_t port;
	unsigned size = port_size(call, &port);
	uint64_t value;

	if (size == 0)
		return;
	g_mutex_lock(&machine->lock);
	value = io_space_read(&machine->ports, port, size);
	g_mutex_unlock(&machine->lock);
	g_string_append_printf(call->out, "port%c[0x%04x] = 0x%0*" PRIx64 "\n", "?bw?l"[size], port,
		(int)(2 * size), value);
}

static void write_port(struct hmp_call *call)
{
	struct machine *machine = call->context->machine;
	uint16_t port;
	unsigned size = port_size(call, &port);

	if (size == 0)
		return;
	g_mutex_lock(&machine->lock);
	io_space_write(
		&machine->ports, port, size, json_object_get_int_member(call->arguments, "val"));
	g_mutex_unlock(&machine->lock);
}

static void info_memory_size_summary(struct hmp_call *call)
{
	g_string_append_printf(call->out, "base memory: %" PRIu64 "\nplugged memory: 0\n",
		call->context->machine->config->memory_size);
}

static const struct hmp_argument dump_arguments[] = {
	{ "fmt", HMP_FORMAT },
	{ "addr", HMP_NUMBER, .what = "address" },
	{},
};

static const struct hmp_argument print_arguments[] = {
	{ "fmt", HMP_FORMAT },
	{ "val", HMP_NUMBER, .what = "expression" },
	{},
};

static const struct hmp_argument port_arguments[] = {
	{ "fmt", HMP_FORMAT },
	{ "addr", HMP_NUMBER, .what = "port" },
	{ "val", HMP_NUMBER, .what = "value" },
	{},
};

static const struct hmp_argument address_arguments[] = {
	{ "addr", HMP_NUMBER, .what = "address" },
	{},
};

static const struct hmp_argument save_arguments[] = {
	{ "val", HMP_NUMBER, .what = "address" },
	{ "size", HMP_NUMBER },
	{ "filename", HMP_WORD },
	{},
};

const struct hmp_command hmp_memory_commands[] = {
	{ "x", dump_arguments, "/fmt addr", "virtual memory dump starting at 'addr'",
		dump_virtual },
	{ "xp", dump_arguments, "/fmt addr", "physical memory dump starting at 'addr'",
		dump_physical },
	{ "i", dump_arguments, "/fmt addr", "I/O port read", read_port },
	{ "o", port_arguments, "/fmt addr value", "I/O port write", write_port },
	{ "print|p", print_arguments, "/fmt expr", "print expression value", print },
	{ "gva2gpa", address_arguments, "addr",
		"print the guest physical address corresponding to a guest virtual address",
		translate },
	{ "memsave", save_arguments, "addr size file",
		"save to disk virtual memory dump starting at 'addr' of size 'size'",
		save_virtual },
	{ "pmemsave", save_arguments, "addr size file",
		"save to disk physical memory dump starting at 'addr' of size 'size'",
		save_physical },
	{},
};

const struct hmp_command hmp_info_memory[] = {
	{ "mtree", .help = "show memory tree", .run = info_mtree },
	{ "memory_size_summary",
		.help = "show the amount of initially allocated and present hotpluggable memory in "
			"bytes",
		.run = info_memory_size_summary },
	{},
};
