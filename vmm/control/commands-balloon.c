/* Commands about the memory that the guest has given back. */
#include "vmm/control/qmp-commands.h"

#include "base/error.h"
#include "vmm/virtio/virtio-balloon.h"

static struct device *find_balloon(struct machine *machine, GError **error)
{
	struct device *device = machine_device_of_class(machine, &virtio_balloon_class);

	if (!device)
		fail(error, VITRINE_ERROR_STATE, "No balloon device has been activated");
	return device;
}

static JsonNode *balloon(struct command_call *call, GError **error)
{
	struct machine *machine = call->context->machine;
	gint64 value = json_object_get_int_member(call->arguments, "value");
	struct device *device;

	if (value <= 0) {
		fail(error, VITRINE_ERROR_INPUT, "Parameter 'target' expects a size");
		return NULL;
	}
	g_mutex_lock(&machine->lock);
	device = find_balloon(machine, error);
	if (device)
		virtio_balloon_set_target(device, value);
	g_mutex_unlock(&machine->lock);
	return device ? command_nothing() : NULL;
}

static JsonNode *query_balloon(struct command_call *call, GError **error)
{
	struct machine *machine = call->context->machine;
	JsonObject *answer = NULL;
	struct device *device;

	g_mutex_lock(&machine->lock);
	device = find_balloon(machine, error);
	if (device) {
		answer = json_object_new();
		json_object_set_int_member(answer, "actual", virtio_balloon_actual(device));
	}
	g_mutex_unlock(&machine->lock);
	return answer ? command_object(answer) : NULL;
}

static const struct argument balloon_arguments[] = {
	{ "value", ARGUMENT_INT },
	{},
};

const struct command balloon_commands[] = {
	{ "balloon", balloon, balloon_arguments },
	{ "query-balloon", query_balloon, .returns = "{actual: int}" },
	{},
};
