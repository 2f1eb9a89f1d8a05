/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a packet to a verdict and a record; opens nothing and keeps nothing. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "judge_internal.h"
#include "log.h"

#define BUSY_NS (50 * INT64_C(1000000)) /* without a moment of rest: somebody waits */

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

/* What one user's look-ups take, everybody behind waits for. So a user has a share of the second,
 * beyond which it is judged by uid alone, in microseconds; but not while nobody waits. */
static bool others_wait(const struct judge *judge, int64_t now_ns)
{
	return now_ns - judge->busy_since_ns > BUSY_NS;
}

static int judge_resolve(void *context, const struct flow *flow, const struct egress_meta *meta,
			 struct owner *owner)
{
	struct judge *judge = context;
	struct owner_query query;
	int64_t start;
	int result;

	if (judge->ready_owner) {
		*owner = *judge->ready_owner;
		return 0;
	}
	/* No socket of this network namespace has it. */
	if (meta->forwarded)
		return judge_enter_ask(judge, flow, meta, owner);
	/* What the rule set refused has its socket reset already: a look-up would find nothing,
	 * or somebody else's new socket. */
	make_query(flow, meta, &query);
	if (meta->via == VIA_GUARD && judge->settings.policy.mode == MODE_ENFORCE) {
		owner_pass(judge->finder, &query);
		owner_init(owner);
		owner->why = OWNER_WHY_REFUSED_FIRST;
		return 0;
	}
	start = clock_ns(CLOCK_MONOTONIC);
	if (others_wait(judge, start) && !allowance_left(&judge->held, meta->uid, start)) {
		owner_pass(judge->finder, &query);
		owner_init(owner);
		owner->why = OWNER_WHY_BUDGET;
		return 0;
	}
	result = owner_find(judge->finder, &query, owner, &judge->wait);
	allowance_spend(&judge->held, meta->uid, clock_ns(CLOCK_MONOTONIC) - start);
	if (result == -EAGAIN)
		judge->again = true;
	/* A copy is looked at after the fact: that its socket is gone by then says nothing of how
	 * the packet was made. */
	if (meta->via != VIA_QUEUE && owner->how == OWNER_NO_SOCKET) {
		owner->how = OWNER_UNKNOWN;
		owner->why = OWNER_WHY_CLOSED;
	}
	if (result != -EINPROGRESS)
		return 0;
	++*judge_stat(judge, STAT_SCRIPT_ASKED);
	if (judge->n_parked < PARKED_MAX)
		return -EINPROGRESS;
	owner_wait_end(judge->wait, owner);
	judge->wait = NULL;
	++*judge_stat(judge, STAT_SCRIPT_LATE);
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
	const struct owner *owner = &judge->record.owner;

	/* A refused container's socket is reset by now: whoever else held it is not to be seen any
	 * more, and everybody else's packets would wait for that look. */
	if (meta->forwarded && !judge->again && judge->record.verdict == VERDICT_DENY)
		return false;
	return (judge->again ||
		(owner->how == OWNER_CONFIRMED && owner_continue_due(judge->finder, owner))) &&
	       allowance_left(&judge->after, meta->uid, clock_ns(CLOCK_MONOTONIC));
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
	else if (!meta->forwarded) /* its sock_diag knows nothing of that one */
		judge->record.owner = *found;
	allowance_spend(&judge->after, meta->uid, clock_ns(CLOCK_MONOTONIC) - start);
}

/* --- verdict and record -------------------------------------------------------------------- */

static void give_verdict(struct judge *judge, uint32_t id, uint32_t mark)
{
	const struct config *config = &judge->settings.config;
	enum verdict verdict = judge->record.verdict;
	uint32_t ours = verdict == VERDICT_ALLOW ? config->mark_allow : config->mark_deny;
	int error = queue_accept(judge->edges.queue, id, (mark & ~config->mark_mask) | ours);

	if (error) {
		/* The packet stays held and its app waits; the kernel drops it when we end. */
		log_error("verdict for packet %u: %s", id, strerror(-error));
		return;
	}
	switch (verdict) {
	case VERDICT_ALLOW:
		++*judge_stat(judge, STAT_ALLOWED);
		break;
	case VERDICT_WOULD_DENY:
		++*judge_stat(judge, STAT_WOULD_DENY);
		break;
	default:
		++*judge_stat(judge, STAT_DENIED);
	}
}

