/* Commands about disks: what there is, what it has done, media and trays, sizes, nodes. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "vmm/control/qmp-commands.h"
#include "vmm/control/qom.h"
#include "vmm/options/blockdev.h"
#include "vmm/options/json-text.h"
#include "vmm/options/option-set.h"
#include "vmm/storage/drives.h"

static const char *const image_throttles[] = { "bps", "bps_rd", "bps_wr", "iops", "iops_rd",
	"iops_wr" };

static const char *text(JsonObject *object, const char *name)
{
	return json_object_has_member(object, name) ? json_object_get_string_member(object, name)
						    : NULL;
}

static bool flag(JsonObject *object, const char *name)
{
	return json_object_has_member(object, name) && json_object_get_boolean_member(object, name);
}

static GPtrArray *list_of(const struct command_call *call)
{
	static const GPtrArray none;
	const struct machine *machine = call->context->machine;

	return machine->drives ? drives_list(machine->drives) : (GPtrArray *)&none;
}

/* device= is the drive's name, id= that of the device which has it. */
static struct drive *find(struct command_call *call, GError **error)
{
	const char *device = text(call->arguments, "device");
	const char *id = text(call->arguments, "id");
	GPtrArray *list = list_of(call);

	if (!device == !id) {
		fail(error, VITRINE_ERROR_INPUT, "Need exactly one of 'device' and 'id'");
		return NULL;
	}
	for (guint i = 0; i < list->len; i++) {
		struct drive *drive = list->pdata[i];

		if (device ? strcmp(drive->id, device) == 0
			   : drive->owner && g_strcmp0(drive->owner->id, id) == 0)
			return drive;
	}
	fail(error, VITRINE_ERROR_NOT_FOUND, "Device '%s' not found", device ? device : id);
	return NULL;
}

/* --- what there is --- */

static const char *driver_of(const struct block_backend *image)
{
	return image->format;
}

static void describe_cache(JsonObject *object, const struct block_backend *image)
{
	JsonObject *cache = json_object_new();

	json_object_set_boolean_member(cache, "writeback", !image->write_through);
	json_object_set_boolean_member(cache, "direct", FALSE);
	json_object_set_boolean_member(cache, "no-flush", image->no_flush);
	json_object_set_object_member(object, "cache", cache);
}

static JsonObject *describe_image(const struct drive *drive)
{
	const struct block_backend *image = drive->image;
	JsonObject *object = json_object_new();
	JsonObject *info = json_object_new();

	json_object_set_string_member(object, "file", image->path);
	json_object_set_string_member(
		object, "node-name", drive->medium ? drive->medium->id : drive->id);
	json_object_set_boolean_member(object, "ro", drive->read_only || image->read_only);
	json_object_set_string_member(object, "drv", driver_of(image));
	json_object_set_int_member(object, "backing_file_depth", 0);
	json_object_set_boolean_member(object, "encrypted", FALSE);
	json_object_set_string_member(object, "detect_zeroes", "off");
	for (size_t i = 0; i < G_N_ELEMENTS(image_throttles); i++)
		json_object_set_int_member(object, image_throttles[i], 0);
	json_object_set_int_member(object, "write_threshold", 0);
	describe_cache(object, image);
	json_object_set_string_member(info, "filename", image->path);
	json_object_set_string_member(info, "format", image->format);
	json_object_set_int_member(info, "virtual-size", (gint64)image->size);
	json_object_set_object_member(object, "image", info);
	return object;
}

static const char *io_status(const struct drive *drive)
{
	int trouble = __atomic_load_n(&drive->troubled, __ATOMIC_SEQ_CST);

	return trouble == 0 ? "ok" : trouble == -ENOSPC ? "nospace" : "failed";
}

/* The device, as QEMU names it: by its id, or by its place; a disk of virtio is a part of its PCI device there. */
static char *owner_name(struct device *owner)
{
	g_autofree char *path = device_path(owner);

	if (strcmp(owner->class->name, "virtio-blk-pci") == 0)
		return g_strconcat(path, "/virtio-backend", NULL);
	return owner->id ? g_strdup(owner->id) : g_steal_pointer(&path);
}

