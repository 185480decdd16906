/* Options that QEMU has and this program does not: what to use instead. */
#pragma once

/* Why there is no option by this name, for people; NULL: QEMU has none either. */
const char *option_refusal(const char *name);
