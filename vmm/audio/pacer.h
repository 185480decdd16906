/* Sound goes by real time: a pacer says every few milliseconds how many frames have gone by.
 *
 * It counts on the guest's clock, so nothing goes by while the machine is paused. What the host was too slow for is left
 * out beyond a limit, rather than made up for in a burst. Everything with the machine's lock held.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct machine;

struct audio_pacer {
	struct machine *machine;
	GSource *source;
	void (*move)(void *owner, uint32_t frames); /* frames > 0; may stop or start the pacer */
	void *owner;
	uint32_t rate; /* frames per second; 0: stopped */
	int64_t since; /* guest's clock when the counting began */
	uint64_t done; /* frames that have gone by since */
};

void audio_pacer_init(struct audio_pacer *pacer, struct machine *machine,
	void (*move)(void *owner, uint32_t frames), void *owner);
void audio_pacer_finish(struct audio_pacer *pacer); /* also when it was never set up */
/* @rate > 0. */
void audio_pacer_start(struct audio_pacer *pacer, uint32_t rate);
void audio_pacer_stop(struct audio_pacer *pacer);
bool audio_pacer_is_started(const struct audio_pacer *pacer);
/* The machine pauses or goes on. */
void audio_pacer_set_running(struct audio_pacer *pacer);
/* Lets go by what is due, now. */
void audio_pacer_catch_up(struct audio_pacer *pacer);
