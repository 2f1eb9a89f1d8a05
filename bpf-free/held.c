/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds who owns a held packet: the short way first, on the caller's thread; what a process can
 * make wait on a slot's thread, never waited for longer than the budget. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "clock.h"
#include "finder.h"
#include "proc.h"

#define NEAR_FDS 12

/* Three quarters of the time are for the first try. Only if that hung, the rest is for another
 * one, which does not read the memory of the process that made it hang. */
static int run_twice(struct owner_finder *f, struct job *job, int pid_fd, uint64_t start_ns,
		     struct owner *owner)
{
	uint64_t quarter = f->budget.ms_held * NS_PER_MS / 4;
	struct job again = *job;
	int result;

	job->found.pid_fd = pid_fd < 0 ? -1 : fcntl(pid_fd, F_DUPFD_CLOEXEC, 0);
	job->limits.deadline_ns = start_ns + 2 * quarter;
	job->limits.ask_fpm = f->budget.script_ms != 0;
	job->patience_ns = start_ns + 3 * quarter;
	result = finder_run(f, job, owner);
	if (result != -ETIME)
		return result;
	again.found.pid_fd = pid_fd < 0 ? -1 : fcntl(pid_fd, F_DUPFD_CLOEXEC, 0);
	again.limits.deadline_ns = start_ns + 4 * quarter - quarter / 4;
	again.limits.ask_fpm = false;
	again.patience_ns = start_ns + 4 * quarter;
	result = finder_run(f, &again, owner);
	*job = again;
	if (result == -ETIME) {
		owner->how = OWNER_UNKNOWN;
		owner->why = OWNER_WHY_DEADLINE;
	}
	return result;
}

static void name_sole_holder(struct owner *owner)
{
	owner->how = OWNER_CONFIRMED;
	owner->why = OWNER_WHY_NONE;
	owner->holders[0] = owner->proc;
	owner->n_holders = 1;
}

/*
 * Describes a task by a slot's job. What the kernel's events tell is not looked for; should they
 * tell of another program meanwhile, it is done again with a look before and after. *task is
 * another one afterwards, or NULL, if it was freed meanwhile.
 */
static int describe_task(struct owner_finder *f, struct job *job, struct task **task,
			 uint64_t start_ns, struct owner *owner)
{
	struct tasks *tasks = near_tasks(f->near);
	struct task *pinned = *task;
	uint32_t programs = pinned->programs;
	struct job again = *job;
	bool anew, changed;
	int result;

	near_told(f->near, pinned, &job->limits.told);
	job->limits.forked = pinned->forks || !job->limits.told.programs;
	tasks_pin(pinned);
	if (job->limits.told.parents)
		near_parents(f->near, pinned, owner);
	result = run_twice(f, job, near_folder(f->near, pinned), start_ns, owner);
	tasks_drain(tasks);
	anew = pinned->gone;
	changed = !anew && (pinned->programs != programs || !tasks_whole(tasks));
	tasks_unpin(pinned);
	if (anew) { /* a holder is proven by its table again, whoever has the pid now */
		*task = job->job == SLOT_NAME ? tasks_find(tasks, again.found.pid) : NULL;
		if (!*task || near_folder(f->near, *task) < 0) {
			*task = NULL;
			if (result != -EINPROGRESS)
				describe_clear(owner);
			return result;
		}
	}
	if (job->limits.told.programs && result != -EINPROGRESS && !(*task)->ended_ns &&
	    (anew || changed)) {
		*job = again;
		near_told(f->near, *task, &job->limits.told);
		job->limits.told.programs = false;
		result = run_twice(f, job, (*task)->pid_fd, start_ns, owner);
	}
	if (!result && owner->proc.pid)
		near_learn(f->near, *task, owner, clock_mono_ns());
	return result;
}

/* The holder was confirmed: who is it? */
static int describe_held(struct owner_finder *f, struct near_found *found, uint64_t start_ns,
			 struct owner *owner)
{
	struct job job = { .job = SLOT_NAME,
			   .found = found->holder,
			   .limits.fds = f->budget.fds_held };

	if (near_known(f->near, found->task, start_ns, owner) ||
	    near_inherited(f->near, found->task, owner)) {
		name_sole_holder(owner);
		return 0;
	}
	return describe_task(f, &job, &found->task, start_ns, owner);
}

/* The holder was not found where it was likely. */
static int search_held(struct owner_finder *f, const struct owner_query *query,
		       const struct near_found *found, uint64_t start_ns, struct owner *owner)
{
	struct job job = { .job = SLOT_FIND, .query = query };
	struct task *task;
	int result;

	if (found->n_callers) {
		job.found.pid = found->callers[0].pid;
		job.found.tid = found->callers[0].tid;
	}
	job.limits =
		(struct lookup_limits){ .fds = f->budget.fds_held,
					.told = { .uid = OWNER_UID_NONE, .euid = OWNER_UID_NONE },
					.forked = true };
	result = run_twice(f, &job, -1, start_ns, owner);
	if (result == -ETIME)
		return -EAGAIN;
	if (job.found.pid)
		near_found_elsewhere(f->near, query, found, &job.found);
	task = near_tasks(f->near) && !result && owner->proc.pid
		       ? tasks_find(near_tasks(f->near), owner->proc.pid)
		       : NULL;
	if (task)
		near_learn(f->near, task, owner, clock_mono_ns());
	return result;
}

static bool is_makers(const struct owner_query *query, uint32_t uid, uint32_t euid)
{
	return query->has_uid && (query->uid == uid || query->uid == euid);
}

/* The packet's socket was closed, and another one has its tuple: what is known of that is not the
 * packet's. */
