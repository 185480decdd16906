/* The monitor's commands about what stands behind the devices: media, lines, memory balloon, links; and their "info", made
 * from what the queries of the same names answer. */
#include <string.h>

#include "vmm/control/hmp.h"

static JsonArray *query_list(struct hmp_call *call, const char *command, JsonNode **answer)
{
	*answer = hmp_query(call, command, NULL);
	return *answer ? json_node_get_array(*answer) : NULL;
}

static const char *text(JsonObject *object, const char *name)
{
	return json_object_get_string_member_with_default(object, name, "");
}

static bool is_true(JsonObject *object, const char *name)
{
	return json_object_get_boolean_member_with_default(object, name, FALSE);
}

static void info_chardev(struct hmp_call *call)
{
	g_autoptr(JsonNode) answer = NULL;
	JsonArray *list = query_list(call, "query-chardev", &answer);

	for (guint i = 0; list && i < json_array_get_length(list); i++) {
		JsonObject *entry = json_array_get_object_element(list, i);

		g_string_append_printf(call->out, "%s: filename=%s\n", text(entry, "label"),
			text(entry, "filename"));
	}
}

/* --- block devices --- */

static void print_cache(GString *out, JsonObject *inserted)
{
	JsonObject *cache = json_object_has_member(inserted, "cache")
				    ? json_object_get_object_member(inserted, "cache")
				    : NULL;

	if (cache)
		g_string_append_printf(out, "    Cache mode:       %s%s%s\n",
			is_true(cache, "writeback") ? "writeback" : "writethrough",
			is_true(cache, "direct") ? ", direct" : "",
			is_true(cache, "no-flush") ? ", ignore flushes" : "");
}

static void print_block(GString *out, JsonObject *block)
{
	JsonObject *inserted = json_object_has_member(block, "inserted")
				       ? json_object_get_object_member(block, "inserted")
				       : NULL;

	g_string_append(out, text(block, "device"));
	if (inserted)
		g_string_append_printf(out, ": %s (%s%s)\n", text(inserted, "file"),
			text(inserted, "drv"), is_true(inserted, "ro") ? ", read-only" : "");
	else
		g_string_append(out, ": [not inserted]\n");
	if (json_object_has_member(block, "qdev"))
		g_string_append_printf(out, "    Attached to:      %s\n", text(block, "qdev"));
	if (is_true(block, "removable"))
		g_string_append_printf(out, "    Removable device: %slocked, tray %s\n",
			is_true(block, "locked") ? "" : "not ",
			is_true(block, "tray_open") ? "open" : "closed");
	if (inserted)
		print_cache(out, inserted);
}

static void info_block(struct hmp_call *call)
{
	const char *wanted =
		json_object_get_string_member_with_default(call->arguments, "device", NULL);
	g_autoptr(JsonNode) answer = NULL;
	JsonArray *list = query_list(call, "query-block", &answer);
	bool any = false;

	for (guint i = 0; list && i < json_array_get_length(list); i++) {
		JsonObject *block = json_array_get_object_element(list, i);

		if (wanted && strcmp(wanted, text(block, "device")) != 0)
			continue;
		if (any)
			g_string_append_c(call->out, '\n');
		print_block(call->out, block);
		any = true;
	}
}

static void info_blockstats(struct hmp_call *call)
{
	static const char *const names[] = { "rd_bytes", "wr_bytes", "rd_operations",
		"wr_operations", "flush_operations", "wr_total_time_ns", "rd_total_time_ns",
		"flush_total_time_ns" };
	g_autoptr(JsonNode) answer = NULL;
	JsonArray *list = query_list(call, "query-blockstats", &answer);

	for (guint i = 0; list && i < json_array_get_length(list); i++) {
		JsonObject *entry = json_array_get_object_element(list, i);
		JsonObject *stats = json_object_get_object_member(entry, "stats");

		g_string_append_printf(call->out, "%s:", text(entry, "device"));
		for (size_t j = 0; j < G_N_ELEMENTS(names); j++)
			g_string_append_printf(call->out, " %s=%" G_GINT64_FORMAT, names[j],
				json_object_get_int_member_with_default(stats, names[j], 0));
		g_string_append_c(call->out, '\n');
	}
}

