/* The drives of a machine, by id: who has them, what happens when they fail, and what they have done. */
#include "vmm/storage/drives.h"

#include <errno.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "vmm/machine/machine.h"

enum {
	TOLD_PERIOD = 1000000, /* microseconds */
	TOLD_MAX = 16,         /* errors in one that are told */
};

struct drives {
	GPtrArray *list; /* of struct drive */
};

static const char *const policy_names[] = {
	[DRIVE_ERROR_REPORT] = "report",
	[DRIVE_ERROR_IGNORE] = "ignore",
	[DRIVE_ERROR_STOP] = "stop",
	[DRIVE_ERROR_ENOSPC] = "enospc",
};

const char *drive_error_policy_name(enum drive_error_policy policy)
{
	return policy_names[policy];
}

static void drive_free(void *opaque)
{
	struct drive *drive = opaque;

	block_backend_close(drive->image);
	if (drive->closed) {
		g_free((char *)drive->closed->path);
		g_free((char *)drive->closed->format);
		g_free((char *)drive->closed->detect_zeroes);
		g_free(drive->closed);
	}
	g_free(drive->id);
	g_free(drive);
}

struct drives *drives_new(void)
{
	struct drives *drives = g_new0(struct drives, 1);

	drives->list = g_ptr_array_new_with_free_func(drive_free);
	return drives;
}

void drives_free(struct drives *drives)
{
	g_ptr_array_unref(drives->list);
	g_free(drives);
}

GPtrArray *drives_list(const struct drives *drives)
{
	return drives->list;
}

struct drive *drives_find(const struct drives *drives, const char *id)
{
	for (guint i = 0; i < drives->list->len; i++) {
		struct drive *drive = drives->list->pdata[i];

		if (strcmp(drive->id, id) == 0)
			return drive;
	}
	return NULL;
}

static struct block_config *config_copy(const struct block_config *config)
{
	struct block_config *copy = g_new(struct block_config, 1);

	*copy = *config;
	copy->id = NULL;
	copy->child = NULL;
	copy->path = g_strdup(config->path);
	copy->format = g_strdup(config->format);
	copy->detect_zeroes = g_strdup(config->detect_zeroes);
	return copy;
}

/* The child of a node that is being made; NULL with @error. */
static struct drive *find_child(
	const struct drives *drives, const struct block_config *config, GError **error)
{
	struct drive *child = drives_find(drives, config->child);

	if (!child || !child->closed || child->closed->format)
		fail(error, VITRINE_ERROR_NOT_FOUND,
			"file=%s: there is no free node by this name that says where bytes are",
			config->child);
	else if (child->parent)
		fail(error, VITRINE_ERROR_BUSY, "file=%s is used by node %s", config->child,
			child->parent->id);
	else
		return child;
	return NULL;
}

/* Opens what @config says, with the bytes of @child if there is one. */
static bool open_image(struct drive *drive, const struct block_config *config, GError **error)
{
	struct block_config whole = *config;

	if (drive->child) {
		const struct block_config *below = drive->child->closed;

		whole.path = below->path;
		whole.no_cache |= below->no_cache;
		whole.no_flush |= below->no_flush;
	}
	if (config->is_node && !config->format)
		whole.format = "raw";
	if (whole.path)
		drive->image = block_backend_open(&whole, error);
	return drive->image || !whole.path;
}

bool drives_add(struct drives *drives, const struct block_config *config, GError **error)
{
	struct drive *child = NULL;
	struct drive *drive;

	if (drives_find(drives, config->id))
		return fail(error, VITRINE_ERROR_INPUT, "there are two drives with the id %s",
			config->id);
	if (config->child) {
		child = find_child(drives, config, error);
		if (!child)
			return false;
	}
	drive = g_new0(struct drive, 1);
	*drive = (struct drive) {
		.id = g_strdup(config->id),
		.is_node = config->is_node,
		.child = child,
		.read_only = config->read_only,
		.on_read_error = config->on_read_error,
		.on_write_error = config->on_write_error,
	};
	if (config->is_node && !config->format)
		drive->closed = config_copy(config);
	else if (!open_image(drive, config, error)) {
		drive_free(drive);
		return false;
	}
	if (child)
		child->parent = drive;
	g_ptr_array_add(drives->list, drive);
	return true;
}