static void send_record(struct judge *judge)
{
	struct record *record = &judge->record;

	if (record->excerpt_bytes > judge->settings.config.excerpt_bytes)
		record->excerpt_bytes = (uint16_t)judge->settings.config.excerpt_bytes;
	record->id = ++judge->last_id;
	++*judge_stat(judge, record->owner.proc.pid ? STAT_OWNER_NAMED : STAT_OWNER_UNKNOWN);
	batch_add(judge->batch, record);
	if (!judge->batch_timed && batch_due_ns(judge->batch) != INT64_MAX) {
		const struct itimerspec soon = { .it_value.tv_nsec = BATCH_DELAY_NS };

		timerfd_settime(judge->batch_fd, 0, &soon, NULL);
		judge->batch_timed = true;
	}
	judge_tell_witness(judge);
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
		.enter_id = judge->asked_id,
		.deadline_ns = judge->asked_deadline_ns,
		.len = packet->len < NFSOCK_COPY_BYTES ? packet->len : NFSOCK_COPY_BYTES,
	};
	parked->owner = judge->record.owner;
	memcpy(parked->bytes, packet->bytes, parked->len);
	judge->wait = NULL;
	judge->asked_id = 0;
	judge->n_parked++;
	judge->n_asked += parked->enter_id != 0;
	if (!parked->wait)
		return;
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
		++*judge_stat(judge, STAT_RETRANSMITS);
		return;
	}
	if (worth_looking_on(judge, meta))
		look_on(judge, packet, meta);
	send_record(judge);
}

void judge_take(struct judge *judge, const struct packet *packet, const struct egress_meta *meta,
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

void judge_unpark(struct judge *judge, struct parked *parked)
{
	struct packet packet = { .bytes = parked->bytes, .len = parked->len };
	struct queue_packet held = { .id = parked->queue_id, .mark = parked->queue_mark };

	if (parked->wait)
		epoll_ctl(judge->epoll_fd, EPOLL_CTL_DEL, owner_wait_fd(parked->wait), NULL);
	owner_wait_end(parked->wait, &parked->owner);
	if (parked->wait && parked->owner.script_why == OWNER_WHY_DEADLINE)
		++*judge_stat(judge, STAT_SCRIPT_LATE);
	/* The socket is known, its holder was not found in time: after the verdict there is more.
	 */
	judge->again = parked->enter_id && parked->owner.has_socket && !parked->owner.proc.pid;
	judge_with_owner(judge, &packet, &parked->meta, &parked->owner);
	conclude(judge, &packet, &parked->meta, parked->held ? &held : NULL, parked->repeat);
	parked->used = false;
	judge->n_parked--;
	judge->n_asked -= parked->enter_id != 0;
}

void judge_step_parked(struct judge *judge, struct parked *parked)
{
	struct epoll_event event = { .data.ptr = parked };

	if (!parked->used)
		return;
	if (owner_wait_step(parked->wait, &parked->owner) != -EINPROGRESS) {
		judge_unpark(judge, parked);
		return;
	}
	event.events = owner_wait_events(parked->wait) & (EPOLLIN | EPOLLOUT);
	epoll_ctl(judge->epoll_fd, EPOLL_CTL_MOD, owner_wait_fd(parked->wait), &event);
}

int judge_end_late_parked(struct judge *judge, bool all)
{
	uint64_t now = (uint64_t)clock_ns(CLOCK_MONOTONIC), next = UINT64_MAX;

	for (unsigned i = 0; judge->n_parked && i < PARKED_MAX; i++) {
		struct parked *parked = &judge->parked[i];
		uint64_t deadline;

		if (!parked->used)
			continue;
		deadline =
			parked->wait ? owner_wait_deadline_ns(parked->wait) : parked->deadline_ns;
		if (parked->enter_id && (all || deadline <= now))
			judge_enter_late(judge, parked);
		if (all || deadline <= now)
			judge_unpark(judge, parked);
		else if (deadline < next)
			next = deadline;
	}
	return next == UINT64_MAX ? -1 : (int)((next - now) / 1000000 + 1);
}
