/* A machine that is a PCI root bus alone: devices to put on it, its interrupt lines, and what was to be removed. */
#pragma once

#include "tests/unit/vmm/fake-kvm.h"
#include "vmm/machine/machine.h"
#include "vmm/pci/pci.h"

enum {
	PROBE_BAR_PORTS = 0,
	PROBE_BAR_MEMORY = 1,
	PROBE_BAR_WIDE = 2, /* 64 bits, prefetchable */
	PROBE_BYTES = 0x100,
};

/* A device of three BARs, each of which reads as the offset that is read. An express endpoint where it belongs to be one. */
extern const struct device_class probe_class;

struct pci_fixture {
	struct machine machine;
	struct kvm kvm;
	bool lines[PCI_LINES];
	unsigned resets; /* of probes */
};

/* @root: "pcie.0" or "pci.0". */
struct pci_fixture *pci_fixture_new(const char *root);
void pci_fixture_free(struct pci_fixture *fixture);

/* "NAME=VALUE,..." are properties. NULL with @error. */
struct pci_device *pci_fixture_try(struct pci_fixture *fixture, const struct device_class *class,
	const char *id, const char *properties, GError **error);
/* Must succeed. */
struct pci_device *pci_fixture_add(struct pci_fixture *fixture, const struct device_class *class,
	const char *id, const char *properties);
/* As the main loop removes devices: those that are leaving. Returns how many. */
unsigned pci_fixture_remove_leaving(struct pci_fixture *fixture);
void pci_fixture_reset(struct pci_fixture *fixture);
