/* virtserialport and virtconsole: a port of virtio-serial, and the character device behind it. Specification: virtio 1.2
 * section 5.3.6.
 *
 * No byte is lost between the two: what the guest writes stays in its queue while the character device has no room for it, and
 * what the host sends stays with the character device while the guest gives no buffers.
 */
#include <json-glib/json-glib.h>
#include <string.h>

#include "base/error.h"
#include "vmm/machine/machine.h"
#include "vmm/virtio/virtio-serial-private.h"
#include "vmm/virtio/virtio-serial.h"

enum {
	CHUNK = 4096,
};

static const struct property port_properties[] = {
	{ "chardev", PROPERTY_STRING, offsetof(struct serial_port, chardev_id), NULL,
		"id of the -chardev that is behind the port" },
	{ "name", PROPERTY_STRING, offsetof(struct serial_port, name), NULL,
		"name by which the guest finds the port" },
	{ "nr", PROPERTY_UINT32, offsetof(struct serial_port, number_option), "4294967295",
		"number of the port; 4294967295: the first that is free" },
	{ .type = PROPERTY_END },
};

static struct virtqueue *queue_of(const struct serial_port *port, unsigned queue)
{
	return &port->serial->virtio.queues[queue];
}

/* --- from the guest --- */

/* What the character device takes now, from @sent on. */
static size_t write_some(
	struct serial_port *port, const struct virtqueue_element *element, size_t length)
{
	uint8_t bytes[CHUNK];
	size_t room = chardev_room(port->chardev, MIN(length, sizeof(bytes)));
	size_t count =
		iovec_read(element->readable, element->readable_count, port->sent, bytes, room);

	chardev_write(port->chardev, bytes, count);
	return count;
}

int64_t serial_port_transmit(struct serial_port *port, const struct virtqueue_element *element)
{
	size_t length = iovec_length(element->readable, element->readable_count);

	while (port->chardev && port->sent < length) {
		size_t count = write_some(port, element, length - port->sent);

		if (count == 0)
			return VIRTIO_LATER;
		port->sent += count;
	}
	port->sent = 0;
	return 0;
}

static void look_again(struct serial_port *port)
{
	struct virtio_device *virtio = &port->serial->virtio;

	if (virtio->kicks)
		virtio_look_again(virtio, serial_transmit_queue(port->number));
}

/* --- to the guest --- */

static bool guest_listens(const struct serial_port *port)
{
	return virtio_queue_is_ready(&port->serial->virtio, serial_receive_queue(port->number)) &&
	       (port->guest_open || !serial_has_ports(port->serial));
}

void serial_port_deliver(struct serial_port *port)
{
	struct virtio_device *virtio = &port->serial->virtio;
	struct virtqueue_element *element = &virtio->element;
	unsigned queue = serial_receive_queue(port->number);
	size_t done = 0;

	while (guest_listens(port) && done < port->waiting_count &&
		virtio_take(virtio, queue, element)) {
		size_t count = iovec_write(element->writable, element->writable_count, 0,
			port->waiting + done, port->waiting_count - done);

		virtqueue_push(&virtio->queues[queue], element, count);
		done += count;
	}
	if (done > 0)
		virtio_interrupt(virtio, queue);
	port->waiting_count -= done;
	memmove(port->waiting, port->waiting + done, port->waiting_count);
	if (port->waiting_count == 0 && port->chardev)
		chardev_accept_input(port->chardev);
}

/* Nothing is taken from the host before there is a buffer: the driver then notifies when it gives one. */
static size_t can_receive(void *front_end)
{
	struct serial_port *port = front_end;
	struct machine *machine = port->device.machine;
	struct virtqueue *queue;
	bool room;

	g_mutex_lock(&machine->lock);
	queue = queue_of(port, serial_receive_queue(port->number));
	room = port->waiting_count == 0 && guest_listens(port) &&
	       (!virtqueue_is_empty(queue) || virtqueue_enable_notifications(queue));
	g_mutex_unlock(&machine->lock);
	return room ? SERIAL_WAITING_MAX : 0;
}

