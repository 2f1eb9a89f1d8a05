/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Describes a process from its /proc folder. It reads; it never judges what it read. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "clock.h"
#include "describe.h"
#include "paths.h"
#include "proc.h"
#include "search.h"

#define CGROUP_BYTES 8192
#define PARENT_NS    (1000 * NS_PER_MS)

void describe_init(struct describe *describe, int proc_fd, struct search_care *care)
{
	memset(describe, 0, sizeof(*describe));
	describe->proc_fd = proc_fd;
	describe->care = care;
	describe->told.uid = describe->told.euid = OWNER_UID_NONE;
	for (size_t i = 0; i < DESCRIBE_PARENTS; i++)
		describe->parents[i].pid_fd = -1;
}

void describe_done(struct describe *describe)
{
	for (size_t i = 0; i < DESCRIBE_PARENTS; i++)
		if (describe->parents[i].pid_fd >= 0)
			close(describe->parents[i].pid_fd);
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

static void read_identity(int dir_fd, const struct proc_stat *stat, struct identity *id)
{
	id->cut = false;
	id->exe[0] = 0;
	id->start_stack = stat->start_stack;
	id->error = proc_link(dir_fd, "exe", id->exe, sizeof(id->exe), &id->cut);
	if (id->error == -ENAMETOOLONG)
		id->cut = true;
	if (path_exe(dir_fd, &id->file))
		id->file = (struct path_exe){ .links = 1 };
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
	if (proc_read_once(pid_fd, "cmdline", probe, sizeof(probe), &len))
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

	if (proc_read_once(pid_fd, "cgroup", text, sizeof(text), &len))
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

	if (!proc_read_once(pid_fd, "loginuid", text, sizeof(text), &len) &&
	    !proc_parse_u32(text, len, &uid))
		owner->login_uid = uid;
}

/* Who is that now? What is kept of it is taken for PARENT_NS, as long as it lives. */
static const struct describe_parent *parent_of(struct describe *describe, pid_t pid)
{
	struct describe_parent *kept = &describe->parents[(uint32_t)pid % DESCRIBE_PARENTS];
	uint64_t now_ns = clock_mono_ns();
	struct stat st;
	int error;

	if (kept->pid_fd >= 0 && (kept->ref.pid != pid || fstatat(kept->pid_fd, "comm", &st, 0))) {
		close(kept->pid_fd);
		kept->pid_fd = -1;
	}
	if (kept->pid_fd >= 0 && now_ns - kept->read_ns < PARENT_NS)
		return kept;
	if (kept->pid_fd < 0 && proc_open_pid(describe->proc_fd, pid, &kept->pid_fd)) {
		kept->pid_fd = -1;
		return NULL;
	}
	error = proc_ref(kept->pid_fd, pid, &kept->ref, &kept->parent);
	if (error) {
		close(kept->pid_fd);
		kept->pid_fd = -1;
		return NULL;
	}
	kept->read_ns = now_ns;
	return kept;
}

/* A parent that started after its child is another process with that pid. */
static void read_parents(struct describe *describe, pid_t pid, struct owner *owner)
{
	uint64_t child_start = owner->proc.start_ticks;

	while (pid > 0) {
		const struct describe_parent *parent;

		if (owner->n_parents == OWNER_PARENTS) {
			owner->cut |= OWNER_CUT_PARENTS;
			return;
		}
		parent = parent_of(describe, pid);
		if (!parent || parent->ref.start_ticks > child_start)
			return;
		owner->parents[owner->n_parents++] = parent->ref;
		child_start = parent->ref.start_ticks;
		pid = parent->parent;
	}
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
static int describe_program(struct describe *describe, int dir_fd, const struct proc_stat *stat,
			    struct owner *owner)
{
	struct identity before, after;
	struct proc_stat now;
	bool spared;

	read_identity(dir_fd, stat, &before);
	take_exe(&before, owner);
	read_cwd(dir_fd, owner);
	if (describe->told.login)
		owner->login_uid = describe->told.login_uid;
	else
		read_login_uid(dir_fd, owner);
	read_cgroup(dir_fd, owner);
	if (!describe->told.parents)
		read_parents(describe, stat->ppid, owner);
	spared = !search_care_begin_uid(describe->care, owner->proc.uid, owner->euid);
	if (!spared)
		read_cmdline(dir_fd, owner);
	describe_script(dir_fd, spared, owner);
	search_care_end(describe->care);
	if (before.error == -EACCES || before.error == -EPERM)
		owner->script_why = OWNER_WHY_DENIED;
	if (describe->told.programs)
		return 0;
	if (proc_stat_of(dir_fd, &now))
		return -ESRCH;
	read_identity(dir_fd, &now, &after);
	return same_program(&before, &after) ? 0 : -EAGAIN;
}

/*
 * The folder's owner is the effective user and group, unless the process may not be dumped, then it
 * is root (task_dump_owner(), fs/proc/base.c). May it be, its real group is its effective one: what
 * makes them differ takes that away (commit_creds(), begin_new_exec()).
 */
static int read_ids(const struct describe *describe, int pid_fd, struct proc_status *status)
{
	const struct describe_told *told = &describe->told;
	struct stat st;

	if (told->uid != OWNER_UID_NONE && told->uid == told->euid && told->uid != 0 &&
	    !fstat(pid_fd, &st) && st.st_uid == told->uid) {
		status->uid = status->euid = told->uid;
		status->gid = st.st_gid;
		return 0;
	}
	return proc_status_of(pid_fd, status);
}

static int describe_once(struct describe *describe, int pid_fd, pid_t pid, pid_t tid,
			 struct owner *owner)
{
	struct proc_stat stat, thread_stat;
	struct proc_status status;
	struct owner_ref parents[OWNER_PARENTS];
	unsigned n_parents = describe->told.parents ? owner->n_parents : 0;
	uint32_t cut = n_parents ? owner->cut & OWNER_CUT_PARENTS : 0;
	int error, thread_fd = -1;

	memcpy(parents, owner->parents, n_parents * sizeof(parents[0]));
	describe_clear(owner);
	memcpy(owner->parents, parents, n_parents * sizeof(parents[0]));
	owner->n_parents = n_parents;
	owner->cut |= cut;
	if (proc_stat_of(pid_fd, &stat) || read_ids(describe, pid_fd, &status))
		return -ESRCH;
	owner->proc.pid = pid;
	owner->proc.uid = status.uid;
	owner->proc.start_ticks = stat.start_ticks;
	memcpy(owner->proc.comm, stat.comm, sizeof(owner->proc.comm));
	owner->euid = status.euid;
	owner->gid = status.gid;
	owner->start_ns = proc_start_ns(stat.start_ticks);
	if (stat.state == 'Z') /* pthread_exit(3) in main() leaves the others */
		thread_fd = open_thread(pid_fd, pid, tid);
	if (thread_fd < 0)
		return describe_program(describe, pid_fd, &stat, owner);
	error = proc_stat_of(thread_fd, &thread_stat) ? -ESRCH : 0;
	thread_stat.ppid = stat.ppid;
	if (!error)
		error = describe_program(describe, thread_fd, &thread_stat, owner);
	close(thread_fd);
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

int describe_process(struct describe *describe, int pid_fd, pid_t pid, pid_t tid,
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
