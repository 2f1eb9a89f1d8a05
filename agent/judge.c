/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The judge's loop: from a held packet to a verdict and a record; it keeps nothing itself. */
#include "judge.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "../bpf-free/owner.h"
#include "../nft/ruleset.h"
#include "allowance.h"
#include "attempts.h"
#include "copies.h"
#include "egress.h"
#include "log.h"
#include "nfsock.h"
#include "notify.h"
#include "privilege.h"
#include "queue.h"
#include "wire.h"

#define BATCH 64	  /* packets of one edge in a turn: the others come next */
#define PARKED_MAX 64	  /* packets that wait for php-fpm's answer at once */
#define ATTEMPT_SLOTS 16384
#define USER_SHARE 10	  /* packets' worth of lookup_after_ms a second, for one user */
#define ALL_SHARE  40	  /* and for all together */
#define GUARD_BATCH 32	  /* NFLOG messages the kernel may gather: nobody waits for these */

/* A packet whose owner is known but for the script. held: it waits in the queue for a verdict. */
struct parked {
	bool used, held, repeat;
	uint32_t queue_id, queue_mark;
	struct egress_meta meta;
	struct owner_wait *wait;
	struct owner owner;
	size_t len;
	uint8_t bytes[NFSOCK_COPY_BYTES];
};

struct judge {
	struct judge_settings settings;
	int channel_fd, control_fd, epoll_fd, signal_fd, timer_fd;
	struct queue *queue;
	struct copies *copies[VIA_N]; /* VIA_MAIL, VIA_LOCAL, VIA_GUARD */
	struct owner_finder *finder;
	struct ruleset_link *link;
	struct attempts *attempts;

	/* between egress_judge() and judge_resolve() */
	const struct owner *ready_owner; /* the answer is there already */
	struct owner_wait *wait;	 /* the script was asked for */
	bool again;			 /* the held budget was spent without an answer */
	struct owner found;		 /* of the look-up after the verdict */
	struct allowance allowance;	 /* its time, by uid */

	struct parked parked[PARKED_MAX];
	unsigned n_parked;

	struct wire_status status;
	uint32_t queue_dropped_last, user_dropped_last; /* of nfnetlink_queue: 32 bits each */
	char boot_id[40];
	bool rules_missing_said, stopping;
	struct record record; /* the one at work */
	uint8_t message[WIRE_BYTES_MAX];
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static uint64_t *stat(struct judge *judge, enum stat_id id)
{
	return &judge->status.stats.value[id];
}

/* --- the owner ----------------------------------------------------------------------------- */

static void make_query(const struct flow *flow, const struct egress_meta *meta,
		       struct owner_query *query)
{
	*query = (struct owner_query){
		.family = flow->family,
		.sport = flow->sport,
		.dport = flow->dport,
		.has_uid = meta->has_uid,
		.uid = meta->uid,
		.gid = meta->gid,
		.ifindex = meta->ifindex,
	};
	memcpy(query->src, flow->src, sizeof(query->src));
	memcpy(query->dst, flow->dst, sizeof(query->dst));
}

static int judge_resolve(void *context, const struct flow *flow, const struct egress_meta *meta,
			 struct owner *owner)
{
	struct judge *judge = context;
	struct owner_query query;
	int result;

