/* Whether a machine runs: stop, continue, reset, power-off, and what happens when KVM fails.
 *
 * Devices ask from any thread; the main loop acts. From the moment of asking the processors are on their way to parking, so
 * that a guest which asked for a reset does not run on behind it.
 */
#include "vmm/machine/run-state.h"

#include <json-glib/json-glib.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "vmm/chipset/acpi-pm.h"
#include "vmm/chipset/mc146818.h"
#include "vmm/kvm/kvm.h"
#include "vmm/kvm/vcpu.h"

struct machine_requests {
	GMutex lock; /* for what follows */
	bool reset, shutdown, failed, exit, stop, suspend, wakeup, nmi;
	bool asleep;
	enum machine_wakeup wakeup_reason;
	enum run_state stop_state;
	enum machine_cause reset_cause, shutdown_cause;
	int exit_status;
	GArray *soon;    /* of struct soon */
	GArray *calling; /* those that are being called; the main loop's alone */
	GArray *news;    /* of struct news */
	guint source;    /* the main loop's, 0: nothing is scheduled */
};

/* A call that wants the main loop and the machine's lock. */
struct soon {
	void (*func)(struct machine *machine, void *device);
	void *device;
};

enum {
	NEWS_MAX = 4096 /* events that wait to be told */
};

/* An event of a device that the watchers have yet to be told of. */
struct news {
	const char *name;
	JsonObject *data;
};

struct watcher {
	machine_event_func func;
	void *owner;
};

static gboolean handle_requests(gpointer opaque);

static const char *const state_names[RUN_STATES] = {
	[RUN_STATE_PRELAUNCH] = "prelaunch",
	[RUN_STATE_RUNNING] = "running",
	[RUN_STATE_PAUSED] = "paused",
	[RUN_STATE_SHUTDOWN] = "shutdown",
	[RUN_STATE_INTERNAL_ERROR] = "internal-error",
	[RUN_STATE_IO_ERROR] = "io-error",
	[RUN_STATE_WATCHDOG] = "watchdog",
	[RUN_STATE_SUSPENDED] = "suspended",
};

static const struct {
	const char *name;
	bool by_guest;
} causes[] = {
	[CAUSE_HOST_QMP_QUIT] = { "host-qmp-quit", false },
	[CAUSE_HOST_QMP_SYSTEM_RESET] = { "host-qmp-system-reset", false },
	[CAUSE_HOST_SIGNAL] = { "host-signal", false },
	[CAUSE_HOST_ERROR] = { "host-error", false },
	[CAUSE_GUEST_SHUTDOWN] = { "guest-shutdown", true },
	[CAUSE_GUEST_RESET] = { "guest-reset", true },
	[CAUSE_GUEST_PANIC] = { "guest-panic", true },
};

const char *run_state_name(enum run_state state)
{
	return state_names[state];
}

const char *machine_cause_name(enum machine_cause cause)
{
	return causes[cause].name;
}

bool machine_cause_by_guest(enum machine_cause cause)
{
	return causes[cause].by_guest;
}

GArray *machine_watchers_new(void)
{
	return g_array_new(FALSE, FALSE, sizeof(struct watcher));
}

void machine_watch(struct machine *machine, machine_event_func func, void *owner)
{
	struct watcher watcher = { func, owner };

	g_array_append_val(machine->watchers, watcher);
}

void machine_unwatch(struct machine *machine, void *owner)
{
	for (guint i = machine->watchers->len; i > 0; i--)
		if (g_array_index(machine->watchers, struct watcher, i - 1).owner == owner)
			g_array_remove_index(machine->watchers, i - 1);
}

static void tell_watchers(struct machine *machine, const struct machine_event_info *info)
{
	for (guint i = 0; i < machine->watchers->len; i++) {
		struct watcher watcher = g_array_index(machine->watchers, struct watcher, i);

		watcher.func(info, watcher.owner);
	}
}

static void tell_text(struct machine *machine, enum machine_event event, enum machine_cause cause,
	const char *text)
{
	struct machine_event_info info = { .event = event, .cause = cause, .text = text };

	tell_watchers(machine, &info);
}

static void tell_news(struct machine *machine, GArray *news)
{
	for (guint i = 0; i < news->len; i++) {
		const struct news *one = &g_array_index(news, struct news, i);
		struct machine_event_info info = {
			.event = MACHINE_EVENT_OTHER,
			.name = one->name,
			.data = one->data,
		};

		tell_watchers(machine, &info);
	}
}

