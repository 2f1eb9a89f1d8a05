/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the judge's files share: judge.c starts, waits and ends; judge_edges.c reads the queue and
 * the copies; judge_take.c makes verdicts and records of packets; judge_enter.c asks egressd-enter
 * about forwarded ones; judge_report.c reads the kernel's counters and tells the recorder;
 * judge_witness.c asks the witness.
 */
#ifndef AGENT_JUDGE_INTERNAL_H
#define AGENT_JUDGE_INTERNAL_H

#include <time.h>

#include "../bpf-free/netns.h"
#include "../bpf-free/owner.h"
#include "../nft/ruleset.h"
#include "allowance.h"
#include "attempts.h"
#include "batch.h"
#include "clock.h"
#include "copies.h"
#include "edges.h"
#include "egress.h"
#include "judge.h"
#include "nfsock.h"
#include "queue.h"
#include "wire.h"

#define PARKED_MAX 64 /* packets that wait for php-fpm's or egressd-enter's answer at once */

/* A packet whose owner is known but for the script (wait), or that egressd-enter was asked about
 * (enter_id). held: it waits in the queue for a verdict. */
struct parked {
	bool used, held, repeat;
	bool answered;	      /* egressd-enter knows the socket; its holder is looked for */
	uint64_t enter_id;    /* 0: it was not asked */
	uint64_t deadline_ns; /* then: CLOCK_MONOTONIC */
	uint32_t queue_id, queue_mark;
	struct egress_meta meta;
	struct owner_wait *wait;
	struct owner owner;
	size_t len;
	uint8_t bytes[NFSOCK_COPY_BYTES];
};

struct judge {
	struct judge_settings settings;
	int channel_fd, witness_fd, control_fd, epoll_fd, signal_fd, timer_fd;
	struct edges edges;
	struct owner_finder *finder;
	int finder_fds[OWNER_FDS], deaf_fd;
	bool of_queue;			   /* the packet at work is a held one */
	struct owner_counts finder_counts; /* at the last report */
	bool rested;			   /* nothing waited before what there is now */
	int64_t rested_ns;		   /* when the finder was told last that nobody waits */
	int64_t finder_heard_ns;	   /* when its events were taken in last */
	bool finder_deaf;		   /* not waited for just now */
	struct ruleset_link *link;
	struct attempts *attempts;
	struct batch *batch;
	int batch_fd;	  /* a timer: the oldest record waited long enough */
	bool batch_timed; /* it runs */

	/* between egress_judge() and judge_resolve() */
	const struct owner *ready_owner; /* the answer is there already */
	struct owner_wait *wait;	 /* the script was asked for */
	bool again;			 /* the held budget was spent without an answer */
	struct owner found;		 /* of the look-up after the verdict */
	struct allowance held, after; /* time for look-ups by uid, before and after the verdict */

	/* egressd-enter */
	int enter_fd;			      /* -1: there is none */
	struct netns_finder *netns;	      /* proves in our own /proc what it says */
	uint64_t enter_last;		      /* question that was asked */
	uint64_t asked_id, asked_deadline_ns; /* between egress_judge() and park(); 0: not asked */
	int64_t enter_silent_ns;	      /* since when it owes an answer; 0: it does not */
	unsigned n_asked;		      /* of the parked ones */
	struct allowance foreign;	      /* time for such look-ups, by source address */

	struct parked parked[PARKED_MAX];
	unsigned n_parked;

	struct allowance asked; /* questions to the witness by uid: a second's */
	uint64_t not_asked;	/* since it was said last: the channel was full */
	int64_t not_asked_said_ns;

	struct wire_status status;
	int64_t busy_since_ns; /* CLOCK_MONOTONIC: when there last was nothing to do */
	uint32_t queue_dropped_last, user_dropped_last; /* of nfnetlink_queue: 32 bits each */
	char boot_id[40];
	uint32_t generation;	 /* of the kernel's rules when they were last known whole */
	unsigned ticks_to_check; /* 0: as known; else the keeper is asked when they are over */
	bool rules_missing_said, stopping;
	struct record record; /* the one at work */
	uint64_t last_id;     /* of a record that was sent */
	uint8_t message[WIRE_BYTES_MAX];
};

uint64_t *judge_stat(struct judge *judge, enum stat_id id);

/* judge_take.c: one packet, from the queue (held: its verdict is owed) or a copy (held NULL). */
void judge_take(struct judge *judge, const struct packet *packet, const struct egress_meta *meta,
		const struct queue_packet *held);
/* Its owner is as it will be: gives the verdict. */
void judge_unpark(struct judge *judge, struct parked *parked);
/* php-fpm's answer for a parked packet may be there. */
void judge_step_parked(struct judge *judge, struct parked *parked);
/* Ends those whose time is up (all: every one). How long until the next, in ms; -1: none waits. */
int judge_end_late_parked(struct judge *judge, bool all);

/* judge_edges.c. A turn's worth of packets; true while something may still wait there. */
bool judge_read_queue(struct judge *judge);
/* owner_behind_fn: does another packet with that tuple wait behind the one at work? */
bool judge_waits_behind(void *judge, const struct owner_query *query);
bool judge_read_copies(struct judge *judge, enum record_via via);

/* judge_witness.c: the record at work, where there is more to learn of it; never waits. */
void judge_tell_witness(struct judge *judge);

/* judge_enter.c. Nothing to do when there is no egressd-enter. */
int judge_enter_open(struct judge *judge);
void judge_enter_close(struct judge *judge);
/* Fills *owner with what is known without asking. 0, or -EINPROGRESS: asked_id was asked. */
int judge_enter_ask(struct judge *judge, const struct flow *flow, const struct egress_meta *meta,
		    struct owner *owner);
void judge_enter_read(struct judge *judge); /* its answers */
void judge_enter_take(struct judge *judge); /* holders that were found */
/* The parked packet's time is up: says so in its owner. */
void judge_enter_late(struct judge *judge, struct parked *parked);
void judge_enter_tick(struct judge *judge); /* each second: tells the keeper if it is silent */

/* judge_report.c: names this run and boot, once. */
void judge_report_start(struct judge *judge);
/* Reads the kernel's counters, puts the agent's rule back where it is gone, tells the recorder. */
void judge_report(struct judge *judge);

#endif
