/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The public face of the look-up: the short way first, on the caller's thread; what a process can
 * make wait on a slot's thread, never waited for longer than the budget. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "eyes.h"
#include "near.h"
#include "proc.h"
#include "slot.h"
#include "wait.h"

#define AFTER_GRACE_NS	(20 * NS_PER_MS)
#define VERIFY_GRACE_NS (5 * NS_PER_MS)
#define READER_NS	(100 * NS_PER_MS)   /* for one new program's description */
#define WALK_TASK_NS	(10000 * NS_PER_MS) /* everybody is asked about one process so often */
#define WALK_UID_NS	(1000 * NS_PER_MS)  /* and about one user's */
#define WALKED_UIDS	256
#define NEAR_FDS	12

struct owner_finder {
	struct wait_host host; /* first: a wait knows its finder by it */
	char *proc_dir;
	struct owner_budget budget;
	struct slots slots;
	struct slot *slot;
	struct callers *callers;
	struct near *near; /* NULL without sockets */

	struct walked {
		uint32_t uid;
		uint64_t ns;
	} walked[WALKED_UIDS];

	/* describes new programs as they come, beside the look-ups */
	struct slot *reader;
	int reader_fd; /* an eventfd */
	bool reading;
	pid_t read_pid;
	uint32_t read_programs;
	uint64_t read_resyncs;
	uint64_t read_since_ns;
};

static int verify(struct wait_host *host, const struct lookup_workers *workers,
		  uint64_t deadline_ns);

static int open_near(struct owner_finder *f, const struct owner_eyes *eyes, const char **what)
{
	int error = 0;

	if (eyes && eyes->calls.n) {
		*what = "map the tracepoint's buffers";
		error = callers_open(&f->callers, &eyes->calls);
	}
	if (!error) {
		*what = "open sock_diag, list the processes";
		error = near_open(&f->near, f->host.proc_fd, f->callers,
				  eyes ? eyes->connector_fd : -1);
	}
	if (!error && near_tasks(f->near)) {
		*what = "start a thread";
		f->reader_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		error = f->reader_fd < 0 ? -errno : slot_open(&f->slots, &f->reader, what);
	}
	return error;
}

int owner_finder_open(struct owner_finder **finder, const char *proc_dir,
		      const struct owner_budget *budget, const struct owner_eyes *eyes,
		      const char **what)
{
	struct owner_finder *f = calloc(1, sizeof(*f));
	int error = -ENOMEM;

	*what = "allocate";
	if (!f)
		return -ENOMEM;
	f->host.proc_fd = f->reader_fd = -1;
	f->host.verify = verify;
	f->budget = *budget;
	f->proc_dir = strdup(proc_dir);
	if (!f->proc_dir)
		goto failed;
	f->slots.proc_dir = f->proc_dir;
	f->slots.with_sockets = !strcmp(proc_dir, "/proc");
	f->host.proc_fd = open(proc_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->host.proc_fd < 0) {
		*what = "open the proc folder";
		error = -errno;
		goto failed;
	}
	error = slot_open(&f->slots, &f->slot, what);
	if (!error && f->slots.with_sockets)
		error = open_near(f, eyes, what);
	if (error)
		goto failed;
	*finder = f;
	return 0;
failed:
	owner_finder_free(f);
	return error;
}

void owner_finder_free(struct owner_finder *f)
{
	if (!f)
		return;
	if (f->reading && slot_await(&f->slots, &f->reader, clock_mono_ns() + READER_NS) == 0)
		f->reading = false;
	slots_reap(&f->slots, true);
	slot_close(f->slot);
	slot_close(f->reader);
	near_free(f->near);
	callers_free(f->callers);
	if (f->reader_fd >= 0)
		close(f->reader_fd);
	if (f->host.proc_fd >= 0)
		close(f->host.proc_fd);
	free(f->proc_dir);
	free(f);
}

/* --- jobs ---------------------------------------------------------------------------------- */

