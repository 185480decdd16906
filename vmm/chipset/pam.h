/* Programmable attribute map: seven registers that say, for the addresses 0xc0000 to 0xfffff, whether reads and writes go to
 * RAM or to what lies behind. The i440FX and the Q35 have the same ones.
 *
 * Specification: Intel 82441FX datasheet, section 3.2.18; Intel 3 Series Express Chipset Family datasheet, section 5.1.17.
 */
#pragma once

#include <stdint.h>

struct machine;

enum {
	PAM_REGISTERS = 7
};

/* Bits that the guest can write. */
extern const uint8_t pam_write_masks[PAM_REGISTERS];

/* Makes memory as the registers say. With the lock. */
void pam_apply(struct machine *machine, const uint8_t registers[PAM_REGISTERS]);
