/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order in which processes are looked at for the holder of a socket: cheap and likely places
 * first, then everybody. It names nobody whose table did not show the socket. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup_procs.h"
#include "clock.h"
#include "hint.h"
#include "proc.h"
#include "search.h"

#define TABLE_FRESH_NS (20 * NS_PER_MS) /* no new listing for the first round of hints */
#define CGROUP_PIDS    1024
#define HELD_THREADS   32 /* threads asked per process while the packet is held */
#define NEWEST	       2  /* descriptors of a thread that waits for some of its own */
#define FIRST_WALK     8  /* descriptors per process before others get their turn */
#define CHILDREN       4
#define CALLER_NEWEST  16 /* descriptors of who called connect(2) */

void search_init(struct search *s, int proc_fd, struct search_care *care)
{
	memset(s, 0, sizeof(*s));
	s->proc_fd = proc_fd;
	s->care = care;
	s->cgroup_fd = -1;
	cgroup_mount_open(proc_fd, &s->cgroup_fd);
	for (size_t i = 0; i < SEARCH_LASTS; i++)
		s->lasts[i].uid = OWNER_UID_NONE;
}

void search_done(struct search *s)
{
	if (s->cgroup_fd >= 0)
		close(s->cgroup_fd);
	proctable_free(&s->table);
}

static void begin(struct search *s, const struct search_question *question, uint64_t deadline_ns,
		  unsigned fds)
{
	s->question = *question;
	search_link_text(s->link, question->inode);
	s->deadline_ns = deadline_ns;
	s->fds_left = fds;
	s->fds_read = 0;
	s->denied = s->hidden_files = false;
	s->n_running = 0;
	s->round++;
}

bool search_care_begin_uid(struct search_care *care, uint32_t uid, uint32_t euid)
{
	if (care->nobody)
		return false;
	for (unsigned i = 0; i < care->n_hung; i++)
		if (uid == care->hung[i] || euid == care->hung[i])
			return false;
	/* The real uid: who runs a set-user-id program must not have another one spared. */
	atomic_store(&care->touching, uid);
	return true;
}

bool search_care_begin(struct search_care *care, int pid_fd)
{
	struct proc_status status;

	return !care->nobody && !proc_status_of(pid_fd, &status) &&
	       search_care_begin_uid(care, status.uid, status.euid);
}

void search_care_end(struct search_care *care)
{
	atomic_store(&care->touching, SEARCH_CARE_NO_ONE);
}

/* -ENOENT: it is spared, or can't be asked. */
static int ask_hint(struct search *s, pid_t pid, pid_t tid, struct hint *hint)
{
	int fd, error = -ENOENT;

	if (s->care->nobody || proc_open_pid(s->proc_fd, pid, &fd))
		return -ENOENT;
	if (search_care_begin(s->care, fd)) {
		error = hint_thread(s->proc_fd, pid, tid, hint);
		search_care_end(s->care);
	}
	close(fd);
	return error ? -ENOENT : 0;
}

static int try_hint(struct search *s, pid_t pid, pid_t tid, struct search_found *found)
{
	struct hint hint;
	int error = ask_hint(s, pid, tid, &hint);

	if (error)
		return error;
	if (hint.running && s->n_running < SEARCH_RUNNING) {
		s->running[s->n_running].pid = pid;
		s->running[s->n_running++].tid = tid;
	}
	for (unsigned i = 0; i < hint.n; i++) {
		error = search_confirm(s, pid, tid, hint.fds[i], found);
		if (error != -ENOENT)
			return error;
	}
	if (hint.waits) {
		error = search_newest(s, pid, tid, NEWEST, found);
		if (error != -ENOENT)
			return error;
	}
	return clock_mono_ns() >= s->deadline_ns ? -ETIME : -ENOENT;
}

static int try_thread(struct search *s, pid_t pid, pid_t tid, void *found)
{
	return try_hint(s, pid, tid, found);
}

static int try_process(struct search *s, pid_t pid, struct search_found *found)
{
	int error = try_hint(s, pid, pid, found);

	if (error == -ENOENT)
		error = search_threads(s, pid, HELD_THREADS, try_thread, found);
	return error;
}

/* The thread that called, then the others: they may share their descriptors. */
static int try_caller(struct search *s, struct search_found *found)
{
	pid_t pid = s->question.caller;
	int error;

	if (!pid)
		return -ENOENT;
	error = try_hint(s, pid, s->question.caller_tid, found);
	if (error == -ENOENT)
		error = search_newest(s, pid, s->question.caller_tid, CALLER_NEWEST, found);
	if (error == -ENOENT)
		error = try_process(s, pid, found);
	return error;
}

