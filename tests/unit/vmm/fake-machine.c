/* A machine that only remembers what it was asked. */
#include "tests/unit/vmm/fake-machine.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "base/error.h"
#include "vmm/pci/pci-describe.h"
#include "vmm/bus.h"
#include "vmm/firmware/fw-cfg.h"
#include "vmm/kvm/describe-chips.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/machine/run-state.h"
#include "vmm/objects.h"
#include "vmm/usb/usb.h"
#include "vmm/net/netdev.h"
#include "vmm/virtio/virtio-balloon.h"
#include "vmm/virtio/virtio-net.h"

GString *fake_machine_log;
struct vcpu_failure *fake_failure;

static machine_event_func watcher_func;
static void *watcher_data;

struct machine *fake_machine_new(const struct machine_config *config)
{
	struct machine *machine = g_new0(struct machine, 1);

	machine->config = config;
	g_mutex_init(&machine->lock);
	machine->display = display_new(&machine->lock);
	machine->state = RUN_STATE_RUNNING;
	machine->cpu_count = 1;
	machine->devices = g_ptr_array_new();
	machine->buses = g_ptr_array_new();
	machine->objects = objects_new();
	io_space_init(&machine->ports, "ports");
	io_space_init(&machine->mmio, "memory");
	fake_machine_log = g_string_new(NULL);
	return machine;
}

void fake_machine_free(struct machine *machine)
{
	display_free(machine->display);
	g_ptr_array_unref(machine->devices);
	g_ptr_array_unref(machine->buses);
	objects_free(machine->objects);
	io_space_clear(&machine->ports);
	io_space_clear(&machine->mmio);
	g_mutex_clear(&machine->lock);
	g_free(machine);
	g_string_free(fake_machine_log, TRUE);
}

void fake_machine_tell(enum machine_event event, enum machine_cause cause, const char *text)
{
	struct machine_event_info info = { event, cause, text };

	if (watcher_func)
		watcher_func(&info, watcher_data);
}

static void note(const char *word)
{
	g_string_append_printf(fake_machine_log, "%s%s", fake_machine_log->len ? " " : "", word);
}

void machine_watch(struct machine *machine, machine_event_func func, void *watcher)
{
	watcher_func = func;
	watcher_data = watcher;
}

void machine_unwatch(struct machine *machine, void *watcher)
{
	watcher_func = NULL;
}

void machine_stop(struct machine *machine)
{
	note("stop");
	machine->state = RUN_STATE_PAUSED;
	fake_machine_tell(MACHINE_EVENT_STOP, 0, NULL);
}

bool machine_cont(struct machine *machine, GError **error)
{
	note("cont");
	if (machine->state == RUN_STATE_SHUTDOWN)
		return fail(error, VITRINE_ERROR_STATE, "the guest is off");
	machine->state = RUN_STATE_RUNNING;
	fake_machine_tell(MACHINE_EVENT_RESUME, 0, NULL);
	return true;
}

void machine_reset(struct machine *machine, enum machine_cause cause)
{
	note("reset");
	fake_machine_tell(MACHINE_EVENT_RESET, cause, NULL);
}

void machine_powerdown(struct machine *machine)
{
	note("powerdown");
	fake_machine_tell(MACHINE_EVENT_POWERDOWN, 0, NULL);
}

void machine_quit(struct machine *machine, enum machine_cause cause)
{
	note("quit");
	fake_machine_tell(MACHINE_EVENT_SHUTDOWN, cause, NULL);
}

bool machine_can_sleep(struct machine *machine)
{
	return true;
}

bool machine_wake(struct machine *machine, GError **error)
{
	note("wake");
	if (machine->state != RUN_STATE_SUSPENDED)
		return fail(error, VITRINE_ERROR_STATE,
			"Unable to wake up: guest is not in suspended state");
	machine->state = RUN_STATE_RUNNING;
	fake_machine_tell(MACHINE_EVENT_WAKEUP, 0, NULL);
	return true;
}

bool machine_inject_nmi(struct machine *machine, GError **error)
{
	note("nmi");
	return true;
}

bool machine_add_device(struct machine *machine, const struct device_class *class, const char *id,
	const struct machine_property *properties, unsigned count, GError **error)
{
	g_autofree char *text = g_strdup_printf("add-%s", id ? id : class->name);

	note(text);
	return true;
}

JsonArray *pci_describe(struct machine *machine)
{
	return json_array_new();
}

bool machine_request_unplug(struct machine *machine, struct device *device, GError **error)
{
	note("unplug");
	return true;
}

