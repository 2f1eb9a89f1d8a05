/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks where the socket most likely is; it names nobody whose own table did not show it. */
#include "near.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "lookup.h"
#include "proc.h"
#include "seen.h"

#define FRESH_NS   (1000 * NS_PER_MS) /* what a process says of itself may change unheard */
#define WAITED_NS  (100 * NS_PER_MS)  /* a call that was asked for by nobody so long after it */
#define LASTS	   1024		      /* a power of two */
#define FOLDERS	   1024		      /* of processes, kept open */
#define FIRST_FDS  5		      /* 3 to 7: a new program's first socket */
#define CANDIDATES 4

struct last { /* who held the last socket of a uid, and where */
	uint32_t uid;
	pid_t pid;
	int32_t fd;
};

struct near {
	int proc_fd;
	struct sockdiag *diag;
	struct callers *callers;
	struct tasks *tasks;
	struct seen_list seen;
	struct last lasts[LASTS];
	struct task *folders[FOLDERS];
	unsigned next_folder;

	/* of the look-up under way */
	char link[32];
	unsigned fds_left, fds_read;
};

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
	if (why != TASKS_CHANGED && task->pid_fd >= 0) {
		near->folders[task->folder] = NULL;
		close_folder(task);
	}
}

int near_open(struct near **out, int proc_fd, struct callers *callers, int connector_fd)
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
	if (!error && connector_fd >= 0)
		error = tasks_open(&near->tasks, connector_fd, proc_fd, drop, near);
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
	task->folder = near->next_folder++ % FOLDERS;
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

void near_find(struct near *near, const struct owner_query *query, unsigned fds, uint64_t now_ns,
	       struct owner *owner, struct near_found *found)
{
	bool socket;

	found->n_callers = 0;
	found->proven = false;
	found->task = NULL;
	near->fds_left = fds;
	near->fds_read = 0;
	/* Before the call's event: a socket that is told of is in the table already. */
	socket = lookup_socket(near->diag, query, owner);
	if (near->tasks)
		tasks_drain(near->tasks);
	if (near->callers) {
		callers_drain(near->callers, now_ns);
		found->n_callers = callers_find(near->callers, query, found->callers, NEAR_CALLERS,
						&found->proven);
	}
	found->result = socket ? NEAR_NOBODY : NEAR_NO_SOCKET;
	if (socket && near->tasks) {
		uint32_t uid = maker_of(query, owner);

		search_link_text(near->link, owner->inode);
		if (found->n_callers ? try_callers(near, uid, found) : try_likely(near, uid, found))
			found->result = NEAR_HOLDER;
		owner->lookup_fds = near->fds_read;
	}
	if (near->callers && found->n_callers && (found->task || found->proven))
		callers_assign(near->callers, query,
			       found->task ? found->task->pid : found->callers[0].pid);
}

void near_found_elsewhere(struct near *near, const struct owner_query *query,
			  const struct near_found *found, const struct search_found *holder)
{
	struct task *task = near->tasks ? tasks_find(near->tasks, holder->pid) : NULL;

	if (near->callers && found->n_callers > 1)
		callers_assign(near->callers, query, holder->pid);
	if (task && holder->tid == holder->pid && query->has_uid)
		keep_place(near, task, query->uid, (int32_t)holder->fd);
}

void near_told(struct near *near, const struct task *task, struct describe_told *told)
{
	bool whole = tasks_whole(near->tasks);
	const struct task *parent = whole && !task->programs && task->parent
					    ? tasks_at(near->tasks, task->parent, task->started_ns)
					    : NULL;

	/* A session's is set before its programs are executed, and inherited (proc(5)). */
	if (parent && parent->seen && parent->programs == task->parent_programs) {
		told->login = true;
		told->login_uid = parent->seen->owner.login_uid;
	}
	told->programs = whole;
	told->parents = whole;
	told->uid = whole ? task->uid : OWNER_UID_NONE;
	told->euid = whole ? task->euid : OWNER_UID_NONE;
}

/* Its name and user, read when they are wanted first; both change only with an event. */
static bool read_ref(struct near *near, struct task *task)
{
	pid_t parent;

	if (task->ref.pid && task->ref_programs == task->programs)
		return true;
	if (task->ended_ns || !open_folder(near, task) ||
	    proc_ref(task->pid_fd, task->pid, &task->ref, &parent)) {
		task->ref = (struct owner_ref){ .pid = 0 };
		return false;
	}
	task->ref_programs = task->programs;
	if (!task->parent)
		task->parent = parent;
	return true;
}

