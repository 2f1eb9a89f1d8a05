/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The public face of the look-up; who owns what is held.c's, new programs are reader.c's. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "eyes.h"
#include "finder.h"

#define AFTER_GRACE_NS	(20 * NS_PER_MS)
#define VERIFY_GRACE_NS (5 * NS_PER_MS)
#define WALK_TASK_NS	(10000 * NS_PER_MS) /* everybody is asked about one process so often */
#define WALK_UID_NS	(1000 * NS_PER_MS)  /* and about one user's */

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
				  eyes && eyes->connector.fd >= 0 ? &eyes->connector : NULL);
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
	reader_end(f);
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

int finder_run(struct owner_finder *f, struct job *job, struct owner *owner)
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
	result = held_find(f, query, start_ns, owner);
	if (result == -EINPROGRESS) {
		error = wait_begin(&f->host, &f->slot->call, owner, start_ns,
				   clock_mono_ns() + f->budget.script_ms * NS_PER_MS, wait);
		if (error) {
			owner->script_why = error == -EBUSY ? OWNER_WHY_DEADLINE : OWNER_WHY_ERROR;
			result = 0;
		}
	}
	owner->lookup_us = (uint32_t)((clock_mono_ns() - start_ns) / 1000);
	return result;
}

bool owner_continue_due(struct owner_finder *f, const struct owner *owner)
{
	struct task *task = f->near && near_tasks(f->near)
				    ? tasks_find(near_tasks(f->near), owner->proc.pid)
				    : NULL;
	struct walked *walked = &f->walked[owner->proc.uid % WALKED_UIDS];
	uint64_t now_ns = clock_mono_ns();

	if ((task && task->walked_ns && now_ns - task->walked_ns < WALK_TASK_NS) ||
	    (walked->ns && walked->uid == owner->proc.uid && now_ns - walked->ns < WALK_UID_NS))
		return false;
	if (task)
		task->walked_ns = now_ns;
	*walked = (struct walked){ owner->proc.uid, now_ns };
	return true;
}

int owner_continue(struct owner_finder *f, const struct owner_query *query, struct owner *owner)
{
	uint64_t start_ns = clock_mono_ns();
	struct job job = { .job = SLOT_CONTINUE, .query = query, .found.pid_fd = -1 };
	int result;

	if (!f->near)
		return -ENOENT;
	job.limits.deadline_ns = start_ns + f->budget.ms_after * NS_PER_MS;
	job.limits.fds = UINT32_MAX;
	job.patience_ns = job.limits.deadline_ns + AFTER_GRACE_NS;
	result = finder_run(f, &job, owner);
	if (result == -ETIME && owner->proc.pid) {
		result = 0; /* what was known stands */
	} else if (result == -ETIME) {
		owner->how = OWNER_UNKNOWN;
		owner->why = OWNER_WHY_DEADLINE;
	}
	owner->lookup_us += (uint32_t)((clock_mono_ns() - start_ns) / 1000);
	return result ? -ENOENT : 0;
}

void owner_finder_behind(struct owner_finder *f, owner_behind_fn behind, void *context)
{
	f->behind = behind;
	f->behind_context = context;
}

void owner_finder_fds(const struct owner_finder *f, int fds[OWNER_FDS])
{
	fds[0] = f->near && near_tasks(f->near) ? tasks_fd(near_tasks(f->near)) : -1;
	fds[1] = f->reader_fd;
}

unsigned owner_tick(struct owner_finder *f)
{
	unsigned n;

	if (!f->near || !near_tasks(f->near))
		return 0;
	n = tasks_drain(near_tasks(f->near));
	reader_step(f, clock_mono_ns());
	return n;
}

void owner_pass(struct owner_finder *f, const struct owner_query *query)
{
	if (!f->callers)
		return;
	callers_drain(f->callers, clock_mono_ns());
	callers_pass(f->callers, query);
}

void owner_rest(struct owner_finder *f, uint64_t then_ns)
{
	if (f->near)
		near_rest(f->near, then_ns);
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
