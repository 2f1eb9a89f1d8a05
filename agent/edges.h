/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a judge listens on: its queue and the three NFLOG groups, and what tells it of calls and
 * processes (owner_eyes, bpf-free/owner.h). Each edge can be held by one program
 * only, so who has them is the one egressd of this network namespace: the keeper opens them
 * before it touches the rule set, and hands them to the judge by fork.
 */
#ifndef AGENT_EDGES_H
#define AGENT_EDGES_H

#include "config.h"
#include "copies.h"
#include "queue.h"
#include "record.h"

struct edges {
	struct queue *queue;
	struct copies *copies[VIA_N]; /* VIA_MAIL, VIA_LOCAL, VIA_GUARD; the others NULL */
	struct owner_eyes *eyes;
};

/* 0, or -errno after a line in the log that says who holds what; nothing is open then. */
int edges_open(const struct config *config, struct edges *edges);
/* Closes this process's descriptors; the kernel unbinds with the last one. */
void edges_close(struct edges *edges);

#endif
