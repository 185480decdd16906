/* QMP at the other end of a character device. */
#pragma once

#include "vmm/control/qmp-session.h"

struct chardev;
struct qmp_line;

/* The character device must have no front end. */
struct qmp_line *qmp_line_new(const struct command_context *context, struct chardev *chardev);
void qmp_line_free(struct qmp_line *line);
void qmp_line_tell(struct qmp_line *line, JsonNode *event);
