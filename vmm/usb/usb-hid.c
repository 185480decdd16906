/* The common part of keyboards, mice and tablets. */
#include "vmm/usb/usb-hid.h"

#include "vmm/machine/machine.h"

enum {
	GET_REPORT = 1,
	GET_IDLE = 2,
	GET_PROTOCOL = 3,
	SET_REPORT = 9,
	SET_IDLE = 10,
	SET_PROTOCOL = 11,

	REPORT_INPUT = 1, /* in the high byte of value */
	REPORT_OUTPUT = 2,
	PROTOCOL_BOOT = 0,
	PROTOCOL_REPORT = 1,
	IDLE_UNIT = 4000, /* microseconds */
	ENDPOINT_REPORTS = 1,
};

const char *const usb_hid_strings[USB_HID_STRINGS] = {
	[USB_HID_MANUFACTURER] = "QEMU",
	[USB_HID_MOUSE] = "QEMU USB Mouse",
	[USB_HID_TABLET] = "QEMU USB Tablet",
	[USB_HID_KEYBOARD] = "QEMU USB Keyboard",
	[USB_HID_OLD_SERIAL] = "42",
	[USB_HID_MOUSE_CONFIGURATION] = "HID Mouse",
	[USB_HID_TABLET_CONFIGURATION] = "HID Tablet",
	[USB_HID_KEYBOARD_CONFIGURATION] = "HID Keyboard",
	[USB_HID_MOUSE_SERIAL] = "89126",
	[USB_HID_TABLET_SERIAL] = "28754",
	[USB_HID_KEYBOARD_SERIAL] = "68284",
};

const char *const usb_hid_versions[] = { "1", "2", NULL };

/* The idle rate: the last report is told again when nothing happened for that long (section 7.2.4). */

static void restart_timer(struct usb_hid *hid)
{
	hid->idle_over = false;
	g_source_set_ready_time(hid->timer,
		hid->idle ? g_get_monotonic_time() + (int64_t)hid->idle * IDLE_UNIT : -1);
}

static gboolean timer_ready(gpointer data)
{
	struct usb_hid *hid = data;
	GMutex *lock = &hid->usb.device.machine->lock;

	g_mutex_lock(lock);
	g_source_set_ready_time(hid->timer, -1);
	if (!hid->usb.suspended) {
		hid->idle_over = true;
		usb_wakeup(&hid->usb, USB_IN | ENDPOINT_REPORTS);
	}
	g_mutex_unlock(lock);
	return G_SOURCE_CONTINUE;
}

static gboolean timer_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

void usb_hid_changed(struct usb_hid *hid)
{
	usb_wakeup(&hid->usb, USB_IN | ENDPOINT_REPORTS);
}

/* Requests and reports */

static enum usb_status send_report(struct usb_hid *hid, struct usb_packet *packet)
{
	uint8_t report[USB_HID_REPORT_MAX];
	unsigned length = hid->ops->report(hid, report);

	usb_packet_send(packet, report, length);
	return USB_SUCCESS;
}

static enum usb_status take_output(struct usb_hid *hid, struct usb_packet *packet)
{
	uint8_t report[USB_HID_REPORT_MAX];
	size_t length = usb_packet_receive(packet, report, sizeof(report));

	if (packet->setup.value >> 8 != REPORT_OUTPUT || !hid->ops->output || length == 0)
		return USB_STALL;
	hid->ops->output(hid, report, length);
	return USB_SUCCESS;
}

enum usb_status usb_hid_control(struct usb_device *device, struct usb_packet *packet)
{
	struct usb_hid *hid = (struct usb_hid *)device;
	enum {
		GET = USB_IN | USB_TYPE_CLASS | USB_TO_INTERFACE,
		SET = USB_TYPE_CLASS | USB_TO_INTERFACE,
	};

	switch (USB_REQUEST(packet->setup.request_type, packet->setup.request)) {
	case USB_REQUEST(GET, GET_REPORT):
		return packet->setup.value >> 8 == REPORT_INPUT ? send_report(hid, packet)
								: USB_STALL;
	case USB_REQUEST(GET, GET_IDLE):
		usb_packet_send(packet, &hid->idle, 1);
		return USB_SUCCESS;
	case USB_REQUEST(GET, GET_PROTOCOL):
		usb_packet_send(packet, &hid->protocol, 1);
		return USB_SUCCESS;
	case USB_REQUEST(SET, SET_REPORT):
		return take_output(hid, packet);
	case USB_REQUEST(SET, SET_IDLE):
		hid->idle = packet->setup.value >> 8;
		restart_timer(hid);
		return USB_SUCCESS;
	case USB_REQUEST(SET, SET_PROTOCOL):
		if (packet->setup.value > PROTOCOL_REPORT)
			return USB_STALL;
		hid->protocol = packet->setup.value;
		return USB_SUCCESS;
	default:
		return USB_STALL;
	}
}

enum usb_status usb_hid_transfer(struct usb_device *device, struct usb_packet *packet)
{
	struct usb_hid *hid = (struct usb_hid *)device;

	if (!hid->ops->has_report(hid) && !hid->idle_over)
		return USB_NAK;
	restart_timer(hid);
	return send_report(hid, packet);
}

/* Life */

static void set_active(struct usb_hid *hid, bool active)
{
	if (hid->active == active)
		return;
	hid->active = active;
	hid->ops->clear(hid);
	hid->ops->activate(hid, active);
}

/* A guest that configures the device reads it. */
void usb_hid_configured(struct usb_device *device)
{
	set_active((struct usb_hid *)device, device->configuration != 0);
}

void usb_hid_reset(struct usb_device *device)
{
	struct usb_hid *hid = (struct usb_hid *)device;

	hid->protocol = PROTOCOL_REPORT;
	hid->idle = 0;
	restart_timer(hid);
	hid->ops->clear(hid);
}

bool usb_hid_realize(struct usb_hid *hid, const struct usb_hid_ops *ops,
	const struct usb_device_ops *ones, const struct usb_device_ops *both, GError **error)
{
	hid->ops = ops;
	hid->timer = g_source_new(&timer_funcs, sizeof(GSource));
	g_source_set_static_name(hid->timer, "USB input device");
	g_source_set_callback(hid->timer, timer_ready, hid, NULL);
	g_source_attach(hid->timer, NULL);
	return usb_device_connect(
		&hid->usb, hid->usb_version == USB_HID_VERSION_1 ? ones : both, error);
}

void usb_hid_unrealize(struct device *device)
{
	struct usb_hid *hid = (struct usb_hid *)device;

	usb_device_disconnect(&hid->usb);
	if (!hid->timer)
		return;
	set_active(hid, false);
	g_source_destroy(hid->timer);
	g_clear_pointer(&hid->timer, g_source_unref);
}
