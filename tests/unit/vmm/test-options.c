/* Command lines and configuration files: what is read, what is refused with which words, and that what is written reads
 * back to the same. */
#include "vmm/options/options.h"

#include <string.h>

#include "vmm/options/help.h"
#include "vmm/options/values.h"

/* The same as options_write() puts it, but on one line: "[drive "a"] file="x" if="none" [S]". */
static char *flatten(const struct options *options)
{
	g_autofree char *text = options_write(options);
	g_auto(GStrv) lines = g_strsplit(strchr(text, '\n') + 1, "\n", -1);
	GString *flat = g_string_new(NULL);

	for (guint i = 0; lines[i]; i++) {
		char *line = g_strstrip(lines[i]);
		g_auto(GStrv) pair = g_strsplit(line, " = ", 2);
		g_autofree char *joined = line[0] == '[' ? g_strdup(line) : g_strjoinv("=", pair);

		if (line[0] != '\0')
			g_string_append_printf(flat, "%s%s", flat->len ? " " : "", joined);
	}
	return g_string_free(flat, FALSE);
}

static const struct {
	const char *name;
	const char *command_line; /* as a shell would split it */
	const char *options;      /* NULL: refused */
	const char *error;        /* what the error has in it */
} cases[] = {
	{ "/empty", "", "" },
	{ "/flag", "-S", "[S]" },
	{ "/two-dashes", "--no-reboot --S", "[no-reboot] [S]" },
	{ "/implied-key", "-name web", "[name] guest=\"web\"" },
	{ "/named-key", "-name guest=web", "[name] guest=\"web\"" },
	{ "/alias", "-M q35", "[machine] type=\"q35\"" },
	{ "/comma", "-drive file=a,,b,if=none", "[drive] file=\"a,b\" if=\"none\"" },
	{ "/comma-at-the-end", "-drive file=a,,", "[drive] file=\"a,\"" },
	{ "/three-commas", "-drive file=a,,,if=none", "[drive] file=\"a,\" if=\"none\"" },
	{ "/id", "-drive file=a,id=d1", "[drive \"d1\"] file=\"a\"" },
	{ "/equals-in-path", "-serial file:/tmp/a=b", "[serial] dev=\"file:/tmp/a=b\"" },
	{ "/equals-in-value", "-drive file=a=b", "[drive] file=\"a=b\"" },
	{ "/switch-words", "-drive file=a,readonly=yes", "[drive] file=\"a\" readonly=\"yes\"" },
	{ "/bare-switch", "-qmp unix:/q,server,nowait",
		"[qmp] dev=\"unix:/q\" server=\"on\" wait=\"off\"" },
	{ "/shorthand", "-kernel a,b=c -append 'x y,z'",
		"[machine] kernel=\"a,b=c\" append=\"x y,z\"" },
	{ "/shorthand-first", "-kernel k -machine q35", "[machine] kernel=\"k\" type=\"q35\"" },
	{ "/shorthand-last", "-machine q35 -kernel k", "[machine] type=\"q35\" kernel=\"k\"" },
	{ "/empty-append", "-append ''", "[machine] append=\"\"" },
	{ "/whole-word", "-runtime-dir /a,b=c", "[runtime-dir] path=\"/a,b=c\"" },
	{ "/quotes", "-append 'a=\"b\" \\\\ c'", "[machine] append=\"a=\\\"b\\\" \\\\\\\\ c\"" },
	{ "/memory", "-m 512", "[memory] size=\"512\"" },
	{ "/memory/key", "-m size=1.5G", "[memory] size=\"1.5G\"" },
	{ "/device/any-key", "-device VGA,vgamem_mb=8,x=y",
		"[device] driver=\"VGA\" vgamem_mb=\"8\" x=\"y\"" },
	{ "/many", "-device a -device a", "[device] driver=\"a\" [device] driver=\"a\"" },

	{ "/unknown", "-nmae x", .error = "unknown option -nmae; did you mean -name?" },
	{ "/unknown/far", "--frobnicate",
		.error = "unknown option --frobnicate; --help lists all of them" },
	{ "/no-option", "disk.img",
		.error = "'disk.img' is no option; a disk is written -drive "
			 "file=disk.img,format=raw" },
	{ "/no-value", "-S -m", .error = "-m: needs a value: [size=]SIZE" },
	{ "/twice", "-m 1G -m 2G", .error = "-m: size=2G: 'size' is given twice" },
	{ "/twice/value", "-debugcon null -debugcon null", .error = "-debugcon: given twice" },
	{ "/twice/keys", "-machine q35 -nodefaults -M hpet=off -nodefaults",
		"[machine] type=\"q35\" hpet=\"off\" [nodefaults]" },
	{ "/twice/shorthand", "-kernel a -kernel b", .error = "-kernel b: given twice" },
	{ "/twice/key", "-drive file=a,file=b", .error = "-drive: file=b: 'file' is given twice" },
	{ "/twice/shorthand-and-key", "-kernel a -machine kernel=b",
		.error = "-machine: kernel=b: 'kernel' is given twice" },
	{ "/unknown-key", "-drive fil=a",
		.error = "-drive: unknown key 'fil'; accepted: file, format, if, index" },
	{ "/help-behind-a-flag", "-S help", .error = "'help' is no option; --help lists all" },
	{ "/help-as-text", "-append help", "[machine] append=\"help\"" },
	{ "/unknown-key-of-an-address", "-vnc :5,password=on",
		.error = "-vnc takes an address only: :N, HOST:N, unix:PATH or none; 'password=on' "
			 "is not known" },
	{ "/unknown-bare-key-of-an-address", "-vnc :5,password",
		.error = "none; 'password' is not known" },
	{ "/unknown-bare-key", "-drive file=a,ro", .error = "-drive: unknown key 'ro'" },
	{ "/key-without-value", "-drive file=a,format",
		.error = "-drive: 'format' needs a value: format=VALUE" },
	{ "/nothing-behind-comma", "-drive file=a,", .error = "a comma with nothing behind it" },
	{ "/missing-key", "-blockdev raw", .error = "-blockdev: node-name=... is missing" },
	{ "/missing-id", "-chardev null", .error = "-chardev: id=ID is missing" },
	{ "/bad-id", "-drive file=a,id=1a", .error = "-drive: id=1a is not accepted: an id is" },
	{ "/same-id", "-drive file=a,id=d -drive file=b,id=d",
		.error = "-drive: id=d is taken by another -drive" },
	{ "/choice", "-drive file=a,format=qcow3",
		.error = "-drive: format=qcow3 is not accepted; accepted: one of raw, qcow2" },
	{ "/switch", "-drive file=a,readonly=maybe",
		.error = "readonly=maybe is not accepted; accepted: on, off, yes, no, true or "
			 "false" },
	{ "/number/negative", "-smp -1",
		.error = "-smp: cpus=-1 is not accepted; accepted: a number from 1 to 8" },
	{ "/number/zero", "-smp 0", .error = "cpus=0 is not accepted" },
	{ "/number/large", "-smp 9", .error = "cpus=9 is not accepted" },
	{ "/number/overflow", "-smp 18446744073709551617", .error = "is not accepted" },
	{ "/number/text", "-smp two", .error = "cpus=two is not accepted" },
	{ "/number/trailing", "-smp 2x", .error = "cpus=2x is not accepted" },
	{ "/size/negative", "-m -1",
		.error = "-m: size=-1 is not accepted; accepted: a size from 8M to 1T (in MiB "
			 "without "
			 "a letter)" },
	{ "/size/overflow", "-m 99999999999999999999G", .error = "is not accepted" },
	{ "/size/product-overflow", "-m 17592186044416M", .error = "is not accepted" },
	{ "/size/small", "-m 1M", .error = "size=1M is not accepted" },
	{ "/size/letter", "-m 1X", .error = "size=1X is not accepted" },
	{ "/size/empty", "-m ''", .error = "-m: size= is empty" },
	{ "/uuid", "-uuid 1234", .error = "-uuid: uuid=1234 is not accepted; accepted: a UUID" },
	{ "/accel", "-accel tcg",
		.error = "-accel: accel=tcg is not accepted; accepted: one of kvm, kvm:tcg" },
	{ "/readconfig/missing", "-readconfig /nonexistent/file",
		.error = "-readconfig /nonexistent/file: cannot be opened: No such file" },
};

