/* Audio back ends. */
#include "vmm/audio/audiodev.h"

#include <string.h>

#include "base/error.h"
#include "display/audio.h"
#include "vmm/machine/machine.h"

bool audiodev_find(struct machine *machine, const char *id, struct audio **audio, GError **error)
{
	*audio = machine->display ? display_audio(machine->display) : NULL;
	if (!id)
		return true;
	for (guint i = 0; machine->audiodevs && i < machine->audiodevs->len; i++) {
		const struct audiodev *audiodev =
			&g_array_index(machine->audiodevs, struct audiodev, i);

		if (strcmp(audiodev->id, id) != 0)
			continue;
		if (audiodev->driver == AUDIODEV_NONE)
			*audio = NULL;
		return true;
	}
	return fail(error, VITRINE_ERROR_INPUT,
		"audiodev=%s: there is no such audio back end; make one with -audiodev dbus,id=%s",
		id, id);
}
