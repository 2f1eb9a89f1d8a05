/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressd-enter as the keeper sees it: the socket pair that outlives it, and when it is to be
 * started again. It forks nothing itself.
 */
#ifndef AGENT_KEEPER_ENTER_H
#define AGENT_KEEPER_ENTER_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct keeper_enter {
	bool wanted;
	int judge_fd; /* until the judge has it; -1: there is none */
	int own_fd;   /* its end, held so that the judge never loses its other one */
	pid_t pid;    /* 0: does not run */
	int pause_s;  /* before the next start; grows with each death */
	time_t started, due;
};

/* wanted: containers = true. 0 or -errno, logged. */
int keeper_enter_open(struct keeper_enter *enter, bool wanted);
void keeper_enter_close(struct keeper_enter *enter);
/* It ended: plans the next start, says so in the log. */
void keeper_enter_ended(struct keeper_enter *enter, int status, time_t now_s);
bool keeper_enter_due(const struct keeper_enter *enter, time_t now_s);
/* A poll(2) timeout that wakes up for the next start, too. */
int keeper_enter_timeout_ms(const struct keeper_enter *enter, time_t now_s, int timeout_ms);
/* The judge gets no answer: what does not answer is ended, and then started anew. */
void keeper_enter_kill(const struct keeper_enter *enter);

#endif
