/* A machine: one guest, its processors, memory, buses and devices, and whether it runs.
 *
 * The lock protects device state. vCPU threads take it for every exit that reaches a device; the main loop takes it around
 * whatever touches a device. Functions here say when they want it held.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/display.h"
#include "vmm/cpu/topology.h"
#include "vmm/device.h"
#include "vmm/machine/guest-clock.h"
#include "vmm/machine/watchdog.h"
#include "vmm/memory/guest-memory.h"
#include "vmm/memory/io-space.h"

struct acpi_pm;
struct legacy_area;
struct smbus_host;
struct kvm;
struct pci_bus;
struct fw_cfg;
struct vcpu;
struct machine_type;
struct chardev;
struct drives;
struct objects;
struct machine_property;
struct firmware_config;
typedef struct _JsonObject JsonObject; /* of json-glib */

enum {
	MACHINE_MAX_CPUS = 8,
	MACHINE_GSIS = 24,
	MACHINE_SERIAL_PORTS = 4,
	MACHINE_FLASH_CHIPS = 2,
};

/* The names are those of QMP's RunState. */
enum run_state {
	RUN_STATE_PRELAUNCH, /* not started yet (-S) */
	RUN_STATE_RUNNING,
	RUN_STATE_PAUSED,         /* by the user */
	RUN_STATE_SHUTDOWN,       /* the guest is off and the program stays (-no-shutdown) */
	RUN_STATE_INTERNAL_ERROR, /* KVM failed; stays inspectable */
	RUN_STATE_IO_ERROR,
	RUN_STATE_WATCHDOG, /* the guest's watchdog ran out */
	RUN_STATE_SUSPENDED, /* the guest sleeps (S3): processors stand still, devices and time go on */
	RUN_STATES,
};

const char *run_state_name(enum run_state state);

enum machine_event {
	MACHINE_EVENT_STOP,
	MACHINE_EVENT_RESUME,
	MACHINE_EVENT_RESET,
	MACHINE_EVENT_SHUTDOWN,
	MACHINE_EVENT_POWERDOWN,
	MACHINE_EVENT_SUSPEND,
	MACHINE_EVENT_WAKEUP,
	MACHINE_EVENT_INTERNAL_ERROR,
	MACHINE_EVENT_OTHER, /* of a device: a name and data, see machine_emit() */
};

/* Why a reset or a shutdown happened: QMP's ShutdownCause. */
enum machine_cause {
	CAUSE_HOST_QMP_QUIT,
	CAUSE_HOST_QMP_SYSTEM_RESET,
	CAUSE_HOST_SIGNAL,
	CAUSE_HOST_ERROR,
	CAUSE_GUEST_SHUTDOWN,
	CAUSE_GUEST_RESET,
	CAUSE_GUEST_PANIC,
};

/* What wakes a guest that sleeps. */
enum machine_wakeup {
	WAKEUP_OTHER, /* a key, a button, the user */
	WAKEUP_RTC,   /* the alarm of the real-time clock */
};

const char *machine_cause_name(enum machine_cause cause); /* "host-qmp-quit", ... */
bool machine_cause_by_guest(enum machine_cause cause);

struct machine_event_info {
	enum machine_event event;
	enum machine_cause cause; /* RESET, SHUTDOWN */
	const char *text; /* INTERNAL_ERROR: reason, registers and code bytes, several lines */
	const char *name; /* OTHER: as QMP has it, "DEVICE_DELETED" */
	JsonObject *data; /* OTHER: borrowed; NULL: none */
};

typedef void (*machine_event_func)(const struct machine_event_info *info, void *watcher);

/* A flash chip's image, see vmm/chipset/pflash.h. */
struct machine_flash {
	const char *file; /* NULL: there is no such chip */
	bool read_only;
};

enum rtc_base {
	RTC_BASE_UTC,       /* the host's time */
	RTC_BASE_LOCALTIME, /* in the host's time zone, as it is when the guest starts */
	RTC_BASE_TIME,      /* a time at which the clock starts */
};

/* What the real-time clock goes by. */
enum rtc_clock {
	RTC_CLOCK_HOST, /* the host's time of day, with its corrections */
	RTC_CLOCK_RT,   /* the host's time since it was started, which nobody sets */
	RTC_CLOCK_VM,   /* the guest's time: stands still while it is paused */
};

