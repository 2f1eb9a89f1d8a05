/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns the system call in which a thread waits into descriptors to look at. It never says who
 * holds a socket, and reads nothing of the process but the call's numbers. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "hint.h"
#include "proc.h"

static void add_fd(struct hint *hint, uint64_t fd)
{
	if (hint->n == HINT_FDS || fd > INT32_MAX)
		return;
	for (unsigned i = 0; i < hint->n; i++)
		if (hint->fds[i] == fd)
			return;
	hint->fds[hint->n++] = (uint32_t)fd;
}

/* A 32-bit process on a 64-bit kernel has other numbers: then the hint is wrong or missing, and
 * not confirmed. */
static void from_call(const struct hint_call *call, struct hint *hint)
{
	switch (call->number) {
	case SYS_connect:
	case SYS_sendto: /* MSG_FASTOPEN connects too */
	case SYS_sendmsg:
	case SYS_sendmmsg:
		add_fd(hint, call->args[0]);
		break;
#ifdef SYS_select
	case SYS_select:
#endif
	case SYS_pselect6: /* select(2): the first argument is the highest descriptor plus one */
		if (call->args[0])
			add_fd(hint, call->args[0] - 1);
		hint->waits = true;
		break;
#ifdef SYS_poll
	case SYS_poll:
#endif
	case SYS_ppoll:
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
#endif
#ifdef SYS_epoll_pwait2
	case SYS_epoll_pwait2:
#endif
	case SYS_epoll_pwait:
#ifdef SYS_io_uring_enter
	case SYS_io_uring_enter:
#endif
		hint->waits = true;
		break;
	default:
		break;
	}
}

int hint_thread(int proc_fd, pid_t pid, pid_t tid, struct hint *hint)
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
		from_call(&call, hint);
	return 0;
}
