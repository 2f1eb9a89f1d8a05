/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The judge's story: what it opens, gives up, waits for, and how it ends. */
#include "judge.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "judge_internal.h"
#include "log.h"
#include "notify.h"
#include "privilege.h"

#define ATTEMPT_SLOTS 16384
#define HELD_USER_NS                                                                               \
	(500 * INT64_C(1000000)) /* of each second, while packets are held: one user's */
#define HELD_ALL_NS  (900 * INT64_C(1000000)) /* and all users' look-ups */
#define REST_NS	     (20 * INT64_C(1000)) /* an epoll_wait() that took longer had nothing to do */
#define EVENTS	     16
#define REST_EACH_NS (50 * INT64_C(1000000))
#define GATHERED_NS  (15 * INT64_C(1000000)) /* copies are held back for 10 ms (copies.c) */
#define DEAF_NS                                                                                    \
	(2 * INT64_C(1000000)) /* between two looks at processes, while many come and go           \
				*/
#define AFTER_USER 5	       /* packets' worth of lookup_after_ms a second, for one user */
#define AFTER_ALL  20	       /* and for all together */

uint64_t *judge_stat(struct judge *judge, enum stat_id id)
{
	return &judge->status.stats.value[id];
}

static void set_allowances(struct judge *judge)
{
	int64_t packet_ns = judge->settings.config.lookup_after_ms * INT64_C(1000000);

	allowance_init(&judge->held, HELD_USER_NS, HELD_ALL_NS);
	allowance_init(&judge->after, AFTER_USER * packet_ns, AFTER_ALL * packet_ns);
}

static int open_finder(struct judge *judge, const struct config *config,
		       struct owner_finder **finder)
{
	const struct owner_budget budget = {
		.fds_held = config->lookup_fds,
		.ms_held = config->lookup_ms,
		.ms_after = config->lookup_after_ms,
		.script_ms = config->script_ms,
	};
	const char *what = "";
	int error = owner_finder_open(finder, "/proc", &budget, judge->edges.eyes, &what);

	if (error)
		log_error("owner look-up: %s: %s", what, strerror(-error));
	else
		owner_finder_behind(*finder, judge_waits_behind, judge);
	return error;
}

static int watch(struct judge *judge, int fd, void *mark)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = mark };

	return epoll_ctl(judge->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int watch_finder(struct judge *judge)
{
	owner_finder_fds(judge->finder, judge->finder_fds);
	for (int i = 0; i < OWNER_FDS; i++) {
		int fd = judge->finder_fds[i];
		int error = fd < 0 ? 0 : watch(judge, fd, &judge->finder_fds[i]);

		if (error && error != -EEXIST) /* the last finder's may be this one's too */
			return error;
	}
	return 0;
}

/* Processes come and go whether anybody connects or not: when many do, they are taken in bulk. */
static void hear_finder(struct judge *judge, bool hear)
{
	struct epoll_event event = { .events = hear ? EPOLLIN : 0,
				     .data.ptr = &judge->finder_fds[0] };
	const struct itimerspec a_while = { .it_value.tv_nsec = DEAF_NS };

	if (judge->finder_fds[0] >= 0)
		epoll_ctl(judge->epoll_fd, EPOLL_CTL_MOD, judge->finder_fds[0], &event);
	if (!hear)
		timerfd_settime(judge->deaf_fd, 0, &a_while, NULL);
	judge->finder_deaf = !hear;
}

static void on_finder(struct judge *judge)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC);

	owner_tick(judge->finder);
	if (judge->finder_deaf)
		hear_finder(judge, true);
	else if (now - judge->finder_heard_ns < DEAF_NS)
		hear_finder(judge, false);
	judge->finder_heard_ns = now;
}

