/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptions of processes that were looked at lately; the least recently used one makes room. */
#ifndef BPF_FREE_SEEN_H
#define BPF_FREE_SEEN_H

#include "tasks.h"

#define SEEN_MAX 512 /* 18 kB each, of which a few are touched */

struct seen {
	struct seen *older, *newer;
	struct task *task;	    /* whose it is */
	uint64_t read_ns, named_ns; /* when it was read; when its name was found unchanged last */
	struct owner owner;	    /* the process's part */
};

struct seen_list {
	struct seen ends; /* a ring: ends.newer is the oldest */
	unsigned n;
};

void seen_init(struct seen_list *list);
void seen_done(struct seen_list *list);
/* What is known of task from now on; replaces what was. NULL: no memory. */
struct seen *seen_put(struct seen_list *list, struct task *task, const struct owner *owner,
		      uint64_t now_ns);
void seen_touch(struct seen_list *list, struct seen *seen);
void seen_drop(struct seen_list *list, struct task *task);

/* Copies what describes a process, not the socket nor how it was found. Texts are copied as far as
 * they go. */
void seen_copy(struct owner *to, const struct owner *from);

#endif
