/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The short way to an owner, at a cost that does not grow with the number of processes: sock_diag,
 * the kernel's word on who called (caller.h), the table of processes (tasks.h), a few descriptors,
 * and what is known of that process already. It runs on the thread that holds the packet, so it
 * reads nothing that a process can make wait: no arguments, no paths, no system call of a thread.
 */
#ifndef BPF_FREE_NEAR_H
#define BPF_FREE_NEAR_H

#include "caller.h"
#include "describe.h"
#include "search.h"
#include "sockdiag.h"
#include "tasks.h"

#define NEAR_CALLERS 4

struct near;

/* callers, connector: NULL when there is none. All stay the caller's. */
int near_open(struct near **near, int proc_fd, struct callers *callers,
	      const struct connector *connector);
void near_free(struct near *near);	     /* takes NULL */
struct tasks *near_tasks(struct near *near); /* NULL without a connector */

/* What is known after the short way. */
struct near_found {
	enum near_result {
		NEAR_NO_SOCKET, /* there is none that anybody could hold */
		NEAR_HOLDER,	/* holder was confirmed */
		NEAR_NOBODY	/* not found here: callers[] are where to look first */
	} result;
	struct search_found holder; /* HOLDER: its pid_fd is task's, start_ticks 0 */
	struct task *task;	    /* HOLDER; valid until the next near_find() or tasks_drain() */
	unsigned n_callers;
	struct caller callers[NEAR_CALLERS];
	bool proven;   /* callers[0] called for this very packet, if its socket is of that user */
	bool doubtful; /* the packet may be of a socket that was closed, and is not the one found */
};

/* Fills owner's socket, or how and why; at most fds descriptors are read. */
void near_find(struct near *near, const struct owner_query *query, unsigned fds,
	       struct owner *owner, struct near_found *found);
/* Sockets with this tuple that were closed sent nothing: they are no reason to doubt any more. */
void near_settle(struct near *near, const struct owner_query *query);
/* Its search is over: pid held or made the socket, or 0. */
void near_found_elsewhere(struct near *near, const struct owner_query *query,
			  const struct near_found *found, const struct search_found *holder);

/* The task's folder in /proc, open; near's. -1: it is gone. */
int near_folder(struct near *near, struct task *task);
/* What a description of task need not look for; nothing while the table is not whole. */
void near_told(struct near *near, const struct task *task, struct describe_told *told);
/* Whose child task is, by who forked it, also where that one has ended since. */
void near_parents(struct near *near, struct task *task, struct owner *owner);
/* Takes the description of task into *owner, if it is fresh. */
bool near_known(struct near *near, struct task *task, uint64_t now_ns, struct owner *owner);
/*
 * Of a child that has executed nothing, and changed neither its user nor its name: the program, its
 * arguments, script, unit and login are its parent's, since fork(2) copies them; only what it can
 * change without a word is read: its folder. false: not so, or the parent was never described (then
 * that is seen to).
 */
bool near_inherited(struct near *near, struct task *task, struct owner *owner);
/*
 * Remembers that description; what changes by itself (a request's script) is not kept. A process
 * can write over its arguments: the script that they named first stays, until it executes another
 * program; one that names another later poses.
 */
void near_learn(struct near *near, struct task *task, struct owner *owner, uint64_t now_ns);
/* The process that called and has ended: *owner is filled with what was known of it, or of the one
 * that forked it. */
void near_tomb(struct near *near, const struct task *task, struct owner *owner);
/* Nobody waited for an owner then. */
void near_rest(struct near *near, uint64_t then_ns);

#endif
