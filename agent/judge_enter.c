/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judge's questions to egressd-enter about what this box forwards, and what it makes of the
 * answers. It never waits: the packet does, parked, for lookup_ms at most.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "enter.h"
#include "judge_internal.h"
#include "log.h"

#define ASKED_MAX   (PARKED_MAX / 2)	     /* the other half is for php-fpm's answers */
#define ADDRESS_NS  (300 * INT64_C(1000000)) /* of each second: one address's look-ups */
#define ALL_NS	    (600 * INT64_C(1000000)) /* and all addresses' */
#define QUESTION_NS (2 * INT64_C(1000000))   /* what a question costs at most, by this count */
#define SILENT_NS   (3000 * INT64_C(1000000))

static void unknown(struct owner *owner, enum owner_why why)
{
	owner_init(owner);
	owner->how = OWNER_FOREIGN_NETNS;
	owner->why = why;
}

/* The end of an address tells containers apart, of both families. */
static uint32_t payer_of(const struct flow *flow)
{
	uint32_t end;

	memcpy(&end, flow->src + (flow->family == AF_INET6 ? 12 : 0), sizeof(end));
	return ntohl(end);
}

static struct parked *find_asked(struct judge *judge, uint64_t id)
{
	for (unsigned i = 0; judge->n_asked && i < PARKED_MAX; i++)
		if (judge->parked[i].used && judge->parked[i].enter_id == id)
			return &judge->parked[i];
	return NULL;
}

int judge_enter_open(struct judge *judge)
{
	const char *what = "";
	int error;

	if (judge->enter_fd < 0)
		return 0;
	allowance_init(&judge->foreign, ADDRESS_NS, ALL_NS);
	error = netns_finder_open(&judge->netns, &what);
	if (error)
		log_error("look-up in containers: %s: %s", what, strerror(-error));
	return error;
}

void judge_enter_close(struct judge *judge)
{
	netns_finder_free(judge->netns);
	judge->netns = NULL;
	if (judge->enter_fd >= 0)
		close(judge->enter_fd);
	judge->enter_fd = -1;
}

int judge_enter_ask(struct judge *judge, const struct flow *flow, const struct egress_meta *meta,
		    struct owner *owner)
{
	const struct config *config = &judge->settings.config;
	struct enter_question question;
	int64_t now;

	unknown(owner, OWNER_WHY_NETNS);
	/* A copy's packet was refused already, and its socket with it. */
	if (judge->enter_fd < 0 || meta->via != VIA_FORWARD)
		return 0;
	now = clock_ns(CLOCK_MONOTONIC);
	/* One that does not answer is asked by one packet at a time: the others don't wait. */
	if (judge->n_asked >= (judge->enter_silent_ns ? 1 : ASKED_MAX) ||
	    judge->n_parked >= PARKED_MAX) {
		owner->why = OWNER_WHY_DEADLINE;
		return 0;
	}
	if (!allowance_left(&judge->foreign, payer_of(flow), now)) {
		owner->why = OWNER_WHY_BUDGET;
		return 0;
	}
	memset(&question, 0, sizeof(question));
	question.id = ++judge->enter_last;
	question.deadline_ns = (uint64_t)now + config->lookup_ms * UINT64_C(1000000);
	question.query.family = flow->family;
	question.query.sport = flow->sport;
	question.query.dport = flow->dport;
	memcpy(question.query.src, flow->src, sizeof(question.query.src));
	memcpy(question.query.dst, flow->dst, sizeof(question.query.dst));
	if (send(judge->enter_fd, &question, sizeof(question), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		owner->why = errno == EAGAIN ? OWNER_WHY_DEADLINE : OWNER_WHY_ERROR;
		return 0;
	}
	judge->asked_id = question.id;
	judge->asked_deadline_ns = question.deadline_ns;
	return -EINPROGRESS;
}

static void conclude_asked(struct judge *judge, struct parked *parked, const struct owner *owner)
{
	int64_t start =
		(int64_t)parked->deadline_ns - judge->settings.config.lookup_ms * INT64_C(1000000);

	parked->owner = *owner;
	parked->owner.lookup_us = (uint32_t)((clock_ns(CLOCK_MONOTONIC) - start) / 1000);
	judge_unpark(judge, parked);
}

static void take_answer(struct judge *judge, const struct enter_answer *answer)
{
	struct parked *parked = find_asked(judge, answer->id);
	struct flow flow;
	struct owner *owner = &judge->found;

	judge->enter_silent_ns = 0;
	if (!parked || parked->answered)
		return;
	parked->answered = true;
	if (flow_parse(&(struct packet){ parked->bytes, parked->len }, &flow) == FLOW_OK)
		allowance_spend(&judge->foreign, payer_of(&flow), QUESTION_NS);
	netns_owner(&answer->answer, owner);
	if (answer->answer.why != NETNS_FOUND) {
		conclude_asked(judge, parked, owner);
		return;
	}
	/* For the case that its time is up before the holder is found. */
	parked->owner = *owner;
	if (netns_finder_post(judge->netns, answer->id, &answer->answer,
			      judge->settings.config.lookup_fds, parked->deadline_ns) < 0) {
		owner->why = OWNER_WHY_BUDGET;
		conclude_asked(judge, parked, owner);
	}
}

void judge_enter_read(struct judge *judge)
{
	uint8_t bytes[sizeof(struct enter_answer) + 1];
	struct enter_answer answer;
	ssize_t len;

	while ((len = recv(judge->enter_fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		if (enter_read_answer(bytes, (size_t)len, &answer) == 0)
			take_answer(judge, &answer);
	if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
		close(judge->enter_fd); /* the keeper is gone */
		judge->enter_fd = -1;
	}
}

void judge_enter_take(struct judge *judge)
{
	struct owner *owner = &judge->found;
	uint64_t id;

	while (netns_finder_take(judge->netns, &id, owner) == 0) {
		struct parked *parked = find_asked(judge, id);
		struct flow flow;

		if (!parked)
			continue;
		if (flow_parse(&(struct packet){ parked->bytes, parked->len }, &flow) == FLOW_OK)
			allowance_spend(&judge->foreign, payer_of(&flow),
					owner->lookup_us * INT64_C(1000));
		conclude_asked(judge, parked, owner);
	}
}

void judge_enter_late(struct judge *judge, struct parked *parked)
{
	parked->owner.why = OWNER_WHY_DEADLINE;
	if (!parked->answered && !judge->enter_silent_ns)
		judge->enter_silent_ns = clock_ns(CLOCK_MONOTONIC);
}

void judge_enter_tick(struct judge *judge)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC);

	if (!judge->enter_silent_ns || now - judge->enter_silent_ns < SILENT_NS)
		return;
	judge->enter_silent_ns = now;
	(void)send(judge->control_fd, JUDGE_SAYS_ENTER, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}