static struct options *parse(const char *command_line, GError **error)
{
	g_auto(GStrv) words = NULL;
	struct options *options = options_new();
	int count = 0;

	if (command_line[0] != '\0')
		g_assert_true(g_shell_parse_argv(command_line, &count, &words, NULL));
	if (options_parse(options, count, words, error))
		return options;
	options_free(options);
	return NULL;
}

static void check_case(gconstpointer data)
{
	const typeof(cases[0]) *c = data;
	g_autoptr(GError) error = NULL;
	struct options *options = parse(c->command_line, &error);
	g_autofree char *flat = options ? flatten(options) : NULL;

	if (c->options) {
		g_assert_no_error(error);
		g_assert_cmpstr(flat, ==, c->options);
	} else {
		g_assert_null(options);
		g_assert_nonnull(error);
		g_assert_nonnull(c->error);
		if (!strstr(error->message, c->error))
			g_error("\"%s\" is not in \"%s\"", c->error, error->message);
	}
	options_free(options);
}

/* Every command line above, and what no command line of a shell has. */
static void check_round_trip(const struct options *options)
{
	g_autofree char *text = options_write(options);
	g_autofree char *again = NULL;
	struct options *read = options_new();
	g_autoptr(GError) error = NULL;

	g_assert_true(options_read(read, text, strlen(text), "vm.cfg", &error));
	g_assert_no_error(error);
	again = options_write(read);
	g_assert_cmpstr(again, ==, text);
	g_assert_cmpuint(read->sets->len, ==, options->sets->len);
	for (guint i = 0; i < read->sets->len; i++) {
		const struct option_set *a = g_ptr_array_index(options->sets, i);
		const struct option_set *b = g_ptr_array_index(read->sets, i);

		g_assert_true(a->spec == b->spec);
		g_assert_cmpstr(a->id, ==, b->id);
		g_assert_cmpuint(a->count, ==, b->count);
		for (guint j = 0; j < a->count; j++) {
			g_assert_cmpstr(a->values[j].key, ==, b->values[j].key);
			g_assert_cmpstr(a->values[j].text, ==, b->values[j].text);
		}
	}
	options_free(read);
}

