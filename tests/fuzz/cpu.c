/* What -cpu says, and CPU model files: two texts, the first byte tells which. */
#include "vmm/cpu/definition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 2 == 0) {
		g_autofree char *text = g_strndup((const char *)data + 1, size - 1);

		cpu_request_free(cpu_request_parse(text, NULL));
	} else {
		cpu_model_free(cpu_model_parse("N-v1", (const char *)data + 1, size - 1, NULL));
	}
	return 0;
}
