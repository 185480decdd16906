/* What the ACPI tables tell: how to power off, whether the power button was pressed, how many
 * processors. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct boot;

struct acpi {
	/* Ports of the PM1a event and control blocks; 0 without tables. */
	uint16_t event_port, control_port;
	/* Length of the event block: status in its first half, enable in its second. */
	uint8_t event_bytes;
	/* The sleep type of S5, or -1. */
	int off_type;
	/* Enabled processors of the MADT; 0 without one. */
	unsigned processors;
};

/* Reads the tables and asks for the power button's event. */
struct acpi acpi_start(const struct boot *boot);

/* True once for each press of the power button. */
bool acpi_button_pressed(const struct acpi *acpi);

/* Powers off; returns only when that is not possible. */
void acpi_off(const struct acpi *acpi);