void near_parents(struct near *near, struct task *task, struct owner *owner)
{
	if (!task->parent) /* it was there before us */
		read_ref(near, task);
	owner->n_parents = 0;
	owner->cut &= ~(uint32_t)OWNER_CUT_PARENTS;
	while (task->parent > 0) {
		struct task *parent = tasks_at(near->tasks, task->parent, task->started_ns);

		if (!parent || parent == task)
			return;
		if (owner->n_parents == OWNER_PARENTS) {
			owner->cut |= OWNER_CUT_PARENTS;
			return;
		}
		if (!read_ref(near, parent)) /* it has ended before anybody asked */
			parent->ref = (struct owner_ref){ .pid = 0, .uid = parent->uid };
		owner->parents[owner->n_parents] = parent->ref;
		owner->parents[owner->n_parents++].pid = parent->pid;
		task = parent;
	}
}

bool near_known(struct near *near, const struct task *task, uint64_t now_ns, struct owner *owner)
{
	if (!task->seen || !tasks_whole(near->tasks) || now_ns - task->seen->read_ns > FRESH_NS)
		return false;
	seen_copy(owner, &task->seen->owner);
	seen_touch(&near->seen, task->seen);
	return true;
}

/* A web server's process runs another script at the next request. */
static bool is_lasting(const struct owner *owner)
{
	switch (owner->script_from) {
	case OWNER_SCRIPT_ARGV:
	case OWNER_SCRIPT_INLINE:
	case OWNER_SCRIPT_STDIN:
	case OWNER_SCRIPT_MODULE:
	case OWNER_SCRIPT_ENVIRON:
		return true;
	case OWNER_SCRIPT_NONE:
		return owner->script_why == OWNER_WHY_NONE;
	default:
		return false;
	}
}

bool near_inherited(struct near *near, struct task *task, struct owner *owner)
{
	struct task *parent = !task->programs && task->parent && tasks_whole(near->tasks)
				      ? tasks_at(near->tasks, task->parent, task->started_ns)
				      : NULL;
	struct owner_ref parents[OWNER_PARENTS];
	struct proc_stat stat;
	bool cut = false;
	unsigned n;

	if (!parent || parent->ended_ns || parent->programs != task->parent_programs)
		return false;
	if (!parent->seen) {
		tasks_note_unread(near->tasks, parent);
		return false;
	}
	if (!is_lasting(&parent->seen->owner) || !open_folder(near, task) ||
	    proc_stat_of(task->pid_fd, &stat) || stat.state == 'Z' ||
	    strcmp(stat.comm, parent->seen->owner.proc.comm) != 0)
		return false;
	seen_copy(owner, &parent->seen->owner);
	seen_touch(&near->seen, parent->seen);
	owner->cut &= ~(uint32_t)OWNER_CUT_CWD;
	if (proc_link(task->pid_fd, "cwd", owner->cwd, sizeof(owner->cwd), &cut))
		owner->cwd[0] = 0;
	if (cut)
		owner->cut |= OWNER_CUT_CWD;
	n = owner->n_parents < OWNER_PARENTS ? owner->n_parents : OWNER_PARENTS - 1;
	if (n < owner->n_parents)
		owner->cut |= OWNER_CUT_PARENTS;
	memcpy(parents, owner->parents, n * sizeof(parents[0]));
	memcpy(owner->parents + 1, parents, n * sizeof(parents[0]));
	owner->parents[0] = owner->proc;
	owner->n_parents = n + 1;
	owner->proc.pid = task->pid;
	owner->proc.start_ticks = stat.start_ticks;
	owner->start_ns = proc_start_ns(stat.start_ticks);
	return true;
}

void near_learn(struct near *near, struct task *task, const struct owner *owner, uint64_t now_ns)
{
	task->uid = owner->proc.uid;
	task->euid = owner->euid;
	task->ref = owner->proc;
	task->ref_programs = task->programs;
	if (!task->parent && owner->n_parents)
		task->parent = owner->parents[0].pid;
	if (is_lasting(owner))
		seen_put(&near->seen, task, owner, now_ns);
	else
		seen_drop(&near->seen, task);
}

void near_tomb(struct near *near, const struct task *task, struct owner *owner)
{
	const struct task *parent = tasks_at(near->tasks, task->parent, task->started_ns);

	if (task->seen) {
		seen_copy(owner, &task->seen->owner);
	} else if (!task->programs && parent && parent->seen &&
		   parent->seen->read_ns <= task->ended_ns &&
		   parent->programs == task->parent_programs) {
		/* A child that executed nothing is its parent's program. */
		seen_copy(owner, &parent->seen->owner);
		memmove(owner->parents + 1, owner->parents,
			sizeof(owner->parents) - sizeof(owner->parents[0]));
		owner->parents[0] = owner->proc;
		if (owner->n_parents < OWNER_PARENTS)
			owner->n_parents++;
		owner->proc.start_ticks = 0;
		owner->start_ns = 0;
	}
	owner->proc.pid = task->pid;
	if (!task->seen) {
		owner->proc.uid = task->uid;
		owner->euid = task->euid;
	}
}

void near_rest(struct near *near, uint64_t now_ns)
{
	if (near->callers) {
		callers_drain(near->callers, now_ns);
		callers_forget(near->callers, now_ns - WAITED_NS);
	}
}