static void tell(struct machine *machine, enum machine_event event, enum machine_cause cause)
{
	tell_text(machine, event, cause, NULL);
}

static void kick_cpus(struct machine *machine)
{
	for (unsigned i = 0; i < machine->cpu_count; i++)
		vcpu_kick(machine->cpus[i]);
}

static void park_cpus(struct machine *machine)
{
	kick_cpus(machine);
	for (unsigned i = 0; i < machine->cpu_count; i++)
		vcpu_wait_parked(machine->cpus[i]);
}

/* Whether something is asked for that the processors must not run on behind. */
static bool is_asked(struct machine *machine)
{
	struct machine_requests *requests = machine->requests;
	bool asked;

	g_mutex_lock(&requests->lock);
	asked = requests->reset || requests->shutdown || requests->failed || requests->exit ||
		requests->stop || requests->suspend;
	g_mutex_unlock(&requests->lock);
	return asked;
}

static void continue_cpus(struct machine *machine)
{
	if (is_asked(machine))
		return; /* carrying it out continues them, or not */
	for (unsigned i = 0; i < machine->cpu_count; i++)
		vcpu_continue(machine->cpus[i]);
}

static void set_devices_running(struct machine *machine, bool running)
{
	if (machine->active == running)
		return;
	g_mutex_lock(&machine->lock);
	machine->active = running;
	guest_clock_set_running(&machine->clock, running);
	for (guint i = 0; i < machine->devices->len; i++) {
		struct device *device = machine->devices->pdata[i];

		if (device->class->set_running)
			device->class->set_running(device, running);
	}
	g_mutex_unlock(&machine->lock);
}

static void set_asleep(struct machine *machine, bool asleep)
{
	g_mutex_lock(&machine->requests->lock);
	machine->requests->asleep = asleep;
	machine->requests->wakeup = false;
	g_mutex_unlock(&machine->requests->lock);
}

/* True when it ran until now. */
static bool halt(struct machine *machine, enum run_state state)
{
	bool was_running = machine->state == RUN_STATE_RUNNING;

	park_cpus(machine);
	machine->state = state;
	set_asleep(machine, false);
	set_devices_running(machine, false);
	return was_running;
}

static void halt_and_tell(struct machine *machine, enum run_state state)
{
	if (halt(machine, state))
		tell(machine, MACHINE_EVENT_STOP, CAUSE_HOST_SIGNAL);
}

/* With the lock of the requests. At the priority of everything else: a guest that always has a request does not keep the main
 * loop from its other work. */
static void schedule(struct machine *machine)
{
	if (machine->requests->source == 0)
		machine->requests->source =
			g_idle_add_full(G_PRIORITY_DEFAULT, handle_requests, machine, NULL);
}

/* A sleep that the guest asked for while something else stopped it is kept until the machine is continued: */

static void keep_sleep(struct machine *machine)
{
	g_mutex_lock(&machine->requests->lock);
	machine->requests->suspend = true;
	g_mutex_unlock(&machine->requests->lock);
}

static void schedule_sleep(struct machine *machine)
{
	g_mutex_lock(&machine->requests->lock);
	if (machine->requests->suspend)
		schedule(machine);
	g_mutex_unlock(&machine->requests->lock);
}

/* ... or started afresh. With the processors parked. */
static void forget_sleep(struct machine *machine)
{
	g_mutex_lock(&machine->requests->lock);
	machine->requests->suspend = false;
	g_mutex_unlock(&machine->requests->lock);
}

void machine_stop(struct machine *machine)
{
	if (machine->state == RUN_STATE_RUNNING)
		halt_and_tell(machine, RUN_STATE_PAUSED);
}

bool machine_cont(struct machine *machine, GError **error)
{
	if (machine->state == RUN_STATE_RUNNING || machine->state == RUN_STATE_SUSPENDED)
		return true;
	if (machine->state == RUN_STATE_INTERNAL_ERROR || machine->state == RUN_STATE_SHUTDOWN)
		return fail(
			error, VITRINE_ERROR_STATE, "Resetting the Virtual Machine is required");
	machine->state = RUN_STATE_RUNNING;
	set_devices_running(machine, true);
	tell(machine, MACHINE_EVENT_RESUME, CAUSE_HOST_SIGNAL);
	schedule_sleep(machine);
	continue_cpus(machine);
	return true;
}