bool drives_remove(struct drives *drives, const char *id, GError **error)
{
	struct drive *drive = drives_find(drives, id);

	if (!drive)
		return fail(error, VITRINE_ERROR_NOT_FOUND,
			"Failed to find node with node-name='%s'", id);
	if (drive->owner || drive->parent)
		return fail(error, VITRINE_ERROR_BUSY, "Node %s is in use", id);
	if (drive->child)
		drive->child->parent = NULL;
	g_ptr_array_remove(drives->list, drive);
	return true;
}

static char *list_ids(const struct drives *drives)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < drives->list->len; i++) {
		const struct drive *drive = drives->list->pdata[i];

		g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", drive->id);
	}
	return g_string_free(text, FALSE);
}

static struct drive *take_empty(
	struct drives *drives, struct device *owner, const struct drive_ops *ops, void *data)
{
	struct drive *drive = g_new0(struct drive, 1);

	*drive = (struct drive) {
		.id = g_strdup(""),
		.owner = owner,
		.ops = ops,
		.data = data,
		.on_read_error = DRIVE_ERROR_REPORT,
		.on_write_error = DRIVE_ERROR_ENOSPC,
	};
	g_ptr_array_add(drives->list, drive);
	return drive;
}

struct drive *drives_take(struct drives *drives, const char *id, struct device *owner,
	const struct drive_ops *ops, void *data, GError **error)
{
	struct drive *drive = id ? drives_find(drives, id) : NULL;

	if (!id)
		return take_empty(drives, owner, ops, data);
	if (!drive) {
		g_autofree char *ids = list_ids(drives);

		fail(error, VITRINE_ERROR_NOT_FOUND,
			"drive=%s: there is no such -drive; there is %s", id,
			ids[0] ? ids : "none");
		return NULL;
	}
	if (drive->owner) {
		fail(error, VITRINE_ERROR_BUSY, "drive=%s is used by another device", id);
		return NULL;
	}
	if (drive->parent) {
		fail(error, VITRINE_ERROR_BUSY, "drive=%s is the file of node %s", id,
			drive->parent->id);
		return NULL;
	}
	if (drive->closed && !drive->image && !open_image(drive, drive->closed, error))
		return NULL;
	drive->owner = owner;
	drive->ops = ops;
	drive->data = data;
	return drive;
}

void drive_release(struct drive *drive)
{
	struct drives *drives = drive->owner->machine->drives;

	if (drive->closed)
		g_clear_pointer(&drive->image, block_backend_close);
	drive->owner = NULL;
	drive->ops = NULL;
	drive->data = NULL;
	if (drive->id[0] != '\0')
		return;
	drive_set_image(drive, NULL);
	g_ptr_array_remove(drives->list, drive);
}

/* Returns the image that was there. */
static struct block_backend *swap_image(struct drive *drive, struct block_backend *image)
{
	struct block_worker *worker = drive->worker;
	bool was_started = worker && block_worker_is_started(worker);
	struct block_backend *before = drive->image;

	if (was_started)
		block_worker_stop(worker);
	drive->image = image;
	if (was_started)
		block_worker_restart(worker);
	if (drive->ops && drive->ops->medium_changed)
		drive->ops->medium_changed(drive->data);
	return before;
}

void drive_set_image(struct drive *drive, struct block_backend *image)
{
	struct block_backend *before = swap_image(drive, image);

	/* A node's image goes back to where it came from. */
	if (!drive->medium) {
		block_backend_close(before);
		return;
	}
	drive->medium->image = before;
	drive->medium->parent = NULL;
	drive->medium = NULL;
}

bool drive_insert(struct drive *drive, struct drive *node, GError **error)
{
	if (drive->image)
		return fail(error, VITRINE_ERROR_STATE,
			"There already is a medium in the device '%s'", drive->id);
	if (!node->is_node || node->owner || node->parent)
		return fail(error, VITRINE_ERROR_BUSY, "Node '%s' is in use", node->id);
	if (!node->image && !(node->closed && open_image(node, node->closed, error)))
		return false;
	swap_image(drive, g_steal_pointer(&node->image));
	drive->medium = node;
	node->parent = drive;
	return true;
}

