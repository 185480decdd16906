/* What a client may cost. Every number that bounds something a client sends, or makes the server keep, stands here. */
#pragma once

enum {
	/* What a client sends */
	LIMIT_ENCODINGS = 256,      /* in one SetEncodings; gtk-vnc sends about 25 */
	LIMIT_CUT_TEXT = 1 << 20,   /* bytes of clipboard */
	LIMIT_SCREENS = 16,         /* in one SetDesktopSize */
	LIMIT_DESKTOP_SIZE = 16384, /* pixels in each direction that a client may ask for */
	LIMIT_INPUT =
		(1 << 20) + 64, /* bytes received and not used: the largest message and a little */
	LIMIT_READ = 64 << 10,  /* bytes taken from one client before the others have their turn */

	/* What is kept for it */
	LIMIT_CLIENTS = 32,      /* connections, in the handshake or behind it */
	LIMIT_HANDSHAKE_S = 30,  /* from connecting to having sent ClientInit */
	LIMIT_FLUSH_S = 5,       /* for a last message before a connection is closed */
	LIMIT_QUEUE = 256 << 10, /* bytes waiting to be sent above which nothing more is encoded */
	LIMIT_REGION = 128,      /* rectangles of damage before they are merged into coarser ones */
	LIMIT_PIECES = 60000,    /* rectangles in one FramebufferUpdate; the field has 16 bits */
	LIMIT_PIECE_WIDTH = 2048, /* pixels of one rectangle sent: what is encoded in one go */
	LIMIT_PIECE_HEIGHT = 64,
	LIMIT_UPDATE_US = 16000, /* shortest time between two updates for one client */
	LIMIT_CACHE =
		8 << 20,   /* bytes of encoded picture kept for other clients of the same format */
	LIMIT_NAME = 1024, /* bytes of the desktop's name; gtk-vnc takes 4096 */
	LIMIT_LOG_LINES = 10, /* lines of one kind about one client */
};
