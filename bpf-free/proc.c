/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens and reads files below /proc. It only reads: nothing is followed, opened for writing or
 * waited for, but the caller must expect that a read of a process's memory may hang. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "proc.h"

int proc_open_pid(int proc_fd, pid_t pid, int *pid_fd)
{
	char name[12];
	int fd;

	if (pid <= 0)
		return -ESRCH;
	*proc_put_u32(name, (uint32_t)pid) = 0;
	fd = openat(proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	*pid_fd = fd;
	return 0;
}

static int read_file(int dir_fd, const char *name, bool once, char *buf, size_t size, size_t *len)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	size_t have = 0;
	int error = 0;

	if (fd < 0)
		return -errno;
	while (have < size) {
		ssize_t n = read(fd, buf + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			error = -errno;
		if (n <= 0)
			break;
		have += (size_t)n;
		if (once)
			break;
	}
	close(fd);
	if (!error)
		*len = have;
	return error;
}

int proc_read(int dir_fd, const char *name, char *buf, size_t size, size_t *len)
{
	return read_file(dir_fd, name, false, buf, size, len);
}

int proc_read_once(int dir_fd, const char *name, char *buf, size_t size, size_t *len)
{
	return read_file(dir_fd, name, true, buf, size, len);
}

int proc_link(int dir_fd, const char *name, char *buf, size_t size, bool *cut)
{
	ssize_t n = readlinkat(dir_fd, name, buf, size);

	if (n < 0)
		return -errno;
	if (cut)
		*cut = (size_t)n == size;
	if ((size_t)n == size)
		n--;
	buf[n] = 0;
	return 0;
}

int proc_stat_of(int pid_fd, struct proc_stat *stat)
{
	char text[1024];
	size_t len;
	int error = proc_read_once(pid_fd, "stat", text, sizeof(text), &len);

	return error ? error : proc_parse_stat(text, len, stat);
}

int proc_status_of(int pid_fd, struct proc_status *status)
{
	/* "Groups:" alone can be 64 Ki numbers; what is asked for stands before and VmSize
	 * after it, so a process with very many groups may look like a kernel thread here: only
	 * its place in the order of the search depends on it. */
	char text[8192];
	size_t len;
	int error = proc_read_once(pid_fd, "status", text, sizeof(text), &len);

	if (error)
		return error;
	error = proc_parse_status(text, len, status);
	if (!error && len == sizeof(text))
		status->kernel_thread = false;
	return error;
}

int64_t proc_start_ns(uint64_t ticks)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	int64_t boot_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);

	return boot_ns + (int64_t)(ticks / hz * 1000000000ull + ticks % hz * (1000000000ull / hz));
}

int proc_ref(int pid_fd, pid_t pid, struct owner_ref *ref, pid_t *ppid)
{
	struct proc_stat stat;
	struct proc_status status;
	int error = proc_stat_of(pid_fd, &stat);

	if (!error)
		error = proc_status_of(pid_fd, &status);
	if (error)
		return error;
	memset(ref, 0, sizeof(*ref));
	ref->pid = pid;
	ref->uid = status.uid;
	ref->start_ticks = stat.start_ticks;
	memcpy(ref->comm, stat.comm, sizeof(ref->comm));
	if (ppid)
		*ppid = stat.ppid;
	return 0;
}
