/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A look-up's thread and all it touches. A process can make a reader of its arguments or its
 * environment wait as long as it likes; so who needs them posts a job to a slot and waits no longer
 * than it wants. A slot that hangs is left behind, with its thread and its memory, and frees itself
 * when it comes out again.
 */
#ifndef BPF_FREE_SLOT_H
#define BPF_FREE_SLOT_H

#include <pthread.h>

#include "lookup.h"

enum slot_job {
	SLOT_FIND,     /* the holder of query's socket, and its description */
	SLOT_NAME,     /* the description of found, which was confirmed to hold the socket */
	SLOT_DESCRIBE, /* the description of found, no socket asked for */
	SLOT_CONTINUE, /* every holder */
	SLOT_VERIFY    /* a status page's workers */
};

enum slot_state {
	SLOT_IDLE,   /* its owner's */
	SLOT_POSTED, /* the thread's */
	SLOT_DONE,   /* the owner's again */
	SLOT_LEFT,   /* the thread's for good */
	SLOT_OVER,   /* the thread has ended, or does so now */
	SLOT_QUIT    /* asked to end */
};

struct slot {
	/* the job: filled between slot_take() and slot_post() */
	enum slot_job job;
	struct owner_query query;
	struct lookup_limits limits;
	struct owner owner;
	struct search_found found; /* NAME, DESCRIBE: its pid_fd is the job's */
	struct lookup_call call;
	struct lookup_workers workers;
	int result;

	struct lookup lookup;
	pthread_t thread;
	/* Who changes it hands everything above over to the other side. A futex(2): the thread
	 * waits for POSTED and QUIT, its owner for DONE. */
	_Atomic uint32_t state; /* enum slot_state */
	uint32_t hung_uid;
	int cpu;     /* where its thread has to run; -1: anywhere */
	int done_fd; /* an eventfd(2) that tells the end of each job; -1: none */
};

/* The slots of one finder: those at work, and those that hang. */
#define SLOTS_HUNG 32 /* no new one then; from SEARCH_HUNG_UIDS on everybody is spared */

struct slots {
	const char *proc_dir;
	bool with_sockets;
	struct slot *hung[SLOTS_HUNG + 2]; /* two were at work when it was full */
	unsigned n_hung;
};

/* 0 or -errno with *what. */
int slot_open(const struct slots *slots, struct slot **slot, const char **what);
/* Ends one that is idle. Takes NULL. */
void slot_close(struct slot *slot);
/* Takes back those that came out of their hang. Detaches the others when all is over. */
void slots_reap(struct slots *slots, bool over);

/* *slot, opened anew if its last one was left; ready for a job. NULL: too many hang, or a job is
 * still under way. */
struct slot *slot_take(struct slots *slots, struct slot **slot);
/* Starts the job of a taken slot. */
void slot_post(struct slot *slot);
/*
 * Waits for it until patience_ns (0: only looks). 0: it is done, the slot is idle again and its
 * results can be read until the next slot_take(). -EAGAIN: not yet, nothing was waited for. -ETIME:
 * it hung; *slot is NULL or a new one.
 */
int slot_await(struct slots *slots, struct slot **slot, uint64_t patience_ns);
/* Leaves a job that is under way for too long. */
void slot_leave(struct slots *slots, struct slot **slot);

#endif
