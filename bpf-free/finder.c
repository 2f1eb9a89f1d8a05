/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The public face of the look-up: runs it on a thread of its own and never waits for it longer
 * than the budget. It reads no memory and no path of another process itself. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "lookup.h"
#include "proc.h"
#include "wait.h"

#define HUNG_MAX	32 /* threads that hang; from SEARCH_HUNG_UIDS on everybody is spared */
#define AFTER_GRACE_NS	(20 * NS_PER_MS)
#define VERIFY_GRACE_NS (5 * NS_PER_MS)

enum job { JOB_FIND, JOB_CONTINUE, JOB_VERIFY };
enum slot_state { IDLE, POSTED, DONE, LEFT, OVER, QUIT };

/* A thread and everything it touches. Once LEFT it belongs to the thread alone. */
struct slot {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum slot_state state;
	struct lookup lookup;
	uint32_t hung_uid;
	/* the job */
	enum job job;
	struct owner_query query;
	struct lookup_limits limits;
	struct owner owner;
	struct lookup_call call;
	struct lookup_workers workers;
	int result;
};

struct owner_finder {
	struct wait_host host; /* first: a wait knows its finder by it */
	char *proc_dir;
	bool with_sockets;
	struct owner_budget budget;
	struct slot *slot;
	struct slot *hung[HUNG_MAX];
	unsigned n_hung;
};

static void slot_free(struct slot *slot)
{
	lookup_close(&slot->lookup);
	pthread_cond_destroy(&slot->changed);
	pthread_mutex_destroy(&slot->lock);
	free(slot);
}

static void run(struct slot *slot)
{
	switch (slot->job) {
	case JOB_FIND:
		slot->result = lookup_find(&slot->lookup, &slot->query, &slot->limits, &slot->owner,
					   &slot->call);
		break;
	case JOB_CONTINUE:
		slot->result = lookup_continue(&slot->lookup, &slot->query,
					       slot->limits.deadline_ns, &slot->owner);
		break;
	case JOB_VERIFY:
		slot->result =
			lookup_verify(&slot->lookup, &slot->workers, slot->limits.deadline_ns);
		break;
	}
}

static void *slot_main(void *arg)
{
	struct slot *slot = arg;

	pthread_mutex_lock(&slot->lock);
	for (;;) {
		while (slot->state != POSTED && slot->state != QUIT)
			pthread_cond_wait(&slot->changed, &slot->lock);
		if (slot->state == QUIT)
			break;
		pthread_mutex_unlock(&slot->lock);
		run(slot);
		pthread_mutex_lock(&slot->lock);
		if (slot->state == LEFT) {
			if (slot->job == JOB_FIND && slot->result == -EINPROGRESS) {
				close(slot->call.call.fd);
				close(slot->call.found.pid_fd);
			}
			slot->state = OVER;
			break;
		}
		slot->state = DONE;
		pthread_cond_broadcast(&slot->changed);
	}
	pthread_mutex_unlock(&slot->lock);
	return NULL;
}

static int verify(struct wait_host *host, const struct lookup_workers *workers,
		  uint64_t deadline_ns);

static int start_thread(struct slot *slot)
{
	sigset_t all, before;
	int error;

	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&slot->thread, NULL, slot_main, slot);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

/* Whom to spare: the uids of whom one thread hangs already, and when they are too many, or one
 * of them is not known, everybody. */
static void tell_hung(const struct owner_finder *f, struct search_care *care)
{
	care->n_hung = 0;
	care->nobody = f->n_hung >= SEARCH_HUNG_UIDS;
	for (unsigned i = 0; i < f->n_hung && !care->nobody; i++) {
		care->nobody = f->hung[i]->hung_uid == OWNER_UID_NONE;
		care->hung[care->n_hung++] = f->hung[i]->hung_uid;
	}
}

