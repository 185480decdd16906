/* virtio-balloon-pci: pages that the guest does without go back to the host. Specification: virtio 1.2 section 5.5.
 *
 * The driver gives lists of page numbers; the host's pages behind them are dropped, and come back as zeroes when the guest
 * touches them again. So nothing has to be done when pages are taken back, and nothing is lost when a guest lies: it only
 * harms its own memory.
 */
#include "vmm/virtio/virtio-balloon.h"

#include "base/checked.h"
#include "base/error.h"
#include "vmm/machine/limited-event.h"
#include "vmm/pci/config.h"
#include "vmm/virtio/virtio-pci.h"

#define FEATURE_STATISTICS     (UINT64_C(1) << 1)
#define FEATURE_DEFLATE_ON_OOM (UINT64_C(1) << 2)
#define FEATURE_PAGE_POISON    (UINT64_C(1) << 4)
#define FEATURE_REPORTING      (UINT64_C(1) << 5)

enum {
	QUEUE_INFLATE = 0,
	QUEUE_DEFLATE = 1,
	QUEUE_STATISTICS = 2,
	QUEUE_REPORTING = 3,
	QUEUE_SIZE = 128,

	CONFIG_PAGES = 0,
	CONFIG_ACTUAL = 4,
	CONFIG_POISON = 12,
	CONFIG_SIZE = 16,

	PAGE_SHIFT = 12,
	PAGE = 1 << PAGE_SHIFT,
	PAGES_MAX = 16384, /* of one request; the rest of a longer one stays where it is */
	PAGES_AT_ONCE = 256,
	STATISTIC_BYTES = 10, /* tag, value */
};

static const char *const statistic_names[] = {
	"stat-swap-in",
	"stat-swap-out",
	"stat-major-faults",
	"stat-minor-faults",
	"stat-free-memory",
	"stat-total-memory",
	"stat-available-memory",
	"stat-disk-caches",
	"stat-htlb-pgalloc",
	"stat-htlb-pgfail",
};

enum {
	STATISTICS = G_N_ELEMENTS(statistic_names)
};

struct virtio_balloon {
	struct virtio_device virtio;
	bool deflate_on_oom, reporting, page_poison;
	uint32_t interval; /* seconds */

	uint32_t pages, actual; /* to be given back; given back */
	uint32_t poison;
	struct virtqueue_element asked; /* goes back to the driver to ask for statistics */
	bool has_asked;
	uint64_t statistics[STATISTICS];
	int64_t updated; /* seconds since 1970 */
	guint timer;
	struct limited_event change;
};

static const struct property balloon_properties[] = {
	VIRTIO_PCI_PROPERTIES,
	{ "deflate-on-oom", PROPERTY_BOOL, offsetof(struct virtio_balloon, deflate_on_oom), "off",
		"the guest may take pages back when it runs out of memory" },
	{ "free-page-reporting", PROPERTY_BOOL, offsetof(struct virtio_balloon, reporting), "off",
		"the guest tells which of its pages are free, and the host takes them" },
	{ "page-poison", PROPERTY_BOOL, offsetof(struct virtio_balloon, page_poison), "on",
		"the guest tells what it fills free pages with" },
	{ "guest-stats-polling-interval", PROPERTY_UINT32,
		offsetof(struct virtio_balloon, interval), "0",
		"seconds between two questions for statistics of the guest's memory; 0: none",
		.maximum = VIRTIO_BALLOON_INTERVAL_MAX },
	{ .type = PROPERTY_END },
};

static uint64_t memory_size(const struct virtio_balloon *balloon)
{
	const struct machine *machine = balloon->virtio.pci.device.machine;

	return machine->low_memory + machine->high_memory;
}

/* --- pages --- */

/* Neighbours are dropped together. */
struct run {
	struct guest_memory *memory;
	uint8_t *start;
	size_t length;
};

static void end_run(struct run *run)
{
	if (run->length > 0)
		guest_memory_discard(run->memory, run->start, run->length);
	run->length = 0;
}

static void add_page(struct run *run, uint32_t number)
{
	uint8_t *bytes = guest_memory_pointer(run->memory, (uint64_t)number << PAGE_SHIFT, PAGE);

	if (!bytes)
		return;
	if (run->length > 0 && bytes == run->start + run->length) {
		run->length += PAGE;
		return;
	}
	if (run->length > 0 && bytes + PAGE == run->start) {
		run->start = bytes;
		run->length += PAGE;
		return;
	}
	end_run(run);
	run->start = bytes;
	run->length = PAGE;
}

