/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the queue and the copies; what becomes of a packet is judge_take.c's. */
#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "judge_internal.h"
#include "log.h"

#define BATCH 64 /* packets of one edge in a turn: the others come next */

/* Asked each time: a container's interface is soon another's number. */
static void name_indev(struct egress_meta *meta, uint32_t index)
{
	static_assert(sizeof(meta->indev) >= IF_NAMESIZE, "if_indextoname(3) has room");
	char name[IF_NAMESIZE] = "";

	meta->forwarded = true;
	if (!index || !if_indextoname(index, name))
		snprintf(name, sizeof(name), "if%u", index);
	memcpy(meta->indev, name, sizeof(name));
}

static void on_queue_packet(void *context, const struct queue_packet *held)
{
	struct judge *judge = context;
	struct packet packet = { .bytes = held->bytes, .len = held->len };
	struct egress_meta meta = {
		.ts_ns = clock_ns(CLOCK_REALTIME),
		.via = held->forwarded ? VIA_FORWARD : VIA_QUEUE,
		.packet_bytes = held->packet_bytes,
		.has_uid = held->has_uid,
		.uid = held->uid,
		.gid = held->gid,
		.ifindex = held->ifindex,
	};

	if (held->forwarded)
		name_indev(&meta, held->indev);
	++*judge_stat(judge, STAT_QUEUED);
	judge->of_queue = true;
	judge_take(judge, &packet, &meta, held);
	judge->of_queue = false;
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

	if (copy->forwarded)
		name_indev(&meta, copy->indev);
	++*judge_stat(judge, via == VIA_MAIL	? STAT_COPIES_MAIL
			     : via == VIA_LOCAL ? STAT_COPIES_LOCAL
						: STAT_COPIES_GUARD);
	judge_take(judge, &packet, &meta, NULL);
	/* Several are in one datagram: whoever is held does not wait for all their look-ups. */
	if (via != VIA_GUARD || judge->settings.policy.mode == MODE_MONITOR)
		judge_read_queue(judge);
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
		++*judge_stat(judge, STAT_OVERRUNS);
	else
		log_error("%s: %s", where, strerror(-error));
}

static bool is_same(void *context, const struct queue_packet *held)
{
	const struct packet packet = { .bytes = held->bytes, .len = held->len };
	const struct owner_query *query = context;
	struct flow flow;

	return flow_parse(&packet, &flow) == FLOW_OK && flow.has_ports &&
	       flow.family == query->family && flow.sport == query->sport &&
	       flow.dport == query->dport && !memcmp(flow.src, query->src, sizeof(query->src)) &&
	       !memcmp(flow.dst, query->dst, sizeof(query->dst));
}

bool judge_waits_behind(void *context, const struct owner_query *query)
{
	struct judge *judge = context;
	struct owner_query wanted = *query;

	/* A copy has others behind it that are not to be seen. */
	return !judge->of_queue || queue_ahead(judge->edges.queue, is_same, &wanted) != 0;
}

bool judge_read_queue(struct judge *judge)
{
	uint64_t odd = 0;
	/* After a rest there mostly is one only: whether there are more is asked by waiting. */
	unsigned batch = judge->rested ? 1 : BATCH;
	int count = queue_read(judge->edges.queue, batch, on_queue_packet, judge, &odd);

	if (count < 0)
		overrun(judge, "queue", count);
	return count == -ENOBUFS || count >= (int)batch;
}

bool judge_read_copies(struct judge *judge, enum record_via via)
{
	/* A held packet waits meanwhile: one datagram a turn, some twenty copies at most. */
	int count = copies_read(judge->edges.copies[via], 1, on_copies[via], judge,
				judge_stat(judge, STAT_LOST_COPIES));

	if (count < 0)
		overrun(judge, "copies", count);
	return count == -ENOBUFS || count > 0;
}
