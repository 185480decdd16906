/* Command lines, one word a line, and configuration files: either is refused with a reason, or means the same when it is
 * written and read back. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "vmm/options/config.h"

enum {
	MAXIMUM_WORDS = 64
};

static const char type_text[] = "[machine]\nfamily=q35\nversion=1.0\ndescription=D\nboard=q35\n"
				"default=true\ncpu=host\nmemory=128M\nmax-cpus=8\nfirmware=f\n"
				"low-memory-max=3G\nlow-memory=2G\npci-window=2G\n"
				"memory-module=16G\n"
				"[acpi]\noem-id=O\ntable-id=T\ncreator-id=C\n"
				"[default-devices]\ndisplay=VGA\n";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_round_trip(const struct options *options)
{
	g_autofree char *text = options_write(options);
	g_autofree char *again = NULL;
	struct options *read = options_new();
	g_autoptr(GError) error = NULL;

	if (!options_read(read, text, strlen(text), "f", &error))
		g_error("not read back: %s\n%s", error->message, text);
	again = options_write(read);
	g_assert_cmpstr(again, ==, text);
	options_free(read);
}

/* The type is given as a folder of one file would be, so that nothing is read from disk. */
static struct machine_types *load_types(void)
{
	g_autofree char *folder = g_dir_make_tmp("fuzz-types-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "q35-1.0", NULL);
	struct machine_types *types;

	g_assert_true(g_file_set_contents(path, type_text, -1, NULL));
	types = machine_types_load(folder, NULL);
	unlink(path);
	rmdir(folder);
	return types;
}

static bool parse_words(struct options *options, const char *text, GError **error)
{
	g_auto(GStrv) words = g_strsplit(text, "\n", MAXIMUM_WORDS);

	/* Other files are not part of what is tested. */
	for (guint i = 0; words[i]; i++) {
		if (strstr(words[i], "readconfig"))
			words[i][0] = 'x';
	}
	return options_parse(options, (int)g_strv_length(words), words, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct machine_types *types;
	g_autofree char *text = g_strndup((const char *)bytes, length);
	struct options *options = options_new();
	g_autoptr(GError) error = NULL;
	bool good = text[0] == '-'
			    ? parse_words(options, text, &error)
			    : options_read(options, (const char *)bytes, length, "f", &error);

	if (!types) {
		types = load_types();
		g_setenv("XDG_RUNTIME_DIR", "/run/user/fuzz", TRUE);
	}
	g_assert(good == !error);
	if (good && options->request == OPTIONS_RUN) {
		check_round_trip(options);
		config_free(config_new(options, types, NULL));
	}
	options_free(options);
	return 0;
}
