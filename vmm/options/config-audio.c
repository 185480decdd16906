/* Sound: -audiodev. */
#include <string.h>

#include "base/error.h"
#include "vmm/audio/audiodev.h"
#include "vmm/options/config-private.h"

static bool is_there(const struct config_builder *builder, const char *id)
{
	for (guint i = 0; i < builder->config->audiodevs->len; i++)
		if (strcmp(g_array_index(builder->config->audiodevs, struct audiodev, i).id, id) ==
			0)
			return true;
	return false;
}

bool config_use_audiodev(
	struct config_builder *builder, const char *id, const char *user, GError **error)
{
	if (is_there(builder, id))
		return true;
	return fail(error, VITRINE_ERROR_INPUT,
		"%s: there is no audio back end '%s'; make one with -audiodev dbus,id=%s", user, id,
		id);
}

static bool add(struct config_builder *builder, const struct option_set *set, GError **error)
{
	struct audiodev audiodev = {
		.id = config_keep(builder, set->id),
		.driver = strcmp(option_set_get(set, "driver"), "none") == 0 ? AUDIODEV_NONE
									     : AUDIODEV_DBUS,
	};

	if (is_there(builder, set->id))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: id=%s: there is another audio back end by this name", set->origin,
			set->id);
	g_array_append_val(builder->config->audiodevs, audiodev);
	return true;
}

bool config_build_audio(struct config_builder *builder, GError **error)
{
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);

		if (strcmp(set->spec->group, "audiodev") == 0 && !add(builder, set, error))
			return false;
	}
	return true;
}
