/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is in another network namespace; reads their ns/net links and enters none. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "netns_internal.h"
#include "proc.h"

#define CANDIDATES 512	/* of one namespace whose owner is looked at */
#define CATCH_UP   2048 /* numbers that are tried one by one */
#define YOUNG_NS   (5000 * NS_PER_MS)

uint64_t netns_of_process(int proc_fd, pid_t pid)
{
	char path[32], link[64];
	uint64_t inode;
	ssize_t len;

	memcpy(proc_put_u32(path, (uint32_t)pid), "/ns/net", 8);
	/* Asks for PTRACE_MODE_READ, as each link of /proc/PID/ns does (namespaces(7)). */
	len = readlinkat(proc_fd, path, link, sizeof(link));
	return len <= 0 || netns_parse_link(link, (size_t)len, &inode) ? 0 : inode;
}

static int by_pid(const void *a, const void *b)
{
	const struct netns_process *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int add(struct netns_processes *to, pid_t pid, uint64_t netns)
{
	if (to->n == to->room) {
		unsigned room = to->room ? 2 * to->room : 1024;
		struct netns_process *more = realloc(to->at, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		to->at = more;
		to->room = room;
	}
	to->at[to->n++] = (struct netns_process){ .pid = pid, .netns = netns };
	return 0;
}

/* The second where a kernel lacks the first, which a container's own /proc may fake (lxcfs). */
static pid_t last_pid(int proc_fd)
{
	char text[128];
	size_t len;
	pid_t pid;

	if (!proc_read(proc_fd, "sys/kernel/ns_last_pid", text, sizeof(text), &len) &&
	    !netns_parse_last_pid(text, len, &pid))
		return pid;
	if (!proc_read(proc_fd, "loadavg", text, sizeof(text), &len) &&
	    !netns_parse_last_pid(text, len, &pid))
		return pid;
	return 0;
}

static int list(struct netns_processes *to)
{
	int fd = openat(to->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!folder) {
		error = -errno;
		if (fd >= 0)
			close(fd);
		return error;
	}
	while (!error && (entry = readdir(folder))) {
		uint32_t pid;

		if (*entry->d_name >= '0' && *entry->d_name <= '9' &&
		    !proc_parse_u32(entry->d_name, strlen(entry->d_name), &pid) && pid <= INT32_MAX)
			error = add(to, (pid_t)pid, netns_of_process(to->proc_fd, (pid_t)pid));
	}
	closedir(folder);
	return error;
}

int netns_processes_scan(struct netns_processes *processes)
{
	struct netns_processes now = *processes;
	int error;

	now.at = NULL;
	now.n = now.room = 0;
	now.last = last_pid(now.proc_fd);
	error = list(&now);
	if (error) {
		free(now.at);
		return error;
	}
	qsort(now.at, now.n, sizeof(*now.at), by_pid);
	free(processes->at);
	*processes = now;
	return 0;
}

static bool is_process(int proc_fd, pid_t pid)
{
	char path[32], text[1024];
	size_t len;
	pid_t tgid;

	memcpy(proc_put_u32(path, (uint32_t)pid), "/status", 8);
	return !proc_read(proc_fd, path, text, sizeof(text), &len) &&
	       !netns_parse_tgid(text, len, &tgid) && tgid == pid;
}

/* One number, that may be a process's by now, or another one's, or a thread's. */
static int look_at(struct netns_processes *processes, pid_t pid, unsigned listed)
{
	struct netns_process key = { .pid = pid }, *known;
	uint64_t netns = netns_of_process(processes->proc_fd, pid);

	if (netns == processes->own)
		netns = 0;
	known = listed ? bsearch(&key, processes->at, listed, sizeof(key), by_pid) : NULL;
	if (known && known->netns == netns)
		return 0;
	if (netns && !is_process(processes->proc_fd, pid))
		netns = 0;
	if (known)
		known->netns = netns;
	return known || !netns ? 0 : add(processes, pid, netns);
}

static pid_t first_young(struct netns_processes *processes, pid_t last)
{
	uint64_t now = clock_mono_ns();
	pid_t first = processes->young;

	if (!first || first > processes->last || last - first > CATCH_UP)
		first = processes->last;
	if (now - processes->young_ns > YOUNG_NS) {
		processes->young = processes->last;
		processes->young_ns = now;
	}
	return first;
}

int netns_processes_catch_up(struct netns_processes *processes)
{
	pid_t last = last_pid(processes->proc_fd), first;
	unsigned listed = processes->n;
	int error = 0;

	if (!processes->last || last < processes->last || last - processes->last > CATCH_UP)
		return -E2BIG;
	first = first_young(processes, last);
	for (pid_t pid = first; pid < last && !error; pid++)
		error = look_at(processes, pid + 1, listed);
	if (listed && processes->n > listed &&
	    processes->at[listed].pid < processes->at[listed - 1].pid)
		qsort(processes->at, processes->n, sizeof(*processes->at), by_pid);
	if (!error)
		processes->last = last;
	return error;
}

/* The folder of a process is its effective user's, or root's if it may not be dumped (proc(5)). */
static bool lives(int proc_fd, pid_t pid, uint32_t *uid)
{
	struct stat st;
	char name[12];

	*proc_put_u32(name, (uint32_t)pid) = 0;
	if (fstatat(proc_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	*uid = st.st_uid;
	return true;
}

unsigned netns_processes_of(const struct netns_processes *processes, uint64_t netns, uint32_t uid,
			    pid_t pids[NETNS_PIDS])
{
	pid_t others[NETNS_PIDS];
	unsigned n = 0, n_others = 0, seen = 0;
	uint32_t its;

	/* From the highest pid down: as a rule the newest. */
	for (unsigned i = processes->n; i-- && n < NETNS_PIDS && seen < CANDIDATES;) {
		const struct netns_process *process = &processes->at[i];

		if (process->netns != netns || !lives(processes->proc_fd, process->pid, &its))
			continue;
		seen++;
		if (its == uid)
			pids[n++] = process->pid;
		else if (n_others < NETNS_PIDS)
			others[n_others++] = process->pid;
	}
	for (unsigned i = 0; i < n_others && n < NETNS_PIDS; i++)
		pids[n++] = others[i];
	return n;
}
