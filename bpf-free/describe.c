/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Describes a process from its /proc folder. It reads; it never judges what it read. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "clock.h"
#include "describe.h"
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

/* The kernel appends " (deleted)" to the path of an unlinked file (d_path(), fs/d_path.c); a
 * file whose name ends so is taken for deleted, which is the careful way to be wrong. */
static int read_exe(int pid_fd, struct owner *owner)
{
	static const char tail[] = " (deleted)";
	static const char memfd[] = "/memfd:";
	const size_t n = sizeof(tail) - 1;
	size_t len;
	bool cut;
	int error = proc_link(pid_fd, "exe", owner->exe, sizeof(owner->exe), &cut);

	if (error)
		return error;
	if (cut)
		owner->cut |= OWNER_CUT_EXE;
	len = strlen(owner->exe);
	if (len <= n || memcmp(owner->exe + len - n, tail, n))
		return 0;
	owner->exe[len - n] = 0;
	owner->exe_memfd = !strncmp(owner->exe, memfd, sizeof(memfd) - 1);
	owner->exe_deleted = true;
	return 0;
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

int describe_process(const struct describe *describe, int pid_fd, pid_t pid, struct owner *owner)
{
	struct proc_stat before, after;
	struct proc_status status;
	bool cut;
	int error;

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
	error = read_exe(pid_fd, owner);
	if (!proc_link(pid_fd, "cwd", owner->cwd, sizeof(owner->cwd), &cut) && cut)
		owner->cut |= OWNER_CUT_CWD;
	read_login_uid(pid_fd, owner);
	read_cgroup(pid_fd, owner);
	read_parents(describe, before.ppid, owner);
	if (!describe->spared)
		read_cmdline(pid_fd, owner);
	describe_script(pid_fd, describe->spared, owner);
	if (error == -EACCES || error == -EPERM)
		owner->script_why = OWNER_WHY_DENIED;
	if (proc_stat_of(pid_fd, &after) || after.start_ticks != before.start_ticks) {
		describe_clear(owner);
		return -ESRCH;
	}
	return 0;
}
