/* Formats by their first bytes. Magic numbers: docs/interop/qcow2.txt of QEMU, the VMDK, VHD, VHDX and VDI specifications,
 * the LUKS on-disk format, the Parallels and Bochs formats. */
#include "vmm/storage/image-format.h"

#include <glib.h>
#include <string.h>

const char *const image_formats[] = {
	"raw",
	"qcow2",
	"qcow",
	"qed",
	"vmdk",
	"vdi",
	"vpc",
	"vhdx",
	"luks",
	"parallels",
	"bochs",
	"dmg",
	"cloop",
	NULL,
};

static const struct {
	size_t offset, length;
	const char *bytes;
	const char *format;
} marks[] = {
	/* "QFI\xfb" and version, big-endian: 1 is qcow, the others are qcow2 */
	{ 0, 8, "QFI\xfb\0\0\0\1", "qcow" },
	{ 0, 4, "QFI\xfb", "qcow2" },
	{ 0, 4, "QED\0", "qed" },
	{ 0, 4, "KDMV", "vmdk" },
	{ 0, 4, "COWD", "vmdk" },
	{ 64, 4, "\x7f\x10\xda\xbe", "vdi" },
	{ 0, 8, "conectix", "vpc" },
	{ 0, 8, "vhdxfile", "vhdx" },
	{ 0, 6, "LUKS\xba\xbe", "luks" },
	{ 0, 16, "WithoutFreeSpace", "parallels" },
	{ 0, 16, "WithouFreSpacExt", "parallels" },
	{ 0, 22, "Bochs Virtual HD Image", "bochs" },
	{ 0, 34, "#!/bin/sh\n#V2.0 Format\nmodprobe cl", "cloop" },
};

/* A VMDK descriptor is text: comments and empty lines, then version=1, 2 or 3. The word itself is enough for us. */
static bool is_vmdk_text(const uint8_t *head, size_t length)
{
	static const char word[] = "# disk descriptorfile";

	for (size_t i = 0; i + sizeof(word) - 1 <= length; i++)
		if (g_ascii_strncasecmp((const char *)head + i, word, sizeof(word) - 1) == 0)
			return true;
	return false;
}

static bool is_vmdk_version(const uint8_t *head, size_t length)
{
	size_t at = 0;

	while (at < length &&
		(head[at] == '#' || head[at] == '\n' || head[at] == '\r' || head[at] == ' ')) {
		if (head[at] == '#')
			while (at < length && head[at] != '\n')
				at++;
		else
			at++;
	}
	return length - at >= 8 && memcmp(head + at, "version=", 8) == 0;
}

const char *image_format_guess(const uint8_t *head, size_t length)
{
	length = MIN(length, (size_t)IMAGE_HEAD);
	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
		if (marks[i].offset + marks[i].length <= length &&
			memcmp(head + marks[i].offset, marks[i].bytes, marks[i].length) == 0)
			return marks[i].format;
	}
	return is_vmdk_text(head, length) || is_vmdk_version(head, length) ? "vmdk" : "raw";
}

enum image_place image_place(const char *name)
{
	static const struct {
		const char *scheme;
		enum image_place place;
	} places[] = {
		{ "nbd", IMAGE_NBD },
		{ "nbd+unix", IMAGE_NBD },
		{ "nbds", IMAGE_NBD },
		{ "nbds+unix", IMAGE_NBD },
		{ "http", IMAGE_CURL },
		{ "https", IMAGE_CURL },
		{ "ftp", IMAGE_CURL },
		{ "ftps", IMAGE_CURL },
		{ "ssh", IMAGE_SSH },
		{ "sftp", IMAGE_SSH },
	};
	const char *end = strstr(name, "://");
	size_t length = end ? (size_t)(end - name) : 0;

	/* A slash before it: a strange path, but a path. */
	if (!end || memchr(name, '/', length))
		return IMAGE_FILE;
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
		if (strlen(places[i].scheme) == length &&
			g_ascii_strncasecmp(places[i].scheme, name, length) == 0)
			return places[i].place;
	return IMAGE_UNSUPPORTED;
}
