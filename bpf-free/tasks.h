/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of processes, kept by the kernel's events (connector.h) and started from /proc: which
 * process had a pid at a moment, whose child it is, whether it executed another program since it
 * was described, and, for some seconds after its end, that it was there (a tombstone).
 *
 * It proves who is who only while no event was lost: a loss empties what rests on events, and the
 * table begins anew from /proc. Not for threads: one user at a time.
 */
#ifndef BPF_FREE_TASKS_H
#define BPF_FREE_TASKS_H

#include "connector.h"
#include "owner.h"

#define TASKS_TOMB_NS 5000000000ull
#define TASKS_TOMBS   4096

struct task {
	struct task *next; /* in its pid's bucket, older ones behind */
	struct task *tomb_next, *tomb_prev;
	pid_t pid, parent;	       /* parent: who forked it, or its parent when listed; 0 */
	uint64_t started_ns, ended_ns; /* CLOCK_MONOTONIC; started 0: before us; ended 0: lives */
	uint32_t programs;	       /* that it executed; and other changes of what it shows */
	uint64_t executed_ns;	  /* when it executed the last one; 0: none since it was known */
	uint32_t parent_programs; /* those of its parent when it forked this */
	uint32_t forks;		  /* that it made */
	uint32_t uid, euid;	  /* OWNER_UID_NONE: not told */
	bool threads; /* it has, or had, more than one: its leader's end is not its own */
	bool listed; /* found in /proc: started_ns is when it was found, until its start is asked */
	bool unread; /* executed a program that nobody has looked at yet */

	unsigned pins; /* who still looks at it: it is not freed */
	bool gone;     /* it would have been: it is in no table any more */

	/* of who looks for sockets */
	int pid_fd;	      /* its folder in /proc, or -1 */
	unsigned folder;      /* where that is noted */
	int32_t last_fd;      /* where its last socket was, or -1 */
	int32_t child_fd;     /* where its last child's was, or -1 */
	struct owner_ref ref; /* pid 0: not read; its name and user, while ref_programs holds */
	uint32_t ref_programs;
	char *script; /* as its arguments first said, or NULL */
	enum owner_script_from script_from;
	uint64_t script_ns; /* executed_ns of the program that they were of */
	uint64_t walked_ns; /* when everybody was asked for its sockets */
	struct seen *seen;  /* what is known of it (seen.h), or NULL */
};

struct tasks;

/* What is kept of a task beside the table has to go: it is another program now, or shows itself
 * otherwise; it has ended; it is freed. */
enum tasks_drop { TASKS_CHANGED, TASKS_ENDED, TASKS_FREED };
typedef void (*tasks_drop_fn)(void *context, struct task *task, enum tasks_drop why);

/* connector and proc_fd stay the caller's. */
int tasks_open(struct tasks **tasks, const struct connector *connector, int proc_fd,
	       tasks_drop_fn drop, void *context);
void tasks_free(struct tasks *tasks); /* takes NULL */
int tasks_fd(const struct tasks *tasks);
/* Takes in what the kernel has told since. Says how many events. Tasks that were found may be
 * freed, and all are when the table begins anew. */
unsigned tasks_drain(struct tasks *tasks);
/* Times that events were lost and the table begun anew. */
uint64_t tasks_resyncs(const struct tasks *tasks);

/* Who has that pid now; NULL. */
struct task *tasks_find(struct tasks *tasks, pid_t pid);
/* Who had it then, also if it has ended since. NULL: not known for sure. */
struct task *tasks_at(struct tasks *tasks, pid_t pid, uint64_t ts_ns);
/* The newest living processes of an effective uid. */
unsigned tasks_newest(struct tasks *tasks, uint32_t euid, struct task **found, unsigned max);
/* The next that executed a program nobody has looked at; NULL: none. It is given once. */
struct task *tasks_unread(struct tasks *tasks);
/* false: events were lost, and the table could not begin anew yet; or more wait than could be taken
 * in. Pids are hints only then. */
bool tasks_whole(const struct tasks *tasks);
/* Keeps a task over tasks_drain(). Whoever finds it gone afterwards knows nothing of it any more.
 */
void tasks_pin(struct task *task);
void tasks_unpin(struct task *task);
/* As if it had executed its program just now. */
void tasks_note_unread(struct tasks *tasks, struct task *task);
size_t tasks_count(const struct tasks *tasks);

/* For tests: applies one event. */
void tasks_apply(struct tasks *tasks, const struct connector_event *event);

#endif
