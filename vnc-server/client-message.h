/* RFB client messages: from bytes to one validated message.
 *
 * Specification: RFC 6143 section 7.5; the community specification (rfbproto) for messages 251 and 255.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"
#include "display/scanout.h"
#include "vnc-server/pixel-format.h"
#include "vnc-server/protocol.h"

struct client_message {
	enum client_message_type type;
	union {
		struct pixel_format pixel_format;
		struct {
			uint16_t count; /* 0..LIMIT_ENCODINGS */
			const uint8_t *
				values; /* @count big endian int32_t; client_message_encoding() reads them */
		} encodings;
		struct {
			bool incremental;
			struct rectangle
				area; /* as asked for: may be empty, or larger than the picture */
		} request;
		struct {
			bool down;
			uint32_t keysym;
			uint32_t keycode; /* of the QEMU extended key event, else 0 */
		} key;
		struct {
			uint8_t buttons; /* bit 0 is button 1 */
			uint16_t x, y;
		} pointer;
		struct {
			uint32_t length; /* 0..LIMIT_CUT_TEXT */
			const uint8_t *bytes;
		} cut_text;
		struct {
			uint16_t width, height;
			uint8_t screens; /* 0..LIMIT_SCREENS */
		} desktop_size;
	};
};

/**
 * client_message_parse - take one message off the front of what a client has sent
 * @in: the bytes received and not yet used; moved past the message when one is complete, at its start otherwise
 * @message: set when the result is PARSE_DONE; its pointers point into @in
 *
 * Returns PARSE_DONE, PARSE_MORE when the message is not all there yet, or PARSE_ERROR with the reason in @in: the
 * connection is then closed and the reason logged.
 */
enum parse client_message_parse(struct reader *in, struct client_message *message);

/* The encoding at @index of a SetEncodings message. */
int32_t client_message_encoding(const struct client_message *message, uint16_t index);
