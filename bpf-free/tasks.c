/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps the table of processes by the kernel's events; it describes nobody. */
#include "tasks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "proc.h"

#define BUCKETS	       16384 /* a power of two */
#define CPUS	       1024
#define UNREAD	       1024
#define NEW_UIDS       1024 /* a power of two */
#define NEW_EACH       8
#define LIMBO	       1024
#define LIMBO_NS       (100 * NS_PER_MS)
#define RESYNC_NS      (1000 * NS_PER_MS) /* at most so often */
#define RESYNC_BATCHES 1024		  /* a whole buffer */
#define BATCHES	       32		  /* of events in one go: others wait meanwhile */
#define TASKS_MAX      (1u << 22)	  /* PID_MAX_LIMIT, include/linux/threads.h */

struct newest {
	uint32_t euid;
	pid_t pids[NEW_EACH]; /* a ring, by time */
	unsigned next;
};

struct tasks {
	int fd, proc_fd;
	tasks_drop_fn drop;
	void *context;
	struct task *buckets[BUCKETS];
	struct task tombs; /* a ring: the oldest is tombs.tomb_next */
	size_t n, n_tombs;
	pid_t unread[UNREAD];
	unsigned unread_first, unread_n;
	struct newest newest[NEW_UIDS];
	uint32_t sequence[CPUS];
	bool heard[CPUS];
	bool numbered;
	bool stale;  /* events were lost and it was not begun anew yet */
	bool behind; /* more wait than were taken in */
	uint64_t resyncs, resynced_ns, limbo_ns;
	pid_t limbo[LIMBO]; /* whose leader ended while others may go on */
	unsigned n_limbo;
};

static struct task **bucket_of(struct tasks *t, pid_t pid)
{
	return &t->buckets[((uint32_t)pid * 2654435761u) >> 18];
}

struct task *tasks_find(struct tasks *t, pid_t pid)
{
	for (struct task *task = *bucket_of(t, pid); task; task = task->next)
		if (task->pid == pid && !task->ended_ns)
			return task;
	return NULL;
}

/* The end of the tick that it started in, on the clock of events. */
static void ask_start(struct tasks *t, struct task *task)
{
	uint64_t tick_ns = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);
	int64_t slept_ns = clock_ns(CLOCK_BOOTTIME) - clock_ns(CLOCK_MONOTONIC);
	struct proc_stat stat;
	int fd;

	task->listed = false;
	if (proc_open_pid(t->proc_fd, task->pid, &fd))
		return;
	if (!proc_stat_of(fd, &stat)) {
		uint64_t start_ns = (stat.start_ticks + 1) * tick_ns;

		start_ns = start_ns > (uint64_t)slept_ns ? start_ns - (uint64_t)slept_ns : 0;
		if (start_ns < task->started_ns)
			task->started_ns = start_ns;
	}
	close(fd);
}

struct task *tasks_at(struct tasks *t, pid_t pid, uint64_t ts_ns)
{
	struct task *living = tasks_find(t, pid);

	if (!tasks_whole(t))
		return NULL;
	if (living && living->listed && ts_ns < living->started_ns)
		ask_start(t, living);
	for (struct task *task = *bucket_of(t, pid); task; task = task->next)
		if (task->pid == pid && task->started_ns <= ts_ns &&
		    (!task->ended_ns || task->ended_ns >= ts_ns))
			return task;
	return NULL;
}

static struct task *add(struct tasks *t, pid_t pid)
{
	struct task **bucket = bucket_of(t, pid), *task = calloc(1, sizeof(*task));

	if (!task || t->n >= TASKS_MAX) {
		free(task);
		return NULL;
	}
	task->pid = pid;
	task->uid = task->euid = OWNER_UID_NONE;
	task->pid_fd = task->last_fd = task->child_fd = -1;
	task->next = *bucket;
	*bucket = task;
	t->n++;
	return task;
}

static void remove_task(struct tasks *t, struct task *task)
{
	struct task **at = bucket_of(t, task->pid);

	while (*at != task)
		at = &(*at)->next;
	*at = task->next;
	if (task->tomb_next) {
		task->tomb_prev->tomb_next = task->tomb_next;
		task->tomb_next->tomb_prev = task->tomb_prev;
		t->n_tombs--;
	} else {
		t->n--;
	}
	t->drop(t->context, task, TASKS_FREED);
	task->gone = true;
	if (!task->pins)
		free(task);
}

void tasks_pin(struct task *task)
{
	task->pins++;
}

void tasks_unpin(struct task *task)
{
	if (--task->pins == 0 && task->gone)
		free(task);
}

static void bury(struct tasks *t, struct task *task, uint64_t ts_ns)
{
	task->ended_ns = ts_ns ? ts_ns : 1;
	task->tomb_prev = t->tombs.tomb_prev;
	task->tomb_next = &t->tombs;
	task->tomb_prev->tomb_next = task;
	t->tombs.tomb_prev = task;
	t->n_tombs++;
	t->n--;
	t->drop(t->context, task, TASKS_ENDED);
}

