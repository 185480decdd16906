/* Configuration files: [GROUP "ID"] headings with KEY = "VALUE" lines, read and written.
 *
 * The format is QEMU's. QEMU has no way to put a quotation mark or a line feed into a value; here a backslash does it.
 */
#include "vmm/options/options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/error.h"
#include "vmm/options/option-set.h"

enum {
	MAXIMUM_FILE = 1 * MiB
};

struct file_reader {
	struct options *options;
	const char *name;
	const char *at; /* in the line */
	unsigned line;
	struct option_set *set; /* the section that the lines belong to */
	GError **error;
};

static bool wrong(struct file_reader *in, const char *what)
{
	return fail(in->error, VITRINE_ERROR_INPUT, "%s:%u: %s", in->name, in->line, what);
}

static void skip_blanks(struct file_reader *in)
{
	while (*in->at == ' ' || *in->at == '\t' || *in->at == '\r')
		in->at++;
}

/* A group's or a key's name; NULL with the error set when there is none. */
static char *read_word(struct file_reader *in, const char *what)
{
	const char *start = in->at;

	while (option_key_character(*in->at))
		in->at++;
	if (in->at == start) {
		wrong(in, what);
		return NULL;
	}
	return g_strndup(start, in->at - start);
}

static bool read_escape(struct file_reader *in, GString *text)
{
	int high, low;

	switch (*in->at++) {
	case '"':
		g_string_append_c(text, '"');
		return true;
	case '\\':
		g_string_append_c(text, '\\');
		return true;
	case 'n':
		g_string_append_c(text, '\n');
		return true;
	case 'x':
		high = g_ascii_xdigit_value(in->at[0]);
		low = high < 0 ? -1 : g_ascii_xdigit_value(in->at[1]);
		if (low < 0 || high + low == 0)
			break;
		g_string_append_c(text, (char)(high << 4 | low));
		in->at += 2;
		return true;
	default:
		break;
	}
	return wrong(
		in, "a backslash stands before \", \\, n or x and two hexadecimal digits (not 00)");
}

/* A text in quotation marks. */
static char *read_quoted(struct file_reader *in, const char *what)
{
	g_autoptr(GString) text = g_string_new(NULL);

	if (*in->at++ != '"') {
		wrong(in, what);
		return NULL;
	}
	while (*in->at != '"') {
		if (*in->at == '\0') {
			wrong(in, "the closing quotation mark is missing");
			return NULL;
		}
		if (*in->at != '\\') {
			g_string_append_c(text, *in->at++);
			continue;
		}
		in->at++;
		if (!read_escape(in, text))
			return NULL;
	}
	in->at++;
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool read_end(struct file_reader *in)
{
	skip_blanks(in);
	return *in->at == '\0' || wrong(in, "there is something behind the end");
}

static bool finish_section(struct file_reader *in)
{
	struct option_set *set = g_steal_pointer(&in->set);

	return !set || options_finish(in->options, set, in->error);
}

static bool read_heading(struct file_reader *in)
{
	static const char form[] = "a heading is [GROUP] or [GROUP \"ID\"]";
	const struct option_spec *spec;
	g_autofree char *group = NULL;
	g_autofree char *id = NULL;
	g_autofree char *origin = NULL;

	in->at++;
	group = read_word(in, form);
	if (!group)
		return false;
	skip_blanks(in);
	if (*in->at == '"') {
		id = read_quoted(in, form);
		if (!id)
			return false;
	}
	if (*in->at++ != ']')
		return wrong(in, form);
	if (!read_end(in))
		return false;
	spec = option_spec_find_group(group);
	if (!spec)
		return fail(in->error, VITRINE_ERROR_INPUT, "%s:%u: unknown group [%s]", in->name,
			in->line, group);
	if (id && !spec->has_id)
		return fail(in->error, VITRINE_ERROR_INPUT, "%s:%u: [%s] takes no id", in->name,
			in->line, group);
	origin = g_strdup_printf("%s:%u: [%s]", in->name, in->line, group);
	in->set = options_begin(in->options, spec, origin, in->error);
	return in->set && (!id || option_set_take(in->set, "id", id, in->error));
}

static bool read_pair(struct file_reader *in)
{
	static const char form[] = "a line is KEY = \"VALUE\", a [GROUP] heading or a # comment";
	g_autofree char *key = read_word(in, form);
	g_autofree char *text = NULL;
	g_autofree char *origin = NULL;

	if (!key)
		return false;
	if (!in->set)
		return wrong(in, "a [GROUP] heading has to come first");
	skip_blanks(in);
	if (*in->at++ != '=')
		return wrong(in, form);
	skip_blanks(in);
	text = read_quoted(in, form);
	if (!text || !read_end(in))
		return false;
	origin = g_strdup_printf("%s:%u: [%s]", in->name, in->line, in->set->spec->group);
	return option_set_take_as(in->set, origin, key, text, in->error);
}

static bool read_line(struct file_reader *in, const char *line)
{
	in->at = line;
	in->line++;
	skip_blanks(in);
	if (*in->at == '\0' || *in->at == '#')
		return true;
	if (*in->at == '[')
		return finish_section(in) && read_heading(in);
	return read_pair(in);
}

bool options_read(
	struct options *options, const char *text, gsize length, const char *name, GError **error)
{
	struct file_reader in = { .options = options, .name = name, .error = error };
	const char *end = text + length;

	if (length > MAXIMUM_FILE)
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: larger than %d bytes, the most that is read", name, MAXIMUM_FILE);
	if (length > 0 && memchr(text, '\0', length))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: has a NUL byte: not a configuration file", name);
	while (text < end) {
		const char *feed = memchr(text, '\n', (size_t)(end - text));
		g_autofree char *line = g_strndup(text, (feed ? feed : end) - text);

		if (!read_line(&in, line))
			return false;
		text = feed ? feed + 1 : end;
	}
	return finish_section(&in);
}

bool options_read_file(struct options *options, const char *path, GError **error)
{
	g_autofree char *text = g_malloc(MAXIMUM_FILE + 1);
	size_t length = 0;
	ssize_t got = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return fail_errno(
			error, VITRINE_ERROR_HOST, "-readconfig %s: cannot be opened", path);
	while (got > 0 && length <= MAXIMUM_FILE) {
		do
			got = read(fd, text + length, MAXIMUM_FILE + 1 - length);
		while (got < 0 && errno == EINTR);
		length += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		fail_errno(error, VITRINE_ERROR_HOST, "-readconfig %s: cannot be read", path);
	close(fd);
	return got >= 0 && options_read(options, text, length, path, error);
}

static void write_quoted(GString *out, const char *text)
{
	g_string_append_c(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			g_string_append_printf(out, "\\%c", *text);
		else if (*text == '\n')
			g_string_append(out, "\\n");
		else if (g_ascii_iscntrl(*text))
			g_string_append_printf(out, "\\x%02x", (unsigned char)*text);
		else
			g_string_append_c(out, *text);
	}
	g_string_append_c(out, '"');
}

char *options_write(const struct options *options)
{
	GString *out = g_string_new("# Vitrine configuration\n");

	for (guint i = 0; i < options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(options->sets, i);

		g_string_append_printf(out, "\n[%s", set->spec->group);
		if (set->id) {
			g_string_append_c(out, ' ');
			write_quoted(out, set->id);
		}
		g_string_append(out, "]\n");
		for (guint j = 0; j < set->count; j++) {
			g_string_append_printf(out, "  %s = ", set->values[j].key);
			write_quoted(out, set->values[j].text);
			g_string_append_c(out, '\n');
		}
	}
	return g_string_free(out, FALSE);
}
