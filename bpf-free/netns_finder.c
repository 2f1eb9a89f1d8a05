/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds and describes holders on a thread of its own; nobody waits for it, and one that hangs is
 * left behind with what it has in hand. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "describe.h"
#include "netns_internal.h"
#include "search.h"

#define WORKS_MAX 64
#define HUNG_MAX  8 /* threads that hang; from then on everybody is spared */
#define GRACE_NS  (20 * NS_PER_MS)

struct work {
	struct work *next;
	uint64_t id, deadline_ns;
	unsigned fds;
	struct netns_answer answer;
	bool spared;
	struct owner owner;
};

struct list {
	struct work *first, **last;
};

struct worker {
	pthread_t thread;
	struct netns_finder *finder;
	struct work *at; /* under way */
	uint64_t since_ns;
	bool left;  /* what it has in hand is its own now */
	bool alone; /* nobody joins it: so is it itself */
	bool over;
};

/* Freed by whoever lets go of it last: the caller, or a thread that was left behind. */
struct netns_finder {
	pthread_mutex_t lock;
	pthread_cond_t posted;
	int proc_fd, event_fd;
	struct list todo, done;
	unsigned n_works; /* posted, and not yet taken */
	struct worker *worker, *hung[HUNG_MAX];
	unsigned n_hung, users;
	bool quit;
};

static void put(struct list *list, struct work *work)
{
	work->next = NULL;
	*list->last = work;
	list->last = &work->next;
}

static struct work *get(struct list *list)
{
	struct work *work = list->first;

	if (work) {
		list->first = work->next;
		if (!list->first)
			list->last = &list->first;
	}
	return work;
}

static void destroy(struct netns_finder *f)
{
	struct work *work;

	while ((work = get(&f->todo)) || (work = get(&f->done)))
		free(work);
	if (f->proc_fd >= 0)
		close(f->proc_fd);
	if (f->event_fd >= 0)
		close(f->event_fd);
	pthread_cond_destroy(&f->posted);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static void let_go(struct netns_finder *f)
{
	bool last;

	pthread_mutex_lock(&f->lock);
	last = --f->users == 0;
	pthread_mutex_unlock(&f->lock);
	if (last)
		destroy(f);
}

/* --- on the thread ------------------------------------------------------------------------- */

static enum owner_why why_not(int error)
{
	switch (error) {
	case -ENOBUFS:
		return OWNER_WHY_BUDGET;
	case -ETIME:
		return OWNER_WHY_DEADLINE;
	default: /* not with those who were listed */
		return OWNER_WHY_NETNS;
	}
}

static void not_named(struct owner *owner, enum owner_how how, enum owner_why why)
{
	describe_clear(owner);
	owner->how = how;
	owner->why = why;
}

/* What the pool's own status page would say can't be asked from out here. */
static void say_of_script(struct owner *owner, bool spared)
{
	if (owner->script_why == OWNER_WHY_NO_STATUS_PAGE)
		owner->script_why = OWNER_WHY_NETNS;
	if (spared && !*owner->script && owner->script_why == OWNER_WHY_NONE)
		owner->script_why = OWNER_WHY_DEADLINE;
}

static void work_on(const struct netns_finder *f, struct work *work)
{
	uint64_t start = clock_mono_ns();
	struct owner *owner = &work->owner;
	struct netns_holder holder;
	struct search_care care = { .nobody = work->spared };
	struct describe describe;
	unsigned fds_read = 0;
	int error;

	netns_owner(&work->answer, owner);
	error = netns_holder_find(f->proc_fd, &work->answer, work->fds, work->deadline_ns, &holder,
				  &fds_read);
	owner->lookup_fds = fds_read;
	if (error) {
		not_named(owner, OWNER_UNKNOWN, why_not(error));
	} else {
		search_care_end(&care);
		describe_init(&describe, f->proc_fd, &care);
		owner->how = OWNER_CONFIRMED;
		owner->why = OWNER_WHY_NONE;
		error = describe_process(&describe, holder.pid_fd, holder.pid, 0, owner);
		if (error)
			not_named(owner, OWNER_EXITED, OWNER_WHY_EXITED);
		else if (owner->proc.start_ticks != holder.start_ticks ||
			 !netns_holder_still(&holder, work->answer.inode))
			not_named(owner, OWNER_UNKNOWN, OWNER_WHY_CLOSED);
		describe_done(&describe);
		close(holder.pid_fd);
	}
	if (owner->proc.pid) {
		say_of_script(owner, work->spared);
		owner->holders[0] = owner->proc;
		owner->n_holders = 1;
	}
	owner->lookup_us = (uint32_t)((clock_mono_ns() - start) / 1000);
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct netns_finder *f = worker->finder;
	const uint64_t one = 1;
	struct work *work;
	bool alone, last;

	pthread_mutex_lock(&f->lock);
	for (;;) {
		while (!f->todo.first && !f->quit)
			pthread_cond_wait(&f->posted, &f->lock);
		if (f->quit)
			break;
		work = get(&f->todo);
		worker->at = work;
		worker->since_ns = clock_mono_ns();
		pthread_mutex_unlock(&f->lock);
		work_on(f, work);
		pthread_mutex_lock(&f->lock);
		worker->at = NULL;
		if (worker->left) {
			free(work);
			break;
		}
		put(&f->done, work);
		(void)!write(f->event_fd, &one, sizeof(one)); /* fails at 2^64 - 1 only */
	}
	worker->over = true;
	/* Whoever joins it may hold the lock: it is not asked for again. */
	alone = worker->alone;
	last = --f->users == 0;
	pthread_mutex_unlock(&f->lock);
	if (alone)
		free(worker);
	if (last)
		destroy(f);
	return NULL;
}

/* --- on the caller's side ------------------------------------------------------------------ */

static int start_worker(struct netns_finder *f)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	sigset_t all, before;
	int error;

	if (!worker)
		return -ENOMEM;
	worker->finder = f;
	f->users++;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&worker->thread, NULL, worker_main, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error) {
		f->users--;
		free(worker);
		return -error;
	}
	f->worker = worker;
	return 0;
}

