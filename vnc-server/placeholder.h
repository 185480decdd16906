/* What is shown while the guest shows nothing: a still picture with one line of text. */
#pragma once

#include "vnc-server/picture.h"

struct placeholder;

/* @text: in the letters of canvas_text() */
struct placeholder *placeholder_new(const char *text);
void placeholder_free(struct placeholder *placeholder);

const struct picture *placeholder_picture(const struct placeholder *placeholder);
