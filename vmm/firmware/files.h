/* Firmware files: SeaBIOS, VGA BIOSes and other ROMs that the distribution installs. */
#pragma once

#include <glib.h>

enum {
	FIRMWARE_FILE_LIMIT = 16 << 20
}; /* bytes; larger ones are refused */

/**
 * firmware_file_load - the contents of a firmware file
 * @name: a file name, looked for in the folders where distributions put firmware; with a '/' in it, a path
 *
 * Returns NULL with @error, which says where was looked and which Debian package has the file.
 */
GBytes *firmware_file_load(const char *name, GError **error);
