/* Who hears what a guest plays, and speaks when it listens: for tests of sound devices. */
#pragma once

#include "display/audio.h"

enum {
	LISTENER_SAYS = 0x77 /* each byte */
};

struct listener {
	struct audio *audio;
	GByteArray *bytes; /* what was played; for AUDIO_CAPTURE not used */
	bool enabled;      /* the stream */
	uint64_t id;
};

/* For audio_add_consumer(), with a struct listener. */
extern const struct audio_consumer_ops listener_ops;
