/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs jobs on a thread that may be left behind; what a job is for is not its business. */
#include "slot.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"

#define YIELDS 4

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
	case SLOT_FIND:
		slot->result = lookup_find(&slot->lookup, &slot->query, &slot->limits, &slot->found,
					   &slot->owner, &slot->call);
		break;
	case SLOT_NAME:
		slot->result = lookup_name(&slot->lookup, &slot->limits, &slot->found, &slot->owner,
					   &slot->call);
		break;
	case SLOT_DESCRIBE:
		slot->result =
			lookup_describe(&slot->lookup, &slot->limits, &slot->found, &slot->owner);
		break;
	case SLOT_CONTINUE:
		slot->result = lookup_continue(&slot->lookup, &slot->query,
					       slot->limits.deadline_ns, &slot->owner);
		break;
	case SLOT_VERIFY:
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
		while (slot->state != SLOT_POSTED && slot->state != SLOT_QUIT)
			pthread_cond_wait(&slot->changed, &slot->lock);
		if (slot->state == SLOT_QUIT)
			break;
		pthread_mutex_unlock(&slot->lock);
		run(slot);
		pthread_mutex_lock(&slot->lock);
		if (slot->state == SLOT_LEFT) {
			if (slot->result == -EINPROGRESS) {
				close(slot->call.call.fd);
				close(slot->call.found.pid_fd);
			}
			slot->state = SLOT_OVER;
			break;
		}
		slot->state = SLOT_DONE;
		atomic_store(&slot->ended, true);
		pthread_cond_broadcast(&slot->changed);
		if (slot->done_fd >= 0)
			eventfd_write(slot->done_fd, 1);
	}
	pthread_mutex_unlock(&slot->lock);
	return NULL;
}

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
static void tell_hung(const struct slots *slots, struct search_care *care)
{
	care->n_hung = 0;
	care->nobody = slots->n_hung >= SEARCH_HUNG_UIDS;
	for (unsigned i = 0; i < slots->n_hung && !care->nobody; i++) {
		care->nobody = slots->hung[i]->hung_uid == OWNER_UID_NONE;
		care->hung[care->n_hung++] = slots->hung[i]->hung_uid;
	}
}

int slot_open(const struct slots *slots, struct slot **slot, const char **what)
{
	struct slot *s = calloc(1, sizeof(*s));
	pthread_condattr_t monotonic;
	int error;

	*what = "allocate";
	if (!s)
		return -ENOMEM;
	error = lookup_open(&s->lookup, slots->proc_dir, slots->with_sockets, what);
	if (error) {
		free(s);
		return error;
	}
	s->done_fd = s->cpu = -1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	*what = "start a thread";
	error = start_thread(s);
	if (error) {
		slot_free(s);
		return error;
	}
	*slot = s;
	return 0;
}

void slot_close(struct slot *slot)
{
	if (!slot)
		return;
	pthread_mutex_lock(&slot->lock);
	slot->state = SLOT_QUIT;
	pthread_cond_broadcast(&slot->changed);
	pthread_mutex_unlock(&slot->lock);
	pthread_join(slot->thread, NULL);
	slot_free(slot);
}

void slots_reap(struct slots *slots, bool over)
{
	for (unsigned i = 0; i < slots->n_hung;) {
		struct slot *slot = slots->hung[i];
		bool out;

		pthread_mutex_lock(&slot->lock);
		out = slot->state == SLOT_OVER;
		pthread_mutex_unlock(&slot->lock);
		if (!out) {
			if (over) /* it can't be ended; it and its memory stay */
				pthread_detach(slot->thread);
			i++;
			continue;
		}
		pthread_join(slot->thread, NULL);
		slot_free(slot);
		slots->hung[i] = slots->hung[--slots->n_hung];
	}
}

struct slot *slot_take(struct slots *slots, struct slot **slot)
{
	const char *what;

	if (slots->n_hung)
		slots_reap(slots, false);
	if (!*slot && (slots->n_hung == SLOTS_HUNG || slot_open(slots, slot, &what)))
		return NULL;
	pthread_mutex_lock(&(*slot)->lock);
	if ((*slot)->state != SLOT_IDLE) {
		pthread_mutex_unlock(&(*slot)->lock);
		return NULL;
	}
	tell_hung(slots, &(*slot)->lookup.care);
	return *slot;
}

/* A wake on another CPU takes many times longer than the job. */
static void come_here(struct slot *slot)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	if (cpu < 0 || cpu == slot->cpu || cpu >= CPU_SETSIZE)
		return;
	slot->cpu = cpu;
	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	pthread_setaffinity_np(slot->thread, sizeof(set), &set);
}

void slot_post(struct slot *slot)
{
	if (slot->done_fd < 0) /* somebody waits for it */
		come_here(slot);
	atomic_store(&slot->ended, false);
	slot->state = SLOT_POSTED;
	pthread_cond_broadcast(&slot->changed);
	pthread_mutex_unlock(&slot->lock);
}

/* Whose process made it hang was known before it was touched; other threads spare that uid, so
 * nobody makes two of them hang. Called with its lock held. */
static void leave(struct slots *slots, struct slot **slot)
{
	struct slot *s = *slot;
	uint64_t touching = atomic_load(&s->lookup.care.touching);

	s->state = SLOT_LEFT;
	s->hung_uid = touching == SEARCH_CARE_NO_ONE ? OWNER_UID_NONE : (uint32_t)touching;
	pthread_mutex_unlock(&s->lock);
	slots->hung[slots->n_hung++] = s;
	*slot = NULL;
}

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / 1000000000ull),
				  .tv_nsec = (long)(ns % 1000000000ull) };
}

/* Its thread runs on this CPU: to make way for it is cheaper than to sleep, which sets a timer. */
static void make_way(struct slot *slot)
{
	for (int i = 0; i < YIELDS && !atomic_load(&slot->ended); i++)
		sched_yield();
}

int slot_await(struct slots *slots, struct slot **slot, uint64_t patience_ns)
{
	struct timespec until = to_timespec(patience_ns);
	struct slot *s = *slot;

	if (patience_ns)
		make_way(s);

	pthread_mutex_lock(&s->lock);
	while (s->state == SLOT_POSTED && patience_ns)
		if (pthread_cond_timedwait(&s->changed, &s->lock, &until) == ETIMEDOUT &&
		    s->state == SLOT_POSTED) {
			leave(slots, slot);
			return -ETIME;
		}
	if (s->state == SLOT_DONE)
		s->state = SLOT_IDLE;
	pthread_mutex_unlock(&s->lock);
	return s->state == SLOT_IDLE ? 0 : -EAGAIN;
}

void slot_leave(struct slots *slots, struct slot **slot)
{
	pthread_mutex_lock(&(*slot)->lock);
	if ((*slot)->state == SLOT_POSTED && slots->n_hung < SLOTS_HUNG)
		leave(slots, slot);
	else
		pthread_mutex_unlock(&(*slot)->lock);
}
