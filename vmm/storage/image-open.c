/* From what -drive and -blockdev say to an open image: raw ones directly, the others behind a helper.
 *
 * qemu-nbd knows the formats, and with format=qcow2 and the like also QEMU's own protocols; nbdkit fetches raw images over
 * HTTP, FTP and SSH. Both are told the format: none of them guesses.
 */
#include "vmm/storage/image-open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "vmm/storage/image-format.h"

#define OVERLAY_FOLDER "/var/tmp"

/* "driver=...": QEMU's syntax, where a comma is written twice. */
char *helper_image_options(const char *format, const char *file, bool is_device)
{
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "driver=%s,file.driver=%s,file.filename=", format,
		is_device ? "host_device" : "file");
	for (; *file; file++)
		g_string_append_printf(text, *file == ',' ? ",%c" : "%c", *file);
	return g_string_free(text, FALSE);
}

static const char *cache_mode(const struct block_config *config)
{
	return config->no_flush ? "unsafe" : config->no_cache ? "none" : "writeback";
}

static char **qemu_nbd_arguments(
	const struct block_config *config, const char *format, const char *file, bool is_device)
{
	GPtrArray *words = g_ptr_array_new();

	g_ptr_array_add(words, g_strdup("qemu-nbd"));
	g_ptr_array_add(words, g_strdup_printf("--cache=%s", cache_mode(config)));
	g_ptr_array_add(
		words, g_strdup_printf("--discard=%s", config->discard ? "unmap" : "ignore"));
	if (config->detect_zeroes)
		g_ptr_array_add(
			words, g_strdup_printf("--detect-zeroes=%s", config->detect_zeroes));
	if (config->read_only)
		g_ptr_array_add(words, g_strdup("--read-only"));
	if (image_place(file) == IMAGE_FILE) {
		g_ptr_array_add(words, g_strdup("--image-opts"));
		g_ptr_array_add(words, helper_image_options(format, file, is_device));
	} else {
		g_ptr_array_add(words, g_strdup_printf("--format=%s", format));
		g_ptr_array_add(words, g_strdup(file));
	}
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(words, FALSE);
}

/* ssh://[USER@]HOST[:PORT]/PATH: nbdkit wants the parts. */
static char **ssh_arguments(const struct block_config *config, GError **error)
{
	g_autoptr(GUri) uri = g_uri_parse(config->path, G_URI_FLAGS_NONE, error);
	GPtrArray *words;

	if (!uri)
		return NULL;
	if (!g_uri_get_host(uri) || !g_uri_get_host(uri)[0] || strlen(g_uri_get_path(uri)) < 2) {
		fail(error, VITRINE_ERROR_INPUT, "it has to be ssh://[USER@]HOST[:PORT]/PATH");
		return NULL;
	}
	words = g_ptr_array_new();
	g_ptr_array_add(words, g_strdup("nbdkit"));
	if (config->read_only)
		g_ptr_array_add(words, g_strdup("--readonly"));
	g_ptr_array_add(words, g_strdup("ssh"));
	g_ptr_array_add(words, g_strdup_printf("host=%s", g_uri_get_host(uri)));
	g_ptr_array_add(words, g_strdup_printf("path=%s", g_uri_get_path(uri)));
	if (g_uri_get_userinfo(uri))
		g_ptr_array_add(words, g_strdup_printf("user=%s", g_uri_get_userinfo(uri)));
	if (g_uri_get_port(uri) > 0)
		g_ptr_array_add(words, g_strdup_printf("port=%d", g_uri_get_port(uri)));
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(words, FALSE);
}

static char **nbdkit_arguments(
	const struct block_config *config, enum image_place place, GError **error)
{
	g_autofree char *url = g_strdup_printf("url=%s", config->path);
	const char *words[] = { "nbdkit", "--readonly", "curl", url, NULL };

	if (place == IMAGE_SSH)
		return ssh_arguments(config, error);
	if (!config->read_only) {
		fail(error, VITRINE_ERROR_INPUT,
			"a web server's file can only be read; use readonly=on, or snapshot=on to "
			"write elsewhere");
		return NULL;
	}
	return g_strdupv((char **)words);
}

static struct nbd_image *image_new(const struct block_config *config, const char *format)
{
	struct nbd_image *image = g_new0(struct nbd_image, 1);

	image->backend = (struct block_backend) {
		.path = g_strdup(config->path),
		.format = g_intern_string(
			format), /* one of image_formats; the name may be a command's */
		.read_only = config->read_only,
		.discard = config->discard && !config->read_only,
		.no_flush = config->no_flush,
		.write_through = config->write_through,
	};
	image->image_fd = -1;
	return image;
}

