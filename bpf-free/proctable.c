/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists /proc in bulk and remembers who was there. It names no owner. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "proc.h"
#include "proctable.h"

#define DENTS_BYTES   65536
#define UID_VALID_NS  (2000 * NS_PER_MS)
#define MAX_PROCESSES (1u << 22) /* PID_MAX_LIMIT, include/linux/threads.h */

void proctable_free(struct proctable *table)
{
	free(table->entries);
	free(table->spare);
	free(table->dents);
	memset(table, 0, sizeof(*table));
}

static int make_room(struct proctable *table, size_t n)
{
	size_t room = table->room ? table->room * 2 : 1024;
	struct proctable_entry *entries;

	if (n < table->room)
		return 0;
	if (room > MAX_PROCESSES * 2)
		return -E2BIG;
	entries = realloc(table->spare, room * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	table->spare = entries;
	entries = realloc(table->entries, room * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	table->entries = entries;
	table->room = room;
	return 0;
}

/* Who owns /proc/PID is its effective uid, or root when it is not dumpable (proc(5)): a php-fpm
 * worker for example. Then status has to tell. */
static void read_uid(struct proctable_entry *entry, int proc_fd, uint64_t now_ns)
{
	struct proc_status status;
	struct stat st;
	char name[12];
	int fd;

	*proc_put_u32(name, (uint32_t)entry->pid) = 0;
	entry->read_ns = now_ns;
	entry->uid = entry->euid = OWNER_UID_NONE;
	if (fstatat(proc_fd, name, &st, 0))
		return;
	entry->uid = entry->euid = st.st_uid;
	if (st.st_uid || proc_open_pid(proc_fd, entry->pid, &fd))
		return;
	if (!proc_status_of(fd, &status)) {
		entry->uid = status.uid;
		entry->euid = status.euid;
		entry->kernel_thread = status.kernel_thread;
	}
	close(fd);
}

static bool parse_pid(const char *name, pid_t *pid)
{
	uint32_t number;

	if (*name < '1' || *name > '9' || proc_parse_u32(name, strlen(name), &number) ||
	    number > INT32_MAX)
		return false;
	*pid = (pid_t)number;
	return true;
}

int proctable_list(struct proctable *table, int proc_fd, uint64_t now_ns)
{
	size_t n = 0, old = 0;
	int error = 0, fd;

	if (!table->dents && !(table->dents = malloc(DENTS_BYTES)))
		return -ENOMEM;
	fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (;;) {
		long got = syscall(SYS_getdents64, fd, table->dents, DENTS_BYTES);

		if (got < 0)
			error = -errno;
		if (got <= 0 || error)
			break;
		for (long at = 0; at < got && !error;) {
			struct dirent64 *entry = (struct dirent64 *)(table->dents + at);
			struct proctable_entry *e;
			pid_t pid;

			at += entry->d_reclen;
			if (!parse_pid(entry->d_name, &pid))
				continue;
			error = make_room(table, n);
			if (error)
				break;
			e = &table->spare[n++];
			*e = (struct proctable_entry){ .pid = pid };
			/* The kernel lists pids in ascending order (proc_pid_readdir()). */
			while (old < table->n && table->entries[old].pid < pid)
				old++;
			if (old < table->n && table->entries[old].pid == pid &&
			    now_ns - table->entries[old].read_ns < UID_VALID_NS)
				*e = table->entries[old];
			else
				read_uid(e, proc_fd, now_ns);
		}
	}
	close(fd);
	if (error)
		return error;
	struct proctable_entry *swap = table->entries;

	table->entries = table->spare;
	table->spare = swap;
	table->n = n;
	table->listed_ns = now_ns;
	return 0;
}
