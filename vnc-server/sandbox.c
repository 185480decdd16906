/* Locking a server down before it reads a byte from the network.
 *
 * Three layers: no new privileges; Landlock, which knows paths and ports; a list of allowed system calls.
 *
 * A call that is not on the list fails with ENOSYS, as on a kernel that does not have it: libraries try new calls first
 * and fall back, and a picture must not go away because of an update of the C library. Opening files fails with EACCES,
 * which libraries expect. A few calls that only an intruder makes end the process: the server is restarted with nothing
 * lost but connections.
 */
#include "vnc-server/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

/* The sanitizers' run-time libraries open /proc, start tracers and map what they like: in such a build files and system
 * calls are left alone, so that they can report what is tested for. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static const int allowed[] = {
	/* Descriptors that are open */
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(dup),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),
	SCMP_SYS(lseek),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(eventfd2),
	SCMP_SYS(pipe2),
	/* Sockets: new ones only by accepting, or in pairs */
	SCMP_SYS(accept4),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(socketpair),
	/* Memory; mmap and mprotect stand below */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	/* Threads of GLib's D-Bus and its pool */
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(futex),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_getattr),
	SCMP_SYS(gettid),
	SCMP_SYS(exit),
	SCMP_SYS(membarrier),
	/* Signals and the end */
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit_group),
	SCMP_SYS(tgkill),
	/* Time, randomness, who we are */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
};

/* Calls that look at files: a refusal that libraries know. */
static const int denied[] = {
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(openat2),
	SCMP_SYS(creat),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(socket),
	SCMP_SYS(connect),
};

static const int fatal[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(bpf),
	SCMP_SYS(mount),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(add_key),
	SCMP_SYS(keyctl),
};

static int add_rules(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++)
		result = seccomp_rule_add(filter, action, calls[i], 0);
	return result;
}

/* Memory that is mapped or changed may not become executable. */
static int add_memory_rules(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, not_executable);

	if (result == 0)
		result = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_executable);
	return result;
}

/* prctl() only for naming a thread and the memory of a heap. */
static int add_prctl_rules(scmp_filter_ctx filter)
{
	int result = seccomp_rule_add(
		filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));

#ifdef PR_SET_VMA
	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
			SCMP_A0(SCMP_CMP_EQ, PR_SET_VMA));
#endif
	return result;
}

/* The C library asks for the state of an open file by an empty path; by any other path it is a look at files. */
static int add_stat_rules(scmp_filter_ctx filter)
{
	int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
		SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH));

	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(newfstatat), 1,
			SCMP_A3(SCMP_CMP_NE, AT_EMPTY_PATH));
	return result;
}

static int load_filter(scmp_filter_ctx filter, bool removes_files)
{
	int result = add_rules(filter, SCMP_ACT_ALLOW, allowed, G_N_ELEMENTS(allowed));

	if (result == 0)
		result = add_rules(filter, SCMP_ACT_ERRNO(EACCES), denied, G_N_ELEMENTS(denied));
	if (result == 0)
		result = add_rules(filter, SCMP_ACT_KILL_PROCESS, fatal, G_N_ELEMENTS(fatal));
	if (result == 0)
		result = add_memory_rules(filter);
	if (result == 0)
		result = add_stat_rules(filter);
	if (result == 0)
		result = add_prctl_rules(filter);
	if (result == 0 && removes_files)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(unlink), 0);
	return result == 0 ? seccomp_load(filter) : result;
}

static bool filter_calls(bool removes_files, GError **error)
{
	scmp_filter_ctx filter;
	int result = -ENOMEM;

	filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (filter)
		result = load_filter(filter, removes_files);
	seccomp_release(filter);
	if (result == 0)
		return true;
	errno = -result;
	return fail_errno(error, VITRINE_ERROR_HOST,
		"cannot restrict the system calls of this process; a kernel with seccomp filters "
		"is needed");
}

/* The rights of the first version and of those after it, as far as the kernel knows them. */
static uint64_t handled_rights(long version)
{
	uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (version >= 2)
		rights |= 1ull << 13; /* moving files between folders */
	if (version >= 3)
		rights |= 1ull << 14; /* truncating files */
	return rights;
}

/* Files may be removed in the folder of @path; nothing else there. */
static bool allow_removal(int ruleset, const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_REMOVE_FILE,
		.parent_fd = open(folder, O_PATH | O_CLOEXEC),
	};
	bool added = rule.parent_fd >= 0 && syscall(SYS_landlock_add_rule, ruleset,
						    LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;

	if (rule.parent_fd >= 0)
		close(rule.parent_fd);
	return added;
}

static bool restrict_files(const char *const *removable, GError **error)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr rules = { .handled_access_fs = handled_rights(version) };
	bool done = true;
	int ruleset;

	if (version < 1)
		return true;
	ruleset = syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (ruleset < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot make a Landlock ruleset");
	for (size_t i = 0; removable[i] && done; i++)
		done = allow_removal(ruleset, removable[i]);
	done = done && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	if (!done)
		fail_errno(error, VITRINE_ERROR_HOST, "cannot shut out files with Landlock");
	close(ruleset);
	return done;
}

bool sandbox_enter(const char *const *removable, GError **error)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail_errno(error, VITRINE_ERROR_HOST, "cannot give up new privileges");
	if (SANITIZED)
		return true;
	return restrict_files(removable, error) && filter_calls(removable[0] != NULL, error);
}
