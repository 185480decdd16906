/* QMP, the control protocol: JSON over UNIX sockets and character devices.
 *
 * Any number of clients at once. Each is greeted, negotiates, and then gets an answer to every command and all events. A
 * client is cut off that sends more than a message may have or does not take what it is sent.
 *
 * Specification: QEMU Machine Protocol, docs/interop/qmp-spec of QEMU 7.2; commands as in QEMU's qapi/.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "vmm/machine/machine.h"

struct chardev;
struct qmp;

/* @chardevs: of struct chardev, for query-chardev and ringbuf-read. Both outlive the result. On the main loop. */
struct qmp *qmp_new(struct machine *machine, GPtrArray *chardevs);

struct command_server;
/* For query-vnc and query-display-options; both outlive it, NULL: there is none. */
void qmp_set_display(struct qmp *qmp, const struct command_server *vnc, const char *display);
/* Sends what clients take without waiting, closes them all and removes the sockets. */
void qmp_free(struct qmp *qmp);

/* Listens on a UNIX socket; @pretty: answers in lines that people can read. False with @error. */
bool qmp_listen(struct qmp *qmp, const char *path, bool pretty, GError **error);

/* Serves whoever is at the other end of a character device. False with @error when it has a front end already. */
bool qmp_attach(struct qmp *qmp, struct chardev *chardev, bool pretty, GError **error);

/* The monitor for people in the same way. */
bool qmp_attach_monitor(struct qmp *qmp, struct chardev *chardev, GError **error);