static void receive(void *front_end, const uint8_t *bytes, size_t length)
{
	struct serial_port *port = front_end;
	struct machine *machine = port->device.machine;

	g_mutex_lock(&machine->lock);
	length = MIN(length, SERIAL_WAITING_MAX - port->waiting_count);
	memcpy(port->waiting + port->waiting_count, bytes, length);
	port->waiting_count += length;
	serial_port_deliver(port);
	g_mutex_unlock(&machine->lock);
}

/* --- open and closed --- */

static void event(void *front_end, enum chardev_event event)
{
	struct serial_port *port = front_end;
	struct machine *machine = port->device.machine;

	if (port->attaching)
		return;
	g_mutex_lock(&machine->lock);
	if (port->host_open != (event == CHARDEV_OPENED)) {
		port->host_open = event == CHARDEV_OPENED;
		serial_send(port->serial, port->number, SERIAL_OPEN);
	}
	look_again(port);
	g_mutex_unlock(&machine->lock);
}

static void drained(void *front_end)
{
	struct serial_port *port = front_end;
	struct machine *machine = port->device.machine;

	g_mutex_lock(&machine->lock);
	look_again(port);
	g_mutex_unlock(&machine->lock);
}

void serial_port_set_guest_open(struct serial_port *port, bool open)
{
	JsonObject *data;

	if (port->guest_open == open)
		return;
	port->guest_open = open;
	if (open && port->chardev)
		chardev_accept_input(port->chardev);
	if (!port->device.id)
		return;
	data = json_object_new();
	json_object_set_boolean_member(data, "open", open);
	json_object_set_string_member(data, "id", port->device.id);
	limited_event_emit(&port->change, data);
}

void serial_port_reset(struct serial_port *port)
{
	port->sent = 0;
	port->waiting_count = 0;
	serial_port_set_guest_open(port, false);
}

/* --- life --- */

static const struct chardev_ops port_chardev_ops = {
	.can_receive = can_receive,
	.receive = receive,
	.event = event,
	.drained = drained,
};

static struct chardev *find_chardev(const struct machine *machine, const char *id)
{
	for (guint i = 0; machine->chardevs && i < machine->chardevs->len; i++)
		if (g_strcmp0(chardev_id(machine->chardevs->pdata[i]), id) == 0)
			return machine->chardevs->pdata[i];
	return NULL;
}

static void attach(struct serial_port *port, const struct chardev_ops *ops)
{
	port->attaching = true;
	chardev_attach(port->chardev, ops, port);
	port->attaching = false;
}

static bool port_realize(struct device *device, GError **error)
{
	struct serial_port *port = (struct serial_port *)device;
	struct chardev *chardev;

	port->change = (struct limited_event) { device->machine, "VSERPORT_CHANGE", NULL, 0 };
	/* Without anything behind it a port is open: what the guest writes vanishes. */
	port->host_open = true;
	if (!port->chardev_id)
		return true;
	chardev = find_chardev(device->machine, port->chardev_id);
	if (!chardev)
		return fail(error, VITRINE_ERROR_NOT_FOUND, "there is no chardev '%s'",
			port->chardev_id);
	if (chardev_is_taken(chardev))
		return fail(error, VITRINE_ERROR_BUSY, "chardev '%s' is in use by another device",
			port->chardev_id);
	port->chardev = chardev;
	port->host_open = chardev_is_open(chardev);
	attach(port, &port_chardev_ops);
	return true;
}

static void port_unrealize(struct device *device)
{
	struct serial_port *port = (struct serial_port *)device;

	if (port->chardev)
		attach(port, NULL);
	port->chardev = NULL;
	limited_event_clear(&port->change);
}

const struct device_class virtserialport_class = {
	.name = "virtserialport",
	.description = "port of virtio-serial",
	.bus = BUS_VIRTIO_SERIAL,
	.user_creatable = true,
	.size = sizeof(struct serial_port),
	.properties = port_properties,
	.realize = port_realize,
	.unrealize = port_unrealize,
};

const struct device_class virtconsole_class = {
	.name = "virtconsole",
	.description = "port of virtio-serial that is a console of the guest",
	.bus = BUS_VIRTIO_SERIAL,
	.user_creatable = true,
	.size = sizeof(struct serial_port),
	.properties = port_properties,
	.realize = port_realize,
	.unrealize = port_unrealize,
};
