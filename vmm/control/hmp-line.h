/* The monitor for people at the other end of a character device. */
#pragma once

#include "vmm/control/qmp-commands.h"

struct chardev;
struct hmp_line;

/* The character device must have no front end. */
struct hmp_line *hmp_line_new(const struct command_context *context, struct chardev *chardev);
void hmp_line_free(struct hmp_line *line);
