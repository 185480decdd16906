/* The demo guest as a whole: what main.c keeps and the command line works on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "acpi.h"
#include "boot-params.h"
#include "pictures.h"
#include "ps2.h"

struct guest {
	struct boot boot;
	struct acpi acpi;
	struct ps2_found ps2;
	const struct picture *picture;
	struct world world;
	/* Each key and mouse event is told on the serial line. */
	bool watch;
};

/* Shows another picture; sets the mode of before again where text mode has to be left. */
void guest_show(struct guest *guest, const struct picture *picture);

/* Sets a mode and shows the scene in it, or the same picture again; false with a line that says
 * why not. */
bool guest_set_mode(
	struct guest *guest, uint32_t width, uint32_t height, char *why, uint32_t why_size);

/* Powers off, or returns where there is no way to. */
void guest_off(struct guest *guest);