static void unbury(struct tasks *t, struct task *task)
{
	task->tomb_prev->tomb_next = task->tomb_next;
	task->tomb_next->tomb_prev = task->tomb_prev;
	task->tomb_next = task->tomb_prev = NULL;
	task->ended_ns = 0;
	t->n_tombs--;
	t->n++;
}

static void clear_tombs(struct tasks *t, uint64_t now_ns)
{
	struct task *oldest;

	while ((oldest = t->tombs.tomb_next) != &t->tombs &&
	       (t->n_tombs > TASKS_TOMBS || oldest->ended_ns + TASKS_TOMB_NS < now_ns))
		remove_task(t, oldest);
}

static void note_newest(struct tasks *t, const struct task *task)
{
	struct newest *newest = &t->newest[(task->euid * 2654435761u) >> 22];

	if (task->euid == OWNER_UID_NONE)
		return;
	if (newest->euid != task->euid)
		*newest = (struct newest){ .euid = task->euid };
	newest->pids[newest->next++ % NEW_EACH] = task->pid;
}

unsigned tasks_newest(struct tasks *t, uint32_t euid, struct task **found, unsigned max)
{
	struct newest *newest = &t->newest[(euid * 2654435761u) >> 22];
	unsigned n = 0;

	if (newest->euid != euid)
		return 0;
	for (unsigned i = 1; i <= NEW_EACH && i <= newest->next && n < max; i++) {
		struct task *task = tasks_find(t, newest->pids[(newest->next - i) % NEW_EACH]);

		if (task && task->euid == euid)
			found[n++] = task;
	}
	return n;
}

void tasks_note_unread(struct tasks *t, struct task *task)
{
	if (task->unread || t->unread_n == UNREAD)
		return;
	task->unread = true;
	t->unread[(t->unread_first + t->unread_n++) % UNREAD] = task->pid;
}

struct task *tasks_unread(struct tasks *t)
{
	while (t->unread_n) {
		struct task *task = tasks_find(t, t->unread[t->unread_first++ % UNREAD]);

		t->unread_n--;
		if (task && task->unread) {
			task->unread = false;
			return task;
		}
	}
	return NULL;
}

static void on_fork(struct tasks *t, const struct connector_event *event)
{
	struct task *task = tasks_find(t, event->pid), *parent = tasks_find(t, event->parent);

	if (task) /* listed already, or its end was not told */
		bury(t, task, event->ts_ns);
	task = add(t, event->pid);
	if (!task) {
		t->stale = true;
		return;
	}
	task->started_ns = event->ts_ns;
	task->parent = event->parent;
	if (!parent)
		return;
	parent->forks++;
	task->parent_programs = parent->programs;
	task->uid = parent->uid;
	task->euid = parent->euid;
	note_newest(t, task);
}

/* A thread that executes a program takes its leader's place, whose end was told (de_thread(),
 * fs/exec.c). */
static struct task *revive(struct tasks *t, pid_t pid)
{
	struct task *task = *bucket_of(t, pid);

	while (task && task->pid != pid)
		task = task->next;
	if (task && task->ended_ns)
		unbury(t, task);
	return task;
}

static void change(struct tasks *t, struct task *task)
{
	task->programs++;
	t->drop(t->context, task, TASKS_CHANGED);
}

void tasks_apply(struct tasks *t, const struct connector_event *event)
{
	struct task *task;

	if (event->what == CONNECTOR_OTHER)
		return;
	if (event->what == CONNECTOR_FORK) {
		on_fork(t, event);
		return;
	}
	task = tasks_find(t, event->pid);
	if (!task && event->what == CONNECTOR_EXEC)
		task = revive(t, event->pid);
	if (!task)
		return;
	switch (event->what) {
	case CONNECTOR_THREAD:
		task->threads = true;
		break;
	case CONNECTOR_EXEC:
		task->threads = false;
		task->executed_ns = event->ts_ns;
		change(t, task);
		tasks_note_unread(t, task);
		break;
	case CONNECTOR_UID:
		task->uid = event->uid;
		task->euid = event->euid;
		note_newest(t, task);
		change(t, task);
		break;
	case CONNECTOR_COMM:
		change(t, task);
		break;
	case CONNECTOR_FORK:
	case CONNECTOR_OTHER:
		break;
	case CONNECTOR_EXIT:
		if (!task->threads)
			bury(t, task, event->ts_ns);
		else if (t->n_limbo < LIMBO) /* one too many is found out when its pid is new */
			t->limbo[t->n_limbo++] = task->pid;
	}
}

/* The threads' own ends are not counted: has the whole process gone by now? */
static void look_into_limbo(struct tasks *t, uint64_t now_ns)
{
	if (!t->n_limbo || now_ns - t->limbo_ns < LIMBO_NS)
		return;
	t->limbo_ns = now_ns;
	for (unsigned i = 0; i < t->n_limbo;) {
		struct task *task = tasks_find(t, t->limbo[i]);

		if (task && (kill(task->pid, 0) == 0 || errno != ESRCH)) {
			i++;
			continue;
		}
		if (task)
			bury(t, task, now_ns);
		t->limbo[i] = t->limbo[--t->n_limbo];
	}
}

