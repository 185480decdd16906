/* The classes of objects, for the table in vmm/objects.c. */
#pragma once

#include "vmm/objects.h"

extern const struct object_class object_iothread, object_memory_file, object_memory_memfd,
	object_memory_ram, object_rng_builtin, object_rng_random, object_secret, object_tls_anon,
	object_tls_psk, object_tls_x509;
