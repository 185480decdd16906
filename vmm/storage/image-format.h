/* What a disk image looks like: formats by their first bytes, and where an image is, by the look of its name.
 *
 * The guest of a raw image writes what it likes into the first sector. A format that is only guessed must therefore never
 * be guessed from bytes that a guest may have put there: see image_format_guess().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	IMAGE_HEAD = 512 /* bytes that are looked at */
};

/* Formats there are, NULL-terminated: "raw" first. */
extern const char *const image_formats[];

/**
 * image_format_guess - the format whose header this is, "raw" when it is none's
 * @head: the first bytes of the image, at most IMAGE_HEAD of them count
 *
 * An image whose format was not given is what this says. When that is raw, a guest that then wrote a qcow2 header (with a
 * backing file of its choice) would have it opened as qcow2 at the next start. So the writes of such a guest to the first
 * sector are watched: those after which this would say anything but raw are refused (engine-guard.c), as QEMU does.
 */
const char *image_format_guess(const uint8_t *head, size_t length);

enum image_place {
	IMAGE_FILE,        /* a file or a block device */
	IMAGE_NBD,         /* nbd://, nbd+unix://, nbds://, nbds+unix:// */
	IMAGE_CURL,        /* http, https, ftp, ftps */
	IMAGE_SSH,         /* ssh, sftp */
	IMAGE_UNSUPPORTED, /* another scheme */
};

/* By "SCHEME://"; "file:PATH" is a file. */
enum image_place image_place(const char *name);
