/* RFB client messages: from bytes to one validated message.
 *
 * The only code that looks at what a client sent after the handshake. It changes nothing and allocates nothing: the
 * connection keeps the bytes until a whole message is there, and acts on the value.
 *
 * Specification: RFC 6143 section 7.5; the community specification (rfbproto) for messages 251 and 255.
 */
#include "vnc-server/client-message.h"

#include "vnc-server/limits.h"

enum {
	QEMU_EXTENDED_KEY = 0,
	SCREEN_BYTES = 16,
};

static enum parse parse_set_pixel_format(struct reader *in, struct client_message *message)
{
	reader_skip(in, 3);
	return pixel_format_read(in, &message->pixel_format);
}

static enum parse parse_set_encodings(struct reader *in, struct client_message *message)
{
	reader_skip(in, 1);
	message->encodings.count = reader_u16(in);
	if (message->encodings.count > LIMIT_ENCODINGS)
		return parse_error(in, "%u encodings offered, at most %u are taken",
			message->encodings.count, LIMIT_ENCODINGS);
	message->encodings.values = reader_bytes(in, message->encodings.count * sizeof(int32_t));
	return reader_result(in);
}

static enum parse parse_update_request(struct reader *in, struct client_message *message)
{
	message->request.incremental = reader_u8(in) != 0;
	message->request.area.x = reader_u16(in);
	message->request.area.y = reader_u16(in);
	message->request.area.width = reader_u16(in);
	message->request.area.height = reader_u16(in);
	return reader_result(in);
}

static enum parse parse_key_event(struct reader *in, struct client_message *message)
{
	message->key.down = reader_u8(in) != 0;
	reader_skip(in, 2);
	message->key.keysym = reader_u32(in);
	message->key.keycode = 0;
	return reader_result(in);
}

static enum parse parse_pointer_event(struct reader *in, struct client_message *message)
{
	message->pointer.buttons = reader_u8(in);
	message->pointer.x = reader_u16(in);
	message->pointer.y = reader_u16(in);
	return reader_result(in);
}

/* A negative length would be the extended clipboard, which this server does not announce. */
static enum parse parse_cut_text(struct reader *in, struct client_message *message)
{
	int32_t length;

	reader_skip(in, 3);
	length = reader_i32(in);
	if (length < 0)
		return parse_error(in, "extended clipboard without having been offered it");
	if (length > LIMIT_CUT_TEXT)
		return parse_error(
			in, "%d bytes of clipboard, at most %d are taken", length, LIMIT_CUT_TEXT);
	message->cut_text.length = length;
	message->cut_text.bytes = reader_bytes(in, length);
	return reader_result(in);
}

static enum parse parse_set_desktop_size(struct reader *in, struct client_message *message)
{
	reader_skip(in, 1);
	message->desktop_size.width = reader_u16(in);
	message->desktop_size.height = reader_u16(in);
	message->desktop_size.screens = reader_u8(in);
	reader_skip(in, 1);
	if (message->desktop_size.screens > LIMIT_SCREENS)
		return parse_error(in, "%u screens asked for, at most %u are taken",
			message->desktop_size.screens, LIMIT_SCREENS);
	reader_skip(in, message->desktop_size.screens * SCREEN_BYTES);
	return reader_result(in);
}

static enum parse parse_qemu(struct reader *in, struct client_message *message)
{
	uint8_t type = reader_u8(in);

	if (reader_result(in) == PARSE_DONE && type != QEMU_EXTENDED_KEY)
		return parse_error(in, "unknown QEMU message %u", type);
	message->key.down = reader_u16(in) != 0;
	message->key.keysym = reader_u32(in);
	message->key.keycode = reader_u32(in);
	return reader_result(in);
}

static const struct {
	enum client_message_type type;
	enum parse (*parse)(struct reader *in, struct client_message *message);
} parsers[] = {
	{ CLIENT_SET_PIXEL_FORMAT, parse_set_pixel_format },
	{ CLIENT_SET_ENCODINGS, parse_set_encodings },
	{ CLIENT_UPDATE_REQUEST, parse_update_request },
	{ CLIENT_KEY_EVENT, parse_key_event },
	{ CLIENT_POINTER_EVENT, parse_pointer_event },
	{ CLIENT_CUT_TEXT, parse_cut_text },
	{ CLIENT_SET_DESKTOP_SIZE, parse_set_desktop_size },
	{ CLIENT_QEMU, parse_qemu },
};

enum parse client_message_parse(struct reader *in, struct client_message *message)
{
	struct reader at_start = *in;
	enum parse result;
	uint8_t type;

	if (reader_left(in) == 0)
		return PARSE_MORE;
	type = reader_u8(in);
	for (size_t i = 0; i < G_N_ELEMENTS(parsers); i++) {
		if (parsers[i].type != type)
			continue;
		message->type = type;
		result = parsers[i].parse(in, message);
		if (result == PARSE_MORE)
			*in = at_start;
		return result;
	}
	return parse_error(in, "unknown message %u", type);
}

int32_t client_message_encoding(const struct client_message *message, uint16_t index)
{
	struct reader value =
		reader_from(message->encodings.values + index * sizeof(int32_t), sizeof(int32_t));

	return reader_i32(&value);
}
