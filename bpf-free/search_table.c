/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks into descriptor tables for one socket, the newest descriptors first. It only reads links,
 * never what a descriptor leads to. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "proc.h"
#include "search.h"

#define WINDOW 256 /* descriptors listed at a time */

int search_spent(const struct search *s)
{
	if (!s->fds_left)
		return -ENOBUFS;
	return clock_mono_ns() >= s->deadline_ns ? -ETIME : 0;
}

/* 1: the socket, 2: an io_uring, 0: anything else or gone. */
static int look(struct search *s, int dir_fd, const char *name)
{
	static const char ring[] = "anon_inode:[io_uring]";
	char link[sizeof(s->link) + 1];
	ssize_t n;

	s->fds_left--;
	s->fds_read++;
	n = readlinkat(dir_fd, name, link, sizeof(link) - 1);
	if (n < 0) {
		if (errno == EACCES || errno == EPERM)
			s->denied = true;
		return 0;
	}
	link[n] = 0;
	if (!strcmp(link, s->link))
		return 1;
	return !strcmp(link, ring) ? 2 : 0;
}

static void descriptor_path(char path[48], pid_t pid, pid_t tid, uint32_t fd)
{
	char *at = path;

	if (tid != pid) {
		memcpy(at, "task/", 5);
		at = proc_put_u32(at + 5, (uint32_t)tid);
		*at++ = '/';
	}
	memcpy(at, "fd/", 3);
	*proc_put_u32(at + 3, fd) = 0;
}

void search_link_text(char link[32], uint32_t inode)
{
	static const char head[] = "socket:[";

	memcpy(link, head, sizeof(head) - 1);
	memcpy(proc_put_u32(link + sizeof(head) - 1, inode), "]", 2);
}

/* Reads through the process's own folder, which can't become another's, and is not charged: it is
 * the second look. */
bool search_still_holds(const struct search_found *found, uint32_t inode)
{
	char path[48], link[33], wanted[32];
	ssize_t n;

	descriptor_path(path, found->pid, found->tid, found->fd);
	n = readlinkat(found->pid_fd, path, link, sizeof(link) - 1);
	if (n < 0)
		return false;
	link[n] = 0;
	search_link_text(wanted, inode);
	return !strcmp(link, wanted);
}

static int fill(struct search *s, pid_t pid, pid_t tid, uint32_t fd, struct search_found *found)
{
	struct proc_stat stat;
	int pid_fd;

	if (proc_open_pid(s->proc_fd, pid, &pid_fd))
		return -ENOENT;
	if (proc_stat_of(pid_fd, &stat)) {
		close(pid_fd);
		return -ENOENT;
	}
	*found = (struct search_found){ .pid = pid,
					.tid = tid,
					.pid_fd = pid_fd,
					.fd = fd,
					.start_ticks = stat.start_ticks,
					.parent = stat.ppid };
	if (search_still_holds(found, s->question.inode))
		return 0;
	close(pid_fd);
	found->pid_fd = -1;
	return -ENOENT;
}

int search_confirm(struct search *s, pid_t pid, pid_t tid, uint32_t fd, struct search_found *found)
{
	int error = search_spent(s), what;
	char path[64], *at;

	if (error)
		return error;
	at = proc_put_u32(path, (uint32_t)pid);
	*at++ = '/';
	descriptor_path(at, pid, tid, fd);
	what = look(s, s->proc_fd, path);
	return what == 1 ? fill(s, pid, tid, fd, found) : -ENOENT;
}

/* The open descriptors in [low, high), ascending. Seeking in the folder skips what is below: its
 * position is the number plus two (proc_readfd_common(), fs/proc/fd.c). */
static size_t list_window(struct search *s, int table_fd, uint32_t low, uint32_t high)
{
	size_t n = 0;

	if (lseek(table_fd, low ? (off_t)low + 2 : 0, SEEK_SET) < 0)
		return 0;
	for (;;) {
		long got = syscall(SYS_getdents64, table_fd, s->dents, sizeof(s->dents));

		if (got <= 0)
			return n;
		for (long at = 0; at < got;) {
			struct dirent64 *entry = (struct dirent64 *)(s->dents + at);
			uint32_t fd;

			at += entry->d_reclen;
			if (proc_parse_u32(entry->d_name, strlen(entry->d_name), &fd))
				continue;
			if (fd >= high || n == sizeof(s->numbers) / sizeof(s->numbers[0]))
				return n;
			s->numbers[n++] = fd;
		}
	}
}

