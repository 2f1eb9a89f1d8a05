/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks where the socket most likely is; it names nobody whose own table did not show it. */
#include "near_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "lookup.h"
#include "proc.h"

#define WAITED_NS  (100 * NS_PER_MS) /* a call that was asked for by nobody so long after it */
#define FIRST_FDS  5		     /* 3 to 7: a new program's first socket */
#define CANDIDATES 4

static void close_folder(struct task *task)
{
	if (task->pid_fd >= 0)
		close(task->pid_fd);
	task->pid_fd = -1;
}

static void drop(void *context, struct task *task, enum tasks_drop why)
{
	struct near *near = context;

	if (why != TASKS_ENDED)
		seen_drop(&near->seen, task);
	if (why == TASKS_FREED)
		free(task->script);
	if (why != TASKS_CHANGED && task->pid_fd >= 0) {
		near->folders[task->folder] = NULL;
		close_folder(task);
	}
}

int near_open(struct near **out, int proc_fd, struct callers *callers,
	      const struct connector *connector)
{
	struct near *near = calloc(1, sizeof(*near));
	int error = -ENOMEM;

	if (!near)
		return -ENOMEM;
	near->proc_fd = proc_fd;
	near->callers = callers;
	seen_init(&near->seen);
	for (unsigned i = 0; i < LASTS; i++)
		near->lasts[i].uid = OWNER_UID_NONE;
	error = sockdiag_open(&near->diag);
	if (!error && connector)
		error = tasks_open(&near->tasks, connector, proc_fd, drop, near);
	if (error) {
		near_free(near);
		return error;
	}
	*out = near;
	return 0;
}

void near_free(struct near *near)
{
	if (!near)
		return;
	tasks_free(near->tasks);
	seen_done(&near->seen);
	sockdiag_free(near->diag);
	free(near);
}

struct tasks *near_tasks(struct near *near)
{
	return near->tasks;
}

/* Opens its folder, which stays the process's own whatever becomes of its pid. */
static bool open_folder(struct near *near, struct task *task)
{
	struct task **place;

	if (task->pid_fd >= 0)
		return true;
	if (proc_open_pid(near->proc_fd, task->pid, &task->pid_fd)) {
		task->pid_fd = -1;
		return false;
	}
	do
		task->folder = near->next_folder++ % FOLDERS;
	while (near->folders[task->folder] && near->folders[task->folder]->pins);
	place = &near->folders[task->folder];
	if (*place)
		close_folder(*place);
	*place = task;
	return true;
}

int near_folder(struct near *near, struct task *task)
{
	return open_folder(near, task) ? task->pid_fd : -1;
}

/* Is that descriptor the socket? */
static bool look(struct near *near, struct task *task, pid_t tid, int32_t fd)
{
	char path[48], link[40], *at = path;
	ssize_t n;

	if (tid && tid != task->pid) {
		memcpy(at, "task/", 5);
		at = proc_put_u32(at + 5, (uint32_t)tid);
		*at++ = '/';
	}
	memcpy(at, "fd/", 3);
	*proc_put_u32(at + 3, (uint32_t)fd) = 0;
	near->fds_left--;
	near->fds_read++;
	n = readlinkat(task->pid_fd, path, link, sizeof(link) - 1);
	if (n <= 0)
		return false;
	link[n] = 0;
	return !strcmp(link, near->link);
}

static struct last *last_of(struct near *near, uint32_t uid)
{
	return &near->lasts[(uid * 2654435761u) >> 22];
}

/* Likely numbers: where its last one was and the next, its parent's last child's, its user's last
 * one, and the first that a new program gets. */
static unsigned guess(struct near *near, const struct task *task, uint32_t uid, int32_t *fds)
{
	const struct task *parent = tasks_find(near->tasks, task->parent);
	const struct last *last = last_of(near, uid);
	int32_t likely[5 + FIRST_FDS];
	unsigned n = 0, kept = 0;

	if (task->last_fd >= 0) {
		likely[n++] = task->last_fd;
		likely[n++] = task->last_fd + 1;
	}
	if (parent && parent->child_fd >= 0)
		likely[n++] = parent->child_fd;
	if (last->uid == uid)
		likely[n++] = last->fd;
	for (int32_t i = 0; i < FIRST_FDS; i++)
		likely[n++] = 3 + i;
	for (unsigned i = 0; i < n; i++) {
		unsigned before = 0;

		while (before < kept && fds[before] != likely[i])
			before++;
		if (before == kept)
			fds[kept++] = likely[i];
	}
	return kept;
}

static void keep_place(struct near *near, struct task *task, uint32_t uid, int32_t fd)
{
	struct task *parent = tasks_find(near->tasks, task->parent);

	task->last_fd = fd;
	if (parent)
		parent->child_fd = fd;
	*last_of(near, uid) = (struct last){ uid, task->pid, fd };
}

