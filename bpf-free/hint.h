/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a thread that made a connection most likely holds it: /proc/PID/task/TID/syscall
 * (proc_pid_syscall(5)) says in which system call it waits and with which arguments. A hint is
 * never an answer: whoever uses it confirms the descriptor in the fd table.
 *
 * PHP's fsockopen, python with a timeout, curl and perl connect without blocking and wait in
 * poll, select or epoll; a blocking connect waits in connect itself.
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
	bool in_ring; /* io_uring: the ring fds[0] lists the inode among its own files */
	bool running; /* not waiting: nothing is known, ask again */
};

struct hint_call {
	long number;
	uint64_t args[6];
};

/* The text of /proc/PID/syscall; pure. -EBUSY: "running"; -ENOENT: it waits in no system call;
 * -EBADMSG. */
int hint_parse_call(const char *text, size_t len, struct hint_call *call);
/* The descriptor whose "ino:" is inode in the fdinfo of an epoll descriptor (fs/eventpoll.c
 * ep_show_fdinfo()); pure. -ENOENT. */
int hint_parse_epoll(const char *text, size_t len, uint32_t inode, uint32_t *fd);
/* Does the fdinfo of an io_uring list the socket (io_uring/fdinfo.c)? Pure. *hidden: it has
 * files of its own, but the kernel did not say which. */
bool hint_parse_ring(const char *text, size_t len, uint32_t inode, bool *hidden);

/* Fills *hint for one thread. memory: its memory may be read. -errno when it can't be asked. */
int hint_thread(int proc_fd, pid_t pid, pid_t tid, uint32_t inode, bool memory,
		struct hint *hint);
/* Asks a ring's fdinfo. */
bool hint_ring_holds(int proc_fd, pid_t pid, uint32_t ring_fd, uint32_t inode, bool *hidden);

#endif