struct machine_rtc {
	enum rtc_base base;
	int64_t time; /* for RTC_BASE_TIME: seconds since 1970 */
	enum rtc_clock clock;
	bool slew; /* periodic interrupts that the guest missed come later */
};

/* A property of all devices of a class, unless a device says otherwise. */
struct machine_global {
	const struct device_class *class;
	const char *property, *value;
};

/* What the machine is built from; made from the options by vmm/options/. Strings are borrowed for the machine's life. */
struct machine_config {
	const struct machine_type *type;
	const char *name;                     /* NULL: "guest-PID" */
	const char *uuid;                     /* canonical text; NULL: zeros */
	const char *cpu;                      /* as of -cpu: a model and what is added to it */
	uint64_t memory_size;                 /* bytes */
	unsigned cpus;                        /* 1..MACHINE_MAX_CPUS */
	struct cpu_topology topology;         /* as many processors */
	const char *kernel, *initrd, *append; /* file names, NULL: none */
	const char *firmware;                 /* file name, NULL: the type's */
	struct machine_flash
		flash[MACHINE_FLASH_CHIPS]; /* the first one's has the firmware when it is there */
	const struct firmware_config *firmware_config; /* NULL: nothing is said */
	bool no_reboot;                                /* a guest's reset ends the program */
	bool no_shutdown;                              /* a guest's power-off leaves the program */
	enum watchdog_action watchdog;
	bool start_paused;
	bool no_hpet;
	struct machine_rtc rtc;
	bool never_runs; /* -machine none: only for asking what there is */
	const struct machine_global *globals;
	guint global_count;
	const char *memory_backend; /* id of the object that is the RAM; NULL: none */
};

struct machine {
	const struct machine_config *config;
	GMutex lock;
	struct kvm *kvm;
	struct guest_memory *memory;
	struct io_space ports, mmio;
	struct pci_bus *pci; /* root bus */
	struct fw_cfg *fw_cfg;
	struct display *display;
	GPtrArray *
		devices; /* of struct device, in the order of creation, which is the order of reset */
	guint fixed_devices; /* how many of them the machine type has: the first ones */
	struct vcpu *cpus[MACHINE_MAX_CPUS];
	unsigned cpu_count;
	struct cpu_definition *cpu_definition; /* what all of them are */
	GPtrArray *memory_backends; /* of struct object: the RAM, taken; NULL: anonymous memory */
	uint8_t *backend_memory;    /* where these are mapped, one behind the other */
	uint64_t low_memory, high_memory;             /* bytes of RAM below and above 4 GiB */
	struct chardev *serial[MACHINE_SERIAL_PORTS]; /* NULL where there is no port */
	struct chardev *debugcon;
	GPtrArray *buses;    /* of struct bus, in the order of creation */
	GPtrArray *chardevs; /* of struct chardev: those a device may name by id; NULL: none */
	struct drives *drives;
	GPtrArray *netdevs; /* of struct netdev: those a card may name by id; NULL: none */
	GArray *audiodevs;  /* of struct audiodev; NULL: none */
	struct objects *objects;

	GPtrArray *memory_blocks; /* RAM and firmware: slots and what backs them */

	uint8_t irq_drivers[MACHINE_GSIS]; /* a bit for each enum irq_driver that has the line up */
	struct guest_clock clock;          /* stands still while the machine is paused */
	struct acpi_pm *acpi_pm;           /* of the board's power management chip; NULL: none */
	struct smbus_host *smbus;          /* NULL: none */
	struct legacy_area *legacy_area;
	struct device *rtc;   /* of class mc146818_class; NULL: none */
	bool legacy_replaced; /* the HPET has the lines of the PIT and of the real-time clock */

	bool started;    /* its first devices are complete: others come by hot-plug */
	unsigned starts; /* how often everything was made as at power-on */
	enum run_state state;
	bool no_reboot, no_shutdown; /* as of the configuration at first */
	enum watchdog_action watchdog;
	bool active; /* devices and the clock go on: always when it runs, and while the guest sleeps */
	bool waking; /* with the lock: a reset under way is the end of a sleep, RAM and what shows it stay */
	GArray *watchers;
	struct machine_requests *requests; /* see run-state.c */
	void (*press_power_button)(void *device);
	void *power_button;
	bool ended; /* the main loop has nothing left to do */
	int exit_status;
};

/**
 * machine_new - KVM, memory, processors and the fixed devices of the type, paused
 * @config: has to outlive the machine
 * @serial, @debugcon, @chardevs, @drives, @objects: see the members of struct machine; outlive the machine as well
 *
 * Returns NULL with @error.
 */
