/* Commands about what the display shows. */
#include "vmm/control/qmp-commands.h"

#include <string.h>

#include "base/error.h"
#include "display/head.h"
#include "vmm/control/screendump.h"

struct head *command_find_head(
	const struct command_context *context, const char *device, gint64 number, GError **error)
{
	struct display *display = context->machine->display;

	for (guint i = 0; i < display_head_count(display); i++) {
		struct head *head = display_head(display, i);

		if (!device ||
			(strcmp(head_label(head), device) == 0 && head_number(head) == number))
			return head;
	}
	if (!device)
		fail(error, VITRINE_ERROR_STATE, "There is no console to take a screendump from");
	else if (!machine_device(context->machine, device))
		fail(error, VITRINE_ERROR_NOT_FOUND, "Device '%s' not found", device);
	else
		fail(error, VITRINE_ERROR_INPUT,
			"Device %s (head %" G_GINT64_FORMAT ") is not bound to a QemuConsole",
			device, number);
	return NULL;
}

static bool dump_head(
	struct head *head, enum screendump_format format, const char *path, GError **error)
{
	struct video_memory *memory;
	struct scanout scanout;
	bool good;

	if (!head_picture(head, &memory, &scanout))
		return fail(error, VITRINE_ERROR_STATE, "no surface");
	good = screendump_write(video_memory_bytes(memory), &scanout, format, path, error);
	video_memory_unref(memory);
	return good;
}

static JsonNode *screendump(struct command_call *call, GError **error)
{
	JsonObject *arguments = call->arguments;
	const char *path = json_object_get_string_member(arguments, "filename");
	const char *device = json_object_get_string_member_with_default(arguments, "device", NULL);
	const char *format = json_object_get_string_member_with_default(arguments, "format", "ppm");
	struct head *head;

	if (json_object_has_member(arguments, "head") && !device) {
		fail(error, VITRINE_ERROR_INPUT, "'head' must be specified together with 'device'");
		return NULL;
	}
	head = command_find_head(call->context, device,
		json_object_get_int_member_with_default(arguments, "head", 0), error);
	if (!head || !dump_head(head, strcmp(format, "png") == 0 ? SCREENDUMP_PNG : SCREENDUMP_PPM,
			     path, error))
		return NULL;
	return command_nothing();
}

static const char *const formats[] = { "ppm", "png", NULL };

static const struct argument screendump_arguments[] = {
	{ "filename", ARGUMENT_STRING },
	{ "device", ARGUMENT_STRING, .optional = true },
	{ "head", ARGUMENT_INT, .optional = true },
	{ "format", ARGUMENT_STRING, .optional = true, .choices = formats },
	{},
};

const struct command display_commands[] = {
	{ "screendump", screendump, screendump_arguments },
	{},
};
