/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the finder's files share: finder.c is the public face; held.c finds who owns a held
 * packet; reader.c describes new programs beside that.
 */
#ifndef BPF_FREE_FINDER_H
#define BPF_FREE_FINDER_H

#include "near.h"
#include "slot.h"
#include "wait.h"

#define WALKED_UIDS 256

struct owner_finder {
	struct wait_host host; /* first: a wait knows its finder by it */
	char *proc_dir;
	struct owner_budget budget;
	struct slots slots;
	struct slot *slot;
	struct callers *callers;
	owner_behind_fn behind;
	void *behind_context;
	struct near *near; /* NULL without sockets */

	struct walked {
		uint32_t uid;
		uint64_t ns;
	} walked[WALKED_UIDS];

	/* describes new programs as they come, beside the look-ups */
	struct slot *reader;
	int reader_fd; /* an eventfd */
	bool reading;
	pid_t read_pid;
	uint32_t read_programs;
	uint64_t read_resyncs;
	uint64_t read_since_ns;
};

struct job {
	enum slot_job job;
	const struct owner_query *query;
	struct lookup_limits limits;
	struct search_found found;
	uint64_t patience_ns;
};

/* -ETIME: it hung, or too many do; *owner is untouched then. Else the job's own result. */
int finder_run(struct owner_finder *finder, struct job *job, struct owner *owner);

/* held.c: the short way, and where that does not do, a slot's. Fills *owner. As owner_find(). */
int held_find(struct owner_finder *finder, const struct owner_query *query, uint64_t start_ns,
	      struct owner *owner);

/* reader.c: takes the last description in, and begins the next, if there is one. */
void reader_step(struct owner_finder *finder, uint64_t now_ns);
/* Ends the one under way. */
void reader_end(struct owner_finder *finder);

#endif