static int walk_descriptors(struct search *s, int table_fd, pid_t pid, pid_t tid, uint32_t slots,
			    unsigned limit, struct search_found *found)
{
	uint32_t high = slots;
	int error;

	do {
		uint32_t low = high > WINDOW ? high - WINDOW : 0;
		/* The table may have grown since: the first window is open at the top. */
		size_t n = list_window(s, table_fd, low, high == slots ? UINT32_MAX : high);

		while (n) {
			uint32_t fd = s->numbers[--n];
			char name[12];
			int what;

			if (!limit--)
				return -ENOENT;
			error = search_spent(s);
			if (error)
				return error;
			*proc_put_u32(name, fd) = 0;
			what = look(s, table_fd, name);
			if (what == 2) /* only its fdinfo could tell, see hint.h */
				s->hidden_files = true;
			if (what == 1 && !fill(s, pid, tid, fd, found))
				return 0;
		}
		high = low;
	} while (high);
	return -ENOENT;
}

static int walk_table(struct search *s, pid_t pid, pid_t tid, unsigned limit,
		      struct search_found *found)
{
	struct proc_status status = { 0 };
	char path[48], *at = proc_put_u32(path, (uint32_t)pid);
	int table_fd, task_fd, error;

	if (tid != pid) {
		memcpy(at, "/task/", 6);
		at = proc_put_u32(at + 6, (uint32_t)tid);
	}
	*at = 0;
	task_fd = openat(s->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (task_fd < 0)
		return -ENOENT;
	table_fd = openat(task_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (table_fd < 0 && (errno == EACCES || errno == EPERM))
		s->denied = true;
	error = table_fd < 0 ? -ENOENT : proc_status_of(task_fd, &status);
	close(task_fd);
	if (!error)
		error = walk_descriptors(s, table_fd, pid, tid, status.fd_slots, limit, found);
	if (table_fd >= 0)
		close(table_fd);
	return error == -ENOBUFS || error == -ETIME || !error ? error : -ENOENT;
}

int search_newest(struct search *s, pid_t pid, pid_t tid, unsigned limit,
		  struct search_found *found)
{
	return walk_table(s, pid, tid, limit, found);
}

int search_threads(struct search *s, pid_t pid, unsigned max,
		   int (*visit)(struct search *, pid_t, pid_t, void *), void *arg)
{
	char path[24], *at = proc_put_u32(path, (uint32_t)pid), dents[4096];
	int result = -ENOENT, fd;
	struct stat st;

	memcpy(at, "/task", 6);
	/* One thread: ".", ".." and its folder (proc_task_getattr(), fs/proc/base.c). */
	if (fstatat(s->proc_fd, path, &st, 0) || st.st_nlink <= 3)
		return -ENOENT;
	fd = openat(s->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -ENOENT;
	while (result == -ENOENT && max) {
		long got = syscall(SYS_getdents64, fd, dents, sizeof(dents));

		if (got <= 0)
			break;
		for (long i = 0; i < got && max && result == -ENOENT;) {
			struct dirent64 *entry = (struct dirent64 *)(dents + i);
			uint32_t tid;

			i += entry->d_reclen;
			if (proc_parse_u32(entry->d_name, strlen(entry->d_name), &tid) ||
			    (pid_t)tid == pid)
				continue;
			max--;
			result = visit(s, pid, (pid_t)tid, arg);
		}
	}
	close(fd);
	return result;
}

struct walk {
	unsigned limit;
	bool compare; /* kcmp(2) waits while the process executes another program */
	struct search_found *found;
};

/* Threads share one table, but for unshare(CLONE_FILES) and a leader that has exited. */
static int walk_thread(struct search *s, pid_t pid, pid_t tid, void *arg)
{
	struct walk *walk = arg;

	if (walk->compare && syscall(SYS_kcmp, pid, tid, KCMP_FILES, 0, 0) == 0)
		return -ENOENT;
	return walk_table(s, pid, tid, walk->limit, walk->found);
}

int search_walk(struct search *s, pid_t pid, unsigned limit, bool threads,
		struct search_found *found)
{
	struct walk walk = { limit, false, found };
	int pid_fd, error = walk_table(s, pid, pid, limit, found);

	if (error != -ENOENT || !threads || proc_open_pid(s->proc_fd, pid, &pid_fd))
		return error;
	walk.compare = search_care_begin(s->care, pid_fd);
	error = search_threads(s, pid, UINT32_MAX, walk_thread, &walk);
	search_care_end(s->care);
	close(pid_fd);
	return error;
}
