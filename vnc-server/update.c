/* What a client is owed, and when it gets it.
 *
 * Specification: RFC 6143 sections 7.5.3 and 7.6.1; the community specification for ExtendedDesktopSize.
 */
#include "vnc-server/update.h"

#include <string.h>

#include "base/writer.h"
#include "vnc-server/cursor.h"
#include "vnc-server/limits.h"
#include "vnc-server/rectangle.h"
#include "vnc-server/region.h"

/* What a client says by listing a pseudo-encoding. */
static const struct {
	int32_t encoding;
	size_t flag;     /* offset of a bool in struct update, or 0 */
	uint32_t notice; /* what it can be told then, or 0 */
} capabilities[] = {
	{ ENCODING_DESKTOP_SIZE, offsetof(struct update, desktop_size), 0 },
	{ ENCODING_EXTENDED_DESKTOP_SIZE, offsetof(struct update, extended_desktop_size), 0 },
	{ ENCODING_CURSOR, 0, NOTICE_CURSOR },
	{ ENCODING_CURSOR_WITH_ALPHA, offsetof(struct update, alpha_cursor), NOTICE_CURSOR },
	{ ENCODING_QEMU_POINTER_MOTION, 0, NOTICE_POINTER },
	{ ENCODING_QEMU_EXTENDED_KEY, 0, NOTICE_EXTENDED_KEY },
	{ ENCODING_QEMU_LED, 0, NOTICE_LIGHTS },
	{ ENCODING_DESKTOP_NAME, 0, NOTICE_NAME },
};

void update_init(struct update *update, uint32_t width, uint32_t height)
{
	*update = (struct update) {
		.encoder = &encoder_raw,
		.width = width,
		.height = height,
		.pieces = g_array_new(FALSE, FALSE, sizeof(struct rectangle)),
	};
	pixel_converter_init(&update->converter, &pixel_format_native);
	pixman_region32_init_rect(&update->changed, 0, 0, width, height);
	pixman_region32_init(&update->wanted);
}

void update_clear(struct update *update)
{
	for (guint i = 0; i < ENCODERS; i++) {
		if (update->streams[i])
			encoders[i]->stream_free(update->streams[i]);
	}
	pixman_region32_fini(&update->changed);
	pixman_region32_fini(&update->wanted);
	g_array_unref(update->pieces);
}

/* All pixels of one update are of one format. */
void update_set_format(struct update *update, const struct pixel_format *format)
{
	update->next_format = *format;
	update->new_format = true;
	update->tell_colour_map = !format->true_colour;
	/* The cursor is in the client's format as well. */
	update_notice(update, NOTICE_CURSOR);
}

static void add_capability(struct update *update, int32_t encoding)
{
	for (size_t i = 0; i < G_N_ELEMENTS(capabilities); i++) {
		if (capabilities[i].encoding != encoding)
			continue;
		if (capabilities[i].flag)
			*(bool *)((char *)update + capabilities[i].flag) = true;
		update->understood |= capabilities[i].notice;
	}
}

void update_set_encodings(struct update *update, const int32_t *encodings, guint count)
{
	const struct encoder *encoder = NULL;

	update->desktop_size = update->extended_desktop_size = update->alpha_cursor = false;
	update->understood = 0;
	for (guint i = 0; i < count; i++) {
		if (!encoder)
			encoder = encoder_find(encodings[i], NULL);
		add_capability(update, encodings[i]);
	}
	update->encoder = encoder ? encoder : &encoder_raw;
	/* Clients forget with each SetEncodings what they had been told (gtk-vnc: extended keys); the name they know. */
	update->notices = 0;
	update_notice(update, ~NOTICE_NAME);
}

void update_request(struct update *update, bool incremental, const struct rectangle *area)
{
	struct rectangle inside = *area;

	if (!incremental)
		update->tell_size = update->extended_desktop_size;
	inside.width = MIN(inside.width, (int32_t)update->width - inside.x);
	inside.height = MIN(inside.height, (int32_t)update->height - inside.y);
	if (inside.width <= 0 || inside.height <= 0)
		return;
	region_add(&update->wanted, &inside, 1);
	if (!incremental)
		region_add(&update->changed, &inside, 1);
}

void update_answer_size(struct update *update, enum desktop_size_status status)
{
	if (!update->extended_desktop_size)
		return;
	update->tell_size = true;
	update->size_reason = DESKTOP_SIZE_THIS_CLIENT;
	update->size_status = status;
}