static int64_t inflate(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	struct run run = { .memory = virtio->pci.device.machine->memory };
	uint32_t numbers[PAGES_AT_ONCE];

	for (size_t done = 0; done < PAGES_MAX; done += PAGES_AT_ONCE) {
		size_t count = iovec_read(element->readable, element->readable_count,
				       done * sizeof(uint32_t), numbers, sizeof(numbers)) /
			       sizeof(uint32_t);

		for (size_t i = 0; i < count; i++)
			add_page(&run, GUINT32_FROM_LE(numbers[i]));
		if (count < PAGES_AT_ONCE)
			break;
	}
	end_run(&run);
	return 0;
}

static int64_t deflate(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	return 0;
}

/* Section 5.5.6.7: a page that comes back has to have what the guest filled it with: zeroes. */
static int64_t report(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	struct virtio_balloon *balloon = (struct virtio_balloon *)virtio;

	if (virtio_has_feature(virtio, FEATURE_PAGE_POISON) && balloon->poison != 0)
		return 0;
	for (unsigned i = 0; i < element->writable_count; i++)
		guest_memory_discard(virtio->pci.device.machine->memory,
			element->writable[i].iov_base, element->writable[i].iov_len);
	return 0;
}

/* --- statistics --- */

static void ask(struct virtio_balloon *balloon)
{
	if (!balloon->has_asked || !virtio_queue_is_ready(&balloon->virtio, QUEUE_STATISTICS))
		return;
	balloon->has_asked = false;
	virtqueue_push(&balloon->virtio.queues[QUEUE_STATISTICS], &balloon->asked, 0);
	virtio_interrupt(&balloon->virtio, QUEUE_STATISTICS);
}

static void clear_statistics(struct virtio_balloon *balloon)
{
	for (unsigned i = 0; i < STATISTICS; i++)
		balloon->statistics[i] = UINT64_MAX;
}

/* Section 5.5.6.3: the request stays with us; giving it back asks for the next. */
static int64_t take_statistics(
	struct virtio_device *virtio, unsigned queue, struct virtqueue_element *element)
{
	struct virtio_balloon *balloon = (struct virtio_balloon *)virtio;
	uint8_t bytes[STATISTIC_BYTES];

	clear_statistics(balloon);
	for (size_t i = 0; i < 4 * STATISTICS; i++) {
		uint16_t tag;

		if (iovec_read(element->readable, element->readable_count, i * STATISTIC_BYTES,
			    bytes, sizeof(bytes)) != sizeof(bytes))
			break;
		tag = config_get16(bytes);
		if (tag < STATISTICS)
			balloon->statistics[tag] = config_get64(bytes + 2);
	}
	balloon->updated = g_get_real_time() / G_USEC_PER_SEC;
	/* A driver has one at a time; more than that it gets back. */
	if (balloon->has_asked)
		return 0;
	virtqueue_element_clear(&balloon->asked);
	balloon->asked = *element;
	*element = (struct virtqueue_element) { 0 };
	balloon->has_asked = true;
	return VIRTIO_KEEP;
}

static gboolean interval_over(gpointer data)
{
	struct virtio_balloon *balloon = data;
	struct machine *machine = balloon->virtio.pci.device.machine;

	g_mutex_lock(&machine->lock);
	ask(balloon);
	g_mutex_unlock(&machine->lock);
	return G_SOURCE_CONTINUE;
}

void virtio_balloon_set_interval(struct device *device, uint32_t seconds)
{
	struct virtio_balloon *balloon = (struct virtio_balloon *)device;

	g_clear_handle_id(&balloon->timer, g_source_remove);
	balloon->interval = seconds;
	if (seconds > 0) {
		balloon->timer = g_timeout_add_seconds(seconds, interval_over, balloon);
		ask(balloon);
	}
}

JsonObject *virtio_balloon_statistics(const struct device *device)
{
	const struct virtio_balloon *balloon = (const struct virtio_balloon *)device;
	JsonObject *answer = json_object_new(), *values = json_object_new();

	for (unsigned i = 0; i < STATISTICS; i++)
		json_object_set_int_member(
			values, statistic_names[i], (gint64)balloon->statistics[i]);
	json_object_set_object_member(answer, "stats", values);
	json_object_set_int_member(answer, "last-update", balloon->updated);
	return answer;
}

/* --- queues --- */

static const struct {
	virtio_request_func request;
} served[] = {
	[QUEUE_INFLATE] = { inflate },
	[QUEUE_DEFLATE] = { deflate },
	[QUEUE_STATISTICS] = { take_statistics },
	[QUEUE_REPORTING] = { report },
};

static void kicked(struct virtio_device *virtio, unsigned queue)
{
	virtio_serve(virtio, queue, served[queue].request);
}

/* --- configuration --- */

void virtio_balloon_set_target(struct device *device, uint64_t bytes)
{
	struct virtio_balloon *balloon = (struct virtio_balloon *)device;
	uint64_t size = memory_size(balloon);

	balloon->pages = (size - MIN(bytes, size)) >> PAGE_SHIFT;
	virtio_config_changed(&balloon->virtio);
}

