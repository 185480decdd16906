/* The disk images of a machine, by id. */
#include "vmm/storage/drives.h"

#include <string.h>

#include "base/error.h"
#include "vmm/device.h"

struct drives {
	GPtrArray *images; /* of struct block_backend */
};

struct drives *drives_new(void)
{
	struct drives *drives = g_new0(struct drives, 1);

	drives->images = g_ptr_array_new_with_free_func((GDestroyNotify)block_backend_close);
	return drives;
}

void drives_free(struct drives *drives)
{
	g_ptr_array_unref(drives->images);
	g_free(drives);
}

static struct block_backend *find(const struct drives *drives, const char *id)
{
	for (guint i = 0; i < drives->images->len; i++) {
		struct block_backend *backend = drives->images->pdata[i];

		if (strcmp(backend->id, id) == 0)
			return backend;
	}
	return NULL;
}

bool drives_add(struct drives *drives, const struct block_config *config, GError **error)
{
	struct block_backend *backend;

	if (find(drives, config->id))
		return fail(error, VITRINE_ERROR_INPUT, "there are two drives with the id %s",
			config->id);
	backend = block_backend_open(config, error);
	if (!backend)
		return false;
	g_ptr_array_add(drives->images, backend);
	return true;
}

static char *list_ids(const struct drives *drives)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < drives->images->len; i++) {
		const struct block_backend *backend = drives->images->pdata[i];

		g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", backend->id);
	}
	return g_string_free(text, FALSE);
}

struct block_backend *drives_take(
	struct drives *drives, const char *id, struct device *owner, GError **error)
{
	struct block_backend *backend = find(drives, id);

	if (!backend) {
		g_autofree char *ids = list_ids(drives);

		fail(error, VITRINE_ERROR_NOT_FOUND,
			"drive=%s: there is no such -drive; there is %s", id,
			ids[0] ? ids : "none");
		return NULL;
	}
	if (backend->owner) {
		fail(error, VITRINE_ERROR_BUSY, "drive=%s is used by another device", id);
		return NULL;
	}
	backend->owner = owner;
	return backend;
}
