/* Audio back ends: where the sound of devices goes (-audiodev). A device without audiodev= plays to the display bus. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct audio;
struct machine;

enum audiodev_driver {
	AUDIODEV_NONE, /* nowhere: playback vanishes, what is captured is silence */
	AUDIODEV_DBUS, /* the display bus */
};

struct audiodev {
	const char *id;
	enum audiodev_driver driver;
};

/* The sound that @id (NULL: none was given) names: NULL in @audio is nowhere. False with @error when there is no such back
 * end. */
bool audiodev_find(struct machine *machine, const char *id, struct audio **audio, GError **error);
