/* What a client sends behind the handshake, any bytes: each message is refused or obeyed, and what is sent in answer stays
 * within its bounds. */
#include <stddef.h>
#include <stdint.h>

#include "vnc-server/client-message.h"
#include "vnc-server/limits.h"
#include "vnc-server/update.h"

enum {
	WIDTH = 80,
	HEIGHT = 70,
	MAXIMUM_MESSAGES = 200,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void obey(struct update *update, const struct client_message *message)
{
	int32_t encodings[LIMIT_ENCODINGS];

	switch (message->type) {
	case CLIENT_SET_PIXEL_FORMAT:
		update_set_format(update, &message->pixel_format);
		break;
	case CLIENT_SET_ENCODINGS:
		for (uint16_t i = 0; i < message->encodings.count; i++)
			encodings[i] = client_message_encoding(message, i);
		update_set_encodings(update, encodings, message->encodings.count);
		break;
	case CLIENT_UPDATE_REQUEST:
		update_request(update, message->request.incremental, &message->request.area);
		break;
	case CLIENT_SET_DESKTOP_SIZE:
		update_answer_size(update, DESKTOP_SIZE_FORWARDED);
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static uint32_t pixels[WIDTH * HEIGHT];
	struct frame frame = {
		.picture = { WIDTH, HEIGHT, WIDTH * 4, PIXMAN_x8r8g8b8, (const uint8_t *)pixels },
		.cursor = cursor_new(9, 5, 1, 1),
		.cursor_known = true,
		.name = "fuzz",
	};
	g_autoptr(GByteArray) out = g_byte_array_new();
	struct reader in = reader_from(bytes, length);
	struct client_message message;
	struct update update;

	for (int i = 0; i < WIDTH * HEIGHT; i++)
		pixels[i] = i % 97 < 60 ? 0x336699 : i * 2654435761u;
	update_init(&update, WIDTH, HEIGHT);
	for (int i = 0; i < MAXIMUM_MESSAGES && client_message_parse(&in, &message) == PARSE_DONE;
		i++) {
		obey(&update, &message);
		update_changed(&update, &(struct rectangle) { i % WIDTH, i % HEIGHT, 3, 3 }, 1);
		update_write(&update, &frame, 0, out);
		g_assert(out->len <= LIMIT_QUEUE + WIDTH * HEIGHT * 5);
		g_byte_array_set_size(out, 0);
	}
	update_clear(&update);
	cursor_unref(frame.cursor);
	return 0;
}