static void forget_socket(struct owner *owner)
{
	uint32_t fds = owner->lookup_fds;

	owner_init(owner);
	owner->why = OWNER_WHY_CLOSED;
	owner->lookup_fds = fds;
}

/* It lives: who it is, as far as that can be read now. false: it has ended meanwhile. */
static bool describe_caller(struct owner_finder *f, const struct caller *caller, struct task *task,
			    uint64_t start_ns, struct owner *named)
{
	struct job job = { .job = SLOT_DESCRIBE,
			   .found = { .pid = caller->pid, .tid = caller->tid } };
	struct owner_ref ref;
	int folder = near_folder(f->near, task);

	if (folder < 0)
		return false;
	if (!near_known(f->near, task, start_ns, named) && !near_inherited(f->near, task, named))
		describe_task(f, &job, &task, start_ns, named);
	if (task && !task->ended_ns && !named->proc.pid && near_folder(f->near, task) >= 0 &&
	    !proc_ref(task->pid_fd, task->pid, &ref, NULL)) {
		named->proc = ref; /* the description hung */
		named->euid = task->euid;
		named->script_why = OWNER_WHY_DEADLINE;
	}
	/* What it runs now need not be what called. */
	if (task && named->proc.pid && task->executed_ns > caller->ts_ns)
		describe_forget_program(named);
	return named->proc.pid != 0;
}

/* No table shows the socket, but the kernel told who called connect(2) for it, and it is of that
 * process's user. */
static void name_caller(struct owner_finder *f, const struct owner_query *query,
			const struct near_found *found, uint64_t start_ns, struct owner *owner)
{
	const struct caller *caller = &found->callers[0];
	struct tasks *tasks = near_tasks(f->near);
	struct owner named = *owner;
	struct task *task;

	if (!found->proven || !tasks)
		return;
	tasks_drain(tasks); /* it may have ended since */
	task = tasks_at(tasks, caller->pid, caller->ts_ns);
	if (!task || (task->uid != OWNER_UID_NONE && !is_makers(query, task->uid, task->euid)))
		return;
	if (!task->ended_ns && describe_caller(f, caller, task, start_ns, &named)) {
		named.how = OWNER_CALLER;
		named.why = owner->why;
	} else {
		tasks_drain(tasks);
		task = tasks_at(tasks, caller->pid, caller->ts_ns);
		if (!task || !task->ended_ns) /* it lives, and does not let itself be read */
			return;
		named = *owner;
		near_tomb(f->near, task, &named);
		if (task->executed_ns > caller->ts_ns)
			describe_forget_program(&named);
		named.how = OWNER_EXITED;
		named.why = OWNER_WHY_EXITED;
	}
	if (!is_makers(query, named.proc.uid, named.euid))
		return;
	*owner = named;
	owner->caller = named.proc;
}

/* Who called, beside who holds it. */
static void note_caller(struct owner_finder *f, const struct owner_query *query,
			const struct near_found *found, struct owner *owner)
{
	struct tasks *tasks = near_tasks(f->near);
	struct owner_ref ref = { .uid = OWNER_UID_NONE };
	struct task *task;
	int folder;

	for (unsigned i = 0; i < found->n_callers; i++)
		if (found->callers[i].pid == owner->proc.pid) {
			owner->caller = owner->proc;
			return;
		}
	if (!found->proven || !tasks)
		return;
	task = tasks_at(tasks, found->callers[0].pid, found->callers[0].ts_ns);
	if (!task || !is_makers(query, task->uid, task->euid))
		return;
	folder = task->ended_ns ? -1 : near_folder(f->near, task);
	if (folder >= 0 && !proc_ref(folder, task->pid, &ref, NULL)) {
		owner->caller = ref;
		return;
	}
	if (task->ref.pid) /* as it was when it was read last */
		ref = task->ref;
	ref.pid = task->pid;
	ref.uid = task->uid;
	owner->caller = ref;
}

/* Of two sockets with one tuple the older one's packet comes first; behind the last there is none.
 */
static bool is_the_last(struct owner_finder *f, const struct owner_query *query,
			const struct owner *owner)
{
	return f->behind && query->has_uid && query->uid == owner->socket_uid &&
	       !f->behind(f->behind_context, query);
}

int held_find(struct owner_finder *f, const struct owner_query *query, uint64_t start_ns,
	      struct owner *owner)
{
	unsigned fds = f->budget.fds_held < NEAR_FDS ? f->budget.fds_held : NEAR_FDS;
	struct near_found found;
	int result = 0;

	near_find(f->near, query, fds, owner, &found);
	if (found.doubtful && found.result == NEAR_NOBODY && is_the_last(f, query, owner)) {
		near_settle(f->near, query);
		owner_init(owner);
		near_find(f->near, query, fds, owner, &found);
	}
	/* Whose packet it is can't be told by the socket that is there now. */
	if (found.doubtful && found.result == NEAR_NOBODY) {
		forget_socket(owner);
		name_caller(f, query, &found, start_ns, owner);
		return 0;
	}
	switch (found.result) {
	case NEAR_HOLDER:
		result = describe_held(f, &found, start_ns, owner);
		break;
	case NEAR_NOBODY:
		result = search_held(f, query, &found, start_ns, owner);
		break;
	case NEAR_NO_SOCKET:
		/* Somebody called for such a one: it was closed since, or is another's. */
		if (owner->how == OWNER_NO_SOCKET && found.n_callers) {
			owner->how = OWNER_UNKNOWN;
			owner->why = OWNER_WHY_CLOSED;
		}
		break;
	}
	if (owner->proc.pid)
		note_caller(f, query, &found, owner);
	else if (result != -EINPROGRESS)
		name_caller(f, query, &found, start_ns, owner);
	return result == -ETIME ? -EAGAIN : result;
}
