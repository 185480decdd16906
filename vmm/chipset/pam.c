/* Programmable attribute map. */
#include "vmm/chipset/pam.h"

#include "vmm/machine/legacy-area.h"
#include "vmm/machine/machine.h"

enum {
	PAM_READ = 1 << 0, /* of each half of a register */
	PAM_WRITE = 1 << 1,
	HIGH_HALF = 4,
};

const uint8_t pam_write_masks[PAM_REGISTERS] = { 0x30, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33 };

/* PAM0's high half is the 64 KiB from 0xf0000 on; the others are 16 KiB each, upwards from 0xc0000, low half first. */
void pam_apply(struct machine *machine, const uint8_t registers[PAM_REGISTERS])
{
	uint8_t access[LEGACY_PIECES];

	for (unsigned i = 0; i < LEGACY_PIECES; i++) {
		unsigned half = i / 2 + 1, shift = i % 2 * HIGH_HALF;

		/* The last 64 KiB are four pieces of one register. */
		if (half >= PAM_REGISTERS) {
			half = 0;
			shift = HIGH_HALF;
		}
		access[i] = (registers[half] >> shift & PAM_READ ? LEGACY_READ_RAM : 0) |
			    (registers[half] >> shift & PAM_WRITE ? LEGACY_WRITE_RAM : 0);
	}
	if (machine->legacy_area)
		legacy_area_set_access(machine->legacy_area, access);
}
