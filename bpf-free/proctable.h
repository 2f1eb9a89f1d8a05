/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pids of the box with the uid of each, kept between look-ups to put the search into a good
 * order. Only that: an entry may be out of date, so nothing is concluded from it.
 */
#ifndef BPF_FREE_PROCTABLE_H
#define BPF_FREE_PROCTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proctable_entry {
	pid_t pid;
	uint32_t uid, euid;
	bool kernel_thread;
	uint64_t read_ns; /* when uid was read; 0: not yet */
	uint32_t round;	  /* of the search that looked at it (search.h) */
};

struct proctable {
	struct proctable_entry *entries; /* by pid, ascending */
	size_t n;
	struct proctable_entry *spare;
	size_t room; /* entries each of the two can hold */
	uint64_t listed_ns;
	char *dents;
};

void proctable_free(struct proctable *table);
/* Lists /proc again; uids of pids that were there within the last seconds are kept. */
int proctable_list(struct proctable *table, int proc_fd, uint64_t now_ns);

#endif
