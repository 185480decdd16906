/* What the viewer is asked to show: a guest by name, a display bus, or a VNC server. */
#pragma once

#include <glib.h>
#include <stdint.h>

enum target_kind {
	TARGET_NONE,     /* nothing yet: the start page */
	TARGET_NAME,     /* a guest in the registry */
	TARGET_BUS,      /* the socket of a display bus */
	TARGET_QMP,      /* QEMU's control socket, which hands out a display bus */
	TARGET_VNC_HOST, /* a VNC server over TCP */
	TARGET_VNC_UNIX, /* and over a UNIX socket */
};

struct target {
	enum target_kind kind;
	char *text; /* the guest's name, the path, or the host */
	uint16_t port;
	char *title; /* for people, until the guest says its own name */
};

/**
 * target_parse - what a person typed
 * @text: a guest's name, vnc://HOST, vnc://HOST:PORT, vnc://HOST:DISPLAY (up to 99), vnc://[IPV6]:PORT or vnc+unix://PATH
 *
 * Pure. Returns NULL with VITRINE_ERROR_INPUT.
 */
struct target *target_parse(const char *text, GError **error);

/* @kind: TARGET_NONE (without @text), TARGET_BUS or TARGET_QMP, with a path. */
struct target *target_new(enum target_kind kind, const char *text);
struct target *target_copy(const struct target *target);
void target_free(struct target *target);
typedef struct target target; /* for g_autoptr() */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(target, target_free)
