/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The counters that the judge reports each second, and how they add up.
 *
 * Each value grows within its epoch and starts anew with another one: the judge's with each run
 * of the judge, the kernel's with each making of the table (or boot). The store keeps running
 * totals over the epochs, so that
 *
 *     seen + unseen = recorded + retransmits + lost
 *
 * where unseen is what went with a table before it was read, seen is the sum of the
 * STAT_KERNEL_* packets of stats_seen(), and recorded counts attempts in the store (rows +
 * folded). store.h says what of `lost` is known by name.
 */
#ifndef AGENT_STATS_H
#define AGENT_STATS_H

#include <stdint.h>

#include "../nft/ruleset.h"

enum stat_id {
	/* the judge's, since its start */
	STAT_QUEUED,  /* packets that came from the queue */
	STAT_ALLOWED, /* verdicts given to queued packets */
	STAT_DENIED,
	STAT_WOULD_DENY,
	STAT_RETRANSMITS, /* packets that repeat an attempt which was recorded */
	STAT_COPIES_MAIL, /* NFLOG copies received */
	STAT_COPIES_LOCAL,
	STAT_COPIES_GUARD,
	STAT_SENT,	    /* records handed to the recorder */
	STAT_LOST_CHANNEL,  /* records not handed over: the recorder's channel was full */
	STAT_LOST_COPIES,   /* NFLOG copies the kernel could not deliver (gaps in their numbers) */
	STAT_OVERRUNS,	    /* ENOBUFS on a netlink socket */
	STAT_QUEUE_DROPPED, /* nfnetlink_queue: queue full (guard decides, if fail_open) */
	STAT_USER_DROPPED,  /* nfnetlink_queue: our receive buffer full */
	STAT_OWNER_NAMED,   /* look-ups that found a holder */
	STAT_OWNER_UNKNOWN,
	STAT_SCRIPT_ASKED, /* php-fpm status pages asked */
	STAT_SCRIPT_LATE,  /* ... that did not answer in time */
	STAT_CALLS_LOST,   /* calls of connect(2), of any network namespace, told too fast to be
			    * kept: the tracepoint's buffer was full */
	STAT_TABLE_ANEW,   /* times that the table of processes began anew after a loss */
	STAT_NOT_ASKED,	   /* records the witness was not asked about: too many, or it lags */
	STAT_JUDGE_N,
	/* the kernel's, since the table was made: packets of nft/egressd.nft's named counters */
	STAT_KERNEL_FIRST = STAT_JUDGE_N,
	STAT_N = STAT_KERNEL_FIRST + RULESET_COUNTER_N
};

/* The judge's words, then the rule set's counter names with "kernel_" before them. */
const char *stat_word(enum stat_id id);

struct stats {
	char judge_epoch[48];  /* unique for a run of the judge */
	char kernel_epoch[80]; /* boot id and the table's handle; "" when there is no table */
	uint64_t value[STAT_N];
};

/* SYNs that the kernel saw, plus the packets it refused that are none: each is owed a record. */
uint64_t stats_seen(const uint64_t value[STAT_N]);

#endif
