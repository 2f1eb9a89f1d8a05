/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressd-enter as the keeper sees it: the socket pair that outlives it, and its end when it does
 * not answer. It forks nothing itself.
 */
#ifndef AGENT_KEEPER_ENTER_H
#define AGENT_KEEPER_ENTER_H

#include <stdbool.h>

#include "keeper_child.h"

struct keeper_enter {
	bool wanted;
	int judge_fd; /* until the judge has it; -1: there is none */
	int own_fd;   /* its end, held so that the judge never loses its other one */
	struct keeper_child child;
};

/* wanted: containers = true. 0 or -errno, logged. */
int keeper_enter_open(struct keeper_enter *enter, bool wanted);
void keeper_enter_close(struct keeper_enter *enter);
/* The judge gets no answer: what does not answer is ended, and then started anew. */
void keeper_enter_kill(const struct keeper_enter *enter);

#endif
