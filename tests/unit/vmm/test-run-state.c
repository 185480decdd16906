/* What becomes of requests that meet: sleep, stop, reset. On a machine without processors and chips. */
#include <json-glib/json-glib.h>

#include "vmm/chipset/acpi-pm.h"
#include "vmm/chipset/mc146818.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/machine/run-state.h"

void vcpu_kick(struct vcpu *vcpu)
{
}

void vcpu_wait_parked(struct vcpu *vcpu)
{
}

void vcpu_continue(struct vcpu *vcpu)
{
}

bool vcpu_inject_nmi(struct vcpu *vcpu)
{
	return true;
}

const struct vcpu_failure *vcpu_failure(const struct vcpu *vcpu)
{
	return NULL;
}

void rtc_set_asleep(struct device *rtc, bool asleep)
{
}

void acpi_pm_woken(struct acpi_pm *pm, enum machine_wakeup reason)
{
}

bool acpi_pm_has_s3(const struct acpi_pm *pm)
{
	return true;
}

void guest_clock_set_running(struct guest_clock *clock, bool running)
{
}

void machine_reset_parts(struct machine *machine)
{
}

struct fixture {
	struct machine machine;
	unsigned stops, sleeps; /* events */
};

static void count(const struct machine_event_info *info, void *owner)
{
	struct fixture *f = owner;

	f->stops += info->event == MACHINE_EVENT_STOP;
	f->sleeps += info->event == MACHINE_EVENT_SUSPEND;
}

static void settle(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void set_up(struct fixture *f, gconstpointer data)
{
	g_mutex_init(&f->machine.lock);
	f->machine.devices = g_ptr_array_new();
	f->machine.watchers = machine_watchers_new();
	f->machine.requests = machine_requests_new();
	/* Only has to be there. */
	f->machine.acpi_pm = (struct acpi_pm *)&f->machine;
	g_assert_true(machine_cont(&f->machine, NULL));
	machine_watch(&f->machine, count, f);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	machine_requests_free(f->machine.requests);
	g_array_unref(f->machine.watchers);
	g_ptr_array_unref(f->machine.devices);
	g_mutex_clear(&f->machine.lock);
}

static void test_sleep(struct fixture *f, gconstpointer data)
{
	machine_request_suspend(&f->machine);
	settle();
	g_assert_cmpint(f->machine.state, ==, RUN_STATE_SUSPENDED);
	g_assert_true(machine_wake(&f->machine, NULL));
	settle();
	g_assert_cmpint(f->machine.state, ==, RUN_STATE_RUNNING);
}

/* A guest that was stopped on its way to sleep does not run on behind it. */
static void test_stop_before_sleep(struct fixture *f, gconstpointer data)
{
	machine_request_suspend(&f->machine);
	machine_stop(&f->machine);
	settle();
	machine_request_nmi(&f->machine);
	settle();
	g_assert_cmpint(f->machine.state, ==, RUN_STATE_PAUSED);
	g_assert_cmpuint(f->sleeps, ==, 0);
	g_assert_true(machine_cont(&f->machine, NULL));
	settle();
	g_assert_cmpint(f->machine.state, ==, RUN_STATE_SUSPENDED);
	g_assert_cmpuint(f->sleeps, ==, 1);
	g_assert_true(machine_wake(&f->machine, NULL));
	settle();
	g_assert_cmpint(f->machine.state, ==, RUN_STATE_RUNNING);
	g_assert_cmpuint(f->sleeps, ==, 1);
}

/* A reset takes back what the guest asked for before. */
static void test_reset_before_sleep(struct fixture *f, gconstpointer data)
{
	machine_request_stop(&f->machine, RUN_STATE_IO_ERROR);
	settle();
	machine_request_suspend(&f->machine);
	settle();
	g_assert_cmpint(f->machine.state, ==, RUN_STATE_IO_ERROR);
	machine_reset(&f->machine, CAUSE_HOST_QMP_SYSTEM_RESET);
	g_assert_true(machine_cont(&f->machine, NULL));
	settle();
	g_assert_cmpint(f->machine.state, ==, RUN_STATE_RUNNING);
	g_assert_cmpuint(f->sleeps, ==, 0);
}

/* A stop is not lost to a reset, and none comes of a sleep: what asked for it ends with the sleep. */
static void test_stop_with_others(struct fixture *f, gconstpointer data)
{
	machine_request_reset(&f->machine, CAUSE_GUEST_RESET);
	machine_request_stop(&f->machine, RUN_STATE_IO_ERROR);
	settle();
	g_assert_cmpint(f->machine.state, ==, RUN_STATE_IO_ERROR);
	g_assert_cmpuint(f->stops, ==, 1);
	g_assert_true(machine_cont(&f->machine, NULL));
	machine_request_suspend(&f->machine);
	machine_request_stop(&f->machine, RUN_STATE_IO_ERROR);
	settle();
	g_assert_cmpint(f->machine.state, ==, RUN_STATE_SUSPENDED);
	g_assert_cmpuint(f->stops, ==, 1);
}

/* After a power-off there is nothing left to stop. */
static void test_stop_with_end(struct fixture *f, gconstpointer data)
{
	machine_request_shutdown(&f->machine, CAUSE_GUEST_SHUTDOWN);
	machine_request_stop(&f->machine, RUN_STATE_IO_ERROR);
	settle();
	g_assert_cmpint(f->machine.state, ==, RUN_STATE_SHUTDOWN);
	g_assert_true(f->machine.ended);
	g_assert_cmpuint(f->stops, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, func) \
	g_test_add("/run-state/" name, struct fixture, NULL, set_up, func, tear_down)
	ADD("sleep", test_sleep);
	ADD("stop-before-sleep", test_stop_before_sleep);
	ADD("reset-before-sleep", test_reset_before_sleep);
	ADD("stop-with-others", test_stop_with_others);
	ADD("stop-with-end", test_stop_with_end);
	return g_test_run();
}