bool drive_resize(struct drive *drive, uint64_t size, GError **error)
{
	struct block_worker *worker = drive->worker;
	bool was_started = worker && block_worker_is_started(worker);
	struct block_backend *image = drive->image;
	bool done;

	if (!image || !image->ops->resize || image->read_only)
		return fail(error, VITRINE_ERROR_STATE, "Device '%s' cannot be resized", drive->id);
	if (was_started)
		block_worker_stop(worker);
	done = image->ops->resize(image, size, error);
	if (was_started)
		block_worker_restart(worker);
	if (done && drive->ops && drive->ops->medium_changed)
		drive->ops->medium_changed(drive->data);
	return done;
}

/* A guest that makes errors as fast as it can leaves room for the events of others; that it was stopped is told always. */
static bool is_told(struct drive *drive, bool stops)
{
	int64_t now = g_get_monotonic_time();

	if (now - drive->told_since >= TOLD_PERIOD) {
		drive->told_since = now;
		drive->told = 0;
	}
	return drive->told++ < TOLD_MAX || stops;
}

static void tell_error(
	const struct drive *drive, enum block_operation operation, const char *action, int result)
{
	JsonObject *data = json_object_new();

	json_object_set_string_member(data, "device", drive->is_node ? "" : drive->id);
	if (drive->is_node || drive->medium)
		json_object_set_string_member(
			data, "node-name", drive->medium ? drive->medium->id : drive->id);
	json_object_set_string_member(
		data, "operation", operation == BLOCK_READ ? "read" : "write");
	json_object_set_string_member(data, "action", action);
	json_object_set_boolean_member(data, "nospace", result == -ENOSPC);
	json_object_set_string_member(data, "reason", g_strerror(-result));
	machine_emit(drive->owner->machine, "BLOCK_IO_ERROR", data);
}

bool drive_keeps_failed(struct drive *drive, enum block_operation operation, int *result)
{
	enum drive_error_policy policy =
		operation == BLOCK_READ ? drive->on_read_error : drive->on_write_error;
	bool stops =
		policy == DRIVE_ERROR_STOP || (policy == DRIVE_ERROR_ENOSPC && *result == -ENOSPC);
	struct machine *machine = drive->owner->machine;

	if (is_told(drive, stops))
		tell_error(drive, operation,
			stops                          ? "stop"
			: policy == DRIVE_ERROR_IGNORE ? "ignore"
						       : "report",
			*result);
	if (stops) {
		if (__atomic_exchange_n(&drive->troubled, *result, __ATOMIC_SEQ_CST) == 0)
			log_warning("drive %s: %s; the guest is stopped until it is continued",
				drive->id, g_strerror(-*result));
		machine_request_stop(machine, RUN_STATE_IO_ERROR);
	} else if (policy == DRIVE_ERROR_IGNORE) {
		*result = 0;
	}
	return stops;
}

static void add(uint64_t *counter, uint64_t value)
{
	__atomic_fetch_add(counter, value, __ATOMIC_RELAXED);
}

void drive_count(
	struct drive *drive, const struct block_request *request, int result, int64_t duration)
{
	struct drive_statistics *statistics = &drive->statistics;
	bool good = result == 0;

	switch (request->operation) {
	case BLOCK_READ:
		add(good ? &statistics->reads : &statistics->failed_reads, 1);
		add(&statistics->read_bytes, good ? request->length : 0);
		add(&statistics->read_ns, duration);
		break;
	case BLOCK_WRITE:
	case BLOCK_WRITE_ZEROES:
		add(good ? &statistics->writes : &statistics->failed_writes, 1);
		add(&statistics->written_bytes, good ? request->length : 0);
		add(&statistics->write_ns, duration);
		break;
	case BLOCK_FLUSH:
		add(good ? &statistics->flushes : &statistics->failed_flushes, 1);
		add(&statistics->flush_ns, duration);
		break;
	case BLOCK_DISCARD:
		add(&statistics->discards, good ? 1 : 0);
		add(&statistics->discarded_bytes, good ? request->length : 0);
		break;
	}
}