/* Each CPU numbers its events. */
static bool in_sequence(struct tasks *t, const struct connector_event *event)
{
	bool follows;

	if (!t->numbered || event->cpu >= CPUS)
		return true;
	follows = !t->heard[event->cpu] || event->sequence == t->sequence[event->cpu] + 1;
	t->heard[event->cpu] = true;
	t->sequence[event->cpu] = event->sequence;
	return follows;
}

/* Who owns /proc/PID is its effective uid, or root when it is not dumpable (proc(5)). */
static void read_uid(struct tasks *t, const char *name, struct task *task)
{
	struct proc_status status;
	struct stat st;
	int fd;

	if (fstatat(t->proc_fd, name, &st, 0))
		return;
	task->uid = task->euid = st.st_uid;
	if (st.st_uid)
		return;
	task->uid = task->euid = OWNER_UID_NONE;
	if (proc_open_pid(t->proc_fd, task->pid, &fd))
		return;
	if (!proc_status_of(fd, &status)) {
		task->uid = status.uid;
		task->euid = status.euid;
	}
	close(fd);
}

/* The table anew, of /proc as it is: who was known may be another one by now. */
static void list(struct tasks *t, uint64_t now_ns)
{
	int fd = openat(t->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct task *task = t->buckets[i], *next; task; task = next) {
			next = task->next;
			remove_task(t, task);
		}
	if (!folder) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(folder))) {
		uint32_t pid;
		struct task *task;

		if (*entry->d_name < '1' || *entry->d_name > '9' ||
		    proc_parse_u32(entry->d_name, strlen(entry->d_name), &pid))
			continue;
		task = tasks_find(t, (pid_t)pid) ? NULL : add(t, (pid_t)pid);
		if (!task)
			continue;
		read_uid(t, entry->d_name, task);
		task->started_ns = now_ns; /* who had the pid before is not known */
		task->listed = true;
		task->threads = true; /* how many it has was not read */
	}
	closedir(folder);
}

static void resync(struct tasks *t)
{
	uint64_t now_ns = clock_mono_ns();
	struct connector_event events[CONNECTOR_BATCH];
	unsigned n, batches = 0;
	int error;

	t->stale = true;
	if (now_ns - t->resynced_ns < RESYNC_NS)
		return;
	t->resyncs++;
	/* What is told from here on comes after the listing. */
	memset(t->heard, 0, sizeof(t->heard));
	t->n_limbo = t->unread_n = 0;
	do
		error = connector_read(t->fd, events, &n);
	while ((error == -EAGAIN || error == -ENOBUFS) && ++batches < RESYNC_BATCHES);
	list(t, now_ns);
	t->resynced_ns = clock_mono_ns();
	t->stale = false;
}

unsigned tasks_drain(struct tasks *t)
{
	struct connector_event events[CONNECTOR_BATCH];
	bool lost = t->stale;
	unsigned n, all = 0, batches = 0;
	int error;

	do {
		error = connector_read(t->fd, events, &n);
		if (error == -ENOBUFS)
			lost = true;
		for (unsigned i = 0; i < n; i++) {
			if (!in_sequence(t, &events[i]))
				lost = true;
			if (!lost)
				tasks_apply(t, &events[i]);
		}
		all += n;
	} while ((error == -EAGAIN || error == -ENOBUFS) && ++batches < BATCHES);
	t->behind = error == -EAGAIN;
	if (lost)
		resync(t);
	if (all) {
		uint64_t now_ns = clock_mono_ns();

		look_into_limbo(t, now_ns);
		clear_tombs(t, now_ns);
	}
	return all;
}

int tasks_open(struct tasks **tasks, const struct connector *connector, int proc_fd,
	       tasks_drop_fn drop, void *context)
{
	struct tasks *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->fd = connector->fd;
	t->numbered = connector->numbered;
	t->proc_fd = proc_fd;
	t->drop = drop;
	t->context = context;
	t->tombs.tomb_next = t->tombs.tomb_prev = &t->tombs;
	for (size_t i = 0; i < NEW_UIDS; i++)
		t->newest[i].euid = OWNER_UID_NONE;
	resync(t);
	t->resyncs = 0;
	*tasks = t;
	return 0;
}

void tasks_free(struct tasks *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (t->buckets[i])
			remove_task(t, t->buckets[i]);
	free(t);
}

int tasks_fd(const struct tasks *t)
{
	return t->fd;
}

uint64_t tasks_resyncs(const struct tasks *t)
{
	return t->resyncs;
}

bool tasks_whole(const struct tasks *t)
{
	return !t->stale && !t->behind;
}

size_t tasks_count(const struct tasks *t)
{
	return t->n;
}