	if (judge->ready_owner) {
		*owner = *judge->ready_owner;
		return 0;
	}
	/* What the rule set refused has its socket reset already: a look-up would find nothing,
	 * or somebody else's new socket. */
	if (meta->via == VIA_GUARD && judge->settings.policy.mode == MODE_ENFORCE) {
		owner_init(owner);
		owner->why = OWNER_WHY_REFUSED_FIRST;
		return 0;
	}
	make_query(flow, meta, &query);
	result = owner_find(judge->finder, &query, owner, &judge->wait);
	if (result == -EAGAIN)
		judge->again = true;
	/* A copy is looked at after the fact: that its socket is gone by then says nothing of how the
	 * packet was made. */
	if (meta->via != VIA_QUEUE && owner->how == OWNER_NO_SOCKET) {
		owner->how = OWNER_UNKNOWN;
		owner->why = OWNER_WHY_CLOSED;
	}
	if (result != -EINPROGRESS)
		return 0;
	++*stat(judge, STAT_SCRIPT_ASKED);
	if (judge->n_parked < PARKED_MAX)
		return -EINPROGRESS;
	owner_wait_end(judge->wait, owner);
	judge->wait = NULL;
	++*stat(judge, STAT_SCRIPT_LATE);
	return 0;
}

/* The same packet with an owner that is known now: everything that rests on it anew. */
static void judge_with_owner(struct judge *judge, const struct packet *packet,
			     const struct egress_meta *meta, const struct owner *owner)
{
	judge->ready_owner = owner;
	egress_judge(&judge->settings.policy, packet, meta, judge_resolve, judge, &judge->record);
	judge->ready_owner = NULL;
}

/* Is there more to learn after the verdict, and time left for this user? A held packet's look-up
 * stops at the first holder: whether it is the only one is seen now. */
static bool worth_looking_on(struct judge *judge, const struct egress_meta *meta)
{
	return (judge->again || judge->record.owner.how == OWNER_CONFIRMED) &&
	       allowance_left(&judge->allowance, meta->uid, clock_ns(CLOCK_MONOTONIC));
}

static void look_on(struct judge *judge, const struct packet *packet,
		    const struct egress_meta *meta)
{
	int64_t start = clock_ns(CLOCK_MONOTONIC);
	struct owner *found = &judge->found;
	struct owner_query query;

	make_query(&judge->record.flow, meta, &query);
	*found = judge->record.owner;
	if (owner_continue(judge->finder, &query, found) == 0)
		judge_with_owner(judge, packet, meta, found);
	else
		judge->record.owner = *found;
	allowance_spend(&judge->allowance, meta->uid, clock_ns(CLOCK_MONOTONIC) - start);
}

/* --- verdict and record -------------------------------------------------------------------- */

static void give_verdict(struct judge *judge, uint32_t id, uint32_t mark)
{
	const struct config *config = &judge->settings.config;
	enum verdict verdict = judge->record.verdict;
	uint32_t ours = verdict == VERDICT_ALLOW ? config->mark_allow : config->mark_deny;
	int error = queue_accept(judge->queue, id, (mark & ~config->mark_mask) | ours);

	if (error) {
		/* The packet stays held and its app waits; the kernel drops it when we end. */
		log_error("verdict for packet %u: %s", id, strerror(-error));
		return;
	}
	switch (verdict) {
	case VERDICT_ALLOW:
		++*stat(judge, STAT_ALLOWED);
		break;
	case VERDICT_WOULD_DENY:
		++*stat(judge, STAT_WOULD_DENY);
		break;
	default:
		++*stat(judge, STAT_DENIED);
	}
}

static void send_record(struct judge *judge)
{
	struct record *record = &judge->record;
	int length;

	if (record->excerpt_bytes > judge->settings.config.excerpt_bytes)
		record->excerpt_bytes = (uint16_t)judge->settings.config.excerpt_bytes;
	++*stat(judge, record->owner.proc.pid ? STAT_OWNER_NAMED : STAT_OWNER_UNKNOWN);
	length = wire_encode_record(record, judge->message, sizeof(judge->message));
	assert(length > 0); /* the fields' own sizes bound it */
	if (send(judge->channel_fd, judge->message, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    length)
		++*stat(judge, STAT_SENT);
	else
		++*stat(judge, STAT_LOST_CHANNEL);
}

static void park(struct judge *judge, const struct packet *packet, const struct egress_meta *meta,
		 const struct queue_packet *held, bool repeat)
{
	struct epoll_event event = { .events = 0 };
	struct parked *parked = judge->parked;

	while (parked->used)
		parked++;
	*parked = (struct parked){
		.used = true,
		.held = held != NULL,
		.repeat = repeat,
		.queue_id = held ? held->id : 0,
		.queue_mark = held ? held->mark : 0,
		.meta = *meta,
		.wait = judge->wait,
		.len = packet->len < NFSOCK_COPY_BYTES ? packet->len : NFSOCK_COPY_BYTES,
	};
	parked->owner = judge->record.owner;
	memcpy(parked->bytes, packet->bytes, parked->len);
	judge->wait = NULL;
	judge->n_parked++;
	event.events = owner_wait_events(parked->wait) & (EPOLLIN | EPOLLOUT);
	event.data.ptr = parked;
	if (epoll_ctl(judge->epoll_fd, EPOLL_CTL_ADD, owner_wait_fd(parked->wait), &event) < 0)
		log_warning("epoll: %s", strerror(errno)); /* its deadline ends it all the same */
}

/* From here the owner is as well known as it will be. */
static void conclude(struct judge *judge, const struct packet *packet,
		     const struct egress_meta *meta, const struct queue_packet *held, bool repeat)
{
	if (held)
		give_verdict(judge, held->id, held->mark);
	if (repeat) {
		++*stat(judge, STAT_RETRANSMITS);
		return;
	}
	if (worth_looking_on(judge, meta))
		look_on(judge, packet, meta);
	send_record(judge);
}

static void take(struct judge *judge, const struct packet *packet, const struct egress_meta *meta,
		 const struct queue_packet *held)
{
	bool repeat = false;
	int result;

	judge->again = false;
	result = egress_judge(&judge->settings.policy, packet, meta, judge_resolve, judge,
			      &judge->record);
	/* Only what is a SYN of a known flow can be a repeat; a refused one never is: its app was
	 * told, so the next SYN is a new try. */
	if (judge->record.flow_error == FLOW_OK && flow_is_syn(&judge->record.flow))
		repeat = attempts_repeat(judge->attempts, &judge->record.flow, meta->has_uid,
					 meta->uid, clock_ns(CLOCK_MONOTONIC));
	if (result == -EINPROGRESS)
		park(judge, packet, meta, held, repeat);
	else
		conclude(judge, packet, meta, held, repeat);
}

static void unpark(struct judge *judge, struct parked *parked)
{
	struct packet packet = { .bytes = parked->bytes, .len = parked->len };
	struct queue_packet held = { .id = parked->queue_id, .mark = parked->queue_mark };

	epoll_ctl(judge->epoll_fd, EPOLL_CTL_DEL, owner_wait_fd(parked->wait), NULL);
	owner_wait_end(parked->wait, &parked->owner);
	if (parked->owner.script_why == OWNER_WHY_DEADLINE)
		++*stat(judge, STAT_SCRIPT_LATE);
	judge->again = false;
	judge_with_owner(judge, &packet, &parked->meta, &parked->owner);
	conclude(judge, &packet, &parked->meta, parked->held ? &held : NULL, parked->repeat);
	parked->used = false;
	judge->n_parked--;
}

static void step_parked(struct judge *judge, struct parked *parked)
{
	struct epoll_event event = { .data.ptr = parked };

	if (!parked->used)
		return;
	if (owner_wait_step(parked->wait, &parked->owner) != -EINPROGRESS) {
		unpark(judge, parked);
		return;
	}
	event.events = owner_wait_events(parked->wait) & (EPOLLIN | EPOLLOUT);
	epoll_ctl(judge->epoll_fd, EPOLL_CTL_MOD, owner_wait_fd(parked->wait), &event);
}

/* Ends those whose time is up (all: every one). How long until the next, in ms; -1: none waits. */
static int end_late_parked(struct judge *judge, bool all)
{
	uint64_t now = (uint64_t)clock_ns(CLOCK_MONOTONIC), next = UINT64_MAX;

	for (unsigned i = 0; judge->n_parked && i < PARKED_MAX; i++) {
		struct parked *parked = &judge->parked[i];
		uint64_t deadline;

		if (!parked->used)
			continue;
		deadline = owner_wait_deadline_ns(parked->wait);
		if (all || deadline <= now)
			unpark(judge, parked);
		else if (deadline < next)
			next = deadline;
	}
	return next == UINT64_MAX ? -1 : (int)((next - now) / 1000000 + 1);
}

/* --- the edges ----------------------------------------------------------------------------- */

static void on_queue_packet(void *context, const struct queue_packet *held)
{
	struct judge *judge = context;
	struct packet packet = { .bytes = held->bytes, .len = held->len };
	struct egress_meta meta = {
		.ts_ns = clock_ns(CLOCK_REALTIME),
		.via = VIA_QUEUE,
		.packet_bytes = held->packet_bytes,
		.has_uid = held->has_uid,
		.uid = held->uid,
		.gid = held->gid,
		.ifindex = held->ifindex,
	};

	++*stat(judge, STAT_QUEUED);
	take(judge, &packet, &meta, held);
}

static void on_copy(struct judge *judge, const struct copies_packet *copy, enum record_via via)
{
	struct packet packet = { .bytes = copy->bytes, .len = copy->len };
	struct egress_meta meta = {
		.ts_ns = clock_ns(CLOCK_REALTIME),
		.via = via,
		.packet_bytes = copy->packet_bytes,
		.has_uid = copy->has_uid,
		.uid = copy->uid,
		.gid = copy->gid,
		.ifindex = copy->ifindex,
		.dst_local = via == VIA_LOCAL,
	};

	++*stat(judge, via == VIA_MAIL	  ? STAT_COPIES_MAIL
			   : via == VIA_LOCAL ? STAT_COPIES_LOCAL
					      : STAT_COPIES_GUARD);
	take(judge, &packet, &meta, NULL);
}

static void on_mail_copy(void *context, const struct copies_packet *copy)
{
	on_copy(context, copy, VIA_MAIL);
}

static void on_local_copy(void *context, const struct copies_packet *copy)
{
	on_copy(context, copy, VIA_LOCAL);
}

static void on_guard_copy(void *context, const struct copies_packet *copy)
{
	on_copy(context, copy, VIA_GUARD);
}

static const copies_packet_fn on_copies[VIA_N] = {
	[VIA_MAIL] = on_mail_copy,
	[VIA_LOCAL] = on_local_copy,
	[VIA_GUARD] = on_guard_copy,
};

static void overrun(struct judge *judge, const char *where, int error)
{
	if (error == -ENOBUFS)
		++*stat(judge, STAT_OVERRUNS);
	else
		log_error("%s: %s", where, strerror(-error));
}

/* True while something may still wait there. */
static bool read_queue(struct judge *judge)
{
	uint64_t odd = 0;
	int count = queue_read(judge->queue, BATCH, on_queue_packet, judge, &odd);

	if (count < 0)
		overrun(judge, "queue", count);
	return count == -ENOBUFS || count >= BATCH;
}

static bool read_copies(struct judge *judge, enum record_via via)
{
	int count = copies_read(judge->copies[via], BATCH, on_copies[via], judge,
				stat(judge, STAT_LOST_COPIES));

	if (count < 0)
		overrun(judge, "copies", count);
	return count == -ENOBUFS || count >= BATCH;
}

/* --- the rule set and the counters --------------------------------------------------------- */

static void keep_agent_rule(struct judge *judge, enum ruleset_queue form)
{
	const struct config *config = &judge->settings.config;
	int error;

	if (form == RULESET_QUEUE_NONE && !judge->stopping) {
		error = ruleset_agent_fill(judge->link, config->table, config->queue_num, &form);
		if (!error)
			log_notice("the agent's rule was gone: put back (%s queue)",
				   ruleset_queue_words[form]);
	}
	judge->status.queue_form = form;
	judge->status.rules_whole = form != RULESET_QUEUE_NONE;
}

static void read_kernel(struct judge *judge)
{
	const struct config *config = &judge->settings.config;
	struct stats *stats = &judge->status.stats;
	enum ruleset_queue form = RULESET_QUEUE_NONE;
	struct queue_state state;
	uint64_t packets[RULESET_COUNTER_N], handle;
	int error = ruleset_counters(judge->link, config->table, packets, &handle);

	if (!error)
		error = ruleset_agent_form(judge->link, config->table, &form);
	if (error) {
		if (!judge->rules_missing_said)
			log_error("table inet %s: %s: NOTHING IS GUARDED until `egressctl rules load`",
				  config->table, error == -ENOENT ? "is gone" : strerror(-error));
		judge->rules_missing_said = true;
		judge->status.rules_whole = 0;
		judge->status.queue_form = RULESET_QUEUE_NONE;
		stats->kernel_epoch[0] = '\0';
	} else {
		judge->rules_missing_said = false;
		memcpy(&stats->value[STAT_KERNEL_FIRST], packets, sizeof(packets));
		snprintf(stats->kernel_epoch, sizeof(stats->kernel_epoch), "%s:%" PRIu64,
			 judge->boot_id, handle);
		keep_agent_rule(judge, form);
	}
	if (queue_state(config->queue_num, &state) == 0) {
		stats->value[STAT_QUEUE_DROPPED] += state.dropped - judge->queue_dropped_last;
		stats->value[STAT_USER_DROPPED] += state.user_dropped - judge->user_dropped_last;
		judge->queue_dropped_last = state.dropped;
		judge->user_dropped_last = state.user_dropped;
		judge->status.queue_waiting = state.waiting;
		judge->status.queue_portid = state.portid;
	}
}

static void report(struct judge *judge)
{
	int length;

	read_kernel(judge);
	judge->status.ts_ns = clock_ns(CLOCK_REALTIME);
	judge->status.mode = judge->settings.policy.mode;
	judge->status.n_mail_uids = judge->settings.policy.n_mail_uids;
	length = wire_encode_status(&judge->status, judge->message, sizeof(judge->message));
	assert(length > 0);
	/* One that does not fit is made up for by the next: they carry sums. */
	(void)send(judge->channel_fd, judge->message, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void set_allowance(struct judge *judge)
{
	int64_t packet_ns = judge->settings.config.lookup_after_ms * INT64_C(1000000);

	allowance_init(&judge->allowance, USER_SHARE * packet_ns, ALL_SHARE * packet_ns);
}

static int open_finder(const struct config *config, struct owner_finder **finder)
{
	const struct owner_budget budget = {
		.fds_held = config->lookup_fds,
		.ms_held = config->lookup_ms,
		.ms_after = config->lookup_after_ms,
		.script_ms = config->script_ms,
	};
	const char *what = "";
	int error = owner_finder_open(finder, "/proc", &budget, &what);

	if (error)
		log_error("owner look-up: %s: %s", what, strerror(-error));
	return error;
}

static void on_settings(struct judge *judge)
{
	struct judge_settings settings;
	struct owner_finder *finder;
	ssize_t got = recv(judge->control_fd, &settings, sizeof(settings), MSG_DONTWAIT);
	int length;

	if (got == 0) { /* the keeper is gone */
		judge->stopping = true;
		return;
	}
	if (got != sizeof(settings))
		return;
	if (open_finder(&settings.config, &finder) < 0)
		return;
	end_late_parked(judge, true);
	owner_finder_free(judge->finder);
	judge->finder = finder;
	judge->settings = settings;
	set_allowance(judge);
	length = wire_encode_options(&settings.config, judge->message, sizeof(judge->message));
	assert(length > 0);
	if (send(judge->channel_fd, judge->message, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_warning("the recorder's channel is full: it keeps its old options");
	report(judge);
	(void)send(judge->control_fd, "r", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* --- start, loop, end ---------------------------------------------------------------------- */

static int open_edges(struct judge *judge)
{
	static const struct {
		enum record_via via;
		unsigned group_offset, batch;
	} groups[] = { { VIA_GUARD, 0, GUARD_BATCH }, { VIA_MAIL, 1, 1 }, { VIA_LOCAL, 2, 1 } };
	const struct config *config = &judge->settings.config;
	const char *what = "";
	struct queue_state state;
	int error = queue_open(&judge->queue, config, &what);

	if (error == -EPERM || error == -EBUSY) {
		if (queue_state(config->queue_num, &state) == 0)
			log_error("queue_num: queue %u is held by netlink port %u (as a rule that is its "
				  "process id): expected a free queue",
				  config->queue_num, state.portid);
		else
			log_error("%s %u: %s", what, config->queue_num, strerror(-error));
		return error;
	}
	if (error) {
		log_error("%s %u: %s", what, config->queue_num, strerror(-error));
		return error;
	}
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		uint16_t group = (uint16_t)(config->nflog_group + groups[i].group_offset);

		error = copies_open(&judge->copies[groups[i].via], group, groups[i].batch,
				    config->rcvbuf_bytes, &what);
		if (error) {
			log_error("%s %u: %s", what, group,
				  error == -EBUSY ? "another program holds it" : strerror(-error));
			return error;
		}
	}
	return 0;
}

static int watch(struct judge *judge, int fd, void *mark)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = mark };

	return epoll_ctl(judge->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_loop(struct judge *judge)
{
	struct itimerspec every_second = { { 1, 0 }, { 1, 0 } };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	judge->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	judge->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	judge->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (judge->epoll_fd < 0 || judge->signal_fd < 0 || judge->timer_fd < 0 ||
	    timerfd_settime(judge->timer_fd, 0, &every_second, NULL) < 0)
		return -errno;
	/* What an event is for is told by its pointer: a member of *judge, or a parked packet. */
	if (watch(judge, queue_fd(judge->queue), &judge->queue) ||
	    watch(judge, copies_fd(judge->copies[VIA_MAIL]), &judge->copies[VIA_MAIL]) ||
	    watch(judge, copies_fd(judge->copies[VIA_LOCAL]), &judge->copies[VIA_LOCAL]) ||
	    watch(judge, copies_fd(judge->copies[VIA_GUARD]), &judge->copies[VIA_GUARD]) ||
	    watch(judge, judge->control_fd, &judge->control_fd) ||
	    watch(judge, judge->signal_fd, &judge->signal_fd) ||
	    watch(judge, judge->timer_fd, &judge->timer_fd))
		return -errno;
	return 0;
}

static void read_boot_id(char *text, size_t size)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[got > 0 ? strcspn(text, "\n") : 0] = '\0';
	if (got > 0 && (size_t)got < size)
		text[got] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static int set_up(struct judge *judge, const struct judge_start *start)
{
	const struct config *config = &judge->settings.config;
	struct stats *stats = &judge->status.stats;
	enum ruleset_queue form;
	const char *stage = "";
	uint8_t key[16];
	int error;

	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return -errno;
	judge->attempts = attempts_new(ATTEMPT_SLOTS, key);
	if (!judge->attempts)
		return -ENOMEM;
	judge->status.judge_pid = getpid();
	judge->status.started_ns = clock_ns(CLOCK_REALTIME);
	read_boot_id(judge->boot_id, sizeof(judge->boot_id));
	snprintf(stats->judge_epoch, sizeof(stats->judge_epoch), "%" PRId64 ":%d",
		 judge->status.started_ns, judge->status.judge_pid);

	error = open_edges(judge);
	if (error)
		return error;
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
	error = open_finder(config, &judge->finder);
	if (error)
		return error;
	set_allowance(judge);
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
	log_notice("judging: mode %s, queue %u (%s), %u mail uid%s", policy_mode_words[config->mode],
		   config->queue_num, ruleset_queue_words[form], judge->settings.policy.n_mail_uids,
		   judge->settings.policy.n_mail_uids == 1 ? "" : "s");
	return 0;
}

static void on_event(struct judge *judge, const struct epoll_event *event)
{
	void *mark = event->data.ptr;
	uint64_t ticks;

	if (mark == &judge->queue) {
		read_queue(judge);
	} else if (mark == &judge->control_fd) {
		on_settings(judge);
	} else if (mark == &judge->signal_fd) {
		judge->stopping = true;
	} else if (mark == &judge->timer_fd) {
		if (read(judge->timer_fd, &ticks, sizeof(ticks)) == sizeof(ticks)) {
			report(judge);
			notify_send("WATCHDOG=1");
		}
	} else if (mark >= (void *)judge->parked && mark < (void *)(judge->parked + PARKED_MAX)) {
		step_parked(judge, mark);
	} else {
		for (int via = 0; via < VIA_N; via++)
			if (mark == &judge->copies[via])
				read_copies(judge, (enum record_via)via);
	}
}

/* Nobody new is queued; whoever waits still gets a verdict. */
static void wind_down(struct judge *judge)
{
	int error = ruleset_agent_empty(judge->link, judge->settings.config.table);

	if (error && error != -ENOENT)
		log_warning("empty the agent chain: %s (the guard decides alone)", strerror(-error));
	while (read_queue(judge) || read_copies(judge, VIA_MAIL) || read_copies(judge, VIA_LOCAL) ||
	       read_copies(judge, VIA_GUARD))
		;
	end_late_parked(judge, true);
	report(judge);
}

static void judge_free(struct judge *judge)
{
	queue_free(judge->queue);
	for (int via = 0; via < VIA_N; via++)
		copies_free(judge->copies[via]);
	owner_finder_free(judge->finder);
	ruleset_link_free(judge->link);
	attempts_free(judge->attempts);
	free(judge);
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
	judge->channel_fd = start->channel_fd;
	judge->control_fd = start->control_fd;
	error = set_up(judge, start);
	if (!error)
		report(judge);
	if (!error && send(judge->control_fd, "r", 1, MSG_NOSIGNAL) != 1)
		error = -errno;
	while (!error && !judge->stopping) {
		struct epoll_event events[16];
		int count = epoll_wait(judge->epoll_fd, events, 16, end_late_parked(judge, false));

		if (count < 0 && errno != EINTR) {
			error = -errno;
			log_error("epoll: %s", strerror(errno));
		}
		for (int i = 0; i < count; i++)
			on_event(judge, &events[i]);
	}
	if (!error)
		wind_down(judge);
	judge_free(judge);
	return error ? 1 : 0;
}
