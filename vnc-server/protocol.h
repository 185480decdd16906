/* Numbers of the RFB protocol.
 *
 * Specification: RFC 6143; the community specification (rfbproto.rst) for what came after it.
 */
#pragma once

enum client_message_type {
	CLIENT_SET_PIXEL_FORMAT = 0,
	CLIENT_SET_ENCODINGS = 2,
	CLIENT_UPDATE_REQUEST = 3,
	CLIENT_KEY_EVENT = 4,
	CLIENT_POINTER_EVENT = 5,
	CLIENT_CUT_TEXT = 6,
	CLIENT_SET_DESKTOP_SIZE = 251,
	CLIENT_QEMU = 255,
};

enum server_message_type {
	SERVER_FRAMEBUFFER_UPDATE = 0,
	SERVER_SET_COLOUR_MAP_ENTRIES = 1,
};

enum encoding {
	ENCODING_RAW = 0,
	ENCODING_HEXTILE = 5,
	ENCODING_ZRLE = 16,

	/* Pseudo-encodings */
	ENCODING_DESKTOP_SIZE = -223,
	ENCODING_CURSOR = -239,
	ENCODING_QEMU_POINTER_MOTION = -257,
	ENCODING_QEMU_EXTENDED_KEY = -258,
	ENCODING_QEMU_LED = -261,
	ENCODING_DESKTOP_NAME = -307,
	ENCODING_EXTENDED_DESKTOP_SIZE = -308,
	ENCODING_CURSOR_WITH_ALPHA = -314,
};

enum security_type {
	SECURITY_NONE = 1,
	SECURITY_VNC_AUTHENTICATION = 2,
};

/* ExtendedDesktopSize: why the rectangle is sent, and how a request ended. */
enum desktop_size_reason {
	DESKTOP_SIZE_SERVER = 0,
	DESKTOP_SIZE_THIS_CLIENT = 1,
};

enum desktop_size_status {
	DESKTOP_SIZE_DONE = 0,
	DESKTOP_SIZE_PROHIBITED = 1,
	DESKTOP_SIZE_INVALID = 3,
	DESKTOP_SIZE_FORWARDED = 4, /* the guest decides, later */
};

enum {
	/* A relative pointer's events are its motion plus this (QEMU pointer motion change). */
	POINTER_MOTION_ORIGIN = 0x7fff,
};