static void on_settings(struct judge *judge)
{
	struct judge_settings settings;
	struct owner_finder *finder;
	enum ruleset_queue form;
	ssize_t got = recv(judge->control_fd, &settings, sizeof(settings), MSG_DONTWAIT);
	int length;

	if (got == 0) { /* the keeper is gone */
		judge->stopping = true;
		return;
	}
	if (got != sizeof(settings))
		return;
	if (open_finder(judge, &settings.config, &finder) < 0)
		return;
	judge_end_late_parked(judge, true);
	owner_finder_free(judge->finder);
	judge->finder = finder;
	judge->settings = settings;
	owner_eyes_ports(judge->edges.eyes, settings.config.ports, settings.config.n_ports);
	if (watch_finder(judge) < 0)
		log_warning("epoll: %s", strerror(errno));
	set_allowances(judge);
	/* New rules came with an empty agent chain; if this fails the next report says so. */
	ruleset_agent_fill(judge->link, settings.config.table, settings.config.queue_num, &form);
	length = wire_encode_options(&settings.config, judge->message, sizeof(judge->message));
	assert(length > 0);
	if (send(judge->channel_fd, judge->message, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) <
	    0)
		log_warning("the recorder's channel is full: it keeps its old options");
	judge_report(judge);
	(void)send(judge->control_fd, JUDGE_SAYS_READY, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* --- start, loop, end ---------------------------------------------------------------------- */

static int open_loop(struct judge *judge)
{
	struct itimerspec every_second = { { 1, 0 }, { 1, 0 } };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	judge->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	judge->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	judge->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	judge->batch_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	judge->deaf_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (judge->epoll_fd < 0 || judge->signal_fd < 0 || judge->timer_fd < 0 ||
	    judge->deaf_fd < 0 || judge->batch_fd < 0 ||
	    watch(judge, judge->batch_fd, &judge->batch_fd) < 0 ||
	    watch(judge, judge->deaf_fd, &judge->deaf_fd) < 0 ||
	    timerfd_settime(judge->timer_fd, 0, &every_second, NULL) < 0)
		return -errno;
	/* What an event is for is told by its pointer: a member of *judge, or a parked packet. */
	if (watch(judge, queue_fd(judge->edges.queue), &judge->edges.queue) ||
	    watch(judge, copies_fd(judge->edges.copies[VIA_MAIL]),
		  &judge->edges.copies[VIA_MAIL]) ||
	    watch(judge, copies_fd(judge->edges.copies[VIA_LOCAL]),
		  &judge->edges.copies[VIA_LOCAL]) ||
	    watch(judge, copies_fd(judge->edges.copies[VIA_GUARD]),
		  &judge->edges.copies[VIA_GUARD]) ||
	    watch(judge, judge->control_fd, &judge->control_fd) ||
	    watch(judge, judge->signal_fd, &judge->signal_fd) ||
	    watch(judge, judge->timer_fd, &judge->timer_fd) ||
	    (judge->enter_fd >= 0 && (watch(judge, judge->enter_fd, &judge->enter_fd) ||
				      watch(judge, netns_finder_fd(judge->netns), &judge->netns))))
		return -errno;
	return watch_finder(judge);
}

static int set_up(struct judge *judge, const struct judge_start *start)
{
	const struct config *config = &judge->settings.config;
	enum ruleset_queue form;
	const char *stage = "";
	uint8_t key[16];
	int error;

	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return -errno;
	judge->attempts = attempts_new(ATTEMPT_SLOTS, key);
	judge->batch = batch_new(judge->channel_fd, key, judge_stat(judge, STAT_SENT),
				 judge_stat(judge, STAT_LOST_CHANNEL));
	if (!judge->attempts || !judge->batch)
		return -ENOMEM;
	judge_report_start(judge);

	error = ruleset_link_open(&judge->link);
	if (error) {
		log_error("netlink to nf_tables: %s", strerror(-error));
		return error;
	}
	error = privilege_judge(config->judge_user, start->uid, start->gid, &stage);
	if (error) {
		log_error("judge: %s: %s", stage, strerror(-error));
		return error;
	}
	/* Opened with what the judge keeps, so that a reload can open it again. */
	error = open_finder(judge, config, &judge->finder);
	if (error)
		return error;
	error = judge_enter_open(judge);
	if (error)
		return error;
	set_allowances(judge);
	error = open_loop(judge);
	if (error) {
		log_error("event loop: %s", strerror(-error));
		return error;
	}
	/* Last: from here on SYNs wait for us. */
	error = ruleset_agent_fill(judge->link, config->table, config->queue_num, &form);
	if (error) {
		log_error("table inet %s: put the agent's rule in: %s", config->table,
			  error == -ENOENT ? "the table is not loaded" : strerror(-error));
		return error;
	}
	ruleset_generation(judge->link, &judge->generation);
	log_notice("judging: mode %s, queue %u (%s), %u mail uid%s",
		   policy_mode_words[config->mode], config->queue_num, ruleset_queue_words[form],
		   judge->settings.policy.n_mail_uids,
		   judge->settings.policy.n_mail_uids == 1 ? "" : "s");
	return 0;
}

static void on_event(struct judge *judge, const struct epoll_event *event)
{
	void *mark = event->data.ptr;
	uint64_t ticks;

	if (mark == &judge->edges.queue) {
		judge_read_queue(judge);
	} else if (mark == &judge->control_fd) {
		on_settings(judge);
	} else if (mark == &judge->enter_fd) {
		judge_enter_read(judge);
	} else if (mark == &judge->netns) {
		judge_enter_take(judge);
	} else if (mark == &judge->signal_fd) {
		judge->stopping = true;
	} else if (mark == &judge->timer_fd) {
		if (read(judge->timer_fd, &ticks, sizeof(ticks)) == sizeof(ticks)) {
			judge_report(judge);
			judge_enter_tick(judge);
			notify_send("WATCHDOG=1");
		}
	} else if (mark >= (void *)judge->parked && mark < (void *)(judge->parked + PARKED_MAX)) {
		judge_step_parked(judge, mark);
	} else if (mark == &judge->batch_fd) {
		if (read(judge->batch_fd, &ticks, sizeof(ticks)) == sizeof(ticks)) {
			judge->batch_timed = false;
			batch_flush(judge->batch);
		}
	} else if (mark == &judge->deaf_fd) {
		if (read(judge->deaf_fd, &ticks, sizeof(ticks)) == sizeof(ticks))
			on_finder(judge);
	} else if (mark >= (void *)judge->finder_fds &&
		   mark < (void *)(judge->finder_fds + OWNER_FDS)) {
		on_finder(judge);
	} else {
		for (int via = 0; via < VIA_N; via++)
			if (mark == &judge->edges.copies[via])
				judge_read_copies(judge, (enum record_via)via);
	}
}

/* Nobody new is queued; whoever waits still gets a verdict. */
static void wind_down(struct judge *judge)
{
	int error = ruleset_agent_empty(judge->link, judge->settings.config.table);

	if (error && error != -ENOENT)
		log_warning("empty the agent chain: %s (the guard decides alone)",
			    strerror(-error));
	while (judge_read_queue(judge))
		;
	nanosleep(&(struct timespec){ .tv_nsec = GATHERED_NS }, NULL);
	while (judge_read_queue(judge) || judge_read_copies(judge, VIA_MAIL) ||
	       judge_read_copies(judge, VIA_LOCAL) || judge_read_copies(judge, VIA_GUARD))
		;
	judge_end_late_parked(judge, true);
	judge_report(judge);
}

static void judge_free(struct judge *judge)
{
	edges_close(&judge->edges);
	owner_finder_free(judge->finder);
	judge_enter_close(judge);
	ruleset_link_free(judge->link);
	attempts_free(judge->attempts);
	batch_free(judge->batch);
	free(judge);
}

/* Now and then it is asked first whether anything waits: if not, calls that were made before have
 * no packet to come. (That a wait took long does not say so: we may have been stopped.) */
static int await_events(struct judge *judge, struct epoll_event events[EVENTS], int64_t now_ns,
			int timeout_ms)
{
	bool ahead = queue_has_ahead(judge->edges.queue);

	if (now_ns - judge->rested_ns > REST_EACH_NS && !ahead) {
		int count = epoll_wait(judge->epoll_fd, events, EVENTS, 0);

		if (count)
			return count;
		owner_rest(judge->finder, (uint64_t)now_ns);
		judge->rested_ns = now_ns;
	}
	return epoll_wait(judge->epoll_fd, events, EVENTS, ahead ? 0 : timeout_ms);
}

int judge_main(const struct judge_start *start)
{
	struct judge *judge = calloc(1, sizeof(*judge));
	int error;

	if (!judge) {
		log_error("judge: out of memory");
		return 1;
	}
	judge->settings = *start->settings;
	judge->edges = *start->edges;
	judge->channel_fd = start->channel_fd;
	judge->witness_fd = start->witness_fd;
	judge->control_fd = start->control_fd;
	judge->enter_fd = start->enter_fd;
	error = set_up(judge, start);
	if (!error)
		judge_report(judge);
	if (!error && send(judge->control_fd, JUDGE_SAYS_READY, 1, MSG_NOSIGNAL) != 1)
		error = -errno;
	while (!error && !judge->stopping) {
		struct epoll_event events[EVENTS];
		int timeout_ms = judge_end_late_parked(judge, false);
		int64_t asleep_ns = clock_ns(CLOCK_MONOTONIC), now;
		int count;

		count = await_events(judge, events, asleep_ns, timeout_ms);
		if (count < 0 && errno != EINTR) {
			error = -errno;
			log_error("epoll: %s", strerror(errno));
		}

		now = clock_ns(CLOCK_MONOTONIC);
		judge->rested = now - asleep_ns > REST_NS;
		if (judge->rested)
			judge->busy_since_ns = now;
		for (int i = 0; i < count; i++)
			on_event(judge, &events[i]);
		if (queue_has_ahead(judge->edges.queue))
			judge_read_queue(judge);
	}
	if (!error)
		wind_down(judge);
	judge_free(judge);
	return error ? 1 : 0;
}