static struct search_last *last_of(struct search *s, uint32_t uid)
{
	return &s->lasts[(uid * 2654435761u) >> 24];
}

/* A web app's worker tends to have its next socket where its last one was. */
static int try_last(struct search *s, struct search_found *found)
{
	const struct search_last *last = last_of(s, s->question.uid);
	struct proc_stat stat;
	int error, fd;

	if (last->uid != s->question.uid || proc_open_pid(s->proc_fd, last->pid, &fd))
		return -ENOENT;
	error = proc_stat_of(fd, &stat);
	close(fd);
	if (error || stat.start_ticks != last->start_ticks)
		return -ENOENT;
	error = try_hint(s, last->pid, last->pid, found);
	/* One that waits elsewhere did not just connect; one that runs may have. */
	for (uint32_t i = 0; i < 2 && s->n_running && error == -ENOENT; i++)
		error = search_confirm(s, last->pid, last->pid, last->fd + i, found);
	return error;
}

static int compare_pid(const void *key, const void *entry)
{
	pid_t a = *(const pid_t *)key, b = ((const struct proctable_entry *)entry)->pid;

	return a < b ? -1 : a > b;
}

static int try_cgroup(struct search *s, struct search_found *found)
{
	pid_t pids[CGROUP_PIDS];
	size_t n;
	int error = cgroup_procs(s->cgroup_fd, s->question.cgroup_id, pids, CGROUP_PIDS, &n);

	if (error)
		return -ENOENT;
	error = -ENOENT;
	/* Newest first: what just connected was most likely started last. */
	while (n-- && error == -ENOENT) {
		struct proctable_entry *entry = NULL;

		if (s->table.n)
			entry = bsearch(&pids[n], s->table.entries, s->table.n, sizeof(*entry),
					compare_pid);
		if (entry)
			entry->round = s->round;
		error = try_process(s, pids[n], found);
	}
	return error;
}

static bool is_of_uid(const struct proctable_entry *entry, uint32_t uid)
{
	return entry->uid == uid || entry->euid == uid;
}

enum whose { THE_UIDS, THE_OTHERS };

static int try_table(struct search *s, enum whose whose, struct search_found *found)
{
	int error = -ENOENT;

	for (size_t i = s->table.n; i-- && error == -ENOENT;) {
		struct proctable_entry *entry = &s->table.entries[i];

		if (entry->round == s->round || entry->kernel_thread ||
		    is_of_uid(entry, s->question.uid) != (whose == THE_UIDS))
			continue;
		entry->round = s->round;
		error = try_process(s, entry->pid, found);
	}
	return error;
}

/* Who was running when asked may wait by now; else its newest descriptors are looked at. */
static int try_running(struct search *s, struct search_found *found)
{
	unsigned n = s->n_running;
	int error = -ENOENT;

	s->n_running = SEARCH_RUNNING; /* they are not noted again */
	for (unsigned i = 0; i < n && error == -ENOENT; i++)
		error = try_hint(s, s->running[i].pid, s->running[i].tid, found);
	for (unsigned i = 0; i < n && error == -ENOENT; i++)
		error = search_walk(s, s->running[i].pid, FIRST_WALK, false, found);
	s->n_running = 0;
	return error;
}

static int walk_table(struct search *s, enum whose whose, unsigned limit, bool threads,
		      struct search_found *found)
{
	int error = -ENOENT;

	for (size_t i = s->table.n; i-- && error == -ENOENT;) {
		const struct proctable_entry *entry = &s->table.entries[i];

		if (is_of_uid(entry, s->question.uid) == (whose == THE_UIDS))
			error = search_walk(s, entry->pid, limit, threads, found);
	}
	return error;
}

static int list(struct search *s, uint64_t max_age_ns)
{
	uint64_t now = clock_mono_ns();

	if (s->table.n && now - s->table.listed_ns < max_age_ns)
		return 0;
	return proctable_list(&s->table, s->proc_fd, now);
}

/* Whoever was listed before is not asked again; whoever is new is. */
static int try_uid_processes(struct search *s, struct search_found *found)
{
	int error = list(s, TABLE_FRESH_NS);

	if (!error)
		error = try_table(s, THE_UIDS, found);
	if (error != -ENOENT)
		return error;
	error = list(s, 0);
	return error ? error : try_table(s, THE_UIDS, found);
}

