/* QMP: everything that clients are connected to, and the events that all of them get. */
#include "vmm/control/qmp.h"

#include <string.h>

#include "base/error.h"
#include "vmm/chardev/mux.h"
#include "vmm/control/event-limiter.h"
#include "vmm/control/events.h"
#include "vmm/control/hmp-line.h"
#include "vmm/control/key-sender.h"
#include "vmm/control/qmp-line.h"
#include "vmm/control/qmp-socket.h"

struct qmp {
	struct command_context context;
	struct command_context pretty; /* the same, for clients that are people */
	GPtrArray *sockets;            /* of struct qmp_socket */
	GPtrArray *lines;              /* of struct qmp_line */
	GPtrArray *people;             /* of struct hmp_line */
	struct event_limiter *limiter;
};

static JsonObject *describe_cause(const struct machine_event_info *info)
{
	JsonObject *data = json_object_new();

	json_object_set_boolean_member(data, "guest", machine_cause_by_guest(info->cause));
	json_object_set_string_member(data, "reason", machine_cause_name(info->cause));
	return data;
}

/* The first line is the reason. */
static JsonObject *describe_error(const struct machine_event_info *info)
{
	g_auto(GStrv) lines = g_strsplit(info->text ? info->text : "", "\n", -1);
	JsonObject *data = json_object_new();
	JsonArray *details = json_array_new();

	json_object_set_string_member(data, "reason", lines[0] ? lines[0] : "");
	for (guint i = 1; lines[0] && lines[i]; i++)
		json_array_add_string_element(details, lines[i]);
	json_object_set_array_member(data, "details", details);
	return data;
}

static JsonObject *describe_other(const struct machine_event_info *info)
{
	return info->data ? json_object_ref(info->data) : NULL;
}

/* X_INTERNAL_ERROR is ours: QEMU only stops the guest, with the run state "internal-error". */
static const struct {
	const char *name;
	JsonObject *(*describe)(const struct machine_event_info *info);
} events[] = {
	[MACHINE_EVENT_STOP] = { "STOP" },
	[MACHINE_EVENT_RESUME] = { "RESUME" },
	[MACHINE_EVENT_RESET] = { "RESET", describe_cause },
	[MACHINE_EVENT_SHUTDOWN] = { "SHUTDOWN", describe_cause },
	[MACHINE_EVENT_POWERDOWN] = { "POWERDOWN" },
	[MACHINE_EVENT_SUSPEND] = { "SUSPEND" },
	[MACHINE_EVENT_WAKEUP] = { "WAKEUP" },
	[MACHINE_EVENT_INTERNAL_ERROR] = { "X_INTERNAL_ERROR", describe_error },
	[MACHINE_EVENT_OTHER] = { NULL, describe_other },
};

static JsonObject *timestamp(void)
{
	gint64 now = g_get_real_time();
	JsonObject *stamp = json_object_new();

	json_object_set_int_member(stamp, "seconds", now / G_USEC_PER_SEC);
	json_object_set_int_member(stamp, "microseconds", now % G_USEC_PER_SEC);
	return stamp;
}

static void tell_all(JsonNode *event, void *data)
{
	struct qmp *qmp = data;

	for (guint i = 0; i < qmp->sockets->len; i++)
		qmp_socket_tell(g_ptr_array_index(qmp->sockets, i), event);
	for (guint i = 0; i < qmp->lines->len; i++)
		qmp_line_tell(g_ptr_array_index(qmp->lines, i), event);
}

static void tell(const struct machine_event_info *info, void *watcher)
{
	struct qmp *qmp = watcher;
	JsonObject *event = json_object_new();
	JsonObject *data = events[info->event].describe ? events[info->event].describe(info) : NULL;
	g_autoptr(JsonNode) node = command_object(event);
	const char *name = info->name ? info->name : events[info->event].name;
	const struct event_kind *kind = event_kind_find(name);

	json_object_set_object_member(event, "timestamp", timestamp());
	json_object_set_string_member(event, "event", name);
	if (data)
		json_object_set_object_member(event, "data", data);
	if (kind && kind->limit_ms > 0)
		event_limiter_take(qmp->limiter, kind, node);
	else
		tell_all(node, qmp);
}

struct qmp *qmp_new(struct machine *machine, GPtrArray *chardevs)
{
	struct qmp *qmp = g_new0(struct qmp, 1);

	qmp->context = (struct command_context) {
		.machine = machine,
		.chardevs = chardevs,
		.keys = key_sender_new(machine->display),
	};
	qmp->pretty = qmp->context;
	qmp->pretty.pretty = true;
	qmp->sockets = g_ptr_array_new_with_free_func((GDestroyNotify)qmp_socket_free);
	qmp->lines = g_ptr_array_new_with_free_func((GDestroyNotify)qmp_line_free);
	qmp->people = g_ptr_array_new_with_free_func((GDestroyNotify)hmp_line_free);
	qmp->limiter = event_limiter_new(tell_all, qmp);
	machine_watch(machine, tell, qmp);
	return qmp;
}

void qmp_free(struct qmp *qmp)
{
	if (!qmp)
		return;
	machine_unwatch(qmp->context.machine, qmp);
	event_limiter_free(qmp->limiter);
	g_ptr_array_unref(qmp->sockets);
	g_ptr_array_unref(qmp->lines);
	g_ptr_array_unref(qmp->people);
	key_sender_free(qmp->context.keys);
	g_free(qmp);
}

void qmp_set_display(struct qmp *qmp, const struct command_server *vnc, const char *display)
{
	qmp->context.vnc = qmp->pretty.vnc = vnc;
	qmp->context.display = qmp->pretty.display = display;
}

bool qmp_listen(struct qmp *qmp, const char *path, bool pretty, GError **error)
{
	struct qmp_socket *socket =
		qmp_socket_new(pretty ? &qmp->pretty : &qmp->context, path, error);

	if (!socket)
		return false;
	g_ptr_array_add(qmp->sockets, socket);
	return true;
}

/* Ctrl-A x */
static void quit(void *machine)
{
	machine_quit(machine, CAUSE_HOST_QMP_QUIT);
}

static struct chardev *take_channel(struct qmp *qmp, struct chardev *chardev, GError **error)
{
	struct chardev *channel = chardev_channel(chardev, error);

	if (channel)
		chardev_on_quit(chardev, quit, qmp->context.machine);
	return channel;
}

bool qmp_attach(struct qmp *qmp, struct chardev *chardev, bool pretty, GError **error)
{
	struct chardev *channel = take_channel(qmp, chardev, error);

	if (!channel)
		return false;
	g_ptr_array_add(qmp->lines, qmp_line_new(pretty ? &qmp->pretty : &qmp->context, channel));
	return true;
}

bool qmp_attach_monitor(struct qmp *qmp, struct chardev *chardev, GError **error)
{
	struct chardev *channel = take_channel(qmp, chardev, error);

	if (!channel)
		return false;
	g_ptr_array_add(qmp->people, hmp_line_new(&qmp->context, channel));
	return true;
}