struct job {
	enum slot_job job;
	const struct owner_query *query;
	struct lookup_limits limits;
	struct search_found found;
	uint64_t patience_ns;
};

/* -ETIME: it hung, or too many do; *owner is untouched then. Else the job's own result. */
static int run_job(struct owner_finder *f, struct job *job, struct owner *owner)
{
	struct slot *slot = slot_take(&f->slots, &f->slot);

	if (!slot) {
		if (job->found.pid_fd >= 0)
			close(job->found.pid_fd);
		return -ETIME;
	}
	slot->job = job->job;
	if (job->query)
		slot->query = *job->query;
	slot->limits = job->limits;
	slot->found = job->found;
	slot->owner = *owner;
	slot_post(slot);
	if (slot_await(&f->slots, &f->slot, job->patience_ns))
		return -ETIME;
	*owner = slot->owner;
	job->found = slot->found;
	return slot->result;
}

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
	result = run_job(f, job, owner);
	if (result != -ETIME)
		return result;
	again.found.pid_fd = pid_fd < 0 ? -1 : fcntl(pid_fd, F_DUPFD_CLOEXEC, 0);
	again.limits.deadline_ns = start_ns + 4 * quarter - quarter / 4;
	again.limits.ask_fpm = false;
	again.patience_ns = start_ns + 4 * quarter;
	result = run_job(f, &again, owner);
	*job = again;
	if (result == -ETIME) {
		owner->how = OWNER_UNKNOWN;
		owner->why = OWNER_WHY_DEADLINE;
	}
	return result;
}

static int verify(struct wait_host *host, const struct lookup_workers *workers,
		  uint64_t deadline_ns)
{
	struct owner_finder *f = (struct owner_finder *)host;
	struct slot *slot = slot_take(&f->slots, &f->slot);

	if (!slot)
		return -ETIME;
	slot->job = SLOT_VERIFY;
	slot->workers = *workers;
	slot->limits.deadline_ns = deadline_ns;
	slot_post(slot);
	if (slot_await(&f->slots, &f->slot, deadline_ns + VERIFY_GRACE_NS))
		return -ETIME;
	return slot->result;
}

/* --- the held packet ----------------------------------------------------------------------- */

static void name_sole_holder(struct owner *owner)
{
	owner->how = OWNER_CONFIRMED;
	owner->why = OWNER_WHY_NONE;
	owner->holders[0] = owner->proc;
	owner->n_holders = 1;
}

/*
 * Describes a task by a slot's job. What the kernel's events tell is not looked for; should they
 * tell of another program meanwhile, it is done again with a look before and after. *task is NULL
 * afterwards if the table had to begin anew.
 */