/* --- PCI --- */

static gint64 number(JsonObject *object, const char *name)
{
	return json_object_get_int_member_with_default(object, name, 0);
}

static void print_region(GString *out, JsonObject *region)
{
	gint64 address = number(region, "address"), size = number(region, "size");

	if (strcmp(text(region, "type"), "io") == 0)
		g_string_append_printf(out,
			"      BAR%d: I/O at 0x%04" G_GINT64_MODIFIER "x [0x%04" G_GINT64_MODIFIER
			"x].\n",
			(int)number(region, "bar"), (guint64)address,
			(guint64)(address + size - 1));
	else
		g_string_append_printf(out,
			"      BAR%d: %d bit%s memory at 0x%08" G_GINT64_MODIFIER
			"x [0x%08" G_GINT64_MODIFIER "x].\n",
			(int)number(region, "bar"), is_true(region, "mem_type_64") ? 64 : 32,
			is_true(region, "prefetch") ? " prefetchable" : "", (guint64)address,
			(guint64)(address + size - 1));
}

static void print_devices(GString *out, JsonArray *devices);

static void print_bridge(GString *out, JsonObject *bridge)
{
	static const struct {
		const char *name, *title;
	} ranges[] = {
		{ "io_range", "IO range" },
		{ "memory_range", "memory range" },
		{ "prefetchable_range", "prefetchable memory range" },
	};
	JsonObject *bus = json_object_get_object_member(bridge, "bus");

	g_string_append_printf(out,
		"      BUS %d.\n      secondary bus %d.\n      subordinate bus %d.\n",
		(int)number(bus, "number"), (int)number(bus, "secondary"),
		(int)number(bus, "subordinate"));
	for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++) {
		JsonObject *range = json_object_get_object_member(bus, ranges[i].name);

		if (range)
			g_string_append_printf(out,
				"      %s [0x%08" G_GINT64_MODIFIER "x, 0x%08" G_GINT64_MODIFIER
				"x]\n",
				ranges[i].title, (guint64)number(range, "base"),
				(guint64)number(range, "limit"));
	}
	if (json_object_has_member(bridge, "devices"))
		print_devices(out, json_object_get_array_member(bridge, "devices"));
}

static void print_pci_device(GString *out, JsonObject *device)
{
	JsonObject *class = json_object_get_object_member(device, "class_info");
	JsonObject *id = json_object_get_object_member(device, "id");
	JsonArray *regions = json_object_get_array_member(device, "regions");

	g_string_append_printf(out, "  Bus %2d, device %3d, function %d:\n",
		(int)number(device, "bus"), (int)number(device, "slot"),
		(int)number(device, "function"));
	if (json_object_has_member(class, "desc"))
		g_string_append_printf(out, "    %s", text(class, "desc"));
	else
		g_string_append_printf(out, "    Class %04d", (int)number(class, "class"));
	g_string_append_printf(out, ": PCI device %04x:%04x\n", (unsigned)number(id, "vendor"),
		(unsigned)number(id, "device"));
	if (json_object_has_member(id, "subsystem-vendor"))
		g_string_append_printf(out, "      PCI subsystem %04x:%04x\n",
			(unsigned)number(id, "subsystem-vendor"),
			(unsigned)number(id, "subsystem"));
	if (json_object_has_member(device, "irq"))
		g_string_append_printf(out, "      IRQ %d, pin %c\n", (int)number(device, "irq"),
			(char)('A' - 1 + number(device, "irq_pin")));
	if (json_object_has_member(device, "pci_bridge"))
		print_bridge(out, json_object_get_object_member(device, "pci_bridge"));
	for (guint i = 0; i < json_array_get_length(regions); i++)
		print_region(out, json_array_get_object_element(regions, i));
	g_string_append_printf(out, "      id \"%s\"\n", text(device, "qdev_id"));
}

static void print_devices(GString *out, JsonArray *devices)
{
	for (guint i = 0; devices && i < json_array_get_length(devices); i++)
		print_pci_device(out, json_array_get_object_element(devices, i));
}

static void info_pci(struct hmp_call *call)
{
	g_autoptr(JsonNode) answer = NULL;
	JsonArray *buses = query_list(call, "query-pci", &answer);

	for (guint i = 0; buses && i < json_array_get_length(buses); i++)
		print_devices(
			call->out, json_object_get_array_member(
					   json_array_get_object_element(buses, i), "devices"));
}