/* Sleep: S3. The firmware learns from the clock's memory that what comes is no start but the end of a sleep. */

static void tell_firmware(struct machine *machine, bool asleep)
{
	g_mutex_lock(&machine->lock);
	if (machine->rtc)
		rtc_set_asleep(machine->rtc, asleep);
	g_mutex_unlock(&machine->lock);
}

static void suspend(struct machine *machine)
{
	park_cpus(machine);
	machine->state = RUN_STATE_SUSPENDED;
	set_asleep(machine, true);
	tell_firmware(machine, true);
	tell(machine, MACHINE_EVENT_SUSPEND, CAUSE_HOST_SIGNAL);
}

/* By a reset, which has the firmware start the machine as ever. */
static void end_sleep(struct machine *machine)
{
	set_asleep(machine, false);
	tell_firmware(machine, false);
	machine->state = RUN_STATE_RUNNING;
}

/* Chips and processors lost their power, RAM did not. */
static void wake(struct machine *machine, enum machine_wakeup reason)
{
	set_asleep(machine, false);
	machine->waking = true;
	machine_reset_parts(machine);
	machine->waking = false;
	g_mutex_lock(&machine->lock);
	if (machine->acpi_pm)
		acpi_pm_woken(machine->acpi_pm, reason);
	g_mutex_unlock(&machine->lock);
	machine->state = RUN_STATE_RUNNING;
	continue_cpus(machine);
	tell(machine, MACHINE_EVENT_WAKEUP, CAUSE_HOST_SIGNAL);
}

bool machine_can_sleep(struct machine *machine)
{
	return machine->acpi_pm && acpi_pm_has_s3(machine->acpi_pm);
}

bool machine_wake(struct machine *machine, GError **error)
{
	if (!machine_can_sleep(machine))
		return fail(error, VITRINE_ERROR_STATE,
			"wake-up from suspend is not supported by this guest");
	if (machine->state != RUN_STATE_SUSPENDED)
		return fail(error, VITRINE_ERROR_STATE,
			"Unable to wake up: guest is not in suspended state");
	wake(machine, WAKEUP_OTHER);
	return true;
}

void machine_reset(struct machine *machine, enum machine_cause cause)
{
	park_cpus(machine);
	forget_sleep(machine);
	if (machine->state == RUN_STATE_SUSPENDED)
		end_sleep(machine);
	machine_reset_parts(machine);
	if (machine->state == RUN_STATE_INTERNAL_ERROR || machine->state == RUN_STATE_SHUTDOWN)
		machine->state = RUN_STATE_PAUSED;
	tell(machine, MACHINE_EVENT_RESET, cause);
	if (machine->state == RUN_STATE_RUNNING)
		continue_cpus(machine);
}

void machine_quit(struct machine *machine, enum machine_cause cause)
{
	if (machine->ended)
		return;
	halt(machine, RUN_STATE_SHUTDOWN);
	tell(machine, MACHINE_EVENT_SHUTDOWN, cause);
	machine->ended = true;
	g_main_context_wakeup(NULL);
}

static void shut_down(struct machine *machine, enum machine_cause cause)
{
	bool was_running;

	if (!machine->no_shutdown) {
		machine_quit(machine, cause);
		return;
	}
	was_running = halt(machine, RUN_STATE_SHUTDOWN);
	tell(machine, MACHINE_EVENT_SHUTDOWN, cause);
	if (was_running)
		tell(machine, MACHINE_EVENT_STOP, cause);
}

void machine_powerdown(struct machine *machine)
{
	g_mutex_lock(&machine->lock);
	if (machine->press_power_button)
		machine->press_power_button(machine->power_button);
	g_mutex_unlock(&machine->lock);
	machine_request_wakeup(machine, WAKEUP_OTHER);
	tell(machine, MACHINE_EVENT_POWERDOWN, CAUSE_HOST_SIGNAL);
}

void machine_set_power_button(struct machine *machine, void (*press)(void *device), void *device)
{
	machine->press_power_button = press;
	machine->power_button = device;
}

void machine_park_cpus(struct machine *machine)
{
	park_cpus(machine);
}

void machine_unpark_cpus(struct machine *machine)
{
	if (machine->state == RUN_STATE_RUNNING)
		continue_cpus(machine);
}

