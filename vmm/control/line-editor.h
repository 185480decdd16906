/* A line that somebody types at a terminal: editing, history, completion. Bytes in, what the terminal shows out.
 *
 * Keys: Ctrl-A, Ctrl-E, Home, End; Ctrl-B, Ctrl-F, arrows; Ctrl-P, Ctrl-N and arrows for the lines before; Backspace,
 * Delete, Ctrl-D, Ctrl-H; Ctrl-K to the end, Ctrl-U the line, Ctrl-W a word; Ctrl-L again; Ctrl-C another line; Tab.
 *
 * Specification: ECMA-48 for what is written (CR, BS, CSI K) and for the keys that send CSI.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	LINE_MAX_LENGTH = 4096,
	LINE_MAX_HISTORY = 64
};

struct line_editor;

struct line_editor_ops {
	void (*write)(void *owner, const char *text, gsize length);
	/* What the word before the cursor may become: names that start with it. @line ends at the cursor; @word is set to where
	 * the word starts in it. NULL-terminated, to be freed; NULL: nothing. */
	char **(*complete)(void *owner, const char *line, gsize *word);
};

struct line_editor *line_editor_new(
	const char *prompt, const struct line_editor_ops *ops, void *owner);
void line_editor_free(struct line_editor *editor);

/* An empty line and its prompt. */
void line_editor_begin(struct line_editor *editor);

/* One more byte. A line that is complete with it, without its end, to be freed; NULL: not yet. line_editor_begin() for the
 * next. */
char *line_editor_feed(struct line_editor *editor, uint8_t byte);
