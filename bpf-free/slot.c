/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs jobs on a thread that may be left behind; what a job is for is not its business. */
#include "slot.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"

#define YIELDS 4

static void slot_free(struct slot *slot)
{
	lookup_close(&slot->lookup);
	free(slot);
}

static void wake(struct slot *slot)
{
	syscall(SYS_futex, &slot->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Until the state is another than that one, or the time has come (NULL: never); may come back
 * early. */
static void sleep_while(struct slot *slot, uint32_t state, const struct timespec *until)
{
	syscall(SYS_futex, &slot->state, FUTEX_WAIT_BITSET_PRIVATE, state, until, NULL,
		FUTEX_BITSET_MATCH_ANY);
}

static bool change(struct slot *slot, uint32_t from, uint32_t to)
{
	return atomic_compare_exchange_strong(&slot->state, &from, to);
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

	for (;;) {
		uint32_t state = atomic_load(&slot->state);

		if (state == SLOT_QUIT)
			return NULL;
		if (state != SLOT_POSTED) {
			sleep_while(slot, state, NULL);
			continue;
		}
		run(slot);
		if (!change(slot, SLOT_POSTED, SLOT_DONE))
			break;
		wake(slot);
		if (slot->done_fd >= 0)
			eventfd_write(slot->done_fd, 1);
	}
	if (slot->result == -EINPROGRESS) {
		close(slot->call.call.fd);
		close(slot->call.found.pid_fd);
	}
	atomic_store(&slot->state, SLOT_OVER);
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
	atomic_store(&slot->state, SLOT_QUIT);
	wake(slot);
	pthread_join(slot->thread, NULL);
	slot_free(slot);
}

void slots_reap(struct slots *slots, bool over)
{
	for (unsigned i = 0; i < slots->n_hung;) {
		struct slot *slot = slots->hung[i];

		if (atomic_load(&slot->state) != SLOT_OVER) {
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
	if (!*slot && (slots->n_hung >= SLOTS_HUNG || slot_open(slots, slot, &what)))
		return NULL;
	if (atomic_load(&(*slot)->state) != SLOT_IDLE)
		return NULL;
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
	atomic_store(&slot->state, SLOT_POSTED);
	wake(slot);
}

/* Whose process made it hang was known before it was touched; other threads spare that uid, so
 * nobody makes two of them hang. false: it has just come to its end. */
static bool leave(struct slots *slots, struct slot **slot)
{
	struct slot *s = *slot;
	uint64_t touching = atomic_load(&s->lookup.care.touching);

	if (!change(s, SLOT_POSTED, SLOT_LEFT))
		return false;
	s->hung_uid = touching == SEARCH_CARE_NO_ONE ? OWNER_UID_NONE : (uint32_t)touching;
	slots->hung[slots->n_hung++] = s;
	*slot = NULL;
	return true;
}

/* Its thread runs on this CPU: to make way for it is cheaper than to sleep, which sets a timer. */
static void make_way(struct slot *slot)
{
	for (int i = 0; i < YIELDS && atomic_load(&slot->state) == SLOT_POSTED; i++)
		sched_yield();
}

int slot_await(struct slots *slots, struct slot **slot, uint64_t patience_ns)
{
	const struct timespec until = { .tv_sec = (time_t)(patience_ns / 1000000000ull),
					.tv_nsec = (long)(patience_ns % 1000000000ull) };
	struct slot *s = *slot;

	if (patience_ns)
		make_way(s);
	while (patience_ns && atomic_load(&s->state) == SLOT_POSTED) {
		if (clock_mono_ns() >= patience_ns && leave(slots, slot))
			return -ETIME;
		sleep_while(s, SLOT_POSTED, &until);
	}
	return change(s, SLOT_DONE, SLOT_IDLE) ? 0 : -EAGAIN;
}

void slot_leave(struct slots *slots, struct slot **slot)
{
	if (slots->n_hung < SLOTS_HUNG)
		leave(slots, slot);
}
