/* What a client is owed, and when it gets it.
 *
 * Requests are state, not a queue: an area that the client wants to hear about, and an area that it must get whether it
 * changed or not (a request that is not incremental makes an area count as changed). However often a client asks, it
 * gets one answer. gtk-vnc needs that: it repeats its last request after nearly every pseudo-rectangle. For its sake as
 * well, pseudo-rectangles come behind the pixels: the repeated request is then an incremental one. And they come in a
 * message of their own: TigerVNC (1.12) decodes pixels that stand before a cursor in the same message in the cursor's
 * pixel format.
 *
 * An update is encoded piece by piece, as fast as the connection takes it; what changes meanwhile is merged into the
 * next one. It knows nothing of sockets.
 *
 * Specification: RFC 6143 sections 7.5.3 and 7.6.1; the community specification for ExtendedDesktopSize.
 */
#pragma once

#include <glib.h>
#include <pixman.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/head.h"
#include "vnc-server/encoder.h"
#include "vnc-server/protocol.h"

/* What the clients of a server see. */
struct frame {
	struct picture picture;
	struct cursor *cursor; /* NULL: none is shown */
	bool cursor_known;     /* false as long as the guest has said nothing about a cursor */
	bool pointer_absolute;
	uint32_t lights;            /* enum input_light */
	const char *name;           /* at most LIMIT_NAME bytes of UTF-8 */
	struct encode_cache *cache; /* NULL while there is nobody to share it with */
};

/* Things to be told, each by a rectangle of its own. */
enum notice {
	NOTICE_EXTENDED_KEY =
		1 << 0, /* acknowledges that the client may send QEMU extended key events */
	NOTICE_POINTER = 1 << 1, /* whether the pointer is absolute */
	NOTICE_LIGHTS = 1 << 2,
	NOTICE_CURSOR = 1 << 3,
	NOTICE_NAME = 1 << 4,
	NOTICES = 5,
};

struct update {
	/* What the client said */
	struct pixel_converter converter;
	const struct encoder *encoder;
	void *streams[ENCODERS];
	bool desktop_size, extended_desktop_size, alpha_cursor;
	uint32_t understood; /* enum notice: what the client can be told */

	/* What it has */
	uint32_t width, height; /* of the picture it knows */

	/* What it is owed */
	pixman_region32_t changed; /* since it was last sent, inside the picture that it knows */
	pixman_region32_t wanted;
	uint32_t notices; /* enum notice, all understood */
	bool tell_size;   /* by an ExtendedDesktopSize although it did not change */
	enum desktop_size_reason size_reason;
	enum desktop_size_status size_status;
	bool tell_colour_map;
	bool new_format; /* next_format is to be used from the next update on */
	struct pixel_format next_format;

	/* The update being sent */
	GArray *pieces; /* struct rectangle */
	guint next_piece;
	uint32_t trailing; /* enum notice: to be told behind the pieces */
	int64_t begun_us;  /* monotonic time; 0 before the first one */
};

void update_init(struct update *update, uint32_t width, uint32_t height);
void update_clear(struct update *update);

/* What the client asks for. @encodings: in its order of preference. */
void update_set_format(struct update *update, const struct pixel_format *format);
void update_set_encodings(struct update *update, const int32_t *encodings, guint count);
void update_request(struct update *update, bool incremental, const struct rectangle *area);
/* Answers a SetDesktopSize: the size as it is now, with how the request ended. */
void update_answer_size(struct update *update, enum desktop_size_status status);

/* What has changed. A new picture, of whatever size, changes everything. */
void update_changed(struct update *update, const struct rectangle *areas, guint count);
void update_new_picture(struct update *update);
void update_notice(struct update *update, uint32_t notices);

/* Whether there is a rest of an update to be written, or a new one that the client waits for. */
bool update_unfinished(const struct update *update);
bool update_due(const struct update *update, const struct frame *frame);
/* Whether the client waits, and nothing that it waits for has happened. */
bool update_idle(const struct update *update, const struct frame *frame);

/**
 * update_write - go on with the update, or begin one that is due
 * @now_us: monotonic time
 * @out: appended to, until it holds LIMIT_QUEUE bytes or a piece more, or there is nothing to add
 */
void update_write(
	struct update *update, const struct frame *frame, int64_t now_us, GByteArray *out);
