/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What near's files share: near.c looks where the socket most likely is, near_known.c tells what is
 * known already of a process.
 */
#ifndef BPF_FREE_NEAR_INTERNAL_H
#define BPF_FREE_NEAR_INTERNAL_H

#include "near.h"
#include "seen.h"

#define LASTS	1024 /* a power of two */
#define FOLDERS 1024 /* of processes, kept open */

struct last { /* who held the last socket of a uid, and where */
	uint32_t uid;
	pid_t pid;
	int32_t fd;
};

struct near {
	int proc_fd;
	struct sockdiag *diag;
	struct callers *callers;
	struct tasks *tasks;
	struct seen_list seen;
	struct last lasts[LASTS];
	struct task *folders[FOLDERS];
	unsigned next_folder;

	/* of the look-up under way */
	char link[32];
	unsigned fds_left, fds_read;
};

#endif