void update_changed(struct update *update, const struct rectangle *areas, guint count)
{
	region_add(&update->changed, areas, count);
	region_clip(&update->changed, update->width, update->height);
}

void update_new_picture(struct update *update)
{
	update_changed(update, &(struct rectangle) { 0, 0, update->width, update->height }, 1);
}

void update_notice(struct update *update, uint32_t notices)
{
	update->notices |= notices & update->understood;
}

bool update_unfinished(const struct update *update)
{
	return update->next_piece < update->pieces->len || update->trailing;
}

static bool size_changed(const struct update *update, const struct frame *frame)
{
	return (update->desktop_size || update->extended_desktop_size) &&
	       (update->width != frame->picture.width || update->height != frame->picture.height);
}

/* The notices that have something to say: an unknown cursor is left as the client has it. */
static uint32_t due_notices(const struct update *update, const struct frame *frame)
{
	return frame->cursor_known ? update->notices : update->notices & ~NOTICE_CURSOR;
}

static bool pixels_due(const struct update *update)
{
	pixman_region32_t due;
	bool any;

	pixman_region32_init(&due);
	pixman_region32_intersect(
		&due, (pixman_region32_t *)&update->changed, (pixman_region32_t *)&update->wanted);
	any = pixman_region32_not_empty(&due);
	pixman_region32_fini(&due);
	return any;
}

bool update_due(const struct update *update, const struct frame *frame)
{
	if (!pixman_region32_not_empty((pixman_region32_t *)&update->wanted))
		return false;
	return update->tell_size || size_changed(update, frame) || due_notices(update, frame) ||
	       pixels_due(update);
}

bool update_idle(const struct update *update, const struct frame *frame)
{
	return pixman_region32_not_empty((pixman_region32_t *)&update->wanted) &&
	       !update_unfinished(update) && !update_due(update, frame);
}

static void write_header(GByteArray *out, uint16_t rectangles)
{
	write_u8(out, SERVER_FRAMEBUFFER_UPDATE);
	write_u8(out, 0);
	write_u16(out, rectangles);
}

/* An update that says nothing but the size: pixels in the same one would have to be thrown away by the client. */
static void write_size(struct update *update, const struct frame *frame, GByteArray *out)
{
	struct rectangle area = { 0, 0, frame->picture.width, frame->picture.height };

	write_header(out, 1);
	if (!update->extended_desktop_size) {
		rectangle_write(out, &area, ENCODING_DESKTOP_SIZE);
		return;
	}
	area.x = update->size_reason;
	area.y = update->size_status;
	rectangle_write(out, &area, ENCODING_EXTENDED_DESKTOP_SIZE);
	write_u8(out, 1); /* screens */
	write_zeroes(out, 3);
	write_u32(out, 0); /* its id */
	write_u16(out, 0);
	write_u16(out, 0);
	write_u16(out, area.width);
	write_u16(out, area.height);
	write_u32(out, 0); /* its flags */
	update->tell_size = false;
	update->size_reason = DESKTOP_SIZE_SERVER;
	update->size_status = DESKTOP_SIZE_DONE;
}

/* After a change of the size every client asks again, for the new one. A wish that was passed on has come true by now, or
 * has been overtaken; clients do not look at the size that comes with anything but success. */
static void change_size(struct update *update, const struct frame *frame, GByteArray *out)
{
	update->size_status = DESKTOP_SIZE_DONE;
	write_size(update, frame, out);
	update->width = frame->picture.width;
	update->height = frame->picture.height;
	pixman_region32_clear(&update->wanted);
	pixman_region32_clear(&update->changed);
	update_new_picture(update);
}

/* Cuts a rectangle into pieces that are encoded in one go, the last one at its lower right. */
static void cut(GArray *pieces, const pixman_box32_t *box)
{
	for (int32_t y = box->y1; y < box->y2; y += LIMIT_PIECE_HEIGHT) {
		for (int32_t x = box->x1; x < box->x2; x += LIMIT_PIECE_WIDTH) {
			struct rectangle piece = { x, y, MIN(LIMIT_PIECE_WIDTH, box->x2 - x),
				MIN(LIMIT_PIECE_HEIGHT, box->y2 - y) };

			g_array_append_val(pieces, piece);
		}
	}
}