static void test_round_trip(void)
{
	char *odd[] = { "-append", "tab\there \"quoted\" back\\slash\nnew line \x01\x7f\xff",
		"-device", "VGA,id=v,x=[y] # no comment", "-name", "guest" };
	struct options *options = options_new();

	g_assert_true(options_parse(options, G_N_ELEMENTS(odd), odd, NULL));
	check_round_trip(options);
	options_free(options);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		if (!cases[i].options)
			continue;
		options = parse(cases[i].command_line, NULL);
		check_round_trip(options);
		options_free(options);
	}
}

/* What -writeconfig makes of the machine type. */
static void test_set(void)
{
	static const struct {
		const char *command_line, *written;
	} set_cases[] = {
		{ "-S", "[S] [machine] type=\"q35-1.0\"" },
		{ "-machine q35,accel=kvm", "[machine] type=\"q35-1.0\" accel=\"kvm\"" },
		{ "-kernel k", "[machine] kernel=\"k\" type=\"q35-1.0\"" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(set_cases); i++) {
		struct options *options = parse(set_cases[i].command_line, NULL);
		g_autofree char *text = NULL;

		g_assert_true(options_set(options, "machine", "type", "q35-1.0", NULL));
		text = flatten(options);
		g_assert_cmpstr(text, ==, set_cases[i].written);
		options_free(options);
	}
}

static const struct {
	const char *text;
	const char *error; /* NULL: read */
} files[] = {
	{ "" },
	{ "# comment\n\n[machine]\n  type = \"q35\"\n" },
	{ "[machine]\r\ntype=\"q35\"\r\n" },
	{ "[drive \"d\"]\nfile = \"a\"" },
	{ "[name", "f:1: a heading is [GROUP] or [GROUP \"ID\"]" },
	{ "[name]x", "f:1: there is something behind the end" },
	{ "[nonsense]\n", "f:1: unknown group [nonsense]" },
	{ "[name \"x\"]\n", "f:1: [name] takes no id" },
	{ "[drive \"\"]\n", "id= is not accepted" },
	{ "type = \"q35\"\n", "f:1: a [GROUP] heading has to come first" },
	{ "[machine]\ntype = q35\n", "f:2: a line is KEY = \"VALUE\"" },
	{ "[machine]\ntype = \"q35\n", "f:2: the closing quotation mark is missing" },
	{ "[machine]\ntype = \"q\\35\"\n", "f:2: a backslash stands before" },
	{ "[machine]\ntype = \"\\x00\"\n", "f:2: a backslash stands before" },
	{ "[machine]\ntype = \"\\x4", "f:2: a backslash stands before" },
	{ "[machine]\ntype \"q35\"\n", "f:2: a line is KEY" },
	{ "[blockdev]\n[S]\n", "f:1: [blockdev]: driver=VALUE is missing" },
	{ "[drive]\nfile = \"a\"\nfil = \"b\"\n", "f:3: [drive]: unknown key 'fil'" },
	{ "[memory]\nsize = \"-1\"\n", "f:2: [memory]: size=-1 is not accepted" },
	{ "[S]\nx = \"y\"\n", "f:2: [S]: takes no keys, not 'x'" },
	{ "[machine]\n[machine]\n", "f:2: [machine]: given twice (before: f:1: [machine])" },
};

static void test_files(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		struct options *options = options_new();
		g_autoptr(GError) error = NULL;
		bool good =
			options_read(options, files[i].text, strlen(files[i].text), "f", &error);

		if (!files[i].error)
			g_assert_no_error(error);
		else if (good || !strstr(error->message, files[i].error))
			g_error("\"%s\" is not in \"%s\"", files[i].error,
				good ? "(no error)" : error->message);
		options_free(options);
	}
}

