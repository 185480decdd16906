/* What both PS/2 devices do alike: answering commands. */
#include "vmm/chipset/ps2.h"

void ps2_replies_clear(struct ps2_replies *replies)
{
	replies->count = 0;
	replies->next = 0;
}

void ps2_reply(struct ps2_replies *replies, uint8_t byte)
{
	if (replies->count < PS2_REPLIES)
		replies->bytes[replies->count++] = byte;
}
