/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading /proc/PID (proc(5)). Everything goes through a descriptor of the /proc/PID folder: it
 * is bound to that one process, so a pid that is used again gives ESRCH there, never a stranger.
 * Contents are what the process chose: bounded, never trusted.
 */
#ifndef BPF_FREE_PROC_H
#define BPF_FREE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "owner.h"

struct proc_stat {
	pid_t ppid;
	char state; /* R S D Z T t X I */
	uint64_t start_ticks;
	uint64_t start_stack; /* where its stack began; another one after execve(2). 0: not told */
	char comm[OWNER_COMM_BYTES];
};

struct proc_status {
	uint32_t uid, euid, gid; /* real, effective, real */
	unsigned fd_slots;	 /* FDSize: size of its descriptor table */
	bool kernel_thread;	 /* has no memory and is no zombie */
};

/* The texts of /proc/PID/stat and status; pure. 0 or -EBADMSG. comm in stat is raw: it may hold
 * parentheses, spaces and newlines. */
int proc_parse_stat(const char *text, size_t len, struct proc_stat *stat);
int proc_parse_status(const char *text, size_t len, struct proc_status *status);
/* One unsigned decimal number, and at most a newline behind it; pure. */
int proc_parse_u32(const char *text, size_t len, uint32_t *number);
/* The value of KEY in "KEY=value\0KEY2=…\0" (environ); pure. NULL: not there, or cut. */
const char *proc_env_value(const char *environ, size_t len, const char *key);

/* The folder of a pid. -ESRCH when there is none. */
int proc_open_pid(int proc_fd, pid_t pid, int *pid_fd);
/* Up to size bytes of a file; *len of them. Reads until the end or full (a short read is not
 * the end in /proc). */
int proc_read(int dir_fd, const char *name, char *buf, size_t size, size_t *len);
/* The same of a file that the kernel gives in one piece (one record of a seq_file, or the memory of
 * a process): a read that does not fill buf is the end. */
int proc_read_once(int dir_fd, const char *name, char *buf, size_t size, size_t *len);
/* A symlink's text with a NUL, cut to size; *cut tells (may be NULL). Never follows the link. */
int proc_link(int dir_fd, const char *name, char *buf, size_t size, bool *cut);
int proc_stat_of(int pid_fd, struct proc_stat *stat);
int proc_status_of(int pid_fd, struct proc_status *status);

/* A start time in clock ticks as ns since the epoch. proc(5): they count from the boot on
 * CLOCK_BOOTTIME. The real time may be set, so it is asked anew each time; /proc/stat's btime would
 * be whole seconds only. */
int64_t proc_start_ns(uint64_t ticks);

/* Names the process behind pid_fd: start time, real uid, comm. */
int proc_ref(int pid_fd, pid_t pid, struct owner_ref *ref, pid_t *ppid);

/* Decimal without printf: paths are made for every descriptor. Returns the end (no NUL). */
char *proc_put_u32(char *at, uint32_t number);

#endif
