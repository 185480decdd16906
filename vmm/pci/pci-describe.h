/* The machine's PCI devices as the control protocol tells of them. */
#pragma once

#include <json-glib/json-glib.h>

struct machine;

/* The answer of query-pci: an entry for each root bus, in the form of QEMU's PciInfo. With the lock. */
JsonArray *pci_describe(struct machine *machine);