struct machine_parts {
	struct chardev *serial[MACHINE_SERIAL_PORTS];
	struct chardev *debugcon;
	GPtrArray *chardevs;
	struct drives *drives;
	GPtrArray *netdevs;
	GArray *audiodevs;
	struct objects *objects;
};

struct machine *machine_new(
	const struct machine_config *config, const struct machine_parts *parts, GError **error);
void machine_free(struct machine *machine);

/* Adds a device; @properties has @count name and value pairs. After machine_finish() the device's bus has to take it
 * while the guest runs, and the guest is told. On the main loop, without the lock. */
bool machine_add_device(struct machine *machine, const struct device_class *class, const char *id,
	const struct machine_property *properties, unsigned count, GError **error);

/* Asks the guest to give the device up; it goes when the guest has. Some buses let it go at once. On the main loop,
 * without the lock. */
bool machine_request_unplug(struct machine *machine, struct device *device, GError **error);

/* The guest has given the device up: it goes soon, on the main loop, what sits on its buses first, and DEVICE_DELETED
 * tells of each. Any thread, with the lock. */
void machine_remove_device(struct machine *machine, struct device *device);

/* After the last device: firmware tables, then everything as at power-on. The state is PRELAUNCH. */
bool machine_finish(struct machine *machine, GError **error);

/* Who drives an interrupt line: a line that several of them share is up while one of them has it up. */
enum irq_driver {
	IRQ_OF_ISA, /* devices with a line of their own */
	IRQ_OF_PCI,
	IRQ_OF_POWER, /* power management: the system control interrupt */
	IRQ_OF_HPET,
};

/* Interrupt line of the chipset (GSI); level-triggered ones stay until lowered. With the lock. */
void machine_drive_irq(struct machine *machine, enum irq_driver driver, unsigned gsi, bool level);
/* The same for devices of ISA. */
void machine_set_irq(struct machine *machine, unsigned gsi, bool level);

/* Requests from a device, any thread, lock held or not: carried out on the main loop soon, while the vCPU that asked is
 * kept from running on. */
void machine_request_reset(struct machine *machine, enum machine_cause cause);
void machine_request_shutdown(struct machine *machine, enum machine_cause cause);

/* A back end cannot go on: the guest is stopped in this state (IO_ERROR) until it is continued. Any thread, lock held or
 * not. */
void machine_request_stop(struct machine *machine, enum run_state state);

/* An NMI for all processors. Any thread, lock held or not. */
void machine_request_nmi(struct machine *machine);

/* The guest sleeps (S3) until something wakes it. Any thread, lock held or not. */
void machine_request_suspend(struct machine *machine);

/* Wakes the guest if it sleeps, nothing otherwise. Any thread, lock held or not. */
void machine_request_wakeup(struct machine *machine, enum machine_wakeup reason);

/* Ends the program with this exit status (isa-debug-exit): as machine_request_shutdown(), whatever -no-shutdown says. */
void machine_exit(struct machine *machine, int status);

/* Control: on the main loop, without the lock. */
void machine_stop(struct machine *machine); /* STOP event; nothing when it does not run */
bool machine_cont(struct machine *machine,
	GError **error); /* fails after an internal error and when shut down */
void machine_reset(struct machine *machine, enum machine_cause cause);
void machine_powerdown(struct machine *machine); /* presses the power button */
void machine_quit(struct machine *machine, enum machine_cause cause);
bool machine_can_sleep(struct machine *machine); /* a guest may: the board has S3 */
bool machine_wake(
	struct machine *machine, GError **error); /* fails when the guest does not sleep */
bool machine_inject_nmi(struct machine *machine, GError **error);

/* The power button is a device's: it says here what to do. With the lock. */
void machine_set_power_button(struct machine *machine, void (*press)(void *device), void *device);

/* An event of a device for whoever controls the machine: told on the main loop soon, in the order of the calls. Any
 * thread, lock held or not. @name lives for ever; @data is taken, NULL: none. */
void machine_emit(struct machine *machine, const char *name, JsonObject *data);

void machine_watch(struct machine *machine, machine_event_func func, void *watcher);
void machine_unwatch(struct machine *machine, void *watcher);

/* First device of this class, or NULL. */
struct device *machine_device_of_class(struct machine *machine, const struct device_class *class);

/* First device with this id, or NULL. */
struct device *machine_device(struct machine *machine, const char *id);
