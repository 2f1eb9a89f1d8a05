/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child that the keeper starts again when it ends: one that lived a while at once, one that dies
 * at once after a pause that grows. Nothing but its times; who forks is the keeper.
 */
#ifndef AGENT_KEEPER_CHILD_H
#define AGENT_KEEPER_CHILD_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct keeper_child {
	pid_t pid;   /* 0: does not run */
	int pause_s; /* before the next start; grows with each death */
	time_t started, due;
};

/* It ended as status of waitpid(2) says; a line in the log says so, and what it means. what: "the
 * witness". */
void keeper_child_ended(struct keeper_child *child, int status, time_t now, const char *what,
			const char *meanwhile);
/* It was told to end: no death, and it is started again at once. */
void keeper_child_left(struct keeper_child *child, time_t now);
/* Until it is due, in ms; -1: it runs. */
int keeper_child_wait_ms(const struct keeper_child *child, time_t now);

#endif