/* --- others --- */

static void info_balloon(struct hmp_call *call)
{
	g_autoptr(JsonNode) answer = hmp_query(call, "query-balloon", NULL);

	if (answer)
		g_string_append_printf(call->out, "balloon: actual=%" G_GINT64_FORMAT "\n",
			number(json_node_get_object(answer), "actual") >> 20);
}

/* "change DEVICE FILE [FORMAT [MODE]]" */
static void change(struct hmp_call *call)
{
	static const struct {
		const char *from, *to;
	} names[] = {
		{ "device", "device" },
		{ "target", "filename" },
		{ "arg", "format" },
		{ "read-only-mode", "read-only-mode" },
	};
	g_autoptr(JsonObject) arguments = json_object_new();

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (json_object_has_member(call->arguments, names[i].from))
			json_object_set_string_member(
				arguments, names[i].to, text(call->arguments, names[i].from));
	}
	if (is_true(call->arguments, "force"))
		json_object_set_boolean_member(arguments, "force", TRUE);
	hmp_do(call, "blockdev-change-medium", arguments);
}

static void ringbuf_read(struct hmp_call *call)
{
	g_autoptr(JsonNode) answer = hmp_query(call, "ringbuf-read", call->arguments);

	if (answer)
		g_string_append_printf(call->out, "%s\n", json_node_get_string(answer));
}

static const struct hmp_argument block_arguments[] = {
	{ "nodes", HMP_FLAG, .flag = 'n' },
	{ "verbose", HMP_FLAG, .flag = 'v' },
	{ "device", HMP_WORD, .optional = true },
	{},
};

static const struct hmp_argument eject_arguments[] = {
	{ "force", HMP_FLAG, .flag = 'f' },
	{ "device", HMP_WORD, .what = "block device name" },
	{},
};

static const struct hmp_argument change_arguments[] = {
	{ "force", HMP_FLAG, .flag = 'f' },
	{ "device", HMP_WORD, .what = "block device name" },
	{ "target", HMP_WORD, .what = "filename" },
	{ "arg", HMP_WORD, .optional = true },
	{ "read-only-mode", HMP_WORD, .optional = true },
	{},
};

static const struct hmp_argument resize_arguments[] = {
	{ "device", HMP_WORD, .what = "block device name" },
	{ "size", HMP_MEGABYTES },
	{},
};

static const struct hmp_argument balloon_arguments[] = {
	{ "value", HMP_MEGABYTES, .what = "target" },
	{},
};

static const struct hmp_argument link_arguments[] = {
	{ "name", HMP_WORD },
	{ "up", HMP_SWITCH, .what = "on or off" },
	{},
};

static const struct hmp_argument ringbuf_arguments[] = {
	{ "device", HMP_WORD },
	{ "size", HMP_NUMBER },
	{},
};

const struct hmp_command hmp_host_commands[] = {
	{ "eject", eject_arguments, "[-f] device", "eject a removable medium (use -f to force it)",
		.qmp = "eject" },
	{ "change", change_arguments, "device [-f] filename [format [read-only-mode]]",
		"change a removable medium, optional format, use -f to force the operation",
		change },
	{ "block_resize", resize_arguments, "device size", "resize a block image",
		.qmp = "block_resize" },
	{ "balloon", balloon_arguments, "target",
		"request VM to change its memory allocation (in MB)", .qmp = "balloon" },
	{ "set_link", link_arguments, "name on|off", "change the link status of a network adapter",
		.qmp = "set_link" },
	{ "ringbuf_read", ringbuf_arguments, "device size",
		"Read from a ring buffer character device", ringbuf_read },
	{},
};

const struct hmp_command hmp_info_host[] = {
	{ "chardev", .help = "show the character devices", .run = info_chardev },
	{ "block", block_arguments, "[device]",
		"show info of one block device or all block devices", info_block },
	{ "blockstats", .help = "show block device statistics", .run = info_blockstats },
	{ "pci", .help = "show PCI info", .run = info_pci },
	{ "balloon", .help = "show balloon information", .run = info_balloon },
	{},
};
