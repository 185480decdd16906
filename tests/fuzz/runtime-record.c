/* Any bytes as a guest.json; and what is read can be written and read again. */
#include <stdint.h>
#include <stdlib.h>

#include "base/runtime-record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	g_autoptr(runtime_record) record = runtime_record_parse(bytes, length, NULL);
	g_autofree char *text = NULL;

	if (!record)
		return 0;
	text = runtime_record_format(record, NULL);
	/* Escapes can make the text longer than what is taken; nothing else may stop it. */
	if (!text && length < RUNTIME_RECORD_MAX / 8)
		abort();
	return 0;
}