static struct block_backend *open_with_helper(const struct block_config *config, const char *format,
	const char *file, int image_fd, GError **error)
{
	bool is_file = image_fd < 0 && image_place(file) == IMAGE_FILE;
	struct nbd_image *image;
	struct stat status;
	bool is_device;

	if (is_file && (stat(file, &status) < 0 ||
			       access(file, config->read_only ? R_OK : R_OK | W_OK) < 0)) {
		fail_errno(error, VITRINE_ERROR_HOST, "cannot open it");
		return NULL;
	}
	is_device = is_file && S_ISBLK(status.st_mode);
	image = image_new(config, format);

	image->arguments = qemu_nbd_arguments(config, format, file, is_device);
	image->package = "qemu-utils";
	image->image_fd = image_fd;
	if (is_file)
		image->file = g_strdup(file);
	return nbd_image_open(image, error);
}

/* An empty qcow2 image over @base in a file without a name; -1 with @error. */
static int make_overlay(const char *base, const char *base_format, GError **error)
{
	g_autofree char *folder = g_dir_make_tmp("vitrine-XXXXXX", error);
	g_autofree char *file = NULL;
	g_autofree char *absolute = NULL;
	g_autofree char *words = NULL;
	g_autoptr(GError) why = NULL;
	int status = 0;
	int fd = -1;

	if (!folder)
		return -1;
	file = g_build_filename(folder, "overlay", NULL);
	absolute = image_place(base) == IMAGE_FILE ? g_canonicalize_filename(base, NULL)
						   : g_strdup(base);
	const char *arguments[] = { "qemu-img", "create", "-q", "-f", "qcow2", "-F", base_format,
		"-b", absolute, file, NULL };

	if (!g_spawn_sync(NULL, (char **)arguments, NULL,
		    G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &words,
		    &status, &why))
		fail(error, VITRINE_ERROR_NOT_FOUND,
			"snapshot=on needs qemu-img, which the package qemu-utils has: %s",
			why->message);
	else if (!g_spawn_check_wait_status(status, NULL))
		fail(error, VITRINE_ERROR_HOST, "snapshot=on: %s", g_strstrip(words));
	else if ((fd = open(file, O_RDWR | O_CLOEXEC)) < 0)
		fail_errno(error, VITRINE_ERROR_HOST, "snapshot=on: cannot open %s", file);
	unlink(file);
	rmdir(folder);
	return fd;
}

static struct block_backend *open_snapshot(
	const struct block_config *config, const char *format, GError **error)
{
	g_autofree char *file = g_strdup_printf("/proc/self/fd/%d", NBD_HELPER_IMAGE_FD);
	struct block_config overlay = *config;
	int fd = make_overlay(config->path, format, error);

	overlay.read_only = false;
	/* Nobody needs it after the host has crashed. */
	overlay.no_flush = true;
	return fd < 0 ? NULL : open_with_helper(&overlay, "qcow2", file, fd, error);
}

static struct block_backend *open_nbd(const struct block_config *config, GError **error)
{
	struct nbd_image *image = image_new(config, "raw");

	image->uri = g_strdup(config->path);
	return nbd_image_open(image, error);
}

static struct block_backend *open_with_nbdkit(
	const struct block_config *config, enum image_place place, GError **error)
{
	char **arguments = nbdkit_arguments(config, place, error);
	struct nbd_image *image;

	if (!arguments)
		return NULL;
	image = image_new(config, "raw");
	image->arguments = arguments;
	image->package = "nbdkit";
	return nbd_image_open(image, error);
}

/* The format by the first bytes; "raw" where they cannot be read: opening says why. */
static const char *guess_format(const char *path)
{
	uint8_t head[IMAGE_HEAD];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t length = fd < 0 ? 0 : pread(fd, head, sizeof(head), 0);

	if (fd >= 0)
		close(fd);
	return length > 0 ? image_format_guess(head, length) : "raw";
}

static struct block_backend *open_place(
	const struct block_config *config, enum image_place place, GError **error)
{
	const char *format = config->format;
	bool guessed = !format && place == IMAGE_FILE;

	if (place == IMAGE_UNSUPPORTED) {
		fail(error, VITRINE_ERROR_INPUT,
			"images can be files, nbd://, nbd+unix://, http(s)://, ftp(s)://, ssh:// "
			"and sftp://");
		return NULL;
	}
	if (guessed)
		format = guess_format(config->path);
	if (!format)
		format = "raw";
	if (guessed && strcmp(format, "raw") != 0)
		log_info("disk image %s: it looks like %s and is opened so; say format=%s",
			config->path, format, format);
	if (config->snapshot)
		return open_snapshot(config, format, error);
	if (strcmp(format, "raw") != 0)
		return open_with_helper(config, format, config->path, -1, error);
	if (place == IMAGE_NBD)
		return open_nbd(config, error);
	if (place != IMAGE_FILE)
		return open_with_nbdkit(config, place, error);
	return raw_image_open(config, guessed, error);
}

struct block_backend *block_backend_open(const struct block_config *config, GError **error)
{
	struct block_config changed = *config;
	struct block_backend *backend;

	if (g_str_has_prefix(config->path, "file:") && image_place(config->path) != IMAGE_FILE)
		changed.path += strlen("file://");
	else if (g_str_has_prefix(config->path, "file:"))
		changed.path += strlen("file:");
	backend = open_place(&changed, image_place(changed.path), error);
	if (!backend)
		g_prefix_error(error, "disk image %s: ", config->path);
	return backend;
}
