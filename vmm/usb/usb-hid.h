/* What keyboards, mice and tablets share: class requests, the idle rate, and one endpoint that tells reports.
 *
 * Specification: USB Device Class Definition for Human Interface Devices 1.11, sections 7.1 (descriptors) and 7.2 (requests).
 */
#pragma once

#include "display/display.h"
#include "vmm/usb/usb.h"

enum {
	USB_HID_REPORT_MAX = 8
};

/* The strings that all of them have, as QEMU's devices do. The serial numbers are what a device's own begins with. */
enum usb_hid_string {
	USB_HID_MANUFACTURER = 1,
	USB_HID_MOUSE,
	USB_HID_TABLET,
	USB_HID_KEYBOARD,
	USB_HID_OLD_SERIAL,
	USB_HID_MOUSE_CONFIGURATION,
	USB_HID_TABLET_CONFIGURATION,
	USB_HID_KEYBOARD_CONFIGURATION,
	USB_HID_MOUSE_SERIAL,
	USB_HID_TABLET_SERIAL,
	USB_HID_KEYBOARD_SERIAL,
	USB_HID_STRINGS,
};
extern const char *const usb_hid_strings[USB_HID_STRINGS];

struct usb_hid;

struct usb_hid_ops {
	/* Takes the next report, or makes the last one again when nothing happened. Returns its length. */
	unsigned (*report)(struct usb_hid *hid, uint8_t report[USB_HID_REPORT_MAX]);
	bool (*has_report)(const struct usb_hid *hid); /* something happened that was not told */
	/* An output report. NULL: there is none. */
	void (*output)(struct usb_hid *hid, const uint8_t *report, size_t length);
	void (*activate)(
		struct usb_hid *hid, bool active); /* takes the user's input, or leaves it */
	void (*clear)(struct usb_hid *hid);        /* forgets what was not told */
};

struct usb_hid {
	struct usb_device usb;
	uint32_t usb_version; /* usb_version=, an index of its choices */
	const struct usb_hid_ops *ops;
	uint8_t protocol, idle; /* idle: in 4 ms, 0: reports only when something happened */
	bool idle_over, active;
	GSource *timer;
};

enum {
	USB_HID_VERSION_1, /* indices of the choices of usb_version= */
	USB_HID_VERSION_2,
};
extern const char *const usb_hid_versions[];

enum usb_status usb_hid_control(struct usb_device *device, struct usb_packet *packet);
enum usb_status usb_hid_transfer(struct usb_device *device, struct usb_packet *packet);
void usb_hid_configured(struct usb_device *device);
void usb_hid_reset(struct usb_device *device);
/* Something happened: has_report() is true now. */
void usb_hid_changed(struct usb_hid *hid);
/* @ones: a device of USB 1, @both: one of USB 2; usb_version= chooses. */
bool usb_hid_realize(struct usb_hid *hid, const struct usb_hid_ops *ops,
	const struct usb_device_ops *ones, const struct usb_device_ops *both, GError **error);
void usb_hid_unrealize(struct device *device);
