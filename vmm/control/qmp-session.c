/* One conversation in QMP. */
#include "vmm/control/qmp-session.h"

#include <string.h>

#include "base/error.h"
#include "vmm/control/json-splitter.h"
#include "vmm/control/monitor-fds.h"

struct qmp_session {
	const struct command_context *context;
	qmp_write_func write;
	void *owner;
	bool negotiated;
	struct monitor_fds *fds;
	struct json_splitter splitter;
	GByteArray *request; /* as much of it as there is */
};

static void send_node(struct qmp_session *session, JsonNode *node)
{
	g_autofree char *text = json_to_string(node, session->context->pretty);
	g_autofree char *line = g_strconcat(text, "\r\n", NULL);

	session->write(session->owner, line, strlen(line));
}

/* {"id": ..., NAME: @value}. Takes @value. */
static void answer(struct qmp_session *session, JsonNode *id, const char *name, JsonNode *value)
{
	JsonObject *object = json_object_new();
	g_autoptr(JsonNode) node = command_object(object);

	json_object_set_member(object, name, value);
	if (id)
		json_object_set_member(object, "id", json_node_copy(id));
	send_node(session, node);
}

static void answer_error(
	struct qmp_session *session, JsonNode *id, const char *class, const char *description)
{
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "class", class);
	json_object_set_string_member(object, "desc", description);
	answer(session, id, "error", command_object(object));
}

static void answer_failure(struct qmp_session *session, JsonNode *id, const GError *error)
{
	bool no_device = g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND);

	answer_error(session, id, no_device ? "DeviceNotFound" : "GenericError", error->message);
}

/* --- negotiation --- */

static const struct argument capabilities_arguments[] = {
	{ "enable", ARGUMENT_ARRAY, .optional = true },
	{},
};

/* There are no capabilities to enable, so the list has to be empty. */
static bool check_capabilities(JsonObject *arguments, GError **error)
{
	JsonArray *enable;

	if (!arguments)
		return true;
	if (!command_check_arguments(capabilities_arguments, arguments, "", error))
		return false;
	if (!json_object_has_member(arguments, "enable"))
		return true;
	enable = json_object_get_array_member(arguments, "enable");
	return json_array_get_length(enable) == 0 ||
	       fail(error, VITRINE_ERROR_INPUT, "There are no capabilities to enable");
}

static void negotiate(struct qmp_session *session, JsonNode *id, JsonObject *arguments)
{
	g_autoptr(GError) error = NULL;

	if (session->negotiated) {
		answer_error(session, id, "CommandNotFound",
			"Capabilities negotiation is already complete, command ignored");
		return;
	}
	if (!check_capabilities(arguments, &error)) {
		answer_failure(session, id, error);
		return;
	}
	session->negotiated = true;
	answer(session, id, "return", command_nothing());
}

static void greet(struct qmp_session *session)
{
	JsonObject *greeting = json_object_new();
	JsonObject *inner = json_object_new();
	g_autoptr(JsonNode) node = command_object(greeting);

	json_object_set_object_member(inner, "version", command_version());
	json_object_set_array_member(inner, "capabilities", json_array_new());
	json_object_set_object_member(greeting, "QMP", inner);
	send_node(session, node);
}

/* --- requests --- */

static void run(struct qmp_session *session, JsonNode *id, const char *name, JsonObject *arguments)
{
	struct command_call call = { .context = session->context, .fds = session->fds };
	const struct command *command = command_find(name);
	g_autoptr(GError) error = NULL;
	JsonNode *value;

	if (strcmp(name, "qmp_capabilities") == 0) {
		negotiate(session, id, arguments);
		return;
	}
	if (!session->negotiated || !command) {
		g_autofree char *text =
			session->negotiated
				? g_strdup_printf("The command %s has not been found", name)
				: g_strdup("Expecting capabilities negotiation with "
					   "'qmp_capabilities'");

		answer_error(session, id, "CommandNotFound", text);
		return;
	}
	value = command_run(command, &call, arguments, &error);
	if (!value) {
		answer_failure(session, id, error);
		return;
	}
	answer(session, id, "return", value);
	if (call.afterwards)
		call.afterwards(session->context->machine);
}

