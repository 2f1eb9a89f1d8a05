/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns the system call in which a thread waits into descriptors to look at. It never says who
 * holds a socket. The thread's memory is read through /proc/PID/mem and not process_vm_readv(2):
 * that one waits for a userfaultfd handler of the process. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hint.h"
#include "proc.h"

#define POLLFDS	     64	   /* of a poll array, at most */
#define SELECT_BITS  4096  /* of an fd_set, at most */
#define FDINFO_BYTES 65536 /* of an epoll's or a ring's list */

static void add_fd(struct hint *hint, uint64_t fd)
{
	if (hint->n == HINT_FDS || fd > INT32_MAX)
		return;
	for (unsigned i = 0; i < hint->n; i++)
		if (hint->fds[i] == fd)
			return;
	hint->fds[hint->n++] = (uint32_t)fd;
}

static int read_memory(int proc_fd, pid_t pid, uint64_t address, void *buf, size_t size)
{
	char path[24], *at = proc_put_u32(path, (uint32_t)pid);
	ssize_t n;
	int fd;

	if (!address || address > INT64_MAX - size)
		return -EFAULT;
	memcpy(at, "/mem", 5);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = pread(fd, buf, size, (off_t)address);
	close(fd);
	return n == (ssize_t)size ? 0 : -EFAULT;
}

/* A connect under way waits for POLLOUT. */
static void from_poll(int proc_fd, pid_t pid, uint64_t address, uint64_t n, struct hint *hint)
{
	struct pollfd fds[POLLFDS];
	size_t count = n < POLLFDS ? (size_t)n : POLLFDS;

	if (!count || read_memory(proc_fd, pid, address, fds, count * sizeof(fds[0])))
		return;
	for (size_t i = 0; i < count; i++)
		if (fds[i].fd >= 0 && fds[i].events & POLLOUT)
			add_fd(hint, (uint64_t)fds[i].fd);
	for (size_t i = 0; i < count; i++)
		if (fds[i].fd >= 0)
			add_fd(hint, (uint64_t)fds[i].fd);
}

/* Writable is what a connect waits for, then exceptional, then readable; newest first. */
static void from_select(int proc_fd, pid_t pid, const uint64_t args[6], struct hint *hint)
{
	static const int order[3] = { 2, 3, 1 };
	uint64_t bits = args[0] < SELECT_BITS ? args[0] : SELECT_BITS;
	unsigned long set[SELECT_BITS / (8 * sizeof(unsigned long))];
	const size_t word_bits = 8 * sizeof(set[0]);
	size_t words = (size_t)(bits + word_bits - 1) / word_bits;

	for (int s = 0; words && s < 3; s++) {
		if (read_memory(proc_fd, pid, args[order[s]], set, words * sizeof(set[0])))
			continue;
		for (uint64_t fd = bits; fd-- > 0;)
			if (set[fd / word_bits] & 1ul << fd % word_bits)
				add_fd(hint, fd);
	}
}

static int read_fdinfo(int proc_fd, pid_t pid, uint64_t fd, char *text, size_t *len)
{
	char path[40], *at = proc_put_u32(path, (uint32_t)pid);

	if (fd > INT32_MAX)
		return -EBADF;
	memcpy(at, "/fdinfo/", 8);
	*proc_put_u32(at + 8, (uint32_t)fd) = 0;
	return proc_read(proc_fd, path, text, FDINFO_BYTES, len);
}

bool hint_ring_holds(int proc_fd, pid_t pid, uint32_t ring_fd, uint32_t inode, bool *hidden)
{
	char text[FDINFO_BYTES];
	size_t len;

	return !read_fdinfo(proc_fd, pid, ring_fd, text, &len) &&
	       hint_parse_ring(text, len, inode, hidden);
}

static void from_epoll(int proc_fd, pid_t pid, uint64_t epoll_fd, uint32_t inode, struct hint *hint)
{
	char text[FDINFO_BYTES];
	size_t len;
	uint32_t fd;

	if (!read_fdinfo(proc_fd, pid, epoll_fd, text, &len) &&
	    !hint_parse_epoll(text, len, inode, &fd))
		add_fd(hint, fd);
}

/* A 32-bit process on a 64-bit kernel has other numbers: then the hint is wrong or missing, and
 * not confirmed. */
static void from_call(int proc_fd, pid_t pid, uint32_t inode, bool memory,
		      const struct hint_call *call, struct hint *hint)
{
	bool hidden = false;

	switch (call->number) {
	case SYS_connect:
	case SYS_sendto: /* MSG_FASTOPEN connects too */
	case SYS_sendmsg:
	case SYS_sendmmsg:
		add_fd(hint, call->args[0]);
		break;
#ifdef SYS_poll
	case SYS_poll:
#endif
	case SYS_ppoll:
		if (memory)
			from_poll(proc_fd, pid, call->args[0], call->args[1], hint);
		break;
#ifdef SYS_select
	case SYS_select:
#endif
	case SYS_pselect6:
		if (memory)
			from_select(proc_fd, pid, call->args, hint);
		break;
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
#endif
#ifdef SYS_epoll_pwait2
	case SYS_epoll_pwait2:
#endif
	case SYS_epoll_pwait:
		from_epoll(proc_fd, pid, call->args[0], inode, hint);
		break;
#ifdef SYS_io_uring_enter
	case SYS_io_uring_enter:
		if (call->args[0] <= INT32_MAX &&
		    hint_ring_holds(proc_fd, pid, (uint32_t)call->args[0], inode, &hidden)) {
			add_fd(hint, call->args[0]);
			hint->in_ring = true;
		}
		break;
#endif
	default:
		break;
	}
}

int hint_thread(int proc_fd, pid_t pid, pid_t tid, uint32_t inode, bool memory, struct hint *hint)
{
	char path[48], *at = proc_put_u32(path, (uint32_t)pid), text[256];
	struct hint_call call;
	size_t len;
	int error;

	memset(hint, 0, sizeof(*hint));
	if (tid != pid) {
		memcpy(at, "/task/", 6);
		at = proc_put_u32(at + 6, (uint32_t)tid);
	}
	memcpy(at, "/syscall", 9);
	error = proc_read(proc_fd, path, text, sizeof(text), &len);
	if (error)
		return error;
	error = hint_parse_call(text, len, &call);
	if (error == -EBUSY)
		hint->running = true;
	else if (!error)
		from_call(proc_fd, pid, inode, memory, &call, hint);
	return 0;
}