static bool try_task(struct near *near, struct task *task, pid_t tid, uint32_t uid,
		     struct near_found *found)
{
	int32_t fds[5 + FIRST_FDS];
	unsigned n;

	if (!task || !near->fds_left || !open_folder(near, task))
		return false;
	n = guess(near, task, uid, fds);
	for (unsigned i = 0; i < n && near->fds_left; i++)
		if (look(near, task, tid, fds[i])) {
			found->holder = (struct search_found){ .pid = task->pid,
							       .tid = tid ? tid : task->pid,
							       .pid_fd = task->pid_fd,
							       .fd = (uint32_t)fds[i],
							       .parent = task->parent };
			found->task = task;
			keep_place(near, task, uid, fds[i]);
			return true;
		}
	return false;
}

static bool try_callers(struct near *near, uint32_t uid, struct near_found *found)
{
	for (unsigned i = 0; i < found->n_callers; i++) {
		const struct caller *caller = &found->callers[i];

		if (try_task(near, tasks_find(near->tasks, caller->pid), caller->tid, uid, found))
			return true;
	}
	return false;
}

/* Without the kernel's word: who held the user's last one, and the user's newest processes. */
static bool try_likely(struct near *near, uint32_t uid, struct near_found *found)
{
	struct task *newest[CANDIDATES];
	const struct last *last = last_of(near, uid);
	unsigned n;

	if (last->uid == uid && try_task(near, tasks_find(near->tasks, last->pid), 0, uid, found))
		return true;
	n = tasks_newest(near->tasks, uid, newest, CANDIDATES);
	for (unsigned i = 0; i < n; i++)
		if (try_task(near, newest[i], 0, uid, found))
			return true;
	return false;
}

static uint32_t maker_of(const struct owner_query *query, const struct owner *owner)
{
	return query->has_uid ? query->uid : owner->socket_uid;
}

/* The packet's call is not asked for again: that of who holds it, or the only one there is. */
static void assign(struct near *near, const struct owner_query *query,
		   const struct near_found *found, pid_t holder)
{
	for (unsigned i = 0; i < found->n_callers; i++)
		if (found->callers[i].pid == holder || (found->proven && i == 0)) {
			callers_assign(near->callers, query, found->callers[i].pid);
			return;
		}
}

/* Pids come round again: was it one process that made all those calls? */
static bool is_one_process(struct near *near, const struct caller *caller)
{
	const struct task *task = tasks_at(near->tasks, caller->pid, caller->ts_ns);

	return task && task == tasks_at(near->tasks, caller->pid, caller->oldest_ns);
}

void near_find(struct near *near, const struct owner_query *query, unsigned fds,
	       struct owner *owner, struct near_found *found)
{
	struct callers_answer calls = { 0 };
	bool socket;

	found->n_callers = 0;
	found->proven = found->doubtful = false;
	found->task = NULL;
	near->fds_left = fds;
	near->fds_read = 0;
	/* Before the events are taken in: a socket that is not there any more was told to have
	 * left. */
	socket = lookup_socket(near->diag, query, owner);
	if (near->tasks)
		tasks_drain(near->tasks);
	if (near->callers) {
		callers_drain(near->callers, clock_mono_ns());
		callers_find(near->callers, query, socket, found->callers, NEAR_CALLERS, &calls);
		found->n_callers = calls.n;
		found->proven = calls.proven;
		found->doubtful = calls.doubtful;
	}
	if (found->proven && near->tasks && !is_one_process(near, &found->callers[0]))
		found->proven = false;
	found->result = socket ? NEAR_NOBODY : NEAR_NO_SOCKET;
	if (socket && near->tasks && (!found->doubtful || found->proven)) {
		uint32_t uid = maker_of(query, owner);

		search_link_text(near->link, owner->inode);
		if (found->n_callers ? try_callers(near, uid, found) : try_likely(near, uid, found))
			found->result = NEAR_HOLDER;
		owner->lookup_fds = near->fds_read;
	}
	if (near->callers && found->n_callers)
		assign(near, query, found, found->task ? found->task->pid : 0);
}

void near_found_elsewhere(struct near *near, const struct owner_query *query,
			  const struct near_found *found, const struct search_found *holder)
{
	struct task *task = near->tasks ? tasks_find(near->tasks, holder->pid) : NULL;

	if (near->callers && found->n_callers && !found->proven)
		assign(near, query, found, holder->pid);
	if (task && holder->tid == holder->pid && query->has_uid)
		keep_place(near, task, query->uid, (int32_t)holder->fd);
}

void near_settle(struct near *near, const struct owner_query *query)
{
	callers_settle(near->callers, query);
}

void near_rest(struct near *near, uint64_t then_ns)
{
	if (near->callers) {
		callers_drain(near->callers, clock_mono_ns());
		callers_forget(near->callers, then_ns - WAITED_NS);
	}
}