struct device *machine_device(struct machine *machine, const char *id)
{
	return NULL;
}

void machine_park_cpus(struct machine *machine)
{
}

void machine_unpark_cpus(struct machine *machine)
{
}

pid_t vcpu_thread_id(const struct vcpu *vcpu)
{
	return 1234;
}

void vcpu_describe_lapic(struct vcpu *vcpu, GString *to)
{
}

void kvm_describe_chips(const struct kvm *kvm, GString *to)
{
}

void kvm_describe_lines(const struct kvm *kvm, GString *to)
{
}

void fw_cfg_list(const struct fw_cfg *cfg, GString *to)
{
}

void usb_info(struct machine *machine, GString *to)
{
}

char *vcpu_registers(struct vcpu *vcpu)
{
	return g_strdup("rax=1\n");
}

/* The page tables map a megabyte. */
bool vcpu_translate(struct vcpu *vcpu, uint64_t linear, uint64_t *physical)
{
	*physical = linear;
	return linear < 1 << 20;
}

/* 64 KiB of memory, each byte of it the low byte of its address. */
bool guest_memory_peek(struct guest_memory *memory, uint64_t address, void *to, size_t length)
{
	for (size_t i = 0; i < length; i++)
		((uint8_t *)to)[i] = (uint8_t)(address + i);
	return address < 64 << 10 && address + length <= 64 << 10;
}

void guest_memory_list(struct guest_memory *memory,
	void (*take)(const struct memory_slot_info *slot, void *data), void *data)
{
	struct memory_slot_info info = { "RAM", 0, 64 << 10, MEMORY_SLOT_RAM };

	take(&info, data);
}

const char *bus_kind_name(enum device_bus kind)
{
	return "PCI";
}

const struct vcpu_failure *vcpu_failure(const struct vcpu *vcpu)
{
	return fake_failure;
}

const char *run_state_name(enum run_state state)
{
	return state == RUN_STATE_RUNNING ? "running" : "paused";
}

const char *machine_cause_name(enum machine_cause cause)
{
	return cause == CAUSE_HOST_QMP_QUIT ? "host-qmp-quit" : "host-qmp-system-reset";
}

bool machine_cause_by_guest(enum machine_cause cause)
{
	return false;
}

/* Networks: there are none. */

const struct device_class virtio_net_class = { .name = "virtio-net-pci" };

struct netdev *netdev_new(const struct option_set *set, GError **error)
{
	fail(error, VITRINE_ERROR_HOST, "no network here");
	return NULL;
}

const char *netdev_id(const struct netdev *netdev)
{
	return "";
}

struct netdev *netdev_find(const GPtrArray *netdevs, const char *id)
{
	return NULL;
}

char *mac_to_text(const uint8_t mac[MAC_LENGTH])
{
	return g_strdup("");
}

bool netdev_is_taken(const struct netdev *netdev)
{
	return false;
}

void netdev_set_link(struct netdev *netdev, bool up)
{
}

struct netdev *virtio_net_netdev(const struct device *device)
{
	return NULL;
}

const struct receive_filter *virtio_net_filter(const struct device *device)
{
	return NULL;
}

bool receive_filter_has_vlan(const struct receive_filter *filter, unsigned vlan)
{
	return false;
}

char *netdev_describe(const struct netdev *netdev)
{
	return g_strdup("");
}

bool netdev_link_is_up(const struct netdev *netdev)
{
	return true;
}

char *virtio_net_mac(const struct device *device)
{
	return g_strdup("");
}

void machine_request_stop(struct machine *machine, enum run_state state)
{
	note("request-stop");
}

void machine_run_soon(
	struct machine *machine, void (*func)(struct machine *machine, void *device), void *device)
{
	func(machine, device);
}

void machine_emit(struct machine *machine, const char *name, JsonObject *data)
{
	note(name);
	g_clear_pointer(&data, json_object_unref);
}

/* Balloons: there are none. */

const struct device_class virtio_balloon_class = { .name = "virtio-balloon-pci" };

struct device *machine_device_of_class(struct machine *machine, const struct device_class *class)
{
	return NULL;
}

void virtio_balloon_set_target(struct device *device, uint64_t bytes)
{
}

void virtio_balloon_set_interval(struct device *device, uint32_t seconds)
{
}

JsonObject *virtio_balloon_statistics(const struct device *device)
{
	return json_object_new();
}

uint64_t virtio_balloon_actual(const struct device *device)
{
	return 0;
}