/* A step that found nothing leaves it to the next. */
static int hunt(struct search *s, struct search_found *found)
{
	int error = try_caller(s, found);

	if (s->question.only_caller) {
		if (error == -ENOENT)
			error = search_walk(s, s->question.caller, UINT32_MAX, true, found);
		return error == -ENOENT ? -ENOBUFS : error;
	}
	if (error == -ENOENT)
		error = try_last(s, found);
	if (error == -ENOENT)
		error = try_cgroup(s, found);
	if (error == -ENOENT)
		error = try_uid_processes(s, found);
	if (error == -ENOENT)
		error = try_running(s, found);
	if (error == -ENOENT)
		error = walk_table(s, THE_UIDS, FIRST_WALK, false, found);
	if (error == -ENOENT)
		error = try_table(s, THE_OTHERS, found);
	if (error == -ENOENT)
		error = try_running(s, found);
	if (error != -ENOENT)
		return error;
	error = list(s, 0);
	if (error)
		return error;
	error = walk_table(s, THE_UIDS, UINT32_MAX, true, found);
	if (error == -ENOENT)
		error = walk_table(s, THE_OTHERS, UINT32_MAX, true, found);
	return error;
}

int search_first(struct search *s, const struct search_question *question, uint64_t deadline_ns,
		 unsigned fds, struct search_found *found)
{
	int error;

	begin(s, question, deadline_ns, fds);
	error = hunt(s, found);
	if (!error && found->tid == found->pid)
		*last_of(s, question->uid) = (struct search_last){ question->uid, found->pid,
								   found->start_ticks, found->fd };
	return error;
}

static void add_holder(struct owner_ref *holders, unsigned *n, const struct owner_ref *ref)
{
	for (unsigned i = 0; i < *n && i < OWNER_HOLDERS; i++)
		if (holders[i].pid == ref->pid && holders[i].start_ticks == ref->start_ticks)
			return;
	if (*n < OWNER_HOLDERS)
		holders[*n] = *ref;
	(*n)++;
}

static bool add_found(struct search_found *found, struct owner_ref *holders, unsigned *n)
{
	struct owner_ref ref;
	int error = proc_ref(found->pid_fd, found->pid, &ref, NULL);

	close(found->pid_fd);
	if (error || ref.start_ticks != found->start_ticks)
		return false;
	add_holder(holders, n, &ref);
	return true;
}

int search_all(struct search *s, const struct search_question *question, uint64_t deadline_ns,
	       struct owner_ref *holders, unsigned *n)
{
	unsigned count = 0;
	int error;

	begin(s, question, deadline_ns, UINT32_MAX);
	error = list(s, 0);
	for (int whose = THE_UIDS; !error && whose <= THE_OTHERS; whose++)
		for (size_t i = s->table.n; i-- && !error;) {
			const struct proctable_entry *entry = &s->table.entries[i];
			struct search_found found;

			if (is_of_uid(entry, question->uid) != (whose == THE_UIDS))
				continue;
			error = search_walk(s, entry->pid, UINT32_MAX, true, &found);
			if (!error)
				add_found(&found, holders, &count);
			else if (error == -ENOENT)
				error = 0;
		}
	*n = count;
	return error;
}

static void relative(struct search *s, pid_t pid, uint32_t fd, struct owner_ref *holders,
		     unsigned *n)
{
	struct search_found found;

	if (pid > 0 && !search_confirm(s, pid, pid, fd, &found))
		add_found(&found, holders, n);
}

void search_relatives(struct search *s, const struct search_found *found, bool forked,
		      struct owner_ref *holders, unsigned *n)
{
	char path[48] = "task/", *at = proc_put_u32(path + 5, (uint32_t)found->pid), text[128];
	uint32_t child = 0;
	int children = 0;
	size_t len;

	relative(s, found->parent, found->fd, holders, n);
	memcpy(at, "/children", 10);
	if (!forked || proc_read(found->pid_fd, path, text, sizeof(text), &len))
		return;
	for (size_t i = 0; i < len && children < CHILDREN; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			child = child * 10 + (uint32_t)(text[i] - '0');
			continue;
		}
		if (child) {
			relative(s, (pid_t)child, found->fd, holders, n);
			children++;
		}
		child = 0;
	}
}
