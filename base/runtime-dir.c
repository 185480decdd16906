/* The registry of running guests: making and removing a guest's directory, and reading those of others. */
#include "base/runtime-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define RECORD_FILE      "guest.json"
#define RECORD_TEMPORARY "guest.json.new"
#define LOCK_FILE        "lock"
#define NAME_CHARACTERS  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

/* How often a directory may be removed by its last owner between our finding and our locking it. */
enum {
	LOCK_TRIES = 16
};

struct runtime_dir {
	char *name;
	char *path;
	char *base;       /* the folder of all guests' directories */
	bool made_base;   /* it was not there before this guest */
	bool published;   /* others may have seen the guest, and look for more in the base */
	GPtrArray *files; /* names, removed at the end */
	int fd;           /* the directory */
	int lock;         /* held while this is open */
};

bool runtime_name_check(const char *name, GError **error)
{
	size_t length = strlen(name);

	if (length >= 1 && length <= RUNTIME_NAME_MAX && strspn(name, NAME_CHARACTERS) == length &&
		name[0] != '.' && name[0] != '-')
		return true;
	return fail(error, VITRINE_ERROR_INPUT,
		"\"%s\" is no name for a guest: 1 to %d characters A-Z a-z 0-9 . _ - are possible, "
		"the first no . or -",
		name, RUNTIME_NAME_MAX);
}

char *runtime_base(const char *base, GError **error)
{
	const char *session = g_getenv("XDG_RUNTIME_DIR");

	if (base)
		return g_strdup(base);
	if (session && session[0] == '/')
		return g_build_filename(session, "vitrine", NULL);
	if (geteuid() == 0)
		return g_strdup("/run/vitrine");
	fail(error, VITRINE_ERROR_HOST,
		"there is no runtime directory: set XDG_RUNTIME_DIR, or name a folder with "
		"-runtime-dir DIR");
	return NULL;
}

/* --- locking --- */

static struct flock whole_file(short type)
{
	return (struct flock) { .l_type = type, .l_whence = SEEK_SET };
}

