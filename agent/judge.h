/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judge: one thread that takes held packets and copies, finds their owners, sends verdicts
 * and hands records to the recorder. Verdict first, record after. It never touches the disk and
 * never waits for anybody: php-fpm's answer is awaited beside the other work, the recorder's
 * channel is only tried.
 */
#ifndef AGENT_JUDGE_H
#define AGENT_JUDGE_H

#include "config.h"
#include "edges.h"
#include "policy.h"

/* From the keeper, whole, after a good reload: one SOCK_SEQPACKET message. Same program, same
 * machine: plain memory. */
struct judge_settings {
	struct config config;
	struct policy policy;
};

/* What the judge says to the keeper, one byte each. */
#define JUDGE_SAYS_READY "r" /* all is in place, at the start and after new settings */
#define JUDGE_SAYS_RULES "R" /* the rule set is gone, or may have been changed */
#define JUDGE_SAYS_ENTER "E" /* egressd-enter does not answer any more */

struct judge_start {
	const struct judge_settings *settings;
	const struct edges *edges; /* open already; the judge closes them */
	uid_t uid;		   /* what judge_user resolved to */
	gid_t gid;
	int channel_fd; /* to the recorder, SOCK_SEQPACKET */
	int witness_fd; /* to the witness, SOCK_SEQPACKET */
	int control_fd; /* from the keeper: settings; to it: JUDGE_SAYS_… */
	int enter_fd;	/* to egressd-enter, SOCK_SEQPACKET; -1: there is none */
};

/* Drops privileges, opens the look-up, fills the agent chain, runs until SIGTERM. The exit code: 0,
 * or 1 after an error that was logged. */
int judge_main(const struct judge_start *start);

#endif