static JsonObject *describe_drive(const struct drive *drive)
{
	const struct drive_ops *ops = drive->ops;
	struct device *owner = drive->owner;
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "device", drive->is_node ? "" : drive->id);
	json_object_set_string_member(object, "type", "unknown");
	json_object_set_boolean_member(object, "removable", ops && ops->is_cdrom);
	json_object_set_boolean_member(
		object, "locked", ops && ops->is_locked && ops->is_locked(drive->data));
	if (ops && ops->is_tray_open)
		json_object_set_boolean_member(object, "tray_open", ops->is_tray_open(drive->data));
	if (owner)
		json_object_set_string_member(object, "io-status", io_status(drive));
	if (owner) {
		g_autofree char *name = owner_name(owner);

		json_object_set_string_member(object, "qdev", name);
	}
	if (drive->image)
		json_object_set_object_member(object, "inserted", describe_image(drive));
	return object;
}

static JsonNode *query_block(struct command_call *call, GError **error)
{
	GPtrArray *list = list_of(call);
	JsonArray *answer = json_array_new();

	g_mutex_lock(&call->context->machine->lock);
	for (guint i = 0; i < list->len; i++) {
		const struct drive *drive = list->pdata[i];

		if (!drive->is_node || drive->owner)
			json_array_add_object_element(answer, describe_drive(drive));
	}
	g_mutex_unlock(&call->context->machine->lock);
	return command_array(answer);
}

