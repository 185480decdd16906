/* Bytes written the way a specification writes them. */
#include "tests/unit/bytes.h"

GBytes *bytes_from_hex(const char *text)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	int high = -1;

	for (const char *c = text; *c != '\0'; c++) {
		guint8 byte;
		int digit = g_ascii_xdigit_value(*c);

		if (*c == ' ')
			continue;
		g_assert_cmpint(digit, >=, 0);
		if (high < 0) {
			high = digit;
			continue;
		}
		byte = high << 4 | digit;
		g_byte_array_append(bytes, &byte, 1);
		high = -1;
	}
	g_assert_cmpint(high, <, 0);
	return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}