bool machine_inject_nmi(struct machine *machine, GError **error)
{
	bool done = true;

	/* The kernel takes an NMI for a processor only between two runs of it. */
	park_cpus(machine);
	for (unsigned i = 0; i < machine->cpu_count; i++)
		done = vcpu_inject_nmi(machine->cpus[i]) && done;
	if (machine->state == RUN_STATE_RUNNING)
		continue_cpus(machine);
	return done || fail(error, VITRINE_ERROR_HOST, "KVM does not take the NMI");
}

static void free_news(void *opaque)
{
	struct news *news = opaque;

	g_clear_pointer(&news->data, json_object_unref);
}

static GArray *news_new(void)
{
	GArray *news = g_array_new(FALSE, FALSE, sizeof(struct news));

	g_array_set_clear_func(news, free_news);
	return news;
}

/* False when a reset came first. */
static bool has_failed(const struct machine *machine)
{
	for (unsigned i = 0; i < machine->cpu_count; i++)
		if (vcpu_failure(machine->cpus[i]))
			return true;
	return false;
}

static void report_failure(struct machine *machine)
{
	for (unsigned i = 0; i < machine->cpu_count; i++) {
		const struct vcpu_failure *failure = vcpu_failure(machine->cpus[i]);
		g_autofree char *text = NULL;

		if (!failure)
			continue;
		text = g_strdup_printf(
			"%s\n%scode: %s", failure->reason, failure->registers, failure->code);
		log_error("the guest is stopped: %s", text);
		tell_text(machine, MACHINE_EVENT_INTERNAL_ERROR, CAUSE_HOST_ERROR, text);
	}
}

/* A guest that was stopped on its way to sleep sleeps when it is continued. */
static bool can_sleep_later(const struct machine *machine)
{
	return machine->state == RUN_STATE_PAUSED || machine->state == RUN_STATE_IO_ERROR ||
	       machine->state == RUN_STATE_WATCHDOG;
}

static void carry_out(struct machine *machine, const struct machine_requests *now)
{
	if (now->nmi && machine->state == RUN_STATE_RUNNING)
		machine_inject_nmi(machine, NULL);
	if (now->exit) {
		machine->exit_status = now->exit_status;
		machine_quit(machine, CAUSE_GUEST_SHUTDOWN);
	} else if (now->shutdown ||
		   (now->reset && machine->no_reboot && machine_cause_by_guest(now->reset_cause))) {
		shut_down(machine, now->shutdown ? now->shutdown_cause : now->reset_cause);
	} else if (now->reset) {
		/* Also after a failure: the processors start afresh. */
		machine_reset(machine, now->reset_cause);
	} else if (now->suspend && machine->state == RUN_STATE_RUNNING) {
		suspend(machine);
	} else if (now->wakeup && machine->state == RUN_STATE_SUSPENDED) {
		wake(machine, now->wakeup_reason);
	} else if (now->failed && has_failed(machine)) {
		halt_and_tell(machine, RUN_STATE_INTERNAL_ERROR);
		report_failure(machine);
	} else if (now->suspend && can_sleep_later(machine)) {
		keep_sleep(machine);
	} else if (now->failed && machine->state == RUN_STATE_RUNNING) {
		continue_cpus(machine);
	}
	/* Whatever else was asked for, even a reset: what goes on in the end is stopped. */
	if (now->stop && machine->state == RUN_STATE_RUNNING)
		halt_and_tell(machine, now->stop_state);
}

static gboolean handle_requests(gpointer opaque)
{
	struct machine *machine = opaque;
	struct machine_requests *requests = machine->requests;
	struct machine_requests now;
	g_autoptr(GArray) soon = NULL;
	g_autoptr(GArray) news = NULL;

	g_mutex_lock(&requests->lock);
	now = *requests;
	soon = g_steal_pointer(&requests->soon);
	requests->soon = g_array_new(FALSE, FALSE, sizeof(struct soon));
	news = g_steal_pointer(&requests->news);
	requests->news = news_new();
	requests->reset = requests->shutdown = requests->failed = requests->exit = requests->stop =
		requests->suspend = requests->wakeup = requests->nmi = false;
	requests->source = 0;
	g_mutex_unlock(&requests->lock);

	g_mutex_lock(&machine->lock);
	requests->calling = soon;
	for (guint i = 0; i < soon->len; i++) {
		const struct soon *call = &g_array_index(soon, struct soon, i);

		if (call->func)
			call->func(machine, call->device);
	}
	requests->calling = NULL;
	g_mutex_unlock(&machine->lock);
	tell_news(machine, news);
	if (!machine->ended)
		carry_out(machine, &now);
	return G_SOURCE_REMOVE;
}

