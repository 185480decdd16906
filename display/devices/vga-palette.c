/* The colours of a VGA: attribute controller and digital-to-analogue converter, as pixels. */
#include "display/devices/vga-private.h"

#include <string.h>

enum {
	MODE_COLOUR_SELECT_ALL =
		1 << 7, /* AR_MODE: bits 4 and 5 of a colour come from AR_COLOUR_SELECT too */
	COLOURS = 16,
};

static uint8_t six_to_eight(uint8_t value)
{
	value &= 0x3f;
	return value << 2 | value >> 4;
}

static uint32_t colour(const struct vga *vga, uint8_t index)
{
	const uint8_t *component = &vga->registers.dac[(index & vga->registers.dac_mask) * 3];
	uint8_t eight[3];

	for (unsigned i = 0; i < 3; i++)
		eight[i] = vga->dispi.registers[DISPI_ENABLE] & DISPI_8BIT_DAC
				   ? component[i]
				   : six_to_eight(component[i]);
	return (uint32_t)eight[0] << 16 | eight[1] << 8 | eight[2];
}

static uint32_t attribute_colour(const struct vga_registers *r, unsigned index)
{
	uint32_t entry = r->attribute[index];
	uint32_t select = r->attribute[AR_COLOUR_SELECT];

	if (r->attribute[AR_MODE] & MODE_COLOUR_SELECT_ALL)
		return (entry & 0x0f) | (select & 0x0f) << 4;
	return (entry & 0x3f) | (select & 0x0c) << 4;
}

bool vga_palette_update(struct vga *vga)
{
	struct vga_drawn *drawn = vga->drawn;
	uint32_t palette[VGA_COLOURS], attributes[COLOURS];
	bool differs;

	for (unsigned i = 0; i < VGA_COLOURS; i++)
		palette[i] = colour(vga, i);
	for (unsigned i = 0; i < COLOURS; i++)
		attributes[i] = attribute_colour(&vga->registers, i);
	differs = memcmp(palette, drawn->palette, sizeof(palette)) != 0 ||
		  memcmp(attributes, drawn->attributes, sizeof(attributes)) != 0;
	memcpy(drawn->palette, palette, sizeof(palette));
	memcpy(drawn->attributes, attributes, sizeof(attributes));
	return differs;
}
