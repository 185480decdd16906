/* What a client sends first, any bytes in any pieces: nobody comes through without a security type that was offered. */
#include <stddef.h>
#include <stdint.h>

#include "vnc-server/handshake.h"

enum {
	ANSWERS = 4096, /* more than the longest exchange takes */
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* The first byte says what is offered, the second the size of the pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const uint8_t types[] = { 19, SECURITY_NONE };
	bool none_offered = length > 0 && bytes[0] & 1;
	size_t piece = length > 1 ? 1 + bytes[1] % 16 : 1;
	g_autoptr(GBytes) offered = g_bytes_new(types, none_offered ? 2 : 1);
	g_autoptr(GByteArray) out = g_byte_array_new();
	enum parse result = PARSE_MORE;
	struct handshake handshake;
	size_t used = MIN(length, 2);

	handshake_init(&handshake, offered, out);
	for (size_t end = used; result == PARSE_MORE && end < length;) {
		struct reader in;

		end = MIN(end + piece, length);
		in = reader_from(bytes + used, end - used);
		result = handshake_step(&handshake, &in, out);
		used = end - reader_left(&in);
	}
	g_assert(result != PARSE_DONE || (none_offered && handshake.security));
	g_assert(out->len < ANSWERS);
	handshake_clear(&handshake);
	return 0;
}