/* Whether somebody holds the lock; nobody is disturbed by asking. */
static bool is_locked(int directory)
{
	struct flock lock = whole_file(F_WRLCK);
	int fd = openat(directory, LOCK_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool locked;

	if (fd < 0)
		return false;
	locked = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	close(fd);
	return locked;
}

static bool write_process_number(int fd)
{
	g_autofree char *text = g_strdup_printf("%d\n", (int)getpid());
	ssize_t length = strlen(text);

	return ftruncate(fd, 0) == 0 && pwrite(fd, text, length, 0) == length;
}

static bool fail_busy(int fd, const char *name, GError **error)
{
	char text[16] = "";
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	int pid = length > 0 ? atoi(text) : 0;
	g_autofree char *who = pid > 0 ? g_strdup_printf(" (pid %d)", pid) : g_strdup("");

	return fail(error, VITRINE_ERROR_BUSY,
		"a guest named %s is running already%s; choose another -name", name, who);
}

/* Whether the locked file is still the one in the directory: its last owner may have removed it meanwhile. */
static bool is_current(const struct runtime_dir *dir)
{
	g_autofree char *path = g_build_filename(dir->path, LOCK_FILE, NULL);
	struct stat held, found;

	return fstat(dir->lock, &held) == 0 && lstat(path, &found) == 0 &&
	       held.st_dev == found.st_dev && held.st_ino == found.st_ino;
}

static void close_both(struct runtime_dir *dir)
{
	if (dir->lock >= 0)
		close(dir->lock);
	if (dir->fd >= 0)
		close(dir->fd);
	dir->lock = -1;
	dir->fd = -1;
}

/* --- the guest's own side --- */

static bool make_base(struct runtime_dir *dir, GError **error)
{
	if (g_file_test(dir->base, G_FILE_TEST_IS_DIR))
		return true;
	if (g_mkdir_with_parents(dir->base, 0700) < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot create %s", dir->base);
	dir->made_base = true;
	return true;
}

/* Succeeds without an open directory when its last owner, or that of the base, removed it under us. */
static bool open_directory(struct runtime_dir *dir, GError **error)
{
	struct stat status;

	if (!make_base(dir, error))
		return false;
	if (mkdir(dir->path, 0700) < 0 && errno != EEXIST)
		return errno == ENOENT ||
		       fail_errno(error, VITRINE_ERROR_HOST, "cannot create %s", dir->path);
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir->fd < 0 && errno == ENOENT)
		return true;
	if (dir->fd < 0 || fstat(dir->fd, &status) < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot open %s", dir->path);
	if (status.st_uid != geteuid())
		return fail(error, VITRINE_ERROR_HOST,
			"%s belongs to another user; remove it, or choose another -name",
			dir->path);
	if (fchmod(dir->fd, 0700) < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot make %s private", dir->path);
	return true;
}

/* Opens and locks; @again is set when the directory was removed under us and all is to be done anew. */
static bool lock_directory(struct runtime_dir *dir, bool *again, GError **error)
{
	struct flock lock = whole_file(F_WRLCK);

	*again = false;
	if (!open_directory(dir, error))
		return false;
	if (dir->fd >= 0)
		dir->lock = openat(dir->fd, LOCK_FILE,
			O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (dir->fd < 0 || (dir->lock < 0 && errno == ENOENT)) {
		*again = true;
		return true;
	}
	if (dir->lock < 0)
		return fail_errno(
			error, VITRINE_ERROR_HOST, "cannot open %s/" LOCK_FILE, dir->path);
	if (fcntl(dir->lock, F_OFD_SETLK, &lock) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			return fail_busy(dir->lock, dir->name, error);
		return fail_errno(
			error, VITRINE_ERROR_HOST, "cannot lock %s/" LOCK_FILE, dir->path);
	}
	*again = !is_current(dir);
	return true;
}

/* What a dead guest left: its record, and sockets that nobody can be listening on. */
static void remove_leftovers(const struct runtime_dir *dir)
{
	GDir *entries = g_dir_open(dir->path, 0, NULL);
	const char *file;

	while (entries && (file = g_dir_read_name(entries))) {
		struct stat status;
		bool is_socket = fstatat(dir->fd, file, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
				 S_ISSOCK(status.st_mode);

		if (is_socket || g_str_equal(file, RECORD_FILE) ||
			g_str_equal(file, RECORD_TEMPORARY))
			unlinkat(dir->fd, file, 0);
	}
	g_clear_pointer(&entries, g_dir_close);
}

static void free_dir(struct runtime_dir *dir)
{
	/* A guest that did not come to be leaves nothing; rmdir() spares what others have put there. */
	if (dir->made_base && !dir->published)
		rmdir(dir->base);
	close_both(dir);
	g_free(dir->base);
	g_ptr_array_unref(dir->files);
	g_free(dir->name);
	g_free(dir->path);
	g_free(dir);
}

struct runtime_dir *runtime_dir_create(const char *base, const char *name, GError **error)
{
	g_autofree char *folder = NULL;
	struct runtime_dir *dir;
	bool again = true;

	if (!runtime_name_check(name, error))
		return NULL;
	folder = runtime_base(base, error);
	if (!folder)
		return NULL;
	dir = g_new0(struct runtime_dir, 1);
	*dir = (struct runtime_dir) {
		.name = g_strdup(name),
		.path = g_build_filename(folder, name, NULL),
		.base = g_steal_pointer(&folder),
		.files = g_ptr_array_new_with_free_func(g_free),
		.fd = -1,
		.lock = -1,
	};
	for (int i = 0; again && i < LOCK_TRIES; i++) {
		close_both(dir);
		if (!lock_directory(dir, &again, error)) {
			free_dir(dir);
			return NULL;
		}
	}
	if (again || !write_process_number(dir->lock)) {
		fail(error, VITRINE_ERROR_HOST, "cannot lock %s/" LOCK_FILE, dir->path);
		free_dir(dir);
		return NULL;
	}
	remove_leftovers(dir);
	return dir;
}

const char *runtime_dir_name(const struct runtime_dir *dir)
{
	return dir->name;
}

const char *runtime_dir_path(const struct runtime_dir *dir)
{
	return dir->path;
}

char *runtime_dir_file(struct runtime_dir *dir, const char *file)
{
	if (!g_ptr_array_find_with_equal_func(dir->files, file, g_str_equal, NULL))
		g_ptr_array_add(dir->files, g_strdup(file));
	return g_build_filename(dir->path, file, NULL);
}

static bool write_whole(int fd, const char *text)
{
	size_t length = strlen(text);

	for (size_t done = 0; done < length;) {
		ssize_t written = write(fd, text + done, length - done);

		if (written < 0 && errno != EINTR)
			return false;
		done += MAX(written, 0);
	}
	return true;
}

bool runtime_dir_publish(
	struct runtime_dir *dir, const struct runtime_record *record, GError **error)
{
	g_autofree char *text = runtime_record_format(record, error);
	bool written;
	int fd;

	if (!text)
		return false;
	fd = openat(dir->fd, RECORD_TEMPORARY,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	written = fd >= 0 && write_whole(fd, text);
	if (fd >= 0 && close(fd) < 0)
		written = false;
	if (written && renameat(dir->fd, RECORD_TEMPORARY, dir->fd, RECORD_FILE) == 0) {
		dir->published = true;
		return true;
	}
	fail_errno(error, VITRINE_ERROR_HOST, "cannot write %s/" RECORD_FILE, dir->path);
	unlinkat(dir->fd, RECORD_TEMPORARY, 0);
	return false;
}

void runtime_dir_remove(struct runtime_dir *dir)
{
	if (!dir)
		return;
	unlinkat(dir->fd, RECORD_FILE, 0);
	for (guint i = 0; i < dir->files->len; i++)
		unlinkat(dir->fd, dir->files->pdata[i], 0);
	/* The lock goes last: until then, nobody takes the directory over. */
	unlinkat(dir->fd, LOCK_FILE, 0);
	rmdir(dir->path);
	free_dir(dir);
}

/* --- the readers' side --- */

void runtime_guest_free(struct runtime_guest *guest)
{
	if (!guest)
		return;
	g_free(guest->name);
	g_free(guest->path);
	g_free(guest->problem);
	runtime_record_free(guest->record);
	g_free(guest);
}

const char *runtime_state_name(enum runtime_state state)
{
	static const char *const names[] = {
		[RUNTIME_STARTING] = "starting",
		[RUNTIME_RUNNING] = "alive",
		[RUNTIME_STALE] = "stale",
	};

	return names[state];
}

/* The record in a guest's directory; NULL without an error when there is none yet. */
static struct runtime_record *read_record(int directory, const char *name, GError **error)
{
	g_autofree char *bytes = NULL;
	g_autoptr(runtime_record) record = NULL;
	struct stat status;
	ssize_t length = 0, more = 1;
	int fd = openat(directory, RECORD_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		fail_errno(error, VITRINE_ERROR_HOST, "cannot read " RECORD_FILE);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	bytes = g_malloc(RUNTIME_RECORD_MAX + 1);
	while (more > 0 && length <= RUNTIME_RECORD_MAX) {
		more = read(fd, bytes + length, RUNTIME_RECORD_MAX + 1 - length);
		length += MAX(more, 0);
	}
	close(fd);
	if (more < 0) {
		fail_errno(error, VITRINE_ERROR_HOST, "cannot read " RECORD_FILE);
		return NULL;
	}
	record = runtime_record_parse(bytes, length, error);
	if (record && strcmp(record->name, name) != 0) {
		fail(error, VITRINE_ERROR_INPUT, "it is the record of a guest named %s",
			record->name);
		return NULL;
	}
	return g_steal_pointer(&record);
}

/* The guest of that name, whatever its state; NULL when there is no such directory. */
static struct runtime_guest *read_guest(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	g_autoptr(GError) error = NULL;
	struct runtime_guest *guest;

	if (fd < 0)
		return NULL;
	guest = g_new0(struct runtime_guest, 1);
	guest->name = g_strdup(name);
	guest->path = g_steal_pointer(&path);
	guest->record = read_record(fd, name, &error);
	if (!is_locked(fd))
		guest->state = RUNTIME_STALE;
	else if (guest->record || error)
		guest->state = RUNTIME_RUNNING;
	if (error)
		guest->problem =
			g_strdup_printf("%s/" RECORD_FILE ": %s", guest->path, error->message);
	close(fd);
	return guest;
}

static int by_name(const void *a, const void *b)
{
	const struct runtime_guest *const *one = a, *const *other = b;

	return strcmp((*one)->name, (*other)->name);
}

GPtrArray *runtime_dir_list(const char *base, GError **error)
{
	g_autofree char *folder = runtime_base(base, error);
	g_autoptr(GPtrArray) guests =
		g_ptr_array_new_with_free_func((GDestroyNotify)runtime_guest_free);
	g_autoptr(GError) unreadable = NULL;
	const char *name;
	GDir *entries;

	if (!folder)
		return NULL;
	entries = g_dir_open(folder, 0, &unreadable);
	if (!entries && g_error_matches(unreadable, G_FILE_ERROR, G_FILE_ERROR_NOENT))
		return g_steal_pointer(&guests);
	if (!entries) {
		fail(error, VITRINE_ERROR_HOST, "cannot list the guests: %s", unreadable->message);
		return NULL;
	}
	while ((name = g_dir_read_name(entries))) {
		struct runtime_guest *guest =
			runtime_name_check(name, NULL) ? read_guest(folder, name) : NULL;

		if (guest)
			g_ptr_array_add(guests, guest);
	}
	g_dir_close(entries);
	g_ptr_array_sort(guests, by_name);
	return g_steal_pointer(&guests);
}

static void fail_not_found(const char *base, const char *name, GError **error)
{
	g_autoptr(GPtrArray) guests = runtime_dir_list(base, NULL);
	g_autoptr(GString) names = g_string_new(NULL);

	for (guint i = 0; guests && i < guests->len; i++) {
		const struct runtime_guest *guest = guests->pdata[i];

		if (guest->state == RUNTIME_RUNNING)
			g_string_append_printf(names, "%s%s", names->len ? ", " : "", guest->name);
	}
	if (names->len > 0)
		fail(error, VITRINE_ERROR_NOT_FOUND, "no guest named %s is running; these are: %s",
			name, names->str);
	else
		fail(error, VITRINE_ERROR_NOT_FOUND, "no guest named %s is running, nor any other",
			name);
}

struct runtime_guest *runtime_dir_find(const char *base, const char *name, GError **error)
{
	g_autofree char *folder = NULL;
	g_autoptr(runtime_guest) guest = NULL;

	if (!runtime_name_check(name, error))
		return NULL;
	folder = runtime_base(base, error);
	if (!folder)
		return NULL;
	guest = read_guest(folder, name);
	if (!guest || guest->state == RUNTIME_STALE) {
		fail_not_found(folder, name, error);
		return NULL;
	}
	if (guest->state == RUNTIME_STARTING) {
		fail(error, VITRINE_ERROR_STATE,
			"the guest %s is still starting; try again in a moment", name);
		return NULL;
	}
	if (guest->problem) {
		fail(error, VITRINE_ERROR_INPUT, "%s", guest->problem);
		return NULL;
	}
	return g_steal_pointer(&guest);
}

char *runtime_guest_path(const struct runtime_guest *guest, const char *file)
{
	return g_path_is_absolute(file) ? g_strdup(file)
					: g_build_filename(guest->path, file, NULL);
}