static int slot_open(struct owner_finder *f, const char **what)
{
	struct slot *slot = calloc(1, sizeof(*slot));
	pthread_condattr_t monotonic;
	int error;

	*what = "allocate";
	if (!slot)
		return -ENOMEM;
	error = lookup_open(&slot->lookup, f->proc_dir, f->with_sockets, what);
	if (error) {
		free(slot);
		return error;
	}
	pthread_mutex_init(&slot->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&slot->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	tell_hung(f, &slot->lookup.care);
	*what = "start a thread";
	error = start_thread(slot);
	if (error) {
		slot_free(slot);
		return error;
	}
	f->slot = slot;
	return 0;
}

int owner_finder_open(struct owner_finder **finder, const char *proc_dir,
		      const struct owner_budget *budget, const char **what)
{
	struct owner_finder *f = calloc(1, sizeof(*f));
	int error = -ENOMEM;

	*what = "allocate";
	if (!f)
		return -ENOMEM;
	f->host.proc_fd = -1;
	f->host.verify = verify;
	f->budget = *budget;
	f->with_sockets = !strcmp(proc_dir, "/proc");
	f->proc_dir = strdup(proc_dir);
	if (!f->proc_dir)
		goto failed;
	f->host.proc_fd = open(proc_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->host.proc_fd < 0) {
		*what = "open the proc folder";
		error = -errno;
		goto failed;
	}
	error = slot_open(f, what);
	if (error)
		goto failed;
	*finder = f;
	return 0;
failed:
	owner_finder_free(f);
	return error;
}

static void end_slot(struct slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	slot->state = QUIT;
	pthread_cond_broadcast(&slot->changed);
	pthread_mutex_unlock(&slot->lock);
	pthread_join(slot->thread, NULL);
	slot_free(slot);
}

/* Takes back what has come out of its hang; the memory of that uid may be read again. */
static void reap_hung(struct owner_finder *f)
{
	for (unsigned i = 0; i < f->n_hung;) {
		struct slot *slot = f->hung[i];
		bool over;

		pthread_mutex_lock(&slot->lock);
		over = slot->state == OVER;
		pthread_mutex_unlock(&slot->lock);
		if (!over) {
			i++;
			continue;
		}
		pthread_join(slot->thread, NULL);
		slot_free(slot);
		f->hung[i] = f->hung[--f->n_hung];
		if (f->slot)
			tell_hung(f, &f->slot->lookup.care);
	}
}

void owner_finder_free(struct owner_finder *f)
{
	if (!f)
		return;
	reap_hung(f);
	if (f->slot)
		end_slot(f->slot);
	/* A thread that hangs in the kernel can't be ended; it and its memory stay. */
	for (unsigned i = 0; i < f->n_hung; i++)
		pthread_detach(f->hung[i]->thread);
	if (f->host.proc_fd >= 0)
		close(f->host.proc_fd);
	free(f->proc_dir);
	free(f);
}

/* Leaves the slot to its thread. Whose process made it hang was known before it was touched; the
 * new thread spares that uid, so nobody makes two of them hang. */
static void leave_slot(struct owner_finder *f)
{
	struct slot *slot = f->slot;
	uint64_t touching = atomic_load(&slot->lookup.care.touching);
	const char *what;

	slot->state = LEFT; /* under its lock */
	slot->hung_uid = touching == SEARCH_CARE_NO_ONE ? OWNER_UID_NONE : (uint32_t)touching;
	pthread_mutex_unlock(&slot->lock);
	f->hung[f->n_hung++] = slot;
	f->slot = NULL;
	if (f->n_hung < HUNG_MAX)
		slot_open(f, &what);
}

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / 1000000000ull),
				  .tv_nsec = (long)(ns % 1000000000ull) };
}

/* The slot with its lock, ready for a job; NULL when too many hang. */
static struct slot *take_slot(struct owner_finder *f)
{
	const char *what;

	reap_hung(f);
	if (!f->slot && (f->n_hung == HUNG_MAX || slot_open(f, &what)))
		return NULL;
	pthread_mutex_lock(&f->slot->lock);
	return f->slot;
}

/* Runs the job of a taken slot until patience_ns, and gives the slot back. -ETIME: it hung, and
 * the slot was left; owner is untouched then (it may be NULL). */
static int run_job(struct owner_finder *f, struct slot *slot, enum job job, uint64_t patience_ns,
		   struct owner *owner)
{
	struct timespec until = to_timespec(patience_ns);

