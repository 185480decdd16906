/* USB as controllers speak it that send one transaction after the other (UHCI): tokens with the data of one packet.
 *
 * Endpoint 0 puts control transfers together: a setup token begins one, data follow, and a token of the other direction ends it.
 * What the device has to say comes with the first token of it that waits for that; until then the answer is USB_NAK.
 *
 * Specification: USB 2.0 sections 8.4.1 (tokens), 8.5.3 (control transfers).
 */
#pragma once

#include "vmm/usb/usb.h"

enum usb_token {
	USB_TOKEN_OUT,
	USB_TOKEN_IN,
	USB_TOKEN_SETUP,
};

/* @packet: endpoint, pieces, count and length are set, and complete() when the endpoint is not 0; USB_ASYNC never comes of
 * endpoint 0. Otherwise as usb_submit(). */
enum usb_status usb_send_token(
	struct usb_device *device, enum usb_token token, struct usb_packet *packet);
/* A control transfer that is under way is given up; for resets, and when the device goes. */
void usb_tokens_reset(struct usb_device *device);