static int describe_task(struct owner_finder *f, struct job *job, struct task **task,
			 uint64_t start_ns, struct owner *owner)
{
	struct tasks *tasks = near_tasks(f->near);
	uint64_t resyncs = tasks_resyncs(tasks);
	uint32_t programs = (*task)->programs;
	struct job again = *job;
	int result;

	near_told(f->near, *task, &job->limits.told);
	job->limits.forked = (*task)->forks || !job->limits.told.programs;
	if (job->limits.told.parents)
		near_parents(f->near, *task, owner);
	result = run_twice(f, job, (*task)->pid_fd, start_ns, owner);
	tasks_drain(tasks);
	if (tasks_resyncs(tasks) != resyncs) {
		*task = job->job == SLOT_NAME ? tasks_find(tasks, again.found.pid) : NULL;
		programs = 0;
		if (!*task || near_folder(f->near, *task) < 0) {
			*task = NULL;
			if (result != -EINPROGRESS)
				describe_clear(owner);
			return result;
		}
	}
	if (job->limits.told.programs && result != -EINPROGRESS && !(*task)->ended_ns &&
	    ((*task)->programs != programs || tasks_resyncs(tasks) != resyncs)) {
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

	if (near_known(f->near, found->task, start_ns, owner)) {
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

/* No table shows the socket, but the kernel told who called connect(2) for it, and it is of that
 * process's user. */
static void name_caller(struct owner_finder *f, const struct owner_query *query,
			const struct near_found *found, uint64_t start_ns, struct owner *owner)
{
	const struct caller *caller = &found->callers[0];
	struct tasks *tasks = near_tasks(f->near);
	struct owner named = *owner;
	struct job job = { .job = SLOT_DESCRIBE,
			   .found = { .pid = caller->pid, .tid = caller->tid } };
	struct task *task;
	int folder;

	if (!found->proven || !tasks)
		return;
	tasks_drain(tasks); /* it may have ended since */
	task = tasks_at(tasks, caller->pid, caller->ts_ns);
	if (!task || (task->uid != OWNER_UID_NONE && !is_makers(query, task->uid, task->euid)))
		return;
	folder = task->ended_ns ? -1 : near_folder(f->near, task);
	if (folder >= 0 && !near_known(f->near, task, start_ns, &named))
		describe_task(f, &job, &task, start_ns, &named);
	if (!task)
		return;
	if (folder >= 0 && named.proc.pid) {
		named.how = OWNER_CALLER;
		named.why = owner->why;
	} else {
		near_tomb(f->near, task, &named);
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
	ref.pid = task->pid;
	ref.uid = task->uid;
	owner->caller = ref;
}

static int find(struct owner_finder *f, const struct owner_query *query, uint64_t start_ns,
		struct owner *owner)
{
	unsigned fds = f->budget.fds_held < NEAR_FDS ? f->budget.fds_held : NEAR_FDS;
	struct near_found found;
	int result = 0;

	near_find(f->near, query, fds, start_ns, owner, &found);
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

int owner_find(struct owner_finder *f, const struct owner_query *query, struct owner *owner,
	       struct owner_wait **wait)
{
	uint64_t start_ns = clock_mono_ns();
	int result, error;

	owner_init(owner);
	if (!f->near) {
		owner->why = OWNER_WHY_ERROR;
		return 0;
	}
	result = find(f, query, start_ns, owner);
	if (result == -EINPROGRESS) {
		error = wait_begin(&f->host, &f->slot->call, owner,
				   clock_mono_ns() + f->budget.script_ms * NS_PER_MS, wait);
		if (error) {
			owner->script_why = error == -EBUSY ? OWNER_WHY_DEADLINE : OWNER_WHY_ERROR;
			result = 0;
		}
	}
	owner->lookup_us = (uint32_t)((clock_mono_ns() - start_ns) / 1000);
	return result;
}

/* Everybody was asked about the sockets of this process, or of its user, just now. Only a holder's
 * being the only one is worth no more; who is not known yet is always looked for. */
static bool walked_lately(struct owner_finder *f, const struct owner *owner, uint64_t now_ns)
{
	struct task *task = near_tasks(f->near) && owner->how == OWNER_CONFIRMED
				    ? tasks_find(near_tasks(f->near), owner->proc.pid)
				    : NULL;
	struct walked *walked = &f->walked[owner->proc.uid % WALKED_UIDS];

	if (!task)
		return false;
	if ((task->walked_ns && now_ns - task->walked_ns < WALK_TASK_NS) ||
	    (walked->ns && walked->uid == owner->proc.uid && now_ns - walked->ns < WALK_UID_NS))
		return true;
	task->walked_ns = now_ns;
	*walked = (struct walked){ owner->proc.uid, now_ns };
	return false;
}

int owner_continue(struct owner_finder *f, const struct owner_query *query, struct owner *owner)
{
	uint64_t start_ns = clock_mono_ns();
	struct job job = { .job = SLOT_CONTINUE, .query = query, .found.pid_fd = -1 };
	int result;

	if (!f->near)
		return -ENOENT;
	if (walked_lately(f, owner, start_ns))
		return 0;
	job.limits.deadline_ns = start_ns + f->budget.ms_after * NS_PER_MS;
	job.limits.fds = UINT32_MAX;
	job.patience_ns = job.limits.deadline_ns + AFTER_GRACE_NS;
	result = run_job(f, &job, owner);
	if (result == -ETIME && owner->proc.pid) {
		result = 0; /* what was known stands */
	} else if (result == -ETIME) {
		owner->how = OWNER_UNKNOWN;
		owner->why = OWNER_WHY_DEADLINE;
	}
	owner->lookup_us += (uint32_t)((clock_mono_ns() - start_ns) / 1000);
	return result ? -ENOENT : 0;
}

/* --- beside the packets -------------------------------------------------------------------- */

void owner_finder_fds(const struct owner_finder *f, int fds[OWNER_FDS])
{
	fds[0] = f->near && near_tasks(f->near) ? tasks_fd(near_tasks(f->near)) : -1;
	fds[1] = f->reader_fd;
}

/* The reader's last description, if it is done. */
static void take_reading(struct owner_finder *f, uint64_t now_ns)
{
	struct slot *slot = f->reader;
	struct task *task;
	int error = slot_await(&f->slots, &f->reader, 0);

	if (error == -EAGAIN && now_ns - f->read_since_ns > READER_NS)
		slot_leave(&f->slots, &f->reader);
	if (error == -EAGAIN && f->reader)
		return;
	f->reading = false;
	if (error || slot->result)
		return;
	task = tasks_find(near_tasks(f->near), f->read_pid);
	if (!task || task->programs != f->read_programs ||
	    tasks_resyncs(near_tasks(f->near)) != f->read_resyncs)
		return;
	near_learn(f->near, task, &slot->owner, now_ns);
}

/* Gives the reader a program that nobody has looked at yet. */
static void read_next(struct owner_finder *f, uint64_t now_ns)
{
	struct slot *slot;
	struct task *task;
	int folder;

	do {
		task = tasks_unread(near_tasks(f->near));
		folder = task && !task->seen ? near_folder(f->near, task) : -1;
	} while (task && folder < 0);
	if (!task)
		return;
	slot = slot_take(&f->slots, &f->reader);
	if (!slot)
		return;
	slot->done_fd = f->reader_fd;
	slot->job = SLOT_DESCRIBE;
	slot->found = (struct search_found){ .pid = task->pid,
					     .tid = task->pid,
					     .pid_fd = fcntl(folder, F_DUPFD_CLOEXEC, 0) };
	owner_init(&slot->owner);
	slot->limits = (struct lookup_limits){ 0 };
	near_told(f->near, task, &slot->limits.told);
	if (slot->limits.told.parents)
		near_parents(f->near, task, &slot->owner);
	f->reading = true;
	f->read_pid = task->pid;
	f->read_programs = task->programs;
	f->read_resyncs = tasks_resyncs(near_tasks(f->near));
	f->read_since_ns = now_ns;
	slot_post(slot);
}

unsigned owner_tick(struct owner_finder *f)
{
	uint64_t now_ns = clock_mono_ns();
	eventfd_t ended;
	unsigned n;

	if (!f->near || !near_tasks(f->near))
		return 0;
	n = tasks_drain(near_tasks(f->near));
	if (f->reading)
		eventfd_read(f->reader_fd, &ended);
	if (f->reading)
		take_reading(f, now_ns);
	if (!f->reading)
		read_next(f, now_ns);
	return n;
}

void owner_rest(struct owner_finder *f)
{
	if (f->near)
		near_rest(f->near, clock_mono_ns());
}

void owner_finder_counts(const struct owner_finder *f, struct owner_counts *counts)
{
	struct tasks *tasks = f->near ? near_tasks(f->near) : NULL;

	*counts = (struct owner_counts){
		.calls_lost = f->callers ? callers_lost(f->callers) : 0,
		.resyncs = tasks ? tasks_resyncs(tasks) : 0,
		.processes = tasks ? tasks_count(tasks) : 0,
	};
}