void machine_request_reset(struct machine *machine, enum machine_cause cause)
{
	g_mutex_lock(&machine->requests->lock);
	machine->requests->reset = true;
	machine->requests->reset_cause = cause;
	schedule(machine);
	g_mutex_unlock(&machine->requests->lock);
	kick_cpus(machine);
}

void machine_request_shutdown(struct machine *machine, enum machine_cause cause)
{
	g_mutex_lock(&machine->requests->lock);
	machine->requests->shutdown = true;
	machine->requests->shutdown_cause = cause;
	schedule(machine);
	g_mutex_unlock(&machine->requests->lock);
	kick_cpus(machine);
}

void machine_request_stop(struct machine *machine, enum run_state state)
{
	g_mutex_lock(&machine->requests->lock);
	machine->requests->stop = true;
	machine->requests->stop_state = state;
	schedule(machine);
	g_mutex_unlock(&machine->requests->lock);
	kick_cpus(machine);
}

void machine_request_nmi(struct machine *machine)
{
	g_mutex_lock(&machine->requests->lock);
	machine->requests->nmi = true;
	schedule(machine);
	g_mutex_unlock(&machine->requests->lock);
}

void machine_request_suspend(struct machine *machine)
{
	g_mutex_lock(&machine->requests->lock);
	machine->requests->suspend = true;
	schedule(machine);
	g_mutex_unlock(&machine->requests->lock);
	kick_cpus(machine);
}

void machine_request_wakeup(struct machine *machine, enum machine_wakeup reason)
{
	g_mutex_lock(&machine->requests->lock);
	if (machine->requests->asleep) {
		machine->requests->wakeup = true;
		machine->requests->wakeup_reason = reason;
		schedule(machine);
	}
	g_mutex_unlock(&machine->requests->lock);
}

void machine_exit(struct machine *machine, int status)
{
	g_mutex_lock(&machine->requests->lock);
	machine->requests->exit = true;
	machine->requests->exit_status = status;
	schedule(machine);
	g_mutex_unlock(&machine->requests->lock);
	kick_cpus(machine);
}

void machine_vcpu_failed(struct machine *machine)
{
	g_mutex_lock(&machine->requests->lock);
	machine->requests->failed = true;
	schedule(machine);
	g_mutex_unlock(&machine->requests->lock);
}

void machine_run_soon(
	struct machine *machine, void (*func)(struct machine *machine, void *device), void *device)
{
	struct soon call = { func, device };

	g_mutex_lock(&machine->requests->lock);
	g_array_append_val(machine->requests->soon, call);
	schedule(machine);
	g_mutex_unlock(&machine->requests->lock);
}

static void forget(GArray *calls, const void *device)
{
	for (guint i = 0; calls && i < calls->len; i++) {
		struct soon *call = &g_array_index(calls, struct soon, i);

		if (call->device == device)
			call->func = NULL;
	}
}

void machine_forget_calls(struct machine *machine, const void *device)
{
	forget(machine->requests->calling, device);
	g_mutex_lock(&machine->requests->lock);
	forget(machine->requests->soon, device);
	g_mutex_unlock(&machine->requests->lock);
}

void machine_emit(struct machine *machine, const char *name, JsonObject *data)
{
	struct news news = { name, data };

	g_mutex_lock(&machine->requests->lock);
	/* A guest that causes events faster than they can be told does not fill the host's memory with them. */
	if (machine->requests->news->len < NEWS_MAX)
		g_array_append_val(machine->requests->news, news);
	else
		free_news(&news);
	schedule(machine);
	g_mutex_unlock(&machine->requests->lock);
}

struct machine_requests *machine_requests_new(void)
{
	struct machine_requests *requests = g_new0(struct machine_requests, 1);

	g_mutex_init(&requests->lock);
	requests->soon = g_array_new(FALSE, FALSE, sizeof(struct soon));
	requests->news = news_new();
	return requests;
}

void machine_requests_free(struct machine_requests *requests)
{
	g_clear_handle_id(&requests->source, g_source_remove);
	g_array_unref(requests->soon);
	g_array_unref(requests->news);
	g_mutex_clear(&requests->lock);
	g_free(requests);
}