static void plan_pieces(struct update *update)
{
	pixman_region32_t due;
	const pixman_box32_t *boxes;
	int count;

	g_array_set_size(update->pieces, 0);
	update->next_piece = 0;
	pixman_region32_init(&due);
	pixman_region32_intersect(&due, &update->changed, &update->wanted);
	boxes = pixman_region32_rectangles(&due, &count);
	for (int i = 0; i < count && update->pieces->len < LIMIT_PIECES - 2048; i++) {
		pixman_region32_t sent;

		cut(update->pieces, &boxes[i]);
		pixman_region32_init_with_extents(&sent, (pixman_box32_t *)&boxes[i]);
		pixman_region32_subtract(&update->changed, &update->changed, &sent);
		pixman_region32_fini(&sent);
	}
	pixman_region32_fini(&due);
}

static void begin(struct update *update, const struct frame *frame, int64_t now_us, GByteArray *out)
{
	update->begun_us = now_us;
	if (update->new_format)
		pixel_converter_init(&update->converter, &update->next_format);
	update->new_format = false;
	if (update->tell_colour_map)
		pixel_format_write_colour_map(out);
	update->tell_colour_map = false;
	if (size_changed(update, frame)) {
		change_size(update, frame, out);
		return;
	}
	if (update->tell_size)
		write_size(update, frame, out);
	plan_pieces(update);
	update->trailing = due_notices(update, frame);
	update->notices &= ~update->trailing;
	/* Telling the size alone is no answer to the request. */
	if (!update_unfinished(update))
		return;
	pixman_region32_clear(&update->wanted);
	if (update->pieces->len > 0)
		write_header(out, update->pieces->len);
}

static void write_piece(struct update *update, const struct frame *frame, GByteArray *out)
{
	const struct rectangle *piece =
		&g_array_index(update->pieces, struct rectangle, update->next_piece++);
	const struct encoder *encoder = update->encoder;
	g_autoptr(GByteArray) bytes = encode_cache_encode(
		frame->cache, encoder, &update->converter, &frame->picture, piece);
	guint index;

	rectangle_write(out, piece, encoder->encoding);
	if (!encoder->stream_new) {
		write_bytes(out, bytes->data, bytes->len);
		return;
	}
	encoder_find(encoder->encoding, &index);
	if (!update->streams[index])
		update->streams[index] = encoder->stream_new();
	encoder->stream_append(update->streams[index], bytes->data, bytes->len, out);
}

static void write_extended_key(struct update *update, const struct frame *frame, GByteArray *out)
{
	rectangle_write(out, &(struct rectangle) { 0, 0, update->width, update->height },
		ENCODING_QEMU_EXTENDED_KEY);
}

static void write_pointer(struct update *update, const struct frame *frame, GByteArray *out)
{
	rectangle_write(out,
		&(struct rectangle) { frame->pointer_absolute, 0, update->width, update->height },
		ENCODING_QEMU_POINTER_MOTION);
}

static void write_lights(struct update *update, const struct frame *frame, GByteArray *out)
{
	rectangle_write(out, &(struct rectangle) { 0, 0, 1, 1 }, ENCODING_QEMU_LED);
	write_u8(out, frame->lights);
}

static void write_cursor(struct update *update, const struct frame *frame, GByteArray *out)
{
	if (update->alpha_cursor)
		cursor_write_alpha(out, frame->cursor);
	else
		cursor_write(out, &update->converter, frame->cursor);
}

static void write_name(struct update *update, const struct frame *frame, GByteArray *out)
{
	rectangle_write(out, &(struct rectangle) { 0 }, ENCODING_DESKTOP_NAME);
	write_u32(out, strlen(frame->name));
	write_bytes(out, frame->name, strlen(frame->name));
}

static void (*const notice_writers[NOTICES])(
	struct update *update, const struct frame *frame, GByteArray *out) = {
	write_extended_key,
	write_pointer,
	write_lights,
	write_cursor,
	write_name,
};

static void write_trailing(struct update *update, const struct frame *frame, GByteArray *out)
{
	if (!update->trailing)
		return;
	write_header(out, __builtin_popcount(update->trailing));
	for (guint i = 0; i < NOTICES; i++) {
		if (update->trailing & 1u << i)
			notice_writers[i](update, frame, out);
	}
	update->trailing = 0;
}

void update_write(struct update *update, const struct frame *frame, int64_t now_us, GByteArray *out)
{
	if (!update_unfinished(update) && update_due(update, frame))
		begin(update, frame, now_us, out);
	while (update->next_piece < update->pieces->len && out->len < LIMIT_QUEUE)
		write_piece(update, frame, out);
	if (update->next_piece == update->pieces->len)
		write_trailing(update, frame, out);
}
