/* Commands about character devices. */
#include "vmm/control/qmp-commands.h"

#include <string.h>

#include "base/error.h"
#include "vmm/chardev/chardev.h"

enum {
	MAXIMUM_READ = 256 << 10 /* bytes of a ring buffer in one answer */
};

static JsonNode *query_chardev(struct command_call *call, GError **error)
{
	JsonArray *list = json_array_new();

	for (guint i = 0; i < call->context->chardevs->len; i++) {
		const struct chardev *chardev = g_ptr_array_index(call->context->chardevs, i);
		g_autofree char *filename = chardev_filename(chardev);
		g_autofree char *valid = g_utf8_make_valid(filename, -1);
		JsonObject *entry = json_object_new();

		json_object_set_boolean_member(entry, "frontend-open", chardev_is_taken(chardev));
		json_object_set_string_member(entry, "filename", valid);
		json_object_set_string_member(entry, "label", chardev_id(chardev));
		json_array_add_object_element(list, entry);
	}
	return command_array(list);
}

static struct chardev *find_ring(const struct command_call *call, const char *id, GError **error)
{
	for (guint i = 0; i < call->context->chardevs->len; i++) {
		struct chardev *chardev = g_ptr_array_index(call->context->chardevs, i);

		if (strcmp(chardev_id(chardev), id) != 0)
			continue;
		if (chardev_is_ring(chardev))
			return chardev;
		fail(error, VITRINE_ERROR_INPUT, "%s is not a ringbuf device", id);
		return NULL;
	}
	/* Not class DeviceNotFound: so does QEMU, and clients compare. */
	fail(error, VITRINE_ERROR_INPUT, "Device '%s' not found", id);
	return NULL;
}

/* As text: what is no UTF-8, and NUL, which JSON strings here cannot hold, show as U+FFFD. */
static char *as_text(char *bytes, size_t length)
{
	g_autoptr(GString) text = g_string_sized_new(length);

	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\0')
			g_string_append(text, "\xef\xbf\xbd");
		else
			g_string_append_c(text, bytes[i]);
	}
	return g_utf8_make_valid(text->str, (gssize)text->len);
}

static JsonNode *ringbuf_read(struct command_call *call, GError **error)
{
	const char *id = json_object_get_string_member(call->arguments, "device");
	gint64 size = json_object_get_int_member(call->arguments, "size");
	const char *format =
		json_object_get_string_member_with_default(call->arguments, "format", "utf8");
	struct chardev *chardev = find_ring(call, id, error);
	g_autofree char *bytes = NULL;
	g_autofree char *text = NULL;
	size_t length;

	if (!chardev)
		return NULL;
	if (size <= 0) {
		fail(error, VITRINE_ERROR_INPUT, "size must be greater than zero");
		return NULL;
	}
	size = MIN(size, MAXIMUM_READ);
	bytes = g_malloc((gsize)size);
	length = chardev_ring_read(chardev, bytes, (size_t)size);
	text = strcmp(format, "base64") == 0 ? g_base64_encode((const guchar *)bytes, length)
					     : as_text(bytes, length);
	return json_node_init_string(json_node_alloc(), text);
}

static const char *const formats[] = { "utf8", "base64", NULL };

static const struct argument ringbuf_read_arguments[] = {
	{ "device", ARGUMENT_STRING },
	{ "size", ARGUMENT_INT },
	{ "format", ARGUMENT_STRING, .optional = true, .choices = formats },
	{},
};

const struct command chardev_commands[] = {
	{ "query-chardev", query_chardev,
		.returns = "[{label: str, filename: str, frontend-open: bool}]" },
	{ "ringbuf-read", ringbuf_read, ringbuf_read_arguments, .returns = "str" },
	{},
};