static void test_nul_byte(void)
{
	struct options *options = options_new();

	g_assert_false(options_read(options, "[S]\n\0", 5, "f", NULL));
	options_free(options);
}

static const struct {
	const char *text;
	uint64_t unit, bytes; /* bytes UINT64_MAX: refused */
} sizes[] = {
	{ "0", 1, 0 },
	{ "512", 1 << 20, 512 << 20 },
	{ "1k", 1 << 20, 1024 },
	{ "1B", 1 << 20, 1 },
	{ "1.5G", 1, UINT64_C(1610612736) },
	{ "0.5K", 1, 512 },
	{ "1.50", 1 << 20, 1572864 },
	{ "0.0009765625M", 1, 1024 },
	{ "0x10", 1, 16 },
	{ "8191P", 1, UINT64_C(8191) << 50 },
	{ "1.000000000000000000000M", 1, 1 << 20 },
	{ "0.3K", 1, UINT64_MAX },
	{ "1.5", 1, UINT64_MAX },
	{ "1.G", 1, UINT64_MAX },
	{ ".5G", 1, UINT64_MAX },
	{ "16384P", 1, UINT64_MAX },
	{ "16383.9999999999999999P", 1, UINT64_MAX },
	{ "1GG", 1, UINT64_MAX },
	{ "1 G", 1, UINT64_MAX },
	{ " 1", 1, UINT64_MAX },
	{ "+1", 1, UINT64_MAX },
	{ "-1", 1, UINT64_MAX },
	{ "", 1, UINT64_MAX },
	{ "G", 1, UINT64_MAX },
	{ "0x", 1, UINT64_MAX },
	{ "0x1.5", 1, UINT64_MAX },
};

