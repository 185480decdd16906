/* Machine type files with any contents. */
#include <stddef.h>
#include <stdint.h>

#include "vmm/machine/machine-types.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	g_autoptr(GError) error = NULL;
	struct machine_type *type =
		machine_type_parse("q35-1.0", (const char *)bytes, length, &error);

	g_assert(!type == !!error);
	machine_type_free(type);
	return 0;
}
