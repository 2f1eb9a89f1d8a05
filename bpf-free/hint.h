/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a thread that made a connection most likely holds it: /proc/PID/task/TID/syscall
 * (proc_pid_syscall(5)) says in which system call it waits and with which arguments. A hint is
 * never an answer: whoever uses it confirms the descriptor in the fd table.
 *
 * PHP's fsockopen, python with a timeout, curl and perl connect without blocking and wait in
 * poll, select or epoll; a blocking connect waits in connect itself.
 *
 * What such a call waits for stands in the process's memory or in the fdinfo of its epoll, and
 * neither is read: who owns the process can make both reads wait where not even SIGKILL ends
 * them. A fault in a page of a FUSE mount waits for its daemon (request_wait_answer(),
 * fs/fuse/dev.c), and ep_show_fdinfo() (fs/eventpoll.c) for a mutex that is held over such a
 * fault. The fdinfo of an io_uring is safe, but between a look at what the descriptor is and the
 * read it can become an epoll. So those calls only say that the newest descriptors are worth a
 * look.
 */
#ifndef BPF_FREE_HINT_H
#define BPF_FREE_HINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HINT_FDS 8

struct hint {
	uint32_t fds[HINT_FDS]; /* most likely first */
	unsigned n;
	bool waits;   /* for descriptors that the call does not name: try the newest */
	bool running; /* not waiting: nothing is known, ask again */
};

struct hint_call {
	long number;
	uint64_t args[6];
};

/* The text of /proc/PID/syscall; pure. -EBUSY: "running"; -ENOENT: it waits in no system call;
 * -EBADMSG. */
int hint_parse_call(const char *text, size_t len, struct hint_call *call);
/* Fills *hint for one thread. -errno when it can't be asked. May wait while the process executes
 * another program, but can be killed then (lock_trace(), fs/proc/base.c). */
int hint_thread(int proc_fd, pid_t pid, pid_t tid, struct hint *hint);

#endif