/* The members of a request: what is wrong with them, in QEMU's words, or NULL. To be freed. */
static char *check_members(JsonObject *request)
{
	static const char *const known[] = { "execute", "arguments", "id", NULL };
	g_autoptr(GList) members = json_object_get_members(request);
	JsonNode *execute = json_object_get_member(request, "execute");
	JsonNode *arguments = json_object_get_member(request, "arguments");

	for (GList *member = members; member; member = member->next) {
		if (!g_strv_contains(known, member->data))
			return g_strdup_printf(
				"QMP input member '%s' is unexpected", (const char *)member->data);
	}
	if (!execute)
		return g_strdup("QMP input lacks member 'execute'");
	if (!JSON_NODE_HOLDS_VALUE(execute) || json_node_get_value_type(execute) != G_TYPE_STRING)
		return g_strdup("QMP input member 'execute' must be a string");
	if (arguments && !JSON_NODE_HOLDS_OBJECT(arguments))
		return g_strdup("QMP input member 'arguments' must be an object");
	return NULL;
}

static void handle_request(struct qmp_session *session, JsonNode *root)
{
	g_autofree char *wrong = NULL;
	JsonObject *request;
	JsonNode *id;

	if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
		answer_error(session, NULL, "GenericError", "QMP input must be a JSON object");
		return;
	}
	request = json_node_get_object(root);
	id = json_object_get_member(request, "id");
	wrong = check_members(request);
	if (wrong) {
		answer_error(session, id, "GenericError", wrong);
		return;
	}
	run(session, id, json_object_get_string_member(request, "execute"),
		json_object_has_member(request, "arguments")
			? json_object_get_object_member(request, "arguments")
			: NULL);
}

static void answer_syntax(struct qmp_session *session, const char *what)
{
	g_autofree char *valid = g_utf8_make_valid(what, -1);
	g_autofree char *text = g_strdup_printf("JSON parse error, %s", valid);

	answer_error(session, NULL, "GenericError", text);
}

static void handle_text(struct qmp_session *session, const char *text, gssize length)
{
	g_autoptr(JsonParser) parser = json_parser_new_immutable();
	g_autoptr(GError) error = NULL;

	if (!g_utf8_validate(text, length, NULL))
		answer_syntax(session, "a text that is no UTF-8");
	else if (!json_parser_load_from_data(parser, text, length, &error))
		answer_syntax(session, error->message);
	else
		handle_request(session, json_parser_get_root(parser));
}

void qmp_session_receive(struct qmp_session *session, const uint8_t *bytes, size_t length)
{
	while (length > 0) {
		size_t used;
		enum json_split result = json_split(&session->splitter, bytes, length, &used);

		if (result == JSON_SPLIT_ERROR) {
			g_byte_array_set_size(session->request, 0);
			answer_syntax(session, session->splitter.error);
		} else if (result == JSON_SPLIT_VALUE || session->splitter.length > 0) {
			g_byte_array_append(session->request, bytes, (guint)used);
		}
		if (result == JSON_SPLIT_VALUE) {
			handle_text(session, (const char *)session->request->data,
				session->request->len);
			g_byte_array_set_size(session->request, 0);
		}
		bytes += used;
		length -= used;
	}
}

void qmp_session_receive_fd(struct qmp_session *session, int fd)
{
	monitor_fds_receive(session->fds, fd);
}

void qmp_session_tell(struct qmp_session *session, JsonNode *event)
{
	if (session->negotiated)
		send_node(session, event);
}

struct qmp_session *qmp_session_new(
	const struct command_context *context, qmp_write_func write, void *owner)
{
	struct qmp_session *session = g_new0(struct qmp_session, 1);

	session->context = context;
	session->write = write;
	session->owner = owner;
	session->request = g_byte_array_new();
	session->fds = monitor_fds_new();
	greet(session);
	return session;
}

void qmp_session_free(struct qmp_session *session)
{
	if (!session)
		return;
	g_byte_array_unref(session->request);
	monitor_fds_free(session->fds);
	g_free(session);
}
