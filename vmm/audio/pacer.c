/* Sound goes by real time. */
#include "vmm/audio/pacer.h"

#include "vmm/machine/machine.h"

#define SECOND      INT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)

enum {
	PERIOD_MS = 5,
	BEHIND_MS = 100, /* what the host was too slow for beyond this is left out */
};

static void arm(struct audio_pacer *pacer)
{
	struct guest_clock *clock = &pacer->machine->clock;
	int64_t next = guest_clock_now(clock) + PERIOD_MS * MILLISECOND;

	g_source_set_ready_time(
		pacer->source, pacer->rate > 0 ? guest_clock_ready_time(clock, next) : -1);
}

static void count_from(struct audio_pacer *pacer, int64_t now)
{
	pacer->since = now;
	pacer->done = 0;
}

void audio_pacer_catch_up(struct audio_pacer *pacer)
{
	int64_t now = guest_clock_now(&pacer->machine->clock);
	uint64_t most, frames;

	if (pacer->rate == 0)
		return;
	/* Whole seconds are taken off, so that the product below never overflows and no frame is lost. */
	while (now - pacer->since >= SECOND && pacer->done >= pacer->rate) {
		pacer->since += SECOND;
		pacer->done -= pacer->rate;
	}
	most = MAX((uint64_t)pacer->rate * BEHIND_MS / 1000, 1);
	if (now - pacer->since >= 2 * SECOND) {
		count_from(pacer, now);
		frames = most;
	} else {
		uint64_t due = (uint64_t)(now - pacer->since) * pacer->rate / SECOND;

		frames = due - MIN(due, pacer->done);
		pacer->done += frames;
		frames = MIN(frames, most);
	}
	if (frames > 0)
		pacer->move(pacer->owner, frames);
}

static gboolean tick(gpointer data)
{
	struct audio_pacer *pacer = data;

	g_mutex_lock(&pacer->machine->lock);
	audio_pacer_catch_up(pacer);
	arm(pacer);
	g_mutex_unlock(&pacer->machine->lock);
	return G_SOURCE_CONTINUE;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

void audio_pacer_init(struct audio_pacer *pacer, struct machine *machine,
	void (*move)(void *owner, uint32_t frames), void *owner)
{
	pacer->machine = machine;
	pacer->move = move;
	pacer->owner = owner;
	pacer->source = g_source_new(&source_funcs, sizeof(GSource));
	g_source_set_callback(pacer->source, tick, pacer, NULL);
	g_source_set_static_name(pacer->source, "audio pacer");
	g_source_attach(pacer->source, NULL);
}

void audio_pacer_finish(struct audio_pacer *pacer)
{
	if (!pacer->source)
		return;
	pacer->rate = 0;
	g_source_destroy(pacer->source);
	g_clear_pointer(&pacer->source, g_source_unref);
}

void audio_pacer_start(struct audio_pacer *pacer, uint32_t rate)
{
	g_assert(rate > 0);
	pacer->rate = rate;
	count_from(pacer, guest_clock_now(&pacer->machine->clock));
	arm(pacer);
}

void audio_pacer_stop(struct audio_pacer *pacer)
{
	pacer->rate = 0;
	if (pacer->source)
		g_source_set_ready_time(pacer->source, -1);
}

bool audio_pacer_is_started(const struct audio_pacer *pacer)
{
	return pacer->rate > 0;
}

void audio_pacer_set_running(struct audio_pacer *pacer)
{
	if (pacer->source)
		arm(pacer);
}