static void test_sizes(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		uint64_t bytes = UINT64_MAX;

		g_test_message("%s", sizes[i].text);
		value_parse_size(sizes[i].text, sizes[i].unit, &bytes);
		g_assert_cmpuint(bytes, ==, sizes[i].bytes);
	}
}

static void test_distance(void)
{
	g_assert_cmpuint(value_distance("", ""), ==, 0);
	g_assert_cmpuint(value_distance("name", "name"), ==, 0);
	g_assert_cmpuint(value_distance("nmae", "name"), ==, 1);
	g_assert_cmpuint(value_distance("nam", "name"), ==, 1);
	g_assert_cmpuint(value_distance("serial", "serail"), ==, 1);
	g_assert_cmpuint(value_distance("kernel", "colonel"), ==, 4);
}

static const struct {
	const char *command_line;
	enum options_request request;
	const char *text; /* what the answer has in it */
} requests[] = {
	{ "--help", OPTIONS_HELP, "-readconfig FILE" },
	{ "-h", OPTIONS_HELP, "Usage: vitrine" },
	{ "-version", OPTIONS_VERSION, "vitrine (Vitrine) " },
	{ "-machine help", OPTIONS_LIST, "Supported machines are:\npc " },
	{ "-S -device help -nonsense", OPTIONS_LIST,
		"name \"VGA\", bus PCI, desc \"standard VGA\"" },
	{ "-device VGA,help", OPTIONS_DESCRIBE, "queues=<1 to 16>" },
	{ "-device virtio-blk-pci,drive=x,?", OPTIONS_DESCRIBE, "addr=<text>" },
	{ "-cpu help", OPTIONS_LIST, "  host\n" },
	{ "-chardev help", OPTIONS_LIST, "  ringbuf\n" },
	{ "-display help", OPTIONS_LIST, "  viewer\n" },
	{ "-vnc help", OPTIONS_LIST, "  -vnc [HOST]:N|unix:PATH|none\n" },
	{ "-runtime-dir help", OPTIONS_LIST, "  -runtime-dir DIR\n" },
	{ "-uuid ?", OPTIONS_LIST, "  -uuid UUID\n" },
	{ "-writeconfig help", OPTIONS_LIST, "  -writeconfig FILE\n" },
	{ "-m help", OPTIONS_LIST, " to 1T>            - RAM; a plain number counts MiB\n" },
	{ "-drive help", OPTIONS_LIST, "format=<raw|qcow2" },
	{ "-drive help", OPTIONS_LIST, "readonly=<on|off>" },
};

static void test_help(void)
{
	g_autofree char *folder = g_test_build_filename(G_TEST_DIST, "data/machine-types", NULL);
	struct machine_types *types = machine_types_load(folder, NULL);

	g_assert_nonnull(types);
	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
		struct options *options = parse(requests[i].command_line, NULL);
		g_autofree char *text = NULL;

		g_assert_nonnull(options);
		g_assert_cmpint(options->request, ==, requests[i].request);
		text = help_text(options, help_needs_types(options) ? types : NULL, NULL);
		if (!strstr(text, requests[i].text))
			g_error("\"%s\" is not in \"%s\"", requests[i].text, text);
		options_free(options);
	}
	machine_types_free(types);
}

static void test_help_unknown_device(void)
{
	struct options *options = parse("-device nonsense,help", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_null(help_text(options, NULL, &error));
	g_assert_nonnull(strstr(error->message, "there is no device 'nonsense'"));
	options_free(options);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/options", cases[i].name, NULL);

		g_test_add_data_func(path, &cases[i], check_case);
	}
	g_test_add_func("/options/round-trip", test_round_trip);
	g_test_add_func("/set", test_set);
	g_test_add_func("/options/files", test_files);
	g_test_add_func("/options/files/nul-byte", test_nul_byte);
	g_test_add_func("/values/sizes", test_sizes);
	g_test_add_func("/values/distance", test_distance);
	g_test_add_func("/help", test_help);
	g_test_add_func("/help/unknown-device", test_help_unknown_device);
	return g_test_run();
}
