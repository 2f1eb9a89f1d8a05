/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Describes a process from its /proc folder. It reads; it never judges what it read. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "clock.h"
#include "describe.h"
#include "exe_place.h"
#include "paths.h"
#include "poses.h"
#include "proc.h"

#define CGROUP_BYTES 8192

void describe_init(struct describe *describe, int proc_fd)
{
	memset(describe, 0, sizeof(*describe));
	describe->proc_fd = proc_fd;
	describe->ticks = sysconf(_SC_CLK_TCK);
}

bool describe_copy(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);
	bool cut = len >= size;

	if (cut)
		len = size - 1;
	memcpy(out, text, len);
	out[len] = 0;
	return cut;
}

void describe_clear(struct owner *owner)
{
	struct owner empty;

	owner_init(&empty);
	empty.how = owner->how;
	empty.why = owner->why;
	empty.cut = owner->cut & OWNER_CUT_HOLDERS;
	empty.has_socket = owner->has_socket;
	empty.socket_state = owner->socket_state;
	empty.socket_uid = owner->socket_uid;
	empty.inode = owner->inode;
	empty.cookie = owner->cookie;
	empty.cgroup_id = owner->cgroup_id;
	memcpy(empty.holders, owner->holders, sizeof(empty.holders));
	empty.n_holders = owner->n_holders;
	empty.lookup_us = owner->lookup_us;
	empty.lookup_fds = owner->lookup_fds;
	*owner = empty;
}

/* Which program a process runs, read before and after everything else: pid and start time stay
 * when it executes another one. A new program has a new stack at a random place, so one that
 * executes itself is seen too. */
struct identity {
	char exe[OWNER_PATH_BYTES]; /* as the kernel gives it */
	int error;		    /* of exe */
	bool cut;
	struct path_exe file;
	uint64_t start_stack;
};

static int read_identity(int dir_fd, struct identity *id)
{
	struct proc_stat stat;

	memset(id, 0, sizeof(*id));
	if (proc_stat_of(dir_fd, &stat))
		return -ESRCH;
	id->start_stack = stat.start_stack;
	id->error = proc_link(dir_fd, "exe", id->exe, sizeof(id->exe), &id->cut);
	if (id->error == -ENAMETOOLONG)
		id->cut = true;
	if (path_exe(dir_fd, &id->file))
		id->file = (struct path_exe){ .links = 1 };
	return 0;
}

static bool same_program(const struct identity *a, const struct identity *b)
{
	return a->start_stack == b->start_stack && a->file.dev == b->file.dev &&
	       a->file.ino == b->file.ino && a->error == b->error && !strcmp(a->exe, b->exe);
}

/* The kernel appends " (deleted)" to the path of an unlinked file (d_path(), fs/d_path.c), but a
 * file can be named so. Only one without any name left is known to be deleted. */
static void take_exe(const struct identity *id, struct owner *owner)
{
	static const char tail[] = " (deleted)";
	static const char memfd[] = "/memfd:";
	const size_t n = sizeof(tail) - 1;
	size_t len = strlen(id->exe);

	memcpy(owner->exe, id->exe, len + 1);
	if (id->cut)
		owner->cut |= OWNER_CUT_EXE;
	if (id->file.links || len <= n || memcmp(owner->exe + len - n, tail, n))
		return;
	owner->exe[len - n] = 0;
	owner->exe_memfd = !strncmp(owner->exe, memfd, sizeof(memfd) - 1);
	owner->exe_deleted = true;
}

/* A folder that is deeper than the kernel's page has no path (d_path(), ENAMETOOLONG). */
static void read_cwd(int dir_fd, struct owner *owner)
{
	bool cut = false;
	int error = proc_link(dir_fd, "cwd", owner->cwd, sizeof(owner->cwd), &cut);

	if (cut || error == -ENAMETOOLONG)
		owner->cut |= OWNER_CUT_CWD;
}

/* Only anonymous memory is read here and for environ (FOLL_ANON, mm/gup.c, since Linux 4.17), so
 * no fault of the process's making is waited for. Its mmap_lock is, as long as it likes, but that
 * wait can be killed (mmap_read_lock_killable() in __access_remote_vm(), mm/memory.c). */
static void read_cmdline(int pid_fd, struct owner *owner)
{
	char probe[OWNER_CMDLINE_BYTES];
	size_t len;

	/* One byte more than is kept tells whether there was more. */
	if (proc_read(pid_fd, "cmdline", probe, sizeof(probe), &len))
		return;
	if (len == sizeof(probe)) {
		owner->cut |= OWNER_CUT_CMDLINE;
		len--;
	}
	memcpy(owner->cmdline, probe, len);
	owner->cmdline[len] = 0;
	owner->cmdline_bytes = len;
}

static void read_cgroup(int pid_fd, struct owner *owner)
{
	struct cgroup_names names;
	char text[CGROUP_BYTES];
	size_t len;

	if (proc_read(pid_fd, "cgroup", text, sizeof(text), &len))
		return;
	cgroup_parse(text, len, &names);
	memcpy(owner->unit, names.unit, sizeof(owner->unit));
	memcpy(owner->container, names.container, sizeof(owner->container));
}

static void read_login_uid(int pid_fd, struct owner *owner)
{
	char text[16];
	uint32_t uid;
	size_t len;

	if (!proc_read(pid_fd, "loginuid", text, sizeof(text), &len) &&
	    !proc_parse_u32(text, len, &uid))
		owner->login_uid = uid;
}