	slot->job = job;
	slot->state = POSTED;
	pthread_cond_broadcast(&slot->changed);
	while (slot->state == POSTED)
		if (pthread_cond_timedwait(&slot->changed, &slot->lock, &until) == ETIMEDOUT &&
		    slot->state == POSTED) {
			leave_slot(f);
			return -ETIME;
		}
	slot->state = IDLE;
	if (owner)
		*owner = slot->owner;
	pthread_mutex_unlock(&slot->lock);
	return 0;
}

static int look_up(struct owner_finder *f, enum job job, const struct owner_query *query,
		   const struct lookup_limits *limits, uint64_t patience_ns, struct owner *owner)
{
	struct slot *slot = take_slot(f);

	if (!slot)
		return -ETIME;
	slot->query = *query;
	slot->limits = *limits;
	slot->owner = *owner;
	return run_job(f, slot, job, patience_ns, owner);
}

static int verify(struct wait_host *host, const struct lookup_workers *workers,
		  uint64_t deadline_ns)
{
	struct owner_finder *f = (struct owner_finder *)host;
	struct slot *slot = take_slot(f);
	int error;

	if (!slot)
		return -ETIME;
	slot->workers = *workers;
	slot->limits.deadline_ns = deadline_ns;
	error = run_job(f, slot, JOB_VERIFY, deadline_ns + VERIFY_GRACE_NS, NULL);
	return error ? error : slot->result;
}

static void no_time(struct owner *owner)
{
	owner->how = OWNER_UNKNOWN;
	owner->why = OWNER_WHY_DEADLINE;
}

/* Three quarters of the time are for the first try. Only if that hung, the rest is for another
 * one, which does not read the memory of the process that made it hang. */
static int find(struct owner_finder *f, const struct owner_query *query, uint64_t start_ns,
		struct owner *owner, struct slot **done)
{
	uint64_t quarter = f->budget.ms_held * NS_PER_MS / 4;
	struct lookup_limits limits = { start_ns + 2 * quarter, f->budget.fds_held,
					f->budget.script_ms != 0 };

	if (!f->with_sockets) {
		owner->why = OWNER_WHY_ERROR;
		return 0;
	}
	if (!look_up(f, JOB_FIND, query, &limits, start_ns + 3 * quarter, owner)) {
		*done = f->slot;
		return f->slot->result;
	}
	limits.deadline_ns = start_ns + 4 * quarter - quarter / 4;
	limits.ask_fpm = false;
	if (f->slot && !look_up(f, JOB_FIND, query, &limits, start_ns + 4 * quarter, owner)) {
		*done = f->slot;
		return f->slot->result;
	}
	no_time(owner);
	return -EAGAIN;
}

int owner_find(struct owner_finder *f, const struct owner_query *query, struct owner *owner,
	       struct owner_wait **wait)
{
	uint64_t start_ns = clock_mono_ns();
	struct slot *slot = NULL;
	int result, error;

	owner_init(owner);
	result = find(f, query, start_ns, owner, &slot);
	if (result == -EINPROGRESS) {
		error = wait_begin(&f->host, &slot->call, owner,
				   clock_mono_ns() + f->budget.script_ms * NS_PER_MS, wait);
		if (error) {
			owner->script_why = error == -EBUSY ? OWNER_WHY_DEADLINE : OWNER_WHY_ERROR;
			result = 0;
		}
	}
	owner->lookup_us = (uint32_t)((clock_mono_ns() - start_ns) / 1000);
	return result;
}

int owner_continue(struct owner_finder *f, const struct owner_query *query, struct owner *owner)
{
	uint64_t start_ns = clock_mono_ns();
	struct lookup_limits limits = { start_ns + f->budget.ms_after * NS_PER_MS, UINT32_MAX,
					false };
	int result;

	if (!f->with_sockets)
		return -ENOENT;
	result = look_up(f, JOB_CONTINUE, query, &limits, limits.deadline_ns + AFTER_GRACE_NS,
			 owner);
	if (!result)
		result = f->slot->result;
	else if (owner->proc.pid)
		result = 0; /* what was known stands */
	else
		no_time(owner);
	owner->lookup_us += (uint32_t)((clock_mono_ns() - start_ns) / 1000);
	return result ? -ENOENT : 0;
}
