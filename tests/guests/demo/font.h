/* Characters for when the BIOS gave none: a direct boot without a VGA BIOS. */
#pragma once

#include <stdint.h>

/* 256 characters of 16 bytes; only the printable ones of ASCII are not empty. */
const uint8_t *font_make(void);