int netns_finder_open(struct netns_finder **finder, const char **what)
{
	struct netns_finder *f = calloc(1, sizeof(*f));
	int error;

	*what = "allocate";
	if (!f)
		return -ENOMEM;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->posted, NULL);
	f->todo.last = &f->todo.first;
	f->done.last = &f->done.first;
	f->users = 1;
	*what = "open /proc";
	f->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	error = f->proc_fd < 0 || f->event_fd < 0 ? -errno : 0;
	if (!error) {
		*what = "start a thread";
		error = start_worker(f);
	}
	if (error) {
		let_go(f);
		return error;
	}
	*finder = f;
	return 0;
}

static void end_worker(struct worker *worker)
{
	pthread_join(worker->thread, NULL);
	free(worker);
}

/* Under the lock. It can't be ended while it hangs. */
static void leave_alone(struct worker *worker)
{
	worker->left = worker->alone = true;
	pthread_detach(worker->thread);
}

void netns_finder_free(struct netns_finder *f)
{
	struct worker *ended[HUNG_MAX + 1];
	unsigned n = 0;

	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->quit = true;
	pthread_cond_broadcast(&f->posted);
	if (f->worker && f->worker->at)
		leave_alone(f->worker);
	else if (f->worker)
		ended[n++] = f->worker;
	for (unsigned i = 0; i < f->n_hung; i++)
		if (f->hung[i]->over)
			ended[n++] = f->hung[i];
		else
			leave_alone(f->hung[i]);
	pthread_mutex_unlock(&f->lock);
	while (n)
		end_worker(ended[--n]);
	let_go(f);
}

int netns_finder_fd(const struct netns_finder *f)
{
	return f->event_fd;
}

/* Under the lock: whoever came out of its hang is taken back. */
static void reap(struct netns_finder *f)
{
	for (unsigned i = 0; i < f->n_hung;)
		if (f->hung[i]->over) {
			end_worker(f->hung[i]);
			f->hung[i] = f->hung[--f->n_hung];
		} else {
			i++;
		}
}

/* Under the lock: a worker that is far beyond its deadline is left behind, another takes over. */
static void see_to_worker(struct netns_finder *f)
{
	struct worker *worker = f->worker;

	reap(f);
	if (worker && worker->at && f->n_hung < HUNG_MAX &&
	    clock_mono_ns() > worker->at->deadline_ns + GRACE_NS) {
		worker->left = true;
		f->n_works--;
		f->hung[f->n_hung++] = worker;
		f->worker = NULL;
	}
	if (!f->worker && f->n_hung < HUNG_MAX)
		start_worker(f);
}

/* A process of a namespace at whose process a thread hangs is not read so again. */
static bool is_spared(const struct netns_finder *f, uint64_t netns)
{
	for (unsigned i = 0; i < f->n_hung; i++)
		if (f->hung[i]->at && f->hung[i]->at->answer.netns == netns)
			return true;
	return f->n_hung >= HUNG_MAX - 1;
}

int netns_finder_post(struct netns_finder *f, uint64_t id, const struct netns_answer *answer,
		      unsigned fds, uint64_t deadline_ns)
{
	struct work *work = NULL;
	int error = -EBUSY;

	pthread_mutex_lock(&f->lock);
	see_to_worker(f);
	if (f->worker && f->n_works < WORKS_MAX) {
		work = calloc(1, sizeof(*work));
		error = work ? 0 : -ENOMEM;
	}
	if (work) {
		work->id = id;
		work->answer = *answer;
		work->fds = fds;
		work->deadline_ns = deadline_ns;
		work->spared = is_spared(f, answer->netns);
		put(&f->todo, work);
		f->n_works++;
		pthread_cond_signal(&f->posted);
	}
	pthread_mutex_unlock(&f->lock);
	return error;
}

int netns_finder_take(struct netns_finder *f, uint64_t *id, struct owner *owner)
{
	struct work *work;
	uint64_t count;

	pthread_mutex_lock(&f->lock);
	see_to_worker(f);
	work = get(&f->done);
	if (work)
		f->n_works--;
	if (!f->done.first && read(f->event_fd, &count, sizeof(count)) < 0)
		count = 0; /* nothing had been said */
	pthread_mutex_unlock(&f->lock);
	if (!work)
		return -EAGAIN;
	*id = work->id;
	*owner = work->owner;
	free(work);
	return 0;
}

void netns_owner(const struct netns_answer *answer, struct owner *owner)
{
	owner_init(owner);
	owner->how = OWNER_FOREIGN_NETNS;
	owner->why = OWNER_WHY_NETNS;
	switch (answer->why) {
	case NETNS_FOUND:
		owner->has_socket = true;
		owner->socket_state = answer->state;
		owner->socket_uid = answer->uid;
		owner->inode = answer->inode;
		owner->cookie = answer->cookie;
		owner->cgroup_id = answer->cgroup_id;
		break;
	case NETNS_CLOSED:
		owner->why = OWNER_WHY_CLOSED;
		break;
	case NETNS_ERROR:
		owner->why = OWNER_WHY_ERROR;
		break;
	case NETNS_NO_SOCKET:
		owner->why = OWNER_WHY_NO_SOCKET;
		break;
	case NETNS_AMBIGUOUS: /* it is one of theirs, and of nobody for certain */
		owner->how = OWNER_UNKNOWN;
		break;
	default:
		break;
	}
}
