/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the keeper's files share: keeper.c starts, reloads and ends; keeper_fork.c forks the others
 * and takes their ends in.
 */
#ifndef AGENT_KEEPER_INTERNAL_H
#define AGENT_KEEPER_INTERNAL_H

#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "clock.h"
#include "keeper.h"
#include "keeper_child.h"
#include "keeper_enter.h"
#include "statedir.h"

#define JUDGE_END 0 /* of the socket pairs */
#define OTHER_END 1

struct keeper {
	const char *config_file;
	struct judge_settings settings;
	struct statedir statedir;
	struct keeper_users users;
	struct edges edges; /* until the judge has them */
	int channel[2];	    /* judge, witness -> recorder */
	int control[2];	    /* keeper <-> judge; JUDGE_END is -1 after the fork */
	int asked[2];	    /* judge -> witness; the same */
	pid_t judge;	    /* 0: does not run */
	struct keeper_child recorder, witness;
	struct keeper_enter enter;
	bool witness_told; /* to end, and to come back with a new configuration */
	int judge_status;
	sigset_t signals;
	int signal_fd;
	time_t rules_due;     /* when the rules may be put back next */
	unsigned rules_times; /* that they were put back in a row */
	bool stopping, unloaded_said;
};

static inline time_t keeper_now_s(void)
{
	return (time_t)(clock_ns(CLOCK_MONOTONIC) / 1000000000);
}

/* Both take ends that are closed (-1), and leave them so. */
void keeper_close_end(int pair[2], int end);
void keeper_close_pair(int pair[2]);

/* Each forks one. 0 or -errno, logged; start_enter: also 0 when it is not wanted. */
int keeper_start_judge(struct keeper *keeper);
int keeper_start_recorder(struct keeper *keeper);
int keeper_start_witness(struct keeper *keeper);
int keeper_start_enter(struct keeper *keeper);
/* Takes in who has ended. The judge's end means that the keeper stops, too. */
void keeper_reap(struct keeper *keeper);

#endif
