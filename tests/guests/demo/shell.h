/* The command line on the serial port. */
#pragma once

struct guest;

/* Shows the prompt and what was typed at it so far. */
void shell_prompt(void);

/* Takes a character that came over the serial line. */
void shell_take(struct guest *guest, char character);