uint64_t virtio_balloon_actual(const struct device *device)
{
	const struct virtio_balloon *balloon = (const struct virtio_balloon *)device;
	uint64_t size = memory_size(balloon);

	return size - MIN((uint64_t)balloon->actual << PAGE_SHIFT, size);
}

static void get_config(struct virtio_device *virtio, uint8_t *config)
{
	const struct virtio_balloon *balloon = (struct virtio_balloon *)virtio;

	config_set32(config + CONFIG_PAGES, balloon->pages);
	config_set32(config + CONFIG_ACTUAL, balloon->actual);
	config_set32(config + CONFIG_POISON, balloon->poison);
}

static void tell_actual(struct virtio_balloon *balloon)
{
	JsonObject *data = json_object_new();

	json_object_set_int_member(
		data, "actual", virtio_balloon_actual(&balloon->virtio.pci.device));
	limited_event_emit(&balloon->change, data);
}

static void set_config(
	struct virtio_device *virtio, size_t offset, const uint8_t *bytes, unsigned size)
{
	struct virtio_balloon *balloon = (struct virtio_balloon *)virtio;
	uint32_t value = size == sizeof(value) ? config_get32(bytes) : 0;

	if (size != sizeof(value))
		return;
	if (offset == CONFIG_POISON && virtio_has_feature(virtio, FEATURE_PAGE_POISON))
		balloon->poison = value;
	if (offset == CONFIG_ACTUAL && value != balloon->actual) {
		balloon->actual = value;
		tell_actual(balloon);
	}
}

/* --- life --- */

static void queue_reset(struct virtio_device *virtio, unsigned queue)
{
	if (queue == QUEUE_STATISTICS)
		((struct virtio_balloon *)virtio)->has_asked = false;
}

static void reset(struct virtio_device *virtio)
{
	((struct virtio_balloon *)virtio)->poison = 0;
}

static const struct virtio_ops balloon_ops = {
	.config_size = CONFIG_SIZE,
	.get_config = get_config,
	.set_config = set_config,
	.queue_reset = queue_reset,
	.reset = reset,
};

static bool balloon_realize(struct device *device, GError **error)
{
	struct virtio_balloon *balloon = (struct virtio_balloon *)device;
	struct virtio_device *virtio = &balloon->virtio;

	if (machine_device_of_class(device->machine, &virtio_balloon_class))
		return fail(error, VITRINE_ERROR_INPUT,
			"the machine has a balloon already, and cannot have two");
	balloon->change = (struct limited_event) { device->machine, "BALLOON_CHANGE", NULL, 0 };
	clear_statistics(balloon);
	virtio->ops = &balloon_ops;
	virtio->queue_count = balloon->reporting ? 4 : 3;
	virtio->features = FEATURE_STATISTICS |
			   (balloon->deflate_on_oom ? FEATURE_DEFLATE_ON_OOM : 0) |
			   (balloon->page_poison ? FEATURE_PAGE_POISON : 0) |
			   (balloon->reporting ? FEATURE_REPORTING : 0);
	if (!virtio_pci_realize(virtio, error))
		return false;
	for (unsigned i = 0; i < virtio->queue_count; i++) {
		virtio_set_queue_size(virtio, i, QUEUE_SIZE);
		virtio_add_main_queue(virtio, i, kicked);
	}
	virtio_balloon_set_interval(device, balloon->interval);
	return true;
}

/* The machine starts again: the guest has all of its memory. A driver that resets keeps what it gave. */
static void balloon_reset(struct device *device)
{
	struct virtio_balloon *balloon = (struct virtio_balloon *)device;

	virtio_device_reset(device);
	clear_statistics(balloon);
	if (balloon->actual != 0) {
		balloon->actual = 0;
		tell_actual(balloon);
	}
}

static void balloon_unrealize(struct device *device)
{
	struct virtio_balloon *balloon = (struct virtio_balloon *)device;

	g_clear_handle_id(&balloon->timer, g_source_remove);
	limited_event_clear(&balloon->change);
	virtqueue_element_clear(&balloon->asked);
	virtio_pci_unrealize(&balloon->virtio);
}

static const struct pci_identity balloon_identity = {
	.vendor = 0x1af4,
	.device = 0x1045,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x00ff00,
	.revision = 1,
	.interrupt_pin = 1,
};

const struct device_class virtio_balloon_class = {
	.name = "virtio-balloon-pci",
	.description = "memory that the guest gives back to the host",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct virtio_balloon),
	.pci = &balloon_identity,
	.properties = balloon_properties,
	.realize = balloon_realize,
	.reset = balloon_reset,
	.unrealize = balloon_unrealize,
	.set_running = virtio_device_set_running,
};
