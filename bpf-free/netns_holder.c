/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of a few processes holds a socket: a look into their descriptor tables, a bounded one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "hint.h"
#include "netns_internal.h"
#include "proc.h"

#define NUMBERS_MAX 2048 /* of a descriptor table, its first ones */
#define FIRST_ROUND 4	 /* newest descriptors of each process, before one is read to the end */
#define THREADS_MAX 32	 /* of a process that are asked what they wait in */

struct look {
	int proc_fd;
	uint64_t netns;
	uint32_t inode;
	char link[32];
	uint64_t deadline_ns;
	unsigned fds_left, fds_read;
	bool spent;	       /* a descriptor was not read for want of budget */
	bool busy[NETNS_PIDS]; /* a thread of it waits for descriptors, or runs */
};

static bool shows(int pid_fd, uint32_t fd, const char *link)
{
	char path[16] = "fd/", text[64];

	*proc_put_u32(path + 3, fd) = 0;
	return proc_link(pid_fd, path, text, sizeof(text), NULL) == 0 && !strcmp(text, link);
}

/* 0: its table shows the socket there; -ENOENT: it does not; -ENOBUFS. */
static int try_fd(struct look *look, int pid_fd, uint32_t fd, struct netns_holder *holder)
{
	if (!look->fds_left) {
		look->spent = true;
		return -ENOBUFS;
	}
	look->fds_left--;
	look->fds_read++;
	if (!shows(pid_fd, fd, look->link))
		return -ENOENT;
	holder->fd = fd;
	return 0;
}

/* The descriptor that a thread's system call names, if it names one. */
static int try_thread(struct look *look, int pid_fd, pid_t pid, pid_t tid, bool *busy,
		      struct netns_holder *holder)
{
	struct hint hint = { .n = 0 };
	int error = -ENOENT;

	if (hint_thread(look->proc_fd, pid, tid, &hint))
		return -ENOENT;
	*busy |= hint.waits || hint.running;
	for (unsigned i = 0; i < hint.n && error == -ENOENT; i++)
		error = try_fd(look, pid_fd, hint.fds[i], holder);
	return error;
}

static int try_calls(struct look *look, int pid_fd, pid_t pid, bool *busy,
		     struct netns_holder *holder)
{
	int error = try_thread(look, pid_fd, pid, pid, busy, holder), task_fd, n = 0;
	struct dirent *entry;
	DIR *task;

	if (error != -ENOENT)
		return error;
	task_fd = openat(pid_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	task = task_fd < 0 ? NULL : fdopendir(task_fd);
	if (!task) {
		if (task_fd >= 0)
			close(task_fd);
		return -ENOENT;
	}
	while (error == -ENOENT && n < THREADS_MAX && (entry = readdir(task))) {
		uint32_t tid;

		if (proc_parse_u32(entry->d_name, strlen(entry->d_name), &tid) || (pid_t)tid == pid)
			continue;
		error = try_thread(look, pid_fd, pid, (pid_t)tid, busy, holder);
		n++;
	}
	closedir(task);
	return error;
}

static unsigned list_fds(int pid_fd, uint32_t numbers[NUMBERS_MAX])
{
	int fd = openat(pid_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	unsigned n = 0;

	if (!folder) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (n < NUMBERS_MAX && (entry = readdir(folder)))
		if (!proc_parse_u32(entry->d_name, strlen(entry->d_name), &numbers[n]))
			n++;
	closedir(folder);
	return n;
}

/* From the newest on; the kernel lists them in their order. most: no more than these. */
static int try_table(struct look *look, int pid_fd, unsigned skip, unsigned most,
		     struct netns_holder *holder)
{
	uint32_t numbers[NUMBERS_MAX];
	unsigned n = list_fds(pid_fd, numbers), tried = 0;
	int error = -ENOENT;

	if (n == NUMBERS_MAX)
		look->spent = true;
	n = n > skip ? n - skip : 0;
	for (; n && tried < most && error == -ENOENT; tried++)
		error = try_fd(look, pid_fd, numbers[--n], holder);
	return error;
}

/* What the calls name; the newest of those who wait for some, of the others; all that is left. */
enum round { CALLS, NEWEST_OF_BUSY, NEWEST, ALL, ROUNDS };

static int try_round(struct look *look, enum round round, int pid_fd, pid_t pid, bool *busy,
		     struct netns_holder *holder)
{
	switch (round) {
	case CALLS:
		return try_calls(look, pid_fd, pid, busy, holder);
	case NEWEST_OF_BUSY:
		return *busy ? try_table(look, pid_fd, 0, FIRST_ROUND, holder) : -ENOENT;
	case NEWEST:
		return *busy ? -ENOENT : try_table(look, pid_fd, 0, FIRST_ROUND, holder);
	default:
		return try_table(look, pid_fd, FIRST_ROUND, NUMBERS_MAX, holder);
	}
}

static int try_process(struct look *look, enum round round, pid_t pid, bool *busy,
		       struct netns_holder *holder)
{
	struct proc_stat before, after;
	int pid_fd, error;

	if (proc_open_pid(look->proc_fd, pid, &pid_fd))
		return -ENOENT;
	error = proc_stat_of(pid_fd, &before) || netns_of_process(look->proc_fd, pid) != look->netns
			? -ENOENT
			: 0;
	if (!error)
		error = try_round(look, round, pid_fd, pid, busy, holder);
	if (!error && (proc_stat_of(pid_fd, &after) || after.start_ticks != before.start_ticks))
		error = -ENOENT;
	if (error) {
		close(pid_fd);
		return error;
	}
	holder->pid = pid;
	holder->pid_fd = pid_fd;
	holder->start_ticks = before.start_ticks;
	return 0;
}

int netns_holder_find(int proc_fd, const struct netns_answer *answer, unsigned fds,
		      uint64_t deadline_ns, struct netns_holder *holder, unsigned *fds_read)
{
	struct look look = {
		.proc_fd = proc_fd,
		.netns = answer->netns,
		.inode = answer->inode,
		.deadline_ns = deadline_ns,
		.fds_left = fds,
	};
	int error = -ENOENT;

	snprintf(look.link, sizeof(look.link), "socket:[%u]", answer->inode);
	for (enum round round = CALLS; round < ROUNDS && error == -ENOENT; round++)
		for (unsigned i = 0; i < answer->n_pids && error == -ENOENT; i++) {
			if (clock_mono_ns() >= deadline_ns)
				error = -ETIME;
			else
				error = try_process(&look, round, answer->pids[i], &look.busy[i],
						    holder);
		}
	*fds_read = look.fds_read;
	return error == -ENOENT && look.spent ? -ENOBUFS : error;
}

bool netns_holder_still(const struct netns_holder *holder, uint32_t inode)
{
	struct proc_stat stat;
	char link[32];

	snprintf(link, sizeof(link), "socket:[%u]", inode);
	return proc_stat_of(holder->pid_fd, &stat) == 0 &&
	       stat.start_ticks == holder->start_ticks && shows(holder->pid_fd, holder->fd, link);
}