static uint64_t count(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static JsonObject *describe_statistics(const struct drive_statistics *statistics)
{
	const struct {
		const char *name;
		const uint64_t *value;
	} counters[] = {
		{ "rd_bytes", &statistics->read_bytes },
		{ "wr_bytes", &statistics->written_bytes },
		{ "unmap_bytes", &statistics->discarded_bytes },
		{ "rd_operations", &statistics->reads },
		{ "wr_operations", &statistics->writes },
		{ "flush_operations", &statistics->flushes },
		{ "unmap_operations", &statistics->discards },
		{ "failed_rd_operations", &statistics->failed_reads },
		{ "failed_wr_operations", &statistics->failed_writes },
		{ "failed_flush_operations", &statistics->failed_flushes },
		{ "rd_total_time_ns", &statistics->read_ns },
		{ "wr_total_time_ns", &statistics->write_ns },
		{ "flush_total_time_ns", &statistics->flush_ns },
	};
	static const char *const zeroes[] = { "unmap_total_time_ns", "rd_merged", "wr_merged",
		"unmap_merged", "failed_unmap_operations", "invalid_rd_operations",
		"invalid_wr_operations", "invalid_flush_operations", "invalid_unmap_operations",
		"wr_highest_offset" };
	JsonObject *object = json_object_new();

	for (size_t i = 0; i < G_N_ELEMENTS(counters); i++)
		json_object_set_int_member(
			object, counters[i].name, (gint64)count(counters[i].value));
	for (size_t i = 0; i < G_N_ELEMENTS(zeroes); i++)
		json_object_set_int_member(object, zeroes[i], 0);
	json_object_set_boolean_member(object, "account_invalid", TRUE);
	json_object_set_boolean_member(object, "account_failed", TRUE);
	json_object_set_array_member(object, "timed_stats", json_array_new());
	return object;
}

static JsonNode *query_blockstats(struct command_call *call, GError **error)
{
	GPtrArray *list = list_of(call);
	JsonArray *answer = json_array_new();

	for (guint i = 0; i < list->len; i++) {
		const struct drive *drive = list->pdata[i];
		JsonObject *object;

		if (drive->is_node && !drive->owner)
			continue;
		object = json_object_new();
		json_object_set_string_member(object, "device", drive->is_node ? "" : drive->id);
		if (drive->image)
			json_object_set_string_member(object, "node-name", drive->id);
		json_object_set_object_member(
			object, "stats", describe_statistics(&drive->statistics));
		json_array_add_object_element(answer, object);
	}
	return command_array(answer);
}

static JsonNode *query_nodes(struct command_call *call, GError **error)
{
	GPtrArray *list = list_of(call);
	JsonArray *answer = json_array_new();

	g_mutex_lock(&call->context->machine->lock);
	for (guint i = 0; i < list->len; i++) {
		const struct drive *drive = list->pdata[i];

		if (drive->image)
			json_array_add_object_element(answer, describe_image(drive));
	}
	g_mutex_unlock(&call->context->machine->lock);
	return command_array(answer);
}

/* --- media and trays --- */

static bool is_removable(const struct drive *drive, GError **error)
{
	return (drive->ops && drive->ops->is_cdrom) ||
	       fail(error, VITRINE_ERROR_STATE, "Device '%s' is not removable", drive->id);
}

/* Whether the tray is open now. A guest that has locked it is asked; *@asked says so. */
static bool open_tray(struct drive *drive, bool force, bool *asked)
{
	const struct drive_ops *ops = drive->ops;

	*asked = false;
	if (!ops->is_tray_open || ops->is_tray_open(drive->data))
		return true;
	if (ops->is_locked && ops->is_locked(drive->data)) {
		*asked = true;
		if (ops->eject_requested)
			ops->eject_requested(drive->data, force);
		if (!force)
			return false;
	}
	if (ops->set_tray)
		ops->set_tray(drive->data, true);
	return true;
}

static bool is_locked_error(const struct drive *drive, GError **error)
{
	return fail(error, VITRINE_ERROR_BUSY,
		"Device '%s' is locked and force was not specified, wait for tray to open and try "
		"again",
		drive->id);
}

static void close_tray(struct drive *drive)
{
	const struct drive_ops *ops = drive->ops;

	if (ops->set_tray && ops->is_tray_open && ops->is_tray_open(drive->data))
		ops->set_tray(drive->data, false);
}

/* With the lock: what a command does with a drive that may change its medium. */
typedef bool (*media_func)(struct command_call *call, struct drive *drive, GError **error);

static JsonNode *with_medium(struct command_call *call, media_func func, GError **error)
{
	struct machine *machine = call->context->machine;
	struct drive *drive = find(call, error);
	bool done;

	if (!drive || !is_removable(drive, error))
		return NULL;
	g_mutex_lock(&machine->lock);
	done = func(call, drive, error);
	g_mutex_unlock(&machine->lock);
	return done ? command_nothing() : NULL;
}

static bool do_eject(struct command_call *call, struct drive *drive, GError **error)
{
	bool asked;

	if (!open_tray(drive, flag(call->arguments, "force"), &asked))
		return is_locked_error(drive, error);
	if (drive->image)
		drive_set_image(drive, NULL);
	return true;
}

static JsonNode *eject(struct command_call *call, GError **error)
{
	return with_medium(call, do_eject, error);
}

static bool do_open_tray(struct command_call *call, struct drive *drive, GError **error)
{
	bool asked;

	/* A guest that was asked opens it when it likes: DEVICE_TRAY_MOVED tells. */
	open_tray(drive, flag(call->arguments, "force"), &asked);
	return true;
}

static JsonNode *blockdev_open_tray(struct command_call *call, GError **error)
{
	return with_medium(call, do_open_tray, error);
}

static bool do_close_tray(struct command_call *call, struct drive *drive, GError **error)
{
	close_tray(drive);
	return true;
}

static JsonNode *blockdev_close_tray(struct command_call *call, GError **error)
{
	return with_medium(call, do_close_tray, error);
}

static JsonNode *blockdev_change_medium(struct command_call *call, GError **error)
{
	struct machine *machine = call->context->machine;
	struct drive *drive = find(call, error);
	const char *mode = text(call->arguments, "read-only-mode");
	struct block_config config = {
		.path = text(call->arguments, "filename"),
		.format = text(call->arguments, "format"),
	};
	struct block_backend *image;
	bool asked;
	bool open;

	if (!drive || !is_removable(drive, error))
		return NULL;
	config.read_only = drive->read_only || g_strcmp0(mode, "read-only") == 0;
	/* Without the lock: it may wait for a helper. */
	image = block_backend_open(&config, error);
	if (!image)
		return NULL;
	g_mutex_lock(&machine->lock);
	open = open_tray(drive, flag(call->arguments, "force"), &asked);
	if (open) {
		drive_set_image(drive, image);
		close_tray(drive);
	}
	g_mutex_unlock(&machine->lock);
	if (open)
		return command_nothing();
	block_backend_close(image);
	is_locked_error(drive, error);
	return NULL;
}

static bool tray_is_open(const struct drive *drive, GError **error)
{
	const struct drive_ops *ops = drive->ops;

	return !ops->is_tray_open || ops->is_tray_open(drive->data) ||
	       fail(error, VITRINE_ERROR_STATE, "Tray of the device is not open");
}

static bool do_insert(struct command_call *call, struct drive *drive, GError **error)
{
	const char *name = text(call->arguments, "node-name");
	struct drive *node = drives_find(call->context->machine->drives, name);

	if (!node || !node->is_node)
		return fail(error, VITRINE_ERROR_NOT_FOUND, "Node '%s' not found", name);
	return tray_is_open(drive, error) && drive_insert(drive, node, error);
}

static JsonNode *blockdev_insert_medium(struct command_call *call, GError **error)
{
	return with_medium(call, do_insert, error);
}

static bool do_remove(struct command_call *call, struct drive *drive, GError **error)
{
	if (!tray_is_open(drive, error))
		return false;
	if (drive->image)
		drive_set_image(drive, NULL);
	return true;
}

static JsonNode *blockdev_remove_medium(struct command_call *call, GError **error)
{
	return with_medium(call, do_remove, error);
}

/* --- sizes and nodes --- */

static JsonNode *block_resize(struct command_call *call, GError **error)
{
	const char *name = text(call->arguments, "device");
	struct machine *machine = call->context->machine;
	struct drive *drive;
	gint64 size = json_object_get_int_member(call->arguments, "size");
	bool done;

	name = name ? name : text(call->arguments, "node-name");
	drive = name && machine->drives ? drives_find(machine->drives, name) : NULL;
	if (!drive) {
		fail(error, VITRINE_ERROR_NOT_FOUND, "Device '%s' not found", name ? name : "");
		return NULL;
	}
	if (size <= 0 || size % SECTOR != 0) {
		fail(error, VITRINE_ERROR_INPUT,
			"Parameter 'size' expects a multiple of 512 greater than 0");
		return NULL;
	}
	g_mutex_lock(&machine->lock);
	done = drive_resize(drive, size, error);
	g_mutex_unlock(&machine->lock);
	return done ? command_nothing() : NULL;
}

static bool take_member(const char *key, const char *value, void *set, GError **error)
{
	return option_set_take(set, key, value, error);
}

static JsonNode *blockdev_add(struct command_call *call, GError **error)
{
	struct option_set *set = option_set_new(option_spec_find("blockdev"), NULL, "blockdev-add");
	struct machine *machine = call->context->machine;
	struct blockdev *node = NULL;
	bool done = machine->drives && json_text_walk(call->arguments, take_member, set, error);

	if (done && (!option_set_get(set, "driver") || !option_set_get(set, "node-name")))
		done = fail(error, VITRINE_ERROR_INPUT,
			"'node-name' must be specified for the root node");
	node = done ? blockdev_new(set, error) : NULL;
	if (node) {
		struct block_config config = {
			.id = node->name,
			.path = node->path,
			.format = node->format,
			.child = node->child,
			.is_node = true,
			.read_only = node->read_only,
			.discard = node->discard,
			.no_cache = node->no_cache,
			.no_flush = node->no_flush,
			.detect_zeroes = node->detect_zeroes,
			.on_write_error = DRIVE_ERROR_ENOSPC,
		};

		done = drives_add(machine->drives, &config, error);
		blockdev_free(node);
	} else {
		done = false;
	}
	option_set_free(set);
	return done ? command_nothing() : NULL;
}

static JsonNode *blockdev_del(struct command_call *call, GError **error)
{
	const char *name = text(call->arguments, "node-name");
	struct machine *machine = call->context->machine;
	struct drive *drive = machine->drives ? drives_find(machine->drives, name) : NULL;

	if (!drive || !drive->is_node) {
		fail(error, VITRINE_ERROR_INPUT, "Failed to find node with node-name='%s'", name);
		return NULL;
	}
	return drives_remove(machine->drives, name, error) ? command_nothing() : NULL;
}

/* Members more go by the driver: docs of -blockdev. */
static char *describe_blockdev_add(void)
{
	const struct option_key *driver = option_spec_key(option_spec_find("blockdev"), "driver");
	g_autofree char *drivers = g_strjoinv("|", (char **)driver->choices);

	return g_strdup_printf("{driver: %s, node-name?: str, discard?: ignore|unmap, "
			       "read-only?: bool, auto-read-only?: bool, force-share?: bool, "
			       "detect-zeroes?: off|on|unmap, "
			       "cache?: {direct?: bool, no-flush?: bool}; driver}",
		drivers);
}

static const char *const read_only_modes[] = { "retain", "read-only", "read-write", NULL };

static const struct argument drive_arguments[] = {
	{ "device", ARGUMENT_STRING, .optional = true },
	{ "id", ARGUMENT_STRING, .optional = true },
	{ "force", ARGUMENT_BOOL, .optional = true },
	{},
};

static const struct argument change_arguments[] = {
	{ "device", ARGUMENT_STRING, .optional = true },
	{ "id", ARGUMENT_STRING, .optional = true },
	{ "filename", ARGUMENT_STRING },
	{ "format", ARGUMENT_STRING, .optional = true },
	{ "force", ARGUMENT_BOOL, .optional = true },
	{ "read-only-mode", ARGUMENT_STRING, .optional = true, .choices = read_only_modes },
	{},
};

static const struct argument close_arguments[] = {
	{ "device", ARGUMENT_STRING, .optional = true },
	{ "id", ARGUMENT_STRING, .optional = true },
	{},
};

static const struct argument insert_arguments[] = {
	{ "id", ARGUMENT_STRING },
	{ "node-name", ARGUMENT_STRING },
	{},
};

static const struct argument remove_arguments[] = {
	{ "id", ARGUMENT_STRING },
	{},
};

static const struct argument resize_arguments[] = {
	{ "device", ARGUMENT_STRING, .optional = true },
	{ "node-name", ARGUMENT_STRING, .optional = true },
	{ "size", ARGUMENT_INT },
	{},
};

static const struct argument node_arguments[] = {
	{ "node-name", ARGUMENT_STRING },
	{},
};

static const struct argument query_stats_arguments[] = {
	{ "query-nodes", ARGUMENT_BOOL, .optional = true },
	{},
};

static const struct argument query_nodes_arguments[] = {
	{ "flat", ARGUMENT_BOOL, .optional = true },
	{},
};

static const struct argument add_arguments[] = {
	{ "driver", ARGUMENT_STRING },
	{ "node-name", ARGUMENT_STRING, .optional = true },
	{},
};

const struct command block_commands[] = {
	{ "query-block", query_block, .returns = "[BlockInfo]" },
	{ "query-blockstats", query_blockstats, query_stats_arguments, .returns = "[BlockStats]" },
	{ "query-named-block-nodes", query_nodes, query_nodes_arguments,
		.returns = "[BlockDeviceInfo]" },
	{ "block_resize", block_resize, resize_arguments },
	{ "eject", eject, drive_arguments },
	{ "blockdev-open-tray", blockdev_open_tray, drive_arguments },
	{ "blockdev-close-tray", blockdev_close_tray, close_arguments },
	{ "blockdev-change-medium", blockdev_change_medium, change_arguments },
	{ "blockdev-insert-medium", blockdev_insert_medium, insert_arguments },
	{ "blockdev-remove-medium", blockdev_remove_medium, remove_arguments },
	{ "blockdev-add", blockdev_add, add_arguments, .describe = describe_blockdev_add,
		.open = true },
	{ "blockdev-del", blockdev_del, node_arguments },
	{},
};