/* A parent that started after its child is another process with that pid. */
static void read_parents(const struct describe *describe, pid_t ppid, struct owner *owner)
{
	uint64_t child_start = owner->proc.start_ticks;

	while (ppid > 0) {
		struct owner_ref ref;
		pid_t next;
		int fd, error;

		if (owner->n_parents == OWNER_PARENTS) {
			owner->cut |= OWNER_CUT_PARENTS;
			return;
		}
		if (proc_open_pid(describe->proc_fd, ppid, &fd))
			return;
		error = proc_ref(fd, ppid, &ref, &next);
		close(fd);
		if (error || ref.start_ticks > child_start)
			return;
		owner->parents[owner->n_parents++] = ref;
		child_start = ref.start_ticks;
		ppid = next;
	}
}

/* proc(5): start times count from the boot on CLOCK_BOOTTIME. Asked anew each time, since the real
 * time may be set; /proc/stat's btime would be whole seconds only. */
static int64_t start_ns(const struct describe *describe, uint64_t ticks)
{
	uint64_t hz = (uint64_t)describe->ticks;
	int64_t boot_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);

	return boot_ns + (int64_t)(ticks / hz * 1000000000ull + ticks % hz * (1000000000ull / hz));
}

/* The folder of a thread that lives; of the given one, or of the first. -1: there is none. */
static int open_thread(int pid_fd, pid_t pid, pid_t tid)
{
	int task_fd = openat(pid_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	DIR *task = task_fd >= 0 ? fdopendir(task_fd) : NULL;
	struct dirent *entry;

	if (!task) {
		if (task_fd >= 0)
			close(task_fd);
		return -1;
	}
	while (fd < 0 && (entry = readdir(task))) {
		struct proc_stat stat;
		uint32_t number;

		if (proc_parse_u32(entry->d_name, strlen(entry->d_name), &number) ||
		    (pid_t)number == pid || (tid && tid != pid && (pid_t)number != tid))
			continue;
		fd = openat(task_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 &&
		    (proc_stat_of(fd, &stat) || stat.state == 'Z' || stat.state == 'X')) {
			close(fd);
			fd = -1;
		}
	}
	closedir(task);
	return fd;
}

/* -EAGAIN: it became another program meanwhile. dir_fd: pid_fd, or a thread's. */
static int describe_program(const struct describe *describe, int dir_fd, pid_t ppid,
			    struct owner *owner)
{
	struct identity before, after;

	if (read_identity(dir_fd, &before))
		return -ESRCH;
	take_exe(&before, owner);
	exe_place_fill(dir_fd, describe->places, owner);
	read_cwd(dir_fd, owner);
	read_login_uid(dir_fd, owner);
	read_cgroup(dir_fd, owner);
	read_parents(describe, ppid, owner);
	if (!describe->spared)
		read_cmdline(dir_fd, owner);
	describe_script(dir_fd, describe->spared, owner);
	if (before.error == -EACCES || before.error == -EPERM)
		owner->script_why = OWNER_WHY_DENIED;
	owner->poses = !describe->spared && poses(owner);
	if (read_identity(dir_fd, &after))
		return -ESRCH;
	return same_program(&before, &after) ? 0 : -EAGAIN;
}

static int describe_once(const struct describe *describe, int pid_fd, pid_t pid, pid_t tid,
			 struct owner *owner)
{
	struct proc_stat before, after;
	struct proc_status status;
	int error, thread_fd = -1;

	describe_clear(owner);
	if (proc_stat_of(pid_fd, &before) || proc_status_of(pid_fd, &status))
		return -ESRCH;
	owner->proc.pid = pid;
	owner->proc.uid = status.uid;
	owner->proc.start_ticks = before.start_ticks;
	memcpy(owner->proc.comm, before.comm, sizeof(owner->proc.comm));
	owner->euid = status.euid;
	owner->gid = status.gid;
	owner->start_ns = start_ns(describe, before.start_ticks);
	if (before.state == 'Z') /* pthread_exit(3) in main() leaves the others */
		thread_fd = open_thread(pid_fd, pid, tid);
	error = describe_program(describe, thread_fd < 0 ? pid_fd : thread_fd, before.ppid, owner);
	if (thread_fd >= 0)
		close(thread_fd);
	if (proc_stat_of(pid_fd, &after) || after.start_ticks != before.start_ticks)
		return -ESRCH;
	return error;
}

/* What may be of one program or of the other is not told. */
static void forget_program(struct owner *owner)
{
	struct owner known = *owner;

	describe_clear(owner);
	owner->proc = known.proc;
	owner->euid = known.euid;
	owner->gid = known.gid;
	owner->login_uid = known.login_uid;
	owner->start_ns = known.start_ns;
	memcpy(owner->unit, known.unit, sizeof(owner->unit));
	memcpy(owner->container, known.container, sizeof(owner->container));
	memcpy(owner->parents, known.parents, sizeof(owner->parents));
	owner->n_parents = known.n_parents;
	owner->cut |= known.cut & OWNER_CUT_PARENTS;
	owner->script_why = OWNER_WHY_EXEC;
}

int describe_process(const struct describe *describe, int pid_fd, pid_t pid, pid_t tid,
		     struct owner *owner)
{
	int error = describe_once(describe, pid_fd, pid, tid, owner);

	if (error == -EAGAIN)
		error = describe_once(describe, pid_fd, pid, tid, owner);
	if (error == -EAGAIN) {
		forget_program(owner);
		error = 0;
	}
	if (error)
		describe_clear(owner);
	return error;
}
